//! Sealed bytes and their envelope, changed behind the program's back: refused, and nothing is handed out.

use std::collections::BTreeMap;

use crate::support::keys::KnownKey;
use crate::support::{BUCKET, Bench, PART, bytes};

const SIZE: usize = PART + 1000;

fn sealed(flags: &str) -> Bench {
    let bench = Bench::new();
    bench.write("key", &KnownKey::new(1).0);
    bench.write("source", &bytes(SIZE));
    bench.run(&format!("put source s3://bench/object -e client --key key {flags} --part-size 5MiB")).ok();
    bench.write("copy", b"old");
    bench
}

/// To a file and to standard output, with and without the checksum that S3 keeps.
#[track_caller]
fn is_refused(bench: &Bench, flags: &str, what: &str) {
    for target in ["copy", "-"] {
        let ended = bench.run(&format!("get s3://bench/object {target} --key key {flags} --part-size 5MiB"));
        assert!([Some(5), Some(6)].contains(&ended.code()), "{what}: {:?} {}", ended.code(), ended.stderr);
        ended.writes_nothing().says(&["s3://bench/object"]);
    }
    assert_eq!(bench.read("copy"), b"old", "{what}");
    bench.assert_tidy(&["copy", "key", "source"]);
}

/// Changes the sealed bytes, and lets S3's checksum fit the change: only the seal can tell.
fn tamper(bench: &Bench, change: impl Fn(&mut Vec<u8>) + Send + 'static) {
    let mut body = bench.object("object").plaintext.unwrap();
    change(&mut body);
    bench.sandbox.s3().set_checksum_of(BUCKET, "object", &body);
    bench.sandbox.s3().tamper_body(BUCKET, "object", change);
}

#[test]
fn a_flipped_byte_anywhere_is_refused() {
    for (put, get) in [("", ""), ("--format s3ec-v2", "--allow-legacy v2")] {
        let bench = sealed(put);
        // The first, one in the middle, the last of the content, the first and the last of the tag.
        for place in [0, SIZE / 2, SIZE - 1, SIZE, SIZE + 15] {
            tamper(&bench, move |body| body[place] ^= 1);
            is_refused(&bench, get, &format!("byte {place} {put}"));
            tamper(&bench, move |body| body[place] ^= 1);
        }
        bench.run(&format!("get s3://bench/object copy --key key {get}")).ok();
    }
}

#[test]
fn a_cut_at_any_point_is_refused() {
    for (put, get) in [("", ""), ("--format s3ec-v2", "--allow-legacy v2")] {
        for len in [0, 1, 15, 16, 17, PART, SIZE - 1, SIZE, SIZE + 15] {
            let bench = sealed(put);
            tamper(&bench, move |body| body.truncate(len));
            is_refused(&bench, get, &format!("cut to {len} {put}"));
        }
    }
}

#[test]
fn bytes_added_or_swapped_are_refused() {
    let bench = sealed("");
    tamper(&bench, |body| body.push(0));
    is_refused(&bench, "", "one byte more");
    tamper(&bench, |body| body.truncate(SIZE + 16));
    tamper(&bench, |body| body.swap(7, 700_000));
    is_refused(&bench, "", "swapped");
}

#[test]
fn a_change_of_the_envelope_is_refused() {
    for (put, get) in [("", ""), ("--format s3ec-v2", "--allow-legacy v2")] {
        let bench = sealed(put);
        let honest = bench.object("object").metadata;
        let names = honest.keys().filter(|name| {
            !["mtime", "x-amz-unencrypted-content-length", "x-amz-m", "x-amz-matdesc"]
                .contains(&name.as_str())
        });
        for name in names {
            for (what, value) in changes(&honest[name]) {
                let mut changed = honest.clone();
                match value {
                    Some(value) => changed.insert(name.clone(), value),
                    None => changed.remove(name),
                };
                bench.sandbox.s3().set_metadata(BUCKET, "object", changed);
                is_refused(&bench, get, &format!("{name} {what} {put}"));
            }
        }
        bench.sandbox.s3().set_metadata(BUCKET, "object", honest);
        bench.run(&format!("get s3://bench/object copy --key key {get}")).ok();
    }
}

/// Another first letter, one less, nothing, no entry at all.
fn changes(value: &str) -> Vec<(&'static str, Option<String>)> {
    let first = if value.starts_with('A') { "B" } else { "A" };
    vec![
        ("flipped", Some(format!("{first}{}", &value[1..]))),
        ("cut", Some(value[..value.len() - 1].to_owned())),
        ("emptied", Some(String::new())),
        ("removed", None),
    ]
}

#[test]
fn an_object_that_lost_its_whole_envelope_is_not_taken_for_plain() {
    let bench = sealed("");
    bench.sandbox.s3().set_metadata(BUCKET, "object", BTreeMap::new());
    is_refused(&bench, "", "no envelope");
    let ended = bench.run("get s3://bench/object - -e client --key key").exits(8);
    ended.writes_nothing();
}

#[test]
fn the_envelope_of_another_object_is_refused() {
    for (put, get) in [("", ""), ("--format s3ec-v2", "--allow-legacy v2")] {
        let bench = sealed(put);
        bench.run(&format!("put source s3://bench/other -e client --key key {put}")).ok();
        let other = bench.object("other").metadata;
        bench.sandbox.s3().set_metadata(BUCKET, "object", other);
        is_refused(&bench, get, &format!("another's envelope {put}"));
    }
}

#[test]
fn an_older_format_relabelled_as_the_newer_one_is_refused_and_the_other_way_round() {
    let bench = sealed("--format s3ec-v2");
    bench.run("put source s3://bench/new -e client --key key").ok();
    let (old, new) = (bench.object("object").metadata, bench.object("new").metadata);
    let mut both = old.clone();
    both.extend(new.clone());
    for (what, metadata) in [("both", both), ("the newer", new)] {
        bench.sandbox.s3().set_metadata(BUCKET, "object", metadata);
        is_refused(&bench, "--allow-legacy v2", what);
    }
}

#[test]
fn the_checksum_of_s3_is_no_substitute_for_the_seal() {
    // And the other way round: a server that remembers another checksum is told, though the seal is whole.
    let bench = sealed("");
    bench.sandbox.s3().set_checksum_of(BUCKET, "object", b"other");
    is_refused(&bench, "", "another checksum");
}
