//! A store that claims SSE-C and takes any key: a key that its answer does not confirm has not opened anything.

use s3seal_sandbox::{Answer, Fault, Kind, hostile};

use crate::support::keys::KnownKey;
use crate::support::{Bench, CUSTOMER_ALGORITHM, CUSTOMER_KEY, CUSTOMER_MD5};

const BODY: &str = "what anybody has written";
const UNCONFIRMED: &str = "it does not confirm the SSE-C key";

/// What the store says of the key that comes with a request.
#[derive(Clone)]
enum Says {
    Nothing,
    /// That it is this one, whichever comes.
    Key(KnownKey),
    /// That it is this one, and that the object is in SSE-S3.
    SseS3(KnownKey),
}

/// A bench whose store asks for a key for every object, and then takes any.
fn bench(says: Says) -> Bench {
    let bench = Bench::hostile();
    bench.write("key", &KnownKey::new(1).0);
    bench.write("other", &KnownKey::new(2).0);
    bench.sandbox.s3().put_plain("bench", "p/object", BODY.as_bytes());
    let kind = Kind::answer(move |asked| {
        if asked.header(CUSTOMER_KEY).is_none() {
            let (code, text) = ("InvalidRequest", hostile::SSE_C_TEXT);
            return Answer::new(400)
                .xml(&format!("<Error><Code>{code}</Code><Message>{text}</Message></Error>"));
        }
        let mut answer = Answer::new(200)
            .header("etag", "\"0123456789abcdef0123456789abcdef\"")
            .header("last-modified", "Mon, 01 Jun 2026 00:00:00 GMT")
            .body(BODY)
            .header("content-length", BODY.len().to_string());
        if let Says::Key(key) | Says::SseS3(key) = &says {
            answer.set(CUSTOMER_ALGORITHM, "AES256");
            answer.set(CUSTOMER_MD5, key.md5());
        }
        if let Says::SseS3(_) = says {
            answer.set("x-amz-server-side-encryption", "AES256");
        }
        answer
    });
    for operation in ["HeadObject", "GetObject"] {
        bench.sandbox.fault(Fault::on(operation, kind.clone()).always());
    }
    bench
}

#[test]
fn a_key_that_the_answer_does_not_confirm_has_opened_nothing() {
    for says in [Says::Nothing, Says::SseS3(KnownKey::new(1))] {
        let bench = bench(says);
        let print = bench.run("keygen --show key --json").ok().json();
        let print = print["key_fingerprint"].as_str().unwrap();
        for line in [
            "get s3://bench/p/object copy --sse-c-key key",
            "get s3://bench/p/object - --sse-c-key key",
            "inspect s3://bench/p/object --sse-c-key key",
            &format!("inspect s3://bench/p/object --sse-c-key key --expect sse-c:{print}"),
            "rotate s3://bench/p/object -e sse-s3 --from-sse-c-key key --yes",
            "rotate s3://bench/p/object --sse-c-key key --from-sse-c-key other --yes",
        ] {
            bench.run(line).exits(6).writes_nothing().says(&["s3://bench/p/object", UNCONFIRMED]);
        }
        for line in
            ["get -r s3://bench/p/ folder --sse-c-key key", "inspect s3://bench/p/ --sse-c-key key --quiet"]
        {
            bench.run(line).exits(9).says(&[UNCONFIRMED]);
        }
        bench.assert_tidy(&["key", "other"]);
        assert_eq!(bench.requests("CopyObject").len(), 0);
    }
}

#[test]
fn a_key_in_whose_place_the_answer_confirms_another_does_not_fit() {
    let bench = bench(Says::Key(KnownKey::new(3)));
    for line in ["get s3://bench/p/object copy --sse-c-key key", "get s3://bench/p/object - --sse-c-key key"]
    {
        bench
            .run(line)
            .exits(5)
            .writes_nothing()
            .says(&["the key given is not the one it was encrypted with"]);
    }
    bench
        .run("get s3://bench/p/object copy --sse-c-key key --sse-c-key other")
        .exits(5)
        .says(&["none of the 2 keys"]);
    bench.run("rotate s3://bench/p/object --sse-c-key key --from-sse-c-key other --yes").exits(5);
    let found = bench.run("inspect s3://bench/p/object --sse-c-key key --json").ok().json();
    assert_eq!(found["customer_key"], serde_json::json!({ "state": "no_match", "tried": 1 }), "{found}");
    let report = bench.run("doctor s3://bench/p/ --for get --sse-c-key key --write-test");
    let report = String::from_utf8_lossy(&report.stdout);
    assert!(
        report.contains("s3://bench/p/object does not open with the keys given")
            && !report.contains("opens with"),
        "{report}"
    );
    bench.assert_tidy(&["key", "other"]);
}

#[test]
fn of_several_keys_the_one_that_the_answer_confirms_is_named() {
    let bench = bench(Says::Key(KnownKey::new(2)));
    let print = bench.run("keygen --show other --json").ok().json();
    let done = bench.run("get s3://bench/p/object copy --sse-c-key key --sse-c-key other --json").ok().json();
    assert_eq!(done["encryption"]["key_fingerprint"], print["key_fingerprint"], "{done}");
}

#[test]
fn headers_of_sse_c_without_any_key_do_not_show_that_a_key_was_needed() {
    let bench = Bench::hostile();
    bench.write("key", &KnownKey::new(1).0);
    bench.sandbox.s3().put_plain("bench", "object", BODY.as_bytes());
    bench.sandbox.fault(Fault::on("HeadObject", hostile::says_sse_c()).always());
    bench.run("get s3://bench/object copy --sse-c-key key").exits(5).writes_nothing();
    bench.assert_tidy(&["key"]);
}
