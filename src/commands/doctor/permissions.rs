//! The permissions that the verb needs, as far as answers to harmless questions show them.
//!
//! Which ones a verb needs is said by [`permissions`](crate::commands::permissions). What only trying would tell is a
//! warning; so is a refusal that has two explanations.

use futures_util::{StreamExt, stream};

use super::{Check, DoctorRequest, Name, Problem, Remedy, Verb};
use crate::aws::Connection;
use crate::aws::bucket_policy::PolicyFacts;
use crate::commands::permissions::{Extra, Places, Protection, Rotation, Scope, Task, bucket_arn, granted};
use crate::commands::rotate::scratch;
use crate::encryption::ServerSide;
use crate::error::{Denial, Error, Result};

/// Questions that are asked at once.
const AT_ONCE: usize = 8;

const LIST: &str = "s3:ListBucket";
const PUT: &str = "s3:PutObject";
/// What the write test tries.
const TRIED: [&str; 2] = [PUT, "s3:GetObject"];

/// Asks for each action in S3, in the order of their names.
pub(super) async fn checks(
    connection: &Connection,
    request: &DoctorRequest,
    policy: Option<&PolicyFacts>,
) -> Vec<Check> {
    let nothing = match scratch::name_next_to(&request.place) {
        Ok(nothing) => nothing,
        Err(error) => return vec![Check::error(Name::Permission, error)],
    };
    let (needed, also) = needed(connection, request);
    let ask = async |(action, resource, is_needed)| {
        let answer = connection.ask_harmlessly(action, &nothing).await;
        (action, resource, is_needed, answer)
    };
    let all = needed.into_iter().map(|(action, arn)| (action, arn, true));
    let all: Vec<_> = all.chain(also.into_iter().map(|(action, arn)| (action, arn, false))).collect();
    let answers: Vec<_> = stream::iter(all).map(ask).buffered(AT_ONCE).collect().await;
    let may_list = matches!(connection.ask_harmlessly(LIST, &nothing).await, Some(Ok(())));
    let asks_mode = policy.is_some_and(|policy| policy.header || !policy.modes.is_empty());
    answers
        .into_iter()
        .map(|(action, resource, is_needed, answer)| {
            let found = found(action, answer, may_list, asks_mode);
            check(request, action, resource, is_needed, found)
        })
        .collect()
}

type Actions = Vec<(&'static str, String)>;

/// The actions in S3 that the verb cannot do without, and those that it takes for large or for many objects.
fn needed(connection: &Connection, request: &DoctorRequest) -> (Actions, Actions) {
    let protection = protection(request);
    let (task, extras): (Task, &[Extra]) = match request.verb {
        Verb::Put => (Task::Put(protection), &[Extra::Parts]),
        Verb::Get => (Task::Get(protection), &[Extra::Recursive]),
        Verb::Inspect => (Task::Inspect(Scope::Prefix, protection), &[]),
        Verb::Rotate => {
            let format = request.client_side().and_then(|client| client.format);
            let rotation = Rotation::between(request.from, protection, format, connection.is_aws());
            // Objects may have another mode than the one that is taken for theirs.
            let rotation = rotation.unwrap_or(Rotation::ServerCopy);
            let extras: &[Extra] = match rotation {
                Rotation::UpdateInPlace => &[Extra::Recursive],
                _ => &[Extra::Recursive, Extra::Parts],
            };
            (Task::Rotate(rotation, request.from, protection), extras)
        }
    };
    let bucket = bucket_arn(&request.place.bucket, connection.region());
    let place = &request.place;
    let places = Places {
        bucket: &bucket,
        key_prefix: place.folder(),
        key: "*",
        key_at_rest: "*",
        old_key: "*",
        role: "*",
    };
    let in_s3 = |extras: &[Extra]| {
        let all = granted(task, extras, &places);
        all.into_iter().filter(|(action, _)| action.starts_with("s3:")).collect::<Actions>()
    };
    let needed = in_s3(&[]);
    let also = in_s3(extras).into_iter().filter(|one| !needed.contains(one)).collect();
    (needed, also)
}

fn protection(request: &DoctorRequest) -> Protection {
    let names_kms_key = match request.client_side() {
        Some(client) => client.kms_keys().next().is_some(),
        None => request.server_side().and_then(ServerSide::kms).is_some_and(|(key, _)| key.is_some()),
    };
    Protection::of(request.mode, names_kms_key)
}

/// What an answer says of an action.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    Allowed,
    Denied,
    /// Why it is not known.
    NotKnown(String),
}

/// Reads an answer. `may_list` says whether the bucket may be listed: where it may not, S3 refuses to say that an object
/// does not exist. `asks_mode` says whether the bucket's policy looks at the mode of a write, which a question has not.
fn found(action: &str, answer: Option<Result<()>>, may_list: bool, asks_mode: bool) -> Found {
    let not_known = |why: &str| Found::NotKnown(why.to_owned());
    match answer {
        None => not_known("only trying tells"),
        Some(Ok(())) => Found::Allowed,
        Some(Err(Error::Denied { .. })) if action == PUT && asks_mode => {
            not_known("denied to a question without a mode, which the bucket's policy may want")
        }
        Some(Err(Error::Denied { why: Denial::Action { action: denied }, .. })) => match denied.as_str() {
            denied if denied == action => Found::Denied,
            // Allowed, and the object that does not exist may not be told from one that does.
            LIST => Found::Allowed,
            denied => Found::NotKnown(format!("{denied} is denied")),
        },
        Some(Err(Error::Denied { .. })) if may_list || is_of_uploads(action) || action == LIST => {
            Found::Denied
        }
        Some(Err(Error::Denied { .. })) => not_known(
            "refused without a reason, as an object that does not exist is where s3:ListBucket is denied",
        ),
        Some(Err(error)) => Found::NotKnown(format!("this server does not answer the question: {error}")),
    }
}

/// Whether its question is about an upload, whose absence S3 tells anybody.
fn is_of_uploads(action: &str) -> bool {
    action == PUT || action.contains("Multipart")
}

fn check(
    request: &DoctorRequest,
    action: &'static str,
    resource: String,
    is_needed: bool,
    found: Found,
) -> Check {
    let name = Name::Permission;
    let allow = Remedy::Allow { action, resource: Some(resource) };
    match found {
        Found::Allowed => Check::ok(name, action),
        Found::Denied if is_needed => {
            let seen = format!("{action} is denied");
            Check::failed(name, Problem::Denied, seen).mended_by(allow)
        }
        Found::Denied => {
            let seen = format!("{action} is denied, which {} takes", use_of(action));
            Check::warning(name, seen).mended_by(allow)
        }
        Found::NotKnown(why) => {
            let check = Check::warning(name, format!("{action} is not known: {why}"));
            if TRIED.contains(&action) { request.suggest_write_test(check) } else { check }
        }
    }
}

/// What an action is for that the verb can do without.
fn use_of(action: &str) -> &'static str {
    if action == LIST { "everything below a prefix" } else { "an object of more than one part" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn denied(why: Denial) -> Result<()> {
        Err(Error::Denied { subject: "s3://bkt/k".into(), why, source: None })
    }

    #[test]
    fn only_an_answer_that_has_one_explanation_is_believed() {
        let action = |action: &str| Some(denied(Denial::Action { action: action.to_owned() }));
        let unexplained = || Some(denied(Denial::Unexplained { action: String::new() }));
        let (get, abort) = ("s3:GetObject", "s3:AbortMultipartUpload");
        for (asked, answer, may_list, asks_mode, expected) in [
            (get, Some(Ok(())), false, false, 'a'),
            (get, None, true, false, '?'),
            (get, action(get), false, false, 'd'),
            (get, action(LIST), false, false, 'a'),
            (get, action("kms:Decrypt"), false, false, '?'),
            (get, unexplained(), true, false, 'd'),
            (get, unexplained(), false, false, '?'),
            (LIST, unexplained(), false, false, 'd'),
            (abort, unexplained(), false, false, 'd'),
            (PUT, unexplained(), false, false, 'd'),
            (PUT, action(PUT), true, true, '?'),
            (PUT, Some(Err(Error::not_understood("s3://bkt/k", "x"))), true, false, '?'),
        ] {
            let found = match found(asked, answer, may_list, asks_mode) {
                Found::Allowed => 'a',
                Found::Denied => 'd',
                Found::NotKnown(_) => '?',
            };
            assert_eq!(found, expected, "{asked} {may_list} {asks_mode}");
        }
    }
}
