//! Trouble while an object goes up: in one request, at the start, in a part, at the end.

use s3seal_sandbox::{Fault, Kind};

use crate::support::{BUCKET, Bench, PART, assert_same, at_once, bytes, key};

/// A request of an upload, and the size of an object that takes it there. The last part is small, so that it is not
/// given the time that many bytes may take.
struct Phase {
    operation: &'static str,
    only: &'static str,
    size: usize,
}

const PHASES: [Phase; 4] = [
    Phase { operation: "PutObject", only: "", size: 1000 },
    Phase { operation: "CreateMultipartUpload", only: "", size: PART + 10 },
    Phase { operation: "UploadPart", only: "partNumber=2", size: PART + 10 },
    Phase { operation: "CompleteMultipartUpload", only: "", size: PART + 10 },
];

const MODES: [&str; 2] = ["-e sse-c --sse-c-key key", "-e client --key key"];

impl Phase {
    fn fault(&self, kind: Kind) -> Fault {
        Fault::on(self.operation, kind).only(self.only)
    }

    /// A bench with an old object in the way, the source and a key.
    fn bench(&self) -> Bench {
        let bench = Bench::new();
        bench.write("key", &key(5));
        bench.write("source", &bytes(self.size));
        bench.sandbox.s3().put_plain(BUCKET, "object", b"old");
        bench
    }
}

/// Puts in the face of one fault, which must be overcome.
fn overcomes(phase: &Phase, kind: &Kind, flags: &str) -> Bench {
    let bench = phase.bench();
    for mode in MODES {
        let struck = bench.sandbox.fault(phase.fault(kind.clone()));
        bench.run(&format!("put source s3://bench/object {mode} --part-size 5MiB {flags}")).ok();
        assert_eq!(struck.count(), 1, "{}", phase.operation);
        let key = mode.split_once(' ').and_then(|(_, rest)| rest.split_once(' ')).unwrap().1;
        bench.run(&format!("get s3://bench/object copy {key}")).ok();
        assert_same(&bench.read("copy"), &bytes(phase.size), phase.operation);
    }
    bench
}

/// Puts in the face of a fault that does not go away, which must be told with this code.
fn gives_up(phase: &Phase, kind: &Kind, flags: &str, words: &[&str]) {
    let bench = phase.bench();
    for mode in MODES {
        bench.sandbox.fault(phase.fault(kind.clone()).times(999));
        let line = format!(
            "put source s3://bench/object {mode} --part-size 5MiB --max-attempts 2 --no-resume {flags}"
        );
        bench
            .run(&line)
            .exits(7)
            .writes_nothing()
            .says(&["s3://bench/object", "run the same command again"])
            .says(words);
        bench.sandbox.clear_faults();
        assert_eq!(bench.object("object").plaintext.unwrap(), b"old", "{}", phase.operation);
    }
    bench.assert_tidy(&["key", "source"]);
}

#[test]
fn a_reset_is_overcome_in_each_phase() {
    at_once(&PHASES, |phase| {
        overcomes(phase, &Kind::ResetBefore, "").assert_tidy(&["copy", "key", "source"]);
    });
}

#[test]
fn a_request_to_slow_down_is_obeyed_in_each_phase() {
    at_once(&PHASES, |phase| {
        overcomes(phase, &Kind::slow_down(), "").assert_tidy(&["copy", "key", "source"]);
    });
}

#[test]
fn an_internal_error_is_overcome_in_each_phase() {
    at_once(&PHASES, |phase| {
        overcomes(phase, &Kind::internal_error(), "").assert_tidy(&["copy", "key", "source"]);
    });
}

#[test]
fn a_stall_is_overcome_where_nothing_is_done_twice() {
    for phase in [&PHASES[0], &PHASES[2]] {
        let bench = overcomes(phase, &Kind::StallBeforeResponse, "--read-timeout 1s");
        bench.assert_tidy(&["copy", "key", "source"]);
    }
}

#[test]
fn a_reset_that_does_not_go_away_is_told_in_each_phase() {
    at_once(&PHASES, |phase| {
        gives_up(phase, &Kind::ResetBefore, "", &["the connection broke"]);
    });
}

#[test]
fn a_request_to_slow_down_that_does_not_go_away_is_told_in_each_phase() {
    at_once(&PHASES, |phase| {
        gives_up(phase, &Kind::slow_down(), "", &["the service still asks to slow down", "--jobs 2"]);
    });
}

#[test]
fn an_internal_error_that_does_not_go_away_is_told_in_each_phase() {
    at_once(&PHASES, |phase| {
        gives_up(phase, &Kind::internal_error(), "", &["the service failed each time"]);
    });
}

#[test]
fn a_stall_that_does_not_go_away_is_told() {
    // The operation is done each time: in one request that stores the object, and the message cannot know.
    let phase = &PHASES[2];
    gives_up(
        phase,
        &Kind::StallBeforeResponse,
        "--read-timeout 1s",
        &["did not answer in time", "--read-timeout"],
    );
}

#[test]
fn a_part_that_is_sent_again_is_sent_as_it_was() {
    for mode in MODES {
        for kind in [Kind::ResetBefore, Kind::slow_down(), Kind::DropAnswer] {
            let bench = PHASES[2].bench();
            bench.sandbox.fault(PHASES[2].fault(kind));
            bench.run(&format!("put source s3://bench/object {mode} --part-size 5MiB")).ok();
            let sent: Vec<_> = bench
                .requests("UploadPart")
                .iter()
                .filter(|request| request.parameter("partNumber") == Some("2"))
                .map(|request| {
                    ["x-amz-checksum-crc64nvme", "content-length"]
                        .map(|name| request.header(name).unwrap().to_owned())
                })
                .collect();
            assert_eq!(sent.len(), 2, "{mode}");
            assert_eq!(sent[0], sent[1], "{mode}");
        }
    }
}

#[test]
fn many_faults_at_once_are_overcome() {
    let bench = Bench::new();
    bench.write("key", &key(5));
    let content = bytes(6 * PART + 77);
    bench.write("source", &content);
    let kinds = [Kind::ResetBefore, Kind::slow_down(), Kind::internal_error(), Kind::DropAnswer];
    for (kind, part) in kinds.into_iter().zip(["1", "3", "5", "6"]) {
        bench.sandbox.fault(Fault::on("UploadPart", kind).only(&format!("partNumber={part}")).times(2));
    }
    bench.run("put source s3://bench/object -e client --key key --part-size 5MiB").ok();
    bench.run("get s3://bench/object copy --key key").ok();
    assert_same(&bench.read("copy"), &content, "file");
    bench.assert_tidy(&["copy", "key", "source"]);
}

#[test]
fn standard_input_is_uploaded_in_the_face_of_faults_as_well() {
    let bench = Bench::new();
    for phase in &PHASES {
        let content = bytes(phase.size);
        bench.sandbox.fault(phase.fault(Kind::ResetBefore));
        bench.s3seal(["put", "-", "s3://bench/object", "--part-size", "5MiB"]).input(&content).run().ok();
        assert_same(&bench.object("object").plaintext.unwrap(), &content, phase.operation);
    }
    bench.assert_tidy(&[]);
}

#[test]
fn when_the_abort_fails_too_the_error_told_is_the_first_one() {
    let bench = PHASES[2].bench();
    bench.sandbox.fault(Fault::on("UploadPart", Kind::status(400, "Odd", "An odd refusal.")).times(99));
    bench.sandbox.fault(
        Fault::on("AbortMultipartUpload", Kind::status(403, "AccessDenied", "Access Denied")).times(99),
    );
    let ended = bench.run("put source s3://bench/object --part-size 5MiB --max-attempts 1");
    ended.exits(1).says(&["the service answered Odd", "An odd refusal."]);
    assert_eq!(bench.object("object").plaintext.unwrap(), b"old");
}

#[test]
fn an_upload_that_cannot_be_aborted_is_named_with_the_command_that_aborts_it() {
    for flags in ["", "--json"] {
        let bench = Bench::new();
        bench.write("source", &bytes(PART + 10));
        bench.sandbox.fault(Fault::on("UploadPart", Kind::status(400, "Odd", "An odd refusal.")).times(99));
        bench
            .sandbox
            .fault(Fault::on("AbortMultipartUpload", Kind::status(403, "AccessDenied", "No.")).times(9));
        let ended = bench.run(&format!("put source s3://bench/object --part-size 5MiB {flags}")).exits(1);
        let id = &bench.sandbox.s3().uploads()[0].upload_id;
        let named = format!("(id {id}) was not aborted, and its parts stay stored until it is");
        ended.says(&["An odd refusal", &named, "s3seal cleanup s3://bench/object --older-than 0s"]);
    }
}

#[test]
fn uploads_of_many_files_that_cannot_be_aborted_are_all_named() {
    let bench = Bench::new();
    bench.write("source", &bytes(PART + 10));
    bench.write("second", &bytes(PART + 10));
    bench.sandbox.fault(Fault::on("UploadPart", Kind::status(400, "Odd", "An odd refusal.")).times(99));
    bench.sandbox.fault(Fault::on("AbortMultipartUpload", Kind::status(403, "AccessDenied", "No.")).times(9));
    let ended = bench.run("put source second s3://bench/ --part-size 5MiB").exits(9);
    let uploads = bench.sandbox.s3().uploads();
    assert_eq!(uploads.len(), 2);
    let named = |id: &str| ended.stderr.contains(&format!("(id {id})"));
    assert!(uploads.iter().all(|upload| named(&upload.upload_id)), "{}", ended.stderr);
}
