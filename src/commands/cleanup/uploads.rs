//! Multipart uploads that nobody has completed or aborted: who began them and when, what they take, and for which run.

use std::collections::HashMap;
use std::future::ready;
use std::path::Path;

use futures_util::{StreamExt, TryStreamExt};

use super::{CleanupRequest, Kept, Leftover, What};
use crate::aws::Connection;
use crate::aws::abort_upload::ListedUpload;
use crate::commands::bulk::for_each_ordered;
use crate::error::{Error, Result};
use crate::transfer::Cancellation;

/// Finds all uploads of the place. `journals` are those of rotations, `in_use` those on which runs of this machine are at
/// work, each with its journal or record.
pub(super) async fn find(
    connection: &Connection,
    request: &CleanupRequest,
    journals: &HashMap<&str, &Path>,
    in_use: &HashMap<&str, &Path>,
    cancellation: &Cancellation,
    found: &mut impl AsyncFnMut(Leftover) -> Result<()>,
) -> Result<()> {
    let all = connection.uploads_below(&request.place).take(request.first.unwrap_or(usize::MAX));
    // The listing of one key also contains longer keys.
    let of_place = all.try_filter(|upload| ready(request.place.holds(&upload.uri)));
    let work = |upload: ListedUpload| {
        let journal = journals.get(upload.id.as_str()).copied();
        let in_use = in_use.get(upload.id.as_str()).copied();
        look_at(connection, request, upload, journal, in_use)
    };
    for_each_ordered(of_place, request.jobs, cancellation, work, async |leftover| match leftover? {
        Some(leftover) => found(leftover).await,
        None => Ok(()),
    })
    .await
}

/// `None` for an upload that has ended meanwhile.
async fn look_at(
    connection: &Connection,
    request: &CleanupRequest,
    upload: ListedUpload,
    journal: Option<&Path>,
    in_use: Option<&Path>,
) -> Result<Option<Leftover>> {
    let kept = match in_use {
        Some(path) => Some(Kept::InUse(path.to_owned())),
        None if !request.is_old(upload.initiated, connection.server_now()) => Some(Kept::Young),
        None => None,
    };
    let size = match kept {
        Some(_) => None,
        None => match connection.upload_size(&upload.uri, &upload.id).await {
            Ok(None) => return Ok(None),
            Ok(Some(size)) => Some(Ok(size)),
            Err(error @ (Error::Denied { .. } | Error::Unsupported { .. })) => Some(Err(Box::new(error))),
            Err(error) => return Err(error),
        },
    };
    Ok(Some(Leftover {
        created: upload.initiated,
        bytes: size.as_ref().and_then(|size| size.as_ref().ok()).map(|size| size.bytes),
        kept,
        what: What::Upload {
            uri: upload.uri,
            id: upload.id,
            initiator: upload.initiator,
            size,
            journal: journal.map(Path::to_owned),
        },
    }))
}
