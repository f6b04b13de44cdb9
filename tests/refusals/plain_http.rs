//! Over plain http no key leaves the machine; over loopback only if that is asked for.

use s3seal_sandbox::Config;

use crate::support::{ALIAS, BUCKET, Bench, CUSTOMER_KEY, PART, bytes, key};

fn bench() -> Bench {
    let bench = Bench::with(Config {
        http: true,
        kms_aliases: vec![ALIAS.to_owned()],
        ..Config::with_buckets([BUCKET])
    });
    bench.write("key", &key(5));
    bench.write("source", b"text");
    bench.run("put source s3://bench/object -e sse-c --sse-c-key key").ok();
    bench.sandbox.clear_requests();
    bench
}

#[test]
fn sse_c_is_refused_before_the_key_is_sent() {
    let bench = bench();
    let url = bench.sandbox.http_endpoint();
    for size in [10, PART + 1] {
        bench.write("source", &bytes(size));
        let line = format!(
            "put source s3://bench/new -e sse-c --sse-c-key key --part-size 5MiB --endpoint-url {url}"
        );
        bench.run(&line).exits(2).says(&["an SSE-C key must not go over http; nothing was sent"]);
    }
    assert!(bench.sandbox.requests().is_empty(), "{:?}", bench.sandbox.requests());
    bench.assert_keys(&["object"]);
}

#[test]
fn an_sse_c_object_is_not_opened_over_http() {
    let bench = bench();
    let url = bench.sandbox.http_endpoint();
    let ended = bench.run(&format!("get s3://bench/object copy --sse-c-key key --endpoint-url {url}"));
    ended.exits(2).writes_nothing().says(&["an SSE-C key must not go over http"]);
    assert!(bench.sandbox.requests().iter().all(|request| request.header(CUSTOMER_KEY).is_none()));
    bench.assert_tidy(&["key", "source"]);
}

#[test]
fn the_environment_cannot_lead_a_key_over_http_either() {
    let bench = bench();
    let url = bench.sandbox.http_endpoint();
    for variable in ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"] {
        let line = ["put", "source", "s3://bench/new", "-e", "sse-c", "--sse-c-key", "key"];
        bench.s3seal(line).with(variable, &url).run().exits(2).says(&["must not go over http"]);
    }
    assert!(bench.sandbox.requests().is_empty());
}

#[test]
fn over_loopback_it_goes_if_that_is_allowed() {
    let bench = bench();
    let url = bench.sandbox.http_endpoint();
    bench.write("source", &bytes(PART + 1));
    let flags = format!("--sse-c-key key --part-size 5MiB --allow-http --endpoint-url {url}");
    bench.run(&format!("put source s3://bench/new -e sse-c {flags}")).says(&["s3://bench/new"]);
    bench.run(&format!("get s3://bench/new copy {flags}"));
    assert!(!bench.sandbox.requests().is_empty());
    assert!(bench.sandbox.requests().iter().all(|request| !request.over_tls));
}

#[test]
fn modes_without_a_key_of_ours_may_go_over_http() {
    let bench = bench();
    let url = bench.sandbox.http_endpoint();
    for size in [10, PART + 1] {
        bench.write("source", &bytes(size));
        bench.run(&format!("put source s3://bench/new -e sse-s3 --part-size 5MiB --endpoint-url {url}")).ok();
        bench.run(&format!("get s3://bench/new copy --endpoint-url {url}")).ok();
        assert_eq!(bench.read("copy"), bytes(size));
    }
}

#[test]
fn a_data_key_of_kms_does_not_come_over_http() {
    let bench = bench();
    let url = bench.sandbox.http_endpoint();
    let line = format!("put source s3://bench/new -e client --kms-key {ALIAS} --kms-endpoint-url {url}");
    bench.run(&line).exits(2).says(&["a data key from AWS KMS must not go over http"]);
    assert!(bench.sandbox.requests().is_empty());
}
