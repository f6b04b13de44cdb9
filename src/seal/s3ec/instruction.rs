//! The content of instruction files: the envelope, or a part of it, as JSON in a separate object.
//!
//! Reading is strict: one JSON object, each key once, no unknown key.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};

use crate::limits::MAX_INSTRUCTION_FILE_BYTES;

/// A value in an instruction file. Some writers write the tag length and the plaintext's length as numbers.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Value {
    Text(String),
    Number(u64),
}

/// Reads the file's entries.
pub(super) fn entries(file: &[u8]) -> Option<BTreeMap<String, Value>> {
    if file.len() as u64 > MAX_INSTRUCTION_FILE_BYTES { None } else { strict_map(file) }
}

/// Writes the file.
pub(super) fn write(entries: &BTreeMap<&str, String>) -> Option<String> {
    serde_json::to_string(entries).ok()
}

/// Reads a JSON object, and refuses a duplicate key: programs differ in which of two values they take.
pub(super) fn strict_map<V: for<'de> Deserialize<'de>>(json: &[u8]) -> Option<BTreeMap<String, V>> {
    serde_json::from_slice(json).ok().map(|StrictMap(map)| map)
}

struct StrictMap<V>(BTreeMap<String, V>);

impl<'de, V: Deserialize<'de>> Deserialize<'de> for StrictMap<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(StrictVisitor(PhantomData)).map(Self)
    }
}

struct StrictVisitor<V>(PhantomData<V>);

impl<'de, V: Deserialize<'de>> Visitor<'de> for StrictVisitor<V> {
    type Value = BTreeMap<String, V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object without duplicate keys")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut map = BTreeMap::new();
        while let Some((key, value)) = access.next_entry::<String, V>()? {
            if map.insert(key, value).is_some() {
                return Err(A::Error::custom("duplicate key"));
            }
        }
        Ok(map)
    }
}
