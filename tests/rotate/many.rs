//! Many objects: which are meant, what is told, and going on after a stop.

use s3seal_sandbox::s3::SseView;
use s3seal_sandbox::{Fault, Kind};

use crate::support::keys::KnownKey;
use crate::support::{ALIAS, BUCKET, Bench, PATIENCE};
use crate::{assert_no_traces, bench};

fn put(bench: &Bench, key: &str, flags: &str) {
    bench.write("source", key.as_bytes());
    bench.run(&format!("put source s3://{BUCKET}/{key} {flags}")).ok();
}

fn is_under(bench: &Bench, key: &str, seed: u8) -> bool {
    matches!(bench.object(key).sse, SseView::SseC { ref key_md5 } if *key_md5 == KnownKey::new(seed).md5())
}

#[test]
fn a_prefix_is_rotated_and_what_no_key_opens_is_named() {
    let bench = bench();
    for key in ["p/1", "p/2", "p/3"] {
        put(&bench, key, "-e sse-c --sse-c-key a.key");
    }
    put(&bench, "p/lost", "-e sse-c --sse-c-key c.key");
    put(&bench, "q/1", "-e sse-c --sse-c-key a.key");
    let line = format!("rotate s3://{BUCKET}/p/ -e sse-c --sse-c-key b.key --from-sse-c-key a.key --yes");
    bench.run(&line).exits(9).says(&[
        "failed: cannot open s3://bench/p/lost",
        "1 of 4 objects",
        "3 copied within S3",
    ]);
    assert!(["p/1", "p/2", "p/3"].iter().all(|key| is_under(&bench, key, 2)));
    assert!(is_under(&bench, "q/1", 1) && is_under(&bench, "p/lost", 3));
    bench.sandbox.clear_requests();
    bench.run(&line).exits(9);
    assert!(bench.requests("CopyObject").is_empty(), "rotated twice");
    bench.run(&format!("{line} --from-sse-c-key c.key")).ok();
}

#[test]
fn patterns_and_modes_choose() {
    let bench = bench();
    put(&bench, "p/a.sql", "-e sse-s3");
    put(&bench, "p/b.sql", &format!("-e sse-kms --kms-key {ALIAS}"));
    put(&bench, "p/c.txt", "-e sse-s3");
    bench
        .run(&format!(
            "rotate s3://{BUCKET}/p/ -e sse-c --sse-c-key a.key --include *.sql --only sse-s3 --yes"
        ))
        .ok();
    assert!(is_under(&bench, "p/a.sql", 1));
    assert!(!is_under(&bench, "p/b.sql", 1) && !is_under(&bench, "p/c.txt", 1));
}

#[test]
fn instruction_files_go_with_their_objects() {
    let bench = bench();
    put(&bench, "p/o", "-e client --key a.key --instruction-file");
    bench.run(&format!("rotate s3://{BUCKET}/p/ -e client --key b.key --from-key a.key --yes")).ok();
    bench.run(&format!("get s3://{BUCKET}/p/o target --key b.key")).ok();
    assert_eq!(bench.read("target"), b"p/o");
}

#[test]
fn a_run_that_was_stopped_goes_on_and_rotates_each_object_once() {
    let bench = bench();
    let keys: Vec<String> = (0..40).map(|number| format!("p/{number:02}")).collect();
    for key in &keys {
        bench.sandbox.s3().put_plain(BUCKET, key, key.as_bytes());
    }
    // A new data key cannot be seen on an object: only the journal knows what is done.
    let line = format!(
        "rotate s3://{BUCKET}/p/ -e client --key b.key --new-data-key --seal-plaintext --from-key b.key --yes --jobs 2"
    );
    for stop in [9, 7, 11] {
        let pause = Kind::Pause(s3seal_sandbox::Gate::new());
        let struck = bench.sandbox.fault(Fault::on("PutObject", pause).skip(stop).always());
        let running = bench.start(&line);
        assert!(struck.wait(1, PATIENCE), "too few objects");
        running.signal("KILL");
        running.end();
        bench.sandbox.clear_faults();
    }
    bench.run(&line).ok();
    for key in &keys {
        bench.run(&format!("get s3://{BUCKET}/{key} target --key b.key")).ok();
        assert_eq!(bench.read("target"), key.as_bytes());
    }
    let writes = bench.requests("PutObject").len();
    // Two were under way at each of three stops and were begun again; nothing that was done was done twice.
    assert!(writes <= keys.len() + 6, "{writes} writes of {} objects", keys.len());
}

#[test]
fn what_was_done_under_another_passphrase_is_not_done() {
    let bench = bench();
    bench.write("other", b"another passphrase");
    for number in 0..3 {
        bench.sandbox.s3().put_plain(BUCKET, &format!("p/{number}"), b"x");
    }
    let line = |new: &str| {
        format!(
            "rotate s3://{BUCKET}/p/ -e client --passphrase={new} --from-passphrase=pw --seal-plaintext --yes --jobs 1 -q"
        )
    };
    let pause = Kind::Pause(s3seal_sandbox::Gate::new());
    let struck = bench.sandbox.fault(Fault::on("PutObject", pause).skip(2));
    let running = bench.start(&line("pw"));
    assert!(struck.wait(1, PATIENCE), "too few objects");
    running.signal("KILL");
    running.end();
    bench.sandbox.clear_faults();
    bench.run(&line("other")).ok();
    for number in 0..3 {
        bench.run(&format!("get s3://{BUCKET}/p/{number} target --passphrase=other")).ok();
    }
}

#[test]
fn hundreds_of_objects_stopped_three_times_are_each_written_once() {
    let bench = bench();
    let keys: Vec<String> = (0..300).map(|number| format!("p/{number:03}")).collect();
    for key in &keys {
        bench.sandbox.s3().put_plain(BUCKET, key, key.as_bytes());
    }
    bench.run(&format!("rotate s3://{BUCKET}/p/ -e sse-c --sse-c-key a.key --yes -q")).ok();
    bench.sandbox.s3().set_versioning(BUCKET);
    let line = format!("rotate s3://{BUCKET}/p/ -e sse-c --sse-c-key b.key --from-sse-c-key a.key --yes -q");
    for (signal, skip) in [("INT", 60), ("KILL", 80), ("KILL", 70)] {
        let pause = Kind::Pause(s3seal_sandbox::Gate::new());
        let struck = bench.sandbox.fault(Fault::on("CopyObject", pause).skip(skip).always());
        let running = bench.start(&line);
        assert!(struck.wait(1, PATIENCE), "too few objects");
        running.signal(signal);
        running.end();
        bench.sandbox.clear_faults();
    }
    bench.run(&line).ok();
    for key in &keys {
        assert!(is_under(&bench, key, 2), "{key}");
        assert_eq!(bench.sandbox.s3().versions(BUCKET, key).len(), 2, "{key}: the old one and one new one");
    }
    bench.sandbox.clear_requests();
    bench.run(&line).ok();
    assert!(bench.requests("CopyObject").is_empty(), "rotated twice");
    assert_no_traces(&bench);
}

#[test]
fn a_run_that_is_stopped_before_the_listing_came_says_nothing_about_what_matches() {
    let bench = bench();
    put(&bench, "p/a", "-e sse-s3");
    let pause = Kind::Pause(s3seal_sandbox::Gate::new());
    let held = bench.sandbox.fault(Fault::on("ListObjectsV2", pause));
    let running = bench.start(&format!("rotate s3://{BUCKET}/p/ -e sse-c --sse-c-key a.key --yes"));
    assert!(held.wait(1, PATIENCE));
    running.signal("INT");
    let ended = running.end().exits(130).says(&["nothing rotated", "interrupted by SIGINT"]);
    assert!(!ended.stderr.contains("no object matches"), "{}", ended.stderr);
}

#[test]
fn what_a_context_was_given_to_is_remembered() {
    let bench = bench();
    for number in 0..5 {
        bench.sandbox.s3().put_plain(BUCKET, &format!("p/{number}"), b"x");
    }
    let copies = |place: &str, context: &str| {
        bench.sandbox.clear_requests();
        let flags = format!("-e sse-kms --kms-key {ALIAS} --context {context} --yes");
        bench.run(&format!("rotate s3://{BUCKET}/{place} {flags}")).ok();
        bench.requests("CopyObject").len()
    };
    assert_eq!([copies("p/", "for=me"), copies("p/", "for=me")], [5, 0]);
    assert_eq!(copies("p/", "for=you"), 5, "another context is another rotation");
    bench.sandbox.s3().put_plain(BUCKET, "p/3", b"new");
    assert_eq!(copies("p/", "for=you"), 1, "an object that was overwritten");
    assert_eq!([copies("p/3", "for=all"), copies("p/3", "for=all")], [1, 0]);
}

#[test]
fn an_object_that_is_deleted_meanwhile_is_no_failure() {
    let bench = bench();
    for number in 0..3 {
        bench.sandbox.s3().put_plain(BUCKET, &format!("p/{number}"), b"x");
    }
    let gone = Kind::status(404, "NoSuchKey", "The specified key does not exist.");
    bench.sandbox.fault(Fault::on("HeadObject", gone.clone()).only("/p/1").times(9));
    bench.sandbox.fault(Fault::on("GetObject", gone).only("/p/1").times(9));
    bench
        .run(&format!("rotate s3://{BUCKET}/p/ -e sse-c --sse-c-key a.key --yes"))
        .ok()
        .says(&["2 copied within S3", "1 skipped"]);
    bench.run(&format!("rotate s3://{BUCKET}/p/none -e sse-c --sse-c-key a.key --yes")).exits(3);
}

#[test]
fn what_a_journal_says_is_done_is_not_looked_at_again() {
    let bench = bench();
    for key in ["p/1", "p/2"] {
        put(&bench, key, "-e sse-s3");
    }
    let line = format!("rotate s3://{BUCKET}/p/ -e sse-c --sse-c-key b.key --journal j --yes");
    bench.run(&line).ok();
    put(&bench, "p/2", "-e sse-s3");
    bench.sandbox.clear_requests();
    bench.run(&line).ok();
    assert!(is_under(&bench, "p/1", 2) && is_under(&bench, "p/2", 2));
    let looks = bench.requests("HeadObject");
    assert!(looks.iter().all(|request| request.path.ends_with("p/2")), "{looks:?}");
}

#[test]
fn a_signal_ends_a_run_in_good_order() {
    let bench = bench();
    for number in 0..20 {
        bench.sandbox.s3().put_plain(BUCKET, &format!("p/{number:02}"), b"x");
    }
    let struck =
        bench.sandbox.fault(Fault::on("CopyObject", Kind::Pause(s3seal_sandbox::Gate::new())).skip(5));
    let running = bench.start(&format!("rotate s3://{BUCKET}/p/ -e sse-c --sse-c-key a.key --yes --jobs 1"));
    assert!(struck.wait(1, PATIENCE));
    running.signal("INT");
    running.end().exits(130).says(&["same command continues"]);
}

#[test]
fn a_server_that_asks_to_slow_down_is_obeyed_and_all_objects_end() {
    let bench = bench();
    for number in 0..60 {
        bench.sandbox.s3().put_plain(BUCKET, &format!("p/{number:02}"), b"x");
    }
    let struck = bench.sandbox.fault(Fault::on("*", Kind::slow_down()).skip(60).times(8));
    bench
        .run(&format!("rotate s3://{BUCKET}/p/ -e sse-c --sse-c-key a.key --yes"))
        .ok()
        .says(&["60 copied within S3"]);
    assert_eq!(struck.count(), 8);
    // To a HEAD S3 cannot say why.
    let struck = bench.sandbox.fault(Fault::on("HeadObject", Kind::slow_down()).skip(20).times(5));
    let rows =
        bench.run(&format!("inspect s3://{BUCKET}/p/ --sse-c-key a.key --format ndjson")).ok().documents();
    assert_eq!(struck.count(), 5);
    assert!(rows.len() >= 60);
}

#[test]
fn retries_set_in_the_environment_or_the_profile_are_heard() {
    let bench = bench();
    bench.sandbox.s3().put_plain(BUCKET, "p/1", b"x");
    let profile = bench.write("profile", b"[default]\nmax_attempts = 2\nretry_mode = legacy\n");
    let attempts = |variable: &str, value: &str| {
        bench.sandbox.clear_faults();
        bench.sandbox.fault(Fault::on("ListObjectsV2", Kind::internal_error()).times(99));
        bench.sandbox.clear_requests();
        let line = format!("rotate s3://{BUCKET}/p/ -e sse-c --sse-c-key a.key --yes");
        bench.s3seal(line.split(' ')).with(variable, value).run().exits(7);
        bench.requests("ListObjectsV2").len()
    };
    assert_eq!(attempts("AWS_MAX_ATTEMPTS", "3"), 3);
    assert_eq!(attempts("AWS_CONFIG_FILE", profile.to_str().unwrap()), 2);
    let line = format!("rotate s3://{BUCKET}/p/ -e sse-c --sse-c-key a.key --yes");
    for (variable, value) in [("AWS_MAX_ATTEMPTS", "some"), ("AWS_RETRY_MODE", "bold")] {
        bench.s3seal(line.split(' ')).with(variable, value).run().exits(2).says(&[variable, value]);
    }
}

#[test]
fn objects_under_one_key_are_looked_at_once_each() {
    let bench = bench();
    for number in 0..20 {
        put(&bench, &format!("p/{number:02}"), "-e sse-c --sse-c-key a.key");
    }
    let line = format!(
        "rotate s3://{BUCKET}/p/ -e sse-c --sse-c-key b.key --from-sse-c-key c.key --from-sse-c-key a.key --yes --jobs 1"
    );
    let looks = || {
        bench.sandbox.clear_requests();
        bench.run(&line).ok();
        [bench.requests("HeadObject").len(), bench.requests("GetObject").len()]
    };
    // The first: without a key, with the wrong one, with the right one, and why each was refused. After each copy once more.
    assert_eq!(looks(), [3 + 19 + 20, 2]);
    // Now the new key fits: it is tried last at first, and first from then on.
    assert_eq!(looks(), [4 + 19, 3]);
    bench.sandbox.s3().put_plain(BUCKET, "p/05", b"plain");
    put(&bench, "p/15", "-e sse-c --sse-c-key c.key");
    bench.run(&line).ok().says(&["2 copied within S3", "18 already done"]);
    assert!((0..20).all(|number| is_under(&bench, &format!("p/{number:02}"), 2)));
}

#[test]
fn an_sse_c_key_is_not_offered_to_another_bucket() {
    let bench = bench();
    bench.sandbox.s3().create_bucket("other");
    for number in 0..3 {
        put(&bench, &format!("p/{number}"), "-e sse-c --sse-c-key a.key");
        bench.sandbox.s3().put_plain("other", &format!("p/{number}"), b"x");
    }
    bench.sandbox.clear_requests();
    let to = format!("-e sse-kms --kms-key {ALIAS} --from-sse-c-key a.key --yes");
    bench.run(&format!("rotate s3://{BUCKET}/p/ s3://other/p/ {to}")).ok().says(&["6 copied within S3"]);
    let requests = bench.sandbox.requests();
    let (with_key, without): (Vec<_>, Vec<_>) = requests.iter().partition(|one| {
        one.headers.iter().any(|(name, _)| name.ends_with("server-side-encryption-customer-key"))
    });
    assert!(!with_key.is_empty() && without.iter().any(|one| one.path.starts_with("/other/")));
    assert!(with_key.iter().all(|one| one.path.starts_with("/bench/")), "{with_key:?}");
}

#[test]
fn an_instruction_file_is_no_object_of_its_own_when_its_object_goes_to_a_mode_of_s3() {
    for to in [
        &format!("-e sse-kms --kms-key {ALIAS}"),
        &format!("-e dsse-kms --kms-key {ALIAS}"),
        "-e sse-c --sse-c-key c.key",
    ] {
        for marked in [true, false] {
            let bench = bench();
            put(&bench, "p/o", "-e client --key a.key --instruction-file");
            put(&bench, "p/plain", "-e sse-s3");
            if !marked {
                bench.sandbox.s3().set_metadata(BUCKET, "p/o.instruction", [].into());
            }
            let line = format!("rotate s3://{BUCKET}/p/ {to} --from-key a.key");
            let plan = bench.run(&format!("{line} --dry-run --json")).ok().json();
            assert_eq!(plan["strategies"]["server-copy"]["objects"], 1, "{to}");
            bench.run(&format!("{line} --yes")).ok();
            bench.assert_keys(&["p/o", "p/plain"]);
            let opens = to.strip_prefix("-e sse-c").unwrap_or_default();
            bench.run(&format!("get s3://{BUCKET}/p/o target {opens}")).ok();
            assert_eq!(bench.read("target"), b"p/o");
            assert_no_traces(&bench);
        }
    }
}

#[test]
fn what_only_has_the_name_of_an_instruction_file_or_lost_its_object_is_rotated() {
    let bench = bench();
    for key in ["p/kept", "p/lost", "q/o"] {
        put(&bench, key, "-e client --key a.key --instruction-file");
    }
    let lost = bench.object("p/lost").version_id;
    bench.sandbox.s3().try_delete(BUCKET, "p/lost", &lost, false).unwrap();
    bench.sandbox.s3().put_plain(BUCKET, "p/notes.instruction", b"a text");
    let line = format!("rotate s3://{BUCKET}/p/ -e sse-kms --kms-key {ALIAS} --from-key a.key --yes");
    bench.run(&line).ok().says(&["1 re-encrypted", "2 copied within S3"]);
    bench.assert_keys(&["p/kept", "p/lost.instruction", "p/notes.instruction", "q/o", "q/o.instruction"]);
    // Alone or by a pattern, a file is rotated without its object.
    let alone = line.replace("/p/", "/q/o.instruction");
    bench.run(&alone).ok().says(&["copied within S3"]);
    let chosen = line.replace("/p/", "/q/").replace("--yes", "--include *.instruction --yes");
    bench.run(&chosen).ok().says(&["1 already done"]);
    bench.run(&format!("get s3://{BUCKET}/q/o target --key a.key")).ok();
}

#[test]
fn an_instruction_file_does_not_get_under_an_sse_c_key_without_its_object() {
    for marked in [true, false] {
        let bench = bench();
        put(&bench, "p/o", "-e client --key a.key --instruction-file");
        if !marked {
            bench.sandbox.s3().set_metadata(BUCKET, "p/o.instruction", [].into());
        }
        let line = format!("rotate s3://{BUCKET}/p/ -e sse-c --sse-c-key c.key --yes");
        let alone = line.replace("/p/", "/p/o.instruction");
        for (line, code) in [(line, 9), (alone, 2)] {
            bench.run(&line).exits(code).says(&[
                "s3://bench/p/o.instruction: it is the instruction file of another object, which does not open",
            ]);
        }
        bench.run(&format!("get s3://{BUCKET}/p/o target --key a.key")).ok();
        assert_eq!(bench.read("target"), b"p/o");
    }
}
