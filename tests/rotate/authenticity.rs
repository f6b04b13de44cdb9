//! Which old key opened what is rotated, and what that proves of who encrypted it.

use serde_json::Value;

use crate::support::{ALIAS, Bench};
use crate::{OBJECT, bench, rsa, stored};

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
        for to in ["-e client --key b.key --new-data-key", "-e sse-s3"] {
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
            "--from-private-key old.pem",
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
