//! What goes over the wire: the mode's headers on every request that needs them and on no other.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use s3seal_sandbox::Recorded;

use crate::support::keys::KnownKey;
use crate::support::{ALIAS, Bench, CUSTOMER_ALGORITHM, CUSTOMER_KEY, CUSTOMER_MD5, PART, bytes};

const SSE: &str = "x-amz-server-side-encryption";
const KMS_KEY: &str = "x-amz-server-side-encryption-aws-kms-key-id";
const CONTEXT: &str = "x-amz-server-side-encryption-context";
const BUCKET_KEY: &str = "x-amz-server-side-encryption-bucket-key-enabled";

/// Puts one small and one multipart object, and returns all requests.
fn put_both(flags: &str) -> Vec<Recorded> {
    let bench = Bench::new();
    bench.write("key", KnownKey::new(1).hex().as_bytes());
    for size in [10, PART + 10] {
        bench.write("source", &bytes(size));
        bench.run(&format!("put source s3://bench/object {flags} --part-size 5MiB")).ok();
    }
    bench.sandbox.requests()
}

fn names(requests: &[Recorded]) -> Vec<&str> {
    requests.iter().map(|request| request.operation.as_str()).collect()
}

fn assert_customer_key(request: &Recorded, key: &KnownKey) {
    assert_eq!(request.header(CUSTOMER_ALGORITHM), Some("AES256"), "{}", request.operation);
    assert_eq!(request.header(CUSTOMER_KEY), Some(key.base64().as_str()), "{}", request.operation);
    assert_eq!(request.header(CUSTOMER_MD5), Some(key.md5().as_str()), "{}", request.operation);
}

#[test]
fn the_sse_c_key_is_on_create_each_part_and_complete() {
    let requests = put_both("-e sse-c --sse-c-key key");
    let all = ["PutObject", "CreateMultipartUpload", "UploadPart", "UploadPart", "CompleteMultipartUpload"];
    assert_eq!(names(&requests), all);
    for request in &requests {
        assert_customer_key(request, &KnownKey::new(1));
        assert_eq!(request.header(SSE), None);
    }
}

#[test]
fn the_sse_c_key_is_on_head_and_on_every_range() {
    let bench = Bench::new();
    bench.write("key", KnownKey::new(1).base64().as_bytes());
    bench.write("source", &bytes(2 * PART));
    bench.run("put source s3://bench/object -e sse-c --sse-c-key key --part-size 5MiB").ok();
    bench.sandbox.clear_requests();
    bench.run("get s3://bench/object copy -e sse-c --sse-c-key key --part-size 5MiB").ok();
    let gets = bench.requests("GetObject");
    assert!(gets.iter().filter(|get| get.header("range") != Some("bytes=0-0")).count() >= 2);
    for get in gets.iter().filter(|get| get.status != Some(400)) {
        assert_customer_key(get, &KnownKey::new(1));
    }
    assert_customer_key(bench.requests("HeadObject").last().unwrap(), &KnownKey::new(1));
}

#[test]
fn kms_headers_are_on_put_and_create_only() {
    for (mode, word) in [("sse-kms", "aws:kms"), ("dsse-kms", "aws:kms:dsse")] {
        let requests = put_both(&format!("-e {mode} --kms-key {ALIAS} --context team=a"));
        for request in &requests {
            let creates = ["PutObject", "CreateMultipartUpload"].contains(&request.operation.as_str());
            let header = |name| request.header(name).filter(|_| creates);
            assert_eq!(request.header(SSE), creates.then_some(word), "{}", request.operation);
            assert_eq!(request.header(KMS_KEY), creates.then_some(ALIAS), "{}", request.operation);
            let context = header(CONTEXT).map(|text| BASE64_STANDARD.decode(text).unwrap());
            assert_eq!(context.as_deref(), creates.then_some(br#"{"team":"a"}"#.as_slice()));
            assert_eq!(request.header(BUCKET_KEY), None, "{}", request.operation);
        }
    }
}

#[test]
fn sse_s3_says_its_mode_and_nothing_else() {
    for request in put_both("-e sse-s3") {
        let creates = ["PutObject", "CreateMultipartUpload"].contains(&request.operation.as_str());
        assert_eq!(request.header(SSE), creates.then_some("AES256"), "{}", request.operation);
        for name in [KMS_KEY, CONTEXT, BUCKET_KEY, CUSTOMER_KEY, CUSTOMER_MD5, CUSTOMER_ALGORITHM] {
            assert_eq!(request.header(name), None, "{}", request.operation);
        }
    }
}

#[test]
fn without_a_mode_nothing_is_said_about_encryption() {
    for request in put_both("") {
        let said = request.headers.iter().find(|(name, _)| name.starts_with(SSE));
        assert_eq!(said, None, "{}", request.operation);
    }
}

#[test]
fn the_owner_and_the_payer_are_on_every_request() {
    let bench = Bench::new();
    bench.write("source", &bytes(PART + 10));
    let flags = "--expected-bucket-owner 111122223333 --request-payer requester --part-size 5MiB";
    let flags = flags.replace("--request-payer requester", "--request-payer=requester");
    bench.run(&format!("put source s3://bench/object {flags}")).ok();
    bench.run(&format!("get s3://bench/object copy {flags}")).ok();
    assert!(bench.sandbox.requests().len() >= 6);
    for request in bench.sandbox.requests() {
        let owner = request.header("x-amz-expected-bucket-owner");
        assert_eq!(owner, Some("111122223333"), "{}", request.operation);
        assert_eq!(request.header("x-amz-request-payer"), Some("requester"), "{}", request.operation);
    }
}

#[test]
fn another_accounts_bucket_is_refused_if_the_owner_is_expected() {
    let bench = Bench::new();
    bench.write("source", b"text");
    let ended = bench.run("put source s3://bench/object --expected-bucket-owner 999999999999");
    ended.exits(4).says(&["access to s3://bench/object is denied"]);
    bench.assert_keys(&[]);
}

#[test]
fn everything_goes_over_tls() {
    assert!(put_both("").iter().all(|request| request.over_tls));
}
