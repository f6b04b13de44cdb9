//! The way to S3, as the first answer shows it: the address, the credentials, the clock, and whether the bucket is
//! there.

use super::{Check, DoctorRequest, Name, Remedy};
use crate::aws::Connection;
use crate::error::{Denial, Error, NetworkFault, Result};
use crate::limits::{CLOCK_SKEW_NOTED, MAX_CLOCK_SKEW};

/// What the first answer shows.
pub(super) struct FirstAnswer {
    pub(super) checks: Vec<Check>,
    /// Whether there is a bucket to ask more about.
    pub(super) goes_on: bool,
}

/// Reads the answer to the first request, which lists one object.
pub(super) fn first_answer(
    connection: &Connection,
    request: &DoctorRequest,
    answer: Result<()>,
) -> FirstAnswer {
    let address = || Check::ok(Name::Address, address(connection));
    let bucket = &request.place.bucket;
    let (mut checks, goes_on) = match answer {
        Ok(()) => (vec![address(), Check::ok(Name::Bucket, format!("{bucket} exists"))], true),
        Err(error @ (Error::Network { .. } | Error::NotUnderstood { .. })) => {
            return FirstAnswer { checks: vec![unreached(connection, error)], goes_on: false };
        }
        Err(error @ Error::Denied { .. }) if is_of_clock(&error) => {
            let checks = vec![address(), Check::error(Name::Clock, error)];
            return FirstAnswer { checks, goes_on: false };
        }
        Err(error @ Error::Denied { .. }) if is_about_credentials(&error) => {
            let is_answered = connection.origin().is_some();
            let failed = Check::error(Name::Credentials, error);
            let checks = is_answered.then(address).into_iter().chain([failed]).collect();
            return FirstAnswer { checks, goes_on: false };
        }
        Err(Error::Denied { .. }) => {
            let seen = format!("{bucket} answers, and s3:ListBucket is denied");
            (vec![address(), Check::ok(Name::Bucket, seen)], true)
        }
        Err(error @ (Error::NotFound { .. } | Error::WrongRegion { .. })) => {
            (vec![address(), Check::error(Name::Bucket, error)], false)
        }
        // Other requests may be answered all the same.
        Err(error @ Error::Unsupported { .. }) => {
            (vec![address(), Check::unanswered(Name::Bucket, "ListObjectsV2", error)], true)
        }
        Err(error) => (vec![address(), Check::error(Name::Bucket, error)], false),
    };
    checks.push(connection.clock_ahead().map_or_else(clock_not_known, clock));
    FirstAnswer { checks, goes_on }
}

fn address(connection: &Connection) -> String {
    let region = connection.region();
    match connection.origin() {
        Some(origin) => format!("{origin}, region {region}"),
        None => format!("region {region}"),
    }
}

/// No answer, or none of S3's.
fn unreached(connection: &Connection, error: Error) -> Check {
    let name = match &error {
        Error::Network { why: NetworkFault::CertificateTime, .. } => Name::Clock,
        _ => Name::Address,
    };
    let check = Check::error(name, error);
    match connection.origin() {
        Some(origin) => Check { seen: format!("{origin}: {}", check.seen), ..check },
        None => check,
    }
}

fn is_about_credentials(error: &Error) -> bool {
    matches!(error, Error::Denied { why, .. } if why.is_about_credentials())
}

fn is_of_clock(error: &Error) -> bool {
    matches!(error, Error::Denied { why: Denial::ClockSkew, .. })
}

fn clock_not_known() -> Check {
    Check::warning(Name::Clock, "this server does not say what time it is (no Date in its answers)")
}

/// Compares this machine's clock with the server's, which is so many seconds ahead. A clock that is far off is no
/// failure by itself: a refused request is signed once more, for the server's time. It fails where S3 refuses that, too.
fn clock(ahead: i64) -> Check {
    let apart = ahead.unsigned_abs();
    let direction = if ahead > 0 { "behind" } else { "ahead of" };
    let seen = format!("this machine is {apart} s {direction} the server");
    match () {
        () if apart <= 2 => Check::ok(Name::Clock, "as the server's"),
        () if apart < CLOCK_SKEW_NOTED.as_secs() => Check::ok(Name::Clock, seen),
        () => {
            let limit = MAX_CLOCK_SKEW.as_secs();
            let refusal = format!("S3 refuses requests from {limit} s on, and AWS KMS from 300 s on");
            Check::warning(Name::Clock, format!("{seen}; {refusal}")).mended_by(Remedy::SetClock)
        }
    }
}
