//! Says what verified the data that was read, for rows, pages and documents.

use std::fmt::Write;

use crate::byte_size::ByteSize;
use crate::cli::progress::amounts;
use crate::commands::get::ChecksumSeen;
use crate::commands::get::verify::Verified;
use crate::commands::inspect::summary::Summary;

/// What verified an object's bytes, a word each; nothing if there is nothing that can.
pub(crate) fn verified_by(data: &Verified) -> Vec<&'static str> {
    let checksum = match &data.checksum {
        ChecksumSeen::Verified(algorithm, _) => Some(algorithm.as_str()),
        ChecksumSeen::NotKept | ChecksumSeen::NotComparable(_) => None,
    };
    data.by_tag().then_some("tag").into_iter().chain(checksum).collect()
}

/// The same for a row.
pub(crate) fn in_short(data: &Verified) -> String {
    if data.is_verified() { verified_by(data).join(", ") } else { "not verifiable".to_owned() }
}

/// Why no checksum was compared.
pub(crate) fn not_compared(data: &Verified) -> Option<String> {
    match &data.checksum {
        ChecksumSeen::Verified(..) => None,
        ChecksumSeen::NotKept => Some("S3 keeps no checksum that s3seal can compute".to_owned()),
        ChecksumSeen::NotComparable(why) => Some(why.clone()),
    }
}

/// The same for a page: how much was read, and what it proves.
pub(crate) fn in_full(data: &Verified) -> String {
    let why = not_compared(data).unwrap_or_default();
    let proof = match (data.by_tag(), data.is_verified()) {
        (_, false) => format!("nothing can verify it ({why})"),
        (true, true) if !why.is_empty() => format!("verified by tag; its checksum was not compared ({why})"),
        _ => format!("verified by {}", verified_by(data).join(", ")),
    };
    format!("{} read, {proof}", ByteSize(data.plain_len))
}

/// The sum of what was read; none where no data is read.
pub(crate) fn sum(summary: &Summary) -> Option<String> {
    let sum = summary.data.as_ref()?;
    let verified = sum.objects - sum.not_verifiable;
    let mut text = format!("{} read and verified ({})", amounts::count(verified), ByteSize(sum.bytes));
    if sum.not_verifiable > 0 {
        let _ = write!(text, ", {} read that nothing can verify", amounts::count(sum.not_verifiable));
    }
    if let Some(share) = &sum.sample {
        let _ = write!(text, ", a random {share} of {}: another run reads others", amounts::count(sum.of));
    }
    Some(text)
}

/// The title of the objects that failed.
pub(crate) fn failed_title(summary: &Summary) -> &'static str {
    if summary.data.is_some() { "Not verified" } else { "Not inspected" }
}

/// What could not be done with them.
pub(crate) fn failed_words(summary: &Summary) -> &'static str {
    if summary.data.is_some() { "could not be read and verified" } else { "could not be inspected" }
}
