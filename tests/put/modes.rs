//! Every mode stores every size, from a file and from standard input, as asked.

use s3seal_sandbox::s3::{DefaultEncryption, SseView};

use crate::support::keys::{KnownKey, holds};
use crate::support::{ALIAS, BUCKET, Bench, PART, assert_same, bytes};

/// Around the edges: nothing, something, one part, several.
const SIZES: [usize; 6] = [0, 1, PART - 1, PART, PART + 1, 2 * PART + 12_345];

/// Puts every size from a file and from standard input, and looks at what is stored.
fn stores_all_sizes(flags: &str, check: impl Fn(&Bench, &SseView)) {
    let bench = Bench::new();
    let key = KnownKey::new(1);
    bench.write("key", &key.0);
    for size in SIZES {
        let content = bytes(size);
        bench.write("source", &content);
        for source in ["source", "-"] {
            bench.sandbox.clear_requests();
            let line = format!("put {source} s3://{BUCKET}/object {flags} --part-size 5MiB");
            bench.s3seal(line.split_whitespace()).input(&content).run().ok().writes_nothing();
            let object = bench.sandbox.s3().object_with_key(BUCKET, "object", &key.0).unwrap();
            assert_same(object.plaintext.as_ref().unwrap(), &content, &format!("{size} bytes of {source}"));
            assert_eq!(bench.requests("UploadPart").len(), parts(size), "{size} bytes of {source}");
            assert_eq!(object.part_count, parts(size), "{size} bytes of {source}");
            check(&bench, &object.sse);
            if size > 1000 && object.sse != SseView::None {
                assert!(!holds(&object.stored[..1000], &content[64..128]), "in the clear");
            }
        }
    }
    bench.assert_tidy(&["key", "source"]);
}

/// How many parts a size takes; what fits into one goes in one request.
fn parts(size: usize) -> usize {
    if size <= PART { 0 } else { size.div_ceil(PART) }
}

#[test]
fn sse_s3_stores_every_size() {
    stores_all_sizes("-e sse-s3", |_, sse| assert_eq!(*sse, SseView::SseS3));
}

#[test]
fn sse_kms_stores_every_size() {
    stores_all_sizes(
        &format!("-e sse-kms --kms-key {ALIAS} --context team=a --context use=b"),
        |bench, sse| {
            let SseView::SseKms { key_arn, bucket_key, context } = sse else { panic!("{sse:?}") };
            assert_eq!(*key_arn, arn(bench));
            assert!(!bucket_key);
            assert_eq!(*context, [("team", "a"), ("use", "b")].map(|(k, v)| (k.into(), v.into())).into());
        },
    );
}

#[test]
fn dsse_kms_stores_every_size() {
    stores_all_sizes(&format!("-e dsse-kms --kms-key {ALIAS} --context team=a"), |bench, sse| {
        let context = [("team".to_owned(), "a".to_owned())].into();
        assert_eq!(*sse, SseView::DsseKms { key_arn: arn(bench), context });
    });
}

#[test]
fn sse_c_stores_every_size() {
    stores_all_sizes("-e sse-c --sse-c-key file:key", |_, sse| {
        assert_eq!(*sse, SseView::SseC { key_md5: KnownKey::new(1).md5() });
    });
}

#[test]
fn without_a_mode_every_size_gets_the_buckets_default() {
    stores_all_sizes("", |_, sse| assert_eq!(*sse, SseView::SseS3));
}

#[test]
fn the_outcome_tells_which_default_the_bucket_applied() {
    let bench = Bench::new();
    bench.write("source", b"text");
    let default = DefaultEncryption::SseKms { key: Some(ALIAS.to_owned()), bucket_key: true };
    bench.sandbox.s3().set_default_encryption(BUCKET, default);
    bench.run("put source s3://bench/object").ok().says(&["SSE-KMS", &arn(&bench), "bucket key"]);
    let json = bench.run("put source s3://bench/object --json").ok().json();
    assert_eq!(json["encryption"]["mode"], "sse-kms");
    assert_eq!(json["encryption"]["kms_key"], arn(&bench));
    assert_eq!(json["encryption"]["bucket_key"], true);
    for request in bench.requests("PutObject") {
        assert_eq!(request.header("x-amz-server-side-encryption"), None);
    }
}

#[test]
fn a_kms_key_may_be_named_by_id_arn_alias_or_alias_arn() {
    let bench = Bench::new();
    bench.write("source", b"text");
    let arn = arn(&bench);
    let id = arn.rsplit('/').next().unwrap();
    let alias_arn = arn.replace(&format!("key/{id}"), ALIAS);
    for name in [id, &arn, ALIAS, &alias_arn] {
        bench.run(&format!("put source s3://bench/object -e sse-kms --kms-key {name}")).ok();
        let SseView::SseKms { key_arn, .. } = bench.object("object").sse else { panic!() };
        assert_eq!(key_arn, arn, "{name}");
    }
}

#[test]
fn without_a_kms_key_the_accounts_own_one_is_used() {
    let bench = Bench::new();
    bench.write("source", b"text");
    for mode in ["sse-kms", "dsse-kms"] {
        bench.run(&format!("put source s3://bench/object -e {mode}")).ok();
        let (SseView::SseKms { key_arn, .. } | SseView::DsseKms { key_arn, .. }) = bench.object("object").sse
        else {
            panic!()
        };
        assert_ne!(key_arn, arn(&bench));
    }
}

#[test]
fn a_bucket_key_is_used_where_asked_for() {
    let bench = Bench::new();
    bench.write("source", &bytes(PART + 1));
    for size in [1, PART + 1] {
        bench.write("source", &bytes(size));
        bench
            .run(&format!(
                "put source s3://bench/object -e sse-kms --kms-key {ALIAS} --bucket-key --part-size 5MiB"
            ))
            .ok();
        let SseView::SseKms { bucket_key, .. } = bench.object("object").sse else { panic!() };
        assert!(bucket_key, "{size}");
    }
}

#[test]
fn a_target_that_ends_in_a_slash_or_is_a_bucket_takes_the_files_name() {
    let bench = Bench::new();
    bench.write("source", b"text");
    let full = bench.path("source").display().to_string();
    bench.run("put source s3://bench/folder/").ok().says(&["s3://bench/folder/source"]);
    bench.run(&format!("put {full} s3://bench")).ok().says(&["s3://bench/source"]);
    bench.assert_keys(&["folder/source", "source"]);
    bench.s3seal(["put", "-", "s3://bench/folder/"]).input(b"text").run().exits(2);
    bench.assert_keys(&["folder/source", "source"]);
}

#[test]
fn a_key_is_taken_as_it_is_typed() {
    let bench = Bench::new();
    bench.write("source", b"text");
    for key in ["with blanks and +", "100%25", "größe/ключ", "a//b", "../up", "?query#part"] {
        bench.s3seal(["put", "source", &format!("s3://bench/{key}")]).run().ok();
        assert!(
            bench.sandbox.s3().object(BUCKET, key).is_some(),
            "{key}: {:?}",
            bench.sandbox.s3().keys(BUCKET)
        );
        bench.s3seal(["get", &format!("s3://bench/{key}"), "-"]).run().ok();
    }
}

fn arn(bench: &Bench) -> String {
    let uses = |name: &str| {
        bench
            .sandbox
            .kms()
            .for_s3("test", s3seal_sandbox::kms::KmsAction::DescribeKey, Some(name), &<_>::default())
            .expect("a key behind the alias")
    };
    uses(ALIAS).0
}
