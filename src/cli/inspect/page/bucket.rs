//! A bucket's own facts on one page, and the head of an audit from a report of S3 Inventory.

use super::{Page, Tone};
use crate::aws::bucket::{BucketFacts, DefaultFacts};
use crate::aws::inventory::Manifest;
use crate::aws::policy::{PolicyFacts, TlsDemand};
use crate::aws::sse::AppliedMode;
use crate::encryption::Mode;

/// The page of a bucket.
#[must_use]
pub(crate) fn bucket(facts: &BucketFacts, color: bool) -> String {
    bucket_page(facts, color).text()
}

/// The same, line by line: labels and facts, not escaped.
#[must_use]
pub(crate) fn bucket_lines(facts: &BucketFacts) -> Vec<(String, String)> {
    bucket_page(facts, false).lines
}

fn bucket_page(facts: &BucketFacts, color: bool) -> Page {
    let mut page = Page::new(&format!("s3://{}", facts.bucket), color);
    page.seen("default", &facts.default, |page, found| match found {
        None => page.toned("default", Tone::Odd, "the server keeps no default encryption"),
        Some(found) => default(page, found),
    });
    page.seen("policy", &facts.policy, |page, found| match found {
        None => page.fact("policy", "none, so none that demands TLS or a mode"),
        Some(found) => policy(page, found),
    });
    page.seen("versioning", &facts.versioning, |page, status| {
        page.fact("versioning", &status.as_deref().unwrap_or("never enabled").to_lowercase());
    });
    page.seen("uploads", &facts.incomplete_uploads, |page, rule| match rule {
        None => page.toned("uploads", Tone::Odd, "incomplete ones stay: no lifecycle rule aborts them"),
        Some(rule) => {
            let days = if rule.days == 1 { "1 day".to_owned() } else { format!("{} days", rule.days) };
            let scope = if rule.whole { "" } else { ", in a part of the bucket" };
            page.fact("uploads", &format!("incomplete ones are aborted after {days}{scope}"));
        }
    });
    page.seen("region", &facts.region, |page, region| {
        if let Some(region) = region {
            page.fact("region", region);
        }
    });
    page
}

/// The head of an audit from a report of S3 Inventory.
#[must_use]
pub(crate) fn inventory(manifest: &Manifest, color: bool) -> String {
    let mut page = Page::new(&format!("S3 Inventory of s3://{}", manifest.source), color);
    page.fact("made", manifest.created.as_deref().unwrap_or("not said"));
    let count = manifest.files.len();
    let files = if count == 1 { "1 file" } else { &format!("{count} files") };
    page.fact("files", &format!("{files} in {}", manifest.format.as_str()));
    page.toned("not in it", Tone::Odd, "which key an object has, client-side encryption, what came later");
    page.text()
}

fn default(page: &mut Page, found: &DefaultFacts) {
    let mode = match &found.mode {
        AppliedMode::NotSaid => "not said".to_owned(),
        mode => mode.to_string(),
    };
    page.toned("default", Tone::Good, &mode);
    if let Some(key) = &found.kms_key {
        page.fact("  key", key);
    } else if matches!(found.mode, AppliedMode::Known(Mode::SseKms | Mode::DsseKms)) {
        page.fact("  key", "the account's aws/s3");
    }
    if found.mode == AppliedMode::Known(Mode::SseKms) {
        page.fact("  bucket key", if found.bucket_key { "yes" } else { "no" });
    }
    page.fact(
        "  blocked",
        &match &found.blocked {
            None => "not said".to_owned(),
            Some(words) if words.is_empty() => "nothing".to_owned(),
            Some(words) => words.join(", "),
        },
    );
}

fn policy(page: &mut Page, found: &PolicyFacts) {
    match found.tls {
        TlsDemand::ForAll => page.toned("policy", Tone::Good, "demands TLS"),
        TlsDemand::ForSome => page.toned("policy", Tone::Odd, "demands TLS of some requests"),
        TlsDemand::NotSeen => page.toned("policy", Tone::Odd, "no demand for TLS seen"),
    }
    if let Some(version) = &found.tls_version {
        page.fact("", &format!("demands TLS {version} or newer"));
    }
    for mode in &found.modes {
        page.fact("", &format!("writes must say {mode}"));
    }
    for key in &found.keys {
        page.fact("", &format!("writes must name {key}"));
    }
    if found.header {
        page.fact("", "writes must say how they encrypt");
    }
    if found.denies_sse_c {
        page.fact("", "writes with SSE-C are denied");
    }
    page.fact("", "(read as far as the usual statements go)");
}
