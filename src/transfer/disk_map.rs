//! A hash table on disk that maps names to words, and whose memory does not grow with the number of entries.
//!
//! It uses open addressing in an unlinked file, so nothing remains however the process ends. Names and words are
//! digests; their meaning is up to the caller.

use std::fs::File;
use std::io;
use std::num::NonZero;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

/// A name and its word, each in 16 bytes; a slot of zeros is empty, which no word is.
const SLOT: usize = 32;

/// The table.
pub(crate) struct DiskMap {
    file: File,
    slots: u64,
}

impl DiskMap {
    /// Makes an empty table in a directory, with room for so many names.
    pub(crate) fn new(folder: &Path, names: u64) -> io::Result<Self> {
        // At most half full, so that a lookup takes two or three slots.
        let slots = names.saturating_mul(2).max(2);
        let file = tempfile::tempfile_in(folder)?;
        file.set_len(slots.saturating_mul(SLOT as u64))?;
        Ok(Self { file, slots })
    }

    /// The owner of files that this process creates in the directory.
    pub(crate) fn owner(&self) -> io::Result<u32> {
        Ok(self.file.metadata()?.uid())
    }

    /// Sets or replaces the word of a name.
    pub(crate) fn set(&self, name: u128, word: NonZero<u128>) -> io::Result<()> {
        let (place, _) = self.find(name)?;
        let mut slot = [0; SLOT];
        slot[..16].copy_from_slice(&name.to_le_bytes());
        slot[16..].copy_from_slice(&word.get().to_le_bytes());
        self.file.write_all_at(&slot, place)
    }

    /// Returns the word of a name.
    pub(crate) fn get(&self, name: u128) -> io::Result<Option<NonZero<u128>>> {
        self.find(name).map(|(_, word)| word)
    }

    /// Finds the slot of a name, or the empty slot for it.
    fn find(&self, name: u128) -> io::Result<(u64, Option<NonZero<u128>>)> {
        let slots = u128::from(self.slots);
        for step in 0..slots {
            let slot = u64::try_from((name % slots + step) % slots).unwrap_or_default();
            let place = slot * SLOT as u64;
            let [found, word] = self.read(place)?;
            let word = NonZero::new(word);
            if word.is_none() || found == name {
                return Ok((place, word));
            }
        }
        Err(io::Error::other("the table is full"))
    }

    fn read(&self, place: u64) -> io::Result<[u128; 2]> {
        let mut halves = [[0; 16]; 2];
        self.file.read_exact_at(halves.as_flattened_mut(), place)?;
        Ok(halves.map(u128::from_le_bytes))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    fn word(number: u128) -> NonZero<u128> {
        NonZero::new(number).unwrap()
    }

    proptest! {
        #[test]
        fn it_is_a_map(entries in prop::collection::vec((0..40_u128, 1..9_u128), 0..80)) {
            let folder = tempfile::tempdir().unwrap();
            let index = DiskMap::new(folder.path(), 40).unwrap();
            let mut map = HashMap::new();
            for (name, number) in entries {
                // All names want the same few slots.
                let name = name * 80 * 7;
                index.set(name, word(number)).unwrap();
                map.insert(name, word(number));
                prop_assert_eq!(index.get(name).unwrap(), Some(word(number)));
            }
            for name in 0..40 {
                prop_assert_eq!(index.get(name * 80 * 7).unwrap(), map.get(&(name * 80 * 7)).copied());
            }
            prop_assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        }
    }

    #[test]
    fn a_full_table_refuses_and_does_not_hang() {
        let folder = tempfile::tempdir().unwrap();
        let index = DiskMap::new(folder.path(), 1).unwrap();
        index.set(1, word(1)).unwrap();
        index.set(2, word(1)).unwrap();
        assert!(index.set(3, word(1)).is_err());
        assert!(index.get(3).is_err());
    }
}
