//! Compares files with the objects under the target, from the listing alone.

use futures_util::TryStreamExt;
use futures_util::stream::Stream;
use tokio::sync::Mutex;

use crate::aws::Connection;
use crate::aws::listing::{Listed, ListedKey};
use crate::commands::encrypt::{Encryptor, ObjectEncryptor, default_format};
use crate::commands::merge::{Pair, merge};
use crate::encryption::Format;
use crate::error::{Result, Subject};
use crate::location::S3Uri;
use crate::object::Settings;
use crate::transfer::walk::Found;

/// A file, and what the listing says about its object.
pub(super) struct Candidate {
    pub(super) found: Found,
    pub(super) there: There,
}

/// What is known about the object of a file.
pub(super) enum There {
    NotAsked,
    Nothing,
    Object(Box<Listed>),
}

/// Pairs the files that were found with the objects listed under the target.
pub(super) fn pairs<'a>(
    found: impl Stream<Item = Result<Found>> + 'a,
    connection: &'a Connection,
    target: &'a S3Uri,
) -> impl Stream<Item = Result<Pair<Found, Listed>>> + 'a {
    let named = found.map_ok(|found| {
        let name = match &found {
            Found::File(file) => Some(file.name.clone()),
            Found::NoFile { name, .. } => name.clone(),
            Found::Failed { .. } => None,
        };
        (name, found)
    });
    // A key that is not valid UTF-8 is not the key of any file, and is left out.
    let listed = connection.list(target).try_filter_map(move |listed| async move {
        Ok(match &listed.key {
            ListedKey::Text(key) => Some((target.relative(key).to_owned(), listed)),
            ListedKey::NotText(_) => None,
        })
    });
    merge(named, listed, Subject::prefix(target))
}

/// Leaves out the objects that have no file.
pub(super) fn candidates<'a>(
    pairs: impl Stream<Item = Result<Pair<Found, Listed>>> + 'a,
) -> impl Stream<Item = Result<Candidate>> + 'a {
    pairs.try_filter_map(|pair| async move {
        Ok(match pair {
            Pair::First(found) => Some(Candidate { found, there: There::Nothing }),
            Pair::Both(found, listed) => Some(Candidate { found, there: There::Object(Box::new(listed)) }),
            Pair::Second(_) => None,
        })
    })
}

/// Computes the stored lengths of files.
pub(super) struct StoredLengths<'a> {
    connection: &'a Connection,
    encryptor: &'a Encryptor,
    /// One encryptor per format, used only to measure, with the length of the object key that it was made for. (A file
    /// that is too large for one format gets another.) Headers of the same format have the same length, except for an
    /// object key in them.
    measures: Mutex<Vec<(usize, ObjectEncryptor<'a>)>>,
}

impl<'a> StoredLengths<'a> {
    pub(super) fn new(connection: &'a Connection, encryptor: &'a Encryptor) -> Self {
        Self { connection, encryptor, measures: Mutex::default() }
    }

    /// Returns the stored length of `len` plaintext bytes as the object at `uri`. The first call for a format may ask
    /// KMS for a data key.
    pub(super) async fn of(&self, len: u64, uri: &S3Uri) -> Result<u64> {
        let Some(client) = self.encryptor.client_side() else { return Ok(len) };
        let format = Some(client.format.unwrap_or_else(|| default_format(Some(len))));
        let mut measures = self.measures.lock().await;
        if !measures.iter().any(|(_, made)| made.format == format) {
            let (connection, encryptor) = (self.connection, self.encryptor);
            let mut settings = Settings::default();
            let made = ObjectEncryptor::new(connection, encryptor, uri, Some(len), &mut settings).await?;
            measures.push((uri.key.len(), made));
        }
        let Some((key_len, made)) = measures.iter().find(|(_, made)| made.format == format) else {
            return Ok(len);
        };
        let in_header = client.bind_name && format == Some(Format::Esdk);
        let (more, less) = if in_header { (uri.key.len(), *key_len) } else { (0, 0) };
        Ok(made.stored_len(len) + more as u64 - less as u64)
    }
}
