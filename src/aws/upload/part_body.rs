//! The body of a part: bytes in memory, or bytes that are read while they are sent.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::aws::error::find;
use crate::limits::PIECE_IN_MEMORY_BYTES;

/// Reads up to so many bytes from an offset of the part. Called while the part is sent, by each attempt anew.
type Read = dyn Fn(u64, usize) -> io::Result<Bytes> + Send + Sync;

/// The bytes of a part. Clones send the same bytes.
#[derive(Clone)]
pub(crate) enum PartBody {
    InMemory(Bytes),
    ReadWhileSent { len: u64, read: Arc<Read> },
}

impl fmt::Debug for PartBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.len())
    }
}

impl PartBody {
    pub(crate) fn len(&self) -> u64 {
        match self {
            Self::InMemory(bytes) => bytes.len() as u64,
            Self::ReadWhileSent { len, .. } => *len,
        }
    }

    pub(super) fn into_stream(self) -> ByteStream {
        match self {
            Self::InMemory(bytes) => bytes.into(),
            Self::ReadWhileSent { len, read } => ByteStream::new(SdkBody::retryable(move || {
                SdkBody::from_body_1_x(Reading { at: 0, len, read: read.clone() })
            })),
        }
    }
}

struct Reading {
    at: u64,
    len: u64,
    read: Arc<Read>,
}

impl Body for Reading {
    type Data = Bytes;
    type Error = Unreadable;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Unreadable>>> {
        let most =
            usize::try_from(self.len - self.at).unwrap_or(PIECE_IN_MEMORY_BYTES).min(PIECE_IN_MEMORY_BYTES);
        if most == 0 {
            return Poll::Ready(None);
        }
        // A disk that hangs must not stop the runtime's timers and signals.
        let read = match tokio::task::block_in_place(|| (self.read)(self.at, most)) {
            Ok(bytes) if bytes.is_empty() => Err(io::ErrorKind::UnexpectedEof.into()),
            read => read,
        };
        Poll::Ready(Some(match read {
            Ok(bytes) => {
                self.at += bytes.len() as u64;
                Ok(Frame::data(bytes))
            }
            Err(error) => Err(Unreadable(error)),
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.at == self.len
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.len - self.at)
    }
}

/// A part could not be read while it was sent. Another attempt would not help.
#[derive(Debug, thiserror::Error)]
#[error("the source could not be read while it was sent")]
pub(crate) struct Unreadable(#[source] io::Error);

/// Whether a request failed because its part could not be read.
pub(in crate::aws) fn is_unreadable(error: &(dyn StdError + 'static)) -> bool {
    find::<Unreadable>(error).is_some()
}
