//! What is run for a policy, by its name, and what comes of it when a part of the policy is missing.

use s3seal_sandbox::{Fault, Kind};

use crate::policies::{Part, Places};
use crate::support::keys::KnownKey;
use crate::support::{ALIAS, BUCKET, Bench, bytes};

/// The bytes of an object that S3 copies in parts only.
const MORE_THAN_ONE_COPY: u64 = (5 << 30) + 1;

/// A command, what is there before it, and the folder of its objects.
pub struct Scenario {
    name: String,
    before: Option<String>,
    line: String,
}

/// How a run ended.
pub struct Ended {
    pub code: i32,
    /// All that was said and written.
    pub text: String,
}

impl Ended {
    fn of(ended: &crate::support::Ended) -> Self {
        let text = format!("{}{}", String::from_utf8_lossy(&ended.stdout), ended.stderr);
        Self { code: ended.code().unwrap_or(-1), text }
    }

    /// Whether the outcome says that something could not be seen.
    pub fn is_lessened(&self) -> bool {
        ["not allowed", "not verified", "denied", "not compared"]
            .iter()
            .any(|words| self.text.contains(words))
    }
}

/// What is to come of it when an action is denied.
pub enum Expected {
    /// This exit code, and the action is named.
    Exits(i32),
    /// Success without a part of the outcome; these words say so.
    Lessened(&'static str),
    /// Nothing here: the action is needed on AWS only, or only after a failure.
    NotSeenHere,
}

impl Expected {
    pub fn fits(&self, ended: &Ended, action: &str) -> bool {
        match self {
            // One name with an asterisk stands for several.
            Self::Exits(code) => ended.code == *code && ended.text.contains(action.trim_end_matches('*')),
            Self::Lessened(words) => {
                ended.code == 0 && ended.text.contains(words.replace("ACTION", action).as_str())
            }
            Self::NotSeenHere => true,
        }
    }
}

/// The flags that protect an object so; `key` and `file` are its keys.
fn flags(protection: &str, key: &str, file: &str) -> String {
    match protection {
        "bucket-default" => String::new(),
        "sse-s3" => "-e sse-s3".to_owned(),
        "sse-kms" | "dsse-kms" => format!("-e {protection} --kms-key {key}"),
        "sse-c" => format!("--sse-c-key {file}"),
        "client" => format!("--key {file}"),
        "client-kms" => format!("-e client --kms-key {key}"),
        other => panic!("{other}"),
    }
}

/// The flags that open it; `from` stands before the words of old keys.
fn opening(protection: &str, from: &str, key: &str, file: &str) -> String {
    match protection {
        "sse-c" => format!("--{from}sse-c-key {file}"),
        "client" => format!("--{from}key {file}"),
        "client-kms" => format!("--{from}kms-key {key}"),
        _ => String::new(),
    }
}

impl Scenario {
    /// Finds out what a policy's name stands for.
    pub fn of(name: &str) -> Self {
        let mut words = name.split('+');
        let plain: Vec<&str> = words.next().unwrap().split('.').collect();
        let extras: Vec<&str> = words.collect();
        let with = |extra: &str| extras.contains(&extra);
        let object =
            if with("recursive") || with("all-versions") { "s3://bench/db/" } else { "s3://bench/db/o" };
        let file =
            if with("parts") || with("composite-checksum") { "large --part-size 5MiB" } else { "small" };
        let mut stored = format!("put {file} s3://bench/db/o");
        if with("instruction-file") {
            stored += " --instruction-file";
        }
        let (before, mut line) = match plain.as_slice() {
            ["put", protection] if with("update") => {
                let delete = if with("delete") { "--delete --yes --max-delete 100%" } else { "" };
                let flags = flags(protection, "KEY", "b.key");
                (None, format!("put -r tree s3://bench/db/ --update {delete} {flags}"))
            }
            ["put", protection] => (None, format!("{stored} {}", flags(protection, "KEY", "b.key"))),
            ["get", protection] => {
                let line = format!("get {object} target {}", opening(protection, "", "KEY", "b.key"));
                (Some(format!("{stored} {}", flags(protection, "KEY", "b.key"))), line)
            }
            ["inspect", "bucket"] => {
                (Some(stored), "inspect --format ndjson s3://bench --bucket-only".to_owned())
            }
            ["inspect", scope, protection] => {
                let object = match *scope {
                    "prefix" => "s3://bench/db/",
                    "whole" => "s3://bench",
                    _ => object,
                };
                let keys = if *protection == "client-kms" { "" } else { protection };
                let line = format!("inspect --format ndjson {object} {}", opening(keys, "", "", "b.key"));
                (Some(format!("{stored} {}", flags(protection, "KEY", "b.key"))), line)
            }
            ["rotate", "batch"] => {
                let role = "arn:aws:iam::111122223333:role/batch";
                let key = if with("alias") { ALIAS } else { "KEY" };
                (
                    None,
                    format!(
                        "rotate s3://bench/db/ -e sse-kms --kms-key {key} --batch --batch-role {role} --yes"
                    ),
                )
            }
            ["rotate", strategy, from, to] => {
                let how = match (*strategy, *from) {
                    ("update-in-place", _) => "--update-in-place",
                    ("rewrap", _) => "--rewrap",
                    ("re-encrypt", "client" | "client-kms") if to.starts_with("client") => "--new-data-key",
                    _ => "",
                };
                let (to, old) = (flags(to, "KEY", "b.key"), opening(from, "from-", "OLD", "a.key"));
                let line = format!("rotate {object} {to} {old} {how} --yes");
                (Some(format!("{stored} {}", flags(from, "OLD", "a.key"))), line)
            }
            ["cleanup"] => {
                let orphan = "put small s3://bench/db/o --key b.key --instruction-file".to_owned();
                (Some(orphan), "cleanup s3://bench/db/ --older-than 0s --yes".to_owned())
            }
            _ => panic!("no scenario for {name}"),
        };
        let before = before.map(|before| match () {
            () if with("composite-checksum") => format!("{before} --checksum sha256"),
            () if with("tags") => format!("{before} --tag a=b"),
            () if with("acl") => format!("{before} --acl public-read"),
            () => before,
        });
        let lock = "--lock-mode governance --retain-until 30d --legal-hold";
        for (extra, flag) in [("tags", "--tag a=b"), ("acl", "--acl private"), ("lock", lock)] {
            if with(extra) && plain[0] == "put" {
                line = format!("{line} {flag}");
            }
        }
        match plain[0] {
            "get" if with("recursive") => line += " -r",
            _ if with("version") => line += " --version-id VERSION",
            _ if with("all-versions") => line += " --all-versions",
            _ => {}
        }
        Self { name: name.to_owned(), before, line }
    }

    fn has(&self, extra: &str) -> bool {
        self.name.split('+').skip(1).any(|has| has == extra)
    }

    /// Runs the command under a policy.
    pub fn run(&self, policy: impl FnOnce(&Places) -> String) -> Ended {
        let (bench, line) = self.bench(policy);
        Ended::of(&bench.run(&line))
    }

    /// Runs the command under a policy, and lets S3 refuse a part; returns how many uploads are left.
    pub fn fail_in_parts(&self, policy: impl FnOnce(&Places) -> String) -> (Ended, usize) {
        let (bench, line) = self.bench(policy);
        bench.sandbox.fault(Fault::on("UploadPart", Kind::status(400, "InvalidPart", "no")));
        let ended = Ended::of(&bench.run(&line));
        (ended, bench.sandbox.s3().uploads().len())
    }

    /// A sandbox under a policy, and the command for it.
    fn bench(&self, policy: impl FnOnce(&Places) -> String) -> (Bench, String) {
        let bench = Bench::new();
        for (name, seed) in [("a.key", 1), ("b.key", 2)] {
            bench.write(name, KnownKey::new(seed).hex().as_bytes());
        }
        bench.write("small", b"content");
        std::fs::create_dir(bench.path("tree")).unwrap();
        bench.write("tree/o", b"content");
        bench.write("large", &bytes(6 << 20));
        let s3 = bench.sandbox.s3();
        if ["version", "all-versions", "versioned-bucket"].iter().any(|extra| self.has(extra)) {
            s3.set_versioning(BUCKET);
        }
        let kms = bench.sandbox.kms();
        // The key behind the alias is the one that the policy names, too.
        let key = if self.has("alias") { ALIAS.to_owned() } else { kms.create_key().to_string() };
        let places = Places {
            bucket: BUCKET.to_owned(),
            key: kms.key_arn(&key),
            old_key: kms.create_key().to_string(),
        };
        let filled = |line: &str| {
            let line = line.replace("KEY", &places.key).replace("OLD", &places.old_key);
            let version = s3.object(BUCKET, "db/o").map(|object| object.version_id).unwrap_or_default();
            line.replace("VERSION", &version)
        };
        if let Some(before) = &self.before {
            bench.run(&filled(before)).ok();
            if self.has("all-versions") {
                bench.run(&filled(before)).ok();
            }
        }
        if self.has("delete") {
            s3.put_plain(BUCKET, "db/gone", b"old");
        }
        if self.line.starts_with("cleanup") {
            let version = s3.object(BUCKET, "db/o").unwrap().version_id;
            s3.try_delete(BUCKET, "db/o", &version, false).unwrap();
            s3.put_plain(BUCKET, "db/.s3seal-scratch-0123456789abcdef", b"tried");
            s3.begin_upload(BUCKET, "db/large");
        }
        match (self.has("lock"), &self.before) {
            (true, Some(_)) => s3.set_locked(BUCKET, "db/o"),
            (true, None) => s3.set_object_lock(BUCKET),
            (false, _) => {}
        }
        if self.has("parts") && self.before.is_some() {
            s3.set_hole(BUCKET, "db/o", MORE_THAN_ONE_COPY);
        }
        let line = filled(&self.line);
        bench.sandbox.user().set_policy(&policy(&places));
        (bench, line)
    }

    /// What is to come of it when this part is missing.
    pub fn expected(&self, part: &Part) -> Expected {
        let verb = self.name.split(['.', '+']).next().unwrap();
        let is_of_many = self.has("recursive")
            || self.has("update")
            || self.has("all-versions")
            || self.name.contains(".prefix.")
            || self.name.contains(".whole.");
        // An object that fails among many is named, and the run ends with 9; without the listing there are none.
        let failed = if is_of_many && part.sid != "Listing" && part.sid != "ScratchObjects" { 9 } else { 4 };
        match (verb, part.action.as_str()) {
            // The sandbox has no annotations, and s3seal asks AWS only for them. Of aborted uploads see
            // `an_upload_that_may_not_be_aborted_is_named`.
            (_, "s3:ListObjectAnnotations" | "s3:AbortMultipartUpload") => Expected::NotSeenHere,
            ("put", "s3:GetObject") if !self.has("instruction-file") && !self.has("delete") => {
                Expected::Lessened("envelope not verified (ACTION is not allowed)")
            }
            ("get", "s3:GetObjectAttributes") => Expected::Lessened("checksum not compared (access to"),
            ("inspect", "kms:Decrypt") => Expected::Lessened("\"checksum\":{\"access_denied\":\"ACTION\"}"),
            ("inspect", "kms:DescribeKey" | "kms:ListAliases") => {
                Expected::Lessened("{\"access_denied\":\"ACTION\"}")
            }
            ("inspect", "s3:GetObjectRetention") => Expected::Lessened("\"mode\":null"),
            ("inspect", "s3:GetObjectLegalHold") => Expected::Lessened("\"legal_hold\":false"),
            ("inspect", "s3:ListBucket") if self.name.contains(".whole.") => Expected::Exits(4),
            ("inspect", _) if part.sid == "Bucket" => Expected::Lessened("{\"access_denied\":\"ACTION\"}"),
            ("cleanup", "s3:ListMultipartUploadParts") => {
                Expected::Lessened("size not known (access to s3://bench/db/large is denied: ACTION")
            }
            ("cleanup", _) if part.sid == "Bucket" => Expected::Exits(4),
            ("cleanup", _) => Expected::Exits(9),
            // The scratch object is under the new key before any other one is.
            ("rotate", _) if self.has("scratch-object") && part.sid == "Key" => Expected::Exits(4),
            ("rotate", "s3:GetObject" | "s3:UpdateObjectEncryption") if self.has("scratch-object") => {
                Expected::Exits(4)
            }
            _ => Expected::Exits(failed),
        }
    }
}
