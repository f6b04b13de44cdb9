//! Who may: credentials that are missing, unknown or stale, clocks that are off, policies that deny.

use s3seal_sandbox::{Config, Fault, Kind};

use crate::support::{ALIAS, BUCKET, Bench, PART, bytes};

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

/// "Error responses", Amazon S3 API reference: `InvalidToken`, 400.
#[test]
fn a_session_token_that_is_none_is_told_as_such_and_not_shown() {
    let bench = bench();
    let (text, token) = ("The provided token is malformed or otherwise invalid.", "no/token/at/all");
    bench.write("other", b"text");
    for line in ["put source s3://bench/new", "put source other s3://bench/p/ -r -j 1"] {
        let kind = Kind::status(400, "InvalidToken", text);
        let refused = bench.sandbox.fault(Fault::on("PutObject", kind).times(1));
        let ended = bench.s3seal(line.split(' ')).with("AWS_SESSION_TOKEN", token).run().exits(4);
        assert!(refused.count() == 1 && !ended.stderr.contains(token), "{}", ended.stderr);
        ended.says(&["the session token used for", "hint: check AWS_SESSION_TOKEN", "cause: InvalidToken"]);
    }
}

#[test]
fn the_commands_in_hints_ask_as_the_run_did() {
    let bench = bench();
    let said = ["get", "s3://bench/object", "-", "--no-sign-request"];
    bench.s3seal(said).run().exits(4).says(&["`s3seal doctor s3://bench/ --for get", " --no-sign-request`"]);
    bench.write("config", b"[profile broken]\ncredential_process = false\n");
    let config = bench.path("config");
    let ended = bench
        .s3seal("get s3://bench/object - --profile broken".split(' '))
        .without("AWS_ACCESS_KEY_ID")
        .without("AWS_SECRET_ACCESS_KEY")
        .with("AWS_CONFIG_FILE", config.to_str().unwrap())
        .run();
    ended.exits(4).says(&["`aws sts get-caller-identity --profile broken`"]);
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
    bench.sandbox.user().set_session_token("session/token");
    bench.run("put source s3://bench/object").ok();
    bench.sandbox.user().expire_session_token();
    let of_kms = format!("put source s3://bench/new -e client --kms-key {ALIAS}");
    for line in LINES.into_iter().chain([of_kms.as_str()]) {
        let ended =
            bench.run(line).exits(4).says(&["the AWS credentials for", "have expired", "aws sso login"]);
        assert!(!ended.stderr.contains("session/token"), "{}", ended.stderr);
    }
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
    for text in
        ["Signature expired: 1 is now earlier than 2", "Signature not yet current: 2 is still later than 1"]
    {
        let kind = Kind::status(400, "InvalidSignatureException", text);
        bench.sandbox.fault(Fault::on("kms:GenerateDataKey", kind).times(3));
        let line = format!("put source s3://bench/new -e client --kms-key {ALIAS} --max-attempts 3");
        bench.run(&line).exits(4).says(&["this machine's clock is off", "hint: set the clock"]);
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
        let of_kms = format!("put source s3://bench/new -e client --kms-key {ALIAS}");
        for line in LINES.into_iter().chain([of_kms.as_str()]) {
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
fn a_denial_names_the_command_that_says_what_is_needed() {
    let bench = bench();
    let kms =
        r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}}"#;
    bench.sandbox.user().set_policy(kms);
    for (line, hint) in [
        ("put source s3://bench/p/new", "s3seal doctor s3://bench/p/ --policy put"),
        ("get s3://bench/p/object copy", "s3seal doctor s3://bench/p/ --policy get"),
        ("inspect s3://bench/p/", "s3seal doctor s3://bench/p/ --policy inspect"),
        ("cleanup s3://bench", "s3seal doctor s3://bench/ --policy cleanup"),
        ("rotate s3://bench/p/ -e sse-s3 --yes", "s3seal doctor s3://bench/p/ --for rotate"),
    ] {
        let ended = bench.run(line).exits(4);
        let hints = ended.stderr.matches("s3seal doctor").count();
        assert!(hints == 1 && ended.stderr.contains(&format!("`{hint}`")), "{line}: {}", ended.stderr);
        // What it names works as it stands, or says what is missing.
        let looked = bench.run(hint.trim_start_matches("s3seal "));
        assert!(matches!(looked.code(), Some(0 | 4)), "{hint}: {}", looked.stderr);
    }
    bench.sandbox.user().clear_policy();
    // Where no reason is given, it is looked for.
    let refusal = Kind::status(403, "AccessDenied", "Access Denied");
    bench.sandbox.fault(Fault::on("PutObject", refusal).times(99));
    bench.run(LINES[0]).exits(4).says(&["`s3seal doctor s3://bench/ --for put` looks"]);
    bench.sandbox.fault(Fault::on("GetObject", Kind::status(400, "ExpiredToken", "expired")).times(99));
    let ended = bench.run(LINES[1]).exits(4);
    assert!(!ended.stderr.contains("doctor"), "{}", ended.stderr);
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

#[test]
fn a_hint_names_a_bucket_with_the_part_of_aws_that_it_is_in() {
    let region = "cn-north-1".to_owned();
    let bench = Bench::with(Config { region, ..Config::with_buckets([BUCKET]) });
    bench.write("source", b"text");
    bench.sandbox.user().set_policy(
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:List*","Resource":"*"}}"#,
    );
    // The region of a profile is known only once its file is read.
    let config = bench.write("config", b"[profile cn]\nregion = cn-north-1\n");
    for has_profile in [false, true] {
        let program = bench.s3seal(["put", "source", "s3://bench/object"]);
        let program = if has_profile {
            let program = program.without("AWS_REGION").without("AWS_DEFAULT_REGION");
            program.with("AWS_CONFIG_FILE", &config).with("AWS_PROFILE", "cn")
        } else {
            program
        };
        let ended = program.run().exits(4);
        ended.says(&["a policy must allow s3:PutObject on arn:aws-cn:s3:::bench/object"]);
    }
}
