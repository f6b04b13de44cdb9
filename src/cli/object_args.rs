//! The flags for the object's headers, metadata and tags, and for the condition of the write.
//!
//! What S3 would refuse only after the upload is refused here.

use std::collections::BTreeMap;

use clap::ValueHint;

use super::failure::Failure;
use super::lock_args::LockArgs;
use crate::encryption::pair;
use crate::object::{Settings, WriteCondition};
use crate::s3_limits::MAX_TAGS;

/// The canned ACLs ("Access control list (ACL) overview", Amazon S3 user guide).
const ACLS: [&str; 7] = [
    "private",
    "public-read",
    "public-read-write",
    "aws-exec-read",
    "authenticated-read",
    "bucket-owner-read",
    "bucket-owner-full-control",
];

/// Everything about the object but its bytes and its encryption.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Object")]
pub(crate) struct ObjectArgs {
    /// The Content-Type header [default: guessed from the name]
    #[arg(long, value_name = "TYPE")]
    content_type: Option<String>,

    /// A pair of user metadata; repeatable
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    metadata: Vec<(String, String)>,

    /// A tag; repeatable, up to ten
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    tag: Vec<(String, String)>,

    /// The storage class, such as STANDARD_IA
    #[arg(long, value_name = "CLASS")]
    storage_class: Option<String>,

    /// A canned ACL
    #[arg(long, value_name = "ACL", value_parser = ACLS, hide_possible_values = true)]
    acl: Option<String>,

    /// The Cache-Control header
    #[arg(long, value_name = "TEXT")]
    cache_control: Option<String>,

    /// The Content-Encoding header
    #[arg(long, value_name = "TEXT")]
    content_encoding: Option<String>,

    /// The Content-Disposition header
    #[arg(long, value_name = "TEXT")]
    content_disposition: Option<String>,

    /// The Content-Language header
    #[arg(long, value_name = "TEXT")]
    content_language: Option<String>,

    #[command(flatten)]
    lock: LockArgs,

    /// Store only if no object with this key exists
    #[arg(long, conflicts_with = "if_match")]
    no_clobber: bool,

    /// Store only if the existing object has this ETag
    #[arg(long, value_name = "ETAG", value_hint = ValueHint::Other)]
    if_match: Option<String>,
}

impl ObjectArgs {
    /// Returns the settings, without a guess of the content type.
    pub(crate) fn settings(&self) -> Result<Settings, Failure> {
        Ok(Settings {
            content_type: self.content_type.clone(),
            cache_control: self.cache_control.clone(),
            content_encoding: self.content_encoding.clone(),
            content_disposition: self.content_disposition.clone(),
            content_language: self.content_language.clone(),
            metadata: metadata(&self.metadata)?,
            tags: tags(&self.tag)?,
            storage_class: self.storage_class.clone(),
            acl: self.acl.clone(),
            lock: self.lock.lock()?,
            retain_days: self.lock.days(),
            ..Settings::default()
        })
    }

    pub(crate) fn no_clobber(&self) -> bool {
        self.no_clobber
    }

    pub(crate) fn condition(&self) -> WriteCondition {
        match &self.if_match {
            Some(etag) => WriteCondition::Matches(etag.clone()),
            None if self.no_clobber => WriteCondition::Absent,
            None => WriteCondition::None,
        }
    }
}

/// Prefixes of the metadata that client-side formats and s3seal's own markers use: whoever could set them could make an
/// object look encrypted that is not.
const RESERVED_METADATA: [&str; 2] = ["x-amz-", "s3seal-"];

/// Metadata travels as headers: keys are tokens (RFC 9110, 5.6.2) without case, values printable ASCII.
fn metadata(pairs: &[(String, String)]) -> Result<BTreeMap<String, String>, Failure> {
    let mut map = BTreeMap::new();
    for (key, value) in pairs {
        let lower = key.to_ascii_lowercase();
        let token = lower.chars().all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c));
        let printable = value.chars().all(|c| c.is_ascii_graphic() || c == ' ');
        if !token {
            return Err(Failure::usage(format!("--metadata: '{key}' is not a valid header name"))
                .hint("use letters, digits, - and _; s3seal adds the prefix x-amz-meta-"));
        }
        if RESERVED_METADATA.iter().any(|reserved| lower.starts_with(reserved)) {
            return Err(Failure::usage(format!(
                "--metadata: '{key}' is reserved for the envelopes of client-side encryption"
            ))
            .hint(
                "use a key that begins with neither x-amz- nor s3seal-; s3seal adds the prefix x-amz-meta-",
            ));
        }
        if !printable || value.trim() != value {
            return Err(Failure::usage(format!(
                "--metadata: the value of '{key}' is not a valid header value"
            ))
            .hint("use printable ASCII without leading or trailing spaces; encode other text"));
        }
        if map.insert(lower, value.clone()).is_some() {
            return Err(Failure::usage(format!("--metadata: '{key}' is given twice")));
        }
    }
    Ok(map)
}

fn tags(pairs: &[(String, String)]) -> Result<BTreeMap<String, String>, Failure> {
    let mut map = BTreeMap::new();
    for (key, value) in pairs {
        if key.chars().count() > 128 || value.chars().count() > 256 {
            return Err(Failure::usage(format!("--tag: '{key}' is too long"))
                .hint("a tag's key has at most 128 characters and its value 256"));
        }
        if map.insert(key.clone(), value.clone()).is_some() {
            return Err(Failure::usage(format!("--tag: '{key}' is given twice")));
        }
    }
    if map.len() > MAX_TAGS {
        return Err(Failure::usage(format!("--tag: {} tags are given; S3 takes {MAX_TAGS}", map.len())));
    }
    Ok(map)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn metadata_that_a_header_cannot_carry_is_refused() {
        let kept = metadata(&pairs(&[("Owner", "a b"), ("empty", "")])).ok().unwrap();
        assert_eq!(kept["owner"], "a b");
        for bad in
            [("a b", "x"), ("größe", "x"), ("a", "x\r\ny: z"), ("a", "ü"), ("a", " x"), ("X-Amz-Key-V2", "x")]
        {
            assert!(metadata(&pairs(&[bad])).is_err(), "{bad:?}");
        }
        assert!(metadata(&pairs(&[("a", "1"), ("A", "2")])).is_err());
    }

    #[test]
    fn tags_are_counted_before_the_bytes_travel() {
        let many: Vec<_> = (0..11).map(|n| (format!("k{n}"), String::new())).collect();
        assert!(tags(&many).is_err());
        assert!(tags(&many[1..]).is_ok());
        assert!(tags(&pairs(&[("a", "1"), ("a", "2")])).is_err());
        assert!(tags(&pairs(&[("a", &"x".repeat(257))])).is_err());
    }
}
