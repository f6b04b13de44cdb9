//! What an object asks for to try a passphrase: paid only within limits, for whoever wrote the object chose it.

use std::collections::BTreeMap;

use s3seal::keys::Passphrase;
use s3seal::seal::argon2id::Phc;
use zeroize::Zeroizing;

use crate::support::{self, BUCKET, Bench};

const PHRASE: &str = "correct horse battery staple";
/// A little more than is allowed: 257 MiB.
const COSTLY: &str = "$argon2id$v=19$m=263168,t=1,p=4$AAECAwQFBgcICQoLDA0ODw";

fn bench() -> Bench {
    let bench = Bench::new();
    bench.write("source", b"text");
    bench.write("phrase", PHRASE.as_bytes());
    bench
}

/// Stores an object under a passphrase that is as costly to try as `phc` says, in each format.
fn store(bench: &Bench, phc: &str) -> [&'static str; 2] {
    let phrase = Passphrase::new(Zeroizing::new(PHRASE.to_owned()));
    bench.write("derived", phc.parse::<Phc>().unwrap().derive(&phrase).unwrap().as_bytes());
    bench.run("put source s3://bench/s3ec -e client --key derived").ok();
    name_passphrase(bench, "s3ec", phc);
    bench
        .run(&format!(
            "put source s3://bench/esdk -e client --format esdk --key derived --key-name passphrase/{phc}"
        ))
        .ok();
    ["s3ec", "esdk"]
}

/// Lets an envelope say that its key is a passphrase's; nothing authenticates that.
fn name_passphrase(bench: &Bench, key: &str, phc: &str) {
    let mut metadata: BTreeMap<String, String> = bench.object(key).metadata;
    metadata.insert("x-amz-m".to_owned(), format!(r#"{{"s3seal-passphrase":"{phc}"}}"#));
    bench.sandbox.s3().set_metadata(BUCKET, key, metadata);
}

#[test]
fn a_costly_passphrase_is_refused_and_tried_with_the_words_of_the_hint() {
    let bench = bench();
    for key in store(&bench, COSTLY) {
        let get = format!("get s3://bench/{key} - --passphrase=file:phrase");
        let refused = bench.run(&get).exits(5).writes_nothing();
        let refused =
            refused.says(&["its key derivation asks for 257 MiB of memory, and 256 MiB is allowed"]);
        let (_, typed) = refused.stderr.split_once("has the memory: ").unwrap();
        assert_eq!(typed.trim(), "--max-kdf-memory 257MiB");
        assert_eq!(bench.run(&format!("{get} {}", typed.trim())).ok().stdout, b"text");
        bench.run(&format!("{get} --max-kdf-memory 256MiB")).exits(5);
    }
}

#[test]
fn inspect_and_rotate_try_no_costly_passphrase_either() {
    let bench = bench();
    for key in store(&bench, COSTLY) {
        let opens = |flags: &str| {
            let found =
                bench.run(&format!("inspect --json s3://bench/{key} --passphrase=file:phrase {flags}")).ok();
            found.json()["client"]["key_given_opens"].clone()
        };
        assert!(opens("").is_null());
        assert_eq!(opens("--max-kdf-memory 257MiB"), true);
        bench.write("new", &support::key(9));
        let rotate = format!(
            "rotate s3://bench/{key} --yes -e client --key new --new-data-key --from-passphrase=file:phrase"
        );
        bench.run(&rotate).exits(5).says(&["--max-kdf-memory 257MiB"]);
        bench.run(&format!("{rotate} --max-kdf-memory 257MiB")).ok();
        assert_eq!(bench.run(&format!("get s3://bench/{key} - --key new")).ok().stdout, b"text");
    }
}

#[test]
fn passes_and_lanes_beyond_four_times_ours_are_never_tried() {
    let bench = bench();
    let [key, _] = store(&bench, COSTLY);
    for costs in ["m=65536,t=13,p=4", "m=65536,t=3,p=17", "m=65536,t=4294967295,p=1"] {
        name_passphrase(&bench, key, &format!("$argon2id$v=19${costs}$AAECAwQFBgcICQoLDA0ODw"));
        bench
            .run(&format!("get s3://bench/{key} - --passphrase=file:phrase --max-kdf-memory 1TiB"))
            .exits(6)
            .writes_nothing()
            .says(&["s3seal-passphrase is refused"]);
    }
}
