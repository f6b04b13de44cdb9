//! Beside the server's own encryption, and against servers that would like to see the key.

use s3seal_sandbox::kms::KmsAction;
use s3seal_sandbox::s3::{DefaultEncryption, SseView};
use s3seal_sandbox::{Fault, Kind};

use crate::support::keys::KnownKey;
use crate::support::{ALIAS, BUCKET, Bench, CUSTOMER_KEY, PART, assert_same, bytes};

fn bench() -> Bench {
    let bench = Bench::new();
    bench.write("key", &KnownKey::new(1).0);
    bench.write("source", &bytes(1000));
    bench
}

#[test]
fn what_s3_does_at_rest_can_be_chosen() {
    let bench = bench();
    for size in [1000, PART + 1] {
        bench.write("source", &bytes(size));
        for mode in ["sse-s3", "sse-kms", "dsse-kms", "sse-kms:alias/backup", "dsse-kms:alias/backup"] {
            bench
                .run(&format!(
                    "put source s3://bench/object -e client --key key --at-rest {mode} --part-size 5MiB"
                ))
                .ok();
            let word = match bench.object("object").sse {
                SseView::SseS3 => "sse-s3",
                SseView::SseKms { .. } => "sse-kms",
                SseView::DsseKms { .. } => "dsse-kms",
                other => panic!("{other:?}"),
            };
            assert_eq!(mode.split(':').next(), Some(word));
            bench.run("get s3://bench/object copy --key key").ok();
            assert_same(&bench.read("copy"), &bytes(size), mode);
        }
    }
}

#[test]
fn a_bucket_whose_default_is_kms_takes_sealed_objects() {
    let bench = bench();
    let default = DefaultEncryption::SseKms { key: Some(ALIAS.to_owned()), bucket_key: false };
    bench.sandbox.s3().set_default_encryption(BUCKET, default);
    bench.run("put source s3://bench/object -e client --key key").ok().says(&["SSE-KMS"]);
    bench.run("get s3://bench/object copy -e client --key key").ok();
}

#[test]
fn a_bucket_that_demands_kms_takes_sealed_objects_that_say_so() {
    let bench = bench();
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Deny","Principal":"*","Action":"s3:PutObject",
        "Resource":"arn:aws:s3:::{BUCKET}/*",
        "Condition":{{"StringNotEquals":{{"s3:x-amz-server-side-encryption":"aws:kms"}}}}}}]}}"#
    );
    bench.sandbox.s3().set_policy(BUCKET, &policy);
    bench.run("put source s3://bench/object -e client --key key").exits(4);
    for extra in ["", "--instruction-file"] {
        bench
            .run(&format!("put source s3://bench/object -e client --key key --at-rest sse-kms {extra}"))
            .ok();
    }
}

#[test]
fn required_to_be_client_side_no_key_ever_goes_to_the_server() {
    let bench = bench();
    bench.run("put source s3://bench/sealed -e client --key key").ok();
    // A server that says SSE-C of an object that was sealed here would be given the key, if it were that easy.
    bench.run("put source s3://bench/claimed -e sse-c --sse-c-key key").ok();
    bench.sandbox.clear_requests();
    bench.run("get s3://bench/sealed copy -e client --key key").ok();
    let refused = bench.run("get s3://bench/claimed other -e client --key key");
    refused.exits(8).says(&["is not", "but SSE-C"]);
    assert!(!bench.sandbox.requests().is_empty());
    for request in bench.sandbox.requests() {
        assert_eq!(request.header(CUSTOMER_KEY), None, "{}", request.operation);
    }
    bench.assert_tidy(&["copy", "key", "source"]);
}

#[test]
fn a_plain_object_is_not_handed_out_to_who_gives_keys() {
    let bench = bench();
    bench.sandbox.s3().put_plain(BUCKET, "plain", b"planted");
    bench.write("words", b"words");
    for flags in
        ["--key key", "-e client --key key", &format!("--kms-key {ALIAS}"), "--passphrase=file:words"]
    {
        let ended = bench.run(&format!("get s3://bench/plain - {flags}"));
        assert!([Some(5), Some(8)].contains(&ended.code()), "{flags}: {:?} {}", ended.code(), ended.stderr);
        ended.writes_nothing();
    }
    bench.assert_tidy(&["key", "source", "words"]);
}

#[test]
fn a_sealed_object_is_not_handed_out_sealed() {
    let bench = bench();
    bench.run("put source s3://bench/object -e client --key key").ok();
    bench
        .run("get s3://bench/object -")
        .exits(5)
        .writes_nothing()
        .says(&["needs an AES key", "--key SOURCE"]);
    bench.run("put source s3://bench/object -e client --kms-key alias/backup").ok();
    bench.run("get s3://bench/object -").exits(5).writes_nothing().says(&["--kms-key"]);
}

#[test]
fn a_wrong_key_is_told_with_the_fingerprint_of_the_right_one() {
    let bench = bench();
    bench.write("other", &KnownKey::new(2).0);
    let line = "put source s3://bench/object -e client --key key --json";
    let print = bench.run(line).ok().json()["encryption"]["key_fingerprint"].as_str().unwrap().to_owned();
    bench.write("copy", b"old");
    let ended = bench.run("get s3://bench/object copy --key other").exits(5);
    ended.says(&[
        "cannot open s3://bench/object",
        "wrong key or passphrase",
        &format!("hint: pass the key with fingerprint {print}"),
    ]);
    assert_eq!(bench.read("copy"), b"old");
    bench.assert_tidy(&["copy", "key", "other", "source"]);
}

#[test]
fn another_kms_context_than_the_sealed_one_is_refused() {
    let bench = bench();
    bench
        .run(&format!(
            "put source s3://bench/object -e client --kms-key {ALIAS} --context team=a --format s3ec"
        ))
        .ok();
    bench.sandbox.kms().clear_uses();
    for context in ["", "--context team=b", "--context team=a --context more=x", "--context other=a"] {
        let ended = bench.run(&format!("get s3://bench/object - --kms-key {ALIAS} {context}")).exits(5);
        ended
            .writes_nothing()
            .says(&["the encryption context given is not the object's", "--context KEY=VALUE"]);
    }
    assert_eq!(bench.sandbox.kms().uses(), [], "KMS was asked with a context that the user did not give");
    bench.run(&format!("get s3://bench/object - --kms-key {ALIAS} --context team=a")).ok();
}

#[test]
fn of_several_kms_keys_the_one_that_fits_opens_whatever_is_wrong_with_the_others() {
    let bench = bench();
    for format in ["s3ec", "esdk"] {
        bench
            .run(&format!("put source s3://bench/object -e client --kms-key {ALIAS} --format {format}"))
            .ok();
        let none = "--kms-key alias/none";
        bench.run(&format!("get s3://bench/object - {none} --kms-key {ALIAS}")).ok();
        bench.run(&format!("get s3://bench/object - {none}")).exits(5).writes_nothing();
    }
}

#[test]
fn the_context_key_that_readers_of_the_s3_formats_leave_out_is_refused_by_every_writer() {
    let bench = bench();
    let to_kms = format!("--kms-key {ALIAS} --context team=a --context kms_cmk_id=x");
    let reserved = ["the encryption context", "'kms_cmk_id' is reserved", "--format esdk"];
    for format in ["s3ec", "s3ec-v2"] {
        bench
            .run(&format!("put source s3://bench/object -e client {to_kms} --format {format}"))
            .exits(2)
            .says(&reserved);
        bench.assert_keys(&[]);
        bench.run(&format!("put source s3://bench/old -e client --key key --format {format}")).ok();
        let before = bench.object("old").etag;
        for how in ["--rewrap", "-e client --new-data-key"] {
            let line = format!("rotate s3://bench/old {how} {to_kms} --from-key key --allow-legacy v2 --yes");
            bench.run(&line).exits(2).says(&reserved);
            assert_eq!(bench.object("old").etag, before, "{how}");
        }
        bench.run("get s3://bench/old copy --key key --allow-legacy v2").ok();
        let version = bench.object("old").version_id;
        bench.sandbox.s3().try_delete(BUCKET, "old", &version, false).unwrap();
    }
    let uses = bench.sandbox.kms().uses();
    assert!(uses.iter().all(|one| one.action == KmsAction::DescribeKey), "nothing was wrapped: {uses:?}");
    // The Encryption SDK does not reserve it.
    bench.run(&format!("put source s3://bench/object -e client {to_kms} --format esdk")).ok();
    bench.run(&format!("get s3://bench/object - {to_kms}")).ok();
}

#[test]
fn a_kms_key_that_does_not_fit_hides_no_refusal_of_another() {
    let bench = bench();
    bench.sandbox.kms().create_key_with_alias("alias/other");
    bench.run(&format!("put source s3://bench/object -e client --kms-key {ALIAS}")).ok();
    let denied = Kind::status(400, "AccessDeniedException", "not authorized to perform kms:Decrypt");
    bench.sandbox.fault(Fault::on("kms:Decrypt", denied));
    bench
        .run(&format!("get s3://bench/object - --kms-key {ALIAS} --kms-key alias/other"))
        .exits(1)
        .writes_nothing()
        .says(&["AccessDeniedException"]);
}

#[test]
fn a_range_of_a_sealed_object_needs_leave_and_is_said_not_to_be_proven() {
    let bench = bench();
    let content = bytes(PART + 1000);
    bench.write("source", &content);
    bench.run("put source s3://bench/object -e client --key key --part-size 5MiB").ok();
    let refused = bench.run("get s3://bench/object - --key key --range 5-9");
    refused.exits(2).writes_nothing().says(&["cannot be authenticated", "--allow-legacy unauthenticated"]);
    let len = content.len();
    for (range, from, to) in [
        ("5-9", 5, 10),
        ("0-0", 0, 1),
        ("-7", len - 7, len),
        ("17-", 17, len),
        ("5242870-5242890", 5_242_870, 5_242_891),
    ] {
        let line = [
            "get",
            "s3://bench/object",
            "-",
            "--key",
            "key",
            "--allow-legacy",
            "unauthenticated",
            "--range",
            range,
        ];
        let ended = bench.s3seal(line).run().ok();
        assert_same(&ended.stdout, &content[from..to], range);
        ended.says(&["NOT AUTHENTICATED"]);
    }
    // The sixteen bytes of the tag are not content.
    for range in [format!("{len}-"), format!("{}-", len + 15), format!("{}-", len + 16)] {
        let line = [
            "get",
            "s3://bench/object",
            "-",
            "--key",
            "key",
            "--allow-legacy",
            "unauthenticated",
            "--range",
            &range,
        ];
        bench.s3seal(line).run().exits(1).writes_nothing().says(&[&format!("has {len} bytes")]);
    }
}
