//! Bodies on their way through: counted, and cut, stalled or changed where a fault says so.
//!
//! Frames are passed on as they are; only a byte that is to be flipped costs a copy of its frame.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use s3s::StdError;

use super::faults::Struck;
use super::recorder::Entry;
use super::wire::{End, Line};

/// A request's body.
pub(super) struct RequestBody {
    pub(super) inner: Incoming,
    pub(super) entry: Arc<Entry>,
    pub(super) stall: Option<Stall>,
}

/// Stops a request's body for ever once so many bytes are read.
pub(super) struct Stall {
    pub(super) after: u64,
    pub(super) struck: Option<Struck>,
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let read = self.entry.bytes_in.load(Relaxed);
        if let Some(stall) = self.stall.as_mut().filter(|stall| read >= stall.after) {
            stall.struck.take().iter().for_each(Struck::strike);
            return Poll::Pending;
        }
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(cx));
        if let Some(data) = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref()) {
            self.entry.received(data);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// An answer's body.
pub(super) struct ResponseBody {
    pub(super) inner: s3s::Body,
    pub(super) entry: Arc<Entry>,
    pub(super) sent: u64,
    pub(super) stop: Option<Stop>,
    pub(super) flip: Option<Flip>,
}

/// Ends an answer's body after so many bytes.
pub(super) struct Stop {
    pub(super) after: u64,
    /// How the connection ends; with `None` it stalls.
    pub(super) how: Option<End>,
    pub(super) line: Arc<Line>,
    pub(super) struck: Option<Struck>,
}

/// Changes one byte of an answer's body.
pub(super) struct Flip {
    pub(super) offset: u64,
    pub(super) struck: Struck,
}

impl ResponseBody {
    /// The frame as it is sent: not beyond the stop, and with the byte flipped.
    fn shape(&mut self, mut data: Bytes) -> Bytes {
        if let Some(stop) = &self.stop {
            let left = usize::try_from(stop.after - self.sent).unwrap_or(usize::MAX);
            data.truncate(left);
        }
        if let Some(flip) = &self.flip {
            let place = flip.offset.checked_sub(self.sent).and_then(|place| usize::try_from(place).ok());
            if let Some(place) = place.filter(|place| *place < data.len()) {
                let mut changed = data.to_vec();
                changed[place] ^= 1;
                data = changed.into();
                flip.struck.strike();
            }
        }
        self.sent += data.len() as u64;
        self.entry.bytes_out.fetch_add(data.len() as u64, Relaxed);
        data
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = StdError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, StdError>>> {
        let sent = self.sent;
        if let Some(stop) = self.stop.as_mut().filter(|stop| sent >= stop.after) {
            if let Some(struck) = stop.struck.take() {
                struck.strike();
                if let Some(how) = stop.how {
                    stop.line.end_once_flushed(how);
                }
            }
            return Poll::Pending;
        }
        match ready!(Pin::new(&mut self.inner).poll_frame(cx)) {
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => Poll::Ready(Some(Ok(Frame::data(self.shape(data))))),
                Err(trailers) => Poll::Ready(Some(Ok(trailers))),
            },
            end => Poll::Ready(end),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.stop.is_none() && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
