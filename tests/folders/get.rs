//! What comes down, to which file, and what does not.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use s3seal_sandbox::{Fault, Gate, Kind};

use crate::support::{ALIAS, BUCKET, Bench, PATIENCE, key};
use crate::write;

pub fn stored(keys: &[&str]) -> Bench {
    let bench = Bench::new();
    for key in keys {
        bench.sandbox.s3().put_plain(BUCKET, key, key.as_bytes());
    }
    bench
}

pub fn files(bench: &Bench, folder: &str) -> Vec<String> {
    let found = bench.program("find", [folder, "-mindepth", "1"]).run().ok();
    let mut names: Vec<String> = String::from_utf8(found.stdout)
        .unwrap()
        .lines()
        .map(|line| line.strip_prefix(folder).unwrap()[1..].to_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn a_prefix_comes_below_a_directory_that_is_made() {
    let bench = stored(&["p/a", "p/b/c", "pq", "q/d"]);
    bench.run("get -r s3://bench/p/ new/folder").ok().says(&["fetched: 2 objects"]);
    assert_eq!(files(&bench, "new/folder"), ["a", "b", "b/c"]);
    assert_eq!(bench.read("new/folder/b/c"), b"p/b/c");
    bench.run("get -r s3://bench all").ok();
    assert_eq!(files(&bench, "all"), ["p", "p/a", "p/b", "p/b/c", "pq", "q", "q/d"]);
}

#[test]
fn more_than_one_page_comes() {
    let bench = Bench::new();
    let keys: Vec<String> = (0..1100).map(|number| format!("p/{number:04}")).collect();
    for key in &keys {
        bench.sandbox.s3().put_plain(BUCKET, key, key.as_bytes());
    }
    bench.run("get -r s3://bench/p/ all -q").ok();
    assert_eq!(files(&bench, "all").len(), keys.len());
    assert_eq!(bench.read("all/1099"), b"p/1099");
}

#[test]
fn patterns_choose_by_the_key_below_the_prefix() {
    let bench = stored(&["p/a.sql", "p/old/b.sql", "p/c.txt"]);
    bench.run("get -r s3://bench/p/ d --exclude * --include *.sql --exclude old/*").ok();
    assert_eq!(files(&bench, "d"), ["a.sql"]);
}

#[test]
fn nothing_there_is_told_from_nothing_meant() {
    let bench = stored(&["p/a"]);
    bench.run("get -r s3://bench/typo/ d").exits(3).says(&["nothing found under s3://bench/typo/"]);
    bench
        .run("get -r s3://bench/p/ d --exclude *")
        .exits(3)
        .says(&["1 object, which does not match --exclude '*'"]);
    bench.run("get -r s3://other/p/ d").exits(3).says(&["the bucket other does not exist"]);
    assert!(!bench.path("d").exists());
}

#[test]
fn files_are_replaced_in_one_step_or_left() {
    let bench = stored(&["p/a", "p/b"]);
    write(&bench.path("d/a"), b"old");
    fs::set_permissions(bench.path("d/a"), fs::Permissions::from_mode(0o640)).unwrap();
    let before = fs::metadata(bench.path("d/a")).unwrap().ino();
    bench.run("get -r s3://bench/p/ d --no-clobber -v").ok().says(&[
        "skipped: s3://bench/p/a: d/a already exists",
        "fetched: 1 object, 3 B in ",
        ", 1 skipped",
    ]);
    assert_eq!(bench.read("d/a"), b"old");
    bench.run("get -r s3://bench/p/ d").ok();
    assert_eq!(bench.read("d/a"), b"p/a");
    let after = fs::metadata(bench.path("d/a")).unwrap();
    assert_ne!(after.ino(), before, "written over");
    assert_eq!(after.permissions().mode() & 0o7777, 0o640);
    assert_eq!(files(&bench, "d"), ["a", "b"]);
}

#[test]
fn no_clobber_asks_nothing_about_files_that_are_there() {
    let bench = stored(&["p/a"]);
    write(&bench.path("d/a"), b"old");
    bench.run("get -r s3://bench/p/ d --no-clobber").ok();
    assert!(bench.requests("GetObject").is_empty() && bench.requests("HeadObject").is_empty());
}

#[test]
fn a_marker_is_a_folder() {
    let bench = stored(&["p/a"]);
    for key in ["p/", "p/empty/", "p/in/ner/"] {
        bench.sandbox.s3().put_plain(BUCKET, key, b"");
    }
    bench.sandbox.s3().put_plain(BUCKET, "p/full/", b"content");
    bench.run("get -r s3://bench/p/ d").exits(9).says(&[
        "failed: s3://bench/p/full/: its key ends in / like a folder's, but it has 7 bytes",
        "1 of 2 objects were not fetched",
    ]);
    assert_eq!(files(&bench, "d"), ["a", "empty", "in", "in/ner"]);
}

#[test]
fn a_folder_object_that_was_encrypted_client_side_is_a_folder_all_the_same() {
    let bench = stored(&["p/a"]);
    bench.write("key", &key(5));
    bench.sandbox.s3().put_plain(BUCKET, "p/empty/", b"");
    bench.sandbox.s3().put_plain(BUCKET, "p/full/", b"content");
    for format in ["s3ec", "esdk"] {
        let line = format!(
            "rotate s3://bench/p/ --key key --format {format} --from-key key --new-data-key --seal-plaintext --yes"
        );
        bench.run(&line).ok();
        let ended = bench.run(&format!("get -r s3://bench/p/ {format} --key key")).exits(9);
        ended.says(&["failed: s3://bench/p/full/: its key ends in / like a folder's", "1 of 2 objects"]);
        assert_eq!(files(&bench, format), ["a", "empty"]);
        // What no file can be named after can be read.
        assert_eq!(bench.run("get s3://bench/p/full/ - --key key").ok().stdout, b"content");
    }
    bench.run("get s3://bench/p/full/ file --key key").exits(2).says(&["names no object"]);
}

#[test]
fn a_signal_while_a_folder_object_is_opened_does_not_wait_for_the_answer() {
    let bench = stored(&["p/a"]);
    bench.sandbox.s3().put_plain(BUCKET, "p/empty/", b"");
    let rotate = format!("rotate s3://bench/p/ -e client --kms-key {ALIAS} --from-kms-key {ALIAS}");
    bench.run(&format!("{rotate} --new-data-key --seal-plaintext --yes")).ok();
    let held = bench.sandbox.fault(Fault::on("kms:Decrypt", Kind::Pause(Gate::new())).always());
    let running = bench.start(&format!("get -r s3://bench/p/ d --kms-key {ALIAS} --include empty/"));
    assert!(held.wait(1, PATIENCE));
    running.signal("INT");
    running.end().exits(130).says(&["interrupted by SIGINT"]);
    bench.sandbox.clear_faults();
}

#[test]
fn a_folder_object_alone_is_nothing() {
    let bench = stored(&["p/"]);
    bench.sandbox.s3().put_plain(BUCKET, "p/", b"");
    bench.run("get -r s3://bench/p/ d").exits(3).says(&["error: nothing found under s3://bench/p/"]);
}

#[test]
fn two_objects_whose_names_lead_to_one_file_do_not_replace_each_other() {
    let bench = stored(&["p/a", "p/b"]);
    // As where case is ignored: once the first object has its file, the name of the second leads there too.
    let [first, second] = ["d/a", "d/b"].map(|name| bench.path(name));
    let link = Kind::then(move || {
        while fs::hard_link(&first, &second).is_err() {
            std::thread::yield_now();
        }
    });
    bench.sandbox.fault(Fault::on("GetObject", link).only("p/b"));
    let ended = bench.run("get -r s3://bench/p/ d").exits(9);
    ended.says(&["d/b: is the file of another object already", "fetched: 1 object, "]);
    assert_eq!(bench.read("d/a"), b"p/a");
    // What was there before is replaced.
    bench.run("get -r s3://bench/p/ d --include a").ok();
}

#[test]
fn a_file_of_somebody_else_with_the_inode_of_one_that_is_gone_is_replaced() {
    let bench = stored(&["p/a", "p/b"]);
    let [first, second] = ["d/a", "d/b"].map(|name| bench.path(name));
    // As where another run replaces the first file and writes the second: many file systems give the next new file the
    // number of one that is gone. Where they do not, nothing could be taken for anything else.
    let replace = Kind::then(move || {
        let placed = loop {
            match fs::metadata(&first) {
                Ok(placed) => break placed,
                Err(_) => std::thread::yield_now(),
            }
        };
        fs::remove_file(&first).unwrap();
        // The clock of file systems goes in steps.
        loop {
            fs::write(&second, b"theirs").unwrap();
            if fs::metadata(&second).unwrap().created().ok() != placed.created().ok() {
                break;
            }
            fs::remove_file(&second).unwrap();
        }
    });
    bench.sandbox.fault(Fault::on("GetObject", replace).only("p/b"));
    bench.run("get -r s3://bench/p/ d").ok().says(&["fetched: 2 objects, "]);
    assert_eq!(bench.read("d/b"), b"p/b");
}

#[test]
fn instruction_files_stay_where_they_are() {
    let bench = Bench::new();
    bench.write("key", &key(5));
    write(&bench.path("t/a"), b"content");
    bench.run("put -r t s3://bench/p/ -e client --key key --instruction-file").ok();
    bench.assert_keys(&["p/a", "p/a.instruction"]);
    bench.run("get -r s3://bench/p/ d --key key").ok().says(&["fetched: 1 object"]);
    assert_eq!(files(&bench, "d"), ["a"]);
    assert_eq!(bench.read("d/a"), b"content");
    // Without its mark, as other writers leave it, the object beside it tells.
    bench.sandbox.s3().set_metadata(BUCKET, "p/a.instruction", BTreeMap::new());
    bench.run("get -r s3://bench/p/ e --key key").ok();
    assert_eq!(files(&bench, "e"), ["a"]);
    // A mirror of what is stored needs both; and a file of a user's own is one.
    bench.run("get -r s3://bench/p/ raw --raw").ok();
    assert_eq!(files(&bench, "raw"), ["a", "a.instruction"]);
    bench.sandbox.s3().put_plain(BUCKET, "q/own.instruction", b"x");
    bench.sandbox.s3().put_plain(BUCKET, "q/own", b"x");
    bench.run("get -r s3://bench/q/ f").ok();
    assert_eq!(files(&bench, "f"), ["own", "own.instruction"]);
}

#[test]
fn what_only_says_that_it_is_an_instruction_file_is_fetched() {
    let bench = Bench::new();
    bench.write("key", &key(5));
    write(&bench.path("t/a"), b"content");
    bench.run("put -r t s3://bench/p/ -e client --key key --instruction-file").ok();
    let (s3, real) = (bench.sandbox.s3(), bench.object("p/a.instruction"));
    // Whoever may write the bucket can say so of anything.
    s3.put_plain(BUCKET, "q/own", b"x");
    s3.put_plain(BUCKET, "q/own.instruction", b"a user's own");
    s3.set_metadata(BUCKET, "q/own.instruction", real.metadata.clone());
    // One whose object is gone belongs to none.
    s3.put_plain(BUCKET, "q/gone.instruction", &real.plaintext.unwrap());
    s3.set_metadata(BUCKET, "q/gone.instruction", real.metadata);
    bench.run("get -r s3://bench/q/ d").ok().says(&["fetched: 3 objects"]);
    assert_eq!(files(&bench, "d"), ["gone.instruction", "own", "own.instruction"]);
    assert_eq!(bench.read("d/own.instruction"), b"a user's own");
}

#[test]
fn the_mode_that_is_expected_is_expected_of_each() {
    let bench = Bench::new();
    bench.write("key", &key(5));
    write(&bench.path("t/a"), b"x");
    bench.run("put -r t s3://bench/p/ -e client --key key").ok();
    bench.sandbox.s3().put_plain(BUCKET, "p/b", b"planted");
    let ended = bench.run("get -r s3://bench/p/ d -e client --key key").exits(9);
    ended.says(&["s3://bench/p/b is not client-side", "fetched: 1 object"]);
    assert_eq!(files(&bench, "d"), ["a"]);
}

#[test]
fn an_object_that_was_replaced_since_it_was_listed_comes_as_it_is_now() {
    let bench = stored(&["p/a"]);
    let content = crate::support::bytes(2 * crate::support::PART);
    let larger = content.clone();
    let meanwhile = bench.meanwhile(move |sandbox| sandbox.s3().put_plain(BUCKET, "p/a", &larger));
    bench.sandbox.fault(s3seal_sandbox::Fault::on("GetObject", meanwhile));
    bench.run("get -r s3://bench/p/ d --part-size 5MiB").ok();
    crate::support::assert_same(&bench.read("d/a"), &content, "the newer object");
}

#[test]
fn rows_and_sum_are_documents() {
    let bench = stored(&["p/a", "p//b"]);
    let ended = bench.run("get -r s3://bench/p/ d --json").exits(9);
    let rows = ended.documents();
    let find = |record: &str| rows.iter().find(|row| row["record"] == record).unwrap();
    assert_eq!(find("object")["file"], "d/a");
    assert_eq!(find("failed")["uri"], "s3://bench/p//b");
    assert_eq!(rows.last().unwrap()["summary"]["failed"], 1);
}
