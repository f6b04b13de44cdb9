//! Which object a file was fetched from: noted in an extended attribute of the file, for a run that compares.
//!
//! Times alone cannot tell: an object may be replaced while it is fetched, and whoever changes a file's mode makes it newer
//! than both. Where a file system keeps no attributes, times are all there is.

use std::fs::{File, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{XattrFlags, fsetxattr, getxattr};

/// The attribute. Its value is the time at which the file was written then, and the ETag.
const ATTRIBUTE: &str = "user.s3seal.etag";
/// Bytes of a value; a longer one is not ours.
const MAX_VALUE: usize = 1024;

/// Notes the ETag of the object that a file has the content of. A file that cannot keep it is no reason to fail.
pub(super) fn note(file: &File, etag: &str) {
    if let Ok(metadata) = file.metadata() {
        let value = format!("{} {etag}", written(&metadata));
        let _ = fsetxattr(file, ATTRIBUTE, value.as_bytes(), XattrFlags::empty());
    }
}

/// The ETag of the object that a file has the content of; `None` where that was not noted, or the file was written since.
pub(crate) fn etag(path: &Path, metadata: &Metadata) -> Option<String> {
    let mut value = [0; MAX_VALUE];
    let len = getxattr(path, ATTRIBUTE, &mut value[..]).ok()?;
    let value = std::str::from_utf8(value.get(..len)?).ok()?;
    let (then, etag) = value.split_once(' ')?;
    (then == written(metadata)).then(|| etag.to_owned())
}

fn written(metadata: &Metadata) -> String {
    format!("{}.{:09}", metadata.mtime(), metadata.mtime_nsec())
}
