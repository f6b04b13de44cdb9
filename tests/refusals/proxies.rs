//! What stands in front of a server and changes or refuses requests: the message must not blame the server or the keys.

use s3seal_sandbox::{Fault, Kind};

use crate::support::{Bench, PART, bytes};

#[test]
fn a_request_too_large_for_a_proxy_is_told_with_its_limit() {
    for (operation, size) in [("PutObject", 100), ("UploadPart", PART + 1)] {
        let bench = Bench::new();
        bench.write("source", &bytes(size));
        // nginx answers in HTML, and knows no code.
        let refusal = Kind::status(413, "", "Request Entity Too Large");
        bench.sandbox.fault(Fault::on(operation, refusal).times(9));
        bench.run("put source s3://bench/object --part-size 5MiB").exits(1).says(&[
            "a proxy refuses a request of this size (HTTP 413)",
            "client_max_body_size",
            "--part-size 5MiB",
        ]);
        bench.assert_tidy(&["source"]);
    }
}

#[test]
fn a_signature_that_does_not_fit_may_be_a_proxy_s_doing() {
    let bench = Bench::new();
    bench.write("source", b"text");
    let refusal = Kind::status(403, "SignatureDoesNotMatch", "The signature does not match.");
    bench.sandbox.fault(Fault::on("PutObject", refusal).times(9));
    let ended = bench.run("put source s3://bench/object").exits(4);
    ended.says(&[
        "check AWS_SECRET_ACCESS_KEY",
        "must pass on the Host header as it is",
        "proxy_set_header Host",
    ]);
}
