//! Uploads in parts and copies of parts, in every mode, with their sums.

mod bed;

use bed::client::Outcome;
use bed::{
    Bed, Headers, KEY, OTHER, SSE, customer, done, element, etag, kms, md5_hex, one, refused, sha256,
    source_customer, text,
};
use s3seal_sandbox::s3::ChecksumType;

const SMALL: u64 = 4;

fn bed() -> Bed {
    let bed = Bed::new();
    bed.sandbox.s3().set_min_part(SMALL);
    bed
}

/// Uploads parts with the headers of each request, and completes.
fn upload(
    bed: &Bed,
    key: &str,
    create: &[(&str, String)],
    part: &[(&str, String)],
    parts: &[&[u8]],
) -> Outcome {
    let id = bed.begin(key, create);
    let mut listed = Vec::new();
    for (number, body) in (1..).zip(parts) {
        let outcome = bed.part(key, &id, number, part, body);
        listed.push((number, etag(&outcome), String::new()));
    }
    bed.complete(key, &id, part, &listed)
}

#[test]
fn every_mode_round_trips() {
    let bed = bed();
    let arn = bed.sandbox.kms().create_key().0;
    let dsse: Headers = vec![(SSE, "aws:kms:dsse".to_owned())];
    for (create, part) in
        [(vec![], vec![]), (kms(&arn), vec![]), (dsse, vec![]), (customer(&KEY), customer(&KEY))]
    {
        let outcome = upload(&bed, "k", &create, &part, &[b"first ", b"second ", b"!"]);
        let tag = element(done(&outcome), "ETag").unwrap();
        assert!(tag.ends_with("-3\""), "{tag}");
        assert!(element(&outcome, "Location").is_some());
        let get = bed.get("k", &part);
        assert_eq!(done(&get).body, b"first second !");
        assert_eq!(get.header("etag"), Some(&*tag));
        assert_eq!(
            get.header(SSE),
            create
                .iter()
                .find(|(name, _)| *name == SSE)
                .map(|(_, v)| &**v)
                .or(create.is_empty().then_some("AES256"))
        );
        let get = bed.get("k?partNumber=2", &part);
        assert_eq!((get.status, &*get.body), (Some(206), &b"second "[..]));
        assert_eq!(get.header("x-amz-mp-parts-count"), Some("3"));
        assert_eq!(get.header("content-range"), Some("bytes 6-12/14"));
        assert_eq!(bed.get("k?partNumber=4", &part).status, Some(416));
        let mut range = part.clone();
        range.push(("range", "bytes=4-8".to_owned()));
        assert_eq!(bed.get("k", &range).body, b"t sec");
        let view = bed.sandbox.s3().object_with_key("bed", "k", &KEY).unwrap();
        assert_eq!((view.part_count, view.size), (3, 14));
        assert!(
            !view.stored.windows(4).any(|window| b"first second !".windows(4).any(|plain| plain == window))
        );
    }
    assert!(bed.sandbox.s3().uploads().is_empty());
}

#[test]
fn the_tag_is_of_the_md5s_only_under_s3s_own_key() {
    let bed = bed();
    let id = bed.begin("k", &[]);
    assert_eq!(etag(&bed.part("k", &id, 1, &[], b"data")), md5_hex(b"data"));
    let id = bed.begin("k", &one(SSE, "aws:kms"));
    assert_ne!(etag(&bed.part("k", &id, 1, &[], b"data")), md5_hex(b"data"));
    let outcome = upload(&bed, "k", &[], &[], &[b"data"]);
    let md5: Vec<u8> = <md5::Md5 as md5::Digest>::digest(b"data").to_vec();
    assert_eq!(element(&outcome, "ETag").unwrap(), format!("\"{}-1\"", md5_hex(&md5)));
}

#[test]
fn completion_is_checked() {
    let bed = bed();
    let id = bed.begin("k", &[]);
    let tag = |number, body: &[u8]| etag(&bed.part("k", &id, number, &[], body));
    let (one, two) = (tag(1, b"abc"), tag(2, b"d"));
    let part = |number, tag: &str| (number, tag.to_owned(), String::new());
    let complete = |parts: &[(i32, String, String)]| bed.complete("k", &id, &[], parts);
    let text = "Your proposed upload is smaller than the minimum allowed size";
    refused(&complete(&[part(1, &one), part(2, &two)]), 400, "EntityTooSmall", text);
    let one = tag(1, b"abcd");
    let text = "The list of parts was not in ascending order. Parts must be ordered by part number.";
    refused(&complete(&[part(2, &two), part(1, &one)]), 400, "InvalidPartOrder", text);
    let text = "One or more of the specified parts could not be found.  The part may not have been uploaded, or the \
                specified entity tag may not match the part's entity tag.";
    refused(&complete(&[part(1, &two)]), 400, "InvalidPart", text);
    refused(&complete(&[part(3, &one)]), 400, "InvalidPart", text);
    let text = "The XML you provided was not well-formed or did not validate against our published schema";
    refused(&complete(&[]), 400, "MalformedXML", text);
    let size = vec![("x-amz-mp-object-size", "6".to_owned())];
    let outcome = bed.complete("k", &id, &size, &[part(1, &one), part(2, &two)]);
    let text = "The provided 'x-amz-mp-object-size' header value 6 does not match what was computed: 5";
    refused(&outcome, 400, "InvalidRequest", text);
    assert_eq!(bed.sandbox.s3().uploads()[0].parts, [(1, 4), (2, 1)]);
    done(&complete(&[part(1, &one)]));
    assert_eq!(bed.get("k", &[]).body, b"abcd", "parts that are not listed are left out");
    let text = "The specified upload does not exist. The upload ID may be invalid, or the upload may have been \
                aborted or completed.";
    refused(&complete(&[part(1, &one)]), 404, "NoSuchUpload", text);
}

#[test]
fn completion_has_conditions() {
    let bed = bed();
    done(&bed.put("k", &[], b"old"));
    let id = bed.begin("k", &[]);
    let tag = etag(&bed.part("k", &id, 1, &[], b"new"));
    let parts = [(1, tag, String::new())];
    let outcome = bed.complete("k", &id, &one("if-none-match", "*"), &parts);
    assert_eq!(outcome.status, Some(412));
    assert_eq!(bed.sandbox.s3().uploads().len(), 1, "it can still be aborted");
    done(&bed.complete("k", &id, &[], &parts));
}

#[test]
fn an_aborted_upload_is_gone() {
    let bed = bed();
    let id = bed.begin("k", &[]);
    done(&bed.part("k", &id, 1, &[], b"x"));
    done(&bed.ask("DELETE", &format!("k?uploadId={id}"), &[], b""));
    assert!(bed.sandbox.s3().uploads().is_empty());
    assert_eq!(bed.part("k", &id, 1, &[], b"x").status, Some(404));
    assert_eq!(bed.ask("DELETE", &format!("k?uploadId={id}"), &[], b"").status, Some(404));
}

#[test]
fn composite_sums() {
    let bed = bed();
    let create = one("x-amz-checksum-algorithm", "SHA256");
    let begun = bed.ask("POST", "k?uploads", &create, b"");
    assert_eq!(done(&begun).header("x-amz-checksum-type"), Some("COMPOSITE"));
    let id = element(&begun, "UploadId").unwrap();
    let text = "Checksum Type mismatch occurred, expected checksum Type: sha256, actual checksum Type: null";
    refused(&bed.part("k", &id, 1, &[], b"data"), 400, "InvalidRequest", text);
    let crc = one("x-amz-checksum-crc32", "AAAAAA==");
    let text = "Checksum Type mismatch occurred, expected checksum Type: sha256, actual checksum Type: crc32";
    refused(&bed.part("k", &id, 1, &crc, b"data"), 400, "InvalidRequest", text);
    let sum = |body: &[u8]| one("x-amz-checksum-sha256", sha256(body));
    let text = "The SHA256 you specified did not match the calculated checksum.";
    refused(&bed.part("k", &id, 1, &sum(b"x"), b"data"), 400, "BadDigest", text);
    let first = bed.part("k", &id, 1, &sum(b"data"), b"data");
    assert_eq!(done(&first).header("x-amz-checksum-sha256"), Some(&*sha256(b"data")));
    let second = bed.part("k", &id, 2, &sum(b"!"), b"!");
    let xml = |body: &[u8]| format!("<ChecksumSHA256>{}</ChecksumSHA256>", sha256(body));
    let (one_tag, two_tag) = (etag(&first), etag(&second));
    let bare = [(1, one_tag.clone(), String::new())];
    let text = "The upload was created using a sha256 checksum. The complete request must include the checksum for each \
                part. It was missing for part 1 in the request.";
    refused(&bed.complete("k", &id, &[], &bare), 400, "InvalidRequest", text);
    let wrong = [(1, one_tag.clone(), xml(b"x"))];
    assert_eq!(element(&bed.complete("k", &id, &[], &wrong), "Code").unwrap(), "InvalidPart");
    let parts = [(1, one_tag, xml(b"data")), (2, two_tag, xml(b"!"))];
    let kind = one("x-amz-checksum-type", "FULL_OBJECT");
    let text = "The upload was created using the COMPOSITE checksum mode. The complete request must use the same \
                checksum mode.";
    refused(&bed.complete("k", &id, &kind, &parts), 400, "InvalidRequest", text);
    let outcome = bed.complete("k", &id, &[], &parts);
    let whole = element(done(&outcome), "ChecksumSHA256").unwrap();
    assert!(whole.ends_with("-2"));
    let head = bed.head("k", &one("x-amz-checksum-mode", "ENABLED"));
    assert_eq!(head.header("x-amz-checksum-sha256"), Some(&*whole));
    assert_eq!(head.header("x-amz-checksum-type"), Some("COMPOSITE"));
    let part = bed.get("k?partNumber=1", &one("x-amz-checksum-mode", "ENABLED"));
    assert_eq!(part.header("x-amz-checksum-sha256"), Some(&*sha256(b"data")));
    let wants = one("x-amz-object-attributes", "ObjectParts,Checksum");
    let attributes = bed.get("k?attributes", &wants);
    assert_eq!(
        element(done(&attributes), "TotalPartsCount").or(element(&attributes, "PartsCount")).unwrap(),
        "2"
    );
    assert_eq!(bed::text(&attributes).matches("<Size>").count(), 2);
}

#[test]
fn full_object_sums() {
    let bed = bed();
    let whole = bed.put("whole", &[], b"data!");
    let crc = done(&whole).header("x-amz-checksum-crc64nvme").unwrap().to_owned();
    let create = vec![
        ("x-amz-checksum-algorithm", "CRC64NVME".to_owned()),
        ("x-amz-checksum-type", "FULL_OBJECT".to_owned()),
    ];
    let given = |sum: &str| {
        let id = bed.begin("k", &create);
        let parts: Vec<_> = [&b"data"[..], b"!"]
            .iter()
            .zip(1..)
            .map(|(body, number)| (number, etag(&bed.part("k", &id, number, &[], body)), String::new()))
            .collect();
        bed.complete("k", &id, &one("x-amz-checksum-crc64nvme", sum), &parts)
    };
    let text = "The crc64nvme you specified did not match the calculated checksum.";
    refused(&given("AAAAAAAAAAA="), 400, "BadDigest", text);
    let outcome = given(&crc);
    assert_eq!(element(done(&outcome), "ChecksumCRC64NVME").unwrap(), crc);
    assert_eq!(element(&outcome, "ChecksumType").unwrap(), "FULL_OBJECT");
    let unasked = upload(&bed, "k", &[], &[], &[b"data", b"!"]);
    assert_eq!(element(&unasked, "ChecksumCRC64NVME").unwrap(), crc, "S3 makes one by itself");
    let view = bed.sandbox.s3().object("bed", "k").unwrap();
    assert_eq!(view.checksum_type, ChecksumType::FullObject);
    let mut sha = one("x-amz-checksum-algorithm", "SHA256");
    sha.push(("x-amz-checksum-type", "FULL_OBJECT".to_owned()));
    let text = "The FULL_OBJECT checksum type cannot be used with the sha256 checksum algorithm.";
    refused(&bed.ask("POST", "k?uploads", &sha, b""), 400, "InvalidRequest", text);
}

#[test]
fn a_customers_key_at_completion() {
    let bed = bed();
    let mut create = customer(&KEY);
    let part = |bed: &Bed, id: &str| {
        let mut headers = customer(&KEY);
        headers.push(("x-amz-checksum-sha256", sha256(b"x")));
        let sum = format!("<ChecksumSHA256>{}</ChecksumSHA256>", sha256(b"x"));
        [(1, etag(&bed.part("k", id, 1, &headers, b"x")), sum)]
    };
    let id = bed.begin("k", &create);
    let parts = part(&bed, &id);
    done(&bed.complete("k", &id, &[], &parts));
    create.push(("x-amz-checksum-algorithm", "SHA256".to_owned()));
    let id = bed.begin("k", &create);
    let parts = part(&bed, &id);
    assert_eq!(bed.complete("k", &id, &[], &parts).status, Some(400), "needed with a checksum");
    assert_eq!(bed.complete("k", &id, &customer(&OTHER), &parts).status, Some(400));
    done(&bed.complete("k", &id, &customer(&KEY), &parts));
}

#[test]
fn parts_are_copied_between_keys_and_in_ranges() {
    let bed = bed();
    done(&bed.put("source", &customer(&KEY), b"0123456789"));
    let id = bed.begin("k", &customer(&OTHER));
    let copy = |number: i32, range: Option<&str>, mut headers: Headers| {
        headers.push(("x-amz-copy-source", "bed/source".to_owned()));
        headers.extend(range.map(|range| ("x-amz-copy-source-range", range.to_owned())));
        bed.part("k", &id, number, &headers, b"")
    };
    let both = || [customer(&OTHER), source_customer(&KEY)].concat();
    let first = copy(1, Some("bytes=0-4"), both());
    assert_eq!(done(&first).header(bed::CUSTOMER_ALGORITHM), Some("AES256"));
    let second = copy(2, None, both());
    assert_eq!(copy(3, None, customer(&OTHER)).status, Some(400), "without the source's key");
    let wrong = [customer(&OTHER), source_customer(&OTHER)].concat();
    assert_eq!(copy(3, None, wrong).status, Some(403), "with another source key");
    let text = "Range specified is not valid for source object of size: 10";
    refused(&copy(3, Some("bytes=5-10"), both()), 400, "InvalidArgument", text);
    let tag = |outcome: &Outcome| element(done(outcome), "ETag").unwrap();
    let parts = [(1, tag(&first), String::new()), (2, tag(&second), String::new())];
    done(&bed.complete("k", &id, &customer(&OTHER), &parts));
    assert_eq!(bed.get("k", &customer(&OTHER)).body, b"012340123456789");
}

#[test]
fn parts_and_uploads_are_listed_in_pages() {
    let bed = bed();
    let id = bed.begin("a", &customer(&KEY));
    for number in [3, 1, 2] {
        done(&bed.part("a", &id, number, &customer(&KEY), b"x"));
    }
    let page = bed.get(&format!("a?max-parts=2&uploadId={id}"), &[]);
    assert_eq!(text(done(&page)).matches("<Part>").count(), 2);
    assert_eq!(element(&page, "IsTruncated").unwrap(), "true");
    assert_eq!(element(&page, "NextPartNumberMarker").unwrap(), "2");
    let page = bed.get(&format!("a?part-number-marker=2&uploadId={id}"), &[]);
    assert_eq!(element(&page, "PartNumber").unwrap(), "3");
    bed.begin("b", &[]);
    bed.begin("c/d", &[]);
    let list = |query: &str| bed.client.s3("GET", &format!("/bed?{query}"), &[], b"");
    let page = list("delimiter=%2F&uploads=");
    assert_eq!(text(done(&page)).matches("<Upload>").count(), 2);
    assert_eq!(element(&page, "CommonPrefixes").unwrap(), "<Prefix>c/</Prefix>");
    let page = list("max-uploads=1&uploads=");
    assert_eq!(element(&page, "NextKeyMarker").unwrap(), "a");
    let page = list("key-marker=a&uploads=");
    assert_eq!(text(&page).matches("<Upload>").count(), 2);
}
