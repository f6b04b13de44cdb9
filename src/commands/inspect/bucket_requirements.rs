//! What a bucket itself requires of its objects where no configured rule applies: by its policy, or else by its default
//! encryption.

use std::collections::BTreeMap;

use crate::aws::Connection;
use crate::aws::bucket::{BucketFacts, DefaultFacts};
use crate::aws::bucket_policy::PolicyFacts;
use crate::aws::probe::Probe;
use crate::aws::sse::AppliedMode;
use crate::encryption::KmsKey;
use crate::error::{Denial, Error, Result};
use crate::location::{Bucket, S3Uri};
use crate::rules::{Demander, KeyPattern, Requirement, Requirements};

/// Adds the requirements of the buckets of those `places` to which no rule applies.
///
/// # Errors
/// `Denied` if the bucket's default encryption may not be read; `Unsupported` if it has none, or one that s3seal does
/// not know; errors of KMS.
pub(crate) async fn with_bucket_requirements(
    connection: &Connection,
    rules: Requirements,
    places: &[S3Uri],
) -> Result<Requirements> {
    let mut found: BTreeMap<&Bucket, Requirement> = BTreeMap::new();
    for place in places.iter().filter(|place| rules.of(place).next().is_none()) {
        if !found.contains_key(&place.bucket) {
            let facts = connection.bucket_facts(&place.bucket).await?;
            found.insert(&place.bucket, requirement_of(connection, place.with_key(""), &facts).await?);
        }
    }
    let found = found.into_values().collect();
    Ok(rules.with_buckets(found))
}

/// What a bucket requires: by its policy if that names modes or keys, else by its default encryption.
async fn requirement_of(connection: &Connection, place: S3Uri, facts: &BucketFacts) -> Result<Requirement> {
    let by = |by| Demander::Bucket { bucket: facts.bucket.clone(), by };
    if let Probe::Known(Some(policy)) = &facts.policy {
        let must_encrypt = policy.known_modes();
        let kms_keys = keys_of(policy, &facts.bucket)?;
        if !must_encrypt.is_empty() || !kms_keys.is_empty() {
            return Ok(Requirement { place, must_encrypt, kms_keys, demander: by("policy") });
        }
    }
    let default = match &facts.default {
        Probe::Known(Some(default)) => default,
        Probe::AccessDenied(action) => {
            let why = Denial::Action { action: (*action).to_owned() };
            return Err(Error::Denied { subject: (&facts.bucket).into(), why, source: None });
        }
        Probe::Known(None) | Probe::Unavailable(_) => {
            return Err(Error::unsupported(
                &facts.bucket,
                "no rule is for it, and it has no default encryption that its objects could be compared with",
            ));
        }
    };
    let AppliedMode::Known(mode) = default.mode else {
        return Err(Error::unsupported(
            &facts.bucket,
            "its default encryption is not a mode that s3seal knows",
        ));
    };
    let kms_keys = key(connection, default).await?.into_iter().collect();
    let (must_encrypt, demander) = (vec![mode], by("default encryption"));
    Ok(Requirement { place, must_encrypt, kms_keys, demander })
}

/// The KMS keys that a policy names.
fn keys_of(policy: &PolicyFacts, bucket: &Bucket) -> Result<Vec<KeyPattern>> {
    let unclear = |key: &str, why| {
        let why =
            format!("its policy names the KMS key '{key}', which cannot be compared with objects: {why}");
        Error::unsupported(bucket, why)
    };
    policy.keys.iter().map(|key| key.parse().map_err(|why: &str| unclear(key, why))).collect()
}

/// The ARN of the KMS key of a default encryption; `None` if it names no key.
async fn key(connection: &Connection, default: &DefaultFacts) -> Result<Option<KeyPattern>> {
    let Some(named) = default.kms_key.as_deref().and_then(|name| name.parse::<KmsKey>().ok()) else {
        return Ok(None);
    };
    Ok(connection.resolve_key(&named).await?.as_str().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_a_policy_that_cannot_be_compared_is_an_error_that_names_it() {
        let bucket: Bucket = "bkt".parse().unwrap();
        let arn = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd";
        let keys = |keys: &[&str]| {
            let keys = keys.iter().map(|key| (*key).to_owned()).collect();
            keys_of(&PolicyFacts { keys, ..PolicyFacts::default() }, &bucket)
        };
        assert_eq!(keys(&[arn]).unwrap(), [arn.parse().unwrap()]);
        let alias = "arn:aws:kms:eu-west-1:111122223333:alias/backup";
        for key in [alias, "1234abcd"] {
            let error = keys(&[arn, key]).unwrap_err();
            assert!(matches!(error, Error::Unsupported { .. }), "{error}");
            assert!(error.to_string().contains(key), "{error}");
        }
    }
}
