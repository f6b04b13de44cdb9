//! The bucket's own settings: what they do to the verb, and what they leave open.

use super::{Check, DoctorRequest, Name, Problem, Remedy};
use crate::aws::Connection;
use crate::aws::bucket::{BucketFacts, CleanUp, DefaultFacts};
use crate::aws::bucket_policy::{PolicyFacts, TlsDemand};
use crate::aws::object_lock::{BucketLock, DefaultRetention};
use crate::aws::probe::Probe;
use crate::aws::sse::AppliedMode;
use crate::commands::permissions::bucket_arn;
use crate::encryption::{KmsKey, Mode, ServerSide};
use crate::error::{Denial, Error};
use crate::location::Bucket;

/// S3's word for SSE-C among the modes that a bucket blocks.
const SSE_C: &str = "SSE-C";

pub(super) fn checks(
    connection: &Connection,
    request: &DoctorRequest,
    facts: &BucketFacts,
    lock: &Probe<BucketLock>,
) -> Vec<Check> {
    let (bucket, is_tls) = (&facts.bucket, connection.is_over_tls());
    let arn = bucket_arn(bucket, connection.region());
    let mut checks = vec![default_encryption(&facts.default, &arn)];
    checks.extend(sse_c(request, &facts.default, bucket));
    checks.push(versioning(request, &facts.versioning, bucket, &arn));
    checks.push(object_lock(request, lock, &arn));
    checks.extend(policy(request, &facts.policy, &arn, is_tls));
    checks.push(incomplete_uploads(&facts.incomplete_uploads, bucket, &arn));
    checks
}

/// The fact, or the check that says why it is not known.
fn known<'a, T>(name: Name, probe: &'a Probe<T>, arn: &str) -> Result<&'a T, Check> {
    match probe {
        Probe::Known(fact) => Ok(fact),
        Probe::AccessDenied(action) => {
            let allow = Remedy::Allow { action, resource: Some(arn.to_owned()) };
            Err(Check::warning(name, format!("not known: {action} is denied")).mended_by(allow))
        }
        Probe::Unavailable(why) => Err(Check::warning(name, format!("not known: {why}"))),
    }
}

fn default_encryption(probe: &Probe<Option<DefaultFacts>>, arn: &str) -> Check {
    let name = Name::DefaultEncryption;
    match known(name, probe, arn) {
        Err(check) => check,
        Ok(None) => Check::warning(name, "this server has no such setting"),
        Ok(Some(DefaultFacts { mode: AppliedMode::NotSaid, .. })) => {
            Check::warning(name, "its rule names no mode")
        }
        Ok(Some(default)) => {
            let key = match (&default.kms_key, &default.mode) {
                (Some(key), _) => format!(", key {key}"),
                (None, AppliedMode::Known(Mode::SseKms | Mode::DsseKms)) => {
                    ", the account's key aws/s3".to_owned()
                }
                (None, _) => String::new(),
            };
            Check::ok(name, format!("{}{key}", default.mode))
        }
    }
}

/// Whether SSE-C is blocked; nothing where that is not known and not asked.
fn sse_c(request: &DoctorRequest, probe: &Probe<Option<DefaultFacts>>, bucket: &Bucket) -> Option<Check> {
    let name = Name::SseC;
    let blocked = probe.fact().and_then(|default| default.as_ref()?.blocked.as_ref());
    let is_asked = request.mode == Some(Mode::SseC) && request.verb.writes();
    match blocked {
        Some(modes) if modes.iter().any(|mode| mode == SSE_C) => Some(if is_asked {
            Check::error(
                name,
                Error::Denied { subject: bucket.into(), why: Denial::SseCBlocked, source: None },
            )
        } else {
            Check::ok(name, "blocked, and not asked for")
        }),
        Some(_) => Some(Check::ok(name, "not blocked")),
        None if is_asked => {
            let unknown = Check::warning(name, "not known whether the bucket blocks SSE-C");
            Some(request.suggest_write_test(unknown))
        }
        None => None,
    }
}

fn versioning(request: &DoctorRequest, probe: &Probe<Option<String>>, bucket: &Bucket, arn: &str) -> Check {
    let name = Name::Versioning;
    let status = match known(name, probe, arn) {
        Err(check) => return check,
        Ok(status) => status.as_deref(),
    };
    match status {
        Some("Enabled") => Check::ok(name, "enabled: what is overwritten or deleted stays as a version"),
        status => {
            let word = status.map_or("never enabled".to_owned(), str::to_lowercase);
            if request.verb.writes() {
                Check::warning(name, format!("{word}: what is overwritten or deleted is gone"))
                    .mended_by(Remedy::KeepVersions(bucket.clone()))
            } else {
                Check::ok(name, word)
            }
        }
    }
}

fn object_lock(request: &DoctorRequest, probe: &Probe<BucketLock>, arn: &str) -> Check {
    let name = Name::ObjectLock;
    match known(name, probe, arn) {
        Err(check) => check,
        Ok(BucketLock::NotEnabled) => Check::ok(name, "not enabled"),
        Ok(BucketLock::OnRequest) => Check::ok(name, "enabled, for what asks for a lock"),
        Ok(BucketLock::Each(DefaultRetention { mode, time })) => {
            let seen = format!("each new object is locked for {time} ({mode})");
            if request.verb.writes() {
                Check::warning(name, format!("{seen}: what is stored by mistake costs as long"))
            } else {
                Check::ok(name, seen)
            }
        }
    }
}

fn incomplete_uploads(probe: &Probe<Option<CleanUp>>, bucket: &Bucket, arn: &str) -> Check {
    let name = Name::IncompleteUploads;
    match known(name, probe, arn) {
        Err(check) => check,
        Ok(None) => {
            Check::warning(name, "no lifecycle rule aborts them, and their parts cost until one does")
                .mended_by(Remedy::AbortUploads(bucket.clone()))
        }
        Ok(Some(CleanUp { days, whole: true })) => {
            Check::ok(name, format!("aborted by a lifecycle rule after {days} days"))
        }
        Ok(Some(CleanUp { days, whole: false })) => {
            Check::warning(name, format!("aborted after {days} days, in a part of the bucket only"))
                .mended_by(Remedy::AbortUploads(bucket.clone()))
        }
    }
}

/// What the policy does to plain http, and to the mode that is asked for.
fn policy(
    request: &DoctorRequest,
    probe: &Probe<Option<PolicyFacts>>,
    arn: &str,
    is_tls: bool,
) -> Vec<Check> {
    let policy = match known(Name::Policy, probe, arn) {
        Err(check) => return vec![check],
        Ok(policy) => policy.as_ref(),
    };
    let tls = plain_http(policy.map_or(TlsDemand::NotSeen, |policy| policy.tls), arn, is_tls);
    [tls]
        .into_iter()
        .chain(
            policy
                .filter(|_| request.verb.writes() && !request.lacks_key())
                .map(|policy| mode(request, policy)),
        )
        .collect()
}

fn plain_http(demand: TlsDemand, arn: &str, is_tls: bool) -> Check {
    let name = Name::PlainHttp;
    match demand {
        TlsDemand::ForAll | TlsDemand::ForSome if !is_tls => Check::failed(
            name,
            Problem::Denied,
            "the bucket's policy denies it, and this endpoint is plain http",
        ),
        TlsDemand::ForAll => Check::ok(name, "denied by the bucket's policy"),
        TlsDemand::ForSome => Check::warning(name, "denied by the bucket's policy for some requests only")
            .mended_by(Remedy::DenyPlainHttp(arn.to_owned())),
        TlsDemand::NotSeen => Check::warning(name, "nothing seen in the bucket's policy denies it")
            .mended_by(Remedy::DenyPlainHttp(arn.to_owned())),
    }
}

/// Whether a statement denies writes in the mode that is asked for, or under its key.
fn mode(request: &DoctorRequest, policy: &PolicyFacts) -> Check {
    let name = Name::Policy;
    let denied = |seen: String| Check::failed(name, Problem::Denied, seen);
    let sse = request.server_side();
    let title = sse.map_or("the bucket's default encryption", |sse| sse.mode().title());
    let modes: Vec<&str> = policy.modes.iter().map(String::as_str).collect();
    match sse {
        Some(ServerSide::SseC(_)) if policy.denies_sse_c => {
            return denied("it denies writes in SSE-C".to_owned());
        }
        // A request that names no mode for S3's own keys.
        None | Some(ServerSide::SseC(_)) if policy.header => {
            return denied(format!("it denies writes that request no encryption, as those in {title} do"));
        }
        None | Some(ServerSide::SseC(_)) if !modes.is_empty() => {
            let seen = format!("writes must request {}; it may deny those in {title}", modes.join(" or "));
            return request.suggest_write_test(Check::warning(name, seen));
        }
        Some(sse) if !modes.is_empty() && !policy.known_modes().contains(&sse.mode()) => {
            return denied(format!("writes must request {}, not {title}", modes.join(" or ")));
        }
        _ => {}
    }
    let Some((key, _)) = sse.and_then(ServerSide::kms) else {
        return Check::ok(name, format!("no common statement denies writes in {title}"));
    };
    let keys: Vec<&str> = policy.keys.iter().map(String::as_str).collect();
    match key.and_then(KmsKey::arn) {
        _ if keys.is_empty() => Check::ok(name, format!("no common statement denies writes in {title}")),
        Some(arn) if keys.contains(&arn.as_str()) => Check::ok(name, format!("writes may name {arn}")),
        Some(arn) => denied(format!("writes must name {}, not {arn}", keys.join(" or "))),
        None => {
            let seen = format!("writes must name {}", keys.join(" or "));
            request.suggest_write_test(Check::warning(name, seen))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::decryption_keys::DecryptionKeys;
    use crate::commands::doctor::{State, Verb};
    use crate::commands::permissions::Protection;
    use crate::encryption::{Context, Encryption};
    use crate::rules::Requirements;

    const ARN: &str = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

    fn found(policy: &PolicyFacts, encryption: Option<ServerSide>) -> char {
        let request = DoctorRequest {
            place: "s3://bkt/p/".parse().unwrap(),
            verb: Verb::Put,
            mode: encryption.as_ref().map(ServerSide::mode),
            encryption: encryption.map(Encryption::Server),
            only_decrypts: false,
            opening: DecryptionKeys::default(),
            old_kms_key: None,
            from: Protection::SseS3,
            rules: Requirements::default(),
            write_test: false,
            records: None,
        };
        match mode(&request, policy).state {
            State::Ok => 'o',
            State::Warning => '!',
            State::Failed(_) => 'x',
        }
    }

    #[test]
    fn a_policy_denies_the_modes_and_keys_that_it_does_not_name() {
        let kms = |key: Option<&str>| {
            let key = key.map(|key| key.parse().unwrap());
            Some(ServerSide::SseKms { key, context: Context::default(), bucket_key: false })
        };
        let modes = PolicyFacts { modes: ["aws:kms".to_owned()].into(), ..PolicyFacts::default() };
        let header = PolicyFacts { header: true, ..modes.clone() };
        let keys = PolicyFacts { keys: [ARN.to_owned()].into(), ..modes.clone() };
        let other = ARN.replace("1234abcd-", "9234abcd-");
        for (policy, encryption, expected) in [
            (&PolicyFacts::default(), None, 'o'),
            (&modes, None, '!'),
            (&header, None, 'x'),
            (&modes, Some(ServerSide::SseS3), 'x'),
            (&modes, kms(None), 'o'),
            (&header, kms(None), 'o'),
            (&keys, kms(None), '!'),
            (&keys, kms(Some("alias/a")), '!'),
            (&keys, kms(Some(ARN)), 'o'),
            (&keys, kms(Some(&other)), 'x'),
        ] {
            assert_eq!(found(policy, encryption), expected, "{policy:?}");
        }
    }
}
