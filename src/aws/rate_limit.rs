//! A limit on bytes a second over all connections of a run, in both directions.
//!
//! Bytes reserve their time one after another, so every connection gets its turn, time that nobody used is not made up
//! for, and no burst exceeds a piece.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::limits::BODY_PIECE_BYTES;

/// How many pieces a second the rate is cut into, so that a slow one does not move in jerks.
const PIECES_A_SECOND: u64 = 20;

/// The limit. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct RateLimit {
    bytes_a_second: u64,
    /// When the line is free for further bytes.
    free_at: Arc<Mutex<Option<Instant>>>,
}

impl RateLimit {
    /// Makes a limit; zero counts as one byte.
    pub(super) fn new(bytes_a_second: u64) -> Self {
        Self { bytes_a_second: bytes_a_second.max(1), free_at: Arc::default() }
    }

    /// The most bytes to move at once.
    pub(super) fn piece(&self) -> usize {
        let piece = (self.bytes_a_second / PIECES_A_SECOND).max(1);
        usize::try_from(piece).unwrap_or(usize::MAX).min(BODY_PIECE_BYTES)
    }

    /// Takes the next free time for `bytes`, and returns how long it is until then.
    pub(super) fn reserve(&self, bytes: usize, now: Instant) -> Duration {
        #[expect(clippy::cast_precision_loss, reason = "a time of pieces, not a count")]
        let takes = Duration::from_secs_f64(bytes as f64 / self.bytes_a_second as f64);
        let mut free_at = self.free_at.lock().unwrap_or_else(PoisonError::into_inner);
        let start = free_at.map_or(now, |free_at| free_at.max(now));
        *free_at = Some(start + takes);
        start - now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    /// Sends pieces over so many connections by a simulated clock, and returns the bytes of each whole second.
    fn seconds(limit: &RateLimit, connections: usize, total: u64) -> Vec<u64> {
        let began = Instant::now();
        let piece = limit.piece();
        // When each connection asks for its next piece.
        let mut next = vec![began; connections];
        let (mut sent, mut seconds) = (0, Vec::new());
        while sent < total {
            let asks = next.iter_mut().min().unwrap();
            *asks += limit.reserve(piece, *asks);
            let second = usize::try_from((*asks - began).as_secs()).unwrap();
            seconds.resize(seconds.len().max(second + 1), 0);
            seconds[second] += piece as u64;
            sent += piece as u64;
        }
        seconds
    }

    #[test]
    fn every_second_has_its_bytes_however_many_connections_there_are() {
        for rate in [1000, 100 * 1024, 20 * MIB, 1024 * MIB] {
            for connections in [1, 8, 64] {
                let limit = RateLimit::new(rate);
                let seconds = seconds(&limit, connections, 5 * rate);
                let piece = limit.piece() as u64;
                for bytes in &seconds[..4] {
                    assert!(bytes.abs_diff(rate) <= 2 * piece, "{rate}, {connections}: {seconds:?}");
                }
            }
        }
    }

    #[test]
    fn unused_time_is_not_made_up_for() {
        let limit = RateLimit::new(1000);
        let began = Instant::now();
        assert_eq!(limit.reserve(100, began), Duration::ZERO);
        assert_eq!(limit.reserve(100, began), Duration::from_millis(100));
        let later = began + Duration::from_mins(1);
        assert_eq!(limit.reserve(500, later), Duration::ZERO);
        assert_eq!(limit.reserve(1, later), Duration::from_millis(500));
    }

    #[test]
    fn a_slow_rate_moves_in_small_pieces() {
        assert_eq!(RateLimit::new(1).piece(), 1);
        assert_eq!(RateLimit::new(100 * 1024).piece(), 5 * 1024);
        assert_eq!(RateLimit::new(20 * MIB).piece(), BODY_PIECE_BYTES);
    }
}
