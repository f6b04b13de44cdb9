//! What a bucket's policy requires of encryption, at rest and in transit, as far as the common statements say.
//!
//! Best effort: only AWS can evaluate every policy. Only statements that deny everybody are read, and nothing here
//! decides whether a request is allowed.
//! Source: "Bucket policies for Amazon S3" and "Condition keys for Amazon S3", AWS user guides.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::encryption::Mode;

/// Requirements found in a policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PolicyFacts {
    /// Whether requests without TLS are denied, and to what extent.
    pub(crate) tls: TlsDemand,
    /// The oldest TLS version that is allowed, such as `1.2`.
    pub(crate) tls_version: Option<String>,
    /// What the encryption header of a write must be, in S3's words (`aws:kms`).
    pub(crate) modes: BTreeSet<String>,
    /// The KMS keys that a write must name.
    pub(crate) keys: BTreeSet<String>,
    /// Whether a write must carry an encryption header at all.
    pub(crate) header: bool,
    /// Whether writes with SSE-C are denied.
    pub(crate) denies_sse_c: bool,
}

/// To what extent requests without TLS are denied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum TlsDemand {
    /// No common statement denies them.
    #[default]
    NotSeen,
    /// For some actions or some objects.
    ForSome,
    ForAll,
}

/// Reads a policy; `None` if it is not valid.
pub(crate) fn read(json: &str) -> Option<PolicyFacts> {
    let policy: Value = serde_json::from_str(json).ok()?;
    let statements = policy.get("Statement")?;
    let mut facts = PolicyFacts::default();
    for statement in many(statements) {
        if statement.get("Effect").and_then(Value::as_str) == Some("Deny") && is_for_everybody(statement) {
            facts.take(statement);
        }
    }
    Some(facts)
}

impl PolicyFacts {
    /// The modes that a write may use, as far as s3seal knows them.
    pub(crate) fn known_modes(&self) -> Vec<Mode> {
        let known = self.modes.iter().map(|word| match word.as_str() {
            "AES256" => Some(Mode::SseS3),
            "aws:kms" => Some(Mode::SseKms),
            "aws:kms:dsse" => Some(Mode::DsseKms),
            _ => None,
        });
        known.flatten().collect()
    }

    fn take(&mut self, statement: &Value) {
        let Some(Value::Object(operators)) = statement.get("Condition") else { return };
        // Several conditions deny only where all of them hold, so each one alone would say too much.
        let conditions: Vec<(String, String, Vec<String>)> = operators
            .iter()
            .flat_map(|(operator, keys)| {
                let keys = keys.as_object().into_iter().flatten();
                keys.map(|(key, values)| (operator.to_lowercase(), key.to_lowercase(), words(values)))
            })
            .collect();
        match conditions.as_slice() {
            [(operator, key, values)] => self.take_one(statement, operator, key, values),
            // The usual pair: the mode is required only if the header is present.
            [one, other] if is_present(one) || is_present(other) => {
                let (operator, key, values) = if is_present(one) { other } else { one };
                self.take_one(statement, operator, key, values);
            }
            _ => {}
        }
    }

    fn take_one(&mut self, statement: &Value, operator: &str, key: &str, values: &[String]) {
        let is = |word: &str| values.iter().any(|value| value.eq_ignore_ascii_case(word));
        let writes = covers(statement, "s3:putobject");
        let differs = operator.starts_with("stringnotequals")
            || operator.starts_with("stringnotlike")
            || operator.starts_with("arnnotequals")
            || operator.starts_with("arnnotlike");
        match key {
            "aws:securetransport" if operator.starts_with("bool") && is("false") => {
                let all = covers(statement, "s3:*") && has(statement, "Resource", "/*");
                self.tls = self.tls.max(if all { TlsDemand::ForAll } else { TlsDemand::ForSome });
            }
            "s3:tlsversion" if operator.starts_with("numericlessthan") => {
                self.tls_version = values.first().cloned().or_else(|| self.tls_version.take());
            }
            "s3:x-amz-server-side-encryption" if differs && writes => {
                self.modes.extend(values.iter().cloned());
            }
            "s3:x-amz-server-side-encryption" if operator == "null" && is("true") && writes => {
                self.header = true;
            }
            "s3:x-amz-server-side-encryption-aws-kms-key-id" if differs && writes => {
                self.keys.extend(values.iter().cloned());
            }
            "s3:x-amz-server-side-encryption-customer-algorithm"
                if operator == "null" && is("false") && writes =>
            {
                self.denies_sse_c = true;
            }
            _ => {}
        }
    }
}

/// Whether a condition requires that a header is present.
fn is_present((operator, _, values): &(String, String, Vec<String>)) -> bool {
    operator == "null" && values.iter().all(|value| value.eq_ignore_ascii_case("false"))
}

fn is_for_everybody(statement: &Value) -> bool {
    match statement.get("Principal") {
        Some(Value::String(who)) => who == "*",
        Some(Value::Object(kinds)) => {
            kinds.get("AWS").is_some_and(|who| words(who).contains(&"*".to_owned()))
        }
        _ => false,
    }
}

/// Whether the statement is about an action, given in lower case.
fn covers(statement: &Value, action: &str) -> bool {
    statement.get("Action").is_some_and(|actions| {
        words(actions).iter().any(|pattern| {
            let pattern = pattern.to_lowercase();
            match pattern.strip_suffix('*') {
                Some(stem) => action.starts_with(stem) && (action != "s3:*" || stem.len() <= "s3:".len()),
                None => pattern == action,
            }
        })
    })
}

fn has(statement: &Value, field: &str, ending: &str) -> bool {
    statement
        .get(field)
        .is_some_and(|values| words(values).iter().any(|value| value == "*" || value.ends_with(ending)))
}

fn many(value: &Value) -> &[Value] {
    match value {
        Value::Array(values) => values,
        one => std::slice::from_ref(one),
    }
}

fn words(value: &Value) -> Vec<String> {
    let word = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    many(value).iter().filter_map(word).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn facts(statements: &Value) -> PolicyFacts {
        read(&json!({ "Version": "2012-10-17", "Statement": statements }).to_string()).unwrap()
    }

    fn deny(action: &Value, condition: &Value) -> Value {
        json!({ "Effect": "Deny", "Principal": "*", "Action": action, "Resource": ["arn:aws:s3:::b", "arn:aws:s3:::b/*"],
                "Condition": condition })
    }

    #[test]
    fn tls_is_demanded_of_all_or_of_some() {
        let no_tls = json!({ "Bool": { "aws:SecureTransport": "false" } });
        assert_eq!(facts(&deny(&json!("s3:*"), &no_tls)).tls, TlsDemand::ForAll);
        assert_eq!(facts(&deny(&json!("*"), &no_tls)).tls, TlsDemand::ForAll);
        assert_eq!(facts(&deny(&json!(["s3:PutObject"]), &no_tls)).tls, TlsDemand::ForSome);
        assert_eq!(facts(&deny(&json!("s3:Put*"), &no_tls)).tls, TlsDemand::ForSome);
        let allow = json!({ "Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*", "Condition": no_tls });
        assert_eq!(facts(&allow).tls, TlsDemand::NotSeen);
        let one = json!({ "Effect": "Deny", "Principal": { "AWS": "arn:aws:iam::1:root" }, "Action": "s3:*", "Resource": "*",
                          "Condition": no_tls });
        assert_eq!(facts(&one).tls, TlsDemand::NotSeen);
        let version = json!({ "NumericLessThan": { "s3:TlsVersion": 1.2 } });
        assert_eq!(facts(&deny(&json!("s3:*"), &version)).tls_version.as_deref(), Some("1.2"));
    }

    #[test]
    fn a_mode_and_a_key_are_demanded() {
        let put = json!("s3:PutObject");
        let found = facts(&json!([
            deny(&put, &json!({ "StringNotEquals": { "s3:x-amz-server-side-encryption": "aws:kms" } })),
            deny(&put, &json!({ "Null": { "s3:x-amz-server-side-encryption": "true" } })),
            deny(
                &put,
                &json!({ "ArnNotEqualsIfExists": { "s3:x-amz-server-side-encryption-aws-kms-key-id": "arn:k" } })
            ),
            deny(&put, &json!({ "Null": { "s3:x-amz-server-side-encryption-customer-algorithm": "false" } })),
        ]));
        assert_eq!(found.modes, ["aws:kms".to_owned()].into());
        assert_eq!(found.keys, ["arn:k".to_owned()].into());
        assert!(found.header && found.denies_sse_c);
        let pair = json!({ "StringNotEquals": { "s3:x-amz-server-side-encryption": "AES256" },
                           "Null": { "s3:x-amz-server-side-encryption": false } });
        assert_eq!(facts(&deny(&put, &pair)).modes, ["AES256".to_owned()].into());
    }

    #[test]
    fn conditions_that_narrow_each_other_are_not_believed() {
        let narrow = json!({ "Bool": { "aws:SecureTransport": "false" }, "IpAddress": { "aws:SourceIp": "10.0.0.0/8" } });
        assert_eq!(facts(&deny(&json!("s3:*"), &narrow)), PolicyFacts::default());
    }

    #[test]
    fn what_is_no_policy_is_none() {
        for text in ["", "[]", "{}", "{\"Statement\": 3", "\"x\""] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(read("{\"Statement\": 3}"), Some(PolicyFacts::default()));
    }
}
