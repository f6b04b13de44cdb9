//! What is asked for beside the way: all versions, reading once more, losses that are accepted, another reader.

use std::os::unix::fs::PermissionsExt;

use s3seal_sandbox::s3::SseView;
use s3seal_sandbox::{Fault, Gate, Kind};

use crate::support::{ALIAS, BUCKET, Bench, PATIENCE, bytes};
use crate::{OBJECT, assert_no_traces, assert_opens, bench, stored};

/// What S3 says each version of [`OBJECT`] is encrypted with, the latest first.
fn modes_of_versions(bench: &Bench) -> Vec<String> {
    let rows = bench.run(&format!("inspect s3://{BUCKET}/ --all-versions --format ndjson")).ok().documents();
    rows.iter().filter_map(|row| row["encryption"]["mode"].as_str().map(str::to_owned)).collect()
}

#[test]
fn all_versions_are_updated_where_they_stand() {
    let bench = bench();
    bench.sandbox.s3().set_versioning(BUCKET);
    let other = bench.sandbox.kms().create_key().to_string();
    for flags in ["-e sse-s3".to_owned(), format!("-e sse-kms --kms-key {other}"), "-e sse-s3".to_owned()] {
        stored(&bench, 1000, &flags);
    }
    let before = bench.sandbox.s3().versions(BUCKET, "o");
    let line =
        format!("rotate s3://{BUCKET}/ --all-versions -e sse-kms --kms-key {ALIAS} --update-in-place --yes");
    bench.run(&line).ok().says(&["3 updated in place"]);
    assert_eq!(modes_of_versions(&bench), ["sse-kms"; 3]);
    assert_eq!(bench.sandbox.s3().versions(BUCKET, "o")[..], before[..], "no version is new, none is gone");
    assert_no_traces(&bench);
    bench.run(&line).ok().says(&["3 already done"]);
}

#[test]
fn a_version_that_no_way_reaches_is_named_and_the_others_change() {
    let bench = bench();
    bench.sandbox.s3().set_versioning(BUCKET);
    stored(&bench, 1000, "-e sse-c --sse-c-key a.key");
    stored(&bench, 1000, "-e sse-s3");
    let old = bench.sandbox.s3().versions(BUCKET, "o")[1].id.clone();
    let line = format!(
        "rotate s3://{BUCKET}/ --all-versions -e sse-kms --kms-key {ALIAS} --update-in-place --from-sse-c-key a.key"
    );
    let planned = format!("cannot: s3://bench/o (version {old}): it is not the newest version");
    bench.run(&format!("{line} --dry-run")).exits(9).says(&[&planned]);
    bench.run(&format!("{line} --yes")).exits(9).says(&[
        &format!("(version {old})"),
        "not the newest version",
        "1 updated in place",
    ]);
    assert!(matches!(bench.object("o").sse, SseView::SseKms { .. }));
}

#[test]
fn verify_finds_what_a_look_cannot() {
    // With the looks before the write.
    for (stored_as, flags, looks) in [
        ("-e sse-s3", format!("-e sse-kms --kms-key {ALIAS}"), 1),
        ("-e client --key a.key", "--rewrap --key b.key --from-key a.key".to_owned(), 2),
        ("-e client --key a.key", "-e client --key b.key --new-data-key --from-key a.key".to_owned(), 1),
    ] {
        for (verify, exit) in [("", 0), ("--verify", 6)] {
            let bench = bench();
            stored(&bench, 1000, stored_as);
            // The first look at what is new: what it says is as it should be, the bytes are not.
            let rot =
                bench.meanwhile(|sandbox| sandbox.s3().tamper_body(BUCKET, "o", |bytes| bytes[500] ^= 1));
            bench.sandbox.fault(Fault::on("HeadObject", rot).skip(looks));
            bench.run(&format!("rotate {OBJECT} {flags} --yes {verify}")).exits(exit);
        }
    }
}

#[test]
fn verify_reads_all_of_it_once_more() {
    let bench = bench();
    stored(&bench, 6 << 20, "-e sse-s3");
    bench.sandbox.clear_requests();
    let line = format!("rotate {OBJECT} -e sse-c --sse-c-key a.key --verify --yes --json");
    assert_eq!(bench.run(&line).ok().json()["verified"], true);
    let read: u64 = bench.requests("GetObject").iter().map(|request| request.bytes_out).sum();
    assert!(read >= 6 << 20, "{read} bytes");
}

#[test]
fn verify_reads_no_more_objects_at_once_than_may_be_in_memory() {
    const OBJECTS: usize = 32;
    const IN_MEMORY: usize = 8;
    let bench = bench();
    std::fs::create_dir(bench.path("many")).unwrap();
    for number in 0..OBJECTS {
        bench.write(&format!("many/{number}"), &bytes(1000));
    }
    bench.run(&format!("put -r many s3://{BUCKET}/p/")).ok();
    bench.sandbox.clear_requests();
    let gate = Gate::new();
    let held = bench.sandbox.fault(Fault::on("GetObject", Kind::Pause(gate.clone())).always());
    let running = bench.start(&format!("rotate s3://{BUCKET}/p/ -e sse-s3 --verify --yes"));
    assert!(held.wait(IN_MEMORY, PATIENCE));
    assert!(bench.sandbox.wait_for_answer("HeadObject", OBJECTS, PATIENCE));
    assert_eq!(bench.requests("GetObject").len(), IN_MEMORY);
    gate.open();
    running.end().ok();
    assert_eq!(bench.requests("GetObject").len(), OBJECTS);
}

#[test]
fn tags_that_cannot_be_read_are_only_lost_where_that_is_accepted() {
    let bench = bench();
    let content = stored(&bench, 1000, "-e sse-s3 --tag team=red --metadata owner=me");
    let denied = Kind::status(403, "AccessDenied", "Access Denied");
    bench.sandbox.fault(Fault::on("GetObjectTagging", denied).times(99));
    let line = format!("rotate {OBJECT} -e client --key a.key --yes");
    bench.run(&line).exits(4).says(&["its tags cannot be read", "s3:GetObjectTagging", "--accept-loss tags"]);
    assert_eq!(bench.object("o").tags.len(), 1);
    bench.run(&format!("{line} --accept-loss acl")).exits(4);
    bench.run(&format!("{line} --accept-loss tags")).ok();
    assert!(bench.object("o").tags.is_empty());
    assert_opens(&bench, "--key a.key", &content);
    bench.run(&format!("{line} --accept-loss everything")).exits(2).says(&["write one of", "tags"]);
}

#[test]
fn sharing_takes_an_instruction_file_and_replaces_nobodys() {
    let bench = bench();
    stored(&bench, 1000, "-e client --key a.key");
    let line = format!("rotate {OBJECT} --share-to partner --key c.key --from-key a.key --yes");
    bench.run(&line).exits(2).says(&["no instruction file"]);
    let content = stored(&bench, 1000, "-e client --key a.key --instruction-file");
    bench.run(&line).ok();
    let other = format!("rotate {OBJECT} --share-to partner --key b.key --from-key a.key --yes");
    bench.run(&other).exits(8).says(&["o.partner"]);
    assert_opens(&bench, "--key c.key --instruction-suffix partner", &content);
    assert_opens(&bench, "--key a.key", &content);
}

#[test]
fn the_suffix_of_an_instruction_file_takes_its_dot_or_not() {
    for (share, old) in [("partner", ".partner"), (".partner", "partner")] {
        let bench = bench();
        let content = stored(&bench, 1000, "-e client --key a.key --instruction-file");
        bench.run(&format!("rotate {OBJECT} --share-to {share} --key c.key --from-key a.key --yes")).ok();
        let rewrap = format!("rotate {OBJECT} --rewrap --key b.key --from-key c.key --yes");
        bench.run(&format!("{rewrap} --instruction-suffix {old}")).ok();
        bench.assert_keys(&["o", "o.instruction", "o.partner"]);
        assert_opens(&bench, "--key b.key --instruction-suffix partner", &content);
    }
}

#[test]
fn the_folder_that_keeps_journals_is_closed_to_others() {
    let bench = bench();
    stored(&bench, 100, "");
    bench.run(&format!("rotate {OBJECT} -e sse-kms --yes")).ok();
    let mode = std::fs::metadata(bench.home().join(".local/state/s3seal")).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o700);
}

#[test]
fn one_older_version_is_not_spoken_of_as_of_several() {
    let bench = bench();
    bench.sandbox.s3().set_versioning(BUCKET);
    stored(&bench, 10, "-e sse-s3");
    bench
        .run(&format!("rotate s3://{BUCKET}/ -e sse-kms --kms-key {ALIAS} --yes"))
        .ok()
        .says(&["1 older version stays in the bucket under its old key\n"]);
    stored(&bench, 10, "-e sse-s3");
    bench.run(&format!("put source s3://{BUCKET}/p -e sse-s3")).ok();
    bench
        .run(&format!("rotate s3://{BUCKET}/ -e sse-kms --kms-key {ALIAS} --yes"))
        .ok()
        .says(&["2 older versions stay in the bucket under their old keys\n"]);
}
