//! The way to S3: address, credentials, clock, and whether the bucket is there.

use std::time::Duration;

use s3seal_sandbox::{Answer, Certificate, Config, Fault, Kind, Recorded};

use crate::support::{ALIAS, Bench, key};
use crate::{Checks, FAILED, OK, WARNING, doctor, program};

#[test]
fn what_is_as_it_should_be_is_said_and_nothing_is_written() {
    let bench = Bench::new();
    let checks = doctor(&bench, "").exits(0);
    checks.has("address", OK, &format!("{}, region us-east-1", bench.sandbox.endpoint()));
    checks.has("clock", OK, "");
    checks.has("bucket", OK, "bench exists");
    checks.has("credentials", OK, "arn:aws:iam::111122223333:user/sandbox, access key AKIASANDBOXSANDBOX00");
    checks.has("owner", OK, "account 111122223333, that of the credentials");
    checks.has("tls", OK, "TLS 1.3, TLS_AES_256_GCM_SHA384");
    checks.has("key_exchange", OK, "X25519MLKEM768, post-quantum");
    checks.has("certificate", OK, "valid until ");
    checks.has("proxy", OK, "none");
    let sent = bench.sandbox.requests();
    let reads = |request: &&Recorded| {
        let is_read = request.method == "GET" || request.method == "HEAD";
        // Of an upload that nobody has begun.
        let asks = ["sts:GetCallerIdentity", "CompleteMultipartUpload", "AbortMultipartUpload"];
        is_read || asks.contains(&request.operation.as_str())
    };
    let writes: Vec<_> = sent.iter().filter(|request| !reads(request)).collect();
    assert!(writes.is_empty(), "{writes:#?}");
    assert!(sent.iter().all(|request| request.method != "PUT"));
    bench.assert_tidy(&[]);
    bench.assert_keys(&[]);
}

#[test]
fn a_bucket_that_does_not_exist_is_a_failed_check() {
    let bench = Bench::new();
    let checks = Checks::of(bench.run("doctor s3://none-such/ --json")).exits(3);
    checks.has("bucket", FAILED, "none-such does not exist");
    checks.is_mended_by("bucket", FAILED, "aws s3 mb s3://none-such");
    checks.has("address", OK, "127.0.0.1");
}

#[test]
fn a_bucket_that_may_not_be_listed_is_there_all_the_same() {
    let bench = Bench::new();
    bench.sandbox.user().set_policy(
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:PutObject","Resource":"*"}}"#,
    );
    doctor(&bench, "").has("bucket", OK, "s3:ListBucket is denied");
}

#[test]
fn a_server_that_is_not_there_ends_the_list_in_seconds() {
    let bench = Bench::new();
    bench.sandbox.go_away();
    let checks = doctor(&bench, "").exits(7);
    checks.has("address", FAILED, &bench.sandbox.endpoint());
    checks.is_mended_by("address", FAILED, "run the same command again");
    assert!(checks.all("bucket").is_empty());
}

#[test]
fn a_server_whose_certificate_is_not_trusted_is_the_worst_finding() {
    let bench = Bench::new();
    let other = Bench::new();
    let checks =
        Checks::of(program(&bench, "").with("AWS_CA_BUNDLE", other.sandbox.ca_file()).run()).exits(6);
    checks.has("address", FAILED, "certificate is not trusted");
    checks.is_mended_by("address", FAILED, "--ca-bundle");
}

#[test]
fn a_certificate_that_is_not_valid_now_may_be_this_machine_s_clock() {
    for certificate in [Certificate::Expired, Certificate::NotYetValid] {
        let bench = Bench::with(Config { certificate, ..Config::with_buckets(["bench"]) });
        let checks = doctor(&bench, "").exits(6);
        checks.has("clock", FAILED, "has expired, or is not valid yet");
        checks.is_mended_by("clock", FAILED, "check this machine's clock");
    }
}

#[test]
fn a_certificate_that_ends_soon_is_worth_a_look() {
    let ends_in = |days: u64| {
        // An hour for a slow machine.
        let certificate = Certificate::EndsIn(Duration::from_hours(days * 24 + 1));
        doctor(&Bench::with(Config { certificate, ..Config::with_buckets(["bench"]) }), "").exits(0)
    };
    ends_in(3).has("certificate", WARNING, "expires in 3 days, at 20");
    ends_in(1).has("certificate", WARNING, "expires in 1 day, at 20");
    ends_in(20).has("certificate", OK, "valid until 20");
}

#[test]
fn a_key_exchange_that_is_not_post_quantum_is_worth_a_look() {
    let bench = Bench::with(Config { post_quantum: false, ..Config::with_buckets(["bench"]) });
    let checks = doctor(&bench, "").exits(0);
    checks.has("key_exchange", WARNING, "X25519, not post-quantum");
    checks.has("tls", OK, "TLS 1.3");
}

#[test]
fn credentials_that_the_server_does_not_know_are_a_failed_check() {
    let bench = Bench::new();
    let checks =
        Checks::of(program(&bench, "").with("AWS_ACCESS_KEY_ID", "AKIANOBODYNOBODY0000").run()).exits(4);
    checks.has("credentials", FAILED, "not known to the service");
    let checks = Checks::of(program(&bench, "").with("AWS_SECRET_ACCESS_KEY", "wrong").run()).exits(4);
    checks.has("credentials", FAILED, "does not match its access key");
    let none = program(&bench, "").without("AWS_ACCESS_KEY_ID").without("AWS_SECRET_ACCESS_KEY");
    let checks = Checks::of(none.run()).exits(4);
    checks.has("credentials", FAILED, "no AWS credentials were found");
    checks.is_mended_by("credentials", FAILED, "aws configure");
}

#[test]
fn credentials_that_nobody_names_are_no_good_sign() {
    let bench = Bench::new();
    bench
        .sandbox
        .fault(Fault::on("sts:GetCallerIdentity", Kind::status(400, "InvalidAction", "no such call")));
    let checks = doctor(&bench, "").exits(0);
    checks.has("credentials", WARNING, "whose it is, is not known");
    checks.has("owner", WARNING, "the account of the credentials is not known");
    // An address of S3 alone says nothing of STS, and AWS's own is not asked about another server's keys.
    let line =
        program(&bench, "").without("AWS_ENDPOINT_URL").with("AWS_ENDPOINT_URL_S3", bench.sandbox.endpoint());
    Checks::of(line.run()).exits(0).has("credentials", WARNING, "this server has no STS");
    let anonymous = doctor(&bench, "--no-sign-request");
    anonymous.exits(4).has("credentials", WARNING, "requests are not signed");
}

#[test]
fn a_bucket_of_another_account_is_seen_and_so_is_a_server_that_does_not_compare() {
    let bench = Bench::new();
    let checks = doctor(&bench, "--expected-bucket-owner 111122223333").exits(0);
    checks.has("owner", OK, "as each request demands");
    let checks = doctor(&bench, "--expected-bucket-owner 999988887777").exits(4);
    checks.has("owner", FAILED, "not account 999988887777");
    checks.is_mended_by("owner", FAILED, "check the name of the bucket, and the account");
    // All else would be denied for the same reason.
    assert!(checks.all("permission").is_empty() && checks.all("versioning").is_empty());
    let other = Answer::new(200).xml(
        "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
         <Arn>arn:aws:iam::999988887777:user/u</Arn><Account>999988887777</Account></GetCallerIdentityResult>\
         </GetCallerIdentityResponse>",
    );
    bench.sandbox.fault(Fault::on("sts:GetCallerIdentity", Kind::answer(move |_| other.clone())));
    let checks = doctor(&bench, "").exits(0);
    checks.has("owner", WARNING, "not account 999988887777, that of the credentials");
    checks.is_mended_by("owner", WARNING, "--expected-bucket-owner ACCOUNT");
    bench.sandbox.fault(Fault::on("HeadBucket", Kind::answer(|_| Answer::new(200))).always());
    doctor(&bench, "").exits(0).has("owner", WARNING, "this server does not compare owners");
}

#[test]
fn plain_http_and_a_proxy_are_worth_a_look() {
    let bench = Bench::hostile();
    let http = format!("--endpoint-url {}", bench.sandbox.http_endpoint());
    let checks = doctor(&bench, &http).exits(0);
    checks.has("tls", WARNING, "none: plain http");
    assert!(checks.all("certificate").is_empty());
    // Nothing goes through a proxy to this machine itself, so this one is reached by another name.
    let proxied = program(&bench, "--endpoint-url http://s3.example --path-style --keep-trying 0").with(
        "HTTP_PROXY",
        format!("http://user:hidden@{}", bench.sandbox.http_endpoint().replace("http://", "")),
    );
    let checks = Checks::of(proxied.run());
    checks.has("proxy", WARNING, "http://127.0.0.1:");
    assert!(!String::from_utf8_lossy(&checks.ended.stdout).contains("hidden"));
}

#[test]
fn a_clock_that_drifts_is_worth_a_look_before_s3_refuses_it() {
    let bench = Bench::new();
    bench.sandbox.s3().set_clock_ahead(120);
    let checks = doctor(&bench, "").exits(0);
    checks.has("clock", WARNING, "s behind the server");
    checks.is_mended_by("clock", WARNING, "timedatectl set-ntp true");
    bench.sandbox.s3().set_clock_ahead(1200);
    doctor(&bench, "").exits(0).has("clock", WARNING, "S3 refuses requests from 900 s on");
    let checks = doctor(&bench, "--max-attempts 1").exits(4);
    checks.has("clock", FAILED, "this machine's clock is off");
    checks.is_mended_by("clock", FAILED, "timedatectl set-ntp true");
}

#[test]
fn a_session_that_is_over_is_a_failed_check() {
    let bench = Bench::new();
    bench.sandbox.user().set_session_token("token");
    doctor(&bench, "").exits(0).has("credentials", OK, "user/sandbox");
    bench.sandbox.user().expire_session_token();
    let checks = doctor(&bench, "").exits(4);
    checks.has("credentials", FAILED, "have expired");
    checks.is_mended_by("credentials", FAILED, "aws sso login");
}

#[test]
fn a_bucket_in_another_region_is_a_failed_check() {
    let bench = Bench::new();
    let checks = doctor(&bench, "--region eu-west-1").exits(1);
    checks.has("bucket", FAILED, "is in region us-east-1, not eu-west-1");
    checks.is_mended_by("bucket", FAILED, "--region us-east-1");
}

#[test]
fn a_server_that_does_not_say_what_time_it_is_is_no_good_sign() {
    let bench = Bench::new();
    let dateless = Kind::tamper(|_, answer| answer.set("date", "yesterday"));
    bench.sandbox.fault(Fault::on("*", dateless).always());
    doctor(&bench, "").exits(0).has("clock", WARNING, "does not say what time it is");
}

#[test]
fn a_key_that_would_go_over_http_is_in_the_way() {
    let bench = Bench::hostile();
    bench.write("key", &key(5));
    let http = format!("--endpoint-url {}", bench.sandbox.http_endpoint());
    for verb in ["put", "get"] {
        let line = format!("--sse-c-key key --for {verb} {http}");
        doctor(&bench, &line).exits(2).has("tls", FAILED, "an SSE-C key must not go over http");
        doctor(&bench, &format!("{line} --allow-http")).exits(0).has("tls", WARNING, "plain http");
    }
    let kms = format!("-e client --kms-key {ALIAS} --kms-endpoint-url {}", bench.sandbox.http_endpoint());
    doctor(&bench, &kms).exits(2).has("kms_key", FAILED, "must not go over http");
}

#[test]
fn a_refusal_of_the_first_request_is_no_good_sign() {
    let bench = Bench::new();
    let refused = |status, code| Fault::on("ListObjectsV2", Kind::status(status, code, "No.")).always();
    bench.sandbox.fault(refused(400, "InvalidBucketName"));
    doctor(&bench, "").exits(1).has("bucket", FAILED, "InvalidBucketName");
    bench.sandbox.clear_faults();
    bench.sandbox.fault(refused(501, "NotImplemented"));
    doctor(&bench, "").exits(0).has("bucket", WARNING, "does not answer ListObjectsV2");
}
