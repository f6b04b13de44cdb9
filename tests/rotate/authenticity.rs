//! Which old key opened what is rotated, and what that proves of who encrypted it.

use serde_json::Value;

use crate::support::{ALIAS, Bench};
use crate::{OBJECT, assert_opens, bench, rsa, stored};

/// Rotates [`OBJECT`] as it is stored with `seals`; returns the document.
fn rotated(bench: &Bench, seals: &str, to: &str) -> Value {
    stored(bench, 1000, seals);
    bench.run(&format!("rotate {OBJECT} {to} --yes --json")).ok().json()
}

/// The line that [`rotated`] has instead of its document.
fn told(bench: &Bench, seals: &str, to: &str) -> String {
    stored(bench, 1000, seals);
    bench.run(&format!("rotate {OBJECT} {to} --yes")).ok().stderr
}

#[test]
fn the_outcome_says_which_old_key_opened_the_object_and_what_that_proves() {
    let bench = bench();
    rsa(&bench);
    let kms = format!("--kms-key {ALIAS}");
    let from_kms = format!("--from-kms-key {ALIAS}");
    for (seals, opens, kind, words, authenticated) in [
        ("--key a.key", "--from-key c.key --from-key a.key", "aes", "a holder of this key", true),
        (
            "--passphrase=file:pw",
            "--from-passphrase=file:pw",
            "passphrase",
            "a holder of this passphrase",
            true,
        ),
        (&*kms, &*from_kms, "kms", "a user of this KMS key", true),
        (
            "--public-key new.pem",
            "--from-private-key old.pem",
            "rsa",
            "intact; anyone with the public key could have encrypted it",
            false,
        ),
    ] {
        for to in ["-e client --key b.key --new-data-key --seal-plaintext", "-e sse-s3"] {
            let (seals, to) = (format!("-e client {seals}"), format!("{to} {opens}"));
            let line = told(&bench, &seals, &to);
            assert!(line.contains("was opened with ") && line.contains(words), "{line}");
            assert_eq!(line.contains("authenticated"), authenticated, "{line}");
            let document = rotated(&bench, &seals, &to);
            assert_eq!(document["opened_by"]["kind"], kind, "{to}");
            assert_eq!(
                (&document["intact"], &document["authenticated"]),
                (&true.into(), &authenticated.into())
            );
            assert_eq!(
                document["opened_by"]["key_fingerprint"], document["previous_encryption"]["key_fingerprint"],
                "{to}"
            );
            let named = matches!(kind, "aes" | "rsa");
            assert_eq!(document["opened_by"]["key_fingerprint"].is_string(), named, "{to}");
            let arns = document["previous_encryption"]["wrapping_kms_keys"].as_array().unwrap();
            assert_eq!(arns.len(), usize::from(kind == "kms"), "{to}");
        }
    }
}

#[test]
fn a_new_wrap_alone_proves_nothing_of_bytes_that_were_not_read() {
    let bench = bench();
    rsa(&bench);
    for (seals, opens, words) in [
        ("-e client --key a.key", "--from-key a.key", "(content not read)"),
        (
            "-e client --public-key new.pem",
            "--from-private-key old.pem --seal-plaintext",
            "(content not read; anyone with the public key could have encrypted it)",
        ),
        ("-e client --key a.key --instruction-file", "--from-key a.key", "(content not read)"),
    ] {
        let to = format!("--rewrap --key b.key {opens}");
        let line = told(&bench, seals, &to);
        assert!(line.contains(words) && !line.contains("authenticated"), "{line}");
        let document = rotated(&bench, seals, &to);
        assert!(document["opened_by"]["key_fingerprint"].is_string(), "{document}");
        assert_eq!(
            (&document["intact"], &document["authenticated"]),
            (&Value::Null, &false.into()),
            "{seals}"
        );
        let verified = rotated(&bench, seals, &format!("{to} --verify"));
        let symmetric = !seals.contains("public");
        assert_eq!(
            (&verified["intact"], &verified["authenticated"]),
            (&true.into(), &symmetric.into()),
            "{seals}"
        );
    }
}

#[test]
fn what_no_old_key_opened_has_no_such_words() {
    let bench = bench();
    let document = rotated(&bench, "-e sse-s3", "-e client --key b.key");
    assert_eq!((&document["opened_by"], &document["intact"]), (&Value::Null, &Value::Null));
    assert_eq!(document["authenticated"], false);
    assert!(!told(&bench, "-e sse-s3", "-e client --key b.key").contains("was opened with"));
}

#[test]
fn what_anyone_with_the_public_key_could_have_encrypted_gets_no_key_that_proves_more() {
    let bench = bench();
    rsa(&bench);
    let content = stored(&bench, 1000, "-e client --public-key new.pem --instruction-file");
    let before = (bench.object("o").etag, bench.object("o.instruction").etag);
    for to in [
        "--rewrap --key b.key",
        "--rewrap --passphrase=file:pw",
        "--share-to shared --key b.key",
        "-e client --key b.key --new-data-key",
        "-e client --key b.key --format esdk",
        "-e client --kms-key alias/backup --format esdk",
        "-e client --key b.key --public-key new.pem --format esdk",
    ] {
        let line = format!("rotate {OBJECT} {to} --from-key a.key --from-private-key old.pem");
        for asked in ["--yes", "--dry-run"] {
            let told = bench.run(&format!("{line} {asked}"));
            told.exits(2).says(&["anyone with the public key could have encrypted it", "--seal-plaintext"]);
        }
        assert_eq!((bench.object("o").etag, bench.object("o.instruction").etag), before, "{to}");
    }
    bench
        .run(&format!("rotate {OBJECT} --rewrap --public-key new.pem --from-private-key old.pem --yes"))
        .ok();
    let line =
        format!("rotate {OBJECT} --rewrap --key b.key --from-private-key old.pem --yes --seal-plaintext");
    bench.run(&line).ok();
    assert_opens(&bench, "--key b.key", &content);
}

#[test]
fn of_many_only_what_was_encrypted_with_a_secret_key_is_rotated() {
    let bench = bench();
    rsa(&bench);
    stored(&bench, 10, "-e client --key a.key");
    bench.run("put source s3://bench/planted -e client --public-key new.pem").ok();
    let line = "rotate s3://bench --rewrap --key b.key --from-key a.key --from-private-key old.pem --yes";
    bench.run(line).exits(9).says(&["planted", "anyone with the public key could have encrypted it"]);
    bench.run("get s3://bench/o target --key b.key").ok();
    bench.run("get s3://bench/planted planted --private-key old.pem").ok();
}
