//! `install.sh` into a prefix of its own: what it lays down, again, and away.
//!
//! The script is the front door; a file it forgets to remove or to replace shows only on someone else's machine.
//! Not here: building (it is given the program under test), the demo, which needs the sandbox program (`.ci/run` has both),
//! and a real download: a curl of the test's own stands in for it.

#![allow(clippy::unwrap_used, reason = "a test's failure is its message")]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

const ALWAYS: [&str; 7] = [
    "bin/s3seal",
    "share/bash-completion/completions/s3seal",
    "share/fish/vendor_completions.d/s3seal.fish",
    "share/man/man1/s3seal.1",
    "share/man/man7/s3seal-security.7",
    "share/s3seal/installed",
    "share/zsh/site-functions/_s3seal",
];

/// The script with a home of its own and the program under test instead of a build.
fn install(home: &Path, arguments: &[&str]) -> Output {
    let built = Path::new(env!("CARGO_BIN_EXE_s3seal")).parent().unwrap();
    script(home).arg("--from").arg(built).args(arguments).output().unwrap()
}

fn script(home: &Path) -> Command {
    let mut command = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/install.sh"));
    command.env("HOME", home).env("S3SEAL_CONFIG", "").current_dir(home);
    command
}

fn succeeds(output: &Output) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {stderr}", output.status);
}

/// Every file below the folder, relative to it, in order.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path.strip_prefix(folder).unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

#[test]
fn the_home_gets_program_pages_and_completions() {
    let home = TempDir::new().unwrap();
    succeeds(&install(home.path(), &[]));
    let prefix = home.path().join(".local");
    let found = files(&prefix);
    for wanted in ALWAYS {
        assert!(found.contains(&wanted.into()), "{wanted} is missing");
    }
    let version = Command::new(prefix.join("bin/s3seal")).arg("--version").output().unwrap();
    succeeds(&version);
}

#[test]
fn every_man_page_of_the_checkout_is_installed() {
    let home = TempDir::new().unwrap();
    succeeds(&install(home.path(), &[]));
    let checkout = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("man"));
    for section in ["1", "7"] {
        let is_in = |page: &&PathBuf| page.extension().is_some_and(|end| end == section);
        let pages: Vec<_> = checkout.iter().filter(is_in).cloned().collect();
        assert!(pages.len() > 1, "there are pages to install in section {section}");
        assert_eq!(files(&home.path().join(format!(".local/share/man/man{section}"))), pages);
    }
}

#[test]
fn a_prefix_with_a_space_works_relative_to_here() {
    let home = TempDir::new().unwrap();
    succeeds(&install(home.path(), &["--prefix", "my tools"]));
    assert!(home.path().join("my tools/bin/s3seal").exists());
}

#[test]
fn installing_again_changes_nothing_but_outdated_files() {
    let home = TempDir::new().unwrap();
    succeeds(&install(home.path(), &[]));
    let prefix = home.path().join(".local");
    let before = files(&prefix);
    // As if an earlier version had had one page more.
    fs::write(prefix.join("share/man/man1/s3seal-gone.1"), "").unwrap();
    let record = prefix.join("share/s3seal/installed");
    let mut listed = fs::read_to_string(&record).unwrap();
    listed.push_str("f share/man/man1/s3seal-gone.1\n");
    fs::write(&record, listed).unwrap();

    succeeds(&install(home.path(), &[]));
    assert_eq!(files(&prefix), before);
}

#[test]
fn uninstalling_removes_what_was_installed_and_nothing_else() {
    let home = TempDir::new().unwrap();
    let prefix = home.path().join(".local");
    fs::create_dir_all(prefix.join("share/man/man1")).unwrap();
    fs::write(prefix.join("share/man/man1/other.1"), "").unwrap();
    succeeds(&install(home.path(), &[]));

    succeeds(&script(home.path()).arg("--uninstall").output().unwrap());
    assert_eq!(files(&prefix), [PathBuf::from("share/man/man1/other.1")]);
    assert!(!prefix.join("bin").exists(), "a directory it made is gone");
}

#[test]
fn uninstalling_leaves_a_fresh_home_empty() {
    let home = TempDir::new().unwrap();
    succeeds(&install(home.path(), &[]));
    succeeds(&install(home.path(), &[]));
    succeeds(&script(home.path()).arg("--uninstall").output().unwrap());
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
}

#[test]
fn uninstalling_what_is_not_there_says_so() {
    let home = TempDir::new().unwrap();
    let output = script(home.path()).arg("--uninstall").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("nothing is installed"));
}

#[test]
fn a_record_that_leads_out_of_the_prefix_is_refused() {
    let home = TempDir::new().unwrap();
    fs::create_dir_all(home.path().join(".local/share/s3seal")).unwrap();
    fs::write(home.path().join("precious"), "").unwrap();
    let record = home.path().join(".local/share/s3seal/installed");
    fs::write(record, "f ../precious\n").unwrap();

    let output = script(home.path()).arg("--uninstall").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(home.path().join("precious").exists());
}

#[test]
fn without_cargo_the_message_says_what_is_needed() {
    let home = TempDir::new().unwrap();
    // All that the script needs up to there, so that no cargo of this machine is found.
    for tool in ["dirname", "uname"] {
        symlink(Path::new("/usr/bin").join(tool), home.path().join(tool)).unwrap();
    }
    let output = script(home.path()).env("PATH", home.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("cargo is not on PATH"));
    assert!(
        stderr.contains("--from s3seal-VERSION-") && stderr.contains("rustup"),
        "both ways to go on: {stderr}"
    );
}

/// A release in a directory of its own, as `.ci/release` lays it out: the archive and SHA256SUMS.
struct Release {
    folder: TempDir,
}

impl Release {
    const NAME: &str = "s3seal-0.0.0-test-linux";

    /// Lays the release out and packs it; `program` is its s3seal.
    fn new(program: &Path) -> Self {
        let release = Self { folder: TempDir::new().unwrap() };
        let unpacked = release.unpacked();
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        for folder in ["man", "completions"] {
            fs::create_dir_all(unpacked.join(folder)).unwrap();
        }
        for name in ["s3seal.bash", "_s3seal", "s3seal.fish"] {
            fs::copy(root.join("completions").join(name), unpacked.join("completions").join(name)).unwrap();
        }
        // Not a page of the checkout, so that it shows where pages are taken from.
        fs::write(unpacked.join("man/s3seal-of-the-release.7"), "").unwrap();
        fs::copy(root.join("install.sh"), unpacked.join("install.sh")).unwrap();
        fs::copy(program, unpacked.join("s3seal")).unwrap();
        release.pack();
        release
    }

    /// One whose program is a script, for tests that look at other things.
    fn of_script(text: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let script = folder.path().join("script");
        executable(&script, text);
        Self::new(&script)
    }

    fn unpacked(&self) -> PathBuf {
        self.folder.path().join("laid out").join(Self::NAME)
    }

    fn archive(&self) -> PathBuf {
        self.folder.path().join(format!("{}.tar.gz", Self::NAME))
    }

    fn sums(&self) -> PathBuf {
        self.folder.path().join("SHA256SUMS")
    }

    fn pack(&self) {
        let mut tar = Command::new("tar");
        tar.args(["-I", "gzip -1", "-cf"]).arg(self.archive());
        tar.arg("-C").arg(self.unpacked().parent().unwrap()).arg(Self::NAME);
        succeeds(&tar.output().unwrap());
        let mut sum = Command::new("sha256sum");
        sum.arg(self.archive().file_name().unwrap()).current_dir(self.folder.path());
        let output = sum.output().unwrap();
        succeeds(&output);
        fs::write(self.sums(), output.stdout).unwrap();
    }
}

const PROGRAM: &str = "#!/bin/sh\necho s3seal 0.0.0\n";

fn executable(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// The script refuses with this message, and leaves nothing behind.
fn refuses(from: &Path, message: &str) {
    let home = TempDir::new().unwrap();
    let scratch = TempDir::new().unwrap();
    let output = script(home.path()).env("TMPDIR", scratch.path()).arg("--from").arg(from).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains(message) && stderr.contains("hint: "), "{stderr}");
    assert!(files(home.path()).is_empty(), "nothing is installed");
    assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 0, "nothing stays of what was unpacked");
}

#[test]
fn a_release_is_installed_from_its_file_with_its_own_pages() {
    let release = Release::new(Path::new(env!("CARGO_BIN_EXE_s3seal")));
    let (home, scratch) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let mut run = script(home.path());
    run.env("TMPDIR", scratch.path()).arg("--from").arg(release.archive());
    succeeds(&run.output().unwrap());
    let prefix = home.path().join(".local");
    succeeds(&Command::new(prefix.join("bin/s3seal")).arg("--version").output().unwrap());
    assert_eq!(files(&prefix.join("share/man")), [PathBuf::from("man7/s3seal-of-the-release.7")]);
    assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 0, "nothing stays of what was unpacked");
}

#[test]
fn an_unpacked_release_installs_itself() {
    let release = Release::of_script(PROGRAM);
    let home = TempDir::new().unwrap();
    let mut run = Command::new(release.unpacked().join("install.sh"));
    succeeds(&run.env("HOME", home.path()).output().unwrap());
    let page = home.path().join(".local/share/man/man7/s3seal-of-the-release.7");
    assert!(page.exists());
}

#[test]
fn a_release_that_differs_from_its_sum_is_refused() {
    let release = Release::of_script(PROGRAM);
    let mut bytes = fs::read(release.archive()).unwrap();
    bytes.push(0);
    fs::write(release.archive(), bytes).unwrap();
    refuses(&release.archive(), "its SHA-256 differs");
}

#[test]
fn a_release_without_its_sum_is_refused() {
    let release = Release::of_script(PROGRAM);
    let listed = fs::read_to_string(release.sums()).unwrap();
    fs::write(release.sums(), listed.replace(Release::NAME, "another")).unwrap();
    refuses(&release.archive(), "does not list");
    fs::remove_file(release.sums()).unwrap();
    refuses(&release.archive(), "there is no SHA256SUMS beside");
}

#[test]
fn a_program_that_does_not_run_here_is_not_installed() {
    let release = Release::of_script("#!/nowhere/for/this/machine\n");
    refuses(&release.archive(), "does not run on this machine");
}

#[test]
fn a_release_is_not_downloaded_without_tls() {
    refuses(Path::new("http://127.0.0.1:9/s3seal.tar.gz"), "only over https");
}

#[test]
fn a_release_is_downloaded_with_its_sum() {
    let release = Release::of_script(PROGRAM);
    let (home, tools) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    // Gives what the release's directory has, and only to somebody who asks for https alone.
    let curl = r#"#!/bin/sh
case " $* " in *" --proto =https "*) ;; *) exit 1 ;; esac
while [ $# -gt 1 ]; do
    [ "$1" != --output ] || output=$2
    shift
done
case $1 in https://releases.example/v0/*) cp "$RELEASE/${1##*/}" "$output" ;; *) exit 22 ;; esac
"#;
    executable(&tools.path().join("curl"), curl);
    let path = format!("{}:{}", tools.path().display(), std::env::var("PATH").unwrap());
    let from_there = |folder: &str| {
        let mut run = script(home.path());
        run.env("PATH", &path).env("RELEASE", release.folder.path());
        run.arg("--from").arg(format!("https://releases.example/{folder}/{}.tar.gz", Release::NAME));
        run.output().unwrap()
    };
    let missing = from_there("v1");
    assert_eq!(missing.status.code(), Some(1));
    assert!(
        String::from_utf8_lossy(&missing.stderr).contains("cannot download https://releases.example/v1/")
    );
    succeeds(&from_there("v0"));
    assert!(home.path().join(".local/bin/s3seal").exists());
}

#[test]
fn wrong_use_exits_with_2() {
    let home = TempDir::new().unwrap();
    for wrong in [&["--frob"][..], &["--prefix"], &["--demo", "--uninstall"]] {
        let output = script(home.path()).args(wrong).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
    }
}
