//! What broken runs have left, which costs and is worth a look.

use std::fs;

use s3seal_sandbox::{Fault, Kind};

use crate::support::{BUCKET, Bench};
use crate::{Checks, OK, WARNING, doctor, program};

const SCRATCH: &str = "p/.s3seal-scratch-0123456789abcdef";
const TWO_DAYS: i64 = 2 * 24 * 3600;

#[test]
fn leftovers_at_the_place_are_counted_and_cleanup_is_named() {
    let bench = Bench::new();
    let s3 = bench.sandbox.s3();
    s3.begin_upload(BUCKET, "p/young");
    doctor(&bench, "").exits(0).has("leftovers", OK, "none older than a day, among at most 10000 objects");
    s3.set_clock_ahead(-TWO_DAYS);
    s3.begin_upload(BUCKET, "p/large");
    s3.begin_upload(BUCKET, "elsewhere");
    s3.put_plain(BUCKET, SCRATCH, b"tried");
    s3.set_clock_ahead(0);
    let checks = doctor(&bench, "").exits(0);
    checks.has("leftovers", WARNING, "2 of broken runs, 5 B, older than a day");
    checks.is_mended_by("leftovers", WARNING, "s3seal cleanup s3://bench/p/ --dry-run");
    bench.assert_keys(&[SCRATCH]);
    assert_eq!(s3.uploads().len(), 3);
}

#[test]
fn leftovers_that_may_not_be_listed_are_not_known() {
    let bench = Bench::new();
    bench.sandbox.fault(Fault::on("ListMultipartUploads", Kind::status(403, "AccessDenied", "no")).always());
    doctor(&bench, "").exits(0).has("leftovers", WARNING, "s3:ListBucketMultipartUploads is denied");
}

#[test]
fn records_of_this_machine_that_cannot_be_read_are_not_put_down_to_the_server() {
    let bench = Bench::new();
    let state = bench.home().join("state");
    fs::create_dir_all(&state).unwrap();
    fs::write(state.join("s3seal"), "no directory").unwrap();
    let checks = Checks::of(program(&bench, "").with("XDG_STATE_HOME", &state).run()).exits(0);
    let seen = &checks.has("leftovers", WARNING, "not known: cannot read ")["seen"];
    let seen = seen.as_str().unwrap();
    assert!(seen.contains("state/s3seal: ") && !seen.contains("server"), "{seen}");
}
