//! A name that is bound stays bound, whatever an object is rotated to.

use crate::support::{ALIAS, BUCKET, Bench};
use crate::{OBJECT, assert_opens, bench, stored};

/// The flags that bind with KMS in a format, and those that rotate what they made with KMS.
fn with_kms(format: &str) -> (String, String) {
    let seals = format!("-e client --format {format} --kms-key {ALIAS} --bind-name");
    (seals, format!("-e client --from-kms-key {ALIAS} --yes"))
}

/// Fails unless [`OBJECT`] opens only under its own name.
#[track_caller]
fn assert_bound(bench: &Bench, flags: &str, content: &[u8]) {
    assert_opens(bench, &format!("{flags} --require-bound-name"), content);
    let object = bench.object("o");
    bench.sandbox.s3().put_plain(BUCKET, "other", &object.plaintext.unwrap());
    bench.sandbox.s3().set_metadata(BUCKET, "other", object.metadata);
    bench.run(&format!("get s3://bench/other - {flags}")).exits(6).says(&["bound to the name s3://bench/o"]);
}

#[test]
fn a_bound_name_is_kept_by_every_way() {
    let bench = bench();
    let other = bench.sandbox.kms().create_key().to_string();
    for format in ["s3ec", "esdk"] {
        let (seals, line) = with_kms(format);
        for to in [
            format!("--kms-key {other}"),
            format!("--kms-key {other} --new-data-key"),
            format!("--kms-key {other} --context team=blue"),
            format!("--kms-key {other} --format s3ec"),
            format!("--kms-key {other} --format esdk"),
        ] {
            let content = stored(&bench, 1000, &seals);
            bench.run(&format!("rotate {OBJECT} {line} {to}")).ok();
            let team = if to.contains("team") { "--context team=blue" } else { "" };
            assert_bound(&bench, &format!("--kms-key {other} {team}"), &content);
        }
        let content = stored(&bench, 1000, &seals);
        bench.run(&format!("rotate {OBJECT} {line} --key b.key --format esdk")).ok();
        assert_bound(&bench, "--key b.key", &content);
    }
}

#[test]
fn a_target_that_cannot_bind_a_name_is_refused() {
    let bench = bench();
    let (seals, line) = with_kms("s3ec");
    let content = stored(&bench, 1000, &seals);
    for to in ["--key b.key", "--key b.key --new-data-key", "--key b.key --format s3ec-v2"] {
        for dry in ["", "--dry-run"] {
            let ended = bench.run(&format!("rotate {OBJECT} {line} {to} {dry}"));
            assert_ne!(ended.code(), Some(0), "{to} {dry}");
            ended.says(&["bound to its name", "--format esdk"]);
        }
    }
    assert_bound(&bench, &format!("--kms-key {ALIAS}"), &content);
}

#[test]
fn names_are_bound_where_that_is_asked_for() {
    let bench = bench();
    let kms = format!("--kms-key {ALIAS}");
    for (from, to, opens) in [
        ("-e client --key a.key --format esdk", "-e client --key a.key --from-key a.key", "--key a.key"),
        ("-e client --key a.key", &*format!("-e client {kms} --from-key a.key"), &*kms),
        (&*format!("-e client {kms}"), &*format!("-e client {kms} --from-kms-key {ALIAS}"), &*kms),
        ("-e sse-s3", &*format!("-e client {kms}"), &*kms),
    ] {
        let content = stored(&bench, 1000, from);
        // Without a format, --bind-name takes a key in KMS.
        let format = if to.contains("--key") && !to.contains("--kms-key") { "--format esdk" } else { "" };
        let line = format!("rotate {OBJECT} {to} {format} --bind-name --yes");
        bench.run(&line).ok();
        assert_bound(&bench, opens, &content);
        if from != "-e sse-s3" {
            let again = line.replace("--from-key a.key", &format!("--from-kms-key {ALIAS} --from-key a.key"));
            bench.run(&again).ok().says(&["already done"]);
        }
    }
}

#[test]
fn what_has_another_name_or_none_is_not_rotated() {
    let bench = bench();
    let (seals, line) = with_kms("esdk");
    stored(&bench, 1000, &seals);
    let object = bench.object("o");
    bench.sandbox.s3().put_plain(BUCKET, "other", &object.plaintext.unwrap());
    bench.sandbox.s3().set_metadata(BUCKET, "other", object.metadata);
    for to in ["--key b.key --format esdk".to_owned(), format!("--kms-key {ALIAS}")] {
        bench
            .run(&format!("rotate s3://bench/other {line} {to}"))
            .exits(6)
            .says(&["bound to the name s3://bench/o"]);
    }
    let from = format!("--from-kms-key {ALIAS} --from-key a.key --yes");
    bench.run(&format!("rotate s3://bench/other -e sse-s3 {from}")).exits(6);
    for flags in ["-e client --key a.key --format esdk", "-e sse-s3"] {
        stored(&bench, 1000, flags);
        let line = format!("rotate {OBJECT} -e client --key b.key --format esdk {from} --require-bound-name");
        bench.run(&line).exits(8).says(&["not bound to its name"]);
    }
}
