//! The key and the metadata of an instruction file, the object that holds the envelope of another one.
//!
//! `seal::s3ec::instruction` reads and writes its content.

use std::fmt;
use std::str::FromStr;

use crate::defaults;

/// The user metadata that marks an instruction file; its value is empty. The Java client writes it; readers do not
/// require it.
pub(crate) const INSTRUCTION_FILE_MARKER: &str = "x-amz-crypto-instr-file";

/// The suffix of an instruction file's key, after the object's key and a dot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InstructionSuffix(String);

impl InstructionSuffix {
    /// Without the dot.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for InstructionSuffix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for InstructionSuffix {
    type Err = &'static str;

    /// Accepts it with or without the dot.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.strip_prefix('.').unwrap_or(text) {
            "" => Err("write the suffix that follows the object's key, such as .instruction"),
            suffix => Ok(Self(suffix.to_owned())),
        }
    }
}

/// The key of an object's instruction file; the default suffix unless another is named.
pub(crate) fn instruction_file_key(object_key: &str, suffix: Option<&InstructionSuffix>) -> String {
    format!("{object_key}.{}", suffix.map_or(defaults::INSTRUCTION_SUFFIX, InstructionSuffix::as_str))
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
