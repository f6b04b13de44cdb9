//! Policies of buckets and of the user: the part of IAM's language that rules on encryption are written in.
//!
//! What does not belong here: reading requests (see `s3::access`), and whom a policy is of (see `iam`).

use serde_json::Value;

/// A policy, as it was put and as it is applied.
#[derive(Debug, Clone)]
pub struct Policy {
    /// The text, as it was put.
    pub text: String,
    statements: Vec<Statement>,
}

#[derive(Debug, Clone)]
struct Statement {
    denies: bool,
    /// Whether the actions are those it does not speak of.
    not_action: bool,
    actions: Vec<String>,
    resources: Vec<String>,
    /// None in the policy of a user, who is the principal of all its statements.
    principals: Option<Vec<String>>,
    conditions: Vec<Condition>,
}

#[derive(Debug, Clone)]
struct Condition {
    operator: Operator,
    if_exists: bool,
    key: String,
    values: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equals { negated: bool, case: bool },
    Like { negated: bool },
    Null,
}

/// What a policy is asked about.
pub struct Question<'a> {
    /// `s3:PutObject` and the like.
    pub action: &'a str,
    /// The bucket's or object's ARN.
    pub resource: &'a str,
    /// The caller's ARN.
    pub principal: &'a str,
    /// The value of a condition key, asked for in lower case.
    pub value: &'a dyn Fn(&str) -> Option<String>,
}

impl Policy {
    /// Reads the policy of a bucket.
    ///
    /// # Errors
    /// S3's text for a malformed policy, also for what this subset does not know.
    pub fn of_bucket(text: &str) -> Result<Self, String> {
        Self::parse(text, Statement::of_bucket)
    }

    /// Reads the policy of a key, as `aws kms put-key-policy` takes it.
    ///
    /// # Errors
    /// A text, also for what this subset does not know.
    pub fn of_key(text: &str) -> Result<Self, String> {
        Self::parse(text, Statement::of_bucket)
    }

    /// Reads the policy of a user or a role, as `aws iam put-role-policy` takes it.
    ///
    /// # Errors
    /// A text, also for what this subset does not know.
    pub fn of_identity(text: &str) -> Result<Self, String> {
        let policy = Self::parse(text, Statement::of_identity)?;
        let json: Value = serde_json::from_str(text).unwrap_or_default();
        if json["Version"] != "2012-10-17" {
            return Err("The policy must contain a valid version string".to_owned());
        }
        Ok(policy)
    }

    fn parse(text: &str, statement: fn(&Value) -> Result<Statement, String>) -> Result<Self, String> {
        let json: Value = serde_json::from_str(text)
            .map_err(|_| "Policies must be valid JSON and the first byte must be '{'".to_owned())?;
        let statements = list(&json["Statement"]);
        if statements.is_empty() {
            return Err("Missing required field Statement".to_owned());
        }
        Ok(Self {
            text: text.to_owned(),
            statements: statements.into_iter().map(statement).collect::<Result<_, _>>()?,
        })
    }

    /// Whether it denies.
    pub fn denies(&self, question: &Question<'_>) -> bool {
        let mut denying = self.statements.iter().filter(|each| each.denies);
        denying.any(|statement| statement.applies(question))
    }

    /// Whether it allows.
    pub fn allows(&self, question: &Question<'_>) -> bool {
        let mut allowing = self.statements.iter().filter(|each| !each.denies);
        allowing.any(|statement| statement.applies(question))
    }
}

impl Policy {
    /// Whether it allows to the caller itself, not only to the caller's account.
    pub fn allows_by_name(&self, question: &Question<'_>) -> bool {
        let names = |statement: &&Statement| {
            let principals = statement.principals.iter().flatten();
            principals.into_iter().any(|each| each == "*" || each == question.principal)
        };
        let allowing = self.statements.iter().filter(|each| !each.denies);
        allowing.filter(names).any(|statement| statement.applies(question))
    }
}

impl Statement {
    fn of_bucket(json: &Value) -> Result<Self, String> {
        let principals = match &json["Principal"] {
            Value::Object(kinds) => kinds.values().flat_map(strings).collect(),
            other => strings(other),
        };
        if principals.is_empty() {
            return Err("Missing required field Principal".to_owned());
        }
        Ok(Self { principals: Some(principals), ..Self::parse(json)? })
    }

    /// What IAM checks when a policy is put, as far as a generated one could get it wrong.
    fn of_identity(json: &Value) -> Result<Self, String> {
        let statement = Self::parse(json)?;
        if json.get("Principal").is_some() {
            return Err("Policy document should not specify a principal.".to_owned());
        }
        let sid = json["Sid"].as_str().unwrap_or_default();
        if !sid.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(format!("Statement IDs (SID) must be alpha-numeric: {sid}"));
        }
        if let Some(bare) = statement.actions.iter().find(|each| !each.contains(':') && *each != "*") {
            return Err(format!("Actions/Conditions must be prefaced by a vendor: {bare}"));
        }
        if let Some(no_arn) =
            statement.resources.iter().find(|each| !each.starts_with("arn:") && *each != "*")
        {
            return Err(format!("Resource {no_arn} must be in ARN format or \"*\"."));
        }
        Ok(statement)
    }

    fn parse(json: &Value) -> Result<Self, String> {
        let denies = match json["Effect"].as_str() {
            Some("Deny") => true,
            Some("Allow") => false,
            _ => return Err("Invalid effect".to_owned()),
        };
        if json.get("NotPrincipal").is_some() || json.get("NotResource").is_some() {
            return Err("NotPrincipal and NotResource are not known here".to_owned());
        }
        let not_action = json.get("NotAction").is_some();
        let actions = strings(&json[if not_action { "NotAction" } else { "Action" }]);
        let resources = strings(&json["Resource"]);
        for (field, values) in [("Action", &actions), ("Resource", &resources)] {
            if values.is_empty() {
                return Err(format!("Missing required field {field}"));
            }
        }
        let mut conditions = Vec::new();
        for (operator, keys) in json["Condition"].as_object().into_iter().flatten() {
            for (key, values) in keys.as_object().into_iter().flatten() {
                conditions.push(Condition::parse(operator, key, values)?);
            }
        }
        Ok(Self { denies, not_action, actions, resources, principals: None, conditions })
    }

    fn applies(&self, question: &Question<'_>) -> bool {
        let account = question.principal.split(':').nth(4).unwrap_or_default();
        let root = format!("arn:aws:iam::{account}:root");
        let principal =
            |each: &String| each == "*" || each == account || *each == root || each == question.principal;
        let action = |each: &String| like(&each.to_ascii_lowercase(), &question.action.to_ascii_lowercase());
        self.principals.as_ref().is_none_or(|principals| principals.iter().any(principal))
            && self.actions.iter().any(action) != self.not_action
            && self.resources.iter().any(|each| like(each, question.resource))
            && self.conditions.iter().all(|each| each.holds(question))
    }
}

impl Condition {
    fn parse(operator: &str, key: &str, values: &Value) -> Result<Self, String> {
        let (name, if_exists) = match operator.strip_suffix("IfExists") {
            Some(name) => (name, true),
            None => (operator, false),
        };
        let equals = |negated, case| Operator::Equals { negated, case };
        let operator = match name {
            "StringEquals" | "ArnEquals" => equals(false, true),
            "StringNotEquals" | "ArnNotEquals" => equals(true, true),
            "StringEqualsIgnoreCase" | "Bool" => equals(false, false),
            "StringNotEqualsIgnoreCase" => equals(true, false),
            "StringLike" | "ArnLike" => Operator::Like { negated: false },
            "StringNotLike" | "ArnNotLike" => Operator::Like { negated: true },
            "Null" => Operator::Null,
            _ => return Err(format!("Invalid Condition type : {operator}")),
        };
        Ok(Self { operator, if_exists, key: key.to_ascii_lowercase(), values: strings(values) })
    }

    /// IAM's logic: a negated operator holds for a key that is not there, another does not, `IfExists` always does.
    fn holds(&self, question: &Question<'_>) -> bool {
        let value = (question.value)(&self.key);
        let any = |fits: &dyn Fn(&str, &str) -> bool| {
            let found = value.as_deref();
            found.map(|found| self.values.iter().any(|wanted| fits(wanted, found)))
        };
        let (fits, negated) = match self.operator {
            Operator::Null => {
                let wanted = self.values.iter().any(|value| value == "true");
                return value.is_none() == wanted;
            }
            Operator::Equals { negated, case } => {
                let fits = any(&|wanted, found| {
                    if case { wanted == found } else { wanted.eq_ignore_ascii_case(found) }
                });
                (fits, negated)
            }
            Operator::Like { negated } => (any(&like), negated),
        };
        match fits {
            Some(fits) => fits != negated,
            None => self.if_exists || negated,
        }
    }
}

fn list(json: &Value) -> Vec<&Value> {
    match json {
        Value::Array(values) => values.iter().collect(),
        Value::Null => Vec::new(),
        one => vec![one],
    }
}

fn strings(json: &Value) -> Vec<String> {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(value) => Some(value.to_string()),
        _ => None,
    };
    list(json).into_iter().filter_map(text).collect()
}

/// Whether a pattern with `*` and `?` fits a text.
fn like(pattern: &str, text: &str) -> bool {
    let Some(first) = pattern.chars().next() else {
        return text.is_empty();
    };
    let rest = &pattern[first.len_utf8()..];
    match first {
        '*' => {
            let mut starts = text.char_indices().map(|(at, _)| at).chain([text.len()]);
            starts.any(|at| like(rest, &text[at..]))
        }
        _ => {
            let mut chars = text.chars();
            chars.next().is_some_and(|next| first == '?' || next == first) && like(rest, chars.as_str())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn denies(condition: &str, values: &[(&str, &str)]) -> bool {
        let text = format!(
            r#"{{"Statement": {{"Effect": "Deny", "Principal": "*", "Action": "s3:Put*",
                "Resource": "arn:aws:s3:::b/*", "Condition": {condition}}}}}"#
        );
        let value = |key: &str| {
            let found = values.iter().find(|(name, _)| *name == key);
            found.map(|(_, value)| (*value).to_owned())
        };
        Policy::of_bucket(&text).unwrap().denies(&Question {
            action: "s3:PutObject",
            resource: "arn:aws:s3:::b/k/1",
            principal: "arn:aws:iam::1:user/u",
            value: &value,
        })
    }

    #[test]
    fn conditions_follow_iam() {
        let not_kms = r#"{"StringNotEquals": {"s3:x-amz-server-side-encryption": "aws:kms"}}"#;
        let sse = "s3:x-amz-server-side-encryption";
        assert!(denies(not_kms, &[]));
        assert!(denies(not_kms, &[(sse, "AES256")]));
        assert!(!denies(not_kms, &[(sse, "aws:kms")]));
        let if_exists = not_kms.replace("StringNotEquals", "StringNotEqualsIfExists");
        assert!(denies(&if_exists, &[]));
        let missing = r#"{"Null": {"s3:x-amz-server-side-encryption": "true"}}"#;
        assert!(denies(missing, &[]));
        assert!(!denies(missing, &[(sse, "AES256")]));
        let plain = r#"{"Bool": {"aws:SecureTransport": "false"}}"#;
        assert!(denies(plain, &[("aws:securetransport", "false")]));
        assert!(!denies(plain, &[("aws:securetransport", "true")]));
        let both = r#"{"Bool": {"aws:SecureTransport": false}, "StringLike": {"x": ["a*c", "?"]}}"#;
        assert!(denies(both, &[("aws:securetransport", "false"), ("x", "abbc")]));
        assert!(!denies(both, &[("aws:securetransport", "false"), ("x", "ab")]));
    }

    #[test]
    fn what_it_does_not_know_is_refused() {
        for wrong in [
            "x",
            "{}",
            r#"{"Statement": {"Effect": "Deny"}}"#,
            r#"{"Statement": {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*",
                "Condition": {"DateGreaterThan": {"aws:CurrentTime": "2026-01-01"}}}}"#,
        ] {
            assert!(Policy::of_bucket(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_identity_policy_is_one_that_iam_takes() {
        let policy =
            |statement: &str| format!(r#"{{"Version": "2012-10-17", "Statement": {{{statement}}}}}"#);
        let good =
            r#""Sid": "A1", "Effect": "Allow", "Action": ["s3:Get*"], "Resource": "arn:aws:s3:::b/p/*""#;
        let read = Policy::of_identity(&policy(good)).unwrap();
        let allows = |action, resource| {
            read.allows(&Question { action, resource, principal: "arn:aws:iam::1:user/u", value: &|_| None })
        };
        assert!(allows("s3:GetObject", "arn:aws:s3:::b/p/k/1"));
        assert!(!allows("s3:GetObject", "arn:aws:s3:::b/q"));
        assert!(!allows("s3:PutObject", "arn:aws:s3:::b/p/k"));
        for (from, to) in [
            ("A1", "a statement"),
            ("s3:Get*", "GetObject"),
            ("arn:aws:s3:::b/p/*", "b/p/*"),
            ("\"Sid\": \"A1\"", "\"Principal\": \"*\""),
        ] {
            assert!(Policy::of_identity(&policy(&good.replace(from, to))).is_err(), "{to}");
        }
        assert!(Policy::of_identity(&policy(good).replace("2012", "2013")).is_err());
    }
}
