//! A part of the plain bytes, and nothing else of them.

use crate::support::{Bench, PART, assert_same, bytes, key};

fn stored(content: &[u8], flags: &str) -> Bench {
    let bench = Bench::new();
    bench.write("key", &key(5));
    bench.write("source", content);
    bench.run(&format!("put source s3://bench/object {flags} --part-size 5MiB")).ok();
    bench
}

#[test]
fn a_range_may_name_its_first_and_last_byte_or_one_of_them_or_a_count_from_the_end() {
    let content = bytes(2 * PART + 10);
    let bench = stored(&content, "");
    let len = content.len();
    for (range, from, to) in [
        ("0-0".to_owned(), 0, 1),
        ("5-9".to_owned(), 5, 10),
        (format!("{}-{}", PART - 1, PART), PART - 1, PART + 1),
        (format!("1-{}", 2 * PART), 1, 2 * PART + 1),
        (format!("{}-", len - 3), len - 3, len),
        ("0-".to_owned(), 0, len),
        ("bytes=3-4".to_owned(), 3, 5),
        ("-7".to_owned(), len - 7, len),
        (format!("-{}", 2 * len), 0, len),
        (format!("{}-{}", len - 1, 9 * len), len - 1, len),
    ] {
        let ended = bench
            .s3seal(["get", "s3://bench/object", "-", "--part-size", "5MiB", "--range", &range])
            .run()
            .ok();
        assert_same(&ended.stdout, &content[from..to], &range);
    }
}

#[test]
fn a_range_of_an_sse_c_object_comes_back_to_a_file() {
    let content = bytes(100);
    let bench = stored(&content, "-e sse-c --sse-c-key key");
    bench.run("get s3://bench/object copy --sse-c-key key --range 10-19").ok().says(&["10 B"]);
    assert_same(&bench.read("copy"), &content[10..20], "file");
}

#[test]
fn only_the_range_is_asked_for() {
    let bench = stored(&bytes(100), "");
    bench.sandbox.clear_requests();
    bench.run("get s3://bench/object - --range 10-19").ok();
    let ranges: Vec<_> =
        bench.requests("GetObject").iter().map(|get| get.header("range").unwrap().to_owned()).collect();
    assert_eq!(ranges, ["bytes=10-19"]);
}

#[test]
fn a_range_beyond_the_end_leaves_the_old_file() {
    let bench = stored(&bytes(100), "");
    bench.write("copy", b"old");
    for range in ["100-", "100-200", "1000-1001"] {
        let ended = bench.run(&format!("get s3://bench/object copy --range {range}"));
        ended.exits(1).says(&["s3://bench/object has 100 bytes", "beyond its end"]);
    }
    assert_eq!(bench.read("copy"), b"old");
    bench.assert_tidy(&["copy", "key", "source"]);
}

#[test]
fn an_empty_object_has_no_ranges() {
    let bench = stored(b"", "");
    bench.run("get s3://bench/object - --range 0-").exits(1).writes_nothing().says(&["has 0 bytes"]);
}

#[test]
fn a_range_is_said_not_to_be_compared_with_the_checksum() {
    let bench = stored(&bytes(100), "");
    bench
        .run("get s3://bench/object copy --range 0-9")
        .ok()
        .says(&["checksum not compared", "only a range was fetched"]);
}

#[test]
fn what_is_not_a_range_is_a_wrong_use() {
    let bench = Bench::new();
    for range in ["", "-", "9-5", "a-b", "lines=0-1", "0-1,3-4", "-0"] {
        let ended = bench.s3seal(["get", "s3://bench/object", "-", "--range", range]).run();
        ended.exits(2).writes_nothing();
    }
    assert!(bench.sandbox.requests().is_empty());
}
