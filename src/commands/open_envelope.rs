//! Finds a client-side object's envelope, and unwraps its data key with a local key or with KMS.
//!
//! SSE-C keys are tried in `sse_c_keys`.

use bytes::Bytes;

use crate::aws::Connection;
use crate::aws::kms::MayUnwrap;
use crate::aws::object_head::ObjectHead;
use crate::aws::read_object::ObjectReader;
use crate::commands::decryption_keys::DecryptionKeys;
use crate::commands::unwrapped_envelope::{Content, Envelope, UnwrappedEnvelope};
use crate::encryption::{Context, KeyArn, KmsKey, Legacy};
use crate::error::{Error, KeyFault, KeyNeed, Result, Subject, Unsupported, WrapKind};
use crate::keys::DataKey;
use crate::limits::MAX_INSTRUCTION_FILE_BYTES;
use crate::location::S3Uri;
use crate::object::{InstructionSuffix, instruction_file_key};
use crate::seal::detect::{self, Detected};
use crate::seal::esdk::{self, HeaderReader, Message, Reading, looks_like_base64, looks_like_esdk};
use crate::seal::s3ec;
use crate::transfer::{blocking, download};

/// How many bytes to fetch first from an object that may start with a header.
const BEGINNING: u64 = 4 * 1024;

/// Finds an object's envelope, and compares the name that it is bound to with the object's. `None` if there is no sign
/// of an envelope.
///
/// # Errors
/// `Tampered` for an invalid envelope; `NotFound` if a required instruction file does not exist; `OtherName` and
/// `NoBoundName`. The name is authenticated only once [`unwrap_data_key`] has succeeded.
pub(crate) async fn envelope(
    reader: &ObjectReader<'_>,
    head: &ObjectHead,
    decryption_keys: &DecryptionKeys,
) -> Result<Option<Envelope>> {
    let found = find(reader, head, decryption_keys).await?;
    match found.as_ref().and_then(Envelope::bound_name) {
        Some(name) if !name.is(reader.uri) => {
            Err(Error::OtherName { subject: reader.subject(), bound: name.to_string() })
        }
        None if decryption_keys.require_bound_name => Err(Error::NoBoundName { subject: reader.subject() }),
        _ => Ok(found),
    }
}

/// If the metadata does not name an envelope, finding one takes further requests, which are sent only if there is a key
/// that could open it.
async fn find(
    reader: &ObjectReader<'_>,
    head: &ObjectHead,
    decryption_keys: &DecryptionKeys,
) -> Result<Option<Envelope>> {
    let name = reader.subject();
    let must_be_there = match detect::detect(&name, &head.metadata)? {
        Detected::S3ec(envelope) if decryption_keys.suffix.is_none() => {
            return Ok(Some(Envelope::S3ec(envelope)));
        }
        Detected::S3ec(_) => {
            return Err(Error::unsupported(name, Unsupported::EnvelopeInMetadata));
        }
        Detected::Esdk(_) => return header(reader, head).await.map(|message| Some(Envelope::Esdk(message))),
        Detected::InstructionFileNeeded => true,
        Detected::Plain
            if decryption_keys.suffix.is_none() && decryption_keys.opens_nothing_client_side() =>
        {
            return Ok(None);
        }
        Detected::Plain => {
            if decryption_keys.suffix.is_none() && begins_like_a_message(reader, head).await? {
                return header(reader, head).await.map(|message| Some(Envelope::Esdk(message)));
            }
            decryption_keys.suffix.is_some()
        }
    };
    let (uri, file) = instruction_file(reader, decryption_keys.suffix.as_ref()).await;
    let too_long = |error| match error {
        Error::TooLarge { subject, why } => {
            Error::tampered(subject, format!("it is too long for an instruction file: {why}"))
        }
        error => error,
    };
    match file.map_err(too_long)? {
        Some(file) => Ok(Some(Envelope::S3ec(detect::with_instruction(&name, &head.metadata, &file)?))),
        None if must_be_there => {
            Err(Error::NotFound { subject: Subject::instruction_file(&uri), source: None })
        }
        None => Ok(None),
    }
}

/// Whether an object starts like a message of the AWS Encryption SDK, or like one in base64, which [`header`] refuses.
pub(super) async fn begins_like_a_message(reader: &ObjectReader<'_>, head: &ObjectHead) -> Result<bool> {
    let end = head.len.min(BEGINNING);
    let start = beginning(reader, head, 0, end).await?;
    Ok(looks_like_esdk(&start) || looks_like_base64(&start))
}

/// Reads a message's header from the beginning of the object.
pub(super) async fn header(reader: &ObjectReader<'_>, head: &ObjectHead) -> Result<Box<Message>> {
    let mut header = HeaderReader::new(reader.subject());
    let mut at = 0;
    while at < head.len {
        // A header that does not fit into the first piece is a long one.
        let more = if at == 0 { BEGINNING } else { 16 * BEGINNING };
        let end = (at + more).min(head.len);
        match header.push(&beginning(reader, head, at, end).await?)? {
            Reading::Whole(message) => return Ok(message),
            Reading::NeedMore(unfinished) => header = unfinished,
        }
        at = end;
    }
    Err(header.cut_short())
}

async fn beginning(reader: &ObjectReader<'_>, head: &ObjectHead, from: u64, to: u64) -> Result<Vec<u8>> {
    if let Some(body) = &head.body {
        return Ok(download::slice(body, &(from..to)).to_vec());
    }
    let mut bytes = Vec::new();
    let take = async |chunk: Bytes| {
        bytes.extend_from_slice(&chunk);
        Ok(())
    };
    download::fetch(reader, from..to, head.etag.as_deref(), take).await?;
    Ok(bytes)
}

/// Gets an object's instruction file, if there is one, and its address.
pub(super) async fn instruction_file(
    reader: &ObjectReader<'_>,
    suffix: Option<&InstructionSuffix>,
) -> (S3Uri, Result<Option<Bytes>>) {
    let uri = reader.uri.with_key(instruction_file_key(&reader.uri.key, suffix));
    let file_reader = ObjectReader { uri: &uri, version_id: None, ..*reader };
    let file = file_reader.whole(MAX_INSTRUCTION_FILE_BYTES).await;
    (uri, file)
}

/// Unwraps the data key.
///
/// # Errors
/// `KeyNeeded`, `KeyWrong` and `Tampered`, depending on the format; `Unsupported` for outdated formats that
/// `--allow-legacy` does not allow.
pub(crate) async fn unwrap_data_key(
    connection: &Connection,
    envelope: Envelope,
    decryption_keys: &DecryptionKeys,
) -> Result<UnwrappedEnvelope> {
    let ring = decryption_keys.unwrapper.clone();
    // [`envelope`] has compared the name, so the user need not give it in the context.
    let demanded = match envelope.bound_name() {
        Some(name) => &decryption_keys.context.bound_to(&name),
        None => &decryption_keys.context,
    };
    let (content, kms_key) = match envelope {
        Envelope::S3ec(envelope) => {
            let permitted = envelope.permit(decryption_keys.legacy)?;
            if permitted.needs_kms() {
                let (unwrapped, key) =
                    s3ec_with_kms(connection, permitted, demanded, decryption_keys).await?;
                (Content::S3ec(unwrapped), Some(key))
            } else {
                (Content::S3ec(blocking(move || ring.unwrap_s3ec(permitted)).await??), None)
            }
        }
        Envelope::Esdk(message) => {
            let permitted = message.permit(decryption_keys.legacy, demanded)?;
            match esdk_with_kms(connection, &permitted, decryption_keys).await? {
                Some((data_key, key)) => (Content::Esdk(permitted.with_data_key(&data_key)?), Some(key)),
                None => (Content::Esdk(blocking(move || ring.unwrap_esdk(&permitted)).await??), None),
            }
        }
    };
    Ok(UnwrappedEnvelope { content, kms_key })
}

/// Opens an envelope with its data key, which is known because this process has just wrapped it: the commitment or the tag
/// of the header must fit. Which key unwraps it is not known.
///
/// # Errors
/// `Tampered` if the envelope is of another data key; `KeyWrong` if its context differs.
pub(crate) fn with_data_key(
    envelope: Envelope,
    data_key: DataKey,
    legacy: Legacy,
    demanded: &Context,
) -> Result<UnwrappedEnvelope> {
    let content = match envelope {
        Envelope::S3ec(envelope) => Content::S3ec(envelope.permit(legacy)?.with_data_key(data_key)?),
        Envelope::Esdk(message) => Content::Esdk(message.permit(legacy, demanded)?.with_data_key(&data_key)?),
    };
    Ok(UnwrappedEnvelope { content, kms_key: None })
}

async fn s3ec_with_kms(
    connection: &Connection,
    permitted: s3ec::PermittedEnvelope,
    context: &Context,
    decryption_keys: &DecryptionKeys,
) -> Result<(s3ec::DecryptableEnvelope, KeyArn)> {
    let request = permitted.kms(context)?;
    let any_of =
        (!decryption_keys.kms_accounts.is_empty()).then_some(MayUnwrap::AnyOf(&decryption_keys.kms_accounts));
    let mut refusal = None;
    for may in decryption_keys.kms_keys.iter().map(MayUnwrap::Key).chain(any_of) {
        match connection.unwrap_data_key(may, request.blob, request.context).await {
            Ok((data_key, key)) => return Ok((permitted.with_data_key(data_key)?, key)),
            // That KMS does not answer says nothing about the key.
            Err(error @ (Error::Tampered { .. } | Error::Network { .. })) => return Err(error),
            Err(error) => refusal = Some(graver(refusal, error)),
        }
    }
    let subject = permitted.envelope().subject().clone();
    Err(match refusal {
        None => {
            let need = KeyNeed::Wrapping { kind: WrapKind::Kms, fingerprint: None };
            Error::KeyNeeded { subject, need }
        }
        Some(Error::KeyWrong { why, source, .. }) => Error::KeyWrong { subject, why, source },
        Some(error) => error,
    })
}

/// Of two refusals the one to report: that a key does not fit hides no other, which may have kept the right key from being
/// tried.
fn graver(before: Option<Error>, now: Error) -> Error {
    match before {
        Some(before) if !matches!(before, Error::KeyWrong { .. }) => before,
        _ => now,
    }
}

/// Has KMS unwrap the data key, for each KMS recipient that the user's keys or accounts allow, until one succeeds.
/// `None` if none does and there is a local key to try, or if there is no such recipient. Errors other than `Tampered`
/// are returned only if there is no local key to try.
async fn esdk_with_kms(
    connection: &Connection,
    permitted: &esdk::PermittedMessage,
    decryption_keys: &DecryptionKeys,
) -> Result<Option<(DataKey, KeyArn)>> {
    let mut refusal = None;
    for request in permitted.kms() {
        let named: KmsKey = (&request.arn).into();
        let allowed = decryption_keys.kms_accounts.iter().any(|account| account.owns(&request.arn));
        if !decryption_keys.kms_accounts.is_empty() && !allowed {
            let why = KeyFault::KmsAccount { key: request.arn.clone() };
            refusal =
                Some(Error::KeyWrong { subject: permitted.message().subject().clone(), why, source: None });
        }
        let given = decryption_keys.kms_keys.iter().filter(|key| key.may_unwrap(&request.arn));
        for key in given.chain(allowed.then_some(&named)) {
            match connection.unwrap_data_key(MayUnwrap::Key(key), request.blob, request.context).await {
                Ok((_, key)) if !key.is_same_key(&request.arn) => {
                    let why =
                        format!("its data key names the KMS key {}, but {key} unwrapped it", request.arn);
                    return Err(Error::tampered(permitted.message().subject(), why));
                }
                Ok(unwrapped) => return Ok(Some(unwrapped)),
                Err(Error::KeyWrong { why: KeyFault::DoesNotUnwrap { .. }, source, .. }) => {
                    refusal = Some(graver(refusal, permitted.not_unwrapped(source)));
                }
                Err(error @ Error::Tampered { .. }) => return Err(error),
                Err(error) => refusal = Some(graver(refusal, error)),
            }
        }
    }
    match refusal {
        Some(error) if decryption_keys.unwrapper.ring().is_empty() => Err(error),
        _ => Ok(None),
    }
}
