//! The summary of many outcomes: the number of objects and bytes per mode and key.
//!
//! Its size grows with the number of keys, not with that of objects. Lists stop at a limit; the counts continue.

use std::collections::BTreeMap;

use super::outcome::{ClientSeen, CustomerKeyFit, InspectOutcome};
use crate::aws::sse::AppliedMode;
use crate::encryption::Mode;
use crate::error::WrapKind;
use crate::limits::{MAX_SUMMARY_OBJECTS, MAX_SUMMARY_SHARES};

/// The mode and key by which objects are counted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ShareName {
    /// The mode, as [`mode_word`] says it.
    pub(crate) mode: String,
    /// The key: an ARN, the fingerprint of an SSE-C key, or a format and its recipients.
    pub(crate) key: Option<String>,
}

/// A number of objects and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Amount {
    /// Objects, or versions.
    pub(crate) objects: u64,
    /// Stored bytes.
    pub(crate) bytes: u64,
}

/// An object that is not as expected, or could not be inspected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Offender {
    /// The object, as the user would name it.
    pub(crate) name: String,
    /// How it is encrypted, or why it could not be inspected.
    pub(crate) why: String,
}

/// A list cut at [`MAX_SUMMARY_OBJECTS`], with the total count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Offenders {
    /// The first of them.
    pub(crate) first: Vec<Offender>,
    /// How many there are in all.
    pub(crate) count: u64,
}

/// The summary of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Summary {
    /// All objects that were inspected.
    pub(crate) all: Amount,
    /// By mode and key.
    pub(crate) shares: BTreeMap<ShareName, Amount>,
    /// Objects of further modes and keys, beyond [`MAX_SUMMARY_SHARES`].
    pub(crate) others: Amount,
    /// Objects that are not as expected; `None` if nothing is expected.
    pub(crate) unexpected: Option<Offenders>,
    /// Objects that could not be inspected.
    pub(crate) failed: Offenders,
    /// Objects whose client-side encryption is claimed but not proven.
    pub(crate) claimed: u64,
    /// Delete markers that were skipped.
    pub(crate) delete_markers: u64,
    /// Objects that the filters exclude.
    pub(crate) filtered_out: u64,
    /// Objects that were deleted after they were listed and before they were inspected.
    pub(crate) deleted_meanwhile: u64,
    /// What was read; `None` if no data is read.
    pub(crate) data: Option<DataSum>,
}

/// Totals of the data that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct DataSum {
    /// Objects that were read, and verified if anything can verify them.
    pub(crate) objects: u64,
    /// Their bytes after decryption.
    pub(crate) bytes: u64,
    /// Objects among these that nothing can verify.
    pub(crate) not_verifiable: u64,
    /// Objects from which the sample was chosen, including those that failed.
    pub(crate) of: u64,
    /// The share that was to be read; `None` means all.
    pub(crate) sample: Option<String>,
}

impl ShareName {
    /// The share that an object belongs to.
    pub(crate) fn of(outcome: &InspectOutcome) -> Self {
        Self { mode: mode_word(&outcome.mode()).to_owned(), key: key_of(outcome) }
    }
}

impl Summary {
    /// Makes an empty summary; `expecting` says whether anything is expected.
    pub(crate) fn new(expecting: bool) -> Self {
        Self { unexpected: expecting.then(Offenders::default), ..Self::default() }
    }

    /// Counts an object.
    pub(crate) fn count(&mut self, outcome: &InspectOutcome) {
        let bytes = outcome.stored_len.unwrap_or(0);
        self.all.add(bytes);
        self.claimed += u64::from(outcome.is_claimed());
        if let (Some(sum), Some(data)) = (&mut self.data, &outcome.data) {
            sum.objects += 1;
            sum.bytes = sum.bytes.saturating_add(data.plain_len);
            sum.not_verifiable += u64::from(!data.is_verified());
        }
        let name = ShareName::of(outcome);
        if self.shares.len() < MAX_SUMMARY_SHARES || self.shares.contains_key(&name) {
            self.shares.entry(name).or_default().add(bytes);
        } else {
            self.others.add(bytes);
        }
        if outcome.as_expected == Some(false) {
            let short = in_short(outcome);
            let why = match &outcome.unmet_rule {
                Some(unmet) => format!("{short}; demanded is {unmet}"),
                None => short,
            };
            let offender = Offender { name: name_of(outcome), why };
            self.unexpected.get_or_insert_default().add(offender);
        }
    }

    /// Counts an object that could not be inspected.
    pub(crate) fn fail(&mut self, name: String, why: String) {
        self.failed.add(Offender { name, why });
    }

    /// Counts objects whose data could be read, whether it was or not.
    pub(crate) fn find(&mut self, objects: u64) {
        if let Some(sum) = &mut self.data {
            sum.of += objects;
        }
    }

    /// The shares, those with the most objects first.
    pub(crate) fn largest_first(&self) -> Vec<(&ShareName, Amount)> {
        let mut shares: Vec<_> = self.shares.iter().map(|(name, amount)| (name, *amount)).collect();
        shares.sort_by_key(|(_, amount)| std::cmp::Reverse(amount.objects));
        shares
    }
}

impl Amount {
    fn add(&mut self, bytes: u64) {
        self.objects += 1;
        self.bytes = self.bytes.saturating_add(bytes);
    }
}

impl Offenders {
    pub(crate) fn add(&mut self, offender: Offender) {
        self.count += 1;
        if self.first.len() < MAX_SUMMARY_OBJECTS {
            self.first.push(offender);
        }
    }

    /// How many are counted but not listed.
    pub(crate) fn unlisted(&self) -> u64 {
        self.count - self.first.len() as u64
    }
}

/// The word for a mode in tables and documents: the value of `-e`, `none`, or S3's own name of a mode that s3seal does
/// not know.
pub(crate) fn mode_word(mode: &AppliedMode) -> &str {
    match mode {
        AppliedMode::Known(mode) => mode.as_str(),
        AppliedMode::NotSaid => "none",
        AppliedMode::Other(word) => word,
    }
}

/// The object with its version, as the user would name it.
pub(crate) fn name_of(outcome: &InspectOutcome) -> String {
    match &outcome.version_id {
        Some(version) if outcome.latest.is_some() => format!("{} (version {version})", outcome.uri),
        _ => outcome.uri.to_string(),
    }
}

/// How an object is encrypted, in a few words: the mode and what is known of the key.
pub(crate) fn in_short(outcome: &InspectOutcome) -> String {
    let mode = outcome.mode();
    let mode = mode_word(&mode);
    match key_of(outcome) {
        Some(key) => format!("{mode} ({key})"),
        None => mode.to_owned(),
    }
}

/// The key of an object, by whatever name it has.
pub(crate) fn key_of(outcome: &InspectOutcome) -> Option<String> {
    match &outcome.client {
        ClientSeen::Envelope(envelope) => {
            let who = envelope.recipients.iter().map(|recipient| {
                let name = recipient.fingerprint.as_ref().or(recipient.key.as_ref());
                let kind = kind_word(recipient.kind);
                name.map_or_else(|| kind.to_owned(), |name| format!("{kind} {name}"))
            });
            return Some(format!("{}: {}", envelope.format, who.collect::<Vec<_>>().join(" + ")));
        }
        ClientSeen::InstructionFileNotRead => return Some("in an instruction file".to_owned()),
        ClientSeen::InstructionFile => return Some("instruction file".to_owned()),
        ClientSeen::NoSign | ClientSeen::Broken(_) | ClientSeen::Unknown => {}
    }
    let applied = &outcome.at_rest.applied;
    match (&applied.mode, &outcome.at_rest.customer_key) {
        (AppliedMode::Known(Mode::SseC), Some(fit)) => Some(match fit {
            CustomerKeyFit::Fits { fingerprint } => fingerprint.clone(),
            CustomerKeyFit::NotGiven => "key not given".to_owned(),
            CustomerKeyFit::NoneFits { .. } => "no key given fits".to_owned(),
            CustomerKeyFit::NotSaid => return None,
        }),
        _ => applied.kms_key.clone(),
    }
}

/// The word for a kind of wrapping key.
pub(crate) fn kind_word(kind: Option<WrapKind>) -> &'static str {
    match kind {
        Some(WrapKind::Aes) => "aes",
        Some(WrapKind::Rsa) => "rsa",
        Some(WrapKind::Kms) => "kms",
        Some(WrapKind::Passphrase) => "passphrase",
        None => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::object_head::ObjectHead;
    use crate::aws::sse::Applied;

    fn outcome(mode: AppliedMode, key: Option<&str>, len: u64) -> InspectOutcome {
        let applied = Applied { mode, kms_key: key.map(str::to_owned), ..Applied::default() };
        let head = ObjectHead { len, applied, ..ObjectHead::default() };
        InspectOutcome::of(&"s3://bkt/k".parse().unwrap(), head, None, ClientSeen::NoSign)
    }

    #[test]
    fn objects_and_bytes_are_summed_by_mode_and_key() {
        let mut summary = Summary::new(false);
        for (mode, key, len) in [
            (AppliedMode::Known(Mode::SseKms), Some("k1"), 5),
            (AppliedMode::Known(Mode::SseKms), Some("k1"), 7),
            (AppliedMode::Known(Mode::SseKms), Some("k2"), 1),
            (AppliedMode::NotSaid, None, 100),
            (AppliedMode::Other("aws:future".to_owned()), None, 3),
        ] {
            summary.count(&outcome(mode, key, len));
        }
        assert_eq!(summary.all, Amount { objects: 5, bytes: 116 });
        let first = summary.largest_first()[0];
        assert_eq!((first.0.mode.as_str(), first.0.key.as_deref()), ("sse-kms", Some("k1")));
        assert_eq!(first.1, Amount { objects: 2, bytes: 12 });
        assert_eq!(summary.shares.len(), 4);
        assert!(summary.unexpected.is_none());
    }

    #[test]
    fn memory_stays_bounded_and_counts_go_on() {
        let mut summary = Summary::new(true);
        for number in 0..12_000 {
            let key = format!("k{number}");
            let unexpected = InspectOutcome {
                as_expected: Some(false),
                ..outcome(AppliedMode::Known(Mode::SseKms), Some(&key), 1)
            };
            summary.count(&unexpected);
            summary.fail(key, String::new());
        }
        assert_eq!((summary.shares.len(), summary.others.objects), (MAX_SUMMARY_SHARES, 2_000));
        let unexpected = summary.unexpected.unwrap();
        assert_eq!((unexpected.first.len(), unexpected.count), (MAX_SUMMARY_OBJECTS, 12_000));
        assert_eq!(unexpected.unlisted(), 11_000);
        assert_eq!(summary.failed.count, 12_000);
    }
}
