//! What rules demand of objects: how they must be encrypted, and under which KMS keys.
//!
//! Pure values. `cli` reads them from configuration files, `commands` compares objects with them, before a request
//! and after its answer.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use crate::encryption::Mode;
use crate::error::{Error, Subject};
use crate::location::{Bucket, S3Uri};
use crate::pattern::Pattern;

/// Where something stands in a configuration file; displayed as `FILE:LINE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) file: PathBuf,
    /// Counted from 1.
    pub(crate) line: usize,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.line)
    }
}

/// Who demands something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Demander {
    Rule(Origin),
    /// A bucket itself, by its policy or its default encryption.
    Bucket {
        bucket: Bucket,
        by: &'static str,
    },
}

impl fmt::Display for Demander {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rule(origin) => write!(f, "the rule at {origin}"),
            Self::Bucket { bucket, by } => write!(f, "the {by} of {bucket}"),
        }
    }
}

/// The ARNs of KMS keys: `*` stands for any text within one part between colons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyPattern {
    text: String,
    parts: Vec<Pattern>,
}

impl FromStr for KeyPattern {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> = text.split(':').collect();
        let ["arn", _, "kms", _, _, key] = parts.as_slice() else {
            return Err("write the ARN of a KMS key, such as arn:aws:kms:eu-west-1:111122223333:key/*");
        };
        if !key.starts_with("key/") {
            return Err("S3 and KMS name a key by its own ARN (…:key/ID): an alias cannot be compared");
        }
        let parts = parts.into_iter().map(Pattern::from_str).collect::<Result<_, _>>()?;
        Ok(Self { text: text.to_owned(), parts })
    }
}

impl KeyPattern {
    fn matches(&self, arn: &str) -> bool {
        let parts: Vec<&str> = arn.split(':').collect();
        parts.len() == self.parts.len()
            && self.parts.iter().zip(parts).all(|(pattern, part)| pattern.matches(part))
    }
}

impl fmt::Display for KeyPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// What one rule demands of the objects that it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Requirement {
    pub(crate) place: S3Uri,
    /// An object must be encrypted in one of these modes; empty for no demand.
    pub(crate) must_encrypt: Vec<Mode>,
    /// Its KMS keys must be among these; empty for no demand.
    pub(crate) kms_keys: Vec<KeyPattern>,
    pub(crate) demander: Demander,
}

/// How an object is encrypted, or is to be, as far as rules depend on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Encrypted {
    /// Client-side, at rest, or both.
    pub(crate) modes: Vec<Mode>,
    /// All KMS keys that take part, by their ARNs.
    pub(crate) kms_keys: Vec<String>,
    /// Whether the bucket's default adds a mode and a key that are not known yet.
    pub(crate) or_default: bool,
    /// The same in words.
    pub(crate) described: String,
}

/// A demand that an object does not meet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unmet {
    pub(crate) demander: Demander,
    /// The modes or keys that would meet it, in words.
    pub(crate) demanded: String,
    /// The mode or key that does not.
    pub(crate) found: String,
}

impl fmt::Display for Unmet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} by {}", self.demanded, self.demander)
    }
}

impl Unmet {
    /// The error for an object that is refused.
    pub(crate) fn error(self, subject: impl Into<Subject>) -> Error {
        let Self { demander, demanded, found } = self;
        Error::BreaksRule { subject: subject.into(), demander: demander.to_string(), demanded, found }
    }
}

impl Requirement {
    fn demands_something(&self) -> bool {
        !(self.must_encrypt.is_empty() && self.kms_keys.is_empty())
    }

    /// The first demand that an object does not meet.
    pub(crate) fn unmet(&self, object: &Encrypted) -> Option<Unmet> {
        let unmet = |demanded, found| Some(Unmet { demander: self.demander.clone(), demanded, found });
        let meets = self.must_encrypt.is_empty()
            || object.modes.iter().any(|mode| self.must_encrypt.contains(mode))
            || object.or_default && self.must_encrypt.iter().any(may_be_default);
        if !meets {
            let demanded: Vec<_> = self.must_encrypt.iter().map(|mode| mode.title()).collect();
            return unmet(demanded.join(" or "), object.described.clone());
        }
        let foreign = |key: &&String| !self.kms_keys.iter().any(|pattern| pattern.matches(key));
        let foreign = object.kms_keys.iter().find(foreign).filter(|_| !self.kms_keys.is_empty())?;
        let demanded: Vec<_> = self.kms_keys.iter().map(|pattern| format!("a key {pattern}")).collect();
        let found = if foreign.is_empty() { "a KMS key whose name is not shown" } else { foreign };
        unmet(demanded.join(" or "), found.to_owned())
    }
}

/// The demands of all rules. Cheap to clone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Requirements {
    /// A list for each file, of all its rules: also of those that demand nothing, which may be the longest match.
    files: Arc<[Vec<Requirement>]>,
    /// What buckets themselves ask for, which counts for objects of which no rule demands anything.
    buckets: Arc<[Requirement]>,
}

impl Requirements {
    pub(crate) fn new(files: Vec<Vec<Requirement>>) -> Self {
        Self { files: files.into(), buckets: Arc::default() }
    }

    /// Adds what buckets ask for themselves.
    pub(crate) fn with_buckets(self, buckets: Vec<Requirement>) -> Self {
        Self { buckets: buckets.into(), ..self }
    }

    /// What is demanded of an object, or of what is stored at this place: in each file the longest match decides, and
    /// all files count.
    pub(crate) fn of<'a>(&'a self, place: &'a S3Uri) -> impl Iterator<Item = &'a Requirement> {
        let longest = |rules: &'a Vec<Requirement>| longest(rules, place, |rule| &rule.place);
        let mut rules =
            self.files.iter().filter_map(longest).filter(|rule| rule.demands_something()).peekable();
        let of_bucket = if rules.peek().is_none() { &self.buckets[..] } else { &[] };
        rules.chain(of_bucket.iter().filter(|bucket| bucket.place.holds(place)))
    }

    /// Whether anything is demanded of objects at this place or below.
    pub(crate) fn reach(&self, place: &S3Uri) -> bool {
        let below = |rule: &Requirement| rule.demands_something() && place.holds(&rule.place);
        self.of(place).next().is_some() || self.files.iter().flatten().any(below)
    }

    /// Whether any rule limits the KMS keys of objects at this place or below.
    pub(crate) fn limit_keys(&self, place: &S3Uri) -> bool {
        self.reaching(place).any(|rule| !rule.kms_keys.is_empty())
    }

    /// Whether it depends on the bucket's default that objects at this place or below, with these modes beside it, have one
    /// that a rule demands.
    pub(crate) fn depend_on_default(&self, place: &S3Uri, modes: &[Mode]) -> bool {
        let mut demanded = self.reaching(place).map(|rule| &rule.must_encrypt);
        demanded.any(|demanded| {
            demanded.iter().any(may_be_default) && !modes.iter().any(|mode| demanded.contains(mode))
        })
    }

    /// The rules for objects at this place or below.
    fn reaching(&self, place: &S3Uri) -> impl Iterator<Item = &Requirement> {
        let rules = self.files.iter().flatten();
        rules.filter(move |rule| rule.place.holds(place) || place.holds(&rule.place))
    }

    /// The first demand that the object does not meet.
    pub(crate) fn unmet(&self, uri: &S3Uri, object: &Encrypted) -> Option<Unmet> {
        self.of(uri).find_map(|rule| rule.unmet(object))
    }

    /// Refuses to store an object in a way that does not meet a demand.
    ///
    /// # Errors
    /// `BreaksRule`.
    pub(crate) fn permit(&self, uri: &S3Uri, object: &Encrypted) -> Result<(), Error> {
        self.unmet(uri, object).map_or(Ok(()), |unmet| Err(unmet.error(uri)))
    }

    /// The same for all objects at a place and below, whatever their names are.
    ///
    /// # Errors
    /// `BreaksRule`.
    pub(crate) fn permit_all(&self, place: &S3Uri, object: &Encrypted) -> Result<(), Error> {
        self.permit(place, object)?;
        let mut below = self.files.iter().flatten().filter(|rule| place.holds(&rule.place));
        let broken = below.find_map(|rule| rule.unmet(object).map(|unmet| unmet.error(&rule.place)));
        broken.map_or(Ok(()), Err)
    }
}

/// Whether a bucket's default encryption can be this mode.
fn may_be_default(mode: &Mode) -> bool {
    !matches!(mode, Mode::SseC | Mode::Client)
}

/// The rule for a place among those of one file: the one whose own place is the longest of those that hold it.
pub(crate) fn longest<'a, R>(
    rules: &'a [R],
    place: &S3Uri,
    place_of: impl Fn(&R) -> &S3Uri,
) -> Option<&'a R> {
    let holding = rules.iter().filter(|rule| place_of(rule).holds(place));
    holding.max_by_key(|rule| place_of(rule).key.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd";

    fn rule(place: &str, modes: &[Mode], keys: &[&str], line: usize) -> Requirement {
        Requirement {
            place: place.parse().unwrap(),
            must_encrypt: modes.to_vec(),
            kms_keys: keys.iter().map(|key| key.parse().unwrap()).collect(),
            demander: Demander::Rule(Origin { file: "/etc/x".into(), line }),
        }
    }

    fn object(modes: &[Mode], keys: &[&str], or_default: bool) -> Encrypted {
        let kms_keys = keys.iter().map(|key| (*key).to_owned()).collect();
        Encrypted { modes: modes.to_vec(), kms_keys, or_default, described: "it".to_owned() }
    }

    #[test]
    fn a_mode_that_is_not_listed_breaks_a_rule_and_the_default_may_still_meet_it() {
        let rule = rule("s3://bkt/", &[Mode::Client, Mode::SseKms], &[], 3);
        for (object, meets) in [
            (object(&[Mode::Client], &[], true), true),
            (object(&[Mode::Client, Mode::SseS3], &[], false), true),
            (object(&[Mode::SseKms], &[ARN], false), true),
            (object(&[Mode::SseS3], &[], false), false),
            (object(&[Mode::DsseKms], &[ARN], false), false),
            (object(&[], &[], false), false),
            (object(&[], &[], true), true),
        ] {
            assert_eq!(rule.unmet(&object).is_none(), meets, "{object:?}");
        }
        let only_client = self::rule("s3://bkt/", &[Mode::Client], &[], 3);
        assert!(only_client.unmet(&object(&[], &[], true)).is_some(), "no bucket encrypts client-side");
    }

    #[test]
    fn a_key_pattern_is_compared_part_by_part() {
        let rule = rule("s3://bkt/", &[], &["arn:aws:kms:*:111122223333:key/*"], 3);
        let meets = |key: &str| rule.unmet(&object(&[Mode::SseKms], &[key], false)).is_none();
        assert!(meets(ARN) && meets(&ARN.replace("eu-west-1", "us-east-1")));
        assert!(!meets(&ARN.replace("1111", "9999")) && !meets("") && !meets("1234abcd"));
        // Whoever made up such a name would have another account's key taken for ours.
        assert!(!meets("arn:aws:kms:us-east-1:999988887777:key/x:111122223333:key/y"));
        assert!(rule.unmet(&object(&[Mode::SseS3], &[], false)).is_none());
        for text in ["", "*", "alias/a", "arn:aws:kms:eu-west-1:111122223333:alias/a", "arn:aws:s3:::b"] {
            assert!(text.parse::<KeyPattern>().is_err(), "{text}");
        }
    }

    #[test]
    fn in_a_file_the_longest_match_decides_and_all_files_count() {
        let files = vec![
            vec![rule("s3://bkt/", &[Mode::SseKms], &[], 1), rule("s3://bkt/db/", &[Mode::Client], &[], 2)],
            vec![rule("s3://bkt/db/open/", &[], &[], 3), rule("s3://bkt/db/", &[Mode::SseC], &[], 4)],
        ];
        let rules = Requirements::new(files);
        let lines = |place: &str| {
            let place = place.parse().unwrap();
            let line = |rule: &Requirement| match &rule.demander {
                Demander::Rule(origin) => origin.line,
                Demander::Bucket { .. } => 0,
            };
            rules.of(&place).map(line).collect::<Vec<_>>()
        };
        assert_eq!(lines("s3://bkt/a"), [1]);
        assert_eq!(lines("s3://bkt/db/a"), [2, 4]);
        // The second file frees it, and the first one's demand stays.
        assert_eq!(lines("s3://bkt/db/open/a"), [2]);
        assert_eq!(lines("s3://other/db/a"), [0; 0]);
        assert!(rules.reach(&"s3://bkt".parse().unwrap()) && !rules.reach(&"s3://other".parse().unwrap()));
    }
}
