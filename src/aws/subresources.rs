//! Subresources of an object that HEAD does not show: tags, annotations, the ACL.

use std::collections::BTreeMap;

use aws_sdk_s3::operation::get_object_acl::GetObjectAclOutput;
use aws_sdk_s3::types::{Grant, Permission, Type};

use crate::aws::error;
use crate::aws::read_object::ObjectReader;
use crate::aws::request_fields::object_request;
use crate::error::{Error, Result};
use crate::object::Grants;

impl ObjectReader<'_> {
    /// Gets the tags.
    ///
    /// # Errors
    /// What S3 refuses; it requires `s3:GetObjectTagging`.
    pub(crate) async fn tags(&self) -> Result<BTreeMap<String, String>> {
        let answer = object_request!(self.connection, get_object_tagging, self.uri, self.version_id)
            .send()
            .await
            .map_err(|refusal| error::read(self.subject(), "s3:GetObjectTagging", refusal));
        let answer = match answer {
            // A server without support for tags stores none.
            Err(Error::Unsupported { .. }) => return Ok(BTreeMap::new()),
            answer => answer?,
        };
        Ok(answer.tag_set().iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect())
    }

    /// Counts the annotations.
    ///
    /// # Errors
    /// What S3 refuses; it requires `s3:ListObjectAnnotations`.
    pub(crate) async fn annotations(&self) -> Result<usize> {
        let answer = object_request!(self.connection, list_object_annotations, self.uri, self.version_id)
            .send()
            .await
            .map_err(|refusal| error::read(self.subject(), "s3:ListObjectAnnotations", refusal))?;
        Ok(answer.annotations().len())
    }

    /// Gets the grants of the ACL; none if only the owner has access, or if the server has no ACLs.
    ///
    /// # Errors
    /// What S3 refuses; it requires `s3:GetObjectAcl`. `Unsupported` for a grant that no request header can express.
    pub(crate) async fn grants(&self) -> Result<Grants> {
        let answer = object_request!(self.connection, get_object_acl, self.uri, self.version_id)
            .send()
            .await
            .map_err(|refusal| error::read(self.subject(), "s3:GetObjectAcl", refusal));
        match answer {
            Ok(answer) => read_grants(&answer).ok_or_else(|| {
                Error::unsupported(self.subject(), "its ACL has a grant that no request can express")
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
            // Has no effect on an object, and no header of an object's request can express it.
            Permission::Write => {}
            _ => return None,
        }
    }
    let alone = Grants {
        full_control: owner.iter().map(|owner| format!("id=\"{owner}\"")).collect(),
        ..Grants::default()
    };
    // S3 grants this to every new object, and rejects an explicit grant where ACLs are disabled.
    Some(if grants == alone { Grants::default() } else { grants })
}

/// Whether this is the grant that MinIO returns for every object: full control for an owner without an id.
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
