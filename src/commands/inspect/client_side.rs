//! The client-side half of an outcome: which envelope an object has, and whether a given key decrypts it.
//!
//! No content is opened. A broken envelope is an outcome here, where `get` refuses it.

use crate::aws::object_head::ObjectHead;
use crate::aws::read_object::ObjectReader;
use crate::commands::inspect::InspectOptions;
use crate::commands::inspect::outcome::{ClientSeen, EnvelopeFacts, Opens};
use crate::commands::open_envelope::{begins_like_a_message, header, instruction_file};
use crate::encryption::Context;
use crate::error::{Error, KeyFault, Result};
use crate::limits::MAX_INSTRUCTION_FILE_BYTES;
use crate::object::INSTRUCTION_FILE_MARKER;
use crate::seal::OpenedWith;
use crate::seal::detect::{self, Detected};
use crate::seal::esdk::{Marker, Message, Policy};
use crate::seal::s3ec::{Envelope, Need};
use crate::seal::wrap::Wrap;
use crate::transfer::blocking;

/// One object on which a second look is taken.
struct Second<'a> {
    reader: &'a ObjectReader<'a>,
    head: &'a ObjectHead,
    options: &'a InspectOptions,
}

/// Looks for an envelope, and tries the keys at hand on it. One object `alone` is looked at more closely than one of many:
/// what lies in its own bytes or in an instruction file is fetched, also where nothing points to it. Of many this is done
/// only where the metadata points to it and there are keys to try. Where the data is read, what reading finds is found here,
/// too.
///
/// # Errors
/// `Network` where something that must be fetched cannot be, `Changed` where it is another object's by now.
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
        Ok(Detected::Esdk(marker)) => Ok(ClientSeen::Sealed(Box::new(EnvelopeFacts::esdk_marked(&marker)))),
        Ok(Detected::InstructionFileNeeded) if opening => second.instructed(true).await,
        Ok(Detected::InstructionFileNeeded) => Ok(ClientSeen::Elsewhere),
        Ok(Detected::Plain) if second.is_instruction_file().await? => Ok(ClientSeen::InstructionFile),
        Ok(Detected::Plain) if closely => match begins_like_a_message(reader, head).await {
            Ok(true) => second.esdk(None).await,
            Err(error @ (Error::Network { .. } | Error::Changed { .. })) => Err(error),
            // Bytes that cannot be fetched (no right, or archived) show no sign.
            Ok(false) | Err(_) => second.instructed(false).await,
        },
        Ok(Detected::Plain) => Ok(ClientSeen::NoSign),
        Err(error) => broken(error),
    }
}

/// What a broken envelope comes to.
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
            described.opens = self.opens_s3ec(envelope).await?;
        }
        Ok(ClientSeen::Sealed(Box::new(described)))
    }

    async fn esdk(&self, marker: Option<&Marker>) -> Result<ClientSeen> {
        let message = match (header(self.reader, self.head).await, marker) {
            (Ok(message), _) => message,
            // Only its beginning looked like one.
            (Err(Error::Tampered { .. }), None) => return Ok(ClientSeen::NoSign),
            (Err(Error::Denied { .. }), Some(marker)) => {
                return Ok(ClientSeen::Sealed(Box::new(EnvelopeFacts::esdk_marked(marker))));
            }
            (Err(error), _) => return broken(error),
        };
        let mut described = EnvelopeFacts::esdk(&message, marker, self.head.len);
        if self.tries_keys() {
            described.opens = self.opens_esdk(*message).await?;
        }
        Ok(ClientSeen::Sealed(Box::new(described)))
    }

    /// Whether the object is an instruction file: its metadata says so, and then its bytes must, for anyone can write
    /// the former.
    async fn is_instruction_file(&self) -> Result<bool> {
        if !self.head.metadata.contains_key(INSTRUCTION_FILE_MARKER)
            || self.head.len > MAX_INSTRUCTION_FILE_BYTES
        {
            return Ok(false);
        }
        match self.reader.whole(MAX_INSTRUCTION_FILE_BYTES).await {
            Ok(file) => Ok(file.is_some_and(|file| detect::is_instruction_file(&file))),
            Err(error @ Error::Network { .. }) => Err(error),
            // What cannot be read is not believed.
            Err(_) => Ok(false),
        }
    }

    /// Looks for an instruction file; `named` says that something points to one.
    async fn instructed(&self, named: bool) -> Result<ClientSeen> {
        let suffix = self.options.keys.suffix.as_ref();
        let (uri, file) = instruction_file(self.reader, suffix).await;
        match file {
            Ok(Some(file)) => {
                match detect::with_instruction(self.reader.subject(), &self.head.metadata, &file) {
                    Ok(envelope) => self.s3ec(envelope).await,
                    // A file of that name need not be one.
                    Err(_) if !named => Ok(ClientSeen::NoSign),
                    Err(error) => broken(error),
                }
            }
            Ok(None) if named => Ok(ClientSeen::Broken(format!("its instruction file {uri} does not exist"))),
            Err(Error::Denied { .. }) if named => Ok(ClientSeen::Elsewhere),
            // Who may not list is told "denied" of what does not exist.
            Ok(None) | Err(Error::Denied { .. }) => Ok(ClientSeen::NoSign),
            Err(Error::TooLarge { .. }) if !named => Ok(ClientSeen::NoSign),
            Err(error) => broken(error),
        }
    }

    /// Reading the data tries them anyway.
    fn tries_keys(&self) -> bool {
        self.options.read.is_none() && !self.options.keys.unwrapper.ring().is_empty()
    }

    /// Tries the local keys on a data key, as far back as the user allows; nothing of the object itself is fetched, and
    /// AWS KMS is not asked.
    async fn opens_s3ec(&self, envelope: Envelope) -> Result<Opens> {
        // Only the content proves such a key, and it is not looked at here: to tell more would tell the padding.
        if envelope.wrap() == Wrap::RsaPkcs1 {
            return Ok(Opens::NotTried);
        }
        let Ok(permitted) = envelope.permit(self.options.keys.legacy) else { return Ok(Opens::NotTried) };
        if permitted.need() == Need::Kms {
            return Ok(Opens::NotTried);
        }
        let unwrapper = self.options.keys.unwrapper.clone();
        Ok(opened(blocking(move || Ok(unwrapper.unwrap_s3ec(permitted)?.opened_with().clone())).await?))
    }

    async fn opens_esdk(&self, message: Message) -> Result<Opens> {
        let policy = Policy { legacy: self.options.keys.legacy, ..Policy::default() };
        let permitted = match message.permit(policy, &Context::default()) {
            Ok(permitted) => permitted,
            Err(Error::Unsupported { .. }) => return Ok(Opens::NotTried),
            Err(_) => return Ok(Opens::WithNone),
        };
        let unwrapper = self.options.keys.unwrapper.clone();
        Ok(opened(blocking(move || Ok(unwrapper.unwrap_esdk(&permitted)?.opened_with().clone())).await?))
    }
}

fn opened(tried: Result<OpenedWith>) -> Opens {
    match tried {
        Ok(with) => Opens::With(with),
        Err(Error::KeyNeeded { .. } | Error::KeyWrong { why: KeyFault::CostlyPassphrase { .. }, .. }) => {
            Opens::NotTried
        }
        Err(_) => Opens::WithNone,
    }
}
