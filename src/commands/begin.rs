//! `put`'s second step: a data key, its wrap, the sealer and what goes beside the object.
//!
//! Here the neighbours meet who do not know each other: KMS makes a data key (`aws`), the format uses it (`seal`).

use crate::aws::Connection;
use crate::encryption::{ClientSide, Context, Encryption, Format, KeyName, Recipient, ServerSide};
use crate::error::{Error, Result};
use crate::keys::DataKey;
use crate::object::Settings;
use crate::seal::esdk::NewMessage;
use crate::seal::gcm::MAX_PLAIN;
use crate::seal::passphrase::Derived;
use crate::seal::s3ec::{self, Storage, kms_context};
use crate::seal::wrap::{self, Alg, LocalKey, WrappedKey};
use crate::seal::{Attributes, Seal};
use crate::transfer::blocking;

/// S3's limit on user metadata: bytes of all names and values ("Working with object metadata", user guide).
const MAX_METADATA: usize = 2048;

/// What is known before the first byte.
#[derive(Default)]
pub struct Begun {
    /// The format at work; `None` where S3 encrypts.
    pub seal: Option<Box<dyn Seal>>,
    /// What S3 is asked to do to the bytes.
    pub sse: Option<ServerSide>,
    /// The client-side format.
    pub format: Option<Format>,
    /// The fingerprint of the wrapping key, for local keys.
    pub fingerprint: Option<String>,
    /// The content of the instruction file that is to be written before the object.
    pub instruction: Option<String>,
    /// The namespace and name of each raw key, which other programs ask for (Encryption SDK).
    pub key_names: Vec<String>,
}

/// Begins to encrypt; adds the envelope to `settings`. `len` is the plain length where it is known.
///
/// # Errors
/// What KMS refuses; `TooLarge` and `Unsupported` for what cannot be, before the first byte.
pub async fn begin(
    connection: &Connection,
    encryption: Option<Encryption>,
    len: Option<u64>,
    settings: &mut Settings,
) -> Result<Begun> {
    let mut begun = Begun::default();
    match encryption {
        None => {}
        Some(Encryption::Server(sse)) => begun.sse = Some(sse),
        Some(Encryption::Client(client)) => {
            let format = client.format.unwrap_or_else(|| default_format(len));
            begun = match format {
                Format::Esdk => esdk(connection, client, len).await?,
                Format::S3ec | Format::S3ecV2 => s3ec(connection, client, format, len).await?,
            };
            if let Some(seal) = &begun.seal {
                let Attributes { metadata, instruction } = seal.attributes();
                describe(settings, metadata)?;
                begun.instruction = instruction;
            }
        }
    }
    Ok(begun)
}

/// The S3 Encryption Client's where its one message is sure to hold the object, else the Encryption SDK's.
fn default_format(len: Option<u64>) -> Format {
    match len {
        Some(len) if len <= MAX_PLAIN => Format::S3ec,
        _ => Format::Esdk,
    }
}

async fn s3ec(
    connection: &Connection,
    client: ClientSide,
    format: Format,
    len: Option<u64>,
) -> Result<Begun> {
    if client.frame_length.is_some() || client.key_name.is_some() {
        return Err(unsupported("--frame-length and --key-name", "belong to --format esdk"));
    }
    let ClientSide { recipients, context, at_rest, instruction_file, .. } = client;
    let recipient = only(recipients, &context)?;
    let (data_key, wrapped, fingerprint) =
        data_key(connection, recipient, &context, Alg::try_from(format)?).await?;
    let storage = if instruction_file { Storage::InstructionFile } else { Storage::Metadata };
    let seal = s3ec::sealer(&data_key, wrapped, storage, len)?;
    let key_names = Vec::new();
    Ok(Begun {
        seal: Some(seal),
        sse: at_rest,
        format: Some(format),
        fingerprint,
        instruction: None,
        key_names,
    })
}

/// Seals for any number of recipients. KMS makes the data key where it is among them, and wraps it for the others.
async fn esdk(connection: &Connection, client: ClientSide, len: Option<u64>) -> Result<Begun> {
    if client.instruction_file {
        return Err(unsupported(
            "--instruction-file",
            "the Encryption SDK's envelope is the object's own header",
        ));
    }
    let ClientSide { recipients, context, at_rest, frame_length, key_name, .. } = client;
    let first = recipients.iter().find_map(|recipient| match recipient {
        Recipient::Kms(key) => Some(key.clone()),
        _ => None,
    });
    let (data_key, mut made) = match &first {
        Some(key) => {
            let made = connection.generate_data_key(key, context.pairs()).await?;
            (made.plain, Some((made.wrapped, made.key_arn)))
        }
        None => (fresh()?, None),
    };
    let mut message = NewMessage::new(data_key, &context)?;
    let mut begun = Begun { sse: at_rest, format: Some(Format::Esdk), ..Begun::default() };
    for recipient in recipients {
        let print = match recipient {
            Recipient::Kms(key) => {
                let (blob, arn) = if let Some(made) = made.take() {
                    made
                } else {
                    connection.wrap_data_key(&key, message.data_key(), message.context()).await?
                };
                message.add_kms(&arn, blob)?;
                continue;
            }
            Recipient::Aes(key) => {
                message.add(&LocalKey::Aes(&key), key_name.as_ref())?;
                key.fingerprint()
            }
            Recipient::Rsa(key) => {
                message.add(&LocalKey::Rsa(&key), key_name.as_ref())?;
                key.fingerprint()
            }
            Recipient::Passphrase(passphrase, costs) => {
                let derived = blocking(move || Derived::new(&passphrase, costs)).await??;
                message.add(&LocalKey::Passphrase(&derived), None)?;
                continue;
            }
        };
        let name = key_name.clone().unwrap_or_else(|| KeyName::of(&print));
        begun.key_names.push(name.to_string());
        begun.fingerprint.get_or_insert(print.to_string());
    }
    begun.seal = Some(message.seal(frame_length, len)?);
    Ok(begun)
}

fn fresh() -> Result<DataKey> {
    DataKey::random().map_err(|error| Error::local("a data key")(std::io::Error::other(error)))
}

/// The one recipient that the S3 Encryption Client's formats know.
fn only(mut recipients: Vec<Recipient>, context: &Context) -> Result<Recipient> {
    let (Some(recipient), true) = (recipients.pop(), recipients.is_empty()) else {
        return Err(unsupported("the S3 Encryption Client's formats", "take exactly one wrapping key"));
    };
    if !context.is_empty() && !matches!(recipient, Recipient::Kms(_)) {
        return Err(unsupported(
            "an encryption context",
            "the S3 Encryption Client's formats keep one with --kms-key only",
        ));
    }
    Ok(recipient)
}

/// Makes a data key and wraps it.
async fn data_key(
    connection: &Connection,
    recipient: Recipient,
    context: &Context,
    alg: Alg,
) -> Result<(DataKey, WrappedKey, Option<String>)> {
    let fresh =
        || DataKey::random().map_err(|error| Error::local("a data key")(std::io::Error::other(error)));
    match recipient {
        Recipient::Kms(key) => {
            let context = kms_context(alg, context)?;
            let made = connection.generate_data_key(&key, &context).await?;
            Ok((made.plain, WrappedKey::from_kms(alg, made.wrapped, context), None))
        }
        Recipient::Aes(key) => {
            let data_key = fresh()?;
            let wrapped = wrap::wrap(alg, &data_key, &LocalKey::Aes(&key))?;
            Ok((data_key, wrapped, Some(key.fingerprint().to_string())))
        }
        Recipient::Rsa(key) => {
            let data_key = fresh()?;
            let wrapped = wrap::wrap(alg, &data_key, &LocalKey::Rsa(&key))?;
            Ok((data_key, wrapped, Some(key.fingerprint().to_string())))
        }
        Recipient::Passphrase(passphrase, costs) => {
            let data_key = fresh()?;
            let derived = blocking(move || Derived::new(&passphrase, costs)).await??;
            let wrapped = wrap::wrap(alg, &data_key, &LocalKey::Passphrase(&derived))?;
            Ok((data_key, wrapped, None))
        }
    }
}

/// Puts the envelope into the object's metadata.
fn describe(settings: &mut Settings, envelope: std::collections::BTreeMap<String, String>) -> Result<()> {
    if let Some(name) = settings.metadata.keys().find(|name| name.starts_with("x-amz-")) {
        return Err(unsupported(
            &format!("the metadata '{name}'"),
            "names that begin with x-amz- belong to the envelope of client-side encryption",
        ));
    }
    settings.metadata.extend(envelope);
    let bytes: usize = settings.metadata.iter().map(|(name, value)| name.len() + value.len()).sum();
    if bytes > MAX_METADATA {
        return Err(unsupported(
            &format!("metadata of {bytes} bytes"),
            "S3 keeps 2048, and the envelope takes its share; write it beside the object with --instruction-file",
        ));
    }
    Ok(())
}

fn unsupported(what: &str, why: &str) -> Error {
    Error::Unsupported { what: what.to_owned(), why: why.to_owned() }
}
