//! Standard streams, inherited descriptors and the memory of this process.

use std::fs::{self, File};
use std::io;
use std::num::NonZeroUsize;
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};

use rustix::fs::{OFlags, fcntl_getfl};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::limits::{MAX_JOBS_ASKED, OPEN_FILES_OF_OBJECT, OPEN_FILES_OF_RUN};

/// Keeps memory, which may hold keys, out of core dumps and away from other processes of the same user. Commands that are
/// started inherit the limit: the output of a key command is a key too.
pub(crate) fn keep_memory_private() -> io::Result<()> {
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    // Where dumps go to a program rather than to a file, the limit does not count; this does.
    #[cfg(target_os = "linux")]
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)?;
    Ok(())
}

/// Raises the limit of open files to what the most jobs need, as far as that is allowed. Commands that are started inherit
/// it, and some close all files up to it.
pub(crate) fn allow_many_open_files() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let needed = OPEN_FILES_OF_RUN + OPEN_FILES_OF_OBJECT * u64::from(MAX_JOBS_ASKED);
    let raised = maximum.unwrap_or(u64::MAX).min(needed);
    if current.is_some_and(|current| current < raised) {
        // Where that is refused, fewer objects are in progress at once.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(raised), maximum });
    }
}

/// So many of `jobs`, objects or requests at once, as can be worked on with the files that may be open.
pub(crate) fn jobs_within_open_files(jobs: NonZeroUsize) -> NonZeroUsize {
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let objects = files.saturating_sub(OPEN_FILES_OF_RUN) / OPEN_FILES_OF_OBJECT;
    let most = usize::try_from(objects).ok().and_then(NonZeroUsize::new).unwrap_or(NonZeroUsize::MIN);
    jobs.min(most)
}

/// Whether a standard stream was closed when the program was started.
///
/// Rust's runtime then opens /dev/null in its place, for reading and writing; a shell's redirection opens it for one of
/// the two.
pub(crate) fn was_closed(stream: impl AsFd) -> bool {
    let flags = fcntl_getfl(&stream).unwrap_or(OFlags::empty());
    flags & OFlags::ACCMODE == OFlags::RDWR && is_null_device(&stream).unwrap_or(false)
}

fn is_null_device(stream: &impl AsFd) -> io::Result<bool> {
    let found = File::from(stream.as_fd().try_clone_to_owned()?).metadata()?;
    Ok(found.file_type().is_char_device() && found.rdev() == fs::metadata("/dev/null")?.rdev())
}

/// The descriptor that a path names, as a shell's `<(command)` does.
pub(crate) fn descriptor_named(path: &str) -> Option<u32> {
    path.strip_prefix("/dev/fd/").or_else(|| path.strip_prefix("/proc/self/fd/"))?.parse().ok()
}

/// Closes an inherited descriptor in the commands that s3seal starts.
pub(crate) fn keep_from_commands(descriptor: u32) -> io::Result<()> {
    let descriptor = i32::try_from(descriptor).map_err(io::Error::other)?;
    // The crate closes everything from a descriptor on, except a list: the others are the list.
    let mut others = Vec::new();
    for entry in fs::read_dir("/dev/fd")? {
        others.extend(entry?.file_name().to_str().and_then(|name| name.parse::<i32>().ok()));
    }
    others.retain(|other| *other > descriptor);
    others.sort_unstable();
    close_fds::set_fds_cloexec_threadsafe(descriptor, &others);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;
    use std::os::fd::AsRawFd;

    use rustix::fs::Mode;
    use rustix::io::{FdFlags, fcntl_getfd};

    use super::*;

    #[test]
    fn only_the_null_device_for_both_directions_counts_as_closed() {
        let open = |read, write, path: &str| OpenOptions::new().read(read).write(write).open(path).unwrap();
        assert!(was_closed(open(true, true, "/dev/null")));
        assert!(!was_closed(open(true, false, "/dev/null")));
        assert!(!was_closed(open(false, true, "/dev/null")));
        assert!(!was_closed(open(true, true, "/dev/zero")));
    }

    #[test]
    fn only_the_descriptor_named_is_kept_from_commands() {
        let open = || File::from(rustix::fs::open("/dev/null", OFlags::RDONLY, Mode::empty()).unwrap());
        let files = [open(), open(), open()];
        let number = u32::try_from(files[1].as_raw_fd()).unwrap();
        keep_from_commands(number).unwrap();
        let kept = files.map(|file| fcntl_getfd(file).unwrap().contains(FdFlags::CLOEXEC));
        assert_eq!(kept, [false, true, false]);
    }
}
