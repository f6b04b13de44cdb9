//! The policy of a KMS key that lets one principal do a task, in the form that `aws kms put-key-policy` takes.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::resource::Resource;
use super::{Action, Extra, Task, needs};
use crate::encryption::KeyArn;

/// A whole policy: it replaces the one that the key has.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct KeyPolicy {
    version: &'static str,
    statement: Vec<Statement>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    sid: &'static str,
    effect: &'static str,
    principal: BTreeMap<&'static str, String>,
    action: BTreeSet<Action>,
    resource: &'static str,
}

impl Statement {
    fn new(sid: &'static str, principal: String, action: BTreeSet<Action>) -> Self {
        // In the policy of a key the asterisk is that key.
        Self { sid, effect: "Allow", principal: [("AWS", principal)].into(), action, resource: "*" }
    }
}

/// Makes the policy of the key that objects are, or will be, under; `None` if the task needs nothing of it.
pub(crate) fn key_policy(task: Task, extras: &[Extra], key: &KeyArn, principal: &str) -> Option<KeyPolicy> {
    let actions = needs(task, extras).0.remove(&Resource::Key).filter(|actions| !actions.is_empty())?;
    // Without it nobody could change the policy again: "Default key policy", AWS KMS developer guide.
    let root = format!("arn:{}:iam::{}:root", key.partition(), key.account());
    let account = Statement::new("Account", root, ["kms:*"].into());
    let statement = vec![account, Statement::new("Key", principal.to_owned(), actions)];
    Some(KeyPolicy { version: "2012-10-17", statement })
}
