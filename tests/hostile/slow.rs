//! A server that begins an answer and holds the rest: it is given up after the time that the user allows, and nothing half is
//! left. The server never goes on, so that only the client's own clock ends the wait.

use s3seal_sandbox::{Fault, Kind};

use crate::support::keys::KnownKey;
use crate::support::{Bench, PART, at_once, bytes};

fn bench() -> Bench {
    let bench = Bench::new();
    bench.write("key", &KnownKey::new(1).0);
    bench.write("new", &KnownKey::new(2).0);
    bench.write("little", b"text");
    bench.write("source", &bytes(PART + 1));
    for (name, flags) in [
        ("plain", "-e sse-s3"),
        ("sealed", "-e client --key key"),
        ("message", "-e client --key key --format esdk"),
        ("beside", "-e client --key key --instruction-file"),
        ("kms", "-e client --kms-key alias/backup"),
    ] {
        bench.run(&format!("put little s3://bench/{name} {flags}")).ok();
    }
    bench.write("copy", b"old");
    bench
}

/// Runs each line, once with the head of that operation's answer alone and once with none of it; each is given up, in time.
fn is_given_up(lines: &[(&str, &str)]) {
    at_once(lines, |(operation, line)| {
        let bench = bench();
        let keys = bench.sandbox.s3().keys("bench");
        for kind in [Kind::StallResponse(0), Kind::StallBeforeResponse] {
            let struck = bench.sandbox.fault(Fault::on(operation, kind).always());
            // Not so short that a busy machine misses it with an answer that comes.
            let ended = bench.run(&format!("{line} --read-timeout 3s --max-attempts 1"));
            let ended = ended.exits(7).says(&["did not answer in time"]);
            assert!(line.starts_with("inspect") || ended.stdout.is_empty(), "{line}");
            assert!(struck.count() > 0, "{line}");
            bench.sandbox.clear_faults();
        }
        assert_eq!(bench.read("copy"), b"old", "{line}");
        assert_eq!(bench.sandbox.s3().keys("bench"), keys, "{line}");
    });
}

#[test]
fn get_gives_up_an_answer_that_does_not_go_on() {
    is_given_up(&[
        ("GetObject", "get s3://bench/plain copy"),
        ("GetObject", "get s3://bench/plain -"),
        ("GetObject", "get s3://bench/sealed copy --key key"),
        ("GetObject", "get s3://bench/sealed - --key key"),
        ("GetObject", "get s3://bench/message copy --key key"),
        ("GetObject", "get s3://bench/beside copy --key key"),
        ("kms:Decrypt", "get s3://bench/kms copy --kms-key alias/backup"),
    ]);
}

#[test]
fn get_of_many_gives_up_a_listing_that_does_not_go_on() {
    is_given_up(&[("ListObjectsV2", "get -r s3://bench/ folder --key key")]);
}

#[test]
fn inspect_gives_up_an_answer_that_does_not_go_on() {
    is_given_up(&[
        ("GetObject", "inspect s3://bench/message --key key"),
        ("GetObject", "inspect s3://bench/beside --key key"),
        ("ListObjectsV2", "inspect s3://bench/"),
    ]);
}

#[test]
fn rotate_gives_up_an_answer_that_does_not_go_on() {
    is_given_up(&[
        ("GetObject", "rotate s3://bench/sealed -e client --key new --new-data-key --from-key key --yes"),
        ("GetObject", "rotate s3://bench/beside --rewrap --key new --from-key key --yes"),
        ("ListObjectsV2", "rotate s3://bench/ --rewrap --key new --from-key key --yes"),
    ]);
}

#[test]
fn put_gives_up_an_answer_that_does_not_go_on() {
    is_given_up(&[
        ("CreateMultipartUpload", "put source s3://bench/object --part-size 5MiB"),
        ("kms:GenerateDataKey", "put source s3://bench/object -e client --kms-key alias/backup"),
    ]);
}
