//! A data file in gzipped CSV: no header, keys percent-encoded.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, Read};
use std::rc::Rc;

use csv::{ByteRecord, ReaderBuilder};
use flate2::read::MultiGzDecoder;

use super::{Batches, Inventoried, not_a_part, set, too_long};
use crate::aws::listing::{ListedKey, listed_key};
use crate::error::{Result, Subject};
use crate::limits::{MAX_INVENTORY_RECORD_BYTES, MAX_INVENTORY_VALUE_BYTES};

pub(super) fn read(
    subject: &Subject,
    columns: &[String],
    file: File,
    each: &mut dyn FnMut(Vec<Inventoried>) -> Result<()>,
) -> Result<()> {
    let left = Rc::new(Cell::new(MAX_INVENTORY_RECORD_BYTES));
    let capped = Capped { inner: MultiGzDecoder::new(io::BufReader::new(file)), left: left.clone() };
    let mut reader = ReaderBuilder::new().has_headers(false).from_reader(capped);
    let mut batches = Batches::new(each);
    let mut record = ByteRecord::new();
    while reader.read_byte_record(&mut record).map_err(|error| not_a_part(subject, error))? {
        left.set(MAX_INVENTORY_RECORD_BYTES);
        let mut object = Inventoried::default();
        for (name, value) in columns.iter().zip(&record) {
            let value = String::from_utf8_lossy(value);
            let set = match name.as_str() {
                "Key" => key(&value).map(|key| object.listed.key = key),
                name => set(&mut object, name, &value),
            };
            set.map_err(|why| not_a_part(subject, why))?;
        }
        batches.add(object)?;
    }
    batches.finish()
}

/// Decodes a key; what is percent-encoded may be three times as long as it.
fn key(value: &str) -> std::result::Result<ListedKey, String> {
    let key = listed_key(value, true);
    if key.bytes().len() > MAX_INVENTORY_VALUE_BYTES { Err(too_long("Key")) } else { Ok(key) }
}

/// Limits the length of a record.
struct Capped<R> {
    inner: R,
    left: Rc<Cell<usize>>,
}

impl<R: Read> Read for Capped<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        match self.left.get().checked_sub(count) {
            Some(left) => self.left.set(left),
            None => return Err(io::Error::other("a record is too long")),
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Seek, Write};

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;
    use crate::aws::sse::AppliedMode;
    use crate::encryption::Mode;
    use crate::error::Error;

    fn gzipped(text: &[u8]) -> File {
        let mut encoder = GzEncoder::new(tempfile::tempfile().unwrap(), Compression::fast());
        encoder.write_all(text).unwrap();
        let mut file = encoder.finish().unwrap();
        file.rewind().unwrap();
        file
    }

    fn objects(columns: &str, text: &[u8]) -> Result<Vec<Inventoried>> {
        let columns: Vec<String> = columns.split(',').map(str::to_owned).collect();
        let mut all = Vec::new();
        read(&"r".into(), &columns, gzipped(text), &mut |batch| {
            all.extend(batch);
            Ok(())
        })?;
        Ok(all)
    }

    #[test]
    fn records_become_objects() {
        let text = b"\"demo\",\"a%0Ab+c\",\"5\",\"true\",\"false\",\"SSE-KMS\",\"ENABLED\"\n\"demo\",\"x\",\"\",\"\",\"true\",\"\",\"\"\n";
        let found = objects("Bucket,Key,Size,IsLatest,IsDeleteMarker,EncryptionStatus,BucketKeyStatus", text)
            .unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].listed.key, ListedKey::Text("a\nb c".to_owned()));
        assert_eq!((found[0].listed.len, found[0].listed.latest), (5, Some(true)));
        assert_eq!(found[0].applied.mode, AppliedMode::Known(Mode::SseKms));
        assert!(found[0].applied.bucket_key && !found[0].deleted && found[1].deleted);
    }

    #[test]
    fn a_record_without_end_is_refused() {
        let text = [b"\"".as_slice(), &vec![b'a'; MAX_INVENTORY_RECORD_BYTES + 20_000]].concat();
        assert!(matches!(objects("Key", &text), Err(Error::Tampered { .. })));
        // As many bytes in records of their own are fine.
        let text = "\"a\"\n".repeat(400_000);
        assert_eq!(objects("Key", text.as_bytes()).unwrap().len(), 400_000);
    }

    #[test]
    fn values_that_are_longer_than_any_and_sizes_that_are_none_are_refused() {
        let one = |columns: &str, value: &str| objects(columns, format!("\"{value}\"\n").as_bytes());
        let longest = "%C3%A4".repeat(512);
        assert_eq!(one("Key", &longest).unwrap()[0].listed.key, ListedKey::Text("ä".repeat(512)));
        for (column, value) in [
            ("Key", format!("{longest}a")),
            ("Key", format!("%FF{longest}")),
            ("ETag", "e".repeat(1025)),
            ("Size", "many".to_owned()),
            ("Size", "-1".to_owned()),
            ("Size", "18446744073709551616".to_owned()),
        ] {
            assert!(matches!(one(column, &value), Err(Error::Tampered { .. })), "{column} {value}");
        }
        // What is not kept may be longer.
        assert_eq!(one("ObjectAccessControlList", &"a".repeat(20_000)).unwrap().len(), 1);
    }

    #[test]
    fn what_is_not_gzip_is_refused() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"demo,a,5\n").unwrap();
        file.rewind().unwrap();
        let ended = read(&"r".into(), &["Key".to_owned()], file, &mut |_| Ok(()));
        assert!(matches!(ended, Err(Error::Tampered { .. })));
    }
}
