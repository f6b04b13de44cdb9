//! What goes wrong on request: by operation, after so many requests, so many times.
//!
//! Faults act on HTTP and below, so S3 and KMS behind them stay correct and the same fault fits every operation. The
//! ambiguous one is [`Kind::DropAnswer`]: done, but the client cannot know.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::answer::Answer;
use super::recorder::{Entry, Recorded, is};

/// One kind of trouble for the requests it matches.
#[derive(Clone)]
pub struct Fault {
    /// The operation's name as recorded (`UploadPart`, `kms:Decrypt`), or `*` for every request.
    pub operation: String,
    /// Text that the path or the query must hold as well, such as `partNumber=2`.
    pub only: Option<String>,
    /// How many matching requests pass first.
    pub skip: usize,
    /// How many requests it then strikes.
    pub times: usize,
    /// What happens to them.
    pub kind: Kind,
}

impl Fault {
    /// Strikes the first request of an operation, once.
    #[must_use]
    pub fn on(operation: &str, kind: Kind) -> Self {
        Self { operation: operation.to_owned(), only: None, skip: 0, times: 1, kind }
    }

    /// Lets so many matching requests pass first.
    #[must_use]
    pub fn skip(self, skip: usize) -> Self {
        Self { skip, ..self }
    }

    /// Strikes so many requests, not only one.
    #[must_use]
    pub fn times(self, times: usize) -> Self {
        Self { times, ..self }
    }

    /// Strikes every matching request.
    #[must_use]
    pub fn always(self) -> Self {
        self.times(usize::MAX)
    }

    /// Matches only requests whose path or query holds `text`.
    #[must_use]
    pub fn only(self, text: &str) -> Self {
        Self { only: Some(text.to_owned()), ..self }
    }

    fn matches(&self, entry: &Entry) -> bool {
        is(entry, &self.operation) && self.only.as_ref().is_none_or(|text| entry.mentions(text))
    }
}

/// Makes the answer to a request.
type Answers = dyn Fn(&Recorded) -> Answer + Send + Sync;
/// Changes the answer to a request.
type Tampers = dyn Fn(&Recorded, &mut Answer) + Send + Sync;

/// What happens to a request.
#[derive(Clone)]
pub enum Kind {
    /// The request is read, nothing is done, and an error is answered.
    Status {
        /// The HTTP status.
        code: u16,
        /// S3's error code (`SlowDown`), or KMS's exception.
        s3_code: String,
        /// The message beside it.
        message: String,
        /// Seconds for a `Retry-After` header.
        retry_after: Option<u32>,
    },
    /// The request is read, nothing is done, and this is answered.
    Answer(Arc<Answers>),
    /// The operation is done, and its answer is changed before it is sent.
    Tamper(Arc<Tampers>),
    /// The connection is reset before the body is read; nothing is done.
    ResetBefore,
    /// The connection is reset after so many bytes of the answer's body; no effect on a body that is not longer.
    ResetAfter(u64),
    /// The connection is closed in order after so many bytes of the answer's body; no effect on a body that is not longer.
    CutResponse(u64),
    /// The operation is done, then nothing comes.
    StallBeforeResponse,
    /// Nothing more comes after so many bytes of the answer's body; no effect on a body that is not longer.
    StallResponse(u64),
    /// Once so many bytes of the request's body are read, no more are; the operation is never done.
    StallRequest(u64),
    /// The lowest bit of this byte of the answer's body is turned over.
    FlipResponseByte(u64),
    /// The operation is done, then the connection is reset instead of the answer.
    DropAnswer,
    /// The operation is done, then TCP is closed in order instead of the answer, without a goodbye of TLS: so ends a server
    /// that is restarted.
    HangUp,
    /// The hook is called when the request arrives, then the request goes on. It may block.
    Then(Arc<dyn Fn() + Send + Sync>),
    /// The hook is called when the operation is done but not answered. It may block.
    ThenAnswer(Arc<dyn Fn() + Send + Sync>),
    /// The request is held at its arrival until the gate is opened.
    Pause(Gate),
    /// The operation is done; its answer is held until the gate is opened.
    PauseAnswer(Gate),
}

impl Kind {
    /// The 503 with which S3 asks to slow down.
    #[must_use]
    pub fn slow_down() -> Self {
        Self::status(503, "SlowDown", "Please reduce your request rate.")
    }

    /// The 500 that S3 asks to retry.
    #[must_use]
    pub fn internal_error() -> Self {
        Self::status(500, "InternalError", "We encountered an internal error. Please try again.")
    }

    /// An error answer without `Retry-After`.
    #[must_use]
    pub fn status(code: u16, s3_code: &str, message: &str) -> Self {
        Self::Status { code, s3_code: s3_code.to_owned(), message: message.to_owned(), retry_after: None }
    }

    /// [`Kind::Answer`] with a closure.
    pub fn answer(answer: impl Fn(&Recorded) -> Answer + Send + Sync + 'static) -> Self {
        Self::Answer(Arc::new(answer))
    }

    /// [`Kind::Tamper`] with a closure.
    pub fn tamper(tamper: impl Fn(&Recorded, &mut Answer) + Send + Sync + 'static) -> Self {
        Self::Tamper(Arc::new(tamper))
    }

    /// [`Kind::Then`] with a closure.
    pub fn then(hook: impl Fn() + Send + Sync + 'static) -> Self {
        Self::Then(Arc::new(hook))
    }
}

/// Holds requests until a test opens it; once open it stays open.
#[derive(Clone)]
pub struct Gate(Arc<watch::Sender<bool>>);

impl Gate {
    /// Makes a closed gate.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }

    /// Lets the held requests, and all later ones, go on.
    pub fn open(&self) {
        self.0.send_replace(true);
    }

    pub(super) async fn passed(&self) {
        // The sender lives as long as this gate, so waiting cannot fail.
        let _ = self.0.subscribe().wait_for(|open| *open).await;
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self::new()
    }
}

/// Tells how often a fault has struck, at the moment it takes effect.
#[derive(Clone, Default)]
pub struct Struck(Arc<(Mutex<usize>, Condvar)>);

impl Struck {
    /// How often it has taken effect so far.
    #[must_use]
    pub fn count(&self) -> usize {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until it has taken effect so often; false if the time is over first.
    #[must_use]
    pub fn wait(&self, count: usize, timeout: Duration) -> bool {
        let (number, changed) = &*self.0;
        let number = number.lock().unwrap_or_else(PoisonError::into_inner);
        let (_number, outcome) = changed
            .wait_timeout_while(number, timeout, |number| *number < count)
            .unwrap_or_else(PoisonError::into_inner);
        !outcome.timed_out()
    }

    pub(super) fn strike(&self) {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.1.notify_all();
    }
}

/// A fault drawn for one request.
pub(super) struct Strike {
    pub(super) kind: Kind,
    pub(super) struck: Struck,
}

/// The faults that are set.
#[derive(Default)]
pub(super) struct Faults(Mutex<Vec<(Fault, Struck)>>);

impl Faults {
    pub(super) fn add(&self, fault: Fault) -> Struck {
        let struck = Struck::default();
        self.lock().push((fault, struck.clone()));
        struck
    }

    pub(super) fn clear(&self) {
        self.lock().clear();
    }

    /// What strikes this request, in the order in which the faults were set. Every fault counts it, also one that is
    /// not due yet.
    pub(super) fn draw(&self, entry: &Entry) -> Vec<Strike> {
        let mut drawn = Vec::new();
        let mut faults = self.lock();
        for (fault, struck) in faults.iter_mut().filter(|(fault, _)| fault.matches(entry)) {
            if fault.skip > 0 {
                fault.skip -= 1;
            } else if fault.times > 0 {
                fault.times -= 1;
                drawn.push(Strike { kind: fault.kind.clone(), struck: struck.clone() });
            }
        }
        faults.retain(|(fault, _)| fault.times > 0);
        drawn
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<(Fault, Struck)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
