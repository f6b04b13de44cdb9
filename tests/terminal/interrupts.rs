//! Ctrl-C in the middle of a transfer.

use s3seal_sandbox::{Fault, Gate, Kind};

use crate::screen::Terminal;
use crate::support::{BUCKET, Bench, PART, PATIENCE, at_once, bytes, key};

#[test]
fn ctrl_c_in_a_put_leaves_a_clean_line_and_no_upload() {
    at_once(&[40, 80, 200], |columns| {
        let bench = Bench::new();
        bench.write("file", &bytes(4 * PART));
        bench.write("key", &key(1));
        // Of the last part the server reads only the beginning.
        let stalled = Fault::on("UploadPart", Kind::StallRequest(1000)).skip(2).always();
        let stalled = bench.sandbox.fault(stalled);
        let line = "put file s3://bench/k --key key -j 1 --part-size 5MiB";
        let mut put = Terminal::start(&bench, *columns, line);
        assert!(stalled.wait(1, PATIENCE));
        put.wait_for("/20.0 MiB");
        put.press("\x03");
        let (code, screen) = put.end();
        assert_eq!(code, 130, "{screen}");
        assert!(!screen.contains("MiB"), "{screen}");
        assert!(screen.contains("error: "), "{screen}");
        bench.assert_tidy(&["file", "key"]);
        bench.assert_keys(&[]);
    });
}

#[test]
fn ctrl_c_in_a_get_leaves_a_clean_line_and_no_file() {
    at_once(&[40, 80, 200], |columns| {
        let bench = Bench::new();
        bench.sandbox.s3().put_plain(BUCKET, "k", &bytes(2 << 20));
        // Less than a range, which is 1 MiB where the first answer took long.
        bench.sandbox.fault(Fault::on("GetObject", Kind::StallResponse(1 << 19)).always());
        let mut get = Terminal::start(&bench, *columns, "get s3://bench/k file");
        get.wait_for("/2.0 MiB");
        get.press("\x03");
        let (code, screen) = get.end();
        assert_eq!(code, 130, "{screen}");
        assert!(!screen.contains("MiB"), "{screen}");
        assert!(screen.contains("error: "), "{screen}");
        bench.assert_tidy(&[]);
    });
}

#[test]
fn ctrl_c_among_many_files_leaves_the_sum_of_what_is_done() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("tree")).unwrap();
    for number in 0..5 {
        bench.write(&format!("tree/{number}"), &[b'x'; 1000]);
    }
    let gate = Gate::new();
    bench.sandbox.fault(Fault::on("PutObject", Kind::Pause(gate.clone())).skip(2).always());
    let mut put = Terminal::start(&bench, 80, "put -r tree s3://bench/p/ -j 1");
    put.wait_for("files 2/5");
    put.press("\x03");
    let (code, screen) = put.end();
    assert_eq!(code, 130, "{screen}");
    assert!(screen.contains("stored: 2 files, 2.0 KiB in "), "{screen}");
    assert!(!screen.contains(" · "), "{screen}");
    assert_eq!(bench.sandbox.s3().keys(BUCKET).len(), 2);
}

#[test]
fn a_second_ctrl_c_ends_at_once_and_clears_the_line_too() {
    let bench = Bench::new();
    bench.write("file", &bytes(4 * PART));
    bench.write("key", &key(1));
    let stalled = bench.sandbox.fault(Fault::on("UploadPart", Kind::StallRequest(1000)).skip(2).always());
    let gate = Gate::new();
    let aborting = bench.sandbox.fault(Fault::on("AbortMultipartUpload", Kind::Pause(gate.clone())).always());
    let mut put = Terminal::start(&bench, 80, "put file s3://bench/k --key key -j 1 --part-size 5MiB");
    assert!(stalled.wait(1, PATIENCE));
    put.wait_for("/20.0 MiB");
    put.press("\x03");
    assert!(aborting.wait(1, PATIENCE));
    put.press("\x03");
    let (code, screen) = put.end();
    assert_eq!(code, 130, "{screen}");
    assert!(!screen.contains(" · "), "{screen}");
    assert!(screen.contains("s3seal cleanup s3://bench/k"), "{screen}");
}
