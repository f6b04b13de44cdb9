//! The program: starts the runtime, runs the command line, returns its exit code.
//!
//! Nothing else belongs here; `cli` decides everything.

use std::io;
use std::process::ExitCode;

use tokio::runtime::Builder;

fn main() -> io::Result<ExitCode> {
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    let code = runtime.block_on(s3seal::cli::run(std::env::args_os()));
    // A thread that still waits for standard input or a key command must not hold up the end.
    runtime.shutdown_background();
    Ok(code)
}
