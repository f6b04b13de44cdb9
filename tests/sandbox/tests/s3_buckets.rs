//! Buckets: listings in pages, policies, UpdateObjectEncryption, deleting many, and the liar's roles.

mod bed;

use bed::client::Client;
use bed::{Bed, KEY, KMS_KEY, SSE, customer, done, element, etag, kms, md5_hex, one, refused, text};
use s3seal_sandbox::kms::KmsAction;
use s3seal_sandbox::s3::{Lie, SseView};

fn names(outcome: &bed::client::Outcome, element: &str) -> Vec<String> {
    let (text, start) = (text(done(outcome)), format!("<{element}>"));
    text.split(&start).skip(1).map(|piece| piece.split("</").next().unwrap().to_owned()).collect()
}

#[test]
fn objects_are_listed_in_pages_with_prefixes() {
    let bed = Bed::new();
    for key in ["a", "b/1", "b/2", "c", "d/e/f", "z%20%C3%BC"] {
        done(&bed.put(key, &[], b"x"));
    }
    let list = |query: &str| bed.client.s3("GET", &format!("/bed?{query}"), &[], b"");
    assert_eq!(names(&list("list-type=2"), "Key"), ["a", "b/1", "b/2", "c", "d/e/f", "z ü"]);
    let page = list("delimiter=%2F&encoding-type=url&list-type=2");
    assert_eq!(names(&page, "Key"), ["a", "c", "z+%C3%BC"]);
    assert!(text(&page).contains("<Prefix>b/</Prefix>") && text(&page).contains("<Prefix>d/</Prefix>"));
    assert_eq!(names(&list("list-type=2&prefix=b%2F"), "Key"), ["b/1", "b/2"]);
    assert_eq!(names(&list("list-type=2&start-after=b%2F1"), "Key"), ["b/2", "c", "d/e/f", "z ü"]);
    let (mut seen, mut token) = (Vec::new(), String::new());
    for _page in 0..10 {
        let page = list(&format!("{token}delimiter=%2F&list-type=2&max-keys=1"));
        assert_eq!(element(&page, "KeyCount").unwrap(), "1");
        seen.extend(names(&page, "Key"));
        let Some(next) = element(&page, "NextContinuationToken") else {
            break;
        };
        token = format!(
            "continuation-token={}&",
            next.replace('%', "%25").replace('/', "%2F").replace('+', "%2B")
        );
    }
    assert_eq!(seen, ["a", "c", "z ü"]);
    let page = list("max-keys=2");
    assert_eq!(names(&page, "Key"), ["a", "b/1"]);
    assert_eq!(names(&list("marker=b%2F1&max-keys=2"), "Key"), ["b/2", "c"]);
    let text = "The continuation token provided is incorrect";
    refused(&list("continuation-token=x&list-type=2"), 400, "InvalidArgument", text);
}

#[test]
fn versions_are_listed_in_pages() {
    let bed = Bed::new();
    bed.sandbox.s3().set_versioning("bed");
    for key in ["a", "a", "b"] {
        done(&bed.put(key, &[], b"x"));
    }
    done(&bed.ask("DELETE", "a", &[], b""));
    let list = |query: &str| bed.client.s3("GET", &format!("/bed?{query}"), &[], b"");
    let all = list("versions=");
    assert_eq!(names(&all, "VersionId").len(), 4);
    assert_eq!(text(&all).matches("<DeleteMarker>").count(), 1);
    let (mut count, mut marker) = (0, String::new());
    for _page in 0..10 {
        let page = list(&format!("{marker}max-keys=1&versions="));
        count += names(&page, "VersionId").len();
        if element(&page, "IsTruncated").unwrap() == "false" {
            break;
        }
        let key = element(&page, "NextKeyMarker").unwrap();
        let id = element(&page, "NextVersionIdMarker").unwrap();
        marker = format!("key-marker={key}&version-id-marker={id}&");
    }
    assert_eq!(count, 4);
}

#[test]
fn buckets_are_made_found_and_deleted() {
    let bed = Bed::new();
    let ask = |method, target: &str| bed.client.s3(method, target, &[], b"");
    done(&ask("PUT", "/another"));
    assert_eq!(names(&ask("GET", "/"), "Name"), ["another", "bed"]);
    assert_eq!(done(&ask("HEAD", "/bed")).header("x-amz-bucket-region"), Some("us-east-1"));
    assert_eq!(ask("HEAD", "/nothing").status, Some(404));
    done(&ask("GET", "/bed?location="));
    done(&bed.put("k", &[], b"x"));
    let text = "The bucket you tried to delete is not empty";
    refused(&ask("DELETE", "/bed"), 409, "BucketNotEmpty", text);
    let delete = b"<Delete><Object><Key>k</Key></Object><Object><Key>none</Key></Object></Delete>";
    let md5 = bed::md5(delete);
    let outcome = bed.client.s3("POST", "/bed?delete=", &[("content-md5", &md5)], delete);
    assert_eq!(names(&outcome, "Key"), ["k", "none"]);
    done(&ask("DELETE", "/bed"));
    assert_eq!(ask("HEAD", "/bed").status, Some(404));
}

#[test]
fn a_lifecycle_is_kept() {
    let bed = Bed::new();
    let ask = |method, body: &[u8]| bed.client.s3(method, "/bed?lifecycle=", &[], body);
    assert_eq!(element(&ask("GET", b""), "Code").unwrap(), "NoSuchLifecycleConfiguration");
    let xml =
        b"<LifecycleConfiguration><Rule><ID>r</ID><Filter><Prefix></Prefix></Filter><Status>Enabled</Status>\
                <AbortIncompleteMultipartUpload><DaysAfterInitiation>3</DaysAfterInitiation>\
                </AbortIncompleteMultipartUpload></Rule></LifecycleConfiguration>";
    done(&ask("PUT", xml));
    assert_eq!(element(&ask("GET", b""), "DaysAfterInitiation").unwrap(), "3");
}

#[test]
fn a_policy_that_wants_tls() {
    let bed = Bed::new();
    done(&bed.put("k", &[], b"x"));
    let policy = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "s3:*",
        "Resource": ["arn:aws:s3:::bed", "arn:aws:s3:::bed/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}}}]}"#;
    done(&bed.client.s3("PUT", "/bed?policy=", &[], policy.as_bytes()));
    let text = "User: arn:aws:iam::111122223333:user/sandbox is not authorized to perform: s3:GetObject on resource: \
                \"arn:aws:s3:::bed/k\" with an explicit deny in a resource-based policy";
    let plain = Client::plain(&bed.sandbox);
    refused(&plain.s3("GET", "/bed/k", &[], b""), 403, "AccessDenied", text);
    done(&bed.get("k", &[]));
    assert_eq!(bed::text(&bed.client.s3("GET", "/bed?policy=", &[], b"")), policy);
    done(&bed.client.s3("DELETE", "/bed?policy=", &[], b""));
    done(&plain.s3("GET", "/bed/k", &[], b""));
}

#[test]
fn a_policy_that_wants_a_mode_and_a_key() {
    let bed = Bed::new();
    let kms_service = bed.sandbox.kms();
    let (arn, other) = (kms_service.create_key().0, kms_service.create_key().0);
    bed.sandbox.s3().set_policy(
        "bed",
        &format!(
            r#"{{"Statement": [
              {{"Effect": "Deny", "Principal": {{"AWS": "*"}}, "Action": "s3:PutObject", "Resource": "arn:aws:s3:::bed/*",
                "Condition": {{"StringNotEquals": {{"{name}": "aws:kms"}}}}}},
              {{"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::bed/*",
                "Condition": {{"StringNotEqualsIfExists": {{"{name}-aws-kms-key-id": "{arn}"}}}}}}]}}"#,
            name = "s3:x-amz-server-side-encryption"
        ),
    );
    assert_eq!(bed.put("k", &[], b"x").status, Some(403));
    assert_eq!(bed.put("k", &one(SSE, "AES256"), b"x").status, Some(403));
    assert_eq!(bed.put("k", &kms(&other), b"x").status, Some(403));
    done(&bed.put("k", &kms(&arn), b"x"));
    assert_eq!(bed.ask("POST", "k?uploads", &[], b"").status, Some(403));
    let id = bed.begin("k", &kms(&arn));
    let part = etag(&bed.part("k", &id, 1, &[], b"x"));
    done(&bed.complete("k", &id, &[], &[(1, part, String::new())]));
    let mut copy = one("x-amz-copy-source", "bed/k");
    assert_eq!(bed.put("c", &copy, b"").status, Some(403));
    copy.extend(kms(&arn));
    done(&bed.put("c", &copy, b""));
}

fn update(bed: &Bed, key: &str, arn: &str) -> bed::client::Outcome {
    let xml = format!(
        "<ObjectEncryption xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><SSE-KMS><KMSKeyArn>{arn}</KMSKeyArn>\
         <BucketKeyEnabled>true</BucketKeyEnabled></SSE-KMS></ObjectEncryption>"
    );
    bed.ask("PUT", &format!("{key}?encryption="), &[], xml.as_bytes())
}

#[test]
fn update_object_encryption_changes_the_lock_alone() {
    let bed = Bed::new();
    let (first, second) = (bed.sandbox.kms().create_key().0, bed.sandbox.kms().create_key().0);
    done(&bed.put("k", &one("x-amz-meta-a", "1"), b"body"));
    let before = bed.sandbox.s3().object("bed", "k").unwrap();
    for arn in [first, second] {
        done(&update(&bed, "k", &arn));
        let after = bed.sandbox.s3().object("bed", "k").unwrap();
        assert!(matches!(&after.sse, SseView::SseKms { key_arn, bucket_key: true, .. } if *key_arn == arn));
        assert_eq!((&after.etag, after.modified), (&md5_hex(b"body"), before.modified));
        assert_eq!((&after.stored, &after.checksum), (&before.stored, &before.checksum));
        let get = bed.get("k", &[]);
        assert_eq!((&*get.body, get.header(KMS_KEY)), (&b"body"[..], Some(&*arn)));
        bed.sandbox.kms().disable(&arn);
        assert_eq!(bed.get("k", &[]).status, Some(400), "the new key counts");
        bed.sandbox.kms().enable(&arn);
    }
}

#[test]
fn update_object_encryption_has_its_limits() {
    let bed = Bed::new();
    let arn = bed.sandbox.kms().create_key().0;
    bed.sandbox.s3().put_plain("bed", "old", b"x");
    done(&bed.put("dsse", &one(SSE, "aws:kms:dsse"), b"x"));
    done(&bed.put("ssec", &customer(&KEY), b"x"));
    done(&bed.put("k", &[], b"x"));
    for key in ["old", "dsse", "ssec"] {
        let outcome = update(&bed, key, &arn);
        assert_eq!(
            (outcome.status, element(&outcome, "Code").unwrap()),
            (Some(400), "InvalidRequest".to_owned())
        );
    }
    let id = arn.rsplit('/').next().unwrap();
    for key in [id, "alias/x"] {
        assert_eq!(element(&update(&bed, "k", key), "Code").unwrap(), "InvalidRequest");
    }
    let foreign = arn.replace("111122223333", "999999999999");
    refused(&update(&bed, "k", &foreign), 403, "AccessDenied", "Access Denied");
    assert_eq!(element(&update(&bed, "none", &arn), "Code").unwrap(), "NoSuchKey");
    bed.sandbox.kms().deny(KmsAction::ReEncrypt, None);
    assert_eq!(element(&update(&bed, "k", &arn), "Code").unwrap(), "AccessDenied");
    bed.sandbox.kms().allow_all();
    bed.sandbox.s3().set_object_lock("bed");
    done(&bed.ask("PUT", "k?legal-hold", &[], b"<LegalHold><Status>ON</Status></LegalHold>"));
    assert_eq!(element(&update(&bed, "k", &arn), "Code").unwrap(), "AccessDenied");
    assert_eq!(bed.sandbox.s3().object("bed", "k").unwrap().sse, SseView::SseS3);
}

#[test]
fn a_liar_ignores_encryption() {
    let bed = Bed::new();
    bed.sandbox.s3().lie(Lie::IgnoreSse);
    for headers in [one(SSE, "aws:kms"), customer(&KEY)] {
        let outcome = bed.put("k", &headers, b"plain text");
        assert!(!done(&outcome).headers.iter().any(|(name, _)| name.starts_with(SSE)));
        assert_eq!(bed.get("k", &[]).body, b"plain text");
        assert_eq!(bed.sandbox.s3().object("bed", "k").unwrap().stored, b"plain text");
    }
    let id = bed.begin("k", &customer(&KEY));
    done(&bed.part("k", &id, 1, &customer(&KEY), b"x"));
    assert_eq!(bed.get("k", &customer(&KEY)).body, b"plain text");
    bed.sandbox.s3().stop_lying();
    assert_eq!(done(&bed.put("k", &one(SSE, "aws:kms"), b"x")).header(SSE), Some("aws:kms"));
}

#[test]
fn a_liar_says_another_mode() {
    let bed = Bed::new();
    bed.sandbox.s3().lie(Lie::WrongSse);
    assert_eq!(bed.put("k", &one(SSE, "aws:kms"), b"x").header(SSE), Some("AES256"));
    assert_eq!(bed.put("k", &customer(&KEY), b"x").header(SSE), Some("AES256"));
    assert_eq!(bed.put("k", &[], b"x").header(SSE), Some("aws:kms"));
}

#[test]
fn a_liar_stores_the_body_of_an_update() {
    let bed = Bed::new();
    done(&bed.put("k", &[], b"body"));
    bed.sandbox.s3().lie(Lie::UpdateEncryptionStoresBody);
    done(&update(&bed, "k", "arn:aws:kms:us-east-1:111122223333:key/x"));
    assert!(text(&bed.get("k", &[])).contains("<ObjectEncryption"));
}

#[test]
fn a_liar_ignores_checksums_and_conditions() {
    let bed = Bed::new();
    bed.sandbox.s3().lie(Lie::IgnoreChecksums);
    bed.sandbox.s3().lie(Lie::IgnoreConditions);
    let wrong = vec![("x-amz-checksum-sha256", bed::sha256(b"other")), ("if-none-match", "*".to_owned())];
    for body in [b"one", b"two"] {
        let outcome = bed.put("k", &wrong, body);
        assert!(!done(&outcome).headers.iter().any(|(name, _)| name.starts_with("x-amz-checksum")));
    }
    assert_eq!(bed.get("k", &one("if-match", "\"x\"")).body, b"two");
}

#[test]
fn only_a_public_bucket_lets_anyone_read() {
    let bed = Bed::new();
    done(&bed.put("k", &[], b"x"));
    let ask = |method, target| bed.client.unsigned(method, target);
    refused(&ask("GET", "/bed/k"), 403, "AccessDenied", "Access Denied");
    bed.sandbox.s3().set_public("bed", true);
    assert_eq!(ask("GET", "/bed/k").body, b"x");
    done(&ask("GET", "/bed?list-type=2"));
    assert_eq!(ask("DELETE", "/bed/k").status, Some(403));
}

#[test]
fn a_refusal_is_heard_by_a_client_that_sends_much() {
    let bed = Bed::new();
    let body = vec![0; 8 * 1024 * 1024];
    let outcome = bed.client.s3("PUT", "/nobucket/k", &[], &body);
    assert_eq!(element(&outcome, "Code").unwrap(), "NoSuchBucket");
    assert_eq!(outcome.error, None);
}
