//! Objects, buckets and regions that are not where they were looked for.

use s3seal_sandbox::Config;

use crate::support::{BUCKET, Bench, PART, bytes};

#[test]
fn a_kind_of_endpoint_of_aws_and_a_named_endpoint_exclude_each_other() {
    let bench = Bench::new();
    bench.write("source", b"text");
    for (flag, variable, kind) in [
        ("--fips", "AWS_USE_FIPS_ENDPOINT", "FIPS"),
        ("--dualstack", "AWS_USE_DUALSTACK_ENDPOINT", "dual-stack"),
    ] {
        let said = format!("cannot be combined with {kind} endpoints");
        bench.run(&format!("put source s3://bench/object {flag}")).exits(2).says(&[&said]);
        let line = "put source s3://bench/object".split(' ');
        bench.s3seal(line).with(variable, "true").run().exits(2).says(&[&said]);
    }
    assert!(bench.sandbox.requests().is_empty());
}

#[test]
fn an_object_that_is_not_there_is_told_with_how_to_look() {
    let bench = Bench::new();
    for line in ["get s3://bench/folder/nothing copy", "get s3://bench/folder/nothing -"] {
        bench.run(line).exits(3).writes_nothing().says(&[
            "error: s3://bench/folder/nothing does not exist",
            "cause: NoSuchKey: The specified key does not exist.",
            "hint: `aws s3 ls s3://bench/folder/",
        ]);
    }
    bench.assert_tidy(&[]);
}

#[test]
fn a_version_that_is_not_there_is_named() {
    let bench = Bench::new();
    bench.write("source", b"text");
    bench.sandbox.s3().set_versioning(BUCKET);
    bench.run("put source s3://bench/object").ok();
    let missing = "00000000000000000000000000000000";
    let ended = bench.run(&format!("get s3://bench/object copy --version-id {missing}"));
    ended.exits(3).says(&[
        &format!("s3://bench/object (version {missing}) does not exist"),
        "hint: `aws s3api list-object-versions --bucket bench --prefix object",
    ]);
    bench.assert_tidy(&["source"]);
}

#[test]
fn a_bucket_that_is_not_there_is_told_as_such_and_not_as_an_object() {
    let bench = Bench::new();
    for size in [10, PART + 1] {
        bench.write("source", &bytes(size));
        let ended = bench.run("put source s3://nowhere/object --part-size 5MiB");
        ended.exits(3).says(&["error: the bucket nowhere does not exist", "cause: NoSuchBucket"]);
    }
    bench.run("get s3://nowhere/object copy").exits(3).says(&["error: the bucket nowhere does not exist"]);
    bench.assert_tidy(&["source"]);
}

#[test]
fn a_missing_bucket_is_told_with_what_to_check() {
    let bench = Bench::new();
    bench.write("source", b"text");
    bench
        .run("put source s3://nowhere/object")
        .exits(3)
        .says(&["hint: check its name", "aws s3 mb s3://nowhere"]);
}

#[test]
fn a_bucket_in_another_region_is_told_with_its_region() {
    let bench = Bench::with(Config { region: "eu-central-1".to_owned(), ..Config::with_buckets([BUCKET]) });
    bench.write("source", b"text");
    for line in ["put source s3://bench/object", "get s3://bench/object copy"] {
        let ended = bench.run(&format!("{line} --region us-east-1"));
        ended.exits(1).says(&[
            "s3://bench/object is in region eu-central-1, not us-east-1",
            "hint: add --region eu-central-1",
        ]);
    }
    bench.run("put source s3://bench/object --region eu-central-1").ok();
    bench.assert_tidy(&["source"]);
}

#[test]
fn an_archived_object_is_told_as_such() {
    let bench = Bench::new();
    bench.write("source", b"text");
    bench.run("put source s3://bench/object").ok();
    bench.sandbox.s3().set_archived(BUCKET, "object");
    let ended = bench.run("get s3://bench/object copy");
    assert_ne!(ended.code(), Some(0));
    ended.says(&["s3://bench/object", "InvalidObjectState"]);
    bench.assert_tidy(&["source"]);
}

#[test]
fn a_server_that_is_not_there_is_a_matter_of_the_network() {
    let bench = Bench::new();
    bench.write("source", b"text");
    // A port that was free a moment ago, and on which nobody listens.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let ended = bench.run(&format!(
        "put source s3://bench/object --endpoint-url https://127.0.0.1:{port} --max-attempts 2"
    ));
    ended.exits(7).says(&[
        "no connection could be made",
        "hint: check --endpoint-url",
        "run the same command again",
    ]);
}

#[test]
fn a_server_whose_certificate_nobody_vouches_for_is_not_talked_to() {
    let bench = Bench::new();
    bench.write("source", b"text");
    let system = bench
        .s3seal(["put", "source", "s3://bench/object", "--max-attempts", "1"])
        .without("AWS_CA_BUNDLE")
        .run();
    system
        .exits(6)
        .says(&["the server's certificate is not trusted", "hint: --ca-bundle FILE or AWS_CA_BUNDLE"]);
    let other = Bench::new();
    let ca = other.sandbox.ca_file();
    let line =
        ["put", "source", "s3://bench/object", "--max-attempts", "1", "--ca-bundle", ca.to_str().unwrap()];
    bench.s3seal(line).run().exits(6).says(&["the server's certificate is not trusted"]);
    assert!(bench.sandbox.requests().is_empty());
}

#[test]
fn a_system_without_ca_certificates_is_said_to_have_none() {
    let bench = Bench::new();
    bench.write("source", b"text");
    std::fs::create_dir(bench.path("empty")).unwrap();
    let line = ["put", "source", "s3://bench/object", "--max-attempts", "3"];
    let put = || bench.s3seal(line).without("AWS_CA_BUNDLE");
    let said = [
        "no CA certificates were found on this system",
        "hint: install your system's CA certificates (the package ca-certificates), or name them with --ca-bundle FILE",
    ];
    put().with("SSL_CERT_DIR", bench.path("empty")).run().exits(6).says(&said);
    put()
        .with("SSL_CERT_FILE", bench.path("missing"))
        .run()
        .exits(6)
        .says(&said)
        .says(&["/missing", "No such file"]);
    put().with("SSL_CERT_FILE", bench.path("source")).run().exits(6).says(&said);
    assert!(bench.sandbox.requests().is_empty());
    // Those of the bundle are enough, and without TLS there is no need of any.
    bench.s3seal(line).with("SSL_CERT_DIR", bench.path("empty")).run().ok();
}

#[test]
fn a_ca_bundle_may_be_named_by_flag_or_variable_and_must_be_one() {
    let bench = Bench::new();
    bench.write("source", b"text");
    let ca = bench.sandbox.ca_file().display().to_string();
    let flags = ["put", "source", "s3://bench/object", "--ca-bundle", &ca];
    bench.s3seal(flags).without("AWS_CA_BUNDLE").run().ok();
    bench
        .run("put source s3://bench/object --ca-bundle nothing")
        .exits(3)
        .says(&["the CA bundle nothing does not exist"]);
    bench
        .run("put source s3://bench/object --ca-bundle source")
        .exits(2)
        .says(&["it contains no PEM certificate"]);
}
