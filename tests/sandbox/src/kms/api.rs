//! KMS as clients speak to it: JSON 1.1 operations, with KMS's own exceptions and texts.
//!
//! Here a request's fields become calls on [`Kms`]; HTTP and the signature are dealt with before. Rotation, grants, key
//! policies, asymmetric and HMAC keys are not here: nothing that encrypts objects needs them.

mod admin;
mod crypto;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{Kms, KmsRefusal};

/// What ends every dry run that is allowed.
const DRY_RUN: &str = "DryRunOperationException";

/// An exception of KMS: its name and its message, which may be empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    exception: String,
    message: String,
}

impl Failure {
    /// Makes an exception.
    #[must_use]
    pub fn new(exception: &str, message: &str) -> Self {
        Self { exception: exception.to_owned(), message: message.to_owned() }
    }

    /// What a dry run ends with where the operation would have succeeded; the text is that of an event in "Log durable
    /// functions" and "Fargate ephemeral storage", AWS Lambda and Amazon ECS developer guides.
    pub(crate) fn dry_run() -> Self {
        Self::new(DRY_RUN, "The request would have succeeded, but the DryRun option is set.")
    }

    /// The status of the answer: 412 of a dry run ("Decrypt", AWS KMS API reference), 400 as recorded of all others.
    pub(crate) fn status(&self) -> StatusCode {
        if self.exception == DRY_RUN { StatusCode::PRECONDITION_FAILED } else { StatusCode::BAD_REQUEST }
    }

    /// The exception as the body of an answer.
    #[must_use]
    pub fn to_json(&self) -> Value {
        if self.message.is_empty() {
            return json!({ "__type": self.exception });
        }
        json!({ "__type": self.exception, "message": self.message })
    }
}

impl From<KmsRefusal> for Failure {
    fn from(refusal: KmsRefusal) -> Self {
        Self::new(refusal.exception(), &refusal.text())
    }
}

/// Does one operation, named without `TrentService.`, for a caller whose signature was checked.
pub(crate) fn answer(kms: &Kms, principal: &str, operation: &str, body: &[u8]) -> Result<Value, Failure> {
    let call = Call { kms, principal, body };
    match operation {
        "CreateKey" => call.create_key(),
        "DescribeKey" => call.describe_key(),
        "ListKeys" => Ok(call.list_keys()),
        "EnableKey" => call.enable_key(),
        "DisableKey" => call.disable_key(),
        "ScheduleKeyDeletion" => call.schedule_key_deletion(),
        "CancelKeyDeletion" => call.cancel_key_deletion(),
        "CreateAlias" => call.create_alias(),
        "UpdateAlias" => call.update_alias(),
        "DeleteAlias" => call.delete_alias(),
        "ListAliases" => call.list_aliases(),
        "GenerateDataKey" => call.generate_data_key(true),
        "GenerateDataKeyWithoutPlaintext" => call.generate_data_key(false),
        "Encrypt" => call.encrypt(),
        "Decrypt" => call.decrypt(),
        "ReEncrypt" => call.re_encrypt(),
        _ => Err(Failure::new("UnknownOperationException", "")),
    }
}

/// One request: who asks whom for what.
struct Call<'a> {
    kms: &'a Kms,
    principal: &'a str,
    body: &'a [u8],
}

impl Call<'_> {
    fn request<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_slice(self.body).map_err(|error| match missing_field(&error.to_string()) {
            Some(field) => missing(&field),
            None => Failure::new("SerializationException", ""),
        })
    }
}

/// The field that serde misses, spelled as KMS spells it in its messages: `keyId`.
fn missing_field(error: &str) -> Option<String> {
    let name = error.strip_prefix("missing field `")?.split('`').next()?;
    let mut letters = name.chars();
    let first = letters.next()?.to_lowercase();
    Some(first.chain(letters).collect())
}

fn missing(field: &str) -> Failure {
    invalid(&format!(
        "1 validation error detected: Value null at '{field}' failed to satisfy constraint: Member must not be null"
    ))
}

fn invalid(message: &str) -> Failure {
    Failure::new("ValidationException", message)
}

fn from_base64(text: &str) -> Result<Vec<u8>, Failure> {
    STANDARD.decode(text).map_err(|_| Failure::new("SerializationException", ""))
}

fn to_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}
