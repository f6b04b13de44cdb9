//! The flags about how bytes move: how many requests at once, and of which size.
//!
//! Limits that depend on the object's length are the planner's; here only what can be said at once.

use std::num::NonZeroUsize;

use super::failure::Failure;
use crate::limits::DEFAULT_JOBS_WITHOUT_TRANSFER;
use crate::transfer::plan::{MAX_PART, MIN_PART};
use crate::tuning::{ByteSize, Tuning};

/// How bytes move.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Transfer")]
pub(crate) struct TransferArgs {
    /// How many requests at once; memory is about JOBS × part size [default: 8; with -r 64 small objects]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    jobs: Option<u16>,

    /// Bytes of one request, such as 16MiB; grows where S3 needs it [default: 8MiB]
    #[arg(long, value_name = "BYTES")]
    part_size: Option<ByteSize>,
}

impl TransferArgs {
    /// Returns how many objects may be worked on at once whose bytes stay in S3.
    #[must_use]
    pub(crate) fn objects(&self) -> NonZeroUsize {
        self.jobs.and_then(|jobs| NonZeroUsize::new(jobs.into())).unwrap_or(DEFAULT_JOBS_WITHOUT_TRANSFER)
    }

    /// Returns the tuning.
    ///
    /// # Errors
    /// A usage failure for a part size that S3 does not take.
    pub(crate) fn tuning(&self, expected_size: Option<ByteSize>) -> Result<Tuning, Failure> {
        let default = Tuning::default();
        if let Some(size) = self.part_size.filter(|size| !(MIN_PART..=MAX_PART).contains(&size.0)) {
            return Err(
                Failure::usage(format!("--part-size: S3 takes no parts of {size}")).hint("use 5MiB to 5GiB")
            );
        }
        let jobs = self.jobs.and_then(|jobs| NonZeroUsize::new(jobs.into()));
        Ok(Tuning {
            jobs: jobs.unwrap_or(default.jobs),
            objects: jobs.unwrap_or(default.objects),
            part_size: self.part_size.map_or(default.part_size, |size| size.0),
            expected_size: expected_size.map(|size| size.0),
        })
    }
}
