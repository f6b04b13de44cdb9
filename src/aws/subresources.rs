//! Subresources of an object that HEAD does not show: tags, annotations, the ACL.

use std::collections::BTreeMap;

use aws_sdk_s3::operation::get_object_acl::GetObjectAclOutput;
use aws_sdk_s3::types::{Grant, Permission, Type};

use crate::aws::error;
use crate::aws::objects::Reader;
use crate::aws::request_fields::object_request;
use crate::error::{Error, Result};
use crate::object::Grants;

impl Reader<'_> {
    /// Asks for the tags.
    ///
    /// # Errors
    /// What S3 refuses; it takes `s3:GetObjectTagging`.
    pub(crate) async fn tags(&self) -> Result<BTreeMap<String, String>> {
        let answer = object_request!(self.connection, get_object_tagging, self.uri, self.version_id)
            .send()
            .await
            .map_err(|refusal| error::read(self.subject(), "s3:GetObjectTagging", refusal));
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
    pub(crate) async fn annotations(&self) -> Result<usize> {
        let answer = object_request!(self.connection, list_object_annotations, self.uri, self.version_id)
            .send()
            .await
            .map_err(|refusal| error::read(self.subject(), "s3:ListObjectAnnotations", refusal))?;
        Ok(answer.annotations().len())
    }

    /// Asks who may do what; nothing stands for "the owner everything, nobody else anything", and for servers that have
    /// no ACLs.
    ///
    /// # Errors
    /// What S3 refuses; it takes `s3:GetObjectAcl`. `Unsupported` for a grant that no request header can say.
    pub(crate) async fn grants(&self) -> Result<Grants> {
        let answer = object_request!(self.connection, get_object_acl, self.uri, self.version_id)
            .send()
            .await
            .map_err(|refusal| error::read(self.subject(), "s3:GetObjectAcl", refusal));
        match answer {
            Ok(answer) => read_grants(&answer).ok_or_else(|| Error::Unsupported {
                subject: self.subject(),
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
