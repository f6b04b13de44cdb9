//! The client-side half of an outcome: which envelope an object has, and whether one of the given keys unwraps its data
//! key.
//!
//! No content is decrypted. A broken envelope is an outcome here, whereas `get` refuses it.

use crate::aws::object_head::ObjectHead;
use crate::aws::read_object::ObjectReader;
use crate::commands::inspect::InspectOptions;
use crate::commands::inspect::outcome::{ClientSeen, EnvelopeFacts, Opens};
use crate::commands::instruction_file::is_one;
use crate::commands::open_envelope::{begins_like_a_message, header, instruction_file};
use crate::encryption::Context;
use crate::error::{Error, KeyFault, Result};
use crate::seal::OpenedWith;
use crate::seal::detect::{self, Detected};
use crate::seal::esdk::{Marker, Message};
use crate::seal::s3ec::Envelope;
use crate::seal::wrap::Wrap;
use crate::transfer::blocking;

/// A closer look at one object, beyond its metadata.
struct Second<'a> {
    reader: &'a ObjectReader<'a>,
    head: &'a ObjectHead,
    options: &'a InspectOptions,
}

/// Looks for an envelope, and tries the given keys on it. An object inspected `alone`, or with
/// [`InspectOptions::deep`], is examined more closely: an envelope in its own bytes or in an instruction file is
/// fetched even if nothing points to it. For one of many it is fetched only if the metadata points to it and there are
/// keys to try. If the data is read, whatever reading it would find is found here too.
///
/// # Errors
/// `Network` if something that must be fetched cannot be; `Changed` if the object has been replaced meanwhile.
pub(super) async fn detect(
    reader: &ObjectReader<'_>,
    head: &ObjectHead,
    options: &InspectOptions,
    alone: bool,
) -> Result<ClientSeen> {
    let second = Second { reader, head, options };
    let is_read = options.read.is_some();
    let closely = alone || options.deep || is_read && !options.keys.opens_nothing_client_side();
    let opening = closely || is_read || second.tries_keys();
    match detect::detect(reader.subject(), &head.metadata) {
        Ok(Detected::S3ec(envelope)) => second.s3ec(envelope).await,
        Ok(Detected::Esdk(marker)) if opening => second.esdk(Some(&marker)).await,
        Ok(Detected::Esdk(marker)) => Ok(ClientSeen::Envelope(Box::new(EnvelopeFacts::esdk_marked(&marker)))),
        Ok(Detected::InstructionFileNeeded) if opening => second.instructed(true).await,
        Ok(Detected::InstructionFileNeeded) => Ok(ClientSeen::InstructionFileNotRead),
        Ok(Detected::Plain) if second.is_instruction_file().await? => Ok(ClientSeen::InstructionFile),
        Ok(Detected::Plain) if closely => match begins_like_a_message(reader, head).await {
            Ok(true) => second.esdk(None).await,
            Err(error @ (Error::Network { .. } | Error::Changed { .. })) => Err(error),
            // Bytes that cannot be fetched (denied, or archived) show no sign of an envelope.
            Ok(false) | Err(_) => second.instructed(false).await,
        },
        Ok(Detected::Plain) => Ok(ClientSeen::NoSign),
        Err(error) => broken(error),
    }
}

/// The outcome of a broken envelope.
fn broken(error: Error) -> Result<ClientSeen> {
    match error {
        Error::Tampered { why, .. } => Ok(ClientSeen::Broken(why)),
        error @ (Error::Network { .. } | Error::Changed { .. }) => Err(error),
        error => Ok(ClientSeen::Broken(error.to_string())),
    }
}

impl Second<'_> {
    async fn s3ec(&self, envelope: Envelope) -> Result<ClientSeen> {
        let mut described = EnvelopeFacts::s3ec(&envelope, self.head.len);
        if self.tries_keys() {
            match self.opens_s3ec(envelope).await {
                Ok(opens) => described.opens = opens,
                Err(error) => return broken(error),
            }
        }
        Ok(ClientSeen::Envelope(Box::new(described)))
    }

    async fn esdk(&self, marker: Option<&Marker>) -> Result<ClientSeen> {
        let message = match (header(self.reader, self.head).await, marker) {
            (Ok(message), _) => message,
            // Only the first bytes looked like a message.
            (Err(Error::Tampered { .. }), None) => return Ok(ClientSeen::NoSign),
            (Err(Error::Denied { .. }), Some(marker)) => {
                return Ok(ClientSeen::Envelope(Box::new(EnvelopeFacts::esdk_marked(marker))));
            }
            (Err(error), _) => return broken(error),
        };
        let mut described = EnvelopeFacts::esdk(&message, marker, self.head.len);
        if self.tries_keys() {
            match self.opens_esdk(*message).await {
                Ok(opens) => described.opens = opens,
                Err(error) => return broken(error),
            }
        }
        Ok(ClientSeen::Envelope(Box::new(described)))
    }

    async fn is_instruction_file(&self) -> Result<bool> {
        match is_one(self.reader, self.head, self.options.keys.suffix.as_ref()).await {
            Err(error) if !matches!(error, Error::Network { .. }) => Ok(false),
            found => found,
        }
    }

    /// Looks for an instruction file; `named` says that the object's metadata points to one.
    async fn instructed(&self, named: bool) -> Result<ClientSeen> {
        let suffix = self.options.keys.suffix.as_ref();
        let (uri, file) = instruction_file(self.reader, suffix).await;
        match file {
            Ok(Some(file)) => {
                match detect::with_instruction(self.reader.subject(), &self.head.metadata, &file) {
                    Ok(envelope) => self.s3ec(envelope).await,
                    // A file of that name need not be an instruction file.
                    Err(_) if !named => Ok(ClientSeen::NoSign),
                    Err(error) => broken(error),
                }
            }
            Ok(None) if named => Ok(ClientSeen::Broken(format!("its instruction file {uri} does not exist"))),
            Err(Error::Denied { .. }) if named => Ok(ClientSeen::InstructionFileNotRead),
            // Without permission to list the bucket, S3 answers "access denied" for a key that does not exist.
            Ok(None) | Err(Error::Denied { .. }) => Ok(ClientSeen::NoSign),
            Err(Error::TooLarge { .. }) if !named => Ok(ClientSeen::NoSign),
            Err(error) => broken(error),
        }
    }

    /// Whether to try the given keys here; reading the data tries them anyway.
    fn tries_keys(&self) -> bool {
        self.options.read.is_none() && !self.options.keys.unwrapper.ring().is_empty()
    }

    /// Tries the local keys on the data key, if the user allows its algorithms. Nothing of the object itself is
    /// fetched, and KMS is not asked.
    async fn opens_s3ec(&self, envelope: Envelope) -> Result<Opens> {
        // Only the content proves such a key, and it is not read here. To report whether unwrapping worked would be a
        // padding oracle.
        if envelope.wrap() == Wrap::RsaPkcs1 {
            return Ok(Opens::NotTried);
        }
        let Ok(permitted) = envelope.permit(self.options.keys.legacy) else { return Ok(Opens::NotTried) };
        if permitted.needs_kms() {
            return Ok(Opens::NotTried);
        }
        let unwrapper = self.options.keys.unwrapper.clone();
        opened(blocking(move || Ok(unwrapper.unwrap_s3ec(permitted)?.opened_with().clone())).await?)
    }

    async fn opens_esdk(&self, message: Message) -> Result<Opens> {
        let permitted = match message.permit(self.options.keys.legacy, &Context::default()) {
            Ok(permitted) => permitted,
            Err(Error::Unsupported { .. }) => return Ok(Opens::NotTried),
            Err(error) => return opened(Err(error)),
        };
        let unwrapper = self.options.keys.unwrapper.clone();
        opened(blocking(move || Ok(unwrapper.unwrap_esdk(&permitted)?.opened_with().clone())).await?)
    }
}

/// Which key opens an object, if one does. What a key has shown to be changed is an error.
fn opened(tried: Result<OpenedWith>) -> Result<Opens> {
    match tried {
        Ok(with) => Ok(Opens::With(with)),
        Err(Error::KeyNeeded { .. } | Error::KeyWrong { why: KeyFault::CostlyPassphrase { .. }, .. }) => {
            Ok(Opens::NotTried)
        }
        Err(error @ Error::Tampered { .. }) => Err(error),
        Err(_) => Ok(Opens::WithNone),
    }
}
