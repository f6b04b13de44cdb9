//! What belongs to an object beside its bytes and its encryption, as far as S3 tells: what a copy would have to carry over.
//!
//! Read in full, unlike [`Marks`](super::marks::Marks), which are for showing. What of it is carried over is decided by
//! the verb; here is only what there is.

use aws_sdk_s3::operation::get_object_acl::GetObjectAclOutput;
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::types::{Grant, Permission, Type};
use std::collections::BTreeMap;

use crate::aws::error;
use crate::aws::objects::Reader;
use crate::error::{Error, Result};
use crate::object::{Grants, Lock};

/// What HEAD tells of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Belongings {
    /// `Cache-Control`.
    pub cache_control: Option<String>,
    /// `Content-Encoding`.
    pub content_encoding: Option<String>,
    /// `Content-Disposition`.
    pub content_disposition: Option<String>,
    /// `Content-Language`.
    pub content_language: Option<String>,
    /// `Expires` as it stands there, and the same as seconds since 1970 if it is a date.
    pub expires: Option<(String, Option<i64>)>,
    /// `x-amz-website-redirect-location`.
    pub website_redirect: Option<String>,
    /// Object Lock.
    pub lock: Lock,
    /// Whether a hold that waits for an event is on it.
    pub event_hold: bool,
    /// Metadata entries that S3 keeps and cannot show in headers.
    pub hidden_metadata: u32,
    /// Whether it has been restored from an archive and can be read for now.
    pub restored: bool,
}

impl From<&HeadObjectOutput> for Belongings {
    fn from(answer: &HeadObjectOutput) -> Self {
        let text = |value: Option<&str>| value.map(str::to_owned);
        let count = |value: Option<i32>| value.and_then(|count| u32::try_from(count).ok()).unwrap_or(0);
        let date = answer.expires_string().and_then(|date| {
            use aws_sdk_s3::primitives::{DateTime, DateTimeFormat};
            DateTime::from_str(date, DateTimeFormat::HttpDate).ok().map(|date| date.secs())
        });
        Self {
            cache_control: text(answer.cache_control()),
            content_encoding: text(answer.content_encoding()),
            content_disposition: text(answer.content_disposition()),
            content_language: text(answer.content_language()),
            expires: text(answer.expires_string()).map(|text| (text, date)),
            website_redirect: text(answer.website_redirect_location()),
            lock: Lock {
                mode: answer.object_lock_mode().map(|mode| mode.as_str().to_owned()),
                until: answer.object_lock_retain_until_date().map(aws_sdk_s3::primitives::DateTime::secs),
                legal_hold: answer.object_lock_legal_hold_status().is_some_and(|hold| hold.as_str() == "ON"),
            },
            event_hold: answer.object_lock_event_hold().is_some_and(|hold| hold.as_str() == "ON"),
            hidden_metadata: count(answer.missing_meta()),
            restored: answer.restore().is_some_and(|state| state.contains("ongoing-request=\"false\"")),
        }
    }
}

impl Reader<'_> {
    /// Asks for the tags.
    ///
    /// # Errors
    /// What S3 refuses; it takes `s3:GetObjectTagging`.
    pub async fn tags(&self) -> Result<BTreeMap<String, String>> {
        let request = self.connection.s3.get_object_tagging();
        let answer = request
            .bucket(self.uri.bucket.as_str())
            .key(&self.uri.key)
            .set_version_id(self.version_id.map(str::to_owned))
            .set_expected_bucket_owner(self.connection.owner())
            .set_request_payer(self.connection.payer())
            .send()
            .await
            .map_err(|refusal| error::read(&self.name(), "s3:GetObjectTagging", refusal));
        let answer = match answer {
            // A server that has no tags has lost none.
            Err(Error::Unsupported { .. }) => return Ok(BTreeMap::new()),
            answer => answer?,
        };
        Ok(answer.tag_set().iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect())
    }

    /// Counts the annotations.
    ///
    /// # Errors
    /// What S3 refuses; it takes `s3:ListObjectAnnotations`.
    pub async fn annotations(&self) -> Result<usize> {
        let request = self.connection.s3.list_object_annotations();
        let answer = request
            .bucket(self.uri.bucket.as_str())
            .key(&self.uri.key)
            .set_version_id(self.version_id.map(str::to_owned))
            .set_expected_bucket_owner(self.connection.owner())
            .set_request_payer(self.connection.payer())
            .send()
            .await
            .map_err(|refusal| error::read(&self.name(), "s3:ListObjectAnnotations", refusal))?;
        Ok(answer.annotations().len())
    }

    /// Asks who may do what; nothing stands for "the owner everything, nobody else anything", and for servers that have
    /// no ACLs.
    ///
    /// # Errors
    /// What S3 refuses; it takes `s3:GetObjectAcl`. `Unsupported` for a grant that no request header can say.
    pub async fn grants(&self) -> Result<Grants> {
        let request = self.connection.s3.get_object_acl();
        let answer = request
            .bucket(self.uri.bucket.as_str())
            .key(&self.uri.key)
            .set_version_id(self.version_id.map(str::to_owned))
            .set_expected_bucket_owner(self.connection.owner())
            .set_request_payer(self.connection.payer())
            .send()
            .await
            .map_err(|refusal| error::read(&self.name(), "s3:GetObjectAcl", refusal));
        match answer {
            Ok(answer) => read_grants(&answer).ok_or_else(|| Error::Unsupported {
                what: self.name(),
                why: "its ACL holds a grant that no request can say".to_owned(),
            }),
            Err(Error::Unsupported { .. }) => Ok(Grants::default()),
            Err(error) => Err(error),
        }
    }
}

fn read_grants(answer: &GetObjectAclOutput) -> Option<Grants> {
    let owner = answer.owner().and_then(|owner| owner.id());
    if let [only] = answer.grants()
        && is_owner_without_id(only)
    {
        return Some(Grants::default());
    }
    let mut grants = Grants::default();
    for grant in answer.grants() {
        let to = match grantee(grant) {
            Grantee::Id(id) => format!("id=\"{id}\""),
            Grantee::Uri(uri) => format!("uri=\"{uri}\""),
            Grantee::Unknown => return None,
        };
        match grant.permission()? {
            Permission::FullControl => grants.full_control.push(to),
            Permission::Read => grants.read.push(to),
            Permission::ReadAcp => grants.read_acp.push(to),
            Permission::WriteAcp => grants.write_acp.push(to),
            // Says nothing on an object, and no header of an object's request can say it.
            Permission::Write => {}
            _ => return None,
        }
    }
    let alone = Grants {
        full_control: owner.iter().map(|owner| format!("id=\"{owner}\"")).collect(),
        ..Grants::default()
    };
    // What every new object has by itself need not be said, and may not where ACLs are switched off.
    Some(if grants == alone { Grants::default() } else { grants })
}

/// Whether a grant is the one that MinIO's code answers for every object: everything to the owner, whom it does not name.
fn is_owner_without_id(grant: &Grant) -> bool {
    let owner = grant.grantee().is_some_and(|to| {
        *to.r#type() == Type::CanonicalUser
            && [to.id(), to.uri(), to.email_address()].into_iter().flatten().all(str::is_empty)
    });
    owner && grant.permission() == Some(&Permission::FullControl)
}

enum Grantee<'a> {
    Id(&'a str),
    Uri(&'a str),
    Unknown,
}

fn grantee(grant: &Grant) -> Grantee<'_> {
    let grantee = grant.grantee();
    let id = grantee.and_then(|to| to.id()).filter(|id| !id.is_empty());
    match (id, grantee.and_then(|to| to.uri())) {
        (Some(id), _) => Grantee::Id(id),
        (None, Some(uri)) => Grantee::Uri(uri),
        (None, None) => Grantee::Unknown,
    }
}
