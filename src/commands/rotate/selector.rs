//! `--only`: selects objects by their current encryption. Pure.
//!
//! `pattern` selects objects by their keys.

use std::fmt;
use std::str::FromStr;

use crate::aws::sse::AppliedMode;
use crate::encryption::{KmsKey, Mode};

use super::object_state::ObjectState;

/// What an object must be to be rotated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Selector {
    Mode(Mode),
    /// Under the key with this fingerprint.
    Key(String),
    /// Under this KMS key: an ARN or an id.
    Kms(KmsKey),
}

impl FromStr for Selector {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("key", print)) if !print.is_empty() => Ok(Self::Key(print.to_owned())),
            Some(("kms", key)) => key.parse().map(Self::Kms).map_err(|error| error.to_string()),
            _ => Mode::ALL
                .into_iter()
                .find(|mode| mode.as_str() == text)
                .map(Self::Mode)
                .ok_or_else(|| "write a mode, key:FINGERPRINT or kms:ARN".to_owned()),
        }
    }
}

impl Selector {
    /// Whether an object is selected.
    pub(crate) fn takes(&self, state: &ObjectState) -> bool {
        let applied = &state.head.applied;
        let client_side = state.current.client_side.is_some();
        match self {
            Self::Mode(Mode::Client) => client_side,
            Self::Mode(mode) => !client_side && applied.mode == AppliedMode::Known(*mode),
            Self::Key(print) => state.fingerprints.contains(print),
            Self::Kms(key) => applied.kms_key.as_ref().is_some_and(|found| key.is(found)),
        }
    }

    /// Whether it may select an SSE-C object whose key was not given.
    pub(crate) fn may_be_hidden(&self) -> bool {
        matches!(self, Self::Mode(Mode::SseC) | Self::Key(_))
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mode(mode) => write!(f, "{mode}"),
            Self::Key(print) => write!(f, "key:{print}"),
            Self::Kms(key) => write!(f, "kms:{key}"),
        }
    }
}
