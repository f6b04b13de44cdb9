//! User metadata whose names look like those of an envelope: they stay with the object, whatever becomes of its encryption.

use crate::support::{BUCKET, Bench};
use crate::{OBJECT, assert_opens, bench, rsa, stored};

/// Names that begin as an envelope's do, and are none of its own.
const OWN: [(&str, &str); 2] = [("x-amz-foo", "bar"), ("x-amz-meta-z", "1")];

/// Adds [`OWN`] to what is stored at [`OBJECT`].
fn add_own(bench: &Bench) {
    let mut metadata = bench.object("o").metadata;
    metadata.extend(OWN.map(|(name, value)| (name.to_owned(), value.to_owned())));
    bench.sandbox.s3().set_metadata(BUCKET, "o", metadata);
}

#[track_caller]
fn assert_own(bench: &Bench, flags: &str) {
    let metadata = bench.object("o").metadata;
    for (name, value) in OWN {
        assert_eq!(metadata.get(name).map(String::as_str), Some(value), "{name} after {flags}: {metadata:?}");
    }
}

#[test]
fn entries_with_the_prefix_of_an_envelope_are_carried_over_by_every_strategy() {
    for (before, flags, opens) in [
        ("", "--key b.key --new-data-key --from-key a.key", "--key b.key"),
        ("", "--key b.key --rewrap --from-key a.key", "--key b.key"),
        ("", "-e client --format esdk --key b.key --from-key a.key", "--key b.key"),
        ("", "-e client --format s3ec-v2 --key b.key --from-key a.key", "--key b.key --allow-legacy v2"),
        ("", "-e sse-s3 --from-key a.key", ""),
        ("--format s3ec-v2", "-e sse-s3 --from-key a.key --allow-legacy v2", ""),
        ("--format esdk", "--key b.key --from-key a.key", "--key b.key"),
        ("--instruction-file", "--key b.key --new-data-key --from-key a.key", "--key b.key"),
    ] {
        let bench = bench();
        let content = stored(&bench, 3000, &format!("-e client --key a.key {before}"));
        add_own(&bench);
        bench.run(&format!("rotate {OBJECT} {flags} --yes")).ok();
        assert_own(&bench, flags);
        assert_opens(&bench, opens, &content);
    }
}

#[test]
fn a_plaintext_object_keeps_such_entries_when_it_is_encrypted_and_decrypted_again() {
    for format in ["s3ec", "esdk"] {
        let bench = bench();
        let content = stored(&bench, 3000, "-e sse-s3");
        add_own(&bench);
        for flags in [&*format!("-e client --format {format} --key a.key"), "-e sse-s3 --from-key a.key"] {
            bench.run(&format!("rotate {OBJECT} {flags} --yes")).ok();
            assert_own(&bench, flags);
        }
        assert_opens(&bench, "", &content);
        let metadata = bench.object("o").metadata;
        let names: Vec<_> = metadata.keys().map(String::as_str).collect();
        assert_eq!(names, ["mtime", OWN[0].0, OWN[1].0], "nothing of the envelope is left");
    }
}

#[test]
fn an_entry_named_as_one_of_the_new_envelope_is_named_and_nothing_changes() {
    let bench = bench();
    rsa(&bench);
    stored(&bench, 3000, "-e sse-s3");
    // A writer of the format leaves an entry that it does not need blank: that alone is no envelope.
    for (name, value) in [("x-amz-m", " "), ("s3seal-recipients", "us")] {
        bench.sandbox.s3().set_metadata(BUCKET, "o", [(name.to_owned(), value.to_owned())].into());
        let before = bench.object("o").etag;
        bench
            .run(&format!("rotate {OBJECT} -e client --public-key new.pem --yes"))
            .exits(2)
            .says(&[&format!("the metadata '{name}'"), "reserved for the envelope"]);
        assert_eq!(bench.object("o").etag, before);
    }
}
