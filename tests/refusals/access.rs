//! Who may: credentials that are missing, unknown or stale, clocks that are off, policies that deny.

use s3seal_sandbox::{Fault, Kind};

use crate::support::{BUCKET, Bench, PART, bytes};

const LINES: [&str; 2] = ["put source s3://bench/new", "get s3://bench/object copy"];

fn bench() -> Bench {
    let bench = Bench::new();
    bench.write("source", b"text");
    bench.run("put source s3://bench/object").ok();
    bench
}

fn nothing_is_written(bench: &Bench) {
    bench.assert_keys(&["object"]);
    bench.assert_tidy(&["source"]);
}

#[test]
fn without_credentials_it_is_told_how_to_get_some() {
    let bench = bench();
    for line in LINES {
        let program =
            bench.s3seal(line.split(' ')).without("AWS_ACCESS_KEY_ID").without("AWS_SECRET_ACCESS_KEY");
        program.run().exits(4).says(&[
            "no AWS credentials were found for s3://bench/",
            "hint: `aws configure` or `aws sso login`",
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        ]);
    }
    nothing_is_written(&bench);
}

#[test]
fn an_unknown_access_key_is_told_as_such() {
    let bench = bench();
    for line in LINES {
        let ended = bench.s3seal(line.split(' ')).with("AWS_ACCESS_KEY_ID", "AKIANOBODYKNOWS00000").run();
        ended.exits(4).says(&[
            "the access key used for",
            "is not known to the service",
            "cause: InvalidAccessKeyId",
        ]);
    }
    nothing_is_written(&bench);
}

#[test]
fn a_wrong_secret_is_told_as_such_and_not_shown() {
    let bench = bench();
    for line in LINES {
        let secret = "this/is/not/the/secret/of/that/key/0000";
        let ended =
            bench.s3seal(line.split(' ')).with("AWS_SECRET_ACCESS_KEY", secret).arguments(["-vv"]).run();
        let ended =
            ended.exits(4).says(&["does not match its access key", "hint: check AWS_SECRET_ACCESS_KEY"]);
        assert!(!ended.stderr.contains(secret));
    }
    nothing_is_written(&bench);
}

#[test]
fn an_expired_session_is_told_as_such() {
    let bench = bench();
    let text = "The provided token has expired.";
    for operation in ["PutObject", "HeadObject", "GetObject"] {
        bench.sandbox.fault(Fault::on(operation, Kind::status(400, "ExpiredToken", text)).times(99));
    }
    for line in LINES {
        bench.run(line).exits(4).says(&["the AWS credentials for", "have expired", "aws sso login"]);
    }
    bench.sandbox.clear_faults();
    nothing_is_written(&bench);
}

#[test]
fn a_clock_that_is_off_is_told_as_such() {
    let bench = bench();
    let text = "The difference between the request time and the current time is too large.";
    for operation in ["PutObject", "HeadObject", "GetObject"] {
        let kind = Kind::status(403, "RequestTimeTooSkewed", text);
        bench.sandbox.fault(Fault::on(operation, kind).times(99));
    }
    for line in LINES {
        bench.run(line).exits(4).says(&["this machine's clock is off", "hint: set the clock"]);
    }
    bench.sandbox.clear_faults();
    nothing_is_written(&bench);
}

#[test]
fn a_clock_that_is_off_is_made_up_for_where_the_server_tells_its_time() {
    // The SDK learns the service's time from the refusal and signs anew.
    for hours in [-5, 5] {
        let bench = bench();
        bench.sandbox.s3().set_clock_ahead(hours * 3600);
        for line in LINES {
            bench.run(line).ok();
        }
    }
}

#[test]
fn a_policy_that_denies_is_named_by_its_action() {
    let bench = bench();
    let policy = |action: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Deny","Principal":"*","Action":"{action}",
            "Resource":"arn:aws:s3:::{BUCKET}/*"}}]}}"#
        )
    };
    bench.sandbox.s3().set_policy(BUCKET, &policy("s3:PutObject"));
    for size in [10, PART + 1] {
        bench.write("source", &bytes(size));
        let ended = bench.run("put source s3://bench/new --part-size 5MiB");
        ended.exits(4).says(&["access to s3://bench/new is denied", "s3:PutObject"]);
    }
    bench.sandbox.s3().set_policy(BUCKET, &policy("s3:GetObject"));
    bench.run(LINES[1]).exits(4).says(&["access to s3://bench/object is denied", "s3:GetObject"]);
    nothing_is_written(&bench);
}

#[test]
fn a_bucket_that_demands_a_mode_refuses_others() {
    let bench = bench();
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Deny","Principal":"*","Action":"s3:PutObject",
        "Resource":"arn:aws:s3:::{BUCKET}/*",
        "Condition":{{"StringNotEquals":{{"s3:x-amz-server-side-encryption":"aws:kms"}}}}}}]}}"#
    );
    bench.sandbox.s3().set_policy(BUCKET, &policy);
    bench.run("put source s3://bench/new -e sse-s3").exits(4).says(&["is denied"]);
    nothing_is_written(&bench);
    bench.run("put source s3://bench/new -e sse-kms").ok();
}

#[test]
fn a_public_bucket_is_read_without_credentials_if_that_is_asked_for() {
    let bench = bench();
    bench.sandbox.s3().set_public(BUCKET, true);
    let read = ["get", "s3://bench/object", "-", "--no-sign-request"];
    let ended = bench.s3seal(read).without("AWS_ACCESS_KEY_ID").without("AWS_SECRET_ACCESS_KEY").run().ok();
    assert_eq!(ended.stdout, b"text");
    assert!(bench.requests("GetObject").iter().all(|request| request.header("authorization").is_none()));
    bench.sandbox.s3().set_public(BUCKET, false);
    bench.s3seal(read).run().exits(4).writes_nothing();
}

#[test]
fn a_refusal_without_a_reason_says_what_was_tried() {
    let bench = bench();
    for operation in ["PutObject", "HeadObject", "GetObject"] {
        bench
            .sandbox
            .fault(Fault::on(operation, Kind::status(403, "AccessDenied", "Access Denied")).times(99));
    }
    bench.run(LINES[0]).exits(4).says(&["access to s3://bench/new is denied (s3:PutObject)"]);
    bench.run(LINES[1]).exits(4).says(&["access to s3://bench/object is denied (s3:GetObject)"]);
}
