//! AWS KMS for client-side encryption: generates data keys, wraps and unwraps them.
//!
//! Plaintext data keys arrive over TLS only (`connection` refuses http) and go straight into a type that is wiped on
//! drop. An answer is accepted only if it names the requested key: a data key under another key would be readable to
//! that key's owner. The formats define the contents of the encryption context.
//! Source: GenerateDataKey, Encrypt and Decrypt in the AWS KMS API reference.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::DataKeySpec;
use zeroize::Zeroizing;

use crate::aws::connection::Connection;
use crate::aws::error;
use crate::aws::timestamp::rfc3339;
use crate::encryption::{Account, KeyArn, KmsKey};
use crate::error::{Error, KeyFault, Result, Subject};
use crate::keys::{DataKey, KEY_LEN};

/// A data key and the blob that KMS unwraps it from.
pub(crate) struct KmsDataKey {
    /// The key.
    pub(crate) plain: DataKey,
    /// The `CiphertextBlob`.
    pub(crate) wrapped: Vec<u8>,
    /// The KMS key that wrapped it.
    pub(crate) key: KeyArn,
}

/// The keys that may unwrap a data key.
#[derive(Clone, Copy)]
pub(crate) enum MayUnwrap<'a> {
    /// Only this key.
    Key(&'a KmsKey),
    /// Any key of these accounts; the wrapped data key names it.
    AnyOf(&'a [Account]),
}

/// What KMS says about a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KmsKeyFacts {
    pub(crate) arn: KeyArn,
    /// Its state, in KMS's words (`Enabled`, `PendingDeletion`, …).
    pub(crate) state: Option<String>,
    /// Who manages it, in KMS's words (`AWS`, `CUSTOMER`).
    pub(crate) manager: Option<String>,
    /// When it will be deleted (RFC 3339), if deletion is scheduled.
    pub(crate) deletion: Option<String>,
}

impl KmsKeyFacts {
    /// Why a key in this state is of no use, if that is known.
    pub(crate) fn fault(&self) -> Option<KeyFault> {
        let key = self.arn.to_string();
        Some(match self.state.as_deref()? {
            "Disabled" => KeyFault::KmsDisabled { key },
            "PendingDeletion" | "PendingReplicaDeletion" => KeyFault::KmsPendingDeletion { key },
            "PendingImport" => KeyFault::KmsPendingImport { key },
            _ => return None,
        })
    }
}

/// The most aliases requested: a key has one or two.
const ALIASES: i32 = 50;

impl Connection {
    /// Asks KMS about a key, by its id, its ARN or an alias.
    ///
    /// # Errors
    /// What KMS refuses; it requires `kms:DescribeKey`.
    pub(crate) async fn describe_key(&self, key: &KmsKey) -> Result<KmsKeyFacts> {
        let answer = self
            .kms
            .describe_key()
            .key_id(key.as_str())
            .send()
            .await
            .map_err(|refusal| error::read(key, "kms:DescribeKey", refusal))?;
        let metadata =
            answer.key_metadata().ok_or_else(|| not_trusted("it has no description of the key"))?;
        Ok(KmsKeyFacts {
            arn: answering(key, metadata.arn())?,
            state: metadata.key_state().map(|state| state.as_str().to_owned()),
            manager: metadata.key_manager().map(|manager| manager.as_str().to_owned()),
            deletion: metadata.deletion_date().and_then(rfc3339),
        })
    }

    /// The ARN of a key: the one that it was given by, or the one that KMS says.
    ///
    /// # Errors
    /// As [`Connection::describe_key`], for a key that was not given by its ARN.
    pub(crate) async fn resolve_key(&self, key: &KmsKey) -> Result<KeyArn> {
        match key.arn() {
            Some(arn) => Ok(arn),
            None => Ok(self.describe_key(key).await?.arn),
        }
    }

    /// Asks KMS for the aliases of a key.
    ///
    /// # Errors
    /// What KMS refuses; it requires `kms:ListAliases`.
    pub(crate) async fn key_aliases(&self, key: &KmsKey) -> Result<Vec<String>> {
        let answer = self
            .kms
            .list_aliases()
            .key_id(key.as_str())
            .limit(ALIASES)
            .send()
            .await
            .map_err(|refusal| error::read(key, "kms:ListAliases", refusal))?;
        Ok(answer.aliases().iter().filter_map(|alias| alias.alias_name().map(str::to_owned)).collect())
    }

    /// The ARN of a key, if it was given or KMS has already named it.
    pub(crate) fn key_arn(&self, key: &KmsKey) -> Option<KeyArn> {
        key.arn().or_else(|| self.kms_alias_cache.with(|known| known.get(key).cloned().flatten()))
    }

    /// Looks up the key of an alias once in a run.
    async fn look_up(&self, key: &KmsKey) -> Result<()> {
        let is_known = || self.kms_alias_cache.with(|known| known.contains_key(key));
        if !key.is_alias() || is_known() {
            return Ok(());
        }
        let _asking = self.kms_alias_cache.asking.lock().await;
        if is_known() {
            return Ok(());
        }
        let found = match self.describe_key(key).await {
            Ok(found) => Some(found.arn),
            // Permission to use a key does not include kms:DescribeKey, and not every KMS has that operation.
            Err(Error::Denied { .. } | Error::Unsupported { .. } | Error::Service { .. }) => None,
            Err(error) => return Err(error),
        };
        self.kms_alias_cache.with(|known| known.insert(key.clone(), found));
        Ok(())
    }

    /// Checks that an answer names the requested key, and remembers its ARN.
    fn answered(&self, key: &KmsKey, arn: Option<&str>) -> Result<KeyArn> {
        let arn = answering(key, arn)?;
        let expected = self
            .kms_alias_cache
            .with(|known| known.entry(key.clone()).or_default().get_or_insert_with(|| arn.clone()).clone());
        if arn != expected {
            return Err(not_trusted(format!("{key} is {expected}, but KMS used {arn}")));
        }
        Ok(arn)
    }

    /// Has KMS generate a 256-bit data key.
    ///
    /// # Errors
    /// What KMS refuses; `Tampered` for a data key of another length or under another key.
    pub(crate) async fn generate_data_key(
        &self,
        key: &KmsKey,
        context: &BTreeMap<String, String>,
    ) -> Result<KmsDataKey> {
        self.look_up(key).await?;
        let answer = self
            .kms
            .generate_data_key()
            .key_id(key.as_str())
            .key_spec(DataKeySpec::Aes256)
            .set_encryption_context(pairs(context))
            .send()
            .await
            .map_err(|refusal| error::read(key, "kms:GenerateDataKey", refusal))?;
        let plain = data_key(answer.plaintext)?;
        if plain.as_bytes().len() != KEY_LEN {
            let len = plain.as_bytes().len();
            return Err(not_trusted(format!("its data key has {len} bytes instead of {KEY_LEN}")));
        }
        let key = self.answered(key, answer.key_id.as_deref())?;
        Ok(KmsDataKey { plain, wrapped: wrapped(answer.ciphertext_blob)?, key })
    }

    /// Has KMS wrap an existing data key; returns the blob and the KMS key that wrapped it.
    ///
    /// # Errors
    /// What KMS refuses; `Tampered` for an answer under another key.
    pub(crate) async fn wrap_data_key(
        &self,
        key: &KmsKey,
        data_key: &DataKey,
        context: &BTreeMap<String, String>,
    ) -> Result<(Vec<u8>, KeyArn)> {
        self.look_up(key).await?;
        let answer = self
            .kms
            .encrypt()
            .key_id(key.as_str())
            .plaintext(Blob::new(data_key.as_bytes()))
            .set_encryption_context(pairs(context))
            .send()
            .await
            .map_err(|refusal| error::read(key, "kms:Encrypt", refusal))?;
        let key = self.answered(key, answer.key_id.as_deref())?;
        Ok((wrapped(answer.ciphertext_blob)?, key))
    }

    /// Has KMS unwrap a data key; also returns the KMS key that unwrapped it.
    ///
    /// # Errors
    /// What KMS refuses; `KeyWrong` for a blob that no allowed key unwraps; `Tampered` for an
    /// answer under another key.
    pub(crate) async fn unwrap_data_key(
        &self,
        may: MayUnwrap<'_>,
        wrapped: &[u8],
        context: &BTreeMap<String, String>,
    ) -> Result<(DataKey, KeyArn)> {
        let key = match may {
            MayUnwrap::Key(key) => Some(key),
            MayUnwrap::AnyOf(_) => None,
        };
        if let Some(key) = key {
            self.look_up(key).await?;
        }
        let subject = key.map_or("the data key".into(), Subject::from);
        let answer = self
            .kms
            .decrypt()
            .set_key_id(key.map(KmsKey::to_string))
            .ciphertext_blob(Blob::new(wrapped))
            .set_encryption_context(pairs(context))
            .send()
            .await
            .map_err(|refusal| error::read(&subject, "kms:Decrypt", refusal))?;
        let arn = match may {
            MayUnwrap::Key(key) => self.answered(key, answer.key_id.as_deref())?,
            MayUnwrap::AnyOf(accounts) => {
                let key = key_of(answer.key_id.as_deref())?;
                if !accounts.iter().any(|account| account.owns(&key)) {
                    return Err(Error::KeyWrong { subject, why: KeyFault::KmsAccount { key }, source: None });
                }
                key
            }
        };
        Ok((data_key(answer.plaintext)?, arn))
    }
}

fn not_trusted(why: impl Into<String>) -> Error {
    Error::tampered(Subject::Kms, why)
}

/// The key that an answer names.
fn key_of(arn: Option<&str>) -> Result<KeyArn> {
    arn.and_then(KeyArn::parse).ok_or_else(|| not_trusted("it does not name the key by its ARN"))
}

/// The key that an answer names, if it can be the requested one.
fn answering(key: &KmsKey, arn: Option<&str>) -> Result<KeyArn> {
    let arn = key_of(arn)?;
    if !key.may_be(arn.as_str()) {
        return Err(not_trusted(format!("{key} was requested, but KMS used {arn}")));
    }
    Ok(arn)
}

fn wrapped(blob: Option<Blob>) -> Result<Vec<u8>> {
    let bytes = blob.map(Blob::into_inner).unwrap_or_default();
    if bytes.is_empty() {
        return Err(not_trusted("it has no wrapped data key"));
    }
    Ok(bytes)
}

pub(super) fn pairs(context: &BTreeMap<String, String>) -> Option<HashMap<String, String>> {
    (!context.is_empty()).then(|| context.clone().into_iter().collect())
}

fn data_key(plaintext: Option<Blob>) -> Result<DataKey> {
    let bytes = Zeroizing::new(plaintext.map(Blob::into_inner).unwrap_or_default());
    DataKey::new(bytes).map_err(|error| not_trusted(error.to_string()))
}
