//! Where the bytes go: files, links, folders, devices and pipes; and what stays as it was.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::process::Command;
use std::sync::mpsc;
use std::thread;

use s3seal_sandbox::{Fault, Gate, Kind};

use crate::support::{Bench, PART, PATIENCE, assert_same, bytes};

fn stored(content: &[u8]) -> Bench {
    let bench = Bench::new();
    let source = bench.write("source", content);
    bench.run("put source s3://bench/folder/object --part-size 5MiB").ok();
    fs::remove_file(source).unwrap();
    bench
}

fn mode(bench: &Bench, name: &str) -> u32 {
    fs::metadata(bench.path(name)).unwrap().permissions().mode() & 0o7777
}

#[test]
fn without_a_target_the_objects_name_is_taken() {
    let bench = stored(b"text");
    bench.run("get s3://bench/folder/object").ok();
    assert_eq!(bench.read("object"), b"text");
    bench.assert_tidy(&["object"]);
}

#[test]
fn a_directory_takes_the_objects_name() {
    let bench = stored(b"text");
    fs::create_dir(bench.path("inner")).unwrap();
    for (dest, found) in [(".", "object"), ("inner", "inner/object"), ("inner/", "inner/object")] {
        bench.run(&format!("get s3://bench/folder/object {dest}")).ok();
        assert_eq!(bench.read(found), b"text", "{dest}");
        fs::remove_file(bench.path(found)).unwrap();
    }
}

#[test]
fn a_folder_that_is_not_there_is_named_before_anything_is_sent() {
    let bench = stored(b"text");
    bench.sandbox.clear_requests();
    bench.run("get s3://bench/folder/object missing/copy").exits(3).says(&["missing"]);
    assert!(bench.sandbox.requests().is_empty());
    bench.assert_tidy(&[]);
}

#[test]
fn a_directory_that_is_not_there_is_made_for_a_target_that_ends_in_a_slash() {
    let bench = stored(b"text");
    bench.run("get s3://bench/folder/object new/inner/").ok();
    assert_eq!(bench.read("new/inner/object"), b"text");
    bench.run("get s3://bench/folder/missing other/").exits(3);
    assert!(!bench.path("other").exists(), "a directory for nothing");
    bench.sandbox.clear_requests();
    bench.write("file", b"old");
    bench.run("get s3://bench/folder/object file/").exits(2).says(&["file: is not a directory"]);
    bench.run("get s3://bench/folder/object s3://bench/other/").exits(2);
    assert!(bench.sandbox.requests().is_empty());
}

#[test]
fn a_new_file_has_the_mode_that_the_system_gives() {
    let bench = stored(b"text");
    for (umask, expected) in [("022", 0o644), ("077", 0o600), ("002", 0o664)] {
        let script = format!(
            "umask {umask}; exec {} get s3://bench/folder/object copy-{umask}",
            env!("CARGO_BIN_EXE_s3seal")
        );
        bench.program("sh", ["-c", &script]).run().ok();
        assert_eq!(mode(&bench, &format!("copy-{umask}")), expected, "{umask}");
    }
}

#[test]
fn a_file_that_is_replaced_keeps_its_mode() {
    let bench = stored(b"new");
    for expected in [0o600, 0o640, 0o755] {
        let copy = bench.write("copy", b"old");
        fs::set_permissions(&copy, fs::Permissions::from_mode(expected)).unwrap();
        bench.run("get s3://bench/folder/object copy").ok();
        assert_eq!((bench.read("copy").as_slice(), mode(&bench, "copy")), (b"new".as_slice(), expected));
    }
}

#[test]
fn a_planted_file_of_another_user_opens_what_replaces_it_to_nobody() {
    let bench = stored(b"new");
    fs::create_dir(bench.path("there")).unwrap();
    for name in ["copy", "there/object"] {
        let planted = bench.write(name, b"old");
        fs::set_permissions(&planted, fs::Permissions::from_mode(0o666)).unwrap();
        // Only the super-user can give a file away; who runs the tests as somebody else has the test beside the code.
        if chown(&planted, Some(60_000), None).is_err() {
            return;
        }
    }
    for line in ["get s3://bench/folder/object copy", "get -r s3://bench/folder/ there"] {
        let script = format!("umask 077; exec {} {line}", env!("CARGO_BIN_EXE_s3seal"));
        bench.program("sh", ["-c", &script]).run().ok();
    }
    for name in ["copy", "there/object"] {
        assert_eq!((bench.read(name).as_slice(), mode(&bench, name)), (b"new".as_slice(), 0o600), "{name}");
    }
}

#[test]
fn until_it_is_whole_only_a_hidden_file_of_the_owner_is_there() {
    let content = bytes(2 * PART);
    let bench = stored(&content);
    bench.write("copy", b"old");
    let gate = Gate::new();
    let last = Fault::on("GetObject", Kind::Pause(gate.clone())).skip(1);
    let held = bench.sandbox.fault(last);
    let running = bench.start("get s3://bench/folder/object copy --part-size 5MiB");
    assert!(held.wait(1, PATIENCE));
    let names = bench.names();
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(names[0].starts_with(".copy.s3seal-"), "{names:?}");
    assert_eq!(mode(&bench, &names[0]), 0o600);
    assert_eq!(bench.read("copy"), b"old");
    gate.open();
    running.end().ok();
    assert_same(&bench.read("copy"), &content, "file");
    bench.assert_tidy(&["copy"]);
}

#[test]
fn a_link_keeps_pointing_and_the_file_behind_it_is_replaced() {
    let bench = stored(b"new");
    fs::create_dir(bench.path("inner")).unwrap();
    bench.write("inner/real", b"old");
    symlink("inner/real", bench.path("link")).unwrap();
    bench.run("get s3://bench/folder/object link").ok();
    assert!(fs::symlink_metadata(bench.path("link")).unwrap().is_symlink());
    assert_eq!(bench.read("inner/real"), b"new");
    bench.assert_tidy(&["inner", "link"]);
}

#[test]
fn a_link_to_a_file_that_does_not_exist_keeps_pointing_and_the_file_is_made() {
    let bench = stored(b"new");
    fs::create_dir(bench.path("inner")).unwrap();
    symlink("real", bench.path("inner/next")).unwrap();
    symlink("inner/next", bench.path("link")).unwrap();
    bench.run("get s3://bench/folder/object link").ok();
    for link in ["link", "inner/next"] {
        assert!(fs::symlink_metadata(bench.path(link)).unwrap().is_symlink(), "{link} was replaced");
    }
    assert_eq!(bench.read("inner/real"), b"new");
    bench.assert_tidy(&["inner", "link"]);
    assert_eq!(fs::read_dir(bench.path("inner")).unwrap().count(), 2, "something is left next to the file");
}

#[test]
fn a_link_into_a_directory_that_does_not_exist_or_to_itself_stays_and_nothing_is_sent() {
    let bench = stored(b"new");
    symlink("missing/real", bench.path("link")).unwrap();
    symlink("circle", bench.path("circle")).unwrap();
    bench.sandbox.clear_requests();
    bench.run("get s3://bench/folder/object link").exits(3).says(&["missing"]);
    bench.run("get s3://bench/folder/object circle").exits(1).says(&["circle"]);
    assert!(bench.sandbox.requests().is_empty());
    assert_eq!(fs::read_link(bench.path("link")).unwrap().to_str(), Some("missing/real"));
    assert_eq!(fs::read_link(bench.path("circle")).unwrap().to_str(), Some("circle"));
    bench.assert_tidy(&["circle", "link"]);
}

#[test]
fn a_device_takes_the_bytes_and_stays_a_device() {
    let bench = stored(&bytes(PART + 1));
    let before = fs::metadata("/dev/null").unwrap().ino();
    bench.run("get s3://bench/folder/object /dev/null --part-size 5MiB").ok();
    assert_eq!(fs::metadata("/dev/null").unwrap().ino(), before);
    bench.assert_tidy(&[]);
}

#[test]
fn a_named_pipe_takes_the_bytes_as_they_come() {
    let content = bytes(PART + 1);
    let bench = stored(&content);
    let pipe = bench.path("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    // In a thread: it waits for ever for a writer that never comes.
    let (sender, read) = mpsc::channel();
    thread::spawn(move || sender.send(fs::read(pipe).unwrap()));
    bench.run("get s3://bench/folder/object pipe --part-size 5MiB").ok();
    assert_same(&read.recv_timeout(PATIENCE).unwrap(), &content, "pipe");
    bench.assert_tidy(&["pipe"]);
}

#[test]
fn no_clobber_keeps_the_file_and_asks_nothing() {
    let bench = stored(b"new");
    bench.write("copy", b"old");
    bench.sandbox.clear_requests();
    bench.run("get s3://bench/folder/object copy --no-clobber").exits(8).says(&["copy already exists"]);
    assert_eq!(bench.read("copy"), b"old");
    assert!(bench.sandbox.requests().is_empty());
    bench.run("get s3://bench/folder/object other --no-clobber").ok();
    bench.assert_tidy(&["copy", "other"]);
}

#[test]
fn no_clobber_keeps_a_file_that_appears_meanwhile() {
    let bench = stored(b"new");
    let copy = bench.path("copy");
    bench.sandbox.fault(Fault::on("GetObject", Kind::then(move || fs::write(&copy, b"theirs").unwrap())));
    bench.run("get s3://bench/folder/object copy --no-clobber").exits(8).says(&["copy already exists"]);
    assert_eq!(bench.read("copy"), b"theirs");
    bench.assert_tidy(&["copy"]);
}

#[test]
fn a_folder_without_leave_to_write_is_told() {
    // The super-user may write anywhere; a read-only place is the same to everybody.
    let bench = stored(b"text");
    let ended = bench.run("get s3://bench/folder/object /proc/copy");
    assert!([Some(1), Some(3)].contains(&ended.code()), "{}", ended.stderr);
    ended.says(&["/proc/copy"]);
}

#[test]
fn a_full_device_is_told() {
    let bench = stored(b"text");
    let ended = bench.run("get s3://bench/folder/object /dev/full").exits(1);
    ended.says(&["error: cannot write /dev/full", "No space left", "hint: make room"]);
}

#[test]
fn a_file_that_cannot_take_all_of_it_is_named() {
    let bench = stored(&bytes(100_000));
    // A limit on a file's size fails as a full disk does, and needs no disk.
    let s3seal = env!("CARGO_BIN_EXE_s3seal");
    let script = format!("trap '' XFSZ; ulimit -f 1; exec {s3seal} get s3://bench/folder/object copy");
    let ended = bench.program("sh", ["-c", &script]).run().exits(1);
    ended.says(&["error: cannot write copy", "File too large"]);
    assert!(!bench.names().contains(&"copy".to_owned()));
}

#[test]
fn a_closed_standard_output_takes_no_object() {
    let bench = Bench::new();
    bench.write("source", b"text");
    bench.run("put source s3://bench/object").ok();
    let shell = |redirection: &str| {
        let script = format!("exec {} get s3://bench/object - {redirection}", env!("CARGO_BIN_EXE_s3seal"));
        bench.program("sh", ["-c", &script]).run()
    };
    shell(">&-").exits(2).says(&["standard output is closed", "s3seal get s3://bench/object - >/dev/null"]);
    assert_eq!(bench.requests("GetObject").len(), 0);
    shell(">/dev/null").ok().says(&["verified"]);
}
