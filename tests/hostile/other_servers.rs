//! Servers that are none of S3's and mean no harm: what they answer is understood for what it is.

use s3seal_sandbox::{Answer, Fault, Kind, Struck};

use crate::support::keys::KnownKey;
use crate::support::{ALIAS, Bench, CUSTOMER_KEY, PART, bytes};

fn bench(size: usize) -> Bench {
    let bench = Bench::hostile();
    bench.write("key", &KnownKey::new(1).0);
    bench.write("other", &KnownKey::new(2).0);
    bench.write("source", &bytes(size));
    bench
}

fn error(code: &str, message: &str) -> String {
    format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>")
}

/// Refuses what S3 refuses for its SSE-C key, as radosgw does: always 400, always the same code.
fn refuses_keys_as_radosgw(bench: &Bench) {
    let kind = Kind::tamper(|asked, answer| {
        if answer.status < 400 {
            return;
        }
        let message = if asked.header(CUSTOMER_KEY).is_some() {
            "The calculated MD5 hash of the key did not match the hash that was provided."
        } else {
            "Requests specifying Server Side Encryption with Customer provided keys must provide a valid encryption \
             algorithm."
        };
        answer.status = 400;
        answer.set_body(error("InvalidArgument", message));
    });
    for operation in ["HeadObject", "GetObject"] {
        bench.sandbox.fault(Fault::on(operation, kind.clone()).always());
    }
}

#[test]
fn a_wrong_sse_c_key_is_told_though_radosgw_says_that_its_hash_does_not_match() {
    let bench = bench(100);
    bench.run("put source s3://bench/object --sse-c-key key").ok();
    refuses_keys_as_radosgw(&bench);
    for line in ["get s3://bench/object copy", "get s3://bench/object -"] {
        bench.run(&format!("{line} --sse-c-key other")).exits(5).writes_nothing().says(&[
            "the key given is not the one it was encrypted with",
            "pass the key it was stored with: --sse-c-key SOURCE",
        ]);
    }
    bench
        .run("rotate s3://bench/object -e sse-s3 --from-sse-c-key other --yes")
        .exits(5)
        .says(&["the key given is not the one it was encrypted with", "--from-sse-c-key SOURCE"]);
    bench.run("get s3://bench/object copy --sse-c-key other --sse-c-key key").ok();
    assert_eq!(bench.read("copy"), bytes(100));
}

#[test]
fn a_missing_sse_c_key_is_asked_for_though_radosgw_misses_its_algorithm() {
    let bench = bench(100);
    bench.run("put source s3://bench/object --sse-c-key key").ok();
    refuses_keys_as_radosgw(&bench);
    bench
        .run("get s3://bench/object copy")
        .exits(5)
        .says(&["s3://bench/object is encrypted with SSE-C and needs its key", "--sse-c-key SOURCE"]);
    let found = bench.run("inspect s3://bench/object --format json").ok().json();
    assert!(found.to_string().contains("sse-c"), "{found}");
}

#[test]
fn a_kms_key_that_radosgw_does_not_know_is_not_taken_for_an_access_key() {
    let bench = bench(2 * PART);
    let text = "Failed to retrieve the actual key, kms-keyid: nosuchkey";
    for (operation, flags) in [("PutObject", ""), ("CreateMultipartUpload", "--part-size 5MiB")] {
        bench.sandbox.fault(Fault::on(operation, Kind::status(403, "InvalidAccessKeyId", text)));
        bench
            .run(&format!("put source s3://bench/object -e sse-kms --kms-key nosuchkey {flags}"))
            .exits(5)
            .says(&["does not know the key nosuchkey", "check --kms-key"]);
    }
    bench.assert_keys(&[]);
}

#[test]
fn an_sse_c_object_of_no_bytes_opens_though_its_first_byte_is_asked_for_in_vain() {
    let bench = bench(0);
    bench.run("put source s3://bench/object --sse-c-key key").ok();
    let no_such_range = || Kind::status(416, "InvalidRange", "The requested range is not satisfiable");
    for (line, opens) in [
        ("get s3://bench/object copy --sse-c-key key", true),
        ("get s3://bench/object - --sse-c-key key", true),
        ("get s3://bench/object copy", false),
        ("get s3://bench/object copy --key key", false),
    ] {
        bench.sandbox.clear_requests();
        let struck = bench.sandbox.fault(Fault::on("GetObject", no_such_range()));
        let ended = bench.run(line);
        assert_eq!(struck.count(), 1, "{line}");
        assert_eq!(bench.requests("GetObject")[1].header("range"), None, "{line}");
        if opens {
            ended.ok();
        } else {
            ended.exits(5).says(&["is encrypted with SSE-C and needs its key"]);
        }
    }
    assert_eq!(bench.read("copy"), b"");
}

/// Puts on the condition that the object is still the one that is there, and refuses the first such write.
fn refused_condition(operation: &str, size: usize) -> (Bench, Struck, String) {
    let bench = bench(size);
    bench.run("put key s3://bench/object").ok();
    let etag = bench.object("object").etag;
    bench.sandbox.clear_requests();
    let text = "At least one of the pre-conditions you specified did not hold";
    let refuses = Kind::status(412, "PreconditionFailed", text);
    let struck = bench.sandbox.fault(Fault::on(operation, refuses));
    let line = format!("put source s3://bench/object --part-size 5MiB --if-match \"{etag}\"");
    (bench, struck, line)
}

const WRITES: [(&str, usize); 2] = [("PutObject", 100), ("CompleteMultipartUpload", 2 * PART)];

#[test]
fn a_condition_that_radosgw_does_not_find_in_quotes_is_sent_once_more_without() {
    for (operation, size) in WRITES {
        let (bench, struck, line) = refused_condition(operation, size);
        let etag = bench.object("object").etag;
        bench.run(&line).ok();
        assert_eq!(struck.count(), 1);
        let sent = bench.requests(operation);
        let sent: Vec<_> = sent.iter().map(|request| request.header("if-match").unwrap()).collect();
        assert_eq!(sent, [&format!("\"{etag}\""), &etag]);
        assert_eq!(bench.object("object").size, size as u64);
        bench.assert_tidy(&["key", "other", "source"]);
    }
}

#[test]
fn a_condition_that_does_not_hold_is_not_sent_again() {
    for (operation, size) in WRITES {
        let (bench, _, line) = refused_condition(operation, size);
        let act = bench.meanwhile(|sandbox| sandbox.s3().put_plain("bench", "object", b"newer"));
        bench.sandbox.fault(Fault::on(operation, act));
        bench.run(&line).exits(8).says(&["is not the object expected"]);
        assert_eq!(bench.requests(operation).len(), 1);
        assert_eq!(bench.object("object").plaintext.unwrap(), b"newer");
        bench.assert_tidy(&["key", "other", "source"]);
    }
}

/// The ACL of MinIO, which knows no other: the owner, without a name, may do everything.
fn minio_acl(grants: &str) -> Kind {
    let xml = format!(
        "<AccessControlPolicy><Owner><ID></ID><DisplayName></DisplayName></Owner>\
         <AccessControlList>{grants}</AccessControlList></AccessControlPolicy>"
    );
    Kind::answer(move |_| Answer::new(200).xml(&xml))
}

fn grant(to: &str, permission: &str) -> String {
    let xsi = "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"CanonicalUser\"";
    format!("<Grant><Grantee {xsi}>{to}</Grantee><Permission>{permission}</Permission></Grant>")
}

#[test]
fn the_acl_that_every_object_on_minio_has_is_no_loss() {
    for to in ["", "<DisplayName></DisplayName>", "<ID></ID><DisplayName></DisplayName>"] {
        let bench = bench(100);
        bench.run("put source s3://bench/object -e sse-s3").ok();
        let acl = minio_acl(&grant(to, "FULL_CONTROL"));
        let struck = bench.sandbox.fault(Fault::on("GetObjectAcl", acl).always());
        bench.run(&format!("rotate s3://bench/object -e sse-kms --kms-key {ALIAS} --yes")).ok();
        assert_eq!(struck.count(), 1);
        for request in bench.requests("CopyObject") {
            assert!(!request.headers.iter().any(|(name, _)| name.starts_with("x-amz-grant")), "{to}");
        }
    }
}

#[test]
fn a_grant_to_nobody_known_beside_others_is_a_loss() {
    for grants in [
        grant("", "READ"),
        grant("", "FULL_CONTROL") + &grant("", "FULL_CONTROL"),
        grant("", "FULL_CONTROL") + &grant("<ID>theirs</ID>", "READ"),
        grant("<EmailAddress>a@example.com</EmailAddress>", "FULL_CONTROL"),
    ] {
        let bench = bench(100);
        bench.run("put source s3://bench/object -e sse-s3").ok();
        bench.sandbox.fault(Fault::on("GetObjectAcl", minio_acl(&grants)).always());
        bench
            .run(&format!("rotate s3://bench/object -e sse-kms --kms-key {ALIAS} --yes"))
            .exits(2)
            .says(&["its ACL", "--accept-loss acl"]);
    }
}
