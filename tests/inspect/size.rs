//! Very many objects: memory that does not grow with them. Takes minutes, so that CI runs it once a week (`weekly` in
//! `.github/workflows/ci.yml`). By hand:
//! `cargo test --test inspect -- --ignored --nocapture memory`.

use std::fs;
use std::process::Stdio;

use crate::rows;
use crate::support::{BUCKET, Bench};

/// The peak of a process's resident memory in KiB, as long as it runs.
fn peak(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

fn measured(objects: usize) -> u64 {
    let bench = Bench::new();
    for number in 0..objects {
        bench.sandbox.s3().put_plain(BUCKET, &format!("many/{number:07}"), b"x");
    }
    let out = fs::File::create(bench.path("out")).unwrap();
    let program = bench.s3seal(["inspect", "s3://bench/many/", "--format", "ndjson"]);
    let running = program.output(Stdio::from(out)).start();
    let pid = running.pid;
    let mut most = 0;
    while let Some(now) = peak(pid) {
        most = most.max(now);
        if fs::metadata(bench.path("out")).is_ok_and(|facts| facts.len() > 0) && running_is_over(pid) {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let mut ended = running.end().ok();
    ended.stdout = bench.read("out");
    assert_eq!(rows(&ended).1["objects"], objects);
    most
}

/// Whether a process has ended and only waits to be asked how.
fn running_is_over(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| stat.contains(") Z "))
}

#[test]
#[ignore = "takes minutes"]
fn memory_does_not_grow_with_the_objects() {
    let few = measured(2_000);
    let many = measured(100_000);
    println!("peak memory: {few} KiB at 2,000 objects, {many} KiB at 100,000");
    assert!(many < few + 16 * 1024, "{few} KiB, then {many} KiB");
}
