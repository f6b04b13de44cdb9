//! The recipes of s3seal-recipes(7) that run unattended, as they stand there: only paths and the bucket are replaced.
//!
//! A line of cron, a unit of systemd and a manifest of Kubernetes each hand a command over in a way of their own, and so do
//! the tests. Recipes for new keys run against LocalStack, in `tests/peers/cases_readme.py`; one with a rule is in
//! `tests/rules`, one with a policy in `tests/permissions`.

#![allow(clippy::unwrap_used, reason = "a test's failure is its message")]

#[path = "../support/mod.rs"]
mod support;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use s3seal_sandbox::{Fault, Kind};
use support::keys::KnownKey;
use support::{BUCKET, Bench, Ended, PATIENCE, Program};

/// The lines of a recipe's blocks in one language; what a backslash broke is one line again.
fn recipe(heading: &str, language: &str) -> Vec<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("man/s3seal-recipes.7.md");
    let page = fs::read_to_string(page).unwrap();
    let (mut found, mut is_here, mut block) = (String::new(), false, None);
    for line in page.lines() {
        match (line.strip_prefix("```"), block) {
            (Some(opened), None) => block = Some(opened),
            (Some(_), Some(_)) => block = None,
            // A line of a block may begin with # too, and is no heading.
            (None, None) if line.starts_with('#') => is_here = line == format!("## {heading}"),
            (None, Some(inside)) if is_here && inside == language => found.extend([line, "\n"]),
            _ => {}
        }
    }
    assert!(!found.is_empty(), "no recipe {heading} in {language}");
    found.replace("\\\n", " ").lines().map(str::to_owned).collect()
}

/// A machine with a key, and with programs that stand for those of the recipes.
struct Host {
    bench: Bench,
}

impl Host {
    fn new() -> Self {
        let bench = Bench::new();
        bench.sandbox.s3().set_object_lock(BUCKET);
        for folder in ["bin", "etc", "log", "data/deep"] {
            fs::create_dir_all(bench.path(folder)).unwrap();
        }
        symlink(env!("CARGO_BIN_EXE_s3seal"), bench.path("bin/s3seal")).unwrap();
        bench.write("etc/backup.key", KnownKey::new(1).hex().as_bytes());
        for (name, key) in [("etc/seal.pem", "rsa_a.pub.pem"), ("open.pem", "rsa_a.pem")] {
            let key = fs::read(format!("{}/tests/keys/{key}", env!("CARGO_MANIFEST_DIR"))).unwrap();
            bench.write(name, &key);
        }
        bench.write("data/a", b"one");
        bench.write("data/deep/b", b"two");
        let host = Self { bench };
        host.install("pg_dump", "[ \"$*\" = app ] && echo 'the dump'");
        host
    }

    /// Makes a program of a line of shell.
    fn install(&self, name: &str, line: &str) {
        let path = self.bench.write(&format!("bin/{name}"), format!("#!/bin/sh\n{line}\n").as_bytes());
        fs::set_permissions(path, fs::Permissions::from_mode(0o700)).unwrap();
    }

    /// A text of the manual with the paths and the bucket of this machine.
    fn here(&self, text: &str) -> String {
        let files = self.bench.files();
        let files = files.display();
        [
            ("s3://bucket/", "s3://bench/".to_owned()),
            ("/usr/local/bin/", format!("{files}/bin/")),
            // Before what becomes the same path.
            ("/etc/backup.key", format!("{files}/etc/backup.key")),
            ("/etc/s3seal/", format!("{files}/etc/")),
            ("/var/log/", format!("{files}/log/")),
            ("/srv/data", format!("{files}/data")),
            ("/srv/", format!("{files}/")),
            ("/var/backups/", format!("{files}/")),
        ]
        .iter()
        .fold(text.to_owned(), |text, (shown, real)| text.replace(shown, real))
    }

    fn program(&self, name: &str, arguments: &[&str]) -> Program {
        let path = format!("{}:/usr/bin:/bin", self.bench.path("bin").display());
        self.bench.program(name, arguments.iter().copied()).with("PATH", path)
    }

    /// Runs a line as a user's shell does.
    fn shell(&self, line: &str) -> Ended {
        self.program("/bin/sh", &["-c", &self.here(line)]).run()
    }

    /// Runs the only command of a recipe as cron does: five fields go away, \% is %, and a shell gets the rest. The line
    /// before it says where cron finds the program.
    fn cron(&self, heading: &str) -> Ended {
        let lines = recipe(heading, "crontab");
        let [path, line] = lines.as_slice() else { panic!("{lines:?}") };
        assert_eq!(path, "PATH=/usr/local/bin:/usr/bin:/bin");
        let mut rest = line.as_str();
        for _ in 0..5 {
            rest = rest.trim_start().split_once(' ').unwrap().1;
        }
        assert!(
            !rest.replace("\\%", "").contains('%'),
            "cron ends a command at a % without a backslash: {rest}"
        );
        self.shell(&rest.trim_start().replace("\\%", "%"))
    }

    fn keys(&self) -> Vec<String> {
        self.bench.sandbox.s3().keys(BUCKET)
    }
}

/// A run of which cron has nothing to mail.
#[track_caller]
fn is_silent(ended: Ended) {
    let ended = ended.ok().writes_nothing();
    assert_eq!(ended.stderr, "");
}

#[test]
fn a_file_is_stored_from_cron_under_the_name_of_the_day() {
    let host = Host::new();
    host.bench.write("app.tar.zst", b"the archive");
    is_silent(host.cron("From cron"));
    let keys = host.keys();
    assert_eq!(keys.len(), 1, "{keys:?}");
    assert!(keys[0].starts_with("app/20") && keys[0].ends_with(".tar.zst"), "{keys:?}");
    let found =
        host.shell(&format!("s3seal inspect s3://bucket/{} --sse-c-key /etc/backup.key --json", keys[0]));
    assert_eq!(found.ok().json()["encryption"]["mode"], "sse-c");
}

#[test]
fn a_file_is_stored_through_an_outage() {
    let host = Host::new();
    host.bench.write("backup.tar", b"the archive");
    let [line] = recipe("Through an outage", "sh").try_into().unwrap();
    let struck = host.bench.sandbox.fault(Fault::on("PutObject", Kind::ResetBefore).times(3));
    host.shell(&line).ok();
    assert!(struck.wait(3, PATIENCE), "the outage was not in its way");
    assert_eq!(host.keys(), ["daily/backup.tar"]);
}

const NIGHTLY: &str = "A directory every night, locked";
const DRILL: &str = "A restore drill";

#[test]
fn a_directory_is_stored_every_night_and_locked() {
    let host = Host::new();
    is_silent(host.cron(NIGHTLY));
    let keys = host.keys();
    assert_eq!(keys.len(), 2, "{keys:?}");
    let (day, _) = keys[0].strip_prefix("data/").unwrap().split_once('/').unwrap();
    assert_eq!(day.split('-').map(str::len).collect::<Vec<_>>(), [4, 2, 2]);
    assert_eq!(keys, [format!("data/{day}/a"), format!("data/{day}/deep/b")]);
    for key in &keys {
        let version = host.bench.object(key).version_id;
        assert!(
            host.bench.sandbox.s3().try_delete(BUCKET, key, &version, false).is_err(),
            "{key} is not locked"
        );
        let found = host.shell(&format!("s3seal inspect s3://bucket/{key} --json")).ok().json();
        assert_eq!(found["object_lock"]["mode"], "GOVERNANCE");
        assert_eq!(found["encryption"]["mode"], "client");
    }
    let restore = recipe(NIGHTLY, "sh");
    assert_eq!(restore.len(), 1);
    host.shell(&restore[0].replace("DAY", day)).ok();
    assert_eq!(host.bench.read("restored/deep/b"), b"two");
}

#[test]
fn a_mirror_is_compared_with_the_manifest_of_the_night() {
    let host = Host::new();
    let heading = "A mirror every night, and whether it is still there";
    is_silent(host.cron(heading));
    let [compare] = recipe(heading, "sh").try_into().unwrap();
    let table = String::from_utf8(host.shell(&compare).ok().stdout).unwrap();
    assert!(table.contains("2 objects compared with the manifest: 2 the same by size and ETag"), "{table}");
    // Nothing has changed on the machine.
    is_silent(host.cron(heading));
    host.shell(&compare).ok();
    // A file came, and is gone the next night.
    host.bench.write("data/passing", b"three");
    is_silent(host.cron(heading));
    assert_eq!(host.keys(), ["mirror/a", "mirror/deep/b", "mirror/passing"]);
    fs::remove_file(host.bench.path("data/passing")).unwrap();
    is_silent(host.cron(heading));
    assert_eq!(host.keys(), ["mirror/a", "mirror/deep/b"]);
    host.shell(&compare).ok();
    // Something has changed in the bucket.
    host.bench.sandbox.s3().put_plain(BUCKET, "mirror/a", b"ransom");
    host.bench.sandbox.s3().put_plain(BUCKET, "mirror/README", b"pay");
    let compared = host.shell(&compare).exits(8);
    compared.says(&["2 of 3 objects are not as in the manifest: 1 changed, 1 extra"]);
}

#[test]
fn a_database_dump_is_stored_only_if_it_is_whole() {
    let host = Host::new();
    let heading = "A database every night, through an outage";
    host.install("pg_dump", "echo 'half a dump'; exit 1");
    host.cron(heading).exits(1).says(&["pg_dump", "nothing was stored"]);
    assert!(host.keys().is_empty());
    host.install("pg_dump", "[ \"$*\" = app ] && echo 'the dump'");
    // An outage at the wrong moment.
    let outage = s3seal_sandbox::Kind::status(503, "ServiceUnavailable", "Please try again.");
    host.bench.sandbox.fault(s3seal_sandbox::Fault::on("PutObject", outage).times(2));
    is_silent(host.cron(heading));
    let keys = host.keys();
    let [key] = keys.as_slice() else { panic!("{keys:?}") };
    let opened = host.shell(&format!("s3seal get -q s3://bucket/{key} - --private-key open.pem")).ok();
    assert_eq!(opened.stdout, b"the dump\n");
}

#[test]
fn a_restore_drill_reads_a_sample_and_names_what_does_not_open() {
    let host = Host::new();
    is_silent(host.cron(NIGHTLY));
    is_silent(host.cron(DRILL));
    let log = String::from_utf8(host.bench.read("log/s3-restore.csv")).unwrap();
    let read: Vec<&str> = log.lines().skip(1).collect();
    assert!(read.len() == 1 && read[0].ends_with(",tag crc64nvme"), "{log}");
    let [all, ..] = &recipe(DRILL, "sh")[..] else { panic!("no drill of everything") };
    let all = host.shell(all).ok();
    let table = String::from_utf8(all.stdout).unwrap();
    assert!(table.contains("2 read and verified (6 B)") && table.contains("all as expected"), "{table}");
    assert!(host.bench.path("drill.html").exists());
    for key in host.keys() {
        host.bench.sandbox.s3().tamper_body(BUCKET, &key, |body| body[0] ^= 1);
    }
    host.cron(DRILL).exits(9).says(&[
        "not verified:",
        "s3://bench/data/",
        "1 of 1 objects could not be read and verified",
    ]);
}

#[test]
fn a_prefix_of_two_modes_takes_a_command_for_each() {
    let host = Host::new();
    is_silent(host.cron(NIGHTLY));
    host.bench.sandbox.s3().put_plain(BUCKET, "data/plain", b"not encrypted here");
    let [drill, plain, encrypted] = &recipe(DRILL, "sh")[..] else { panic!("three commands") };
    host.shell(drill).exits(8).says(&["1 of 3 objects are not client"]);
    host.shell(plain).exits(9).says(&["is encrypted client-side", "2 of 3 objects were not fetched"]);
    host.shell(encrypted).ok();
    assert_eq!(host.bench.read("restored/plain"), b"not encrypted here");
    let day = host.keys()[0].split('/').nth(1).unwrap().to_owned();
    assert_eq!(host.bench.read(&format!("restored/{day}/deep/b")), b"two");
}

#[test]
fn a_systemd_service_finds_its_credentials() {
    let host = Host::new();
    let lines = recipe("A systemd service", "ini");
    for line in lines.iter().filter(|line| !line.is_empty()) {
        let is_section = line.starts_with('[') && line.ends_with(']');
        let is_setting = line
            .split_once('=')
            .is_some_and(|(name, value)| name.chars().all(|c| c.is_ascii_alphabetic()) && !value.is_empty());
        assert!(is_section || is_setting, "{line}");
    }
    let setting = |name: &str| {
        let found = lines.iter().filter_map(|line| line.strip_prefix(&format!("{name}=")));
        found.map(str::to_owned).collect::<Vec<_>>()
    };
    // As systemd does it: each file under its name in a directory of the service, readable by an access control list, which
    // looks like a group.
    let credentials = host.bench.path("credentials");
    fs::create_dir(&credentials).unwrap();
    host.bench.write("etc/aws-credentials", b"[default]\n");
    for credential in setting("LoadCredential") {
        let (name, path) = credential.split_once(':').unwrap();
        fs::copy(host.here(path), credentials.join(name)).unwrap();
        fs::set_permissions(credentials.join(name), fs::Permissions::from_mode(0o440)).unwrap();
    }
    let start = setting("ExecStart");
    let [start] = start.as_slice() else { panic!("{start:?}") };
    let directory = credentials.display().to_string();
    let start = host.here(start).replace("${CREDENTIALS_DIRECTORY}", &directory);
    assert!(setting("Environment")[0].contains("AWS_SHARED_CREDENTIALS_FILE=%d/aws"));
    // systemd splits at blanks, and there is no shell.
    let mut words = start.split_whitespace();
    let program = words.next().unwrap().to_owned();
    is_silent(host.program(&program, &words.collect::<Vec<_>>()).run());
    let opened = host.shell("s3seal get -q s3://bucket/app.sql - --key /etc/s3seal/backup.key").ok();
    assert_eq!(opened.stdout, b"the dump\n");
    assert!(setting("OnCalendar").len() == 1 && setting("WantedBy") == ["timers.target"]);
}

/// The manifest is read as YAML, and as Kubernetes would, in `tests/peers/cases_readme.py`.
#[test]
fn the_containers_of_kubernetes_run() {
    let host = Host::new();
    let lines = recipe("A Kubernetes CronJob", "yaml");
    let commands = |name: &str| {
        let found = lines.iter().filter_map(|line| line.trim_start().strip_prefix(&format!("{name}: ")));
        found.map(|list| serde_json::from_str(list).unwrap()).collect::<Vec<Vec<String>>>()
    };
    assert!(commands("command").iter().all(|command| *command == ["s3seal"]));
    let files = host.bench.files().display().to_string();
    // As fsGroup makes it.
    fs::set_permissions(host.bench.path("etc/backup.key"), fs::Permissions::from_mode(0o440)).unwrap();
    let run = |arguments: &[String]| {
        let here = |word: &String| {
            host.here(word)
                .replace("/keys/", &format!("{files}/etc/"))
                .replace("/data", &format!("{files}/data"))
        };
        // The bucket's address has no path of this machine.
        let words: Vec<String> = arguments
            .iter()
            .map(|word| if word.starts_with("s3://") { host.here(word) } else { here(word) })
            .collect();
        host.program("s3seal", &words.iter().map(String::as_str).collect::<Vec<_>>()).run()
    };
    let [backup, drill] = &commands("args")[..] else { panic!("{lines:?}") };
    is_silent(run(backup));
    assert_eq!(host.keys(), ["app/a", "app/deep/b"]);
    is_silent(run(drill));
    host.bench.sandbox.s3().tamper_body(BUCKET, "app/a", |body| body[0] ^= 1);
    host.bench.sandbox.s3().tamper_body(BUCKET, "app/deep/b", |body| body[0] ^= 1);
    run(drill).exits(9).says(&["not verified:"]);
}
