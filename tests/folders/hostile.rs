//! Keys that somebody chose to get out of the directory, or to put two things in one place.

use std::fs;
use std::os::unix::fs::symlink;

use crate::support::{BUCKET, Bench};
use crate::write;

/// Everything below the files folder, but what is in `d`.
fn outside(bench: &Bench) -> Vec<String> {
    bench.names().into_iter().filter(|name| name != "d").collect()
}

#[test]
fn no_key_leads_out_of_the_directory() {
    let bench = Bench::new();
    let from_the_root = format!("p{}{}/escaped", "/..".repeat(20), bench.files().display());
    let keys = [
        "p/../escaped",
        "p/..",
        "p/a/../../escaped",
        "p//etc/escaped",
        "p/./escaped",
        "p/a//escaped",
        &from_the_root,
    ];
    for key in keys {
        bench.sandbox.s3().put_plain(BUCKET, key, b"hostile");
    }
    let long = format!("p/{}", "n".repeat(256));
    bench.sandbox.s3().put_plain(BUCKET, &long, b"x");
    bench.sandbox.s3().put_plain(BUCKET, "p/good", b"x");
    let ended = bench.run("get -r s3://bench/p/ d").exits(9);
    for key in keys {
        assert!(ended.stderr.contains(&format!("failed: s3://bench/{key}: ")), "{key}: {}", ended.stderr);
    }
    ended.says(&["longer than 255 bytes", "8 of 9 objects were not fetched"]);
    assert_eq!(fs::read_dir(bench.path("d")).unwrap().count(), 1);
    assert_eq!(outside(&bench), [""; 0]);
}

#[test]
fn a_folder_marker_leads_no_further() {
    let bench = Bench::new();
    for key in ["p/../out/", "p//", "p/a//", "p/file"] {
        bench.sandbox.s3().put_plain(BUCKET, key, b"");
    }
    bench.run("get -r s3://bench/p/ d").exits(9).says(&["3 of 4 objects were not fetched"]);
    assert_eq!(outside(&bench), [""; 0]);
}

#[test]
fn a_link_in_the_directory_is_not_gone_through() {
    let bench = Bench::new();
    write(&bench.path("outside/file"), b"old");
    fs::create_dir(bench.path("d")).unwrap();
    symlink("../outside", bench.path("d/folder")).unwrap();
    symlink("../outside/file", bench.path("d/file")).unwrap();
    for key in ["p/folder/new", "p/folder/file", "p/file", "p/folder/deep/er", "p/good"] {
        bench.sandbox.s3().put_plain(BUCKET, key, b"hostile");
    }
    bench.sandbox.s3().put_plain(BUCKET, "p/folder/marker/", b"");
    let ended = bench.run("get -r s3://bench/p/ d").exits(9);
    ended.says(&[
        "d/folder: is a symbolic link",
        "d/file: is a symbolic link",
        "5 of 6 objects were not fetched",
    ]);
    assert_eq!(bench.read("outside/file"), b"old");
    assert_eq!(fs::read_dir(bench.path("outside")).unwrap().count(), 1);
    assert_eq!(bench.read("d/good"), b"hostile");
}

#[test]
fn the_directory_itself_may_be_a_link() {
    let bench = Bench::new();
    fs::create_dir(bench.path("real")).unwrap();
    symlink("real", bench.path("d")).unwrap();
    bench.sandbox.s3().put_plain(BUCKET, "p/a/b", b"x");
    bench.run("get -r s3://bench/p/ d").ok();
    assert_eq!(bench.read("real/a/b"), b"x");
}

#[test]
fn a_key_that_is_a_file_and_a_folder_is_one_of_them() {
    let bench = Bench::new();
    for key in ["p/a", "p/a/b"] {
        bench.sandbox.s3().put_plain(BUCKET, key, b"x");
    }
    bench.run("get -r s3://bench/p/ d -j 1").exits(9).says(&["s3://bench/p/a/b: d/a: is a file"]);
    // Side by side, one of the two comes first; the other is named, and nothing half is left.
    for _ in 0..5 {
        fs::remove_dir_all(bench.path("d")).unwrap();
        bench.run("get -r s3://bench/p/ d").exits(9).says(&["1 of 2 objects were not fetched"]);
        let left: Vec<_> =
            fs::read_dir(bench.path("d")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["a"]);
    }
}

#[test]
fn what_is_in_the_way_stays() {
    let bench = Bench::new();
    fs::create_dir_all(bench.path("d/folder/inner")).unwrap();
    bench.program("mkfifo", ["d/pipe"]).run().ok();
    write(&bench.path("d/file"), b"old");
    for key in ["p/folder", "p/pipe", "p/file/below"] {
        bench.sandbox.s3().put_plain(BUCKET, key, b"x");
    }
    let ended = bench.run("get -r s3://bench/p/ d").exits(9);
    ended.says(&["d/folder: is a directory", "d/pipe: is not a regular file", "d/file: is a file"]);
    assert_eq!(bench.read("d/file"), b"old");
    bench.write("e", b"a file");
    bench.run("get -r s3://bench/p/ e").exits(2).says(&["e: is not a directory"]);
}

#[test]
fn a_name_of_255_bytes_has_room_for_what_is_written_first() {
    let bench = Bench::new();
    let name = "ü".repeat(127) + "x";
    bench.sandbox.s3().put_plain(BUCKET, &format!("p/{name}"), b"x");
    bench.run("get -r s3://bench/p/ d").ok();
    assert_eq!(bench.read(&format!("d/{name}")), b"x");
}

#[test]
fn names_cannot_play_with_the_terminal() {
    let bench = Bench::new();
    bench.sandbox.s3().put_plain(BUCKET, "p/a\u{1b}[2J\nfailed: b", b"x");
    bench.sandbox.s3().put_plain(BUCKET, "p//\u{1b}[2J", b"x");
    let ended = bench.run("get -r s3://bench/p/ d -v").exits(9);
    assert!(!ended.stderr.contains('\u{1b}'), "{}", ended.stderr);
    assert!(ended.stderr.contains(r"a\u{1b}[2J\nfailed: b"), "{}", ended.stderr);
}
