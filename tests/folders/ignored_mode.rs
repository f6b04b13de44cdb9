//! A server that ignores the mode: the run ends at the first object, and all that is stored otherwise is named.

use s3seal_sandbox::s3::Lie;
use s3seal_sandbox::{Fault, Gate, Kind};

use crate::support::{BUCKET, Bench, PATIENCE, key};

const FILES: usize = 60;

fn bench() -> Bench {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("tree")).unwrap();
    for number in 0..FILES {
        bench.write(&format!("tree/{number:02}"), b"text");
    }
    bench.write("key", &key(7));
    bench
}

fn removals(ended: &str) -> usize {
    ended.matches("aws s3api delete-object --bucket bench --key p/").count()
}

#[test]
fn a_server_that_ignores_the_mode_gets_no_second_object() {
    for flags in ["-e sse-s3", "-e sse-c --sse-c-key key", "-e client --key key --at-rest sse-s3"] {
        let bench = bench();
        bench.sandbox.s3().lie(Lie::IgnoreSse);
        let ended = bench.run(&format!("put -r tree s3://{BUCKET}/p/ {flags}")).exits(6);
        assert_eq!(bench.sandbox.s3().keys(BUCKET).len(), 1, "{flags}");
        assert_eq!(removals(&ended.stderr), 1, "{}", ended.stderr);
        assert!(
            !ended.stderr.contains("not stored") && !ended.stderr.contains("--no-clobber"),
            "{}",
            ended.stderr
        );
        ended.says(&["1 stored, but not as requested", "as no encryption"]);
    }
}

#[test]
fn a_server_that_is_asked_for_no_mode_gets_many_objects_at_once_from_the_first() {
    let bench = bench();
    let gate = Gate::new();
    let held = bench.sandbox.fault(Fault::on("PutObject", Kind::Pause(gate.clone())).times(8));
    let running = bench.start(&format!("put -r tree s3://{BUCKET}/p/ --jobs 8"));
    assert!(held.wait(8, PATIENCE), "one goes first though nothing is asked");
    gate.open();
    running.end().ok();
    assert_eq!(bench.sandbox.s3().keys(BUCKET).len(), FILES);
}

#[test]
fn all_that_was_under_way_is_named_with_the_command_that_removes_it() {
    for json in [false, true] {
        let bench = bench();
        bench.sandbox.s3().set_versioning(BUCKET);
        // The first ten are stored as asked; then the server changes its mind, with eight under way.
        let gate = Gate::new();
        let held = bench.sandbox.fault(Fault::on("PutObject", Kind::Pause(gate.clone())).skip(10).times(8));
        let flags = if json { "--json" } else { "-v" };
        let running = bench.start(&format!("put -r tree s3://{BUCKET}/p/ -e sse-s3 --jobs 8 {flags}"));
        assert!(held.wait(8, PATIENCE), "eight were to be under way");
        bench.sandbox.s3().lie(Lie::IgnoreSse);
        gate.open();
        let ended = running.end().exits(6);
        let stored = bench.sandbox.s3().keys(BUCKET);
        let plain: Vec<_> = stored
            .iter()
            .filter(|key| bench.object(key).sse == s3seal_sandbox::s3::SseView::None)
            .map(|key| (format!("s3://{BUCKET}/{key}"), bench.object(key).version_id))
            .collect();
        assert!(plain.len() >= 8 && stored.len() < FILES, "{} of {}", plain.len(), stored.len());
        let said = if json { String::from_utf8(ended.stdout.clone()).unwrap() } else { ended.stderr.clone() };
        assert_eq!(removals(&said), plain.len(), "{said}");
        for (uri, version) in &plain {
            assert!(
                said.contains(uri.as_str()) && said.contains(&format!("--version-id {version}")),
                "{uri}: {said}"
            );
        }
        assert!(!said.contains("not stored"), "{said}");
        if json {
            let rows = ended.documents();
            let named = rows.iter().filter(|row| row["stored_as"] == "no encryption");
            assert_eq!(named.count(), plain.len());
            assert_eq!(rows.last().unwrap()["summary"]["stored_otherwise"], plain.len());
        }
    }
}
