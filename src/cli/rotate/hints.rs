//! What to do about an error while rotating, where that is not what it is for other verbs.
//!
//! An object that is not as asked must not be thrown away here: it is the only one. And a missing key is an old key,
//! whose flags begin with `--from-`. Everything else is `cli::hints`.

use crate::cli::aws_flags::AwsFlags;
use crate::cli::sanitize::shell_word;
use crate::cli::{hints, lost_envelope};
use crate::error::{Error, KeyFault};
use crate::location::S3Uri;

/// The flags of keys that open, as other verbs have them.
const OPENING: [&str; 6] =
    ["--sse-c-key", "--key", "--private-key", "--passphrase", "--kms-key", "--context"];

/// Looks up hints; none where those of all verbs will do.
#[must_use]
pub(crate) fn of(error: &Error, aws: &AwsFlags) -> Option<Vec<String>> {
    match error {
        Error::Tampered { what, .. } => Some(look(what).into_iter().collect()),
        Error::NotAsAsked { stored: false, .. } => {
            Some(vec!["no object was changed; this server cannot do what was asked".to_owned()])
        }
        Error::NotAsAsked { what, got, version_id, .. } => {
            let stored = format!("it is stored as {got}: the server did not do what was asked");
            // Only where an older version is left is it not the one there is.
            let removal = version_id.as_deref().and_then(|id| aws.removal(what, Some(id)));
            let removal = removal.map(|command| format!("to have the version before it again: {command}"));
            Some([stored].into_iter().chain(look(what)).chain(removal).collect())
        }
        Error::EnvelopeLost(lost) => Some(lost_envelope::after_rotate(lost, aws)),
        Error::Changed { .. } => Some(vec![
            "somebody wrote it meanwhile, and that stays; the same command rotates what is there now"
                .to_owned(),
        ]),
        Error::KeyNeeded { .. }
        | Error::KeyWrong {
            why:
                KeyFault::NotTheCustomerKey
                | KeyFault::NoneFits { .. }
                | KeyFault::DoesNotUnwrap { .. }
                | KeyFault::Context,
            ..
        } => Some(hints::of(error, aws).iter().map(|hint| of_old_keys(hint)).collect()),
        _ => None,
    }
}

fn of_old_keys(hint: &str) -> String {
    OPENING.iter().fold(hint.to_owned(), |hint, flag| hint.replace(flag, &flag.replacen("--", "--from-", 1)))
}

fn look(what: &str) -> Option<String> {
    let uri = what.split(" (version ").next()?.parse::<S3Uri>().ok()?.to_string();
    Some(format!(
        "`s3seal inspect {}` shows what is there now; older versions, if any, are as they were",
        shell_word(&uri)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{KeyNeed, WrapKind};

    #[test]
    fn an_old_key_is_asked_for_by_the_flag_that_takes_it() {
        let needed = |need| Error::KeyNeeded { what: "s3://bkt/a".to_owned(), need };
        let wrapping = |kind| needed(KeyNeed::Wrapping { kind, fingerprint: None });
        let wrong = |why| Error::KeyWrong { what: "s3://bkt/a".to_owned(), why, source: None };
        for (error, flag) in [
            (needed(KeyNeed::Customer), "--from-sse-c-key SOURCE"),
            (wrapping(WrapKind::Aes), "--from-key SOURCE"),
            (wrapping(WrapKind::Rsa), "--from-private-key SOURCE"),
            (wrapping(WrapKind::Kms), "--from-kms-key KEY"),
            (wrapping(WrapKind::Passphrase), "--from-passphrase SOURCE"),
            (wrong(KeyFault::NotTheCustomerKey), "--from-sse-c-key SOURCE"),
            (wrong(KeyFault::DoesNotUnwrap { fingerprint: None }), "--from-private-key or --from-passphrase"),
            (wrong(KeyFault::Context), "--from-context KEY=VALUE"),
        ] {
            let hints = of(&error, &AwsFlags::default()).unwrap().join("\n");
            assert!(hints.contains(flag) && !hints.contains(" --key"), "{hints}");
        }
    }

    #[test]
    fn nobody_is_told_to_remove_the_only_object_there_is() {
        let error = Error::NotAsAsked {
            what: "s3://bkt/a b".to_owned(),
            asked: "SSE-C".to_owned(),
            got: "SSE-S3".to_owned(),
            stored: true,
            version_id: None,
        };
        let hints = of(&error, &AwsFlags::default()).unwrap().join("\n");
        assert!(!hints.contains("delete") && hints.contains("s3seal inspect 's3://bkt/a b'"), "{hints}");
        assert_eq!(of(&Error::tampered("the server", "it lies"), &AwsFlags::default()), Some(vec![]));
    }
}
