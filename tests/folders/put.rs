//! What goes up, under which key, and what does not.

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;

use crate::support::{Bench, CUSTOMER_KEY, key};
use crate::write;

#[test]
fn several_files_take_their_own_names() {
    let bench = Bench::new();
    for name in ["a.txt", "b.json", "inner/c"] {
        write(&bench.path(name), name.as_bytes());
    }
    bench.run("put a.txt b.json inner/c s3://bench/p/ --metadata owner=me").ok();
    bench.assert_keys(&["p/a.txt", "p/b.json", "p/c"]);
    assert_eq!(bench.object("p/a.txt").content_type.as_deref(), Some("text/plain"));
    assert_eq!(bench.object("p/b.json").content_type.as_deref(), Some("application/json"));
    assert_eq!(bench.object("p/c").metadata["owner"], "me");
}

#[test]
fn a_directory_gives_what_is_below_it() {
    let bench = Bench::new();
    for name in ["one/a", "one/b/c", "two/b/d", "file"] {
        write(&bench.path(name), name.as_bytes());
    }
    bench.run("put -r one two/ file s3://bench").ok();
    bench.assert_keys(&["a", "b/c", "b/d", "file"]);
}

#[test]
fn two_sources_never_share_a_key() {
    let bench = Bench::new();
    for name in ["one/a", "two/a", "two/b", "b"] {
        write(&bench.path(name), name.as_bytes());
    }
    let ended = bench.run("put -r one two b s3://bench/p/").exits(9);
    ended.says(&[
        "failed: two/a: two files map to the key a: one/a and two/a",
        "failed: b: two files map to the key b: two/b and b",
    ]);
    bench.assert_keys(&["p/a", "p/b"]);
    assert_eq!(bench.object("p/a").plaintext.unwrap(), b"one/a");
    assert_eq!(bench.object("p/b").plaintext.unwrap(), b"two/b");
}

#[test]
fn patterns_choose_by_the_name_below_the_directory() {
    let bench = Bench::new();
    for name in ["t/a.sql", "t/old/b.sql", "t/c.txt"] {
        write(&bench.path(name), b"x");
    }
    bench.run("put -r t s3://bench/p/ --include *.sql --exclude old/*").ok();
    bench.assert_keys(&["p/a.sql"]);
}

#[test]
fn links_are_followed_and_those_that_lead_nowhere_or_back_are_named() {
    let bench = Bench::new();
    write(&bench.path("elsewhere/file"), b"linked");
    write(&bench.path("t/inner/file"), b"own");
    symlink("../elsewhere/file", bench.path("t/to-file")).unwrap();
    symlink("../elsewhere", bench.path("t/to-folder")).unwrap();
    symlink("..", bench.path("t/inner/back")).unwrap();
    symlink("nowhere", bench.path("t/broken")).unwrap();
    let ended = bench.run("put -r t s3://bench/p/").exits(9);
    ended.says(&[
        "failed: t/inner/back: is a symbolic link that leads back to t",
        "failed: t/broken: is a dangling symbolic link",
        "2 of 5 objects were not stored",
    ]);
    bench.assert_keys(&["p/inner/file", "p/to-file", "p/to-folder/file"]);
    bench.run("put -r t s3://bench/q/ --exclude inner/back --exclude broken").ok();
}

#[test]
fn what_is_no_file_is_left_out_by_name() {
    let bench = Bench::new();
    write(&bench.path("t/file"), b"x");
    let _socket = UnixListener::bind(bench.path("t/socket")).unwrap();
    bench.program("mkfifo", ["t/pipe"]).run().ok();
    bench.run("put -r t s3://bench/p/").ok().says(&["stored: 1 file", "2 skipped (-v names them)"]);
    let ended = bench.run("put -r t s3://bench/p/ -v").ok();
    ended.says(&["skipped: t/socket: is a socket", "skipped: t/pipe: is a named pipe", "2 skipped"]);
    bench.assert_keys(&["p/file"]);
}

#[test]
fn the_temporary_files_that_a_download_has_left_are_not_stored() {
    let bench = Bench::new();
    for name in ["t/a", "t/.a.s3seal-U9J4bC", "t/.a.s3seal-notes", "t/.env.s3seal-backup"] {
        write(&bench.path(name), b"x");
    }
    // That of a name alike which others may read is somebody's own.
    let mode =
        |name: &str, mode| fs::set_permissions(bench.path(name), Permissions::from_mode(mode)).unwrap();
    mode("t/.a.s3seal-U9J4bC", 0o600);
    mode("t/.env.s3seal-backup", 0o644);
    let ended = bench.run("put -r t s3://bench/p/ -v").ok();
    ended.says(&[
        "skipped: t/.a.s3seal-U9J4bC: is a temporary file of s3seal",
        "stored: 3 files",
        "1 skipped",
    ]);
    bench.assert_keys(&["p/.a.s3seal-notes", "p/.env.s3seal-backup", "p/a"]);
    // Who names it wants it.
    bench.run("put -r t/.a.s3seal-U9J4bC s3://bench/q/").ok();
    bench.assert_keys(&["p/.a.s3seal-notes", "p/.env.s3seal-backup", "p/a", "q/.a.s3seal-U9J4bC"]);
}

#[test]
fn a_name_that_is_no_key_is_named() {
    let bench = Bench::new();
    write(&bench.path("t/file"), b"x");
    fs::write(bench.path("t").join(OsStr::from_bytes(b"not\xffutf-8")), b"x").unwrap();
    let long = (0..5).map(|_| "n".repeat(240)).collect::<Vec<_>>().join("/");
    write(&bench.path("t").join(&long), b"x");
    let ended = bench.run("put -r t s3://bench/p/").exits(9);
    ended.says(&["its name is not UTF-8", "its key would have 1206 bytes", "2 of 3 objects"]);
    bench.assert_keys(&["p/file"]);
}

#[test]
fn an_empty_directory_is_nothing_and_that_is_said() {
    let bench = Bench::new();
    fs::create_dir_all(bench.path("t/inner")).unwrap();
    bench.run("put -r t s3://bench/p/").exits(3).says(&["error: no files under t"]);
    assert!(bench.sandbox.requests().is_empty());
}

#[test]
fn filters_that_take_no_file_are_named_with_what_was_there() {
    let bench = Bench::new();
    write(&bench.path("t/a.txt"), b"x");
    let put = |line: &str| bench.run(&format!("put -r t s3://bench/p/ {line}")).exits(3);
    put("--include *.sql").says(&["1 file, which does not match --include '*.sql'"]);
    write(&bench.path("t/inner/b.txt"), b"x");
    put("--include *.sql --exclude old/*").says(&[
        "error: 2 files, none match --include '*.sql' --exclude 'old/*'",
        "the last one that matches decides",
    ]);
    assert_eq!(put("--include *.sql --json").stdout, b"");
    assert!(bench.sandbox.requests().is_empty());
    bench.run("put -r t s3://bench/p/ --exclude * --include inner/*").ok();
    bench.assert_keys(&["p/inner/b.txt"]);
}

#[test]
fn a_source_that_is_not_there_ends_it_before_anything_is_sent() {
    let bench = Bench::new();
    write(&bench.path("t/file"), b"x");
    bench.run("put -r t missing s3://bench/p/").exits(3).says(&["missing does not exist"]);
    assert!(bench.sandbox.requests().is_empty());
}

#[test]
fn no_clobber_leaves_each_object_that_is_there() {
    let bench = Bench::new();
    for name in ["t/a", "t/b", "t/c"] {
        write(&bench.path(name), b"new");
    }
    bench.sandbox.s3().put_plain("bench", "p/b", b"old");
    let ended = bench.run("put -r t s3://bench/p/ --no-clobber -v").ok();
    ended.says(&["skipped: t/b: s3://bench/p/b already exists", "stored: 2 files, 6 B in ", ", 1 skipped"]);
    assert_eq!(bench.object("p/b").plaintext.unwrap(), b"old");
}

#[test]
fn an_envelope_beside_an_object_is_not_replaced_by_a_file_of_that_name() {
    let bench = Bench::new();
    bench.write("key", &key(5));
    write(&bench.path("t/a"), b"content");
    write(&bench.path("t/a.instruction"), b"a user's own");
    let ended = bench.run("put -r t s3://bench/p/ -e client --key key --instruction-file").exits(9);
    ended.says(&["failed: t/a.instruction: its key is the one for another file's instruction file"]);
    bench.run("get s3://bench/p/a copy --key key").ok();
    assert_eq!(bench.read("copy"), b"content");
    bench.run("put -r t s3://bench/q/ -e client --key key").ok();
    bench.run("get -r s3://bench/q/ back --key key").ok();
    assert_eq!(bench.read("back/a.instruction"), b"a user's own");
}

#[test]
fn a_directory_that_cannot_be_read_is_named_with_what_the_system_says() {
    let bench = Bench::new();
    write(&bench.path("t/a"), b"content");
    // Each name may be, and all of them together are longer than a path may be.
    let deeper =
        "cd t; i=0; while [ $i -lt 25 ]; do n=$(printf 'd%0199d' 0); mkdir $n; cd $n; i=$((i + 1)); done";
    bench.program("sh", ["-c", deeper]).run().ok();
    let ended = bench.run("put -r t s3://bench/p/").exits(9);
    ended.says(&["failed: cannot read t/d000", "File name too long (os error 36)", "stored: 1 file"]);
}

#[test]
fn rows_and_sum_are_documents() {
    let bench = Bench::new();
    write(&bench.path("t/a"), b"four");
    symlink("nowhere", bench.path("t/broken")).unwrap();
    bench.program("mkfifo", ["t/pipe"]).run().ok();
    let ended = bench.run("put -r t s3://bench/p/ --json").exits(9);
    let rows = ended.documents();
    let find = |record: &str| rows.iter().find(|row| row["record"] == record).unwrap();
    assert!(rows.iter().all(|row| row["schema_version"] == 1 && row["command"] == "put"));
    assert_eq!((&find("object")["uri"], &find("object")["file"]), (&"s3://bench/p/a".into(), &"t/a".into()));
    assert_eq!(
        (&find("skipped")["file"], &find("skipped")["reason"]),
        (&"t/pipe".into(), &"is a named pipe".into())
    );
    assert_eq!(find("failed")["file"], "t/broken");
    let sum = &rows.last().unwrap()["summary"];
    assert_eq!(
        *sum,
        serde_json::json!({
            "objects": 1, "bytes": 4, "skipped": 1, "failed": 1, "stored_otherwise": 0, "unchanged": 0, "deleted": 0,
            "dry_run": false, "manifest": null
        })
    );
}

#[test]
fn quiet_says_nothing_but_failures() {
    let bench = Bench::new();
    write(&bench.path("t/a"), b"x");
    assert_eq!(bench.run("put -q -r t s3://bench/p/").ok().stderr, "");
    symlink("nowhere", bench.path("t/broken")).unwrap();
    let said = bench.run("put -q -r t s3://bench/p/").exits(9).stderr;
    assert!(
        said.starts_with("failed: t/broken: is a dangling symbolic link\nerror: 1 of 2 objects"),
        "{said}"
    );
}

#[test]
fn the_key_of_sse_c_goes_with_every_object() {
    let bench = Bench::new();
    bench.write("key", &key(5));
    for name in ["t/a", "t/b"] {
        write(&bench.path(name), b"x");
    }
    bench.run("put -r t s3://bench/p/ -e sse-c --sse-c-key key").ok();
    let sent = bench.requests("PutObject");
    assert_eq!(sent.len(), 2);
    assert!(sent.iter().all(|request| request.header(CUSTOMER_KEY).is_some()));
}
