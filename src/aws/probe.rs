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

    /// Takes an answer that decides what is done to an object.
    ///
    /// # Errors
    /// `Network`: that no answer came says nothing about the object.
    pub(crate) fn decisive(answer: Result<T>, action: &'static str) -> Result<Self> {
        match answer {
            Err(error @ Error::Network { .. }) => Err(error),
            answer => Ok(Self::of(answer, action)),
        }
    }

    /// Reads an answer of which `NotFound` is one, too.
    pub(crate) fn of_optional(answer: Result<T>, action: &'static str) -> Probe<Option<T>> {
        match answer {
            Err(Error::NotFound { .. }) => Probe::Known(None),
            answer => Probe::of(answer.map(Some), action),
        }
    }

    /// The same answer in another form.
    pub(crate) fn map<U>(self, form: impl FnOnce(T) -> U) -> Probe<U> {
        self.and_then(|fact| Probe::Known(form(fact)))
    }

    /// What follows from the answer; from none follows nothing.
    pub(crate) fn and_then<U>(self, next: impl FnOnce(T) -> Probe<U>) -> Probe<U> {
        match self {
            Self::Known(fact) => next(fact),
            Self::AccessDenied(action) => Probe::AccessDenied(action),
            Self::Unavailable(why) => Probe::Unavailable(why),
        }
    }

    /// Why there is no answer; `None` if there is one.
    pub(crate) fn why_not(&self) -> Option<String> {
        match self {
            Self::Known(_) => None,
            Self::AccessDenied(action) => Some(format!("{action} is not allowed")),
            Self::Unavailable(why) => Some(why.clone()),
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
