//! Listings of objects in both versions of the request, and how all listings walk.
//!
//! All walk sorted keys in the same way; only what stands at a key differs.
//!
//! What does not belong here: parts, versions, uploads (see the files of that name).

use s3s::dto::{
    CommonPrefix, ETag, EncodingType, ListObjectsInput, ListObjectsOutput, ListObjectsV2Input,
    ListObjectsV2Output, Object as ObjectDto,
};
use s3s::{S3Request, S3Response, S3Result};

use super::bucket;
use crate::s3::object::{Bucket, Object, Version};
use crate::s3::state::S3State;
use crate::s3::{error, url};

/// The most entries of one answer.
const MOST: usize = 1000;

/// What a listing asks for.
pub struct Ask<'a> {
    pub prefix: &'a str,
    pub delimiter: Option<&'a str>,
    /// Only keys and prefixes behind this one.
    pub after: &'a str,
    pub most: usize,
    encode: bool,
}

/// One entry of a listing.
pub enum Entry<T> {
    Key(T),
    Prefix(String),
}

/// One answer of a listing.
pub struct Page<T> {
    pub entries: Vec<Entry<T>>,
    pub truncated: bool,
    /// The key or prefix of the last entry.
    pub last: Option<String>,
}

impl<'a> Ask<'a> {
    /// Reads it.
    pub fn new(
        prefix: Option<&'a String>,
        delimiter: Option<&'a String>,
        after: Option<&'a String>,
        most: Option<i32>,
        encoding: Option<&EncodingType>,
    ) -> S3Result<Self> {
        let most = usize::try_from(most.unwrap_or(1000)).map_err(|_| {
            error::invalid_argument("Argument maxKeys must be an integer between 0 and 2147483647")
        })?;
        Ok(Self {
            prefix: prefix.map_or("", |prefix| prefix),
            delimiter: delimiter.map(|each| &**each).filter(|each| !each.is_empty()),
            after: after.map_or("", |after| after),
            most: most.min(MOST),
            encode: encoding.is_some_and(|encoding| encoding.as_str() == EncodingType::URL),
        })
    }

    /// Walks entries in the order of their keys.
    pub fn page<T>(&self, all: impl Iterator<Item = (String, T)>) -> Page<T> {
        let mut page = Page { entries: Vec::new(), truncated: false, last: None };
        for (key, item) in all {
            let Some(rest) = key.strip_prefix(self.prefix) else {
                continue;
            };
            let cut = self.delimiter.and_then(|each| Some(rest.find(each)? + each.len()));
            let common = cut.map(|cut| key[..self.prefix.len() + cut].to_owned());
            let name = common.as_deref().unwrap_or(&key);
            if common.is_some() && (page.last.as_deref() == Some(name) || name <= self.after) {
                continue;
            }
            if page.entries.len() == self.most {
                page.truncated = self.most > 0;
                break;
            }
            page.last = Some(name.to_owned());
            page.entries.push(match common {
                Some(prefix) => Entry::Prefix(prefix),
                None => Entry::Key(item),
            });
        }
        page
    }

    /// A key as the answer shows it.
    pub fn shown(&self, text: &str) -> String {
        match self.encode {
            true => url::encode(text),
            false => text.to_owned(),
        }
    }

    /// The same of what may not be there.
    pub fn shown_opt(&self, text: Option<&String>) -> Option<String> {
        text.map(|text| self.shown(text))
    }
}

impl<T> Page<T> {
    /// Its keys, and its common prefixes.
    pub fn split(self, ask: &Ask<'_>) -> (Vec<T>, Vec<CommonPrefix>) {
        let (mut keys, mut prefixes) = (Vec::new(), Vec::new());
        for entry in self.entries {
            match entry {
                Entry::Key(item) => keys.push(item),
                Entry::Prefix(prefix) => prefixes.push(CommonPrefix { prefix: Some(ask.shown(&prefix)) }),
            }
        }
        (keys, prefixes)
    }
}

/// The latest objects behind a key, in order.
fn current<'a>(
    bucket: &'a Bucket,
    after: &'a str,
) -> impl Iterator<Item = (String, (&'a Version, &'a Object))> {
    let keys = bucket.objects.keys().filter(move |key| key.as_str() > after);
    keys.filter_map(|key| {
        let (version, object) = bucket.current(key)?;
        Some((key.clone(), (version, &**object)))
    })
}

/// An object as a listing shows it.
pub fn listed(ask: &Ask<'_>, key: &str, version: &Version, object: &Object) -> ObjectDto {
    let class = object.marks.storage_class.as_deref().unwrap_or("STANDARD");
    ObjectDto {
        key: Some(ask.shown(key)),
        e_tag: Some(ETag::Strong(object.etag.clone())),
        last_modified: Some(version.modified.into()),
        size: i64::try_from(object.body.len()).ok(),
        storage_class: Some(class.to_owned().into()),
        checksum_algorithm: object.sum.as_ref().map(|sum| vec![sum.algorithm.name().to_owned().into()]),
        checksum_type: object.sum.as_ref().map(|_| object.sum_type.name().to_owned().into()),
        ..ObjectDto::default()
    }
}

/// `ListObjectsV2`
pub async fn objects_v2(
    state: &S3State,
    request: S3Request<ListObjectsV2Input>,
) -> S3Result<S3Response<ListObjectsV2Output>> {
    let input = request.input;
    let inner = state.lock();
    let bucket = inner.bucket(&input.bucket)?;
    let token = input.continuation_token.as_ref().map(|token| {
        let text = token.strip_prefix("1-").and_then(|text| url::decode(text, true));
        text.ok_or_else(|| error::invalid_argument("The continuation token provided is incorrect"))
    });
    let token = token.transpose()?;
    let after = token.as_ref().or(input.start_after.as_ref());
    let ask = Ask::new(
        input.prefix.as_ref(),
        input.delimiter.as_ref(),
        after,
        input.max_keys,
        input.encoding_type.as_ref(),
    )?;
    let all = current(bucket, ask.after).map(|(key, item)| (key.clone(), (key, item)));
    let page = ask.page(all);
    let truncated = page.truncated;
    let next = page.last.as_ref().map(|last| format!("1-{}", url::encode(last)));
    let (keys, prefixes) = page.split(&ask);
    let contents: Vec<_> = keys
        .into_iter()
        .map(|(key, (version, object))| ObjectDto {
            owner: input.fetch_owner.unwrap_or(false).then(bucket::owner),
            ..listed(&ask, &key, version, object)
        })
        .collect();
    Ok(S3Response::new(ListObjectsV2Output {
        name: Some(input.bucket.clone()),
        prefix: Some(ask.shown(ask.prefix)),
        delimiter: ask.shown_opt(input.delimiter.as_ref()),
        start_after: ask.shown_opt(input.start_after.as_ref()),
        max_keys: i32::try_from(ask.most).ok(),
        key_count: i32::try_from(contents.len() + prefixes.len()).ok(),
        is_truncated: Some(truncated),
        continuation_token: input.continuation_token.clone(),
        next_continuation_token: next.filter(|_| truncated),
        contents: Some(contents),
        common_prefixes: Some(prefixes),
        encoding_type: input.encoding_type.clone(),
        ..ListObjectsV2Output::default()
    }))
}

/// `ListObjects`
pub async fn objects(
    state: &S3State,
    request: S3Request<ListObjectsInput>,
) -> S3Result<S3Response<ListObjectsOutput>> {
    let input = request.input;
    let inner = state.lock();
    let bucket = inner.bucket(&input.bucket)?;
    let ask = Ask::new(
        input.prefix.as_ref(),
        input.delimiter.as_ref(),
        input.marker.as_ref(),
        input.max_keys,
        input.encoding_type.as_ref(),
    )?;
    let all = current(bucket, ask.after).map(|(key, item)| (key.clone(), (key, item)));
    let page = ask.page(all);
    let truncated = page.truncated;
    let next = page.last.as_ref().map(|last| ask.shown(last));
    let (keys, prefixes) = page.split(&ask);
    let contents = keys.into_iter().map(|(key, (version, object))| ObjectDto {
        owner: Some(bucket::owner()),
        ..listed(&ask, &key, version, object)
    });
    Ok(S3Response::new(ListObjectsOutput {
        name: Some(input.bucket.clone()),
        prefix: Some(ask.shown(ask.prefix)),
        delimiter: ask.shown_opt(input.delimiter.as_ref()),
        marker: Some(ask.shown(ask.after)),
        max_keys: i32::try_from(ask.most).ok(),
        is_truncated: Some(truncated),
        next_marker: next.filter(|_| truncated && ask.delimiter.is_some()),
        contents: Some(contents.collect()),
        common_prefixes: Some(prefixes),
        encoding_type: input.encoding_type.clone(),
        ..ListObjectsOutput::default()
    }))
}
