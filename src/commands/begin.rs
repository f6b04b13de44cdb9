//! `put`'s second step: a data key, its wrap, the sealer and what goes beside the object.
//!
//! Here the neighbours meet who do not know each other: KMS makes a data key (`aws`), the format uses it (`seal`).

use crate::aws::Connection;
use crate::encryption::{ClientSide, Context, Encryption, Format, Recipient, ServerSide};
use crate::error::{Error, Result};
use crate::keys::DataKey;
use crate::object::Settings;
use crate::seal::passphrase::Derived;
use crate::seal::s3ec::{self, Storage, kms_context};
use crate::seal::wrap::{self, Alg, LocalKey, WrappedKey};
use crate::seal::{Attributes, Seal};
use crate::transfer::blocking;

/// S3's limit on user metadata: bytes of all names and values ("Working with object metadata", user guide).
const MAX_METADATA: usize = 2048;

/// What is known before the first byte.
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
    let mut begun = Begun { seal: None, sse: None, format: None, fingerprint: None, instruction: None };
    match encryption {
        None => {}
        Some(Encryption::Server(sse)) => begun.sse = Some(sse),
        Some(Encryption::Client(client)) => {
            let format = client.format.unwrap_or(Format::S3ec);
            let ClientSide { recipients, context, at_rest, .. } = client;
            let recipient = only(recipients, &context)?;
            let (data_key, wrapped, fingerprint) =
                data_key(connection, recipient, &context, Alg::try_from(format)?).await?;
            let storage = if client.instruction_file { Storage::InstructionFile } else { Storage::Metadata };
            let seal = s3ec::sealer(&data_key, wrapped, storage, len)?;
            let Attributes { metadata, instruction } = seal.attributes();
            describe(settings, metadata)?;
            begun = Begun { seal: Some(seal), sse: at_rest, format: Some(format), fingerprint, instruction };
        }
    }
    Ok(begun)
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
