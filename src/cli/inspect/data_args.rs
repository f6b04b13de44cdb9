//! The flags for reading the data, and for the keys with which to read it or to inspect more.

use std::num::NonZeroUsize;

use crate::aws::traffic::Traffic;
use crate::cli::decryption_args::{DecryptionSettings, LocalKeyArgs, TrustArgs};
use crate::cli::failure::Failure;
use crate::cli::key_reader::KeyFileArgs;
use crate::cli::process;
use crate::cli::transfer_args::RateArgs;
use crate::commands::inspect::ReadData;
use crate::commands::inspect::sample::{Sample, Share};
use crate::defaults;
use crate::encryption::{KmsKey, pair};
use crate::transfer::memory_budget::MemoryBudget;
use crate::transfer_options::TransferOptions;

/// Whether data is read, and of which objects.
#[derive(clap::Args)]
pub(super) struct DataArgs {
    /// Test a restore: also read, decrypt and verify the data, with the keys given; nothing is written
    #[arg(long, conflicts_with = "bucket_only")]
    pub(super) read_data: bool,

    /// Inspect and read only this share of the objects, such as 5%: random ones, others in each run
    #[arg(long, value_name = "PERCENT", requires = "read_data")]
    pub(super) sample: Option<Share>,

    #[command(flatten)]
    pub(super) rate: RateArgs,
}

impl DataArgs {
    /// How data is read, if it is; of one object or of many, with `jobs` requests at once.
    ///
    /// # Errors
    /// `Local` if the system has no random numbers.
    pub(super) fn read(
        &self,
        jobs: Option<NonZeroUsize>,
        traffic: &Traffic,
    ) -> Result<Option<ReadData>, Failure> {
        if !self.read_data {
            return Ok(None);
        }
        let jobs = jobs.map(process::jobs_within_open_files);
        let budget = MemoryBudget::new(&TransferOptions { jobs, ..TransferOptions::default() }, traffic);
        let sample = self.sample.map(Sample::new).transpose()?;
        Ok(Some(ReadData { budget, sample }))
    }

    /// How many objects are inspected at once.
    pub(super) fn jobs(&self, jobs: Option<NonZeroUsize>) -> NonZeroUsize {
        let default = if self.read_data { defaults::MAX_JOBS } else { defaults::JOBS_WITHOUT_TRANSFER };
        process::jobs_within_open_files(jobs.unwrap_or(default))
    }
}

/// Keys to see more with, or to read data with.
#[derive(clap::Args)]
#[command(next_help_heading = "Keys")]
pub(super) struct RingArgs {
    #[command(flatten)]
    pub(super) local: LocalKeyArgs<false>,

    /// With --read-data, a KMS key that may decrypt client-side objects; repeatable
    #[arg(long, value_name = "KEY")]
    kms_key: Vec<KmsKey>,

    /// With --read-data, a pair that the encryption context of client-side objects must contain; repeatable
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    context: Vec<(String, String)>,

    #[command(flatten)]
    trust: TrustArgs,

    #[command(flatten)]
    pub(super) key_file: KeyFileArgs,
}

impl RingArgs {
    /// Everything about decryption but the local keys.
    ///
    /// # Errors
    /// A usage failure for flags that only reading data needs, and those of [`TrustArgs::settings`].
    pub(super) fn settings(&self, reads: bool) -> Result<DecryptionSettings, Failure> {
        let of_reading = [
            (!self.kms_key.is_empty(), "--kms-key"),
            (!self.context.is_empty(), "--context"),
            (self.trust.kms_discovery, "--kms-discovery"),
            (self.trust.require_bound_name, "--require-bound-name"),
        ];
        if let Some((_, flag)) = of_reading.into_iter().find(|(is_given, _)| *is_given && !reads) {
            return Err(Failure::usage(format!(
                "{flag} is for --read-data; without it inspect decrypts nothing and does not ask AWS KMS to"
            ))
            .hint("add --read-data, or leave it out"));
        }
        self.trust.settings(("--kms-key", &self.kms_key), ("--context", &self.context))
    }
}
