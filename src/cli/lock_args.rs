//! The flags for Object Lock: the retention period and mode of a version, and its legal hold.

use std::str::FromStr;

use clap::ValueHint;
use clap::builder::PossibleValue;

use super::failure::Failure;
use crate::aws::timestamp::{local_now, seconds_of};
use crate::object::{Lock, SECONDS_PER_DAY};

/// The longest retention in days: that of S3's default retention (100 years).
const MAX_DAYS: i64 = 36_500;

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Object")]
pub(crate) struct LockArgs {
    /// Lock the version with Object Lock: governance (a permission lifts it) or compliance (nobody can)
    #[arg(long, value_name = "MODE", ignore_case = true, hide_possible_values = true)]
    lock_mode: Option<LockMode>,

    /// The end of the lock: a date (2030-01-31 is midnight UTC; 2030-01-31T12:00:00Z) or days from now (30d)
    #[arg(long, value_name = "DATE|DAYS", value_hint = ValueHint::Other)]
    retain_until: Option<RetainUntil>,

    /// Put a legal hold on the version: it stays until the hold is lifted
    #[arg(long)]
    legal_hold: bool,
}

#[derive(Clone, Copy, Debug)]
enum LockMode {
    Governance,
    Compliance,
}

impl clap::ValueEnum for LockMode {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Governance, Self::Compliance]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::Governance => PossibleValue::new("governance").help("a permission lifts the lock"),
            Self::Compliance => PossibleValue::new("compliance").help("nobody can lift the lock"),
        })
    }
}

impl LockMode {
    /// S3's word.
    fn as_str(self) -> &'static str {
        match self {
            Self::Governance => "GOVERNANCE",
            Self::Compliance => "COMPLIANCE",
        }
    }
}

/// As it was typed: days count from the start of the run.
#[derive(Clone, Debug)]
enum RetainUntil {
    /// Seconds since 1970.
    Date(i64),
    Days(i64),
}

impl FromStr for RetainUntil {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let days = text.strip_suffix('d').and_then(|days| days.parse().ok());
        match days {
            Some(days @ 1..=MAX_DAYS) => return Ok(Self::Days(days)),
            Some(_) => return Err(format!("use 1d to {MAX_DAYS}d")),
            None => {}
        }
        let midnight = || seconds_of(&format!("{text}T00:00:00Z"));
        seconds_of(text).or_else(midnight).map(Self::Date).ok_or_else(|| {
            "use a date such as 2030-01-31 or 2030-01-31T12:00:00Z, or days from now: 30d".to_owned()
        })
    }
}

impl LockArgs {
    pub(crate) fn lock(&self) -> Result<Lock, Failure> {
        self.lock_at(local_now())
    }

    /// The days until the end of the lock, if it was given in days.
    pub(crate) fn days(&self) -> Option<i64> {
        match self.retain_until {
            Some(RetainUntil::Days(days)) => Some(days),
            Some(RetainUntil::Date(_)) | None => None,
        }
    }

    /// `now` is in seconds since 1970.
    fn lock_at(&self, now: i64) -> Result<Lock, Failure> {
        let until = match &self.retain_until {
            None => None,
            Some(RetainUntil::Days(days)) => Some(now + days * SECONDS_PER_DAY),
            Some(RetainUntil::Date(date)) if *date <= now => {
                return Err(Failure::usage("--retain-until: the date is in the past")
                    .hint("name a date to come, or days from now: --retain-until 30d"));
            }
            Some(RetainUntil::Date(date)) => Some(*date),
        };
        match (self.lock_mode, until) {
            (Some(_), None) => Err(Failure::usage("--lock-mode needs the end of the lock")
                .hint("add --retain-until 30d, or a date such as --retain-until 2030-01-31")
                .hint("to lock without an end, use --legal-hold alone")),
            (None, Some(_)) => Err(Failure::usage("--retain-until needs the mode of the lock").hint(
                "add --lock-mode governance (a permission lifts it) or --lock-mode compliance (nobody can)",
            )),
            (mode, retain_until) => Ok(Lock {
                mode: mode.map(|mode| mode.as_str().to_owned()),
                retain_until,
                legal_hold: self.legal_hold,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn until(text: &str) -> Option<i64> {
        let retain_until = Some(text.parse().ok()?);
        let args = LockArgs { lock_mode: Some(LockMode::Compliance), retain_until, legal_hold: false };
        args.lock_at(1_000_000).ok()?.retain_until
    }

    #[test]
    fn dates_and_days_are_understood_and_the_past_is_not() {
        for (text, expected) in [
            ("1d", Some(1_086_400)),
            ("36500d", Some(1_000_000 + 36_500 * 86_400)),
            ("1970-01-13", Some(1_036_800)),
            ("1970-01-13T00:00:01Z", Some(1_036_801)),
            ("1970-01-13T02:00:01+02:00", Some(1_036_801)),
            ("1970-01-12", None),
            ("0d", None),
            ("-1d", None),
            ("36501d", None),
            ("30", None),
            ("2030-02-31", None),
            ("2030-13-01", None),
            ("tomorrow", None),
            ("", None),
        ] {
            assert_eq!(until(text), expected, "{text}");
        }
    }
}
