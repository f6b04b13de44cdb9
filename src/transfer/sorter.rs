//! Sorts more than fits into memory: runs in files without a name, which are merged as they are read.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Seek, Write};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The bytes, as the caller counts them, that wait in memory for their run. A run is an open file, and the longest manifest
/// makes fewer than 256: of each line its length is counted, and at most its name once more.
const RUN_BYTES: usize = 32 << 20;

/// Takes items in any order.
pub(crate) struct Sorter<T> {
    waiting: Vec<T>,
    bytes: usize,
    run_bytes: usize,
    runs: Vec<BufReader<File>>,
}

impl<T: Ord + Serialize + DeserializeOwned> Sorter<T> {
    pub(crate) fn new() -> Self {
        Self { waiting: Vec::new(), bytes: 0, run_bytes: RUN_BYTES, runs: Vec::new() }
    }

    /// Takes an item of about this many bytes.
    ///
    /// # Errors
    /// What the system refuses, such as a full disk.
    pub(crate) fn push(&mut self, item: T, bytes: usize) -> io::Result<()> {
        self.waiting.push(item);
        self.bytes += bytes;
        if self.bytes < self.run_bytes {
            return Ok(());
        }
        self.bytes = 0;
        self.waiting.sort_unstable();
        let mut file = BufWriter::new(tempfile::tempfile()?);
        for item in self.waiting.drain(..) {
            serde_json::to_writer(&mut file, &item)?;
            file.write_all(b"\n")?;
        }
        let mut file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        self.runs.push(BufReader::new(file));
        Ok(())
    }

    /// Ends the taking.
    ///
    /// # Errors
    /// What the system refuses.
    pub(crate) fn finish(mut self) -> io::Result<Sorted<T>> {
        self.waiting.sort_unstable_by(|a, b| b.cmp(a));
        let mut sorted = Sorted { next: BinaryHeap::new(), last: self.waiting, runs: self.runs };
        for run in 0..=sorted.runs.len() {
            let first = sorted.read(run)?;
            sorted.next.extend(first.map(|item| Reverse((item, run))));
        }
        Ok(sorted)
    }
}

/// All items, in their order.
pub(crate) struct Sorted<T> {
    /// The next item of each run.
    next: BinaryHeap<Reverse<(T, usize)>>,
    /// The run that needed no file, backwards.
    last: Vec<T>,
    runs: Vec<BufReader<File>>,
}

impl<T: Ord + DeserializeOwned> Sorted<T> {
    fn read(&mut self, run: usize) -> io::Result<Option<T>> {
        let Some(reader) = self.runs.get_mut(run) else { return Ok(self.last.pop()) };
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        Ok(Some(serde_json::from_str(&line)?))
    }

    fn take(&mut self) -> io::Result<Option<T>> {
        let Some(Reverse((_, run))) = self.next.peek() else { return Ok(None) };
        let run = *run;
        let following = self.read(run)?;
        let Some(first) = self.next.peek_mut() else { return Ok(None) };
        Ok(Some(match following {
            Some(following) => {
                let mut first = first;
                std::mem::replace(&mut *first, Reverse((following, run))).0.0
            }
            None => PeekMut::pop(first).0.0,
        }))
    }
}

impl<T: Ord + DeserializeOwned> Iterator for Sorted<T> {
    type Item = io::Result<T>;

    fn next(&mut self) -> Option<Self::Item> {
        self.take().transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_comes_sorted_all_the_same_and_all_of_it() {
        for (count, run_bytes) in [(0, 1), (1, 1), (7, 100), (1000, 1), (1000, 64), (1000, 999), (1000, 5000)]
        {
            let mut sorter = Sorter { run_bytes, ..Sorter::new() };
            let mixed = |number: u64| number.wrapping_mul(0x9E37_79B9_7F4A_7C15) % 400;
            let mut all: Vec<String> = (0..count).map(|number| format!("{}\n\"", mixed(number))).collect();
            for item in all.clone() {
                sorter.push(item, 3).unwrap();
            }
            let merged: Vec<String> = sorter.finish().unwrap().map(Result::unwrap).collect();
            all.sort();
            assert_eq!(merged, all, "{count} {run_bytes}");
        }
    }
}
