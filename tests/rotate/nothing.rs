//! A rotation that found nothing, or that cannot be done, is no success.

use s3seal_sandbox::{Fault, Kind};

use crate::support::BUCKET;
use crate::{assert_no_traces, bench};

#[test]
fn a_rotation_of_nothing_is_no_success() {
    let bench = bench();
    bench.sandbox.s3().put_plain(BUCKET, "p/1", b"x");
    for line in [
        "rotate s3://bench/typo/ -e sse-c --sse-c-key a.key",
        "rotate s3://bench/p/ -e sse-c --sse-c-key a.key --include *.sql",
    ] {
        for how in ["--yes", "--dry-run"] {
            bench
                .run(&format!("{line} {how}"))
                .exits(3)
                .says(&["nothing found under s3://bench/", "--allow-empty"]);
            bench.run(&format!("{line} {how} --allow-empty")).ok();
        }
    }
}

#[test]
fn a_prefix_without_objects_does_not_pass_beside_another_one() {
    let bench = bench();
    bench.sandbox.s3().put_plain(BUCKET, "p/1", b"x");
    let line = "rotate s3://bench/p/ s3://bench/typo/ -e sse-c --sse-c-key a.key";
    for how in ["--dry-run", "--yes"] {
        bench.run(&format!("{line} {how}")).exits(3).says(&["error: nothing found under s3://bench/typo/\n"]);
    }
    bench.run("get s3://bench/p/1 copy --sse-c-key a.key").ok();
}

#[test]
fn a_rotation_of_nothing_leaves_no_journal() {
    let bench = bench();
    bench.run("rotate s3://bench/typo/ -e sse-c --sse-c-key a.key --yes").exits(3);
    assert_no_traces(&bench);
}

#[test]
fn a_plan_tries_the_old_keys_and_changes_nothing() {
    let bench = bench();
    for name in ["whole", "part", "esdk"] {
        let format = if name == "esdk" { "esdk" } else { "s3ec" };
        bench.write("source", name.as_bytes());
        let beside = if name == "part" { "--instruction-file" } else { "" };
        bench.run(&format!("put source s3://bench/p/{name} --key a.key --format {format} {beside}")).ok();
    }
    bench.sandbox.s3().put_plain(BUCKET, "p/plain", b"x");
    bench.sandbox.clear_requests();
    let line =
        |from: &str| format!("rotate s3://bench/p/ --key b.key --from-key {from} --seal-plaintext --dry-run");
    bench.run(&line("a.key")).ok();
    let ended = bench.run(&line("c.key")).exits(9);
    ended.says(&[
        "cannot: cannot open s3://bench/p/whole: wrong key",
        "3 of 5 objects cannot be rotated this way",
    ]);
    let one = "rotate s3://bench/p/whole --key b.key --from-key c.key --dry-run";
    bench.run(one).exits(5).says(&["wrong key"]);
    assert!(bench.requests("PutObject").is_empty() && bench.requests("CopyObject").is_empty());
}

#[test]
fn a_new_key_that_kms_does_not_know_ends_it_before_the_first_object() {
    let bench = bench();
    bench.sandbox.s3().put_plain(BUCKET, "p/1", b"x");
    let keys = ["-e sse-kms --kms-key alias/nothing", "-e client --kms-key alias/nothing"];
    for keys in keys {
        for how in ["--dry-run", "--yes"] {
            let ended = bench.run(&format!("rotate s3://bench/p/ {keys} {how}")).exits(5);
            ended.says(&["AWS KMS does not know the key", "alias/nothing"]);
        }
    }
    // Who may not ask about it learns it from the objects.
    let denied = Kind::status(400, "AccessDeniedException", "not authorized to perform kms:DescribeKey");
    bench.sandbox.fault(Fault::on("kms:DescribeKey", denied).always());
    bench.run(&format!("rotate s3://bench/p/ {} --yes", keys[0])).exits(9);
    assert!(bench.requests("CopyObject").len() <= 1);
}

#[test]
fn a_plan_with_something_that_cannot_be_done_is_no_success() {
    let bench = bench();
    bench.sandbox.s3().put_plain(BUCKET, "p/1", b"x");
    bench.sandbox.s3().put_plain(BUCKET, "p/2", b"x");
    bench.run("rotate s3://bench/p/ -e sse-c --sse-c-key a.key --dry-run").ok();
    let line = "--rewrap --key b.key --from-key a.key --dry-run";
    bench
        .run(&format!("rotate s3://bench/p/ {line}"))
        .exits(9)
        .says(&["cannot: s3://bench/p/1", "2 of 2 objects cannot be rotated this way"]);
    bench.run(&format!("rotate s3://bench/p/1 {line}")).exits(2);
    bench.run(&format!("rotate s3://bench/p/ {line} --json")).exits(9).documents();
}
