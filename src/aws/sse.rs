//! Server-side encryption in requests and answers: a mode as request fields, an answer as the applied mode, and whether
//! both match.
//!
//! The only file that names an SSE setter, so that a mode is either right on every request or on none.
//! Source: "Protecting data with server-side encryption", Amazon S3 user guide.

use std::fmt;

use aws_sdk_s3::operation::complete_multipart_upload::CompleteMultipartUploadOutput;
use aws_sdk_s3::operation::complete_multipart_upload::builders::CompleteMultipartUploadFluentBuilder;
use aws_sdk_s3::operation::copy_object::CopyObjectOutput;
use aws_sdk_s3::operation::copy_object::builders::CopyObjectFluentBuilder;
use aws_sdk_s3::operation::create_multipart_upload::CreateMultipartUploadOutput;
use aws_sdk_s3::operation::create_multipart_upload::builders::CreateMultipartUploadFluentBuilder;
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::operation::get_object::builders::GetObjectFluentBuilder;
use aws_sdk_s3::operation::get_object_attributes::builders::GetObjectAttributesFluentBuilder;
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::operation::head_object::builders::HeadObjectFluentBuilder;
use aws_sdk_s3::operation::list_parts::builders::ListPartsFluentBuilder;
use aws_sdk_s3::operation::put_object::PutObjectOutput;
use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::operation::upload_part::UploadPartOutput;
use aws_sdk_s3::operation::upload_part::builders::UploadPartFluentBuilder;
use aws_sdk_s3::operation::upload_part_copy::UploadPartCopyOutput;
use aws_sdk_s3::operation::upload_part_copy::builders::UploadPartCopyFluentBuilder;
use aws_sdk_s3::types::{ObjectEncryption, ServerSideEncryption, SsekmsEncryption};
use base64::prelude::{BASE64_STANDARD, Engine};

use crate::encryption::{Context, KmsKey, Mode, ServerSide};
use crate::keys::CustomerKey;
use crate::rules::Encrypted;

/// The one algorithm of SSE-C.
const CUSTOMER_ALGORITHM: &str = "AES256";

/// Request headers that carry a customer key: they must never go over http.
pub(super) const KEY_HEADERS: [&str; 2] =
    ["x-amz-server-side-encryption-customer-key", "x-amz-copy-source-server-side-encryption-customer-key"];

/// The answer's header with the customer key's MD5.
pub(super) const KEY_MD5_HEADER: &str = "x-amz-server-side-encryption-customer-key-md5";

/// Makes functions that set the fields of a mode on a request that creates something.
macro_rules! creating {
    ($($name:ident: $builder:ty;)*) => {$(
        /// Sets the mode; `None` leaves it to the bucket's default.
        pub(super) fn $name(request: $builder, sse: Option<&ServerSide>) -> $builder {
            match sse {
                None => request,
                Some(ServerSide::SseS3) => request.server_side_encryption(ServerSideEncryption::Aes256),
                Some(ServerSide::SseKms { key, context, bucket_key }) => request
                    .server_side_encryption(ServerSideEncryption::AwsKms)
                    .set_ssekms_key_id(key.as_ref().map(KmsKey::to_string))
                    .set_ssekms_encryption_context(context_header(context))
                    .set_bucket_key_enabled(bucket_key.then_some(true)),
                Some(ServerSide::DsseKms { key, context }) => request
                    .server_side_encryption(ServerSideEncryption::AwsKmsDsse)
                    .set_ssekms_key_id(key.as_ref().map(KmsKey::to_string))
                    .set_ssekms_encryption_context(context_header(context)),
                Some(ServerSide::SseC(key)) => request
                    .sse_customer_algorithm(CUSTOMER_ALGORITHM)
                    .sse_customer_key(key.base64())
                    .sse_customer_key_md5(key.md5()),
            }
        }
    )*};
}

creating! {
    put: PutObjectFluentBuilder;
    create: CreateMultipartUploadFluentBuilder;
    copy: CopyObjectFluentBuilder;
}

/// Makes functions that set the customer key on a request about something that exists.
macro_rules! touching {
    ($($name:ident: $builder:ty;)*) => {$(
        /// Sets the customer key; the other modes have no fields here.
        pub(super) fn $name(request: $builder, key: Option<&CustomerKey>) -> $builder {
            match key {
                None => request,
                Some(key) => request
                    .sse_customer_algorithm(CUSTOMER_ALGORITHM)
                    .sse_customer_key(key.base64())
                    .sse_customer_key_md5(key.md5()),
            }
        }
    )*};
}

touching! {
    part: UploadPartFluentBuilder;
    parts: ListPartsFluentBuilder;
    part_copy: UploadPartCopyFluentBuilder;
    complete: CompleteMultipartUploadFluentBuilder;
    head: HeadObjectFluentBuilder;
    get: GetObjectFluentBuilder;
    attributes: GetObjectAttributesFluentBuilder;
}

/// Makes functions that set the source's customer key on a copy request.
macro_rules! copying {
    ($($name:ident: $builder:ty;)*) => {$(
        /// Sets the key that decrypts the source; S3 decrypts the other modes without one.
        pub(super) fn $name(request: $builder, key: Option<&CustomerKey>) -> $builder {
            match key {
                None => request,
                Some(key) => request
                    .copy_source_sse_customer_algorithm(CUSTOMER_ALGORITHM)
                    .copy_source_sse_customer_key(key.base64())
                    .copy_source_sse_customer_key_md5(key.md5()),
            }
        }
    )*};
}

copying! {
    copy_source: CopyObjectFluentBuilder;
    part_copy_source: UploadPartCopyFluentBuilder;
}

/// The argument of `UpdateObjectEncryption`, which supports SSE-KMS only.
pub(super) fn updated(key_arn: &str, bucket_key: bool) -> Option<ObjectEncryption> {
    let kms = SsekmsEncryption::builder().kms_key_arn(key_arn).bucket_key_enabled(bucket_key).build();
    kms.ok().map(ObjectEncryption::Ssekms)
}

/// The customer key of a mode, if it is SSE-C.
pub(super) fn customer_key(sse: Option<&ServerSide>) -> Option<&CustomerKey> {
    match sse {
        Some(ServerSide::SseC(key)) => Some(key),
        _ => None,
    }
}

fn context_header(context: &Context) -> Option<String> {
    if context.is_empty() {
        return None;
    }
    serde_json::to_string(context.pairs()).ok().map(|json| BASE64_STANDARD.encode(json))
}

/// What an answer says about server-side encryption.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Applied {
    /// The mode.
    pub(crate) mode: AppliedMode,
    /// The KMS key, as S3 names it.
    pub(crate) kms_key: Option<String>,
    /// Whether a bucket key is used.
    pub(crate) bucket_key: bool,
    /// The customer key's MD5: its fingerprint in S3.
    pub(crate) customer_key_md5: Option<String>,
}

/// The mode in an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum AppliedMode {
    /// A mode that s3seal knows.
    Known(Mode),
    /// The answer names none: the object is not encrypted (before 2023), or the server does not report it.
    #[default]
    NotSaid,
    /// Another mode, in the server's words.
    Other(String),
}

impl fmt::Display for AppliedMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(mode) => f.write_str(mode.title()),
            Self::NotSaid => f.write_str("no encryption"),
            Self::Other(word) => f.write_str(word),
        }
    }
}

impl fmt::Display for Applied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.mode)?;
        match (&self.kms_key, &self.customer_key_md5) {
            (Some(key), _) => write!(f, " with key {key}"),
            (None, Some(md5)) => write!(f, " with key MD5 {md5}"),
            (None, None) => Ok(()),
        }
    }
}

macro_rules! answers {
    ($($answer:ty),*) => {$(
        impl From<&$answer> for Applied {
            fn from(answer: &$answer) -> Self {
                Self::read(
                    answer.server_side_encryption(),
                    answer.ssekms_key_id(),
                    answer.bucket_key_enabled(),
                    answer.sse_customer_key_md5(),
                )
            }
        }
    )*};
}

answers!(
    PutObjectOutput,
    CreateMultipartUploadOutput,
    UploadPartOutput,
    UploadPartCopyOutput,
    CopyObjectOutput,
    GetObjectOutput,
    HeadObjectOutput
);

impl From<&CompleteMultipartUploadOutput> for Applied {
    /// The answer to CompleteMultipartUpload does not report SSE-C.
    fn from(answer: &CompleteMultipartUploadOutput) -> Self {
        Self::read(answer.server_side_encryption(), answer.ssekms_key_id(), answer.bucket_key_enabled(), None)
    }
}

impl Applied {
    fn read(
        sse: Option<&ServerSideEncryption>,
        kms_key: Option<&str>,
        bucket_key: Option<bool>,
        customer_key_md5: Option<&str>,
    ) -> Self {
        let mode = match (sse, customer_key_md5) {
            (Some(ServerSideEncryption::Aes256), _) => AppliedMode::Known(Mode::SseS3),
            (Some(ServerSideEncryption::AwsKms), _) => AppliedMode::Known(Mode::SseKms),
            (Some(ServerSideEncryption::AwsKmsDsse), _) => AppliedMode::Known(Mode::DsseKms),
            (Some(other), _) => AppliedMode::Other(other.as_str().to_owned()),
            (None, Some(_)) => AppliedMode::Known(Mode::SseC),
            (None, None) => AppliedMode::NotSaid,
        };
        Self {
            mode,
            kms_key: kms_key.map(str::to_owned),
            bucket_key: bucket_key.unwrap_or(false),
            customer_key_md5: customer_key_md5.map(str::to_owned),
        }
    }

    /// Merges a later answer into this one; fields that it does not have keep their value.
    pub(crate) fn then(&self, later: &Self) -> Self {
        match later.mode {
            AppliedMode::NotSaid => self.clone(),
            _ => Self {
                mode: later.mode.clone(),
                kms_key: later.kms_key.clone().or_else(|| self.kms_key.clone()),
                bucket_key: later.bucket_key || self.bucket_key,
                customer_key_md5: later.customer_key_md5.clone().or_else(|| self.customer_key_md5.clone()),
            },
        }
    }

    /// The encryption of an object, as far as rules depend on it.
    pub(crate) fn encrypted(&self, client_side: bool) -> Encrypted {
        let at_rest = match self.mode {
            AppliedMode::Known(mode) => Some(mode),
            AppliedMode::NotSaid | AppliedMode::Other(_) => None,
        };
        let has_key = matches!(at_rest, Some(Mode::SseKms | Mode::DsseKms));
        let kms_key = self.kms_key.clone().or(has_key.then(String::new));
        Encrypted {
            modes: client_side.then_some(Mode::Client).into_iter().chain(at_rest).collect(),
            kms_keys: kms_key.into_iter().collect(),
            or_default: false,
            described: self.mode.to_string(),
        }
    }

    /// Whether this is the requested mode, with the requested key if one was named. The bucket key is not compared: it
    /// only saves requests.
    pub(crate) fn is_as_asked(&self, asked: Option<&ServerSide>) -> bool {
        let Some(asked) = asked else { return true };
        if self.mode != AppliedMode::Known(asked.mode()) {
            return false;
        }
        if let ServerSide::SseC(key) = asked {
            return self.customer_key_md5.as_deref() == Some(key.md5());
        }
        match (asked.kms(), &self.kms_key) {
            (Some((Some(asked), _)), Some(found)) => asked.may_be(found),
            // Not every answer names the key.
            _ => true,
        }
    }
}

/// Describes a mode with its key, for messages.
pub(crate) fn describe(sse: &ServerSide) -> String {
    match sse {
        ServerSide::SseS3 => Mode::SseS3.title().to_owned(),
        ServerSide::SseC(key) => format!("{} with key MD5 {}", Mode::SseC.title(), key.md5()),
        ServerSide::SseKms { key, .. } | ServerSide::DsseKms { key, .. } => match key {
            Some(key) => format!("{} with key {key}", sse.mode().title()),
            None => sse.mode().title().to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn customer() -> ServerSide {
        ServerSide::SseC(CustomerKey::recognise(&[b'A'; 32]).unwrap())
    }

    fn kms(key: &str) -> ServerSide {
        ServerSide::SseKms { key: Some(key.parse().unwrap()), context: Context::default(), bucket_key: false }
    }

    fn said(sse: Option<&str>, key: Option<&str>, md5: Option<&str>) -> Applied {
        Applied::read(sse.map(ServerSideEncryption::from).as_ref(), key, None, md5)
    }

    #[test]
    fn an_answer_must_say_what_was_asked() {
        let arn = "arn:aws:kms:us-east-1:1:key/k";
        for (asked, answer, fits) in [
            (None, said(None, None, None), true),
            (Some(ServerSide::SseS3), said(Some("AES256"), None, None), true),
            (Some(ServerSide::SseS3), said(None, None, None), false),
            (Some(ServerSide::SseS3), said(Some("aws:kms"), Some(arn), None), false),
            (Some(kms("k")), said(Some("aws:kms"), Some(arn), None), true),
            (Some(kms("other")), said(Some("aws:kms"), Some(arn), None), false),
            (Some(kms("k")), said(Some("AES256"), None, None), false),
            (Some(customer()), said(None, None, Some("UhbdzFjo2t5SVgded/ZC2g==")), true),
            (Some(customer()), said(None, None, Some("AAAAAAAAAAAAAAAAAAAAAA==")), false),
            (Some(customer()), said(None, None, None), false),
        ] {
            assert_eq!(answer.is_as_asked(asked.as_ref()), fits, "{answer:?}");
        }
    }

    #[test]
    fn a_silent_later_answer_takes_nothing_back() {
        let first = said(Some("aws:kms"), Some("k"), None);
        assert_eq!(first.then(&said(None, None, None)), first);
        assert_eq!(first.then(&said(Some("AES256"), None, None)).mode, AppliedMode::Known(Mode::SseS3));
    }

    #[test]
    fn an_unknown_mode_is_shown_as_it_is() {
        assert_eq!(said(Some("aws:fsx"), None, None).mode, AppliedMode::Other("aws:fsx".to_owned()));
    }
}
