//! A server that begins as asked and ignores the mode later: at a part, at the end, at the n-th object.

use s3seal_sandbox::s3::Lie;
use s3seal_sandbox::{Answer, Fault, Kind};

use crate::support::keys::KnownKey;
use crate::support::{ALIAS, BUCKET, Bench, CUSTOMER_ALGORITHM, CUSTOMER_MD5, PART, bytes};

const SSE: &str = "x-amz-server-side-encryption";

/// Modes that are asked for, and how messages name them.
const MODES: [(&str, &str); 4] = [
    ("-e sse-s3", "SSE-S3"),
    ("-e sse-kms --kms-key alias/backup", "SSE-KMS"),
    ("-e dsse-kms --kms-key alias/backup", "DSSE-KMS"),
    ("-e sse-c --sse-c-key key", "SSE-C"),
];

fn bench(size: usize) -> Bench {
    let bench = Bench::new();
    bench.write("key", &KnownKey::new(7).0);
    bench.write("source", &bytes(size));
    bench
}

fn says_nothing(answer: &mut Answer) {
    answer.headers.retain(|(name, _)| !name.starts_with(SSE));
}

/// Names a mode, or a key, that was never asked for.
fn says_another(flags: &str) -> Kind {
    let customer = flags.contains("sse-c");
    Kind::tamper(move |_, answer| {
        says_nothing(answer);
        if customer {
            answer.set(CUSTOMER_ALGORITHM, "AES256");
            answer.set(CUSTOMER_MD5, KnownKey::new(8).md5());
        } else {
            answer.set(SSE, "aws:fsx");
        }
    })
}

fn put(flags: &str) -> String {
    format!("put source s3://bench/object {flags} --part-size 5MiB -j 1")
}

#[test]
fn put_aborts_an_upload_of_which_neither_start_nor_parts_name_the_mode() {
    for (flags, title) in MODES {
        let bench = bench(PART + 1);
        for operation in ["CreateMultipartUpload", "UploadPart"] {
            let silent = Kind::tamper(|_, answer| says_nothing(answer));
            bench.sandbox.fault(Fault::on(operation, silent).always());
        }
        bench.run(&put(flags)).exits(6).says(&[
            &format!("asked for {title}"),
            "the answer says no encryption",
            "nothing is stored: the upload was aborted",
        ]);
        assert_eq!(bench.requests("UploadPart").len(), 1, "{flags}");
        bench.assert_keys(&[]);
        bench.assert_tidy(&["key", "source"]);
    }
}

#[test]
fn put_believes_the_parts_of_an_upload_whose_start_names_no_mode() {
    // SeaweedFS answers so.
    for (flags, _) in MODES {
        let bench = bench(PART + 1);
        let silent = Kind::tamper(|_, answer| says_nothing(answer));
        let struck = bench.sandbox.fault(Fault::on("CreateMultipartUpload", silent));
        bench.run(&put(flags)).ok();
        assert_eq!(struck.count(), 1);
    }
}

#[test]
fn put_aborts_an_upload_whose_second_part_names_another_mode() {
    for (flags, title) in MODES {
        let bench = bench(2 * PART + 1);
        let struck = bench.sandbox.fault(Fault::on("UploadPart", says_another(flags)).skip(1));
        bench
            .run(&put(flags))
            .exits(6)
            .says(&[&format!("asked for {title}"), "nothing is stored: the upload was aborted"]);
        assert_eq!((struck.count(), bench.requests("CompleteMultipartUpload").len()), (1, 0), "{flags}");
        bench.assert_keys(&[]);
        bench.assert_tidy(&["key", "source"]);
    }
}

#[test]
fn put_names_what_is_stored_where_the_end_of_an_upload_names_another_mode() {
    // In SSE-C, the end says nothing.
    for (flags, title) in &MODES[..3] {
        let bench = bench(PART + 1);
        bench.sandbox.fault(Fault::on("CompleteMultipartUpload", says_another(flags)));
        bench.run(&put(flags)).exits(6).says(&[
            &format!("asked for {title}"),
            "the answer says aws:fsx",
            "aws s3api delete-object --bucket bench --key object",
        ]);
        bench.assert_keys(&["object"]);
        bench.assert_tidy(&["key", "source"]);
    }
}

#[test]
fn rotate_aborts_a_copy_of_which_a_part_names_another_mode() {
    for (flags, title) in MODES {
        let bench = bench(100);
        bench.run("put source s3://bench/object -e sse-s3").ok();
        bench.sandbox.s3().set_hole(BUCKET, "object", (5 << 30) + 1000);
        let before = bench.object("object");
        let struck = bench.sandbox.fault(Fault::on("UploadPartCopy", says_another(flags)).skip(1));
        let line = format!("rotate s3://bench/object {flags} --yes");
        if flags == "-e sse-s3" {
            // Nothing to be done: it is so.
            bench.run(&line).ok();
            continue;
        }
        bench.run(&line).exits(6).says(&[&format!("asked for {title}")]);
        assert_eq!((struck.count(), bench.requests("CompleteMultipartUpload").len()), (1, 0), "{flags}");
        assert_eq!(bench.object("object").etag, before.etag);
        assert_eq!(bench.sandbox.s3().uploads(), []);
    }
}

#[test]
fn rotate_of_many_ends_at_the_third_object_whose_mode_is_ignored() {
    let bench = bench(10);
    for number in 0..8 {
        bench.run(&format!("put source s3://bench/p/{number} -e sse-s3")).ok();
    }
    let lies = bench.meanwhile(|sandbox| sandbox.s3().lie(Lie::IgnoreSse));
    bench.sandbox.fault(Fault::on("CopyObject", lies).skip(2));
    let line = format!("rotate s3://bench/p/ -e sse-kms --kms-key {ALIAS} --yes -j 1");
    bench.run(&line).exits(6).says(&["s3://bench/p/2", "asked for SSE-KMS", "no further object was started"]);
    assert_eq!(bench.requests("CopyObject").len(), 3);
}
