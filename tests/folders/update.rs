//! `--update`: only what is missing, newer or of another size travels, and a listing alone shows it.

use std::fs::{self, File};
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, SystemTime};

use s3seal_sandbox::s3::S3State;
use s3seal_sandbox::{Fault, Kind};

use crate::support::{BUCKET, Bench, bytes, key};
use crate::write;

/// Names whose order as files differs from that of their keys.
const NAMES: [&str; 9] =
    ["a/x", "a-b", "a.b", "a/b/deep", "Z", "ä", "with blank", "b/largely-longer-than-the-others", "a0"];

/// A file that was written an hour ago.
fn old(bench: &Bench, name: &str, content: &[u8]) {
    write(&bench.path(name), content);
    age(bench, name);
}

fn age(bench: &Bench, name: &str) {
    let file = File::options().write(true).open(bench.path(name)).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_hours(1)).unwrap();
}

fn tree() -> Bench {
    let bench = Bench::new();
    bench.write("key", &key(7));
    for name in ["rsa_a.pem", "rsa_a.pub.pem"] {
        bench.write(name, &fs::read(format!("{}/tests/keys/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap());
    }
    for (number, name) in NAMES.iter().enumerate() {
        old(&bench, &format!("tree/{name}"), &bytes(number * 1000));
    }
    bench
}

/// The operations of S3 since the last time, but for listings.
fn operations(bench: &Bench) -> Vec<String> {
    let requests = bench.sandbox.requests().into_iter().map(|request| request.operation);
    let others = requests.filter(|name| name != "ListObjectsV2" && !name.starts_with("kms:")).collect();
    bench.sandbox.clear_requests();
    others
}

/// What is stored was stored some minutes ago.
fn in_the_past(s3: &S3State) {
    s3.set_clock_ahead(-300);
}

#[test]
fn a_second_put_stores_nothing_whatever_the_mode_and_a_third_only_what_changed() {
    let modes = [
        "",
        "-e sse-kms --kms-key alias/backup",
        "--sse-c-key key",
        "--key key",
        "--key key --format s3ec-v2",
        "--key key --instruction-file",
        "--key key --format esdk",
        "--key key --format esdk --frame-length 4096 --bind-name",
        "-e client --key key --public-key rsa_a.pub.pem --kms-key alias/backup --format esdk --context team=a",
        "-e client --kms-key alias/backup --format esdk --bind-name",
    ];
    for flags in modes {
        let bench = tree();
        let put = || bench.run(&format!("put -r tree s3://bench/p/ --update {flags}")).ok();
        put().says(&["stored: 9 files"]);
        operations(&bench);
        put().says(&["9 unchanged"]);
        assert_eq!(operations(&bench), [""; 0], "{flags}");
        old(&bench, "tree/a-b", &bytes(1234));
        write(&bench.path("tree/ä"), &bytes(5000));
        old(&bench, "tree/a/new", b"");
        put().says(&["stored: 3 files", "7 unchanged"]);
        let mut stored = operations(&bench);
        // What replaces an instruction file is sent in parts.
        stored.retain(|operation| operation == "PutObject" || operation == "CompleteMultipartUpload");
        let files = if flags.contains("--instruction-file") { 2 } else { 1 };
        assert_eq!(stored.len(), 3 * files, "{flags}");
    }
}

#[test]
fn one_listing_request_for_a_thousand_objects_and_no_other() {
    let bench = Bench::new();
    for number in 0..2500 {
        let name = format!("{}/{number}", number % 7);
        old(&bench, &format!("tree/{name}"), b"text");
        bench.sandbox.s3().put_plain(BUCKET, &format!("p/{name}"), b"text");
    }
    bench.run("put -r tree s3://bench/p/ --update").ok().says(&["2,500 unchanged"]);
    assert_eq!(bench.requests("ListObjectsV2").len(), 3);
    assert_eq!(operations(&bench), [""; 0]);
}

#[test]
fn the_encryption_of_what_stays_is_not_looked_at_but_another_length_is_seen() {
    let bench = tree();
    bench.run("put -r tree s3://bench/p/ --update -e sse-s3").ok();
    bench
        .run("put -r tree s3://bench/p/ --update -e sse-kms --kms-key alias/backup")
        .ok()
        .says(&["9 unchanged"]);
    bench.run("put -r tree s3://bench/p/ --update --key key").ok().says(&["stored: 9 files"]);
}

#[test]
fn a_second_get_fetches_nothing_whatever_the_mode_and_a_third_only_what_changed() {
    for flags in ["", "--sse-c-key key", "--key key", "--key key --format esdk", "--key key --format s3ec-v2"]
    {
        let bench = tree();
        in_the_past(bench.sandbox.s3());
        let put = |line: &str| bench.run(&format!("put {line} {flags}")).ok();
        put("-r tree s3://bench/p/");
        let formats = [" --format esdk", " --format s3ec-v2"];
        let keys = formats.iter().fold(flags.to_owned(), |flags, format| flags.replace(format, ""));
        let legacy = if flags.contains("v2") { "--allow-legacy v2" } else { "" };
        let get = || bench.run(&format!("get -r s3://bench/p/ copy --update {keys} {legacy}")).ok();
        get().says(&["fetched: 9 objects"]);
        bench.program("diff", ["-r", "tree", "copy"]).run().ok();
        let is_old = fs::metadata(bench.path("copy/ä")).unwrap().modified().unwrap();
        assert!(is_old < SystemTime::now() - Duration::from_mins(50), "its time has come back");
        operations(&bench);
        get().says(&["9 unchanged"]);
        assert_eq!(operations(&bench), [""; 0], "{flags}");
        // Missing, of another size, and newer though it has an older time.
        fs::remove_file(bench.path("copy/a/x")).unwrap();
        write(&bench.path("copy/ä"), &bytes(20_000));
        old(&bench, "tree/a-b", &bytes(1000).into_iter().rev().collect::<Vec<_>>());
        bench.sandbox.s3().set_clock_ahead(0);
        put("tree/a-b s3://bench/p/a-b");
        get().says(&["fetched: 3 objects", "6 unchanged"]);
        bench.program("diff", ["-r", "tree", "copy"]).run().ok();
    }
}

#[test]
fn an_instruction_file_is_asked_for_what_it_is_in_each_run_and_nothing_else_is() {
    let bench = tree();
    in_the_past(bench.sandbox.s3());
    bench.run("put -r tree s3://bench/p/ --key key --instruction-file").ok();
    let get = || bench.run("get -r s3://bench/p/ copy --update --key key").ok();
    get().says(&["fetched: 9 objects"]);
    operations(&bench);
    get().says(&["9 unchanged"]);
    // The file itself, and the object that it belongs to.
    let mut asked = operations(&bench);
    asked.sort();
    assert_eq!(asked, [["GetObject"; 9], ["HeadObject"; 9]].concat());
}

#[test]
fn a_users_own_file_that_is_named_like_an_instruction_file_comes_with_update_too_whenever_it_is_missing() {
    for flags in ["", "--key key"] {
        let bench = tree();
        in_the_past(bench.sandbox.s3());
        bench.run(&format!("put -r tree s3://bench/p/ {flags}")).ok();
        let get = || bench.run(&format!("get -r s3://bench/p/ copy --update {flags}")).ok();
        get().says(&["fetched: 9 objects"]);
        // It came after its neighbour was fetched.
        bench.sandbox.s3().set_clock_ahead(0);
        old(&bench, "tree/a-b.instruction", b"own");
        bench.run(&format!("put tree/a-b.instruction s3://bench/p/a-b.instruction {flags}")).ok();
        get().says(&["fetched: 1 object", "9 unchanged"]);
        bench.program("diff", ["-r", "tree", "copy"]).run().ok();
    }
    // Stored with its neighbour, and lost here.
    for flags in ["", "--key key"] {
        let bench = tree();
        in_the_past(bench.sandbox.s3());
        old(&bench, "tree/a-b.instruction", b"own");
        bench.run(&format!("put -r tree s3://bench/p/ {flags}")).ok();
        let get = || bench.run(&format!("get -r s3://bench/p/ copy --update {flags}")).ok();
        get().says(&["fetched: 10 objects"]);
        operations(&bench);
        get().says(&["10 unchanged"]);
        assert_eq!(operations(&bench), [""; 0], "{flags}");
        fs::remove_file(bench.path("copy/a-b.instruction")).unwrap();
        get().says(&["fetched: 1 object", "9 unchanged"]);
        bench.program("diff", ["-r", "tree", "copy"]).run().ok();
    }
}

#[test]
fn what_was_written_here_later_stays_unless_it_has_another_size() {
    let bench = tree();
    in_the_past(bench.sandbox.s3());
    bench.run("put -r tree s3://bench/p/").ok();
    bench.sandbox.s3().set_clock_ahead(0);
    bench.run("get -r s3://bench/p/ copy").ok();
    write(&bench.path("copy/a-b"), &bytes(2000)[1000..]);
    bench.run("get -r s3://bench/p/ copy --update").ok().says(&["9 unchanged"]);
    assert_eq!(bench.read("copy/a-b"), bytes(2000)[1000..]);
}

#[test]
fn an_object_that_was_replaced_is_fetched_whatever_the_times_say() {
    let bench = tree();
    bench.run("put -r tree s3://bench/p/").ok();
    bench.run("get -r s3://bench/p/ copy").ok();
    // Replaced while it was fetched, or before something changed the file's mode: the file looks newer.
    in_the_past(bench.sandbox.s3());
    bench.sandbox.s3().put_plain(BUCKET, "p/a-b", &bytes(2000)[1000..]);
    bench.sandbox.s3().set_clock_ahead(0);
    bench.run("get -r s3://bench/p/ copy --update").ok().says(&["fetched: 1 object", "8 unchanged"]);
    assert_eq!(bench.read("copy/a-b"), bytes(2000)[1000..]);
}

#[test]
fn a_dry_run_says_what_and_why_and_sends_nothing() {
    let bench = tree();
    in_the_past(bench.sandbox.s3());
    bench.run("put -r tree s3://bench/p/").ok();
    bench.sandbox.s3().set_clock_ahead(0);
    fs::remove_file(bench.path("tree/a.b")).unwrap();
    old(&bench, "tree/a-b", b"shorter");
    write(&bench.path("tree/Z"), &bytes(4000));
    old(&bench, "tree/new", b"new");
    operations(&bench);
    let ended = bench.run("put -r tree s3://bench/p/ --update --delete --dry-run").ok();
    ended.says(&[
        "would store: tree/new as s3://bench/p/new (missing, 3 B)",
        "would store: tree/a-b as s3://bench/p/a-b (another size, 7 B)",
        "would store: tree/Z as s3://bench/p/Z (newer, 3.9 KiB)",
        "would delete: s3://bench/p/a.b",
        "would be stored: 3 files, 3.9 KiB, 1 would be deleted, 6 unchanged",
    ]);
    assert_eq!(operations(&bench), [""; 0]);
    let all = bench.run("put -r tree s3://bench/p/ --dry-run --json").ok().documents();
    assert_eq!(all.len(), 10);
    assert_eq!((&all[0]["record"], &all[0]["reason"]), (&"planned".into(), &serde_json::Value::Null));
    assert_eq!(all[9]["summary"]["dry_run"], true);
    assert_eq!(bench.sandbox.requests().len(), 0);

    let fetched = bench.run("get -r s3://bench/p/ tree --update --delete --dry-run").ok();
    fetched.says(&[
        "would fetch: s3://bench/p/a.b as tree/a.b (missing, 2 KiB)",
        "would fetch: s3://bench/p/a-b as tree/a-b (another size, 1000 B)",
        "would delete: tree/new",
        "would be fetched: 2 objects, 2.9 KiB, 1 would be deleted, 7 unchanged",
    ]);
    assert_eq!(operations(&bench), [""; 0]);
    assert!(!bench.path("tree/a.b").exists() && bench.path("tree/new").exists());
    let documents = bench.run("get -r s3://bench/p/ fresh --dry-run --json").ok().documents();
    assert_eq!((&documents[0]["action"], &documents[0]["record"]), (&"fetch".into(), &"planned".into()));
    assert!(!bench.path("fresh").exists());
}

#[test]
fn a_dry_run_of_one_object_checks_what_can_be_checked() {
    let bench = tree();
    bench
        .run("put tree/Z s3://bench/k --dry-run")
        .ok()
        .says(&["would store: tree/Z as s3://bench/k (3.9 KiB)"]);
    bench.assert_keys(&[]);
    bench.run("get s3://bench/k --dry-run").exits(3);
    bench.run("put tree/Z s3://bench/k").ok();
    bench.run("put tree/Z s3://bench/k --no-clobber --dry-run").exits(8);
    bench.run("get s3://bench/k copy --dry-run").ok().says(&["would fetch: s3://bench/k as copy (3.9 KiB)"]);
    assert!(!bench.path("copy").exists());
    let plan = bench.run("get s3://bench/k - --dry-run --json").ok().json();
    assert_eq!((&plan["action"], &plan["bytes"]), (&"fetch".into(), &4000.into()));
}

#[test]
fn the_sum_of_a_run_is_a_document() {
    let bench = tree();
    bench.run("put -r tree s3://bench/p/").ok();
    old(&bench, "tree/new", b"four");
    let rows = bench.run("put -r tree s3://bench/p/ --update --json").ok().documents();
    assert_eq!(rows.len(), 2);
    let sum = serde_json::json!({
        "objects": 1, "bytes": 4, "skipped": 0, "failed": 0, "stored_otherwise": 0, "unchanged": 9, "deleted": 0,
        "dry_run": false, "manifest": null
    });
    assert_eq!(rows[1]["summary"], sum);
}

#[test]
fn broken_links_are_skipped_where_that_is_asked_for() {
    let bench = tree();
    std::os::unix::fs::symlink("nowhere", bench.path("tree/broken")).unwrap();
    bench
        .run("put -r tree s3://bench/p/")
        .exits(9)
        .says(&["failed: tree/broken: is a dangling symbolic link"]);
    let ended = bench.run("put -r tree s3://bench/p/ --update --skip-broken-links -v").ok();
    ended.says(&["skipped: tree/broken: is a dangling symbolic link", "9 unchanged, 1 skipped"]);
}

/// Puts another file of the same length in place of `tree/f`, as programs do that write a file anew.
fn replaces(bench: &Bench) -> Kind {
    let (new, file) = (bench.path("new"), bench.path("tree/f"));
    let times = AtomicU8::new(0);
    Kind::then(move || {
        fs::write(&new, format!("new {}", times.fetch_add(1, Ordering::Relaxed))).unwrap();
        fs::rename(&new, &file).unwrap();
    })
}

#[test]
fn a_file_that_is_replaced_while_it_is_stored_is_stored_again() {
    for flags in ["", "--key key"] {
        let bench = Bench::new();
        bench.write("key", &key(7));
        old(&bench, "tree/f", b"old 0");
        bench.sandbox.fault(Fault::on("PutObject", replaces(&bench)));
        bench.run(&format!("put -r tree s3://bench/p/ {flags}")).ok().says(&["stored: 1 file"]);
        assert_eq!(bench.requests("PutObject").len(), 2);
        bench.run(&format!("get s3://bench/p/f copy {flags}")).ok();
        assert_eq!(bench.read("copy"), b"new 0");
    }
}

#[test]
fn a_file_that_is_replaced_each_time_fails_and_is_named() {
    let bench = Bench::new();
    old(&bench, "tree/f", b"old 0");
    bench.sandbox.fault(Fault::on("PutObject", replaces(&bench)).always());
    let ended = bench.run("put -r tree s3://bench/p/").exits(9);
    ended.says(&["tree/f changed while it was being read", "also while it was stored again"]);
    assert_eq!(bench.requests("PutObject").len(), 2);
}

#[test]
fn an_older_version_that_was_asked_for_stays() {
    let bench = tree();
    bench.sandbox.s3().set_versioning(BUCKET);
    in_the_past(bench.sandbox.s3());
    bench.sandbox.s3().put_plain(BUCKET, "v/f", b"older");
    let version = bench.object("v/f").version_id;
    bench.sandbox.s3().put_plain(BUCKET, "v/f", b"newer");
    bench.sandbox.s3().set_clock_ahead(0);
    fs::create_dir(bench.path("copy")).unwrap();
    bench.run(&format!("get s3://bench/v/f copy/f --version-id {version}")).ok();
    bench.run("get -r s3://bench/v/ copy --update").ok().says(&["1 unchanged"]);
    assert_eq!(bench.read("copy/f"), b"older");
}
