//! One request from head to answer: recorded, struck by faults, given to S3 or KMS.
//!
//! The order is the point: a fault at arrival comes before a byte of the body is read, one at the answer after the
//! operation is done. What the operation means is not known here.

use std::convert::Infallible;
use std::future::pending;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use s3s::Body;

use super::absence::Absence;
use super::answer::Answer;
use super::body::{Flip, RequestBody, ResponseBody, Stall, Stop};
use super::faults::{Faults, Kind, Strike};
use super::operation;
use super::recorder::{Entry, Recorder};
use super::sigv4;
use super::sts;
use super::wire::{End, Line};
use crate::config::Config;
use crate::iam::{SESSION_TOKEN_HEADER, TokenFault};
use crate::kms::{self, Failure, Kms};
use crate::s3::{ACCOUNT_HEADER, S3Service, Scheme, coated};

/// The longest body a KMS request may have: what it encrypts is at most 4 KiB.
const MAX_KMS_BODY: usize = 256 * 1024;

/// KMS's texts for session tokens ("Common error types", AWS KMS API reference; the second one as recorded by clients).
const EXPIRED: &str = "The security token included in the request is expired";
const UNRECOGNIZED: &str = "The security token included in the request is invalid.";

/// What answers, shared by all connections.
pub(super) struct Dispatch {
    pub(super) config: Config,
    pub(super) s3: S3Service,
    pub(super) kms: Arc<Kms>,
    pub(super) recorder: Recorder,
    pub(super) faults: Faults,
    pub(super) absence: Absence,
}

impl Dispatch {
    /// Answers one request, or never, or ends the connection it came on.
    pub(super) async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
        line: Arc<Line>,
        scheme: Scheme,
    ) -> Result<Response<ResponseBody>, Infallible> {
        let (mut head, body) = request.into_parts();
        head.extensions.insert(scheme);
        let operation = operation::name(&head.method, &head.uri, &head.headers);
        let entry = self.recorder.arrived(operation, &head, scheme == Scheme::Https);
        let strikes = self.faults.draw(&entry);

        at_arrival(&strikes, &line).await;
        let body = RequestBody { inner: body, entry: entry.clone(), stall: stall(&strikes) };
        let method = head.method.clone();
        let response = match own_answer(&strikes) {
            Some(strike) => instead(head, body, strike).await,
            None if operation::kms_operation(&head.headers).is_some() => self.kms(head, body).await,
            None if sts::is_sts(&method, &head.headers) => self.sts(head, body).await,
            None => self.s3(head, body).await,
        };
        let response = tampered(response, &method, &entry, &strikes).await;
        at_answer(&strikes, &line).await;
        self.recorder.answered(&entry, response.status());
        Ok(response.map(|body| shaped(body, entry, &strikes, &line)))
    }

    async fn s3(&self, head: http::request::Parts, body: RequestBody) -> Response<Body> {
        match self.s3.call(Request::from_parts(head, Body::http_body(body))).await {
            Ok(response) => response,
            Err(error) => {
                let mut response = Response::new(Body::from(format!("{error:?}")));
                *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
                response
            }
        }
    }

    async fn kms(&self, head: http::request::Parts, body: RequestBody) -> Response<Body> {
        let answer = match Limited::new(body, MAX_KMS_BODY).collect().await {
            Ok(body) => self.kms_answer(&head, &body.to_bytes()),
            Err(_) => Err(Failure::new("RequestEntityTooLargeException", "")),
        };
        let (status, json) = match answer {
            Ok(json) => (StatusCode::OK, json),
            Err(failure) => (failure.status(), failure.to_json()),
        };
        let mut response = json_response(status, &json);
        response.headers_mut().insert(header::DATE, self.s3.date());
        response
    }

    async fn sts(&self, head: http::request::Parts, body: RequestBody) -> Response<Body> {
        let body = Limited::new(body, MAX_KMS_BODY).collect().await;
        let body = body.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        let mut response = sts::answer(&self.config, self.check("sts", &head, &body), &head, &body);
        response.headers_mut().insert(header::DATE, self.s3.date());
        response
    }

    fn kms_answer(&self, head: &http::request::Parts, body: &Bytes) -> Result<serde_json::Value, Failure> {
        self.check("kms", head, body)?;
        let operation = operation::kms_operation(&head.headers).unwrap_or_default();
        kms::api::answer(&self.kms, &self.config.principal(), operation, body)
    }

    /// Checks the session token and the signature of a request to another service than S3.
    fn check(&self, service: &str, head: &http::request::Parts, body: &Bytes) -> Result<(), Failure> {
        let token = head.headers.get(SESSION_TOKEN_HEADER).and_then(|token| token.to_str().ok());
        match self.kms.user().check_token(token) {
            Ok(()) => {}
            Err(TokenFault::Expired) => return Err(Failure::new("ExpiredTokenException", EXPIRED)),
            Err(TokenFault::Invalid) => {
                return Err(Failure::new("UnrecognizedClientException", UNRECOGNIZED));
            }
        }
        sigv4::check(&self.config.credentials, &self.config.region, service, self.s3.now(), head, body)
    }
}

/// What happens before the body is read; it may not return.
async fn at_arrival(strikes: &[Strike], line: &Line) {
    for Strike { kind, struck } in strikes {
        match kind {
            Kind::Then(hook) => {
                let hook = hook.clone();
                struck.strike();
                call(hook).await;
            }
            Kind::Pause(gate) => {
                struck.strike();
                gate.passed().await;
            }
            Kind::ResetBefore => {
                struck.strike();
                line.end(End::Reset);
                pending::<()>().await;
            }
            _ => {}
        }
    }
}

/// What happens when the operation is done; it may not return.
async fn at_answer(strikes: &[Strike], line: &Line) {
    for Strike { kind, struck } in strikes {
        match kind {
            Kind::ThenAnswer(hook) => {
                let hook = hook.clone();
                struck.strike();
                call(hook).await;
            }
            Kind::PauseAnswer(gate) => {
                struck.strike();
                gate.passed().await;
            }
            Kind::StallBeforeResponse => {
                struck.strike();
                pending::<()>().await;
            }
            Kind::DropAnswer | Kind::HangUp => {
                struck.strike();
                line.end(if matches!(kind, Kind::HangUp) { End::HangUp } else { End::Reset });
                pending::<()>().await;
            }
            _ => {}
        }
    }
}

/// Calls a test's hook where it may block.
async fn call(hook: Arc<dyn Fn() + Send + Sync>) {
    let called = tokio::task::spawn_blocking(move || hook()).await;
    called.expect("a hook does not panic");
}

fn stall(strikes: &[Strike]) -> Option<Stall> {
    strikes.iter().find_map(|strike| match strike.kind {
        Kind::StallRequest(after) => Some(Stall { after, struck: Some(strike.struck.clone()) }),
        _ => None,
    })
}

fn own_answer(strikes: &[Strike]) -> Option<&Strike> {
    strikes.iter().find(|strike| matches!(strike.kind, Kind::Status { .. } | Kind::Answer(_)))
}

/// Reads the request to its end, so that the client can send it, and gives the fault's own answer.
async fn instead(head: http::request::Parts, mut body: RequestBody, strike: &Strike) -> Response<Body> {
    while let Some(Ok(_)) = body.frame().await {}
    strike.struck.strike();
    let (code, s3_code, message, retry_after) = match &strike.kind {
        Kind::Status { code, s3_code, message, retry_after } => (code, s3_code, message, retry_after),
        Kind::Answer(answer) => return answer(&body.entry.snapshot()).response(&head.method),
        _ => unreachable!("only answers are given here"),
    };
    let status = StatusCode::from_u16(*code).expect("a fault's status is a status");
    let mut response = if operation::kms_operation(&head.headers).is_some() {
        json_response(status, &Failure::new(s3_code, message).to_json())
    } else {
        let xml = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{s3_code}</Code><Message>{message}</Message>\
             <RequestId>SANDBOXFAULT0000</RequestId><HostId>sandbox</HostId></Error>"
        );
        let xml = if head.headers.contains_key(ACCOUNT_HEADER) { coated(&xml) } else { xml };
        let body = if head.method == http::Method::HEAD { Body::empty() } else { Body::from(xml) };
        answered(status, "application/xml", body)
    };
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(*seconds));
    }
    response
}

/// Lets the faults that tamper change the answer, in the order in which they were set.
async fn tampered(
    mut response: Response<Body>,
    method: &http::Method,
    entry: &Entry,
    strikes: &[Strike],
) -> Response<Body> {
    for Strike { kind, struck } in strikes {
        if let Kind::Tamper(tamper) = kind {
            let mut answer = Answer::of(response).await;
            tamper(&entry.snapshot(), &mut answer);
            struck.strike();
            response = answer.response(method);
        }
    }
    response
}

fn json_response(status: StatusCode, json: &serde_json::Value) -> Response<Body> {
    answered(status, "application/x-amz-json-1.1", Body::from(json.to_string()))
}

fn answered(status: StatusCode, content_type: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response.headers_mut().insert("x-amz-request-id", HeaderValue::from_static("SANDBOX000000000"));
    response
}

/// The answer's body, under the faults that act on it.
fn shaped(inner: Body, entry: Arc<Entry>, strikes: &[Strike], line: &Arc<Line>) -> ResponseBody {
    let mut body = ResponseBody { inner, entry, sent: 0, stop: None, flip: None };
    for Strike { kind, struck } in strikes {
        let (after, how) = match kind {
            Kind::ResetAfter(after) => (*after, Some(End::Reset)),
            Kind::CutResponse(after) => (*after, Some(End::Close)),
            Kind::StallResponse(after) => (*after, None),
            Kind::FlipResponseByte(offset) => {
                body.flip = Some(Flip { offset: *offset, struck: struck.clone() });
                continue;
            }
            _ => continue,
        };
        body.stop = Some(Stop { after, how, line: line.clone(), struck: Some(struck.clone()) });
    }
    body
}
