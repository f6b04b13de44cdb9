//! The program: `cli` decides everything.

use std::io;
use std::process::ExitCode;

fn main() -> io::Result<ExitCode> {
    s3seal::cli::run(std::env::args_os().collect())
}
