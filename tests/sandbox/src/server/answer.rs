//! An answer of a test's own, in place of the one that S3 or KMS would give.
//!
//! It is plain data, so that a test can say anything, also what no S3 would. What answers are worth giving is in
//! [`crate::hostile`].

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::{HeaderName, HeaderValue, Method, Response, StatusCode, header};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use s3s::Body;

/// The bytes that an endless body sends at a time.
const PIECE: usize = 64 * 1024;

/// Status, headers and body of an answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers, in the order sent. `content-length` is added to a whole body that has none.
    pub headers: Vec<(String, Vec<u8>)>,
    /// What follows.
    pub body: Sent,
}

/// An answer's body.
#[derive(Debug, Clone)]
pub enum Sent {
    /// All of it at once.
    Whole(Bytes),
    /// A beginning, and then a pattern again and again, for as long as the client reads.
    Endless(Bytes, Bytes),
    /// A byte after each pause, again and again from the start: never fast, never at an end.
    Dripping(Bytes, Duration),
}

impl Answer {
    /// An answer without headers and body.
    #[must_use]
    pub fn new(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Sent::Whole(Bytes::new()) }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    /// With another body; a length that was named before is forgotten.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.set_body(body);
        self
    }

    /// With an XML document as its body.
    #[must_use]
    pub fn xml(self, text: &str) -> Self {
        self.header("content-type", "application/xml").body(text.to_owned())
    }

    /// With a body that never ends.
    #[must_use]
    pub fn endless(mut self, beginning: &str, pattern: &str) -> Self {
        self.remove("content-length");
        let times = PIECE.div_ceil(pattern.len());
        self.body = Sent::Endless(beginning.to_owned().into(), pattern.repeat(times).into());
        self
    }

    /// With a body that comes a byte at a time and never ends.
    #[must_use]
    pub fn dripping(mut self, pattern: &str, pause: Duration) -> Self {
        self.remove("content-length");
        self.body = Sent::Dripping(pattern.to_owned().into(), pause);
        self
    }

    /// Replaces the body; a length that was named before is forgotten.
    pub fn set_body(&mut self, body: impl Into<Bytes>) {
        self.remove("content-length");
        self.body = Sent::Whole(body.into());
    }

    /// Replaces a header, or adds it.
    pub fn set(&mut self, name: &str, value: impl AsRef<[u8]>) {
        self.remove(name);
        self.headers.push((name.to_owned(), value.as_ref().to_vec()));
    }

    /// Removes a header.
    pub fn remove(&mut self, name: &str) {
        self.headers.retain(|(found, _)| !found.eq_ignore_ascii_case(name));
    }

    /// The body as text; empty if it is not sent whole.
    #[must_use]
    pub fn text(&self) -> String {
        match &self.body {
            Sent::Whole(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            Sent::Endless(..) | Sent::Dripping(..) => String::new(),
        }
    }

    /// Takes apart what S3 or KMS has answered.
    pub(super) async fn of(response: Response<Body>) -> Self {
        let (head, body) = response.into_parts();
        let bytes = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        let headers = head.headers.iter();
        Self {
            status: head.status.as_u16(),
            headers: headers.map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect(),
            body: Sent::Whole(bytes),
        }
    }

    /// What is sent. To a HEAD request that is no body, whatever there is.
    pub(super) fn response(self, method: &Method) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::from_u16(self.status).expect("a status of HTTP");
        for (name, value) in self.headers {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a header's name");
            response.headers_mut().append(name, HeaderValue::from_bytes(&value).expect("a header's value"));
        }
        if method != Method::HEAD {
            let body = match self.body {
                Sent::Whole(bytes) => {
                    let len = HeaderValue::from(bytes.len());
                    response.headers_mut().entry(header::CONTENT_LENGTH).or_insert(len);
                    Body::from(bytes)
                }
                Sent::Endless(beginning, pattern) => endless(beginning, pattern),
                Sent::Dripping(bytes, pause) => dripping(bytes, pause),
            };
            *response.body_mut() = body;
        }
        response
    }
}

fn endless(beginning: Bytes, pattern: Bytes) -> Body {
    let pieces = stream::unfold(beginning, move |next| {
        let pattern = pattern.clone();
        async move { Some((Ok::<_, Infallible>(Frame::data(next)), pattern)) }
    });
    Body::http_body_unsync(StreamBody::new(pieces))
}

fn dripping(bytes: Bytes, pause: Duration) -> Body {
    let drops = stream::unfold(0_usize, move |at| {
        let drop = bytes.slice(at % bytes.len()..=at % bytes.len());
        async move {
            tokio::time::sleep(pause).await;
            Some((Ok::<_, Infallible>(Frame::data(drop)), at + 1))
        }
    });
    Body::http_body_unsync(StreamBody::new(drops))
}
