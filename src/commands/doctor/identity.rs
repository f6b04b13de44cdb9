//! Who asks, and whether that account owns the bucket.

use super::{Check, Name, Problem, Remedy};
use crate::aws::Connection;
use crate::aws::identity::Identity;
use crate::error::Result;
use crate::location::Bucket;

/// An account that is nobody's: AWS gives out none that begins with so many zeros.
const NOBODY: &str = "000000000000";

/// Who the credentials stand for, and whose the bucket is.
pub(super) async fn checks(connection: &Connection, bucket: &Bucket) -> Vec<Check> {
    let Some(access_key) = connection.access_key().await else {
        let anonymous = Check::warning(Name::Credentials, "none: requests are not signed");
        return vec![anonymous, owner(connection, bucket, None).await];
    };
    let identity = connection.caller_identity().await;
    let account = match &identity {
        Ok(Some(identity)) => Some(identity.account.clone()),
        _ => connection.account().await,
    };
    let owner = owner(connection, bucket, account).await;
    vec![credentials(&access_key, identity), owner]
}

fn credentials(access_key: &str, identity: Result<Option<Identity>>) -> Check {
    let name = Name::Credentials;
    match identity {
        Ok(Some(Identity { arn, .. })) => Check::ok(name, format!("{arn}, access key {access_key}")),
        Ok(None) => Check::warning(
            name,
            format!("access key {access_key}; this server has no STS to say whose it is"),
        ),
        Err(error) => {
            let seen = format!("access key {access_key}; whose it is, is not known");
            Check::warning(name, format!("{seen}: {error}"))
        }
    }
}

/// Asks whose the bucket is, and with a made-up account, whether the server compares at all.
async fn owner(connection: &Connection, bucket: &Bucket, account: Option<String>) -> Check {
    let name = Name::Owner;
    let demanded = connection.demanded_owner();
    let is_demanded = demanded.is_some();
    let Some(account) = demanded.or(account) else {
        return Check::warning(name, "not compared: the account of the credentials is not known")
            .mended_by(Remedy::NameOwner);
    };
    let (open, owned, nobody) = futures_util::future::join3(
        connection.is_owned_by(bucket, None),
        connection.is_owned_by(bucket, Some(&account)),
        connection.is_owned_by(bucket, Some(NOBODY)),
    )
    .await;
    match (open, owned, nobody) {
        (Ok(true), Ok(true), Ok(false)) if is_demanded => {
            Check::ok(name, format!("account {account}, as each request demands"))
        }
        (Ok(true), Ok(true), Ok(false)) => {
            Check::ok(name, format!("account {account}, that of the credentials"))
        }
        (Ok(true), Ok(false), _) if is_demanded => {
            let seen = format!("not account {account}, as each request demands");
            Check::failed(name, Problem::Denied, seen).mended_by(Remedy::CheckOwner)
        }
        (Ok(true), Ok(false), _) => {
            Check::warning(name, format!("not account {account}, that of the credentials"))
                .mended_by(Remedy::NameOwner)
        }
        (Ok(true), Ok(true), Ok(true)) => {
            Check::warning(name, "not known: this server does not compare owners")
        }
        (Ok(false), ..) => Check::warning(name, "not known: s3:ListBucket is denied"),
        (Err(error), ..) | (_, Err(error), _) | (_, _, Err(error)) => {
            Check::unanswered(name, "HeadBucket", error)
        }
    }
}
