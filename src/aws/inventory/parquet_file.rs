//! A data file in Apache Parquet: columns by name, keys as they are.

use std::fs::File;

use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row};

use super::{Batches, Inventoried, not_a_part, set};
use crate::aws::timestamp::rfc3339_of_seconds;
use crate::error::{Error, Result, Subject};

/// Columns, and the names that CSV reports have for them.
const COLUMNS: [(&str, &str); 10] = [
    ("key", "Key"),
    ("version_id", "VersionId"),
    ("is_latest", "IsLatest"),
    ("is_delete_marker", "IsDeleteMarker"),
    ("size", "Size"),
    ("last_modified_date", "LastModifiedDate"),
    ("e_tag", "ETag"),
    ("storage_class", "StorageClass"),
    ("encryption_status", "EncryptionStatus"),
    ("bucket_key_status", "BucketKeyStatus"),
];

pub(super) fn read(
    subject: &Subject,
    file: File,
    each: &mut dyn FnMut(Vec<Inventoried>) -> Result<()>,
) -> Result<()> {
    let bad = |error: ParquetError| not_a_part(subject, error);
    let reader = SerializedFileReader::new(file).map_err(bad)?;
    let names = reader.metadata().file_metadata().schema_descr();
    let has = |name: &str| names.columns().iter().any(|column| column.name() == name);
    if !has("key") || !has("encryption_status") {
        return Err(Error::tampered(subject, "the columns key and encryption_status are missing"));
    }
    let mut batches = Batches::new(each);
    for row in reader.get_row_iter(None).map_err(bad)? {
        let object = object(&row.map_err(bad)?).map_err(|why| not_a_part(subject, why))?;
        batches.add(object)?;
    }
    batches.finish()
}

fn object(row: &Row) -> std::result::Result<Inventoried, String> {
    let mut object = Inventoried::default();
    for (name, field) in row.get_column_iter() {
        let known = COLUMNS.iter().find(|(column, _)| column == name);
        if let (Some((_, name)), Some(value)) = (known, text(field)) {
            set(&mut object, name, &value)?;
        }
    }
    Ok(object)
}

/// A value in the form of CSV reports.
fn text(field: &Field) -> Option<String> {
    match field {
        Field::Str(text) => Some(text.clone()),
        Field::Bytes(bytes) => Some(String::from_utf8_lossy(bytes.data()).into_owned()),
        Field::Bool(truth) => Some(truth.to_string()),
        Field::Int(number) => Some(number.to_string()),
        Field::Long(number) => Some(number.to_string()),
        Field::UInt(number) => Some(number.to_string()),
        Field::ULong(number) => Some(number.to_string()),
        Field::TimestampMillis(time) => rfc3339_of_seconds(time / 1000),
        Field::TimestampMicros(time) => rfc3339_of_seconds(time / 1_000_000),
        _ => None,
    }
}
