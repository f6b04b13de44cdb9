//! The second half of a look: which envelope an object has, and whether a key at hand opens it.
//!
//! No content is opened. A broken envelope is a finding here, where `get` refuses it.

use crate::aws::objects::{Facts, Reader};
use crate::commands::inspect::Looking;
use crate::commands::inspect::finding::{ClientSeen, EnvelopeFacts};
use crate::commands::unlock::instruction_file;
use crate::encryption::Legacy;
use crate::error::{Error, Result};
use crate::seal::detect::{self, Detected};
use crate::seal::s3ec::{Envelope, Need};
use crate::transfer::blocking;

/// Looks for an envelope. One object `alone` is looked at more closely than one of many: its instruction file is fetched,
/// also one that nothing points to, and the keys at hand are tried.
///
/// # Errors
/// `Network` where something that must be fetched cannot be.
pub(super) async fn look(
    reader: &Reader<'_>,
    facts: &Facts,
    looking: &Looking,
    alone: bool,
) -> Result<ClientSeen> {
    let name = reader.name();
    let closely = alone || looking.deep;
    let envelope = match detect::detect(&name, &facts.metadata) {
        Ok(Detected::S3ec(envelope)) => envelope,
        Ok(Detected::InstructionFileNeeded) if !closely => return Ok(ClientSeen::Elsewhere),
        Ok(Detected::Plain) if !closely => return Ok(ClientSeen::NoSign),
        Ok(sign) => {
            let must_be_there = matches!(sign, Detected::InstructionFileNeeded);
            let (uri, file) = instruction_file(reader, looking.instruction_suffix.as_deref()).await;
            match file {
                Ok(Some(file)) => match detect::with_instruction(&name, &facts.metadata, &file) {
                    Ok(envelope) => envelope,
                    // A file of that name need not be one.
                    Err(_) if !must_be_there => return Ok(ClientSeen::NoSign),
                    Err(error) => return broken(error),
                },
                Ok(None) if must_be_there => {
                    return Ok(ClientSeen::Broken(format!("its instruction file {uri} does not exist")));
                }
                // Who may not list is told "denied" of what does not exist.
                Ok(None) | Err(Error::Denied { .. }) if !must_be_there => return Ok(ClientSeen::NoSign),
                Err(Error::Denied { .. }) => return Ok(ClientSeen::Elsewhere),
                Ok(None) => return Ok(ClientSeen::NoSign),
                Err(error @ Error::Network { .. }) => return Err(error),
                Err(error) => return Ok(ClientSeen::Broken(error.to_string())),
            }
        }
        Err(error) => return broken(error),
    };
    let mut described = EnvelopeFacts::s3ec(&envelope, facts.len);
    if alone {
        described.opens = opens(envelope, looking).await?;
    }
    Ok(ClientSeen::Sealed(Box::new(described)))
}

fn broken(error: Error) -> Result<ClientSeen> {
    match error {
        Error::Tampered { why, .. } => Ok(ClientSeen::Broken(why)),
        error => Err(error),
    }
}

/// Tries the local keys on a data key; nothing of the object itself is fetched, and AWS KMS is not asked.
async fn opens(envelope: Envelope, looking: &Looking) -> Result<Option<bool>> {
    if looking.unlocker.ring().is_empty() {
        return Ok(None);
    }
    let locked = envelope.permit(Legacy::Unauthenticated)?;
    if locked.need() == Need::Kms {
        return Ok(None);
    }
    let unlocker = looking.unlocker.clone();
    Ok(match blocking(move || unlocker.unlock(locked)).await? {
        Ok(_) => Some(true),
        Err(Error::KeyNeeded { .. }) => None,
        Err(_) => Some(false),
    })
}
