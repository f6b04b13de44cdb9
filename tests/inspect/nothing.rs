//! An audit that found nothing proves nothing.

use crate::support::{BUCKET, Bench};

#[test]
fn an_audit_of_nothing_is_no_success() {
    let bench = Bench::new();
    bench.sandbox.s3().put_plain(BUCKET, "p/1", b"x");
    for line in [
        "inspect s3://bench/typo/",
        "inspect s3://bench/typo/ --expect sse-s3",
        "inspect s3://bench/p/ --include *.sql --expect sse-s3",
        "inspect s3://bench/typo/ --all-versions --format csv",
    ] {
        bench.run(line).exits(3).says(&["nothing found under s3://bench/", "--allow-empty"]);
        bench.run(&format!("{line} --allow-empty")).ok();
    }
    bench.run("inspect s3://bench/p/ s3://bench/typo/").ok();
}

#[test]
fn an_empty_bucket_is_something_to_see_and_nothing_to_vouch_for() {
    let bench = Bench::new();
    bench.run("inspect s3://bench").ok();
    bench.run("inspect s3://bench --expect sse-s3").exits(3);
}

#[test]
fn a_bucket_that_is_not_there_is_named_as_one() {
    let bench = Bench::new();
    for place in ["s3://nowhere", "s3://nowhere/p/", "s3://nowhere/o"] {
        for line in [format!("inspect {place}"), format!("rotate {place} -e sse-s3 --yes")] {
            bench.run(&line).exits(3).says(&["error: the bucket nowhere does not exist"]);
        }
    }
}
