//! The list of operations: each of the protocol crate's names, and the function that is it here.
//!
//! What does not belong here: any meaning. What is not listed is answered with `NotImplemented`.

use std::sync::Arc;

use s3s::access::{S3Access, S3AccessContext};
use s3s::{S3, S3Request, S3Response, S3Result};

use super::Scheme;
use super::access::{self, Visit};
use super::ops::{
    bucket, copy, delete, detail, encryption, get, list, multipart, object_lock, part, put, uploads, versions,
};
use super::route::Boxed;
use super::state::S3State;

/// S3 as the protocol crate sees it.
pub struct Api {
    pub state: Arc<S3State>,
}

macro_rules! operations {
    ($($name:ident($input:ident) -> $output:ident = $room:ident::$function:ident;)*) => {
        impl S3 for Api {
            $(fn $name<'a, 'b>(
                &'a self,
                request: S3Request<s3s::dto::$input>,
            ) -> Boxed<'b, S3Result<S3Response<s3s::dto::$output>>>
            where
                'a: 'b,
                Self: 'b,
            {
                Box::pin($room::$function(&self.state, request))
            })*
        }
    };
}

operations! {
    abort_multipart_upload(AbortMultipartUploadInput) -> AbortMultipartUploadOutput = multipart::abort;
    complete_multipart_upload(CompleteMultipartUploadInput) -> CompleteMultipartUploadOutput = multipart::complete;
    copy_object(CopyObjectInput) -> CopyObjectOutput = copy::copy_object;
    create_bucket(CreateBucketInput) -> CreateBucketOutput = bucket::create;
    create_multipart_upload(CreateMultipartUploadInput) -> CreateMultipartUploadOutput = multipart::create;
    delete_bucket(DeleteBucketInput) -> DeleteBucketOutput = bucket::delete;
    delete_bucket_encryption(DeleteBucketEncryptionInput) -> DeleteBucketEncryptionOutput = encryption::delete_of_bucket;
    delete_bucket_lifecycle(DeleteBucketLifecycleInput) -> DeleteBucketLifecycleOutput = bucket::delete_lifecycle;
    delete_bucket_policy(DeleteBucketPolicyInput) -> DeleteBucketPolicyOutput = bucket::delete_policy;
    delete_object(DeleteObjectInput) -> DeleteObjectOutput = delete::object;
    delete_object_tagging(DeleteObjectTaggingInput) -> DeleteObjectTaggingOutput = detail::delete_tags;
    delete_objects(DeleteObjectsInput) -> DeleteObjectsOutput = delete::objects;
    get_bucket_lifecycle_configuration(GetBucketLifecycleConfigurationInput) -> GetBucketLifecycleConfigurationOutput = bucket::lifecycle;
    get_bucket_location(GetBucketLocationInput) -> GetBucketLocationOutput = bucket::location;
    get_bucket_policy(GetBucketPolicyInput) -> GetBucketPolicyOutput = bucket::policy;
    get_bucket_versioning(GetBucketVersioningInput) -> GetBucketVersioningOutput = bucket::versioning;
    get_object(GetObjectInput) -> GetObjectOutput = get::get_object;
    get_object_acl(GetObjectAclInput) -> GetObjectAclOutput = detail::acl;
    get_object_attributes(GetObjectAttributesInput) -> GetObjectAttributesOutput = detail::attributes;
    get_object_legal_hold(GetObjectLegalHoldInput) -> GetObjectLegalHoldOutput = object_lock::legal_hold;
    get_object_lock_configuration(GetObjectLockConfigurationInput) -> GetObjectLockConfigurationOutput = object_lock::configuration;
    get_object_retention(GetObjectRetentionInput) -> GetObjectRetentionOutput = object_lock::retention;
    get_object_tagging(GetObjectTaggingInput) -> GetObjectTaggingOutput = detail::tags;
    head_bucket(HeadBucketInput) -> HeadBucketOutput = bucket::head;
    head_object(HeadObjectInput) -> HeadObjectOutput = get::head_object;
    list_buckets(ListBucketsInput) -> ListBucketsOutput = bucket::list;
    list_multipart_uploads(ListMultipartUploadsInput) -> ListMultipartUploadsOutput = uploads::uploads;
    list_object_versions(ListObjectVersionsInput) -> ListObjectVersionsOutput = versions::versions;
    list_objects(ListObjectsInput) -> ListObjectsOutput = list::objects;
    list_objects_v2(ListObjectsV2Input) -> ListObjectsV2Output = list::objects_v2;
    list_parts(ListPartsInput) -> ListPartsOutput = part::list_parts;
    put_bucket_lifecycle_configuration(PutBucketLifecycleConfigurationInput) -> PutBucketLifecycleConfigurationOutput = bucket::put_lifecycle;
    put_bucket_policy(PutBucketPolicyInput) -> PutBucketPolicyOutput = bucket::put_policy;
    put_bucket_versioning(PutBucketVersioningInput) -> PutBucketVersioningOutput = bucket::put_versioning;
    put_object(PutObjectInput) -> PutObjectOutput = put::put_object;
    put_object_acl(PutObjectAclInput) -> PutObjectAclOutput = detail::put_acl;
    put_object_legal_hold(PutObjectLegalHoldInput) -> PutObjectLegalHoldOutput = object_lock::put_legal_hold;
    put_object_lock_configuration(PutObjectLockConfigurationInput) -> PutObjectLockConfigurationOutput = object_lock::put_configuration;
    put_object_retention(PutObjectRetentionInput) -> PutObjectRetentionOutput = object_lock::put_retention;
    put_object_tagging(PutObjectTaggingInput) -> PutObjectTaggingOutput = detail::put_tags;
    restore_object(RestoreObjectInput) -> RestoreObjectOutput = detail::restore;
    upload_part(UploadPartInput) -> UploadPartOutput = part::upload_part;
    upload_part_copy(UploadPartCopyInput) -> UploadPartCopyOutput = part::upload_part_copy;
}

/// Access as the protocol crate asks for it.
pub struct Door {
    pub state: Arc<S3State>,
}

impl S3Access for Door {
    fn check<'a, 'b, 'c, 'd>(&'a self, context: &'b mut S3AccessContext<'c>) -> Boxed<'d, S3Result<()>>
    where
        'a: 'd,
        'b: 'd,
        'c: 'd,
        Self: 'd,
    {
        let scheme = context.extensions_mut().get::<Scheme>().copied();
        let answer = access::check(
            &self.state,
            &Visit {
                operation: context.s3_op().name(),
                path: context.s3_path(),
                uri: context.uri(),
                headers: context.headers(),
                scheme: scheme.unwrap_or(Scheme::Http),
                signed: context.credentials().is_some(),
            },
        );
        Box::pin(async move { answer })
    }
}
