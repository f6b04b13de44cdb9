//! How many requests are under way at once: a number that follows the link, or the one that was asked for.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use s3seal_sandbox::{Fault, Gate, Kind};

use crate::support::{Bench, PART, PATIENCE, assert_same, bytes};

/// No request that is held is given up and sent again.
const PATIENT: &str = "--read-timeout 5m";

/// Counts the requests that have arrived and are not answered yet.
#[derive(Clone, Default)]
struct Gauge {
    now: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

impl Gauge {
    /// Counts those of an operation, after so many that pass first.
    fn on(bench: &Bench, operation: &str, skip: usize) -> Self {
        let gauge = Self::default();
        let (arrived, answered) = (gauge.clone(), gauge.clone());
        let arrived = Kind::then(move || {
            arrived.most.fetch_max(arrived.now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        });
        let answered = Kind::ThenAnswer(Arc::new(move || {
            answered.now.fetch_sub(1, Ordering::SeqCst);
        }));
        for kind in [arrived, answered] {
            bench.sandbox.fault(Fault::on(operation, kind).skip(skip).always());
        }
        gauge
    }

    fn most(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }
}

/// Stores so many objects of a few bytes.
fn small_objects(bench: &Bench, count: usize) {
    for number in 0..count {
        bench.sandbox.s3().put_plain("bench", &format!("small/{number:03}"), b"content");
    }
}

/// Writes so many files of a few bytes.
fn small_files(bench: &Bench, count: usize) {
    fs::create_dir(bench.path("small")).unwrap();
    for number in 0..count {
        bench.write(&format!("small/{number:03}"), b"content");
    }
}

#[test]
fn a_download_of_one_object_has_sixteen_requests_under_way_from_the_start() {
    let bench = Bench::new();
    bench.sandbox.s3().put_plain("bench", "object", &bytes(40 * PART));
    for target in ["copy", "-"] {
        let gauge = Gauge::on(&bench, "GetObject", 0);
        let gate = Gate::new();
        let held = bench.sandbox.fault(Fault::on("GetObject", Kind::Pause(gate.clone())).always());
        let running = bench.start(&format!("get s3://bench/object {target} {PATIENT}"));
        assert!(held.wait(16, PATIENCE), "{target}: {} of 16", held.count());
        gate.open();
        running.end().ok();
        assert!(gauge.most() <= 64, "{target}: {}", gauge.most());
        bench.sandbox.clear_faults();
    }
}

#[test]
fn an_object_far_away_is_shared_by_sixty_four_requests() {
    let bench = Bench::new();
    let content = bytes(64 << 20);
    bench.sandbox.s3().put_plain("bench", "object", &content);
    // As far away as that.
    bench.sandbox.fault(Fault::on("HeadObject", Kind::then(|| thread::sleep(Duration::from_millis(20)))));
    let gauge = Gauge::on(&bench, "GetObject", 0);
    let gate = Gate::new();
    let held = bench.sandbox.fault(Fault::on("GetObject", Kind::Pause(gate.clone())).always());
    let running = bench.start(&format!("get s3://bench/object copy {PATIENT}"));
    assert!(held.wait(64, PATIENCE), "{} of 64", held.count());
    gate.open();
    running.end().ok();
    assert_eq!(gauge.most(), 64);
    assert_same(&bench.read("copy"), &content, "file");
}

#[test]
fn of_many_small_objects_sixty_four_are_sent_from_the_start() {
    let bench = Bench::new();
    small_files(&bench, 100);
    let gauge = Gauge::on(&bench, "PutObject", 0);
    let gate = Gate::new();
    let held = bench.sandbox.fault(Fault::on("PutObject", Kind::Pause(gate.clone())).always());
    let running = bench.start(&format!("put -r small s3://bench/stored/ {PATIENT}"));
    assert!(held.wait(64, PATIENCE), "{} of 64", held.count());
    gate.open();
    running.end().ok();
    assert_eq!(gauge.most(), 64);
}

#[test]
fn of_many_small_objects_sixteen_are_fetched_until_an_answer_shows_that_the_service_is_far() {
    let bench = Bench::new();
    small_objects(&bench, 100);
    let gauge = Gauge::on(&bench, "GetObject", 0);
    let (first, rest) = (Gate::new(), Gate::new());
    let first_held = bench.sandbox.fault(Fault::on("GetObject", Kind::Pause(first.clone())).times(16));
    let held = bench.sandbox.fault(Fault::on("GetObject", Kind::Pause(rest.clone())).skip(16).always());
    let running = bench.start(&format!("get -r s3://bench/small/ copy {PATIENT}"));
    assert!(first_held.wait(16, PATIENCE), "{} of 16", first_held.count());
    // As far away as that.
    thread::sleep(Duration::from_millis(20));
    assert_eq!(gauge.most(), 16);
    first.open();
    assert!(held.wait(64, PATIENCE), "{} of 64", held.count());
    rest.open();
    running.end().ok();
    assert_eq!(gauge.most(), 64);
}

#[test]
fn there_are_never_more_requests_under_way_than_were_asked_for() {
    let bench = Bench::new();
    small_objects(&bench, 20);
    for number in 0..3 {
        bench.sandbox.s3().put_plain("bench", &format!("large/{number}"), &bytes(4 * PART));
    }
    bench.write("file", &bytes(12 * PART));
    for (line, operation) in [
        ("get s3://bench/large/0 copy --part-size 5MiB -j 3", "GetObject"),
        ("get s3://bench/large/0 - --part-size 5MiB -j 3", "GetObject"),
        ("get -r s3://bench/large/ large --part-size 5MiB -j 3", "GetObject"),
        ("get -r s3://bench/small/ small -j 3", "GetObject"),
        ("put file s3://bench/file --part-size 5MiB -j 3", "UploadPart"),
        ("put -r large s3://bench/stored/ --part-size 5MiB -j 3", "UploadPart"),
        ("put -r small s3://bench/stored/ -j 3", "PutObject"),
    ] {
        let gauge = Gauge::on(&bench, operation, 0);
        let gate = Gate::new();
        let held = bench.sandbox.fault(Fault::on(operation, Kind::Pause(gate.clone())).always());
        let running = bench.start(&format!("{line} {PATIENT}"));
        assert!(held.wait(3, PATIENCE), "{line}: {} of 3", held.count());
        gate.open();
        running.end().ok();
        assert_eq!(gauge.most(), 3, "{line}");
        bench.sandbox.clear_faults();
    }
}

#[test]
fn a_service_that_asks_to_slow_down_gets_fewer_requests() {
    let bench = Bench::new();
    small_files(&bench, 150);
    // Of the first 64, each is refused more than once, when all of them are under way.
    let refused = 160;
    let start = Gate::new();
    let started = bench.sandbox.fault(Fault::on("PutObject", Kind::Pause(start.clone())).times(64));
    bench.sandbox.fault(Fault::on("PutObject", Kind::slow_down()).times(refused));
    // What was under way then is let through together, and what comes after it is counted while it piles up.
    let (first, rest) = (Gate::new(), Gate::new());
    let first_held =
        bench.sandbox.fault(Fault::on("PutObject", Kind::Pause(first.clone())).skip(refused).times(64));
    let gauge = Gauge::on(&bench, "PutObject", refused + 64);
    bench.sandbox.fault(Fault::on("PutObject", Kind::Pause(rest.clone())).skip(refused + 64).always());
    // Not the SDK's own limit on the rate.
    let line = format!("put -r small s3://bench/stored/ {PATIENT}");
    let running = bench.s3seal(line.split(' ')).with("AWS_RETRY_MODE", "standard").start();
    assert!(started.wait(64, PATIENCE), "{} of 64", started.count());
    start.open();
    assert!(first_held.wait(64, PATIENCE), "{} of 64", first_held.count());
    first.open();
    assert!(bench.sandbox.wait_for_answer("PutObject", refused + 64, PATIENCE));
    rest.open();
    running.end().ok();
    // Halved at least twice.
    assert!((1..=24).contains(&gauge.most()), "{} at once", gauge.most());
}
