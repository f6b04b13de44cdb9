//! Key management as AWS KMS does it: keys, aliases, encryption contexts, refusals.
//!
//! S3 asks through [`Kms::for_s3`] before it touches an object's data key, and clients ask over HTTP ([`api`]), so one
//! disabled key or one denied action is felt by both, as in an account of AWS.
//!
//! What does not belong here: S3's own error codes, sockets, signatures.

pub(crate) mod api;
mod keys;
mod refusal;
mod sealing;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

pub use api::Failure;
pub use keys::{Key, KeyState};
pub use refusal::KmsRefusal;
pub(crate) use sealing::random;

use crate::iam::User;
use crate::policy::{Policy, Question};
use keys::Keys;

/// The encryption context: name-value pairs that are authenticated but not hidden.
pub type Context = BTreeMap<String, String>;

/// The ARN of a key (never of an alias).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KmsKeyArn(pub String);

impl std::fmt::Display for KmsKeyArn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// What S3, or a client, wants to do with a key; the part behind `kms:` in a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KmsAction {
    /// `kms:GenerateDataKey`
    GenerateDataKey,
    /// `kms:Encrypt`
    Encrypt,
    /// `kms:Decrypt`
    Decrypt,
    /// `kms:ReEncryptFrom` on the old key, `kms:ReEncryptTo` on the new one; refused under the first name
    ReEncrypt,
    /// `kms:DescribeKey`
    DescribeKey,
}

impl KmsAction {
    /// The action as a policy and as an error message name it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::GenerateDataKey => "kms:GenerateDataKey",
            Self::Encrypt => "kms:Encrypt",
            Self::Decrypt => "kms:Decrypt",
            Self::ReEncrypt => "kms:ReEncryptFrom",
            Self::DescribeKey => "kms:DescribeKey",
        }
    }
}

/// What AWS says of a key of another account that allows nothing.
const FOREIGN: &str = "because the resource does not exist in this Region, no resource-based policies allow access, or a \
                       resource-based policy explicitly denies access";

/// Who asks KMS, and whether in earnest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Requester {
    /// S3, on behalf of its caller: `kms:ViaService`.
    S3,
    /// A client.
    Client,
    /// A client that only wants to know whether it may.
    DryRun,
}

/// One successful or refused use of a key, kept for a test's assertions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// What was asked.
    pub action: KmsAction,
    /// The key that was used.
    pub key_arn: String,
    /// The encryption context that came with it.
    pub context: Context,
    /// Whether S3 asked, on behalf of its caller.
    pub via_s3: bool,
    /// Whether it was allowed.
    pub allowed: bool,
}

/// A region's key management service of one account.
pub struct Kms {
    region: String,
    account: String,
    user: User,
    inner: Mutex<Inner>,
}

struct Inner {
    keys: Keys,
    denied: Vec<(KmsAction, Option<String>)>,
    uses: Vec<Use>,
}

impl Kms {
    /// Makes an empty service for one region and account (twelve digits).
    #[must_use]
    pub fn new(region: &str, account: &str) -> Self {
        Self {
            region: region.to_owned(),
            account: account.to_owned(),
            user: User::new(format!("arn:aws:iam::{account}:user/sandbox")),
            inner: Mutex::new(Inner {
                keys: Keys::new(region, account),
                denied: Vec::new(),
                uses: Vec::new(),
            }),
        }
    }

    /// The region this service answers for.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The account that owns the keys.
    #[must_use]
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The account's one user; S3 asks the same one.
    #[must_use]
    pub fn user(&self) -> &User {
        &self.user
    }

    /// Asks the user's policy, of which an anonymous caller has none.
    ///
    /// # Errors
    /// [`KmsRefusal::Denied`]
    pub(crate) fn may(
        &self,
        principal: &str,
        action: &'static str,
        arn: &str,
        requester: Requester,
    ) -> Result<(), KmsRefusal> {
        let policy = self.lock().keys.by_arn(arn).and_then(|key| key.policy.clone());
        self.may_under(policy.as_ref(), principal, action, arn, requester)
    }

    /// The key's policy may allow, deny, or leave it to the user's own policy by naming the account: "Key policies in AWS
    /// KMS", AWS KMS developer guide.
    fn may_under(
        &self,
        policy: Option<&Policy>,
        principal: &str,
        action: &'static str,
        arn: &str,
        requester: Requester,
    ) -> Result<(), KmsRefusal> {
        if principal != self.user.arn() {
            return Ok(());
        }
        let denied = |reason| {
            let (arn, principal) = (arn.to_owned(), principal.to_owned());
            KmsRefusal::Denied { action, arn, principal, reason }
        };
        let value = |name: &str| match name {
            "kms:calleraccount" => Some(self.account.clone()),
            "kms:viaservice" => {
                (requester == Requester::S3).then(|| format!("s3.{}.amazonaws.com", self.region))
            }
            _ => None,
        };
        // "Allowing users in other accounts to use a KMS key", AWS KMS developer guide.
        let is_foreign = arn.split(':').nth(4).is_some_and(|account| account != self.account);
        if is_foreign && policy.is_none() {
            return Err(denied(FOREIGN.to_owned()));
        }
        if let Some(policy) = policy {
            // The resource of a key's policy is the key, whatever it says.
            let question = Question { action, resource: arn, principal, value: &value };
            if policy.denies(&question) {
                return Err(denied("with an explicit deny in a resource-based policy".to_owned()));
            }
            if policy.allows_by_name(&question) && !is_foreign {
                return Ok(());
            }
            if !policy.allows(&question) {
                return Err(denied(format!("because no resource-based policy allows the {action} action")));
            }
        }
        self.user.may(action, arn, &value).map_err(denied)
    }

    /// Asks on behalf of an S3 caller whether a key may be used, and resolves its name.
    ///
    /// `key` is an id, an ARN or an alias as a request names it; `None` is the account's managed key `aws/s3`,
    /// made at first use.
    ///
    /// # Errors
    /// The refusal that KMS would give, in KMS's words.
    pub fn for_s3(
        &self,
        principal: &str,
        action: KmsAction,
        key: Option<&str>,
        context: &Context,
    ) -> Result<KmsKeyArn, KmsRefusal> {
        self.allow(principal, action, key, context, Requester::S3)
    }

    /// Makes a data key under a key that [`Kms::for_s3`] allowed: the key itself and the same wrapped.
    ///
    /// # Panics
    /// If `key_arn` is not a key of this service: ask [`Kms::for_s3`] first.
    #[must_use]
    pub fn generate_data_key(&self, key_arn: &KmsKeyArn, context: &Context) -> ([u8; 32], Vec<u8>) {
        let data_key = sealing::random();
        let inner = self.lock();
        let key = inner.keys.by_arn(&key_arn.0).expect("a key that for_s3 has allowed");
        (data_key, sealing::seal(key, context, &data_key))
    }

    /// Unwraps a data key made by [`Kms::generate_data_key`]; whether the caller may is [`Kms::for_s3`]'s to say.
    ///
    /// # Errors
    /// [`KmsRefusal::InvalidCiphertext`] if the blob or the context is not the one it was made with.
    pub fn unwrap_data_key(&self, wrapped: &[u8], context: &Context) -> Result<[u8; 32], KmsRefusal> {
        let inner = self.lock();
        let (_, plain) = sealing::open(&inner.keys, wrapped, context)?;
        plain.try_into().map_err(|_| KmsRefusal::InvalidCiphertext)
    }

    fn allow(
        &self,
        principal: &str,
        action: KmsAction,
        key: Option<&str>,
        context: &Context,
        requester: Requester,
    ) -> Result<KmsKeyArn, KmsRefusal> {
        let mut inner = self.lock();
        let id = match key {
            Some(name) => inner.keys.resolve(name)?,
            None => inner.keys.managed("aws/s3"),
        };
        let arn = inner.key(&id).arn.clone();
        let policy = inner.key(&id).policy.clone();
        let may = self.may_under(policy.as_ref(), principal, action.name(), &arn, requester);
        let verdict = may.and_then(|()| inner.verdict(principal, action, &id));
        if requester != Requester::DryRun {
            inner.uses.push(Use {
                action,
                key_arn: arn.clone(),
                context: context.clone(),
                via_s3: requester == Requester::S3,
                allowed: verdict.is_ok(),
            });
        }
        verdict.map(|()| KmsKeyArn(arn))
    }

    /// Makes a symmetric key and returns its ARN.
    pub fn create_key(&self) -> KmsKeyArn {
        let mut inner = self.lock();
        let id = inner.keys.create("", false, false);
        KmsKeyArn(inner.key(&id).arn.clone())
    }

    /// Makes a symmetric key of another account (twelve digits) and returns its ARN. Its policy must allow what the user
    /// does with it, and the user's too.
    pub fn create_key_in(&self, account: &str) -> KmsKeyArn {
        let mut inner = self.lock();
        let id = inner.keys.create_in(account);
        KmsKeyArn(inner.key(&id).arn.clone())
    }

    /// Makes a symmetric key with an alias (with or without `alias/`) and returns the key's ARN.
    pub fn create_key_with_alias(&self, alias: &str) -> KmsKeyArn {
        let arn = self.create_key();
        let alias = format!("alias/{}", alias.strip_prefix("alias/").unwrap_or(alias));
        let id = self.id_of(&arn.0);
        self.lock().keys.aliases_mut().insert(alias, id);
        arn
    }

    /// The ARN of a key (id, ARN or alias).
    ///
    /// # Panics
    /// If there is no such key.
    #[must_use]
    pub fn key_arn(&self, key: &str) -> String {
        let id = self.id_of(key);
        self.lock().key(&id).arn.clone()
    }

    /// Disables a key (id, ARN or alias).
    ///
    /// # Panics
    /// If there is no such key, like all switches below.
    pub fn disable(&self, key: &str) {
        self.set_state(key, KeyState::Disabled);
    }

    /// Enables a key, also one that waits for its deletion.
    pub fn enable(&self, key: &str) {
        self.set_state(key, KeyState::Enabled);
    }

    /// Lets a key wait for its deletion, the default of 30 days.
    pub fn schedule_deletion(&self, key: &str) {
        self.set_state(key, KeyState::PendingDeletion(SystemTime::now() + keys::DAY * 30));
    }

    /// Lets a key wait for its material, as one of origin `EXTERNAL` does.
    pub fn await_import(&self, key: &str) {
        self.set_state(key, KeyState::PendingImport);
    }

    /// Gives a key a policy of its own, as `aws kms put-key-policy` takes it. Without one it leaves everything to the
    /// account's policies.
    ///
    /// # Panics
    /// If KMS would not take the policy, or this subset of its language does not know it.
    pub fn set_key_policy(&self, key: &str, json: &str) {
        let policy = Policy::of_key(json).unwrap_or_else(|error| panic!("{error}: {json}"));
        let id = self.id_of(key);
        if let Some(key) = self.lock().keys.get_mut(&id) {
            key.policy = Some(policy);
        }
    }

    /// Deletes a key at once, with its aliases, as if its waiting time were over.
    pub fn delete_now(&self, key: &str) {
        let id = self.id_of(key);
        self.lock().keys.remove(&id);
    }

    /// Refuses an action from now on, on one key or, with `None`, on all.
    pub fn deny(&self, action: KmsAction, key: Option<&str>) {
        let key = key.map(|name| self.id_of(name));
        self.lock().denied.push((action, key));
    }

    /// Takes back every [`Kms::deny`].
    pub fn allow_all(&self) {
        self.lock().denied.clear();
    }

    /// Every use of a key since the start or [`Kms::clear_uses`], in order; names that found no key are not there.
    #[must_use]
    pub fn uses(&self) -> Vec<Use> {
        self.lock().uses.clone()
    }

    /// Forgets the uses so far.
    pub fn clear_uses(&self) {
        self.lock().uses.clear();
    }

    fn set_state(&self, key: &str, state: KeyState) {
        let id = self.id_of(key);
        if let Some(key) = self.lock().keys.get_mut(&id) {
            key.state = state;
        }
    }

    fn id_of(&self, key: &str) -> String {
        match self.lock().keys.resolve(key) {
            Ok(id) => id,
            Err(refusal) => panic!("{}", refusal.text()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn key(&self, id: &str) -> &Key {
        self.keys.get(id).expect("a resolved id is a key")
    }

    /// What KMS checks, in its order: the caller's permission, then the key's state.
    fn verdict(&self, principal: &str, action: KmsAction, id: &str) -> Result<(), KmsRefusal> {
        let key = self.key(id);
        let arn = key.arn.clone();
        let denied =
            |(of, on): &(KmsAction, Option<String>)| *of == action && on.as_deref().is_none_or(|on| on == id);
        if self.denied.iter().any(denied) {
            let action = action.name();
            let reason = format!("because no identity-based policy allows the {action} action");
            return Err(KmsRefusal::Denied { action, arn, principal: principal.to_owned(), reason });
        }
        match key.state {
            KeyState::Enabled => Ok(()),
            _ if action == KmsAction::DescribeKey => Ok(()),
            KeyState::Disabled => Err(KmsRefusal::Disabled { arn }),
            KeyState::PendingDeletion(_) => Err(KmsRefusal::PendingDeletion { arn }),
            KeyState::PendingImport => Err(KmsRefusal::PendingImport { arn }),
        }
    }
}
