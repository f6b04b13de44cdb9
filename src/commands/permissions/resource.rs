//! What actions are allowed on, and how policies name it.

use super::Condition;
use crate::location::{Bucket, S3Uri, is_access_point};
use crate::object::instruction_file_key;

/// The part of AWS that a region is in, which ARNs begin with.
pub(crate) fn partition(region: &str) -> &'static str {
    match region {
        region if region.starts_with("cn-") => "aws-cn",
        region if region.starts_with("us-gov-") => "aws-us-gov",
        region if region.starts_with("us-iso-") => "aws-iso",
        region if region.starts_with("us-isob-") => "aws-iso-b",
        region if region.starts_with("eu-isoe-") => "aws-iso-e",
        region if region.starts_with("us-isof-") => "aws-iso-f",
        region if region.starts_with("eusc-") => "aws-eusc",
        _ => "aws",
    }
}

/// The ARN of a bucket in a region; an access point is named by its own. Of one that is named by its alias only the form is
/// known, with words in capitals for the rest.
pub(crate) fn bucket_arn(bucket: &Bucket, region: &str) -> String {
    if bucket.as_str().starts_with("arn:") {
        return bucket.to_string();
    }
    let partition = partition(region);
    if bucket.is_access_point_alias() {
        let region = if region.is_empty() { "REGION" } else { region };
        return format!("arn:{partition}:s3:{region}:ACCOUNT:accesspoint/NAME");
    }
    format!("arn:{partition}:s3:::{bucket}")
}

/// The ARN of an object.
pub(crate) fn object_arn(uri: &S3Uri, region: &str) -> String {
    format!("{}/{}", objects_of(&bucket_arn(&uri.bucket, region)), uri.key)
}

/// What the ARNs of a bucket's objects begin with: "Configuring IAM policies for using access points", Amazon S3 user guide.
pub(crate) fn objects_of(bucket_arn: &str) -> String {
    if is_access_point(bucket_arn) { format!("{bucket_arn}/object") } else { bucket_arn.to_owned() }
}

/// The places that a policy names, as ARNs or parts of them.
#[derive(Clone, Debug)]
pub(crate) struct Places<'a> {
    /// The bucket's ARN, or that of an access point.
    pub(crate) bucket: &'a str,
    /// The prefix, with its slash at the end, or the key of one object; empty for the whole bucket.
    pub(crate) key_prefix: &'a str,
    /// The ARN of the KMS key that objects are, or will be, under.
    pub(crate) key: &'a str,
    /// The ARN of the KMS key that the ciphertext of client-side objects is under at rest.
    pub(crate) key_at_rest: &'a str,
    /// The ARN of the KMS key that objects are rotated away from.
    pub(crate) old_key: &'a str,
    /// The ARN of the role that a batch job takes on.
    pub(crate) role: &'a str,
}

impl Places<'_> {
    pub(super) fn is_object(&self) -> bool {
        !self.key_prefix.is_empty() && !self.key_prefix.ends_with('/')
    }

    /// The objects, with an asterisk for all under a prefix.
    fn objects(&self) -> String {
        let asterisk = if self.is_object() { "" } else { "*" };
        format!("{}/{}{asterisk}", objects_of(self.bucket), literal(self.key_prefix))
    }

    /// The part of the prefix up to its last slash.
    fn folder(&self) -> &str {
        self.key_prefix.rfind('/').map_or("", |slash| &self.key_prefix[..=slash])
    }
}

/// What an action is allowed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Resource {
    Objects,
    InstructionFiles,
    ScratchObjects,
    /// The bucket, for listing the prefix and nothing else.
    Listing,
    Bucket,
    Key,
    KeyAtRest,
    OldKey,
    AnyKey,
    Jobs,
    Role,
}

impl Resource {
    pub(super) fn sid(self) -> &'static str {
        match self {
            Self::Objects => "Objects",
            Self::InstructionFiles => "InstructionFiles",
            Self::ScratchObjects => "ScratchObjects",
            Self::Listing => "Listing",
            Self::Bucket => "Bucket",
            Self::Key => "Key",
            Self::KeyAtRest => "KeyAtRest",
            Self::OldKey => "OldKey",
            Self::AnyKey => "AnyKey",
            Self::Jobs => "Jobs",
            Self::Role => "Role",
        }
    }

    pub(super) fn arn(self, places: &Places<'_>) -> String {
        match self {
            Self::Objects => places.objects(),
            Self::InstructionFiles => instruction_file_key(&places.objects(), None),
            // They lie in the folder of the object.
            Self::ScratchObjects => {
                format!("{}/{}*.s3seal-scratch-*", objects_of(places.bucket), literal(places.folder()))
            }
            Self::Listing | Self::Bucket => places.bucket.to_owned(),
            Self::Key => places.key.to_owned(),
            Self::KeyAtRest => places.key_at_rest.to_owned(),
            Self::OldKey => places.old_key.to_owned(),
            Self::AnyKey | Self::Jobs => "*".to_owned(),
            Self::Role => places.role.to_owned(),
        }
    }

    /// Limits a listing to the prefix.
    pub(super) fn condition(self, places: &Places<'_>) -> Option<Condition> {
        let is_limited = self == Self::Listing && !places.key_prefix.is_empty();
        let listed = ("s3:prefix", format!("{}*", literal(places.key_prefix)));
        is_limited.then(|| [("StringLike", [listed].into())].into())
    }
}

/// A text in which no character stands for others: "Special characters", IAM policy elements: variables and tags, IAM user
/// guide.
fn literal(text: &str) -> String {
    let escaped = |letter: char| match letter {
        '*' | '?' | '$' => format!("${{{letter}}}"),
        letter => letter.to_string(),
    };
    text.chars().map(escaped).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arn(resource: Resource, key_prefix: &str) -> String {
        let bucket = "arn:aws:s3:::bkt";
        resource.arn(&Places { bucket, key_prefix, key: "", key_at_rest: "", old_key: "", role: "" })
    }

    #[test]
    fn a_policy_covers_a_bucket_a_prefix_or_one_object() {
        let objects = |key_prefix| arn(Resource::Objects, key_prefix);
        assert_eq!(objects(""), "arn:aws:s3:::bkt/*");
        assert_eq!(objects("db/"), "arn:aws:s3:::bkt/db/*");
        assert_eq!(objects("db/o"), "arn:aws:s3:::bkt/db/o");
        assert_eq!(arn(Resource::InstructionFiles, "db/o"), "arn:aws:s3:::bkt/db/o.instruction");
        assert_eq!(arn(Resource::ScratchObjects, "db/o"), "arn:aws:s3:::bkt/db/*.s3seal-scratch-*");
    }

    #[test]
    fn a_bucket_is_named_with_its_part_of_aws_and_an_access_point_by_its_own_name() {
        let arn = |bucket: &str, region| bucket_arn(&bucket.parse().unwrap(), region);
        assert_eq!(arn("bkt", "eu-west-1"), "arn:aws:s3:::bkt");
        assert_eq!(arn("bkt", "cn-north-1"), "arn:aws-cn:s3:::bkt");
        assert_eq!(arn("bkt", "us-gov-west-1"), "arn:aws-us-gov:s3:::bkt");
        let point = "arn:aws-cn:s3:cn-north-1:111122223333:accesspoint/p";
        assert_eq!(arn(point, "cn-north-1"), point);
        let places =
            Places { bucket: point, key_prefix: "db/", key: "", key_at_rest: "", old_key: "", role: "" };
        assert_eq!(Resource::Objects.arn(&places), format!("{point}/object/db/*"));
        assert_eq!(Resource::ScratchObjects.arn(&places), format!("{point}/object/db/*.s3seal-scratch-*"));
        assert_eq!(Resource::Listing.arn(&places), point);
        assert_eq!(
            arn("p-abcdefghijk-s3alias", "cn-north-1"),
            "arn:aws-cn:s3:cn-north-1:ACCOUNT:accesspoint/NAME"
        );
        let uri = |text: &str| text.parse().unwrap();
        let alias = uri("s3://p-abcdefghijk-s3alias/a");
        assert_eq!(object_arn(&alias, ""), "arn:aws:s3:REGION:ACCOUNT:accesspoint/NAME/object/a");
        assert_eq!(partition("eusc-de-east-1"), "aws-eusc");
        assert_eq!(partition("us-isob-east-1"), "aws-iso-b");
        assert_eq!(object_arn(&uri("s3://bkt/a b"), "us-gov-west-1"), "arn:aws-us-gov:s3:::bkt/a b");
        assert_eq!(object_arn(&uri(&format!("s3://{point}/a")), ""), format!("{point}/object/a"));
    }

    #[test]
    fn letters_with_a_meaning_in_policies_stand_for_themselves() {
        assert_eq!(arn(Resource::Objects, "50%/a*b?$x/"), "arn:aws:s3:::bkt/50%/a${*}b${?}${$}x/*");
    }
}
