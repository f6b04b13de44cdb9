//! A store that says an object is in SSE-C, or refuses without a reason, to be sent a key: it gets none that is for the
//! client alone, whatever the verb and the kind of key.

use std::fs;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use s3seal_sandbox::{Fault, Kind, Struck, hostile};

use crate::support::keys::KnownKey;
use crate::support::{Bench, CUSTOMER_KEY, at_once};

/// S3's answers to a customer's key that is missing, and those of others.
const NAMED: [(u16, &str, &str); 4] = [
    (400, "InvalidRequest", hostile::SSE_C_TEXT),
    (
        400,
        "InvalidArgument",
        "Requests specifying Server Side Encryption with Customer provided keys must provide the customer key.",
    ),
    (
        400,
        "InvalidArgument",
        "Requests specifying Server Side Encryption with Customer provided keys must provide a valid encryption \
         algorithm.",
    ),
    (
        400,
        "InvalidArgument",
        "Requests specifying Server Side Encryption with Customer provided keys must provide an appropriate secret key.",
    ),
];
/// Answers to a key that does not fit, though none was sent.
const OF_A_WRONG_KEY: [(u16, &str, &str); 2] = [
    (
        403,
        "AccessDenied",
        "Requests specifying Server Side Encryption with Customer provided keys must provide the correct secret key.",
    ),
    (400, "InvalidArgument", "The calculated MD5 hash of the key did not match the hash that was provided."),
];
/// Refusals that do not name SSE-C.
const UNNAMED: [(u16, &str, &str); 5] = [
    (400, "InvalidRequest", ""),
    (400, "SomethingNew", "An odd refusal."),
    (400, "KeyNeeded", "Send the key in a header, in raw, hex or base64."),
    (403, "AccessDenied", "Access Denied"),
    (409, "OperationAborted", ""),
];
const BARE: [u16; 5] = [400, 403, 404, 409, 500];

/// A key for the client, and the flags that seal, open, and rotate away from it.
struct Opener {
    put: &'static str,
    get: &'static str,
    from: &'static str,
    secret: fn() -> Vec<u8>,
}

const OPENERS: [Opener; 3] = [
    Opener { put: "--key key", get: "--key key", from: "--from-key key", secret: || key().0.to_vec() },
    Opener {
        put: "--passphrase=file:words",
        get: "--passphrase=file:words",
        from: "--from-passphrase=file:words",
        secret: || WORDS.to_vec(),
    },
    Opener {
        put: "--public-key public.pem",
        get: "--private-key private.pem",
        from: "--from-private-key private.pem",
        secret: private_exponent,
    },
];

fn key() -> KnownKey {
    KnownKey::new(1)
}

const WORDS: &[u8] = b"correct horse battery staple";

fn pem(name: &str) -> Vec<u8> {
    fs::read(format!("{}/tests/keys/{name}.pem", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// Some of the private key's own bytes, from the second half of its base64: the public key's are in the first.
fn private_exponent() -> Vec<u8> {
    let text = String::from_utf8(pem("rsa_a")).unwrap();
    let body: String = text.lines().filter(|line| !line.starts_with('-')).collect();
    let der = BASE64_STANDARD.decode(body).unwrap();
    der[der.len() / 2..][..32].to_vec()
}

/// A bench with two objects that a key seals.
fn bench(opener: &Opener) -> Bench {
    let bench = Bench::hostile();
    bench.write("key", &key().0);
    bench.write("new", &KnownKey::new(9).0);
    bench.write("words", WORDS);
    bench.write("public.pem", &pem("rsa_a.pub"));
    bench.write("private.pem", &pem("rsa_a"));
    bench.write("source", b"text");
    for name in ["one", "two"] {
        bench.run(&format!("put source s3://bench/p/{name} {}", opener.put)).ok();
    }
    bench.sandbox.clear_requests();
    bench
}

/// What is refused, and how. To a HEAD, a refusal is a status alone, whatever its text.
fn claims() -> Vec<(&'static [&'static str], Kind)> {
    let said = NAMED.iter().chain(&OF_A_WRONG_KEY).chain(&UNNAMED);
    let said = said.map(|(status, code, text)| (&ALL[..], hostile::refuses(*status, code, text)));
    let bare = BARE.into_iter().flat_map(|status| {
        [&ALL[..], &LOOKS[..]].map(|operations| (operations, hostile::refuses_bare(status)))
    });
    said.chain(bare).collect()
}

const LOOKS: [&str; 1] = ["HeadObject"];
const ALL: [&str; 5] = ["HeadObject", "GetObject", "PutObject", "CopyObject", "GetObjectAttributes"];

/// Runs a verb for each kind of key in the face of each claim.
fn brings_out_no_key(line: impl Fn(&Opener) -> String + Sync) {
    at_once(&OPENERS, |opener| {
        let bench = bench(opener);
        let mut struck = 0;
        for (operations, kind) in claims() {
            let faults = operations.iter().map(|operation| Fault::on(operation, kind.clone()).always());
            let set: Vec<_> = faults.map(|fault| bench.sandbox.fault(fault)).collect();
            bench.run(&format!("{} --max-attempts 1", line(opener)));
            struck += set.iter().map(Struck::count).sum::<usize>();
            bench.sandbox.clear_faults();
        }
        assert!(struck >= claims().len() - BARE.len(), "{struck} claims were heard");
        no_key_was_sent(&bench, opener);
    });
}

#[track_caller]
fn no_key_was_sent(bench: &Bench, opener: &Opener) {
    for request in bench.sandbox.requests() {
        assert_eq!(request.header(CUSTOMER_KEY), None, "{}", request.operation);
    }
    bench.never_received(&(opener.secret)());
}

#[test]
fn get_sends_a_client_side_key_to_no_store_that_claims_sse_c() {
    brings_out_no_key(|opener| format!("get s3://bench/p/one copy {}", opener.get));
}

#[test]
fn get_of_many_sends_a_client_side_key_to_no_store_that_claims_sse_c() {
    brings_out_no_key(|opener| format!("get -r s3://bench/p/ folder {}", opener.get));
}

#[test]
fn inspect_sends_a_client_side_key_to_no_store_that_claims_sse_c() {
    brings_out_no_key(|opener| format!("inspect s3://bench/p/one {}", opener.get));
}

#[test]
fn inspect_of_many_sends_a_client_side_key_to_no_store_that_claims_sse_c() {
    brings_out_no_key(|opener| format!("inspect s3://bench/p/ {}", opener.get));
}

#[test]
fn rotate_sends_a_client_side_key_to_no_store_that_claims_sse_c() {
    brings_out_no_key(|opener| format!("rotate s3://bench/p/one --rewrap --key new {} --yes", opener.from));
}

#[test]
fn rotate_of_many_sends_a_client_side_key_to_no_store_that_claims_sse_c() {
    brings_out_no_key(|opener| format!("rotate s3://bench/p/ --rewrap --key new {} --yes", opener.from));
}

#[test]
fn put_sends_a_client_side_key_to_no_store_that_claims_sse_c() {
    brings_out_no_key(|opener| format!("put source s3://bench/p/one {}", opener.put));
}

#[test]
fn a_true_answer_with_the_headers_of_sse_c_brings_out_no_client_side_key() {
    at_once(&OPENERS, |opener| {
        let bench = bench(opener);
        for operation in ALL {
            bench.sandbox.fault(Fault::on(operation, hostile::says_sse_c()).always());
        }
        for line in [
            format!("get s3://bench/p/one copy {}", opener.get),
            format!("get -r s3://bench/p/ folder {}", opener.get),
            format!("inspect s3://bench/p/one {}", opener.get),
            format!("inspect s3://bench/p/ {}", opener.get),
            format!("rotate s3://bench/p/one --rewrap --key new {} --yes", opener.from),
            format!("rotate s3://bench/p/ --rewrap --key new {} --yes", opener.from),
            format!("put source s3://bench/p/one {}", opener.put),
        ] {
            let before = bench.sandbox.requests().len();
            bench.run(&line);
            assert!(bench.sandbox.requests().len() > before, "{line}");
        }
        no_key_was_sent(&bench, opener);
    });
}

#[test]
fn an_sse_c_key_goes_only_where_the_answer_names_sse_c() {
    let bench = Bench::hostile();
    bench.write("key", &key().0);
    bench.write("source", b"text");
    bench.run("put source s3://bench/object --sse-c-key key").ok();
    let named = NAMED.map(|claim| (claim, true));
    let others = OF_A_WRONG_KEY.iter().chain(&UNNAMED).map(|claim| (*claim, false));
    for ((status, code, message), names_it) in named.into_iter().chain(others) {
        bench.sandbox.clear_requests();
        for operation in ["HeadObject", "GetObject"] {
            bench.sandbox.fault(Fault::on(operation, hostile::refuses(status, code, message)));
        }
        bench.run("get s3://bench/object copy --sse-c-key key --max-attempts 1");
        bench.sandbox.clear_faults();
        let sent = bench.sandbox.requests().iter().any(|request| request.header(CUSTOMER_KEY).is_some());
        assert_eq!(sent, names_it, "{status} {code} {message}");
    }
}
