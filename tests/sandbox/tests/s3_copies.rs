//! Copies: from any mode to any other, what comes along, and what must still be so.

mod bed;

use bed::{
    BUCKET_KEY, Bed, Headers, KEY, OTHER, SSE, customer, done, element, etag, kms, one, refused,
    source_customer,
};
use s3seal_sandbox::s3::{DefaultEncryption, SseView};

const BODY: &[u8] = b"moved, not changed";

fn copy_of(source: &str, headers: impl IntoIterator<Item = (&'static str, String)>) -> Headers {
    let mut all = one("x-amz-copy-source", format!("bed/{source}"));
    all.extend(headers);
    all
}

#[test]
fn from_every_mode_to_every_other() {
    let bed = Bed::new();
    let arn = bed.sandbox.kms().create_key().0;
    let modes: Vec<(Headers, Headers, Headers)> = vec![
        (vec![], vec![], vec![]),
        (kms(&arn), vec![], vec![]),
        (one(SSE, "aws:kms:dsse"), vec![], vec![]),
        (customer(&KEY), customer(&KEY), source_customer(&KEY)),
        (customer(&OTHER), customer(&OTHER), source_customer(&OTHER)),
    ];
    for (put, _, source) in &modes {
        done(&bed.put("from", put, BODY));
        for (to, read, _) in &modes {
            let headers = copy_of("from", to.iter().chain(source).cloned());
            let outcome = bed.put("to", &headers, b"");
            assert!(element(done(&outcome), "ETag").is_some());
            let get = bed.get("to", read);
            assert_eq!(done(&get).body, BODY, "{put:?} to {to:?}");
            let asked = to.iter().find(|(name, _)| *name == SSE);
            assert_eq!(outcome.header(SSE), get.header(SSE));
            assert_eq!(get.header(SSE), asked.map(|(_, mode)| &**mode).or(to.is_empty().then_some("AES256")));
        }
    }
}

#[test]
fn the_sources_encryption_is_not_inherited() {
    let bed = Bed::new();
    let arn = bed.sandbox.kms().create_key().0;
    let mut put = kms(&arn);
    put.push((BUCKET_KEY, "true".to_owned()));
    done(&bed.put("from", &put, BODY));
    done(&bed.put("to", &copy_of("from", []), b""));
    assert_eq!(bed.sandbox.s3().object("bed", "to").unwrap().sse, SseView::SseS3);
    let default = DefaultEncryption::DsseKms { key: None };
    bed.sandbox.s3().set_default_encryption("bed", default);
    let outcome = bed.put("to", &copy_of("from", []), b"");
    assert_eq!(done(&outcome).header(SSE), Some("aws:kms:dsse"));
}

#[test]
fn rekeying_in_place() {
    let bed = Bed::new();
    done(&bed.put("k", &customer(&KEY), BODY));
    let headers = copy_of("k", [customer(&OTHER), source_customer(&KEY)].concat());
    done(&bed.put("k", &headers, b""));
    assert_eq!(bed.get("k", &customer(&OTHER)).body, BODY);
    assert_eq!(bed.get("k", &customer(&KEY)).status, Some(403));
}

#[test]
fn what_comes_along() {
    let bed = Bed::new();
    let put = vec![
        ("x-amz-meta-a", "1".to_owned()),
        ("content-type", "text/plain".to_owned()),
        ("x-amz-tagging", "t=1".to_owned()),
        ("x-amz-storage-class", "STANDARD_IA".to_owned()),
        ("x-amz-acl", "public-read".to_owned()),
        ("x-amz-website-redirect-location", "/there".to_owned()),
    ];
    done(&bed.put("from", &put, BODY));
    done(&bed.put("to", &copy_of("from", []), b""));
    let view = |key| bed.sandbox.s3().object("bed", key).unwrap();
    let to = view("to");
    assert_eq!(to.metadata["a"], "1");
    assert_eq!(to.content_type.as_deref(), Some("text/plain"));
    assert_eq!(to.tags, [("t".to_owned(), "1".to_owned())]);
    assert_eq!((to.storage_class, to.acl, to.website_redirect), (None, None, None));
    let replace = vec![
        ("x-amz-metadata-directive", "REPLACE".to_owned()),
        ("x-amz-meta-b", "2".to_owned()),
        ("x-amz-tagging-directive", "REPLACE".to_owned()),
        ("x-amz-tagging", "u=2".to_owned()),
    ];
    done(&bed.put("to", &copy_of("from", replace), b""));
    let to = view("to");
    assert_eq!(to.metadata.into_iter().collect::<Vec<_>>(), [("b".to_owned(), "2".to_owned())]);
    assert_eq!(to.tags, [("u".to_owned(), "2".to_owned())]);
    assert_eq!(to.content_type, None);
}

#[test]
fn onto_itself_only_with_a_change() {
    let bed = Bed::new();
    let tag = etag(&bed.put("k", &[], BODY));
    for change in [
        one("x-amz-metadata-directive", "REPLACE"),
        one("x-amz-storage-class", "STANDARD_IA"),
        one("x-amz-website-redirect-location", "/x"),
        one(SSE, "aws:kms"),
    ] {
        done(&bed.put("k", &copy_of("k", change), b""));
    }
    assert_ne!(etag(&bed.head("k", &[])), tag);
    let same = one("x-amz-storage-class", "STANDARD");
    done(&bed.put("fresh", &[], BODY));
    assert_eq!(bed.put("fresh", &copy_of("fresh", same), b"").status, Some(400));
}

#[test]
fn conditions_on_the_source_and_on_the_target() {
    let bed = Bed::new();
    let tag = etag(&bed.put("from", &[], BODY));
    done(&bed.put("to", &[], b"old"));
    let failed = "At least one of the pre-conditions you specified did not hold";
    for condition in [
        one("x-amz-copy-source-if-match", "\"x\""),
        one("x-amz-copy-source-if-none-match", format!("\"{tag}\"")),
        one("if-none-match", "*"),
        one("if-match", "\"x\""),
    ] {
        let outcome = bed.put("to", &copy_of("from", condition), b"");
        refused(&outcome, 412, "PreconditionFailed", failed);
    }
    assert_eq!(bed.get("to", &[]).body, b"old");
    let holds = one("x-amz-copy-source-if-match", format!("\"{tag}\""));
    done(&bed.put("to", &copy_of("from", holds), b""));
}

#[test]
fn a_version_of_the_source() {
    let bed = Bed::new();
    bed.sandbox.s3().set_versioning("bed");
    let first = bed.put("k", &[], b"one");
    let id = done(&first).header("x-amz-version-id").unwrap().to_owned();
    done(&bed.put("k", &[], b"two"));
    let headers = one("x-amz-copy-source", format!("bed/k?versionId={id}"));
    let outcome = bed.put("k", &headers, b"");
    assert_eq!(done(&outcome).header("x-amz-copy-source-version-id"), Some(&*id));
    assert_eq!(bed.get("k", &[]).body, b"one", "an old version is brought back");
    assert_eq!(bed.sandbox.s3().versions("bed", "k").len(), 3);
}

#[test]
fn kms_must_let_the_source_be_read() {
    let bed = Bed::new();
    let arn = bed.sandbox.kms().create_key().0;
    done(&bed.put("from", &kms(&arn), BODY));
    bed.sandbox.kms().disable(&arn);
    let text = format!("{arn} is disabled.");
    refused(&bed.put("to", &copy_of("from", []), b""), 400, "KMS.DisabledException", &text);
}

#[test]
fn the_checksums_algorithm_stays_unless_another_is_asked() {
    let bed = Bed::new();
    done(&bed.put("from", &one("x-amz-checksum-sha256", bed::sha256(BODY)), BODY));
    let outcome = bed.put("to", &copy_of("from", []), b"");
    assert_eq!(element(done(&outcome), "ChecksumSHA256").unwrap(), bed::sha256(BODY));
    let other = one("x-amz-checksum-algorithm", "CRC32");
    let outcome = bed.put("to", &copy_of("from", other), b"");
    assert!(element(done(&outcome), "ChecksumCRC32").is_some());
}
