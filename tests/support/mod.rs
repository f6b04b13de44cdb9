//! The real binary in front of a sandbox of its own, and what every test asks of both afterwards.
//!
//! Nothing of the machine that runs the tests gets in: no home, no AWS configuration, no variable but those given here.
//! What a test is about does not belong here, only what all of them share.

#![allow(dead_code, reason = "each test program uses its own part")]
#![allow(clippy::unwrap_used, reason = "a test's failure is its message")]

pub mod keys;
pub mod program;
pub mod schema;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Once};
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use s3seal_sandbox::s3::ObjectView;
use s3seal_sandbox::{Config, Kind, Recorded, Sandbox};

pub use program::{Ended, Program, Running};

/// After this, something hangs. No limit of speed: the slowest machine takes far less.
pub const PATIENCE: Duration = Duration::from_mins(5);
/// The bucket of every bench.
pub const BUCKET: &str = "bench";
/// The alias of a KMS key that is there from the start.
pub const ALIAS: &str = "alias/backup";
/// The smallest part that S3 takes, and the one used here, so that few bytes make many parts.
pub const PART: usize = 5 * 1024 * 1024;
/// The flags for it.
pub const SMALL_PARTS: [&str; 2] = ["--part-size", "5MiB"];

/// The header that carries an SSE-C key.
pub const CUSTOMER_KEY: &str = "x-amz-server-side-encryption-customer-key";
/// The header that carries its MD5.
pub const CUSTOMER_MD5: &str = "x-amz-server-side-encryption-customer-key-md5";
/// The header that names SSE-C's algorithm.
pub const CUSTOMER_ALGORITHM: &str = "x-amz-server-side-encryption-customer-algorithm";

/// A sandbox, a folder for files, and a home with nothing in it.
pub struct Bench {
    pub sandbox: Arc<Sandbox>,
    folder: tempfile::TempDir,
}

impl Bench {
    /// With the bucket [`BUCKET`] and a KMS key behind [`ALIAS`].
    pub fn new() -> Self {
        Self::with(Config { kms_aliases: vec![ALIAS.to_owned()], ..Config::with_buckets([BUCKET]) })
    }

    /// With a server that can be made [hostile](s3seal_sandbox::hostile): it keeps every byte that it receives.
    pub fn hostile() -> Self {
        Self::with(Config { kms_aliases: vec![ALIAS.to_owned()], ..Config::hostile() })
    }

    /// With a configuration of its own.
    pub fn with(config: Config) -> Self {
        allow_many_open_files();
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("home")).unwrap();
        fs::create_dir(folder.path().join("files")).unwrap();
        Self { sandbox: Arc::new(Sandbox::start(config).unwrap()), folder }
    }

    /// A home directory without any file.
    pub fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// Where sources and targets are; the program's working directory.
    pub fn files(&self) -> PathBuf {
        self.folder.path().join("files")
    }

    /// A path among the files.
    pub fn path(&self, name: &str) -> PathBuf {
        self.files().join(name)
    }

    /// Writes a file that only its owner can read.
    pub fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        write_private(&path, bytes);
        path
    }

    /// Reads a file.
    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    /// The names of all files, sorted; a temporary file would be among them.
    pub fn names(&self) -> Vec<String> {
        names_in(&self.files())
    }

    /// The program with its arguments, not started yet.
    pub fn s3seal<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Program {
        self.program(env!("CARGO_BIN_EXE_s3seal"), arguments)
    }

    /// Another program in the same environment: a shell that starts ours, say.
    pub fn program<'a>(&self, name: &str, arguments: impl IntoIterator<Item = &'a str>) -> Program {
        let mut program = Program::new(name, &self.files());
        program.env("HOME", self.home()).envs(self.sandbox.env());
        program.arguments(arguments)
    }

    /// Runs a whole command line, split at blanks.
    pub fn run(&self, line: &str) -> Ended {
        self.s3seal(line.split_whitespace()).run()
    }

    /// Starts a whole command line, split at blanks.
    pub fn start(&self, line: &str) -> Running {
        self.s3seal(line.split_whitespace()).start()
    }

    /// Starts a whole command line, split at blanks, to see how much memory it takes.
    pub fn start_measured(&self, line: &str) -> Running {
        self.s3seal(line.split_whitespace()).on_two_processors().start()
    }

    /// The latest version of an object in [`BUCKET`].
    pub fn object(&self, key: &str) -> ObjectView {
        self.sandbox.s3().object(BUCKET, key).unwrap_or_else(|| panic!("no object {key}"))
    }

    /// The requests of an operation so far.
    pub fn requests(&self, operation: &str) -> Vec<Recorded> {
        self.sandbox.requests().into_iter().filter(|request| request.operation == operation).collect()
    }

    /// A fault that lets somebody do something behind the program's back when the request arrives.
    pub fn meanwhile(&self, act: impl Fn(&Sandbox) + Send + Sync + 'static) -> Kind {
        // Weak: the sandbox keeps its faults, and must not keep itself.
        let sandbox = Arc::downgrade(&self.sandbox);
        Kind::then(move || {
            if let Some(sandbox) = sandbox.upgrade() {
                act(&sandbox);
            }
        })
    }

    /// Fails if an upload was left behind, or anything beside the files named.
    pub fn assert_tidy(&self, files: &[&str]) {
        assert_eq!(self.sandbox.s3().uploads(), [], "uploads left behind");
        assert_eq!(self.names(), files, "files");
        assert_eq!(files_below(&self.home()), Vec::<PathBuf>::new(), "files in the home directory");
    }

    /// Fails if the server ever received a secret, in any spelling. For a bench that is [hostile](Bench::hostile).
    #[track_caller]
    pub fn never_received(&self, secret: &[u8]) {
        let requests = self.sandbox.requests();
        assert!(!requests.is_empty(), "nothing was received at all");
        for request in requests {
            assert!(!request.received.is_empty(), "the server keeps nothing of what it receives");
            let found = keys::spellings(secret).iter().position(|text| keys::holds(&request.received, text));
            assert_eq!(found, None, "the secret was received in {}", request.operation);
        }
    }

    /// Fails unless [`BUCKET`] holds exactly these keys.
    pub fn assert_keys(&self, keys: &[&str]) {
        assert_eq!(self.sandbox.s3().keys(BUCKET), keys);
    }
}

/// Raises this process's limit of open files to what is allowed: each bench is a server in it, with connections.
fn allow_many_open_files() {
    static RAISED: Once = Once::new();
    RAISED.call_once(|| {
        let maximum = getrlimit(Resource::Nofile).maximum;
        // Where that is refused, the usual limit is enough for a few tests at once.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    });
}

/// Writes a file that only its owner can read, whatever the umask of whoever runs the tests.
pub fn write_private(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// The files in a directory and its directories: those for records may stay.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Bytes that differ from place to place, so that a part at the wrong place is seen.
pub fn bytes(len: usize) -> Vec<u8> {
    const BLOCK: usize = 64 * 1024;
    let mixed = |place: u64| place.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes();
    let block: Vec<u8> = (1..=BLOCK as u64 / 8).flat_map(mixed).collect();
    let mut all = Vec::with_capacity(len + BLOCK);
    for number in 0..len.div_ceil(BLOCK) {
        all.extend_from_slice(&(number as u64).to_le_bytes());
        all.extend_from_slice(&block[8..]);
    }
    all.truncate(len);
    all
}

/// A 256-bit key of so many possible ones, which looks like a random one.
pub fn key(seed: u8) -> [u8; 32] {
    keys::KnownKey::new(seed).0
}

/// Fails, without printing megabytes, unless both are equal.
#[track_caller]
pub fn assert_same(found: &[u8], expected: &[u8], what: &str) {
    if found != expected {
        let place = found.iter().zip(expected).position(|(a, b)| a != b);
        panic!(
            "{what}: {} bytes where {} were expected, first difference at {place:?}",
            found.len(),
            expected.len()
        );
    }
}

/// Does the same with each item, all at once: for tests that mostly wait, each on a bench of its own.
pub fn at_once<T: Sync>(items: &[T], act: impl Fn(&T) + Sync) {
    std::thread::scope(|scope| {
        for item in items {
            scope.spawn(|| act(item));
        }
    });
}
