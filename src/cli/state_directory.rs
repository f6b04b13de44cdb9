//! Where journals of rotations and records of transfers are.

use std::path::PathBuf;

/// The directory for persistent state (XDG Base Directory Specification).
pub(super) fn state_directory() -> Option<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")))?;
    Some(state.join("s3seal"))
}
