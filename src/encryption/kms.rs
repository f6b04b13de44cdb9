//! Names of keys in AWS KMS: as users write them, and as KMS returns them.
//!
//! Only compared here; `aws::kms` sends requests. The user's key decides, never the one that an object names: that could be
//! an attacker's.

use std::fmt;
use std::str::FromStr;

use super::EncryptionError;

/// The longest key name that KMS accepts ("KeyId" in the AWS KMS API reference).
const MAX_NAME: usize = 2048;

/// A KMS key by id, ARN, alias name or alias ARN.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KmsKey(String);

impl KmsKey {
    /// The key that S3 uses where none is named; AWS makes it in each account at its first use.
    pub(crate) fn s3_default() -> Self {
        Self("alias/aws/s3".to_owned())
    }

    /// The name as requests carry it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key ARN, if the key is named by it.
    pub fn arn(&self) -> Option<KeyArn> {
        KeyArn::parse(&self.0)
    }

    /// Whether it is an alias, which AWS can resolve to any key.
    pub fn is_alias(&self) -> bool {
        self.0.starts_with("alias/") || self.0.contains(":alias/")
    }

    /// Whether `arn`, from a response, can be this key. An alias can be any key; an id or an ARN must match.
    pub fn may_be(&self, arn: &str) -> bool {
        if self.is_alias() {
            return true;
        }
        let id = |name: &str| name.rsplit('/').next().unwrap_or_default().to_owned();
        if self.0.starts_with("arn:") && arn.starts_with("arn:") {
            return self.0 == arn;
        }
        id(&self.0) == id(arn)
    }

    /// Whether `shown`, as S3 shows it, is this key. An alias is only equal to itself.
    pub fn is(&self, shown: &str) -> bool {
        self.0 == shown || !self.is_alias() && self.may_be(shown)
    }

    /// Whether it may unwrap a data key that, by its envelope, was wrapped with `wrapped_with`: the same key or a replica in
    /// another region.
    pub fn may_unwrap(&self, wrapped_with: &KeyArn) -> bool {
        match self.arn() {
            Some(ours) => ours.is_same_key(wrapped_with),
            None => self.may_be(wrapped_with.as_str()),
        }
    }
}

impl fmt::Display for KmsKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for KmsKey {
    type Err = EncryptionError;

    fn from_str(text: &str) -> Result<Self, EncryptionError> {
        let visible = text.chars().all(|c| c.is_ascii_graphic());
        if text.is_empty() || text.len() > MAX_NAME || !visible {
            return Err(EncryptionError::KmsKey(text.to_owned()));
        }
        Ok(Self(text.to_owned()))
    }
}

impl From<&KeyArn> for KmsKey {
    fn from(arn: &KeyArn) -> Self {
        Self(arn.0.clone())
    }
}

/// The ARN of a key in AWS KMS: `arn:PARTITION:kms:REGION:ACCOUNT:key/ID`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyArn(String);

impl KeyArn {
    /// Reads a key ARN; `None` for anything else, including an alias ARN.
    pub fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split(':').collect();
        let ["arn", partition, "kms", region, account, key] = parts.as_slice() else { return None };
        let id = key.strip_prefix("key/")?;
        let filled = [*partition, *region, *account, id].iter().all(|part| !part.is_empty());
        let plain = text.len() <= MAX_NAME && !id.contains('/') && text.bytes().all(|c| c.is_ascii_graphic());
        (filled && plain).then(|| Self(text.to_owned()))
    }

    /// The whole ARN.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key's id.
    pub fn id(&self) -> &str {
        self.part(5).trim_start_matches("key/")
    }

    /// The part of AWS that the key is in, such as `aws` or `aws-cn`.
    pub fn partition(&self) -> &str {
        self.part(1)
    }

    /// The region that the key is in.
    pub fn region(&self) -> &str {
        self.part(3)
    }

    /// The account that the key belongs to.
    pub fn account(&self) -> &str {
        self.part(4)
    }

    /// Whether both are the same key or replicas of one multi-Region key, the ids of which begin with `mrk-`.
    #[must_use]
    pub fn is_same_key(&self, other: &Self) -> bool {
        let multi_region = self.part(5).starts_with("key/mrk-");
        let but_region = |arn: &Self| [1, 4, 5].map(|place| arn.part(place).to_owned());
        self == other || (multi_region && but_region(self) == but_region(other))
    }

    fn part(&self, place: usize) -> &str {
        self.0.split(':').nth(place).unwrap_or_default()
    }
}

impl fmt::Display for KeyArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The id of an AWS account: twelve digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account(String);

impl Account {
    /// Whether a key belongs to it.
    pub fn owns(&self, key: &KeyArn) -> bool {
        key.account() == self.0
    }
}

impl FromStr for Account {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() == 12 && text.bytes().all(|c| c.is_ascii_digit()) {
            return Ok(Self(text.to_owned()));
        }
        Err("write the twelve digits of an AWS account, such as 111122223333")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    const MRK: &str = "arn:aws:kms:eu-west-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab";

    fn key(name: &str) -> KmsKey {
        name.parse().unwrap()
    }

    fn arn(text: &str) -> KeyArn {
        KeyArn::parse(text).unwrap()
    }

    #[test]
    fn a_kms_key_has_many_names() {
        let may_be = |name: &str| key(name).may_be(PLAIN);
        assert!(may_be("1234abcd-12ab-34cd-56ef-1234567890ab"));
        assert!(may_be(PLAIN));
        assert!(may_be("alias/backup"));
        assert!(may_be("arn:aws:kms:eu-west-1:111122223333:alias/backup"));
        assert!(!may_be("9999abcd-12ab-34cd-56ef-1234567890ab"));
        let is = |name: &str| key(name).is(PLAIN);
        assert!(is("1234abcd-12ab-34cd-56ef-1234567890ab") && is(PLAIN));
        assert!(!is("alias/backup") && !is("arn:aws:kms:eu-west-1:111122223333:alias/backup"));
        assert!(key("alias/backup").is("alias/backup"));
        assert!(!may_be(&PLAIN.replace("eu-west-1", "us-east-1")));
    }

    #[test]
    fn a_key_fits_itself_and_a_replica_its_kin() {
        let fits = |given: &str, stored: &str| key(given).may_unwrap(&arn(stored));
        let elsewhere = |arn: &str| arn.replace("eu-west-1", "us-east-2");
        assert!(fits(PLAIN, PLAIN));
        assert!(!fits(PLAIN, &elsewhere(PLAIN)));
        assert!(fits(MRK, &elsewhere(MRK)));
        assert!(!fits(MRK, &MRK.replace("1111", "2222")));
        assert!(!fits(MRK, &MRK.replace(":aws:", ":aws-cn:")));
        assert!(!fits(MRK, PLAIN));
        assert!(fits("1234abcd-12ab-34cd-56ef-1234567890ab", PLAIN));
        assert!(fits("alias/backup", PLAIN));
    }

    #[test]
    fn only_the_arn_of_a_key_is_one() {
        assert_eq!(arn(MRK).account(), "111122223333");
        for text in [
            "",
            "no arn at all",
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

    #[test]
    fn an_account_is_twelve_digits() {
        assert!("111122223333".parse::<Account>().unwrap().owns(&arn(PLAIN)));
        assert!(!"999988887777".parse::<Account>().unwrap().owns(&arn(PLAIN)));
        for text in ["", "1111", "1111-2222-3333", "11112222333x", "1111222233334"] {
            assert!(text.parse::<Account>().is_err(), "{text}");
        }
    }
}
