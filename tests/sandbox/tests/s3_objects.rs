//! Objects put and got: every mode, at rest and in answers, ranges, conditions, checksums, versions, details.

mod bed;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use bed::{
    BUCKET_KEY, Bed, CONTEXT, CUSTOMER_ALGORITHM, CUSTOMER_MD5, Headers, KEY, KMS_KEY, OTHER, SSE, customer,
    done, element, etag, kms, md5, md5_hex, one, refused, sha256, text,
};
use s3seal_sandbox::s3::{Algorithm, ChecksumType, DefaultEncryption, Lie, SseView};
use s3seal_sandbox::{Config, Sandbox};

const BODY: &[u8] = b"The quick brown fox jumps over the lazy dog";

/// Each mode with its headers, and what the answers must say.
fn modes(bed: &Bed) -> Vec<(Headers, Headers)> {
    let arn = bed.sandbox.kms().create_key_with_alias("demo").0;
    let managed = bed.sandbox.kms().for_s3(
        "u",
        s3seal_sandbox::kms::KmsAction::DescribeKey,
        None,
        &std::collections::BTreeMap::new(),
    );
    let managed = managed.unwrap().0;
    let with = |mut headers: Headers, name, value: &str| {
        headers.push((name, value.to_owned()));
        headers
    };
    let echo = |mode: &str, arn: &str| with(one(SSE, mode), KMS_KEY, arn);
    vec![
        (vec![], one(SSE, "AES256")),
        (one(SSE, "AES256"), one(SSE, "AES256")),
        (one(SSE, "aws:kms"), echo("aws:kms", &managed)),
        (kms("alias/demo"), echo("aws:kms", &arn)),
        (with(kms(&arn), BUCKET_KEY, "true"), with(echo("aws:kms", &arn), BUCKET_KEY, "true")),
        (with(one(SSE, "aws:kms:dsse"), KMS_KEY, &arn), echo("aws:kms:dsse", &arn)),
        (customer(&KEY), vec![(CUSTOMER_ALGORITHM, "AES256".to_owned()), (CUSTOMER_MD5, md5(&KEY))]),
    ]
}

#[test]
fn every_mode_is_echoed_kept_encrypted_and_given_back() {
    let bed = Bed::new();
    for (headers, echo) in modes(&bed) {
        let put = bed.put("k", &headers, BODY);
        let key: Headers = headers.iter().filter(|(name, _)| name.contains("customer")).cloned().collect();
        let get = bed.get("k", &key);
        let head = bed.head("k", &key);
        for outcome in [&put, &get, &head] {
            let said: Vec<_> = outcome.headers.iter().filter(|(name, _)| name.starts_with(SSE)).collect();
            assert_eq!(said.len(), echo.len(), "{said:?}");
            for (name, value) in &echo {
                let name = name.to_ascii_lowercase();
                assert_eq!(done(outcome).header(&name), Some(&**value), "{headers:?}");
            }
            assert_eq!(etag(outcome), etag(&put));
        }
        assert_eq!(get.body, BODY);
        assert_eq!(head.header("content-length"), Some("43"));
        let is_md5 = etag(&put) == md5_hex(BODY);
        assert_eq!(is_md5, echo[0].1 == "AES256" && echo.len() == 1, "{headers:?}");
        let view = bed.sandbox.s3().object_with_key("bed", "k", &KEY).unwrap();
        assert_eq!(view.plaintext.unwrap(), BODY);
        assert_eq!(view.stored.len(), BODY.len());
        let shared = view.stored.windows(4).any(|window| BODY.windows(4).any(|plain| plain == window));
        assert!(!shared, "plaintext at rest under {headers:?}");
    }
    assert_eq!(bed.sandbox.s3().object("bed", "k").unwrap().plaintext, None, "no key, no plaintext");
    assert!(bed.sandbox.s3().object_with_key("bed", "k", &OTHER).unwrap().plaintext.is_none());
}

#[test]
fn an_object_of_old_is_not_encrypted() {
    let bed = Bed::new();
    bed.sandbox.s3().put_plain("bed", "k", BODY);
    let outcome = bed.get("k", &[]);
    assert_eq!(done(&outcome).body, BODY);
    assert_eq!(outcome.header(SSE), None);
    let view = bed.sandbox.s3().object("bed", "k").unwrap();
    assert_eq!((view.sse, view.stored), (SseView::None, BODY.to_vec()));
}

#[test]
fn a_context_is_bound_and_only_writes_show_it() {
    let bed = Bed::new();
    let mut headers = one(SSE, "aws:kms");
    headers.push((CONTEXT, BASE64_STANDARD.encode(r#"{"who":"me"}"#)));
    let outcome = bed.put("k", &headers, BODY);
    let shown = BASE64_STANDARD.decode(done(&outcome).header(CONTEXT).unwrap()).unwrap();
    assert_eq!(shown, br#"{"who":"me"}"#);
    assert_eq!(bed.get("k", &[]).header(CONTEXT), None);
    let used = bed.sandbox.kms().uses();
    for each in &used {
        assert_eq!(each.context["who"], "me");
        assert_eq!(each.context["aws:s3:arn"], "arn:aws:s3:::bed/k");
    }
    assert_eq!(used.len(), 2);
}

#[test]
fn the_buckets_default_is_applied_and_a_request_goes_before_it() {
    let bed = Bed::new();
    let arn = bed.sandbox.kms().create_key().0;
    let key = Some(arn.clone());
    let default = DefaultEncryption::SseKms { key, bucket_key: true };
    bed.sandbox.s3().set_default_encryption("bed", default);
    let outcome = bed.put("k", &[], BODY);
    assert_eq!(done(&outcome).header(SSE), Some("aws:kms"));
    assert_eq!(outcome.header(KMS_KEY), Some(&*arn));
    assert_eq!(outcome.header(BUCKET_KEY), Some("true"));
    let outcome = bed.put("k", &one(SSE, "AES256"), BODY);
    assert_eq!(done(&outcome).header(SSE), Some("AES256"));
    assert_eq!(done(&bed.put("k", &customer(&KEY), BODY)).header(SSE), None);
}

#[test]
fn default_encryption_and_blocked_types_in_xml() {
    let bed = Bed::new();
    let get = || text(done(&bed.client.s3("GET", "/bed?encryption=", &[], b"")));
    assert!(get().contains("<SSEAlgorithm>AES256</SSEAlgorithm>"));
    assert!(get().contains("<EncryptionType>NONE</EncryptionType>"));
    let put = |rule: &str| {
        let xml = format!(
            "<ServerSideEncryptionConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Rule>{rule}</Rule>\
             </ServerSideEncryptionConfiguration>"
        );
        bed.client.s3("PUT", "/bed?encryption=", &[], xml.as_bytes())
    };
    done(&put(
        "<ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>alias/x</KMSMasterKeyID>\
         </ApplyServerSideEncryptionByDefault><BucketKeyEnabled>true</BucketKeyEnabled><BlockedEncryptionTypes>\
         <EncryptionType>SSE-C</EncryptionType></BlockedEncryptionTypes>",
    ));
    for part in ["<KMSMasterKeyID>alias/x<", "<BucketKeyEnabled>true<", "<EncryptionType>SSE-C<"] {
        assert!(get().contains(part), "{part} in {}", get());
    }
    assert_eq!(bed.put("k", &customer(&KEY), BODY).status, Some(403));
    done(&put(
        "<ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault>",
    ));
    assert!(get().contains("<EncryptionType>SSE-C<"), "leaving it out does not lift the block");
    done(&put("<BlockedEncryptionTypes><EncryptionType>NONE</EncryptionType></BlockedEncryptionTypes>"));
    done(&bed.put("k", &customer(&KEY), BODY));
    let malformed =
        "The XML you provided was not well-formed or did not validate against our published schema";
    refused(&put("<Nonsense/>"), 400, "MalformedXML", malformed);
    done(&bed.client.s3("DELETE", "/bed?encryption=", &[], b""));
}

#[test]
fn new_buckets_can_block_customers_keys() {
    let bed = Bed::new();
    bed.sandbox.s3().set_new_buckets_block_sse_c(true);
    done(&bed.client.s3("PUT", "/new", &[], b""));
    let headers = customer(&KEY);
    let headers: Vec<_> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
    assert_eq!(bed.client.s3("PUT", "/new/k", &headers, b"x").status, Some(403));
    assert_eq!(bed.client.s3("PUT", "/bed/k", &headers, b"x").status, Some(200));
}

#[test]
fn ranges() {
    let bed = Bed::new();
    done(&bed.put("k", &customer(&KEY), BODY));
    let get = |range: &str| {
        let mut headers = customer(&KEY);
        headers.push(("range", range.to_owned()));
        bed.get("k", &headers)
    };
    let outcome = get("bytes=4-8");
    assert_eq!((outcome.status, &*outcome.body), (Some(206), &b"quick"[..]));
    assert_eq!(outcome.header("content-range"), Some("bytes 4-8/43"));
    assert_eq!(get("bytes=40-").body, b"dog");
    assert_eq!(get("bytes=-3").body, b"dog");
    assert_eq!(get("bytes=40-99").body, b"dog");
    let text = "The requested range is not satisfiable";
    refused(&get("bytes=43-"), 416, "InvalidRange", text);
    done(&bed.put("empty", &[], b""));
    assert_eq!(done(&bed.get("empty", &[])).header("content-length"), Some("0"));
    refused(&bed.get("empty", &one("range", "bytes=0-0")), 416, "InvalidRange", text);
    let mut headers = customer(&KEY);
    headers.push(("range", "bytes=4-8".to_owned()));
    let head = bed.head("k", &headers);
    assert_eq!((head.status, head.header("content-length")), (Some(206), Some("5")));
    assert_eq!(bed.get("k?partNumber=1", &customer(&KEY)).status, Some(206));
    let outcome = bed.get("k?partNumber=2", &customer(&KEY));
    refused(&outcome, 416, "InvalidPartNumber", "The requested partnumber is not satisfiable");
}

#[test]
fn conditions_on_reads_and_writes() {
    let bed = Bed::new();
    let tag = etag(&bed.put("k", &one("if-none-match", "*"), BODY));
    let failed = "At least one of the pre-conditions you specified did not hold";
    refused(&bed.put("k", &one("if-none-match", "*"), b"x"), 412, "PreconditionFailed", failed);
    refused(&bed.put("k", &one("if-match", "\"x\""), b"x"), 412, "PreconditionFailed", failed);
    refused(&bed.get("k", &one("if-match", "\"x\"")), 412, "PreconditionFailed", failed);
    let gone = "The specified key does not exist.";
    refused(&bed.put("none", &one("if-match", "\"x\""), b"x"), 404, "NoSuchKey", gone);
    let outcome = bed.get("k", &one("if-none-match", format!("\"{tag}\"")));
    assert_eq!((outcome.status, outcome.body.len()), (Some(304), 0));
    assert_eq!(bed.get("k", &[]).body, BODY);
    done(&bed.put("k", &one("if-match", format!("\"{tag}\"")), b"new"));
    assert_eq!(bed.get("k", &[]).body, b"new");
}

#[test]
fn checksums_are_checked_kept_and_shown() {
    let bed = Bed::new();
    let outcome = bed.put("k", &[], BODY);
    let crc64 = done(&outcome).header("x-amz-checksum-crc64nvme").unwrap().to_owned();
    assert_eq!(outcome.header("x-amz-checksum-type"), Some("FULL_OBJECT"));
    let mode = one("x-amz-checksum-mode", "ENABLED");
    for outcome in [bed.get("k", &mode), bed.head("k", &mode)] {
        assert_eq!(outcome.header("x-amz-checksum-crc64nvme"), Some(&*crc64));
    }
    assert_eq!(bed.get("k", &[]).header("x-amz-checksum-crc64nvme"), None);
    let sha = one("x-amz-checksum-sha256", sha256(BODY));
    assert_eq!(done(&bed.put("k", &sha, BODY)).header("x-amz-checksum-sha256"), Some(&*sha256(BODY)));
    let view = bed.sandbox.s3().object("bed", "k").unwrap();
    assert_eq!(view.checksum_algorithm, Some(Algorithm::Sha256));
    assert_eq!(view.checksum_type, ChecksumType::FullObject);
    let text = "The SHA256 you specified did not match the calculated checksum.";
    refused(&bed.put("k", &sha, b"other"), 400, "BadDigest", text);
    let text = "Value for x-amz-checksum-sha256 header is invalid.";
    refused(&bed.put("k", &one("x-amz-checksum-sha256", "x"), BODY), 400, "InvalidRequest", text);
    let text = "The Content-MD5 you specified did not match what we received.";
    refused(&bed.put("k", &one("content-md5", md5(b"x")), BODY), 400, "BadDigest", text);
    let text = "The Content-MD5 you specified was invalid.";
    refused(&bed.put("k", &one("content-md5", "x"), BODY), 400, "InvalidDigest", text);
    assert_eq!(bed.get("k", &[]).body, BODY, "what was refused is not there");
}

#[test]
fn a_checksum_may_come_behind_the_body() {
    let bed = Bed::new();
    let put = |sum: &str| bed.client.put_trailed("/bed/k", BODY, ("x-amz-checksum-sha256", sum));
    let outcome = put(&sha256(BODY));
    assert_eq!(done(&outcome).header("x-amz-checksum-sha256"), Some(&*sha256(BODY)));
    let view = bed.sandbox.s3().object("bed", "k").unwrap();
    assert_eq!((view.plaintext.unwrap(), view.content_encoding), (BODY.to_vec(), None));
    let text = "The SHA256 you specified did not match the calculated checksum.";
    refused(&put(&sha256(b"other")), 400, "BadDigest", text);
}

#[test]
fn a_checksum_of_a_kms_object_needs_kms() {
    let bed = Bed::new();
    done(&bed.put("k", &one(SSE, "aws:kms"), BODY));
    bed.sandbox.kms().deny(s3seal_sandbox::kms::KmsAction::Decrypt, None);
    done(&bed.head("k", &[]));
    assert_eq!(bed.head("k", &one("x-amz-checksum-mode", "ENABLED")).status, Some(403));
}

#[test]
fn metadata_tags_class_acl_and_content_headers() {
    let bed = Bed::new();
    let headers = vec![
        ("x-amz-meta-colour", "blue".to_owned()),
        ("x-amz-tagging", "a=1&b=2%203".to_owned()),
        ("x-amz-storage-class", "STANDARD_IA".to_owned()),
        ("x-amz-acl", "bucket-owner-full-control".to_owned()),
        ("content-type", "text/plain".to_owned()),
        ("content-encoding", "aws-chunked,gzip".to_owned()),
        ("cache-control", "no-store".to_owned()),
        ("content-disposition", "inline".to_owned()),
        ("content-language", "de".to_owned()),
        ("expires", "Thu, 01 Jan 2026 00:00:00 GMT".to_owned()),
    ];
    done(&bed.put("k", &headers, BODY));
    let outcome = bed.get("k", &[]);
    for (name, value) in &headers {
        let expected = match *name {
            "x-amz-tagging" | "x-amz-acl" => None,
            "content-encoding" => Some("gzip"),
            _ => Some(&**value),
        };
        assert_eq!(done(&outcome).header(name), expected, "{name}");
    }
    assert_eq!(outcome.header("x-amz-tagging-count"), Some("2"));
    let view = bed.sandbox.s3().object("bed", "k").unwrap();
    assert_eq!(view.metadata["colour"], "blue");
    assert_eq!(view.tags, [("a".to_owned(), "1".to_owned()), ("b".to_owned(), "2 3".to_owned())]);
    assert_eq!(view.acl.as_deref(), Some("bucket-owner-full-control"));
    assert_eq!(view.storage_class.as_deref(), Some("STANDARD_IA"));
    let tags = bed.get("k?tagging", &[]);
    assert_eq!(element(done(&tags), "Value").unwrap(), "1");
    let put = b"<Tagging><TagSet><Tag><Key>c</Key><Value>4</Value></Tag></TagSet></Tagging>";
    done(&bed.ask("PUT", "k?tagging", &[], put));
    assert_eq!(element(&bed.get("k?tagging", &[]), "Key").unwrap(), "c");
    done(&bed.ask("DELETE", "k?tagging", &[], b""));
    assert_eq!(element(&bed.get("k?tagging", &[]), "Key"), None);
    done(&bed.ask("PUT", "k?acl", &one("x-amz-acl", "public-read"), b""));
    assert!(text(done(&bed.get("k?acl", &[]))).contains("AllUsers"));
    assert_eq!(etag(&bed.head("k", &[])), etag(&outcome));
    let plain = bed.put("plain", &[], BODY);
    done(&plain);
    assert_eq!(bed.get("plain", &[]).header("content-type"), Some("binary/octet-stream"));
}

#[test]
fn retention_and_legal_hold() {
    let bed = Bed::new();
    bed.sandbox.s3().set_object_lock("bed");
    locked(&bed, "k", "GOVERNANCE");
    assert_eq!(bed.head("k", &[]).header("x-amz-object-lock-mode"), Some("GOVERNANCE"));
    assert_eq!(element(&bed.get("k?retention", &[]), "Mode").unwrap(), "GOVERNANCE");
    done(&bed.put("free", &[], BODY));
    done(&bed.ask("PUT", "free?legal-hold", &[], b"<LegalHold><Status>ON</Status></LegalHold>"));
    assert_eq!(bed.head("free", &[]).header("x-amz-object-lock-legal-hold"), Some("ON"));
    assert_eq!(element(&bed.get("free?legal-hold", &[]), "Status").unwrap(), "ON");
}

/// The headers of a lock to the year 2100, with the checksum that S3 asks for.
fn lock(mode: &str, until: &str) -> Headers {
    let mut headers = vec![
        ("x-amz-object-lock-mode", mode.to_owned()),
        ("x-amz-object-lock-retain-until-date", until.to_owned()),
    ];
    headers.push(("x-amz-checksum-sha256", sha256(BODY)));
    headers
}

/// Puts an object that is locked to the year 2100, and returns its version.
fn locked(bed: &Bed, key: &str, mode: &str) -> String {
    let put = bed.put(key, &lock(mode, "2100-01-01T00:00:00Z"), BODY);
    done(&put).header("x-amz-version-id").unwrap().to_owned()
}

const LOCKED: &str = "Access Denied because object protected by object lock.";

#[test]
fn a_locked_version_stays_and_is_hidden_at_most() {
    let bed = Bed::new();
    bed.sandbox.s3().set_object_lock("bed");
    let bypass = [("x-amz-bypass-governance-retention", "true".to_owned())];
    for (key, mode, lifted) in [("g", "GOVERNANCE", true), ("c", "COMPLIANCE", false)] {
        let target = format!("{key}?versionId={}", locked(&bed, key, mode));
        done(&bed.ask("DELETE", key, &[], b""));
        done(&bed.put(key, &[], b"another"));
        assert_eq!(done(&bed.get(&target, &[])).body, BODY);
        refused(&bed.ask("DELETE", &target, &[], b""), 403, "AccessDenied", LOCKED);
        let answer = bed.ask("DELETE", &target, &bypass, b"");
        if lifted {
            done(&answer);
        } else {
            refused(&answer, 403, "AccessDenied", LOCKED);
        }
    }
    let put = bed.put("h", &[], BODY);
    let version = done(&put).header("x-amz-version-id").unwrap();
    let hold = |status: &str| {
        let xml = format!("<LegalHold><Status>{status}</Status></LegalHold>");
        done(&bed.ask("PUT", "h?legal-hold", &[], xml.as_bytes())).status
    };
    hold("ON");
    refused(&bed.ask("DELETE", &format!("h?versionId={version}"), &bypass, b""), 403, "AccessDenied", LOCKED);
    hold("OFF");
    done(&bed.ask("DELETE", &format!("h?versionId={version}"), &[], b""));
}

#[test]
fn a_retention_becomes_longer_and_not_shorter() {
    let bed = Bed::new();
    bed.sandbox.s3().set_object_lock("bed");
    let bypass = [("x-amz-bypass-governance-retention", "true".to_owned())];
    let ask = |key: &str, mode: &str, year: u32, headers: &[(&str, String)]| {
        let date = format!("<RetainUntilDate>{year}-01-01T00:00:00Z</RetainUntilDate>");
        let xml = format!("<Retention><Mode>{mode}</Mode>{date}</Retention>");
        bed.ask("PUT", &format!("{key}?retention"), headers, xml.as_bytes())
    };
    for (key, mode) in [("g", "GOVERNANCE"), ("c", "COMPLIANCE")] {
        locked(&bed, key, mode);
        done(&ask(key, mode, 2101, &[]));
        refused(&ask(key, mode, 2099, &[]), 403, "AccessDenied", LOCKED);
    }
    refused(&ask("c", "GOVERNANCE", 2102, &bypass), 403, "AccessDenied", LOCKED);
    refused(&ask("c", "COMPLIANCE", 2099, &bypass), 403, "AccessDenied", LOCKED);
    done(&ask("g", "GOVERNANCE", 2099, &bypass));
    done(&ask("g", "COMPLIANCE", 2102, &bypass));
}

#[test]
fn a_lock_takes_a_bucket_for_it_a_date_to_come_and_a_checksum() {
    let bed = Bed::new();
    let until = "2100-01-01T00:00:00Z";
    let text = "Bucket is missing Object Lock Configuration";
    refused(&bed.put("k", &lock("GOVERNANCE", until), BODY), 400, "InvalidRequest", text);
    refused(&bed.get("k?retention", &[]), 400, "InvalidRequest", text);
    assert_eq!(bed.ask("GET", "?object-lock", &[], b"").status, Some(404));
    let enable =
        b"<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>";
    assert_eq!(bed.ask("PUT", "?object-lock", &[], enable).status, Some(409), "it takes versions");
    bed.sandbox.s3().set_versioning("bed");
    done(&bed.ask("PUT", "?object-lock", &[], enable));
    assert_eq!(element(&bed.get("?object-lock", &[]), "ObjectLockEnabled").unwrap(), "Enabled");
    let past = bed.put("k", &lock("GOVERNANCE", "2020-01-01T00:00:00Z"), BODY);
    refused(&past, 400, "InvalidArgument", "The retain until date must be in the future!");
    let odd = bed.put("k", &lock("FOREVER", until), BODY);
    refused(&odd, 400, "InvalidArgument", "Unknown wormMode directive.");
    let without = bed.put("k", &lock("GOVERNANCE", until)[..2], BODY);
    let text = "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock \
                parameters";
    refused(&without, 400, "InvalidRequest", text);
    bed.sandbox.s3().lie(Lie::IgnoreLocks);
    done(&bed.put("k", &lock("GOVERNANCE", until), BODY));
    assert_eq!(bed.head("k", &[]).header("x-amz-object-lock-mode"), None);
}

#[test]
fn a_lock_is_shown_to_those_who_may_read_it() {
    let bed = Bed::new();
    bed.sandbox.s3().set_object_lock("bed");
    locked(&bed, "k", "GOVERNANCE");
    let allow = r#"{"Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}}"#;
    bed.sandbox.user().set_policy(allow);
    let head = bed.head("k", &[]);
    assert_eq!(done(&head).header("x-amz-object-lock-mode"), None);
    assert_eq!(head.header("x-amz-object-lock-retain-until-date"), None);
    assert_eq!(bed.get("k?retention", &[]).status, Some(403));
}

#[test]
fn versions_and_delete_markers() {
    let bed = Bed::new();
    bed.sandbox.s3().set_versioning("bed");
    let version =
        |outcome: &bed::client::Outcome| done(outcome).header("x-amz-version-id").unwrap().to_owned();
    let first = version(&bed.put("k", &customer(&KEY), b"one"));
    let second = version(&bed.put("k", &[], b"two"));
    assert_eq!(bed.get("k", &[]).body, b"two");
    assert_eq!(bed.get(&format!("k?versionId={first}"), &customer(&KEY)).body, b"one");
    let marker = bed.ask("DELETE", "k", &[], b"");
    assert_eq!(done(&marker).header("x-amz-delete-marker"), Some("true"));
    let gone = bed.get("k", &[]);
    assert_eq!((gone.status, gone.header("x-amz-delete-marker")), (Some(404), Some("true")));
    let named = bed.get(&format!("k?versionId={}", version(&marker)), &[]);
    assert_eq!(named.status, Some(405));
    let ids: Vec<_> = bed.sandbox.s3().versions("bed", "k").into_iter().map(|each| each.id).collect();
    assert_eq!(ids, [version(&marker), second.clone(), first]);
    assert!(bed.sandbox.s3().keys("bed").is_empty());
    done(&bed.ask("DELETE", &format!("k?versionId={}", version(&marker)), &[], b""));
    assert_eq!(bed.get("k", &[]).body, b"two");
    let text = "The specified version does not exist.";
    refused(&bed.get(&format!("k?versionId={}", "0".repeat(32)), &[]), 404, "NoSuchVersion", text);
    refused(&bed.get("k?versionId=x", &[]), 400, "InvalidArgument", "Invalid version id specified");
}

#[test]
fn the_null_version_is_written_over() {
    let bed = Bed::new();
    let versions = || bed.sandbox.s3().versions("bed", "k").len();
    let versioning = |status: &str| {
        let xml = format!("<VersioningConfiguration><Status>{status}</Status></VersioningConfiguration>");
        done(&bed.client.s3("PUT", "/bed?versioning=", &[], xml.as_bytes()));
    };
    for count in [1, 1] {
        done(&bed.put("k", &[], b"x"));
        assert_eq!(versions(), count);
    }
    versioning("Enabled");
    done(&bed.put("k", &[], b"y"));
    assert_eq!(versions(), 2);
    versioning("Suspended");
    assert_eq!(element(&bed.client.s3("GET", "/bed?versioning=", &[], b""), "Status").unwrap(), "Suspended");
    assert_eq!(done(&bed.put("k", &[], b"z")).header("x-amz-version-id"), Some("null"));
    assert_eq!(versions(), 2, "the version with an id stays, the null version is replaced");
    assert_eq!(bed.get("k", &[]).body, b"z");
}

#[test]
fn attributes() {
    let bed = Bed::new();
    done(&bed.put("k", &customer(&KEY), BODY));
    let wants = ("x-amz-object-attributes", "ETag,Checksum,ObjectSize,StorageClass".to_owned());
    let mut headers = customer(&KEY);
    headers.push(wants.clone());
    let outcome = bed.get("k?attributes", &headers);
    assert_eq!(element(done(&outcome), "ObjectSize").unwrap(), "43");
    assert!(element(&outcome, "ChecksumCRC64NVME").is_some());
    assert_eq!(element(&outcome, "StorageClass").unwrap(), "STANDARD");
    assert_eq!(bed.get("k?attributes", &[wants]).status, Some(400));
}

#[test]
fn a_tampered_body_is_read_back_changed_under_the_old_tag() {
    let bed = Bed::new();
    for (key, headers) in [("plain", vec![]), ("sealed", customer(&KEY))] {
        let before = etag(&bed.put(key, &headers, BODY));
        bed.sandbox.s3().tamper_body("bed", key, |bytes| bytes[0] ^= 1);
        let outcome = bed.get(key, &headers);
        assert_eq!(outcome.body[1..], BODY[1..]);
        assert_eq!(outcome.body[0], BODY[0] ^ 1);
        assert_eq!(etag(&outcome), before);
        assert_eq!(bed.get(key, &headers).body[0], BODY[0] ^ 1, "once and for all");
        bed.sandbox.s3().tamper_body("bed", key, |bytes| bytes.truncate(5));
        assert_eq!(done(&bed.head(key, &headers)).header("content-length"), Some("5"));
    }
    let map = [("a".to_owned(), "b".to_owned())].into();
    bed.sandbox.s3().set_metadata("bed", "plain", map);
    assert_eq!(bed.head("plain", &[]).header("x-amz-meta-a"), Some("b"));
}

#[test]
fn a_folder_holds_ciphertext_and_nothing_of_what_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::start(Config {
        folder: Some(folder.path().join("bodies")),
        ..Config::with_buckets(["bed"])
    });
    let sandbox = sandbox.unwrap();
    let client = bed::client::Client::new(&sandbox);
    let body = vec![b'x'; 3_000_000];
    let headers = customer(&KEY);
    let headers: Vec<_> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
    done(&client.s3("PUT", "/bed/k", &headers, &body));
    assert!(client.s3("GET", "/bed/k", &headers, b"").body == body);
    let files = || -> Vec<_> {
        let entries = std::fs::read_dir(folder.path().join("bodies")).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    };
    let stored = std::fs::read(&files()[0]).unwrap();
    assert_eq!(stored.len(), body.len());
    assert!(!stored.windows(8).any(|window| window == b"xxxxxxxx"));
    done(&client.s3("DELETE", "/bed/k", &[], b""));
    assert_eq!(files().len(), 0);
    done(&client.s3("PUT", "/bed/k", &[], b"x"));
    drop(sandbox);
    assert_eq!(files().len(), 0);
}
