//! The ceiling: the AWS SDK in a bare loop, without sums, formats, checks or retries of its own.
//!
//! `sdk_loop put|get BUCKET KEY FILE`, led by the environment (AWS_CA_BUNDLE too). What a tool does beyond this is
//! what it costs; `run` compares. Nothing here is a model of how to move data that matters.

#![allow(clippy::unwrap_used, reason = "a program for people who measure")]

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use aws_config::{BehaviorVersion, Region};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{RequestChecksumCalculation, ResponseChecksumValidation};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use futures_util::{StreamExt, TryStreamExt, stream};

/// Bytes of a request, and requests at once: s3seal's own defaults.
const PART: u64 = 8 << 20;
const JOBS: usize = 8;

#[derive(Clone)]
struct Place {
    client: Client,
    bucket: String,
    key: String,
    file: Arc<File>,
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [verb, bucket, key, path] = &arguments[..] else { panic!("sdk_loop put|get BUCKET KEY FILE") };
    let file = if verb == "put" { File::open(path) } else { File::create(path) };
    let file = Arc::new(file.unwrap());
    let place = Place { client: client().await, bucket: bucket.clone(), key: key.clone(), file };
    if verb == "put" { put(place).await } else { get(place).await }
}

async fn client() -> Client {
    let mut tls = TlsContext::builder();
    if let Ok(path) = std::env::var("AWS_CA_BUNDLE") {
        let pem = std::fs::read(path).unwrap();
        tls = tls.with_trust_store(TrustStore::empty().with_pem_certificate(pem));
    }
    let http = Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
        .tls_context(tls.build().unwrap())
        .build_https();
    let shared = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http)
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
        .load()
        .await;
    let region = shared.region().cloned().unwrap_or(Region::new("us-east-1"));
    let config = aws_sdk_s3::config::Builder::from(&shared).region(region).force_path_style(true);
    Client::from_conf(config.build())
}

fn ranges(len: u64) -> impl Iterator<Item = (u64, u64)> {
    (0..len.div_ceil(PART).max(1)).map(move |index| (index * PART, len.min((index + 1) * PART)))
}

async fn put(place: Place) {
    let Place { client, bucket, key, file } = &place;
    let len = file.metadata().unwrap().len();
    let started = client.create_multipart_upload().bucket(bucket).key(key).send().await.unwrap();
    let id = started.upload_id().unwrap();
    let mut parts: Vec<CompletedPart> = stream::iter(ranges(len).zip(1..))
        .map(|((from, to), number)| async move {
            let file = file.clone();
            let bytes = tokio::task::spawn_blocking(move || {
                let mut bytes = vec![0; usize::try_from(to - from).unwrap()];
                file.read_exact_at(&mut bytes, from).unwrap();
                bytes
            });
            let request = client.upload_part().bucket(bucket).key(key).upload_id(id).part_number(number);
            let request = request.body(ByteStream::from(bytes.await.unwrap()));
            let answer = request.customize().disable_payload_signing().send().await?;
            let tag = answer.e_tag().map(str::to_owned);
            Ok::<_, aws_sdk_s3::Error>(CompletedPart::builder().part_number(number).set_e_tag(tag).build())
        })
        .buffer_unordered(JOBS)
        .try_collect()
        .await
        .unwrap();
    parts.sort_by_key(CompletedPart::part_number);
    let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
    let request = client.complete_multipart_upload().bucket(bucket).key(key).upload_id(id);
    request.multipart_upload(parts).send().await.unwrap();
}

async fn get(place: Place) {
    let Place { client, bucket, key, file } = &place;
    let head = client.head_object().bucket(bucket).key(key).send().await.unwrap();
    let len = head.content_length().unwrap().unsigned_abs();
    stream::iter(ranges(len))
        .map(|(from, to)| async move {
            let range = format!("bytes={from}-{}", to - 1);
            let answer = client.get_object().bucket(bucket).key(key).range(range).send().await?;
            let mut chunks = Vec::new();
            let mut body = answer.body;
            while let Some(chunk) = body.try_next().await.unwrap() {
                chunks.push(chunk);
            }
            let file = file.clone();
            let written = tokio::task::spawn_blocking(move || {
                let mut at = from;
                for chunk in chunks {
                    file.write_all_at(&chunk, at).unwrap();
                    at += chunk.len() as u64;
                }
            });
            written.await.unwrap();
            Ok::<_, aws_sdk_s3::Error>(())
        })
        .buffer_unordered(JOBS)
        .try_collect::<()>()
        .await
        .unwrap();
}
