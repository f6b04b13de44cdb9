//! Who may do what: anonymous callers, expected owners, bucket policies.
//!
//! It is asked before a request's body is read. The signature is checked already.
//!
//! What does not belong here: encryption rules of the bucket itself (see `unlock`).

use http::{HeaderMap, Uri};
use s3s::S3Result;
use s3s::path::S3Path;

use super::policy::Question;
use super::sse::{Echo, SSE, header};
use super::state::S3State;
use super::{Scheme, error, url};

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
    check_policy(state, visit, &action, bucket, visit.path.get_object_key())?;
    match copy_source(visit.headers) {
        Some((bucket, key)) => check_policy(state, visit, "s3:GetObject", &bucket, Some(&key)),
        None => Ok(()),
    }
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

fn copy_source(headers: &HeaderMap) -> Option<(String, String)> {
    let source = header(headers, "x-amz-copy-source")?;
    let path = source.split_once("?versionId=").map_or(source, |(path, _)| path);
    let path = url::decode(path, false)?;
    let (bucket, key) = path.trim_start_matches('/').split_once('/')?;
    Some((bucket.to_owned(), key.to_owned()))
}

/// The action that IAM knows an operation by.
fn action(operation: &str, versioned: bool) -> String {
    let version = if versioned { "Version" } else { "" };
    let name = match operation {
        "HeadObject" | "GetObject" => return format!("s3:GetObject{version}"),
        "DeleteObject" => return format!("s3:DeleteObject{version}"),
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
        "GetBucketEncryption" => "GetEncryptionConfiguration",
        "PutBucketEncryption" | "DeleteBucketEncryption" => "PutEncryptionConfiguration",
        "GetBucketLifecycleConfiguration" => "GetLifecycleConfiguration",
        "PutBucketLifecycleConfiguration" | "DeleteBucketLifecycle" => "PutLifecycleConfiguration",
        other => other,
    };
    format!("s3:{name}")
}
