//! The pages of a Parquet file with a limit of memory: what a file says of its lengths may be wrong.
//!
//! The crate reads headers, and pages as they are stored; they are decompressed here, so far as a page may be long. The
//! encodings of texts that let a few bytes stand for many are not read.
//! Source: "File Format" and "Encodings" in the documentation of Apache Parquet.

use std::fs::File;
use std::io::Read;
use std::sync::Arc;

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use parquet::basic::{Compression, Encoding};
use parquet::bloom_filter::Sbbf;
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::reader::{ChunkReader, Length, RowGroupReader, SerializedPageReader};
use parquet::record::reader::RowIter;
use parquet::schema::types::Type;

use crate::limits::{MAX_PARQUET_DICTIONARY_BYTES, MAX_PARQUET_PAGE_BYTES};

/// A file of which at most so many bytes are read at once.
pub(super) struct Pieces {
    pub(super) file: File,
    pub(super) most: usize,
}

impl Length for Pieces {
    fn len(&self) -> u64 {
        Length::len(&self.file)
    }
}

impl ChunkReader for Pieces {
    type T = <File as ChunkReader>::T;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        self.file.get_read(start)
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        if length > self.most { Err(too_long()) } else { self.file.get_bytes(start, length) }
    }
}

/// Rows of a file.
pub(super) struct RowGroup<'a> {
    pub(super) pieces: Arc<Pieces>,
    pub(super) metadata: &'a RowGroupMetaData,
}

impl RowGroupReader for RowGroup<'_> {
    fn metadata(&self) -> &RowGroupMetaData {
        self.metadata
    }

    fn num_columns(&self) -> usize {
        self.metadata.num_columns()
    }

    fn get_column_page_reader(&self, index: usize) -> Result<Box<dyn PageReader>> {
        let column = self.metadata.column(index);
        // As they are stored.
        let stored = column.clone().into_builder().set_compression(Compression::UNCOMPRESSED).build()?;
        let rows = usize::try_from(self.metadata.num_rows())?;
        let stored = SerializedPageReader::new(self.pieces.clone(), &stored, rows, None)?;
        Ok(Box::new(Pages { stored, compression: column.compression() }))
    }

    fn get_column_bloom_filter(&self, _: usize) -> Option<&Sbbf> {
        None
    }

    fn get_row_iter(&self, projection: Option<Type>) -> Result<RowIter<'_>> {
        RowIter::from_row_group(projection, self)
    }
}

/// The pages of a column.
struct Pages {
    stored: SerializedPageReader<Pieces>,
    compression: Compression,
}

impl PageReader for Pages {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        let Some(mut page) = self.stored.get_next_page()? else { return Ok(None) };
        match &mut page {
            Page::DataPage { buf, encoding, .. } => {
                check_encoding(*encoding)?;
                *buf = self.decompressed(buf, 0, MAX_PARQUET_PAGE_BYTES)?;
            }
            Page::DataPageV2 {
                buf,
                encoding,
                def_levels_byte_len,
                rep_levels_byte_len,
                is_compressed,
                ..
            } => {
                check_encoding(*encoding)?;
                if *is_compressed {
                    let levels = usize::try_from(*def_levels_byte_len)?
                        .saturating_add(usize::try_from(*rep_levels_byte_len)?);
                    *buf = self.decompressed(buf, levels, MAX_PARQUET_PAGE_BYTES)?;
                }
            }
            Page::DictionaryPage { buf, num_values, .. } => {
                *buf = self.decompressed(buf, 0, MAX_PARQUET_DICTIONARY_BYTES)?;
                // Memory is taken for all of them, and the shortest take four bytes there.
                if usize::try_from(*num_values)? > buf.len() / 4 {
                    return Err(too_long());
                }
            }
        }
        Ok(Some(page))
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        self.stored.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<()> {
        self.stored.skip_next_page()
    }
}

impl Iterator for Pages {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl Pages {
    /// Decompresses a page of at most so many bytes, but for the levels before its values.
    fn decompressed(&self, page: &Bytes, levels: usize, most: usize) -> Result<Bytes> {
        let Some((levels, values)) = page.split_at_checked(levels) else { return Err(too_long()) };
        let failed = |error: snap::Error| ParquetError::General(error.to_string());
        let plain = match self.compression {
            Compression::SNAPPY if !values.is_empty() => {
                if snap::raw::decompress_len(values).map_err(failed)? > most {
                    return Err(too_long());
                }
                snap::raw::Decoder::new().decompress_vec(values).map_err(failed)?
            }
            Compression::GZIP(_) if !values.is_empty() => {
                let mut plain = Vec::new();
                MultiGzDecoder::new(values).take(most as u64 + 1).read_to_end(&mut plain)?;
                plain
            }
            Compression::UNCOMPRESSED | Compression::SNAPPY | Compression::GZIP(_) if page.len() > most => {
                return Err(too_long());
            }
            Compression::UNCOMPRESSED | Compression::SNAPPY | Compression::GZIP(_) => return Ok(page.clone()),
            other => return Err(ParquetError::NYI(format!("it is compressed with {other}"))),
        };
        if levels.len() + plain.len() > most {
            return Err(too_long());
        }
        Ok([levels, &plain].concat().into())
    }
}

fn too_long() -> ParquetError {
    ParquetError::General("a part of it is too long".to_owned())
}

/// A value in these is what differs from the one before it, or its length stands apart: a few bytes make many.
fn check_encoding(encoding: Encoding) -> Result<()> {
    match encoding {
        Encoding::DELTA_BYTE_ARRAY | Encoding::DELTA_LENGTH_BYTE_ARRAY => {
            Err(ParquetError::NYI(format!("it has the encoding {encoding}")))
        }
        _ => Ok(()),
    }
}
