//! Parses one configuration file: TOML, read strictly. Anything unknown is an error with line and column, never
//! skipped.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::Range;
use std::path::Path;
use std::str::FromStr;

use clap::{ArgAction, Command, ValueEnum};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{ConfigFile, Profile, Rule, Setting, SettingValue};
use crate::cli::failure::Failure;
use crate::encryption::{Account, Format, Mode};
use crate::keys;
use crate::location::S3Uri;
use crate::pattern::has_wildcard;
use crate::rules::Origin;

/// What a setting's value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// true, or how many times.
    Switch,
    Text,
    /// A table of texts, each of which becomes KEY=VALUE.
    Pairs,
    /// Where a key or a passphrase is.
    Source,
}

/// The settings of a rule that say how its objects are encrypted and decrypted: flags of `put`, `get` and `rotate`.
pub(super) const ENCRYPTION: [(&str, Kind); 15] = [
    ("encrypt", Kind::Text),
    ("kms-key", Kind::Text),
    ("context", Kind::Pairs),
    ("bind-name", Kind::Switch),
    ("bucket-key", Kind::Switch),
    ("sse-c-key", Kind::Source),
    ("key", Kind::Source),
    ("public-key", Kind::Source),
    ("private-key", Kind::Source),
    ("passphrase", Kind::Source),
    ("format", Kind::Text),
    ("at-rest", Kind::Text),
    ("instruction-file", Kind::Switch),
    ("frame-length", Kind::Text),
    ("key-name", Kind::Text),
];

/// The settings of a rule that are no flags, or that a flag cannot change.
const MATCH: &str = "match";
const MUST_ENCRYPT: &str = "must-encrypt";
const KMS_KEYS: &str = "kms-keys";
const OWNER: &str = "expected-bucket-owner";

/// Flags that only the command line has: a file can neither choose itself nor weaken a rule.
const NOT_IN_FILES: [&str; 4] = ["config-profile", "override-rules", "help", "version"];

/// Below this similarity (of 1) two names have nothing to do with each other.
const SIMILAR: f64 = 0.7;

/// The flags that a profile may set.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flags(BTreeMap<String, Kind>);

impl Flags {
    /// Those of all verbs; `command` is built.
    pub(crate) fn of(command: &Command) -> Self {
        let verbs = command.get_subcommands().filter(|verb| !verb.is_hide_set());
        let shown = verbs.flat_map(Command::get_arguments).filter(|arg| !arg.is_hide_set());
        let named = shown.filter_map(|arg| {
            let name = arg.get_long().filter(|name| !NOT_IN_FILES.contains(name))?;
            let value = arg.get_value_names().and_then(|names| names.first()).map(clap::builder::Str::as_str);
            let kind = match (arg.get_action(), value) {
                (ArgAction::SetTrue | ArgAction::Count, _) => Kind::Switch,
                (_, Some("SOURCE")) => Kind::Source,
                (_, Some("KEY=VALUE")) => Kind::Pairs,
                _ => Kind::Text,
            };
            Some((name.to_owned(), kind))
        });
        Self(named.collect())
    }
}

/// Reads a file.
///
/// # Errors
/// A usage failure with file, line and column.
pub(super) fn file(path: &Path, text: &str, flags: &Flags) -> Result<ConfigFile, Failure> {
    let source = Source { path, text };
    let root = DeTable::parse(text)
        .map_err(|error| source.error(error.span().unwrap_or_default(), error.message().trim_end()))?;
    let mut file = ConfigFile::default();
    for (name, value) in in_order(root.get_ref()) {
        match name.get_ref().as_ref() {
            "rule" => {
                let rules = value.get_ref().as_array();
                let rules = rules.ok_or_else(|| source.error(name.span(), "write [[rule]]"))?;
                for rule in rules {
                    let rule = source.rule(rule)?;
                    if let Some(other) = file.rules.iter().find(|other| other.place == rule.place) {
                        let message = format!("the rule at line {} has the same match", other.origin.line);
                        return Err(source.at_line(rule.origin.line, message));
                    }
                    file.rules.push(rule);
                }
            }
            "profile" => {
                let profiles = source.table(value, "write [profile.NAME]")?;
                for (name, profile) in in_order(profiles) {
                    file.profiles.push(source.profile(name, profile, flags)?);
                }
            }
            other => {
                let known = ["rule", "profile"].into_iter();
                return Err(source.unknown(name.span(), other, "is no part of this file", known));
            }
        }
    }
    Ok(file)
}

/// The entries of a table as they stand in the file.
fn in_order<'a, 'i>(table: &'a DeTable<'i>) -> Vec<(&'a Spanned<Name<'i>>, &'a Spanned<DeValue<'i>>)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(name, _)| name.span().start);
    entries
}

type Name<'i> = toml::de::DeString<'i>;

/// A file and its text, to say where in it something stands.
struct Source<'a> {
    path: &'a Path,
    text: &'a str,
}

impl Source<'_> {
    fn line(&self, at: usize) -> usize {
        self.text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
    }

    fn origin(&self, span: Range<usize>) -> Origin {
        Origin { file: self.path.to_owned(), line: self.line(span.start) }
    }

    fn at_line(&self, line: usize, message: impl Display) -> Failure {
        Failure::usage(format!("{}:{line}: {message}", self.path.display()))
    }

    fn error(&self, span: Range<usize>, message: impl Display) -> Failure {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Failure::usage(format!("{}:{}:{column}: {message}", self.path.display(), self.line(span.start)))
    }

    fn unknown<'n>(
        &self,
        span: Range<usize>,
        name: &str,
        what: &str,
        known: impl Iterator<Item = &'n str> + Clone,
    ) -> Failure {
        let failure = self.error(span, format!("{name} {what}"));
        failure.hint(match nearest(name, known.clone()) {
            Some(near) => format!("the nearest name is {near}"),
            None => format!("known are: {}", known.collect::<Vec<_>>().join(", ")),
        })
    }

    fn table<'v, 'i>(
        &self,
        value: &'v Spanned<DeValue<'i>>,
        wanted: &str,
    ) -> Result<&'v DeTable<'i>, Failure> {
        value.get_ref().as_table().ok_or_else(|| self.error(value.span(), wanted))
    }

    fn rule(&self, value: &Spanned<DeValue<'_>>) -> Result<Rule, Failure> {
        let table = self.table(value, "write [[rule]]")?;
        let origin = self.origin(value.span());
        let (mut place, mut encryption) = (None, Vec::new());
        let (mut must_encrypt, mut kms_keys, mut owner) = (Vec::new(), Vec::new(), None);
        for (name, value) in in_order(table) {
            match name.get_ref().as_ref() {
                MATCH => place = Some(self.place(value)?),
                MUST_ENCRYPT => must_encrypt = self.several(value, mode)?,
                KMS_KEYS => kms_keys = self.several(value, FromStr::from_str)?,
                OWNER => {
                    let account = self.string(value)?;
                    account.parse::<Account>().map_err(|why| self.error(value.span(), why))?;
                    let (name, origin) = (OWNER.to_owned(), self.origin(name.span()));
                    let value = SettingValue::Values(vec![account.to_owned()]);
                    owner = Some(Setting { name, value, origin });
                }
                other => {
                    let Some((_, kind)) = ENCRYPTION.iter().find(|(known, _)| *known == other) else {
                        let own = [MATCH, MUST_ENCRYPT, KMS_KEYS, OWNER].into_iter();
                        let known = own.chain(ENCRYPTION.iter().map(|(known, _)| *known));
                        return Err(self.unknown(name.span(), other, "is not a setting of a rule", known));
                    };
                    encryption.extend(self.setting(name, value, *kind)?);
                    if other == "encrypt" {
                        mode(self.string(value)?).map_err(|why| self.error(value.span(), why))?;
                    }
                }
            }
        }
        let place = place.ok_or_else(|| self.at_line(origin.line, "a rule needs match = \"s3://…\""))?;
        encryption.extend(format_for_context(&encryption));
        Ok(Rule { place, encryption, must_encrypt, kms_keys, owner, origin })
    }

    fn profile(
        &self,
        name: &Spanned<Name<'_>>,
        value: &Spanned<DeValue<'_>>,
        flags: &Flags,
    ) -> Result<Profile, Failure> {
        let mut settings = Vec::new();
        for (flag, value) in in_order(self.table(value, "write [profile.NAME]")?) {
            let text = flag.get_ref().as_ref();
            if NOT_IN_FILES.contains(&text) {
                return Err(self.error(flag.span(), format!("--{text} is for the command line only")));
            }
            let Some(kind) = flags.0.get(text) else {
                let known = flags.0.keys().map(String::as_str);
                let failure = self.error(flag.span(), format!("{text} is not the long name of a flag"));
                let near = nearest(text, known).map(|near| format!("the nearest name is {near}"));
                return Err(near.into_iter().fold(failure, Failure::hint));
            };
            settings.extend(self.setting(flag, value, *kind)?);
        }
        let (name, origin) = (name.get_ref().clone().into_owned(), self.origin(name.span()));
        Ok(Profile { name, settings, origin })
    }

    fn place(&self, value: &Spanned<DeValue<'_>>) -> Result<S3Uri, Failure> {
        let place: S3Uri = self.string(value)?.parse().map_err(|why| self.error(value.span(), why))?;
        if has_wildcard(&place.key) {
            let failure = self.error(value.span(), "a match has no wildcards");
            return Err(failure.hint("a match that ends in / is for everything under it"));
        }
        Ok(place)
    }

    /// A flag with its values, or nothing where it is switched off.
    fn setting(
        &self,
        name: &Spanned<Name<'_>>,
        value: &Spanned<DeValue<'_>>,
        kind: Kind,
    ) -> Result<Option<Setting>, Failure> {
        let wrong = |wanted: &str| {
            let found = value.get_ref().type_str();
            self.error(value.span(), format!("{} takes {wanted}, not {found}", name.get_ref()))
        };
        let value_of = match (kind, value.get_ref()) {
            (Kind::Switch, DeValue::Boolean(on)) => SettingValue::Switch((*on).into()),
            (Kind::Switch, DeValue::Integer(count)) => {
                let count = count.as_str().parse().ok().filter(|count| *count <= 9);
                SettingValue::Switch(count.ok_or_else(|| wrong("true or false"))?)
            }
            (Kind::Switch, _) => return Err(wrong("true or false")),
            (Kind::Pairs, DeValue::Table(pairs)) => {
                let pairs = in_order(pairs).into_iter().map(|(key, value)| {
                    Ok(format!("{}={}", key.get_ref(), self.text(value, || wrong("a table of texts"))?))
                });
                SettingValue::Values(pairs.collect::<Result<_, Failure>>()?)
            }
            (Kind::Pairs, _) => return Err(wrong("a table such as { app = \"db\" }")),
            (Kind::Text | Kind::Source, DeValue::Array(values)) => {
                let texts = values.iter().map(|value| self.text(value, || wrong("texts")));
                SettingValue::Values(texts.collect::<Result<_, _>>()?)
            }
            (Kind::Text | Kind::Source, _) => {
                SettingValue::Values(vec![self.text(value, || wrong("a text"))?])
            }
        };
        if let (Kind::Source, SettingValue::Values(sources)) = (kind, &value_of) {
            for source in sources {
                self.is_source(source, value.span(), name.get_ref())?;
            }
        }
        let nothing = matches!(&value_of, SettingValue::Switch(0));
        let (name, origin) = (name.get_ref().clone().into_owned(), self.origin(name.span()));
        Ok((!nothing).then_some(Setting { name, value: value_of, origin }))
    }

    /// Refuses a key where its source belongs, before any message repeats it, and a path that another directory would
    /// change.
    fn is_source(&self, source: &str, span: Range<usize>, name: &str) -> Result<(), Failure> {
        let (scheme, rest) = match source.split_once(':') {
            Some((scheme @ ("file" | "env" | "fd" | "cmd"), rest)) => (scheme, rest),
            _ if source == "prompt" => ("prompt", ""),
            _ => ("file", source),
        };
        let is_key = |text: &str| keys::looks_like_key(text) && !Path::new(text).exists();
        if is_key(source) || is_key(rest) || source.contains("-----BEGIN") {
            return Err(self
                .error(span, format!("the value of {name} is a key, not the source of one"))
                .hint("put it into a file that only you can read (chmod 600), and name the file here")
                .hint("others may have read this file: make a new key with `s3seal keygen FILE`"));
        }
        if scheme == "file" && !rest.starts_with('/') && !rest.starts_with("~/") {
            return Err(self
                .error(span, format!("{name}: the path must be absolute"))
                .hint("write all of it, from / or ~/: a file must mean the same in every directory"));
        }
        Ok(())
    }

    fn string<'v>(&self, value: &'v Spanned<DeValue<'_>>) -> Result<&'v str, Failure> {
        value.get_ref().as_str().ok_or_else(|| self.error(value.span(), "write a text in quotes"))
    }

    /// A text, or a number as it would be typed.
    fn text(&self, value: &Spanned<DeValue<'_>>, wrong: impl FnOnce() -> Failure) -> Result<String, Failure> {
        let text = match value.get_ref() {
            DeValue::String(text) => text.as_ref(),
            DeValue::Integer(number) if number.radix() == 10 => number.as_str(),
            _ => return Err(wrong()),
        };
        if text.is_empty() || text.contains(char::is_control) {
            return Err(self.error(value.span(), "a text is one line that is not empty"));
        }
        Ok(text.to_owned())
    }

    /// A text or a list of texts, at least one.
    fn several<T, E: Display>(
        &self,
        value: &Spanned<DeValue<'_>>,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Result<Vec<T>, Failure> {
        let one = std::slice::from_ref(value);
        let values = match value.get_ref() {
            DeValue::Array(values) => values.iter().collect::<Vec<_>>(),
            _ => one.iter().collect(),
        };
        if values.is_empty() {
            return Err(self.error(value.span(), "an empty list demands nothing: leave it out"));
        }
        let parse = |value: &Spanned<DeValue<'_>>| {
            parse(self.string(value)?).map_err(|why| self.error(value.span(), why))
        };
        values.into_iter().map(parse).collect()
    }
}

/// The format of a rule that has a context and a key that is not in KMS: the only one that can hold both.
fn format_for_context(encryption: &[Setting]) -> Option<Setting> {
    let find = |name: &str| encryption.iter().find(|setting| setting.name == name);
    let context = find("context").or_else(|| find("bind-name"))?;
    let is_local = ["key", "public-key", "passphrase"].iter().any(|name| find(name).is_some());
    let value = SettingValue::Values(vec![Format::Esdk.as_str().to_owned()]);
    let format = Setting { name: "format".to_owned(), value, origin: context.origin.clone() };
    (is_local && find("format").is_none() && find("kms-key").is_none()).then_some(format)
}

fn mode(text: &str) -> Result<Mode, String> {
    let modes = Mode::value_variants();
    let words = || modes.iter().map(|mode| mode.as_str()).collect::<Vec<_>>().join(", ");
    let found = modes.iter().find(|mode| mode.as_str() == text).copied();
    found.ok_or_else(|| format!("{text} is not a mode: write one of {}", words()))
}

/// The known name that somebody may have meant.
pub(super) fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let rated = known.map(|known| (strsim::jaro_winkler(name, known), known));
    let best = rated.max_by(|(one, _), (other, _)| one.total_cmp(other))?;
    (best.0 > SIMILAR).then_some(best.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    fn read(text: &str) -> Result<ConfigFile, Failure> {
        let known = [("region", Kind::Text), ("quiet", Kind::Switch), ("verbose", Kind::Switch)];
        let more = [("metadata", Kind::Pairs), ("key", Kind::Source), ("jobs", Kind::Text)];
        let flags = known.into_iter().chain(more).map(|(name, kind)| (name.to_owned(), kind));
        file(Path::new("/c"), text, &Flags(flags.collect()))
    }

    fn refused(text: &str) -> String {
        let failure = read(text).expect_err(text);
        format!("{} | {}", failure.error, failure.hints.join(" | "))
    }

    #[test]
    fn every_setting_of_a_rule_is_read_with_its_line() {
        let text = "[[rule]]\nmatch = \"s3://backup/db/\"\nencrypt = \"client\"\npublic-key = \"/etc/s3seal/seal.pem\"\n\
                    context = { app = \"db\", tier = \"1\" }\nbind-name = true\nbucket-key = false\n\
                    must-encrypt = [\"client\", \"sse-kms\"]\n\
                    kms-keys = [\"arn:aws:kms:eu-west-1:111122223333:key/*\"]\n\
                    expected-bucket-owner = \"111122223333\"\n";
        let file = read(text).unwrap();
        let [rule] = file.rules.as_slice() else { panic!("{file:?}") };
        assert_eq!((rule.place.to_string().as_str(), rule.origin.line), ("s3://backup/db/", 1));
        let settings: Vec<_> = rule
            .encryption
            .iter()
            .map(|setting| (setting.name.as_str(), setting.value.clone(), setting.origin.line))
            .collect();
        let values = |texts: &[&str]| SettingValue::Values(texts.iter().map(|t| (*t).to_owned()).collect());
        assert_eq!(
            settings,
            [
                ("encrypt", values(&["client"]), 3),
                ("public-key", values(&["/etc/s3seal/seal.pem"]), 4),
                ("context", values(&["app=db", "tier=1"]), 5),
                ("bind-name", SettingValue::Switch(1), 6),
                ("format", values(&["esdk"]), 5),
            ]
        );
        assert_eq!(rule.must_encrypt, [Mode::Client, Mode::SseKms]);
        assert_eq!(rule.kms_keys.len(), 1);
        assert_eq!(rule.owner.as_ref().unwrap().origin.line, 10);
    }

    #[test]
    fn a_profile_takes_flags_by_their_long_names() {
        let text = "[profile.backup]\nregion = \"eu-west-1\"\njobs = 4\nquiet = true\nverbose = 2\nmetadata = { a = \"b\" }\n";
        let file = read(text).unwrap();
        let [profile] = file.profiles.as_slice() else { panic!("{file:?}") };
        let names: Vec<_> = profile.settings.iter().map(|setting| setting.name.as_str()).collect();
        assert_eq!(names, ["region", "jobs", "quiet", "verbose", "metadata"], "not in the file's order");
        assert_eq!(profile.settings[3].value, SettingValue::Switch(2));
        assert_eq!((profile.name.as_str(), profile.origin.line), ("backup", 1));
    }

    #[test]
    fn what_is_wrong_is_named_by_line_and_column() {
        for (text, said) in [
            (
                "[[rule]]\nmatch = \"s3://bkt/\"\npubic-key = \"/k\"",
                "/c:3:1: pubic-key is not a setting of a rule | the nearest name is public-key",
            ),
            ("[[rules]]\n", "/c:1:3: rules is no part of this file | the nearest name is rule"),
            (
                "[profile.a]\nregoin = \"x\"",
                "/c:2:1: regoin is not the long name of a flag | the nearest name is region",
            ),
            ("[profile.a]\noverride-rules = true", "/c:2:1: --override-rules is for the command line only"),
            ("[[rule]]\nmatch = \"bkt/\"", "/c:2:9: "),
            ("[[rule]]\nmatch = \"s3://bkt/*.sql\"", "/c:2:9: a match has no wildcards"),
            ("\n[[rule]]\nencrypt = \"sse-s3\"", "/c:2: a rule needs match"),
            (
                "[[rule]]\nmatch = \"s3://bkt/\"\nencrypt = \"aes\"",
                "/c:3:11: aes is not a mode: write one of sse-s3, ",
            ),
            (
                "[[rule]]\nmatch = \"s3://bkt/\"\nmust-encrypt = [\"client\", \"x\"]",
                "/c:3:27: x is not a mode",
            ),
            ("[[rule]]\nmatch = \"s3://bkt/\"\nmust-encrypt = []", "/c:3:16: an empty list"),
            (
                "[[rule]]\nmatch = \"s3://bkt/\"\nkms-keys = \"alias/a\"",
                "/c:3:12: write the ARN of a KMS key",
            ),
            (
                "[[rule]]\nmatch = \"s3://bkt/\"\nexpected-bucket-owner = \"me\"",
                "/c:3:25: write the twelve digits",
            ),
            (
                "[[rule]]\nmatch = \"s3://bkt/\"\nbind-name = \"yes\"",
                "/c:3:13: bind-name takes true or false, not string",
            ),
            ("[[rule]]\nmatch = \"s3://bkt/\"\nmatch = \"s3://b\"", "/c:3:1: duplicate key"),
            (
                "[[rule]]\nmatch = \"s3://bkt/\"\n[[rule]]\nmatch = \"s3://bkt/\"",
                "/c:3: the rule at line 1 has the same match",
            ),
            ("[rule]\nmatch = \"s3://bkt/\"", "/c:1:2: write [[rule]]"),
            ("x", "/c:1:2: "),
        ] {
            let refused = refused(text);
            assert!(refused.starts_with(said), "{text:?}: {refused}");
        }
    }

    #[test]
    fn a_key_is_refused_where_its_source_belongs_and_not_repeated() {
        let pem = "-----BEGIN PRIVATE KEY-----";
        for key in [KEY, &format!("file:{KEY}"), &format!("env:{KEY}"), pem] {
            for text in [
                format!("[[rule]]\nmatch = \"s3://bkt/\"\nkey = \"{key}\""),
                format!("[profile.a]\nkey = [\"/a\", \"{key}\"]"),
            ] {
                let refused = refused(&text);
                assert!(refused.contains("is a key, not the source of one"), "{refused}");
                assert!(!refused.contains(&KEY[4..30]) && !refused.contains(pem), "{refused}");
            }
        }
        let relative = refused("[[rule]]\nmatch = \"s3://bkt/\"\nkey = \"k\"");
        assert!(relative.contains("/c:3:7: key: the path must be absolute"), "{relative}");
        for source in ["/k", "~/k", "file:/k", "env:K", "fd:3", "cmd:pass show k", "prompt"] {
            assert!(
                read(&format!("[[rule]]\nmatch = \"s3://bkt/\"\nkey = \"{source}\"")).is_ok(),
                "{source}"
            );
        }
    }
}
