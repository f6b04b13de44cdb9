//! The policies as the program prints them, whole and with a part taken away.

use std::fs;
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

/// A policy with its name.
pub struct Printed {
    pub name: String,
    text: String,
}

/// One action of one statement.
pub struct Part {
    /// The statement's `Sid`.
    pub sid: String,
    /// The action.
    pub action: String,
}

/// The places of a sandbox that stand for those in the policies.
pub struct Places {
    pub bucket: String,
    pub key: String,
    pub old_key: String,
}

/// The policies whose names begin so.
pub fn printed(beginning: &str) -> Vec<Printed> {
    static ALL: OnceLock<Vec<(String, String)>> = OnceLock::new();
    let all = ALL.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let mut program = Command::new(env!("CARGO_BIN_EXE_s3seal"));
        let status = program.args(["generate", "policies"]).arg(folder.path()).status().unwrap();
        assert!(status.success());
        let paths = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let mut all: Vec<_> = paths
            .map(|path| {
                let name = path.file_name().unwrap().to_str().unwrap().trim_end_matches(".json").to_owned();
                (name, fs::read_to_string(&path).unwrap())
            })
            .collect();
        all.sort();
        all
    });
    let named = all.iter().filter(|(name, _)| name.starts_with(beginning));
    named.map(|(name, text)| Printed { name: name.clone(), text: text.clone() }).collect()
}

impl Printed {
    /// The policy for a sandbox, without a part of it if one is given.
    pub fn json(&self, places: &Places, without: Option<&Part>) -> String {
        let mut text = self.text.replace("amzn-s3-demo-bucket", &places.bucket);
        for (made_up, real) in [
            ("arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab", &places.key),
            ("arn:aws:kms:us-east-1:111122223333:key/0987dcba-09fe-87dc-65ba-ab0987654321", &places.old_key),
        ] {
            text = text.replace(made_up, real);
        }
        let Some(part) = without else { return text };
        let mut policy: Value = serde_json::from_str(&text).unwrap();
        let statements = policy["Statement"].as_array_mut().unwrap();
        for statement in statements.iter_mut().filter(|statement| statement["Sid"] == *part.sid) {
            statement["Action"].as_array_mut().unwrap().retain(|action| *action != *part.action);
        }
        statements.retain(|statement| !statement["Action"].as_array().unwrap().is_empty());
        if statements.is_empty() {
            let nothing = r#"{"Effect": "Deny", "Action": "*", "Resource": "*"}"#;
            statements.push(serde_json::from_str(nothing).unwrap());
        }
        policy.to_string()
    }

    /// All its parts.
    pub fn parts(&self) -> Vec<Part> {
        let policy: Value = serde_json::from_str(&self.text).unwrap();
        let mut parts = Vec::new();
        for statement in policy["Statement"].as_array().unwrap() {
            let sid = statement["Sid"].as_str().unwrap();
            for action in statement["Action"].as_array().unwrap() {
                parts.push(Part { sid: sid.to_owned(), action: action.as_str().unwrap().to_owned() });
            }
        }
        parts
    }
}
