//! What could be seen of something beside the point, and if not, why not.
//!
//! Who may read an object may often not read its bucket's policy or its key's state. That must not end a look at it;
//! it is part of the answer.

use crate::error::{Error, Result};

/// A fact that may be out of sight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen<T> {
    /// The fact.
    Is(T),
    /// Not allowed to see it: the action that is missing, such as `kms:DescribeKey`.
    NotAllowed(&'static str),
    /// Not to be had; the text says why.
    NotToBeHad(String),
}

impl<T> Seen<T> {
    /// Takes an answer that needs `action`.
    pub(crate) fn of(answer: Result<T>, action: &'static str) -> Self {
        match answer {
            Ok(fact) => Self::Is(fact),
            Err(Error::Denied { .. }) => Self::NotAllowed(action),
            Err(error) => Self::NotToBeHad(error.to_string()),
        }
    }

    /// Takes an answer in which what does not exist is a fact too.
    pub(crate) fn of_optional(answer: Result<T>, action: &'static str) -> Seen<Option<T>> {
        match answer {
            Err(Error::NotFound { .. }) => Seen::Is(None),
            answer => Seen::of(answer.map(Some), action),
        }
    }

    /// The fact, if it was seen.
    pub(crate) fn fact(&self) -> Option<&T> {
        match self {
            Self::Is(fact) => Some(fact),
            _ => None,
        }
    }
}
