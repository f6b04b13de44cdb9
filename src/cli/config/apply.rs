//! Adds the settings of configuration files to a command line as if they had been typed: the flags of a profile, and
//! those of the rule for the place. Typed flags take precedence over a profile, and a profile over a rule.
//!
//! The flags are then parsed like all others. What rules require is kept apart: nothing that is typed changes it,
//! except `--override-rules`.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};

use super::{Config, Profile, Rule, Setting, SettingValue, parse};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::error::{Error, KeyFault};
use crate::location::S3Uri;
use crate::pattern::{has_wildcard, literal_prefix};
use crate::rules::{Origin, Requirements};

/// The flags that choose an encryption: with one of them typed, nothing of a file's encryption counts.
const CHOOSE: [&str; 6] = ["encrypt", "kms-key", "sse-c-key", "key", "public-key", "passphrase"];
/// Those of them and of what belongs to them that name a key.
const KEYS: [&str; 6] = ["kms-key", "sse-c-key", "key", "public-key", "passphrase", "private-key"];
/// What belongs to such a choice.
const BELONGS: [&str; 9] = [
    "private-key",
    "context",
    "bind-name",
    "bucket-key",
    "format",
    "at-rest",
    "instruction-file",
    "frame-length",
    "key-name",
];
/// What `get` takes of a rule whose objects are client-side.
const OPENS: [&str; 5] = ["key", "private-key", "passphrase", "kms-key", "context"];
/// With one of these typed, `get` takes no key of a rule.
const OPENING: [&str; 6] = ["sse-c-key", "key", "private-key", "passphrase", "kms-key", "kms-discovery"];
/// Patterns whose order counts: those of a file count only if none is typed.
const PATTERNS: [&str; 2] = ["include", "exclude"];
const OWNER: &str = "expected-bucket-owner";

/// The configuration files, and what of them counts for one command line.
#[derive(Clone, Debug, Default)]
pub(crate) struct InForce {
    pub(crate) config: Config,
    /// What the rules demand, unless that is set aside.
    pub(crate) requirements: Requirements,
    /// The rule that chose the encryption.
    pub(crate) encryption: Option<Origin>,
    /// The rules that demand something at the places of the command line or below, and are set aside.
    pub(crate) set_aside: Vec<Origin>,
    overrides: bool,
    /// What was put into the command line.
    inserted: Vec<Setting>,
}

impl InForce {
    /// The rules that would demand something of an object and are set aside.
    pub(crate) fn overridden(&self, uri: &S3Uri) -> Vec<String> {
        if !self.overrides {
            return Vec::new();
        }
        let demanding = self.config.rules_for(uri).filter(|rule| rule.demands_something());
        demanding.map(|rule| rule.origin.to_string()).collect()
    }

    /// Says where the flags stand that a failure is about, if they were not typed.
    pub(crate) fn explain(&self, failure: &mut Failure) {
        let of = |names: &[&str]| {
            let is_meant = |one: &&Setting| names.contains(&one.name.as_str());
            self.inserted.iter().filter(is_meant).map(Setting::said).collect::<Vec<_>>()
        };
        let origins = match (failure.exit, failure.error.downcast_ref::<Error>()) {
            (Exit::Key, Some(Error::KeyWrong { why: KeyFault::NotApplicable { .. }, .. })) => {
                let mut origins = of(&KEYS);
                if !origins.is_empty() {
                    origins.push("-e with the object's own mode fetches it without that key".to_owned());
                }
                origins
            }
            (Exit::Key, Some(_)) => of(&KEYS),
            (Exit::Denied, _) => of(&[OWNER]),
            (Exit::Usage | Exit::Key, _) => self.origins(&failure.error.to_string()),
            _ => Vec::new(),
        };
        failure.hints.extend(origins);
    }

    /// Says of each flag that a text names where in a file it stands, if it was not typed.
    pub(crate) fn origins(&self, text: &str) -> Vec<String> {
        let is_named = |setting: &&Setting| {
            let flag = format!("--{}", setting.name);
            let ends = |rest: &str| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '-');
            text.match_indices(&flag).any(|(at, _)| ends(&text[at + flag.len()..]))
                || setting.name == "encrypt" && text.contains("-e ")
        };
        self.inserted.iter().filter(is_named).map(Setting::said).collect()
    }
}

impl Setting {
    fn said(&self) -> String {
        format!("--{} is from {}", self.name, self.origin)
    }
}

/// The command line with what the files add, and what counts of them.
///
/// `command` is built, and `matches` is what was typed.
///
/// # Errors
/// Usage failures; exit code 8 where another bucket owner is typed than a rule demands.
pub(crate) fn apply(
    config: Config,
    command: &Command,
    matches: &ArgMatches,
    argv: &[OsString],
) -> Result<(Vec<OsString>, InForce), Failure> {
    let Some((verb, typed)) = matches.subcommand() else { return Ok((argv.to_vec(), InForce::default())) };
    let Some(verb) = command.find_subcommand(verb) else { return Ok((argv.to_vec(), InForce::default())) };
    let overrides = typed.get_flag("override_rules");
    let line = CommandLine { verb, typed, profile: profile(&config, typed)? };
    let mut inserted = line.of_profile();
    let places = line.places();
    let (rule, of_rule) = line.rule(&config, &places)?;
    let encrypts = line.encrypts();
    if encrypts && line.writes() && !line.chooses() {
        none_deeper(&config, &places, rule)?;
    }
    let encryption = rule.filter(|_| encrypts && !of_rule.is_empty()).map(|rule| rule.origin.clone());
    inserted.extend(of_rule);
    if !overrides {
        inserted.extend(line.owner(&config, &[places.as_slice(), &line.addresses_in_flags()].concat())?);
    }
    let set_aside = if overrides { demanding(&config, &places) } else { Vec::new() };
    let requirements = if overrides { Requirements::default() } else { config.requirements() };
    let argv = with(argv, &inserted);
    Ok((argv, InForce { config, requirements, encryption, set_aside, overrides, inserted }))
}

fn profile<'c>(config: &'c Config, typed: &ArgMatches) -> Result<Option<&'c Profile>, Failure> {
    let Some(name) = typed.get_one::<String>("config_profile") else { return Ok(None) };
    if let Some(profile) = config.profile(name) {
        return Ok(Some(profile));
    }
    let failure = Failure::usage(format!("no configuration file has [profile.{name}]"));
    let known = config.profiles().map(|profile| profile.name.as_str());
    Err(match parse::nearest(name, known) {
        Some(near) => failure.hint(format!("the nearest name is {near}")),
        None => failure.hint(super::places()),
    })
}

/// A command line: what was typed, and the profile that adds to it.
struct CommandLine<'a> {
    verb: &'a Command,
    typed: &'a ArgMatches,
    profile: Option<&'a Profile>,
}

impl CommandLine<'_> {
    /// The verb's flag of this name; one that is hidden exists only to be answered.
    fn flag(&self, name: &str) -> Option<&Arg> {
        let is_hidden = |arg: &Arg| arg.is_hide_set() || name == "private-key" && self.is_doctor_of_writing();
        self.verb.get_arguments().find(|arg| arg.get_long() == Some(name) && !is_hidden(arg))
    }

    /// Whether `doctor` looks at a verb that itself has no use for a private key.
    fn is_doctor_of_writing(&self) -> bool {
        let word = self.typed.try_get_raw("verb").ok().flatten().and_then(|mut words| words.next());
        self.verb.get_name() == "doctor" && matches!(word.and_then(OsStr::to_str), Some("put" | "rotate"))
    }

    /// Whether objects are written, or what is asked is about a verb that writes them.
    fn writes(&self) -> bool {
        let is_reading = |id| {
            let word = self.typed.try_get_raw(id).ok().flatten().and_then(|mut words| words.next());
            matches!(word.and_then(OsStr::to_str), Some("get" | "inspect" | "cleanup"))
        };
        self.verb.get_name() != "doctor" || !["verb", "policy"].into_iter().any(is_reading)
    }

    fn is_typed(&self, name: &str) -> bool {
        let source = self.flag(name).and_then(|arg| self.typed.value_source(arg.get_id().as_str()));
        source == Some(ValueSource::CommandLine)
    }

    /// Whether a flag counts already when the rule is asked.
    fn is_given(&self, name: &str) -> bool {
        let in_profile = |profile: &Profile| profile.settings.iter().any(|setting| setting.name == name);
        self.is_typed(name) || self.flag(name).is_some() && self.profile.is_some_and(in_profile)
    }

    /// Whether many files or objects below a place are meant: `recursive = false` in a profile says nothing.
    fn is_recursive(&self) -> bool {
        let says = |setting: &Setting| {
            setting.name == "recursive" && !matches!(setting.value, SettingValue::Switch(0))
        };
        self.is_typed("recursive") || self.profile.is_some_and(|profile| profile.settings.iter().any(says))
    }

    /// Whether the verb takes the flags of a new encryption.
    fn encrypts(&self) -> bool {
        self.flag("at-rest").is_some()
    }

    /// Whether an encryption is chosen, so that the rule's does not count.
    fn chooses(&self) -> bool {
        CHOOSE.iter().any(|name| self.is_given(name))
    }

    fn of_profile(&self) -> Vec<Setting> {
        let Some(profile) = self.profile else { return Vec::new() };
        let typed = |names: &[&str]| names.iter().any(|name| self.is_typed(name));
        let chosen = typed(&CHOOSE);
        let is_for_this = |setting: &&Setting| {
            let name = setting.name.as_str();
            let is_replaced = self.is_typed(name)
                || chosen && (CHOOSE.contains(&name) || BELONGS.contains(&name))
                || PATTERNS.contains(&name) && typed(&PATTERNS);
            self.flag(name).is_some() && !is_replaced
        };
        profile.settings.iter().filter(is_for_this).cloned().collect()
    }

    fn of_rule(&self, rule: &Rule) -> Vec<Setting> {
        let all = [&CHOOSE[..], &BELONGS[..]].concat();
        let taken = if self.encrypts() { all.as_slice() } else { self.opening(rule) };
        let is_taken = |setting: &&Setting| {
            let name = setting.name.as_str();
            taken.contains(&name) && self.flag(name).is_some() && !self.is_given(name)
        };
        rule.encryption.iter().filter(is_taken).cloned().collect()
    }

    /// Whether a rule says how objects are encrypted, or for `get` how they are to be opened: also that this takes no
    /// key.
    fn is_chosen_by(&self, rule: &Rule) -> bool {
        if self.encrypts() {
            rule.encryption.iter().any(|setting| self.flag(&setting.name).is_some())
        } else {
            mode(rule).is_some()
        }
    }

    /// The settings of a rule with which `get` opens an object; none if the user says how.
    fn opening(&self, rule: &Rule) -> &'static [&'static str] {
        let is_raw = self.typed.try_get_one::<bool>("raw").ok().flatten() == Some(&true);
        let expected = self.typed.try_get_raw("mode").ok().flatten().and_then(|mut words| words.next());
        match mode(rule) {
            mode if expected.is_some_and(|expected| Some(expected) != mode.map(OsStr::new)) => &[],
            Some("sse-c") => &["sse-c-key"],
            Some("client") if !is_raw => &OPENS,
            _ => &[],
        }
    }

    /// Where objects are, or are to be.
    fn places(&self) -> Vec<S3Uri> {
        let words: Vec<&OsStr> =
            self.typed.try_get_raw("places").ok().flatten().into_iter().flatten().collect();
        let mut places: Vec<S3Uri> =
            words.iter().filter_map(|word| word.to_str()?.parse::<S3Uri>().ok()).collect();
        if self.is_recursive() {
            return places;
        }
        // A pattern may select whatever is in the folder of what it begins with.
        if self.verb.get_name() == "get" {
            for place in places.iter_mut().filter(|place| has_wildcard(&place.key)) {
                *place = place.with_key(place.with_key(literal_prefix(&place.key)).folder());
            }
        }
        // A file that is stored below a prefix keeps its name.
        if let ("put", [source, _], [place]) = (self.verb.get_name(), words.as_slice(), places.as_mut_slice())
            && !place.is_object()
            && let Some(name) = Path::new(source).file_name().and_then(OsStr::to_str)
        {
            *place = place.with_key(format!("{}{name}", place.key));
        }
        places
    }

    /// The addresses in S3 that flags name, such as that of a manifest.
    fn addresses_in_flags(&self) -> Vec<S3Uri> {
        let flags = self.typed.ids().map(clap::Id::as_str).filter(|id| *id != "places");
        let typed = flags.filter_map(|id| self.typed.try_get_raw(id).ok().flatten()).flatten();
        let settings = self.profile.map_or(&[][..], |profile| profile.settings.as_slice());
        let of_profile = settings.iter().flat_map(|setting| match &setting.value {
            SettingValue::Values(values) => values.as_slice(),
            SettingValue::Switch(_) => &[],
        });
        let words = typed.filter_map(OsStr::to_str).chain(of_profile.map(String::as_str));
        words.filter_map(|word| word.parse::<S3Uri>().ok()).collect()
    }

    /// The rule that says how objects are encrypted or opened, and what of it counts: the same for all places.
    fn rule<'c>(
        &self,
        config: &'c Config,
        places: &[S3Uri],
    ) -> Result<(Option<&'c Rule>, Vec<Setting>), Failure> {
        let says_how = match self.verb.get_name() {
            _ if self.encrypts() => self.chooses(),
            "get" => OPENING.iter().any(|name| self.is_given(name)),
            _ => true,
        };
        if says_how {
            return Ok((None, Vec::new()));
        }
        let mut rules = places.iter().map(|place| {
            let rule = config.default_for(place, |rule| self.is_chosen_by(rule));
            (rule, rule.map(|rule| self.of_rule(rule)).unwrap_or_default())
        });
        let Some(first) = rules.next() else { return Ok((None, Vec::new())) };
        let Some((other, _)) = rules.find(|(_, other)| values(other) != values(&first.1)) else {
            return Ok(first);
        };
        let named = |rule: Option<&Rule>| {
            rule.map_or_else(|| "no rule".to_owned(), |rule| format!("the rule at {}", rule.origin))
        };
        let (one, other) = (named(first.0), named(other));
        Err(Failure::usage(format!("one place has {one}, and another {other}"))
            .hint("run the command once for each of them, or give the encryption or the keys yourself"))
    }

    /// The bucket owner that rules demand, unless it is given already.
    fn owner(&self, config: &Config, places: &[S3Uri]) -> Result<Option<Setting>, Failure> {
        let rules = places.iter().flat_map(|place| config.rules_for(place).chain(config.below(place)));
        let mut demanded = rules.filter_map(|rule| rule.owner.as_ref());
        let Some(setting) = demanded.next() else { return Ok(None) };
        let condition = |message: String| Failure::new(Exit::Condition, anyhow::anyhow!(message));
        if let Some(other) = demanded.find(|other| other.value != setting.value) {
            let (one, other) = (&setting.origin, &other.origin);
            return Err(condition(format!("{one} and {other} demand different owners of the bucket"))
                .hint("run the command once for each bucket, or set the rules aside with --override-rules"));
        }
        let typed = self.typed.try_get_one::<String>("expected_bucket_owner").ok().flatten();
        let in_profile = self.profile.and_then(|profile| {
            profile.settings.iter().find(|setting| setting.name == OWNER).map(|setting| &setting.value)
        });
        let given = typed.map(|owner| SettingValue::Values(vec![owner.clone()])).or(in_profile.cloned());
        match given {
            None => Ok(Some(setting.clone())),
            Some(given) if given == setting.value => Ok(None),
            Some(_) => Err(condition(format!(
                "{} demands another owner of the bucket than --{OWNER}",
                setting.origin
            ))
            .hint("leave the flag out, or set the rule aside with --override-rules")),
        }
    }
}

/// Refuses many objects of which some have a rule that chooses another encryption.
fn none_deeper(config: &Config, places: &[S3Uri], chosen: Option<&Rule>) -> Result<(), Failure> {
    let prefixes = places.iter().filter(|place| !place.is_object());
    let chosen = chosen.map_or(&[][..], |rule| rule.encryption.as_slice());
    let differs = |rule: &&Rule| !rule.encryption.is_empty() && values(&rule.encryption) != values(chosen);
    let other = prefixes.flat_map(|place| config.below(place)).find(differs);
    other.map_or(Ok(()), |rule| {
        Err(Failure::usage(format!("{} chooses another encryption for {}", rule.origin, rule.place))
            .hint("name that place in a command of its own, or choose one encryption for all with -e"))
    })
}

/// The rules that demand something at these places or below.
fn demanding(config: &Config, places: &[S3Uri]) -> Vec<Origin> {
    let rules = places.iter().flat_map(|place| config.rules_for(place).chain(config.below(place)));
    let mut origins = Vec::new();
    for rule in rules.filter(|rule| rule.demands_something()) {
        if !origins.contains(&rule.origin) {
            origins.push(rule.origin.clone());
        }
    }
    origins
}

/// Settings wherever they stand.
fn values(settings: &[Setting]) -> Vec<(&str, &SettingValue)> {
    settings.iter().map(|setting| (setting.name.as_str(), &setting.value)).collect()
}

/// The mode of a rule, which a key implies as on the command line.
pub(crate) fn mode(rule: &Rule) -> Option<&str> {
    let value = |name: &str| rule.encryption.iter().find(|setting| setting.name == name);
    match value("encrypt").map(|setting| &setting.value) {
        Some(SettingValue::Values(words)) => words.first().map(String::as_str),
        _ if value("sse-c-key").is_some() => Some("sse-c"),
        _ if ["key", "public-key", "private-key", "passphrase"].iter().any(|name| value(name).is_some()) => {
            Some("client")
        }
        _ => None,
    }
}

/// Adds flags to a command line: at its end, but before what `--` begins.
fn with(argv: &[OsString], settings: &[Setting]) -> Vec<OsString> {
    let end = argv.iter().position(|word| word == "--").unwrap_or(argv.len());
    let (typed, rest) = argv.split_at(end);
    let words = settings.iter().flat_map(|Setting { name, value, .. }| match value {
        SettingValue::Switch(times) => vec![format!("--{name}"); *times],
        SettingValue::Values(values) => values.iter().map(|value| format!("--{name}={value}")).collect(),
    });
    typed.iter().cloned().chain(words.map(OsString::from)).chain(rest.iter().cloned()).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;

    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;
    use crate::cli::config::Flags;

    /// A flag that is in no list would be taken from a rule although another encryption is typed, or not at all.
    #[test]
    fn every_flag_of_an_encryption_is_a_setting_of_a_rule() {
        let program = Cli::command();
        let put = program.find_subcommand("put").unwrap();
        let encryption = put.get_arguments().filter(|arg| arg.get_help_heading() == Some("Encryption"));
        let mut flags: Vec<_> = encryption.filter_map(Arg::get_long).collect();
        // They are about the file of a key, and its content: for the command line alone.
        flags.retain(|flag| !["allow-open-key-file", "allow-weak-key"].contains(flag));
        let mut listed = [&CHOOSE[..], &BELONGS[..]].concat();
        let mut settings = parse::ENCRYPTION.map(|(name, _)| name).to_vec();
        for names in [&mut flags, &mut listed, &mut settings] {
            names.sort_unstable();
        }
        assert_eq!(listed, flags);
        assert_eq!(settings, flags);
    }

    /// The flags that files with these texts add to a command line.
    fn added(texts: &[&str], line: &str) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let paths = texts.iter().enumerate().map(|(number, text)| {
            let path = folder.path().join(number.to_string());
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
            path
        });
        let paths: Vec<PathBuf> = paths.collect();
        let mut command = Cli::command();
        command.build();
        let argv: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        let config = Config::of(&paths, &Flags::of(&command)).unwrap();
        let matches = command.clone().try_get_matches_from(&argv).unwrap();
        let (with_files, _) = apply(config, &command, &matches, &argv).unwrap();
        with_files[argv.len()..].iter().map(|word| word.to_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn a_rule_that_chooses_nothing_for_the_command_leaves_the_choice_to_the_other_file_not_to_its_own() {
        let system = "[[rule]]\nmatch = \"s3://bkt/\"\nencrypt = \"client\"\nkey = \"/k\"\n";
        let rule = |settings: &str| format!("[[rule]]\nmatch = \"s3://bkt/db/\"\n{settings}\n");
        let of_system = ["--encrypt=client", "--key=/k"];
        let (put, get) = ("s3seal put file s3://bkt/db/x", "s3seal get s3://bkt/db/x");
        assert_eq!(added(&[system], put), of_system);
        let private = rule("private-key = \"/p\"");
        assert_eq!(added(&[system, &private], put), of_system);
        assert_eq!(added(&[system, &private], get), ["--private-key=/p"]);
        let rotate = "s3seal rotate s3://bkt/db/x";
        assert_eq!(added(&[system, &private], rotate), of_system);
        for words in ["", " --for put", " --for rotate"] {
            assert_eq!(added(&[system, &private], &format!("s3seal doctor s3://bkt/db/{words}")), of_system);
        }
        for verb in ["get", "inspect"] {
            let line = format!("s3seal doctor s3://bkt/db/ --for {verb}");
            assert_eq!(added(&[system, &private], &line), ["--private-key=/p"]);
        }
        let owner = rule("expected-bucket-owner = \"111122223333\"");
        let with_owner = [&of_system[..], &["--expected-bucket-owner=111122223333"]].concat();
        assert_eq!(added(&[system, &owner], put), with_owner);
        assert_eq!(added(&[system, &owner], get), ["--key=/k", "--expected-bucket-owner=111122223333"]);
        // A rule that chooses S3's own mode says also that get needs no key.
        let open = rule("encrypt = \"sse-s3\"");
        assert_eq!(added(&[system, &open], put), ["--encrypt=sse-s3"]);
        assert_eq!(added(&[system, &open], get), [""; 0]);
        // In one file the longest match decides alone.
        assert_eq!(added(&[&format!("{system}\n{private}")], put), [""; 0]);
        assert_eq!(added(&[&format!("{system}\n{owner}")], put), ["--expected-bucket-owner=111122223333"]);
    }
}
