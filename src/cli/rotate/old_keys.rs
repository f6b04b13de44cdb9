//! The flags that name what opens objects as they are now.
//!
//! Keys are read by `key_source`; which of them opens an object is `commands::unlock`'s to find.

use crate::cli::discovery_args::DiscoveryArgs;
use crate::cli::failure::Failure;
use crate::cli::key_source::SourceText;
use crate::cli::ring_sources::{RingSources, Typed};
use crate::encryption::{KmsKey, Legacy, pair};
use crate::tuning::ByteSize;

/// What opens the objects as they are.
#[derive(clap::Args)]
#[command(next_help_heading = "Old keys")]
pub(super) struct OldKeyArgs {
    /// Where an old SSE-C key is, which is sent to S3; repeatable, the right one is found
    #[arg(long, value_name = "SOURCE")]
    pub(super) from_sse_c_key: Vec<SourceText>,

    /// Where an old AES key of client-side objects is; it never leaves this machine; repeatable
    #[arg(long, value_name = "SOURCE")]
    pub(super) from_key: Vec<SourceText>,

    /// Where an old RSA private key (PEM) is; repeatable
    #[arg(long, value_name = "SOURCE")]
    pub(super) from_private_key: Vec<SourceText>,

    /// Where an old passphrase is; without a value it is asked for; repeatable
    #[arg(long, value_name = "SOURCE", num_args = 0..=1, default_missing_value = "prompt")]
    pub(super) from_passphrase: Vec<SourceText>,

    /// An old KMS key that may open what is client-side; repeatable
    #[arg(long, value_name = "KEY")]
    pub(super) from_kms_key: Vec<KmsKey>,

    #[command(flatten)]
    pub(super) discovery: DiscoveryArgs,

    /// A pair of the encryption context that client-side objects have now; repeatable
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    pub(super) from_context: Vec<(String, String)>,

    /// Refuse objects that --bind-name did not bind to the name they have
    #[arg(long)]
    pub(super) require_bound_name: bool,

    /// Open formats that prove less than today's
    #[arg(long, value_name = "WHAT")]
    pub(super) allow_legacy: Option<Legacy>,

    /// The most memory that an object may ask for to try a passphrase [default: 256MiB]
    #[arg(long, value_name = "SIZE")]
    pub(super) max_kdf_memory: Option<ByteSize>,

    /// The suffix of the instruction file's key [default: .instruction]
    #[arg(long, value_name = "SUFFIX")]
    pub(super) instruction_suffix: Option<String>,
}

impl OldKeyArgs {
    /// Where the keys are; none is read yet.
    ///
    /// # Errors
    /// A usage failure for a source that cannot be one.
    pub(super) fn sources(&self, allow_open: bool) -> Result<RingSources, Failure> {
        RingSources::understand_old(&Typed {
            sse_c_key: &self.from_sse_c_key,
            key: &self.from_key,
            private_key: &self.from_private_key,
            passphrase: &self.from_passphrase,
            allow_open,
        })
    }
}
