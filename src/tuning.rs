//! Transfer options (part size, concurrency), the sizes that they are written in, and the progress meter.

use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::limits::{DEFAULT_JOBS, DEFAULT_PART_BYTES, DEFAULT_SMALL_OBJECTS};

/// A number of bytes, written as `8MiB`, `1GiB`, `500k` or plain digits.
///
/// `KiB` and `K` are powers of 1024, `KB` is a power of 1000; likewise for larger units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ByteSize(pub(crate) u64);

impl FromStr for ByteSize {
    type Err = SizeError;

    fn from_str(text: &str) -> Result<Self, SizeError> {
        let bad = || SizeError(text.to_owned());
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let count: u64 = text[..digits].parse().map_err(|_| bad())?;
        let unit: u64 = match text[digits..].trim().to_ascii_lowercase().as_str() {
            "" | "b" => 1,
            "k" | "kib" => 1 << 10,
            "m" | "mib" => 1 << 20,
            "g" | "gib" => 1 << 30,
            "t" | "tib" => 1 << 40,
            "kb" => 1_000,
            "mb" => 1_000_000,
            "gb" => 1_000_000_000,
            "tb" => 1_000_000_000_000,
            _ => return Err(bad()),
        };
        count.checked_mul(unit).map(Self).ok_or_else(bad)
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
        if self.0 < 1024 {
            return write!(f, "{} B", self.0);
        }
        #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
        let mut value = self.0 as f64 / 1024.0;
        let mut unit = 0;
        while value >= 1023.95 && unit + 1 < UNITS.len() {
            value /= 1024.0;
            unit += 1;
        }
        let digits = usize::from(value.fract() > 0.05 && value.fract() < 0.95);
        write!(f, "{value:.digits$} {}", UNITS[unit])
    }
}

/// Not a size.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a size: write a number with an optional unit, such as 8MiB or 1GiB")]
pub(crate) struct SizeError(String);

/// The part size and concurrency of a transfer. It takes about `jobs × part_size` of memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tuning {
    /// Concurrent requests.
    pub(crate) jobs: NonZeroUsize,
    /// Concurrent objects of a bulk transfer. More than `jobs`, because small objects mostly wait; they share the memory.
    pub(crate) objects: NonZeroUsize,
    /// Bytes in a part or range; in the first part, if parts grow.
    pub(crate) part_size: u64,
    /// The expected size of a source of unknown length, in bytes. Parts are sized for it.
    pub(crate) expected_size: Option<u64>,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            jobs: DEFAULT_JOBS,
            objects: DEFAULT_SMALL_OBJECTS,
            part_size: DEFAULT_PART_BYTES,
            expected_size: None,
        }
    }
}

/// Counts plaintext bytes, for the progress display.
#[derive(Clone, Debug, Default)]
pub(crate) struct Meter(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    done: AtomicU64,
    total: AtomicU64,
    /// Whether it counts many objects, so that no object sets the total.
    many: bool,
}

impl Meter {
    /// Makes a meter for many objects, whose total is unknown.
    pub(crate) fn of_many() -> Self {
        Self(Arc::new(Counts { many: true, ..Counts::default() }))
    }

    /// Sets the total; it stays 0 for a source of unknown length.
    pub(crate) fn expect(&self, total: u64) {
        if !self.0.many {
            self.0.total.store(total, Ordering::Relaxed);
        }
    }

    /// Counts transferred bytes.
    pub(crate) fn add(&self, bytes: u64) {
        self.0.done.fetch_add(bytes, Ordering::Relaxed);
    }

    /// The bytes counted so far.
    pub(crate) fn done(&self) -> u64 {
        self.0.done.load(Ordering::Relaxed)
    }

    /// The total, if it is known.
    pub(crate) fn total(&self) -> Option<u64> {
        match self.0.total.load(Ordering::Relaxed) {
            0 => None,
            total => Some(total),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        for (text, bytes) in [
            ("0", 0),
            ("42", 42),
            ("8MiB", 8 << 20),
            ("8m", 8 << 20),
            ("1 GiB", 1 << 30),
            ("5TiB", 5 << 40),
            ("5GB", 5_000_000_000),
        ] {
            assert_eq!(text.parse(), Ok(ByteSize(bytes)), "{text}");
        }
        for text in ["", "MiB", "-1", "1.5GiB", "8 parsecs", "99999999999TiB"] {
            assert!(text.parse::<ByteSize>().is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_are_shown_short() {
        for (bytes, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1 KiB"),
            (1536, "1.5 KiB"),
            (8 << 20, "8 MiB"),
            ((1 << 30) - 1, "1 GiB"),
            (3 << 40, "3 TiB"),
        ] {
            assert_eq!(ByteSize(bytes).to_string(), text);
        }
    }
}
