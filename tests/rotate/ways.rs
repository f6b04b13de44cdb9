//! Each way by itself: what is sent, what is refused, what is named.

use s3seal_sandbox::s3::{Lie, SseView};
use s3seal_sandbox::{Fault, Gate, Kind};

use crate::support::{ALIAS, BUCKET, PATIENCE};
use crate::{OBJECT, assert_no_traces, assert_opens, bench, stored};

#[test]
fn a_dry_run_changes_nothing_and_says_what_it_takes() {
    let bench = bench();
    stored(&bench, 1000, "-e sse-s3");
    let before = bench.object("o").etag;
    let plan = bench.run(&format!("rotate {OBJECT} -e sse-c --sse-c-key a.key --dry-run --json")).ok().json();
    assert_eq!(plan["strategies"]["server-copy"]["objects"], 1);
    assert_eq!(plan["strategies"]["server-copy"]["moved_bytes"], 0);
    assert_eq!(bench.object("o").etag, before);
    assert!(bench.requests("CopyObject").is_empty());
}

#[test]
fn nobody_to_ask_is_no_yes() {
    let bench = bench();
    stored(&bench, 1000, "-e sse-s3");
    bench.run(&format!("rotate {OBJECT} -e sse-c --sse-c-key a.key")).exits(2).says(&["--yes"]);
    assert!(bench.requests("CopyObject").is_empty());
}

#[test]
fn a_rewrap_moves_no_bytes_and_the_old_key_opens_no_more() {
    let bench = bench();
    let content = stored(&bench, 3 << 20, "-e client --key a.key");
    let sealed = bench.object("o").plaintext;
    bench.sandbox.clear_requests();
    bench.run(&format!("rotate {OBJECT} --rewrap --key b.key --from-key a.key --yes")).ok();
    assert!(bench.requests("PutObject").is_empty() && bench.requests("GetObject").is_empty());
    assert_eq!(bench.requests("CopyObject").len(), 1);
    assert!(bench.object("o").plaintext == sealed, "the sealed bytes changed");
    assert_opens(&bench, "--key b.key", &content);
    bench.run(&format!("get {OBJECT} - --key a.key")).exits(5);
}

#[test]
fn an_instruction_file_is_rewritten_and_another_reader_gets_one_of_his_own() {
    let bench = bench();
    let content = stored(&bench, 3000, "-e client --key a.key --instruction-file");
    let before = bench.object("o").etag;
    bench
        .run(&format!("rotate {OBJECT} --share-to partner --key c.key --from-key a.key --yes"))
        .ok()
        .says(&["shared"]);
    bench.run(&format!("rotate {OBJECT} --rewrap --key b.key --from-key a.key --yes")).ok();
    assert_eq!(bench.object("o").etag, before, "the object was touched");
    assert_opens(&bench, "--key b.key", &content);
    assert_opens(&bench, "--key c.key --instruction-suffix partner", &content);
    bench.run(&format!("get {OBJECT} - --key a.key")).exits(5);
}

#[test]
fn an_instruction_file_goes_when_the_object_needs_it_no_more() {
    let bench = bench();
    let content = stored(&bench, 3000, "-e client --key a.key --instruction-file");
    bench.run(&format!("rotate {OBJECT} -e sse-kms --kms-key {ALIAS} --from-key a.key --yes")).ok();
    assert_eq!(bench.sandbox.s3().keys(BUCKET), ["o"]);
    assert_opens(&bench, "", &content);
}

#[test]
fn an_update_in_place_is_proved_first_and_leaves_etag_and_dates() {
    let bench = bench();
    let content = stored(&bench, 3000, "-e sse-s3");
    let before = bench.object("o");
    let line = format!("rotate {OBJECT} -e sse-kms --kms-key {ALIAS} --update-in-place --yes --json");
    assert_eq!(bench.run(&line).ok().json()["strategy"], "update-in-place");
    let after = bench.object("o");
    assert!(matches!(after.sse, SseView::SseKms { .. }));
    assert_eq!((after.etag, after.modified), (before.etag, before.modified));
    assert_eq!(bench.requests("UpdateObjectEncryption").len(), 2, "one for the scratch object");
    assert_opens(&bench, "", &content);
    assert_no_traces(&bench);
}

#[test]
fn a_server_that_takes_the_update_for_an_object_is_found_out_on_a_scratch_object() {
    let bench = bench();
    let content = stored(&bench, 3000, "-e sse-s3");
    let before = bench.object("o").etag;
    bench.sandbox.s3().lie(Lie::UpdateEncryptionStoresBody);
    bench
        .run(&format!("rotate {OBJECT} -e sse-kms --kms-key {ALIAS} --update-in-place --yes"))
        .exits(6)
        .says(&["does not support UpdateObjectEncryption", "nothing else was touched"]);
    assert_eq!(bench.object("o").etag, before);
    assert_opens(&bench, "", &content);
    assert_no_traces(&bench);
    // Without the flag the call is not made at all.
    bench.sandbox.clear_requests();
    bench.run(&format!("rotate {OBJECT} -e sse-kms --kms-key {ALIAS} --yes")).ok();
    assert!(bench.requests("UpdateObjectEncryption").is_empty());
}

#[test]
fn a_newer_object_is_not_lost_whatever_the_way() {
    for (stored_as, flags, write) in [
        ("-e sse-s3", "-e sse-c --sse-c-key a.key", "CopyObject"),
        ("-e client --key a.key", "--rewrap --key b.key --from-key a.key", "CopyObject"),
        ("-e sse-s3", "-e client --key a.key", "PutObject"),
        ("-e client --key a.key", "-e sse-s3 --from-key a.key", "PutObject"),
    ] {
        let bench = bench();
        stored(&bench, 3000, stored_as);
        let overwrite = bench.meanwhile(|sandbox| sandbox.s3().put_plain(BUCKET, "o", b"newer"));
        bench.sandbox.fault(Fault::on(write, overwrite));
        bench.run(&format!("rotate {OBJECT} {flags} --yes")).exits(8).says(&["has changed"]);
        assert_eq!(bench.object("o").plaintext.as_deref(), Some(&b"newer"[..]), "{flags}");
        assert_no_uploads(&bench);
    }
}

fn assert_no_uploads(bench: &crate::support::Bench) {
    assert_eq!(bench.sandbox.s3().uploads(), []);
}

#[test]
fn an_answer_that_gets_lost_is_no_failure() {
    for (stored_as, flags, write, opens) in [
        ("-e sse-s3", "-e sse-c --sse-c-key a.key", "CopyObject", "--sse-c-key a.key"),
        ("-e client --key a.key", "--rewrap --key b.key --from-key a.key", "CopyObject", "--key b.key"),
        ("-e sse-s3", "-e client --key a.key", "PutObject", "--key a.key"),
    ] {
        let bench = bench();
        let content = stored(&bench, 3000, stored_as);
        bench.sandbox.fault(Fault::on(write, Kind::DropAnswer));
        let ended = bench.run(&format!("rotate {OBJECT} {flags} --yes")).ok();
        // A rewrap leaves the ETag as it is, so that the same request may be made again.
        let compared = !flags.contains("--rewrap");
        assert_eq!(ended.stderr.contains("answer lost; found stored by comparing size"), compared, "{flags}");
        assert_opens(&bench, opens, &content);
    }
}

#[test]
fn a_copy_that_somebody_else_made_meanwhile_is_not_ours_also_if_it_is_the_same() {
    let bench = bench();
    stored(&bench, 1000, "-e sse-s3");
    let gate = Gate::new();
    let held = bench.sandbox.fault(Fault::on("CopyObject", Kind::Pause(gate.clone())));
    let line = format!("rotate {OBJECT} -e sse-c --sse-c-key a.key --yes");
    let running = bench.start(&line);
    assert!(held.wait(1, PATIENCE), "the first copy was to be under way");
    bench.run(&format!("{line} --journal other")).ok();
    gate.open();
    running.end().exits(8);
}

#[test]
fn sealed_bytes_that_were_changed_are_not_sealed_anew() {
    let bench = bench();
    stored(&bench, 12 << 20, "-e client --key a.key --part-size 5MiB");
    let before = bench.object("o").etag;
    bench.sandbox.s3().tamper_body(BUCKET, "o", |bytes| bytes[11 << 20] ^= 1);
    bench.run(&format!("rotate {OBJECT} -e sse-s3 --from-key a.key --part-size 5MiB --yes")).exits(6);
    assert_eq!(bench.object("o").etag, before, "unverified bytes became an object");
    assert_no_uploads(&bench);
}

#[test]
fn a_missing_or_wrong_key_is_asked_for_and_nothing_changes() {
    let bench = bench();
    stored(&bench, 1000, "-e sse-c --sse-c-key a.key");
    bench.run(&format!("rotate {OBJECT} -e sse-s3 --yes")).exits(5);
    bench.run(&format!("rotate {OBJECT} -e sse-s3 --from-sse-c-key b.key --yes")).exits(5);
    bench.run(&format!("rotate {OBJECT} -e sse-s3 --from-sse-c-key b.key --from-sse-c-key a.key --yes")).ok();
}

#[test]
fn an_archived_object_is_refused_with_the_command_that_restores_it() {
    let bench = bench();
    stored(&bench, 1000, "-e sse-s3 --storage-class GLACIER");
    bench.sandbox.s3().set_archived(BUCKET, "o");
    bench
        .run(&format!("rotate {OBJECT} -e sse-c --sse-c-key a.key --yes"))
        .exits(2)
        .says(&["GLACIER", "aws s3api restore-object --bucket bench --key o"]);
}

#[test]
fn an_old_version_stays_behind_and_is_named() {
    let bench = bench();
    bench.sandbox.s3().set_versioning(BUCKET);
    stored(&bench, 1000, "-e sse-s3");
    let old = bench.object("o").version_id;
    let told = bench.run(&format!("rotate {OBJECT} -e sse-c --sse-c-key a.key --yes --json")).ok().json();
    assert_eq!(told["previous_version_id"], old.as_str());
    bench
        .run(&format!("rotate {OBJECT} --version-id {old} -e sse-c --sse-c-key a.key --yes"))
        .exits(2)
        .says(&["not the newest version"]);
    let kms =
        format!("rotate {OBJECT} --version-id {old} -e sse-kms --kms-key {ALIAS} --update-in-place --yes");
    bench.run(&kms).ok();
}

#[test]
fn what_would_be_lost_is_named_and_refused() {
    let bench = bench();
    stored(&bench, 1000, "-e sse-s3");
    let denied = Kind::status(403, "AccessDenied", "Access Denied");
    bench.sandbox.fault(Fault::on("GetObjectAcl", denied).times(9));
    bench
        .run(&format!("rotate {OBJECT} -e sse-c --sse-c-key a.key --yes"))
        .exits(4)
        .says(&["its ACL cannot be read", "--accept-loss acl"]);
    bench.run(&format!("rotate {OBJECT} -e sse-c --sse-c-key a.key --yes --accept-loss acl")).ok();
}

#[test]
fn an_encryption_context_is_not_lost_unasked() {
    let bench = bench();
    for (format, from) in [("s3ec", "--from-context team=blue"), ("esdk", "")] {
        let content = stored(
            &bench,
            1000,
            &format!("-e client --format {format} --kms-key {ALIAS} --context team=blue"),
        );
        let line = format!(
            "rotate {OBJECT} -e client --new-data-key --kms-key {ALIAS} --from-kms-key {ALIAS} {from} --yes"
        );
        bench.run(&line).exits(2).says(&[
            "its encryption context (team) would be lost",
            "--context",
            "--accept-loss context",
        ]);
        bench.run(&format!("{line} --context team=red")).ok();
        assert_opens(&bench, &format!("--kms-key {ALIAS} --context team=red"), &content);
        let on = line.replace("team=blue", "team=red");
        bench.run(&format!("{on} --accept-loss context")).ok();
        assert_opens(&bench, &format!("--kms-key {ALIAS}"), &content);
    }
}

#[test]
fn wrong_uses_say_what_fits() {
    let bench = bench();
    for (flags, says) in [
        ("", "needs the new encryption"),
        ("--rewrap -e sse-c --sse-c-key a.key", "--rewrap does not go with -e sse-c"),
        ("--rewrap --new-data-key --key a.key", "keeps the data key"),
        ("-e sse-s3 --update-in-place", "--update-in-place needs"),
        ("-e sse-s3 --include *.x", "under a prefix"),
    ] {
        bench.run(&format!("rotate {OBJECT} {flags} --yes")).exits(2).says(&[says]);
    }
}
