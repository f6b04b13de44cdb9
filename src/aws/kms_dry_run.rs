//! Asks KMS what would become of a request, without making it.
//!
//! KMS answers every dry run with an error; `DryRunOperationException` means that the request would have succeeded.
//! Source: "Testing your permissions", AWS KMS developer guide.

use std::collections::BTreeMap;

use aws_sdk_kms::operation::decrypt::DecryptError;
use aws_sdk_kms::operation::encrypt::EncryptError;
use aws_sdk_kms::operation::generate_data_key::GenerateDataKeyError;
use aws_sdk_kms::operation::re_encrypt::ReEncryptError;
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::{DataKeySpec, DryRunModifierType};
use zeroize::Zeroizing;

use crate::aws::connection::Connection;
use crate::aws::error::{self, Coded, Refused};
use crate::aws::kms::pairs;
use crate::encryption::KmsKey;
use crate::error::{Error, KeyFault, Result, Subject};

/// What a key would be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyUse {
    GenerateDataKey,
    Encrypt,
    Decrypt,
    /// From the key to itself.
    ReEncrypt,
}

impl KeyUse {
    /// The action in policies.
    pub(crate) fn action(self) -> &'static str {
        match self {
            Self::GenerateDataKey => "kms:GenerateDataKey",
            Self::Encrypt => "kms:Encrypt",
            Self::Decrypt => "kms:Decrypt",
            Self::ReEncrypt => "kms:ReEncrypt*",
        }
    }
}

impl Connection {
    /// Whether KMS would let the user use the key so. Nothing is encrypted or decrypted.
    ///
    /// # Errors
    /// What the request itself would be refused with; `NotUnderstood` for a server that makes the request instead.
    pub(crate) async fn dry_run(
        &self,
        key: &KmsKey,
        key_use: KeyUse,
        context: &BTreeMap<String, String>,
    ) -> Result<()> {
        let id = key.as_str();
        let ignored = DryRunModifierType::IgnoreCiphertext;
        let context = pairs(context);
        match key_use {
            KeyUse::GenerateDataKey => {
                let request = self.kms.generate_data_key().key_id(id).key_spec(DataKeySpec::Aes256);
                let answer = request.set_encryption_context(context).dry_run(true).send().await;
                // The key of a server that has made one after all is wiped.
                let answer =
                    answer.map(|answer| drop(answer.plaintext.map(|key| Zeroizing::new(key.into_inner()))));
                verdict(key, key_use, answer, GenerateDataKeyError::is_dry_run_operation_exception)
            }
            KeyUse::Encrypt => {
                let request = self.kms.encrypt().key_id(id).plaintext(Blob::new([0]));
                let answer = request.set_encryption_context(context).dry_run(true).send().await;
                verdict(key, key_use, answer, EncryptError::is_dry_run_operation_exception)
            }
            KeyUse::Decrypt => {
                let request = self.kms.decrypt().key_id(id).dry_run_modifiers(ignored);
                let answer = request.set_encryption_context(context).dry_run(true).send().await;
                verdict(key, key_use, answer, DecryptError::is_dry_run_operation_exception)
            }
            KeyUse::ReEncrypt => {
                let request = self.kms.re_encrypt().source_key_id(id).destination_key_id(id);
                let request = request
                    .set_source_encryption_context(context.clone())
                    .set_destination_encryption_context(context);
                let answer = request.dry_run_modifiers(ignored).dry_run(true).send().await;
                verdict(key, key_use, answer, ReEncryptError::is_dry_run_operation_exception)
            }
        }
    }
}

/// Reads the answer, of which success is none.
fn verdict<T, E: Coded>(
    key: &KmsKey,
    key_use: KeyUse,
    answer: std::result::Result<T, Refused<E>>,
    would_succeed: impl FnOnce(&E) -> bool,
) -> Result<()> {
    match answer {
        Ok(_) => Err(Error::not_understood(Subject::Kms, "it has made the request of a dry run")),
        Err(refusal) if refusal.as_service_error().is_some_and(would_succeed) => Ok(()),
        Err(refusal) => Err(match error::read(key, key_use.action(), refusal) {
            // No ciphertext was sent: a server that asks for one knows no dry runs.
            Error::KeyWrong { why: KeyFault::DoesNotUnwrap { .. }, .. } => {
                Error::not_understood(Subject::Kms, "it has looked at the ciphertext of a dry run")
            }
            error => error,
        }),
    }
}
