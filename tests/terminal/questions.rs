//! Questions that take a whole line.

use s3seal_sandbox::s3::SseView;
use s3seal_sandbox::{Fault, Gate, Kind};

use crate::screen::Terminal;
use crate::support::{ALIAS, BUCKET, Bench, PATIENCE, key};

const QUESTION: &str = "from no encryption to SSE-C with key ";
const LINE: &str = "rotate s3://bench/db/ --sse-c-key new.key --progress never";

/// A bench with `count` objects of 2 KiB below `db/`, and a new key.
fn bench(count: usize) -> Bench {
    let bench = Bench::new();
    for number in 0..count {
        bench.sandbox.s3().put_plain(BUCKET, &format!("db/{number:04}"), &[b'x'; 2048]);
    }
    bench.write("new.key", &key(1));
    bench
}

fn is_rotated(bench: &Bench) -> bool {
    matches!(bench.object("db/0000").sse, SseView::SseC { .. })
}

#[test]
fn only_y_and_yes_with_enter_are_a_yes() {
    for (keys, yes) in [
        ("y\r", true),
        ("yes\r", true),
        ("YES\r", true),
        ("n\r", false),
        ("\r", false),
        ("yy\r", false),
        ("\x04", false),
        ("y\x04\x04", false),
    ] {
        let bench = bench(2);
        let mut rotate = Terminal::start(&bench, 120, LINE);
        rotate.wait_for("[y/N]");
        rotate.press(keys);
        let (code, screen) = rotate.end();
        assert_eq!(code, 0, "{keys:?}: {screen}");
        assert_eq!(is_rotated(&bench), yes, "{keys:?}: {screen}");
        assert_eq!(screen.contains("nothing changed"), !yes, "{keys:?}: {screen}");
    }
}

#[test]
fn one_key_alone_is_no_answer() {
    let bench = bench(1);
    let mut rotate = Terminal::start(&bench, 120, LINE);
    rotate.wait_for("[y/N]");
    rotate.press("y");
    rotate.wait_for("[y/N] y");
    rotate.press("\x7f\r");
    let (code, screen) = rotate.end();
    assert_eq!(code, 0, "{screen}");
    assert!(screen.contains("nothing changed"), "{screen}");
    assert!(!is_rotated(&bench));
}

#[test]
fn what_is_typed_before_the_question_is_no_answer_to_it() {
    let bench = bench(1);
    let gate = Gate::new();
    let held = bench.sandbox.fault(Fault::on("ListObjectsV2", Kind::Pause(gate.clone())));
    let mut rotate = Terminal::start(&bench, 120, LINE);
    assert!(held.wait(1, PATIENCE));
    rotate.press("y\r");
    // The terminal echoes it: it has been typed.
    rotate.wait_for("y");
    gate.open();
    rotate.wait_for("[y/N]");
    assert!(!is_rotated(&bench));
    rotate.press("n\r");
    let (code, screen) = rotate.end();
    assert_eq!(code, 0, "{screen}");
    assert!(screen.contains("nothing changed"), "{screen}");
    assert!(!is_rotated(&bench));
}

#[test]
fn ctrl_c_at_a_question_changes_nothing() {
    let bench = bench(1);
    let mut rotate = Terminal::start(&bench, 120, LINE);
    rotate.wait_for("[y/N]");
    rotate.press("\x03");
    let (code, screen) = rotate.end();
    assert_eq!(code, 130, "{screen}");
    assert!(!is_rotated(&bench));
}

#[test]
fn the_question_says_what_changes() {
    let bench = bench(1204);
    let mut rotate = Terminal::start(&bench, 200, LINE);
    let screen = rotate.wait_for("[y/N]");
    let question = format!("Re-encrypt 1,204 objects (2.4 MiB) below s3://bench/db/ {QUESTION}");
    assert!(screen.contains(&question), "{screen}");
    rotate.press("\r");
    rotate.end();
    let line = format!("rotate s3://bench/db/0000 s3://bench/db/0001 -e sse-kms --kms-key {ALIAS}");
    let mut rotate = Terminal::start(&bench, 200, &line);
    let screen = rotate.wait_for("[y/N]");
    let question =
        format!("Re-encrypt 2 objects (4 KiB) in 2 places from no encryption to SSE-KMS {ALIAS}? [y/N]");
    assert!(screen.contains(&question), "{screen}");
    rotate.press("\r");
    rotate.end();
    let mut rotate = Terminal::start(&bench, 200, "rotate s3://bench/db/0000 -e client --key new.key");
    let screen = rotate.wait_for("[y/N]");
    let question =
        "Download and re-encrypt s3://bench/db/0000 (2 KiB) from no encryption to client-side with key ";
    assert!(screen.contains(question), "{screen}");
    rotate.press("\r");
    let (_, screen) = rotate.end();
    assert!(screen.contains("nothing changed"), "{screen}");
}

#[test]
fn the_question_is_asked_at_the_terminal_where_standard_input_is_a_pipe() {
    let bench = bench(1);
    let script = format!("echo n | {} {LINE} 2>words", env!("CARGO_BIN_EXE_s3seal"));
    let mut shell = Terminal::of(&bench, 120, "sh", &["-c", &script], &[]);
    shell.wait_for("[y/N]");
    shell.press("y\r");
    let (code, screen) = shell.end();
    assert_eq!(code, 0, "{screen}");
    assert!(is_rotated(&bench));
}

#[test]
fn without_a_terminal_yes_is_needed() {
    let bench = bench(1);
    bench.run(LINE).exits(2).says(&["there is no terminal to ask at", "--yes"]);
    assert!(!is_rotated(&bench));
    bench.run(&format!("{LINE} --yes")).ok();
    assert!(is_rotated(&bench));
}

#[test]
fn a_cleanup_asks_what_it_is_about_to_remove() {
    for (keys, yes) in [("y\r", true), ("n\r", false), ("\r", false)] {
        let bench = bench(0);
        bench.sandbox.s3().begin_upload(BUCKET, "db/a");
        bench.sandbox.s3().begin_upload(BUCKET, "db/b");
        bench.sandbox.s3().put_plain(BUCKET, "db/.s3seal-scratch-0123456789abcdef", &[b'x'; 2048]);
        let line = "cleanup s3://bench/db/ --older-than 0s --progress never";
        let mut cleanup = Terminal::start(&bench, 120, line);
        cleanup.wait_for("Remove 2 uploads and 1 scratch object (2 KiB) below s3://bench/db/? [y/N]");
        assert_eq!(bench.sandbox.s3().uploads().len(), 2);
        cleanup.press(keys);
        let (code, screen) = cleanup.end();
        assert_eq!(code, 0, "{screen}");
        assert_eq!(bench.sandbox.s3().uploads().is_empty(), yes, "{screen}");
        assert_eq!(bench.sandbox.s3().keys(BUCKET).is_empty(), yes, "{screen}");
        assert_eq!(screen.contains("nothing removed"), !yes, "{screen}");
    }
}

#[test]
fn a_cleanup_that_prints_no_lines_shows_its_list_where_it_asks() {
    for flag in ["-q", "--json"] {
        let bench = bench(0);
        bench.sandbox.s3().begin_upload(BUCKET, "db/a");
        let line = format!("cleanup s3://bench/db/ --older-than 0s --progress never {flag}");
        let mut cleanup = Terminal::start(&bench, 120, &line);
        cleanup.wait_for("Remove 1 upload");
        cleanup.press("n\r");
        let (code, screen) = cleanup.end();
        assert_eq!(code, 0, "{screen}");
        let (list, _) = screen.split_once("Remove 1 upload").unwrap();
        assert!(list.contains("s3://bench/db/a"), "{screen}");
    }
}
