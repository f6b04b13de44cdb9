//! Encryption carried out: asking KMS, locking what is written, unlocking what is read.
//!
//! What does not belong here: reading headers (see `sse`), storing bytes.

use http::HeaderMap;
use s3s::{S3Request, S3Result};

use super::sse::{Asked, Context, CustomerKey, DefaultEncryption, Echo, SseView};
use super::state::{Lie, S3State};
use super::{Scheme, error};
use crate::kms::KmsAction;
use crate::store::{BodyKeys, Kek, Lock};

/// Who asks, and how.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The caller's ARN.
    pub principal: String,
    /// Whether the request is signed with version 4.
    pub v4: bool,
    /// How it came.
    pub scheme: Scheme,
}

impl Caller {
    /// The caller of a request.
    pub fn of<T>(state: &S3State, request: &S3Request<T>) -> Self {
        let scheme = request.extensions.get::<Scheme>();
        Self {
            principal: match &request.credentials {
                Some(_) => state.principal(),
                None => "anonymous".to_owned(),
            },
            v4: request.region.is_some(),
            scheme: scheme.copied().unwrap_or(Scheme::Http),
        }
    }
}

/// Where an object is, or will be.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    pub bucket: &'a str,
    pub key: &'a str,
}

/// The encryption of a new object.
pub struct Sealing {
    pub sse: SseView,
    pub lock: Lock,
    pub keys: BodyKeys,
}

/// Decides and sets up the encryption of a new object: what is asked, or the bucket's default.
///
/// # Errors
/// What the bucket blocks and KMS refuses.
pub fn begin(state: &S3State, caller: &Caller, place: Place<'_>, asked: Option<Asked>) -> S3Result<Sealing> {
    let (blocks_sse_c, default) = {
        let inner = state.lock();
        let bucket = inner.bucket(place.bucket)?;
        (bucket.blocks_sse_c, bucket.default.clone())
    };
    if state.lies(Lie::IgnoreSse) {
        return Ok(sealing(SseView::None, vec![]));
    }
    match asked.unwrap_or_else(|| default_mode(&default)) {
        Asked::SseS3 => Ok(sealing(SseView::SseS3, vec![state.server_keys.kek()])),
        Asked::SseC(_) if blocks_sse_c => {
            Err(error::sse_c_blocked(&caller.principal, place.bucket, place.key))
        }
        Asked::SseC(customer) => {
            let kek = (Kek::customer(&customer.key), customer.key);
            let key_md5 = customer.md5;
            Ok(sealing(SseView::SseC { key_md5 }, vec![kek]))
        }
        Asked::SseKms { key, context, bucket_key } => {
            let bucket_key =
                bucket_key.unwrap_or(matches!(default, DefaultEncryption::SseKms { bucket_key: true, .. }));
            let full = with_arn(&context, place, bucket_key);
            let (key_arn, kek) = data_key(state, caller, key.as_deref(), full)?;
            let sse = SseView::SseKms { key_arn, bucket_key, context };
            Ok(sealing(sse, vec![kek]))
        }
        Asked::DsseKms { key, context } => {
            let full = with_arn(&context, place, false);
            let (key_arn, kek) = data_key(state, caller, key.as_deref(), full)?;
            let sse = SseView::DsseKms { key_arn, context };
            Ok(sealing(sse, vec![kek, state.server_keys.kek()]))
        }
    }
}

/// Opens an object for reading.
///
/// # Errors
/// S3's refusals for a customer's key that is missing, wrong or needless, and what KMS refuses.
pub fn open(
    state: &S3State,
    caller: &Caller,
    lock: &Lock,
    sse: &SseView,
    customer: Option<&CustomerKey>,
) -> S3Result<BodyKeys> {
    check_customer(state, lock, sse, customer)?;
    unlock(state, caller, lock, sse, customer)
}

/// Checks the customer's key of a read without opening anything: all that HEAD does.
///
/// # Errors
/// As [`open`], without KMS.
pub fn check_customer(
    state: &S3State,
    lock: &Lock,
    sse: &SseView,
    customer: Option<&CustomerKey>,
) -> S3Result<()> {
    let needs = matches!(sse, SseView::SseC { .. });
    match customer {
        None if needs => Err(error::customer_key_missing()),
        Some(_) if !needs && state.lies(Lie::IgnoreSse) => Ok(()),
        Some(_) if !needs => Err(error::customer_key_needless()),
        Some(given) if !is_key(lock, given) => Err(error::customer_key_wrong()),
        _ => Ok(()),
    }
}

/// Opens an upload for one of its parts.
///
/// # Errors
/// S3's refusals for a customer's key that is missing, another or needless, and what KMS refuses.
pub fn open_upload(
    state: &S3State,
    caller: &Caller,
    lock: &Lock,
    sse: &SseView,
    customer: Option<&CustomerKey>,
) -> S3Result<BodyKeys> {
    check_upload(state, lock, sse, customer)?;
    unlock(state, caller, lock, sse, customer)
}

/// Checks the customer's key of a request on an upload.
///
/// # Errors
/// As [`open_upload`], without KMS.
pub fn check_upload(
    state: &S3State,
    lock: &Lock,
    sse: &SseView,
    customer: Option<&CustomerKey>,
) -> S3Result<()> {
    let needs = matches!(sse, SseView::SseC { .. });
    Err(error::invalid_request(match customer {
        None if needs => {
            "The multipart upload initiate requested encryption. Subsequent part requests must include the \
             appropriate encryption parameters."
        }
        Some(_) if !needs && state.lies(Lie::IgnoreSse) => return Ok(()),
        Some(_) if !needs => {
            "The multipart upload initiate did not request encryption. Please resend the request without sending \
             encryption parameters."
        }
        Some(given) if !is_key(lock, given) => {
            "The provided encryption parameters did not match the ones used originally."
        }
        _ => return Ok(()),
    }))
}

/// Locks the same body under another key of KMS: what `UpdateObjectEncryption` does.
///
/// # Errors
/// What KMS refuses.
pub fn relock(
    state: &S3State,
    caller: &Caller,
    place: Place<'_>,
    keys: &BodyKeys,
    key_arn: &str,
    bucket_key: bool,
) -> S3Result<(SseView, Lock)> {
    let full = with_arn(&Context::new(), place, bucket_key);
    let (key_arn, kek) = data_key(state, caller, Some(key_arn), full)?;
    let sse = SseView::SseKms { key_arn, bucket_key, context: Context::new() };
    Ok((sse, Lock::over(keys, vec![kek])))
}

/// What the answer to a write or read says of the encryption, or lies.
pub fn echo(state: &S3State, sse: &SseView) -> Echo {
    if state.lies(Lie::WrongSse) {
        let other = match sse {
            SseView::SseS3 | SseView::None => SseView::SseKms {
                key_arn: format!("arn:aws:kms:{}:{}:key/0", state.region, state.account),
                bucket_key: false,
                context: Context::new(),
            },
            _ => SseView::SseS3,
        };
        return Echo::from(&other);
    }
    Echo::from(sse)
}

/// Adds what [`echo`] says to the headers of an answer.
pub fn echo_headers(state: &S3State, sse: &SseView, headers: &mut HeaderMap) {
    let echo = echo(state, sse);
    let fields = [
        (super::sse::SSE, echo.mode.map(str::to_owned)),
        (super::sse::KMS_KEY, echo.key_arn),
        (super::sse::BUCKET_KEY, echo.bucket_key.map(|on| on.to_string())),
        ("x-amz-server-side-encryption-customer-algorithm", echo.customer_algorithm),
        ("x-amz-server-side-encryption-customer-key-md5", echo.customer_key_md5),
    ];
    for (name, value) in fields {
        if let Some(value) = value.and_then(|value| value.parse().ok()) {
            headers.insert(name, value);
        }
    }
}

/// Adds the encryption context, which only answers to writes show.
pub fn echo_context(sse: &SseView, headers: &mut HeaderMap) {
    use base64::prelude::{BASE64_STANDARD, Engine as _};
    let (SseView::SseKms { context, .. } | SseView::DsseKms { context, .. }) = sse else {
        return;
    };
    if !context.is_empty() {
        let json = serde_json::to_vec(context).expect("a map of strings");
        let value = BASE64_STANDARD.encode(json).parse();
        headers.insert(super::sse::KMS_CONTEXT, value.expect("base64"));
    }
}

fn default_mode(default: &DefaultEncryption) -> Asked {
    match default {
        DefaultEncryption::SseS3 => Asked::SseS3,
        DefaultEncryption::SseKms { key, bucket_key } => {
            Asked::SseKms { key: key.clone(), context: Context::new(), bucket_key: Some(*bucket_key) }
        }
        DefaultEncryption::DsseKms { key } => Asked::DsseKms { key: key.clone(), context: Context::new() },
    }
}

fn sealing(sse: SseView, keks: Vec<(Kek, [u8; 32])>) -> Sealing {
    let (lock, keys) = Lock::fresh(keks);
    Sealing { sse, lock, keys }
}

/// S3 adds the ARN of the object to the context, or of the bucket if the key is the bucket's.
fn with_arn(context: &Context, place: Place<'_>, bucket_key: bool) -> Context {
    let Place { bucket, key } = place;
    let arn = match bucket_key {
        true => format!("arn:aws:s3:::{bucket}"),
        false => format!("arn:aws:s3:::{bucket}/{key}"),
    };
    let mut full = context.clone();
    full.entry("aws:s3:arn".to_owned()).or_insert(arn);
    full
}

fn data_key(
    state: &S3State,
    caller: &Caller,
    key: Option<&str>,
    context: Context,
) -> S3Result<(String, (Kek, [u8; 32]))> {
    need_v4(caller)?;
    let action = KmsAction::GenerateDataKey;
    let arn = state.kms.for_s3(&caller.principal, action, key, &context);
    let arn = arn.map_err(|refusal| error::kms(&refusal))?;
    let (secret, blob) = state.kms.generate_data_key(&arn, &context);
    Ok((arn.0, (Kek::Kms { blob, context }, secret)))
}

fn unlock(
    state: &S3State,
    caller: &Caller,
    lock: &Lock,
    sse: &SseView,
    customer: Option<&CustomerKey>,
) -> S3Result<BodyKeys> {
    let secret = |kek: &Kek| match kek {
        Kek::Server => Ok(state.server_keys.secret()),
        Kek::Customer { .. } => customer.map(|customer| customer.key).ok_or_else(error::customer_key_missing),
        Kek::Kms { blob, context } => {
            need_v4(caller)?;
            let key = match sse {
                SseView::SseKms { key_arn, .. } | SseView::DsseKms { key_arn, .. } => Some(&**key_arn),
                _ => None,
            };
            let action = KmsAction::Decrypt;
            let allowed = state.kms.for_s3(&caller.principal, action, key, context);
            let opened = allowed.and_then(|_| state.kms.unwrap_data_key(blob, context));
            opened.map_err(|refusal| error::kms(&refusal))
        }
    };
    let secrets = lock.keks().map(secret).collect::<S3Result<Vec<_>>>()?;
    Ok(lock.open(&secrets).expect("the secrets of its own lock"))
}

fn need_v4(caller: &Caller) -> S3Result<()> {
    if caller.v4 {
        return Ok(());
    }
    Err(error::invalid_argument(
        "Requests specifying Server Side Encryption with AWS KMS managed keys require AWS Signature Version 4.",
    ))
}

fn is_key(lock: &Lock, given: &CustomerKey) -> bool {
    lock.keks().all(|kek| kek.is_customer(&given.key))
}
