//! The flags for concurrency and part size.
//!
//! `transfer::plan` checks the limits that depend on the object's length.

use std::num::NonZeroUsize;

use super::failure::Failure;
use super::process;
use super::state_directory::state_directory;
use crate::aws::Options;
use crate::byte_size::{ByteSize, SizeError};
use crate::defaults;
use crate::limits::MAX_JOBS_ASKED;
use crate::s3_limits::{MAX_PART_BYTES, MIN_PART_BYTES};
use crate::transfer::resume::Records;
use crate::transfer_options::TransferOptions;

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Transfer")]
pub(crate) struct TransferArgs {
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=i64::from(MAX_JOBS_ASKED)))]
    #[arg(help = format!(
        "Number of concurrent requests; uses up to N × part size of memory [default: adapts to the link, up to {}]",
        defaults::MAX_JOBS
    ))]
    jobs: Option<u16>,

    #[arg(long, value_name = "BYTES")]
    #[arg(help = format!(
        "Part size, such as 16MiB; larger for large objects, because S3 limits the number of parts [default: {:#}]",
        defaults::PART_SIZE
    ))]
    part_size: Option<ByteSize>,

    #[command(flatten)]
    rate: RateArgs,
}

/// The flag of all verbs that move bytes, whatever else they take.
#[derive(Debug, clap::Args)]
pub(crate) struct RateArgs {
    /// The most bytes a second over all connections, such as 20MiB/s
    #[arg(long, value_name = "BYTES", value_parser = bytes_per_second)]
    limit_rate: Option<ByteSize>,
}

/// Reads a rate, also as other programs print it.
fn bytes_per_second(text: &str) -> Result<ByteSize, SizeError> {
    text.strip_suffix("/s").unwrap_or(text).parse()
}

impl RateArgs {
    /// Adds to the options of the connection what is about its bytes.
    pub(crate) fn limit(&self, options: Options) -> Result<Options, Failure> {
        if self.limit_rate == Some(ByteSize(0)) {
            return Err(Failure::usage("--limit-rate 0 lets nothing move").hint("leave it out for no limit"));
        }
        Ok(Options { limit_rate: self.limit_rate.map(|rate| rate.0), ..options })
    }
}

/// Whether to go on with what an earlier run has begun: for verbs whose transfers do.
#[derive(Clone, Copy, Debug, clap::Args)]
#[command(next_help_heading = "Transfer")]
pub(crate) struct ResumeArgs {
    /// Start anew, and keep nothing for the same command to go on with
    #[arg(long)]
    no_resume: bool,
}

impl ResumeArgs {
    pub(crate) fn records(self) -> Records {
        Records { folder: state_directory(), is_on: !self.no_resume }
    }
}

impl TransferArgs {
    /// Returns how many objects may be worked on at once whose bytes stay in S3.
    pub(crate) fn objects(&self) -> NonZeroUsize {
        self.asked_jobs().unwrap_or_else(|| process::jobs_within_open_files(defaults::JOBS_WITHOUT_TRANSFER))
    }

    /// The number of jobs asked for, as far as so many files may be open.
    fn asked_jobs(&self) -> Option<NonZeroUsize> {
        let asked = self.jobs.and_then(|jobs| NonZeroUsize::new(jobs.into()))?;
        Some(process::jobs_within_open_files(asked))
    }

    /// Adds to the options of the connection what is about its bytes.
    pub(crate) fn limit(&self, options: Options) -> Result<Options, Failure> {
        self.rate.limit(options)
    }

    pub(crate) fn options(&self, expected_size: Option<ByteSize>) -> Result<TransferOptions, Failure> {
        let default = TransferOptions::default();
        if let Some(size) = self.part_size.filter(|size| !(MIN_PART_BYTES..=MAX_PART_BYTES).contains(&size.0))
        {
            return Err(Failure::usage(format!(
                "--part-size {size}: the part size must be between {:#} and {:#}",
                ByteSize(MIN_PART_BYTES),
                ByteSize(MAX_PART_BYTES)
            ))
            .hint("leave it out: the size follows from the length"));
        }
        let jobs = self.asked_jobs();
        Ok(TransferOptions {
            jobs,
            objects: process::jobs_within_open_files(jobs.unwrap_or(default.objects)),
            part_size: self.part_size.map_or(default.part_size, |size| size.0),
            range_size: self.part_size.map(|size| size.0),
            expected_size: expected_size.map(|size| size.0),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_read_with_and_without_its_second() {
        for text in ["10MB", "10MB/s", "10 MB/s", "10000000/s"] {
            assert_eq!(bytes_per_second(text), Ok(ByteSize(10_000_000)), "{text}");
        }
        for text in ["10MB/min", "10MB/s/s", "/s", "80Mbit/s"] {
            assert!(bytes_per_second(text).is_err(), "{text}");
        }
    }
}
