//! Makes text that others chose (object keys, file names, server responses) safe for a terminal.
//!
//! Otherwise, whoever may name an object could move the cursor, forge lines or reverse the reading direction.

use std::borrow::Cow;
use std::fmt::Write;

/// Escapes control characters and those that change the reading direction, as `\u{…}`.
pub(crate) fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(harmful) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if harmful(c) => {
                let _ = write!(out, "{}", c.escape_unicode());
            }
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// Whether a terminal would act on it: Cc, the line separators, the marks of the bidirectional algorithm (UAX #9) and invisible tags.
pub(crate) fn harmful(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Quotes a word for a shell, if it needs that, so that a command in a hint can be pasted.
pub(crate) fn shell_word(word: &str) -> Cow<'_, str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        Cow::Borrowed(word)
    } else {
        Cow::Owned(format!("'{}'", word.replace('\'', r"'\''")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_the_cursor_or_the_eye_is_shown_not_done() {
        assert_eq!(escaped("s3://bkt/größe ☂ 日本"), "s3://bkt/größe ☂ 日本");
        assert_eq!(escaped("a\x1b[2Jb"), r"a\u{1b}[2Jb");
        assert_eq!(escaped("a\nerror: b\t\r"), r"a\nerror: b\t\r");
        assert_eq!(escaped("\u{9b}31m"), r"\u{9b}31m");
        assert_eq!(escaped("gpj.\u{202e}exe"), r"gpj.\u{202e}exe");
        assert_eq!(escaped("\u{2066}x\u{200b}"), r"\u{2066}x\u{200b}");
    }

    #[test]
    fn words_survive_a_shell() {
        assert_eq!(shell_word("a/b-c_1.txt"), "a/b-c_1.txt");
        assert_eq!(shell_word(""), "''");
        assert_eq!(shell_word("it's $HOME"), r"'it'\''s $HOME'");
        assert_eq!(shell_word("~x"), "'~x'");
    }
}
