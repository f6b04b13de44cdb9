//! What only a second look, or a condition of its own, can find out: each test has a server or a neighbour that lies.

use std::collections::BTreeMap;

use s3seal_sandbox::s3::Lie;
use s3seal_sandbox::{Fault, Kind};

use crate::support::{ALIAS, BUCKET};
use crate::{OBJECT, assert_no_traces, assert_opens, bench, rsa, stored};

#[test]
fn a_server_that_does_not_encrypt_as_asked_is_found_out_and_nothing_is_to_be_removed() {
    for lie in [Lie::IgnoreSse, Lie::WrongSse] {
        for (stored_as, flags, opens) in [
            ("-e sse-s3", "-e sse-kms --kms-key ALIAS", ""),
            ("-e client --key a.key", "-e sse-kms --kms-key ALIAS --from-key a.key", "--key a.key"),
            (
                "-e client --key a.key --at-rest sse-kms:ALIAS",
                "--rewrap --key b.key --from-key a.key",
                "--key b.key",
            ),
        ] {
            let bench = bench();
            let content = stored(&bench, 3000, &stored_as.replace("ALIAS", ALIAS));
            bench.sandbox.s3().lie(lie);
            let ended = bench.run(&format!("rotate {OBJECT} {} --yes", flags.replace("ALIAS", ALIAS)));
            // Where plaintext would have replaced ciphertext, a scratch object has shown it.
            let hint = if flags.contains("-e sse-kms") && stored_as.contains("client") {
                "no object was changed"
            } else {
                "s3seal inspect"
            };
            let ended = ended.exits(6).says(&["is not encrypted as asked", hint]);
            assert!(!ended.stderr.contains("delete"), "{}", ended.stderr);
            bench.sandbox.s3().stop_lying();
            // Stored otherwise than asked, and there all the same.
            let old = bench.run(&format!("get {OBJECT} target {opens}"));
            let new = bench.run(&format!("get {OBJECT} target"));
            assert!(old.code() == Some(0) || new.code() == Some(0), "lost: {flags}");
            assert_eq!(bench.read("target"), content, "{flags}");
        }
    }
}

#[test]
fn what_a_server_loses_on_the_way_is_named_with_what_it_was() {
    for flags in ["-e sse-c --sse-c-key a.key", "-e client --key a.key"] {
        let bench = bench();
        stored(&bench, 3000, "-e sse-s3 --metadata owner=me");
        let before = bench.object("o").metadata;
        assert_eq!(before["owner"], "me");
        // Between the write and the look afterwards, which is the second one.
        let forgets = bench.meanwhile(move |sandbox| {
            let envelope: BTreeMap<_, _> =
                sandbox.s3().object(BUCKET, "o").map_or_else(BTreeMap::new, |object| {
                    object.metadata.into_iter().filter(|(name, _)| name.as_str() != "owner").collect()
                });
            sandbox.s3().set_metadata(BUCKET, "o", envelope);
        });
        bench.sandbox.fault(Fault::on("HeadObject", forgets).skip(1));
        bench
            .run(&format!("rotate {OBJECT} {flags} --yes"))
            .exits(6)
            .says(&["lost: owner 'me'", "s3seal inspect"]);
    }
}

#[test]
fn an_envelope_that_is_not_the_one_sent_is_found_out() {
    let bench = bench();
    stored(&bench, 3000, "-e client --key a.key");
    let old = bench.object("o").metadata;
    let puts_back = bench.meanwhile(move |sandbox| sandbox.s3().set_metadata(BUCKET, "o", old.clone()));
    // The look before a rewrap's copy is the second one.
    bench.sandbox.fault(Fault::on("HeadObject", puts_back).skip(2));
    bench
        .run(&format!("rotate {OBJECT} --rewrap --key b.key --from-key a.key --yes"))
        .exits(6)
        .says(&["is stored without the envelope that was sent", "changed x-amz-3"]);
}

#[test]
fn an_instruction_file_that_the_new_key_does_not_open_is_found_out() {
    let bench = bench();
    stored(&bench, 3000, "-e client --key a.key --instruction-file");
    let old = bench.object("o.instruction").plaintext.unwrap();
    let puts_back = bench.meanwhile(move |sandbox| sandbox.s3().put_plain(BUCKET, "o.instruction", &old));
    // The object before its file is rewritten, and the object afterwards.
    bench.sandbox.fault(Fault::on("HeadObject", puts_back).skip(1));
    bench.run(&format!("rotate {OBJECT} --rewrap --key b.key --from-key a.key --yes")).exits(6);
}

#[test]
fn a_newer_object_between_the_write_and_the_look_is_told() {
    for flags in ["-e sse-c --sse-c-key a.key", "-e client --key a.key", "-e sse-kms --kms-key ALIAS"] {
        let bench = bench();
        stored(&bench, 3000, "-e sse-s3");
        let overwrite = bench.meanwhile(|sandbox| sandbox.s3().put_plain(BUCKET, "o", b"newer"));
        bench.sandbox.fault(Fault::on("HeadObject", overwrite).skip(1));
        let ended = bench.run(&format!("rotate {OBJECT} {} --yes", flags.replace("ALIAS", ALIAS)));
        assert!(matches!(ended.code(), Some(5 | 6 | 8)), "{:?} {}", ended.code(), ended.stderr);
        assert_eq!(bench.object("o").plaintext.as_deref(), Some(&b"newer"[..]), "{flags}");
    }
}

#[test]
fn where_the_target_knows_no_condition_the_source_still_does() {
    let bench = bench();
    stored(&bench, 3000, "-e sse-s3");
    let unknown = Kind::status(
        501,
        "NotImplemented",
        "A header you provided implies functionality that is not implemented",
    );
    bench.sandbox.fault(Fault::on("CopyObject", unknown));
    let overwrite = bench.meanwhile(|sandbox| sandbox.s3().put_plain(BUCKET, "o", b"newer"));
    bench.sandbox.fault(Fault::on("CopyObject", overwrite).skip(1));
    bench.run(&format!("rotate {OBJECT} -e sse-kms --kms-key {ALIAS} --yes")).exits(8);
    assert_eq!(bench.object("o").plaintext.as_deref(), Some(&b"newer"[..]));
}

#[test]
fn an_instruction_file_that_somebody_else_has_written_stays() {
    let bench = bench();
    stored(&bench, 3000, "-e client --key a.key --instruction-file");
    let line = format!("rotate {OBJECT} --rewrap --key b.key --from-key a.key --yes");
    let overwrite = bench.meanwhile(|sandbox| sandbox.s3().put_plain(BUCKET, "o.instruction", b"newer"));
    bench.sandbox.fault(Fault::on("PutObject", overwrite));
    bench.run(&line).exits(8);
    assert_eq!(bench.object("o.instruction").plaintext.as_deref(), Some(&b"newer"[..]));
}

#[test]
fn a_readers_file_that_is_there_already_is_not_written_over() {
    let bench = bench();
    let content = stored(&bench, 3000, "-e client --key a.key --instruction-file");
    bench.run(&format!("rotate {OBJECT} --share-to partner --key c.key --from-key a.key --yes")).ok();
    bench.run(&format!("rotate {OBJECT} --share-to partner --key b.key --from-key a.key --yes")).exits(8);
    assert_opens(&bench, "--key c.key --instruction-suffix partner", &content);
    bench.sandbox.s3().put_plain(BUCKET, "o.object", b"somebody's");
    bench.run(&format!("rotate {OBJECT} --share-to object --key b.key --from-key a.key --yes")).exits(8);
    assert_eq!(bench.object("o.object").plaintext.as_deref(), Some(&b"somebody's"[..]));
}

#[test]
fn an_envelope_of_another_object_is_not_blessed_with_a_new_wrap() {
    let bench = bench();
    rsa(&bench);
    stored(&bench, 3000, "-e client --public-key new.pem --instruction-file");
    bench.run(&format!("put source s3://{BUCKET}/p -e client --public-key new.pem --instruction-file")).ok();
    let swapped = bench.object("p.instruction").plaintext.unwrap();
    bench.sandbox.s3().put_plain(BUCKET, "o.instruction", &swapped);
    for flags in
        ["--rewrap --key b.key", "--share-to partner --key b.key", "-e client --new-data-key --key b.key"]
    {
        bench
            .run(&format!("rotate {OBJECT} {flags} --from-private-key old.pem --yes"))
            .exits(6)
            .says(&["commits to"]);
        assert_eq!(bench.object("o.instruction").plaintext.as_ref(), Some(&swapped), "{flags}");
        bench.assert_keys(&["o", "o.instruction", "p", "p.instruction"]);
    }
}

#[test]
fn older_versions_change_where_they_stand_and_the_right_one_does() {
    let bench = bench();
    bench.sandbox.s3().set_versioning(BUCKET);
    let first = stored(&bench, 3000, "-e sse-s3");
    let old = bench.object("o").version_id;
    stored(&bench, 10, "-e sse-s3");
    bench
        .run(&format!("rotate {OBJECT} -e sse-c --sse-c-key a.key --version-id {old} --yes"))
        .exits(2)
        .says(&["not the newest version"]);
    let line = format!("rotate {OBJECT} -e sse-kms --kms-key {ALIAS} --update-in-place --yes");
    bench.run(&format!("{line} --version-id {old}")).ok();
    let modes = || {
        let told = bench.run(&format!("inspect s3://{BUCKET} --all-versions --format csv")).ok().stdout;
        let told = String::from_utf8(told).unwrap();
        told.lines()
            .filter(|line| line.contains("sse-kms"))
            .map(|line| line.contains(&old))
            .collect::<Vec<_>>()
    };
    assert_eq!(modes(), [true], "the older version and no other");
    bench.run(&format!("{line} --all-versions")).ok();
    assert_eq!(modes().len(), 2, "both");
    bench.run(&format!("get {OBJECT} target --version-id {old}")).ok();
    assert_eq!(bench.read("target"), first);
    let scratch = bench.sandbox.s3().keys(BUCKET);
    assert_eq!(scratch, ["o"]);
    assert_no_traces(&bench);
}

#[test]
fn a_bucket_key_and_what_s3_does_to_sealed_bytes_stay() {
    let bench = bench();
    let key = format!("sse-kms --kms-key {ALIAS}");
    stored(&bench, 1000, &format!("-e {key} --bucket-key"));
    bench.run(&format!("rotate {OBJECT} -e {key} --context team=blue --yes")).ok();
    let shown = bench.run(&format!("inspect {OBJECT} --format json")).ok().json();
    assert!(shown.to_string().contains("\"bucket_key\":true"), "{shown}");
    stored(&bench, 1000, &format!("-e client --key a.key --at-rest sse-kms:{ALIAS}"));
    let before = format!("{:?}", bench.object("o").sse);
    bench.run(&format!("rotate {OBJECT} --rewrap --key b.key --from-key a.key --yes")).ok();
    assert_eq!(format!("{:?}", bench.object("o").sse), before);
    bench.run(&format!("rotate {OBJECT} -e client --new-data-key --key b.key --from-key b.key --yes")).ok();
    assert_eq!(format!("{:?}", bench.object("o").sse), before);
}

#[test]
fn ciphertext_is_not_replaced_by_plaintext_on_a_server_that_ignores_the_mode() {
    for flags in ["-e sse-s3", "-e sse-c --sse-c-key b.key", "-e sse-kms --kms-key ALIAS"] {
        let bench = bench();
        let content = stored(&bench, 3000, "-e client --key a.key");
        let before = bench.object("o");
        bench.sandbox.s3().lie(Lie::IgnoreSse);
        bench
            .run(&format!("rotate {OBJECT} {} --from-key a.key --yes", flags.replace("ALIAS", ALIAS)))
            .exits(6)
            .says(&[".s3seal-scratch-", "is not encrypted as asked", "no object was changed"]);
        let after = bench.object("o");
        assert_eq!((after.stored, after.metadata), (before.stored, before.metadata), "{flags}");
        assert_no_traces(&bench);
        bench.sandbox.s3().stop_lying();
        assert_opens(&bench, "--key a.key", &content);
    }
}

#[test]
fn a_server_that_takes_an_sse_c_key_for_show_is_found_out_by_asking_without_it() {
    let bench = bench();
    stored(&bench, 3000, "-e client --key a.key");
    let before = bench.object("o").stored;
    // By the time it is read, it is in the clear.
    let opens = bench.meanwhile(|sandbox| {
        let keys = sandbox.s3().keys(BUCKET);
        let scratch = keys.iter().find(|key| key.contains("scratch")).unwrap();
        sandbox.s3().put_plain(BUCKET, scratch, b"x");
    });
    bench.sandbox.fault(Fault::on("GetObject", opens).only("scratch"));
    bench
        .run(&format!("rotate {OBJECT} -e sse-c --sse-c-key b.key --from-key a.key --yes"))
        .exits(6)
        .says(&["can be read without the key"]);
    assert_eq!(bench.object("o").stored, before);
    assert_no_traces(&bench);
}

#[test]
fn a_scratch_object_in_sse_c_is_removed_where_deletes_know_no_condition() {
    let bench = bench();
    stored(&bench, 3000, "-e client --key a.key");
    bench.sandbox.fault(Fault::on("DeleteObject", Kind::status(501, "NotImplemented", "If-Match")));
    bench.run(&format!("rotate {OBJECT} -e sse-c --sse-c-key b.key --from-key a.key --yes")).ok();
    bench.assert_keys(&["o"]);
    assert_no_traces(&bench);
}

#[test]
fn the_first_ignored_mode_ends_a_rotation_of_many() {
    let bench = bench();
    for number in 0..40 {
        bench.write("source", b"x");
        bench.run(&format!("put source s3://{BUCKET}/p/{number:02} -e sse-s3")).ok();
    }
    bench.sandbox.s3().lie(Lie::IgnoreSse);
    let ended = bench
        .run(&format!("rotate s3://{BUCKET}/p/ -e sse-kms --kms-key {ALIAS} --yes"))
        .exits(6)
        .says(&["no further object was started"]);
    assert!(bench.requests("CopyObject").len() == 1, "{}", ended.stderr);
}
