//! The terminal line on which progress is drawn.
//!
//! indicatif pads a line with spaces up to the terminal's width. A terminal that becomes narrower would wrap them, and
//! an echoed `^C` would go to the next line, so here a line ends where its text does.

use std::io;

use console::Term;
use indicatif::TermLike;

/// Columns that stay free: the echo of Ctrl-C, and the cursor.
const FREE: u16 = 3;
/// Where the terminal does not say how wide it is.
const COLUMNS: u16 = 80;

/// Standard error, as a terminal.
#[derive(Debug)]
pub(super) struct Screen(Term);

impl Screen {
    pub(super) fn new() -> Self {
        Self(Term::buffered_stderr())
    }
}

/// The columns that a line may take now.
pub(super) fn columns() -> usize {
    let columns = Term::stderr().size_checked().map_or(COLUMNS, |(_, columns)| columns);
    columns.saturating_sub(FREE).max(1).into()
}

impl TermLike for Screen {
    fn width(&self) -> u16 {
        self.0.size().1
    }

    fn height(&self) -> u16 {
        self.0.size().0
    }

    fn move_cursor_up(&self, lines: usize) -> io::Result<()> {
        self.0.move_cursor_up(lines)
    }

    fn move_cursor_down(&self, lines: usize) -> io::Result<()> {
        self.0.move_cursor_down(lines)
    }

    fn move_cursor_right(&self, columns: usize) -> io::Result<()> {
        self.0.move_cursor_right(columns)
    }

    fn move_cursor_left(&self, columns: usize) -> io::Result<()> {
        self.0.move_cursor_left(columns)
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.0.write_line(text)
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        if text.bytes().all(|byte| byte == b' ') { Ok(()) } else { self.0.write_str(text) }
    }

    fn clear_line(&self) -> io::Result<()> {
        self.0.clear_line()
    }

    fn flush(&self) -> io::Result<()> {
        self.0.flush()
    }
}
