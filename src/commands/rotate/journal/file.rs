//! The file of a journal, to which lines are appended.

use std::fs::File;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use super::line::Line;

/// A journal's file, open and locked.
pub(super) struct JournalFile {
    file: Arc<File>,
    /// Whether its last line lacks its end: a crash or a full disk has cut it off.
    is_torn: Mutex<bool>,
}

impl JournalFile {
    /// Takes the file, of which the lines are read.
    pub(super) fn new(file: File, is_torn: bool) -> Self {
        Self { file: Arc::new(file), is_torn: Mutex::new(is_torn) }
    }

    /// Appends a line in one write, so that a kill does not cut it off. One that was cut off all the same is ended before.
    ///
    /// # Errors
    /// What the system refuses.
    pub(super) fn append(&self, line: &Line) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        let mut is_torn = self.is_torn.lock().unwrap_or_else(PoisonError::into_inner);
        if *is_torn {
            text.insert(0, b'\n');
        }
        *is_torn = true;
        (&*self.file).write_all(&text)?;
        *is_torn = false;
        Ok(())
    }

    /// The file, to sync it without keeping others from appending.
    pub(super) fn to_sync(&self) -> Arc<File> {
        self.file.clone()
    }
}
