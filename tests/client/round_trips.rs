//! Sealed with each kind of key, in each format, opened again.

use std::process::Command;

use crate::support::keys::KnownKey;
use crate::support::{ALIAS, BUCKET, Bench, PART, assert_same, bytes};

/// Around the edges of blocks and of parts: with its tag an object is sixteen bytes longer than its content.
const SIZES: [usize; 10] = [0, 1, 15, 16, 17, PART - 17, PART - 16, PART - 15, PART + 1, 2 * PART + 12_345];

fn bench() -> Bench {
    let bench = Bench::new();
    bench.write("key", &KnownKey::new(1).0);
    bench.write("words", b"correct horse battery staple\n");
    bench
}

fn comes_back(bench: &Bench, put: &str, get: &str, sizes: &[usize]) {
    for &size in sizes {
        let content = bytes(size);
        bench.write("source", &content);
        bench.run(&format!("put source s3://bench/object -e client {put} --part-size 5MiB")).ok();
        let object = bench.object("object");
        assert_eq!(object.size, size as u64 + 16, "{put}");
        if size > 1000 {
            let plain = object.plaintext.unwrap();
            assert_ne!(plain[64..128], content[64..128], "S3 was given the content in the clear");
        }
        // Who has the public key can seal, so a private key proves less.
        let proven = if get.contains("--private-key") { "intact" } else { "authenticated" };
        bench.run(&format!("get s3://bench/object copy {get} --part-size 5MiB")).ok().says(&[proven]);
        assert_same(&bench.read("copy"), &content, put);
        let ended = bench.run(&format!("get s3://bench/object - {get} --part-size 5MiB")).ok();
        assert_same(&ended.stdout, &content, put);
    }
    assert_eq!(bench.sandbox.s3().uploads(), []);
}

#[test]
fn with_an_aes_key_every_size_comes_back() {
    let bench = bench();
    comes_back(&bench, "--format s3ec --key key", "--key key", &SIZES);
}

#[test]
fn in_the_older_format_every_size_comes_back_if_that_is_allowed() {
    let bench = bench();
    comes_back(&bench, "--format s3ec-v2 --key key", "--key key --allow-legacy v2", &SIZES);
    let refused = bench.run("get s3://bench/object - --key key");
    refused.exits(2).writes_nothing().says(&["--allow-legacy v2"]);
}

#[test]
fn with_a_kms_key_and_its_context_it_comes_back() {
    let bench = bench();
    for format in ["s3ec", "s3ec-v2 --context team=a --context use=b"] {
        let put = format!("--kms-key {ALIAS} --format {format}");
        let context = if format.contains("team") { "--context team=a --context use=b" } else { "" };
        comes_back(
            &bench,
            &put,
            &format!("--kms-key {ALIAS} --allow-legacy v2 {context}"),
            &[0, 1000, PART + 1],
        );
    }
    let used = bench.sandbox.kms().uses();
    assert!(used.iter().any(|used| used.context.get("team").is_some_and(|team| team == "a")));
    for used in used.iter().filter(|used| !used.via_s3) {
        let foreign = |name: &&String| !["team", "use", "aws:x-amz-cek-alg"].contains(&name.as_str());
        assert_eq!(used.context.keys().find(foreign), None, "nothing of ours belongs in the context");
    }
}

#[test]
fn with_an_rsa_key_who_seals_need_not_be_able_to_open() {
    let bench = bench();
    make_rsa(&bench, "private.pem", "public.pem");
    comes_back(
        &bench,
        "--format s3ec --public-key public.pem",
        "--private-key private.pem",
        &[0, 1000, PART + 1],
    );
    comes_back(
        &bench,
        "--format s3ec-v2 --public-key public.pem",
        "--private-key private.pem --allow-legacy v2",
        &[1000],
    );
    make_rsa(&bench, "other.pem", "other-public.pem");
    let refused = bench.run("get s3://bench/object - --private-key other.pem --allow-legacy v2");
    refused.exits(5).writes_nothing();
}

#[test]
fn with_a_passphrase_it_comes_back_and_with_another_it_does_not() {
    let bench = bench();
    comes_back(&bench, "--format s3ec --passphrase=file:words", "--passphrase=file:words", &[1000]);
    bench.write("words", b"incorrect horse battery staple\n");
    bench.run("get s3://bench/object - --passphrase=file:words").exits(5).writes_nothing();
    bench.run("get s3://bench/object - --key key").exits(5).writes_nothing().says(&["passphrase"]);
    bench
        .run("get s3://bench/object -")
        .exits(5)
        .writes_nothing()
        .says(&["a passphrase", "hint: pass the passphrase"]);
}

#[test]
fn standard_input_and_commands_are_sealed_too() {
    let bench = bench();
    let content = bytes(PART + 1);
    bench.write("source", &content);
    for line in [
        "put - s3://bench/object -e client --format s3ec --key key --part-size 5MiB",
        "put --from-command s3://bench/object -e client --format s3ec --key key --part-size 5MiB -- cat source",
    ] {
        bench.s3seal(line.split(' ')).input(&content).run().ok();
        let ended = bench.run("get s3://bench/object - --key key").ok();
        assert_same(&ended.stdout, &content, line);
    }
}

#[test]
fn of_several_keys_the_one_that_the_object_names_is_taken() {
    let bench = bench();
    for (name, seed) in [("one", 1), ("two", 2), ("three", 3)] {
        bench.write(name, &KnownKey::new(seed).0);
    }
    bench.write("source", b"text");
    bench.run("put source s3://bench/object -e client --key two").ok();
    let keys = "--key one --key two --key three";
    bench.run(&format!("get s3://bench/object copy {keys}")).ok();
    assert_eq!(bench.read("copy"), b"text");
    bench.run("get s3://bench/object copy --key one --key three").exits(5).says(&[
        "wrong key or passphrase",
        "cause: the object's data key cannot be unwrapped with it",
        "fingerprint",
    ]);
}

#[test]
fn no_two_objects_are_sealed_alike() {
    let bench = bench();
    bench.write("source", &bytes(1000));
    let sealed: Vec<_> = (0..3)
        .map(|_| {
            bench.run("put source s3://bench/object -e client --key key").ok();
            bench.object("object").plaintext.unwrap()
        })
        .collect();
    assert!(sealed[0] != sealed[1] && sealed[1] != sealed[2] && sealed[0] != sealed[2]);
}

#[test]
fn the_plain_length_is_noted_where_it_is_known_and_not_believed() {
    let bench = bench();
    bench.write("source", &bytes(1000));
    bench.run("put source s3://bench/object -e client --key key").ok();
    let mut metadata = bench.object("object").metadata;
    assert_eq!(metadata.get("x-amz-unencrypted-content-length").map(String::as_str), Some("1000"));
    for lie in ["0", "7", "999999999999"] {
        metadata.insert("x-amz-unencrypted-content-length".to_owned(), lie.to_owned());
        bench.sandbox.s3().set_metadata(BUCKET, "object", metadata.clone());
        bench.run("get s3://bench/object copy --key key").ok();
        assert_same(&bench.read("copy"), &bytes(1000), lie);
    }
}

fn make_rsa(bench: &Bench, private: &str, public: &str) {
    bench.write(private, b"");
    let openssl = |line: &str| {
        let made = Command::new("openssl").args(line.split(' ')).current_dir(bench.files()).output();
        assert!(made.expect("openssl is there").status.success(), "{line}");
    };
    openssl(&format!("genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out {private}"));
    openssl(&format!("pkey -in {private} -pubout -out {public}"));
    bench.write(private, &bench.read(private));
}
