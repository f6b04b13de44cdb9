//! What an encryption asks of S3 and KMS, as far as rules depend on it.

use std::fmt::Write as _;

use crate::aws::Connection;
use crate::aws::bucket::DefaultFacts;
use crate::aws::sse::AppliedMode;
use crate::commands::encrypt::{Encryptor, Wrapper};
use crate::encryption::{KmsKey, Mode, ServerSide};
use crate::error::Result;
use crate::location::S3Uri;
use crate::rules::{Encrypted, Requirements};

/// Describes an encryption for the rules that reach `places`. Names of keys are resolved only if a rule limits keys, and
/// the default of a bucket is read only if a rule depends on it; where it may not be read, S3's answer must tell.
///
/// # Errors
/// What KMS refuses (`kms:DescribeKey`): a key that is not known cannot be compared.
pub(crate) async fn asked(
    connection: &Connection,
    encryptor: &Encryptor,
    rules: &Requirements,
    places: &[S3Uri],
) -> Result<Encrypted> {
    let (client, sse) = match encryptor {
        Encryptor::Server(sse) => (None, sse.as_ref()),
        Encryptor::Client(client) => (Some(client), client.at_rest.as_ref()),
    };
    let mut modes: Vec<Mode> =
        client.map(|_| Mode::Client).into_iter().chain(sse.map(ServerSide::mode)).collect();
    let mut described =
        modes.first().map_or("the bucket's default encryption", |mode| mode.title()).to_owned();
    let mut or_default = sse.is_none();
    if let Some(place) = places.iter().find(|place| or_default && rules.demand_others(place, &modes))
        && let Ok(DefaultFacts { mode: AppliedMode::Known(mode), .. }) =
            connection.bucket_default(&place.bucket).await
    {
        let _ = write!(described, " ({})", mode.title());
        modes.push(mode);
        or_default = false;
    }
    let mut kms_keys = Vec::new();
    if places.iter().any(|place| rules.limit_keys(place)) {
        let wrappers = client.map(|client| client.wrappers.as_slice()).unwrap_or_default();
        for wrapper in wrappers {
            if let Wrapper::Kms(key) = wrapper {
                kms_keys.push(arn_of(connection, Some(key)).await?);
            }
        }
        if let Some(ServerSide::SseKms { key, .. } | ServerSide::DsseKms { key, .. }) = sse {
            kms_keys.push(arn_of(connection, key.as_ref()).await?);
        }
    }
    Ok(Encrypted { modes, kms_keys, or_default, described })
}

/// The ARN of a key; without one, of S3's own key of the account.
pub(crate) async fn arn_of(connection: &Connection, key: Option<&KmsKey>) -> Result<String> {
    let key = key.cloned().unwrap_or_else(KmsKey::s3_default);
    Ok(connection.resolve_key(&key).await?.to_string())
}
