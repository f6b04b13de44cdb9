//! The memory that a passphrase takes, against what this process can have: of the machine, of its control group, and by
//! its own limit.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Check, DoctorRequest, Name, Problem, Remedy};
use crate::byte_size::ByteSize;
use crate::encryption::Recipient;

/// Where control groups are.
const CGROUPS: &str = "/sys/fs/cgroup";

/// Compares; none if no passphrase is given.
pub(super) fn check(request: &DoctorRequest) -> Option<Check> {
    let needs = request.client_side()?.recipients.iter().filter_map(|recipient| match recipient {
        Recipient::Passphrase(_, costs) => Some(u64::from(costs.memory) * 1024),
        _ => None,
    });
    let needs = needs.max()?;
    Some(compared(needs, available()))
}

fn compared(needs: u64, available: Option<(u64, &'static str)>) -> Check {
    let size = |bytes| ByteSize(bytes).to_string();
    let Some((left, whose)) = available else {
        let seen = format!("a passphrase takes {}; how much there is, this system does not say", size(needs));
        return Check::warning(Name::PassphraseMemory, seen);
    };
    // Whole MiB: nobody compares bytes.
    let seen = format!("a passphrase takes {}, and {whose} {} left", size(needs), size(left >> 20 << 20));
    if left < needs {
        return Check::failed(Name::PassphraseMemory, Problem::Key, seen).mended_by(Remedy::MoreMemory);
    }
    Check::ok(Name::PassphraseMemory, seen)
}

/// The least of all limits, and whose it is.
fn available() -> Option<(u64, &'static str)> {
    let read = |path: &str| fs::read_to_string(path).ok();
    let machine = read("/proc/meminfo").and_then(|text| kib(&text, "MemAvailable:"));
    let group = read("/proc/self/cgroup")
        .and_then(|text| groups(&text).iter().filter_map(|group| left_in(group)).min());
    let used = read("/proc/self/status").and_then(|text| kib(&text, "VmSize:"));
    let own = rustix::process::getrlimit(rustix::process::Resource::As).current;
    let own = own.and_then(|limit| Some(limit.saturating_sub(used?)));
    let all = [
        (machine, "this machine has"),
        (group, "its control group has"),
        (own, "this process (ulimit -v) has"),
    ];
    all.into_iter().filter_map(|(left, whose)| Some((left?, whose))).min()
}

/// The bytes in a line such as `MemAvailable:  1024 kB`.
fn kib(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1024)
}

/// The directories of a process's control group and of all those around it, in version 2 or 1.
fn groups(of_process: &str) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for line in of_process.lines() {
        let mut fields = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (fields.next(), fields.next()) else { continue };
        let root = match controllers {
            "" => PathBuf::from(CGROUPS),
            controllers if controllers.split(',').any(|name| name == "memory") => {
                Path::new(CGROUPS).join("memory")
            }
            _ => continue,
        };
        let inner = root.join(path.trim_start_matches('/'));
        all.extend(inner.ancestors().take_while(|path| path.starts_with(&root)).map(Path::to_owned));
    }
    all
}

/// What a control group may still take; caches that it can drop count as free. None if it has no limit.
fn left_in(group: &Path) -> Option<u64> {
    let read = |name: &str| fs::read_to_string(group.join(name)).ok();
    let number = |name: &str| read(name)?.trim().parse::<u64>().ok();
    let limit = number("memory.max").or_else(|| number("memory.limit_in_bytes"))?;
    let used = number("memory.current").or_else(|| number("memory.usage_in_bytes"))?;
    let cache = read("memory.stat").and_then(|text| stat(&text)).unwrap_or_default();
    Some(limit.saturating_sub(used.saturating_sub(cache)))
}

/// Pages of files that nothing uses, of the group and those below it.
fn stat(text: &str) -> Option<u64> {
    let number = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
    number("total_inactive_file ").or_else(|| number("inactive_file "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::State;

    #[test]
    fn too_little_memory_is_in_the_way() {
        let state = |left| compared(64 << 20, left).state;
        assert!(matches!(state(Some((64 << 20, "this machine has"))), State::Ok));
        assert!(matches!(state(Some(((64 << 20) - 1, "this machine has"))), State::Failed(Problem::Key)));
        assert!(matches!(state(None), State::Warning));
    }

    #[test]
    fn the_system_is_understood() {
        assert_eq!(kib("MemTotal: 2 kB\nMemAvailable:     3 kB\n", "MemAvailable:"), Some(3072));
        assert_eq!(kib("MemTotal: 2 kB\n", "MemAvailable:"), None);
        let paths = |text| groups(text).iter().map(|path| path.display().to_string()).collect::<Vec<_>>();
        assert_eq!(paths("0::/a/b\n"), ["/sys/fs/cgroup/a/b", "/sys/fs/cgroup/a", "/sys/fs/cgroup"]);
        assert_eq!(
            paths("3:cpu:/x\n2:blkio,memory:/c\n"),
            ["/sys/fs/cgroup/memory/c", "/sys/fs/cgroup/memory"]
        );
        assert_eq!(stat("anon 5\ninactive_file 7\n"), Some(7));
        assert_eq!(stat("inactive_file 7\ntotal_inactive_file 9\n"), Some(9));
    }

    #[test]
    fn a_control_group_has_what_is_not_used_and_what_can_be_dropped() {
        let group = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(group.path().join(name), text).unwrap();
        write("memory.max", "max\n");
        write("memory.current", "300\n");
        assert_eq!(left_in(group.path()), None);
        write("memory.max", "1000\n");
        assert_eq!(left_in(group.path()), Some(700));
        write("memory.stat", "anon 1\ninactive_file 100\n");
        assert_eq!(left_in(group.path()), Some(800));
    }
}
