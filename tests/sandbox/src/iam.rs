//! What the one user may do, in S3 and in KMS: an identity policy, as `aws iam put-user-policy` sets one.
//!
//! Its credentials are permanent until it has a session token, which can expire.
//! Without a policy it may do everything, so that a test which is not about permissions needs none. With one, whatever
//! the policy does not allow is denied in AWS's words, and every question is kept for a test to read.
//!
//! What does not belong here: which actions a request needs (see `s3::access` and `kms`).

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::policy::{Policy, Question};

/// A question that was put to the policy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Asked {
    /// `s3:PutObject` and the like.
    pub action: String,
    /// The ARN of the bucket, object, key or role; `*` where the action knows no resource.
    pub resource: String,
    /// The answer.
    pub allowed: bool,
}

/// The header that carries a session token.
pub(crate) const SESSION_TOKEN_HEADER: &str = "x-amz-security-token";

/// Why a request's session token does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenFault {
    /// It has been the right one.
    Expired,
    /// It is another one, there is one too many, or one is missing.
    Invalid,
}

/// The token of a user whose credentials are temporary.
struct SessionToken {
    text: String,
    is_expired: bool,
}

/// The user whom the credentials stand for.
pub struct User {
    arn: String,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    policy: Option<Policy>,
    asked: Vec<Asked>,
    token: Option<SessionToken>,
}

impl User {
    pub(crate) fn new(arn: String) -> Self {
        Self { arn, inner: Mutex::default() }
    }

    /// The user's ARN.
    #[must_use]
    pub fn arn(&self) -> &str {
        &self.arn
    }

    /// Gives the user a policy: from now on it may do what that allows, and nothing else. Forgets the questions so far.
    ///
    /// # Panics
    /// If IAM would not take the policy, or this subset of its language does not know it.
    pub fn set_policy(&self, json: &str) {
        let policy = Policy::of_identity(json).unwrap_or_else(|error| panic!("{error}: {json}"));
        self.put_policy(Some(policy));
    }

    /// Takes the policy away: the user may do everything again.
    pub fn clear_policy(&self) {
        self.put_policy(None);
    }

    fn put_policy(&self, policy: Option<Policy>) {
        let mut inner = self.lock();
        inner.policy = policy;
        inner.asked.clear();
    }

    /// Makes the credentials temporary: from now on every request must come with this token, which
    /// [`crate::Sandbox::env`] then has.
    pub fn set_session_token(&self, token: &str) {
        self.lock().token = Some(SessionToken { text: token.to_owned(), is_expired: false });
    }

    /// Lets the session token expire, as its time would.
    ///
    /// # Panics
    /// If the credentials are not temporary.
    pub fn expire_session_token(&self) {
        self.lock().token.as_mut().expect("a session token").is_expired = true;
    }

    /// The session token, if the credentials are temporary.
    pub(crate) fn session_token(&self) -> Option<String> {
        self.lock().token.as_ref().map(|token| token.text.clone())
    }

    /// Checks the token of a signed request.
    pub(crate) fn check_token(&self, found: Option<&str>) -> Result<(), TokenFault> {
        match (&self.lock().token, found) {
            (None, None) => Ok(()),
            (Some(token), Some(found)) if token.text == found => {
                if token.is_expired {
                    Err(TokenFault::Expired)
                } else {
                    Ok(())
                }
            }
            _ => Err(TokenFault::Invalid),
        }
    }

    /// The questions since the policy was set, in their order.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        self.lock().asked.clone()
    }

    /// Asks whether the user may do something; `value` gives the values of condition keys, in lower case.
    ///
    /// # Errors
    /// AWS's reason, which follows "… is not authorized to perform: ACTION on resource: ARN ".
    pub(crate) fn may(
        &self,
        action: &str,
        resource: &str,
        value: &dyn Fn(&str) -> Option<String>,
    ) -> Result<(), String> {
        let mut inner = self.lock();
        let Some(policy) = &inner.policy else { return Ok(()) };
        let question = Question { action, resource, principal: &self.arn, value };
        let answer = if policy.denies(&question) {
            Err("with an explicit deny in an identity-based policy".to_owned())
        } else if policy.allows(&question) {
            Ok(())
        } else {
            Err(format!("because no identity-based policy allows the {action} action"))
        };
        let (action, resource) = (action.to_owned(), resource.to_owned());
        inner.asked.push(Asked { action, resource, allowed: answer.is_ok() });
        answer
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
