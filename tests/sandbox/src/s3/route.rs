//! Requests that the protocol crate does not know, being newer than it or S3 Control's, taken before it would mistake them
//! for others.
//!
//! Their signature is checked by the crate like every other's.
//!
//! What does not belong here: what they mean (see `ops::encryption` and `ops::job`).

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use http::{Extensions, HeaderMap, Method, Uri};
use http_body_util::{BodyExt as _, Limited};
use s3s::path::S3Path;
use s3s::route::S3Route;
use s3s::{Body, S3Request, S3Response, S3Result};

use super::access::{self, Visit};
use super::ops::{encryption, job};
use super::sse::header;
use super::state::{Lie, S3State};
use super::unlock::{Caller, Place};
use super::{Scheme, error, host, url};

/// The longest body of these requests, in bytes; all are small XML.
const MAX_BODY: usize = 64 * 1024;

/// The boxed futures of the crate's traits.
pub type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// `…?encryption`, of buckets and of objects; `CreateJob`.
pub struct ForeignRoute {
    pub state: Arc<S3State>,
}

/// The operation a request of this route is.
fn operation(method: &Method, path: &S3Path) -> Option<&'static str> {
    match path {
        S3Path::Bucket { .. } if method == Method::GET => Some("GetBucketEncryption"),
        S3Path::Bucket { .. } if method == Method::PUT => Some("PutBucketEncryption"),
        S3Path::Object { .. } if method == Method::PUT => Some("UpdateObjectEncryption"),
        _ => None,
    }
}

fn path(uri: &Uri, headers: &HeaderMap) -> Option<S3Path> {
    let path = url::decode(uri.path(), false)?;
    let bucket = header(headers, "host").and_then(host::bucket);
    s3s::path::parse_virtual_hosted_style(bucket, &path).ok()
}

/// A request's body, to its end.
async fn whole(body: Body) -> S3Result<bytes::Bytes> {
    let body = Limited::new(body, MAX_BODY).collect().await;
    Ok(body.map_err(|broken| error::broken_body(&*broken))?.to_bytes())
}

/// An answer in XML.
fn xml(text: String) -> S3Response<Body> {
    let mut answer = S3Response::new(Body::from(text));
    let kind = http::HeaderValue::from_static("application/xml");
    answer.headers.insert(http::header::CONTENT_TYPE, kind);
    answer
}

impl ForeignRoute {
    async fn answer(&self, request: S3Request<Body>) -> S3Result<S3Response<Body>> {
        if job::is_job(&request.method, &request.uri, &request.headers) {
            let body = whole(request.input).await?;
            return Ok(xml(job::create(&self.state, &request.headers, &body)?));
        }
        let path = path(&request.uri, &request.headers).ok_or_else(error::malformed_xml)?;
        let caller = Caller::of(&self.state, &request);
        let version = url::parameter(request.uri.query(), "versionId");
        let body = whole(request.input).await?;
        let bucket = path.get_bucket_name().unwrap_or_default();
        match path.get_object_key() {
            Some(key) => {
                let place = Place { bucket, key };
                let version = version.as_deref();
                encryption::update_of_object(&self.state, &caller, place, version, &body)?;
            }
            None if request.method == Method::GET => {
                return Ok(xml(encryption::of_bucket(&self.state, bucket)?));
            }
            None => encryption::put_of_bucket(&self.state, bucket, &body)?,
        }
        Ok(S3Response::new(Body::empty()))
    }

    fn let_in(&self, request: &S3Request<Body>) -> S3Result<()> {
        if job::is_job(&request.method, &request.uri, &request.headers) {
            request.credentials.as_ref().map(drop).ok_or_else(error::access_denied)?;
            return access::may(&self.state, "s3:CreateJob", "*");
        }
        let path = path(&request.uri, &request.headers).ok_or_else(error::malformed_xml)?;
        let scheme = request.extensions.get::<Scheme>().copied();
        access::check(
            &self.state,
            &Visit {
                operation: operation(&request.method, &path).unwrap_or_default(),
                path: &path,
                uri: &request.uri,
                headers: &request.headers,
                scheme: scheme.unwrap_or(Scheme::Http),
                signed: request.credentials.is_some(),
            },
        )
    }
}

impl S3Route for ForeignRoute {
    fn is_match(&self, method: &Method, uri: &Uri, headers: &HeaderMap, _: &mut Extensions) -> bool {
        if job::is_job(method, uri, headers) {
            return true;
        }
        if url::parameter(uri.query(), "encryption").is_none() {
            return false;
        }
        match path(uri, headers) {
            Some(S3Path::Object { .. }) => {
                method == Method::PUT && !self.state.lies(Lie::UpdateEncryptionStoresBody)
            }
            Some(path) => operation(method, &path).is_some(),
            None => false,
        }
    }

    fn check_access<'a, 'b, 'c>(&'a self, request: &'b mut S3Request<Body>) -> Boxed<'c, S3Result<()>>
    where
        'a: 'c,
        'b: 'c,
        Self: 'c,
    {
        let answer = self.let_in(request);
        Box::pin(async move { answer })
    }

    fn call<'a, 'b>(&'a self, request: S3Request<Body>) -> Boxed<'b, S3Result<S3Response<Body>>>
    where
        'a: 'b,
        Self: 'b,
    {
        Box::pin(self.answer(request))
    }
}
