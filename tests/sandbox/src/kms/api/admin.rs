//! The operations on keys and aliases themselves.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Call, Failure, invalid};
use crate::kms::keys::{DAY, DELETION_DAYS};
use crate::kms::{Context, Inner, Key, KeyState, KmsAction, Requester};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateKey {
    #[serde(default)]
    description: String,
    #[serde(default)]
    multi_region: bool,
    key_spec: Option<String>,
    key_usage: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct KeyOnly {
    key_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ScheduleKeyDeletion {
    key_id: String,
    pending_window_in_days: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Alias {
    alias_name: String,
    target_key_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AliasOnly {
    alias_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListAliases {
    key_id: Option<String>,
}

impl Call<'_> {
    pub(super) fn create_key(&self) -> Result<Value, Failure> {
        let request: CreateKey = self.request()?;
        let symmetric = request.key_spec.as_deref().is_none_or(|spec| spec == "SYMMETRIC_DEFAULT");
        let encrypts = request.key_usage.as_deref().is_none_or(|usage| usage == "ENCRYPT_DECRYPT");
        if !symmetric || !encrypts {
            return Err(Failure::new(
                "UnsupportedOperationException",
                "The sandbox has symmetric encryption keys only.",
            ));
        }
        let mut inner = self.kms.lock();
        let id = inner.keys.create(&request.description, request.multi_region, false);
        Ok(json!({ "KeyMetadata": self.metadata(inner.key(&id)) }))
    }

    pub(super) fn describe_key(&self) -> Result<Value, Failure> {
        let request: KeyOnly = self.request()?;
        let no_context = Context::new();
        let arn = self.kms.allow(
            self.principal,
            KmsAction::DescribeKey,
            Some(&request.key_id),
            &no_context,
            Requester::Client,
        )?;
        let inner = self.kms.lock();
        let key = inner.keys.by_arn(&arn.0).ok_or_else(not_found)?;
        Ok(json!({ "KeyMetadata": self.metadata(key) }))
    }

    pub(super) fn list_keys(&self) -> Value {
        let inner = self.kms.lock();
        let entry = |key: &Key| json!({ "KeyId": key.id, "KeyArn": key.arn });
        json!({ "Keys": inner.keys.all().map(entry).collect::<Vec<_>>(), "Truncated": false })
    }

    pub(super) fn enable_key(&self) -> Result<Value, Failure> {
        let request: KeyOnly = self.request()?;
        self.change(&request.key_id, |key| {
            usable_later(key)?;
            key.state = KeyState::Enabled;
            Ok(Value::Null)
        })
    }

    pub(super) fn disable_key(&self) -> Result<Value, Failure> {
        let request: KeyOnly = self.request()?;
        self.change(&request.key_id, |key| {
            usable_later(key)?;
            key.state = KeyState::Disabled;
            Ok(Value::Null)
        })
    }

    pub(super) fn schedule_key_deletion(&self) -> Result<Value, Failure> {
        let request: ScheduleKeyDeletion = self.request()?;
        let days = request.pending_window_in_days.unwrap_or(DELETION_DAYS.1);
        if !(DELETION_DAYS.0..=DELETION_DAYS.1).contains(&days) {
            return Err(invalid(&format!(
                "PendingWindowInDays must be between {} and {}.",
                DELETION_DAYS.0, DELETION_DAYS.1
            )));
        }
        let at = SystemTime::now() + DAY * u32::try_from(days).unwrap_or(u32::MAX);
        self.change(&request.key_id, |key| {
            usable_later(key)?;
            key.state = KeyState::PendingDeletion(at);
            Ok(json!({
                "KeyId": key.arn, "DeletionDate": seconds(at), "KeyState": "PendingDeletion", "PendingWindowInDays": days,
            }))
        })
    }

    pub(super) fn cancel_key_deletion(&self) -> Result<Value, Failure> {
        let request: KeyOnly = self.request()?;
        self.change(&request.key_id, |key| {
            if !matches!(key.state, KeyState::PendingDeletion(_)) {
                let text = format!("{} is not pending deletion.", key.arn);
                return Err(Failure::new("KMSInvalidStateException", &text));
            }
            key.state = KeyState::Disabled;
            Ok(json!({ "KeyId": key.arn }))
        })
    }

    pub(super) fn create_alias(&self) -> Result<Value, Failure> {
        let request: Alias = self.request()?;
        valid_alias(&request.alias_name)?;
        let mut inner = self.kms.lock();
        let id = inner.keys.resolve(&request.target_key_id)?;
        if inner.keys.aliases().contains_key(&request.alias_name) {
            let arn = inner.keys.arn_of_alias(&request.alias_name);
            let text = format!("An alias with the name {arn} already exists");
            return Err(Failure::new("AlreadyExistsException", &text));
        }
        inner.keys.aliases_mut().insert(request.alias_name, id);
        Ok(Value::Null)
    }

    pub(super) fn update_alias(&self) -> Result<Value, Failure> {
        let request: Alias = self.request()?;
        valid_alias(&request.alias_name)?;
        let mut inner = self.kms.lock();
        inner.keys.resolve(&request.alias_name)?;
        let id = inner.keys.resolve(&request.target_key_id)?;
        inner.keys.aliases_mut().insert(request.alias_name, id);
        Ok(Value::Null)
    }

    pub(super) fn delete_alias(&self) -> Result<Value, Failure> {
        let request: AliasOnly = self.request()?;
        valid_alias(&request.alias_name)?;
        let mut inner = self.kms.lock();
        inner.keys.resolve(&request.alias_name)?;
        inner.keys.aliases_mut().remove(&request.alias_name);
        Ok(Value::Null)
    }

    pub(super) fn list_aliases(&self) -> Result<Value, Failure> {
        let request: ListAliases = self.request()?;
        self.kms.may(self.principal, "kms:ListAliases", "*", Requester::Client)?;
        let mut inner = self.kms.lock();
        let only = request.key_id.map(|key| inner.keys.resolve(&key)).transpose()?;
        let entry = |(alias, id): (&String, &String)| json!({ "AliasName": alias, "AliasArn": inner.keys.arn_of_alias(alias), "TargetKeyId": id });
        let of_key = |(_, id): &(&String, &String)| only.as_ref().is_none_or(|only| only == *id);
        let aliases: Vec<Value> = inner.keys.aliases().iter().filter(of_key).map(entry).collect();
        Ok(json!({ "Aliases": aliases, "Truncated": false }))
    }

    /// Changes a key that its user, and not AWS, manages.
    fn change(
        &self,
        name: &str,
        change: impl FnOnce(&mut Key) -> Result<Value, Failure>,
    ) -> Result<Value, Failure> {
        let mut guard = self.kms.lock();
        let inner: &mut Inner = &mut guard;
        if name.starts_with("alias/") || name.contains(":alias/") {
            return Err(Failure::new("NotFoundException", &format!("Invalid keyId '{name}'")));
        }
        let id = inner.keys.resolve(name)?;
        let key = inner.keys.get_mut(&id).ok_or_else(not_found)?;
        if key.aws_managed {
            let text = format!("You cannot perform this operation on an AWS managed key: {}", key.arn);
            return Err(Failure::new("AccessDeniedException", &text));
        }
        change(key)
    }

    fn metadata(&self, key: &Key) -> Value {
        let mut metadata = json!({
            "AWSAccountId": key.arn.split(':').nth(4),
            "KeyId": key.id,
            "Arn": key.arn,
            "CreationDate": seconds(key.created),
            "Enabled": key.state == KeyState::Enabled,
            "Description": key.description,
            "KeyUsage": "ENCRYPT_DECRYPT",
            "KeyState": state_name(key.state),
            "Origin": if key.state == KeyState::PendingImport { "EXTERNAL" } else { "AWS_KMS" },
            "KeyManager": if key.aws_managed { "AWS" } else { "CUSTOMER" },
            "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
            "KeySpec": "SYMMETRIC_DEFAULT",
            "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
            "MultiRegion": key.multi_region,
        });
        if let KeyState::PendingDeletion(at) = key.state {
            metadata["DeletionDate"] = json!(seconds(at));
        }
        if key.multi_region {
            metadata["MultiRegionConfiguration"] = json!({
                "MultiRegionKeyType": "PRIMARY",
                "PrimaryKey": { "Arn": key.arn, "Region": self.kms.region() },
                "ReplicaKeys": [],
            });
        }
        metadata
    }
}

fn valid_alias(name: &str) -> Result<(), Failure> {
    let rest = name.strip_prefix("alias/").unwrap_or_default();
    let valid = |letter: char| letter.is_ascii_alphanumeric() || "/_-".contains(letter);
    if rest.is_empty() || !rest.chars().all(valid) {
        return Err(invalid(
            "Alias must start with the prefix \"alias/\". Please see https://docs.aws.amazon.com/kms/",
        ));
    }
    if rest.starts_with("aws/") {
        return Err(Failure::new("NotAuthorizedException", ""));
    }
    Ok(())
}

/// A key that waits for its deletion can only be kept by cancelling that, one that waits for its material only be given it.
fn usable_later(key: &Key) -> Result<(), Failure> {
    match key.state {
        KeyState::PendingDeletion(_) => {
            Err(Failure::new("KMSInvalidStateException", &format!("{} is pending deletion.", key.arn)))
        }
        KeyState::PendingImport => {
            Err(Failure::new("KMSInvalidStateException", &format!("{} is pending import.", key.arn)))
        }
        _ => Ok(()),
    }
}

fn not_found() -> Failure {
    Failure::new("NotFoundException", "")
}

fn state_name(state: KeyState) -> &'static str {
    match state {
        KeyState::Enabled => "Enabled",
        KeyState::Disabled => "Disabled",
        KeyState::PendingDeletion(_) => "PendingDeletion",
        KeyState::PendingImport => "PendingImport",
    }
}

/// A time as JSON 1.1 has it: seconds since 1970.
fn seconds(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}
