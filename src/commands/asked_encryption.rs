//! What an encryption asks of S3 and KMS, as far as rules depend on it.

use std::slice;

use crate::aws::Connection;
use crate::aws::bucket::DefaultFacts;
use crate::aws::sse::AppliedMode;
use crate::commands::encrypt::{ClientEncryptor, Encryptor};
use crate::encryption::{KmsKey, Mode, ServerSide};
use crate::error::Result;
use crate::location::S3Uri;
use crate::rules::{Encrypted, Requirements};

/// Describes an encryption for the rules that reach `places`. Names of keys are resolved only if a rule limits keys.
///
/// # Errors
/// What KMS refuses (`kms:DescribeKey`): a key that is not known cannot be compared.
pub(crate) async fn asked(
    connection: &Connection,
    encryptor: &Encryptor,
    rules: &Requirements,
    places: &[S3Uri],
) -> Result<Encrypted> {
    let wrapping = encryptor.client_side().map(ClientEncryptor::kms_keys);
    let limits_keys = places.iter().any(|place| rules.limit_keys(place));
    asked_of(connection, wrapping, encryptor.server_side(), limits_keys).await
}

/// The same of an encryption's parts: the keys in KMS that wrap data keys, if it is client-side, and what is asked of S3.
///
/// # Errors
/// As [`asked`].
pub(crate) async fn asked_of<'a>(
    connection: &Connection,
    wrapping: Option<impl Iterator<Item = &'a KmsKey>>,
    sse: Option<&'a ServerSide>,
    limits_keys: bool,
) -> Result<Encrypted> {
    let client_side = wrapping.is_some().then_some(Mode::Client);
    let modes: Vec<Mode> = client_side.into_iter().chain(sse.map(ServerSide::mode)).collect();
    let described = modes.first().map_or("the bucket's default encryption", |mode| mode.title()).to_owned();
    let mut kms_keys = Vec::new();
    if limits_keys {
        let at_rest = sse.and_then(ServerSide::kms).map(|(key, _)| key);
        for key in wrapping.into_iter().flatten().map(Some).chain(at_rest) {
            kms_keys.push(arn_of(connection, key).await?);
        }
    }
    Ok(Encrypted { modes, kms_keys, or_default: sse.is_none(), described })
}

/// The same for an object that is new at a place, which must meet the rules. The bucket's default is read if a rule depends on it; where it may not be
/// read, S3's answer must tell.
///
/// # Errors
/// As [`asked`]; `BreaksRule` if it does not meet the rules.
pub(crate) async fn permitted(
    connection: &Connection,
    encryptor: &Encryptor,
    rules: &Requirements,
    place: &S3Uri,
) -> Result<Encrypted> {
    let mut asked = asked(connection, encryptor, rules, slice::from_ref(place)).await?;
    if asked.or_default
        && rules.depend_on_default(place, &asked.modes)
        && let Ok(DefaultFacts { mode: AppliedMode::Known(mode), .. }) =
            connection.bucket_default(&place.bucket).await
    {
        let by = if asked.modes.is_empty() { "," } else { " at" };
        asked.described = format!("{}{by} {}", asked.described, mode.title());
        asked.modes.push(mode);
        asked.or_default = false;
    }
    rules.permit(place, &asked)?;
    Ok(asked)
}

/// The ARN of a key; without one, of S3's own key of the account.
pub(crate) async fn arn_of(connection: &Connection, key: Option<&KmsKey>) -> Result<String> {
    let key = key.cloned().unwrap_or_else(KmsKey::s3_default);
    Ok(connection.resolve_key(&key).await?.to_string())
}
