//! Whether what is asked for meets the rules of the configuration files.

use super::{Check, DoctorRequest, Name};
use crate::aws::Connection;
use crate::aws::bucket::DefaultFacts;
use crate::aws::sse::AppliedMode;
use crate::commands::asked_encryption::arn_of;
use crate::encryption::{Encryption, Mode, Recipient, ServerSide};
use crate::error::{Error, Result};
use crate::rules::Encrypted;

/// A check if a rule demands something of what the verb stores at the place.
pub(super) async fn check(
    connection: &Connection,
    request: &DoctorRequest,
    default: Option<&DefaultFacts>,
) -> Option<Check> {
    let name = Name::Rule;
    if !request.verb.writes() || !request.rules.reach(&request.place) {
        return None;
    }
    let asked = match asked(connection, request, default).await {
        Ok(asked) => asked,
        Err(error) => return Some(Check::error(name, error)),
    };
    Some(match request.rules.permit_all(&request.place, &asked) {
        Ok(()) if asked.or_default && asked.modes.is_empty() => {
            Check::warning(name, "not compared: the bucket's default encryption is not known")
        }
        Ok(()) => Check::ok(name, format!("met by {}", asked.described)),
        Err(error @ Error::BreaksRule { .. }) => Check::error(name, error),
        Err(error) => Check::unanswered(name, "what rules compare", error),
    })
}

/// How objects would be encrypted; of the bucket's default what it is now.
async fn asked(
    connection: &Connection,
    request: &DoctorRequest,
    default: Option<&DefaultFacts>,
) -> Result<Encrypted> {
    let limits_keys = request.rules.limit_keys(&request.place);
    let mut asked = Encrypted {
        modes: request.mode.into_iter().collect(),
        kms_keys: Vec::new(),
        or_default: false,
        described: request.mode.map_or_else(String::new, |mode| mode.title().to_owned()),
    };
    if let (Some(Encryption::Client(client)), true) = (&request.encryption, limits_keys) {
        for recipient in &client.recipients {
            if let Recipient::Kms(key) = recipient {
                asked.kms_keys.push(arn_of(connection, Some(key)).await?);
            }
        }
    }
    match request.server_side() {
        Some(sse) => {
            asked.modes.push(sse.mode());
            if let (ServerSide::SseKms { key, .. } | ServerSide::DsseKms { key, .. }, true) =
                (sse, limits_keys)
            {
                asked.kms_keys.push(arn_of(connection, key.as_ref()).await?);
            }
        }
        // The mode alone is known.
        None if request.lacks_key() => asked.or_default = asked.modes == [Mode::Client],
        None => match default {
            Some(DefaultFacts { mode: AppliedMode::Known(mode), kms_key, .. }) => {
                asked.modes.push(*mode);
                let is_kms = matches!(mode, Mode::SseKms | Mode::DsseKms);
                if is_kms && limits_keys {
                    let key = kms_key.as_ref().and_then(|key| key.parse().ok());
                    asked.kms_keys.push(arn_of(connection, key.as_ref()).await?);
                }
                if asked.described.is_empty() {
                    asked.described = format!("the bucket's default encryption, {}", mode.title());
                }
            }
            _ => asked.or_default = true,
        },
    }
    Ok(asked)
}
