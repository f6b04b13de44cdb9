//! Which API operation a request is, by S3's and KMS's own names.
//!
//! Faults and assertions speak of `UploadPart`, not of `PUT /bucket/key?partNumber=2&uploadId=…`. It is found from the
//! request's head alone, before anything is read, so it says nothing about whether the request is valid.

use http::{HeaderMap, Method, Uri, header::HOST};

use super::sts;

/// The header in which KMS's protocol names the operation.
const TARGET: &str = "x-amz-target";
/// What stands before the operation's name there.
const TARGET_PREFIX: &str = "TrentService.";

/// The KMS operation, without `kms:`, if the request is one.
pub(super) fn kms_operation(headers: &HeaderMap) -> Option<&str> {
    headers.get(TARGET)?.to_str().ok()?.strip_prefix(TARGET_PREFIX)
}

/// The operation's name: `GetObject`, `UploadPartCopy`, `kms:Decrypt`; `Unknown` if S3 has no such request.
pub(super) fn name(method: &Method, uri: &Uri, headers: &HeaderMap) -> String {
    if let Some(operation) = kms_operation(headers) {
        return format!("kms:{operation}");
    }
    if sts::is_sts(method, headers) {
        return "sts:GetCallerIdentity".to_owned();
    }
    // S3 Control is a service beside S3, and tells itself by naming the account.
    if headers.contains_key(crate::s3::ACCOUNT_HEADER) {
        let creates = method == Method::POST && uri.path() == "/v20180820/jobs";
        return if creates { "CreateJob" } else { "Unknown" }.to_owned();
    }
    let query = Query(uri.query().unwrap_or_default());
    let name = match place(uri, headers) {
        Place::Service => "ListBuckets",
        Place::Bucket => on_bucket(method, query),
        Place::Object => on_object(method, query, headers.contains_key("x-amz-copy-source")),
    };
    name.to_owned()
}

enum Place {
    Service,
    Bucket,
    Object,
}

fn place(uri: &Uri, headers: &HeaderMap) -> Place {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let path = uri.path().trim_start_matches('/');
    if crate::s3::bucket_in_host(host).is_some() {
        return if path.is_empty() { Place::Bucket } else { Place::Object };
    }
    match path.split_once('/') {
        None if path.is_empty() => Place::Service,
        None | Some((_, "")) => Place::Bucket,
        Some(_) => Place::Object,
    }
}

#[derive(Clone, Copy)]
struct Query<'a>(&'a str);

impl Query<'_> {
    fn has(self, name: &str) -> bool {
        let names = self.0.split('&').map(|pair| pair.split_once('=').map_or(pair, |(name, _)| name));
        names.into_iter().any(|found| found == name)
    }

    /// The first of the names that the query has, with what it stands for.
    fn first<'n>(self, names: &[(&str, &'n str)]) -> Option<&'n str> {
        names.iter().find(|(name, _)| self.has(name)).map(|(_, operation)| *operation)
    }
}

fn on_bucket(method: &Method, query: Query<'_>) -> &'static str {
    let (names, otherwise): (&[(&str, &str)], &str) = match method.as_str() {
        "GET" => (
            &[
                ("list-type", "ListObjectsV2"),
                ("uploads", "ListMultipartUploads"),
                ("versions", "ListObjectVersions"),
                ("encryption", "GetBucketEncryption"),
                ("versioning", "GetBucketVersioning"),
                ("policy", "GetBucketPolicy"),
                ("lifecycle", "GetBucketLifecycleConfiguration"),
                ("location", "GetBucketLocation"),
                ("tagging", "GetBucketTagging"),
                ("acl", "GetBucketAcl"),
                ("object-lock", "GetObjectLockConfiguration"),
            ],
            "ListObjects",
        ),
        "HEAD" => (&[], "HeadBucket"),
        "PUT" => (
            &[
                ("encryption", "PutBucketEncryption"),
                ("versioning", "PutBucketVersioning"),
                ("policy", "PutBucketPolicy"),
                ("tagging", "PutBucketTagging"),
                ("acl", "PutBucketAcl"),
                ("object-lock", "PutObjectLockConfiguration"),
            ],
            "CreateBucket",
        ),
        "POST" => (&[("delete", "DeleteObjects")], "PostObject"),
        "DELETE" => (
            &[
                ("encryption", "DeleteBucketEncryption"),
                ("policy", "DeleteBucketPolicy"),
                ("tagging", "DeleteBucketTagging"),
            ],
            "DeleteBucket",
        ),
        _ => (&[], "Unknown"),
    };
    query.first(names).unwrap_or(otherwise)
}

fn on_object(method: &Method, query: Query<'_>, copies: bool) -> &'static str {
    let (names, otherwise): (&[(&str, &str)], &str) = match method.as_str() {
        "GET" => (
            &[
                ("uploadId", "ListParts"),
                ("attributes", "GetObjectAttributes"),
                ("tagging", "GetObjectTagging"),
                ("acl", "GetObjectAcl"),
                ("retention", "GetObjectRetention"),
                ("legal-hold", "GetObjectLegalHold"),
            ],
            "GetObject",
        ),
        "HEAD" => (&[], "HeadObject"),
        "PUT" => (
            &[
                ("uploadId", if copies { "UploadPartCopy" } else { "UploadPart" }),
                ("encryption", "UpdateObjectEncryption"),
                ("tagging", "PutObjectTagging"),
                ("acl", "PutObjectAcl"),
                ("retention", "PutObjectRetention"),
                ("legal-hold", "PutObjectLegalHold"),
            ],
            if copies { "CopyObject" } else { "PutObject" },
        ),
        "POST" => (
            &[
                ("uploads", "CreateMultipartUpload"),
                ("uploadId", "CompleteMultipartUpload"),
                ("restore", "RestoreObject"),
            ],
            "Unknown",
        ),
        "DELETE" => {
            (&[("uploadId", "AbortMultipartUpload"), ("tagging", "DeleteObjectTagging")], "DeleteObject")
        }
        _ => (&[], "Unknown"),
    };
    query.first(names).unwrap_or(otherwise)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(method: &str, uri: &str, headers: &[(&'static str, &str)]) -> String {
        let headers =
            headers.iter().map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap()));
        name(&method.parse().unwrap(), &uri.parse().unwrap(), &headers.collect())
    }

    #[test]
    fn operations_have_s3s_own_names() {
        let copy = [("x-amz-copy-source", "b/k")];
        assert_eq!(named("GET", "/", &[]), "ListBuckets");
        assert_eq!(named("PUT", "/b", &[]), "CreateBucket");
        assert_eq!(named("GET", "/b/?list-type=2&prefix=uploads", &[]), "ListObjectsV2");
        assert_eq!(named("GET", "/b?uploads", &[]), "ListMultipartUploads");
        assert_eq!(named("PUT", "/b/k", &[]), "PutObject");
        assert_eq!(named("PUT", "/b/k?x-id=PutObject", &[]), "PutObject");
        assert_eq!(named("PUT", "/b/k", &copy), "CopyObject");
        assert_eq!(named("PUT", "/b/k?partNumber=1&uploadId=u", &[]), "UploadPart");
        assert_eq!(named("PUT", "/b/k?partNumber=1&uploadId=u", &copy), "UploadPartCopy");
        assert_eq!(named("PUT", "/b/k?encryption", &[]), "UpdateObjectEncryption");
        assert_eq!(named("PUT", "/b?encryption", &[]), "PutBucketEncryption");
        assert_eq!(named("POST", "/b/a/b?uploads", &[]), "CreateMultipartUpload");
        assert_eq!(named("POST", "/b/k?uploadId=u", &[]), "CompleteMultipartUpload");
        assert_eq!(named("DELETE", "/b/k?uploadId=u", &[]), "AbortMultipartUpload");
        assert_eq!(named("GET", "/b/k?partNumber=2", &[]), "GetObject");
    }

    #[test]
    fn a_bucket_may_stand_in_the_host() {
        let host = [("host", "b.localhost:4433")];
        assert_eq!(named("GET", "/k", &host), "GetObject");
        assert_eq!(named("HEAD", "/", &host), "HeadBucket");
        let point = [("host", "b-111122223333.s3.example")];
        assert_eq!(named("GET", "/k", &point), "GetObject");
    }

    #[test]
    fn s3_control_is_told_by_the_account() {
        let account = [("x-amz-account-id", "111122223333")];
        assert_eq!(named("POST", "/v20180820/jobs", &account), "CreateJob");
        assert_eq!(named("PUT", "/v20180820/jobs", &[]), "PutObject");
    }

    #[test]
    fn kms_is_told_by_its_target() {
        assert_eq!(named("POST", "/", &[("x-amz-target", "TrentService.Decrypt")]), "kms:Decrypt");
    }
}
