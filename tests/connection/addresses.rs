//! KMS has an address of its own: what leads S3 elsewhere must not lead it there.

use crate::listener::Listener;
use crate::support::{ALIAS, Bench, Program};

/// A key as KMS names it, of which no sandbox knows.
const ARN: &str = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

/// The program with a store and a KMS that are two servers, and both their certificates.
struct Two {
    store: Bench,
    keys: Bench,
}

impl Two {
    fn new() -> Self {
        let two = Self { store: Bench::new(), keys: Bench::new() };
        let both = [&two.store, &two.keys].map(|bench| std::fs::read(bench.sandbox.ca_file()).unwrap());
        two.store.write("ca.pem", &both.concat());
        two.store.write("source", b"text");
        two
    }

    fn run(&self, line: &str) -> Program {
        let program = self.store.s3seal(line.split_whitespace()).without("AWS_ENDPOINT_URL");
        program.with("AWS_CA_BUNDLE", self.store.path("ca.pem"))
    }

    /// Fails unless KMS was asked where it is, and the store for nothing of it.
    #[track_caller]
    fn assert_apart(&self) {
        let keys: Vec<_> = self.keys.sandbox.requests().into_iter().map(|one| one.operation).collect();
        assert!(!keys.is_empty() && keys.iter().all(|operation| operation.starts_with("kms:")), "{keys:?}");
        let store = self.store.sandbox.requests();
        assert!(store.iter().all(|one| !one.operation.starts_with("kms:")), "the store was asked for keys");
        assert!(!store.is_empty());
        self.keys.sandbox.clear_requests();
        self.store.sandbox.clear_requests();
    }
}

#[test]
fn the_address_of_s3_is_not_that_of_kms() {
    let two = Two::new();
    let (store, keys) = (two.store.sandbox.endpoint(), two.keys.sandbox.endpoint());
    for line in [
        format!("put source s3://bench/object -e client --kms-key {ALIAS}"),
        format!("get s3://bench/object - --kms-key {ALIAS}"),
    ] {
        let flagged = format!("{line} --endpoint-url {store}");
        two.run(&flagged).with("AWS_ENDPOINT_URL_KMS", &keys).run().ok();
        two.assert_apart();
        let both = format!("{flagged} --kms-endpoint-url {keys}");
        two.run(&both).with("AWS_ENDPOINT_URL_KMS", "https://127.0.0.1:9").run().ok();
        two.assert_apart();
        two.run(&line).with("AWS_ENDPOINT_URL_S3", &store).with("AWS_ENDPOINT_URL_KMS", &keys).run().ok();
        two.assert_apart();
        // What is set for all stays on this machine, and something of KMS's own is set.
        two.run(&line).with("AWS_ENDPOINT_URL", &store).with("AWS_ENDPOINT_URL_KMS", &keys).run().ok();
        two.assert_apart();
    }
}

#[test]
fn a_profile_s_services_say_where_kms_is() {
    let two = Two::new();
    let (store, keys) = (two.store.sandbox.endpoint(), two.keys.sandbox.endpoint());
    let config = format!(
        "[profile apart]\nservices = both\nregion = us-east-1\n[services both]\ns3 =\n  endpoint_url = {store}\n\
         kms =\n  endpoint_url = {keys}\n"
    );
    let config = two.store.write("config", config.as_bytes());
    let line = format!("put source s3://bench/object -e client --kms-key {ALIAS}");
    let as_profile = || two.run(&line).with("AWS_CONFIG_FILE", &config).with("AWS_PROFILE", "apart");
    as_profile().run().ok();
    two.assert_apart();
    // A flag moves the one that it names.
    let flagged = as_profile().arguments(["--endpoint-url", &store]);
    flagged.run().ok();
    two.assert_apart();
}

#[test]
fn an_address_for_all_services_is_not_that_of_kms_unless_it_is_on_this_machine() {
    let bench = Bench::new();
    bench.write("source", b"text");
    let put = format!("put source s3://bench/object -e client --kms-key {ARN} --max-attempts 1");
    let flagged = format!("{put} --endpoint-url https://store.example");
    for (line, variable) in [(&put, Some("https://store.example")), (&flagged, None)] {
        let proxy = Listener::new();
        let program =
            bench.s3seal(line.split(' ')).without("AWS_ENDPOINT_URL").with("HTTPS_PROXY", proxy.url());
        let program = match variable {
            Some(url) => program.with("AWS_ENDPOINT_URL", url),
            None => program,
        };
        program.run().exits(7).writes_nothing();
        assert_eq!(proxy.request_lines(), ["CONNECT kms.us-east-1.amazonaws.com:443"], "{line}");
    }
    let local = bench.run(&format!("put source s3://bench/object -e client --kms-key {ALIAS}"));
    local.ok();
    assert_eq!(bench.requests("kms:GenerateDataKey").len(), 1);
}

#[test]
fn an_address_that_is_none_is_refused_wherever_it_stands() {
    let bench = Bench::new();
    bench.write("source", b"text");
    let config = bench.write("config", b"[default]\nendpoint_url = localhost:9000\n");
    let settings: [(&str, &str, &[&str]); 3] = [
        (
            "AWS_ENDPOINT_URL",
            "localhost:9000",
            &["error: AWS_ENDPOINT_URL: 'localhost:9000' is not an endpoint URL"],
        ),
        ("AWS_ENDPOINT_URL_KMS", "kms.example", &["error: AWS_ENDPOINT_URL_KMS: 'kms.example' is not"]),
        (
            "AWS_CONFIG_FILE",
            &config.display().to_string(),
            &["error: the profile's endpoint_url: 'localhost:9000'"],
        ),
    ];
    for (name, value, says) in settings {
        let program = bench.s3seal(["put", "source", "s3://bench/object"]).without("AWS_ENDPOINT_URL");
        let ended = program.with(name, value).run().exits(2).says(says);
        ended.says(&["hint: write it as https://HOST, https://HOST:PORT or https://HOST/PATH"]);
    }
    // The command line precedes it.
    let line = ["put", "source", "s3://bench/object", "--endpoint-url", &bench.sandbox.endpoint()];
    bench.s3seal(line).with("AWS_ENDPOINT_URL_S3", "localhost:9000").run().ok();
}
