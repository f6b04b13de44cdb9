//! `--verify`: what it reads, what it finds, and what it says of an object that it finds damaged.

use s3seal_sandbox::Sandbox;

use crate::support::{BUCKET, Bench};
use crate::{OBJECT, assert_opens, bench, rsa, stored};

const PLAIN_LEN: usize = 100_000;

/// How an object is stored, how it is rotated to a public key, and how it opens afterwards.
const TO_PUBLIC_KEY: [(&str, &str, &str); 6] = [
    ("", "--rewrap", ""),
    ("--instruction-file", "--rewrap", ""),
    ("--instruction-file", "--share-to partner", "--instruction-suffix partner"),
    ("", "-e client --new-data-key", ""),
    ("", "-e client --format s3ec-v2", "--allow-legacy v2"),
    ("", "-e client --format esdk --frame-length 4096", ""),
];

/// Damages the stored bytes as a writer can who has no key: S3's checksum is of the damaged bytes.
fn damage(bench: &Bench) {
    damage_stored(&bench.sandbox);
}

fn damage_stored(sandbox: &Sandbox) {
    let s3 = sandbox.s3();
    s3.tamper_body(BUCKET, "o", |bytes| bytes[PLAIN_LEN / 2] ^= 1);
    s3.set_checksum_of(BUCKET, "o", &s3.object(BUCKET, "o").unwrap().plaintext.unwrap());
}

#[test]
fn an_object_for_a_public_key_is_read_and_verified_with_its_data_key() {
    for (before, flags, opens) in TO_PUBLIC_KEY {
        let bench = bench();
        rsa(&bench);
        let content = stored(&bench, PLAIN_LEN, &format!("-e client --key a.key {before}"));
        bench.sandbox.clear_requests();
        let line =
            format!("rotate {OBJECT} {flags} --public-key new.pem --from-key a.key --verify --yes --json");
        let told = bench.run(&line).ok().json();
        assert_eq!((&told["verified"], &told["intact"]), (&true.into(), &true.into()), "{flags}");
        let read: u64 = bench.requests("GetObject").iter().map(|request| request.bytes_out).sum();
        assert!(read >= PLAIN_LEN as u64, "{flags}: {read} bytes");
        assert_opens(&bench, &format!("--private-key old.pem {opens}"), &content);
    }
}

#[test]
fn reading_with_the_data_key_is_not_called_opening_with_the_new_key() {
    let bench = bench();
    rsa(&bench);
    stored(&bench, PLAIN_LEN, "-e client --key a.key");
    let line = format!("rotate {OBJECT} --rewrap --public-key new.pem --from-key a.key --verify --yes");
    let stderr = bench.run(&line).ok().says(&["verified"]).stderr;
    assert!(!stderr.contains("opens with the new key") && !stderr.contains("content not read"), "{stderr}");
}

#[test]
fn a_damaged_object_is_found_under_every_new_key_and_its_new_envelope_is_named() {
    for (before, flags, says) in [
        ("", "--rewrap --public-key new.pem", "under the new key now"),
        ("", "--rewrap --key b.key", "under the new key now"),
        ("--instruction-file", "--rewrap --public-key new.pem", "under the new key now"),
        (
            "--instruction-file",
            "--share-to partner --public-key new.pem",
            "the instruction file for another reader was written",
        ),
    ] {
        let bench = bench();
        rsa(&bench);
        stored(&bench, PLAIN_LEN, &format!("-e client --key a.key {before}"));
        damage(&bench);
        let line = format!("rotate {OBJECT} {flags} --from-key a.key --yes");
        bench.run(&format!("{line} --verify")).exits(6).says(&[says]);
    }
}

#[test]
fn damage_after_re_encryption_to_a_public_key_is_found() {
    for format in ["s3ec", "esdk"] {
        let bench = bench();
        rsa(&bench);
        stored(&bench, PLAIN_LEN, "-e client --key a.key");
        let rot = bench.meanwhile(|sandbox| {
            sandbox.s3().tamper_body(BUCKET, "o", |bytes| bytes[PLAIN_LEN / 2] ^= 1);
        });
        bench.sandbox.fault(s3seal_sandbox::Fault::on("HeadObject", rot).skip(1));
        let flags = format!("-e client --format {format} --new-data-key --public-key new.pem");
        bench.run(&format!("rotate {OBJECT} {flags} --from-key a.key --verify --yes")).exits(6);
    }
}

/// How an object is stored, and how it is rotated to another key that this machine has.
const TO_ANOTHER_KEY: [(&str, &str); 5] = [
    ("-e client --key a.key", "--rewrap --key b.key --from-key a.key"),
    ("-e client --key a.key --instruction-file", "--rewrap --key b.key --from-key a.key"),
    ("-e client --key a.key", "-e client --key b.key --new-data-key --from-key a.key"),
    ("-e client --key a.key", "-e client --key b.key --format esdk --from-key a.key"),
    ("-e client --key a.key", "-e client --key b.key --format s3ec-v2 --from-key a.key"),
];

#[test]
fn damage_that_verify_found_is_found_again_by_the_same_command() {
    for (before, flags) in TO_ANOTHER_KEY {
        for (place, exit) in [(OBJECT, 6), ("s3://bench/", 9)] {
            let bench = bench();
            stored(&bench, PLAIN_LEN, before);
            let heads = if flags.contains("--rewrap") && !before.contains("file") { 2 } else { 1 };
            let rot = bench.meanwhile(damage_stored);
            bench.sandbox.fault(s3seal_sandbox::Fault::on("HeadObject", rot).only("o").skip(heads));
            let line = format!("rotate {place} {flags} --yes --verify");
            for _ in 0..3 {
                bench.run(&line).exits(exit).says(&["s3://bench/o cannot be trusted"]);
            }
        }
    }
}

#[test]
fn what_was_rotated_without_verify_is_read_by_the_same_command_with_it() {
    let server_side = [
        ("-e sse-s3", "-e sse-c --sse-c-key a.key"),
        ("-e sse-s3", "-e sse-kms --kms-key alias/backup --context a=b"),
    ];
    for (before, flags) in TO_ANOTHER_KEY.into_iter().chain(server_side) {
        for (place, exit) in [(OBJECT, 6), ("s3://bench/", 9)] {
            let bench = bench();
            stored(&bench, PLAIN_LEN, before);
            let line = format!("rotate {place} {flags} --journal j --yes");
            bench.run(&line).ok();
            let etag = bench.object("o").etag;
            // The bytes and nothing else: S3 names the ETag of before.
            bench.sandbox.s3().tamper_body(BUCKET, "o", |bytes| bytes[PLAIN_LEN / 2] ^= 1);
            for _ in 0..2 {
                bench.run(&format!("{line} --verify")).exits(exit);
            }
            assert_eq!(bench.object("o").etag, etag, "{flags}: written again");
        }
    }
}

#[test]
fn what_was_verified_is_not_read_again() {
    let bench = bench();
    let flags = "-e client --key b.key --new-data-key --from-key a.key --journal j --yes";
    for (place, reads) in [("s3://bench/", [1, 0]), (OBJECT, [1, 1])] {
        stored(&bench, PLAIN_LEN, "-e client --key a.key");
        let _ = std::fs::remove_file(bench.path("j"));
        let line = format!("rotate {place} {flags}");
        bench.run(&line).ok();
        let etag = bench.object("o").etag;
        for reads in reads {
            bench.sandbox.clear_requests();
            bench.run(&format!("{line} --verify")).ok();
            assert_eq!(bench.requests("GetObject").len(), reads, "{place}");
        }
        assert_eq!(bench.object("o").etag, etag, "{place}: written again");
    }
}

#[test]
fn an_object_already_under_a_public_key_is_verified_with_its_private_key_or_not_at_all() {
    let bench = bench();
    rsa(&bench);
    stored(&bench, PLAIN_LEN, "-e client --key a.key");
    let line = format!("rotate {OBJECT} --rewrap --public-key new.pem --from-key a.key --yes");
    bench.run(&line).ok();
    bench.run(&line).ok().says(&["already done"]);
    bench.run(&format!("{line} --verify")).exits(5).says(&["--from-private-key"]);
    bench
        .run(&format!("{line} --verify --from-private-key old.pem"))
        .ok()
        .says(&["already done", "verified"]);
    damage(&bench);
    bench.run(&format!("{line} --verify --from-private-key old.pem")).exits(6);
}

#[test]
fn an_object_that_only_names_the_new_public_key_is_not_called_opened_by_it() {
    let bench = bench();
    rsa(&bench);
    let pair = [bench.read("old.pem"), bench.read("new.pem")];
    bench.write("first.pem", &pair[0]);
    bench.write("first-public.pem", &pair[1]);
    rsa(&bench);
    stored(&bench, 10, "-e client --public-key new.pem");
    let named = bench.object("o").metadata["x-amz-m"].clone();
    stored(&bench, 10, "-e client --public-key first-public.pem");
    let mut metadata = bench.object("o").metadata;
    assert_ne!(metadata.insert("x-amz-m".to_owned(), named.clone()), Some(named));
    bench.sandbox.s3().set_metadata(BUCKET, "o", metadata);
    let line =
        format!("rotate {OBJECT} --rewrap --public-key new.pem --from-private-key first.pem --yes --verify");
    bench.run(&line).exits(6).says(&["its envelope names the new key, and another key opens it"]);
}
