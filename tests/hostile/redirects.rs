//! A redirect is never followed: whoever may answer could lead a key, or what it opens, anywhere.
//!
//! S3's own redirects say that a bucket is in another region; the message says which, and nothing is sent there.

use s3seal_sandbox::{Fault, Kind, Struck, hostile};

use crate::support::keys::KnownKey;
use crate::support::{BUCKET, Bench};

const STATUSES: [u16; 5] = [301, 302, 303, 307, 308];

/// A bench with a key, a source and an object of each mode that takes a key.
fn bench() -> (Bench, KnownKey) {
    let bench = Bench::hostile();
    let key = KnownKey::new(1);
    bench.write("key", &key.0);
    bench.write("other", &KnownKey::new(2).0);
    bench.write("source", b"text");
    bench.run("put source s3://bench/sealed -e client --key key").ok();
    bench.sandbox.clear_requests();
    (bench, key)
}

fn redirect_all(bench: &Bench, status: u16, to: &str) -> Struck {
    bench.sandbox.fault(Fault::on("*", hostile::redirects(status, to)).always())
}

const LINES: [&str; 4] = [
    "put source s3://bench/new -e client --key key",
    "get s3://bench/sealed copy --key key",
    "inspect s3://bench/sealed --key key",
    "rotate s3://bench/sealed --rewrap -e client --key other --from-key key --yes",
];

#[test]
fn no_verb_follows_a_redirect_to_plain_http() {
    let (bench, key) = bench();
    for status in STATUSES {
        for line in LINES {
            let struck = redirect_all(&bench, status, &bench.sandbox.http_endpoint());
            let ended = bench.run(line).exits(6).writes_nothing();
            ended.says(&["not understood", "redirects are not followed"]);
            assert!(struck.count() > 0, "{line}");
            bench.sandbox.clear_faults();
        }
    }
    assert!(bench.sandbox.requests().iter().all(|request| request.over_tls));
    bench.never_received(&key.0);
    bench.assert_keys(&["sealed"]);
    assert_eq!(bench.names(), ["key", "other", "source"]);
}

#[test]
fn no_verb_follows_a_redirect_to_another_host() {
    let (bench, key) = bench();
    let elsewhere = Bench::hostile();
    for status in STATUSES {
        for line in LINES {
            redirect_all(&bench, status, &elsewhere.sandbox.endpoint());
            // It trusts the other host's certificate too: only that it does not go there protects it.
            let both = [&bench, &elsewhere].map(|bench| std::fs::read(bench.sandbox.ca_file()).unwrap());
            bench.write("ca.pem", &both.concat());
            let line = format!("{line} --ca-bundle ca.pem");
            bench.run(&line).exits(6).writes_nothing();
            bench.sandbox.clear_faults();
        }
    }
    assert!(elsewhere.sandbox.requests().is_empty(), "a redirect was followed");
    bench.never_received(&key.0);
    bench.assert_keys(&["sealed"]);
}

#[test]
fn a_key_for_s3_goes_to_no_host_but_the_one_that_was_asked() {
    let (bench, _) = bench();
    let elsewhere = Bench::hostile();
    for status in STATUSES {
        for to in [bench.sandbox.http_endpoint(), elsewhere.sandbox.endpoint()] {
            redirect_all(&bench, status, &to);
            bench.run("put source s3://bench/new -e sse-c --sse-c-key key").exits(6);
            bench.sandbox.clear_faults();
        }
    }
    assert!(bench.sandbox.requests().iter().all(|request| request.over_tls));
    assert!(elsewhere.sandbox.requests().is_empty(), "a redirect was followed");
}

#[test]
fn a_redirect_that_names_a_region_is_told_with_the_flag_that_names_it() {
    let (bench, _) = bench();
    for status in [301, 307] {
        let kind = Kind::answer(move |asked| {
            let answer = s3seal_sandbox::Answer::new(status).header("x-amz-bucket-region", "eu-west-1");
            let code = if status == 301 { "PermanentRedirect" } else { "TemporaryRedirect" };
            let xml =
                format!("<Error><Code>{code}</Code><Message>Use the specified endpoint.</Message></Error>");
            if asked.method == "HEAD" { answer } else { answer.xml(&xml) }
        });
        bench.sandbox.fault(Fault::on("*", kind).always());
        for line in LINES {
            bench.run(line).exits(1).says(&["is in region eu-west-1", "--region eu-west-1"]);
        }
        bench.sandbox.clear_faults();
    }
    assert_eq!(bench.sandbox.s3().keys(BUCKET), ["sealed"]);
}

#[test]
fn a_key_for_the_client_is_received_by_no_server_that_does_its_work() {
    let (bench, key) = bench();
    for line in LINES {
        bench.run(line).ok();
    }
    bench.never_received(&key.0);
}
