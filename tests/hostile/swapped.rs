//! A store that hands out something else than it showed: another object, another envelope, other bytes.

use s3seal_sandbox::{Fault, Kind, Struck};

use crate::support::keys::KnownKey;
use crate::support::{Bench, PART, assert_same, bytes};

/// Ways to store, and to get what is stored so.
const MODES: [(&str, &str); 5] = [
    ("-e sse-s3", ""),
    ("-e sse-c --sse-c-key key", "--sse-c-key key"),
    ("-e client --key key", "--key key"),
    ("-e client --key key --instruction-file", "--key key"),
    ("-e client --key key --format esdk", "--key key"),
];

fn bench(size: usize, put: &str) -> Bench {
    let bench = Bench::hostile();
    bench.write("key", &KnownKey::new(1).0);
    bench.write("source", &bytes(size));
    bench.run(&format!("put source s3://bench/object {put} --part-size 5MiB")).ok();
    bench.write("copy", b"old");
    bench
}

fn ranges_of_another_etag(bench: &Bench) -> Struck {
    let kind = Kind::tamper(|asked, answer| {
        if asked.header("range").is_some() && answer.status == 206 {
            answer.set("etag", "\"0123456789abcdef0123456789abcdef\"");
        }
    });
    bench.sandbox.fault(Fault::on("GetObject", kind).only("/object").always())
}

#[test]
fn get_takes_no_range_with_another_etag() {
    for (put, get) in MODES {
        let bench = bench(2 * PART, put);
        let struck = ranges_of_another_etag(&bench);
        for target in ["copy", "-"] {
            bench
                .run(&format!("get s3://bench/object {target} {get} --part-size 5MiB"))
                .exits(8)
                .writes_nothing()
                .says(&["s3://bench/object is not the object expected"]);
        }
        assert!(struck.count() >= 2, "{put}");
        assert_same(&bench.read("copy"), b"old", put);
        bench.assert_tidy(&["copy", "key", "source"]);
    }
}

#[test]
fn rotate_takes_no_range_with_another_etag() {
    for (put, from) in [("-e sse-s3", "--seal-plaintext"), ("-e client --key key", "--from-key key")] {
        let bench = bench(2 * PART, put);
        bench.write("new", &KnownKey::new(2).0);
        let before = bench.object("object").stored;
        let struck = ranges_of_another_etag(&bench);
        let line = format!("rotate s3://bench/object -e client --key new --new-data-key {from} --yes");
        bench.run(&line).exits(8).says(&["s3://bench/object is not the object expected"]);
        assert!(struck.count() >= 1, "{put}");
        assert_same(&bench.object("object").stored, &before, put);
        assert_eq!(bench.sandbox.s3().uploads(), []);
    }
}

#[test]
fn inspect_takes_no_beginning_with_another_etag() {
    let bench = bench(100, "-e client --key key --format esdk");
    let struck = ranges_of_another_etag(&bench);
    bench.run("inspect s3://bench/object --key key").exits(8).says(&["is not the object expected"]);
    assert_eq!(struck.count(), 1);
}
