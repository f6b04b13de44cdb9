//! A server that means harm, or is none of S3's: behaviours to choose from, for the tests in `tests/hostile`.
//!
//! It is the sandbox itself with faults that speak, so it is hostile exactly where a test wants it: by operation, from the
//! n-th request on, so many times, for one key or part. To write a test:
//!
//! * Start it with [`Config::hostile`](crate::Config::hostile): it then keeps every byte that it receives
//!   ([`Recorded::received`](crate::Recorded::received)) and serves plain HTTP as well, so that a redirect has somewhere to
//!   lead. In the tests of the program that is `Bench::hostile()`, and `bench.never_received(&key)` searches the
//!   record for a key in every spelling.
//! * Choose what happens: one of the functions here, or a closure.
//!   [`Kind::answer`] answers by itself: nothing reaches S3. [`Kind::tamper`] lets S3 do its work and changes the answer.
//!   Both are given the request. [`Kind::then`] changes what is stored, or lets the server lie
//!   ([`Lie`](crate::s3::Lie)), when the n-th request comes.
//! * Choose when: `Fault::on("GetObject", …)`, `.skip(1)` for "from the second one on", `.only("a/b.instruction")`,
//!   `.always()` for "each time". `"*"` is every operation, KMS's among them (`"kms:Decrypt"`).
//! * Prove that it took place: [`Struck::count`](crate::Struck::count) of what `fault` returns.
//! * How much a client took of a body without end: `bytes_out` in the record.
//!
//! ```no_run
//! # use s3seal_sandbox::{Config, Fault, Kind, Sandbox, hostile};
//! # let sandbox = Sandbox::start(Config::hostile()).unwrap();
//! // HEAD claims SSE-C, each time.
//! sandbox.fault(Fault::on("HeadObject", hostile::says_sse_c()).always());
//! // The second GET brings other bytes.
//! sandbox.fault(Fault::on("GetObject", Kind::tamper(|_, answer| answer.set_body("other"))).skip(1));
//! // From the third object on, the mode that is asked for is ignored.
//! # let sandbox = std::sync::Arc::new(sandbox);
//! let s3 = std::sync::Arc::downgrade(&sandbox);
//! let ignore = Kind::then(move || s3.upgrade().unwrap().s3().lie(s3seal_sandbox::s3::Lie::IgnoreSse));
//! sandbox.fault(Fault::on("PutObject", ignore).skip(2));
//! ```

use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine as _};

use crate::server::{Answer, Kind};

/// The text with which S3 asks for a customer's key.
pub const SSE_C_TEXT: &str = "The object was stored using a form of Server Side Encryption. The correct parameters must be \
                              provided to retrieve the object.";

/// Refuses as S3 refuses an object in SSE-C without its key.
#[must_use]
pub fn claims_sse_c() -> Kind {
    refuses(400, "InvalidRequest", SSE_C_TEXT)
}

/// Refuses with a status alone.
#[must_use]
pub fn refuses_bare(status: u16) -> Kind {
    Kind::answer(move |_| Answer::new(status))
}

/// Refuses in S3's form; to a HEAD, that is the status alone.
#[must_use]
pub fn refuses(status: u16, code: &str, message: &str) -> Kind {
    Kind::status(status, code, message)
}

/// Adds the headers of an object in SSE-C to a true answer.
#[must_use]
pub fn says_sse_c() -> Kind {
    Kind::tamper(|_, answer| {
        answer.set("x-amz-server-side-encryption-customer-algorithm", "AES256");
        answer.set("x-amz-server-side-encryption-customer-key-md5", BASE64_STANDARD.encode([0; 16]));
    })
}

/// Answers 200 with this document instead of doing anything.
#[must_use]
pub fn answers_xml(text: &'static str) -> Kind {
    Kind::answer(move |_| Answer::new(200).xml(text))
}

/// Does what is asked and answers with this document instead of its own.
#[must_use]
pub fn answers_xml_instead(text: &'static str) -> Kind {
    Kind::tamper(move |_, answer| answer.set_body(text))
}

/// Answers 200 with a page for people, as a captive portal or a web server does.
#[must_use]
pub fn answers_a_web_page() -> Kind {
    Kind::answer(|_| {
        let page =
            "<!DOCTYPE html>\n<html><head><title>Welcome</title></head><body><p>Sign in.<br></body></html>";
        Answer::new(200).header("content-type", "text/html").body(page)
    })
}

/// Does what is asked and replaces a header in the answer.
#[must_use]
pub fn replaces_header(name: &'static str, value: &'static str) -> Kind {
    Kind::tamper(move |_, answer| answer.set(name, value))
}

/// Does what is asked and leaves a header out of the answer.
#[must_use]
pub fn drops_header(name: &'static str) -> Kind {
    Kind::tamper(move |_, answer| answer.remove(name))
}

/// Does what is asked and leaves all headers out of the answer that begin so, such as `x-amz-meta-`.
#[must_use]
pub fn drops_headers(prefix: &'static str) -> Kind {
    Kind::tamper(move |_, answer| answer.headers.retain(|(name, _)| !name.starts_with(prefix)))
}

/// Does what is asked, and empties every `<ETag>` and `ETag` of the answer.
#[must_use]
pub fn empties_etag() -> Kind {
    Kind::tamper(|_, answer| {
        if answer.headers.iter().any(|(name, _)| name == "etag") {
            answer.set("etag", "");
        }
        let text = answer.text();
        if let (Some(from), Some(to)) = (text.find("<ETag>"), text.find("</ETag>")) {
            answer.set_body(format!("{}<ETag>{}", &text[..from], &text[to..]));
        }
    })
}

/// Answers with a status and a body in which `beginning` is followed by `pattern` without end.
#[must_use]
pub fn endless(status: u16, beginning: &'static str, pattern: &'static str) -> Kind {
    Kind::answer(move |_| {
        Answer::new(status).header("content-type", "application/xml").endless(beginning, pattern)
    })
}

/// Answers with a status and a body that comes a byte at a time and never ends.
#[must_use]
pub fn dripping(status: u16, pause: Duration) -> Kind {
    Kind::answer(move |_| {
        Answer::new(status).header("content-type", "application/xml").dripping("<Error> </Error>", pause)
    })
}

/// Does what is asked and adds so many headers of so many bytes to the answer.
#[must_use]
pub fn adds_headers(count: usize, len: usize) -> Kind {
    Kind::tamper(move |_, answer| {
        for number in 0..count {
            answer.headers.push((format!("x-amz-meta-filler-{number}"), vec![b'x'; len]));
        }
    })
}

/// Leads every request to the same path elsewhere, as `curl -L` would follow.
#[must_use]
pub fn redirects(status: u16, endpoint: &str) -> Kind {
    let endpoint = endpoint.to_owned();
    Kind::answer(move |asked| {
        let query = if asked.query.is_empty() { String::new() } else { format!("?{}", asked.query) };
        Answer::new(status).header("location", format!("{endpoint}{}{query}", asked.path))
    })
}

/// KMS names another key than the one asked for.
#[must_use]
pub fn kms_names_key(arn: &str) -> Kind {
    let arn = arn.to_owned();
    Kind::tamper(move |_, answer| set_json(answer, "KeyId", &arn))
}

/// KMS hands out a data key that the adversary knows.
#[must_use]
pub fn kms_hands_out(data_key: [u8; 32]) -> Kind {
    Kind::tamper(move |_, answer| set_json(answer, "Plaintext", &BASE64_STANDARD.encode(data_key)))
}

/// Replaces a field of an answer of KMS.
pub fn set_json(answer: &mut Answer, name: &str, value: &str) {
    if let Ok(mut json) = serde_json::from_str::<serde_json::Value>(&answer.text()) {
        json[name] = value.into();
        answer.set_body(json.to_string());
    }
}
