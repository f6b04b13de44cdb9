//! The KMS keys that the verb uses: whether they are there and usable, and what the user may do with them.
//!
//! Permissions are asked for by dry runs, which come from the user. S3 asks KMS on the user's behalf, so a policy may allow
//! S3 what it denies to the user (`kms:ViaService`): what a dry run denies for S3 is not known, only doubtful.

use std::collections::BTreeMap;

use futures_util::future::join_all;

use super::{Check, DoctorRequest, Name, Remedy, Verb};
use crate::aws::Connection;
use crate::aws::bucket::DefaultFacts;
use crate::aws::kms::KmsKeyFacts;
use crate::aws::kms_dry_run::KeyUse;
use crate::aws::sse::AppliedMode;
use crate::encryption::{Context, KeyArn, KmsKey, Mode, ServerSide};
use crate::error::{Error, KeyFault, Result};

/// A key with what it is for.
struct Used<'a> {
    /// `None` is the account's own key of S3.
    key: Option<&'a KmsKey>,
    context: Option<&'a Context>,
    by: By,
    /// The verb whose use of it counts.
    verb: Verb,
}

/// Who asks KMS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    /// S3, on the user's behalf.
    S3,
    /// This program.
    Us,
}

/// Looks at all keys at once. `default` is the bucket's default encryption, as far as it is known.
pub(super) async fn checks(
    connection: &Connection,
    request: &DoctorRequest,
    default: Option<&DefaultFacts>,
) -> Vec<Check> {
    // Another store has keys of its own, which AWS KMS is not asked about.
    let is_of_kms = |default: &&DefaultFacts| {
        leaves_mode_to_bucket(request) && uses_kms(default) && connection.is_kms_that_of_s3()
    };
    let (of_default, unnamed) = match default.filter(is_of_kms).map(default_key).transpose() {
        Ok(key) => (key, None),
        Err(check) => (None, Some(check)),
    };
    let mut used = used(request);
    used.extend(of_default.as_ref().map(|key| Used {
        key: key.as_ref(),
        context: None,
        by: By::S3,
        verb: request.verb,
    }));
    let checks = join_all(used.iter().map(|used| of_key(connection, used))).await;
    checks.into_iter().flatten().chain(unnamed).collect()
}

/// Whether the bucket's default encryption applies to what the verb stores.
fn leaves_mode_to_bucket(request: &DoctorRequest) -> bool {
    request.verb.writes() && request.server_side().is_none() && !request.lacks_key()
}

fn uses_kms(default: &DefaultFacts) -> bool {
    matches!(default.mode, AppliedMode::Known(Mode::SseKms | Mode::DsseKms))
}

/// The KMS key of the bucket's default encryption; `None` is the account's own key of S3.
fn default_key(default: &DefaultFacts) -> std::result::Result<Option<KmsKey>, Check> {
    let key = default.kms_key.as_deref().map(str::parse).transpose();
    key.map_err(|_| {
        Check::warning(Name::KmsKey, "that of the bucket's default encryption has no name that KMS accepts")
    })
}

fn used(request: &DoctorRequest) -> Vec<Used<'_>> {
    let verb = request.verb;
    let ours = request.client_side().into_iter().flat_map(|client| {
        let used = |key| Used { key: Some(key), context: Some(&client.context), by: By::Us, verb };
        client.kms_keys().map(used)
    });
    let of_s3 = request.server_side().and_then(ServerSide::kms);
    let of_s3 = of_s3.map(|(key, context)| Used { key, context: Some(context), by: By::S3, verb });
    let mut all: Vec<_> = ours.chain(of_s3).collect();
    let by = if request.from.is_client() { By::Us } else { By::S3 };
    // What a rotation reads with its old key, it reads as `get` does.
    let old = request.old_kms_key.as_ref();
    all.extend(old.map(|key| Used { key: Some(key), context: None, by, verb: Verb::Get }));
    all
}

async fn of_key(connection: &Connection, used: &Used<'_>) -> Vec<Check> {
    let Some(key) = used.key else { return vec![accounts_own_key(connection).await] };
    if let Some(elsewhere) = elsewhere(key, connection.region(), used.by) {
        return vec![elsewhere];
    }
    let facts = connection.describe_key(key).await;
    let arn = key.arn().or_else(|| Some(facts.as_ref().ok()?.arn.clone()));
    let is_managed_by_aws = facts.as_ref().is_ok_and(|facts| facts.manager.as_deref() == Some("AWS"));
    let account = connection.account().await;
    let (check, goes_on) = described(key, facts, account.as_deref(), used.by);
    let mut checks = vec![check];
    if is_managed_by_aws && used.by == By::S3 {
        checks.push(Check::ok(
            Name::KmsPermissions,
            "AWS manages the key: S3 may use it for everybody in its account",
        ));
    } else if goes_on {
        checks.extend(permissions(connection, key, arn.as_ref().map(KeyArn::as_str), used).await);
    }
    checks
}

async fn accounts_own_key(connection: &Connection) -> Check {
    let alias = KmsKey::s3_default();
    match connection.describe_key(&alias).await {
        Ok(facts) => described(&alias, Ok(facts), None, By::S3).0,
        Err(Error::KeyWrong { .. } | Error::NotFound { .. }) => {
            Check::ok(Name::KmsKey, "the account's own key aws/s3, which AWS makes at its first use")
        }
        Err(error) => described(&alias, Err(error), None, By::S3).0,
    }
}

/// A key of another region than the one that is asked: S3 takes only keys of the bucket's, and KMS knows only its own.
fn elsewhere(key: &KmsKey, region: &str, by: By) -> Option<Check> {
    let arn = key.arn()?;
    if arn.region() == region {
        return None;
    }
    let needs = match by {
        By::S3 => "S3 takes keys of the bucket's region only",
        By::Us => "KMS is asked there",
    };
    let seen = format!("{arn} is in {}, and {needs}: {region}", arn.region());
    let why = KeyFault::KmsUnknown { key: arn.to_string() };
    let error = Error::KeyWrong { subject: key.into(), why, source: None };
    let check = Check { seen, ..Check::error(Name::KmsKey, error) };
    // Replicas of a multi-Region key have the same id.
    let replica = arn.id().starts_with("mrk-").then(|| arn.as_str().replacen(arn.region(), region, 1));
    Some(match replica {
        Some(replica) => check.mended_by(Remedy::Replica(replica)),
        None => check,
    })
}

/// The key itself; false if nothing more can be asked about it.
fn described(key: &KmsKey, facts: Result<KmsKeyFacts>, account: Option<&str>, by: By) -> (Check, bool) {
    let facts = match facts {
        Ok(facts) => facts,
        Err(Error::Denied { .. }) => {
            let seen = format!("{key}: kms:DescribeKey is denied, so its state is not known");
            let resource = key.arn().map(|arn| arn.to_string());
            let check = Check::warning(Name::KmsKey, seen);
            return (check.mended_by(Remedy::Allow { action: "kms:DescribeKey", resource }), true);
        }
        Err(error @ Error::KeyWrong { .. }) => return (Check::error(Name::KmsKey, error), false),
        // A key that is not known yet must not go over http.
        Err(error @ (Error::Network { .. } | Error::Unsupported { .. })) if by == By::Us => {
            return (Check::error(Name::KmsKey, error), false);
        }
        Err(error) => return (Check::unanswered(Name::KmsKey, "kms:DescribeKey", error), false),
    };
    let Some(why) = facts.fault() else {
        return (usable(key, &facts, facts.state.as_deref(), account), true);
    };
    let error = Error::KeyWrong { subject: key.into(), why, source: None };
    let mut check = Check::error(Name::KmsKey, error);
    if let Some(end) = &facts.deletion {
        check.seen = format!("{}, on {end}", check.seen);
    }
    (check, false)
}

/// A key in no state that is known to be in the way.
fn usable(key: &KmsKey, facts: &KmsKeyFacts, state: Option<&str>, account: Option<&str>) -> Check {
    let arn = &facts.arn;
    let mut seen = if key.as_str() == arn.as_str() { arn.to_string() } else { format!("{key} is {arn}") };
    if let Some(own) = account.filter(|own| *own != arn.account()) {
        seen = format!("{seen}, of the account {}, not of yours ({own})", arn.account());
    }
    match state {
        Some("Enabled") => Check::ok(Name::KmsKey, format!("{seen}, enabled")),
        Some(other) => Check::warning(Name::KmsKey, format!("{seen}, in the state {other}")),
        None => Check::warning(Name::KmsKey, format!("{seen}; this server does not say its state")),
    }
}

/// What the verb does with a key, and what for, if it works without.
fn uses(verb: Verb, by: By) -> Vec<(KeyUse, Option<&'static str>)> {
    const CHECKSUM: Option<&str> = Some("to show checksums, or read the data");
    const PARTS: Option<&str> = Some("for uploads in parts");
    const IN_PLACE: Option<&str> = Some("for updates in place");
    const REWRAP: Option<&str> = Some("for a new wrap of the same data key");
    use KeyUse::{Decrypt, Encrypt, GenerateDataKey, ReEncrypt};
    match (verb, by) {
        (Verb::Put, By::S3) => vec![(GenerateDataKey, None), (Decrypt, PARTS)],
        (Verb::Put, By::Us) => vec![(GenerateDataKey, None)],
        (Verb::Get, _) => vec![(Decrypt, None)],
        (Verb::Inspect, _) => vec![(Decrypt, CHECKSUM)],
        (Verb::Rotate, By::S3) => {
            vec![(GenerateDataKey, None), (Decrypt, None), (Encrypt, IN_PLACE), (ReEncrypt, IN_PLACE)]
        }
        (Verb::Rotate, By::Us) => vec![(GenerateDataKey, None), (Decrypt, None), (Encrypt, REWRAP)],
    }
}

/// What dry runs allow. `arn` is the key's, as far as it is known.
async fn permissions(
    connection: &Connection,
    key: &KmsKey,
    arn: Option<&str>,
    used: &Used<'_>,
) -> Vec<Check> {
    let none = BTreeMap::new();
    let context = used.context.map_or(&none, Context::pairs);
    let wanted = uses(used.verb, used.by);
    let asked = wanted.iter().map(|(key_use, _)| connection.dry_run(key, *key_use, context));
    let answers = join_all(asked).await;
    let mut allowed = Vec::new();
    let mut checks = Vec::new();
    for ((key_use, only_for), answer) in wanted.into_iter().zip(answers) {
        match answer {
            Ok(()) => allowed.push(key_use.action()),
            Err(Error::Denied { .. }) if used.by == By::S3 || only_for.is_some() => {
                checks.push(denied(key, arn, key_use.action(), only_for, used.by));
            }
            // A denial to us, or the key's state, which the dry run of another action may not show.
            Err(error @ (Error::Denied { .. } | Error::KeyWrong { .. })) => {
                checks.push(Check::error(Name::KmsPermissions, error));
            }
            Err(Error::NotUnderstood { .. }) => {
                let seen = format!("{} is not known: this server does not know dry runs", key_use.action());
                checks.push(Check::warning(Name::KmsPermissions, seen));
            }
            Err(error) => {
                let question = format!("dry runs of {}", key_use.action());
                checks.push(Check::unanswered(Name::KmsPermissions, &question, error));
            }
        }
    }
    if !allowed.is_empty() {
        checks.insert(0, Check::ok(Name::KmsPermissions, format!("{key} allows {}", allowed.join(", "))));
    }
    checks
}

/// An action that is denied, and that S3 may be allowed all the same, or that not every run takes.
fn denied(key: &KmsKey, arn: Option<&str>, action: &'static str, only_for: Option<&str>, by: By) -> Check {
    let only_for = only_for.map(|what| format!(", which is {what}")).unwrap_or_default();
    let seen = format!("{action} on {key} is denied to you{only_for}");
    let allow = Remedy::Allow { action, resource: arn.map(str::to_owned) };
    let check = Check::warning(Name::KmsPermissions, seen).mended_by(allow);
    match by {
        By::S3 => check.mended_by(Remedy::ViaService),
        By::Us => check,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_another_region_is_of_no_use() {
        let arn =
            |id: &str| format!("arn:aws:kms:eu-west-1:111122223333:key/{id}").parse::<KmsKey>().unwrap();
        assert!(elsewhere(&arn("1234"), "eu-west-1", By::S3).is_none());
        assert!(elsewhere(&"alias/a".parse().unwrap(), "us-east-1", By::S3).is_none());
        let check = elsewhere(&arn("1234"), "us-east-1", By::S3).unwrap();
        assert!(check.seen.contains("is in eu-west-1") && check.remedies.is_empty(), "{check:?}");
        let check = elsewhere(&arn("mrk-1"), "us-east-1", By::Us).unwrap();
        assert!(format!("{:?}", check.remedies).contains("arn:aws:kms:us-east-1:"), "{check:?}");
    }
}
