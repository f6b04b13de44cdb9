//! What a rotation may leave behind, and how the next run removes it: uploads, instruction files, scratch objects.
//!
//! A scratch object is made here too: it proves that a server updates in place, before any real object is touched.

use futures_util::StreamExt;

use crate::aws::listing::ListedKey;
use crate::aws::objects::Reader;
use crate::error::{Error, Result};
use crate::location::S3Uri;
use crate::seal::detect::{self, Detected};

use super::journal::Journal;
use super::run::Running;

/// How far this machine's clock and S3's may be apart, in seconds: beyond that S3 refuses requests anyway.
const CLOCKS: i64 = 15 * 60;

/// Removes what an earlier run has left behind.
///
/// # Errors
/// What S3 refuses.
pub async fn clear(running: &Running<'_>, journal: &Journal) -> Result<()> {
    let leftovers = journal.leftovers();
    for (uri, id) in &leftovers.uploads {
        running.connection.give_up(uri, id).await?;
    }
    for (uri, at) in &leftovers.begun {
        match running.connection.give_up_empty(uri, at - CLOCKS).await {
            // Whoever may not list uploads leaves them to a lifecycle rule.
            Ok(()) | Err(Error::Denied { .. } | Error::Unsupported { .. } | Error::NotFound { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    for (uri, file, etag) in &leftovers.beside {
        clear_beside(running, uri, file, etag.as_deref()).await?;
    }
    for uri in &leftovers.scratch {
        clear_scratch(running, uri).await?;
        journal.scratch(uri, false)?;
    }
    Ok(())
}

/// Proves on a scratch object beside `place` that the server updates in place.
///
/// # Errors
/// Those of [`prove_update`](crate::aws::Connection::prove_update).
pub async fn prove(running: &Running<'_>, journal: Option<&Journal>, place: &S3Uri) -> Result<()> {
    let Some(key) = running.target.update_key() else { return Ok(()) };
    let folder = place.key.rfind('/').map_or("", |slash| &place.key[..=slash]);
    let mut random = [0; 8];
    let _ = getrandom::fill(&mut random);
    let scratch = place.with_key(format!("{folder}.s3seal-scratch-{:016x}", u64::from_le_bytes(random)));
    if let Some(journal) = journal {
        journal.scratch(&scratch, true)?;
    }
    let proved = running.stop.or(running.connection.prove_update(&scratch, key)).await;
    let gone = match &proved {
        Ok(Ok(())) => Ok(()),
        // Whatever was left half-way; the reason of the failure is told, not this.
        _ => clear_scratch(running, &scratch).await,
    };
    if let (Some(journal), Ok(())) = (journal, gone) {
        journal.scratch(&scratch, false)?;
    }
    proved?
}

/// Removes an instruction file whose object has been replaced by one that does not need it.
async fn clear_beside(running: &Running<'_>, uri: &S3Uri, file: &S3Uri, etag: Option<&str>) -> Result<()> {
    let key = running.target.customer_key();
    let reader = Reader { connection: running.connection, uri, version_id: None, key };
    let facts = match reader.head().await {
        Ok(facts) => facts,
        // Not the target's key yet, or gone altogether: whatever it is, it is not what was to be written.
        Err(Error::KeyNeeded { .. } | Error::KeyWrong { .. } | Error::NotFound { .. }) => return Ok(()),
        Err(error) => return Err(error),
    };
    let needs_it =
        matches!(detect::detect(&uri.to_string(), &facts.metadata), Ok(Detected::InstructionFileNeeded));
    if needs_it || facts.etag.as_deref() == etag {
        return Ok(());
    }
    running.connection.remove(file, None).await
}

async fn clear_scratch(running: &Running<'_>, uri: &S3Uri) -> Result<()> {
    let markers = |_| {};
    let versions = running.connection.list_versions(uri, &markers).collect::<Vec<_>>().await;
    for version in versions.into_iter().flatten() {
        if version.key == ListedKey::Text(uri.key.clone()) {
            running.connection.remove(uri, version.version_id.as_deref()).await?;
        }
    }
    Ok(())
}
