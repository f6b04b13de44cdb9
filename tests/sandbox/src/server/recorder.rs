//! Remembers every request, for a test to assert on and to wait for.
//!
//! A test that sends a signal must know that the third part has begun, without sleeping; one that says "SSE-C headers on
//! every part" must see what was really sent. Bodies are counted, and kept where they are to be searched for keys.

use std::sync::atomic::{AtomicU16, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use http::HeaderMap;

/// A request as it was received, and what has become of it so far.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// The operation by its own name, such as `UploadPart` or `kms:Decrypt`.
    pub operation: String,
    /// The HTTP method.
    pub method: String,
    /// The path as sent, percent-encoded.
    pub path: String,
    /// The query as sent, without its question mark; empty if there is none.
    pub query: String,
    /// All headers, names in lower case, in the order received.
    pub headers: Vec<(String, String)>,
    /// The status that was answered; `None` while there is no answer, and for ever if there never was one.
    pub status: Option<u16>,
    /// How many bytes of the request's body were read, as framed (`aws-chunked` frames count).
    pub bytes_in: u64,
    /// How many bytes of the answer's body were given to the connection.
    pub bytes_out: u64,
    /// Whether it came over HTTPS.
    pub over_tls: bool,
    /// Every byte received so far: the request's line, headers as they came, and body. Empty without
    /// [`Config::record_bodies`](crate::Config::record_bodies).
    pub received: Vec<u8>,
    /// When its head was received.
    pub at: SystemTime,
}

impl Recorded {
    /// The value of a header, by its lower-case name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// The value of a query parameter, as sent; empty for one without a value.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let pairs = self.query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        pairs.into_iter().find(|(found, _)| *found == name).map(|(_, value)| value)
    }
}

/// A request under way: what is known from its head, and counters that its body wrappers turn.
pub(super) struct Entry {
    head: Recorded,
    status: AtomicU16,
    pub(super) bytes_in: AtomicU64,
    pub(super) bytes_out: AtomicU64,
    /// Every byte received, if they are kept.
    received: Option<Mutex<Vec<u8>>>,
}

impl Entry {
    pub(super) fn operation(&self) -> &str {
        &self.head.operation
    }

    /// Whether the path, or the query, holds `text`.
    pub(super) fn mentions(&self, text: &str) -> bool {
        self.head.path.contains(text) || self.head.query.contains(text)
    }

    /// Notes a piece of the request's body.
    pub(super) fn received(&self, data: &[u8]) {
        self.bytes_in.fetch_add(data.len() as u64, Relaxed);
        if let Some(received) = &self.received {
            received.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(data);
        }
    }

    pub(super) fn snapshot(&self) -> Recorded {
        let status = self.status.load(Relaxed);
        Recorded {
            status: (status != 0).then_some(status),
            bytes_in: self.bytes_in.load(Relaxed),
            bytes_out: self.bytes_out.load(Relaxed),
            received: (self.received.as_ref())
                .map(|received| received.lock().unwrap_or_else(PoisonError::into_inner).clone())
                .unwrap_or_default(),
            ..self.head.clone()
        }
    }
}

/// All requests since the start, or since the last [`Recorder::clear`].
pub(super) struct Recorder {
    keeps: bool,
    keeps_bodies: bool,
    entries: Mutex<Vec<Arc<Entry>>>,
    changed: Condvar,
}

impl Recorder {
    /// Makes an empty one; if it `keeps` nothing, it stays empty.
    pub(super) fn new(keeps: bool, keeps_bodies: bool) -> Self {
        Self { keeps, keeps_bodies, entries: Mutex::default(), changed: Condvar::default() }
    }

    /// Adds a request whose head has come.
    pub(super) fn arrived(
        &self,
        operation: String,
        head: &http::request::Parts,
        over_tls: bool,
    ) -> Arc<Entry> {
        let entry = Arc::new(Entry {
            head: Recorded {
                operation,
                method: head.method.to_string(),
                path: head.uri.path().to_owned(),
                query: head.uri.query().unwrap_or_default().to_owned(),
                headers: texts(&head.headers),
                status: None,
                bytes_in: 0,
                bytes_out: 0,
                over_tls,
                received: Vec::new(),
                at: SystemTime::now(),
            },
            status: AtomicU16::new(0),
            bytes_in: AtomicU64::new(0),
            bytes_out: AtomicU64::new(0),
            received: self.keeps_bodies.then(|| Mutex::new(as_received(head))),
        });
        if self.keeps {
            self.lock().push(entry.clone());
            self.changed.notify_all();
        }
        entry
    }

    /// Notes what is answered, just before it is sent.
    pub(super) fn answered(&self, entry: &Entry, status: http::StatusCode) {
        let _guard = self.lock();
        entry.status.store(status.as_u16(), Relaxed);
        self.changed.notify_all();
    }

    pub(super) fn requests(&self) -> Vec<Recorded> {
        self.lock().iter().map(|entry| entry.snapshot()).collect()
    }

    pub(super) fn clear(&self) {
        self.lock().clear();
    }

    /// Waits until `enough` entries fulfil `wanted`; false if the time is over first.
    pub(super) fn wait(&self, wanted: impl Fn(&Entry) -> bool, enough: usize, timeout: Duration) -> bool {
        let entries = self.lock();
        let missing =
            |entries: &mut Vec<Arc<Entry>>| entries.iter().filter(|entry| wanted(entry)).count() < enough;
        let (_entries, outcome) = self
            .changed
            .wait_timeout_while(entries, timeout, missing)
            .unwrap_or_else(PoisonError::into_inner);
        !outcome.timed_out()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Entry>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the entry is an `operation` (`*` is any) that has its answer.
pub(super) fn is_answered(entry: &Entry, operation: &str) -> bool {
    is(entry, operation) && entry.status.load(Relaxed) != 0
}

/// Whether the entry is an `operation` (`*` is any).
pub(super) fn is(entry: &Entry, operation: &str) -> bool {
    operation == "*" || entry.operation() == operation
}

/// The head with the very bytes of its headers' values, which need not be text.
fn as_received(head: &http::request::Parts) -> Vec<u8> {
    let mut bytes = format!("{} {}\r\n", head.method, head.uri).into_bytes();
    for (name, value) in &head.headers {
        bytes.extend_from_slice(&[name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    bytes
}

fn texts(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}
