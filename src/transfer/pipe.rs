//! An in-memory pipe from a download to an upload, with an explicit end.
//!
//! Dropping the writer means failure: the reader sees the end only after [`Writer::end`], which is called after
//! verification. So only verified bytes complete an upload.

use std::fmt;
use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use bytes::{Buf, Bytes};

use crate::error::{Error, Result};

/// The most pieces in the pipe; each is at most one chunk of an answer.
const WAITING: usize = 8;

/// Makes both ends of a pipe. Both block, so they do not belong on the network's threads.
pub(crate) fn pipe() -> (Writer, Reader) {
    let (sender, receiver) = sync_channel(WAITING);
    (Writer(sender), Reader { receiver, piece: Bytes::new(), ended: false })
}

/// The other end was dropped. Whoever held it has the reason.
#[derive(Debug)]
struct OtherEndDropped;

impl fmt::Display for OtherEndDropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nobody takes it any longer")
    }
}

impl std::error::Error for OtherEndDropped {}

/// Makes the error of a pipe or channel within the program whose reader is gone, and has the reason.
pub(crate) fn other_end_dropped() -> Error {
    Error::local("pass on", "what was read")(io::Error::other(OtherEndDropped))
}

/// Whether an error only says that the other end of a pipe is gone.
pub(crate) fn is_other_end_dropped(error: &Error) -> bool {
    let Error::Local { source, .. } = error else { return false };
    source.get_ref().and_then(|cause| cause.downcast_ref::<OtherEndDropped>()).is_some()
}

/// `None` is the end.
type Piece = Option<Bytes>;

/// The writing end.
pub(crate) struct Writer(SyncSender<Piece>);

impl Writer {
    /// Writes bytes; waits while the pipe is full.
    ///
    /// # Errors
    /// [`other_end_dropped`] where the reader was dropped.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.0.send(Some(Bytes::copy_from_slice(bytes))).map_err(|_| other_end_dropped())
    }

    /// Ends the stream: everything was written, and is verified.
    ///
    /// # Errors
    /// As [`Writer::write`].
    pub(crate) fn end(self) -> Result<()> {
        self.0.send(None).map_err(|_| other_end_dropped())
    }
}

/// The reading end.
pub(crate) struct Reader {
    receiver: Receiver<Piece>,
    piece: Bytes,
    ended: bool,
}

impl Reader {
    /// Fills the buffer, unless the end comes first; returns the number of bytes.
    ///
    /// # Errors
    /// `SourceChanged` where the writer was dropped before the end: the bytes so far must not be used.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() && !self.ended {
            if self.piece.is_empty() {
                match self.receiver.recv() {
                    Ok(Some(piece)) => self.piece = piece,
                    Ok(None) => self.ended = true,
                    Err(_) => {
                        let why = "it ended before it was verified".to_owned();
                        return Err(Error::SourceChanged { subject: "the object".into(), why });
                    }
                }
            }
            let now = self.piece.len().min(buffer.len() - filled);
            buffer[filled..filled + now].copy_from_slice(&self.piece[..now]);
            self.piece.advance(now);
            filled += now;
        }
        Ok(filled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_pass_in_order_and_end_when_it_is_said() {
        let (mut writer, mut reader) = pipe();
        let feeder = std::thread::spawn(move || {
            for number in 0..100_u8 {
                writer.write(&[number; 3]).unwrap();
            }
            writer.end().unwrap();
        });
        let mut buffer = [0; 1000];
        assert_eq!(reader.read(&mut buffer[..7]).unwrap(), 7);
        assert_eq!(buffer[..7], [0, 0, 0, 1, 1, 1, 2]);
        assert_eq!(reader.read(&mut buffer).unwrap(), 293);
        assert_eq!(buffer[..2], [2, 2]);
        assert_eq!(reader.read(&mut buffer).unwrap(), 0);
        feeder.join().unwrap();
    }

    #[test]
    fn a_writer_that_is_gone_without_a_word_is_no_end() {
        let (mut writer, mut reader) = pipe();
        writer.write(b"half").unwrap();
        drop(writer);
        let mut buffer = [0; 4];
        assert_eq!(reader.read(&mut buffer).unwrap(), 4);
        assert_eq!(&buffer, b"half");
        assert!(matches!(reader.read(&mut buffer), Err(Error::SourceChanged { .. })));
    }

    #[test]
    fn nobody_writes_for_a_reader_that_has_left() {
        let (mut writer, reader) = pipe();
        drop(reader);
        assert!(is_other_end_dropped(&writer.write(b"x").unwrap_err()));
        assert!(is_other_end_dropped(&writer.end().unwrap_err()));
    }
}
