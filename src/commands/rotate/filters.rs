//! Which of many objects are rotated. An instruction file is not one of them if its object is.

use crate::error::{Error, Result, Subject};
use crate::location::S3Uri;
use crate::object::instruction_file_key;
use crate::pattern::Filter;

use super::object_state::{ObjectState, load};
use super::rotation::Rotation;
use super::selector::Selector;

/// Which objects.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filters {
    /// Which keys under the prefix.
    pub(crate) filter: Filter,
    /// Only objects that are one of these; empty for all.
    pub(crate) only: Vec<Selector>,
    /// Whether to include older versions.
    pub(crate) all_versions: bool,
}

impl Filters {
    /// Whether an object in this state is selected; its key is looked at before.
    pub(super) fn selects(&self, state: &ObjectState) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only.takes(state))
    }

    /// Whether the object of an instruction file is selected, too, and can be decrypted: its rotation removes the file, and
    /// nothing else must change the file meanwhile.
    ///
    /// # Errors
    /// `Network`; `Interrupted`.
    pub(super) async fn selects_object_of(
        &self,
        rotation: &Rotation<'_>,
        place: &S3Uri,
        file: &S3Uri,
    ) -> Result<bool> {
        let Rotation { decryption_keys, cancellation, .. } = *rotation;
        let end = instruction_file_key("", decryption_keys.suffix.as_ref());
        let Some(key) = file.key.strip_suffix(&end).filter(|key| !key.is_empty()) else { return Ok(false) };
        let object = file.with_key(key);
        let is_listed = place.holds(&object) && self.filter.takes(place.relative(&object.key));
        if !is_listed || decryption_keys.opens_nothing_client_side() {
            return Ok(false);
        }
        match cancellation.or(load(rotation, &object, None)).await? {
            Ok(state) => Ok(state.current.client_side.is_some() && self.selects(&state)),
            Err(Error::NotFound { subject, .. }) if subject == Subject::from(&object) => Ok(false),
            Err(error @ Error::Network { .. }) => Err(error),
            // Its own row says why it cannot be rotated.
            Err(_) => Ok(true),
        }
    }
}
