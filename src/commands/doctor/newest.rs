//! Whether the local keys open what is there already: the newest object that needs one of them. Before a `get`, also
//! whether the newest objects meet what rules demand of them.
//!
//! Heads and envelopes are read, and no content. Keys are tried as `inspect` tries them: those of SSE-C are sent to S3 only
//! with the write test, and for an object of which S3 says that it needs one.

use std::cmp::Reverse;
use std::pin::pin;

use futures_util::{StreamExt, TryStreamExt};

use super::{Check, DoctorRequest, Name, Problem, Remedy, Verb};
use crate::aws::Connection;
use crate::aws::listing::{Listed, ListedKey};
use crate::commands::decryption_keys::DecryptionKeys;
use crate::commands::inspect;
use crate::commands::inspect::expect::unmet;
use crate::commands::inspect::outcome::{ClientSeen, CustomerKeyFit, InspectOutcome, Opens, RecipientFacts};
use crate::commands::permissions::bucket_arn;
use crate::error::{Error, Result, WrapKind};
use crate::limits::{DOCTOR_LISTED, DOCTOR_TRIED};
use crate::location::S3Uri;
use crate::transfer::Cancellation;

/// What an object says about the keys.
enum Fit {
    /// They open it; the text says which one.
    Opens(String),
    /// They do not.
    No,
    /// It needs a kind of key that was not given.
    Needs(String),
    /// It is in SSE-C, and its key was not tried.
    NotSent,
    /// Nothing: it needs no local key, or it cannot be seen without asking more.
    None,
}

/// Looks at the newest objects, one after the other, until one needs a local key; none if the verb works without any,
/// or without the memory to try a passphrase.
pub(super) async fn check(
    connection: &Connection,
    request: &DoctorRequest,
    has_memory: bool,
    cancellation: &Cancellation,
) -> Option<Check> {
    let keys = &request.opening;
    let tried = if request.write_test { keys.clone() } else { keys.client_side() };
    let has_keys = !keys.customer_keys.is_empty() || !keys.unwrapper.ring().is_empty();
    let is_wanted = match request.verb {
        Verb::Put | Verb::Inspect => has_keys,
        // They would stop at an object whose key is missing.
        Verb::Get | Verb::Rotate => true,
    };
    if !is_wanted || !has_memory {
        return None;
    }
    let mut listed = match listed(connection, &request.place).await {
        Ok(listed) => listed,
        Err(Error::Denied { .. }) => {
            let check = Check::warning(Name::NewestObject, "not looked for: s3:ListBucket is denied");
            let resource = Some(bucket_arn(&request.place.bucket, connection.region()));
            return Some(check.mended_by(Remedy::Allow { action: "s3:ListBucket", resource }));
        }
        Err(error) => return Some(Check::unanswered(Name::NewestObject, "ListObjectsV2", error)),
    };
    let are_all = listed.len() < DOCTOR_LISTED;
    listed.sort_by_key(|entry| Reverse(entry.last_modified.clone()));
    let mut unseen = None;
    for uri in listed.iter().filter_map(|entry| object(&request.place, entry)).take(DOCTOR_TRIED) {
        match inspect::brief_outcome(connection, &uri, &tried, cancellation).await {
            Ok(outcome) => {
                let unmet = unmet(&outcome, &request.rules).filter(|_| request.verb == Verb::Get);
                if let Some(unmet) = unmet {
                    return Some(Check::error(Name::NewestObject, unmet.error(&uri)));
                }
                match fit(&outcome, keys) {
                    Fit::None => {}
                    fit => return Some(said(&uri, fit, request)),
                }
            }
            Err(error) => unseen = Some(error),
        }
    }
    Some(match unseen {
        Some(error) => Check::unanswered(Name::NewestObject, "HeadObject", error),
        None if are_all => Check::ok(Name::NewestObject, "none of the newest needs a key of this machine"),
        None => Check::ok(
            Name::NewestObject,
            format!("of the first {DOCTOR_LISTED} listed, none of the newest needs a key of this machine"),
        ),
    })
}

async fn listed(connection: &Connection, place: &S3Uri) -> Result<Vec<Listed>> {
    pin!(connection.list(place)).take(DOCTOR_LISTED).try_collect().await
}

fn object(place: &S3Uri, entry: &Listed) -> Option<S3Uri> {
    match &entry.key {
        ListedKey::Text(key) => Some(place.with_key(key.clone())),
        ListedKey::NotText(_) => None,
    }
}

fn fit(outcome: &InspectOutcome, keys: &DecryptionKeys) -> Fit {
    match &outcome.at_rest.customer_key {
        Some(CustomerKeyFit::Fits { fingerprint }) => {
            return Fit::Opens(format!("the SSE-C key with fingerprint {fingerprint}"));
        }
        Some(CustomerKeyFit::NoneFits { .. }) => return Fit::No,
        Some(CustomerKeyFit::NotGiven) if !keys.customer_keys.is_empty() => return Fit::NotSent,
        Some(CustomerKeyFit::NotGiven) => return Fit::Needs("an SSE-C key".to_owned()),
        Some(CustomerKeyFit::NotSaid) | None => {}
    }
    match &outcome.client {
        ClientSeen::Envelope(envelope) => match &envelope.opens {
            Opens::With(with) => Fit::Opens(match &with.fingerprint {
                Some(fingerprint) => format!("the key with fingerprint {fingerprint}"),
                None => "the passphrase".to_owned(),
            }),
            Opens::WithNone => Fit::No,
            Opens::NotTried => missing(&envelope.recipients, keys),
        },
        ClientSeen::InstructionFileNotRead => Fit::Needs("a key of its own".to_owned()),
        _ => Fit::None,
    }
}

/// The kind of key that opens an envelope, unless one of that kind was given.
fn missing(recipients: &[RecipientFacts], keys: &DecryptionKeys) -> Fit {
    let ring = keys.unwrapper.ring();
    let is_given = |kind: WrapKind| match kind {
        WrapKind::Aes => !ring.symmetric.is_empty(),
        WrapKind::Rsa => !ring.private.is_empty(),
        WrapKind::Passphrase => !ring.passphrases.is_empty(),
        // What it allows is another check.
        WrapKind::Kms => true,
    };
    let kinds: Vec<WrapKind> = recipients.iter().filter_map(|recipient| recipient.kind).collect();
    match kinds.first() {
        Some(kind) if !kinds.iter().any(|kind| is_given(*kind)) => Fit::Needs(kind.to_string()),
        _ => Fit::None,
    }
}

fn said(uri: &S3Uri, fit: Fit, request: &DoctorRequest) -> Check {
    match fit {
        Fit::Opens(with) => Check::ok(Name::NewestObject, format!("{uri} opens with {with}")),
        Fit::NotSent => {
            let seen = format!("{uri} is in SSE-C, and its key was not sent to S3 to try it");
            Check::warning(Name::NewestObject, seen).mended_by(Remedy::WriteTest)
        }
        Fit::Needs(what) => {
            let check = Check::warning(Name::NewestObject, format!("{uri} needs {what}, and none was given"));
            check.mended_by(Remedy::Inspect(uri.clone()))
        }
        // Objects may get a new key, though whoever reads them all needs both.
        _ if request.verb == Verb::Put => {
            Check::warning(Name::NewestObject, format!("{uri} has another key than the one given"))
        }
        _ => Check::failed(
            Name::NewestObject,
            Problem::Key,
            format!("{uri} does not open with the keys given"),
        )
        .mended_by(Remedy::Inspect(uri.clone())),
    }
}
