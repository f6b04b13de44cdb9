//! Which key in AWS KMS a wrapped data key names, and whether it may be used.
//!
//! Only compared here; AWS KMS is asked by the verb. The user's key decides, never the message: a message could name
//! an attacker's. Discovery, using whatever key is named, is the verb's switch.

use crate::encryption::KmsKey;
use crate::error::{Error, Result};

/// The ARN of a key in AWS KMS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyArn<'a> {
    /// `aws`, `aws-cn`, …
    pub partition: &'a str,
    /// The region.
    pub region: &'a str,
    /// The account's number.
    pub account: &'a str,
    /// The key's id; that of a multi-Region key begins with `mrk-`.
    pub id: &'a str,
}

impl<'a> KeyArn<'a> {
    /// Reads `arn:PARTITION:kms:REGION:ACCOUNT:key/ID`; nothing for anything else, aliases included.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.split(':');
        let mut next = || parts.next().filter(|part| !part.is_empty());
        if next()? != "arn" {
            return None;
        }
        let partition = next()?;
        if next()? != "kms" {
            return None;
        }
        let (region, account) = (next()?, next()?);
        let id = next()?.strip_prefix("key/")?;
        let plain = !id.is_empty() && !id.contains('/') && text.bytes().all(|c| c.is_ascii_graphic());
        (plain && parts.next().is_none()).then_some(Self { partition, region, account, id })
    }

    /// Whether it is a multi-Region key, whose replicas unwrap for each other.
    #[must_use]
    pub fn is_multi_region(&self) -> bool {
        self.id.starts_with("mrk-")
    }
}

/// Whether the key that the user gave may unwrap a data key wrapped with `wrapped_with`, an ARN out of a message:
/// the same key, or one of its replicas in another region. An alias is resolved by AWS, so it may be any key.
#[must_use]
pub fn may_unwrap(given: &KmsKey, wrapped_with: &str) -> bool {
    let Some(theirs) = KeyArn::parse(wrapped_with) else { return false };
    match KeyArn::parse(given.as_str()) {
        Some(ours) if ours.is_multi_region() && theirs.is_multi_region() => {
            ours == KeyArn { region: ours.region, ..theirs }
        }
        _ => given.may_be(wrapped_with),
    }
}

/// Checks the ARN that AWS KMS answered with before it goes into a message: readers compare it with their keys.
///
/// # Errors
/// `Tampered` if it is not the ARN of a key.
pub(super) fn checked(arn: &str) -> Result<&str> {
    match KeyArn::parse(arn) {
        Some(_) if arn.len() <= 2048 => Ok(arn),
        _ => Err(Error::tampered("the answer of AWS KMS", "it names no key by its ARN")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    const MRK: &str = "arn:aws:kms:eu-west-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab";

    fn fits(given: &str, stored: &str) -> bool {
        may_unwrap(&given.parse().unwrap(), stored)
    }

    #[test]
    fn a_key_fits_itself_and_a_replica_its_kin() {
        let elsewhere = |arn: &str| arn.replace("eu-west-1", "us-east-2");
        assert!(fits(PLAIN, PLAIN));
        assert!(!fits(PLAIN, &elsewhere(PLAIN)));
        assert!(fits(MRK, &elsewhere(MRK)));
        assert!(!fits(MRK, &MRK.replace("1111", "2222")));
        assert!(!fits(MRK, &MRK.replace(":aws:", ":aws-cn:")));
        assert!(!fits(MRK, PLAIN));
        assert!(fits("1234abcd-12ab-34cd-56ef-1234567890ab", PLAIN));
        assert!(fits("alias/backup", PLAIN));
        assert!(!fits("alias/backup", "arn:aws:kms:eu-west-1:111122223333:alias/backup"));
        assert!(!fits(PLAIN, "no arn at all"));
    }

    #[test]
    fn only_the_arn_of_a_key_is_one() {
        assert_eq!(
            KeyArn::parse(MRK).map(|arn| (arn.region, arn.account)),
            Some(("eu-west-1", "111122223333"))
        );
        for text in [
            "",
            "arn:aws:kms:eu-west-1:111122223333:alias/x",
            "arn:aws:s3:eu-west-1:111122223333:key/x",
            "arn:aws:kms:eu-west-1:111122223333:key/",
            "arn:aws:kms:eu-west-1::key/x",
            "arn:aws:kms:eu-west-1:111122223333:key/x:y",
            "arn:aws:kms:eu-west-1:111122223333:key/x y",
        ] {
            assert_eq!(KeyArn::parse(text), None, "{text}");
        }
    }
}
