//! The page of a bucket's settings, and the header of an audit from an S3 Inventory report.

use super::{Page, Tone};
use crate::aws::bucket::{BucketFacts, DefaultFacts};
use crate::aws::bucket_policy::{PolicyFacts, TlsDemand};
use crate::aws::inventory::Manifest;
use crate::aws::sse::AppliedMode;
use crate::encryption::Mode;

pub(crate) fn bucket(found: &BucketFacts, color: bool) -> String {
    bucket_page(found, color).text()
}

/// The rows of the page: labels and values, unescaped.
pub(crate) fn bucket_lines(found: &BucketFacts) -> Vec<(String, String)> {
    bucket_page(found, false).lines
}

fn bucket_page(found: &BucketFacts, color: bool) -> Page {
    let mut page = Page::new(&format!("s3://{}", found.bucket), color);
    page.probe("default", &found.default, |page, found| match found {
        None => page.toned("default", Tone::Odd, "no default encryption"),
        Some(found) => default(page, found),
    });
    page.probe("policy", &found.policy, |page, found| match found {
        None => page.row("policy", "none; nothing requires TLS or a mode"),
        Some(found) => policy(page, found),
    });
    page.probe("versioning", &found.versioning, |page, status| {
        page.row("versioning", &status.as_deref().unwrap_or("never enabled").to_lowercase());
    });
    page.probe("uploads", &found.incomplete_uploads, |page, rule| match rule {
        None => page.toned("uploads", Tone::Odd, "no lifecycle rule aborts incomplete uploads"),
        Some(rule) => {
            let days = if rule.days == 1 { "1 day".to_owned() } else { format!("{} days", rule.days) };
            let scope = if rule.whole { "" } else { ", in part of the bucket" };
            page.row("uploads", &format!("incomplete uploads are aborted after {days}{scope}"));
        }
    });
    page.probe("region", &found.region, |page, region| {
        if let Some(region) = region {
            page.row("region", region);
        }
    });
    page
}

/// The page of an S3 Inventory report.
pub(crate) fn inventory(manifest: &Manifest, color: bool) -> String {
    let mut page = Page::new(&format!("S3 Inventory of s3://{}", manifest.source), color);
    page.row("made", manifest.created.as_deref().unwrap_or("unknown"));
    let count = manifest.files.len();
    let files = if count == 1 { "1 file" } else { &format!("{count} files") };
    page.row("files", &format!("{files} in {}", manifest.format.as_str()));
    page.toned("not shown", Tone::Odd, "keys, client-side encryption, later changes");
    page.text()
}

fn default(page: &mut Page, found: &DefaultFacts) {
    let mode = match &found.mode {
        AppliedMode::NotSaid => "unknown".to_owned(),
        mode => mode.to_string(),
    };
    page.toned("default", Tone::Good, &mode);
    if let Some(key) = &found.kms_key {
        page.row("  key", key);
    } else if matches!(found.mode, AppliedMode::Known(Mode::SseKms | Mode::DsseKms)) {
        page.row("  key", "the account's aws/s3");
    }
    if found.mode == AppliedMode::Known(Mode::SseKms) {
        page.row("  bucket key", if found.bucket_key { "yes" } else { "no" });
    }
    page.row(
        "  blocked",
        &match &found.blocked {
            None => "unknown".to_owned(),
            Some(words) if words.is_empty() => "nothing".to_owned(),
            Some(words) => words.join(", "),
        },
    );
}

fn policy(page: &mut Page, found: &PolicyFacts) {
    match found.tls {
        TlsDemand::ForAll => page.toned("policy", Tone::Good, "requires TLS"),
        TlsDemand::ForSome => page.toned("policy", Tone::Odd, "requires TLS for some requests"),
        TlsDemand::NotSeen => page.toned("policy", Tone::Odd, "no requirement of TLS found"),
    }
    if let Some(version) = &found.tls_version {
        page.row("", &format!("requires TLS {version} or newer"));
    }
    for mode in &found.modes {
        page.row("", &format!("writes must request {mode}"));
    }
    for key in &found.keys {
        page.row("", &format!("writes must name {key}"));
    }
    if found.header {
        page.row("", "writes must request encryption");
    }
    if found.denies_sse_c {
        page.row("", "writes with SSE-C are denied");
    }
    page.row("", "(only common policy statements are recognised)");
}
