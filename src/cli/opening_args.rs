//! The flags of `get` for decryption: the required mode, the keys, and the conditions for decrypting an object with
//! them.

use super::decryption_args::{LocalKeyArgs, TrustArgs};
use super::failure::Failure;
use super::key_reader::KeyFileArgs;
use super::key_source::SourceText;
use crate::encryption::{KmsKey, Mode, pair};

/// How the object is decrypted.
#[derive(clap::Args)]
#[command(next_help_heading = "Encryption")]
pub(super) struct OpeningArgs {
    /// Fail unless the object is encrypted in this mode; use keys for no other mode
    #[arg(short = 'e', long = "encrypt", value_name = "MODE")]
    pub(super) mode: Option<Mode>,

    #[command(flatten)]
    pub(super) keys: LocalKeyArgs<false>,

    /// Accepted only to say that --private-key decrypts.
    #[arg(long, hide = true, value_name = "SOURCE")]
    public_key: Vec<SourceText>,

    /// A KMS key that may decrypt the object; repeatable
    #[arg(long, value_name = "KEY")]
    pub(super) kms_key: Vec<KmsKey>,

    /// A pair that the object's encryption context must contain; repeatable
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    pub(super) context: Vec<(String, String)>,

    #[command(flatten)]
    pub(super) trust: TrustArgs,

    #[command(flatten)]
    pub(super) key_file: KeyFileArgs,
}

impl OpeningArgs {
    /// Refuses keys of another mode than the one required.
    pub(super) fn only_what_fits(&self) -> Result<(), Failure> {
        if !self.public_key.is_empty() {
            return Err(
                Failure::usage("--public-key encrypts; it cannot decrypt").hint("decrypt with --private-key")
            );
        }
        let Some(mode) = self.mode else { return Ok(()) };
        let [sse_c_key, key, private_key, passphrase] = self.keys.are_given();
        if mode == Mode::SseC && key.0 {
            return Err(Failure::usage("--key does not go with -e sse-c")
                .hint("sse-c sends its key to S3: pass it with --sse-c-key"));
        }
        if mode == Mode::SseC && !sse_c_key.0 {
            return Err(Failure::usage("-e sse-c needs the key that the object was encrypted with")
                .hint("add --sse-c-key SOURCE"));
        }
        let envelope = &self.trust.envelope;
        let client_side = [
            key,
            private_key,
            passphrase,
            (!self.kms_key.is_empty(), "--kms-key"),
            (self.trust.kms_discovery, "--kms-discovery"),
            (!self.context.is_empty(), "--context"),
            (self.trust.require_bound_name, "--require-bound-name"),
            (envelope.allow_legacy.is_some(), "--allow-legacy"),
            (envelope.instruction_suffix.is_some(), "--instruction-suffix"),
        ];
        let mut given =
            [(Mode::SseC, sse_c_key)].into_iter().chain(client_side.map(|flag| (Mode::Client, flag)));
        let Some((fitting, (_, flag))) = given.find(|(of, (is_given, _))| *is_given && *of != mode) else {
            return Ok(());
        };
        let failure = Failure::usage(format!("{flag} does not go with -e {mode}"));
        Err(if matches!(mode, Mode::SseS3 | Mode::SseKms | Mode::DsseKms) {
            failure.hint("S3 decrypts these objects itself; leave it out")
        } else {
            failure.hint(format!("leave it out, or use -e {fitting}"))
        })
    }
}
