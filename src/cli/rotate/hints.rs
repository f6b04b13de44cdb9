//! Hints for errors during a rotation, where they differ from those of other verbs.
//!
//! An object that was not stored as requested must not be deleted here: it may be the only copy. And a missing key is
//! an old key, whose flags begin with `--from-`. Everything else is in `cli::hints`.

use crate::cli::aws_flags::AwsFlags;
use crate::cli::sanitize::shell_word;
use crate::cli::{hints, lost_envelope};
use crate::error::{Error, KeyFault, RotationRefusal, Subject, Unsupported};

/// Looks up hints; none where those of all verbs will do.
pub(crate) fn of(error: &Error, aws: &AwsFlags) -> Option<Vec<String>> {
    match error {
        Error::Tampered { subject, .. } => Some(inspect_it(subject).into_iter().collect()),
        Error::NotAsAsked { stored: false, .. } => {
            Some(vec!["no object was changed; this server cannot do what was asked".to_owned()])
        }
        Error::NotAsAsked { subject, got, version_id, .. } => {
            let stored = format!("it is stored as {got}: the server did not do what was asked");
            // Only where an older version is left is it not the one there is.
            let removal = version_id.as_deref().and_then(|id| Some(aws.removal(subject.uri()?, Some(id))));
            let removal = removal.map(|command| format!("to have the version before it again: {command}"));
            Some([stored].into_iter().chain(inspect_it(subject)).chain(removal).collect())
        }
        Error::EnvelopeLost(lost) => Some(lost_envelope::after_rotate(lost, aws)),
        Error::Changed { subject: Subject::InstructionFile(_), .. } => Some(vec![
            "the object is rotated; somebody wrote its instruction file meanwhile, and that stays".to_owned(),
        ]),
        Error::Changed { .. } => Some(vec![
            "somebody else wrote it in the meantime, and their object stays; the same command rotates it"
                .to_owned(),
        ]),
        Error::KeyNeeded { .. }
        | Error::KeyWrong {
            why:
                KeyFault::NotTheCustomerKey
                | KeyFault::NoneFits { .. }
                | KeyFault::DoesNotUnwrap { .. }
                | KeyFault::DoesNotUnwrapWithOaep
                | KeyFault::Context,
            ..
        } => Some(hints::for_keys(error, "--from-", aws)),
        Error::Unsupported {
            subject: Subject::Object { uri, version_id },
            why: Unsupported::Rotation(RotationRefusal::Archived(_)),
        } => {
            let object = AwsFlags::object(uri, version_id.as_deref());
            Some(vec![format!("aws s3api restore-object{object} --restore-request Days=7{aws}")])
        }
        _ => None,
    }
}

fn inspect_it(subject: &Subject) -> Option<String> {
    Some(format!(
        "`s3seal inspect {}` shows what is there now; older versions, if any, are as they were",
        shell_word(&subject.uri()?.to_string())
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Aspect;
    use crate::error::{KeyNeed, WrapKind};
    use crate::location::S3Uri;

    fn object() -> Subject {
        (&"s3://bkt/a b".parse::<S3Uri>().unwrap()).into()
    }

    #[test]
    fn an_old_key_is_asked_for_by_the_flag_that_takes_it() {
        let needed = |need| Error::KeyNeeded { subject: object(), need };
        let wrapping = |kind| needed(KeyNeed::Wrapping { kind, fingerprint: None });
        let wrong = |why| Error::KeyWrong { subject: object(), why, source: None };
        for (error, flag) in [
            (needed(KeyNeed::Customer), "--from-sse-c-key SOURCE"),
            (wrapping(WrapKind::Aes), "--from-key SOURCE"),
            (wrapping(WrapKind::Rsa), "--from-private-key SOURCE"),
            (wrapping(WrapKind::Kms), "--from-kms-key KEY"),
            (wrapping(WrapKind::Passphrase), "--from-passphrase=SOURCE"),
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
            subject: object(),
            aspect: Aspect::Encryption,
            asked: "SSE-C".to_owned(),
            got: "SSE-S3".to_owned(),
            stored: true,
            version_id: None,
        };
        let hints = of(&error, &AwsFlags::default()).unwrap().join("\n");
        assert!(!hints.contains("delete") && hints.contains("s3seal inspect 's3://bkt/a b'"), "{hints}");
        assert_eq!(of(&Error::tampered(Subject::Server, "it lies"), &AwsFlags::default()), Some(vec![]));
    }

    #[test]
    fn an_archived_version_is_restored_as_that_version() {
        let uri: S3Uri = "s3://bkt/a b".parse().unwrap();
        let archived = RotationRefusal::Archived("GLACIER".to_owned());
        let error = Error::unsupported(Subject::version(&uri, Some("v1")), archived);
        assert_eq!(
            of(&error, &AwsFlags::in_region("eu-west-1")).unwrap(),
            [
                "aws s3api restore-object --bucket bkt --key 'a b' --version-id v1 --restore-request Days=7 --region eu-west-1"
            ]
        );
    }
}
