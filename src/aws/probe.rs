//! What could be seen of something beside the point, and if not, why not.
//!
//! Who may read an object may often not read its bucket's policy or its key's state. That must not end a look at it;
//! it is part of the answer.

use crate::error::{Error, Result};

/// A fact that may be out of sight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Probe<T> {
    /// The fact.
    Known(T),
    /// Not allowed to see it: the action that is missing, such as `kms:DescribeKey`.
    AccessDenied(&'static str),
    /// Not to be had; the text says why.
    Unavailable(String),
}

impl<T> Probe<T> {
    /// Takes an answer that needs `action`.
    pub(crate) fn of(answer: Result<T>, action: &'static str) -> Self {
        match answer {
            Ok(fact) => Self::Known(fact),
            Err(Error::Denied { .. }) => Self::AccessDenied(action),
            Err(error) => Self::Unavailable(error.to_string()),
        }
    }

    /// Takes an answer in which what does not exist is a fact too.
    pub(crate) fn of_optional(answer: Result<T>, action: &'static str) -> Probe<Option<T>> {
        match answer {
            Err(Error::NotFound { .. }) => Probe::Known(None),
            answer => Probe::of(answer.map(Some), action),
        }
    }

    /// The fact, if it was seen.
    pub(crate) fn fact(&self) -> Option<&T> {
        match self {
            Self::Known(fact) => Some(fact),
            _ => None,
        }
    }
}
