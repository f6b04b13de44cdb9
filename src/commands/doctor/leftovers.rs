//! What broken runs have left at the place, as `cleanup` finds it, among the first objects only.

use super::{Check, DoctorRequest, Name, Remedy};
use crate::aws::Connection;
use crate::byte_size::ByteSize;
use crate::commands::cleanup::{self, CleanupRequest};
use crate::defaults;
use crate::error::{Denial, Error};
use crate::limits::MAX_OBJECTS_SURVEYED;
use crate::meter::Meter;
use crate::transfer::Cancellation;

pub(super) async fn check(
    connection: &Connection,
    request: &DoctorRequest,
    cancellation: &Cancellation,
) -> Check {
    let name = Name::Leftovers;
    let survey = CleanupRequest {
        place: request.place.clone(),
        older_than: defaults::CLEANUP_AGE,
        records: request.records.clone(),
        jobs: defaults::JOBS_WITHOUT_TRANSFER,
        meter: Meter::of_many(),
        first: Some(MAX_OBJECTS_SURVEYED),
    };
    let (mut count, mut bytes) = (0_u64, 0_u64);
    let found = cleanup::find(connection, &survey, cancellation, async |leftover| {
        if leftover.kept.is_none() {
            count += 1;
            bytes = bytes.saturating_add(leftover.bytes.unwrap_or_default());
        }
        Ok(())
    })
    .await;
    match found {
        Ok(()) if count == 0 => {
            Check::ok(name, format!("none older than a day, among at most {MAX_OBJECTS_SURVEYED} objects"))
        }
        Ok(()) => {
            Check::warning(name, format!("{count} of broken runs, {}, older than a day", ByteSize(bytes)))
                .mended_by(Remedy::CleanUp(request.place.clone()))
        }
        Err(Error::Denied { why: Denial::Action { action } | Denial::Unexplained { action }, .. }) => {
            Check::warning(name, format!("not known: {action} is denied"))
        }
        Err(ref error @ Error::Local { ref source, .. }) => {
            Check::warning(name, format!("not known: {error}: {source}"))
        }
        Err(error) => Check::unanswered(name, "the listings that show them", error),
    }
}
