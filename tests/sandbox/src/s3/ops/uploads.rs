//! `ListMultipartUploads`.
//!
//! What does not belong here: how a listing is walked (see `list`).

use s3s::dto::{ListMultipartUploadsInput, ListMultipartUploadsOutput, MultipartUpload};
use s3s::{S3Request, S3Response, S3Result};

use super::list::{Ask, Entry};
use super::{bucket, multipart};
use crate::s3::state::S3State;

/// `ListMultipartUploads`
pub async fn uploads(
    state: &S3State,
    request: S3Request<ListMultipartUploadsInput>,
) -> S3Result<S3Response<ListMultipartUploadsOutput>> {
    let input = request.input;
    let inner = state.lock();
    let bucket = inner.bucket(&input.bucket)?;
    let ask = Ask::new(
        input.prefix.as_ref(),
        input.delimiter.as_ref(),
        input.key_marker.as_ref(),
        input.max_uploads,
        input.encoding_type.as_ref(),
    )?;
    // By key, and those of one key by when they began.
    let marker = input.upload_id_marker.as_ref().and_then(|id| Some((bucket.uploads.get(id)?.begun, id)));
    let mut all: Vec<_> = bucket
        .uploads
        .iter()
        .filter(|(id, upload)| match marker {
            Some((begun, marker)) => (&*upload.key, upload.begun, *id) > (ask.after, begun, marker),
            None => upload.key.as_str() > ask.after,
        })
        .collect();
    all.sort_by_key(|(id, upload)| (&upload.key, upload.begun, *id));
    let page = ask.page(all.into_iter().map(|(id, upload)| (upload.key.clone(), (id, upload))));
    let truncated = page.truncated;
    let last_key = page.last.as_ref().map(|last| ask.shown(last));
    let last_id = match page.entries.last() {
        Some(Entry::Key((id, _))) => Some((*id).clone()),
        _ => None,
    };
    let (found, prefixes) = page.split(&ask);
    let found = found.into_iter().map(|(id, upload)| {
        let (checksum_algorithm, checksum_type) = multipart::checksum_fields(upload);
        MultipartUpload {
            key: Some(ask.shown(&upload.key)),
            upload_id: Some(id.clone()),
            initiated: Some(upload.begun.into()),
            storage_class: Some(multipart::class(upload)),
            owner: Some(bucket::owner()),
            initiator: Some(bucket::initiator(state)),
            checksum_algorithm,
            checksum_type,
        }
    });
    Ok(S3Response::new(ListMultipartUploadsOutput {
        bucket: Some(input.bucket.clone()),
        prefix: Some(ask.shown(ask.prefix)),
        delimiter: ask.shown_opt(input.delimiter.as_ref()),
        key_marker: Some(ask.shown(ask.after)),
        upload_id_marker: input.upload_id_marker.clone(),
        max_uploads: i32::try_from(ask.most).ok(),
        is_truncated: Some(truncated),
        next_key_marker: last_key.filter(|_| truncated),
        next_upload_id_marker: last_id.filter(|_| truncated),
        uploads: Some(found.collect()),
        common_prefixes: Some(prefixes),
        encoding_type: input.encoding_type.clone(),
        ..ListMultipartUploadsOutput::default()
    }))
}
