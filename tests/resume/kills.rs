//! SIGKILL at random moments of large transfers: the same command goes on, and sends or fetches no more than was missing.
//!
//! Takes minutes, so that CI runs it once a week (`weekly` in `.github/workflows/ci.yml`). By hand:
//! `cargo test --test resume -- --ignored --nocapture kills`. `S3SEAL_SEED=N` repeats the moments of a run, as shares of the
//! time that the whole takes; where they hit is up to the machine. `S3SEAL_FROM_MODE=N` leaves out the first modes.
//!
//! Last run: 2026-11-27, two cores of an AMD EPYC that others used too, a build without optimisation. 20 kills in each mode,
//! and each second run held (resumed, anew, too late; MB missing, MB moved in all):
//!
//! - get, seed 1795742052: none 13, 4, 3; 1853, 1819. sse-s3 13, 7, 0; 2752, 2712. sse-kms 5, 2, 13; 1170, 1156. sse-c 15, 4, 1;
//!   2481, 2443. s3ec 13, 4, 3; 2042, 2008. s3ec-v2 15, 2, 3; 1111, 1077.
//!   Seed 1795825080, on the 28th: esdk 18, 2, 0; 2358, 2319. none with --checksum sha256 18, 2, 0; 1983, 1943. s3ec-v1 20, 0,
//!   0; 2479, 2439.
//! - put, seed 1795749125: none 18, 2, 0; 2331, 2273. sse-s3 14, 2, 4; 1757, 1664. sse-kms 17, 3, 0; 2466, 2424. sse-c 12, 6, 2;
//!   2761, 2757.
//!   Client-side uploads start anew. Seed 1795755043: s3ec 0, 9, 11; 1800, 1804. esdk 0, 20, 0; 4000, 4014.

use std::fs;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::support::{BUCKET, Bench, assert_same, bytes, key};
use crate::{records, store_cbc, wrap_aes};

/// 200 MB, in 24 parts.
const SIZE: usize = 200_000_000;
const PART: u64 = 8 << 20;
const JOBS: u64 = 4;
const KILLS: usize = 20;
const FLAGS: &str = "--part-size 8MiB -j 4";

/// What a request for the head, an envelope or a listing of parts takes.
const SLACK: u64 = 64 << 10;

/// Moments of a transfer, as shares of the time that it takes.
struct Moments(u64);

impl Moments {
    fn new() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let seed = std::env::var("S3SEAL_SEED").map_or(now, |seed| seed.parse().unwrap());
        Self(seed)
    }

    /// In thousandths (splitmix64).
    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        u32::try_from((mixed ^ (mixed >> 31)) % 1000).unwrap()
    }
}

/// What came of the kills of one mode.
#[derive(Default)]
struct Sum {
    /// Kills that hit a run that had something to go on with.
    resumed: usize,
    /// Kills before that, after which everything travelled again.
    anew: usize,
    /// Runs that had ended already.
    late: usize,
    missing: u64,
    moved: u64,
}

impl Sum {
    fn take(&mut self, missing: u64, moved: u64, mode: &str) {
        assert!(moved <= missing + JOBS * PART + SLACK, "{mode}: {moved} moved, {missing} missing");
        self.missing += missing;
        self.moved += moved;
        if missing < SIZE as u64 { self.resumed += 1 } else { self.anew += 1 }
    }

    fn in_words(&self, mode: &str) -> String {
        let Self { resumed, anew, late, missing, moved } = self;
        let megabytes = |bytes: &u64| bytes / 1_000_000;
        format!(
            "{mode:42} {resumed:2} resumed, {anew:2} anew, {late} too late; {} MB missing, {} MB moved",
            megabytes(missing),
            megabytes(moved)
        )
    }
}

/// Runs a command, and kills it after a share of the time that it takes; false if it had ended.
fn kill(bench: &Bench, line: &str, whole: Duration, share: u32) -> bool {
    let running = bench.start(line);
    sleep(whole * share / 1000);
    // It may have ended.
    let mut kill = Command::new("kill");
    let _ = kill.args(["-s", "KILL", &running.pid.to_string()]).stderr(Stdio::null()).status();
    running.end().code().is_none()
}

fn time(act: impl FnOnce()) -> Duration {
    let began = Instant::now();
    act();
    began.elapsed()
}

fn new_bench() -> Bench {
    let bench = Bench::new();
    bench.write("key", &key(5));
    bench.write("source", &bytes(SIZE));
    bench
}

/// All modes, or those from `S3SEAL_FROM_MODE=N` on.
fn chosen<T>(modes: impl IntoIterator<Item = T>) -> impl Iterator<Item = T> {
    let from = std::env::var("S3SEAL_FROM_MODE").map_or(0, |from| from.parse().unwrap());
    modes.into_iter().skip(from)
}

#[test]
#[ignore = "takes minutes"]
fn kills_of_put_at_twenty_moments_in_every_mode_send_no_more_than_was_missing() {
    let mut moments = Moments::new();
    println!("seed {}", moments.0);
    let modes = [
        "",
        "-e sse-s3",
        "-e sse-kms --kms-key alias/backup",
        "-e sse-c --sse-c-key key",
        "-e client --key key",
        "-e client --key key --format esdk",
    ];
    for mode in chosen(modes) {
        let bench = new_bench();
        let line = format!("put source s3://bench/object {mode} {FLAGS}");
        let whole = time(|| drop(bench.run(&line).ok()));
        let mut sum = Sum::default();
        for _ in 0..KILLS {
            if !kill(&bench, &line, whole, moments.next()) {
                sum.late += 1;
                continue;
            }
            let sent = |upload: s3seal_sandbox::s3::UploadView| {
                upload.parts.iter().map(|(_, len)| *len).sum::<u64>()
            };
            let uploads = bench.sandbox.s3().uploads();
            assert!(uploads.len() <= 1, "{mode}: {} uploads", uploads.len());
            // What is encrypted on this machine is encrypted anew.
            let has = if mode.contains("client") { 0 } else { uploads.into_iter().map(sent).sum::<u64>() };
            let missing = SIZE as u64 - has;
            bench.sandbox.clear_requests();
            bench.run(&line).ok();
            let moved = bench.requests("UploadPart").iter().map(|part| part.bytes_in).sum();
            sum.take(missing, moved, mode);
            if mode.contains("client") {
                bench.run("get s3://bench/object copy --key key").ok();
                assert_same(&bench.read("copy"), &bytes(SIZE), mode);
                fs::remove_file(bench.path("copy")).unwrap();
            } else {
                let object = if mode.contains("sse-c") {
                    bench.sandbox.s3().object_with_key(BUCKET, "object", &key(5)).unwrap()
                } else {
                    bench.object("object")
                };
                assert_same(&object.plaintext.unwrap_or(object.stored), &bytes(SIZE), mode);
            }
            bench.assert_tidy(&["key", "source"]);
        }
        println!("{}", sum.in_words(&format!("put {mode}")));
    }
}

/// The bytes that records say are on disk.
fn on_disk(bench: &Bench) -> u64 {
    let lines = records(bench).into_iter().flat_map(|record| {
        let text = fs::read_to_string(record).unwrap();
        text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>()
    });
    let ranges = lines.filter_map(|line| serde_json::from_str::<serde_json::Value>(&line).ok());
    ranges.map(|range| range["end"].as_u64().unwrap() - range["start"].as_u64().unwrap()).sum()
}

#[test]
#[ignore = "takes minutes"]
fn kills_of_get_at_twenty_moments_in_every_mode_and_format_fetch_no_more_than_was_missing() {
    let mut moments = Moments::new();
    println!("seed {}", moments.0);
    let modes = [
        ("", ""),
        ("-e sse-s3", ""),
        ("-e sse-kms --kms-key alias/backup", ""),
        ("-e sse-c --sse-c-key key", "--sse-c-key key"),
        ("--key key", "--key key"),
        ("--key key --format s3ec-v2", "--key key --allow-legacy v2"),
        ("--key key --format esdk", "--key key"),
        ("--checksum sha256", ""),
        ("s3ec-v1", "--key key --allow-legacy unauthenticated"),
    ];
    for (put, get) in chosen(modes) {
        let bench = new_bench();
        if put == "s3ec-v1" {
            store_cbc(&bench, &wrap_aes());
        } else {
            bench.run(&format!("put source s3://bench/object {put}")).ok();
        }
        let line = format!("get s3://bench/object copy {get} {FLAGS}");
        let whole = time(|| drop(bench.run(&line).ok()));
        let mut sum = Sum::default();
        for _ in 0..KILLS {
            fs::remove_file(bench.path("copy")).unwrap();
            if !kill(&bench, &line, whole, moments.next()) {
                sum.late += 1;
                continue;
            }
            // What is stored is a little more than the plaintext.
            let missing = SIZE as u64 + SIZE as u64 / 100 - on_disk(&bench);
            bench.sandbox.clear_requests();
            bench.run(&line).ok();
            let moved = bench.requests("GetObject").iter().map(|get| get.bytes_out).sum();
            sum.take(missing, moved, put);
            assert_same(&bench.read("copy"), &bytes(SIZE), put);
            bench.assert_tidy(&["copy", "key", "source"]);
        }
        println!("{}", sum.in_words(&format!("get {put}")));
    }
}
