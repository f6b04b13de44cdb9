//! Names that are bound (`--bind-name`): an object opens only under the one that it was encrypted for.

use std::collections::BTreeMap;

use serde_json::json;

use crate::support::{ALIAS, BUCKET, Bench};

/// How an object can be bound: flags of `put`, and of what opens it.
fn ways() -> Vec<(String, String)> {
    let kms = format!("--kms-key {ALIAS}");
    let mut ways = vec![
        (format!("{kms} --format s3ec"), kms.clone()),
        (format!("{kms} --format s3ec-v2"), format!("{kms} --allow-legacy v2")),
        (format!("{kms} --format s3ec --instruction-file"), kms.clone()),
        (format!("{kms} --context team=blue"), format!("{kms} --context team=blue")),
        (format!("{kms} --format esdk"), kms),
    ];
    for (seals, opens) in [
        ("--key key", "--key key"),
        ("--passphrase=file:phrase", "--passphrase=file:phrase"),
        ("--public-key rsa_a.pub.pem", "--private-key rsa_a.pem"),
    ] {
        ways.push((format!("{seals} --format esdk"), opens.to_owned()));
    }
    ways
}

fn bench() -> Bench {
    let bench = crate::authenticity::bench();
    bench.write("source", b"the text of a");
    bench
}

/// Moves an object within the bucket, with all that stands beside it.
fn swap(bench: &Bench, from: &str, to: &str) {
    for suffix in ["", ".instruction"] {
        let (from, to) = (format!("{from}{suffix}"), format!("{to}{suffix}"));
        if let Some(object) = bench.sandbox.s3().object(BUCKET, &from) {
            bench.sandbox.s3().put_plain(BUCKET, &to, &object.plaintext.unwrap());
            bench.sandbox.s3().set_metadata(BUCKET, &to, object.metadata);
        }
    }
}

#[test]
fn an_object_opens_under_the_name_it_was_encrypted_for_and_no_other() {
    for (seals, opens) in ways() {
        let bench = bench();
        bench
            .run(&format!("put source s3://bench/a -e client --bind-name {seals}"))
            .ok()
            .says(&["name bound"]);
        swap(&bench, "a", "dir/b");
        for flags in ["", "--require-bound-name"] {
            let ended = bench.run(&format!("get s3://bench/a - {opens} {flags}")).ok().says(&["name bound"]);
            assert_eq!(ended.stdout, b"the text of a", "{seals} {flags}");
            bench
                .run(&format!("get s3://bench/dir/b back {opens} {flags}"))
                .exits(6)
                .says(&["s3://bench/dir/b", "bound to the name s3://bench/a"]);
        }
        bench.run(&format!("get s3://bench/dir/b back {opens} --range 0-1")).exits(6);
        assert!(!bench.names().contains(&"back".to_owned()), "{seals}");
        let ended = bench.run(&format!("get -r s3://bench/ all {opens} --exclude *.instruction")).exits(9);
        ended.says(&["s3://bench/dir/b", "bound to the name s3://bench/a"]);
    }
}

#[test]
fn an_object_without_a_bound_name_is_refused_where_one_is_required() {
    let bench = bench();
    let kms = format!("--kms-key {ALIAS}");
    for (flags, opens) in [
        ("", ""),
        ("-e sse-s3", ""),
        ("-e client --key key", "--key key"),
        ("-e client --key key --format esdk", "--key key"),
        (&*format!("-e client {kms}"), &*kms),
        (
            &*format!("-e client {kms} --format esdk --context team=blue"),
            &*format!("{kms} --context team=blue"),
        ),
    ] {
        bench.run(&format!("put source s3://bench/a {flags}")).ok();
        bench
            .run(&format!("get s3://bench/a back {opens} --require-bound-name"))
            .exits(8)
            .says(&["s3://bench/a is not bound to its name", "--require-bound-name"]);
        bench.run(&format!("get s3://bench/a back {opens}")).ok();
    }
}

#[test]
fn a_name_in_what_nothing_authenticates_binds_nothing() {
    let bench = bench();
    bench.run("put source s3://bench/a -e client --key key").ok();
    let description = json!({ "s3seal-bucket": "bench", "s3seal-object-key": "a" }).to_string();
    let mut metadata = bench.object("a").metadata;
    metadata.insert("x-amz-m".to_owned(), description);
    bench.sandbox.s3().set_metadata(BUCKET, "a", metadata);
    bench.run("get s3://bench/a - --key key").ok();
    bench.run("get s3://bench/a - --key key --require-bound-name").exits(8);
}

#[test]
fn a_name_that_was_written_into_an_envelope_afterwards_opens_nothing() {
    let bench = bench();
    bench.run(&format!("put source s3://bench/a -e client --bind-name --kms-key {ALIAS}")).ok();
    swap(&bench, "a", "b");
    let metadata: BTreeMap<String, String> = bench.object("a").metadata;
    let (name, context) = metadata.iter().find(|(_, value)| value.contains("s3seal-object-key")).unwrap();
    let context = context.replace(r#""s3seal-object-key":"a""#, r#""s3seal-object-key":"b""#);
    let forged = BTreeMap::from([(name.clone(), context)]);
    let metadata = metadata.clone().into_iter().chain(forged).collect();
    bench.sandbox.s3().set_metadata(BUCKET, "b", metadata);
    bench.run(&format!("get s3://bench/b - --kms-key {ALIAS}")).exits(5).writes_nothing();
}

#[test]
fn kms_is_given_the_name_beside_the_context() {
    for format in ["s3ec", "esdk"] {
        let bench = bench();
        let flags = format!("-e client --format {format} --kms-key {ALIAS} --context team=blue --bind-name");
        bench.run(&format!("put source s3://bench/dir/a {flags}")).ok();
        bench.run(&format!("get s3://bench/dir/a - --kms-key {ALIAS} --context team=blue")).ok();
        let uses = bench.sandbox.kms().uses();
        let own: Vec<_> = uses.iter().filter(|one| !one.via_s3 && !one.context.is_empty()).collect();
        assert!(own.len() >= 2, "{uses:?}");
        for one in own {
            let mut context = one.context.clone();
            context.remove("aws:x-amz-cek-alg");
            let expected = [("s3seal-bucket", "bench"), ("s3seal-object-key", "dir/a"), ("team", "blue")];
            let expected = expected.map(|(key, value)| (key.to_owned(), value.to_owned()));
            assert_eq!(context.into_iter().collect::<Vec<_>>(), expected, "{format}");
        }
    }
}

#[test]
fn what_cannot_bind_a_name_says_what_can() {
    let bench = bench();
    for (flags, says) in [
        ("-e client --key key --bind-name", "--format esdk"),
        ("-e client --public-key rsa_a.pub.pem --format s3ec --bind-name", "--format esdk"),
        ("-e sse-s3 --bind-name", "--bind-name does not go with -e sse-s3"),
        ("--bind-name", "-e client"),
        (&*format!("-e client --kms-key {ALIAS} --context s3seal-bucket=x"), "--bind-name"),
        (&*format!("-e client --kms-key {ALIAS} --context s3seal-object-key=x"), "--bind-name"),
    ] {
        bench.run(&format!("put source s3://bench/a {flags}")).exits(2).says(&[says]);
    }
    bench.run("get s3://bench/a - --key key --context s3seal-bucket=bench").exits(2).says(&["reserved"]);
    bench.run("get s3://bench/a - --raw --require-bound-name").exits(2);
    bench.run("get s3://bench/a - -e sse-s3 --require-bound-name").exits(2);
    assert!(bench.sandbox.requests().is_empty());
    let beyond_ascii = format!("put source s3://bench/größe -e client --kms-key {ALIAS} --bind-name");
    bench.run(&beyond_ascii).exits(2).says(&["ASCII", "--format esdk"]);
    bench.run(&format!("{beyond_ascii} --format esdk")).ok();
    bench.run(&format!("get s3://bench/größe - --kms-key {ALIAS} --require-bound-name")).ok();
}

#[test]
fn inspect_shows_a_name_that_is_bound_and_whether_it_is_the_objects() {
    let bench = bench();
    bench.run("put source s3://bench/a -e client --key key --format esdk --bind-name").ok();
    swap(&bench, "a", "b");
    for (name, is_this, says) in
        [("a", true, "bound, and correct"), ("b", false, "bound to another name: s3://bench/a")]
    {
        let found = bench.run(&format!("inspect s3://bench/{name} --key key --json")).ok().json();
        assert_eq!(found["client"]["bound_name"], json!({ "uri": "s3://bench/a", "is_this": is_this }));
        let page = bench.run(&format!("inspect s3://bench/{name} --key key --format table")).ok();
        let page = String::from_utf8(page.stdout).unwrap();
        assert!(page.contains(says), "{page}");
    }
}
