//! A sandbox with one bucket and a client, and what tests of S3's meaning ask of an answer.

#![allow(dead_code, reason = "each test file uses its own part")]

#[path = "../client/mod.rs"]
pub mod client;

use aws_lc_rs::digest;
use base64::prelude::{BASE64_STANDARD, Engine as _};
use client::{Client, Outcome};
use md5::{Digest as _, Md5};
use s3seal_sandbox::{Config, Sandbox};

/// Headers as a request has them.
pub type Headers = Vec<(&'static str, String)>;

pub const SSE: &str = "x-amz-server-side-encryption";
pub const KMS_KEY: &str = "x-amz-server-side-encryption-aws-kms-key-id";
pub const CONTEXT: &str = "x-amz-server-side-encryption-context";
pub const BUCKET_KEY: &str = "x-amz-server-side-encryption-bucket-key-enabled";
pub const CUSTOMER_ALGORITHM: &str = "x-amz-server-side-encryption-customer-algorithm";
pub const CUSTOMER_KEY: &str = "x-amz-server-side-encryption-customer-key";
pub const CUSTOMER_MD5: &str = "x-amz-server-side-encryption-customer-key-md5";
pub const KEY: [u8; 32] = [7; 32];
pub const OTHER: [u8; 32] = [8; 32];

pub struct Bed {
    pub sandbox: Sandbox,
    pub client: Client,
}

impl Bed {
    /// With the bucket `bed` and plain HTTP beside HTTPS.
    pub fn new() -> Self {
        let sandbox = Sandbox::start(Config { http: true, ..Config::with_buckets(["bed"]) });
        let sandbox = sandbox.unwrap();
        let client = Client::new(&sandbox);
        Self { sandbox, client }
    }

    /// A request on a key of the bucket, which may have a query behind it.
    pub fn ask(&self, method: &str, target: &str, headers: &[(&str, String)], body: &[u8]) -> Outcome {
        let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
        self.client.s3(method, &format!("/bed/{target}"), &headers, body)
    }

    pub fn put(&self, key: &str, headers: &[(&str, String)], body: &[u8]) -> Outcome {
        self.ask("PUT", key, headers, body)
    }

    pub fn get(&self, key: &str, headers: &[(&str, String)]) -> Outcome {
        self.ask("GET", key, headers, b"")
    }

    pub fn head(&self, key: &str, headers: &[(&str, String)]) -> Outcome {
        self.ask("HEAD", key, headers, b"")
    }

    /// Begins an upload and returns its id.
    pub fn begin(&self, key: &str, headers: &[(&str, String)]) -> String {
        let outcome = self.ask("POST", &format!("{key}?uploads"), headers, b"");
        assert_eq!(outcome.status, Some(200), "{}", text(&outcome));
        element(&outcome, "UploadId").unwrap()
    }

    pub fn part(&self, key: &str, id: &str, number: i32, headers: &[(&str, String)], body: &[u8]) -> Outcome {
        let target = format!("{key}?partNumber={number}&uploadId={id}");
        self.ask("PUT", &target, headers, body)
    }

    /// Completes an upload of parts: each its number, its tag, and more XML.
    pub fn complete(
        &self,
        key: &str,
        id: &str,
        headers: &[(&str, String)],
        parts: &[(i32, String, String)],
    ) -> Outcome {
        let parts: String = parts
            .iter()
            .map(|(number, etag, more)| {
                format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag>{more}</Part>")
            })
            .collect();
        let xml = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
        self.ask("POST", &format!("{key}?uploadId={id}"), headers, xml.as_bytes())
    }
}

pub fn one(name: &'static str, value: impl Into<String>) -> Headers {
    vec![(name, value.into())]
}

/// The headers of SSE-C.
pub fn customer(key: &[u8; 32]) -> Headers {
    vec![
        (CUSTOMER_ALGORITHM, "AES256".to_owned()),
        (CUSTOMER_KEY, BASE64_STANDARD.encode(key)),
        (CUSTOMER_MD5, md5(key)),
    ]
}

/// The headers of SSE-C for the source of a copy.
pub fn source_customer(key: &[u8; 32]) -> Headers {
    vec![
        ("x-amz-copy-source-server-side-encryption-customer-algorithm", "AES256".to_owned()),
        ("x-amz-copy-source-server-side-encryption-customer-key", BASE64_STANDARD.encode(key)),
        ("x-amz-copy-source-server-side-encryption-customer-key-md5", md5(key)),
    ]
}

pub fn kms(key: &str) -> Headers {
    vec![(SSE, "aws:kms".to_owned()), (KMS_KEY, key.to_owned())]
}

pub fn md5(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(Md5::digest(bytes))
}

pub fn md5_hex(bytes: &[u8]) -> String {
    Md5::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn sha256(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(digest::digest(&digest::SHA256, bytes))
}

pub fn text(outcome: &Outcome) -> String {
    String::from_utf8_lossy(&outcome.body).into_owned()
}

/// The text of the first element of a name.
pub fn element(outcome: &Outcome, name: &str) -> Option<String> {
    let text = text(outcome);
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    let (found, _) = rest.split_once(&format!("</{name}>"))?;
    Some(found.replace("&quot;", "\"").replace("&apos;", "'").replace("&#39;", "'"))
}

/// Asserts an error: status, code and how its message begins and ends.
#[track_caller]
pub fn refused(outcome: &Outcome, status: u16, code: &str, message: &str) {
    let found = element(outcome, "Message").unwrap_or_default();
    let seen = (outcome.status, element(outcome, "Code"), found.as_str());
    assert_eq!(seen, (Some(status), Some(code.to_owned()), message));
    for name in ["Resource", "RequestId", "HostId"] {
        assert!(element(outcome, name).is_some(), "no {name} in {}", text(outcome));
    }
}

#[track_caller]
pub fn done(outcome: &Outcome) -> &Outcome {
    let status = outcome.status.unwrap_or(0);
    assert!((200..300).contains(&status), "{status}: {}", text(outcome));
    outcome
}

/// The tag of an answer, without quotes.
#[track_caller]
pub fn etag(outcome: &Outcome) -> String {
    done(outcome).header("etag").unwrap().trim_matches('"').to_owned()
}
