//! Filters of keys by patterns with `*`, `?` and `[…]`, as in `aws s3`.

use std::str::FromStr;

use glob::MatchOptions;

/// A pattern that matches a whole key. `*` matches any text, including slashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    text: String,
    glob: glob::Pattern,
}

/// The characters that begin a wildcard.
const SPECIAL: [char; 3] = ['*', '?', '['];

/// Keys are not paths: neither a slash nor a dot at the beginning is special.
const KEYS: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: false,
    require_literal_leading_dot: false,
};

/// Whether a key of an address is a pattern: only with a `*`, for `?` and `[` stand in many names.
pub(crate) fn has_wildcard(text: &str) -> bool {
    text.contains('*')
}

/// What all keys that match a pattern begin with.
pub(crate) fn literal_prefix(pattern: &str) -> &str {
    pattern.find(SPECIAL).map_or(pattern, |at| &pattern[..at])
}

impl FromStr for Pattern {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // Shells also take `^` for the inversion of a set.
        let mut glob = text.replace("[^", "[!");
        // Two stars are one: the crate would give them a meaning of their own between slashes, and refuse them elsewhere.
        while glob.contains("**") {
            glob = glob.replace("**", "*");
        }
        let glob = glob::Pattern::new(&glob).map_err(
            |_| "`[` begins a set that `]` does not end; to match the character itself, write `[[]`",
        )?;
        Ok(Self { text: text.to_owned(), glob })
    }
}

impl Pattern {
    /// Whether the whole key matches.
    pub(crate) fn matches(&self, key: &str) -> bool {
        self.glob.matches_with(key, KEYS)
    }
}

/// Patterns in the given order: the last one that matches decides. A key that matches none is included, unless the first
/// pattern includes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Filter(Vec<(FilterAction, Pattern)>);

/// A filter that compares only the beginning or the end of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Affix {
    /// Keys with this prefix.
    Prefix(String),
    /// Keys with this suffix.
    Suffix(String),
}

/// What a pattern does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FilterAction {
    /// Includes the keys that match.
    Include,
    /// Excludes the keys that match.
    Exclude,
}

impl Filter {
    /// Takes patterns in the order of the command line.
    pub(crate) fn new(patterns: Vec<(FilterAction, Pattern)>) -> Self {
        Self(patterns)
    }

    /// The patterns as typed, in their order: with `+` if they include, with `-` if they exclude.
    pub(crate) fn in_words(&self) -> Vec<String> {
        let sign = |choice| if choice == FilterAction::Include { '+' } else { '-' };
        self.0.iter().map(|(choice, pattern)| format!("{} {}", sign(*choice), pattern.text)).collect()
    }

    /// The patterns as options of the command line.
    pub(crate) fn options(&self) -> String {
        let name = |action| if action == FilterAction::Include { "include" } else { "exclude" };
        let options =
            self.0.iter().map(|(action, pattern)| format!("--{} '{}'", name(*action), pattern.text));
        options.collect::<Vec<_>>().join(" ")
    }

    /// Reads a filter that includes one prefix (`abc*`) or one suffix (`*.sql`); `None` for any other.
    pub(crate) fn affix(&self) -> Option<Affix> {
        let [(FilterAction::Include, pattern)] = self.0.as_slice() else { return None };
        let literal = |text: &str| (!text.contains(SPECIAL)).then(|| text.to_owned());
        let suffix = pattern.text.trim_start_matches('*');
        let prefix = pattern.text.trim_end_matches('*');
        if !suffix.is_empty() && suffix.len() < pattern.text.len() {
            literal(suffix).map(Affix::Suffix)
        } else if prefix.len() < pattern.text.len() {
            literal(prefix).map(Affix::Prefix)
        } else {
            None
        }
    }

    /// Whether a key is included.
    pub(crate) fn takes(&self, key: &str) -> bool {
        let last = self.0.iter().rev().find(|(_, pattern)| pattern.matches(key));
        match (last, self.0.first()) {
            (Some((choice, _)), _) => *choice == FilterAction::Include,
            (None, Some((FilterAction::Include, _))) => false,
            (None, _) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, key: &str) -> bool {
        pattern.parse::<Pattern>().unwrap().matches(key)
    }

    #[test]
    fn patterns_match_whole_keys() {
        for (pattern, key, expected) in [
            ("*.sql", "db/a.sql", true),
            ("*.sql", "a.sql.gz", false),
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("a?c", "abc", true),
            ("a?c", "aäc", true),
            ("a?c", "ac", false),
            ("*a*b*", "xxaxxbxx", true),
            ("*a*b", "xxbxxa", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[^a-c]x", "dx", true),
            ("[]]", "]", true),
            ("[[]a]", "[a]", true),
            ("[a-]", "-", true),
            ("a\\*", "a\\b", true),
        ] {
            assert_eq!(matches(pattern, key), expected, "{pattern} {key}");
        }
    }

    /// In S3 a slash is a character of the key like any other: whoever excludes `*.key` means those in every folder, as
    /// in `aws s3`. Shells stop a star at a slash, hide what begins with a dot, and read braces and `**/`.
    #[test]
    fn a_slash_a_dot_and_braces_are_characters_like_others() {
        for (pattern, key, expected) in [
            ("*.key", "a/b/c.key", true),
            ("a?b", "a/b", true),
            ("[!x]b", "/b", true),
            ("*", ".hidden/.file", true),
            ("**", "a/b", true),
            ("a/**/b", "a/b", false),
            ("a/**/b", "a/x/b", true),
            ("**/b", "b", false),
            ("a**b***c", "a/b/c", true),
            ("{a,b}", "a", false),
            ("{a,b}", "{a,b}", true),
            ("A*", "abc", false),
        ] {
            assert_eq!(matches(pattern, key), expected, "{pattern} {key}");
        }
    }

    #[test]
    fn a_set_without_end_is_refused() {
        for text in ["[a", "a[", "[]", "[!]", "[^]", "*[x"] {
            let refusal = text.parse::<Pattern>().unwrap_err();
            assert!(refusal.contains("write `[[]`"), "{text}: {refusal}");
        }
    }

    #[test]
    fn a_hostile_pattern_ends() {
        assert!(!matches(&"*a".repeat(50), &"a".repeat(40)));
        assert!(!matches(&format!("{}b", "*a".repeat(30)), &"a".repeat(1024)));
        assert!(!matches(&format!("{}b*", "*a?".repeat(30)), &"a".repeat(1024)));
    }

    #[test]
    fn a_beginning_or_an_end_is_told_from_other_filters() {
        let read = |choice, text: &str| Filter::new(vec![(choice, text.parse().unwrap())]).affix();
        assert_eq!(read(FilterAction::Include, "*.sql"), Some(Affix::Suffix(".sql".to_owned())));
        assert_eq!(read(FilterAction::Include, "2026-*"), Some(Affix::Prefix("2026-".to_owned())));
        assert_eq!(read(FilterAction::Include, "*"), Some(Affix::Prefix(String::new())));
        assert_eq!(read(FilterAction::Include, "**"), Some(Affix::Prefix(String::new())));
        assert_eq!(read(FilterAction::Include, "**.sql"), Some(Affix::Suffix(".sql".to_owned())));
        for text in ["*a*", "a*b", "a", "?.sql", "*.[ch]", "*?", "a?*", ""] {
            assert_eq!(read(FilterAction::Include, text), None, "{text}");
        }
        assert_eq!(read(FilterAction::Exclude, "*.sql"), None);
        let sql = (FilterAction::Include, "*.sql".parse().unwrap());
        assert_eq!(Filter::new(vec![sql.clone(), sql]).affix(), None);
    }

    #[test]
    fn the_last_that_fits_decides() {
        use FilterAction::{Exclude, Include};
        let filter = |patterns: &[(FilterAction, &str)]| {
            Filter::new(patterns.iter().map(|(choice, text)| (*choice, text.parse().unwrap())).collect())
        };
        assert!(Filter::default().takes("x"));
        let only = filter(&[(Include, "*.sql")]);
        assert!(only.takes("a.sql") && !only.takes("a.txt"));
        let without = filter(&[(Exclude, "*.tmp")]);
        assert!(!without.takes("a.tmp") && without.takes("a.txt"));
        let aws = filter(&[(Exclude, "*"), (Include, "*.sql"), (Exclude, "old/*")]);
        assert!(aws.takes("a.sql") && !aws.takes("a.txt") && !aws.takes("old/a.sql"));
    }
}
