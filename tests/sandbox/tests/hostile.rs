//! A hostile server does what it is told to, and remembers every byte that it is sent.

mod client;

use client::{Client, PATIENCE};
use s3seal_sandbox::{Config, Fault, Kind, Sandbox, hostile};

fn start() -> (Sandbox, Client) {
    let sandbox = Sandbox::start(Config::hostile()).unwrap();
    let client = Client::new(&sandbox);
    (sandbox, client)
}

fn holds(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

#[test]
fn every_byte_of_line_headers_and_body_is_kept() {
    let (sandbox, client) = start();
    sandbox.fault(Fault::on("PutObject", hostile::refuses_bare(418)).skip(1));
    for _ in 0..2 {
        client.s3(
            "PUT",
            "/bench/in-the-path?x=in-the-query",
            &[("x-odd", "in-a-header")],
            b"\xff\0in the body",
        );
    }
    let requests = sandbox.requests();
    assert_eq!(requests.iter().map(|request| request.status).collect::<Vec<_>>(), [Some(200), Some(418)]);
    for request in requests {
        for part in [&b"in-the-path"[..], b"in-the-query", b"in-a-header", b"\xff\0in the body"] {
            assert!(holds(&request.received, part), "{}", String::from_utf8_lossy(part));
        }
    }
}

#[test]
fn an_answer_of_its_own_leaves_nothing_done() {
    let (sandbox, client) = start();
    let struck = sandbox.fault(Fault::on("PutObject", hostile::answers_a_web_page()));
    let outcome = client.s3("PUT", "/bench/k", &[], b"x");
    assert_eq!((outcome.status, outcome.header("content-type")), (Some(200), Some("text/html")));
    assert!(outcome.body.starts_with(b"<!DOCTYPE html>"));
    assert_eq!(struck.count(), 1);
    assert_eq!(sandbox.s3().keys("bench"), [""; 0]);
}

#[test]
fn an_answer_that_is_tampered_with_is_otherwise_the_true_one() {
    let (sandbox, client) = start();
    sandbox.s3().put_plain("bench", "k", b"true bytes");
    sandbox.fault(Fault::on("HeadObject", hostile::says_sse_c()));
    sandbox.fault(Fault::on("GetObject", Kind::tamper(|_, answer| answer.set_body("other"))).skip(1));
    let head = client.s3("HEAD", "/bench/k", &[], b"");
    assert_eq!(head.header("content-length"), Some("10"));
    assert_eq!(head.header("x-amz-server-side-encryption-customer-algorithm"), Some("AES256"));
    assert_eq!(client.s3("GET", "/bench/k", &[], b"").body, b"true bytes");
    let other = client.s3("GET", "/bench/k", &[], b"");
    assert_eq!((other.header("content-length"), &other.body[..]), (Some("5"), &b"other"[..]));
}

#[test]
fn empty_etags_are_empty_in_headers_and_documents() {
    let (sandbox, client) = start();
    sandbox.fault(Fault::on("*", hostile::empties_etag()).always());
    assert_eq!(client.s3("PUT", "/bench/k", &[], b"x").header("etag"), Some(""));
    let listed = client.s3("GET", "/bench?list-type=2", &[], b"");
    assert!(holds(&listed.body, b"<ETag></ETag>"), "{}", String::from_utf8_lossy(&listed.body));
}

#[test]
fn a_body_without_end_is_counted_and_ends_with_the_client() {
    let (sandbox, client) = start();
    sandbox.fault(Fault::on("GetObject", hostile::endless(200, "<Error>", "<More/>")));
    let reader = std::thread::spawn({
        let client = client.clone();
        // It reads until the sandbox is gone.
        move || client.s3("GET", "/bench/k", &[], b"").body
    });
    assert!(sandbox.wait_for_answer("GetObject", 1, PATIENCE));
    let began = std::time::Instant::now();
    while sandbox.requests()[0].bytes_out < 1024 * 1024 {
        assert!(began.elapsed() < PATIENCE, "it stopped by itself");
        std::thread::yield_now();
    }
    drop(sandbox);
    let body = reader.join().unwrap();
    assert!(holds(&body[..200], b"<Error><More/><More/>") || holds(&body[..200], b"<Error>"));
}

#[test]
fn a_redirect_leads_to_the_same_path_elsewhere() {
    let (sandbox, client) = start();
    let http = sandbox.http_endpoint();
    sandbox.fault(Fault::on("*", hostile::redirects(307, &http)));
    let outcome = client.s3("GET", "/bench?list-type=2", &[], b"");
    assert_eq!(outcome.status, Some(307));
    assert_eq!(outcome.header("location"), Some(format!("{http}/bench?list-type=2").as_str()));
}

#[test]
fn kms_answers_with_another_key_or_a_data_key_that_is_known() {
    let (sandbox, client) = start();
    let key = sandbox.kms().create_key();
    sandbox.fault(Fault::on("kms:GenerateDataKey", hostile::kms_names_key("arn:aws:kms:x:1:key/other")));
    sandbox.fault(Fault::on("kms:GenerateDataKey", hostile::kms_hands_out([7; 32])));
    let request = serde_json::json!({ "KeyId": key.0, "KeySpec": "AES_256" });
    let (status, answer) = client.kms("GenerateDataKey", &request);
    assert_eq!((status, &answer["KeyId"]), (200, &"arn:aws:kms:x:1:key/other".into()));
    assert_eq!(answer["Plaintext"], "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=");
}
