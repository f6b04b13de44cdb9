//! The desired encryption of objects, prepared once for all of them.
//!
//! Keys in AWS KMS are looked up, keys are derived from passphrases, and the keys that decrypt the new objects are
//! collected, so that each can be verified. What an object is now is in `object_state`.

use std::sync::Arc;

use crate::aws::Connection;
use crate::commands::decryption_keys::DecryptionKeys;
use crate::commands::encrypt::{ClientEncryptor, Encryptor, Wrapper, prepare};
use crate::encryption::{Context, Encryption, Format, KmsKey, Legacy, ServerSide, StoredFormat};
use crate::error::{Error, Result};
use crate::keys::{CustomerKey, KeyRing};
use crate::object::InstructionSuffix;
use crate::seal::ring::Unwrapper;

use super::strategy::{AtRest, Current, Desired};

/// Options of a rotation in addition to the encryption.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RotationOptions {
    /// Whether to change only the wrapping key, and only of client-side objects.
    pub(crate) only_rewrap: bool,
    /// Whether to use a new data key even if the old one could stay.
    pub(crate) new_data_key: bool,
    /// Whether to encrypt what nobody is proven to have written, too: objects that are not client-side, although old keys
    /// were given, and those that anyone could have encrypted.
    pub(crate) encrypt_unproven: bool,
    /// The suffix of an instruction file for a further reader.
    pub(crate) share_to: Option<InstructionSuffix>,
}

/// The encryption that objects are rotated to.
pub(crate) struct DesiredEncryption {
    /// The encryption, ready to be used.
    pub(crate) encryptor: Encryptor,
    /// The same, to compare with the current encryption.
    pub(crate) desired: Desired,
    /// Whether to encrypt what nobody is proven to have written, too.
    pub(crate) encrypts_unproven: bool,
    /// The suffix of a further reader's instruction file.
    pub(crate) share_to: Option<InstructionSuffix>,
    /// The keys that decrypt new objects; `None` if they are not available (an RSA public key).
    pub(crate) decryption_keys: Option<DecryptionKeys>,
}

impl DesiredEncryption {
    /// Prepares the encryption; `old` are the keys that decrypt the current objects.
    ///
    /// # Errors
    /// `KeyWrong` for a key in AWS KMS that is not there or of no use, with which every object would fail.
    pub(crate) async fn new(
        connection: &Connection,
        encryption: Encryption,
        options: RotationOptions,
        old: &DecryptionKeys,
    ) -> Result<Self> {
        let encryptor = prepare(Some(encryption)).await?;
        for key in kms_keys(&encryptor, connection.is_kms_that_of_s3()) {
            usable(connection, key).await?;
        }
        let desired = desired(connection, &encryptor, &options, old).await;
        let decryption_keys = decryption_keys(&encryptor, old.legacy);
        let RotationOptions { encrypt_unproven: encrypts_unproven, share_to, .. } = options;
        Ok(Self { encryptor, desired, encrypts_unproven, share_to, decryption_keys })
    }

    /// The requested server-side encryption, if any.
    pub(crate) fn at_rest(&self) -> Option<&ServerSide> {
        self.encryptor.server_side()
    }

    /// The SSE-C key that new objects need.
    pub(crate) fn customer_key(&self) -> Option<&CustomerKey> {
        self.encryptor.customer_key()
    }

    /// Client-side encryption, if that is the target.
    pub(crate) fn client(&self) -> Option<&ClientEncryptor> {
        self.encryptor.client_side()
    }

    /// Whether the new object is bound to its name: because it is requested, or because the old one is.
    pub(crate) fn binds_name(&self, current: &Current) -> bool {
        let keeps = current.client_side.is_some_and(|client_side| client_side.name_bound);
        self.client().is_some_and(|client| client.bind_name || keeps)
    }

    /// The encryption context that a client-side object gets; `None` if its new format has none.
    pub(crate) fn new_context(&self, now: Option<StoredFormat>) -> Option<&Context> {
        let client = self.client()?;
        let format = client.format.map(StoredFormat::Writable).or(now);
        let has_one =
            format == Some(StoredFormat::Writable(Format::Esdk)) || client.kms_keys().next().is_some();
        has_one.then_some(&client.context)
    }

    /// Whether who opens a new object learns that a holder of its key encrypted it.
    pub(crate) fn proves_writer(&self) -> bool {
        self.client()
            .is_some_and(|client| client.wrappers.iter().any(|wrapper| !matches!(wrapper, Wrapper::Rsa(_))))
    }

    /// The key for an update in place.
    pub(crate) fn update_key(&self) -> Option<&str> {
        match &self.desired {
            Desired::Server(AtRest::SseKms { key, .. }) => key.as_ref().map(KmsKey::as_str),
            _ => None,
        }
    }

    /// Whether an object shows that it has this encryption: S3 does not show an encryption context.
    pub(crate) fn is_visible(&self) -> bool {
        self.context().is_none_or(Context::is_empty)
    }

    /// The encryption context for S3.
    pub(super) fn context(&self) -> Option<&Context> {
        self.at_rest()?.kms().map(|(_, context)| context)
    }

    /// Whether a passphrase is among the keys. A journal's name does not depend on it.
    pub(crate) fn has_passphrase(&self) -> bool {
        let is_one = |wrapper: &Wrapper| matches!(wrapper, Wrapper::Passphrase(..));
        self.client().is_some_and(|client| client.wrappers.iter().any(is_one))
    }
}

/// The keys in AWS KMS that new objects are encrypted with: by S3 only with `of_s3`.
fn kms_keys(encryptor: &Encryptor, of_s3: bool) -> impl Iterator<Item = &KmsKey> {
    let at_rest = encryptor.server_side().filter(|_| of_s3).and_then(ServerSide::kms);
    let wrapping = encryptor.client_side().into_iter().flat_map(ClientEncryptor::kms_keys);
    wrapping.chain(at_rest.and_then(|(key, _)| key))
}

/// Fails if KMS says that a key is not there or cannot be used; without permission to ask, the first object tells.
async fn usable(connection: &Connection, key: &KmsKey) -> Result<()> {
    let why = match connection.describe_key(key).await {
        Err(error @ Error::KeyWrong { .. }) => return Err(error),
        Err(_) => None,
        Ok(facts) => facts.fault(),
    };
    why.map_or(Ok(()), |why| Err(Error::KeyWrong { subject: key.into(), why, source: None }))
}

async fn desired(
    connection: &Connection,
    encryptor: &Encryptor,
    options: &RotationOptions,
    old: &DecryptionKeys,
) -> Desired {
    match encryptor {
        Encryptor::Server(sse) => match sse {
            Some(sse) => Desired::Server(at_rest(connection, sse).await),
            None => Desired::Server(AtRest::SseS3),
        },
        Encryptor::Client(client) => Desired::Client {
            format: client.format,
            at_rest: match &client.at_rest {
                Some(sse) => Some(at_rest(connection, sse).await),
                None => None,
            },
            in_instruction_file: client.instruction_file,
            only_rewrap: options.only_rewrap,
            new_data_key: options.new_data_key,
            bind_name: client.bind_name,
            kms: client.kms_keys().next().is_some(),
            share: options.share_to.is_some(),
            // With old keys, only what they open is known to come from somebody who had one; with a new data key alone,
            // what is meant has one already.
            encrypts_plaintext: options.encrypt_unproven
                || !options.new_data_key && old.opens_nothing_client_side(),
        },
    }
}

async fn at_rest(connection: &Connection, sse: &ServerSide) -> AtRest {
    match sse {
        ServerSide::SseS3 => AtRest::SseS3,
        ServerSide::SseC(key) => AtRest::SseC { md5: key.md5().to_owned() },
        ServerSide::SseKms { key, context, bucket_key } => AtRest::SseKms {
            key: resolved(connection, key.as_ref()).await,
            named: key.is_some(),
            context: !context.is_empty(),
            bucket_key: *bucket_key,
        },
        ServerSide::DsseKms { key, context } => {
            AtRest::DsseKms { key: resolved(connection, key.as_ref()).await, context: !context.is_empty() }
        }
    }
}

/// Names a key by its ARN, if that is to be had; without a key, S3's default key.
async fn resolved(connection: &Connection, key: Option<&KmsKey>) -> Option<KmsKey> {
    match connection.resolve_key(&key.cloned().unwrap_or_else(KmsKey::s3_default)).await {
        Ok(arn) => Some((&arn).into()),
        Err(_) => key.cloned(),
    }
}

/// Collects the keys that decrypt new objects, as copies of those that encrypt them.
fn decryption_keys(encryptor: &Encryptor, legacy: Legacy) -> Option<DecryptionKeys> {
    let Encryptor::Client(client) = encryptor else {
        return Some(DecryptionKeys { legacy, ..DecryptionKeys::default() });
    };
    let (mut ring, mut kms_keys) = (KeyRing::default(), Vec::new());
    for wrapper in &client.wrappers {
        match wrapper {
            Wrapper::Aes(key) => ring.symmetric.push(key.again()),
            Wrapper::Kms(key) => kms_keys.push(key.clone()),
            Wrapper::Passphrase(passphrase, derived) => {
                // The derived key first: it decrypts what this run encrypts without another derivation.
                ring.symmetric.push(derived.key().again());
                ring.passphrases.push(passphrase.again());
            }
            Wrapper::Rsa(_) => {}
        }
    }
    if ring.is_empty() && kms_keys.is_empty() {
        return None;
    }
    Some(DecryptionKeys {
        unwrapper: Arc::new(Unwrapper::new(ring)),
        kms_keys,
        context: client.context.clone(),
        // This run must be able to read the V2 objects that it writes.
        legacy: if client.format == Some(Format::S3ecV2) { legacy.max(Legacy::V2) } else { legacy },
        ..DecryptionKeys::default()
    })
}
