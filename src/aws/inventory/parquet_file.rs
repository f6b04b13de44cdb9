//! A data file in Apache Parquet: columns by name, keys as they are.
//!
//! `pages` reads its pages, none of which is longer than it may be.

use std::fs::File;
use std::sync::Arc;

use parquet::basic::Repetition;
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};
use parquet::record::reader::TreeBuilder;
use parquet::record::{Field, Row};
use parquet::schema::types::{SchemaDescPtr, SchemaDescriptor, Type, TypePtr};

use super::{Batches, Inventoried, not_a_part, set};
use crate::aws::timestamp::rfc3339_of_seconds;
use crate::error::{Error, Result, Subject};
use crate::limits::{MAX_PARQUET_METADATA_BYTES, MAX_PARQUET_PAGE_BYTES};

mod pages;

use pages::{Pieces, RowGroup};

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
    let pieces = Pieces { file, most: MAX_PARQUET_METADATA_BYTES };
    let metadata = ParquetMetaDataReader::new().parse_and_finish(&pieces).map_err(bad)?;
    let columns = known_columns(&metadata);
    let has = |name: &str| columns.iter().any(|column| column.name() == name);
    if !has("key") || !has("encryption_status") {
        return Err(Error::tampered(subject, "the columns key and encryption_status are missing"));
    }
    let schema = schema_of(columns).map_err(bad)?;
    let pieces = Arc::new(Pieces { most: MAX_PARQUET_PAGE_BYTES, ..pieces });
    let mut batches = Batches::new(each);
    for metadata in metadata.row_groups() {
        let group = RowGroup { pieces: pieces.clone(), metadata };
        for row in TreeBuilder::new().as_iter(schema.clone(), &group).map_err(bad)? {
            let object = object(&row.map_err(bad)?).map_err(|why| not_a_part(subject, why))?;
            batches.add(object)?;
        }
    }
    batches.finish()
}

/// The columns that are read: each holds pages in memory.
fn known_columns(metadata: &ParquetMetaData) -> Vec<TypePtr> {
    let all = metadata.file_metadata().schema_descr().root_schema().get_fields();
    let find = |name: &str| {
        let column = all.iter().find(|column| column.name() == name)?;
        let is_single = column.is_primitive() && column.get_basic_info().repetition() != Repetition::REPEATED;
        is_single.then(|| column.clone())
    };
    COLUMNS.iter().filter_map(|(name, _)| find(name)).collect()
}

fn schema_of(columns: Vec<TypePtr>) -> ParquetResult<SchemaDescPtr> {
    let root = Type::group_type_builder("inventory").with_fields(columns).build()?;
    Ok(Arc::new(SchemaDescriptor::new(Arc::new(root))))
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
