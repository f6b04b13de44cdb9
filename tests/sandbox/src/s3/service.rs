//! The front: signatures in S3's words, errors in S3's dress, bodies read to their end.
//!
//! The protocol crate checks the signature; what it says of region, clock and key in its own way is said here first.
//!
//! What does not belong here: operations.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::BodyExt as _;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use s3s::auth::{S3Auth, SecretKey};
use s3s::service::S3ServiceBuilder;
use s3s::{Body, HttpError, S3Error, S3ErrorCode, S3Result, StdError};
use time::OffsetDateTime;

use super::api::{Api, Door};
use super::ops::job::{ACCOUNT_HEADER, coated};
use super::route::{Boxed, ForeignRoute};
use super::sse::header as text_of;
use super::state::S3State;
use super::url;
use crate::iam::{SESSION_TOKEN_HEADER, TokenFault};

/// What S3 says of a signature made with another secret.
pub const WRONG_SECRET: &str = "The request signature we calculated does not match the signature you provided. Check your key and \
                            signing method.";
const UNKNOWN_KEY: &str = "The AWS Access Key Id you provided does not exist in our records.";
const SKEWED: &str = "The difference between the request time and the current time is too large.";

/// S3's texts for session tokens ("Error responses", Amazon S3 API reference; as recorded by clients).
const EXPIRED_TOKEN: &str = "The provided token has expired.";
const INVALID_TOKEN: &str = "The provided token is malformed or otherwise invalid.";

/// How far the clocks may be apart, in seconds.
const MAX_SKEW: i64 = 15 * 60;

/// The most of a refused request's body that is read so that its client can hear the refusal.
const MAX_DRAINED: u64 = 64 * 1024 * 1024;

/// S3 as a service: one request in, one answer out.
#[derive(Clone)]
pub struct S3Service {
    inner: s3s::service::S3Service,
    state: Arc<S3State>,
}

/// Makes the service of a state, for one access key and its secret.
pub fn service(state: Arc<S3State>, credentials: (&str, &str)) -> S3Service {
    let (access, secret) = credentials;
    let mut builder = S3ServiceBuilder::new(Api { state: state.clone() });
    builder.set_host(super::host::Loopback);
    builder.set_auth(Keys { access: access.to_owned(), secret: secret.into() });
    builder.set_access(Door { state: state.clone() });
    builder.set_route(ForeignRoute { state: state.clone() });
    // The clock is checked here, against the state's.
    let mut config = s3s::config::S3Config::default();
    config.presigned_url_max_skew_time_secs = u32::MAX;
    let config = s3s::config::StaticConfigProvider::new(Arc::new(config));
    builder.set_config(Arc::new(config));
    S3Service { inner: builder.build(), state }
}

struct Keys {
    access: String,
    secret: SecretKey,
}

impl S3Auth for Keys {
    fn get_secret_key<'a, 'b, 'c>(&'a self, access: &'b str) -> Boxed<'c, S3Result<SecretKey>>
    where
        'a: 'c,
        'b: 'c,
        Self: 'c,
    {
        let found = match access == self.access {
            true => Ok(self.secret.clone()),
            false => Err(S3Error::with_message(S3ErrorCode::InvalidAccessKeyId, UNKNOWN_KEY)),
        };
        Box::pin(async move { found })
    }
}

impl S3Service {
    /// Answers one request; how it came is in its extensions, as a [`super::Scheme`].
    ///
    /// # Errors
    /// If the protocol crate cannot write an answer, which would be a bug.
    pub async fn call(&self, request: Request<Body>) -> Result<Response<Body>, HttpError> {
        let (head, body) = request.into_parts();
        let (method, path) = (head.method.clone(), head.uri.path().to_owned());
        let waits = head.headers.contains_key(header::EXPECT);
        let is_control = head.headers.contains_key(ACCOUNT_HEADER);
        let tap = Arc::new(Mutex::new(Tap { body, begun: false }));
        let refusal = self.misfit(&head.uri, &head.headers);
        let mut answer = match refusal {
            Some(refusal) => refusal,
            None => {
                let body = Body::http_body(Tapped(tap.clone()));
                self.inner.call(Request::from_parts(head, body)).await?
            }
        };
        if answer.status().is_client_error() || answer.status().is_server_error() {
            drain(&tap, waits).await;
            answer = dress(answer, &path, is_control).await;
        }
        let partial = answer.headers().contains_key(header::CONTENT_RANGE);
        if method == Method::HEAD && partial && answer.status() == StatusCode::OK {
            *answer.status_mut() = StatusCode::PARTIAL_CONTENT;
        }
        let failed = !answer.status().is_success();
        if (method == Method::HEAD && failed) || answer.status() == StatusCode::NOT_MODIFIED {
            *answer.body_mut() = Body::empty();
            answer.headers_mut().remove(header::CONTENT_TYPE);
            answer.headers_mut().remove(header::CONTENT_LENGTH);
        }
        let headers = answer.headers_mut();
        headers.insert("x-amz-request-id", value(&crate::store::random_hex::<8>().to_uppercase()));
        headers.insert("x-amz-id-2", value(&crate::store::random_hex::<24>()));
        headers.insert(header::SERVER, HeaderValue::from_static("AmazonS3"));
        headers.insert(header::DATE, self.date());
        Ok(answer)
    }

    /// What this server's clock shows; KMS goes by the same.
    pub(crate) fn now(&self) -> OffsetDateTime {
        self.state.now()
    }

    /// The same as the header of every answer.
    pub(crate) fn date(&self) -> HeaderValue {
        value(&super::ops::answer::http_date(self.now()))
    }

    /// What S3 says of a signature before it computes one: wrong token, wrong region, wrong time.
    fn misfit(&self, uri: &http::Uri, headers: &HeaderMap) -> Option<Response<Body>> {
        let in_header = text_of(headers, "authorization").and_then(|text| {
            let credential = text.strip_prefix("AWS4-HMAC-SHA256")?.split("Credential=").nth(1)?;
            Some(credential.split(',').next()?.to_owned())
        });
        let credential = in_header.clone().or_else(|| url::parameter(uri.query(), "X-Amz-Credential"))?;
        let token = text_of(headers, SESSION_TOKEN_HEADER).map(str::to_owned);
        let token = token.or_else(|| url::parameter(uri.query(), "X-Amz-Security-Token"));
        if let Err(fault) = self.state.kms.user().check_token(token.as_deref()) {
            return Some(match (fault, token) {
                (TokenFault::Expired, _) => {
                    refusal(StatusCode::BAD_REQUEST, "ExpiredToken", EXPIRED_TOKEN, "")
                }
                (TokenFault::Invalid, Some(_)) => {
                    refusal(StatusCode::BAD_REQUEST, "InvalidToken", INVALID_TOKEN, "")
                }
                (TokenFault::Invalid, None) => {
                    refusal(StatusCode::FORBIDDEN, "InvalidAccessKeyId", UNKNOWN_KEY, "")
                }
            });
        }
        let region = credential.split('/').nth(2)?;
        if region != self.state.region {
            let expected = &self.state.region;
            let (code, kind) = match in_header {
                Some(_) => ("AuthorizationHeaderMalformed", "authorization header"),
                None => ("AuthorizationQueryParametersError", "X-Amz-Credential parameter"),
            };
            let text = match in_header {
                Some(_) => {
                    format!("The {kind} is malformed; the region '{region}' is wrong; expecting '{expected}'")
                }
                None => format!(
                    "Error parsing the {kind}; the region '{region}' is wrong; expecting '{expected}'"
                ),
            };
            let region = format!("<Region>{expected}</Region>");
            return Some(refusal(StatusCode::BAD_REQUEST, code, &text, &region));
        }
        let stamp = text_of(headers, "x-amz-date").filter(|_| in_header.is_some())?;
        let format = time::macros::format_description!("[year][month][day]T[hour][minute][second]Z");
        let asked = time::PrimitiveDateTime::parse(stamp, format).ok()?.assume_utc();
        let now = self.state.now();
        if (now - asked).whole_seconds().abs() <= MAX_SKEW {
            return None;
        }
        let detail = format!(
            "<RequestTime>{stamp}</RequestTime><ServerTime>{}</ServerTime>\
             <MaxAllowedSkewMilliseconds>{}</MaxAllowedSkewMilliseconds>",
            iso_seconds(now),
            MAX_SKEW * 1000
        );
        Some(refusal(StatusCode::FORBIDDEN, "RequestTimeTooSkewed", SKEWED, &detail))
    }
}

fn iso_seconds(time: OffsetDateTime) -> String {
    let format = time::macros::format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
    time.format(format).unwrap_or_default()
}

fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("a value in ASCII")
}

fn refusal(status: StatusCode, code: &str, text: &str, detail: &str) -> Response<Body> {
    let xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{text}</Message>{detail}</Error>"
    );
    let mut answer = Response::new(Body::from(xml));
    *answer.status_mut() = status;
    answer
}

/// Gives an error what S3's errors have beside code and message, and a message where the crate has none.
async fn dress(answer: Response<Body>, path: &str, is_control: bool) -> Response<Body> {
    let (mut head, body) = answer.into_parts();
    let xml = match body.collect().await {
        Ok(bytes) => String::from_utf8_lossy(&bytes.to_bytes()).into_owned(),
        Err(_) => String::new(),
    };
    let code = xml.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>"));
    let code = code.map_or("", |(code, _)| code);
    let message = match usual_message(code) {
        Some(text) if !xml.contains("<Message>") => format!("<Message>{text}</Message>"),
        _ => String::new(),
    };
    let resource = path.replace('&', "&amp;").replace('<', "&lt;");
    let detail = format!(
        "{message}<Resource>{resource}</Resource><RequestId>{}</RequestId><HostId>{}</HostId></Error>",
        crate::store::random_hex::<8>().to_uppercase(),
        crate::store::random_hex::<24>()
    );
    head.headers.remove(header::CONTENT_LENGTH);
    head.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    let xml = xml.replacen("</Error>", &detail, 1);
    Response::from_parts(head, Body::from(if is_control { coated(&xml) } else { xml }))
}

fn usual_message(code: &str) -> Option<&'static str> {
    Some(match code {
        "SignatureDoesNotMatch" => WRONG_SECRET,
        "InvalidAccessKeyId" => UNKNOWN_KEY,
        "RequestTimeTooSkewed" => SKEWED,
        "KeyTooLongError" => "Your key is too long",
        "InvalidBucketName" => "The specified bucket is not valid.",
        "MalformedXML" => {
            "The XML you provided was not well-formed or did not validate against our published schema"
        }
        "MissingContentLength" => "You must provide the Content-Length HTTP header.",
        "IncompleteBody" => {
            "You did not provide the number of bytes specified by the Content-Length HTTP header"
        }
        "InvalidURI" => "Couldn't parse the specified URI.",
        "MethodNotAllowed" => "The specified method is not allowed against this resource.",
        _ => return None,
    })
}

/// A request's body, which stays in reach after the operation is done with it.
struct Tap {
    body: Body,
    begun: bool,
}

struct Tapped(Arc<Mutex<Tap>>);

impl HttpBody for Tapped {
    type Data = Bytes;
    type Error = StdError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, StdError>>> {
        let mut tap = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tap.begun = true;
        Pin::new(&mut tap.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        let tap = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tap.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let tap = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tap.body.size_hint()
    }
}

/// Reads what is left of a refused request: a client that is still sending would otherwise see a reset, not the refusal.
/// One that waits for leave to send is not given it.
async fn drain(tap: &Arc<Mutex<Tap>>, waits: bool) {
    if waits && !tap.lock().unwrap_or_else(PoisonError::into_inner).begun {
        return;
    }
    let mut body = Tapped(tap.clone());
    let mut left = MAX_DRAINED;
    while let Some(Ok(frame)) = body.frame().await {
        let len = frame.data_ref().map_or(0, |data| data.len() as u64);
        let Some(rest) = left.checked_sub(len) else {
            return;
        };
        left = rest;
    }
}
