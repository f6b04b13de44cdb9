//! Connections over which nothing moves: given up after the time that the user allows, and tried again.
//!
//! A stall never ends by itself here, so that only the program's own clock can end the wait. Without it, a test hangs.

use std::fs;
use std::net::TcpListener;
use std::time::Duration;

use s3seal_sandbox::{Fault, Kind, Recorded, Struck, hostile};

use crate::support::{BUCKET, Bench, PART, assert_same, at_once, bytes, key};

/// Larger than what the system holds of a part for a server that does not read.
const LARGE: usize = 48 * 1024 * 1024;

#[test]
fn a_part_that_stalls_is_sent_again() {
    // At its beginning, in its middle; a part that the system takes whole, and one that it does not.
    at_once(&[(5, 0), (5, 1_000_000), (24, 0), (24, 9_000_000)], |&(mebibytes, place)| {
        for mode in ["-e sse-s3", "-e client --key key"] {
            let bench = Bench::new();
            bench.write("key", &key(5));
            bench.write("source", &bytes(LARGE));
            let part = Fault::on("UploadPart", Kind::StallRequest(place)).only("partNumber=2&");
            let stalled = bench.sandbox.fault(part.times(2));
            let line =
                format!("put source s3://bench/object {mode} --part-size {mebibytes}MiB --read-timeout 1s");
            bench.run(&line).ok();
            // On a busy machine a try may be given up before the fault takes effect.
            assert!(stalled.count() > 0);
            let get = if mode.ends_with("key") { "--key key" } else { "" };
            bench.run(&format!("get s3://bench/object copy {get}")).ok();
            assert_same(&bench.read("copy"), &bytes(LARGE), mode);
            bench.assert_tidy(&["copy", "key", "source"]);
        }
    });
}

#[test]
fn an_object_in_one_request_that_stalls_is_sent_again() {
    let bench = Bench::new();
    bench.write("source", &bytes(PART));
    let stalled = bench.sandbox.fault(Fault::on("PutObject", Kind::StallRequest(1000)).times(2));
    bench.run("put source s3://bench/object --read-timeout 1s").ok();
    // As above.
    assert!(stalled.count() > 0);
    assert_same(&bench.object("object").plaintext.unwrap(), &bytes(PART), "object");
}

#[test]
fn an_answer_that_stalls_is_fetched_on_from_there() {
    let bench = Bench::new();
    bench.write("source", &bytes(3 * PART));
    bench.run("put source s3://bench/object --part-size 5MiB").ok();
    let stalled = bench.sandbox.fault(Fault::on("GetObject", Kind::StallResponse(1_000_000)).times(3));
    bench.run("get s3://bench/object copy --part-size 5MiB --read-timeout 3s --max-attempts 2").ok();
    // As above.
    assert!(stalled.count() > 0);
    let begins = |get: &Recorded| -> usize {
        let range = get.header("range").unwrap().trim_start_matches("bytes=");
        range.split('-').next().unwrap().parse().unwrap()
    };
    assert!(bench.requests("GetObject").iter().any(|get| begins(get) % PART > 0), "all from a part's start");
    assert_same(&bench.read("copy"), &bytes(3 * PART), "copy");
}

#[test]
fn a_handshake_that_stalls_is_given_up() {
    let bench = Bench::new();
    bench.write("source", b"text");
    // The system makes the connection; nobody ever accepts it.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let line = format!("put source s3://bench/object --endpoint-url {url} --max-attempts 2");
    bench.run(&format!("{line} --connect-timeout 1s")).exits(7).says(&["did not answer in time"]);
}

#[test]
fn an_empty_object_whose_answer_does_not_come_is_given_up() {
    let bench = Bench::new();
    bench.write("source", b"");
    bench.sandbox.fault(Fault::on("PutObject", Kind::StallBeforeResponse).always());
    let line = "put source s3://bench/object --read-timeout 1s --max-attempts 2";
    bench.run(line).exits(7).says(&["did not answer in time"]);
}

#[test]
fn an_answer_to_an_upload_that_comes_a_byte_at_a_time_is_given_up() {
    for (size, operation) in [(1000, "PutObject"), (PART + 1, "UploadPart")] {
        let bench = Bench::new();
        bench.write("source", &bytes(size));
        bench
            .sandbox
            .fault(Fault::on(operation, hostile::dripping(500, Duration::from_millis(200))).always());
        let line = "put source s3://bench/object --part-size 5MiB --read-timeout 1s --max-attempts 2";
        bench.run(line).exits(7);
    }
}

/// Each file would be tried for as long as `--keep-trying` says: thousands of them for days.
#[test]
fn a_server_that_falls_silent_ends_a_run_of_many() {
    let bench = Bench::new();
    fs::create_dir(bench.path("tree")).unwrap();
    for number in 0..9 {
        bench.write(&format!("tree/{number}"), b"text");
        bench.sandbox.s3().put_plain(BUCKET, &format!("there/{number}"), b"text");
    }
    for (line, operations) in [
        ("put -r tree s3://bench/p/", &["PutObject"][..]),
        ("get -r s3://bench/there/ copy", &["HeadObject", "GetObject"]),
    ] {
        let silence = operations
            .iter()
            .map(|operation| bench.sandbox.fault(Fault::on(operation, Kind::StallBeforeResponse).always()));
        let silence: Vec<_> = silence.collect();
        let ended = bench.run(&format!("{line} -j 1 --read-timeout 1s --max-attempts 1")).exits(7);
        let asked: usize = silence.iter().map(Struck::count).sum();
        assert_eq!(asked, 2, "{}", ended.stderr);
        ended.says(&["did not answer in time", "run the same command again"]);
    }
}

#[test]
fn one_object_that_gets_no_answer_while_others_do_fails_alone() {
    let bench = Bench::new();
    fs::create_dir(bench.path("tree")).unwrap();
    for name in ["a", "b", "c", "d"] {
        bench.write(&format!("tree/{name}"), b"text");
    }
    for name in ["/p/b", "/p/d"] {
        let silence = Fault::on("PutObject", Kind::StallBeforeResponse).only(name);
        bench.sandbox.fault(silence.always());
    }
    let ended = bench.run("put -r tree s3://bench/p/ -j 1 --read-timeout 1s --max-attempts 1").exits(9);
    ended.says(&["stored: 2 files", "failed: tree/b", "failed: tree/d"]);
}

#[test]
fn objects_on_which_a_server_fails_one_after_the_other_fail_alone() {
    let bench = Bench::new();
    fs::create_dir(bench.path("tree")).unwrap();
    for name in ["a", "b", "c", "d"] {
        bench.write(&format!("tree/{name}"), b"text");
    }
    for name in ["/p/a", "/p/b"] {
        let failure = Fault::on("PutObject", Kind::status(500, "InternalError", "not this one")).only(name);
        bench.sandbox.fault(failure.always());
    }
    let ended = bench.run("put -r tree s3://bench/p/ -j 1 --max-attempts 1").exits(9);
    ended.says(&["stored: 2 files", "failed: tree/a", "failed: tree/b"]);
}
