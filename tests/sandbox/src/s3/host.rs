//! Where a request names its bucket: in the path, or in front of `localhost` in the host.
//!
//! An address cannot carry a bucket, so `127.0.0.1` always means the path; the certificate covers both. `NAME-ACCOUNT` in
//! front of any domain is an access point of that account, and here it has the name of its bucket.
//!
//! What does not belong here: which operation a request is.

use s3s::S3Result;
use s3s::host::{S3Host, VirtualHost};

/// The part of a host that stands behind a bucket.
const DOMAIN: &str = "localhost";

/// The bucket in a `Host` header, if there is one.
pub fn bucket(host: &str) -> Option<&str> {
    let name = host.rsplit_once(':').map_or(host, |(name, _port)| name);
    access_point(host).or_else(|| name.strip_suffix(DOMAIN)?.strip_suffix('.'))
}

/// The access point in a `Host` header, if there is one.
pub fn access_point(host: &str) -> Option<&str> {
    let (label, _domain) = host.split_once('.')?;
    let (name, account) = label.rsplit_once('-')?;
    let is_account = account.len() == 12 && account.bytes().all(|digit| digit.is_ascii_digit());
    is_account.then_some(name)
}

/// Tells the protocol crate.
pub struct Loopback;

impl S3Host for Loopback {
    fn parse_host_header<'a>(&'a self, host: &'a str) -> S3Result<VirtualHost<'a>> {
        Ok(match bucket(host) {
            Some(bucket) => VirtualHost::new(DOMAIN).with_bucket(bucket),
            None => VirtualHost::new(host),
        })
    }
}
