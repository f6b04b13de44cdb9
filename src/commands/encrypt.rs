//! Encrypts objects: makes and wraps a data key for each one, and builds the envelope.
//!
//! `aws` and `seal` do not depend on each other: this module passes data keys from KMS in `aws` to the formats in
//! `seal`. [`Encryptor`] holds what all objects of a run share, such as a key derived from a passphrase;
//! [`ObjectEncryptor`] holds the rest.

use std::collections::BTreeMap;

use crate::aws::Connection;
use crate::aws::instruction_file::PendingInstructionFile;
use crate::commands::envelope_metadata::describe;
use crate::commands::verify_envelope::SentEnvelope;
use crate::defaults;
use crate::encryption::{
    ClientSide, Context, Encryption, Format, KeyArn, KeyName, KmsKey, Recipient, ServerSide,
};
use crate::error::{Error, Result, Unsupported};
use crate::keys::{CustomerKey, DataKey, Fingerprint, Passphrase, RsaPublicKey, SymmetricKey};
use crate::location::S3Uri;
use crate::object::{FileContent, PublicEnvelope, Settings, instruction_file_key};
use crate::seal::argon2id::PassphraseKey;
use crate::seal::esdk::NewMessage;
use crate::seal::gcm::MAX_PLAIN;
use crate::seal::s3ec::{self, Storage, kms_context};
use crate::seal::wrap::{self, Alg, LocalKey, WrappedKey};
use crate::seal::{Attributes, Seal};
use crate::transfer::blocking;

/// How all objects of a run are encrypted.
pub(crate) enum Encryptor {
    /// By S3; `None` means the bucket's default encryption.
    Server(Option<ServerSide>),
    Client(ClientEncryptor),
}

impl Encryptor {
    /// How S3 is asked to encrypt; `None` is the bucket's default.
    pub(crate) fn server_side(&self) -> Option<&ServerSide> {
        match self {
            Self::Server(sse) => sse.as_ref(),
            Self::Client(client) => client.at_rest.as_ref(),
        }
    }

    /// Client-side encryption, if it is that.
    pub(crate) fn client_side(&self) -> Option<&ClientEncryptor> {
        match self {
            Self::Client(client) => Some(client),
            Self::Server(_) => None,
        }
    }

    /// The SSE-C key that the objects need.
    pub(crate) fn customer_key(&self) -> Option<&CustomerKey> {
        self.server_side().and_then(ServerSide::customer_key)
    }

    /// Whether the envelopes go into instruction files.
    pub(crate) fn has_instruction_files(&self) -> bool {
        self.client_side().is_some_and(|client| client.instruction_file)
    }
}

pub(crate) struct ClientEncryptor {
    /// With `None`, the object's length decides.
    pub(crate) format: Option<Format>,
    pub(crate) wrappers: Vec<Wrapper>,
    pub(crate) context: Context,
    /// Whether each object's name goes into its encryption context.
    pub(crate) bind_name: bool,
    /// How S3 encrypts the ciphertext at rest; `None` means the bucket's default encryption.
    pub(crate) at_rest: Option<ServerSide>,
    pub(crate) instruction_file: bool,
    /// Plaintext bytes per frame (Encryption SDK).
    pub(crate) frame_length: Option<u32>,
    /// The namespace and name of the raw keys (Encryption SDK).
    pub(crate) key_name: Option<KeyName>,
}

/// A wrapping key.
pub(crate) enum Wrapper {
    Aes(SymmetricKey),
    Rsa(RsaPublicKey),
    Kms(KmsKey),
    /// A passphrase, and the key derived from it with one salt for all objects of a run.
    Passphrase(Passphrase, Box<PassphraseKey>),
}

/// Makes the encryptor of a run. A key is derived from a passphrase here, which takes time and memory.
pub(crate) async fn prepare(encryption: Option<Encryption>) -> Result<Encryptor> {
    let client = match encryption {
        None => return Ok(Encryptor::Server(None)),
        Some(Encryption::Server(sse)) => return Ok(Encryptor::Server(Some(sse))),
        Some(Encryption::Client(client)) => client,
    };
    let ClientSide {
        format,
        recipients,
        context,
        bind_name,
        at_rest,
        instruction_file,
        frame_length,
        key_name,
    } = client;
    let mut wrappers = Vec::new();
    for recipient in recipients {
        wrappers.push(match recipient {
            Recipient::Aes(key) => Wrapper::Aes(key),
            Recipient::Rsa(key) => Wrapper::Rsa(key),
            Recipient::Kms(key) => Wrapper::Kms(key),
            Recipient::Passphrase(passphrase, costs) => {
                let (passphrase, derived) = blocking(move || {
                    let derived = PassphraseKey::new(&passphrase, costs);
                    (passphrase, derived)
                })
                .await?;
                Wrapper::Passphrase(passphrase, Box::new(derived?))
            }
        });
    }
    Ok(Encryptor::Client(ClientEncryptor {
        format,
        wrappers,
        context,
        bind_name,
        at_rest,
        instruction_file,
        frame_length,
        key_name,
    }))
}

/// Encrypts one object, with its own data key.
#[derive(Default)]
pub(crate) struct ObjectEncryptor<'a> {
    /// Encrypts the bytes; `None` if only S3 does.
    pub(crate) seal: Option<Box<dyn Seal>>,
    /// The server-side encryption to request.
    pub(crate) sse: Option<&'a ServerSide>,
    pub(crate) format: Option<Format>,
    /// The fingerprint of the SSE-C key, or of the first local wrapping key.
    pub(crate) fingerprint: Option<String>,
    /// The envelope's entries in the object's metadata.
    metadata: BTreeMap<String, String>,
    /// The content of the instruction file, which is written before the object.
    instruction: Option<String>,
    /// The data key, to read the object after it was written.
    pub(crate) data_key: Option<DataKey>,
    /// The namespace and name of each raw key, which other programs need to decrypt (Encryption SDK).
    pub(crate) key_names: Vec<String>,
}

impl<'a> ObjectEncryptor<'a> {
    /// Makes the encryptor of the object at `uri`, and adds its envelope to the metadata in `settings`. `len` is the
    /// length of the plaintext, if it is known.
    ///
    /// # Errors
    /// Errors of KMS; `TooLarge` and `Unsupported` for what the format cannot do.
    pub(crate) async fn new(
        connection: &Connection,
        encryptor: &'a Encryptor,
        uri: &S3Uri,
        len: Option<u64>,
        settings: &mut Settings,
    ) -> Result<Self> {
        let shape = encryptor.client_side().map_or_else(EnvelopeShape::default, |client| EnvelopeShape {
            format: client.format,
            in_instruction_file: client.instruction_file,
            name_bound: client.bind_name,
        });
        Self::with_shape(connection, encryptor, uri, shape, len, settings).await
    }

    /// As [`ObjectEncryptor::new`], with an envelope of this shape.
    pub(crate) async fn with_shape(
        connection: &Connection,
        encryptor: &'a Encryptor,
        uri: &S3Uri,
        shape: EnvelopeShape,
        len: Option<u64>,
        settings: &mut Settings,
    ) -> Result<Self> {
        let Some(client) = encryptor.client_side() else {
            let fingerprint = encryptor.customer_key().map(|key| key.fingerprint().to_string());
            return Ok(Self { sse: encryptor.server_side(), fingerprint, ..Self::default() });
        };
        let format = shape.format.unwrap_or_else(|| default_format(len));
        let context = client.context_of(shape.name_bound.then_some(uri));
        let mut object = match format {
            Format::Esdk => client.esdk(connection, &context, shape.in_instruction_file, len).await?,
            Format::S3ec | Format::S3ecV2 => {
                client.s3ec(connection, &context, format, shape.in_instruction_file, len).await?
            }
        };
        if let Some(seal) = &object.seal {
            let Attributes { metadata, instruction } = seal.attributes();
            describe(settings, &metadata)?;
            object.metadata = metadata;
            object.instruction = instruction;
        }
        Ok(object)
    }

    /// The stored length of `plain_len` bytes.
    pub(crate) fn stored_len(&self, plain_len: u64) -> u64 {
        self.seal.as_ref().map_or(plain_len, |seal| seal.sealed_len(plain_len))
    }

    /// The instruction file of the object at `uri`, if its envelope goes there.
    pub(crate) fn instruction_file<'b>(
        &'b self,
        connection: &'b Connection,
        uri: &'b S3Uri,
    ) -> Option<PendingInstructionFile<'b>> {
        self.instruction.as_deref().map(|content| {
            let file = uri.with_key(instruction_file_key(&uri.key, None));
            PendingInstructionFile::new(connection, file, uri, content)
        })
    }

    /// The envelope of the object stored at `uri`; `None` without client-side encryption.
    pub(crate) fn envelope(&self, uri: &S3Uri) -> Option<SentEnvelope> {
        let format = self.format?;
        let instruction_file = self.instruction.as_ref().map(|content| FileContent {
            uri: uri.with_key(instruction_file_key(&uri.key, None)).to_string(),
            content: content.clone(),
        });
        let envelope = PublicEnvelope { metadata: self.metadata.clone(), instruction_file };
        Some(SentEnvelope::new(envelope, format))
    }
}

/// Properties of an envelope that may differ between the objects of one [`Encryptor`]: re-encryption keeps those that
/// an object had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct EnvelopeShape {
    /// With `None`, the object's length decides.
    pub(crate) format: Option<Format>,
    pub(crate) in_instruction_file: bool,
    /// Whether the object's name is in its encryption context.
    pub(crate) name_bound: bool,
}

/// The S3 Encryption Client's format if the object is known to fit into its single AES-GCM message, otherwise the
/// Encryption SDK's.
pub(crate) fn default_format(len: Option<u64>) -> Format {
    match len {
        Some(len) if len <= MAX_PLAIN => defaults::FORMAT,
        _ => defaults::FORMAT_OF_STREAMS,
    }
}

impl ClientEncryptor {
    /// The encryption context of an object, including the name that it is bound to, if any.
    pub(crate) fn context_of(&self, bound_to: Option<&S3Uri>) -> Context {
        bound_to.map_or_else(|| self.context.clone(), |uri| self.context.bound_to(&uri.into()))
    }

    async fn s3ec(
        &self,
        connection: &Connection,
        context: &Context,
        format: Format,
        in_instruction_file: bool,
        len: Option<u64>,
    ) -> Result<ObjectEncryptor<'_>> {
        if self.frame_length.is_some() || self.key_name.is_some() {
            return Err(Error::unsupported("a frame length and key names", Unsupported::EsdkOnly));
        }
        let wrapper = self.only(context)?;
        let (data_key, under_it) =
            self.data_key(connection, wrapper, Alg::try_from(format)?, context).await?;
        let storage = if in_instruction_file { Storage::InstructionFile } else { Storage::Metadata };
        Ok(ObjectEncryptor {
            seal: Some(s3ec::sealer(&data_key, under_it, storage, len)?),
            sse: self.at_rest.as_ref(),
            format: Some(format),
            fingerprint: wrapper.fingerprint().map(|print| print.to_string()),
            data_key: Some(data_key),
            ..ObjectEncryptor::default()
        })
    }

    /// Encrypts for any number of recipients. If any of them is a KMS key, KMS generates the data key, and encrypts it
    /// for each further KMS key.
    async fn esdk(
        &self,
        connection: &Connection,
        context: &Context,
        in_instruction_file: bool,
        len: Option<u64>,
    ) -> Result<ObjectEncryptor<'_>> {
        if in_instruction_file {
            return Err(Error::unsupported(
                "an instruction file",
                "the Encryption SDK's envelope is the object's own header",
            ));
        }
        let (data_key, mut made) = match self.kms_keys().next() {
            Some(key) => {
                let made = connection.generate_data_key(key, context.pairs()).await?;
                (made.plain, Some((made.wrapped, made.key)))
            }
            None => (fresh()?, None),
        };
        let mut message = NewMessage::new(data_key, context)?;
        let mut object = ObjectEncryptor {
            sse: self.at_rest.as_ref(),
            format: Some(Format::Esdk),
            ..ObjectEncryptor::default()
        };
        for wrapper in &self.wrappers {
            match wrapper {
                Wrapper::Kms(key) => {
                    let (blob, arn) = if let Some(made) = made.take() {
                        made
                    } else {
                        connection.wrap_data_key(key, message.data_key(), message.context()).await?
                    };
                    message.add_kms(&arn, blob)?;
                }
                Wrapper::Aes(key) => message.add(&LocalKey::Aes(key), self.key_name.as_ref())?,
                Wrapper::Rsa(key) => message.add(&LocalKey::Rsa(key), self.key_name.as_ref())?,
                Wrapper::Passphrase(_, derived) => message.add(&LocalKey::Passphrase(derived), None)?,
            }
            if let Some(print) = wrapper.fingerprint() {
                let name =
                    self.key_name.clone().unwrap_or_else(|| KeyName::of(defaults::KEY_NAMESPACE, &print));
                object.key_names.push(name.to_string());
                object.fingerprint.get_or_insert(print.to_string());
            }
        }
        object.data_key = Some(message.data_key().again());
        object.seal = Some(message.seal(self.frame_length, len)?);
        Ok(object)
    }

    /// The one wrapping key that the S3 Encryption Client's formats allow.
    pub(crate) fn only(&self, context: &Context) -> Result<&Wrapper> {
        let [wrapper] = self.wrappers.as_slice() else {
            return Err(Error::unsupported(
                "the S3 Encryption Client's formats",
                "take exactly one wrapping key",
            ));
        };
        if !context.is_empty() && !matches!(wrapper, Wrapper::Kms(_)) {
            return Err(Error::unsupported("an encryption context", Unsupported::ContextNeedsKms));
        }
        Ok(wrapper)
    }

    /// The wrapping keys in KMS, as they were given.
    pub(crate) fn kms_keys(&self) -> impl Iterator<Item = &KmsKey> {
        self.wrappers.iter().filter_map(|wrapper| match wrapper {
            Wrapper::Kms(key) => Some(key),
            Wrapper::Aes(_) | Wrapper::Rsa(_) | Wrapper::Passphrase(..) => None,
        })
    }

    /// The ARNs of the wrapping keys in KMS, as far as KMS has returned them.
    pub(crate) fn kms_arns(&self, connection: &Connection) -> Vec<KeyArn> {
        self.kms_keys().filter_map(|key| connection.key_arn(key)).collect()
    }

    /// Makes a data key and wraps it.
    async fn data_key(
        &self,
        connection: &Connection,
        wrapper: &Wrapper,
        alg: Alg,
        context: &Context,
    ) -> Result<(DataKey, WrappedKey)> {
        if let Wrapper::Kms(key) = wrapper {
            let context = kms_context(alg, context)?;
            let made = connection.generate_data_key(key, &context).await?;
            return Ok((made.plain, WrappedKey::from_kms(alg, made.wrapped, context)));
        }
        let data_key = fresh()?;
        let under_it = self.wrap(connection, wrapper, &data_key, alg, context).await?;
        Ok((data_key, under_it))
    }

    /// Wraps an existing data key for one of the S3 Encryption Client's formats.
    pub(crate) async fn wrap(
        &self,
        connection: &Connection,
        wrapper: &Wrapper,
        data_key: &DataKey,
        alg: Alg,
        context: &Context,
    ) -> Result<WrappedKey> {
        match wrapper {
            Wrapper::Kms(key) => {
                let context = kms_context(alg, context)?;
                let (blob, _) = connection.wrap_data_key(key, data_key, &context).await?;
                Ok(WrappedKey::from_kms(alg, blob, context))
            }
            Wrapper::Aes(key) => wrap::wrap(alg, data_key, &LocalKey::Aes(key)),
            Wrapper::Rsa(key) => wrap::wrap(alg, data_key, &LocalKey::Rsa(key)),
            Wrapper::Passphrase(_, derived) => wrap::wrap(alg, data_key, &LocalKey::Passphrase(derived)),
        }
    }
}

impl Wrapper {
    /// The fingerprint of a local key; KMS keys and passphrases have none.
    pub(crate) fn fingerprint(&self) -> Option<Fingerprint> {
        match self {
            Self::Aes(key) => Some(key.fingerprint()),
            Self::Rsa(key) => Some(key.fingerprint()),
            Self::Kms(_) | Self::Passphrase(..) => None,
        }
    }
}

fn fresh() -> Result<DataKey> {
    DataKey::random().map_err(|error| Error::local("make", "a data key")(std::io::Error::other(error)))
}
