//! The configuration files: where they are, who may write them, and which of their rules apply to a place.
//!
//! `parse` reads one file; `apply` adds its settings to a command line. The files contain no keys, only sources of
//! keys.

use std::env;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::failure::Failure;
use super::sanitize::shell_word;
use crate::encryption::Mode;
use crate::limits::MAX_CONFIG_FILE_BYTES;
use crate::location::S3Uri;
use crate::rules::{Demander, KeyPattern, Origin, Requirement, Requirements, longest};

pub(crate) mod apply;
mod parse;

pub(crate) use parse::Flags;

/// The file for all users.
pub(crate) const SYSTEM: &str = "/etc/s3seal/config.toml";
/// The variable that names one file instead of all others.
pub(crate) const VARIABLE: &str = "S3SEAL_CONFIG";

/// A flag with its values, as a file says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    /// The long name, without dashes.
    pub(crate) name: String,
    pub(crate) value: SettingValue,
    pub(crate) origin: Origin,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SettingValue {
    /// So many times without a value; 0 is as if it were not there.
    Switch(usize),
    /// Once for each value.
    Values(Vec<String>),
}

/// A `[[rule]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) place: S3Uri,
    /// How objects are encrypted and decrypted if nothing is said.
    pub(crate) encryption: Vec<Setting>,
    pub(crate) must_encrypt: Vec<Mode>,
    pub(crate) kms_keys: Vec<KeyPattern>,
    /// The account that must own the bucket.
    pub(crate) owner: Option<Setting>,
    /// The line of its `[[rule]]`.
    pub(crate) origin: Origin,
}

impl Rule {
    fn demands_something(&self) -> bool {
        !(self.must_encrypt.is_empty() && self.kms_keys.is_empty() && self.owner.is_none())
    }

    fn requirement(&self) -> Requirement {
        let Self { place, must_encrypt, kms_keys, origin, .. } = self.clone();
        Requirement { place, must_encrypt, kms_keys, demander: Demander::Rule(origin) }
    }
}

/// A `[profile.NAME]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Profile {
    pub(crate) name: String,
    pub(crate) settings: Vec<Setting>,
    pub(crate) origin: Origin,
}

/// One file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ConfigFile {
    pub(crate) rules: Vec<Rule>,
    pub(crate) profiles: Vec<Profile>,
}

/// All files, the one for all users first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Config {
    files: Vec<ConfigFile>,
}

impl Config {
    /// Reads the files that the environment names.
    ///
    /// # Errors
    /// A usage failure that names the file and, for what is in it, line and column.
    pub(crate) fn load(flags: &Flags) -> Result<Self, Failure> {
        match env::var_os(VARIABLE) {
            Some(only) if only.is_empty() => Ok(Self::default()),
            Some(only) => match Self::of(&[only.into()], flags)? {
                Self { files } if files.is_empty() => {
                    let file = PathBuf::from(env::var_os(VARIABLE).unwrap_or_default());
                    let why = format!("{VARIABLE} names {}, which does not exist", file.display());
                    Err(Failure::usage(why).hint(otherwise()))
                }
                config => Ok(config),
            },
            None => Self::of(&default_paths(), flags),
        }
    }

    /// Reads those of the files that exist.
    fn of(paths: &[PathBuf], flags: &Flags) -> Result<Self, Failure> {
        let mut files = Vec::new();
        for path in paths {
            if let Some(text) = read(path)? {
                files.push(parse::file(path, &text, flags)?);
            }
        }
        Ok(Self { files })
    }

    /// The rules in force for a place, one of each file: what each of them demands counts.
    pub(crate) fn rules_for<'a>(&'a self, place: &S3Uri) -> impl Iterator<Item = &'a Rule> {
        self.files.iter().filter_map(move |file| longest(&file.rules, place, |rule| &rule.place))
    }

    /// The rule that says how objects at a place are encrypted if nothing is said: the longest match of all files, and
    /// of two that are equally long the later file's. A file whose rule for the place chooses nothing leaves that to the
    /// others.
    pub(crate) fn default_for(&self, place: &S3Uri, chooses: impl Fn(&Rule) -> bool) -> Option<&Rule> {
        self.rules_for(place).filter(|rule| chooses(rule)).max_by_key(|rule| rule.place.key.len())
    }

    /// The rules for places below this one.
    fn below<'a>(&'a self, place: &'a S3Uri) -> impl Iterator<Item = &'a Rule> {
        let is_below = |rule: &&Rule| place.holds(&rule.place) && rule.place.key.len() > place.key.len();
        self.files.iter().flat_map(|file| &file.rules).filter(is_below)
    }

    /// A rule for one object whose key is that of the place, or of a prefix of it, but for the `/`.
    pub(crate) fn of_object_beside(&self, place: &S3Uri) -> Option<&Rule> {
        let is_beside = |rule: &&Rule| {
            let rest = place.key.strip_prefix(&rule.place.key).filter(|_| rule.place.is_object());
            rule.place.bucket == place.bucket && rest.is_some_and(|rest| rest.starts_with('/'))
        };
        self.files.iter().flat_map(|file| &file.rules).find(is_beside)
    }

    /// A profile; that of a later file takes the place of an earlier one.
    fn profile(&self, name: &str) -> Option<&Profile> {
        self.profiles().filter(|profile| profile.name == name).last()
    }

    pub(crate) fn profiles(&self) -> impl Iterator<Item = &Profile> {
        self.files.iter().flat_map(|file| &file.profiles)
    }

    /// What the rules demand.
    pub(crate) fn requirements(&self) -> Requirements {
        let of_file = |file: &ConfigFile| file.rules.iter().map(Rule::requirement).collect();
        Requirements::new(self.files.iter().map(of_file).collect())
    }
}

/// The file for all users, then the user's own.
fn default_paths() -> Vec<PathBuf> {
    let given = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    // A relative XDG directory does not count, by its specification.
    let own = given("XDG_CONFIG_HOME")
        .filter(|path| path.is_absolute())
        .or_else(|| Some(given("HOME")?.join(".config")));
    [Some(PathBuf::from(SYSTEM)), own.map(|folder| folder.join("s3seal/config.toml"))]
        .into_iter()
        .flatten()
        .collect()
}

/// Which files are read.
fn places() -> String {
    match env::var_os(VARIABLE) {
        Some(only) if only.is_empty() => format!("none is read: {VARIABLE} is empty"),
        Some(only) => format!("the one that is read is {}, by {VARIABLE}", PathBuf::from(only).display()),
        None => format!("they are {SYSTEM} and ~/.config/s3seal/config.toml"),
    }
}

/// How another file is read, or none.
fn otherwise() -> String {
    format!("name another file: {VARIABLE}=FILE; {VARIABLE}= reads none")
}

/// Reads a file that nobody else may write; `None` if there is none.
fn read(path: &Path) -> Result<Option<String>, Failure> {
    let unreadable = |error: io::Error| {
        Failure::usage(format!("cannot read {}", path.display())).because(error).hint(otherwise())
    };
    match fs::metadata(path) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            // Where there should be a file, what it demands must not be forgotten.
            return match path.ancestors().find(|part| part.is_symlink() && !part.exists()) {
                None => Ok(None),
                Some(link) => {
                    let why =
                        format!("cannot read {}: {} is a link to nothing", path.display(), link.display());
                    Err(Failure::usage(why).hint(otherwise()))
                }
            };
        }
        Err(error) => return Err(unreadable(error)),
        // Opening a pipe would wait for a writer.
        Ok(metadata) if !metadata.is_file() => {
            return Err(Failure::usage(format!("{} is not a regular file", path.display())));
        }
        Ok(_) => {}
    }
    let mut file = File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    is_ours(path, metadata.mode(), metadata.uid(), rustix::process::geteuid().as_raw())?;
    let mut text = String::new();
    (&mut file).take(MAX_CONFIG_FILE_BYTES + 1).read_to_string(&mut text).map_err(unreadable)?;
    if text.len() as u64 > MAX_CONFIG_FILE_BYTES {
        return Err(Failure::usage(format!(
            "{} has more than {MAX_CONFIG_FILE_BYTES} bytes, too many for a configuration file",
            path.display()
        )));
    }
    Ok(Some(text))
}

/// Refuses a file that another user could have written: it chooses keys and runs commands.
fn is_ours(path: &Path, mode: u32, owner: u32, user: u32) -> Result<(), Failure> {
    let shown = path.display().to_string();
    if mode & 0o022 != 0 {
        return Err(Failure::usage(format!("other users can write {shown} (mode {:04o})", mode & 0o7777))
            .hint(format!("chmod go-w {}", shell_word(&shown))));
    }
    if owner != 0 && owner != user {
        return Err(Failure::usage(format!("{shown} belongs to user {owner}, who is neither root nor you"))
            .hint(format!("copy it, or {}", otherwise())));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn file(folder: &Path, name: &str, text: &str) -> PathBuf {
        let path = folder.join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        path
    }

    fn load(paths: &[PathBuf]) -> Config {
        Config::of(paths, &Flags::default()).unwrap()
    }

    #[test]
    fn a_users_rule_adds_to_what_the_systems_rule_demands_and_cannot_weaken_it() {
        let folder = tempfile::tempdir().unwrap();
        let system = "[[rule]]\nmatch = \"s3://bkt/\"\nencrypt = \"sse-kms\"\nmust-encrypt = [\"client\", \"sse-kms\"]\n";
        let own = "[[rule]]\nmatch = \"s3://bkt/db/\"\nencrypt = \"sse-s3\"\nmust-encrypt = [\"sse-s3\"]\n\n\
                   [[rule]]\nmatch = \"s3://bkt/\"\nencrypt = \"sse-c\"\n";
        let paths = [file(folder.path(), "system", system), file(folder.path(), "own", own)];
        let config = load(&paths);
        let place = |text: &str| text.parse::<S3Uri>().unwrap();
        let lines = |text: &str| {
            let place = place(text);
            let rules = config.rules_for(&place);
            rules.map(|rule| (rule.origin.file.clone(), rule.origin.line)).collect::<Vec<_>>()
        };
        let [system, own] = paths;
        assert_eq!(lines("s3://bkt/db/x"), [(system.clone(), 1), (own.clone(), 1)]);
        assert_eq!(lines("s3://bkt/x"), [(system.clone(), 1), (own.clone(), 6)]);
        assert_eq!(lines("s3://other/x"), []);
        // Of two equally long matches the user's says what is done if nothing is said.
        let default = config.default_for(&place("s3://bkt/x"), |_| true);
        assert_eq!(default.unwrap().origin, Origin { file: own, line: 6 });
        let (requirements, object) = (config.requirements(), place("s3://bkt/db/x"));
        let demands = requirements.of(&object).map(|rule| rule.must_encrypt.clone());
        let expected = [vec![Mode::Client, Mode::SseKms], vec![Mode::SseS3]];
        assert_eq!(demands.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_file_that_is_not_there_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let own = file(folder.path(), "own", "");
        assert_eq!(load(&[folder.path().join("none"), own.join("below a file")]).files.len(), 0);
        assert_eq!(load(&[folder.path().join("none"), own]).files.len(), 1);
    }

    #[test]
    fn a_file_that_another_user_could_have_written_is_refused() {
        let ours = |mode, owner, user| is_ours(Path::new("/etc/x"), mode, owner, user).is_ok();
        assert!(ours(0o100_644, 0, 1000) && ours(0o100_600, 1000, 1000) && ours(0o100_444, 0, 0));
        assert!(!ours(0o100_664, 0, 1000) && !ours(0o100_646, 1000, 1000));
        assert!(!ours(0o100_644, 1001, 1000), "another user's");
        assert!(!ours(0o100_644, 1000, 0), "a user's, read by root");
    }
}
