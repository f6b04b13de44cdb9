//! Which attributes a request must set to preserve them when an object is replaced, and which would be lost. Pure.
//!
//! CopyObject copies some attributes and silently drops others; a new upload drops all of them.
//! Source: CopyObject in the Amazon S3 API reference, "Considerations when using this action".

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::aws::object_head::ObjectHead;
use crate::aws::probe::Probe;
use crate::checksum::Algorithm;
use crate::error::{Denial, Error, Result, Subject, Unsupported};
use crate::object::{Grants, Lock, Settings};
use crate::seal::detect::is_envelope_entry;

/// How the new object is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CopyMethod {
    /// One copy within S3 that copies metadata and headers.
    Copy,
    /// One copy within S3 that replaces metadata, and headers with them.
    CopyReplacing,
    /// An upload, of parts that S3 copies or of bytes, which copies no attributes.
    Upload,
}

/// An attribute that cannot be preserved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Loss {
    /// The ACL could not be read, or cannot be expressed in a request.
    Acl,
    /// The tags could not be read.
    Tags,
    /// It is not known whether the object is locked.
    Lock,
    /// Metadata that S3 does not return, or returns encoded.
    Metadata,
    /// An `Expires` that is no date.
    Expires,
    /// A checksum of an algorithm that s3seal does not know; another replaces it.
    Checksum,
    /// A hold that waits for an event.
    EventHold,
    Annotations,
    /// The encryption context of a client-side object.
    Context,
}

impl Loss {
    /// All of them.
    pub(crate) const ALL: [Self; 9] = [
        Self::Acl,
        Self::Tags,
        Self::Lock,
        Self::Metadata,
        Self::Expires,
        Self::Checksum,
        Self::EventHold,
        Self::Annotations,
        Self::Context,
    ];

    /// The word on the command line.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Acl => "acl",
            Self::Tags => "tags",
            Self::Lock => "lock",
            Self::Metadata => "metadata",
            Self::Expires => "expires",
            Self::Checksum => "checksum",
            Self::EventHold => "event-hold",
            Self::Annotations => "annotations",
            Self::Context => "context",
        }
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Loss {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|loss| loss.as_str() == text).ok_or_else(|| {
            let words: Vec<_> = Self::ALL.iter().map(|loss| loss.as_str()).collect();
            format!("write one of {}", words.join(", "))
        })
    }
}

/// The attributes of an object other than its bytes and its encryption, as far as they could be read.
pub(crate) struct Found<'a> {
    /// What HEAD says.
    pub(crate) head: &'a ObjectHead,
    pub(crate) tags: Probe<BTreeMap<String, String>>,
    /// Its ACL.
    pub(crate) grants: Probe<Grants>,
    pub(crate) lock: Probe<Lock>,
    /// How many annotations it has.
    pub(crate) annotations: Probe<usize>,
    /// Whether it is encrypted client-side, so that its envelope is among its metadata.
    pub(crate) client_side: bool,
    /// The time, in seconds since 1970.
    pub(crate) now: i64,
}

impl<'a> Found<'a> {
    /// Takes a head as all that there is to know of an object that is not encrypted client-side.
    pub(crate) fn of(head: &'a ObjectHead, now: i64) -> Self {
        Self {
            head,
            tags: Probe::Known(BTreeMap::new()),
            grants: Probe::Known(Grants::default()),
            lock: Probe::Known(head.lock.clone()),
            annotations: Probe::Known(0),
            client_side: false,
            now,
        }
    }

    /// Finds the fields of the request, and refuses to lose anything but what is `accepted`.
    ///
    /// # Errors
    /// `Denied` for what may not be read; `Unsupported` names what would be lost otherwise.
    pub(crate) fn preserved(
        &self,
        by: CopyMethod,
        accepted: &[Loss],
        subject: &Subject,
    ) -> Result<Preserved> {
        let preserved = preserve(self, by);
        let lost = unaccepted(&preserved.losses, accepted);
        let Some((first, _)) = lost.first() else { return Ok(preserved) };
        let reasons: Vec<&str> = lost.iter().map(|(_, why)| why.as_str()).collect();
        let why = reasons.join("; ");
        if let Some((loss, action)) = lost.iter().find_map(|(loss, _)| Some((*loss, self.denied(*loss)?))) {
            let why = Denial::Attribute { loss: loss.as_str(), action, why };
            return Err(Error::Denied { subject: subject.clone(), why, source: None });
        }
        Err(Error::unsupported(subject.clone(), Unsupported::WouldLose { loss: first.as_str(), why }))
    }

    /// The action that is not allowed and without which this attribute cannot be read.
    pub(crate) fn denied(&self, loss: Loss) -> Option<&'static str> {
        match loss {
            Loss::Acl => self.grants.denied(),
            Loss::Tags => self.tags.denied(),
            Loss::Lock => self.lock.denied(),
            Loss::Annotations => self.annotations.denied(),
            Loss::Metadata | Loss::Expires | Loss::Checksum | Loss::EventHold | Loss::Context => None,
        }
    }
}

/// The fields of the request for the new object, and what is still lost.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Preserved {
    /// Headers, metadata, tags, class, ACL, lock.
    pub(crate) settings: Settings,
    /// The checksum algorithm to keep; `None` is S3's default.
    pub(crate) algorithm: Option<Algorithm>,
    /// What cannot be preserved, each once, with the reason.
    pub(crate) losses: Vec<(Loss, String)>,
}

/// Finds the fields of the request.
pub(super) fn preserve(found: &Found<'_>, by: CopyMethod) -> Preserved {
    let mut preserved = Preserved {
        algorithm: found.head.checksum.as_ref().map(|kept| kept.algorithm),
        ..Preserved::default()
    };
    keep_never_copied(found, &mut preserved);
    if by != CopyMethod::Copy {
        keep_copied_unless_replaced(found, &mut preserved);
    }
    if by == CopyMethod::Upload {
        keep_copied_but_not_uploaded(found, &mut preserved);
    }
    preserved
}

/// Keeps attributes that CopyObject never copies.
fn keep_never_copied(found: &Found<'_>, preserved: &mut Preserved) {
    let head = found.head;
    preserved.settings.storage_class.clone_from(&head.storage_class);
    preserved.settings.website_redirect.clone_from(&head.website_redirect);
    preserved.settings.lock = lock(found.lock.fact().unwrap_or(&head.lock), found.now);
    if found.lock.fact().is_none() {
        preserved.losses.push((Loss::Lock, unreadable("its lock", &found.lock)));
    }
    match &found.grants {
        Probe::Known(grants) => preserved.settings.grants.clone_from(grants),
        other => preserved.losses.push((Loss::Acl, unreadable("its ACL", other))),
    }
    if head.event_hold {
        preserved.losses.push((Loss::EventHold, "an event-based hold starts again".to_owned()));
    }
}

/// Drops a retention that has ended: it protects nothing, and S3 rejects a date in the past.
fn lock(lock: &Lock, now: i64) -> Lock {
    match lock.retain_until {
        Some(until) if until <= now => Lock { legal_hold: lock.legal_hold, ..Lock::default() },
        _ => lock.clone(),
    }
}

/// Keeps attributes that CopyObject copies unless it replaces metadata.
fn keep_copied_unless_replaced(found: &Found<'_>, preserved: &mut Preserved) {
    let head = found.head;
    let settings = &mut preserved.settings;
    settings.content_type.clone_from(&head.content_type);
    settings.cache_control.clone_from(&head.cache_control);
    settings.content_encoding.clone_from(&head.content_encoding);
    settings.content_disposition.clone_from(&head.content_disposition);
    settings.content_language.clone_from(&head.content_language);
    settings.metadata.clone_from(&head.metadata);
    if found.client_side {
        settings.metadata.retain(|name, _| !is_envelope_entry(name));
    }
    match &head.expires {
        Some((_, Some(date))) => settings.expires = Some(*date),
        Some((text, None)) => {
            preserved.losses.push((Loss::Expires, format!("its Expires header is not a date ('{text}')")));
        }
        None => {}
    }
    let encoded = settings.metadata.iter().find(|(_, value)| value.starts_with("=?"));
    if head.missing_metadata > 0 {
        let noun = if head.missing_metadata == 1 { "entry" } else { "entries" };
        let why = format!("{} metadata {noun} cannot be returned in headers", head.missing_metadata);
        preserved.losses.push((Loss::Metadata, why));
    } else if let Some((name, _)) = encoded {
        let why = format!("its metadata '{name}' is not ASCII, and S3 returns it encoded");
        preserved.losses.push((Loss::Metadata, why));
    }
}

/// Keeps attributes that CopyObject always copies, and an upload does not.
fn keep_copied_but_not_uploaded(found: &Found<'_>, preserved: &mut Preserved) {
    let head = found.head;
    match &found.tags {
        Probe::Known(tags) => preserved.settings.tags.clone_from(tags),
        other => preserved.losses.push((Loss::Tags, unreadable("its tags", other))),
    }
    match &found.annotations {
        Probe::Known(0) => {}
        Probe::Known(count) => {
            let noun = if *count == 1 { "annotation" } else { "annotations" };
            preserved.losses.push((Loss::Annotations, format!("its {count} {noun} cannot be copied")));
        }
        other => preserved.losses.push((Loss::Annotations, unreadable("its annotations", other))),
    }
    if let (None, Some((name, _))) = (&head.checksum, &head.other_checksum) {
        let why = format!("its {name} checksum is replaced by one that s3seal can compute");
        preserved.losses.push((Loss::Checksum, why));
    }
}

/// Names the attributes that HEAD returned before and does not return now, with their old values. Additions are no
/// loss.
pub(crate) fn missing_after(found: &Found<'_>, now: &ObjectHead) -> Vec<String> {
    let before = found.head;
    let kept = preserve(found, CopyMethod::CopyReplacing).settings;
    let texts = [
        ("Content-Type", &kept.content_type, &now.content_type),
        ("Cache-Control", &kept.cache_control, &now.cache_control),
        ("Content-Encoding", &kept.content_encoding, &now.content_encoding),
        ("Content-Disposition", &kept.content_disposition, &now.content_disposition),
        ("Content-Language", &kept.content_language, &now.content_language),
        ("storage class", &kept.storage_class, &now.storage_class),
        ("website redirect", &kept.website_redirect, &now.website_redirect),
        ("retention mode", &kept.lock.mode, &now.lock.mode),
    ];
    let mut lost: Vec<(&str, &str)> = texts
        .into_iter()
        .filter_map(|(name, was, is)| Some((name, was.as_deref().filter(|was| is.as_deref() != Some(*was))?)))
        .collect();
    let metadata = kept.metadata.iter().filter(|(name, was)| now.metadata.get(*name) != Some(*was));
    lost.extend(metadata.map(|(name, was)| (name.as_str(), was.as_str())));
    let expires = now.expires.as_ref().and_then(|(_, date)| *date);
    if let (Some((text, _)), true) = (&before.expires, kept.expires.is_some() && kept.expires != expires) {
        lost.push(("Expires", text));
    }
    let mut missing: Vec<String> = lost.into_iter().map(|(name, was)| format!("{name} '{was}'")).collect();
    if kept.lock.retain_until > now.lock.retain_until {
        missing.push("the end of its retention".to_owned());
    }
    if kept.lock.legal_hold && !now.lock.legal_hold {
        missing.push("its legal hold".to_owned());
    }
    missing
}

fn unreadable<T>(what: &str, seen: &Probe<T>) -> String {
    seen.why_not().map_or_else(|| what.to_owned(), |why| format!("{what} cannot be read: {why}"))
}

/// Returns what is lost and was not accepted.
fn unaccepted<'a>(losses: &'a [(Loss, String)], accepted: &[Loss]) -> Vec<&'a (Loss, String)> {
    losses.iter().filter(|(loss, _)| !accepted.contains(loss)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::object_head::Checksum;

    fn head() -> ObjectHead {
        let text = |text: &str| Some(text.to_owned());
        ObjectHead {
            len: 10,
            content_type: text("text/plain"),
            storage_class: text("STANDARD_IA"),
            metadata: [("a", "1"), ("x-amz-3", "wrapped"), ("s3seal-format", "esdk")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            checksum: Some(Checksum {
                algorithm: Algorithm::Sha256,
                value: "v".to_owned(),
                composite: false,
            }),
            cache_control: text("no-cache"),
            content_encoding: text("gzip"),
            content_disposition: text("inline"),
            content_language: text("de"),
            expires: Some(("date".to_owned(), Some(7))),
            website_redirect: text("/there"),
            lock: Lock { mode: text("GOVERNANCE"), retain_until: Some(200), legal_hold: true },
            ..ObjectHead::default()
        }
    }

    fn found(head: &ObjectHead) -> Found<'_> {
        Found {
            head,
            tags: Probe::Known([("t".to_owned(), "1".to_owned())].into()),
            grants: Probe::Known(Grants { read: vec!["id=\"x\"".to_owned()], ..Grants::default() }),
            lock: Probe::Known(head.lock.clone()),
            annotations: Probe::Known(0),
            client_side: true,
            now: 100,
        }
    }

    fn losses(found: &Found<'_>, by: CopyMethod) -> Vec<Loss> {
        preserve(found, by).losses.into_iter().map(|(loss, _)| loss).collect()
    }

    #[test]
    fn each_way_says_what_it_would_drop() {
        let head = head();
        let found = found(&head);
        let text = |text: &str| Some(text.to_owned());
        let copy = Settings {
            storage_class: text("STANDARD_IA"),
            website_redirect: text("/there"),
            lock: Lock { mode: text("GOVERNANCE"), retain_until: Some(200), legal_hold: true },
            grants: Grants { read: vec!["id=\"x\"".to_owned()], ..Grants::default() },
            ..Settings::default()
        };
        assert_eq!(preserve(&found, CopyMethod::Copy).settings, copy);
        let replacing = Settings {
            content_type: text("text/plain"),
            cache_control: text("no-cache"),
            content_encoding: text("gzip"),
            content_disposition: text("inline"),
            content_language: text("de"),
            expires: Some(7),
            metadata: [("a".to_owned(), "1".to_owned())].into(),
            ..copy
        };
        assert_eq!(preserve(&found, CopyMethod::CopyReplacing).settings, replacing);
        let upload = Settings { tags: [("t".to_owned(), "1".to_owned())].into(), ..replacing };
        let preserved = preserve(&found, CopyMethod::Upload);
        assert_eq!(preserved.settings, upload);
        assert_eq!((preserved.algorithm, preserved.losses), (Some(Algorithm::Sha256), vec![]));
    }

    #[test]
    fn what_is_gone_afterwards_is_named_with_what_it_was() {
        let head = head();
        let found = found(&head);
        assert_eq!(missing_after(&found, &head), [""; 0]);
        let richer = ObjectHead {
            metadata: [("a", "1"), ("b", "2")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            ..head.clone()
        };
        assert_eq!(missing_after(&found, &richer), [""; 0], "what came on top is no loss");
        let all = [
            "Content-Type 'text/plain'",
            "Cache-Control 'no-cache'",
            "Content-Encoding 'gzip'",
            "Content-Disposition 'inline'",
            "Content-Language 'de'",
            "storage class 'STANDARD_IA'",
            "website redirect '/there'",
            "retention mode 'GOVERNANCE'",
            "a '1'",
            "Expires 'date'",
            "the end of its retention",
            "its legal hold",
        ];
        assert_eq!(missing_after(&found, &ObjectHead::default()), all);
        let ended = Found { now: 200, ..found };
        assert_eq!(
            missing_after(&ended, &ObjectHead::default()).len(),
            all.len() - 2,
            "a retention that had ended"
        );
    }

    #[test]
    fn metadata_that_look_like_an_envelope_are_one_only_on_a_sealed_object() {
        let head = head();
        let plain = Found { client_side: false, ..found(&head) };
        assert_eq!(preserve(&plain, CopyMethod::Upload).settings.metadata.len(), 3);
    }

    #[test]
    fn a_lock_that_has_ended_is_not_said_again() {
        let head = head();
        let later = Found { now: 200, ..found(&head) };
        let lock = preserve(&later, CopyMethod::Copy).settings.lock;
        assert_eq!(lock, Lock { legal_hold: true, ..Lock::default() });
    }

    #[test]
    fn a_lock_that_head_hides_goes_over_too() {
        let hidden = Lock { mode: Some("COMPLIANCE".to_owned()), retain_until: Some(300), legal_hold: false };
        let head = ObjectHead { lock: Lock::default(), ..head() };
        let found = Found { lock: Probe::Known(hidden.clone()), ..found(&head) };
        assert_eq!(preserve(&found, CopyMethod::Copy).settings.lock, hidden);
    }

    #[test]
    fn what_cannot_go_over_is_named_where_it_matters() {
        let mut head = head();
        head.expires = Some(("never".to_owned(), None));
        head.missing_metadata = 2;
        head.event_hold = true;
        head.checksum = None;
        head.other_checksum = Some(("SHA512", "v".to_owned()));
        let all = Found {
            tags: Probe::AccessDenied("s3:GetObjectTagging"),
            grants: Probe::AccessDenied("s3:GetObjectAcl"),
            lock: Probe::AccessDenied("s3:GetObjectRetention"),
            annotations: Probe::AccessDenied("s3:ListObjectAnnotations"),
            ..found(&head)
        };
        let denied = Loss::ALL.map(|loss| all.denied(loss)).into_iter().flatten().collect::<Vec<_>>();
        assert_eq!(
            denied,
            ["s3:GetObjectAcl", "s3:GetObjectTagging", "s3:GetObjectRetention", "s3:ListObjectAnnotations"]
        );
        assert_eq!(losses(&all, CopyMethod::Copy), [Loss::Lock, Loss::Acl, Loss::EventHold]);
        let replacing = [Loss::Lock, Loss::Acl, Loss::EventHold, Loss::Expires, Loss::Metadata];
        assert_eq!(losses(&all, CopyMethod::CopyReplacing), replacing);
        let upload = [&replacing[..], &[Loss::Tags, Loss::Annotations, Loss::Checksum]].concat();
        assert_eq!(losses(&all, CopyMethod::Upload), upload);

        let preserved = preserve(&all, CopyMethod::Copy);
        assert_eq!(unaccepted(&preserved.losses, &[Loss::Acl]).len(), 2);
        assert!(unaccepted(&preserved.losses, &Loss::ALL).is_empty());
        for loss in Loss::ALL {
            assert_eq!(loss.as_str().parse(), Ok(loss));
        }
    }

    #[test]
    fn text_that_comes_encoded_is_not_sent_again_as_if_it_were_plain() {
        let mut head = head();
        head.metadata.insert("city".to_owned(), "=?UTF-8?B?w7w=?=".to_owned());
        assert_eq!(losses(&found(&head), CopyMethod::CopyReplacing), [Loss::Metadata]);
        assert_eq!(losses(&found(&head), CopyMethod::Copy), []);
    }
}
