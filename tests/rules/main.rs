//! Configuration files, as the real binary reads them: what a rule chooses, what it demands, and what is refused.

#![allow(clippy::unwrap_used, reason = "a test's failure is its message")]

#[path = "../support/mod.rs"]
mod support;

mod buckets;
mod choices;
mod demands;
mod files;
mod profiles;
mod recipe;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use support::{Bench, Ended, Program, key};

/// A bench with a configuration file, a source, and keys.
struct Ruled {
    bench: Bench,
    config: PathBuf,
}

impl Ruled {
    /// `FILES` in the text stands for the bench's own directory.
    fn new(toml: &str) -> Self {
        let bench = Bench::new();
        bench.write("source", b"text");
        bench.write("key", &key(7));
        bench.write("other", &key(8));
        for name in ["rsa_a.pem", "rsa_a.pub.pem"] {
            let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys").join(name);
            bench.write(name, &fs::read(from).unwrap());
        }
        let config = bench.home().join("config.toml");
        let ruled = Self { bench, config };
        ruled.configure(toml);
        ruled
    }

    /// Replaces the configuration file.
    fn configure(&self, toml: &str) {
        fs::write(&self.config, toml.replace("FILES", self.bench.files().to_str().unwrap())).unwrap();
        fs::set_permissions(&self.config, fs::Permissions::from_mode(0o644)).unwrap();
    }

    /// The program with a whole command line, split at blanks.
    fn program(&self, line: &str) -> Program {
        self.bench.s3seal(line.split_whitespace()).with("S3SEAL_CONFIG", &self.config)
    }

    fn run(&self, line: &str) -> Ended {
        self.program(line).run()
    }

    /// The file and a line in it, as messages name them.
    fn at(&self, line: usize) -> String {
        format!("{}:{line}", self.config.display())
    }

    /// Fails if any request has reached S3.
    #[track_caller]
    fn assert_nothing_sent(&self) {
        let sent: Vec<_> =
            self.bench.sandbox.requests().into_iter().map(|request| request.operation).collect();
        assert!(sent.is_empty(), "sent: {sent:?}");
    }
}
