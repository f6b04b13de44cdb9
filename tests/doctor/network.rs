//! The way to S3: address, credentials, clock, and whether the bucket is there.

use s3seal_sandbox::{Config, Fault, Kind};

use crate::support::Bench;
use crate::{Checks, FAILED, OK, WARNING, doctor, program};

#[test]
fn what_is_as_it_should_be_is_said_and_nothing_is_written() {
    let bench = Bench::new();
    let checks = doctor(&bench, "").exits(0);
    checks.has("address", OK, "127.0.0.1, region us-east-1");
    checks.has("clock", OK, "");
    checks.has("bucket", OK, "bench exists");
    let sent = bench.sandbox.requests();
    let writes: Vec<_> =
        sent.iter().filter(|request| request.method != "GET" && request.method != "HEAD").collect();
    assert!(writes.is_empty(), "{writes:#?}");
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
    checks.has("address", FAILED, "");
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
fn a_certificate_that_has_expired_may_be_this_machine_s_clock() {
    let bench = Bench::with(Config { certificate_expired: true, ..Config::with_buckets(["bench"]) });
    let checks = doctor(&bench, "").exits(6);
    checks.has("clock", FAILED, "has expired");
    checks.is_mended_by("clock", FAILED, "check this machine's clock");
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

/// Moves the date in every answer by so many seconds.
fn with_date(bench: &Bench, date: Option<&'static str>) {
    let tampered = Kind::tamper(move |_, answer| match date {
        Some(date) => answer.set("date", date),
        None => answer.set("date", "yesterday"),
    });
    bench.sandbox.fault(Fault::on("*", tampered).always());
}

#[test]
fn a_clock_that_is_far_from_the_server_s_is_a_failed_check() {
    let bench = Bench::new();
    with_date(&bench, Some("Thu, 01 Jan 2015 00:00:00 GMT"));
    let checks = doctor(&bench, "").exits(4);
    checks.has("clock", FAILED, "ahead of the server");
    checks.is_mended_by("clock", FAILED, "timedatectl set-ntp true");
}

#[test]
fn a_server_that_does_not_say_what_time_it_is_is_no_good_sign() {
    let bench = Bench::new();
    with_date(&bench, None);
    doctor(&bench, "").exits(0).has("clock", WARNING, "does not say what time it is");
}
