//! The flag or command that makes possible what is unsupported, too large or would be lost. The texts are short,
//! because rows about many objects end with them.

use crate::error::{Denial, Error, RotationRefusal, SizeLimit, Unsupported};

/// How the address of a service is written.
pub(crate) const ENDPOINT: &str = "write it as https://HOST, https://HOST:PORT or https://HOST/PATH";

pub(crate) fn of(error: &Error) -> Option<String> {
    match error {
        Error::Unsupported { why, .. } => unsupported(why),
        Error::Denied { why: Denial::Attribute { loss, .. }, .. } => {
            Some(format!("--accept-loss {loss} goes on without it"))
        }
        Error::TooLarge { why: SizeLimit::GcmMessage(_), .. } => {
            Some("--format esdk has no such limit".to_owned())
        }
        Error::TooLarge { why: SizeLimit::Parts(_), .. } => {
            Some("--expected-size says how much is coming".to_owned())
        }
        Error::TooLarge { why: SizeLimit::Listing(_), .. } => {
            Some("take it in parts: a command for each address, or for each directory in it".to_owned())
        }
        _ => None,
    }
}

fn unsupported(why: &Unsupported) -> Option<String> {
    Some(match why {
        Unsupported::Rotation(refusal) => return rotation(refusal).map(str::to_owned),
        Unsupported::WouldLose { loss, .. } => format!("--accept-loss {loss} goes on without it"),
        // New objects get no pair whose name AWS reserves.
        Unsupported::WouldLoseContext { pairs } if pairs.split(", ").any(|pair| pair.starts_with("aws:")) => {
            "--accept-loss context goes on without it".to_owned()
        }
        Unsupported::WouldLoseContext { .. } => {
            "give it with --context, which stores it readable, or --accept-loss context goes on without it"
                .to_owned()
        }
        Unsupported::UnknownMode(_) => "add --at-rest to say which mode it gets".to_owned(),
        Unsupported::Legacy { least, .. } => {
            format!("--allow-legacy {} reads it anyway", least.as_str()?)
        }
        Unsupported::EnvelopeInMetadata => "leave out --instruction-suffix".to_owned(),
        Unsupported::EnvelopeTooLarge { .. } => {
            "--instruction-file stores the envelope separately".to_owned()
        }
        Unsupported::ContextNotAscii => "--format esdk takes any text".to_owned(),
        Unsupported::ContextKeyReserved(_) => "choose another key; --format esdk takes this one".to_owned(),
        Unsupported::ContextNeedsKms => "--format esdk keeps one with any key".to_owned(),
        Unsupported::EsdkOnly => "add --format esdk, or leave out --frame-length and --key-name".to_owned(),
        Unsupported::OtherJournal => "name another file: --journal FILE".to_owned(),
        Unsupported::NoUpdateInPlace(_) => "leave out --update-in-place: objects are copied".to_owned(),
        Unsupported::NoSelfCopy => "`s3seal get`, then `s3seal put` encrypts it anew".to_owned(),
        Unsupported::NotAnEndpoint { .. } => ENDPOINT.to_owned(),
        // The command that enables it names the bucket: see `hints`.
        Unsupported::NoObjectLock | Unsupported::Other(_) => return None,
    })
}

/// What makes a rotation possible that is refused.
fn rotation(refusal: &RotationRefusal) -> Option<&'static str> {
    match refusal {
        RotationRefusal::Plaintext | RotationRefusal::Unproven { .. } => {
            Some("--seal-plaintext encrypts it anyway")
        }
        RotationRefusal::NothingToShare => Some("--share-to takes objects encrypted with --instruction-file"),
        RotationRefusal::NotAuthenticated => {
            Some("--new-data-key and --seal-plaintext in place of --rewrap encrypt its bytes again")
        }
        RotationRefusal::FileInUse => {
            Some("leave out --instruction-file, and the envelope goes into its metadata")
        }
        RotationRefusal::NameUnbound => Some("--format esdk keeps it bound"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encryption::Legacy;

    #[test]
    fn what_can_be_changed_by_a_flag_names_it() {
        let legacy = Unsupported::Legacy { why: "old".into(), least: Legacy::V2 };
        let loses = Unsupported::WouldLose { loss: "acl", why: "its ACL is not known".to_owned() };
        for (why, flag) in [
            (legacy, "--allow-legacy v2"),
            (loses, "--accept-loss acl"),
            (RotationRefusal::Plaintext.into(), "--seal-plaintext"),
            (RotationRefusal::Unproven { by_public_key: true }.into(), "--seal-plaintext"),
            (RotationRefusal::NameUnbound.into(), "--format esdk"),
        ] {
            let error = Error::unsupported("s3://bkt/k", why);
            assert!(!error.to_string().contains("--"), "{error}");
            assert!(of(&error).unwrap().contains(flag), "{error}");
        }
        assert_eq!(of(&Error::unsupported("s3://bkt/k", RotationRefusal::Locked)), None);
        let parts = Error::too_large("standard input", SizeLimit::Parts(10_000));
        assert!(of(&parts).unwrap().contains("--expected-size"));
    }
}
