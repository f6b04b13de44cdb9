//! A body: one blob, or one for each part, encrypted under the same body keys with a nonce of its own.
//!
//! Bytes come in and go out in pieces; ranges are read without what stands before them.
//!
//! What does not belong here: locks (the keys are open here), checksums.

use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::Stream;
use tokio::sync::mpsc;

use super::cipher::KeyStream;
use super::lock::BodyKeys;
use super::{Blob, BlobWriter, Shelf, random};

/// How much is read, decrypted and sent at a time.
const PIECE: u64 = 256 * 1024;

/// How many pieces wait for a slow client.
const WAITING: usize = 4;

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
    pub fn of(mut bytes: Vec<u8>, keys: &BodyKeys) -> Self {
        let nonces = nonces(keys);
        streams(keys, &nonces, 0).apply(&mut bytes);
        let blob = Shelf::at_hand(bytes);
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
            let mut bytes = segment.blob.all();
            streams(keys, &segment.nonces, 0).apply(&mut bytes);
            all.extend(bytes);
        }
        all
    }

    /// Reads a range (exclusive end, within the body) in the clear.
    ///
    /// The reading goes on while the stream is held, at most a few pieces ahead.
    #[must_use]
    pub fn read(&self, range: Range<u64>, keys: &BodyKeys) -> Pieces {
        let (sender, receiver) = mpsc::channel(WAITING);
        let (body, keys) = (self.clone(), keys.clone());
        let left = range.end.saturating_sub(range.start);
        tokio::spawn(async move {
            if let Err(error) = body.send(range, &keys, &sender).await {
                let _ = sender.send(Err(error)).await;
            }
        });
        Pieces { receiver, left }
    }

    async fn send(
        &self,
        range: Range<u64>,
        keys: &BodyKeys,
        to: &mpsc::Sender<io::Result<Bytes>>,
    ) -> io::Result<()> {
        let mut start = 0;
        for segment in &self.segments {
            let end = start + segment.blob.len();
            let (from, until) = (range.start.max(start), range.end.min(end));
            if from < until {
                let mut reader = segment.blob.reader(from - start).await?;
                let mut stream = streams(keys, &segment.nonces, from - start);
                let mut left = until - from;
                while left > 0 {
                    let take = left.min(PIECE);
                    let mut piece = vec![0; usize::try_from(take).expect("a piece")];
                    reader.fill(&mut piece).await?;
                    stream.apply(&mut piece);
                    if to.send(Ok(piece.into())).await.is_err() {
                        return Ok(());
                    }
                    left -= take;
                }
            }
            start = end;
        }
        Ok(())
    }
}

/// A body that is being written.
pub struct Sink {
    writer: BlobWriter,
    /// What has come and is not yet written: clients send in small pieces, disks want large ones.
    waiting: Vec<u8>,
    nonces: Vec<[u8; 16]>,
    streams: Streams,
}

impl Sink {
    /// Begins a body on a shelf.
    ///
    /// # Errors
    /// If the shelf refuses.
    pub async fn new(shelf: &Shelf, keys: &BodyKeys) -> io::Result<Self> {
        let nonces = nonces(keys);
        Ok(Self {
            writer: shelf.writer().await?,
            waiting: Vec::new(),
            streams: streams(keys, &nonces, 0),
            nonces,
        })
    }

    /// Encrypts and adds bytes.
    ///
    /// # Errors
    /// If the shelf refuses.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.waiting.extend_from_slice(bytes);
        if self.waiting.len() as u64 >= PIECE {
            self.write_waiting().await?;
        }
        Ok(())
    }

    async fn write_waiting(&mut self) -> io::Result<()> {
        self.streams.apply(&mut self.waiting);
        self.writer.write(&self.waiting).await?;
        self.waiting.clear();
        Ok(())
    }

    /// Ends the body.
    ///
    /// # Errors
    /// If the shelf refuses.
    pub async fn finish(mut self) -> io::Result<Body> {
        self.write_waiting().await?;
        let blob = self.writer.finish().await?;
        let nonces = self.nonces;
        Ok(Body { segments: vec![Segment { blob, nonces }] })
    }
}

/// The pieces of a range, in order.
pub struct Pieces {
    receiver: mpsc::Receiver<io::Result<Bytes>>,
    left: u64,
}

impl Pieces {
    /// The next piece.
    pub async fn next(&mut self) -> Option<io::Result<Bytes>> {
        self.receiver.recv().await
    }
}

impl Stream for Pieces {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let piece = self.receiver.poll_recv(cx);
        if let Poll::Ready(Some(Ok(bytes))) = &piece {
            self.left = self.left.saturating_sub(bytes.len() as u64);
        }
        piece
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (usize::from(self.left > 0), None)
    }
}

struct Streams(Vec<KeyStream>);

impl Streams {
    fn apply(&mut self, bytes: &mut [u8]) {
        for stream in &mut self.0 {
            stream.apply(bytes);
        }
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
                let mut sink = Sink::new(&shelf, &keys).await.unwrap();
                sink.write(part).await.unwrap();
                parts.push(sink.finish().await.unwrap());
            }
            let body = Body::join(&parts);
            assert_eq!(body.len(), 700_000);
            assert_eq!(all(body.read(0..700_000, &keys)).await, plain);
            assert_eq!(all(body.read(299_999..600_003, &keys)).await, plain[299_999..600_003]);
            assert_ne!(body.stored(), plain);
            assert_eq!(body.plaintext(&keys), plain);
        }
    }

    #[tokio::test]
    async fn a_file_goes_with_its_body_and_with_an_unfinished_sink() {
        let folder = tempfile::tempdir().unwrap();
        let files = || std::fs::read_dir(folder.path()).unwrap().count();
        let shelf = Shelf::open(Storage::Folder(folder.path().to_owned())).unwrap();
        let keys = BodyKeys::default();
        let mut sink = Sink::new(&shelf, &keys).await.unwrap();
        sink.write(b"x").await.unwrap();
        drop(sink);
        assert_eq!(files(), 0);
        let body = Sink::new(&shelf, &keys).await.unwrap().finish().await.unwrap();
        assert_eq!(files(), 1);
        drop(body);
        assert_eq!(files(), 0);
    }
}
