//! What a terminal may get: text, and no characters that it would obey.

/// Text that arrives in pieces.
#[derive(Default)]
pub(super) struct TerminalText {
    /// The beginning of a character whose rest is to come with the next piece.
    cut: Vec<u8>,
    has_begun: bool,
}

impl TerminalText {
    /// Checks the next piece; its first and its last character may be cut.
    ///
    /// # Errors
    /// Why it is refused: it is not UTF-8, or it has control characters.
    pub(super) fn take(&mut self, piece: &[u8]) -> Result<(), &'static str> {
        if piece.is_empty() {
            return Ok(());
        }
        let bytes = [&self.cut, piece].concat();
        let Some(cut) = cut_of_text(&bytes) else {
            return Err(if self.has_begun {
                "is a terminal, and the object is not text from here on; the rest was not written"
            } else {
                "is a terminal, and the object is not text; nothing was written"
            });
        };
        (self.cut, self.has_begun) = (cut.to_vec(), true);
        Ok(())
    }
}

/// The character that is cut at the end of text; `None` for what is no text.
fn cut_of_text(bytes: &[u8]) -> Option<&[u8]> {
    let (text, cut) = match std::str::from_utf8(bytes) {
        Ok(text) => (text, &[][..]),
        Err(error) if error.error_len().is_none() => {
            let (text, cut) = bytes.split_at(error.valid_up_to());
            (std::str::from_utf8(text).ok()?, cut)
        }
        Err(_) => return None,
    };
    let is_obeyed = |c: char| c.is_control() && !matches!(c, '\n' | '\t' | '\r');
    (!text.contains(is_obeyed)).then_some(cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether bytes pass in pieces of one length.
    fn passes(bytes: &[u8], len: usize) -> bool {
        let mut text = TerminalText::default();
        bytes.chunks(len).all(|piece| text.take(piece).is_ok())
    }

    #[test]
    fn text_is_told_from_what_a_terminal_would_obey_wherever_it_is_cut() {
        for len in 1..8 {
            for text in ["a\n\tb\r\n", "größe ☂ 🦀", ""] {
                assert!(passes(text.as_bytes(), len), "{text:?} {len}");
            }
            assert!(passes(&"☂".as_bytes()[..2], len), "a character that is cut");
            for bytes in [
                &b"a\0"[..],
                b"\x1b[2J",
                b"text and more \x1b[2J",
                b"\x7f",
                "größe \u{9b}31m".as_bytes(),
                b"\xff",
                b"a\xffb",
                b"a\xe2\x98b",
                b"a\xc2\x1b",
            ] {
                assert!(!passes(bytes, len), "{bytes:?} {len}");
            }
        }
    }
}
