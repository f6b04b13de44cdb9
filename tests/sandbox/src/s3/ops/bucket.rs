//! Buckets and what is set on them, but for encryption.
//!
//! What does not belong here: default encryption and blocked types (see `encryption`).

use s3s::dto::{
    Bucket as BucketDto, BucketLocationConstraint, BucketVersioningStatus, CreateBucketInput,
    CreateBucketOutput, DeleteBucketInput, DeleteBucketLifecycleInput, DeleteBucketLifecycleOutput,
    DeleteBucketOutput, DeleteBucketPolicyInput, DeleteBucketPolicyOutput,
    GetBucketLifecycleConfigurationInput, GetBucketLifecycleConfigurationOutput, GetBucketLocationInput,
    GetBucketLocationOutput, GetBucketPolicyInput, GetBucketPolicyOutput, GetBucketVersioningInput,
    GetBucketVersioningOutput, HeadBucketInput, HeadBucketOutput, Initiator, ListBucketsInput,
    ListBucketsOutput, Owner, PutBucketLifecycleConfigurationInput, PutBucketLifecycleConfigurationOutput,
    PutBucketPolicyInput, PutBucketPolicyOutput, PutBucketVersioningInput, PutBucketVersioningOutput,
};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result};

use crate::policy::Policy;
use crate::s3::error;
use crate::s3::object::{Bucket, Versioning};
use crate::s3::state::S3State;

/// The region that has no location constraint.
const FIRST_REGION: &str = "us-east-1";

/// Who owns all buckets and objects.
pub fn owner() -> Owner {
    Owner {
        display_name: None,
        id: Some("75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a".to_owned()),
    }
}

/// Who began an upload.
pub fn initiator(state: &S3State) -> Initiator {
    Initiator { display_name: Some("sandbox".to_owned()), id: Some(state.principal()) }
}

fn refuse(code: S3ErrorCode, text: &'static str) -> S3Error {
    S3Error::with_message(code, text)
}

/// `CreateBucket`
pub async fn create(
    state: &S3State,
    request: S3Request<CreateBucketInput>,
) -> S3Result<S3Response<CreateBucketOutput>> {
    let input = request.input;
    let configuration = input.create_bucket_configuration;
    let constraint = configuration.and_then(|each| each.location_constraint);
    let region = constraint.as_ref().map_or(FIRST_REGION, BucketLocationConstraint::as_str);
    if region != state.region {
        let named = if constraint.is_some() { region } else { "unspecified" };
        let text = format!(
            "The {named} location constraint is incompatible for the region specific endpoint this request was sent \
             to."
        );
        return Err(S3Error::with_message(S3ErrorCode::IllegalLocationConstraintException, text));
    }
    let now = state.now();
    let mut inner = state.lock();
    if inner.buckets.contains_key(&input.bucket) && state.region != FIRST_REGION {
        let text = "Your previous request to create the named bucket succeeded and you already own it.";
        return Err(refuse(S3ErrorCode::BucketAlreadyOwnedByYou, text));
    }
    let blocks = inner.new_buckets_block_sse_c;
    let location = format!("/{}", input.bucket);
    let bucket = inner.buckets.entry(input.bucket);
    let bucket = bucket.or_insert_with(|| Bucket::new(now, blocks));
    if input.object_lock_enabled_for_bucket == Some(true) {
        bucket.versioning = Versioning::Enabled;
        bucket.object_lock = true;
    }
    Ok(S3Response::new(CreateBucketOutput { location: Some(location) }))
}

/// `HeadBucket`
pub async fn head(
    state: &S3State,
    request: S3Request<HeadBucketInput>,
) -> S3Result<S3Response<HeadBucketOutput>> {
    state.lock().bucket(&request.input.bucket)?;
    Ok(S3Response::new(HeadBucketOutput {
        bucket_region: Some(state.region.clone()),
        ..HeadBucketOutput::default()
    }))
}

/// `DeleteBucket`
pub async fn delete(
    state: &S3State,
    request: S3Request<DeleteBucketInput>,
) -> S3Result<S3Response<DeleteBucketOutput>> {
    let name = request.input.bucket;
    let mut inner = state.lock();
    if !inner.bucket(&name)?.objects.is_empty() {
        let text = "The bucket you tried to delete is not empty";
        return Err(refuse(S3ErrorCode::BucketNotEmpty, text));
    }
    inner.buckets.remove(&name);
    Ok(S3Response::new(DeleteBucketOutput::default()))
}

/// `ListBuckets`
pub async fn list(
    state: &S3State,
    request: S3Request<ListBucketsInput>,
) -> S3Result<S3Response<ListBucketsOutput>> {
    let prefix = request.input.prefix.unwrap_or_default();
    let inner = state.lock();
    let found = inner.buckets.iter().filter(|(name, _)| name.starts_with(&prefix));
    let buckets = found.map(|(name, bucket)| BucketDto {
        bucket_region: Some(state.region.clone()),
        creation_date: Some(bucket.created.into()),
        name: Some(name.clone()),
    });
    Ok(S3Response::new(ListBucketsOutput {
        buckets: Some(buckets.collect()),
        owner: Some(owner()),
        ..ListBucketsOutput::default()
    }))
}

/// `GetBucketLocation`
pub async fn location(
    state: &S3State,
    request: S3Request<GetBucketLocationInput>,
) -> S3Result<S3Response<GetBucketLocationOutput>> {
    state.lock().bucket(&request.input.bucket)?;
    let region = Some(state.region.clone()).filter(|region| region != FIRST_REGION);
    Ok(S3Response::new(GetBucketLocationOutput { location_constraint: region.map(Into::into) }))
}

/// `GetBucketVersioning`
pub async fn versioning(
    state: &S3State,
    request: S3Request<GetBucketVersioningInput>,
) -> S3Result<S3Response<GetBucketVersioningOutput>> {
    let inner = state.lock();
    let status = match inner.bucket(&request.input.bucket)?.versioning {
        Versioning::Never => None,
        Versioning::Enabled => Some(BucketVersioningStatus::ENABLED),
        Versioning::Suspended => Some(BucketVersioningStatus::SUSPENDED),
    };
    Ok(S3Response::new(GetBucketVersioningOutput {
        status: status.map(BucketVersioningStatus::from_static),
        ..GetBucketVersioningOutput::default()
    }))
}

/// `PutBucketVersioning`
pub async fn put_versioning(
    state: &S3State,
    request: S3Request<PutBucketVersioningInput>,
) -> S3Result<S3Response<PutBucketVersioningOutput>> {
    let input = request.input;
    let status = input.versioning_configuration.status;
    let versioning = match status.as_ref().map(BucketVersioningStatus::as_str) {
        Some(BucketVersioningStatus::ENABLED) => Versioning::Enabled,
        Some(BucketVersioningStatus::SUSPENDED) => Versioning::Suspended,
        _ => return Err(error::malformed_xml()),
    };
    state.lock().bucket_mut(&input.bucket)?.versioning = versioning;
    Ok(S3Response::new(PutBucketVersioningOutput::default()))
}

/// `GetBucketPolicy`
pub async fn policy(
    state: &S3State,
    request: S3Request<GetBucketPolicyInput>,
) -> S3Result<S3Response<GetBucketPolicyOutput>> {
    let inner = state.lock();
    let policy = inner.bucket(&request.input.bucket)?.policy.as_ref();
    let policy =
        policy.ok_or_else(|| refuse(S3ErrorCode::NoSuchBucketPolicy, "The bucket policy does not exist"))?;
    Ok(S3Response::new(GetBucketPolicyOutput { policy: Some(policy.text.clone()) }))
}

/// `PutBucketPolicy`
pub async fn put_policy(
    state: &S3State,
    request: S3Request<PutBucketPolicyInput>,
) -> S3Result<S3Response<PutBucketPolicyOutput>> {
    let input = request.input;
    let policy = Policy::of_bucket(&input.policy).map_err(error::malformed_policy)?;
    state.lock().bucket_mut(&input.bucket)?.policy = Some(policy);
    Ok(S3Response::new(PutBucketPolicyOutput::default()))
}

/// `DeleteBucketPolicy`
pub async fn delete_policy(
    state: &S3State,
    request: S3Request<DeleteBucketPolicyInput>,
) -> S3Result<S3Response<DeleteBucketPolicyOutput>> {
    state.lock().bucket_mut(&request.input.bucket)?.policy = None;
    Ok(S3Response::new(DeleteBucketPolicyOutput::default()))
}

/// `GetBucketLifecycleConfiguration`
pub async fn lifecycle(
    state: &S3State,
    request: S3Request<GetBucketLifecycleConfigurationInput>,
) -> S3Result<S3Response<GetBucketLifecycleConfigurationOutput>> {
    let inner = state.lock();
    let rules = inner.bucket(&request.input.bucket)?.lifecycle.clone();
    if rules.is_none() {
        let text = "The lifecycle configuration does not exist";
        return Err(refuse(S3ErrorCode::NoSuchLifecycleConfiguration, text));
    }
    Ok(S3Response::new(GetBucketLifecycleConfigurationOutput {
        rules,
        ..GetBucketLifecycleConfigurationOutput::default()
    }))
}

/// `PutBucketLifecycleConfiguration`
pub async fn put_lifecycle(
    state: &S3State,
    request: S3Request<PutBucketLifecycleConfigurationInput>,
) -> S3Result<S3Response<PutBucketLifecycleConfigurationOutput>> {
    let input = request.input;
    let configuration = input.lifecycle_configuration.ok_or_else(error::malformed_xml)?;
    state.lock().bucket_mut(&input.bucket)?.lifecycle = Some(configuration.rules);
    Ok(S3Response::new(PutBucketLifecycleConfigurationOutput::default()))
}

/// `DeleteBucketLifecycle`
pub async fn delete_lifecycle(
    state: &S3State,
    request: S3Request<DeleteBucketLifecycleInput>,
) -> S3Result<S3Response<DeleteBucketLifecycleOutput>> {
    state.lock().bucket_mut(&request.input.bucket)?.lifecycle = None;
    Ok(S3Response::new(DeleteBucketLifecycleOutput::default()))
}
