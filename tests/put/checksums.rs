//! The checksum is computed here, sent with every part and with the whole, and kept by S3.

use s3seal_sandbox::s3::{Algorithm, ChecksumType, Lie};
use s3seal_sandbox::{Fault, Kind};

use crate::support::{Bench, PART, bytes};

const ALL: [(&str, Algorithm, bool); 5] = [
    ("crc64nvme", Algorithm::Crc64Nvme, true),
    ("crc32", Algorithm::Crc32, true),
    ("crc32c", Algorithm::Crc32C, true),
    ("sha1", Algorithm::Sha1, false),
    ("sha256", Algorithm::Sha256, false),
];

#[test]
fn every_algorithm_is_sent_kept_and_verified_on_the_way_back() {
    let bench = Bench::new();
    for (name, algorithm, full_object) in ALL {
        for size in [100, 2 * PART + 1] {
            let content = bytes(size);
            bench.write("source", &content);
            bench.run(&format!("put source s3://bench/object --checksum {name} --part-size 5MiB")).ok();
            let object = bench.object("object");
            assert_eq!(object.checksum_algorithm, Some(algorithm), "{name}");
            let composite = size > PART && !full_object;
            let kind = if composite { ChecksumType::Composite } else { ChecksumType::FullObject };
            assert_eq!(object.checksum_type, kind, "{name} of {size}");
            let ended = bench.run("get s3://bench/object copy --part-size 5MiB").ok();
            ended.says(&["verified"]);
            assert!(bench.read("copy") == content, "{name} of {size}");
        }
    }
}

#[test]
fn crc64nvme_is_the_default_with_each_part_and_over_the_whole() {
    let bench = Bench::new();
    bench.write("source", &bytes(PART + 1));
    bench.run("put source s3://bench/object --part-size 5MiB").ok();
    let object = bench.object("object");
    assert_eq!(object.checksum_algorithm, Some(Algorithm::Crc64Nvme));
    assert_eq!(object.checksum_type, ChecksumType::FullObject);
    for part in bench.requests("UploadPart") {
        assert!(part.header("x-amz-checksum-crc64nvme").is_some());
    }
    let complete = &bench.requests("CompleteMultipartUpload")[0];
    assert_eq!(complete.header("x-amz-checksum-crc64nvme").map(str::to_owned), object.checksum);
    assert_eq!(complete.header("x-amz-mp-object-size"), Some((PART + 1).to_string().as_str()));
}

#[test]
fn the_outcome_tells_the_checksum_that_s3_keeps() {
    let bench = Bench::new();
    bench.write("source", &bytes(PART + 1));
    for name in ["crc64nvme", "sha256"] {
        let line = format!("put source s3://bench/object --checksum {name} --part-size 5MiB --json");
        let json = bench.run(&line).ok().json();
        let kept = bench.object("object").checksum.unwrap();
        let told = json["checksum"]["value"].as_str().unwrap();
        assert_eq!(told.split('-').next(), kept.split('-').next(), "{name}");
    }
}

#[test]
fn a_server_that_finds_other_bytes_stores_nothing() {
    let bench = Bench::new();
    for (size, operation) in
        [(100, "PutObject"), (PART + 1, "UploadPart"), (PART + 1, "CompleteMultipartUpload")]
    {
        bench.write("source", &bytes(size));
        let text = "The CRC64NVME you specified did not match the calculated checksum.";
        bench.sandbox.fault(Fault::on(operation, Kind::status(400, "BadDigest", text)).times(9));
        let ended = bench.run("put source s3://bench/object --part-size 5MiB");
        let ended = ended
            .exits(6)
            .says(&["s3://bench/object: S3 received other bytes than were sent", "a proxy on the way"]);
        assert!(!ended.stderr.contains("--version-id"), "of no help to put: {}", ended.stderr);
        bench.sandbox.clear_faults();
        bench.assert_keys(&[]);
        bench.assert_tidy(&["source"]);
    }
}

#[test]
fn a_server_that_keeps_no_checksum_is_told_as_such_on_get() {
    let bench = Bench::new();
    bench.write("source", b"text");
    bench.sandbox.s3().lie(Lie::IgnoreChecksums);
    bench.run("put source s3://bench/object").ok();
    bench.run("get s3://bench/object copy").ok().says(&["no checksum kept by S3"]);
    assert_eq!(bench.read("copy"), b"text");
}
