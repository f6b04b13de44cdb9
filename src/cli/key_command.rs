//! Runs the command of a `cmd:` source, which writes a key to its standard output.
//!
//! The command inherits neither other keys nor a standard input that carries data.

use std::io;
use std::process::{Command, Stdio};

use zeroize::Zeroizing;

use super::failure::Failure;
use super::key_bytes::read_to_end;
use crate::keys;
use crate::limits::MAX_KEY_FILE_BYTES;

/// Runs a command line with sh; its standard error passes through.
pub(crate) fn output_of(flag: &str, line: &str, stdin_is_taken: bool) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let failed =
        |error: io::Error| Failure::key(format!("{flag}: cannot run the key command")).because(error);
    let mut command = Command::new("sh");
    command.arg("-c").arg(line).stdout(Stdio::piped());
    if stdin_is_taken {
        command.stdin(Stdio::null());
    }
    for name in keys::secret_variables() {
        command.env_remove(name);
    }
    let mut child = command.spawn().map_err(failed)?;
    // Dropping the pipe's end after reading lets a command that says too much end by itself.
    let content = child.stdout.take().map_or_else(|| Ok(Zeroizing::default()), read_to_end);
    let status = child.wait().map_err(failed)?;
    let content = content.map_err(failed)?;
    if !status.success() && content.len() <= MAX_KEY_FILE_BYTES {
        return Err(Failure::key(format!("{flag}: the key command failed ({status})")));
    }
    Ok(content)
}
