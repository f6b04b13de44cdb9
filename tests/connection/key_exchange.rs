//! `--require-pq`: over no connection without a post-quantum key exchange is anything sent.

use s3seal_sandbox::Config;

use crate::listener::Listener;
use crate::support::{BUCKET, Bench};

const PUT: [&str; 4] = ["put", "source", "s3://bench/object", "--require-pq"];

fn bench(post_quantum: bool) -> Bench {
    let bench = Bench::with(Config { post_quantum, http: true, ..Config::with_buckets([BUCKET]) });
    bench.write("source", b"text");
    bench
}

#[test]
fn a_server_with_a_post_quantum_key_exchange_is_used_as_without_the_flag() {
    let bench = bench(true);
    bench.s3seal(PUT).run().ok();
    assert_eq!(bench.object("object").plaintext.as_deref(), Some(&b"text"[..]));
}

#[test]
fn a_server_without_a_post_quantum_key_exchange_sees_no_request() {
    let bench = bench(false);
    let ended = bench.s3seal(PUT).run().exits(6);
    ended.says(&[
        "takes none of the TLS versions, cipher suites and key exchanges offered",
        "with --require-pq",
    ]);
    assert_eq!(bench.sandbox.requests().len(), 0);
    bench.s3seal(PUT.into_iter().take(3)).run().ok();
}

#[test]
fn doctor_says_which_server_has_no_post_quantum_key_exchange() {
    let bench = bench(false);
    let ended = bench.s3seal(["doctor", "s3://bench/", "--require-pq"]).run().exits(6);
    let said = String::from_utf8(ended.stdout).unwrap();
    assert!(
        said.contains("takes none of the TLS versions, cipher suites and key exchanges offered"),
        "{said}"
    );
}

#[test]
fn http_has_no_key_exchange_whichever_setting_it_comes_from() {
    let bench = bench(true);
    let url = bench.sandbox.http_endpoint();
    let flag = bench.s3seal(PUT.into_iter().chain(["--endpoint-url", &url])).run();
    let variable = bench.s3seal(PUT).with("AWS_ENDPOINT_URL_KMS", &url).run();
    for ended in [flag, variable] {
        ended.exits(2).says(&["http has no key exchange", &url]);
    }
    assert_eq!(bench.sandbox.requests().len(), 0);
}

#[test]
fn a_key_exchange_cannot_be_required_through_a_proxy_and_nothing_is_sent() {
    let bench = bench(true);
    let proxy = Listener::new();
    let line = PUT.into_iter().chain(["--endpoint-url", "https://store.example"]);
    let ended = bench.s3seal(line).with("HTTPS_PROXY", proxy.url()).run();
    ended.exits(2).says(&["through a proxy"]);
    assert_eq!(String::from_utf8_lossy(&proxy.received()), "");
}
