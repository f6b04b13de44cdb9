//! The keys and aliases of one region, and how a request's name finds a key.
//!
//! All four spellings that AWS takes (id, key ARN, alias, alias ARN) are resolved here and only here.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use super::refusal::KmsRefusal;
use super::sealing;
use crate::policy::Policy;

/// Whether a key can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// It can.
    Enabled,
    /// Not until it is enabled again.
    Disabled,
    /// It is gone at this time, unless the deletion is cancelled.
    PendingDeletion(SystemTime),
    /// Not until its material is imported.
    PendingImport,
}

/// A symmetric key, with its material.
pub struct Key {
    /// A UUID, or `mrk-` and 32 hex digits for a multi-region key.
    pub id: String,
    /// `arn:aws:kms:REGION:ACCOUNT:key/ID`
    pub arn: String,
    /// Whether it can be used.
    pub state: KeyState,
    /// What its maker wrote.
    pub description: String,
    /// When it was made.
    pub created: SystemTime,
    /// Whether replicas may exist in other regions under the same id.
    pub multi_region: bool,
    /// Whether AWS made it for a service (`aws/s3`).
    pub aws_managed: bool,
    /// Its policy; none leaves everything to the policies of the account.
    pub(super) policy: Option<Policy>,
    pub(super) material: [u8; 32],
}

/// All keys and aliases of one region and account.
pub(super) struct Keys {
    prefix: String,
    region: String,
    by_id: BTreeMap<String, Key>,
    /// Alias, with its `alias/`, to key id.
    aliases: BTreeMap<String, String>,
}

impl Keys {
    pub(super) fn new(region: &str, account: &str) -> Self {
        Self {
            prefix: format!("arn:aws:kms:{region}:{account}:"),
            region: region.to_owned(),
            by_id: BTreeMap::new(),
            aliases: BTreeMap::new(),
        }
    }

    /// Makes a key and returns its id.
    pub(super) fn create(&mut self, description: &str, multi_region: bool, aws_managed: bool) -> String {
        let id = new_id(multi_region);
        let key = Key {
            arn: format!("{}key/{id}", self.prefix),
            id: id.clone(),
            state: KeyState::Enabled,
            description: description.to_owned(),
            created: SystemTime::now(),
            multi_region,
            aws_managed,
            policy: None,
            material: sealing::random(),
        };
        self.by_id.insert(id.clone(), key);
        id
    }

    /// Makes a key of another account and returns its id; only its ARN finds it.
    pub(super) fn create_in(&mut self, account: &str) -> String {
        let id = self.create("", false, false);
        let arn = format!("arn:aws:kms:{}:{account}:key/{id}", self.region);
        if let Some(key) = self.by_id.get_mut(&id) {
            key.arn = arn;
        }
        id
    }

    /// The id of the managed key of a service, such as `aws/s3`; made at first use, as in an account.
    pub(super) fn managed(&mut self, service: &str) -> String {
        let alias = format!("alias/{service}");
        if let Some(id) = self.aliases.get(&alias) {
            return id.clone();
        }
        let id =
            self.create("Default key that protects my S3 objects when no other key is defined", false, true);
        let policy = self.managed_policy(service);
        if let Some(key) = self.by_id.get_mut(&id) {
            key.policy = Some(policy);
        }
        self.aliases.insert(alias, id.clone());
        id
    }

    /// The policy that AWS gives the key of a service: everybody in the account may use it through the service, nobody
    /// otherwise ("AWS managed keys", AWS KMS developer guide; its id is `auto-s3-2`).
    fn managed_policy(&self, service: &str) -> Policy {
        let (account, region) = (self.account(), &self.region);
        let service = service.trim_start_matches("aws/");
        let text = format!(
            r#"{{"Version": "2012-10-17", "Statement": [
                {{"Effect": "Allow", "Principal": {{"AWS": "*"}}, "Resource": "*",
                  "Action": ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*",
                             "kms:CreateGrant", "kms:DescribeKey"],
                  "Condition": {{"StringEquals": {{"kms:CallerAccount": "{account}",
                                                   "kms:ViaService": "{service}.{region}.amazonaws.com"}}}}}},
                {{"Effect": "Allow", "Principal": {{"AWS": "arn:aws:iam::{account}:root"}}, "Resource": "*",
                  "Action": ["kms:Describe*", "kms:Get*", "kms:List*", "kms:RevokeGrant"]}}]}}"#
        );
        Policy::of_key(&text).expect("a policy in this subset")
    }

    fn account(&self) -> &str {
        self.prefix.split(':').nth(4).unwrap_or_default()
    }

    /// The id of the key that a request names by id, ARN, alias or alias ARN.
    pub(super) fn resolve(&mut self, name: &str) -> Result<String, KmsRefusal> {
        if let Some(key) = self.by_arn(name) {
            return Ok(key.id.clone());
        }
        let local = match name.strip_prefix("arn:") {
            Some(_) => self.strip_arn(name)?,
            None => name,
        };
        if local == "alias/aws/s3" {
            return Ok(self.managed("aws/s3"));
        }
        if local.starts_with("alias/") {
            let arn = self.arn_of_alias(local);
            return self
                .aliases
                .get(local)
                .cloned()
                .ok_or(KmsRefusal::NotFound { text: format!("Alias {arn} is not found.") });
        }
        let id = match local.strip_prefix("key/") {
            Some(id) if local.len() != name.len() => id,
            _ => local,
        };
        if self.by_id.get(id).is_some_and(|key| key.arn.starts_with(&self.prefix)) {
            return Ok(id.to_owned());
        }
        let text = if looks_like_id(id) {
            format!("Key '{}key/{id}' does not exist", self.prefix)
        } else {
            format!("Invalid keyId '{name}'")
        };
        Err(KmsRefusal::NotFound { text })
    }

    /// The part of an ARN behind the account, if it is of this region and account.
    fn strip_arn<'a>(&self, arn: &'a str) -> Result<&'a str, KmsRefusal> {
        if let Some(local) = arn.strip_prefix(&self.prefix) {
            return Ok(local);
        }
        let region = arn.split(':').nth(3).unwrap_or_default();
        if !arn.starts_with("arn:aws:kms:") || region == self.region {
            let text = format!("Key '{arn}' does not exist");
            return Err(KmsRefusal::NotFound { text });
        }
        Err(KmsRefusal::BadRegion { text: format!("Invalid arn {region}") })
    }

    pub(super) fn get(&self, id: &str) -> Option<&Key> {
        self.by_id.get(id)
    }

    pub(super) fn get_mut(&mut self, id: &str) -> Option<&mut Key> {
        self.by_id.get_mut(id)
    }

    pub(super) fn by_arn(&self, arn: &str) -> Option<&Key> {
        let (_, id) = arn.split_once(":key/")?;
        self.by_id.get(id).filter(|key| key.arn == arn)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Key> {
        self.by_id.values()
    }

    pub(super) fn aliases(&self) -> &BTreeMap<String, String> {
        &self.aliases
    }

    pub(super) fn aliases_mut(&mut self) -> &mut BTreeMap<String, String> {
        &mut self.aliases
    }

    pub(super) fn arn_of_alias(&self, alias: &str) -> String {
        format!("{}{alias}", self.prefix)
    }

    /// Removes a key with its aliases.
    pub(super) fn remove(&mut self, id: &str) {
        self.by_id.remove(id);
        self.aliases.retain(|_, target| target != id);
    }
}

/// A random UUID, or the shorter spelling that multi-region keys have.
fn new_id(multi_region: bool) -> String {
    let random: [u8; 16] = sealing::random();
    let hex = format!("{:032x}", u128::from_be_bytes(random));
    if multi_region {
        return format!("mrk-{hex}");
    }
    format!("{}-{}-4{}-8{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
}

fn looks_like_id(id: &str) -> bool {
    let hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if let Some(rest) = id.strip_prefix("mrk-") {
        return rest.len() == 32 && hex(rest);
    }
    let lengths: Vec<usize> = id.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12] && id.split('-').all(hex)
}

/// How long KMS waits before it deletes a key, in days: at least, at most; the most is also the default.
pub(super) const DELETION_DAYS: (u64, u64) = (7, 30);

/// A day, for [`DELETION_DAYS`].
pub(super) const DAY: Duration = Duration::from_hours(24);
