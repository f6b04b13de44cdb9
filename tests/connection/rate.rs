//! `--limit-rate`: no more bytes a second than that, over all connections together. That it is not much less either is
//! `src/aws/rate_limit.rs`'s to test, with a clock of its own: here a slow machine may take longer.

use std::fs;
use std::time::{Duration, Instant};

use crate::support::{Bench, PART, bytes, key};

/// Runs a command that moves two parts, and fails if it is done before the rate allows that.
fn takes_its_time(bench: &Bench, line: &str) {
    // Two parts in a second.
    let began = Instant::now();
    bench.run(&format!("{line} -j 8 --part-size 5MiB --limit-rate 10MiB")).ok();
    // What moves last is not waited for: a piece on each connection.
    assert!(began.elapsed() > Duration::from_millis(700), "{line}: {:?}", began.elapsed());
}

#[test]
fn a_rate_holds_over_all_connections_up_and_down_and_for_many_files() {
    let bench = Bench::new();
    bench.write("key", &key(5));
    bench.write("large", &bytes(2 * PART));
    fs::create_dir(bench.path("many")).unwrap();
    for number in 0..16 {
        bench.write(&format!("many/{number}"), &bytes(2 * PART / 16));
    }
    takes_its_time(&bench, "put large s3://bench/large");
    takes_its_time(&bench, "get s3://bench/large copy");
    takes_its_time(&bench, "put -r many s3://bench/many/");
    takes_its_time(&bench, "get -r s3://bench/many/ copies");
    takes_its_time(&bench, "rotate s3://bench/large -e client --key key --yes");
}
