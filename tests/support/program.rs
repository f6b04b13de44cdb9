//! The binary as a child process: what goes in, what comes out, signals, and an end to all waiting.
//!
//! What it talks to does not belong here.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use super::PATIENCE;

/// The binary, not started yet.
pub struct Program {
    command: Command,
    stdin: Option<Vec<u8>>,
}

impl Program {
    /// With an empty environment but for where programs are.
    pub fn new(program: &str, folder: &Path) -> Self {
        let mut command = in_own_session(program);
        command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").current_dir(folder);
        // The machine's own files have no say.
        command.env("S3SEAL_CONFIG", "");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self { command, stdin: None }
    }

    /// Adds arguments.
    pub fn arguments<'a>(mut self, arguments: impl IntoIterator<Item = &'a str>) -> Self {
        self.command.args(arguments);
        self
    }

    /// Sets a variable.
    pub fn env(&mut self, name: &str, value: impl AsRef<OsStr>) -> &mut Self {
        self.command.env(name, value);
        self
    }

    /// Sets variables.
    pub fn envs(&mut self, pairs: Vec<(String, String)>) -> &mut Self {
        self.command.envs(pairs);
        self
    }

    /// Sets a variable, and returns the program.
    pub fn with(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.env(name, value);
        self
    }

    /// Takes a variable away.
    pub fn without(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    /// With as many threads and heaps as on a machine with two processors: each takes memory.
    pub fn on_two_processors(self) -> Self {
        // glibc makes up to eight heaps for each processor.
        self.with("TOKIO_WORKER_THREADS", "2").with("MALLOC_ARENA_MAX", "16")
    }

    /// Gives all of its standard input.
    pub fn input(mut self, bytes: &[u8]) -> Self {
        self.stdin = Some(bytes.to_vec());
        self
    }

    /// Connects standard output to something of the test's own.
    pub fn output(mut self, stdout: impl Into<Stdio>) -> Self {
        self.command.stdout(stdout);
        self
    }

    /// Runs it to its end.
    pub fn run(self) -> Ended {
        self.start().end()
    }

    /// Starts it; what was given as input is written, and then the input ends.
    pub fn start(mut self) -> Running {
        let input = self.stdin.take();
        if input.is_none() {
            return self.spawn();
        }
        let mut running = self.start_with_input();
        let (mut pipe, input) = (running.stdin.take().unwrap(), input.unwrap());
        // A program that ends before it has read everything is none of the writer's business.
        thread::spawn(move || drop(pipe.write_all(&input)));
        running
    }

    /// Starts it; its standard input stays open until [`Running::stdin`] is dropped.
    pub fn start_with_input(mut self) -> Running {
        self.command.stdin(Stdio::piped());
        self.spawn()
    }

    fn spawn(mut self) -> Running {
        let mut child = self.command.spawn().expect("the binary starts");
        let pid = child.id();
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().map(collect);
        let stderr = child.stderr.take().map(collect).unwrap();
        let (sender, ended) = mpsc::channel();
        // Nobody listens any more once the test has failed.
        thread::spawn(move || sender.send(wait(child)).ok());
        Running { pid, stdin, stdout, stderr, ended, is_over: false }
    }
}

/// A command without a terminal, so that no question appears in front of whoever runs the tests. It hears SIGHUP, also where
/// they were started under nohup: what is ignored is inherited.
fn in_own_session(program: &str) -> Command {
    // A child leads no group of processes, so setsid does not fork, and the number of the process stays.
    let mut command = Command::new("setsid");
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = mask.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok()).unwrap_or(0);
    if ignored & 1 == 1 {
        command.args(["env", "--default-signal=HUP"]);
    }
    command.arg(program);
    command
}

fn wait(mut child: Child) -> ExitStatus {
    child.wait().expect("a child to wait for")
}

fn collect(mut pipe: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, whole) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).expect("a pipe to read");
        sender.send(bytes).ok()
    });
    whole
}

/// The binary at work; killed if the test ends before it does.
pub struct Running {
    pub pid: u32,
    pub stdin: Option<std::process::ChildStdin>,
    stdout: Option<Receiver<Vec<u8>>>,
    stderr: Receiver<Vec<u8>>,
    ended: Receiver<ExitStatus>,
    is_over: bool,
}

impl Running {
    /// Sends a signal by its name, such as `TERM`.
    pub fn signal(&self, name: &str) {
        send(name, self.pid);
    }

    /// The largest resident size in KiB that it has had so far.
    pub fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid)).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        peak.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// Waits until it catches signals: from then on they are its own business.
    ///
    /// # Panics
    /// If that never happens.
    pub fn catches_signals(&self) {
        let began = Instant::now();
        while !caught(self.pid) {
            assert!(began.elapsed() < PATIENCE, "it never catches signals");
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// If it does not end.
    pub fn end(mut self) -> Ended {
        drop(self.stdin.take());
        self.end_with_open_input()
    }

    /// Waits for its end without ending its standard input.
    ///
    /// # Panics
    /// If it does not end.
    pub fn end_with_open_input(mut self) -> Ended {
        let Ok(status) = self.ended.recv_timeout(PATIENCE) else {
            panic!("the program did not end within {PATIENCE:?}");
        };
        self.is_over = true;
        // A child of its own that outlives it would keep them open.
        let whole = |pipe: &Receiver<Vec<u8>>| pipe.recv_timeout(PATIENCE).expect("the end of its output");
        let stdout = self.stdout.as_ref().map_or_else(Vec::new, whole);
        let stderr = whole(&self.stderr);
        Ended { status, stdout, stderr: String::from_utf8(stderr).expect("speech is UTF-8") }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Not yet waited for, so the number is still its own.
        if !self.is_over && self.ended.try_recv().is_err() {
            let _ = Command::new("kill").args(["-s", "KILL", &self.pid.to_string()]).status();
        }
    }
}

/// Whether a process has a handler for each of HUP, INT and TERM (signals 1, 2 and 15; the kernel's mask says so).
fn caught(pid: u32) -> bool {
    const ALL: u64 = 1 | 1 << 1 | 1 << 14;
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    mask.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok()).is_some_and(|mask| mask & ALL == ALL)
}

fn send(signal: &str, pid: u32) {
    let sent = Command::new("kill").args(["-s", signal, &pid.to_string()]).status();
    assert!(sent.expect("kill is there").success(), "kill -s {signal} {pid}");
}

/// How a run ended.
pub struct Ended {
    pub status: ExitStatus,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

impl Ended {
    /// The exit code; `None` if a signal killed it.
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// Fails unless it succeeded.
    #[track_caller]
    pub fn ok(self) -> Self {
        self.exits(0)
    }

    /// Fails unless it left with this code.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code(), Some(code), "stderr: {}", self.stderr);
        self
    }

    /// Fails unless standard error holds all of these.
    #[track_caller]
    pub fn says(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.stderr.contains(word), "not said: {word}\n{}", self.stderr);
        }
        self
    }

    /// Fails unless nothing was written to standard output.
    #[track_caller]
    pub fn writes_nothing(self) -> Self {
        assert!(self.stdout.is_empty(), "{} bytes on standard output", self.stdout.len());
        self
    }

    /// Standard output as one document of ours.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        assert!(!self.stdout.is_empty(), "no document: {}", self.stderr);
        super::schema::document(std::str::from_utf8(&self.stdout).expect("documents are UTF-8"))
    }

    /// Standard output as documents of ours, one a line.
    #[track_caller]
    pub fn documents(&self) -> Vec<serde_json::Value> {
        super::schema::documents(std::str::from_utf8(&self.stdout).expect("documents are UTF-8"))
    }
}
