//! The binary in a terminal: what a person types, and what stands on the screen.

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use crate::support::{Bench, PATIENCE};

const ROWS: u16 = 24;

/// A terminal in which the program runs; the program ends with it.
pub struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    keyboard: Box<dyn Write + Send>,
    seen: Arc<(Mutex<Seen>, Condvar)>,
}

/// What the program has written.
struct Seen {
    parser: vt100::Parser,
    /// Every screen that differed from the one before it.
    screens: Vec<String>,
    /// Every byte, with what controls the terminal.
    bytes: Vec<u8>,
    is_over: bool,
}

impl Terminal {
    /// Starts a command line, split at blanks, in a terminal of so many columns.
    pub fn start(bench: &Bench, columns: u16, line: &str) -> Self {
        Self::with(bench, columns, line, &[])
    }

    /// The same with further variables.
    pub fn with(bench: &Bench, columns: u16, line: &str, variables: &[(&str, &str)]) -> Self {
        let words: Vec<&str> = line.split_whitespace().collect();
        Self::of(bench, columns, env!("CARGO_BIN_EXE_s3seal"), &words, variables)
    }

    /// Starts another program in a terminal: a shell that starts ours, say.
    pub fn of(
        bench: &Bench,
        columns: u16,
        program: &str,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> Self {
        let pair = native_pty_system().openpty(size(columns)).unwrap();
        let mut command = CommandBuilder::new(program);
        command.args(arguments);
        command.cwd(bench.files());
        command.env_clear();
        command.env("PATH", "/usr/local/bin:/usr/bin:/bin");
        command.env("TERM", "xterm-256color");
        command.env("HOME", bench.home());
        command.env("S3SEAL_CONFIG", "");
        for (name, value) in bench.sandbox.env() {
            command.env(name, value);
        }
        for (name, value) in variables {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).unwrap();
        // With the last slave gone, the reader sees the end when the program ends.
        drop(pair.slave);
        let parser = vt100::Parser::new(cells(ROWS), cells(columns), 1000);
        let seen = Arc::new((
            Mutex::new(Seen { parser, screens: Vec::new(), bytes: Vec::new(), is_over: false }),
            Condvar::new(),
        ));
        let reader = pair.master.try_clone_reader().unwrap();
        let keyboard = pair.master.take_writer().unwrap();
        thread::spawn({
            let seen = Arc::clone(&seen);
            move || read(reader, &seen)
        });
        Self { child, master: pair.master, keyboard, seen }
    }

    /// Presses keys: `\r` is Enter, `\x03` is Ctrl-C.
    pub fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
        self.keyboard.flush().unwrap();
    }

    /// Changes the width. The screen itself only grows: what was written for more columns may still be under way, and would
    /// be wrapped.
    pub fn resize(&mut self, columns: u16) {
        let mut seen = self.lock();
        let widest = seen.parser.screen().size().1.max(cells(columns));
        seen.parser.set_size(cells(ROWS), widest);
        drop(seen);
        self.master.resize(size(columns)).unwrap();
    }

    /// Waits until the screen shows a text, and returns the screen.
    #[track_caller]
    pub fn wait_for(&self, text: &str) -> String {
        self.wait(|seen| seen.screens.last().is_some_and(|screen| screen.contains(text)))
            .unwrap_or_else(|screen| panic!("'{text}' does not appear; the screen:\n{screen}"))
    }

    /// Waits until the screen is as it should be, and returns it.
    #[track_caller]
    pub fn wait_until(&self, holds: impl Fn(&str) -> bool) -> String {
        self.wait(|seen| holds(&seen.parser.screen().contents()))
            .unwrap_or_else(|screen| panic!("never as expected; the screen:\n{screen}"))
    }

    /// What stands on the screen.
    pub fn screen(&self) -> String {
        self.lock().parser.screen().contents()
    }

    /// Every screen so far, in order.
    pub fn screens(&self) -> Vec<String> {
        self.lock().screens.clone()
    }

    /// Waits for the program's end, and returns its exit code and the last screen.
    #[track_caller]
    pub fn end(mut self) -> (u32, String) {
        let screen = self.over();
        (self.child.wait().unwrap().exit_code(), screen)
    }

    /// Waits until the program has written everything, and returns the last screen.
    #[track_caller]
    pub fn over(&self) -> String {
        let last = self.wait(|seen| seen.is_over);
        last.unwrap_or_else(|screen| panic!("no end; the screen:\n{screen}"))
    }

    /// Whether the program has written a sequence that controls the terminal.
    pub fn has_escapes(&self) -> bool {
        self.lock().bytes.contains(&b'\x1b')
    }

    /// Whether the program has written these bytes.
    pub fn has_written(&self, bytes: &[u8]) -> bool {
        self.lock().bytes.windows(bytes.len()).any(|written| written == bytes)
    }

    /// Waits for a condition, and returns the screen; as an error if it never holds.
    fn wait(&self, holds: impl Fn(&Seen) -> bool) -> Result<String, String> {
        let (seen, changed) = &*self.seen;
        let deadline = Instant::now() + PATIENCE;
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        while !holds(&seen) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || seen.is_over {
                return Err(seen.parser.screen().contents());
            }
            seen = changed.wait_timeout(seen, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        Ok(seen.parser.screen().contents())
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It has ended already, unless the test has failed.
        let _ = self.child.kill();
    }
}

/// Reads what the program writes until its end.
fn read(mut reader: Box<dyn Read + Send>, seen: &(Mutex<Seen>, Condvar)) {
    let mut buffer = [0; 4096];
    loop {
        // Linux reports the end of a terminal as an error.
        let count = reader.read(&mut buffer).unwrap_or(0);
        let mut state = seen.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.parser.process(&buffer[..count]);
        state.bytes.extend_from_slice(&buffer[..count]);
        let screen = state.parser.screen().contents();
        if state.screens.last() != Some(&screen) {
            state.screens.push(screen);
        }
        state.is_over = count == 0;
        seen.1.notify_all();
        if count == 0 {
            return;
        }
    }
}

fn size(columns: u16) -> PtySize {
    PtySize { rows: ROWS, cols: columns, pixel_width: 0, pixel_height: 0 }
}

fn cells(count: u16) -> NonZeroU16 {
    NonZeroU16::new(count).unwrap()
}
