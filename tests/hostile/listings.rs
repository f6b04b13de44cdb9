//! Listings that never end, or whose entries say what cannot be, and answers that are kept.

use std::fs;

use s3seal_sandbox::{Answer, Fault, Kind, Struck, hostile};

use crate::endless::run;
use crate::support::{BUCKET, Bench, bytes};

/// Half of all numbers, so that three of them are too many.
const HUGE: &str = "9223372036854775807";

/// Answers each request with a truncated page, which names one of three markers in turn.
fn round_and_round(
    bench: &Bench,
    operation: &str,
    marker: &'static str,
    page: fn(usize) -> String,
) -> Struck {
    let kind = Kind::answer(move |asked| {
        let next = match asked.parameter(marker) {
            Some("m1") => 2,
            Some("m2") => 3,
            _ => 1,
        };
        Answer::new(200).xml(&page(next))
    });
    bench.sandbox.fault(Fault::on(operation, kind).always())
}

#[test]
fn a_listing_that_goes_round_in_a_circle_is_given_up_by_every_verb() {
    let uploads = |next: usize| {
        format!(
            "<ListMultipartUploadsResult><IsTruncated>true</IsTruncated><NextKeyMarker>m{next}</NextKeyMarker>\
             <NextUploadIdMarker>u</NextUploadIdMarker></ListMultipartUploadsResult>"
        )
    };
    let objects = |next: usize| {
        format!(
            "<ListBucketResult><IsTruncated>true</IsTruncated>\
             <NextContinuationToken>m{next}</NextContinuationToken></ListBucketResult>"
        )
    };
    let versions = |next: usize| {
        format!(
            "<ListVersionsResult><IsTruncated>true</IsTruncated><NextKeyMarker>m{next}</NextKeyMarker>\
             <NextVersionIdMarker>v</NextVersionIdMarker></ListVersionsResult>"
        )
    };
    for (operation, marker, page, line) in [
        ("ListMultipartUploads", "key-marker", uploads as fn(usize) -> String, "cleanup s3://bench/ --yes"),
        ("ListObjectsV2", "continuation-token", objects, "inspect s3://bench/p/"),
        ("ListObjectsV2", "continuation-token", objects, "get -r s3://bench/p/ there"),
        ("ListObjectVersions", "key-marker", versions, "inspect s3://bench/p/ --all-versions"),
    ] {
        let bench = Bench::new();
        let struck = round_and_round(&bench, operation, marker, page);
        run(&bench, line).exits(6).says(&["its listing goes round in a circle"]);
        // A count ahead may list, too.
        assert!((5..=20).contains(&struck.count()), "{line}: {}", struck.count());
    }
}

#[test]
fn a_listing_of_empty_pages_without_end_is_given_up_by_every_verb() {
    let page = |document: &'static str, marker: &'static str, next: &'static [&'static str]| {
        Kind::answer(move |asked| {
            let at: u64 = asked.parameter(marker).map_or(0, |text| text.parse().unwrap());
            let markers = next.iter().map(|name| format!("<{name}>{}</{name}>", at + 1));
            let markers = markers.collect::<Vec<_>>().concat();
            Answer::new(200)
                .xml(&format!("<{document}><IsTruncated>true</IsTruncated>{markers}</{document}>"))
        })
    };
    let objects = || page("ListBucketResult", "continuation-token", &["NextContinuationToken"]);
    let versions = page("ListVersionsResult", "key-marker", &["NextKeyMarker", "NextVersionIdMarker"]);
    let uploads = page("ListMultipartUploadsResult", "key-marker", &["NextKeyMarker", "NextUploadIdMarker"]);
    for (operation, page, line) in [
        ("ListMultipartUploads", uploads, "cleanup s3://bench/ --yes"),
        ("ListObjectsV2", objects(), "inspect s3://bench/p/"),
        ("ListObjectsV2", objects(), "get -r s3://bench/p/ there"),
        ("ListObjectVersions", versions, "inspect s3://bench/p/ --all-versions"),
    ] {
        let bench = Bench::new();
        let struck = bench.sandbox.fault(Fault::on(operation, page).always());
        run(&bench, line).exits(6).says(&["1000 pages of the listing, one after the other, have no entry"]);
        // A count ahead may list, too.
        assert!((1000..=2000).contains(&struck.count()), "{line}: {}", struck.count());
    }
}

/// Where all must be known before anything is done, the server could fill the memory with a listing in perfect order.
#[test]
fn a_listing_without_end_is_given_up_where_it_must_be_known_to_its_end() {
    for line in [
        "get -r s3://bench/p/ s3://bench/q/ there",
        "put -r tree s3://bench/p/ --delete --yes",
        "put -r tree s3://bench/p/ --delete --dry-run",
    ] {
        let bench = Bench::new();
        fs::create_dir(bench.path("tree")).unwrap();
        bench.write("tree/a", b"a");
        let endless = Kind::answer(|asked| {
            let (at, prefix) =
                (asked.parameter("continuation-token").unwrap_or("0"), asked.parameter("prefix"));
            let at: usize = at.parse().unwrap();
            let entry = |number: usize| {
                let (under, long) = (prefix.unwrap_or_default(), "x".repeat(800));
                format!(
                    "<Contents><Key>{under}{number:09}{long}</Key><ETag>1</ETag><Size>5</Size></Contents>"
                )
            };
            let (entries, next) = ((at..at + 1000).map(entry).collect::<String>(), at + 1000);
            Answer::new(200).xml(&format!(
                "<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>\
                 <NextContinuationToken>{next}</NextContinuationToken>{entries}</ListBucketResult>"
            ))
        });
        let struck = bench.sandbox.fault(Fault::on("ListObjectsV2", endless).always());
        let told = [
            "s3://bench/p/ is too large: its listing goes on beyond",
            "nothing was done",
            "a command for each",
        ];
        run(&bench, line).exits(1).says(&told);
        assert!((5..=40).contains(&struck.count()), "{line}: {}", struck.count());
        bench.assert_keys(&[]);
        bench.assert_tidy(&["tree"]);
    }
}

#[test]
fn what_cleanup_keeps_is_reported_before_the_listing_ends() {
    let bench = Bench::new();
    for number in 0..1001 {
        bench.sandbox.s3().begin_upload(BUCKET, &format!("p/{number}"));
    }
    let refused = Kind::status(403, "AccessDenied", "no");
    bench.sandbox.fault(Fault::on("ListMultipartUploads", refused).skip(1));
    let ended = run(&bench, "cleanup s3://bench/p/ --json").exits(4);
    let kept = ended.documents();
    assert_eq!(kept.len(), 1000);
    assert!(kept.iter().all(|document| document["state"] == "kept"));
}

#[test]
fn sizes_whose_sum_is_beyond_all_numbers_are_no_small_ones() {
    let bench = Bench::new();
    for key in [
        "a/1",
        "a/2",
        "b/3",
        "a/.s3seal-scratch-0123456789abcdef",
        "a/.s3seal-scratch-0123456789abcde0",
        "a/.s3seal-scratch-0123456789abcde1",
    ] {
        bench.sandbox.s3().put_plain(BUCKET, key, b"x");
    }
    let huge = |name: &'static str| {
        Kind::tamper(move |_, answer| {
            let parts: Vec<String> = answer.text().split(&format!("<{name}>")).map(str::to_owned).collect();
            let rest =
                parts[1..].iter().map(|part| format!("<{name}>{HUGE}{}", &part[part.find('<').unwrap()..]));
            answer.set_body(format!("{}{}", parts[0], rest.collect::<String>()));
        })
    };
    bench.sandbox.fault(Fault::on("ListObjectsV2", huge("Size")).always());
    let found = "would remove: 3 leftovers, 16384 PiB";
    run(&bench, "cleanup s3://bench/ --older-than 0s --dry-run").ok().says(&[found]);
    bench.sandbox.s3().set_clock_ahead(2 * 24 * 3600);
    let doctor = run(&bench, "doctor s3://bench/ --json");
    bench.sandbox.s3().set_clock_ahead(0);
    let checks = String::from_utf8(doctor.stdout).unwrap();
    assert!(checks.contains("3 of broken runs, 16384 PiB"), "{checks}\n{}", doctor.stderr);
    run(&bench, "get s3://bench/a/* s3://bench/b/* there/").ok().says(&["fetched: 6 objects"]);
    bench.sandbox.clear_faults();
    let kind = hostile::replaces_header("content-length", HUGE);
    bench.sandbox.fault(Fault::on("HeadObject", kind).always());
    let line = "rotate s3://bench/ -e sse-kms --kms-key alias/backup --dry-run";
    run(&bench, line).ok().says(&["3 objects, 16384 PiB"]);
}

#[test]
fn a_manifest_that_could_not_be_read_again_is_not_said_to_be_stored() {
    let long: &'static str = "e".repeat(20_000).leak();
    for (header, operations) in
        [("etag", ["PutObject", "HeadObject"]), ("x-amz-version-id", ["PutObject", "PutObject"])]
    {
        let bench = Bench::new();
        std::fs::create_dir(bench.path("tree")).unwrap();
        bench.write("tree/a", &bytes(10));
        for operation in operations {
            bench.sandbox.fault(Fault::on(operation, hostile::replaces_header(header, long)).always());
        }
        let ended = bench.run("put -r tree s3://bench/p/ --manifest m");
        assert!(matches!(ended.code(), Some(6 | 9)), "{header}: {:?} {}", ended.code(), ended.stderr);
        assert_eq!(bench.names(), ["tree"], "{header}");
    }
}
