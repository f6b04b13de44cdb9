//! Verifies that an object is locked as it was asked for: a server without Object Lock may ignore the headers.

use crate::aws::probe::Probe;
use crate::aws::read_object::ObjectReader;
use crate::aws::timestamp::rfc3339_of_seconds;
use crate::error::{Aspect, Error, Result};
use crate::object::Lock;
use crate::transfer::Cancellation;

/// A lock that was asked for.
#[derive(Clone, Debug)]
pub(crate) struct LockOutcome {
    pub(crate) asked: Lock,
    /// Whether S3 was seen to keep it.
    pub(crate) seen: Probe<()>,
}

/// Reads the lock of an object that was stored with one.
///
/// # Errors
/// `NotAsAsked` if it has another one or none.
pub(crate) async fn verify_lock(
    reader: &ObjectReader<'_>,
    asked: &Lock,
    cancellation: &Cancellation,
) -> Result<LockOutcome> {
    // The object is stored: a signal only ends the check.
    let seen = match cancellation.or(reader.lock(asked.mode.is_some(), asked.legal_hold)).await.flatten() {
        Err(error) => Probe::Unavailable(error.to_string()),
        Ok(Probe::Known(found)) if found != *asked => {
            return Err(Error::NotAsAsked {
                subject: reader.uri.into(),
                aspect: Aspect::Lock,
                asked: describe(asked),
                got: describe(&found),
                stored: true,
                version_id: reader.version_id.map(str::to_owned),
            });
        }
        Ok(seen) => seen.map(drop),
    };
    Ok(LockOutcome { asked: asked.clone(), seen })
}

/// A lock in words.
pub(crate) fn describe(lock: &Lock) -> String {
    let until = || lock.retain_until.and_then(rfc3339_of_seconds).unwrap_or_default();
    let retention = lock.mode.as_ref().map(|mode| format!("{mode} until {}", until()));
    let hold = lock.legal_hold.then(|| "legal hold".to_owned());
    let words: Vec<String> = retention.into_iter().chain(hold).collect();
    if words.is_empty() { "no lock".to_owned() } else { words.join(" and ") }
}
