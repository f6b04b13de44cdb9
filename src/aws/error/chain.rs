//! An error of the SDK with its causes: it wraps what happened in several others.

use std::error::Error as StdError;

type Link<'a> = &'a (dyn StdError + 'static);

/// The error itself and its causes, the innermost last.
pub(super) fn chain(error: Link<'_>) -> impl Iterator<Item = Link<'_>> {
    std::iter::successors(Some(error), |&link| link.source())
}

/// The first error of this type.
pub(in crate::aws) fn find<E: StdError + 'static>(error: Link<'_>) -> Option<&E> {
    chain(error).find_map(|link| link.downcast_ref())
}

/// The innermost cause; those above it only say that something failed.
pub(super) fn innermost(error: Link<'_>) -> Link<'_> {
    chain(error).last().unwrap_or(error)
}
