//! An instruction file is not deleted before the object that needs it no more was seen, nor when it is somebody else's by
//! then; one that is written anew is locked as it was.

use s3seal_sandbox::s3::Lie;
use s3seal_sandbox::{Fault, Kind, Sandbox};

use crate::support::{ALIAS, BUCKET, Bench};
use crate::{OBJECT, assert_no_traces, assert_opens, bench, stored};

/// Stored with an instruction file, and rotated to something that needs none; what opens it then.
const LEAVES: [(&str, &str); 3] = [
    ("-e sse-s3 --from-key a.key", ""),
    ("-e client --new-data-key --key b.key --from-key a.key", "--key b.key"),
    ("-e client --format esdk --key b.key --from-key a.key", "--key b.key"),
];

#[test]
fn an_instruction_file_is_deleted_as_it_was_read_and_after_the_object_was_seen() {
    for (flags, opens) in LEAVES {
        let bench = bench();
        let content = stored(&bench, 3000, "-e client --key a.key --instruction-file");
        let etag = bench.object("o.instruction").etag;
        bench.sandbox.clear_requests();
        bench.run(&format!("rotate {OBJECT} {flags} --yes")).ok();
        bench.assert_keys(&["o"]);
        let requests = bench.sandbox.requests();
        let last = |operation: &str| requests.iter().rposition(|one| one.operation == operation).unwrap();
        let delete = &requests[last("DeleteObject")];
        assert_eq!(delete.header("if-match"), Some(format!("\"{etag}\"").as_str()), "{flags}");
        assert!(last("DeleteObject") > last("HeadObject"), "deleted before the object was seen: {flags}");
        assert_opens(&bench, opens, &content);
        assert_no_traces(&bench);
    }
}

#[test]
fn an_instruction_file_stays_if_the_new_object_cannot_be_seen() {
    for (flags, _) in LEAVES {
        let bench = bench();
        stored(&bench, 3000, "-e client --key a.key --instruction-file");
        let before = bench.object("o.instruction").plaintext;
        let denied = Kind::status(403, "AccessDenied", "Access Denied");
        let refuse = bench.meanwhile(move |sandbox| {
            for operation in ["HeadObject", "GetObject"] {
                sandbox.fault(Fault::on(operation, denied.clone()).always());
            }
        });
        bench.sandbox.fault(Fault::on("PutObject", refuse));
        bench.run(&format!("rotate {OBJECT} {flags} --yes")).exits(4);
        assert_eq!(bench.object("o.instruction").plaintext, before, "{flags}");
        bench.sandbox.clear_faults();
        bench.run(&format!("rotate {OBJECT} {flags} --yes")).ok();
        bench.assert_keys(&["o"]);
        assert_no_traces(&bench);
    }
}

#[test]
fn an_instruction_file_that_somebody_replaces_before_it_is_deleted_stays() {
    for (flags, _) in LEAVES {
        let bench = bench();
        stored(&bench, 3000, "-e client --key a.key --instruction-file");
        let overwrite =
            bench.meanwhile(|sandbox| sandbox.s3().put_plain(BUCKET, "o.instruction", b"somebody's"));
        bench.sandbox.fault(Fault::on("DeleteObject", overwrite).only("o.instruction"));
        bench
            .run(&format!("rotate {OBJECT} {flags} --yes"))
            .exits(8)
            .says(&["the instruction file s3://bench/o.instruction", "is rotated"]);
        assert_eq!(bench.object("o.instruction").plaintext.as_deref(), Some(&b"somebody's"[..]), "{flags}");
    }
}

const LOCK: &str = "--lock-mode governance --retain-until 2100-01-31 --legal-hold";
/// How the instruction file is written anew, which file that is, and what opens it then.
const REWRAPS: [(&str, &str, &str); 2] = [
    ("--rewrap --key b.key --from-key a.key", "o.instruction", "--key b.key"),
    (
        "--share-to partner --key c.key --from-key a.key",
        "o.partner",
        "--key c.key --instruction-suffix partner",
    ),
];

/// Everything but reading these locks.
fn hides(denied: &str) -> String {
    format!(
        r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Action": "*", "Resource": "*"}},
        {{"Effect": "Deny", "Action": "{denied}", "Resource": "*"}}]}}"#
    )
}

#[test]
fn what_only_says_that_it_is_an_instruction_file_is_not_passed_over_in_silence() {
    let bench = bench();
    let s3 = bench.sandbox.s3();
    s3.put_plain(BUCKET, "own", b"a user's own");
    s3.set_metadata(BUCKET, "own", [("x-amz-crypto-instr-file".to_owned(), String::new())].into());
    bench
        .run(&format!("rotate s3://{BUCKET}/ -e client --key a.key --seal-plaintext --yes"))
        .ok()
        .says(&["1 re-encrypted"]);
    bench.run("get s3://bench/own copy --key a.key").ok();
    assert_eq!(bench.read("copy"), b"a user's own");
    bench.run("get -r s3://bench/ folder --key a.key").ok().says(&["fetched: 1 object"]);
}

/// Ordinary files, one of which has a name as an instruction file has it; and a real instruction file.
fn named_like_one() -> Bench {
    let bench = bench();
    std::fs::create_dir(bench.path("d")).unwrap();
    bench.write("d/setup.instruction", b"how to set up");
    bench.write("d/x", b"content of x");
    bench.run("put -r d s3://bench/p/ --key a.key").ok();
    bench.run("put d/x s3://bench/p/y --key a.key --instruction-file").ok();
    bench
}

#[test]
fn an_object_that_is_only_named_like_an_instruction_file_is_rotated_with_the_others() {
    for places in ["s3://bench/p/", "s3://bench/p/setup.instruction s3://bench/p/x s3://bench/p/y"] {
        for to in ["--rewrap", "-e client", "-e client --new-data-key", "-e client --format esdk"] {
            let bench = named_like_one();
            let line = format!("rotate {places} {to} --key b.key --from-key a.key --yes");
            bench.run(&format!("{line} --dry-run")).ok();
            bench.run(&line).ok();
            for (key, content) in
                [("setup.instruction", "how to set up"), ("x", "content of x"), ("y", "content of x")]
            {
                let got = bench.run(&format!("get s3://bench/p/{key} - --key b.key")).ok();
                assert_eq!(got.stdout, content.as_bytes(), "{to} {key}");
            }
        }
    }
}

#[test]
fn a_plain_object_that_is_only_named_like_an_instruction_file_is_encrypted_or_named_as_refused() {
    let bench = bench();
    bench.sandbox.s3().put_plain(BUCKET, "p/setup.instruction", b"how to set up");
    let line = "rotate s3://bench/p/ --key b.key --from-key a.key --yes";
    bench.run(&format!("{line} --rewrap")).exits(9).says(&["s3://bench/p/setup.instruction", "no data key"]);
    bench.run(&format!("{line} -e client --seal-plaintext")).ok().says(&["1 re-encrypted"]);
    let got = bench.run("get s3://bench/p/setup.instruction - --key b.key").ok();
    assert_eq!(got.stdout, b"how to set up");
}

#[test]
fn an_instruction_file_is_no_object_of_a_rotation_whatever_suffix_is_asked_for() {
    for to in ["--rewrap", "-e client --seal-plaintext"] {
        let bench = bench();
        bench.write("source", b"text");
        bench.run("put source s3://bench/p/o --key a.key --instruction-file").ok();
        bench
            .run(&format!("rotate s3://bench/p/o.instruction {to} --key b.key --from-key a.key --yes"))
            .exits(2)
            .says(&["instruction file of another object and goes with that one"]);
        bench.run("rotate s3://bench/p/o --share-to partner --key c.key --from-key a.key --yes").ok();
        // Some writers mark none.
        bench.sandbox.s3().set_metadata(BUCKET, "p/o.instruction", std::collections::BTreeMap::new());
        let line = format!("rotate s3://bench/p/ {to} --key b.key");
        let flags = "--from-key c.key --instruction-suffix partner --yes";
        bench.run(&format!("{line} {flags}")).ok().says(&["2 skipped"]);
        assert_eq!(bench.run("get s3://bench/p/o - --key a.key").ok().stdout, b"text");
    }
}

/// Deletes the latest version of an object.
fn delete(sandbox: &Sandbox, key: &str) {
    let version = sandbox.s3().object(BUCKET, key).unwrap().version_id;
    sandbox.s3().try_delete(BUCKET, key, &version, false).unwrap();
}

#[test]
fn an_object_that_is_deleted_while_its_attributes_are_read_is_gone_and_not_unreadable() {
    let bench = bench();
    let line = format!("-e sse-kms --kms-key {ALIAS} --from-key a.key --yes");
    bench.write("source", b"text");
    bench.run("put source s3://bench/p/o --key a.key --instruction-file").ok();
    delete(&bench.sandbox, "p/o");
    bench.run("put source s3://bench/p/p -e sse-s3").ok();
    let deletes = bench.meanwhile(|sandbox| delete(sandbox, "p/o.instruction"));
    bench.sandbox.fault(Fault::on("GetObjectAcl", deletes).only("p/o.instruction"));
    bench.run(&format!("rotate s3://bench/p/ {line}")).ok().says(&["1 copied", "1 skipped"]);
    let deletes = bench.meanwhile(|sandbox| delete(sandbox, "p/p"));
    bench.sandbox.fault(Fault::on("GetObjectAcl", deletes).only("p/p"));
    bench.run("put source s3://bench/p/p -e sse-s3").ok();
    let ended = bench.run(&format!("rotate s3://bench/p/p {line}")).exits(3);
    assert!(!ended.stderr.contains("accept-loss"), "{}", ended.stderr);
}

#[test]
fn an_instruction_file_that_is_written_anew_is_locked_as_it_was() {
    for (flags, file, opens) in REWRAPS {
        let bench = bench();
        bench.sandbox.s3().set_object_lock(BUCKET);
        let content = stored(&bench, 3000, &format!("-e client --key a.key --instruction-file {LOCK}"));
        let before = bench.object("o.instruction").version_id;
        bench.run(&format!("rotate {OBJECT} {flags} --yes")).ok();
        let after = bench.object(file);
        assert!(after.version_id != before);
        assert_eq!(after.lock_mode.as_deref(), Some("GOVERNANCE"), "{flags}");
        assert_eq!(after.lock_until.unwrap().unix_timestamp(), 4_105_036_800, "{flags}");
        assert!(after.legal_hold, "{flags}");
        assert!(bench.sandbox.s3().try_delete(BUCKET, file, &after.version_id, false).is_err());
        assert_opens(&bench, opens, &content);
    }
}

#[test]
fn a_server_that_does_not_lock_the_new_instruction_file_is_caught() {
    for (flags, file, _) in REWRAPS {
        let bench = bench();
        bench.sandbox.s3().set_object_lock(BUCKET);
        stored(&bench, 3000, &format!("-e client --key a.key --instruction-file {LOCK}"));
        bench.sandbox.s3().lie(Lie::IgnoreLocks);
        let asked = "asked for GOVERNANCE until 2100-01-31T00:00:00Z and legal hold";
        bench
            .run(&format!("rotate {OBJECT} {flags} --yes"))
            .exits(6)
            .says(&[&format!("s3://bench/{file} is not locked as asked: {asked}"), "no lock"]);
    }
}

#[test]
fn an_instruction_file_whose_lock_may_not_be_read_is_not_written_anew_without_consent() {
    for (flags, file, opens) in REWRAPS {
        for denied in ["s3:GetObjectRetention", "s3:GetObjectLegalHold"] {
            let bench = bench();
            bench.sandbox.s3().set_object_lock(BUCKET);
            let content = stored(&bench, 3000, &format!("-e client --key a.key --instruction-file {LOCK}"));
            let before = bench.object("o.instruction").version_id;
            bench.sandbox.user().set_policy(&hides(denied));
            let line = format!("rotate {OBJECT} {flags} --yes");
            bench.run(&line).exits(4).says(&[
                "the instruction file s3://bench/o.instruction",
                &format!("its lock cannot be read: {denied} is not allowed"),
                "--accept-loss lock",
            ]);
            assert_eq!(bench.object("o.instruction").version_id, before, "{flags}");
            bench.run(&format!("{line} --accept-loss lock")).ok();
            assert_eq!(bench.object(file).lock_mode, None, "the lock is given up as a whole");
            assert_opens(&bench, opens, &content);
        }
    }
}
