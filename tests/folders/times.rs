//! Modification times go up as metadata, in rclone's form, and come back to files.

use std::fs::{self, File};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::support::{Bench, bytes, key};
use crate::write;

const TEXT: &str = "1354040105.123456789";

fn time() -> SystemTime {
    UNIX_EPOCH + Duration::new(1_354_040_105, 123_456_789)
}

/// A file of that time.
fn old(bench: &Bench, name: &str) {
    write(&bench.path(name), &bytes(100));
    File::options().write(true).open(bench.path(name)).unwrap().set_modified(time()).unwrap();
}

fn modified(bench: &Bench, name: &str) -> SystemTime {
    fs::metadata(bench.path(name)).unwrap().modified().unwrap()
}

#[test]
fn times_travel_with_every_mode_alone_and_in_directories() {
    let bench = Bench::new();
    bench.write("key", &key(7));
    old(&bench, "tree/a");
    for (number, flags) in ["", "--sse-c-key key", "--key key", "--key key --format esdk"].iter().enumerate()
    {
        bench.run(&format!("put tree/a s3://bench/one-{number} {flags}")).ok();
        bench.run(&format!("put -r tree s3://bench/many-{number}/ {flags}")).ok();
        for key in [format!("one-{number}"), format!("many-{number}/a")] {
            assert_eq!(bench.object(&key).metadata["mtime"], TEXT, "{key}");
        }
        let get = flags.replace(" --format esdk", "");
        bench.run(&format!("get s3://bench/one-{number} copy {get}")).ok();
        bench.run(&format!("get -r s3://bench/many-{number}/ copies {get}")).ok();
        assert_eq!(modified(&bench, "copy"), time(), "{flags}");
        assert_eq!(modified(&bench, "copies/a"), time(), "{flags}");
    }
}

#[test]
fn a_time_that_was_given_goes_before_the_files_and_a_stream_has_none() {
    let bench = Bench::new();
    old(&bench, "a");
    bench.run("put a s3://bench/given --metadata mtime=7.5").ok();
    assert_eq!(bench.object("given").metadata["mtime"], "7.5");
    bench.s3seal(["put", "-", "s3://bench/stream"]).input(b"text").run().ok();
    assert!(bench.object("stream").metadata.is_empty());
}

#[test]
fn a_part_of_an_object_and_a_time_that_is_none_leave_the_file_as_new() {
    let bench = Bench::new();
    old(&bench, "a");
    bench.run("put a s3://bench/a").ok();
    let began = SystemTime::now() - Duration::from_secs(2);
    bench.run("get s3://bench/a part --range 0-9").ok();
    assert!(modified(&bench, "part") > began);
    for (number, text) in ["tomorrow", "-", "99999999999999999999", "1e9"].into_iter().enumerate() {
        bench.run(&format!("put a s3://bench/odd --metadata mtime={text}")).ok();
        bench.run(&format!("get s3://bench/odd odd-{number}")).ok();
        assert!(modified(&bench, &format!("odd-{number}")) > began, "{text}");
    }
}
