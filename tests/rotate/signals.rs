//! A signal, or a network that is down, while the answer to a request is awaited: the same command ends the job.

use s3seal_sandbox::{Fault, Gate, Kind};

use crate::support::{ALIAS, BUCKET, PATIENCE, at_once};
use crate::{OBJECT, assert_no_traces, bench, stored};

/// Stored as, rotated with, and the request whose answer does not come, after so many of its kind that do.
const WAITS: [(&str, &str, &str, usize); 9] = [
    ("-e sse-s3", "-e sse-c --sse-c-key b.key", "GetObjectAcl", 0),
    ("-e client --key a.key", "--rewrap --key b.key --from-key a.key", "GetObjectAcl", 0),
    ("-e sse-s3", "-e client --key b.key", "GetObjectAcl", 0),
    ("-e sse-s3", "-e client --key b.key", "GetObjectTagging", 0),
    ("-e sse-s3", "-e client --key b.key", "GetObjectLockConfiguration", 0),
    ("-e sse-s3", "-e client --key b.key", "GetObjectRetention", 0),
    ("-e sse-s3", "-e client --key b.key", "GetObjectLegalHold", 0),
    // The sizes of the parts, for the checksum of what is read, and of what is read once more.
    ("-e sse-s3 --checksum sha256", "-e client --key b.key", "GetObjectAttributes", 0),
    ("-e sse-s3 --checksum sha256", "-e client --key b.key --verify", "GetObjectAttributes", 1),
];

#[test]
fn a_signal_while_the_answer_about_an_object_does_not_come_ends_the_run() {
    for (stored_as, flags, operation, skip) in WAITS {
        let bench = bench();
        bench.sandbox.s3().set_object_lock(BUCKET);
        stored(&bench, 6 << 20, &format!("{stored_as} --part-size 5MiB"));
        let line = format!("rotate {OBJECT} {flags} --part-size 5MiB --yes");
        let held = bench.sandbox.fault(Fault::on(operation, Kind::Pause(Gate::new())).skip(skip).always());
        let running = bench.start(&line);
        assert!(held.wait(1, PATIENCE), "{flags}: {operation} was not asked");
        running.signal("INT");
        running.end().exits(130).says(&["interrupted by SIGINT"]);
        bench.sandbox.clear_faults();
        bench.run(&line).ok();
        assert_no_traces(&bench);
    }
}

#[test]
fn a_signal_while_nobody_says_whether_a_copy_was_made_ends_the_run() {
    let bench = bench();
    stored(&bench, 1000, "-e sse-s3");
    let line = format!("rotate {OBJECT} -e sse-c --sse-c-key b.key --yes");
    bench.sandbox.fault(Fault::on("CopyObject", Kind::DropAnswer));
    // The first is to choose how, the second is to see whether the copy was made whose answer got lost.
    let held = bench.sandbox.fault(Fault::on("HeadObject", Kind::Pause(Gate::new())).skip(1).always());
    let running = bench.start(&line);
    assert!(held.wait(1, PATIENCE));
    running.signal("INT");
    running.end().exits(130).says(&["interrupted by SIGINT"]);
    bench.sandbox.clear_faults();
    bench.run(&line).ok().says(&["already done"]);
    assert_no_traces(&bench);
}

#[test]
fn a_scratch_object_whose_removal_has_no_answer_is_left_to_the_next_run() {
    at_once(&["PutObject", "UpdateObjectEncryption"], |operation| {
        let bench = bench();
        stored(&bench, 1000, "-e sse-s3");
        let line = format!("rotate {OBJECT} -e sse-kms --kms-key {ALIAS} --update-in-place --yes");
        let trying = bench.sandbox.fault(Fault::on(operation, Kind::PauseAnswer(Gate::new())));
        let listing = Fault::on("ListObjectVersions", Kind::Pause(Gate::new())).always();
        let removing = bench.sandbox.fault(listing);
        let running = bench.start(&line);
        assert!(trying.wait(1, PATIENCE), "{operation}");
        running.signal("INT");
        assert!(removing.wait(1, PATIENCE), "{operation}");
        running.end().exits(130).says(&["interrupted by SIGINT"]);
        bench.sandbox.clear_faults();
        bench.run(&line).ok();
        assert_no_traces(&bench);
    });
}

#[test]
fn an_answer_that_does_not_come_is_no_attribute_that_may_be_lost() {
    for operation in ["GetObjectAcl", "GetObjectTagging", "GetObjectRetention", "GetObjectLegalHold"] {
        let bench = bench();
        bench.sandbox.s3().set_object_lock(BUCKET);
        stored(&bench, 1000, "-e sse-s3");
        bench.sandbox.fault(Fault::on(operation, Kind::ResetBefore).always());
        let line = format!("rotate {OBJECT} -e client --key b.key --yes --max-attempts 1 --keep-trying 0");
        let ended = bench.run(&line).exits(7);
        assert!(!ended.stderr.contains("accept-loss"), "{operation}: {}", ended.stderr);
    }
}
