//! Documents held against the published schema, `man/s3seal.schema.json`.
//!
//! Of JSON Schema it knows what that file uses, and stops at any other keyword: the crates that know all of it would have
//! the program's own dependencies built with other features than it is released with.

use std::path::Path;
use std::sync::LazyLock;

use serde_json::Value;

static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("man/s3seal.schema.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
});

/// Reads a document that the program has printed.
///
/// # Panics
/// If it is not one that the schema describes.
#[track_caller]
pub fn document(text: &str) -> Value {
    let document = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    if let Err(why) = check(&SCHEMA, &document) {
        panic!("not as the schema says: {why}\n{document:#}");
    }
    document
}

/// Reads documents, one a line.
#[track_caller]
pub fn documents(text: &str) -> Vec<Value> {
    text.lines().map(document).collect()
}

fn check(schema: &Value, value: &Value) -> Result<(), String> {
    let rules = match schema {
        Value::Bool(true) => return Ok(()),
        Value::Object(rules) => rules,
        other => panic!("no schema: {other}"),
    };
    for (keyword, rule) in rules {
        follow(keyword, rule, value, schema).map_err(|why| format!("{keyword}: {why}"))?;
    }
    Ok(())
}

fn follow(keyword: &str, rule: &Value, value: &Value, schema: &Value) -> Result<(), String> {
    let all = || rule.as_array().unwrap().iter();
    let fitting = || all().filter(|one| check(one, value).is_ok()).count();
    let holds = match keyword {
        "$schema" | "$defs" | "title" | "description" | "format" => true,
        "$ref" if rule == "#" => return check(&SCHEMA, value),
        "$ref" => {
            let name = rule.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
            return check(&SCHEMA["$defs"][name], value);
        }
        "type" if rule.is_array() => all().any(|name| is_a(name, value)),
        "type" => is_a(rule, value),
        "const" => rule == value,
        "enum" => all().any(|one| one == value),
        "minimum" => value.as_i64().is_none_or(|number| number >= rule.as_i64().unwrap()),
        "maximum" => value.as_u64().is_none_or(|number| number <= rule.as_u64().unwrap()),
        "required" => all().all(|name| value.get(name.as_str().unwrap()).is_some()),
        "anyOf" => fitting() > 0,
        "oneOf" => match fitting() {
            1 => true,
            0 => return Err(all().filter_map(|one| check(one, value).err()).collect::<Vec<_>>().join("; ")),
            _ => false,
        },
        "uniqueItems" => {
            value.as_array().is_none_or(|items| (1..items.len()).all(|at| !items[..at].contains(&items[at])))
        }
        "items" => return value.as_array().into_iter().flatten().try_for_each(|item| check(rule, item)),
        "properties" => {
            let known = rule.as_object().unwrap().iter();
            return known.filter_map(|(name, rule)| Some((name, rule, value.get(name)?))).try_for_each(
                |(name, rule, field)| check(rule, field).map_err(|why| format!("{name}: {why}")),
            );
        }
        "additionalProperties" => {
            let known = |name: &str| schema["properties"].get(name).is_some();
            let mut others = value.as_object().into_iter().flatten().filter(|(name, _)| !known(name));
            return match rule {
                Value::Bool(false) => others.try_for_each(|(name, _)| Err(name.clone())),
                rule => others.try_for_each(|(_, field)| check(rule, field)),
            };
        }
        other => panic!("a keyword that is not known here: {other}"),
    };
    if holds { Ok(()) } else { Err(format!("{rule} does not hold of {value}")) }
}

fn is_a(name: &Value, value: &Value) -> bool {
    match name.as_str().unwrap() {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("a type that is not known here: {other}"),
    }
}
