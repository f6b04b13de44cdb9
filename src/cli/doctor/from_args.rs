//! What the objects have that a rotation is to change: the mode and the keys, with the flags of `rotate`.

use crate::cli::decryption_args::LocalKeyArgs;
use crate::cli::failure::Failure;
use crate::commands::permissions::Protection;
use crate::encryption::{KmsKey, Mode};

/// What objects have before they are rotated.
#[derive(clap::Args)]
#[command(next_help_heading = "Before a rotation")]
pub(super) struct FromArgs {
    /// The mode that objects are rotated away from [default: as the keys say, else sse-s3]
    #[arg(id = "from", long, value_name = "MODE")]
    mode: Option<Mode>,

    #[command(flatten)]
    pub(super) keys: LocalKeyArgs<true>,

    /// The KMS key that objects are rotated away from
    #[arg(id = "from_kms_key", long = "from-kms-key", value_name = "KEY")]
    pub(super) kms_key: Option<KmsKey>,
}

impl FromArgs {
    /// How the objects are encrypted, as far as permissions depend on it.
    pub(super) fn protection(&self) -> Protection {
        Protection::of(Some(self.mode()), self.kms_key.is_some())
    }

    /// The mode: the one that is named, or that of the keys.
    fn mode(&self) -> Mode {
        let [sse_c_key, client @ ..] = self.keys.are_given();
        match self.mode {
            Some(mode) => mode,
            None if sse_c_key.0 => Mode::SseC,
            None if client.iter().any(|(is_given, _)| *is_given) => Mode::Client,
            None if self.kms_key.is_some() => Mode::SseKms,
            None => Mode::SseS3,
        }
    }

    /// Refuses the flags where nothing is rotated.
    pub(super) fn only_of_rotations(&self, is_rotation: bool) -> Result<(), Failure> {
        let given = [(self.mode.is_some(), "--from"), (self.kms_key.is_some(), "--from-kms-key")];
        let mut given = given.into_iter().chain(self.keys.are_given()).filter(|(is_given, _)| *is_given);
        match given.next() {
            Some((_, flag)) if !is_rotation => Err(Failure::usage(format!("{flag} belongs to rotations"))
                .hint("add --for rotate or --policy rotate, or leave it out")),
            _ => Ok(()),
        }
    }
}
