//! How objects are expected to be encrypted, and whether an outcome meets that. There is no I/O here.
//!
//! An expectation that names a key is met only if the object is known to have that key.

use std::fmt;
use std::str::FromStr;

use super::outcome::{ClientSeen, CustomerKeyFit, InspectOutcome};
use crate::aws::sse::AppliedMode;
use crate::encryption::{Format, KmsKey, Mode, StoredFormat};
use crate::error::WrapKind;
use crate::rules::{Encrypted, Requirements, Unmet};

/// An acceptable way for an object to be encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Expectation {
    /// Encrypted in any way, by S3 or by the client.
    Encrypted,
    /// A server-side mode, with any key.
    Server(Mode),
    /// SSE-KMS or DSSE-KMS with this key.
    Kms {
        mode: Mode,
        /// The key; an alias must be resolved before objects are compared with it, see [`resolve`](super::resolve).
        key: KmsKey,
    },
    /// SSE-C with the key that has this fingerprint: the base64 MD5 that S3 reports, or s3seal's short one.
    CustomerKey(String),
    /// Client-side, in any format.
    Client,
    /// Client-side, in this format.
    Format(StoredFormat),
    /// As the configured rules require, or the bucket itself where no rule applies.
    Rules,
}

/// The text is not an expectation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is not an expectation: write encrypted, sse-s3, sse-kms[:KEY], dsse-kms[:KEY], sse-c[:FINGERPRINT], client[:FORMAT] or rules"
)]
pub(crate) struct ExpectationError(String);

impl FromStr for Expectation {
    type Err = ExpectationError;

    fn from_str(text: &str) -> Result<Self, ExpectationError> {
        let bad = || ExpectationError(text.to_owned());
        let (mode, rest) = match text.split_once(':') {
            Some((mode, rest)) => (mode, Some(rest)),
            None => (text, None),
        };
        let kms = |mode| match rest {
            None => Ok(Self::Server(mode)),
            Some(key) => Ok(Self::Kms { mode, key: key.parse().map_err(|_| bad())? }),
        };
        match (mode, rest) {
            ("encrypted", None) => Ok(Self::Encrypted),
            ("rules", None) => Ok(Self::Rules),
            ("sse-s3", None) => Ok(Self::Server(Mode::SseS3)),
            ("sse-kms", _) => kms(Mode::SseKms),
            ("dsse-kms", _) => kms(Mode::DsseKms),
            ("sse-c", None) => Ok(Self::Server(Mode::SseC)),
            ("sse-c", Some(print)) if !print.is_empty() => Ok(Self::CustomerKey(print.to_owned())),
            ("client", None) => Ok(Self::Client),
            ("client", Some(format)) => format.parse().map(Self::Format).map_err(|_| bad()),
            _ => Err(bad()),
        }
    }
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Encrypted => f.write_str("encrypted"),
            Self::Rules => f.write_str("rules"),
            Self::Server(mode) => write!(f, "{mode}"),
            Self::Kms { mode, key } => write!(f, "{mode}:{key}"),
            Self::CustomerKey(print) => write!(f, "sse-c:{print}"),
            Self::Client => f.write_str("client"),
            Self::Format(format) => write!(f, "client:{format}"),
        }
    }
}

impl Expectation {
    /// Whether an S3 Inventory report contains enough to decide this.
    pub(crate) fn is_told_by_inventory(&self) -> bool {
        matches!(self, Self::Server(_) | Self::Encrypted)
    }

    fn is_met(&self, outcome: &InspectOutcome, rules: &Requirements) -> bool {
        let applied = &outcome.at_rest.applied;
        let is = |mode: Mode| applied.mode == AppliedMode::Known(mode);
        match self {
            Self::Rules => unmet(outcome, rules).is_none(),
            Self::Encrypted => outcome.mode() != AppliedMode::NotSaid,
            Self::Server(mode) => is(*mode),
            Self::Kms { mode, key } => {
                is(*mode) && applied.kms_key.as_deref().is_some_and(|found| key.is(found))
            }
            Self::CustomerKey(print) => {
                let by_md5 = applied.customer_key_md5.as_deref() == Some(print);
                let by_short = matches!(&outcome.at_rest.customer_key,
                    Some(CustomerKeyFit::Fits { fingerprint }) if fingerprint == print);
                is(Mode::SseC) && (by_md5 || by_short)
            }
            // An instruction file belongs to a client-side object, and holds no content.
            Self::Client => matches!(
                outcome.client,
                ClientSeen::Envelope(_) | ClientSeen::InstructionFileNotRead | ClientSeen::InstructionFile
            ),
            Self::Format(format) if outcome.client == ClientSeen::InstructionFile => {
                *format != Format::Esdk.into()
            }
            Self::Format(format) => outcome.envelope().is_some_and(|envelope| envelope.format == *format),
        }
    }
}

/// Compares an outcome with the expectations, any one of which is enough, and records the result in it.
pub(crate) fn judge(outcome: &mut InspectOutcome, expected: &[Expectation], rules: &Requirements) {
    let is_met = expected.iter().any(|one| one.is_met(outcome, rules));
    outcome.as_expected = (!expected.is_empty()).then_some(is_met);
    if !is_met && expected.contains(&Expectation::Rules) {
        outcome.unmet_rule = unmet(outcome, rules);
    }
}

/// The first requirement of a rule that the object is not known to meet.
pub(crate) fn unmet(outcome: &InspectOutcome, rules: &Requirements) -> Option<Unmet> {
    let client_side = matches!(
        outcome.client,
        ClientSeen::Envelope(_) | ClientSeen::InstructionFileNotRead | ClientSeen::InstructionFile
    );
    let mut seen = outcome.at_rest.applied.encrypted(client_side);
    let recipients = outcome.envelope().map(|envelope| envelope.recipients.as_slice()).unwrap_or_default();
    let in_kms = recipients.iter().filter(|recipient| recipient.kind == Some(WrapKind::Kms));
    seen.kms_keys.extend(in_kms.map(|recipient| recipient.key.clone().unwrap_or_default()));
    rules.unmet(&outcome.uri, &Encrypted { described: outcome.mode().to_string(), ..seen })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::object_head::ObjectHead;
    use crate::aws::sse::Applied;

    const ARN: &str = "arn:aws:kms:us-east-1:111122223333:key/k-1";

    fn found(mode: AppliedMode, kms_key: Option<&str>, client: ClientSeen) -> InspectOutcome {
        let applied = Applied { mode, kms_key: kms_key.map(str::to_owned), ..Applied::default() };
        let head = ObjectHead { applied, ..ObjectHead::default() };
        InspectOutcome::of(&"s3://bkt/k".parse().unwrap(), head, None, client)
    }

    fn server(mode: Mode, key: Option<&str>) -> InspectOutcome {
        found(AppliedMode::Known(mode), key, ClientSeen::NoSign)
    }

    fn is_as_expected(expected: &[Expectation], outcome: &InspectOutcome) -> Option<bool> {
        let mut outcome = outcome.clone();
        judge(&mut outcome, expected, &Requirements::default());
        outcome.as_expected
    }

    fn met(expected: &str, outcome: &InspectOutcome) -> bool {
        is_as_expected(&[expected.parse().unwrap()], outcome).unwrap()
    }

    #[test]
    fn words_are_read_and_written_alike() {
        for text in [
            "encrypted",
            "sse-s3",
            "sse-kms",
            "sse-kms:arn:aws:kms:us-east-1:1:key/k",
            "sse-kms:alias/backup",
            "dsse-kms",
            "dsse-kms:k-1",
            "sse-c",
            "sse-c:UhbdzFjo2t5SVgded/ZC2g==",
            "client",
            "client:s3ec",
            "client:s3ec-v2",
            "client:s3ec-v1",
            "client:esdk",
            "rules",
        ] {
            assert_eq!(text.parse::<Expectation>().unwrap().to_string(), text);
        }
        for text in
            ["", "kms", "sse-s3:k", "sse-c:", "sse-kms:", "client:", "client:gpg", "encrypted:x", "SSE-S3"]
        {
            assert!(text.parse::<Expectation>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_mode_and_a_key_are_compared() {
        let kms = server(Mode::SseKms, Some(ARN));
        assert!(met("sse-kms", &kms) && met("encrypted", &kms));
        assert!(met(&format!("sse-kms:{ARN}"), &kms) && met("sse-kms:k-1", &kms));
        assert!(
            !met("sse-kms:k-2", &kms)
                && !met("dsse-kms", &kms)
                && !met("sse-s3", &kms)
                && !met("client", &kms)
        );
        // An object that does not say which key it has does not meet the expectation of a key.
        assert!(!met("sse-kms:k-1", &server(Mode::SseKms, None)));
        assert!(!met("sse-kms:alias/backup", &kms), "an alias that nobody resolved");
    }

    #[test]
    fn nothing_and_the_unknown_are_told_apart() {
        let plain = found(AppliedMode::NotSaid, None, ClientSeen::NoSign);
        assert!(!met("encrypted", &plain) && !met("sse-s3", &plain));
        let future = found(AppliedMode::Other("aws:future".to_owned()), None, ClientSeen::NoSign);
        assert!(met("encrypted", &future) && !met("sse-kms", &future));
    }

    #[test]
    fn an_sse_c_key_must_be_seen() {
        let uri = "s3://bkt/k".parse().unwrap();
        let hidden = InspectOutcome::behind_customer_key(&uri, None, CustomerKeyFit::NotGiven);
        assert!(met("sse-c", &hidden) && met("encrypted", &hidden));
        assert!(!met("sse-c:22a48051594c1949", &hidden));
        let fit = CustomerKeyFit::Fits { fingerprint: "22a48051594c1949".to_owned() };
        let mut seen = InspectOutcome::behind_customer_key(&uri, None, fit);
        seen.at_rest.applied.customer_key_md5 = Some("UhbdzFjo2t5SVgded/ZC2g==".to_owned());
        assert!(met("sse-c:22a48051594c1949", &seen) && met("sse-c:UhbdzFjo2t5SVgded/ZC2g==", &seen));
        assert!(!met("sse-c:0000000000000000", &seen));
    }

    #[test]
    fn any_one_will_do() {
        let expected: Vec<Expectation> = ["sse-s3", "sse-kms"].map(|text| text.parse().unwrap()).into();
        assert_eq!(is_as_expected(&expected, &server(Mode::SseKms, None)), Some(true));
        assert_eq!(is_as_expected(&expected, &server(Mode::DsseKms, None)), Some(false));
        assert_eq!(is_as_expected(&[], &server(Mode::DsseKms, None)), None);
    }
}
