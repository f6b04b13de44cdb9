//! An address may have a path: the bucket stands behind it, with or without a slash at its end.

use crate::listener::Listener;
use crate::support::Bench;

#[test]
fn a_bucket_stands_behind_the_path_of_the_address() {
    let bench = Bench::new();
    for (path, expected) in [
        ("", "/bench/a/key"),
        ("/", "/bench/a/key"),
        ("/s3", "/s3/bench/a/key"),
        ("/s3/", "/s3/bench/a/key"),
        ("/deep/er", "/deep/er/bench/a/key"),
        ("/deep/er/", "/deep/er/bench/a/key"),
    ] {
        for as_variable in [false, true] {
            let store = Listener::new();
            let url = format!("{}{path}", store.url());
            let program = bench.s3seal(["get", "s3://bench/a/key", "-", "--max-attempts", "1"]);
            let program = if as_variable {
                program.with("AWS_ENDPOINT_URL_S3", &url)
            } else {
                program.arguments(["--endpoint-url", &url])
            };
            program.run().exits(4).writes_nothing();
            let lines = store.request_lines();
            let paths = lines.iter().filter_map(|line| line.split_once(' ')).map(|(_, path)| path);
            let mut paths = paths.map(|path| path.split('?').next().unwrap());
            assert!(!lines.is_empty() && paths.all(|path| path == expected), "{url}: {lines:?}");
        }
    }
}

#[test]
fn a_listing_stands_behind_the_path_too() {
    let bench = Bench::new();
    for path in ["/s3", "/s3/"] {
        let store = Listener::new();
        let line =
            format!("inspect s3://bench/folder/ --max-attempts 1 --endpoint-url {}{path}", store.url());
        bench.run(&line).exits(4);
        let lines = store.request_lines();
        assert!(lines.iter().any(|line| line.starts_with("GET /s3/bench/?list-type=2")), "{lines:?}");
    }
}

#[test]
fn a_bucket_in_the_host_s_name_leaves_the_path_as_it_is() {
    let bench = Bench::new();
    for path in ["/s3", "/s3/"] {
        let proxy = Listener::new();
        let line =
            format!("get s3://bench/a/key - --max-attempts 1 --endpoint-url http://store.example{path}");
        bench.s3seal(line.split(' ')).with("HTTP_PROXY", proxy.url()).run().exits(4);
        let lines = proxy.request_lines();
        let expected = "http://bench.store.example/s3/a/key";
        assert!(!lines.is_empty() && lines.iter().all(|line| line.contains(expected)), "{lines:?}");
    }
}

#[test]
fn kms_may_have_a_path_as_well() {
    let bench = Bench::new();
    bench.write("source", b"text");
    for path in ["/kms", "/kms/"] {
        let keys = Listener::new();
        let line = format!(
            "put source s3://bench/o -e client --kms-key alias/a --max-attempts 1 --allow-http --kms-endpoint-url {}{path}",
            keys.url()
        );
        bench.run(&line).exits(4);
        let lines = keys.request_lines();
        assert!(!lines.is_empty() && lines.iter().all(|line| line.ends_with("POST /kms/")), "{lines:?}");
    }
}
