//! A bucket's default encryption with its blocked types, and `UpdateObjectEncryption`.
//!
//! Their XML is newer than the protocol crate, so it is read and written here.
//!
//! What does not belong here: applying any of it (see `unlock`).

use s3s::dto::{DeleteBucketEncryptionInput, DeleteBucketEncryptionOutput};
use s3s::xml::{DeResult, Deserializer};
use s3s::{S3Request, S3Response, S3Result};

use super::get;
use crate::kms::{KmsAction, Requester};
use crate::s3::error;
use crate::s3::sse::{DefaultEncryption, SseView};
use crate::s3::state::S3State;
use crate::s3::unlock::{self, Caller, Place};

/// The settings of one rule, as far as it names them.
#[derive(Debug, Default)]
struct Rule {
    algorithm: Option<String>,
    key: Option<String>,
    bucket_key: Option<bool>,
    blocked: Option<Vec<String>>,
}

/// `GetBucketEncryption`: its XML.
pub fn of_bucket(state: &S3State, bucket: &str) -> S3Result<String> {
    let inner = state.lock();
    let bucket = inner.bucket(bucket)?;
    let (algorithm, key, bucket_key) = match &bucket.default {
        DefaultEncryption::SseS3 => ("AES256", None, false),
        DefaultEncryption::SseKms { key, bucket_key } => ("aws:kms", key.as_ref(), *bucket_key),
        DefaultEncryption::DsseKms { key } => ("aws:kms:dsse", key.as_ref(), false),
    };
    let key = key.map_or_else(String::new, |key| {
        let key = key.replace('&', "&amp;").replace('<', "&lt;");
        format!("<KMSMasterKeyID>{key}</KMSMasterKeyID>")
    });
    let blocked = if bucket.blocks_sse_c { "SSE-C" } else { "NONE" };
    Ok(format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <ServerSideEncryptionConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Rule>\
         <ApplyServerSideEncryptionByDefault><SSEAlgorithm>{algorithm}</SSEAlgorithm>{key}\
         </ApplyServerSideEncryptionByDefault><BucketKeyEnabled>{bucket_key}</BucketKeyEnabled>\
         <BlockedEncryptionTypes><EncryptionType>{blocked}</EncryptionType></BlockedEncryptionTypes>\
         </Rule></ServerSideEncryptionConfiguration>"
    ))
}

/// `PutBucketEncryption`; what the rule does not name stays as it is.
pub fn put_of_bucket(state: &S3State, bucket: &str, xml: &[u8]) -> S3Result<()> {
    let rule = read_rule(xml).map_err(|_| error::malformed_xml())?;
    let mut inner = state.lock();
    let bucket = inner.bucket_mut(bucket)?;
    let key = rule.key;
    let default = match rule.algorithm.as_deref() {
        None => None,
        Some("AES256") if key.is_some() => {
            return Err(error::invalid_argument(
                "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse",
            ));
        }
        Some("AES256") => Some(DefaultEncryption::SseS3),
        Some("aws:kms") => {
            Some(DefaultEncryption::SseKms { key, bucket_key: rule.bucket_key.unwrap_or(false) })
        }
        Some("aws:kms:dsse") => Some(DefaultEncryption::DsseKms { key }),
        Some(_) => return Err(error::malformed_xml()),
    };
    if let Some(types) = rule.blocked {
        if types.iter().any(|each| !matches!(&**each, "NONE" | "SSE-C")) {
            return Err(error::malformed_xml());
        }
        bucket.blocks_sse_c = types.iter().any(|each| each == "SSE-C");
    }
    if let Some(default) = default {
        bucket.default = default;
    }
    Ok(())
}

/// `DeleteBucketEncryption`
pub async fn delete_of_bucket(
    state: &S3State,
    request: S3Request<DeleteBucketEncryptionInput>,
) -> S3Result<S3Response<DeleteBucketEncryptionOutput>> {
    let mut inner = state.lock();
    inner.bucket_mut(&request.input.bucket)?.default = DefaultEncryption::SseS3;
    Ok(S3Response::new(DeleteBucketEncryptionOutput::default()))
}

/// `UpdateObjectEncryption`: another lock on the same body; tag, dates and checksums stay.
pub fn update_of_object(
    state: &S3State,
    caller: &Caller,
    place: Place<'_>,
    version: Option<&str>,
    xml: &[u8],
) -> S3Result<()> {
    let (key_arn, bucket_key) = read_target(xml).map_err(|_| error::malformed_xml())?;
    let found = get::find(state, place, version)?;
    let object = &found.object;
    let source = match &object.sse {
        SseView::SseS3 | SseView::SseKms { .. } => &object.sse,
        SseView::None => return Err(unsuitable("is not encrypted")),
        SseView::DsseKms { .. } => return Err(unsuitable("is encrypted with DSSE-KMS")),
        SseView::SseC { .. } => return Err(unsuitable("is encrypted with SSE-C")),
    };
    if !key_arn.starts_with("arn:") || !key_arn.contains(":key/") {
        return Err(error::invalid_request(
            "The KMS key must be specified as a full key ARN. Key IDs and aliases are not supported.",
        ));
    }
    if key_arn.split(':').nth(4) != Some(&*state.account) {
        return Err(error::access_denied());
    }
    if object.marks.hold.holds(state.now()) {
        return Err(error::denied("Access Denied because object protected by object lock."));
    }
    let context = std::collections::BTreeMap::new();
    for action in [KmsAction::Encrypt, KmsAction::ReEncrypt] {
        let allowed = state.kms.for_s3(&caller.principal, action, Some(&key_arn), &context);
        allowed.map_err(|refusal| error::kms(&refusal))?;
    }
    // The page of the operation asks for all of these on the key; what they are for it does not say.
    for action in ["kms:Decrypt", "kms:ReEncryptTo"] {
        let allowed = state.kms.may(&caller.principal, action, &key_arn, Requester::S3);
        allowed.map_err(|refusal| error::kms(&refusal))?;
    }
    if let SseView::SseKms { key_arn: old, .. } = source {
        let allowed = state.kms.may(&caller.principal, "kms:ReEncryptFrom", old, Requester::S3);
        allowed.map_err(|refusal| error::kms(&refusal))?;
    }
    let keys = unlock::open(state, caller, &object.lock, source, None)?;
    let (sse, lock) = unlock::relock(state, caller, place, &keys, &key_arn, bucket_key)?;
    let mut changed = crate::s3::object::Object::clone(object);
    (changed.sse, changed.lock) = (sse, lock);
    let mut inner = state.lock();
    inner.bucket_mut(place.bucket)?.replace(place.key, &found.id, changed);
    Ok(())
}

fn unsuitable(what: &str) -> s3s::S3Error {
    error::invalid_request(format!(
        "The source object {what}. UpdateObjectEncryption supports objects encrypted with SSE-S3 or SSE-KMS only."
    ))
}

fn read_rule(xml: &[u8]) -> DeResult<Rule> {
    let mut rule = Rule::default();
    let mut xml = Deserializer::new(xml);
    xml.named_element("ServerSideEncryptionConfiguration", |xml| {
        xml.named_element("Rule", |xml| {
            xml.for_each_element(|xml, name| {
                match name {
                    b"ApplyServerSideEncryptionByDefault" => {
                        xml.for_each_element(|xml, name| {
                            let text = Some(xml.content::<String>()?);
                            match name {
                                b"SSEAlgorithm" => rule.algorithm = text,
                                b"KMSMasterKeyID" => rule.key = text,
                                _ => return Err(s3s::xml::DeError::UnexpectedTagName),
                            }
                            Ok(())
                        })?;
                    }
                    b"BucketKeyEnabled" => rule.bucket_key = Some(xml.content()?),
                    b"BlockedEncryptionTypes" => {
                        let mut types = Vec::new();
                        xml.for_each_element(|xml, _| {
                            types.push(xml.content::<String>()?);
                            Ok(())
                        })?;
                        rule.blocked = Some(types);
                    }
                    _ => return Err(s3s::xml::DeError::UnexpectedTagName),
                }
                Ok(())
            })
        })
    })?;
    xml.expect_eof()?;
    Ok(rule)
}

fn read_target(xml: &[u8]) -> DeResult<(String, bool)> {
    let (mut key, mut bucket_key) = (None, false);
    let mut xml = Deserializer::new(xml);
    xml.named_element("ObjectEncryption", |xml| {
        xml.named_element("SSE-KMS", |xml| {
            xml.for_each_element(|xml, name| {
                match name {
                    b"KMSKeyArn" => key = Some(xml.content::<String>()?),
                    b"BucketKeyEnabled" => bucket_key = xml.content()?,
                    _ => return Err(s3s::xml::DeError::UnexpectedTagName),
                }
                Ok(())
            })
        })
    })?;
    xml.expect_eof()?;
    let key = key.ok_or(s3s::xml::DeError::MissingField)?;
    Ok((key, bucket_key))
}
