//! A body: one blob, or one for each part, encrypted under the same body keys with a nonce of its own.
//!
//! Bytes come in and go out in pieces; ranges are read without what stands before them.
//!
//! What does not belong here: locks (the keys are open here), checksums.

use std::collections::VecDeque;
use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use futures_util::Stream;

use super::blob::BlobReader;
use super::cipher::{BLOCK, KeyStream};
use super::lock::BodyKeys;
use super::{Blob, BlobWriter, Shelf, random};

/// How much is read, decrypted and sent at a time.
const PIECE: u64 = 256 * 1024;

/// How many pieces are kept for their room while a client has not taken them yet.
const SENT: usize = 4;

#[derive(Debug, Clone)]
struct Segment {
    blob: Arc<Blob>,
    nonces: Vec<[u8; 16]>,
}

/// An object's bytes at rest.
#[derive(Debug, Clone, Default)]
pub struct Body {
    segments: Vec<Segment>,
}

impl Body {
    /// A body of bytes at hand.
    #[must_use]
    pub fn of(bytes: Vec<u8>, keys: &BodyKeys) -> Self {
        let nonces = nonces(keys);
        let blob = Shelf::at_hand(streams(keys, &nonces, 0).laid_over(bytes));
        Self { segments: vec![Segment { blob, nonces }] }
    }

    /// So many zeros that take no room, under any keys: nothing is encrypted, for nothing is there.
    #[must_use]
    pub fn hole(len: u64) -> Self {
        Self { segments: vec![Segment { blob: Arc::new(Blob::Hole(len)), nonces: Vec::new() }] }
    }

    /// Whether it is nothing but holes.
    #[must_use]
    pub fn is_hole(&self) -> bool {
        !self.segments.is_empty()
            && self.segments.iter().all(|segment| matches!(*segment.blob, Blob::Hole(_)))
    }

    /// Bodies in a row, under the same keys.
    #[must_use]
    pub fn join<'a>(bodies: impl IntoIterator<Item = &'a Self>) -> Self {
        let segments = bodies.into_iter().flat_map(|body| body.segments.clone());
        Self { segments: segments.collect() }
    }

    /// The number of bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.segments.iter().map(|segment| segment.blob.len()).sum()
    }

    /// The bytes at rest, as a thief of the disk would see them.
    #[must_use]
    pub fn stored(&self) -> Vec<u8> {
        self.segments.iter().flat_map(|s| s.blob.all()).collect()
    }

    /// The bytes in the clear, without a runtime: for a test that looks in.
    #[must_use]
    pub fn plaintext(&self, keys: &BodyKeys) -> Vec<u8> {
        let mut all = Vec::new();
        for segment in &self.segments {
            all.extend(streams(keys, &segment.nonces, 0).laid_over(segment.blob.all()));
        }
        all
    }

    /// Reads a range (exclusive end, within the body) in the clear, piece by piece as they are asked for.
    #[must_use]
    pub fn read(&self, range: Range<u64>, keys: &BodyKeys) -> Pieces {
        let mut start = 0;
        let mut slices = VecDeque::new();
        for segment in &self.segments {
            let end = start + segment.blob.len();
            let (from, until) = (range.start.max(start), range.end.min(end));
            if from < until {
                slices.push_back((segment.clone(), from - start..until - start));
            }
            start = end;
        }
        let left = range.end.saturating_sub(range.start);
        Pieces { slices, keys: keys.clone(), open: None, left, sent: VecDeque::new() }
    }
}

/// A body that is being written.
pub struct Sink {
    writer: BlobWriter,
    /// What has come and is not yet written: clients send in small pieces, disks want large ones.
    waiting: Vec<u8>,
    encrypted: Vec<u8>,
    nonces: Vec<[u8; 16]>,
    streams: Streams,
}

impl Sink {
    /// Begins a body on a shelf.
    ///
    /// # Errors
    /// If the shelf refuses.
    pub fn new(shelf: &Shelf, keys: &BodyKeys) -> io::Result<Self> {
        let nonces = nonces(keys);
        Ok(Self {
            writer: shelf.writer()?,
            waiting: Vec::new(),
            encrypted: Vec::new(),
            streams: streams(keys, &nonces, 0),
            nonces,
        })
    }

    /// Encrypts and adds bytes.
    ///
    /// # Errors
    /// If the shelf refuses.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.waiting.extend_from_slice(bytes);
        if self.waiting.len() as u64 >= PIECE {
            self.write_waiting()?;
        }
        Ok(())
    }

    fn write_waiting(&mut self) -> io::Result<()> {
        let len = self.waiting.len();
        self.encrypted.resize(len + BLOCK, 0);
        self.streams.lay(&self.waiting, &mut self.encrypted);
        self.writer.write(&self.encrypted[..len])?;
        self.waiting.clear();
        Ok(())
    }

    /// Ends the body.
    ///
    /// # Errors
    /// If the shelf refuses.
    pub fn finish(mut self) -> io::Result<Body> {
        self.write_waiting()?;
        let blob = self.writer.finish()?;
        let nonces = self.nonces;
        Ok(Body { segments: vec![Segment { blob, nonces }] })
    }
}

/// The pieces of a range, in order.
pub struct Pieces {
    /// What is to be read of which segment.
    slices: VecDeque<(Segment, Range<u64>)>,
    keys: BodyKeys,
    open: Option<Open>,
    left: u64,
    /// The last pieces, for their room once they have left.
    sent: VecDeque<Bytes>,
}

/// A segment that is being read.
struct Open {
    reader: BlobReader,
    streams: Streams,
    left: u64,
}

impl Pieces {
    /// The next piece; others have their turn first.
    pub async fn next(&mut self) -> Option<io::Result<Bytes>> {
        tokio::task::yield_now().await;
        self.piece()
    }

    fn piece(&mut self) -> Option<io::Result<Bytes>> {
        let piece = self.read().transpose();
        if let Some(Err(_)) = piece {
            self.slices.clear();
        }
        piece
    }

    fn read(&mut self) -> io::Result<Option<Bytes>> {
        let mut open = match self.open.take() {
            Some(open) => open,
            None => {
                let Some((segment, slice)) = self.slices.pop_front() else { return Ok(None) };
                let reader = segment.blob.reader(slice.start)?;
                let streams = streams(&self.keys, &segment.nonces, slice.start);
                Open { reader, streams, left: slice.end - slice.start }
            }
        };
        let take = open.left.min(PIECE);
        let len = usize::try_from(take).expect("a piece");
        let mut room = self.room();
        room.resize(len + BLOCK, 0);
        open.streams.lay(open.reader.next(len)?, &mut room);
        room.truncate(len);
        let piece = room.freeze();
        self.sent.push_back(piece.clone());
        self.left -= take;
        open.left -= take;
        self.open = Some(open).filter(|open| open.left > 0);
        Ok(Some(piece))
    }

    /// The room of a piece that has left, or new room: the system takes long to give it.
    fn room(&mut self) -> BytesMut {
        match self.sent.pop_front().map(Bytes::try_into_mut) {
            Some(Ok(room)) => return room,
            Some(Err(waits)) if self.sent.len() < SENT => self.sent.push_front(waits),
            Some(Err(_)) | None => {}
        }
        BytesMut::new()
    }
}

impl Stream for Pieces {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.piece())
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (usize::from(self.left > 0), None)
    }
}

struct Streams(Vec<KeyStream>);

impl Streams {
    /// Lays all over `from`, and writes that to the beginning of `to`, which is a block longer.
    fn lay(&mut self, from: &[u8], to: &mut [u8]) {
        let Some((first, others)) = self.0.split_first_mut() else {
            return to[..from.len()].copy_from_slice(from);
        };
        first.lay(from, to);
        for stream in others {
            let laid = to[..from.len()].to_vec();
            stream.lay(&laid, to);
        }
    }

    fn laid_over(&mut self, bytes: Vec<u8>) -> Vec<u8> {
        let mut to = vec![0; bytes.len() + BLOCK];
        self.lay(&bytes, &mut to);
        to.truncate(bytes.len());
        to
    }
}

fn nonces(keys: &BodyKeys) -> Vec<[u8; 16]> {
    keys.0.iter().map(|_| random()).collect()
}

fn streams(keys: &BodyKeys, nonces: &[[u8; 16]], offset: u64) -> Streams {
    let pairs = keys.0.iter().zip(nonces);
    Streams(pairs.map(|(key, nonce)| KeyStream::new(key, *nonce, offset)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Kek, Lock, Storage};

    async fn all(mut pieces: Pieces) -> Vec<u8> {
        let mut bytes = Vec::new();
        while let Some(piece) = pieces.next().await {
            bytes.extend(piece.unwrap());
        }
        bytes
    }

    #[tokio::test]
    async fn a_range_over_parts_is_read_from_memory_and_from_files() {
        let folder = tempfile::tempdir().unwrap();
        for storage in [Storage::Memory, Storage::Folder(folder.path().to_owned())] {
            let shelf = Shelf::open(storage).unwrap();
            let (_, keys) = Lock::fresh(vec![(Kek::Server, [1; 32]), (Kek::Server, [2; 32])]);
            let mut parts = Vec::new();
            let plain: Vec<u8> = (0..700_000_u32).map(|n| (n % 251) as u8).collect();
            for part in plain.chunks(300_000) {
                let mut sink = Sink::new(&shelf, &keys).unwrap();
                sink.write(part).unwrap();
                parts.push(sink.finish().unwrap());
            }
            let body = Body::join(&parts);
            assert_eq!(body.len(), 700_000);
            assert_eq!(all(body.read(0..700_000, &keys)).await, plain);
            assert_eq!(all(body.read(299_999..600_003, &keys)).await, plain[299_999..600_003]);
            assert_ne!(body.stored(), plain);
            assert_eq!(body.plaintext(&keys), plain);
        }
    }

    #[test]
    fn a_file_goes_with_its_body_and_with_an_unfinished_sink() {
        let folder = tempfile::tempdir().unwrap();
        let files = || std::fs::read_dir(folder.path()).unwrap().count();
        let shelf = Shelf::open(Storage::Folder(folder.path().to_owned())).unwrap();
        let keys = BodyKeys::default();
        let mut sink = Sink::new(&shelf, &keys).unwrap();
        sink.write(b"x").unwrap();
        drop(sink);
        assert_eq!(files(), 0);
        let body = Sink::new(&shelf, &keys).unwrap().finish().unwrap();
        assert_eq!(files(), 1);
        drop(body);
        assert_eq!(files(), 0);
    }
}
