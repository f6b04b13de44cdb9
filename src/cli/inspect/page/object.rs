//! The page of one object: encryption at rest, on the client and in transit, and what else is known about it.

use std::fmt::Write;

use super::{Page, Tone};
use crate::aws::probe::Probe;
use crate::aws::sse::AppliedMode;
use crate::aws::timestamp::rfc3339_of_seconds;
use crate::aws::transport::Transport;
use crate::byte_size::ByteSize;
use crate::cli::inspect::verification;
use crate::cli::outcome::describe_opened;
use crate::cli::progress::amounts;
use crate::commands::inspect::outcome::{
    ClientSeen, ContentFacts, CustomerKeyFit, EnvelopeFacts, EnvelopePlace, InspectOutcome, Opens,
    RecipientFacts,
};
use crate::commands::inspect::{KmsKeySeen, ObjectReport};
use crate::commands::unwrapped_envelope::DecryptedBy;
use crate::encryption::{BoundName, Mode};
use crate::error::WrapKind;
use crate::object::Lock;
use crate::seal::wrap::{KEY_ENTRY, PASSPHRASE_ENTRY};

pub(crate) fn object(report: &ObjectReport, color: bool) -> String {
    let outcome = &report.outcome;
    let mut page = Page::new(&outcome.uri.to_string(), color);
    at_rest(&mut page, outcome, report.kms_key.as_ref());
    client(&mut page, outcome);
    if outcome.marked_instruction_file && outcome.client != ClientSeen::InstructionFile {
        page.row("", "its metadata says that it is an instruction file");
    }
    match &report.transport {
        Some(found) => transport(&mut page, found),
        None => page.toned("in transit", Tone::Odd, "unknown"),
    }
    page.gap();
    about(&mut page, outcome);
    if let Some(data) = &outcome.data {
        let tone = if data.is_verified() { Tone::Good } else { Tone::Odd };
        page.toned("data", tone, &verification::in_full(data));
    }
    match outcome.as_expected {
        Some(true) => page.toned("expected", Tone::Good, "yes"),
        Some(false) => page.toned("expected", Tone::Bad, "no"),
        None => {}
    }
    page.text()
}

fn at_rest(page: &mut Page, outcome: &InspectOutcome, kms: Option<&KmsKeySeen>) {
    let applied = &outcome.at_rest.applied;
    let (tone, what) = match &applied.mode {
        AppliedMode::Known(mode) => (Tone::Good, format!("{}, AES-256{}", mode.title(), header(*mode))),
        AppliedMode::NotSaid => (Tone::Bad, "none: S3 reports no encryption".to_owned()),
        AppliedMode::Other(word) => (Tone::Odd, format!("{word} (not known to this version of s3seal)")),
    };
    page.toned("at rest", tone, &what);
    match &outcome.at_rest.customer_key {
        None | Some(CustomerKeyFit::NotSaid) => {}
        Some(CustomerKeyFit::Fits { fingerprint }) => {
            let md5 = applied.customer_key_md5.as_deref().unwrap_or("?");
            page.row("  key", &format!("{fingerprint} (MD5 {md5}): the key given fits"));
        }
        Some(CustomerKeyFit::NotGiven) => {
            page.toned("  key", Tone::Odd, "no key given: --sse-c-key SOURCE shows more");
        }
        Some(CustomerKeyFit::NoneFits { tried: 1 }) => {
            page.toned("  key", Tone::Odd, "the key given does not fit");
        }
        Some(CustomerKeyFit::NoneFits { tried }) => {
            page.toned("  key", Tone::Odd, &format!("none of the {tried} keys given fits"));
        }
    }
    if let Some(key) = &applied.kms_key {
        page.row("  key", key);
        if let Some(seen) = kms {
            kms_key(page, seen);
        }
        page.row("  bucket key", if applied.bucket_key { "yes" } else { "no" });
    }
}

fn header(mode: Mode) -> &'static str {
    match mode {
        Mode::SseKms => " (aws:kms)",
        Mode::DsseKms => " twice (aws:kms:dsse)",
        Mode::SseS3 => ", S3's own key",
        Mode::SseC => ", a key that S3 does not keep",
        Mode::Client => "",
    }
}

fn kms_key(page: &mut Page, seen: &KmsKeySeen) {
    let mut parts = Vec::new();
    if let Probe::Known(aliases) = &seen.aliases {
        parts.extend(aliases.iter().cloned());
    }
    let mut tone = None;
    if let Probe::Known(metadata) = &seen.metadata {
        if let Some(state) = &metadata.state {
            if state != "Enabled" {
                tone = Some(Tone::Bad);
            }
            let deletion = metadata.deletion.as_ref().map(|date| format!(" on {date}")).unwrap_or_default();
            parts.push(format!("{}{deletion}", state_words(state)));
        }
        match metadata.manager.as_deref() {
            Some("CUSTOMER") => parts.push("managed by the customer".to_owned()),
            Some("AWS") => parts.push("managed by AWS".to_owned()),
            Some(other) => parts.push(format!("managed by {other}")),
            None => {}
        }
    }
    if !parts.is_empty() {
        let parts = parts.join(", ");
        match tone {
            Some(tone) => page.toned("", tone, &parts),
            None => page.row("", &parts),
        }
    }
    page.probe("", &seen.metadata, |_, _| {});
    page.probe("", &seen.aliases, |_, _| {});
}

/// A KMS key state as people write it: `PendingDeletion` is "pending deletion".
fn state_words(state: &str) -> String {
    let mut parts = String::new();
    for c in state.chars() {
        if c.is_ascii_uppercase() && !parts.is_empty() {
            parts.push(' ');
        }
        parts.push(c.to_ascii_lowercase());
    }
    parts
}

fn client(page: &mut Page, outcome: &InspectOutcome) {
    match &outcome.client {
        ClientSeen::NoSign => page.row("client side", "none detected"),
        ClientSeen::InstructionFileNotRead => {
            page.toned("client side", Tone::Good, "claimed; its envelope is in an instruction file");
        }
        ClientSeen::InstructionFile => {
            page.row("client side", "an instruction file: the wrapped data key of another object");
        }
        ClientSeen::Broken(why) => page.toned("client side", Tone::Bad, &format!("broken: {why}")),
        ClientSeen::Unknown => page.row("client side", "unknown without the SSE-C key"),
        ClientSeen::Envelope(envelope) => client_side(page, envelope, outcome),
    }
}

fn client_side(page: &mut Page, envelope: &EnvelopeFacts, outcome: &InspectOutcome) {
    let is_opened = matches!(envelope.opens, Opens::With(_));
    let claimed = if is_opened { "" } else { " (claimed: nothing was decrypted)" };
    page.toned("client side", Tone::Good, &format!("{}{claimed}", envelope.title));
    match &envelope.content {
        Some(content) => page.row("  suite", &content_words(content)),
        None => page.toned("  suite", Tone::Odd, "in the object's content, which was not read"),
    }
    for (number, recipient) in envelope.recipients.iter().enumerate() {
        page.row(if number == 0 { "  opens with" } else { "" }, &recipient_words(recipient));
    }
    match &envelope.opens {
        Opens::With(key) => {
            let tried = DecryptedBy { with: key.clone(), kms_key: None, intact: None, name_bound: false };
            let read = outcome.data.as_ref().and_then(|data| data.opened.as_ref());
            page.toned("", Tone::Good, &describe_opened(read.unwrap_or(&tried)));
        }
        Opens::WithNone => page.toned("", Tone::Odd, "none of the keys given decrypts it"),
        Opens::NotTried => {}
    }
    for (number, (key, value)) in envelope.context.iter().enumerate() {
        page.row(if number == 0 { "  context" } else { "" }, &format!("{key}={value}"));
    }
    match BoundName::of(&envelope.context) {
        Some(name) if name.is(&outcome.uri) => page.row("  name", "bound, and correct"),
        Some(name) => page.toned("  name", Tone::Bad, &format!("bound to another name: {name}")),
        None => {}
    }
    // Two entries of our own are told above, where they belong.
    let told = |key: &str| [KEY_ENTRY, PASSPHRASE_ENTRY].contains(&key);
    let description = envelope.description.iter().filter(|(key, _)| !told(key));
    for (number, (key, value)) in description.enumerate() {
        let label = if number == 0 { "  description" } else { "" };
        page.row(label, &format!("{key}={value} (not authenticated)"));
    }
    page.row(
        "  envelope",
        match envelope.place {
            EnvelopePlace::Metadata => "in the object's metadata",
            EnvelopePlace::InstructionFile => "in an instruction file",
            EnvelopePlace::Object => "in the object's content",
        },
    );
    if let Some((legacy, why)) = &envelope.legacy {
        let switch = legacy.as_str().unwrap_or_default();
        page.toned("  legacy", Tone::Odd, &format!("{why}; get needs --allow-legacy {switch}"));
    }
}

fn content_words(content: &ContentFacts) -> String {
    let commits = if content.committing { "key-committing" } else { "not key-committing" };
    let proves = if content.authenticated { "" } else { ", not authenticated" };
    let signed = if content.signed { ", signed" } else { "" };
    let frames = content.frame_length.map(|len| format!(", frames of {}", ByteSize(len.into())));
    format!("{} ({commits}{proves}{signed}{})", content.suite, frames.unwrap_or_default())
}

fn recipient_words(recipient: &RecipientFacts) -> String {
    let kind = match recipient.kind {
        Some(WrapKind::Aes) => "an AES key",
        Some(WrapKind::Rsa) => "an RSA private key",
        Some(WrapKind::Kms) => "a key in AWS KMS",
        Some(WrapKind::Passphrase) => "a passphrase",
        None => "a key that s3seal does not support",
    };
    let mut parts = kind.to_owned();
    if let Some(key) = &recipient.key {
        let _ = write!(parts, ", {key}");
    }
    if let Some(print) = &recipient.fingerprint {
        let _ = write!(parts, ", fingerprint {print}");
    }
    if let Some(phc) = &recipient.passphrase {
        let _ = write!(parts, ", {phc}");
    }
    let _ = write!(parts, " ({})", recipient.wrap);
    parts
}

fn transport(page: &mut Page, transport: &Transport) {
    match &transport.tls {
        None => page.toned(
            "in transit",
            Tone::Bad,
            &format!("plain {} to {}", transport.scheme.to_uppercase(), transport.host),
        ),
        Some(seen) => {
            page.probe("in transit", seen, |page, tls| {
                page.toned("in transit", Tone::Good, &format!("HTTPS, {tls}"));
            });
            if let Probe::Known(tls) = seen {
                let exchange = tls.key_exchange.as_ref().map(|name| format!("key exchange {name}"));
                let issuer = tls.issuer.as_ref().map(|name| format!("certificate by {name}"));
                let parts: Vec<String> = exchange.into_iter().chain(issuer).collect();
                page.row("", &parts.join(", "));
            }
            page.row("", &format!("to {}", transport.host));
        }
    }
}

/// A length for people, with the exact number.
fn size(len: u64) -> String {
    if len < 1024 {
        ByteSize(len).to_string()
    } else {
        format!("{} ({} bytes)", ByteSize(len), amounts::count(len))
    }
}

fn about(page: &mut Page, outcome: &InspectOutcome) {
    match outcome.stored_len {
        Some(len) => page.row("size", &size(len)),
        None => page.toned("size", Tone::Odd, "unknown"),
    }
    match (outcome.plain_len(), &outcome.client) {
        (Some(len), ClientSeen::Envelope(_)) => page.row("  plain", &size(len)),
        (None, ClientSeen::Envelope(envelope)) => {
            let claimed = envelope.claimed_len.map(|len| format!(", claimed to be {}", size(len)));
            page.row("  plain", &format!("known after decryption{}", claimed.unwrap_or_default()));
        }
        _ => {}
    }
    page.probe("checksum", &outcome.checksum, |page, sum| {
        if let Some(sum) = sum {
            let kind = if sum.composite { "composite" } else { "full object" };
            page.row("checksum", &format!("{} {} ({kind})", sum.algorithm, sum.value));
        }
    });
    if let Some((name, value)) = &outcome.other_checksum {
        page.row("checksum", &format!("{name} {value}"));
    }
    if let Some(etag) = &outcome.etag {
        page.row("etag", etag.trim_matches('"'));
    }
    let stored = outcome.last_modified.as_deref().unwrap_or("unknown");
    page.row("stored", stored);
    let class = outcome.storage_class.as_deref().unwrap_or("STANDARD");
    page.row(
        "class",
        &[Some(class), outcome.archive_status.as_deref()]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(", "),
    );
    if let Some(kind) = &outcome.content_type {
        page.row("type", kind);
    }
    if let Some(version) = &outcome.version_id {
        page.row("version", version);
    }
    let lock = &outcome.lock;
    if *lock != Lock::default() {
        let mode = lock.mode.as_deref().unwrap_or("no retention");
        let until = lock.retain_until.and_then(rfc3339_of_seconds);
        let until = until.map(|date| format!(" until {date}")).unwrap_or_default();
        page.row("lock", &format!("{mode}{until}{}", if lock.legal_hold { ", legal hold" } else { "" }));
    }
    if let Some(tags) = outcome.tag_count {
        page.row("tags", &tags.to_string());
    }
    if let Some(replication) = &outcome.replication_status {
        page.row("replication", replication);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_said_as_people_do() {
        assert_eq!(state_words("Enabled"), "enabled");
        assert_eq!(state_words("PendingDeletion"), "pending deletion");
    }
}
