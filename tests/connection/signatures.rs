//! Whether a payload is signed is decided by where the request really goes, not by what leads there.

use s3seal_sandbox::Config;

use crate::support::{BUCKET, Bench, PART, Program, bytes};

const SUM: &str = "x-amz-content-sha256";
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

fn bench() -> Bench {
    Bench::with(Config { http: true, ..Config::with_buckets([BUCKET]) })
}

/// Stores two sizes; returns the sums that were sent with the bytes.
fn sums(bench: &Bench, program: impl Fn(Program) -> Program) -> Vec<String> {
    bench.sandbox.clear_requests();
    for size in [10, PART + 1] {
        bench.write("source", &bytes(size));
        let line = ["put", "source", "s3://bench/object", "-e", "sse-s3", "--part-size", "5MiB"];
        program(bench.s3seal(line)).run().ok();
    }
    let uploads = ["PutObject", "UploadPart"].iter().flat_map(|operation| bench.requests(operation));
    uploads.map(|request| request.header(SUM).unwrap_or_default().to_owned()).collect()
}

#[test]
fn over_tls_the_bytes_are_protected_and_not_signed() {
    let bench = bench();
    assert_eq!(sums(&bench, |program| program), [UNSIGNED; 3]);
}

#[test]
fn in_clear_the_bytes_are_signed_whatever_led_there() {
    let bench = bench();
    let (http, https) = (bench.sandbox.http_endpoint(), bench.sandbox.endpoint());
    let config =
        format!("[profile plain]\nservices = ours\n[services ours]\ns3 =\n  endpoint_url = {http}\n");
    let config = bench.write("config", config.as_bytes());
    let ways: [&dyn Fn(Program) -> Program; 3] = [
        &|program| program.with("AWS_ENDPOINT_URL_S3", &http),
        &|program| program.with("AWS_ENDPOINT_URL_S3", &https).arguments(["--endpoint-url", &http]),
        &|program| {
            let program = program.without("AWS_ENDPOINT_URL").with("AWS_CONFIG_FILE", &config);
            program.with("AWS_PROFILE", "plain")
        },
    ];
    for (number, way) in ways.iter().enumerate() {
        let sent = sums(&bench, way);
        assert_eq!(sent.len(), 3);
        assert!(sent.iter().all(|sum| sum.len() == 64), "way {number}: {sent:?}");
        assert!(bench.sandbox.requests().iter().all(|request| !request.over_tls), "way {number}");
    }
}

#[test]
fn over_tls_the_bytes_are_not_signed_though_a_variable_names_http() {
    let bench = bench();
    let https = bench.sandbox.endpoint();
    let http = bench.sandbox.http_endpoint();
    let sent = sums(&bench, |program| {
        program.with("AWS_ENDPOINT_URL_S3", &http).arguments(["--endpoint-url", &https])
    });
    assert_eq!(sent, [UNSIGNED; 3]);
}
