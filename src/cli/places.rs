//! Checks the arguments that should be files or addresses, before a key is read or a request is sent.

use std::fs;
use std::path::{Path, PathBuf};

use super::failure::Failure;
use super::sanitize::shell_word;
use crate::error::Error;
use crate::keys;
use crate::location::S3Uri;

/// Refuses a key among the files and addresses, before any message repeats it.
pub(super) fn refuse_keys(places: &[PathBuf]) -> Result<(), Failure> {
    let is_key = |place: &PathBuf| place.to_str().is_some_and(keys::looks_like_key) && !place.exists();
    if places.iter().any(is_key) {
        return Err(Failure::usage("found a key where a file or an S3 address belongs")
            .hint("other users can see the command line: name the source of the key, such as --key file:PATH")
            .hint("the key may be in your shell's history now: make a new one with `s3seal keygen FILE`"));
    }
    Ok(())
}

/// Reads an address.
///
/// # Errors
/// A usage failure. Bytes that are not UTF-8 have no key in S3, and what stands for them would be another address
/// than the one that rules were asked about.
pub(super) fn address(place: &Path) -> Result<S3Uri, Failure> {
    let Some(text) = place.to_str() else {
        let shown = place.display();
        return Err(Failure::usage(format!("'{shown}' is not UTF-8, and no address in S3"))
            .hint("write its key in UTF-8, as S3 lists it"));
    };
    text.parse().map_err(Failure::usage)
}

/// Checks that a file can be read, or a directory where one is allowed, before keys are read.
pub(super) fn can_be_read(path: &Path, directory_too: bool) -> Result<(), Failure> {
    let what = path.display().to_string();
    match path.metadata() {
        Ok(metadata) if metadata.is_dir() && !directory_too => {
            Err(Failure::usage(format!("{what} is a directory"))
                .hint("add -r to store each file in it, to a target that ends in /")
                .hint(format!("or pack it: tar -c {0} | s3seal put - s3://BUCKET/KEY", shell_word(&what))))
        }
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(Error::NotFound { subject: path.into(), source: None }.into())
        }
        Err(error) => Err(Error::local("read", path)(error).into()),
    }
}

/// Whether it is a directory, or nothing that can be seen: what is in the way then, the run says.
pub(super) fn is_no_file(source: &Path) -> bool {
    fs::metadata(source).map_or(true, |found| found.is_dir())
}

/// Completes a target that names no object with the name of the file.
pub(super) fn object(target: S3Uri, file: Option<&Path>) -> Result<S3Uri, Failure> {
    if target.is_object() {
        return Ok(target);
    }
    let Some(file) = file else {
        return Err(Failure::usage(format!("{target} names no object, and there is no file name to use"))
            .hint("write the whole key: s3://BUCKET/KEY"));
    };
    match file.file_name().and_then(|name| name.to_str()) {
        Some(name) => Ok(target.with_key(format!("{}{name}", target.key))),
        None => Err(Failure::usage(format!("{} has no file name that can be part of a key", file.display()))
            .hint("write the whole key: s3://BUCKET/KEY")),
    }
}
