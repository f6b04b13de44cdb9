//! What S3 refuses about encryption, word for word: a test for each case that is on record.

mod bed;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use bed::client::Client;
use bed::{
    BUCKET_KEY, Bed, CUSTOMER_ALGORITHM, CUSTOMER_KEY, CUSTOMER_MD5, KEY, KMS_KEY, OTHER, SSE, customer,
    done, kms, md5, one, refused, source_customer,
};
use s3seal_sandbox::kms::KmsAction;

const MISSING: &str = "The object was stored using a form of Server Side Encryption. The correct parameters must be \
                       provided to retrieve the object.";
const WRONG: &str = "Requests specifying Server Side Encryption with Customer provided keys must provide the correct \
                     secret key.";
const USER: &str = "arn:aws:iam::111122223333:user/sandbox";

#[test]
fn a_customers_key_over_http() {
    let bed = Bed::new();
    let headers = customer(&KEY);
    let headers: Vec<_> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
    let outcome = Client::plain(&bed.sandbox).s3("PUT", "/bed/k", &headers, b"x");
    refused(
        &outcome,
        400,
        "InvalidRequest",
        "Requests specifying Server Side Encryption with Customer provided keys must be made over a secure connection.",
    );
    assert!(bed.sandbox.s3().object("bed", "k").is_none());
}

#[test]
fn another_customers_key() {
    let bed = Bed::new();
    done(&bed.put("k", &customer(&KEY), b"secret"));
    refused(&bed.get("k", &customer(&OTHER)), 403, "AccessDenied", WRONG);
    assert_eq!(bed.get("k", &customer(&KEY)).body, b"secret");
}

#[test]
fn no_customers_key() {
    let bed = Bed::new();
    done(&bed.put("k", &customer(&KEY), b"secret"));
    refused(&bed.get("k", &[]), 400, "InvalidRequest", MISSING);
    let copy = one("x-amz-copy-source", "bed/k");
    refused(&bed.put("c", &copy, b""), 400, "InvalidRequest", MISSING);
    let mut copy = source_customer(&OTHER);
    copy.push(("x-amz-copy-source", "bed/k".to_owned()));
    refused(&bed.put("c", &copy, b""), 403, "AccessDenied", WRONG);
}

#[test]
fn head_hides_the_reason() {
    let bed = Bed::new();
    done(&bed.put("k", &customer(&KEY), b"secret"));
    for (headers, status) in [(vec![], 400), (customer(&OTHER), 403)] {
        let outcome = bed.head("k", &headers);
        assert_eq!(outcome.status, Some(status));
        assert_eq!(outcome.body, b"");
    }
    assert_eq!(bed.head("missing", &[]).status, Some(404));
    done(&bed.head("k", &customer(&KEY)));
}

#[test]
fn a_customers_key_for_an_object_that_has_none() {
    let bed = Bed::new();
    done(&bed.put("k", &[], b"x"));
    let text = "The encryption parameters are not applicable to this object.";
    refused(&bed.get("k", &customer(&KEY)), 400, "InvalidRequest", text);
    assert_eq!(bed.head("k", &customer(&KEY)).status, Some(400));
}

#[test]
fn a_customers_key_of_another_length() {
    let bed = Bed::new();
    let headers = vec![
        (CUSTOMER_ALGORITHM, "AES256".to_owned()),
        (CUSTOMER_KEY, BASE64_STANDARD.encode([1; 16])),
        (CUSTOMER_MD5, md5(&[1; 16])),
    ];
    let text = "The secret key was invalid for the specified algorithm.";
    refused(&bed.put("k", &headers, b"x"), 400, "InvalidArgument", text);
}

#[test]
fn a_customers_key_with_another_md5() {
    let bed = Bed::new();
    let mut headers = customer(&KEY);
    headers[2].1 = md5(&OTHER);
    let text = "The calculated MD5 hash of the key did not match the hash that was provided.";
    refused(&bed.put("k", &headers, b"x"), 400, "InvalidArgument", text);
}

#[test]
fn no_algorithm_or_another_or_no_key() {
    let bed = Bed::new();
    let must = "Requests specifying Server Side Encryption with Customer provided keys must provide";
    let text = format!("{must} a valid encryption algorithm.");
    refused(&bed.put("k", &customer(&KEY)[1..], b"x"), 400, "InvalidArgument", &text);
    let text = format!("{must} an appropriate secret key.");
    refused(&bed.put("k", &customer(&KEY)[..1], b"x"), 400, "InvalidArgument", &text);
    let mut headers = customer(&KEY);
    headers[0].1 = "AES512".to_owned();
    let text = "The Encryption request you specified is not valid. Supported value: AES256.";
    let outcome = bed.put("k", &headers, b"x");
    refused(&outcome, 400, "InvalidEncryptionAlgorithmError", text);
}

#[test]
fn two_modes_at_once() {
    let bed = Bed::new();
    let mut headers = customer(&KEY);
    headers.push((SSE, "AES256".to_owned()));
    let text = "Server Side Encryption with Customer provided key is incompatible with the encryption method specified";
    refused(&bed.put("k", &headers, b"x"), 400, "InvalidArgument", text);
}

#[test]
fn a_mode_there_is_not() {
    let bed = Bed::new();
    let text = "The encryption method specified is not supported";
    refused(&bed.put("k", &one(SSE, "AES999"), b"x"), 400, "InvalidArgument", text);
}

#[test]
fn encryption_headers_on_a_read() {
    let bed = Bed::new();
    done(&bed.put("k", &[], b"x"));
    let text = "x-amz-server-side-encryption header is not supported for this operation.";
    refused(&bed.get("k", &one(SSE, "AES256")), 400, "InvalidArgument", text);
    assert_eq!(bed.head("k", &one(SSE, "AES256")).status, Some(400));
}

#[test]
fn a_part_without_the_key_with_another_or_with_a_needless_one() {
    let bed = Bed::new();
    let id = bed.begin("k", &customer(&KEY));
    let text = "The multipart upload initiate requested encryption. Subsequent part requests must include the \
                appropriate encryption parameters.";
    refused(&bed.part("k", &id, 1, &[], b"x"), 400, "InvalidRequest", text);
    let text = "The provided encryption parameters did not match the ones used originally.";
    refused(&bed.part("k", &id, 1, &customer(&OTHER), b"x"), 400, "InvalidRequest", text);
    done(&bed.part("k", &id, 1, &customer(&KEY), b"x"));
    let id = bed.begin("plain", &[]);
    let text = "The multipart upload initiate did not request encryption. Please resend the request without sending \
                encryption parameters.";
    refused(&bed.part("plain", &id, 1, &customer(&KEY), b"x"), 400, "InvalidRequest", text);
}

#[test]
fn customers_keys_are_blocked() {
    let bed = Bed::new();
    done(&bed.put("old", &customer(&KEY), b"x"));
    bed.sandbox.s3().block_sse_c("bed");
    let text = |key| {
        format!(
            "User: {USER} is not authorized to perform: s3:PutObject on resource: \"arn:aws:s3:::bed/{key}\" because \
             this bucket has blocked upload requests that specify Server Side Encryption with Customer provided keys \
             (SSE-C). Please specify a different server-side encryption type"
        )
    };
    refused(&bed.put("k", &customer(&KEY), b"x"), 403, "AccessDenied", &text("k"));
    let begun = bed.ask("POST", "k?uploads", &customer(&KEY), b"");
    refused(&begun, 403, "AccessDenied", &text("k"));
    let mut copy = customer(&KEY);
    copy.extend(source_customer(&KEY));
    copy.push(("x-amz-copy-source", "bed/old".to_owned()));
    refused(&bed.put("c", &copy, b""), 403, "AccessDenied", &text("c"));
    assert_eq!(bed.get("old", &customer(&KEY)).body, b"x", "what is there can be read");
}

#[test]
fn kms_is_denied() {
    let bed = Bed::new();
    let arn = bed.sandbox.kms().create_key().0;
    done(&bed.put("old", &kms(&arn), b"x"));
    let text = |action| {
        format!(
            "User: {USER} is not authorized to perform: {action} on resource: {arn} because no identity-based policy \
             allows the {action} action"
        )
    };
    bed.sandbox.kms().deny(KmsAction::Decrypt, Some(&arn));
    refused(&bed.get("old", &[]), 403, "AccessDenied", &text("kms:Decrypt"));
    done(&bed.head("old", &[]));
    let id = bed.begin("k", &kms(&arn));
    let part = bed.part("k", &id, 1, &[], b"x");
    refused(&part, 403, "AccessDenied", &text("kms:Decrypt"));
    bed.sandbox.kms().deny(KmsAction::GenerateDataKey, Some(&arn));
    let outcome = bed.put("k", &kms(&arn), b"x");
    refused(&outcome, 403, "AccessDenied", &text("kms:GenerateDataKey"));
}

#[test]
fn a_kms_key_is_disabled() {
    let bed = Bed::new();
    let arn = bed.sandbox.kms().create_key().0;
    done(&bed.put("old", &kms(&arn), b"x"));
    bed.sandbox.kms().disable(&arn);
    let text = format!("{arn} is disabled.");
    refused(&bed.get("old", &[]), 400, "KMS.DisabledException", &text);
    refused(&bed.put("k", &kms(&arn), b"x"), 400, "KMS.DisabledException", &text);
}

#[test]
fn a_kms_key_waits_for_its_deletion() {
    let bed = Bed::new();
    let arn = bed.sandbox.kms().create_key().0;
    done(&bed.put("old", &kms(&arn), b"x"));
    bed.sandbox.kms().schedule_deletion(&arn);
    let text = format!("{arn} is pending deletion.");
    let code = "KMS.KMSInvalidStateException";
    refused(&bed.get("old", &[]), 400, code, &text);
    refused(&bed.put("k", &kms(&arn), b"x"), 400, code, &text);
}

#[test]
fn a_kms_key_there_is_not() {
    let bed = Bed::new();
    let arn = "arn:aws:kms:us-east-1:111122223333:key/00000000-0000-0000-0000-000000000000";
    let elsewhere = arn.replace("us-east-1", "us-west-2");
    for (key, text) in [
        ("x", "Invalid keyId 'x'".to_owned()),
        (arn, format!("Key '{arn}' does not exist")),
        (&elsewhere, "Invalid arn us-west-2".to_owned()),
    ] {
        let outcome = bed.put("k", &kms(key), b"x");
        refused(&outcome, 400, "KMS.NotFoundException", &text);
    }
}

#[test]
fn a_kms_key_without_its_mode() {
    let bed = Bed::new();
    let text = "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : \
                aws:kms";
    refused(&bed.put("k", &one(KMS_KEY, "x"), b"x"), 400, "InvalidArgument", text);
    let headers = vec![(KMS_KEY, "x".to_owned()), (SSE, "AES256".to_owned())];
    refused(&bed.put("k", &headers, b"x"), 400, "InvalidArgument", text);
}

#[test]
fn a_context_that_is_none() {
    let bed = Bed::new();
    let mut headers = one(SSE, "aws:kms");
    headers.push((bed::CONTEXT, "%%%".to_owned()));
    let outcome = bed.put("k", &headers, b"x");
    assert_eq!(bed::element(&outcome, "Code").unwrap(), "InvalidArgument");
}

#[test]
fn a_copy_of_too_much() {
    let bed = Bed::new();
    done(&bed.put("k", &[], b"123456"));
    bed.sandbox.s3().set_copy_limit(5);
    let text = "The specified copy source is larger than the maximum allowable size for a copy source: 5";
    let copy = one("x-amz-copy-source", "bed/k");
    refused(&bed.put("c", &copy, b""), 400, "InvalidRequest", text);
}

#[test]
fn the_10001st_part() {
    let bed = Bed::new();
    let id = bed.begin("k", &[]);
    let text = "Part number must be an integer between 1 and 10000, inclusive";
    for number in [0, 10_001] {
        refused(&bed.part("k", &id, number, &[], b"x"), 400, "InvalidArgument", text);
    }
    done(&bed.part("k", &id, 10_000, &[], b"x"));
}

#[test]
fn a_copy_to_itself_that_changes_nothing() {
    let bed = Bed::new();
    done(&bed.put("k", &[], b"x"));
    let text = "This copy request is illegal because it is trying to copy an object to itself without changing the \
                object's metadata, storage class, website redirect location or encryption attributes.";
    let mut copy = one("x-amz-copy-source", "bed/k");
    refused(&bed.put("k", &copy, b""), 400, "InvalidRequest", text);
    copy.push((SSE, "AES256".to_owned()));
    done(&bed.put("k", &copy, b""));
}

#[test]
fn kms_without_a_signature_of_version_4() {
    let bed = Bed::new();
    done(&bed.put("k", &one(SSE, "aws:kms"), b"x"));
    done(&bed.put("plain", &[], b"x"));
    bed.sandbox.s3().set_public("bed", true);
    let text = "Requests specifying Server Side Encryption with AWS KMS managed keys require AWS Signature Version 4.";
    refused(&bed.client.unsigned("GET", "/bed/k"), 400, "InvalidArgument", text);
    assert_eq!(bed.client.unsigned("GET", "/bed/plain").body, b"x");
}

#[test]
fn a_bucket_key_means_nothing_to_dsse() {
    let bed = Bed::new();
    let mut headers = one(SSE, "aws:kms:dsse");
    headers.push((BUCKET_KEY, "true".to_owned()));
    let outcome = bed.put("k", &headers, b"x");
    assert_eq!(done(&outcome).header(SSE), Some("aws:kms:dsse"));
    assert_eq!(outcome.header(BUCKET_KEY), None);
}

#[test]
fn signatures_in_s3s_words() {
    let bed = Bed::new();
    done(&bed.put("k", &[], b"x"));
    let ask = |change: fn(&mut Client)| {
        let mut client = bed.client.clone();
        change(&mut client);
        client.s3("GET", "/bed/k", &[], b"")
    };
    let outcome = ask(|client| client.secret_key = "wrong".to_owned());
    let text = "The request signature we calculated does not match the signature you provided. Check your key and \
                signing method.";
    refused(&outcome, 403, "SignatureDoesNotMatch", text);
    let outcome = ask(|client| client.access_key = "AKIANOBODY".to_owned());
    let text = "The AWS Access Key Id you provided does not exist in our records.";
    refused(&outcome, 403, "InvalidAccessKeyId", text);
    let outcome = ask(|client| client.region = "eu-west-1".to_owned());
    let text =
        "The authorization header is malformed; the region 'eu-west-1' is wrong; expecting 'us-east-1'";
    refused(&outcome, 400, "AuthorizationHeaderMalformed", text);
    assert_eq!(bed::element(&outcome, "Region").unwrap(), "us-east-1");
    let outcome = ask(|client| client.clock = time::Duration::minutes(-16));
    let text = "The difference between the request time and the current time is too large.";
    refused(&outcome, 403, "RequestTimeTooSkewed", text);
    bed.sandbox.s3().set_clock_ahead(-3600);
    let skewed = ask(|_| {});
    refused(&skewed, 403, "RequestTimeTooSkewed", text);
    let stamp = bed::element(&skewed, "ServerTime").unwrap();
    let (day, time) = stamp.split_once('T').unwrap();
    let date = skewed.header("date").unwrap();
    assert!(date.contains(&day[..4]) && date.contains(&time[..5]), "{date} is not {stamp}");
    bed.sandbox.s3().set_clock_ahead(0);
    refused(&bed.client.unsigned("GET", "/bed/k"), 403, "AccessDenied", "Access Denied");
    done(&ask(|_| {}));
}

/// "Error responses", Amazon S3 API reference: `ExpiredToken` and `InvalidToken`, both 400.
#[test]
fn session_tokens() {
    let bed = Bed::new();
    done(&bed.put("k", &[], b"x"));
    let ask = |token: Option<&str>| {
        let mut client = bed.client.clone();
        client.session_token = token.map(str::to_owned);
        client.s3("GET", "/bed/k", &[], b"")
    };
    let invalid = "The provided token is malformed or otherwise invalid.";
    refused(&ask(Some("stray")), 400, "InvalidToken", invalid);
    bed.sandbox.user().set_session_token("token");
    done(&ask(Some("token")));
    refused(&ask(Some("stray")), 400, "InvalidToken", invalid);
    let text = "The AWS Access Key Id you provided does not exist in our records.";
    refused(&ask(None), 403, "InvalidAccessKeyId", text);
    bed.sandbox.user().expire_session_token();
    refused(&ask(Some("token")), 400, "ExpiredToken", "The provided token has expired.");
    let env = bed.sandbox.env();
    assert!(env.contains(&("AWS_SESSION_TOKEN".to_owned(), "token".to_owned())), "{env:?}");
}

#[test]
fn another_owner() {
    let bed = Bed::new();
    let owner = |account: &str| one("x-amz-expected-bucket-owner", account);
    done(&bed.put("k", &owner("111122223333"), b"x"));
    refused(&bed.get("k", &owner("999999999999")), 403, "AccessDenied", "Access Denied");
}

#[test]
fn what_is_not_there() {
    let bed = Bed::new();
    let outcome = bed.client.s3("GET", "/nobucket/k", &[], b"");
    refused(&outcome, 404, "NoSuchBucket", "The specified bucket does not exist");
    refused(&bed.get("k", &[]), 404, "NoSuchKey", "The specified key does not exist.");
    let long = "k".repeat(1025);
    refused(&bed.put(&long, &[], b"x"), 400, "KeyTooLongError", "Your key is too long");
    done(&bed.put(&long[1..], &[], b"x"));
    let metadata = [("x-amz-meta-a", "v".repeat(2048))];
    let text = "Your metadata headers exceed the maximum allowed metadata size";
    refused(&bed.put("k", &metadata, b"x"), 400, "MetadataTooLarge", text);
}

#[test]
fn an_archived_object() {
    let bed = Bed::new();
    done(&bed.put("k", &[], b"x"));
    bed.sandbox.s3().set_archived("bed", "k");
    let text = "The operation is not valid for the object's storage class";
    refused(&bed.get("k", &[]), 403, "InvalidObjectState", text);
    assert_eq!(done(&bed.head("k", &[])).header("x-amz-storage-class"), Some("GLACIER"));
    let copy = one("x-amz-copy-source", "bed/k");
    let text = "Operation is not valid for the source object's storage class";
    refused(&bed.put("c", &copy, b""), 403, "InvalidObjectState", text);
    let restore = b"<RestoreRequest><Days>1</Days></RestoreRequest>";
    done(&bed.ask("POST", "k?restore", &[], restore));
    assert_eq!(bed.get("k", &[]).body, b"x");
}
