//! Answers that are useful but not required: they may be denied or missing.
//!
//! A user who may read an object often may not read its bucket's policy or its key's state. That is no error of the command;
//! it is part of the answer.

use crate::error::{Error, Result};

/// An answer, or why there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Probe<T> {
    /// The fact.
    Known(T),
    /// The action that is not allowed, such as `kms:DescribeKey`.
    AccessDenied(&'static str),
    /// Why there is no answer.
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

    /// Reads an answer of which `NotFound` is one, too.
    pub(crate) fn of_optional(answer: Result<T>, action: &'static str) -> Probe<Option<T>> {
        match answer {
            Err(Error::NotFound { .. }) => Probe::Known(None),
            answer => Probe::of(answer.map(Some), action),
        }
    }

    /// The action that is not allowed.
    pub(crate) fn denied(&self) -> Option<&'static str> {
        match self {
            Self::AccessDenied(action) => Some(action),
            _ => None,
        }
    }

    /// The answer, if there is one.
    pub(crate) fn fact(&self) -> Option<&T> {
        match self {
            Self::Known(fact) => Some(fact),
            _ => None,
        }
    }
}
