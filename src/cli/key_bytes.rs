//! Reads what may be a key, up to a limit, into memory that is wiped.

use std::io::{self, Read};

use zeroize::Zeroizing;

use crate::limits::MAX_KEY_FILE_BYTES;

/// Reads at most one byte more than [`MAX_KEY_FILE_BYTES`], into memory that is not moved and is wiped in the end.
pub(super) fn read_to_end(mut from: impl Read) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut buffer = Zeroizing::new(vec![0; MAX_KEY_FILE_BYTES + 1]);
    let mut len = 0;
    while len < buffer.len() {
        match from.read(&mut buffer[len..]) {
            Ok(0) => break,
            Ok(read) => len += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    buffer.truncate(len);
    Ok(buffer)
}
