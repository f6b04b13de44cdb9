//! Instruction files: the object that holds the envelope of another one, by its name and its sign.
//!
//! What stands in the file is the format's; who fetches or writes it is the verb.

use std::fmt;
use std::str::FromStr;

/// User metadata that marks an instruction file, as the official Java client does; its value is empty. Optional when
/// reading.
pub(crate) const INSTRUCTION_FILE_MARKER: &str = "x-amz-crypto-instr-file";

/// What follows the object's key and a dot in the key of its instruction file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InstructionSuffix(String);

impl InstructionSuffix {
    /// The suffix without the dot.
    #[must_use]
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for InstructionSuffix {
    fn default() -> Self {
        Self("instruction".to_owned())
    }
}

impl fmt::Display for InstructionSuffix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for InstructionSuffix {
    type Err = &'static str;

    /// The dot may be typed or not.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.strip_prefix('.').unwrap_or(text) {
            "" => Err("write the suffix that follows the object's key, such as .instruction"),
            suffix => Ok(Self(suffix.to_owned())),
        }
    }
}

/// The key of an object's instruction file; the default suffix unless another is named.
#[must_use]
pub(crate) fn instruction_file_key(object_key: &str, suffix: Option<&InstructionSuffix>) -> String {
    format!("{object_key}.{}", suffix.cloned().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dot_may_be_typed_or_not() {
        for text in ["partner", ".partner"] {
            let suffix: InstructionSuffix = text.parse().unwrap();
            assert_eq!(instruction_file_key("a/b", Some(&suffix)), "a/b.partner");
        }
        assert_eq!(instruction_file_key("a/b", None), "a/b.instruction");
        assert!("".parse::<InstructionSuffix>().is_err() && ".".parse::<InstructionSuffix>().is_err());
    }
}
