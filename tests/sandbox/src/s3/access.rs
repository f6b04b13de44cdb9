//! Who may do what: anonymous callers, expected owners, the user's policy, bucket policies.
//!
//! It is asked before a request's body is read. The signature is checked already.
//!
//! What does not belong here: encryption rules of the bucket itself (see `unlock`), and what KMS asks (see `kms`).
//!
//! Source: "Required permissions for Amazon S3 API operations", Amazon S3 user guide, and the pages of the operations.

use http::{HeaderMap, Uri};
use s3s::S3Result;
use s3s::path::S3Path;

use super::sse::{Echo, SSE, SseView, header};
use super::state::S3State;
use super::{Scheme, error, host, url};
use crate::kms::Requester;
use crate::policy::Question;

/// A request as far as access depends on it.
pub struct Visit<'a> {
    /// The operation's name.
    pub operation: &'a str,
    pub path: &'a S3Path,
    pub uri: &'a Uri,
    pub headers: &'a HeaderMap,
    pub scheme: Scheme,
    /// Whether it is signed.
    pub signed: bool,
}

/// Lets a request in.
///
/// # Errors
/// `AccessDenied`
pub fn check(state: &S3State, visit: &Visit<'_>) -> S3Result<()> {
    for name in ["x-amz-expected-bucket-owner", "x-amz-source-expected-bucket-owner"] {
        if header(visit.headers, name).is_some_and(|owner| owner != state.account) {
            return Err(error::access_denied());
        }
    }
    let bucket = visit.path.get_bucket_name().unwrap_or_default();
    let versioned = url::parameter(visit.uri.query(), "versionId").is_some();
    let action = action(visit.operation, versioned);
    if !visit.signed {
        let inner = state.lock();
        let public = inner.buckets.get(bucket).is_some_and(|bucket| bucket.public);
        let reads = matches!(action.as_str(), "s3:GetObject" | "s3:GetObjectVersion" | "s3:ListBucket");
        if !(public && reads) {
            return Err(error::access_denied());
        }
    }
    if visit.signed {
        for (action, resource) in needed(state, visit, &action) {
            ask(state, visit, &action, &resource)?;
        }
    }
    check_policy(state, visit, &action, bucket, visit.path.get_object_key())?;
    match copy_source(visit.headers) {
        Some(source) => check_policy(state, visit, "s3:GetObject", &source.bucket, Some(&source.key)),
        None => Ok(()),
    }
}

/// Asks the user's policy.
///
/// # Errors
/// `AccessDenied` in S3's words
pub fn may(state: &S3State, action: &str, resource: &str) -> S3Result<()> {
    refused(state, action, resource, state.kms.user().may(action, resource, &|_| None))
}

/// Removes from an answer what only those see who may read locks ("HeadObject", Amazon S3 API reference).
pub fn hide_lock(state: &S3State, bucket: &str, key: &str, answer: &mut HeaderMap) {
    let resource = format!("arn:aws:s3:::{bucket}/{key}");
    for (action, headers) in SHOWN_TO_FEW {
        if may(state, action, &resource).is_err() {
            for header in headers {
                answer.remove(*header);
            }
        }
    }
}

/// Actions, and the headers that take them.
const SHOWN_TO_FEW: [(&str, &[&str]); 2] = [
    ("s3:GetObjectRetention", &["x-amz-object-lock-mode", "x-amz-object-lock-retain-until-date"]),
    ("s3:GetObjectLegalHold", &["x-amz-object-lock-legal-hold"]),
];

/// Asks whether the user may decrypt what is kept in this mode.
///
/// # Errors
/// `AccessDenied` in KMS's words
pub fn may_decrypt(state: &S3State, sse: &SseView) -> S3Result<()> {
    let (SseView::SseKms { key_arn, .. } | SseView::DsseKms { key_arn, .. }) = sse else { return Ok(()) };
    let allowed = state.kms.may(state.kms.user().arn(), "kms:Decrypt", key_arn, Requester::S3);
    allowed.map_err(|refusal| error::kms(&refusal))
}

fn refused(state: &S3State, action: &str, resource: &str, answer: Result<(), String>) -> S3Result<()> {
    answer.map_err(|reason| {
        let user = state.principal();
        error::denied(format!(
            "User: {user} is not authorized to perform: {action} on resource: \"{resource}\" {reason}"
        ))
    })
}

/// As [`may`], with the condition keys of a request.
fn ask(state: &S3State, visit: &Visit<'_>, action: &str, resource: &str) -> S3Result<()> {
    let value = |name: &str| match name {
        "aws:securetransport" => Some((visit.scheme == Scheme::Https).to_string()),
        "s3:prefix" => url::parameter(visit.uri.query(), "prefix"),
        _ => header(visit.headers, name.strip_prefix("s3:")?).map(str::to_owned),
    };
    refused(state, action, resource, state.kms.user().may(action, resource, &value))
}

/// The actions that a request takes, each with its resource.
fn needed(state: &S3State, visit: &Visit<'_>, action: &str) -> Vec<(String, String)> {
    let bucket = visit.path.get_bucket_name().unwrap_or_default();
    // "Configuring IAM policies for using access points", Amazon S3 user guide.
    let (bucket, objects) = match header(visit.headers, "host").and_then(host::access_point) {
        Some(name) => {
            let point = format!("arn:aws:s3:{}:{}:accesspoint/{name}", state.region, state.account);
            (point.clone(), format!("{point}/object"))
        }
        None => (format!("arn:aws:s3:::{bucket}"), format!("arn:aws:s3:::{bucket}")),
    };
    let place = match (visit.path.get_object_key(), visit.operation) {
        (Some(key), _) => format!("{objects}/{key}"),
        (None, "ListBuckets") => "*".to_owned(),
        (None, "DeleteObjects") => format!("{objects}/*"),
        (None, _) => bucket,
    };
    let mut all = vec![(action.to_owned(), place.clone())];
    let mut also = |action: &str| all.push((action.to_owned(), place.clone()));
    if visit.operation == "GetObjectAttributes" {
        also(&action.replace("Attributes", ""));
    }
    // "Conditional deletes with a specific ETag value require both s3:DeleteObject and s3:GetObject permissions."
    if visit.operation == "DeleteObject" && visit.headers.contains_key("if-match") {
        also("s3:GetObject");
    }
    let creates = ["PutObject", "CopyObject", "CreateMultipartUpload"].contains(&visit.operation);
    let has = |header: &str| {
        let mut names = visit.headers.keys().map(http::HeaderName::as_str);
        names.any(|name| name == header || header.ends_with('-') && name.starts_with(header))
    };
    if visit.headers.contains_key("x-amz-bypass-governance-retention") {
        also("s3:BypassGovernanceRetention");
    }
    for (header, action) in WRITTEN_ALONG.into_iter().filter(|_| creates) {
        if has(header) {
            also(action);
        }
    }
    if let Some(Source { arn: source, bucket, key, version }) = copy_source(visit.headers) {
        let version_word = if version.is_some() { "Version" } else { "" };
        let copies_tags = visit.operation == "CopyObject"
            && header(visit.headers, "x-amz-tagging-directive") != Some("REPLACE")
            && has_tags(state, &bucket, &key, version.as_deref());
        if copies_tags {
            also("s3:PutObjectTagging");
            all.push((format!("s3:GetObject{version_word}Tagging"), source.clone()));
        }
        all.push((format!("s3:GetObject{version_word}"), source));
    }
    all
}

/// The headers that write something beside the object, by name or by beginning, and what each takes.
const WRITTEN_ALONG: [(&str, &str); 5] = [
    ("x-amz-tagging", "s3:PutObjectTagging"),
    ("x-amz-acl", "s3:PutObjectAcl"),
    ("x-amz-grant-", "s3:PutObjectAcl"),
    ("x-amz-object-lock-mode", "s3:PutObjectRetention"),
    ("x-amz-object-lock-legal-hold", "s3:PutObjectLegalHold"),
];

fn has_tags(state: &S3State, bucket: &str, key: &str, version: Option<&str>) -> bool {
    let inner = state.lock();
    let found = inner.buckets.get(bucket).and_then(|bucket| bucket.find(key, version).ok());
    found.is_some_and(|(_, object)| !object.marks.tags.is_empty())
}

fn check_policy(
    state: &S3State,
    visit: &Visit<'_>,
    action: &str,
    bucket: &str,
    key: Option<&str>,
) -> S3Result<()> {
    let inner = state.lock();
    let Some(found) = inner.buckets.get(bucket) else {
        return Ok(());
    };
    let Some(policy) = &found.policy else {
        return Ok(());
    };
    let resource = match key {
        Some(key) => format!("arn:aws:s3:::{bucket}/{key}"),
        None => format!("arn:aws:s3:::{bucket}"),
    };
    let principal = match visit.signed {
        true => state.principal(),
        false => "anonymous".to_owned(),
    };
    // Parts are judged by what their upload was begun with: their own requests do not say it.
    let begun = url::parameter(visit.uri.query(), "uploadId").and_then(|id| found.uploads.get(&id));
    let begun = begun.map(|upload| Echo::from(&upload.sse));
    let value = |name: &str| match name {
        "aws:securetransport" => Some((visit.scheme == Scheme::Https).to_string()),
        "aws:principalarn" => Some(principal.clone()),
        _ => {
            let name = name.strip_prefix("s3:")?;
            match &begun {
                Some(begun) if name.starts_with(SSE) => of_upload(begun, name),
                _ if name.starts_with("x-amz-") => header(visit.headers, name).map(str::to_owned),
                _ => None,
            }
        }
    };
    let question = Question { action, resource: &resource, principal: &principal, value: &value };
    match policy.denies(&question) {
        true => Err(error::denied(format!(
            "User: {principal} is not authorized to perform: {action} on resource: \"{resource}\" with an explicit deny \
             in a resource-based policy"
        ))),
        false => Ok(()),
    }
}

fn of_upload(begun: &Echo, name: &str) -> Option<String> {
    match name.strip_prefix(SSE)? {
        "" => begun.mode.map(str::to_owned),
        "-aws-kms-key-id" => begun.key_arn.clone(),
        "-customer-algorithm" => begun.customer_algorithm.clone(),
        _ => None,
    }
}

/// The source of a copy. Through an access point, which has the name of its bucket, it is another resource.
struct Source {
    arn: String,
    bucket: String,
    key: String,
    version: Option<String>,
}

fn copy_source(headers: &HeaderMap) -> Option<Source> {
    let source = header(headers, "x-amz-copy-source")?;
    let (path, version) =
        source.split_once("?versionId=").map_or((source, None), |(path, id)| (path, Some(id)));
    let path = url::decode(path, false)?;
    let (arn, (bucket, key)) = match path.split_once(":accesspoint/") {
        Some((start, place)) if start.starts_with("arn:") => (path.clone(), place.split_once("/object/")?),
        _ => {
            let place = path.trim_start_matches('/');
            (format!("arn:aws:s3:::{place}"), place.split_once('/')?)
        }
    };
    Some(Source { arn, bucket: bucket.to_owned(), key: key.to_owned(), version: version.map(str::to_owned) })
}

/// The action that IAM knows an operation by.
fn action(operation: &str, versioned: bool) -> String {
    let version = if versioned { "Version" } else { "" };
    let name = match operation {
        "HeadObject" | "GetObject" => return format!("s3:GetObject{version}"),
        "DeleteObject" => return format!("s3:DeleteObject{version}"),
        "GetObjectAcl" => return format!("s3:GetObject{version}Acl"),
        "GetObjectAttributes" => return format!("s3:GetObject{version}Attributes"),
        "GetObjectTagging" => return format!("s3:GetObject{version}Tagging"),
        "PutObjectTagging" => return format!("s3:PutObject{version}Tagging"),
        "DeleteObjects" => "DeleteObject",
        "PutObject"
        | "CopyObject"
        | "CreateMultipartUpload"
        | "UploadPart"
        | "UploadPartCopy"
        | "CompleteMultipartUpload" => "PutObject",
        "ListParts" => "ListMultipartUploadParts",
        "ListMultipartUploads" => "ListBucketMultipartUploads",
        "ListObjects" | "ListObjectsV2" | "HeadBucket" => "ListBucket",
        "ListObjectVersions" => "ListBucketVersions",
        "ListBuckets" => "ListAllMyBuckets",
        "GetObjectLockConfiguration" => "GetBucketObjectLockConfiguration",
        "PutObjectLockConfiguration" => "PutBucketObjectLockConfiguration",
        "GetBucketEncryption" => "GetEncryptionConfiguration",
        "PutBucketEncryption" | "DeleteBucketEncryption" => "PutEncryptionConfiguration",
        "GetBucketLifecycleConfiguration" => "GetLifecycleConfiguration",
        "PutBucketLifecycleConfiguration" | "DeleteBucketLifecycle" => "PutLifecycleConfiguration",
        other => other,
    };
    format!("s3:{name}")
}
