//! Patterns that choose among keys: `*`, `?` and `[…]`, as `aws s3` and shells have them.
//!
//! Pure; what is chosen from is the verb's. Matching takes time in proportion to pattern times key at the worst.

use std::str::FromStr;

/// A pattern over a whole key. `*` stands for any text, slashes too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    text: String,
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Any,
    One,
    Letter(char),
    Set { ranges: Vec<(char, char)>, inverted: bool },
}

impl Piece {
    fn takes(&self, c: char) -> bool {
        match self {
            Self::Any | Self::One => true,
            Self::Letter(letter) => *letter == c,
            Self::Set { ranges, inverted } => {
                ranges.iter().any(|(first, last)| (*first..=*last).contains(&c)) != *inverted
            }
        }
    }
}

impl FromStr for Pattern {
    type Err = std::convert::Infallible;

    /// Takes anything: a bracket that is not closed stands for itself.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let letters: Vec<char> = text.chars().collect();
        let mut pieces = Vec::new();
        let mut rest = letters.as_slice();
        while let Some((first, tail)) = rest.split_first() {
            rest = tail;
            match first {
                '*' if pieces.last() == Some(&Piece::Any) => {}
                '*' => pieces.push(Piece::Any),
                '?' => pieces.push(Piece::One),
                '[' => match set(tail) {
                    Some((piece, after)) => {
                        pieces.push(piece);
                        rest = after;
                    }
                    None => pieces.push(Piece::Letter('[')),
                },
                letter => pieces.push(Piece::Letter(*letter)),
            }
        }
        Ok(Self { text: text.to_owned(), pieces })
    }
}

/// Reads a set after its opening bracket.
fn set(letters: &[char]) -> Option<(Piece, &[char])> {
    let inverted = matches!(letters.first(), Some('!' | '^'));
    let letters = if inverted { &letters[1..] } else { letters };
    // A closing bracket right at the beginning is a member.
    let end = 1 + letters.get(1..)?.iter().position(|c| *c == ']')?;
    let mut ranges = Vec::new();
    let mut members = &letters[..end];
    while let Some((first, tail)) = members.split_first() {
        members = tail;
        if let ['-', last, after @ ..] = tail {
            ranges.push((*first, *last));
            members = after;
        } else {
            ranges.push((*first, *first));
        }
    }
    Some((Piece::Set { ranges, inverted }, &letters[end + 1..]))
}

impl Pattern {
    /// Whether the whole key fits.
    #[must_use]
    pub(crate) fn fits(&self, key: &str) -> bool {
        let key: Vec<char> = key.chars().collect();
        let (mut piece, mut letter) = (0, 0);
        // Where to go back to: the last star, and the letter that it takes next.
        let mut star: Option<(usize, usize)> = None;
        while letter < key.len() {
            match self.pieces.get(piece) {
                Some(Piece::Any) => {
                    star = Some((piece, letter));
                    piece += 1;
                }
                Some(one) if one.takes(key[letter]) => {
                    piece += 1;
                    letter += 1;
                }
                _ => match &mut star {
                    None => return false,
                    Some((at, next)) => {
                        *next += 1;
                        (piece, letter) = (*at + 1, *next);
                    }
                },
            }
        }
        self.pieces[piece..].iter().all(|piece| *piece == Piece::Any)
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
        let text = |pieces: &[Piece]| {
            let letters = pieces.iter().map(|piece| match piece {
                Piece::Letter(letter) => Some(*letter),
                _ => None,
            });
            letters.collect::<Option<String>>()
        };
        match pattern.pieces.as_slice() {
            [Piece::Any, end @ ..] if !end.is_empty() => text(end).map(Affix::End),
            [beginning @ .., Piece::Any] => text(beginning).map(Affix::Beginning),
            _ => None,
        }
    }

    /// Whether a key is chosen.
    #[must_use]
    pub(crate) fn takes(&self, key: &str) -> bool {
        let last = self.0.iter().rev().find(|(_, pattern)| pattern.fits(key));
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

    fn fits(pattern: &str, key: &str) -> bool {
        pattern.parse::<Pattern>().unwrap().fits(key)
    }

    #[test]
    fn patterns_fit_whole_keys() {
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
            ("[a", "[a", true),
            ("a[", "a[", true),
            ("[a-]", "-", true),
            ("**", "a/b", true),
            ("a\\*", "a\\b", true),
        ] {
            assert_eq!(fits(pattern, key), expected, "{pattern} {key}");
        }
    }

    #[test]
    fn a_hostile_pattern_ends() {
        assert!(!fits(&"*a".repeat(50), &"a".repeat(40)));
        assert!(!fits(&format!("{}b", "*a".repeat(30)), &"a".repeat(1024)));
    }

    #[test]
    fn a_beginning_or_an_end_is_told_from_other_filters() {
        let read = |choice, text: &str| Filter::new(vec![(choice, text.parse().unwrap())]).affix();
        assert_eq!(read(Choice::Include, "*.sql"), Some(Affix::End(".sql".to_owned())));
        assert_eq!(read(Choice::Include, "2026-*"), Some(Affix::Beginning("2026-".to_owned())));
        assert_eq!(read(Choice::Include, "*"), Some(Affix::Beginning(String::new())));
        for text in ["*a*", "a*b", "a", "?.sql", "*.[ch]", ""] {
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
