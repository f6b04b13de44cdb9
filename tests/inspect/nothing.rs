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
}

#[test]
fn a_prefix_without_objects_does_not_pass_beside_another_one() {
    let bench = Bench::new();
    bench.write("source", b"x");
    bench.run("put source s3://bench/p/1 -e sse-s3").ok();
    for flags in ["", "--expect sse-s3", "--read-data"] {
        let line = format!("inspect s3://bench/p/ s3://bench/typo/ {flags}");
        bench.run(&line).exits(3).says(&["error: nothing found under s3://bench/typo/\n", "--allow-empty"]);
        bench.run(&format!("{line} --allow-empty")).ok();
    }
    bench.sandbox.s3().create_bucket("void");
    bench.run("inspect s3://bench/p/ s3://void").ok();
    bench
        .run("inspect s3://bench/p/ s3://void --read-data")
        .exits(3)
        .says(&["nothing found under s3://void"]);
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
