//! What a request asks for in encryption, what an object has, and what an answer says of it.
//!
//! The rules of the headers stand here once, for put, copy, multipart and read alike.
//!
//! What does not belong here: keys and KMS (see `unlock`).

use std::collections::BTreeMap;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use http::HeaderMap;
use md5::{Digest as _, Md5};
use s3s::S3Result;

use super::{Scheme, error};

/// The encryption context of KMS.
pub type Context = BTreeMap<String, String>;

pub const SSE: &str = "x-amz-server-side-encryption";
pub const KMS_KEY: &str = "x-amz-server-side-encryption-aws-kms-key-id";
pub const KMS_CONTEXT: &str = "x-amz-server-side-encryption-context";
pub const BUCKET_KEY: &str = "x-amz-server-side-encryption-bucket-key-enabled";
const CUSTOMER: &str = "x-amz-server-side-encryption-customer";
const SOURCE_CUSTOMER: &str = "x-amz-copy-source-server-side-encryption-customer";

/// How an object is encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SseView {
    /// Not at all: an object from before 2023.
    None,
    /// Under S3's own key.
    SseS3,
    /// Under a key of KMS.
    SseKms {
        /// The key.
        key_arn: String,
        /// Whether a key of the bucket stands between.
        bucket_key: bool,
        /// The context as the request gave it, without what S3 adds.
        context: Context,
    },
    /// Twice, under a key of KMS and S3's own.
    DsseKms {
        /// The key.
        key_arn: String,
        /// The context as the request gave it, without what S3 adds.
        context: Context,
    },
    /// Under the customer's key.
    SseC {
        /// MD5 of the key, in base64.
        key_md5: String,
    },
}

/// The encryption a bucket gives to what asks for none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DefaultEncryption {
    /// `AES256`
    SseS3,
    /// `aws:kms`
    SseKms {
        /// Id, ARN or alias; `None` is `aws/s3`.
        key: Option<String>,
        /// Whether to use a bucket key.
        bucket_key: bool,
    },
    /// `aws:kms:dsse`
    DsseKms {
        /// Id, ARN or alias; `None` is `aws/s3`.
        key: Option<String>,
    },
}

/// A customer's key, as long as one request.
#[derive(Clone)]
pub struct CustomerKey {
    /// The key.
    pub key: [u8; 32],
    /// Its MD5, in base64.
    pub md5: String,
}

/// What a request asks an object to be encrypted with.
#[derive(Clone)]
pub enum Asked {
    /// `AES256`
    SseS3,
    /// `aws:kms`
    SseKms {
        /// Id, ARN or alias.
        key: Option<String>,
        /// As given.
        context: Context,
        /// As given; absent, the bucket's default counts.
        bucket_key: Option<bool>,
    },
    /// `aws:kms:dsse`
    DsseKms {
        /// Id, ARN or alias.
        key: Option<String>,
        /// As given.
        context: Context,
    },
    /// A customer's key.
    SseC(CustomerKey),
}

/// A header as text, if it is there and is text.
pub fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Reads what a write asks for; `None` leaves it to the bucket.
pub fn asked(headers: &HeaderMap, scheme: Scheme) -> S3Result<Option<Asked>> {
    let customer = customer_key(headers, scheme)?;
    let Some(mode) = header(headers, SSE) else {
        if header(headers, KMS_KEY).is_some() || header(headers, KMS_CONTEXT).is_some() {
            return Err(needs_kms());
        }
        return Ok(customer.map(Asked::SseC));
    };
    let key = header(headers, KMS_KEY).map(str::to_owned);
    let context = || header(headers, KMS_CONTEXT).map_or(Ok(Context::new()), context);
    match mode {
        "AES256" if key.is_some() || header(headers, KMS_CONTEXT).is_some() => Err(needs_kms()),
        "AES256" => Ok(Some(Asked::SseS3)),
        "aws:kms" => {
            let (context, bucket_key) = (context()?, bucket_key(headers));
            Ok(Some(Asked::SseKms { key, context, bucket_key }))
        }
        "aws:kms:dsse" => {
            let context = context()?;
            Ok(Some(Asked::DsseKms { key, context }))
        }
        _ => Err(error::invalid_argument("The encryption method specified is not supported")),
    }
}

/// Reads the customer's key of a request, if it gives one.
pub fn customer_key(headers: &HeaderMap, scheme: Scheme) -> S3Result<Option<CustomerKey>> {
    if let (true, Some(_)) = (any(headers, CUSTOMER), headers.get(SSE)) {
        return Err(error::invalid_argument(
            "Server Side Encryption with Customer provided key is incompatible with the encryption method specified",
        ));
    }
    read_customer_key(headers, CUSTOMER, scheme)
}

/// Reads the customer's key of a copy's source, if the request gives one.
pub fn source_key(headers: &HeaderMap, scheme: Scheme) -> S3Result<Option<CustomerKey>> {
    read_customer_key(headers, SOURCE_CUSTOMER, scheme)
}

/// Refuses the headers of other modes where S3 does not want them: on reads and parts.
pub fn none_here(headers: &HeaderMap) -> S3Result<()> {
    match [SSE, KMS_KEY, KMS_CONTEXT].into_iter().find(|name| headers.contains_key(*name)) {
        Some(name) => {
            Err(error::invalid_argument(format!("{name} header is not supported for this operation.")))
        }
        None => Ok(()),
    }
}

fn needs_kms() -> s3s::S3Error {
    error::invalid_argument(
        "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms",
    )
}

fn bucket_key(headers: &HeaderMap) -> Option<bool> {
    header(headers, BUCKET_KEY).map(|value| value.eq_ignore_ascii_case("true"))
}

fn context(header: &str) -> S3Result<Context> {
    let bytes = BASE64_STANDARD.decode(header).ok();
    bytes
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .ok_or_else(|| {
            error::invalid_argument(
                "The header 'x-amz-server-side-encryption-context' shall be Base64-encoded UTF-8 string holding JSON \
                 which represents a string-string map",
            )
        })
}

fn any(headers: &HeaderMap, prefix: &str) -> bool {
    headers.keys().any(|name| name.as_str().starts_with(prefix))
}

fn read_customer_key(headers: &HeaderMap, prefix: &str, scheme: Scheme) -> S3Result<Option<CustomerKey>> {
    if !any(headers, prefix) {
        return Ok(None);
    }
    let field = |name| header(headers, &format!("{prefix}-{name}"));
    let must = |text: &str| {
        error::invalid_argument(format!(
            "Requests specifying Server Side Encryption with Customer provided keys must provide {text}"
        ))
    };
    if scheme == Scheme::Http {
        return Err(error::invalid_request(
            "Requests specifying Server Side Encryption with Customer provided keys must be made over a secure \
             connection.",
        ));
    }
    let algorithm = field("algorithm").ok_or_else(|| must("a valid encryption algorithm."))?;
    let encoded = field("key").ok_or_else(|| must("an appropriate secret key."))?;
    if algorithm != "AES256" {
        return Err(error::invalid_encryption_algorithm());
    }
    let key: [u8; 32] =
        BASE64_STANDARD.decode(encoded).ok().and_then(|key| key.try_into().ok()).ok_or_else(|| {
            error::invalid_argument("The secret key was invalid for the specified algorithm.")
        })?;
    let given = field("key-md5").ok_or_else(|| must("the client calculated MD5 of the secret key."))?;
    let md5 = BASE64_STANDARD.encode(Md5::digest(key));
    if given != md5 {
        return Err(error::invalid_argument(
            "The calculated MD5 hash of the key did not match the hash that was provided.",
        ));
    }
    Ok(Some(CustomerKey { key, md5 }))
}

/// What an answer says of an object's encryption: the fields of all outputs that have them.
#[derive(Debug, Clone, Default)]
pub struct Echo {
    pub mode: Option<&'static str>,
    pub key_arn: Option<String>,
    pub bucket_key: Option<bool>,
    pub customer_algorithm: Option<String>,
    pub customer_key_md5: Option<String>,
}

impl From<&SseView> for Echo {
    fn from(sse: &SseView) -> Self {
        let kms = |mode, key_arn: &String| Self {
            mode: Some(mode),
            key_arn: Some(key_arn.clone()),
            ..Self::default()
        };
        match sse {
            SseView::None => Self::default(),
            SseView::SseS3 => Self { mode: Some("AES256"), ..Self::default() },
            SseView::SseKms { key_arn, bucket_key, .. } => {
                Self { bucket_key: bucket_key.then_some(true), ..kms("aws:kms", key_arn) }
            }
            SseView::DsseKms { key_arn, .. } => kms("aws:kms:dsse", key_arn),
            SseView::SseC { key_md5 } => Self {
                customer_algorithm: Some("AES256".to_owned()),
                customer_key_md5: Some(key_md5.clone()),
                ..Self::default()
            },
        }
    }
}
