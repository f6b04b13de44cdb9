//! Downloads: neither what is on disk nor what the server says of it is believed.

use std::fs;
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt};

use crate::get::{FILES, MODES, cut_off, fetched, is_whole, left, line, store, stored};
use crate::support::{BUCKET, PART, assert_same, at_once, bytes, write_private};
use crate::{SIZE, records};

#[test]
fn another_object_under_the_name_is_fetched_anew() {
    at_once(&MODES, |&(put, get)| {
        let bench = stored(put);
        cut_off(&bench, &line(get), 3, "KILL");
        let mut other = bytes(SIZE);
        other.reverse();
        bench.write("source", &other);
        store(&bench, put);
        bench.sandbox.clear_requests();
        bench.run(&line(get)).ok();
        assert!(fetched(&bench) >= SIZE, "{put}");
        assert_same(&bench.read("copy"), &other, put);
        assert!(records(&bench).is_empty());
        bench.assert_tidy(&FILES);
    });
}

#[test]
fn two_messages_under_one_etag_do_not_become_one_file() {
    at_once(&MODES[3..5], |&(put, get)| {
        let bench = stored(put);
        cut_off(&bench, &line(get), 3, "KILL");
        let mut other = bytes(SIZE);
        other.reverse();
        bench.write("source", &other);
        bench.run(&format!("put source s3://bench/other {put}")).ok();
        let theirs = bench.object("other").plaintext.unwrap();
        assert_eq!(theirs.len(), bench.object("object").plaintext.unwrap().len());
        bench.sandbox.s3().set_checksum_of(BUCKET, "object", &theirs);
        bench.sandbox.s3().tamper_body(BUCKET, "object", move |body| *body = theirs);
        let found = bench.run(&format!("{} --json", line(get))).ok().json();
        assert_eq!(found["checksum"]["verified"], true, "{put}: {found}");
        assert_same(&bench.read("copy"), &other, put);
        assert!(records(&bench).is_empty());
        bench.assert_tidy(&FILES);
    });
}

#[test]
fn bytes_that_changed_on_disk_are_fetched_again() {
    at_once(&MODES, |&(put, get)| {
        let bench = stored(put);
        cut_off(&bench, &line(get), 3, "KILL");
        let file = left(&bench).remove(0);
        let mut content = fs::read(&file).unwrap();
        content[PART + 5] ^= 1;
        fs::write(&file, content).unwrap();
        bench.run(&line(get)).ok();
        is_whole(&bench);
    });
}

#[test]
fn a_foreign_file_in_the_place_of_the_temporary_one_is_not_used_and_not_removed() {
    at_once(&[MODES[0], MODES[3]], |&(put, get)| {
        let bench = stored(put);
        cut_off(&bench, &line(get), 3, "KILL");
        let file = left(&bench).remove(0);
        let content = fs::read(&file).unwrap();
        // Kept, so that the new file has another number.
        fs::rename(&file, bench.path("moved")).unwrap();
        fs::write(&file, &content).unwrap();
        bench.run(&line(get)).ok();
        assert!(fetched(&bench) >= SIZE);
        assert_same(&bench.read("copy"), &bytes(SIZE), put);
        assert_same(&fs::read(&file).unwrap(), &content, "the foreign file");
        assert!(records(&bench).is_empty());
    });
}

#[test]
fn a_record_that_names_a_file_of_the_user_neither_removes_nor_takes_it() {
    let names =
        ["folder/valuable", "valuable", ".other.s3seal-aB3dEf", ".copy.s3seal-", ".copy.s3seal-linked"];
    let cases: Vec<_> =
        names.into_iter().flat_map(|name| ["", "--no-resume"].map(|again| (name, again))).collect();
    at_once(&cases, |&(name, again)| {
        let bench = stored("");
        cut_off(&bench, &line(""), 3, "KILL");
        fs::create_dir(bench.path("folder")).unwrap();
        let valuable = bench.write("folder/valuable", b"not of s3seal");
        fs::set_permissions(&valuable, fs::Permissions::from_mode(0o600)).unwrap();
        let foreign = bench.path(name);
        if name.ends_with("linked") {
            fs::hard_link(&valuable, &foreign).unwrap();
        } else {
            fs::rename(&valuable, &foreign).unwrap();
        }
        let record = records(&bench).remove(0);
        let text = fs::read_to_string(&record).unwrap();
        let (first, rest) = text.split_once('\n').unwrap();
        let mut content: serde_json::Value = serde_json::from_str(first).unwrap();
        let metadata = fs::metadata(&foreign).unwrap();
        content["file"] =
            serde_json::json!({ "path": foreign, "device": metadata.dev(), "inode": metadata.ino() });
        fs::write(&record, format!("{content}\n{rest}")).unwrap();
        bench.run(&format!("{} {again}", line(""))).ok();
        assert_same(&bench.read("copy"), &bytes(SIZE), name);
        assert_eq!(fs::read(&foreign).unwrap(), b"not of s3seal", "{name} {again}");
        assert!(records(&bench).is_empty());
    });
}

#[test]
fn what_was_added_behind_the_end_of_the_temporary_file_does_not_stay() {
    at_once(&MODES, |&(put, get)| {
        let bench = stored(put);
        cut_off(&bench, &line(get), 3, "KILL");
        let file = fs::File::options().write(true).open(left(&bench).remove(0)).unwrap();
        file.write_all_at(b"tail", SIZE as u64).unwrap();
        bench.run(&line(get)).ok();
        is_whole(&bench);
    });
}

#[test]
fn a_link_in_the_place_of_the_temporary_file_is_not_followed() {
    let bench = stored("");
    cut_off(&bench, &line(""), 3, "KILL");
    let file = left(&bench).remove(0);
    fs::rename(&file, bench.path("moved")).unwrap();
    std::os::unix::fs::symlink("moved", &file).unwrap();
    bench.run(&line("")).ok();
    assert_eq!(fetched(&bench), SIZE);
    assert_same(&bench.read("copy"), &bytes(SIZE), "file");
}

#[test]
fn a_record_that_is_cut_short_or_forged_does_no_harm() {
    let bench = stored("-e client --key key");
    cut_off(&bench, &line("--key key"), 3, "KILL");
    let record = records(&bench).remove(0);
    let whole = fs::read_to_string(&record).unwrap();
    let file = left(&bench).remove(0);
    let content = fs::read(&file).unwrap();
    let cases = [
        String::new(),
        whole[..whole.len() / 3].to_owned(),
        whole[..whole.len() - 10].to_owned(),
        whole.replace("\"start\":0", "\"start\":1"),
        whole.replace("\"end\":", "\"end\":9"),
        whole.replace("\"sum\":\"", "\"sum\":\"A"),
    ];
    for text in cases {
        write_private(&record, text.as_bytes());
        bench.write("copy", b"old");
        bench.run(&line("--key key")).ok();
        assert_same(&bench.read("copy"), &bytes(SIZE), "file");
        fs::write(&file, &content).unwrap();
    }
}
