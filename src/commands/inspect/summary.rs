//! The sum over many findings: how many objects and bytes each mode and key has.
//!
//! Grows with the number of keys, not with that of objects; lists are cut at a limit, and the counts go on.

use std::collections::BTreeMap;

use super::finding::{ClientSeen, CustomerKeyFit, Finding};
use crate::aws::sse::AppliedMode;
use crate::encryption::Mode;
use crate::error::WrapKind;
use crate::limits::{MAX_SUMMARY_OBJECTS, MAX_SUMMARY_SHARES};

/// What is counted together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ShareName {
    /// The mode, as [`mode_word`] says it.
    pub(crate) mode: String,
    /// The key: an ARN, the fingerprint of an SSE-C key, or a format and its recipients.
    pub(crate) key: Option<String>,
}

/// Objects and bytes.
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
    /// What it is, or why it could not be inspected.
    pub(crate) why: String,
}

/// A list cut at [`MAX_SUMMARY_OBJECTS`], with the whole count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Offenders {
    /// The first of them.
    pub(crate) first: Vec<Offender>,
    /// All of them.
    pub(crate) count: u64,
}

/// The sum.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Summary {
    /// All objects that were inspected.
    pub(crate) all: Amount,
    /// By mode and key.
    pub(crate) shares: BTreeMap<ShareName, Amount>,
    /// What had no place among the shares.
    pub(crate) others: Amount,
    /// Objects that are not as expected; `None` where nothing is expected.
    pub(crate) unexpected: Option<Offenders>,
    /// Objects that could not be inspected.
    pub(crate) failed: Offenders,
    /// Objects that are client-side by their own claim alone.
    pub(crate) claimed: u64,
    /// Delete markers passed over.
    pub(crate) delete_markers: u64,
}

impl Summary {
    /// Begins to count; `expecting` says whether anything is expected.
    pub(crate) fn new(expecting: bool) -> Self {
        Self { unexpected: expecting.then(Offenders::default), ..Self::default() }
    }

    /// Counts a finding and whether it is as expected.
    pub(crate) fn count(&mut self, finding: &Finding, as_expected: Option<bool>) {
        let bytes = finding.stored_len.unwrap_or(0);
        self.all.add(bytes);
        self.claimed += u64::from(finding.is_claimed());
        let name = ShareName { mode: mode_word(&finding.mode()).to_owned(), key: key_of(finding) };
        if self.shares.len() < MAX_SUMMARY_SHARES || self.shares.contains_key(&name) {
            self.shares.entry(name).or_default().add(bytes);
        } else {
            self.others.add(bytes);
        }
        if as_expected == Some(false) {
            let offender = Offender { name: name_of(finding), why: in_short(finding) };
            self.unexpected.get_or_insert_default().add(offender);
        }
    }

    /// Counts an object that could not be inspected.
    pub(crate) fn fail(&mut self, name: String, why: String) {
        self.failed.add(Offender { name, why });
    }

    /// The shares, the largest first.
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
    fn add(&mut self, offender: Offender) {
        self.count += 1;
        if self.first.len() < MAX_SUMMARY_OBJECTS {
            self.first.push(offender);
        }
    }

    /// How many are counted and not listed.
    pub(crate) fn unlisted(&self) -> u64 {
        self.count - self.first.len() as u64
    }
}

/// The word for a mode in tables and documents: that of `-e`, or `none`, or S3's own for one that s3seal does not know.
pub(crate) fn mode_word(mode: &AppliedMode) -> &str {
    match mode {
        AppliedMode::Known(mode) => mode.as_str(),
        AppliedMode::NotSaid => "none",
        AppliedMode::Other(word) => word,
    }
}

/// The object with its version, as the user would name it.
pub(crate) fn name_of(finding: &Finding) -> String {
    match &finding.version_id {
        Some(version) if finding.latest.is_some() => format!("{} (version {version})", finding.uri),
        _ => finding.uri.to_string(),
    }
}

/// What an object is, in a few words: the mode and what is known of the key.
pub(crate) fn in_short(finding: &Finding) -> String {
    let mode = finding.mode();
    let mode = mode_word(&mode);
    match key_of(finding) {
        Some(key) => format!("{mode} ({key})"),
        None => mode.to_owned(),
    }
}

/// The key of an object, by whatever name it has.
pub(crate) fn key_of(finding: &Finding) -> Option<String> {
    match &finding.client {
        ClientSeen::Sealed(envelope) => {
            let who = envelope.recipients.iter().map(|recipient| {
                let name = recipient.fingerprint.as_ref().or(recipient.key.as_ref());
                let kind = kind_word(recipient.kind);
                name.map_or_else(|| kind.to_owned(), |name| format!("{kind} {name}"))
            });
            return Some(format!("{}: {}", envelope.format, who.collect::<Vec<_>>().join(" + ")));
        }
        ClientSeen::Elsewhere => return Some("in an instruction file".to_owned()),
        ClientSeen::InstructionFile => return Some("instruction file".to_owned()),
        ClientSeen::NoSign | ClientSeen::Broken(_) | ClientSeen::OutOfSight => {}
    }
    let applied = &finding.at_rest.applied;
    match (&applied.mode, &finding.at_rest.customer_key) {
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

    fn finding(mode: AppliedMode, key: Option<&str>, len: u64) -> Finding {
        let applied = Applied { mode, kms_key: key.map(str::to_owned), ..Applied::default() };
        let facts = ObjectHead { len, applied, ..ObjectHead::default() };
        Finding::of(&"s3://bkt/k".parse().unwrap(), facts, None, ClientSeen::NoSign)
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
            summary.count(&finding(mode, key, len), None);
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
            summary.count(&finding(AppliedMode::Known(Mode::SseKms), Some(&key), 1), Some(false));
            summary.fail(key, String::new());
        }
        assert_eq!((summary.shares.len(), summary.others.objects), (MAX_SUMMARY_SHARES, 2_000));
        let unexpected = summary.unexpected.unwrap();
        assert_eq!((unexpected.first.len(), unexpected.count), (MAX_SUMMARY_OBJECTS, 12_000));
        assert_eq!(unexpected.unlisted(), 11_000);
        assert_eq!(summary.failed.count, 12_000);
    }
}
