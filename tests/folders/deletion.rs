//! `--delete`: what the source no longer has goes, and nothing else; how much may go, and when nothing may.

use std::fs::{self, File};
use std::os::unix::fs::symlink;

use s3seal_sandbox::{Fault, Kind};

use crate::support::{BUCKET, Bench, key};
use crate::write;

/// A tree, and the same objects with three that it does not have.
fn bench() -> Bench {
    let bench = Bench::new();
    for name in ["a", "b/c", "b/d", "e"] {
        write(&bench.path(&format!("tree/{name}")), name.as_bytes());
    }
    for name in ["a", "b/c", "b/d", "gone", "b/gone", "z/gone"] {
        bench.sandbox.s3().put_plain(BUCKET, &format!("p/{name}"), b"old");
    }
    bench.sandbox.s3().put_plain(BUCKET, "q/other", b"another prefix");
    bench
}

#[test]
fn a_source_that_is_not_there_is_told_as_such_and_deletes_nothing() {
    let bench = Bench::new();
    bench.sandbox.s3().put_plain(BUCKET, "p/a", b"x");
    bench.write("list", b"a\n");
    bench.write("file", b"x");
    for flags in ["", "--update --delete --yes", "--files-from list"] {
        let ended = bench.run(&format!("put -r nodir s3://bench/p/ {flags}")).exits(3);
        ended.says(&["nodir does not exist"]);
        bench.assert_keys(&["p/a"]);
    }
    bench
        .run("put -r file s3://bench/p/ --delete --yes")
        .exits(2)
        .says(&["--delete goes with one directory"]);
}

#[test]
fn objects_without_a_file_go_after_the_others_are_stored() {
    let bench = bench();
    let ended = bench.run("put -r tree s3://bench/p/ --delete --yes -v").ok();
    ended.says(&[
        "deleted: s3://bench/p/gone",
        "deleted: s3://bench/p/z/gone",
        "stored: 4 files",
        "3 deleted",
    ]);
    bench.assert_keys(&["p/a", "p/b/c", "p/b/d", "p/e", "q/other"]);
    let operations: Vec<_> = bench.sandbox.requests().into_iter().map(|request| request.operation).collect();
    let first = operations.iter().position(|name| name == "DeleteObject").unwrap();
    assert!(operations[first..].iter().all(|name| name == "DeleteObject"), "{operations:?}");
}

#[test]
fn with_update_nothing_else_is_sent_and_a_second_run_deletes_nothing() {
    let bench = bench();
    bench.run("put -r tree s3://bench/p/").ok();
    for name in ["a", "b/c", "b/d", "e"] {
        let file = File::options().write(true).open(bench.path(&format!("tree/{name}"))).unwrap();
        file.set_modified(std::time::UNIX_EPOCH).unwrap();
    }
    bench.sandbox.clear_requests();
    let rows = bench.run("put -r tree s3://bench/p/ --update --delete --yes --json").ok().documents();
    assert_eq!(bench.requests("PutObject").len(), 0);
    let deleted =
        rows.iter().filter(|row| row["record"] == "deleted").map(|row| row["uri"].as_str().unwrap());
    let mut deleted: Vec<_> = deleted.collect();
    deleted.sort_unstable();
    assert_eq!(deleted, ["s3://bench/p/b/gone", "s3://bench/p/gone", "s3://bench/p/z/gone"]);
    assert_eq!(rows.last().unwrap()["summary"]["deleted"], 3);
    bench.run("put -r tree s3://bench/p/ --update --delete").ok().says(&["4 unchanged"]);
}

#[test]
fn an_object_that_is_written_after_the_listing_stays() {
    // Some servers refuse the condition; then a HEAD compares.
    for knows_conditions in [true, false] {
        let bench = bench();
        let newer = bench.meanwhile(|sandbox| sandbox.s3().put_plain(BUCKET, "p/gone", b"newer"));
        bench.sandbox.fault(Fault::on("PutObject", newer));
        if !knows_conditions {
            for key in ["p/gone", "b/gone", "z/gone"] {
                let refuses = Kind::status(501, "NotImplemented", "A header is not implemented.");
                bench.sandbox.fault(Fault::on("DeleteObject", refuses).only(key));
            }
        }
        let ended = bench.run("put -r tree s3://bench/p/ --delete --yes -v -j 1").ok();
        ended.says(&["skipped: s3://bench/p/gone: it was written meanwhile", "2 deleted"]);
        assert_eq!(bench.object("p/gone").plaintext.unwrap(), b"newer");
        bench.assert_keys(&["p/a", "p/b/c", "p/b/d", "p/e", "p/gone", "q/other"]);
    }
}

#[test]
fn an_object_that_is_gone_before_its_turn_counts_as_deleted() {
    let bench = bench();
    let gone = bench.meanwhile(|sandbox| {
        let version = sandbox.s3().object(BUCKET, "p/gone").unwrap().version_id;
        sandbox.s3().try_delete(BUCKET, "p/gone", &version, false).unwrap();
    });
    bench.sandbox.fault(Fault::on("PutObject", gone));
    bench.run("put -r tree s3://bench/p/ --delete --yes").ok().says(&["3 deleted"]);
}

#[test]
fn an_object_whose_listing_has_no_etag_stays() {
    let bench = bench();
    let nameless = Kind::tamper(|_, answer| {
        let text = answer.text();
        let (before, after) = text.split_once("<Key>p/gone</Key>").unwrap();
        let (before, etag) = before.rsplit_once("<ETag>").unwrap();
        let (_, within) = etag.split_once("</ETag>").unwrap();
        answer.set_body(format!("{before}{within}<Key>p/gone</Key>{after}"));
    });
    bench.sandbox.fault(Fault::on("ListObjectsV2", nameless).always());
    let ended = bench.run("put -r tree s3://bench/p/ --delete --yes -v").ok();
    ended.says(&["skipped: s3://bench/p/gone: its listing has no ETag", "2 deleted"]);
}

#[test]
fn a_bucket_with_versions_keeps_what_was_deleted() {
    let bench = bench();
    bench.sandbox.s3().set_versioning(BUCKET);
    bench.run("put -r tree s3://bench/p/ --delete --yes").ok();
    let versions = bench.sandbox.s3().versions(BUCKET, "p/gone");
    assert_eq!(versions.len(), 2);
    assert!(versions[0].delete_marker || versions[1].delete_marker);
}

#[test]
fn instruction_files_and_directories_stay_as_long_as_what_they_are_for() {
    let bench = Bench::new();
    bench.write("key", &key(7));
    for name in ["a", "a-b", "dir/c", "gone"] {
        write(&bench.path(&format!("tree/{name}")), b"text");
    }
    let flags = "--key key --instruction-file";
    bench.run(&format!("put -r tree s3://bench/p/ {flags}")).ok();
    for marker in ["p/", "p/dir/", "p/old/"] {
        bench.sandbox.s3().put_plain(BUCKET, marker, b"");
    }
    fs::remove_file(bench.path("tree/gone")).unwrap();
    // Without the flag the envelopes of objects that stay are needed as well.
    bench.run("put -r tree s3://bench/p/ --update --delete --yes --key key").ok().says(&["3 deleted"]);
    bench.assert_keys(&[
        "p/",
        "p/a",
        "p/a-b",
        "p/a-b.instruction",
        "p/a.instruction",
        "p/dir/",
        "p/dir/c",
        "p/dir/c.instruction",
    ]);
}

#[test]
fn the_instruction_file_of_another_reader_stays_with_its_object() {
    let bench = Bench::new();
    bench.write("key", &key(7));
    bench.write("other", &key(8));
    for name in ["a.tar", "b", "gone"] {
        let path = bench.path(&format!("tree/{name}"));
        write(&path, b"text");
        // Old, so that no upload makes new data keys.
        File::options().write(true).open(path).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
    }
    bench.run("put -r tree s3://bench/p/ --key key --instruction-file").ok();
    for name in ["a.tar", "gone"] {
        let to = "--share-to partner --key other --from-key key --yes";
        bench.run(&format!("rotate s3://bench/p/{name} {to}")).ok();
    }
    fs::remove_file(bench.path("tree/gone")).unwrap();
    // A name alone makes no instruction file.
    for name in ["p/a.tar.old", "p/b.partner"] {
        bench.sandbox.s3().put_plain(BUCKET, name, b"{}");
    }
    bench.sandbox.clear_requests();
    let line = "put -r tree s3://bench/p/ --update --delete --yes --max-delete 100% --key key";
    bench.run(line).ok().says(&["5 deleted"]);
    bench.assert_keys(&["p/a.tar", "p/a.tar.instruction", "p/a.tar.partner", "p/b", "p/b.instruction"]);
    let read: Vec<_> = bench.requests("GetObject").into_iter().map(|request| request.path).collect();
    assert_eq!(read, ["/bench/p/a.tar.old", "/bench/p/a.tar.partner", "/bench/p/b.partner"]);
    bench.run("get s3://bench/p/a.tar copy --key other --instruction-suffix partner").ok();
}

#[test]
fn files_without_an_object_go_and_nothing_outside_the_directory() {
    let bench = bench();
    write(&bench.path("elsewhere/precious"), b"mine");
    symlink("../elsewhere", bench.path("tree/link")).unwrap();
    symlink("../elsewhere/precious", bench.path("tree/file-link")).unwrap();
    write(&bench.path("tree/.e.s3seal-x1y2z3"), b"another run is writing it");
    bench.program("mkfifo", ["tree/pipe"]).run().ok();
    let ended = bench.run("get -r s3://bench/p/ tree --delete --yes -v").ok();
    ended.says(&["deleted: tree/e", "fetched: 6 objects", "1 deleted"]);
    assert!(!bench.path("tree/e").exists());
    for name in ["elsewhere/precious", "tree/link", "tree/file-link", "tree/.e.s3seal-x1y2z3", "tree/pipe"] {
        assert!(fs::symlink_metadata(bench.path(name)).is_ok(), "{name}");
    }
    let rows = bench.run("get -r s3://bench/q/ tree --delete --yes --max-delete 6 --json").ok().documents();
    let deleted = rows.iter().filter(|row| row["record"] == "deleted");
    assert_eq!(deleted.count(), 6);
    assert!(!bench.path("tree/b/c").exists() && bench.path("tree/other").exists());
}

#[test]
fn more_than_half_goes_only_where_that_is_allowed() {
    let bench = bench();
    fs::remove_file(bench.path("tree/a")).unwrap();
    for line in [
        "put -r tree s3://bench/p/ --delete --yes",
        "put -r tree s3://bench/p/ --delete --yes --max-delete 3",
    ] {
        let ended = bench.run(line).exits(8);
        let ended = ended.says(&["error: 4 of 6 below s3://bench/p/ would be deleted"]);
        ended.says(&["--max-delete 4 allows it", "--dry-run shows what would be deleted"]);
    }
    assert_eq!(bench.requests("PutObject").len() + bench.requests("DeleteObject").len(), 0);
    let planned = bench.run("put -r tree s3://bench/p/ --delete --dry-run").exits(8);
    let planned = planned.says(&["would delete: s3://bench/p/a", "--max-delete 4 allows it"]);
    assert!(!planned.stderr.contains("--dry-run"), "{}", planned.stderr);
    bench.run("put -r tree s3://bench/p/ --delete --yes --max-delete 4").ok();
    bench.assert_keys(&["p/b/c", "p/b/d", "p/e", "q/other"]);
    for name in ["1", "2", "3", "4", "5"] {
        write(&bench.path(&format!("tree/{name}")), b"here only");
    }
    let ended = bench.run("get -r s3://bench/p/ tree --delete --yes").exits(8);
    ended.says(&["5 of 8 below the folder tree would be deleted"]);
    assert!(bench.path("tree/5").exists());
    bench.run("get -r s3://bench/p/ tree --delete --yes --max-delete 70%").ok().says(&["5 deleted"]);
}

#[test]
fn nothing_goes_if_something_could_not_be_read_or_stored() {
    let bench = bench();
    symlink("nowhere", bench.path("tree/broken")).unwrap();
    let ended = bench.run("put -r tree s3://bench/p/ --delete --yes").exits(9);
    ended.says(&["nothing will be deleted: 1 file in tree cannot be read"]);
    bench.run("put -r tree s3://bench/p/ --delete --yes --skip-broken-links --dry-run").ok();
    fs::remove_file(bench.path("tree/broken")).unwrap();
    let denied = s3seal_sandbox::Kind::status(403, "AccessDenied", "Access Denied");
    bench.sandbox.fault(s3seal_sandbox::Fault::on("PutObject", denied).only("p/a"));
    let ended = bench.run("put -r tree s3://bench/p/ --delete --yes").exits(9);
    ended.says(&["nothing deleted, because of the failures named above"]);
    assert_eq!(bench.requests("DeleteObject").len(), 0);
}

#[test]
fn nothing_goes_for_a_source_that_is_empty() {
    let bench = bench();
    fs::create_dir(bench.path("empty")).unwrap();
    bench.run("put -r empty s3://bench/p/ --delete --yes").exits(8);
    bench
        .run("put -r empty s3://bench/p/ --delete --yes --max-delete 100%")
        .exits(3)
        .says(&["no files under empty"]);
    // Nor for one that has only what cannot be stored, or a folder object that stayed of a prefix.
    bench.program("mkfifo", ["empty/pipe"]).run().ok();
    let ended = bench.run("put -r empty s3://bench/p/ --delete --yes --max-delete 100%").exits(3);
    let ended = ended.says(&["error: no files under empty", "1 skipped"]);
    assert!(!ended.stderr.contains("hint:"), "{}", ended.stderr);
    bench.sandbox.s3().put_plain(BUCKET, "slap/", b"");
    for prefix in ["slip", "slap"] {
        bench.run(&format!("get -r s3://bench/{prefix}/ tree --delete --yes --max-delete 100%")).exits(3);
    }
    assert_eq!(bench.requests("DeleteObject").len(), 0);
    assert!(bench.path("tree/a").exists());
}

#[test]
fn without_a_terminal_it_takes_a_yes() {
    let bench = bench();
    for line in ["put -r tree s3://bench/p/ --delete", "get -r s3://bench/p/ tree --delete"] {
        bench.run(line).exits(2).says(&["there is no terminal to ask at", "--yes goes on without asking"]);
    }
    assert_eq!(bench.requests("PutObject").len() + bench.requests("DeleteObject").len(), 0);
    assert!(bench.path("tree/e").exists());
}

#[test]
fn a_denied_deletion_is_a_failure_of_that_object() {
    let bench = bench();
    let denied = s3seal_sandbox::Kind::status(403, "AccessDenied", "Access Denied");
    bench.sandbox.fault(s3seal_sandbox::Fault::on("DeleteObject", denied).only("z/gone"));
    let ended = bench.run("put -r tree s3://bench/p/ --delete --yes").exits(9);
    ended.says(&[
        "failed: access to s3://bench/p/z/gone is denied",
        "2 deleted",
        "1 of 7 objects were not stored or deleted",
    ]);
}

#[test]
fn the_object_of_a_file_that_has_become_a_directory_goes() {
    let bench = bench();
    for name in ["elsewhere/in", "tree/plain/in"] {
        write(&bench.path(name), b"new");
    }
    symlink("../elsewhere", bench.path("tree/linked")).unwrap();
    for name in ["p/plain", "p/linked"] {
        bench.sandbox.s3().put_plain(BUCKET, name, b"of a file");
    }
    // The object of a file that appears meanwhile stays, and that of a directory goes.
    let folder = bench.path("tree");
    let appear = Kind::then(move || {
        write(&folder.join("gone"), b"late");
        write(&folder.join("b/gone/in"), b"late");
    });
    bench.sandbox.fault(Fault::on("PutObject", appear));
    let ended = bench.run("put -r tree s3://bench/p/ --delete --yes --max-delete 100% -v").ok();
    ended.says(&[
        "deleted: s3://bench/p/plain",
        "deleted: s3://bench/p/linked",
        "deleted: s3://bench/p/b/gone",
        "skipped: s3://bench/p/gone: its file has appeared meanwhile",
        "4 deleted",
    ]);
    for name in ["p/plain", "p/linked", "p/b/gone"] {
        assert!(bench.sandbox.s3().object(BUCKET, name).is_none(), "{name}");
    }
    assert!(bench.sandbox.s3().object(BUCKET, "p/linked/in").is_some());
}

#[test]
fn the_folder_object_of_a_directory_that_has_appeared_meanwhile_stays() {
    let bench = bench();
    bench.sandbox.s3().put_plain(BUCKET, "p/later/", b"");
    let later = bench.path("tree/later");
    let appear = Kind::then(move || fs::create_dir(&later).unwrap());
    bench.sandbox.fault(Fault::on("PutObject", appear));
    let ended = bench.run("put -r tree s3://bench/p/ --delete --yes --max-delete 4 -v").ok();
    ended.says(&["skipped: s3://bench/p/later/: its file has appeared meanwhile", "3 deleted"]);
}

#[test]
fn a_file_that_is_written_after_it_was_found_stays() {
    let bench = bench();
    for name in ["tree/extra", "tree/late"] {
        write(&bench.path(name), b"old");
    }
    let (extra, late) = (bench.path("tree/extra"), bench.path("tree/late"));
    let sandbox = bench.sandbox.clone();
    // While the objects are fetched, one file is written, and for the other there is an object.
    let meanwhile = Kind::then(move || {
        fs::write(&extra, b"new").unwrap();
        sandbox.s3().put_plain(BUCKET, "p/late", b"fetched");
    });
    bench.sandbox.fault(Fault::on("ListObjectsV2", meanwhile).skip(1));
    let ended = bench.run("get -r s3://bench/p/ tree --delete --yes --max-delete 100% -v").ok();
    ended.says(&["something else wrote to it meanwhile"]);
    assert_eq!(bench.read("tree/extra"), b"new");
    assert_eq!(fs::read(late).unwrap(), b"fetched");
    assert!(!bench.path("tree/e").exists());
}
