//! Whether what is asked for meets the rules of the configuration files.

use super::{Check, DoctorRequest, Name};
use crate::aws::Connection;
use crate::aws::bucket::DefaultFacts;
use crate::aws::sse::AppliedMode;
use crate::commands::asked_encryption::{arn_of, asked_of};
use crate::encryption::{ClientSide, Mode};
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
    if let (Some(mode), None) = (request.mode, &request.encryption) {
        // The mode alone is known.
        let (kms_keys, or_default) = (Vec::new(), mode == Mode::Client);
        return Ok(Encrypted { modes: vec![mode], kms_keys, or_default, described: mode.title().to_owned() });
    }
    let wrapping = request.client_side().map(ClientSide::kms_keys);
    let limits_keys = request.rules.limit_keys(&request.place);
    let mut asked = asked_of(connection, wrapping, request.server_side(), limits_keys).await?;
    if asked.or_default
        && let Some(DefaultFacts { mode: AppliedMode::Known(mode), kms_key, .. }) = default
    {
        if asked.modes.is_empty() {
            asked.described = format!("{}, {}", asked.described, mode.title());
        }
        asked.modes.push(*mode);
        asked.or_default = false;
        if limits_keys && matches!(mode, Mode::SseKms | Mode::DsseKms) {
            let key = kms_key.as_ref().and_then(|key| key.parse().ok());
            asked.kms_keys.push(arn_of(connection, key.as_ref()).await?);
        }
    }
    Ok(asked)
}
