//! Trouble at KMS, which client-side encryption asks itself, and with instruction files.

use s3seal_sandbox::{Fault, Kind};

use crate::support::{ALIAS, Bench, assert_same, bytes, key};

fn bench() -> Bench {
    let bench = Bench::new();
    bench.write("source", &bytes(1000));
    bench.write("key", &key(5));
    bench
}

fn throttled() -> Kind {
    Kind::status(400, "ThrottlingException", "Rate exceeded")
}

#[test]
fn trouble_at_kms_is_overcome() {
    let bench = bench();
    for kind in
        [Kind::ResetBefore, Kind::DropAnswer, throttled(), Kind::internal_error(), Kind::CutResponse(10)]
    {
        bench.sandbox.fault(Fault::on("kms:GenerateDataKey", kind.clone()));
        bench.run(&format!("put source s3://bench/object -e client --kms-key {ALIAS}")).ok();
        bench.sandbox.fault(Fault::on("kms:Decrypt", kind));
        bench.run(&format!("get s3://bench/object copy --kms-key {ALIAS}")).ok();
        assert_same(&bench.read("copy"), &bytes(1000), "file");
    }
    bench.assert_tidy(&["copy", "key", "source"]);
}

#[test]
fn trouble_at_kms_that_does_not_go_away_is_told_and_nothing_is_written() {
    let bench = bench();
    bench.run(&format!("put source s3://bench/object -e client --kms-key {ALIAS}")).ok();
    for (kind, timeout, words) in [
        (Kind::ResetBefore, "", "the connection broke"),
        (throttled(), "", "the service still asks to slow down"),
        (Kind::StallBeforeResponse, "--read-timeout 1s", "did not answer in time"),
    ] {
        bench.sandbox.fault(Fault::on("kms:GenerateDataKey", kind.clone()).times(99));
        let flags = format!("--kms-key {ALIAS} --max-attempts 2 {timeout}");
        bench.run(&format!("put source s3://bench/other -e client {flags}")).exits(7).says(&[words]);
        bench.sandbox.fault(Fault::on("kms:Decrypt", kind).times(99));
        bench.run(&format!("get s3://bench/object copy {flags}")).exits(7).says(&[words]);
        bench.sandbox.clear_faults();
    }
    bench.assert_keys(&["object"]);
    bench.assert_tidy(&["key", "source"]);
}

#[test]
fn trouble_with_an_instruction_file_is_overcome() {
    let bench = bench();
    for kind in [Kind::ResetBefore, Kind::DropAnswer, Kind::slow_down()] {
        bench.sandbox.fault(Fault::on("PutObject", kind.clone()).only(".instruction"));
        bench.run("put source s3://bench/object -e client --key key --instruction-file").ok();
        bench.sandbox.fault(Fault::on("GetObject", kind).only(".instruction"));
        bench.run("get s3://bench/object copy --key key").ok();
        assert_same(&bench.read("copy"), &bytes(1000), "file");
    }
    bench.sandbox.fault(Fault::on("GetObject", Kind::CutResponse(20)).only(".instruction"));
    bench.run("get s3://bench/object copy --key key").ok();
}

#[test]
fn a_flipped_byte_of_an_instruction_file_is_refused() {
    let bench = bench();
    bench.run("put source s3://bench/object -e client --key key --instruction-file").ok();
    for place in [0, 20, 60] {
        bench.sandbox.fault(Fault::on("GetObject", Kind::FlipResponseByte(place)).only(".instruction"));
        let ended = bench.run("get s3://bench/object copy --key key");
        assert!([Some(5), Some(6)].contains(&ended.code()), "{place}: {:?} {}", ended.code(), ended.stderr);
    }
    bench.assert_tidy(&["key", "source"]);
}

#[test]
fn an_object_that_does_not_come_to_be_leaves_the_old_one_readable_beside_its_instruction_file() {
    for before in [true, false] {
        let bench = bench();
        bench.write("old", b"old");
        if before {
            bench.run("put old s3://bench/object -e client --key key --instruction-file").ok();
        }
        let refusal = Kind::status(400, "Odd", "An odd refusal.");
        // The instruction file goes through, the object does not.
        let fault = if before {
            Fault::on("CompleteMultipartUpload", refusal)
        } else {
            Fault::on("PutObject", refusal).skip(1)
        };
        bench.sandbox.fault(fault);
        bench.run("put source s3://bench/object -e client --key key --instruction-file").exits(1);
        bench.sandbox.clear_faults();
        if before {
            let ended = bench.run("get s3://bench/object - --key key").ok();
            assert_eq!(ended.stdout, b"old");
        } else {
            bench.assert_keys(&[]);
        }
    }
}
