//! Splits a command line into words as its shell would, and quotes words for it.
//!
//! Nothing is expanded: what only the shell can expand, such as `$HOME`, stays as it was typed.

use std::iter::Peekable;
use std::mem;
use std::str::{Chars, FromStr};

/// The shells whose scripts ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shell {
    Bash,
    Zsh,
    Fish,
}

impl FromStr for Shell {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        match name {
            "bash" => Ok(Self::Bash),
            "zsh" => Ok(Self::Zsh),
            "fish" => Ok(Self::Fish),
            _ => Err(()),
        }
    }
}

/// A word without its quotes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) text: String,
    /// The quote that is still open at the word's end.
    pub(super) quote: Option<char>,
    /// Where in `text` begins what readline takes for the word: after a quote or an unquoted word break.
    pub(super) start: usize,
    /// Whether it begins with a tilde that the shell expands.
    pub(super) has_tilde: bool,
}

/// Splits a line; its last word, which may be empty, is the one at its end. `breaks` are readline's word breaks.
pub(super) fn words(line: &str, shell: Shell, breaks: &str) -> Vec<Word> {
    let (mut words, mut word, mut has_begun) = (Vec::new(), Word::default(), false);
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match word.quote {
            None if c.is_ascii_whitespace() => {
                if mem::take(&mut has_begun) {
                    words.push(mem::take(&mut word));
                }
                continue;
            }
            quote if c == '\\' => word.text.extend(escaped(quote, shell, &mut chars)),
            None if matches!(c, '\'' | '"') => {
                word.quote = Some(c);
                word.start = word.text.len();
            }
            Some(quote) if c == quote => {
                word.quote = None;
                word.start = word.text.len();
            }
            None => {
                word.has_tilde |= c == '~' && !has_begun;
                word.text.push(c);
                if breaks.contains(c) {
                    word.start = word.text.len();
                }
            }
            Some(_) => word.text.push(c),
        }
        has_begun = true;
    }
    words.push(word);
    words
}

/// What a backslash and the characters after it stand for.
fn escaped(quote: Option<char>, shell: Shell, after: &mut Peekable<Chars<'_>>) -> Option<char> {
    let special = match (quote, shell) {
        (None, _) => return after.next().filter(|c| *c != '\n'),
        (Some('\''), Shell::Fish) => "'\\",
        (Some('\''), _) => "",
        (Some(_), Shell::Fish) => "\"$\\",
        (Some(_), _) => "\"$`\\",
    };
    Some(after.next_if(|c| special.contains(*c)).unwrap_or('\\'))
}

/// Quotes text as part of a word in which `quote` is open. Fish quotes by itself what it is given.
pub(super) fn quoted(text: &str, quote: Option<char>, shell: Shell) -> String {
    let is_special = |c: char| match quote {
        None => c.is_ascii() && !c.is_ascii_alphanumeric() && !"-_./:=@%+,".contains(c),
        Some('\'') => false,
        Some(_) => "\"$`\\".contains(c),
    };
    if shell == Shell::Fish {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if quote == Some('\'') && c == '\'' {
            out.push_str(r"'\''");
            continue;
        }
        if is_special(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const BREAKS: &str = " \t\n\"'@><=;|&(:";

    fn texts(line: &str, shell: Shell) -> Vec<String> {
        words(line, shell, "").into_iter().map(|word| word.text).collect()
    }

    /// What readline keeps and what it replaces.
    fn parts(line: &str) -> (String, String, Option<char>) {
        let mut word = words(line, Shell::Bash, BREAKS).pop().unwrap();
        let replaced = word.text.split_off(word.start);
        (word.text, replaced, word.quote)
    }

    #[test]
    fn lines_are_split_as_shells_do() {
        assert_eq!(texts("s3seal get ", Shell::Bash), ["s3seal", "get", ""]);
        assert_eq!(texts(r#"a  b\ c 'd "e' "f\"g\h"i"#, Shell::Bash), ["a", "b c", "d \"e", r#"f"g\hi"#]);
        assert_eq!(texts(r"'a\'b c", Shell::Bash), [r"a\b", "c"]);
        assert_eq!(texts(r"'a\'b c", Shell::Fish), ["a'b c"]);
        assert_eq!(texts("a '' \\\n b\\", Shell::Zsh), ["a", "", "", "b"]);
    }

    #[test]
    fn what_readline_replaces_begins_after_a_break_or_a_quote() {
        let part = |kept: &str, replaced: &str, quote| (kept.to_owned(), replaced.to_owned(), quote);
        assert_eq!(parts("x s3://b/k"), part("s3:", "//b/k", None));
        assert_eq!(parts("x --key=file:a/b"), part("--key=file:", "a/b", None));
        assert_eq!(parts(r"x s3://b/a\:b\ c"), part("s3:", "//b/a:b c", None));
        assert_eq!(parts("x --to=\"s3://b/a b"), part("--to=", "s3://b/a b", Some('"')));
        assert_eq!(parts("x \"s3://b/\"d"), part("s3://b/", "d", None));
    }

    #[test]
    fn what_is_quoted_comes_back_as_it_was() {
        for text in ["a b", "it's $HOME;`x`", "\"\\", "größe 日本", "~x", "#*?[!]{}", "a:b=c"] {
            for shell in [Shell::Bash, Shell::Zsh] {
                for quote in [None, Some('\''), Some('"')] {
                    let open = quote.map(String::from).unwrap_or_default();
                    let line = format!("{open}{}{open}", quoted(text, quote, shell));
                    assert_eq!(texts(&line, shell), [text], "{line}");
                }
            }
        }
    }
}
