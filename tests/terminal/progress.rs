//! The line that shows how far a transfer is.

use s3seal_sandbox::{Fault, Gate, Kind};

use crate::screen::Terminal;
use crate::support::{BUCKET, Bench, PART, PATIENCE, at_once, bytes};

/// A bench with files of 1000 bytes in `tree`.
fn tree(count: usize) -> Bench {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("tree")).unwrap();
    for number in 0..count {
        bench.write(&format!("tree/{number:02}"), &[b'x'; 1000]);
    }
    bench
}

/// A bench with objects of so many bytes below `p/`.
fn objects(count: usize, len: usize) -> Bench {
    let bench = Bench::new();
    for number in 0..count {
        bench.sandbox.s3().put_plain(BUCKET, &format!("p/{number:04}"), &vec![b'x'; len]);
    }
    bench
}

/// Holds all requests of an operation but the first ones.
fn hold(bench: &Bench, operation: &str, skip: usize) -> Gate {
    let gate = Gate::new();
    bench.sandbox.fault(Fault::on(operation, Kind::Pause(gate.clone())).skip(skip).always());
    gate
}

/// The lines of a screen that are not blank.
fn lines(screen: &str) -> Vec<&str> {
    screen.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect()
}

#[test]
fn one_line_says_how_many_files_are_stored_whatever_the_width() {
    at_once(
        &[
            (40, "4/12 · 4.9/11.7 KiB"),
            (80, "files 4/12 · 4.9/11.7 KiB · "),
            (200, "files 4/12 · 4.9/11.7 KiB · "),
        ],
        |(columns, text)| {
            let bench = tree(12);
            let gate = hold(&bench, "PutObject", 4);
            let put = Terminal::start(&bench, *columns, "put -r tree s3://bench/p/ -j 1");
            let screen = put.wait_for(text);
            assert_eq!(lines(&screen).len(), 1, "{screen}");
            gate.open();
            let screen = put.over();
            for screen in put.screens() {
                assert!(lines(&screen).len() <= 1, "{columns}: more than one line:\n{screen}");
            }
            assert!(screen.contains("stored: 12 files, 11.7 KiB in "), "{screen}");
            assert_eq!(put.end().0, 0);
        },
    );
}

#[test]
fn a_terminal_that_changes_its_width_keeps_one_line() {
    let bench = tree(12);
    let gate = hold(&bench, "PutObject", 4);
    let mut put = Terminal::start(&bench, 80, "put -r tree s3://bench/p/ -j 1");
    put.wait_for("files 4/12 · 4.9/11.7 KiB · ");
    for (columns, whole) in [(40, false), (200, true), (30, false), (80, true)] {
        put.resize(columns);
        let screen = put.wait_until(|screen| {
            let lines = lines(screen);
            // After five seconds a narrow line says only what it waits for.
            lines.len() == 1
                && (lines[0].contains("4.9/11.7 KiB") && lines[0].starts_with("files ") == whole
                    || lines[0].contains("waiting for S3"))
                && lines[0].chars().count() <= usize::from(columns)
        });
        assert_eq!(lines(&screen).len(), 1, "{columns}: {screen}");
    }
    gate.open();
    let (code, screen) = put.end();
    assert_eq!(code, 0, "{screen}");
    assert!(lines(&screen).len() == 1 && screen.contains("stored: 12 files, 11.7 KiB in "), "{screen}");
}

#[test]
fn totals_that_still_grow_have_a_plus() {
    let bench = objects(1204, 8);
    let bodies = hold(&bench, "GetObject", 3);
    // The second page, for the transfer and for the counting.
    let pages = Gate::new();
    let second = Fault::on("ListObjectsV2", Kind::Pause(pages.clone())).only("continuation-token");
    bench.sandbox.fault(second.always());
    let get = Terminal::start(&bench, 80, "get -r s3://bench/p/ d -j 1");
    let screen = get.wait_for("objects 3/1,000+ · 24 B/7.8+ KiB");
    assert!(!screen.contains("ETA"), "{screen}");
    pages.open();
    get.wait_for("objects 3/1,204 · 24 B/9.4 KiB");
    bodies.open();
    let (code, screen) = get.end();
    assert_eq!(code, 0, "{screen}");
    assert!(screen.contains("fetched: 1,204 objects, 9.4 KiB in "), "{screen}");
    assert_eq!(lines(&screen).len(), 1, "{screen}");
}

#[test]
fn rotate_and_inspect_count_ahead_too() {
    let bench = objects(12, 2048);
    let gate = hold(&bench, "CopyObject", 5);
    let line = "rotate s3://bench/p/ -e sse-s3 --yes -j 1";
    let rotate = Terminal::start(&bench, 80, line);
    rotate.wait_for("objects 5/12 · 10.0/24.0 KiB");
    gate.open();
    let (code, screen) = rotate.end();
    assert_eq!(code, 0, "{screen}");
    assert!(screen.contains("12 copied within S3: 24.0 KiB in "), "{screen}");
    assert_eq!(lines(&screen).len(), 1, "{screen}");

    let gate = hold(&bench, "HeadObject", 7);
    let script = format!("{} inspect s3://bench/p/ --jobs 1 >out", env!("CARGO_BIN_EXE_s3seal"));
    let inspect = Terminal::of(&bench, 80, "sh", &["-c", &script], &[]);
    inspect.wait_for("objects inspected 7/12");
    gate.open();
    assert_eq!(inspect.end().0, 0);
}

#[test]
fn a_plan_shows_its_progress_and_its_question_stands_alone() {
    let bench = objects(12, 2048);
    let gate = hold(&bench, "HeadObject", 5);
    let mut rotate = Terminal::start(&bench, 120, "rotate s3://bench/p/ -e sse-s3 -j 1");
    rotate.wait_for("objects planned 5/12");
    gate.open();
    let screen = rotate.wait_for("[y/N]");
    assert!(!screen.contains("planned"), "{screen}");
    rotate.press("n\r");
    let (code, screen) = rotate.end();
    assert_eq!(code, 0, "{screen}");
    assert!(!screen.contains(" · "), "{screen}");
}

#[test]
fn a_line_for_each_object_comes_only_with_v_and_failures_always() {
    let bench = tree(3);
    let refusal = Kind::status(403, "AccessDenied", "no");
    bench.sandbox.fault(Fault::on("PutObject", refusal).only("/01").always());
    let quiet = Terminal::start(&bench, 120, "put -r tree s3://bench/p/");
    let (code, screen) = quiet.end();
    assert_eq!(code, 9, "{screen}");
    assert!(screen.contains("failed: tree/01"), "{screen}");
    assert!(screen.contains("stored: 2 files, 2.0 KiB in ") && screen.contains(", 1 failed"), "{screen}");
    assert!(!screen.contains("s3://bench/p/00"), "{screen}");
    bench.sandbox.clear_faults();
    let (code, screen) = Terminal::start(&bench, 120, "put -r tree s3://bench/p/ -v").end();
    assert_eq!(code, 0, "{screen}");
    assert!(
        ["00", "01", "02"].iter().all(|name| screen.contains(&format!("s3://bench/p/{name}: "))),
        "{screen}"
    );
    let line = "put -r tree s3://bench/p/ --no-clobber";
    let (code, screen) = Terminal::start(&bench, 120, line).end();
    assert_eq!(code, 0, "{screen}");
    assert!(screen.contains("stored: 0 files, 3 skipped (-v names them)"), "{screen}");
    let (_, screen) = Terminal::start(&bench, 120, &format!("{line} -v")).end();
    assert!(screen.contains("skipped: tree/01: "), "{screen}");
}

/// Prepares a bench; gives what holds its requests, a command line, and what is said of it.
type Case<'a> = &'a (dyn Fn(&Bench) -> (Gate, &'static str, &'static str) + Sync);

#[test]
fn what_holds_a_transfer_up_is_said() {
    let take_it = |bench: &Bench| {
        bench.write("file", &bytes(1000));
        (hold(bench, "PutObject", 0), "put file s3://bench/k", "waiting for S3 to take it, ")
    };
    let no_data = |bench: &Bench| {
        bench.sandbox.s3().put_plain(BUCKET, "k", &bytes(1000));
        bench.sandbox.fault(Fault::on("GetObject", Kind::StallResponse(100)).always());
        (Gate::new(), "get s3://bench/k file", "no data for ")
    };
    let no_source = |_: &Bench| (Gate::new(), "put --from-command s3://bench/k -- sleep 600", "no data for ");
    let cases: [Case<'_>; 3] = [&take_it, &no_data, &no_source];
    at_once(&cases, |case| {
        let bench = Bench::new();
        let (_gate, line, text) = case(&bench);
        let mut transfer = Terminal::start(&bench, 100, line);
        let screen = transfer.wait_for(text);
        assert_eq!(lines(&screen).len(), 1, "{screen}");
        transfer.press("\x03");
        assert_eq!(transfer.end().0, 130);
    });
}

#[test]
fn an_outage_is_said_in_the_line_until_it_is_over() {
    let wide = (80, "waiting for the network, since ", " UTC");
    let narrow = (40, "waiting for the network, ", " s");
    at_once(&[wide, narrow], |(columns, text, end)| {
        let bench = Bench::new();
        bench.write("file", &bytes(6 * PART));
        let leave = bench.meanwhile(|sandbox| drop(sandbox.go_away()));
        bench.sandbox.fault(Fault::on("UploadPart", leave).only("partNumber=3&"));
        let gate = Gate::new();
        let next = Fault::on("UploadPart", Kind::Pause(gate.clone())).only("partNumber=4&");
        bench.sandbox.fault(next.always());
        let put = Terminal::start(&bench, *columns, "put file s3://bench/k -j 1 --part-size 5MiB");
        put.wait_until(|screen| match lines(screen)[..] {
            [line] => line.contains(text) && line.ends_with(end),
            _ => false,
        });
        bench.sandbox.come_back();
        put.wait_until(|screen| !screen.contains("network") && screen.contains("MiB"));
        gate.open();
        let (code, screen) = put.end();
        assert_eq!(code, 0, "{screen}");
        assert!(!screen.contains("network"), "{screen}");
    });
}

#[test]
fn plain_progress_is_lines_without_any_control_of_the_terminal() {
    let bench = Bench::new();
    bench.write("file", &bytes(4 * PART));
    let gate = hold(&bench, "UploadPart", 2);
    let line = "put file s3://bench/k -j 1 --part-size 5MiB --progress plain";
    let put = Terminal::start(&bench, 120, line);
    put.wait_for("/20.0 MiB · ");
    gate.open();
    let screen = put.over();
    assert!(screen.contains("s3://bench/k: 20.0 MiB in "), "{screen}");
    assert!(!put.has_escapes(), "{screen}");
    assert_eq!(put.end().0, 0);
}

#[test]
fn a_dumb_terminal_and_quiet_get_no_progress() {
    let quiet = ("-q", "xterm");
    at_once(&[("", "dumb"), quiet, ("--progress never", "xterm"), ("--json", "dumb")], |(flags, term)| {
        let bench = tree(3);
        let line = format!("put -r tree s3://bench/p/ {flags}");
        let put = Terminal::with(&bench, 80, &line, &[("TERM", term)]);
        let screen = put.over();
        assert!(!put.has_escapes(), "{flags} {term}: {screen}");
        assert!(put.screens().iter().all(|screen| !screen.contains(" · ")), "{flags} {term}: {screen}");
        assert_eq!(lines(&screen).is_empty(), *flags == "-q", "{flags}: {screen}");
        assert_eq!(put.end().0, 0);
    });
}

#[test]
fn no_color_leaves_the_line_and_takes_the_colours() {
    let bench = tree(3);
    let gate = hold(&bench, "PutObject", 1);
    let put = Terminal::with(&bench, 80, "put -r tree s3://bench/p/ -j 1", &[("NO_COLOR", "1")]);
    put.wait_for("files 1/3");
    gate.open();
    assert_eq!(put.end().0, 0);
    let failing = |variables: &[(&str, &str)]| {
        let get = Terminal::with(&bench, 80, "get s3://bench/none file --progress never", variables);
        get.over();
        let has_escapes = get.has_escapes();
        assert_eq!(get.end().0, 3);
        has_escapes
    };
    assert!(!failing(&[("NO_COLOR", "1")]));
    assert!(failing(&[]));
}

#[test]
fn an_object_that_goes_to_the_terminal_has_no_line_in_it() {
    let bench = Bench::new();
    bench.sandbox.s3().put_plain(BUCKET, "text", b"one\ntwo\n");
    let gate = hold(&bench, "GetObject", 0);
    let get = Terminal::start(&bench, 80, "get s3://bench/text - --progress bar");
    assert!(bench.sandbox.wait_for("GetObject", 1, PATIENCE));
    gate.open();
    let screen = get.over();
    assert!(screen.starts_with("one\ntwo"), "{screen}");
    assert!(get.screens().iter().all(|screen| !screen.contains(" · ")), "{screen}");
    assert_eq!(get.end().0, 0);
}

#[test]
fn json_is_the_same_with_and_without_a_line() {
    let bench = tree(2);
    let script = format!("{} put -r tree s3://bench/p/ --json >out", env!("CARGO_BIN_EXE_s3seal"));
    let shell = Terminal::of(&bench, 80, "sh", &["-c", &script], &[]);
    let (code, screen) = shell.end();
    assert_eq!(code, 0, "{screen}");
    let out = String::from_utf8(bench.read("out")).unwrap();
    assert_eq!(out.lines().count(), 3, "{out}");
    assert!(out.lines().all(|line| line.starts_with('{')), "{out}");
    assert!(lines(&screen).is_empty(), "{screen}");
}

#[test]
fn what_has_left_is_shown_before_its_part_is_answered() {
    let bench = Bench::new();
    bench.write("file", &bytes(100_000));
    let _gate = hold(&bench, "PutObject", 0);
    let mut transfer = Terminal::start(&bench, 100, "put file s3://bench/k");
    transfer.wait_for("97.7/97.7 KiB");
    transfer.press("\x03");
    assert_eq!(transfer.end().0, 130);
}
