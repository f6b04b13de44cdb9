//! The rules by which an envelope is one: each broken alone, and refused for that reason.

use base64::prelude::{BASE64_STANDARD, Engine};

use super::*;

type Map = BTreeMap<String, String>;

fn base64(len: usize) -> String {
    BASE64_STANDARD.encode(vec![0x5a; len])
}

fn v1() -> Map {
    map(&[("x-amz-key", &base64(48)), ("x-amz-iv", &base64(16)), ("x-amz-matdesc", "{}")])
}

fn v2() -> Map {
    map(&[
        ("x-amz-key-v2", &base64(60)),
        ("x-amz-iv", &base64(12)),
        ("x-amz-cek-alg", "AES/GCM/NoPadding"),
        ("x-amz-wrap-alg", "AES/GCM"),
        ("x-amz-tag-len", "128"),
        ("x-amz-matdesc", "{\"a\":\"b\"}"),
    ])
}

fn v2_cbc() -> Map {
    let mut map = changed(v2(), "x-amz-cek-alg", Some("AES/CBC/PKCS5Padding"));
    map.insert("x-amz-iv".to_owned(), base64(16));
    map.remove("x-amz-tag-len");
    map
}

fn v3() -> Map {
    map(&[
        ("x-amz-c", "115"),
        ("x-amz-d", &base64(28)),
        ("x-amz-i", &base64(28)),
        ("x-amz-3", &base64(60)),
        ("x-amz-w", "02"),
        ("x-amz-m", "{\"a\":\"b\"}"),
    ])
}

fn v3_kms() -> Map {
    let mut map = changed(v3(), "x-amz-w", Some("12"));
    map.remove("x-amz-m");
    map.insert("x-amz-t".to_owned(), "{\"aws:x-amz-cek-alg\":\"115\"}".to_owned());
    map
}

fn changed(mut map: Map, name: &str, value: Option<&str>) -> Map {
    match value {
        Some(value) => map.insert(name.to_owned(), value.to_owned()),
        None => map.remove(name),
    };
    map
}

fn whole(metadata: &Map) -> Result<Envelope, Error> {
    match detect(WHAT, metadata)? {
        Detected::S3ec(envelope) => Ok(envelope),
        other => panic!("{other:?}"),
    }
}

fn assert_refused(result: Result<Envelope, Error>, needle: &str, case: &str) {
    match result {
        Err(Error::Tampered { subject, why, .. }) => {
            assert_eq!(subject.to_string(), WHAT);
            assert!(why.contains(needle), "{case}: '{why}' does not say '{needle}'");
        }
        other => panic!("{case}: {other:?}"),
    }
}

#[test]
fn each_format_is_recognised() {
    for (metadata, version) in [(v1(), "V1"), (v2(), "V2"), (v2_cbc(), "V2"), (v3(), "V3"), (v3_kms(), "V3")]
    {
        let envelope = whole(&metadata).unwrap();
        assert_eq!(format!("{:?}", envelope.version()), version);
        assert_eq!(envelope.storage(), Storage::Metadata);
    }
    // What lies outside the format changes nothing.
    let mut metadata = v3();
    metadata.extend(map(&[("note", "x"), ("x-amz-unencrypted-content-length", "7"), ("x-amz-other", "y")]));
    assert_eq!(whole(&metadata).unwrap().claimed_len(), Some(7));
}

#[test]
fn odd_but_harmless_values_are_read() {
    for (metadata, name, value) in [
        // A rewrap by the Java client leaves this.
        (v2_cbc(), "x-amz-tag-len", Some("0")),
        (v2_cbc(), "x-amz-cek-alg", Some("AES/CBC/PKCS7Padding")),
        (v2(), "x-amz-matdesc", None),
        (v2(), "x-amz-matdesc", Some("")),
        (v2(), "x-amz-matdesc", Some(" { \"a\" : \"b\" } ")),
        (v3(), "x-amz-m", None),
        (v3(), "x-amz-t", Some("")),
        (v3(), "x-amz-t", Some("{}")),
        (v3_kms(), "x-amz-m", Some("{}")),
        (v3(), "x-amz-unencrypted-content-length", Some("")),
    ] {
        whole(&changed(metadata, name, value)).unwrap();
    }
    assert!(whole(&v2()).unwrap().description().contains_key("a"));
}

#[test]
fn each_rule_is_kept() {
    let zeros = BASE64_STANDARD.encode([0; 28]);
    let short = base64(27);
    let long_value = "A".repeat(20_000);
    for (metadata, name, value, needle) in [
        (v1(), "x-amz-matdesc", None, "has no value for x-amz-matdesc"),
        (v1(), "x-amz-key", Some(""), "has no value for x-amz-key or x-amz-key-v2"),
        (v1(), "x-amz-iv", None, "has no value for x-amz-iv"),
        (v1(), "x-amz-iv", Some(&*base64(12)), "x-amz-iv has 12 bytes"),
        (v1(), "x-amz-matdesc", Some("[]"), "x-amz-matdesc is not a JSON object"),
        (v1(), "x-amz-cek-alg", Some("AES/GCM/NoPadding"), "two formats"),
        (v1(), "x-amz-wrap-alg", Some("AESWrap"), "two formats"),
        (v1(), "x-amz-tag-len", Some("128"), "two formats"),
        (v1(), "x-amz-key-v2", Some("AAAA"), "wrapped keys of two formats"),
        (v2(), "x-amz-key-v2", None, "has no value for x-amz-key-v2"),
        (v2(), "x-amz-key-v2", Some("AAA"), "is not base64"),
        (v2(), "x-amz-key-v2", Some("AAAA\nAAAA"), "is not base64"),
        (v2(), "x-amz-key-v2", Some(&*long_value), "too long"),
        (v2(), "x-amz-iv", Some(&*base64(16)), "x-amz-iv has 16 bytes"),
        (v2(), "x-amz-cek-alg", None, "has no value for x-amz-cek-alg"),
        (
            v2(),
            "x-amz-cek-alg",
            Some("AES/CTR/NoPadding"),
            "x-amz-cek-alg names an unknown algorithm, \'AES/CTR/NoPadding'",
        ),
        (v2(), "x-amz-cek-alg", Some("AES/CBC/PKCS5Padding"), "'128', which is not that of AES/CBC"),
        (v2(), "x-amz-tag-len", None, "has no value for x-amz-tag-len"),
        (v2(), "x-amz-tag-len", Some("96"), "'96', which is not that of AES/GCM"),
        (v2(), "x-amz-tag-len", Some("0"), "'0', which is not that of AES/GCM"),
        (v2_cbc(), "x-amz-tag-len", Some("128"), "'128', which is not that of AES/CBC"),
        (v2(), "x-amz-wrap-alg", None, "has no value for x-amz-wrap-alg"),
        (v2(), "x-amz-wrap-alg", Some("02"), "x-amz-wrap-alg names an unknown algorithm, \'02'"),
        (
            v2(),
            "x-amz-wrap-alg",
            Some("ROT\u{1b}13"),
            "x-amz-wrap-alg names an unknown algorithm, \'ROT\\u{1b}13'",
        ),
        (v2(), "x-amz-matdesc", Some("{\"a\":1}"), "x-amz-matdesc is not a JSON object"),
        (v2(), "x-amz-matdesc", Some("{\"a\":\"1\",\"a\":\"2\"}"), "x-amz-matdesc is not a JSON object"),
        (v2(), "x-amz-matdesc", Some("{} {}"), "x-amz-matdesc is not a JSON object"),
        (v2(), "x-amz-c", Some("115"), "entries of two formats"),
        (v2(), "x-amz-w", Some("02"), "entries of two formats"),
        (v2(), "x-amz-m", Some("{}"), "entries of two formats"),
        (v2(), "x-amz-3", Some("AAAA"), "wrapped keys of two formats"),
        (v3(), "x-amz-c", Some("114"), "x-amz-c names an unknown algorithm, \'114'"),
        (v3(), "x-amz-c", Some("0x73"), "x-amz-c names an unknown algorithm, \'0x73'"),
        (v3(), "x-amz-c", None, "has no value for x-amz-c"),
        (v3(), "x-amz-d", None, "has no value for x-amz-d"),
        (v3(), "x-amz-d", Some(""), "has no value for x-amz-d"),
        (v3(), "x-amz-d", Some(&*short), "x-amz-d has 27 bytes"),
        (v3(), "x-amz-i", None, "has no value for x-amz-i"),
        (v3(), "x-amz-i", Some(&*short), "x-amz-i has 27 bytes"),
        (v3(), "x-amz-i", Some(&*zeros), "all zeros"),
        (v3(), "x-amz-3", None, "has no value for x-amz-3"),
        (v3(), "x-amz-w", None, "has no value for x-amz-w"),
        (v3(), "x-amz-w", Some("01"), "x-amz-w names an unknown algorithm, \'01'"),
        (v3(), "x-amz-w", Some("AES/GCM"), "x-amz-w names an unknown algorithm, \'AES/GCM'"),
        (v3(), "x-amz-t", Some("{\"a\":\"b\"}"), "x-amz-t, which"),
        (v3_kms(), "x-amz-m", Some("{\"a\":\"b\"}"), "x-amz-m, which"),
        (v3(), "x-amz-matdesc", Some("{}"), "entries of two formats"),
        (v3(), "x-amz-tag-len", Some("128"), "entries of two formats"),
        (v3(), "x-amz-iv", Some(&*base64(12)), "entries of two formats"),
        (v3(), "x-amz-key", Some("AAAA"), "wrapped keys of two formats"),
    ] {
        let case = format!("{name} = {value:?}");
        assert_refused(whole(&changed(metadata, name, value)), needle, &case);
    }
}

fn split(all: &Map, stays: &[&str]) -> (Map, String) {
    let (object, file): (Map, Map) =
        all.clone().into_iter().partition(|(name, _)| stays.contains(&name.as_str()));
    (object, serde_json::to_string(&file).unwrap())
}

const STAYS: [&str; 3] = ["x-amz-c", "x-amz-d", "x-amz-i"];

#[test]
fn an_instruction_file_completes_an_object() {
    for (all, stays) in [(v1(), &[][..]), (v2(), &[]), (v2_cbc(), &[]), (v3(), &STAYS), (v3_kms(), &STAYS)] {
        let (mut object, file) = split(&all, stays);
        object.insert("note".to_owned(), "x".to_owned());
        let envelope = with_instruction(WHAT, &object, file.as_bytes()).unwrap();
        assert_eq!(envelope.storage(), Storage::InstructionFile);
        assert_eq!(envelope.version(), whole(&all).unwrap().version());
        assert_eq!(envelope.description(), whole(&all).unwrap().description());
        let needed = matches!(detect(WHAT, &object).unwrap(), Detected::InstructionFileNeeded);
        assert_eq!(needed, !stays.is_empty());
        // Left with the object by writers of V1 and V2, it is a sign that there is more.
        object.insert("x-amz-unencrypted-content-length".to_owned(), "5".to_owned());
        assert!(matches!(detect(WHAT, &object).unwrap(), Detected::InstructionFileNeeded));
        assert!(with_instruction(WHAT, &object, file.as_bytes()).is_ok());
    }
}

#[test]
fn the_rules_of_instruction_files_are_kept() {
    let (object, file) = split(&v3(), &STAYS);
    let with = |object: &Map, file: &str| with_instruction(WHAT, object, file.as_bytes());
    let entry = |name: &str, value: &str| file.replacen('{', &format!("{{\"{name}\":{value},"), 1);
    for (file, needle) in [
        (String::new(), "not a JSON object"),
        ("[]".to_owned(), "not a JSON object"),
        ("\"x\"".to_owned(), "not a JSON object"),
        (format!("{file} "), ""),
        (format!("{file}x"), "not a JSON object"),
        (entry("x-amz-w", "\"12\""), "not a JSON object"),
        (entry("x-amz-t", "{}"), "not a JSON object"),
        (entry("x-amz-t", "5"), "x-amz-t is a number instead of a text"),
        (entry("x-amz-other", "\"x\""), "unknown entry, 'x-amz-other'"),
        (entry("X-AMZ-W", "\"02\""), "unknown entry"),
        (entry("x-amz-d", &format!("\"{}\"", base64(28))), "belong to the object alone"),
        (entry("x-amz-matdesc", "\"{}\""), "entries of two formats"),
        (entry("x-amz-crypto-instr-file", "\"\""), ""),
        (entry("x-amz-unencrypted-content-length", "5"), ""),
        (" ".repeat(70_000) + &file, "not a JSON object"),
    ] {
        match needle {
            "" => assert!(with(&object, &file).is_ok(), "{file}"),
            needle => assert_refused(with(&object, &file), needle, &file),
        }
    }
    let (_, old) = split(&v2(), &[]);
    // Python's and Java's number, where others write a string.
    assert!(with(&Map::new(), &old.replace("\"128\"", "128")).is_ok());
    assert_refused(with(&Map::new(), &old.replace("\"128\"", "127")), "is '127'", "tag length");
    for (object, file, needle) in [
        (v2(), &old, "both an envelope in its metadata and an instruction file"),
        (v3(), &file, "both an envelope in its metadata and an instruction file"),
        (changed(Map::new(), "x-amz-iv", Some("AAAA")), &old, "both an envelope"),
        (changed(object.clone(), "x-amz-w", Some("02")), &file, "both an envelope"),
        (object.clone(), &old, "entries of two formats"),
        (Map::new(), &file, "needs x-amz-c, x-amz-d, x-amz-i in the object's metadata"),
        (changed(object, "x-amz-d", None), &file, "has no value for x-amz-d"),
    ] {
        assert_refused(with(&object, file), needle, needle);
    }
}

#[test]
fn an_object_without_a_sign_is_plain_and_one_with_half_an_envelope_is_not() {
    for metadata in [Map::new(), map(&[("note", "x"), ("x-amz-key", ""), ("x-amz-w", " ")])] {
        assert!(matches!(detect(WHAT, &metadata), Ok(Detected::Plain)));
    }
    for name in v1().keys().chain(v2().keys()).chain(v3().keys()) {
        let metadata = map(&[(name, "{}")]);
        assert!(matches!(detect(WHAT, &metadata), Err(Error::Tampered { .. })), "{name}");
    }
}
