//! AWS KMS for client-side encryption: makes data keys, wraps and unwraps them.
//!
//! Plaintext data keys come back over TLS only (`connection` refuses http) and go straight into a type that wipes
//! itself. What the encryption context must hold is the format's affair, not this file's.
//! Source: GenerateDataKey, Encrypt and Decrypt in the AWS KMS API reference.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::DataKeySpec;
use zeroize::Zeroizing;

use crate::aws::connection::Connection;
use crate::aws::error;
use crate::aws::marks::date;
use crate::encryption::KmsKey;
use crate::error::{Error, Result};
use crate::keys::DataKey;

/// A data key and the blob that KMS unwraps it from.
pub struct KmsDataKey {
    /// The key.
    pub plain: DataKey,
    /// The `CiphertextBlob`.
    pub wrapped: Vec<u8>,
    /// The ARN of the KMS key that was used.
    pub key_arn: String,
}

/// What KMS says about a key of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KmsKeyFacts {
    /// The key's ARN.
    pub arn: String,
    /// Its state, in KMS's word (`Enabled`, `PendingDeletion`, …).
    pub state: Option<String>,
    /// Who manages it, in KMS's word (`AWS`, `CUSTOMER`).
    pub manager: Option<String>,
    /// When it will be deleted (RFC 3339), if it waits for that.
    pub deletion: Option<String>,
}

/// Aliases asked for, at most: a key has one or two.
const ALIASES: i32 = 50;

impl Connection {
    /// Asks KMS about a key, by its id, its ARN or an alias.
    ///
    /// # Errors
    /// What KMS refuses; it takes `kms:DescribeKey`.
    pub async fn describe_key(&self, key: &KmsKey) -> Result<KmsKeyFacts> {
        let answer = self
            .kms
            .describe_key()
            .key_id(key.as_str())
            .send()
            .await
            .map_err(|refusal| error::read(&named(key), "kms:DescribeKey", refusal))?;
        let metadata = answer
            .key_metadata()
            .ok_or_else(|| Error::tampered(named(key), "the answer of KMS has no description of it"))?;
        Ok(KmsKeyFacts {
            arn: metadata.arn().unwrap_or_else(|| metadata.key_id()).to_owned(),
            state: metadata.key_state().map(|state| state.as_str().to_owned()),
            manager: metadata.key_manager().map(|manager| manager.as_str().to_owned()),
            deletion: metadata.deletion_date().and_then(date),
        })
    }

    /// Asks KMS for the aliases of a key.
    ///
    /// # Errors
    /// What KMS refuses; it takes `kms:ListAliases`.
    pub async fn key_aliases(&self, key: &KmsKey) -> Result<Vec<String>> {
        let answer = self
            .kms
            .list_aliases()
            .key_id(key.as_str())
            .limit(ALIASES)
            .send()
            .await
            .map_err(|refusal| error::read(&named(key), "kms:ListAliases", refusal))?;
        Ok(answer.aliases().iter().filter_map(|alias| alias.alias_name().map(str::to_owned)).collect())
    }

    /// Lets KMS make a 256-bit data key.
    ///
    /// # Errors
    /// What KMS refuses.
    pub async fn generate_data_key(
        &self,
        key: &KmsKey,
        context: &BTreeMap<String, String>,
    ) -> Result<KmsDataKey> {
        let answer = self
            .kms
            .generate_data_key()
            .key_id(key.as_str())
            .key_spec(DataKeySpec::Aes256)
            .set_encryption_context(pairs(context))
            .send()
            .await
            .map_err(|refusal| error::read(&named(key), "kms:GenerateDataKey", refusal))?;
        let plain = data_key(answer.plaintext, &named(key))?;
        let wrapped = answer.ciphertext_blob.map(Blob::into_inner).unwrap_or_default();
        Ok(KmsDataKey { plain, wrapped, key_arn: answer.key_id.unwrap_or_else(|| key.to_string()) })
    }

    /// Lets KMS wrap a data key that exists; returns the blob and the ARN of the KMS key used.
    ///
    /// # Errors
    /// What KMS refuses.
    pub async fn wrap_data_key(
        &self,
        key: &KmsKey,
        data_key: &DataKey,
        context: &BTreeMap<String, String>,
    ) -> Result<(Vec<u8>, String)> {
        let answer = self
            .kms
            .encrypt()
            .key_id(key.as_str())
            .plaintext(Blob::new(data_key.as_bytes()))
            .set_encryption_context(pairs(context))
            .send()
            .await
            .map_err(|refusal| error::read(&named(key), "kms:Encrypt", refusal))?;
        let wrapped = answer.ciphertext_blob.map(Blob::into_inner).unwrap_or_default();
        Ok((wrapped, answer.key_id.unwrap_or_else(|| key.to_string())))
    }

    /// Lets KMS unwrap a data key; without `key` KMS takes the one that its blob names.
    ///
    /// # Errors
    /// What KMS refuses; `KeyWrong` for a blob that does not open.
    pub async fn unwrap_data_key(
        &self,
        key: Option<&KmsKey>,
        wrapped: &[u8],
        context: &BTreeMap<String, String>,
    ) -> Result<DataKey> {
        let what = key.map_or_else(|| "the data key".to_owned(), named);
        let answer = self
            .kms
            .decrypt()
            .set_key_id(key.map(KmsKey::to_string))
            .ciphertext_blob(Blob::new(wrapped))
            .set_encryption_context(pairs(context))
            .send()
            .await
            .map_err(|refusal| error::read(&what, "kms:Decrypt", refusal))?;
        data_key(answer.plaintext, &what)
    }
}

fn named(key: &KmsKey) -> String {
    format!("the KMS key {key}")
}

fn pairs(context: &BTreeMap<String, String>) -> Option<HashMap<String, String>> {
    (!context.is_empty()).then(|| context.clone().into_iter().collect())
}

fn data_key(plaintext: Option<Blob>, what: &str) -> Result<DataKey> {
    let bytes = Zeroizing::new(plaintext.map(Blob::into_inner).unwrap_or_default());
    DataKey::new(bytes).map_err(|error| Error::tampered(what, error.to_string()))
}
