//! Bodies of requests and answers as they move: a connection over which nothing moves is given up, and a rate is kept.
//!
//! The SDK sees an uploaded part as one buffer, so it cannot see whether it moves. Here a body is passed to the
//! connection in small pieces: the next one is asked for only when the ones before have left.

use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use aws_sdk_s3::config::{AsyncSleep, SharedAsyncSleep, Sleep};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use futures_util::future::{Either, select};
use http_body::{Body, Frame, SizeHint};

use crate::aws::error::Stalled;
use crate::aws::rate_limit::RateLimit;
use crate::aws::traffic::Traffic;
use crate::limits::{BODY_PIECE_BYTES, BRISK_BYTES, BRISK_TIME, MAX_ANSWER_WAIT};

/// What all connections of a run share.
#[derive(Clone, Debug)]
pub(super) struct BodyWatch {
    /// How long nothing may move.
    stall: Duration,
    rate: Option<RateLimit>,
    answers: AnswerWait,
    traffic: Traffic,
}

impl BodyWatch {
    pub(super) fn new(stall: Duration, bytes_a_second: Option<u64>, traffic: Traffic) -> Self {
        let answers = AnswerWait::new(stall);
        Self { stall, rate: bytes_a_second.map(RateLimit::new), answers, traffic }
    }

    /// Passes all requests of `connector` through the watch.
    pub(super) fn over(
        &self,
        connector: SharedHttpConnector,
        sleep: SharedAsyncSleep,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Watched { connector, sleep, watch: self.clone() })
    }
}

/// How long to wait for an answer once a body has left for the system, which may hold megabytes of it for a slow line. A
/// wait that was too short doubles, so that a part arrives at last, and an answer that took long makes room for a slower one.
/// It never becomes shorter: a quick answer to a small body says nothing about a large one.
#[derive(Clone, Debug)]
struct AnswerWait(Arc<Mutex<Duration>>);

impl AnswerWait {
    fn new(least: Duration) -> Self {
        Self(Arc::new(Mutex::new(least)))
    }

    fn get(&self) -> Duration {
        *self.lock()
    }

    /// Learns from an answer that took so long, or did not come in this time.
    fn took(&self, time: Duration) {
        let mut now = self.lock();
        *now = (*now).max((time * 2).min(MAX_ANSWER_WAIT));
    }

    fn lock(&self) -> MutexGuard<'_, Duration> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Watched {
    connector: SharedHttpConnector,
    sleep: SharedAsyncSleep,
    watch: BodyWatch,
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watched")
    }
}

impl HttpConnector for Watched {
    fn call(&self, mut request: HttpRequest) -> HttpConnectorFuture {
        let Self { connector, sleep, watch } = self;
        let BodyWatch { stall, rate, answers, traffic } = watch.clone();
        let is = |operation: &str| {
            request.uri().ends_with(operation) || request.uri().contains(&format!("{operation}&"))
        };
        // The SDK marks these operations in their URL. Other bodies are small, and may wait for work of the server.
        let sends_object = is("x-id=PutObject") || is("x-id=UploadPart");
        let gets_object = is("x-id=GetObject");
        // Only S3 shows how far away it is; where credentials come from may be next door.
        let shows_round_trip = gets_object || is("?uploads") || request.method() == "HEAD";
        let (moved, sent) = (Moved::default(), Arc::new(Sent::new(&traffic)));
        let len = request.body().content_length().filter(|_| sends_object);
        if sends_object {
            let line = Line { rate: rate.clone(), sleep: sleep.clone(), traffic: traffic.clone() };
            let pieces = Pieces::new(request.body_mut(), line, BODY_PIECE_BYTES, Pace::Fresh);
            let body = Outgoing { pieces, moved: moved.clone(), sent: sent.clone() };
            *request.body_mut() = SdkBody::from_body_1_x(body);
        }
        let rate = rate.filter(|_| gets_object);
        let (asked, answer, sleep) = (Instant::now(), connector.call(request), sleep.clone());
        HttpConnectorFuture::new(async move {
            // Until the answer: then whoever sent it counts it.
            let _sent = sent;
            let answer = if sends_object {
                match select(answer, Box::pin(stalled(&moved, stall, &answers, &sleep))).await {
                    Either::Left((answer, _)) => answer,
                    Either::Right((stalled, _)) => Err(ConnectorError::timeout(stalled.into())),
                }
            } else {
                let answer = answer.await;
                if answer.is_ok() && shows_round_trip {
                    traffic.answered(asked.elapsed());
                }
                answer
            };
            if let (Ok(_), Movement::Sent(at)) = (&answer, moved.get()) {
                answers.took(at.elapsed());
            }
            let mut answer = answer?;
            if let Some(len) = len.filter(|_| answer.status().is_success()) {
                traffic.moved(len);
            }
            let line = Line { rate, sleep, traffic };
            let pieces = Pieces::new(answer.body_mut(), line, usize::MAX, Pace::Known);
            let in_vain = sends_object.then(Instant::now);
            let body = Incoming { pieces, stall, is_short: sends_object, in_vain, timer: None };
            *answer.body_mut() = SdkBody::from_body_1_x(body);
            Ok(answer)
        })
    }
}

/// Resolves once nothing has moved for too long.
async fn stalled(moved: &Moved, stall: Duration, answers: &AnswerWait, sleep: &SharedAsyncSleep) -> Stalled {
    loop {
        let (since, allowed) = match moved.get() {
            // To connect has a timeout of its own; a rate that is kept is no stall.
            Movement::NotBegun | Movement::Held => (Instant::now(), stall),
            Movement::Moving(at) => (at, stall),
            Movement::Sent(at) => (at, answers.get()),
        };
        match allowed.checked_sub(since.elapsed()) {
            Some(rest) if !rest.is_zero() => sleep.sleep(rest).await,
            _ => {
                if let Movement::Sent(_) = moved.get() {
                    answers.took(allowed);
                }
                return Stalled(allowed);
            }
        }
    }
}

/// How far the body of a request is.
#[derive(Clone, Copy, Debug, Default)]
enum Movement {
    #[default]
    NotBegun,
    /// The connection took bytes at this moment.
    Moving(Instant),
    /// Held back by the rate.
    Held,
    /// All of it was taken at this moment.
    Sent(Instant),
}

#[derive(Clone, Default)]
struct Moved(Arc<Mutex<Movement>>);

impl Moved {
    fn get(&self) -> Movement {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, movement: Movement) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = movement;
    }
}

type Polled = Poll<Option<Result<Frame<Bytes>, aws_smithy_types::body::Error>>>;

/// What pieces keep to, and where they are counted.
struct Line {
    rate: Option<RateLimit>,
    sleep: SharedAsyncSleep,
    traffic: Traffic,
}

/// How the first bytes of a request's body move.
enum Pace {
    Fresh,
    Since(Instant, u64),
    /// Known, or of an answer: a download begins with as many requests as may be.
    Known,
}

impl Pace {
    fn moved(&mut self, bytes: usize, traffic: &Traffic) {
        let (began, so_far) = match self {
            Self::Fresh => (Instant::now(), 0),
            Self::Since(began, so_far) => (*began, *so_far),
            Self::Known => return,
        };
        let so_far = so_far + bytes as u64;
        *self = if so_far < BRISK_BYTES { Self::Since(began, so_far) } else { Self::Known };
        if matches!(self, Self::Known) && began.elapsed() <= BRISK_TIME {
            traffic.is_brisk();
        }
    }
}

/// A body, cut into pieces that keep to the rate.
struct Pieces {
    body: Pin<Box<SdkBody>>,
    /// What is not cut yet of the bytes that the body gave.
    rest: Bytes,
    /// The piece that is next, and waits for its turn.
    cut: Bytes,
    turn: Option<Sleep>,
    line: Line,
    most: usize,
    pace: Pace,
}

impl Pieces {
    fn new(body: &mut SdkBody, line: Line, most: usize, pace: Pace) -> Self {
        let body = Box::pin(std::mem::replace(body, SdkBody::taken()));
        let most = line.rate.as_ref().map_or(most, |rate| rate.piece().min(most));
        Self { body, rest: Bytes::new(), cut: Bytes::new(), turn: None, line, most, pace }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Polled {
        if self.cut.is_empty() {
            if self.rest.is_empty() {
                match ready!(self.body.as_mut().poll_frame(cx)) {
                    Some(Ok(frame)) if frame.is_data() => self.rest = frame.into_data().unwrap_or_default(),
                    other => return Poll::Ready(other),
                }
            }
            self.cut = self.rest.split_to(self.most.min(self.rest.len()));
            let Line { rate, sleep, traffic } = &self.line;
            self.pace.moved(self.cut.len(), traffic);
            let wait = rate.as_ref().map(|rate| rate.reserve(self.cut.len(), Instant::now()));
            self.turn = wait.filter(|wait| !wait.is_zero()).map(|wait| {
                traffic.held_back();
                sleep.sleep(wait)
            });
        }
        if let Some(turn) = &mut self.turn {
            ready!(Pin::new(turn).poll(cx));
            self.turn = None;
        }
        Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut self.cut)))))
    }

    fn is_at_end(&self) -> bool {
        self.cut.is_empty() && self.rest.is_empty() && self.body.is_end_stream()
    }

    fn len(&self) -> SizeHint {
        let taken = (self.cut.len() + self.rest.len()) as u64;
        let rest = self.body.size_hint();
        let mut all = SizeHint::new();
        all.set_lower(rest.lower() + taken);
        if let Some(upper) = rest.upper() {
            all.set_upper(upper + taken);
        }
        all
    }
}

/// The bytes of one request that the system has taken, counted with those of others until it is dropped.
struct Sent {
    bytes: AtomicU64,
    all: Arc<AtomicU64>,
}

impl Sent {
    fn new(traffic: &Traffic) -> Self {
        Self { bytes: AtomicU64::new(0), all: traffic.outgoing() }
    }

    fn add(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        self.all.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

impl Drop for Sent {
    fn drop(&mut self) {
        self.all.fetch_sub(*self.bytes.get_mut(), Ordering::Relaxed);
    }
}

/// The body of a request.
struct Outgoing {
    pieces: Pieces,
    moved: Moved,
    sent: Arc<Sent>,
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = aws_smithy_types::body::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Polled {
        // It is asked for only when the pieces before have left.
        let polled = self.pieces.poll(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled {
            self.sent.add(frame.data_ref().map_or(0, Bytes::len));
        }
        self.moved.set(match &polled {
            Poll::Pending => Movement::Held,
            Poll::Ready(_) if self.pieces.is_at_end() => Movement::Sent(Instant::now()),
            Poll::Ready(_) => Movement::Moving(Instant::now()),
        });
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.pieces.is_at_end()
    }

    fn size_hint(&self) -> SizeHint {
        self.pieces.len()
    }
}

/// The body of an answer.
struct Incoming {
    pieces: Pieces,
    stall: Duration,
    /// Whether all of it must come in that time: the answer to an upload, which has no other limit.
    is_short: bool,
    /// Since when it has been asked for bytes in vain.
    in_vain: Option<Instant>,
    timer: Option<Sleep>,
}

impl Incoming {
    /// Whether nothing has come for too long.
    fn is_stalled(&mut self, cx: &mut Context<'_>) -> bool {
        let since = *self.in_vain.get_or_insert_with(Instant::now);
        loop {
            // One timer lasts for many pieces.
            let timer = self.timer.get_or_insert_with(|| self.pieces.line.sleep.sleep(self.stall));
            if Pin::new(timer).poll(cx).is_pending() {
                return false;
            }
            match self.stall.checked_sub(since.elapsed()) {
                Some(rest) if !rest.is_zero() => self.timer = Some(self.pieces.line.sleep.sleep(rest)),
                _ => return true,
            }
        }
    }
}

impl Body for Incoming {
    type Data = Bytes;
    type Error = aws_smithy_types::body::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Polled {
        let polled = self.pieces.poll(cx);
        if let Poll::Ready(ready) = &polled {
            if !self.is_short {
                self.in_vain = None;
            }
            if let Some(Ok(frame)) = ready {
                self.pieces.line.traffic.moved(frame.data_ref().map_or(0, |data| data.len() as u64));
            }
        } else if self.pieces.turn.is_none() && self.is_stalled(cx) {
            self.pieces.line.traffic.overloaded();
            return Poll::Ready(Some(Err(Stalled(self.stall).into())));
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.pieces.is_at_end()
    }

    fn size_hint(&self) -> SizeHint {
        self.pieces.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_for_an_answer_grows_to_its_limit_and_never_shrinks() {
        let wait = AnswerWait::new(Duration::from_secs(20));
        wait.took(Duration::from_secs(40));
        assert_eq!(wait.get(), Duration::from_secs(80));
        wait.took(Duration::from_millis(5));
        assert_eq!(wait.get(), Duration::from_secs(80), "a quick answer");
        wait.took(MAX_ANSWER_WAIT);
        assert_eq!(wait.get(), MAX_ANSWER_WAIT);
        let long = MAX_ANSWER_WAIT * 3;
        let wait = AnswerWait::new(long);
        wait.took(Duration::from_secs(1));
        assert_eq!(wait.get(), long, "what the user set");
    }
}
