//! The name of an object in its encryption context (`--bind-name`), which is authenticated with the context.

use std::collections::BTreeMap;
use std::fmt;

use super::Context;
use crate::location::S3Uri;

const BUCKET: &str = "s3seal-bucket";
const KEY: &str = "s3seal-object-key";

/// The name that a context binds an object to. If another program wrote it, half of it may be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BoundName<'a> {
    bucket: Option<&'a str>,
    key: Option<&'a str>,
}

impl<'a> BoundName<'a> {
    /// Reads it from a stored context. It is not authenticated before a data key is unwrapped under that context.
    pub fn of(context: &'a BTreeMap<String, String>) -> Option<Self> {
        let entry = |name| context.get(name).map(String::as_str);
        let name = Self { bucket: entry(BUCKET), key: entry(KEY) };
        (name.bucket.is_some() || name.key.is_some()).then_some(name)
    }

    /// Whether it is the name under which the object was requested.
    pub(crate) fn is(&self, uri: &S3Uri) -> bool {
        *self == BoundName::from(uri)
    }

    /// Whether `name` is one of the two reserved context keys.
    pub fn is_entry(name: &str) -> bool {
        [BUCKET, KEY].contains(&name)
    }
}

impl<'a> From<&'a S3Uri> for BoundName<'a> {
    fn from(uri: &'a S3Uri) -> Self {
        Self { bucket: Some(uri.bucket.as_str()), key: Some(&uri.key) }
    }
}

impl fmt::Display for BoundName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket.unwrap_or("?"), self.key.unwrap_or("?"))
    }
}

impl Context {
    /// Returns the same context with a name bound into it.
    #[must_use]
    pub fn bound_to(&self, name: &BoundName<'_>) -> Self {
        let entries = [(BUCKET, name.bucket), (KEY, name.key)];
        let entries =
            entries.into_iter().filter_map(|(entry, value)| Some((entry.to_owned(), value?.to_owned())));
        let mut pairs = self.pairs().clone();
        pairs.extend(entries);
        Self(pairs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_one_bound_or_another() {
        let uri = |text: &str| text.parse::<S3Uri>().unwrap();
        let (a, b) = (uri("s3://bkt/dir/a b"), uri("s3://bkt/b"));
        let context = Context::default().bound_to(&BoundName::from(&a));
        let bound = BoundName::of(context.pairs()).unwrap();
        assert!(bound.is(&a) && !bound.is(&b) && !bound.is(&uri("s3://other/dir/a b")));
        assert_eq!(bound.to_string(), "s3://bkt/dir/a b");
        assert_eq!(BoundName::of(Context::default().pairs()), None);
    }

    #[test]
    fn half_a_name_is_none_of_any_object() {
        let half = BTreeMap::from([(KEY.to_owned(), "a".to_owned())]);
        let bound = BoundName::of(&half).unwrap();
        assert!(!bound.is(&"s3://bkt/a".parse().unwrap()));
        assert_eq!(bound.to_string(), "s3://?/a");
    }

    #[test]
    fn nobody_gives_a_name_as_an_ordinary_context() {
        for entry in [BUCKET, KEY] {
            assert!(Context::new([(entry.to_owned(), "x".to_owned())]).is_err(), "{entry}");
        }
    }
}
