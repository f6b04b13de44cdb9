//! Every kind of fault does what it says, where it says, and no more often than it says.

mod client;

use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;

use client::{Client, Outcome, PATIENCE};
use s3seal_sandbox::{Config, Fault, Gate, Kind, Sandbox};

/// Larger than all buffers between server and client together, so that a cut is a cut.
const LARGE: usize = 16 * 1024 * 1024;

fn start() -> (Sandbox, Client) {
    let sandbox = Sandbox::start(Config::with_buckets(["bucket"])).unwrap();
    let client = Client::new(&sandbox);
    (sandbox, client)
}

fn put(client: &Client, body: &[u8]) -> Outcome {
    client.s3("PUT", "/bucket/k", &[], body)
}

fn get(client: &Client) -> Outcome {
    client.s3("GET", "/bucket/k", &[], b"")
}

fn ok(outcome: &Outcome) -> bool {
    outcome.status == Some(200) && outcome.error.is_none()
}

/// Bytes that differ from their neighbours and do not repeat with any power of two.
fn pattern(len: usize) -> Vec<u8> {
    let unit: Vec<u8> = (0..=250).rev().collect();
    let mut bytes = unit.repeat(len / unit.len() + 1);
    bytes.truncate(len);
    bytes
}

#[test]
fn an_error_answer_has_status_code_message_and_retry_after() {
    let (sandbox, client) = start();
    let kind = Kind::Status {
        code: 503,
        s3_code: "SlowDown".to_owned(),
        message: "Please reduce your request rate.".to_owned(),
        retry_after: Some(3),
    };
    let struck = sandbox.fault(Fault::on("PutObject", kind));
    let refused = put(&client, b"text");
    assert_eq!(refused.status, Some(503));
    assert_eq!(refused.header("retry-after"), Some("3"));
    let body = String::from_utf8(refused.body).unwrap();
    assert!(
        body.contains("<Code>SlowDown</Code><Message>Please reduce your request rate.</Message>"),
        "{body}"
    );
    assert_eq!(struck.count(), 1);
    assert_eq!(get(&client).status, Some(404), "nothing was done");
    assert!(ok(&put(&client, b"text")), "it strikes once");
}

#[test]
fn faults_wait_for_their_turn_and_their_request() {
    let (sandbox, client) = start();
    let fault = Fault::on("PutObject", Kind::internal_error()).skip(1).times(2);
    sandbox.fault(fault);
    sandbox.fault(Fault::on("*", Kind::slow_down()).only("/bucket/other"));
    let statuses: Vec<_> = (0..4).map(|_| put(&client, b"x").status.unwrap()).collect();
    assert_eq!(statuses, [200, 500, 500, 200]);
    assert_eq!(client.s3("GET", "/bucket/other", &[], b"").status, Some(503));
}

#[test]
fn faults_can_be_taken_back() {
    let (sandbox, client) = start();
    sandbox.fault(Fault::on("*", Kind::internal_error()).times(100));
    sandbox.clear_faults();
    assert!(ok(&put(&client, b"x")));
}

#[test]
fn a_reset_before_leaves_nothing_done() {
    let (sandbox, client) = start();
    let struck = sandbox.fault(Fault::on("PutObject", Kind::ResetBefore));
    let outcome = put(&client, &pattern(LARGE));
    assert_eq!(outcome.status, None);
    assert!(
        matches!(outcome.error, Some(ErrorKind::ConnectionReset | ErrorKind::BrokenPipe)),
        "{:?}",
        outcome.error
    );
    assert_eq!(struck.count(), 1);
    let request = &sandbox.requests()[0];
    assert_eq!((request.status, request.bytes_in), (None, 0));
    assert_eq!(get(&client).status, Some(404));
}

#[test]
fn a_reset_after_some_bytes_is_a_reset() {
    let (sandbox, client) = start();
    assert!(ok(&put(&client, &pattern(LARGE))));
    sandbox.fault(Fault::on("GetObject", Kind::ResetAfter(100_000)));
    let outcome = get(&client);
    assert_eq!(outcome.status, Some(200));
    assert_eq!(outcome.error, Some(ErrorKind::ConnectionReset));
    assert!(outcome.body.len() <= 100_000, "{}", outcome.body.len());
    assert_eq!(sandbox.requests()[1].bytes_out, 100_000);
    assert_eq!(get(&client).body, pattern(LARGE));
}

#[test]
fn a_cut_answer_ends_in_order_but_short() {
    let (sandbox, client) = start();
    assert!(ok(&put(&client, &pattern(LARGE))));
    for cut in [0, 1, 1_000_000] {
        sandbox.fault(Fault::on("GetObject", Kind::CutResponse(cut)));
        let outcome = get(&client);
        assert_eq!((outcome.status, outcome.error), (Some(200), None));
        assert_eq!(outcome.body.len() as u64, cut);
        assert_eq!(outcome.header("content-length").unwrap(), LARGE.to_string());
    }
}

#[test]
fn one_byte_of_an_answer_is_flipped() {
    let (sandbox, client) = start();
    assert!(ok(&put(&client, &pattern(LARGE))));
    for place in [0, 12_345_678, LARGE - 1] {
        let struck = sandbox.fault(Fault::on("GetObject", Kind::FlipResponseByte(place as u64)));
        let mut expected = pattern(LARGE);
        expected[place] ^= 1;
        assert!(get(&client).body == expected, "byte {place}");
        assert_eq!(struck.count(), 1);
    }
}

#[test]
fn a_dropped_answer_is_done_all_the_same() {
    let (sandbox, client) = start();
    sandbox.fault(Fault::on("PutObject", Kind::DropAnswer));
    let outcome = put(&client, b"done");
    assert_eq!((outcome.status, outcome.error), (None, Some(ErrorKind::ConnectionReset)));
    assert_eq!(get(&client).body, b"done");
}

/// Starts a request that stalls, lets others pass it by, ends the sandbox, and returns what the stalled client saw, with
/// how much of its body was read.
fn stalled(kind: Kind, operation: &str, request: fn(&Client) -> Outcome) -> (Outcome, u64) {
    let (sandbox, client) = start();
    assert!(ok(&put(&client, &pattern(LARGE))));
    let struck = sandbox.fault(Fault::on(operation, kind));
    let waiting = thread::spawn({
        let client = client.clone();
        move || request(&client)
    });
    assert!(struck.wait(1, PATIENCE));
    let read = sandbox.requests()[1].bytes_in;
    assert!(ok(&put(&client, &pattern(LARGE))));
    assert!(get(&client).body == pattern(LARGE));
    assert!(!waiting.is_finished());
    assert_eq!(sandbox.requests()[1].bytes_in, read);
    drop(sandbox);
    (waiting.join().unwrap(), read)
}

#[test]
fn a_stall_before_the_answer_lasts_as_long_as_the_sandbox() {
    let (outcome, _) = stalled(Kind::StallBeforeResponse, "GetObject", get);
    assert_eq!(outcome.status, None);
    assert!(outcome.error.is_some());
}

#[test]
fn a_stall_within_the_answer_lasts_as_long_as_the_sandbox() {
    let (outcome, _) = stalled(Kind::StallResponse(70_000), "GetObject", get);
    assert_eq!(outcome.status, Some(200));
    assert_eq!(outcome.body, pattern(70_000));
}

#[test]
fn a_stall_within_the_request_reads_no_more() {
    let (outcome, read) =
        stalled(Kind::StallRequest(50_000), "PutObject", |client| put(client, &pattern(LARGE)));
    assert_eq!(outcome.status, None);
    assert!((50_000..LARGE as u64).contains(&read), "{read}");
}

#[test]
fn a_hook_runs_before_the_operation_or_before_its_answer() {
    let (sandbox, client) = start();
    assert!(ok(&put(&client, b"old")));
    let seen = Arc::new(AtomicUsize::new(0));
    let hook = {
        let (seen, client) = (seen.clone(), client.clone());
        move || {
            assert!(ok(&put(&client, b"new")));
            seen.fetch_add(1, SeqCst);
        }
    };
    sandbox.fault(Fault::on("GetObject", Kind::then(hook.clone())));
    assert_eq!(get(&client).body, b"new");

    assert!(ok(&put(&client, b"old")));
    sandbox.fault(Fault::on("GetObject", Kind::ThenAnswer(Arc::new(hook))));
    assert_eq!(get(&client).body, b"old");
    assert_eq!(get(&client).body, b"new");
    assert_eq!(seen.load(SeqCst), 2);
}

#[test]
fn a_gate_holds_a_request_until_it_is_opened() {
    let (sandbox, client) = start();
    for (kind, done) in [(Kind::Pause as fn(Gate) -> Kind, false), (Kind::PauseAnswer, true)] {
        assert!(ok(&put(&client, b"old")));
        let gate = Gate::new();
        let struck = sandbox.fault(Fault::on("PutObject", kind(gate.clone())));
        let held = thread::spawn({
            let client = client.clone();
            move || put(&client, b"new")
        });
        assert!(struck.wait(1, PATIENCE));
        assert_eq!(get(&client).body, if done { b"new" } else { b"old" });
        gate.open();
        assert!(ok(&held.join().unwrap()));
        assert_eq!(get(&client).body, b"new");
    }
}

#[test]
fn faults_reach_kms() {
    let (sandbox, client) = start();
    sandbox.fault(Fault::on("kms:CreateKey", Kind::status(400, "ThrottlingException", "Rate exceeded")));
    let (status, json) = client.kms("CreateKey", &serde_json::json!({}));
    assert_eq!(status, 400);
    assert_eq!(json, serde_json::json!({ "__type": "ThrottlingException", "message": "Rate exceeded" }));
    assert_eq!(client.kms("CreateKey", &serde_json::json!({})).0, 200);
}

#[test]
fn faults_work_without_tls_too() {
    let sandbox = Sandbox::start(Config { http: true, ..Config::with_buckets(["bucket"]) }).unwrap();
    let client = Client::plain(&sandbox);
    assert!(ok(&put(&client, &pattern(LARGE))));
    sandbox.fault(Fault::on("GetObject", Kind::CutResponse(10)));
    assert_eq!(get(&client).body, pattern(10));
    sandbox.fault(Fault::on("GetObject", Kind::ResetAfter(10)));
    assert_eq!(get(&client).error, Some(ErrorKind::ConnectionReset));
}
