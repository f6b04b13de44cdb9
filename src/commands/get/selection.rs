//! Which objects the addresses given to `get` select.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::stream::{self, Stream};
use futures_util::{StreamExt, future};

use crate::aws::Connection;
use crate::aws::listing::{Listed, ListedKey};
use crate::commands::listing_in_memory::ListingInMemory;
use crate::error::{Error, Result, Subject};
use crate::location::S3Uri;
use crate::pattern::{Filter, Pattern, has_wildcard, literal_prefix};
use crate::transfer::Cancellation;

/// The objects that one address selects.
pub(crate) struct Selection {
    /// The object, or the prefix to list. A file's name is its object's key without the part of this key up to the last
    /// `/`.
    base: S3Uri,
    choice: Choice,
}

enum Choice {
    /// The object itself.
    Object,
    /// The objects under the bucket or prefix whose names there pass the filter.
    Under(Filter),
    /// These names under the bucket or prefix, sorted. `is_listed`: whether to look for them in a listing.
    Named { names: Vec<String>, is_listed: bool },
    /// The objects whose whole key matches the pattern, or is the pattern itself.
    Matching { typed: S3Uri, pattern: Pattern },
}

/// A selected object.
pub(super) struct Selected<'a> {
    pub(super) key: ListedKey,
    /// The stored length, if the object was listed.
    pub(super) len: Option<u64>,
    /// When it was stored, if the object was listed.
    pub(super) last_modified: Option<String>,
    /// Its ETag, if the object was listed.
    pub(super) etag: Option<String>,
    /// The base of its selection.
    pub(super) base: &'a S3Uri,
}

impl Selected<'_> {
    fn uri(&self) -> S3Uri {
        self.base.with_key(self.key.as_str())
    }
}

impl Selection {
    /// Selects an object, or all objects that match if its key has a wildcard.
    ///
    /// # Errors
    /// What is wrong with the pattern.
    pub(crate) fn of(uri: S3Uri) -> Result<Self, &'static str> {
        if !has_wildcard(&uri.key) {
            return Ok(Self { base: uri, choice: Choice::Object });
        }
        let pattern = uri.key.parse()?;
        let base = uri.with_key(literal_prefix(&uri.key));
        Ok(Self { base, choice: Choice::Matching { typed: uri, pattern } })
    }

    /// Selects the objects under a bucket, or under a prefix that ends in `/`, that pass the filter.
    pub(crate) fn under(uri: S3Uri, filter: Filter) -> Self {
        Self { base: uri, choice: Choice::Under(filter) }
    }

    /// Selects these names under a bucket, or under a prefix that ends in `/`. With `is_listed` they are looked for in a
    /// listing, which says when each was stored.
    pub(crate) fn named(uri: S3Uri, names: Vec<String>, is_listed: bool) -> Self {
        Self { base: uri, choice: Choice::Named { names, is_listed } }
    }

    /// The bucket or prefix, if the selection covers everything under it that passes the filter.
    pub(crate) fn whole(&self) -> Option<&S3Uri> {
        matches!(self.choice, Choice::Under(_)).then_some(&self.base)
    }

    fn takes(&self, key: &str) -> bool {
        match &self.choice {
            Choice::Object => true,
            Choice::Under(filter) => filter.takes(self.base.relative(key)),
            Choice::Named { names, .. } => {
                names.binary_search_by(|name| name.as_str().cmp(self.base.relative(key))).is_ok()
            }
            Choice::Matching { typed, pattern } => typed.key == key || pattern.matches(key),
        }
    }

    /// Finds the objects. A single object, or names with `is_listed` false, are returned without a request.
    ///
    /// # Errors
    /// Errors of the listing; at its end `NotFound` or `NoneMatch` if nothing was selected.
    pub(super) fn objects<'a>(
        &'a self,
        connection: &'a Connection,
    ) -> impl Stream<Item = Result<Selected<'a>>> + 'a {
        match &self.choice {
            Choice::Object => {
                let object = self.unlisted(self.base.key.clone());
                return stream::iter(vec![Ok(object)]).left_stream();
            }
            Choice::Named { names, is_listed: false } => {
                let objects = names.iter().map(|name| Ok(self.unlisted(format!("{}{name}", self.base.key))));
                return stream::iter(objects.collect::<Vec<_>>()).left_stream();
            }
            Choice::Under(_) | Choice::Matching { .. } | Choice::Named { is_listed: true, .. } => {}
        }
        let missing: BTreeSet<&str> = match &self.choice {
            Choice::Named { names, .. } => names.iter().map(String::as_str).collect(),
            _ => BTreeSet::new(),
        };
        let missing = Arc::new(Mutex::new(missing));
        let still_missing = missing.clone();
        let counts = Arc::new((AtomicU64::new(0), AtomicU64::new(0)));
        let at_end = counts.clone();
        let listed = connection.list(&self.base).filter_map(move |listed| {
            let selected = listed.map(|listed| {
                // A folder object alone is nothing: it often is what stays of a prefix that was emptied.
                let counted = u64::from(listed.len > 0 || !listed.key.as_str().ends_with('/'));
                counts.0.fetch_add(counted, Ordering::Relaxed);
                self.takes(listed.key.as_str()).then(|| {
                    counts.1.fetch_add(counted, Ordering::Relaxed);
                    let name = self.base.relative(listed.key.as_str());
                    missing.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
                    let Listed { key, len, last_modified, etag, .. } = listed;
                    Selected { key, len: Some(len), last_modified, etag, base: &self.base }
                })
            });
            future::ready(selected.transpose())
        });
        let end = stream::once(async move {
            let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
            self.nothing(count(&at_end.0), count(&at_end.1)).map(Err)
        });
        // A name that is missing from the listing is requested all the same, so that its row reports it as not found.
        let rest = stream::once(async move {
            let missing = still_missing.lock().unwrap_or_else(PoisonError::into_inner);
            let keys = missing.iter().map(|name| Ok(self.unlisted(format!("{}{name}", self.base.key))));
            stream::iter(keys.collect::<Vec<_>>())
        });
        listed.chain(rest.flatten()).chain(end.filter_map(future::ready)).right_stream()
    }

    fn unlisted(&self, key: String) -> Selected<'_> {
        Selected { key: ListedKey::Text(key), len: None, last_modified: None, etag: None, base: &self.base }
    }

    /// The error if nothing was selected.
    fn nothing(&self, found: u64, taken: u64) -> Option<Error> {
        if taken > 0 {
            return None;
        }
        Some(match &self.choice {
            Choice::Matching { typed, .. } => {
                Error::NotFound { subject: Subject::Pattern(Box::new(typed.clone())), source: None }
            }
            Choice::Under(filter) if found > 0 => {
                let (under, filter) = (self.base.to_string(), filter.options());
                Error::NoneMatch { found, what: "object", under, filter }
            }
            Choice::Named { .. } => return None,
            Choice::Under(_) | Choice::Object => {
                Error::NotFound { subject: Subject::prefix(&self.base), source: None }
            }
        })
    }
}

/// Finds the objects of several selections. An object that is selected twice is returned once.
///
/// # Errors
/// As [`Selection::objects`]; `Unsupported` for two objects that map to the same file; `TooLarge` for more objects than
/// are kept in memory; `Interrupted`.
pub(super) async fn of_all<'a>(
    selections: &'a [Selection],
    connection: &'a Connection,
    cancellation: &Cancellation,
) -> Result<Vec<Selected<'a>>> {
    let (mut all, mut places) = (Vec::<Selected<'a>>::new(), BTreeMap::<String, usize>::new());
    let mut kept = ListingInMemory::default();
    for selection in selections {
        let mut objects = pin!(selection.objects(connection));
        while let Some(object) = cancellation.or(objects.next()).await? {
            let object = object?;
            let (key, etag) = (object.key.as_str(), object.etag.as_deref().unwrap_or_default());
            // The key, and again the name in it.
            let texts = [key, key, etag, object.last_modified.as_deref().unwrap_or_default()];
            kept.keep::<(Selected<'_>, String, usize)>(object.base, &texts)?;
            if let ListedKey::Text(key) = &object.key {
                let name = object.base.relative(key);
                let is_directory = name.is_empty() || name.ends_with('/');
                match places.get(name).map(|place| all[*place].uri()) {
                    Some(other) if other == object.uri() => continue,
                    Some(other) if !is_directory => {
                        let subject = Subject::other(format!("two objects map to the file {name}"));
                        return Err(Error::unsupported(subject, format!("{other} and {}", object.uri())));
                    }
                    _ => drop(places.insert(name.to_owned(), all.len())),
                }
            }
            all.push(object);
        }
    }
    Ok(all)
}
