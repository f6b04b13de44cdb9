//! Names for somebody who types one: buckets, what stands directly below a prefix, storage classes, profiles.
//!
//! A page is enough, and what is refused has no names: nobody reads a reason in the middle of a line.

use aws_sdk_s3::types::{EncodingType, StorageClass};

use crate::aws::connection::Connection;
use crate::aws::listing::{ListedKey, listed_key};
use crate::aws::profile;
use crate::aws::request_fields::bucket_request;
use crate::location::S3Uri;

/// More than anybody would choose from.
const MAX_NAMES_BELOW: i32 = 200;

impl Connection {
    /// The buckets of the account.
    pub(crate) async fn bucket_names(&self) -> Option<Vec<String>> {
        let answer = self.s3.list_buckets().send().await.ok()?;
        Some(answer.buckets().iter().filter_map(|bucket| bucket.name().map(str::to_owned)).collect())
    }

    /// The first of the keys that begin with that of `uri`, each up to its next slash.
    pub(crate) async fn names_below(&self, uri: &S3Uri) -> Option<Vec<String>> {
        let answer = bucket_request!(self, list_objects_v2, uri)
            .prefix(&uri.key)
            .delimiter("/")
            .max_keys(MAX_NAMES_BELOW)
            .encoding_type(EncodingType::Url)
            .send()
            .await
            .ok()?;
        let is_encoded = answer.encoding_type() == Some(&EncodingType::Url);
        let prefixes = answer.common_prefixes().iter().filter_map(|prefix| prefix.prefix());
        let keys = answer.contents().iter().filter_map(|object| object.key());
        let names = prefixes.chain(keys).filter_map(|name| match listed_key(name, is_encoded) {
            ListedKey::Text(name) => Some(name),
            ListedKey::NotText(_) => None,
        });
        // An object that only marks the prefix itself is no name below it.
        Some(names.filter(|name| *name != uri.key || uri.is_object()).collect())
    }
}

/// The storage classes that S3 has.
pub(crate) fn storage_classes() -> &'static [&'static str] {
    StorageClass::values()
}

/// The profiles of the AWS configuration files.
pub(crate) async fn profile_names() -> Vec<String> {
    let mut names = profile::names().await;
    names.sort_unstable();
    names
}
