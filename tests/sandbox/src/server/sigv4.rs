//! Checks AWS Signature Version 4 on requests to KMS and STS.
//!
//! The S3 side has its own check, inside `s3s`; KMS's is simpler (short bodies, always hashed), so it stands here. A client
//! that signs for the wrong region or with the wrong secret must fail here as it would on AWS.

use std::fmt::Write;

use aws_lc_rs::{digest, hmac};
use http::HeaderMap;
use http::request::Parts;
use time::{Duration, OffsetDateTime, PrimitiveDateTime, macros::format_description};

use crate::config::Credentials;
use crate::kms::Failure;

/// How far the clocks may be apart.
const MAX_SKEW: Duration = Duration::minutes(5);

/// Checks the signature over a whole request that arrives now.
pub(super) fn check(
    credentials: &Credentials,
    region: &str,
    service: &str,
    now: OffsetDateTime,
    head: &Parts,
    body: &[u8],
) -> Result<(), Failure> {
    let authorization = header(&head.headers, "authorization").ok_or_else(|| {
        Failure::new("MissingAuthenticationTokenException", "Request is missing Authentication Token")
    })?;
    let signed = Authorization::parse(authorization).ok_or_else(|| {
        Failure::new("IncompleteSignatureException", "Authorization header requires existence of 'Credential', 'SignedHeaders' and 'Signature' parameters.")
    })?;
    if signed.access_key != credentials.access_key {
        return Err(Failure::new(
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
        ));
    }
    let stamp = header(&head.headers, "x-amz-date").unwrap_or_default();
    check_time(stamp, now)?;
    let scope = signed.scope.join("/");
    if signed.scope != [stamp.get(..8).unwrap_or_default(), region, service, "aws4_request"] {
        return Err(wrong("Credential should be scoped to a valid region."));
    }
    let canonical = canonical(head, &signed.headers, body);
    let text = format!("AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{}", sha256(canonical.as_bytes()));
    let mut key = format!("AWS4{}", credentials.secret_key).into_bytes();
    for part in signed.scope {
        key = mac(&key, part);
    }
    if hex(&mac(&key, &text)) == signed.signature {
        return Ok(());
    }
    Err(wrong(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access \
         Key and signing method. Consult the service documentation for details.",
    ))
}

fn wrong(message: &str) -> Failure {
    Failure::new("InvalidSignatureException", message)
}

fn check_time(stamp: &str, now: OffsetDateTime) -> Result<(), Failure> {
    let format = format_description!("[year][month][day]T[hour][minute][second]Z");
    let signed = PrimitiveDateTime::parse(stamp, format)
        .map_err(|_| {
            Failure::new("IncompleteSignatureException", "Date must be in ISO-8601 'basic format'.")
        })?
        .assume_utc();
    if (now - signed).abs() <= MAX_SKEW {
        return Ok(());
    }
    let at = |time: OffsetDateTime| time.format(format).unwrap_or_default();
    Err(wrong(&if signed < now {
        format!(
            "Signature expired: {stamp} is now earlier than {} ({} - 5 min.)",
            at(now - MAX_SKEW),
            at(now)
        )
    } else {
        format!(
            "Signature not yet current: {stamp} is still later than {} ({} + 5 min.)",
            at(now + MAX_SKEW),
            at(now)
        )
    }))
}

struct Authorization<'a> {
    access_key: &'a str,
    /// Date, region, service and `aws4_request`.
    scope: Vec<&'a str>,
    headers: Vec<&'a str>,
    signature: &'a str,
}

impl<'a> Authorization<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let fields = text.strip_prefix("AWS4-HMAC-SHA256 ")?;
        let field =
            |name| fields.split(',').find_map(|field| field.trim().strip_prefix(name)?.strip_prefix('='));
        let (access_key, scope) = field("Credential")?.split_once('/')?;
        Some(Self {
            access_key,
            scope: scope.split('/').collect(),
            headers: field("SignedHeaders")?.split(';').collect(),
            signature: field("Signature")?,
        })
    }
}

/// The canonical request; KMS and STS have no path and no query.
fn canonical(head: &Parts, signed: &[&str], body: &[u8]) -> String {
    let line = |name: &&str| {
        let value: Vec<&str> = header(&head.headers, name).unwrap_or_default().split_whitespace().collect();
        format!("{name}:{}", value.join(" "))
    };
    [
        head.method.as_str(),
        head.uri.path(),
        head.uri.query().unwrap_or_default(),
        &signed.iter().map(line).collect::<Vec<_>>().join(
            "
",
        ),
        "",
        &signed.join(";"),
        &sha256(body),
    ]
    .join(
        "
",
    )
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn sha256(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
