//! A message as it lies in the bucket, with the places of its frames, and ways to spoil it.

use std::ops::Range;

use s3seal::seal::esdk::{Message, read};

use crate::support::{BUCKET, Bench, bytes, key};

/// The usual length of frames, in plain bytes.
pub const FRAME: usize = 64 * 1024;
/// What a frame has beside its content, and what the final one has.
const REGULAR: usize = 32;
const FINAL: usize = 40;

/// A bench with a key, and an object in this format that the key opens.
pub struct Stored {
    pub bench: Bench,
    pub plain: Vec<u8>,
    pub sealed: Vec<u8>,
    pub frame: usize,
    header: usize,
}

impl Stored {
    /// So many plain bytes in frames of the usual length.
    pub fn new(len: usize) -> Self {
        Self::with(len, FRAME, "")
    }

    /// In frames of `frame` plain bytes, put with more flags.
    pub fn with(len: usize, frame: usize, flags: &str) -> Self {
        let bench = bench();
        let plain = bytes(len);
        bench.write("source", &plain);
        bench.run(&format!("put source s3://bench/object {SEAL} --frame-length {frame} {flags}")).ok();
        let sealed = bench.object("object").plaintext.unwrap();
        let header = usize::try_from(message(&sealed).header_len()).unwrap();
        Self { bench, plain, sealed, frame, header }
    }

    /// How many frames there are.
    pub fn frames(&self) -> usize {
        (self.sealed.len() - self.header - FINAL) / (self.frame + REGULAR) + 1
    }

    /// Where a frame lies, counted from 1.
    pub fn frame_at(&self, number: usize) -> Range<usize> {
        let start = self.header + (number - 1) * (self.frame + REGULAR);
        let end = if number == self.frames() { self.sealed.len() } else { start + self.frame + REGULAR };
        start..end
    }

    /// Where the body begins.
    pub fn header(&self) -> usize {
        self.header
    }

    /// The plain bytes of the frames before this one.
    pub fn before(&self, number: usize) -> &[u8] {
        &self.plain[..((number - 1) * self.frame).min(self.plain.len())]
    }

    /// Stores a spoilt copy as somebody would who has the bucket and not the key: without checksum, without metadata.
    pub fn spoil(&self, change: impl FnOnce(&mut Vec<u8>)) {
        let mut sealed = self.sealed.clone();
        change(&mut sealed);
        self.bench.sandbox.s3().put_plain(BUCKET, "object", &sealed);
    }
}

/// Seals with the bench's key.
pub const SEAL: &str = "-e client --format esdk --key key --part-size 5MiB";

/// A bench with a key, a key that is not it, and an RSA key pair.
pub fn bench() -> Bench {
    let bench = Bench::new();
    bench.write("key", &key(7));
    bench.write("other", &key(8));
    bench.write("phrase", b"correct horse battery staple\n");
    for name in ["rsa_a.pem", "rsa_a.pub.pem", "rsa_b.pem"] {
        let from = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys").join(name);
        bench.write(name, &std::fs::read(from).unwrap());
    }
    bench
}

/// Reads a message's header.
pub fn message(sealed: &[u8]) -> Message {
    read("a message", sealed).unwrap()
}
