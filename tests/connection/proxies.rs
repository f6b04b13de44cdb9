//! A key never passes a proxy in clear: to this machine there is no proxy, and elsewhere it goes over TLS or not at all.

use s3seal_sandbox::Config;

use crate::listener::Listener;
use crate::support::keys::KnownKey;
use crate::support::{ALIAS, BUCKET, Bench};

const PROXIES: [&str; 4] = ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];

fn bench() -> (Bench, KnownKey) {
    let config = Config { http: true, kms_aliases: vec![ALIAS.to_owned()], ..Config::with_buckets([BUCKET]) };
    let (bench, key) = (Bench::with(config), KnownKey::new(1));
    bench.write("key", &key.0);
    bench.write("source", b"text");
    (bench, key)
}

#[test]
fn a_key_that_may_go_in_clear_to_this_machine_goes_through_no_proxy() {
    let (bench, key) = bench();
    for variable in PROXIES {
        for host in ["127.0.0.1", "localhost"] {
            let (proxy, store) = (Listener::new(), Listener::new());
            let url = store.url().replace("127.0.0.1", host);
            let line = "put source s3://bench/object -e sse-c --sse-c-key key --allow-http --max-attempts 1 --endpoint-url";
            let program = bench.s3seal(line.split(' ').chain([url.as_str()])).with(variable, proxy.url());
            program.run().exits(4);
            assert!(key.found_in(&store.received()).is_some(), "{variable}");
            assert_eq!(String::from_utf8_lossy(&proxy.received()), "", "{variable}");
        }
    }
}

#[test]
fn a_data_key_that_may_come_in_clear_from_this_machine_comes_through_no_proxy() {
    let (bench, _) = bench();
    let url = bench.sandbox.http_endpoint();
    for variable in PROXIES {
        let proxy = Listener::new();
        let line = format!("put source s3://bench/object -e client --kms-key {ALIAS} --allow-http");
        let program = bench.s3seal(line.split(' ')).with("AWS_ENDPOINT_URL_KMS", &url);
        program.with(variable, proxy.url()).run().ok();
        assert_eq!(String::from_utf8_lossy(&proxy.received()), "", "{variable}");
    }
    let asked = bench.requests("kms:GenerateDataKey");
    assert!(asked.len() == PROXIES.len() && asked.iter().all(|request| !request.over_tls));
}

#[test]
fn no_key_goes_in_clear_to_another_machine_through_a_proxy_either() {
    let (bench, key) = bench();
    for variable in PROXIES {
        let proxy = Listener::new();
        for line in [
            "put source s3://bench/object -e sse-c --sse-c-key key",
            "get s3://bench/object copy --sse-c-key key",
            "put source s3://bench/object -e client --kms-key alias/any --kms-endpoint-url http://kms.example",
        ] {
            let to = "--allow-http --endpoint-url http://store.example --max-attempts 1";
            let line = format!("{line} {to}");
            let ended = bench.s3seal(line.split(' ')).with(variable, proxy.url()).run();
            assert_ne!(ended.code(), Some(0), "{line}");
        }
        assert_eq!(key.found_in(&proxy.received()), None, "{variable}");
        let kms = proxy.request_lines().into_iter().filter(|line| line.contains("kms.example")).count();
        assert_eq!(kms, 0, "{variable}");
    }
}
