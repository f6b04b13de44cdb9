//! Completes names that are in S3: buckets, and what is directly below a prefix.
//!
//! Somebody is waiting in the middle of typing a line. So nothing is printed, no question is asked, and after a second
//! there are no completions.

use std::env;
use std::time::Duration;

use clap::{Arg, Args, Command, FromArgMatches};

use super::Candidate;
use super::values::S3;
use crate::aws::{self, Connection, Options};
use crate::cli::connection_args::ConnectionArgs;
use crate::cli::output::Printer;
use crate::defaults;
use crate::location::S3Uri;

/// The variable that says how many seconds S3 is waited for; 0 asks it nothing.
pub(crate) const VARIABLE: &str = "S3SEAL_COMPLETE_REMOTE";

/// Finds the addresses that begin with what is typed, by way of the connection that the line's flags describe.
pub(super) async fn places(typed: &str, given: &[(&Arg, Option<&str>)]) -> Vec<Candidate> {
    let seconds =
        env::var(VARIABLE).ok().and_then(|text| text.parse().ok()).unwrap_or(defaults::COMPLETION_SECONDS);
    let Some(options) = options(given).filter(|_| seconds > 0 && is_off_the_terminal()) else {
        return Vec::new();
    };
    let found = tokio::time::timeout(Duration::from_secs(seconds), names(typed, options)).await;
    let found = found.ok().flatten().unwrap_or_default();
    found.into_iter().filter(|name| name.starts_with(typed)).map(|name| Candidate::new(name, "")).collect()
}

/// Leaves the terminal, so that a program which the profile names for credentials cannot ask there. Where that is not
/// allowed, S3 is not asked.
fn is_off_the_terminal() -> bool {
    rustix::process::setsid().is_ok()
}

async fn names(typed: &str, options: Options) -> Option<Vec<String>> {
    let connection: Connection = aws::connect(options).await.ok()?;
    if !typed.trim_start_matches(S3).contains('/') {
        let buckets = connection.bucket_names().await?;
        return Some(buckets.into_iter().map(|bucket| format!("{S3}{bucket}/")).collect());
    }
    let uri: S3Uri = typed.parse().ok()?;
    let below = connection.names_below(&uri).await?;
    Some(below.into_iter().map(|key| uri.with_key(key).to_string()).collect())
}

/// What the flags of the line say about the connection; `None` where it would be refused.
fn options(given: &[(&Arg, Option<&str>)]) -> Option<Options> {
    let flags = ConnectionArgs::augment_args(Command::new("s3seal").no_binary_name(true));
    let known =
        given.iter().filter(|(arg, _)| flags.get_arguments().any(|flag| flag.get_id() == arg.get_id()));
    let words: Vec<String> = known
        .filter_map(|(arg, value)| {
            let name = arg.get_long()?;
            Some(value.map_or_else(|| format!("--{name}"), |value| format!("--{name}={value}")))
        })
        .collect();
    let matches = flags.try_get_matches_from(words).ok()?;
    let options = ConnectionArgs::from_arg_matches(&matches).ok()?.options(&Printer::silent()).ok()?;
    Some(Options { max_attempts: Some(1), ..options })
}
