//! The same command after the process was killed, interrupted or cut off: it goes on with what is there, and the result is
//! as if nothing had happened.

#![allow(clippy::unwrap_used, reason = "a test's failure is its message")]

#[path = "../support/mod.rs"]
mod support;

mod full_disk;
mod get;
mod get_not_trusted;
mod given_up;
mod kills;
mod put;

use std::process::Command;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use support::keys::KnownKey;
use support::{BUCKET, Bench, PART, bytes, key};

/// Almost five parts.
const SIZE: usize = 5 * PART - 77;

/// A bench with a source, keys, and a file of each for other content.
fn bench() -> Bench {
    let bench = Bench::new();
    bench.write("key", &key(5));
    bench.write("other.key", &key(6));
    bench.write("source", &bytes(SIZE));
    bench
}

/// Wraps with the file `key`.
fn wrap_aes() -> String {
    format!("enc -aes-256-ecb -K {}", KnownKey::new(5).hex())
}

/// Stores the file `source` at `object` as the first client of Java did, with AES-CBC, which s3seal only reads. `wrap` is the
/// command of openssl that wraps the data key.
fn store_cbc(bench: &Bench, wrap: &str) {
    let openssl = |arguments: String| {
        let ran =
            Command::new("openssl").args(arguments.split_whitespace()).current_dir(bench.files()).output();
        let ran = ran.expect("openssl is there");
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    };
    let data_key = KnownKey::new(9);
    bench.write("data.key", &data_key.0);
    let iv = "000102030405060708090a0b0c0d0e0f";
    openssl(format!("enc -aes-256-cbc -in source -out sealed -K {} -iv {iv}", data_key.hex()));
    openssl(format!("{wrap} -in data.key -out wrapped"));
    let wrapped = BASE64_STANDARD.encode(bench.read("wrapped"));
    let envelope =
        [("x-amz-key", wrapped.as_str()), ("x-amz-iv", "AAECAwQFBgcICQoLDA0ODw=="), ("x-amz-matdesc", "{}")];
    bench.sandbox.s3().put_plain(BUCKET, "object", &bench.read("sealed"));
    let envelope = envelope.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    bench.sandbox.s3().set_metadata(BUCKET, "object", envelope);
    for file in ["data.key", "sealed", "wrapped"] {
        std::fs::remove_file(bench.path(file)).unwrap();
    }
}

/// The records that are left.
fn records(bench: &Bench) -> Vec<std::path::PathBuf> {
    let folder = bench.home().join(".local/state/s3seal");
    std::fs::read_dir(folder)
        .map_or_else(|_| Vec::new(), |entries| entries.map(|entry| entry.unwrap().path()).collect())
}
