//! Patterns that choose among keys: `*`, `?` and `[…]`, as `aws s3` and shells have them.
//!
//! Pure; what is chosen from is the verb's.

use std::str::FromStr;

use glob::MatchOptions;

/// A pattern over a whole key. `*` stands for any text, slashes too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    text: String,
    glob: glob::Pattern,
}

/// What a pattern may hold that does not stand for itself.
const SPECIAL: [char; 3] = ['*', '?', '['];

/// Keys are not paths: neither a slash nor a dot at the beginning is special.
const KEYS: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: false,
    require_literal_leading_dot: false,
};

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

/// Patterns in the order given: the last that fits decides. A key that none fits is in, unless the first of them includes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Filter(Vec<(Choice, Pattern)>);

/// What a filter comes to where only beginnings and ends of keys can be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Affix {
    /// Keys that begin so.
    Beginning(String),
    /// Keys that end so.
    End(String),
}

/// What a pattern does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// Takes what fits.
    Include,
    /// Leaves out what fits.
    Exclude,
}

impl Filter {
    /// Takes patterns in the order in which they were given.
    #[must_use]
    pub(crate) fn new(patterns: Vec<(Choice, Pattern)>) -> Self {
        Self(patterns)
    }

    /// The patterns as they were given, in their order: `+` before those that include, `-` before those that exclude.
    #[must_use]
    pub(crate) fn in_words(&self) -> Vec<String> {
        let sign = |choice| if choice == Choice::Include { '+' } else { '-' };
        self.0.iter().map(|(choice, pattern)| format!("{} {}", sign(*choice), pattern.text)).collect()
    }

    /// Reads a filter that includes one beginning (`abc*`) or one end (`*.sql`); `None` for every other.
    #[must_use]
    pub(crate) fn affix(&self) -> Option<Affix> {
        let [(Choice::Include, pattern)] = self.0.as_slice() else { return None };
        let literal = |text: &str| (!text.contains(SPECIAL)).then(|| text.to_owned());
        let end = pattern.text.trim_start_matches('*');
        let beginning = pattern.text.trim_end_matches('*');
        if !end.is_empty() && end.len() < pattern.text.len() {
            literal(end).map(Affix::End)
        } else if beginning.len() < pattern.text.len() {
            literal(beginning).map(Affix::Beginning)
        } else {
            None
        }
    }

    /// Whether a key is chosen.
    #[must_use]
    pub(crate) fn takes(&self, key: &str) -> bool {
        let last = self.0.iter().rev().find(|(_, pattern)| pattern.matches(key));
        match (last, self.0.first()) {
            (Some((choice, _)), _) => *choice == Choice::Include,
            (None, Some((Choice::Include, _))) => false,
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
        assert_eq!(read(Choice::Include, "*.sql"), Some(Affix::End(".sql".to_owned())));
        assert_eq!(read(Choice::Include, "2026-*"), Some(Affix::Beginning("2026-".to_owned())));
        assert_eq!(read(Choice::Include, "*"), Some(Affix::Beginning(String::new())));
        assert_eq!(read(Choice::Include, "**"), Some(Affix::Beginning(String::new())));
        assert_eq!(read(Choice::Include, "**.sql"), Some(Affix::End(".sql".to_owned())));
        for text in ["*a*", "a*b", "a", "?.sql", "*.[ch]", "*?", "a?*", ""] {
            assert_eq!(read(Choice::Include, text), None, "{text}");
        }
        assert_eq!(read(Choice::Exclude, "*.sql"), None);
        let sql = (Choice::Include, "*.sql".parse().unwrap());
        assert_eq!(Filter::new(vec![sql.clone(), sql]).affix(), None);
    }

    #[test]
    fn the_last_that_fits_decides() {
        use Choice::{Exclude, Include};
        let filter = |patterns: &[(Choice, &str)]| {
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
