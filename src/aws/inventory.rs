//! S3 Inventory reports: a bucket's objects, which S3 lists once a day or a week.
//!
//! Reads local files only. A report's bytes are not trusted: whatever is kept in memory has a limit, so that a report takes
//! little of it, whatever its size, and a data file must have the checksum in its manifest.
//! Source: "Amazon S3 Inventory" in the Amazon S3 user guide.

use std::fmt::Display;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::sync::Arc;

use md5::{Digest, Md5};
use serde::Deserialize;

use crate::aws::listing::{Listed, ListedKey};
use crate::aws::sse::{Applied, AppliedMode};
use crate::aws::timestamp::rfc3339_of_seconds;
use crate::encryption::Mode;
use crate::error::{Error, Result, Subject};
use crate::limits::{MAX_INVENTORY_COLUMNS, MAX_INVENTORY_VALUE_BYTES};
use crate::location::Bucket;

mod csv_file;
#[cfg(feature = "parquet")]
mod parquet_file;

/// The description of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Manifest {
    /// The bucket that the report is about.
    pub(crate) source: Bucket,
    /// When S3 started it (RFC 3339).
    pub(crate) created: Option<String>,
    /// The format of its files.
    pub(crate) format: FileFormat,
    pub(crate) files: Vec<DataFile>,
}

/// The format of a report's files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FileFormat {
    /// Gzipped CSV, with these columns.
    Csv(Arc<[String]>),
    /// Apache Parquet.
    Parquet,
}

impl FileFormat {
    /// Its name in manifests.
    pub(crate) fn as_str(&self) -> &'static str {
        match self {
            Self::Csv(_) => "CSV",
            Self::Parquet => "Parquet",
        }
    }
}

/// One file of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DataFile {
    /// Its key, in the bucket where the manifest is.
    pub(crate) key: String,
    pub(crate) len: u64,
    /// The MD5 of its bytes, in hex.
    pub(crate) md5: String,
}

/// One object of a report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Inventoried {
    /// The fields of a listing.
    pub(crate) listed: Listed,
    /// Whether it is a delete marker.
    pub(crate) deleted: bool,
    /// Server-side encryption; reports do not say which key.
    pub(crate) applied: Applied,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawManifest {
    source_bucket: String,
    creation_timestamp: Option<String>,
    file_format: String,
    #[serde(default)]
    file_schema: String,
    files: Vec<RawFile>,
}

#[derive(Deserialize)]
struct RawFile {
    key: String,
    size: u64,
    #[serde(rename = "MD5checksum")]
    md5: String,
}

/// Reads a manifest; `what` names it in messages.
///
/// # Errors
/// `Tampered` for an invalid manifest, `Unsupported` for formats that are not read and reports without encryption.
pub(crate) fn manifest(subject: &Subject, json: &[u8]) -> Result<Manifest> {
    let raw: RawManifest = serde_json::from_slice(json)
        .map_err(|error| Error::tampered(subject, format!("it is not an S3 Inventory manifest: {error}")))?;
    let refuse = |why: String| Error::unsupported(subject, why);
    let format = match raw.file_format.as_str() {
        "CSV" if raw.file_schema.split(',').count() > MAX_INVENTORY_COLUMNS => {
            return Err(Error::tampered(subject, "it names more fields than a report has"));
        }
        "CSV" => FileFormat::Csv(raw.file_schema.split(',').map(|name| name.trim().to_owned()).collect()),
        "Parquet" if cfg!(feature = "parquet") => FileFormat::Parquet,
        "Parquet" => {
            return Err(refuse("this build of s3seal cannot read Parquet; use a CSV report".to_owned()));
        }
        other => {
            return Err(refuse(format!("{other} reports are not supported; CSV and Parquet reports are")));
        }
    };
    let has_status = match &format {
        FileFormat::Csv(columns) => columns.iter().any(|name| name == "EncryptionStatus"),
        FileFormat::Parquet => raw.file_schema.is_empty() || raw.file_schema.contains("encryption_status"),
    };
    if !has_status {
        return Err(refuse("it does not list the objects' encryption; add the field EncryptionStatus to the inventory's configuration".to_owned()));
    }
    let source = raw.source_bucket.parse().map_err(|_| Error::tampered(subject, "it names no bucket"))?;
    let milliseconds = raw.creation_timestamp.and_then(|text| text.parse::<i64>().ok());
    Ok(Manifest {
        source,
        created: milliseconds.and_then(|time| rfc3339_of_seconds(time / 1000)),
        format,
        files: raw
            .files
            .into_iter()
            .map(|file| DataFile { key: file.key, len: file.size, md5: file.md5 })
            .collect(),
    })
}

/// Reads a local data file, and passes its objects to `each` in batches until that fails. Blocks.
///
/// # Errors
/// `Tampered` for a file that does not match its manifest, and those of `each`.
pub(crate) fn read(
    subject: &Subject,
    format: &FileFormat,
    expected: &DataFile,
    mut file: File,
    each: &mut dyn FnMut(Vec<Inventoried>) -> Result<()>,
) -> Result<()> {
    compare(subject, expected, &mut file)?;
    match format {
        FileFormat::Csv(columns) => csv_file::read(subject, columns, file, each),
        #[cfg(feature = "parquet")]
        FileFormat::Parquet => parquet_file::read(subject, file, each),
        #[cfg(not(feature = "parquet"))]
        FileFormat::Parquet => Ok(()),
    }
}

/// Compares the file with the manifest, and rewinds it.
fn compare(subject: &Subject, expected: &DataFile, file: &mut File) -> Result<()> {
    let failed = |error: io::Error| Error::local("read", subject)(error);
    file.rewind().map_err(failed)?;
    let mut digest = Md5::new();
    let mut buffer = vec![0; 64 << 10];
    let mut len = 0;
    loop {
        let count = file.read(&mut buffer).map_err(failed)?;
        if count == 0 {
            break;
        }
        digest.update(&buffer[..count]);
        len += count as u64;
    }
    let found = hex::encode(digest.finalize());
    if len != expected.len || !expected.md5.eq_ignore_ascii_case(&found) {
        return Err(Error::tampered(subject, "it is not the file that the manifest describes"));
    }
    file.rewind().map_err(failed)
}

/// Sets a field of an object by the name that CSV reports have for it.
///
/// # Errors
/// Why the value cannot be one of that field.
fn set(object: &mut Inventoried, name: &str, value: &str) -> std::result::Result<(), String> {
    let text = || (!value.is_empty()).then(|| value.to_owned());
    let truth = || value.eq_ignore_ascii_case("true");
    let is_kept = matches!(
        name,
        "Key" | "VersionId" | "LastModifiedDate" | "ETag" | "StorageClass" | "EncryptionStatus"
    );
    if is_kept && value.len() > MAX_INVENTORY_VALUE_BYTES {
        return Err(too_long(name));
    }
    match name {
        "Key" => object.listed.key = ListedKey::Text(value.to_owned()),
        "VersionId" => object.listed.version_id = text(),
        "IsLatest" => object.listed.latest = text().map(|_| truth()),
        "IsDeleteMarker" => object.deleted = truth(),
        // A delete marker has none.
        "Size" if value.is_empty() => {}
        "Size" => object.listed.len = value.parse().map_err(|_| "a size is not a number".to_owned())?,
        "LastModifiedDate" => object.listed.last_modified = text(),
        "ETag" => object.listed.etag = text(),
        "StorageClass" => object.listed.storage_class = text(),
        "EncryptionStatus" => object.applied.mode = mode(value),
        "BucketKeyStatus" => object.applied.bucket_key = value == "ENABLED",
        _ => {}
    }
    Ok(())
}

fn too_long(name: &str) -> String {
    format!("a value of the field {name} is longer than any")
}

/// The error of what is not a data file of a report.
fn not_a_part(subject: &Subject, why: impl Display) -> Error {
    Error::tampered(subject, format!("it is not part of an S3 Inventory report: {why}"))
}

/// A mode by the word that reports have for it.
fn mode(status: &str) -> AppliedMode {
    match status {
        "SSE-S3" => AppliedMode::Known(Mode::SseS3),
        "SSE-KMS" => AppliedMode::Known(Mode::SseKms),
        "DSSE-KMS" => AppliedMode::Known(Mode::DsseKms),
        "SSE-C" => AppliedMode::Known(Mode::SseC),
        "NOT-SSE" | "" => AppliedMode::NotSaid,
        other => AppliedMode::Other(other.to_owned()),
    }
}

/// Collects objects into batches.
struct Batches<'a> {
    objects: Vec<Inventoried>,
    each: &'a mut dyn FnMut(Vec<Inventoried>) -> Result<()>,
}

impl<'a> Batches<'a> {
    const LEN: usize = 1000;

    fn new(each: &'a mut dyn FnMut(Vec<Inventoried>) -> Result<()>) -> Self {
        Self { objects: Vec::with_capacity(Self::LEN), each }
    }

    fn add(&mut self, object: Inventoried) -> Result<()> {
        self.objects.push(object);
        if self.objects.len() < Self::LEN {
            return Ok(());
        }
        (self.each)(std::mem::replace(&mut self.objects, Vec::with_capacity(Self::LEN)))
    }

    fn finish(self) -> Result<()> {
        if self.objects.is_empty() { Ok(()) } else { (self.each)(self.objects) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = r#"{
        "sourceBucket": "demo", "destinationBucket": "arn:aws:s3:::reports", "version": "2016-11-30",
        "creationTimestamp": "1514944800000", "fileFormat": "CSV",
        "fileSchema": "Bucket, Key, Size, EncryptionStatus",
        "files": [{"key": "demo/all/data/x.csv.gz", "size": 23, "MD5checksum": "f11166069f1990abeb9c97ace9cdfabc"}]
    }"#;

    #[test]
    fn a_manifest_says_what_and_when() {
        let manifest = manifest(&"m".into(), MANIFEST.as_bytes()).unwrap();
        assert_eq!(manifest.source.as_str(), "demo");
        assert_eq!(manifest.created.as_deref(), Some("2018-01-03T02:00:00Z"));
        let columns = ["Bucket", "Key", "Size", "EncryptionStatus"].map(str::to_owned);
        assert_eq!(manifest.format, FileFormat::Csv(Arc::new(columns)));
        assert_eq!(manifest.files.len(), 1);
    }

    #[test]
    fn a_report_that_cannot_tell_is_refused() {
        let refused =
            |from: &str, to: &str| manifest(&"m".into(), MANIFEST.replace(from, to).as_bytes()).unwrap_err();
        assert!(matches!(refused(", EncryptionStatus", ""), Error::Unsupported { .. }));
        assert!(matches!(refused("\"CSV\"", "\"ORC\""), Error::Unsupported { .. }));
        assert!(matches!(refused("\"demo\"", "\"\""), Error::Tampered { .. }));
        assert!(matches!(manifest(&"m".into(), b"[]").unwrap_err(), Error::Tampered { .. }));
    }

    #[test]
    fn a_manifest_of_what_no_report_has_is_refused() {
        let refused =
            |from: &str, to: &str| manifest(&"m".into(), MANIFEST.replace(from, to).as_bytes()).unwrap_err();
        let no_checksum = refused(", \"MD5checksum\": \"f11166069f1990abeb9c97ace9cdfabc\"", "");
        assert!(matches!(no_checksum, Error::Tampered { .. }));
        let many = format!("EncryptionStatus{}", ",".repeat(MAX_INVENTORY_COLUMNS));
        assert!(matches!(refused("EncryptionStatus", &many), Error::Tampered { .. }));
    }

    #[test]
    fn modes_have_their_names_and_unknown_ones_stay() {
        assert_eq!(mode("SSE-KMS"), AppliedMode::Known(Mode::SseKms));
        assert_eq!(mode("NOT-SSE"), AppliedMode::NotSaid);
        assert_eq!(mode("SSE-FUTURE"), AppliedMode::Other("SSE-FUTURE".to_owned()));
    }
}
