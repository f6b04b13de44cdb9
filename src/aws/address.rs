//! Reads a URL as the HTTP client does: its host, whether that is this machine or AWS, and whether TLS protects what is sent.

use std::net::IpAddr;

use hyper::Uri;
use hyper::http::uri::Scheme;

/// The host in a URL, without its port; of an IPv6 address without the brackets.
pub(super) fn host_of(url: &str) -> Option<String> {
    let uri: Uri = url.parse().ok()?;
    uri.host().map(|host| host.trim_matches(['[', ']']).to_owned())
}

/// The host with the port that the URL names.
pub(super) fn authority_of(url: &str) -> Option<String> {
    server(&url.parse().ok()?)
}

/// The same of a URL that is read.
pub(super) fn server(uri: &Uri) -> Option<String> {
    let host = uri.host()?;
    Some(uri.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

/// Whether the URL is an https one.
pub(super) fn is_https(url: &str) -> bool {
    url.parse().is_ok_and(|uri: Uri| uri.scheme() == Some(&Scheme::HTTPS))
}

/// Whether the URL can be the address of a service: http or https and a host, without a query or a fragment.
pub(crate) fn is_endpoint(url: &str) -> bool {
    let is_one = |uri: Uri| {
        let scheme = uri.scheme().is_some_and(|scheme| [Scheme::HTTP, Scheme::HTTPS].contains(scheme));
        scheme && uri.host().is_some_and(|host| !host.is_empty()) && uri.query().is_none()
    };
    !url.contains('#') && url.parse().is_ok_and(is_one)
}

/// Whether the host is an IP address or localhost, which cannot be prefixed with a bucket.
pub(super) fn is_address(url: &str) -> bool {
    host_of(url).is_some_and(|host| host.parse::<IpAddr>().is_ok() || host == "localhost")
}

/// Whether the host is this machine.
pub(super) fn is_loopback(url: &str) -> bool {
    host_of(url).is_some_and(|host| {
        host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    })
}

/// Whether a host is AWS's own.
pub(super) fn is_aws(host: &str) -> bool {
    [".amazonaws.com", ".amazonaws.com.cn", ".amazonaws.eu", ".api.aws"]
        .iter()
        .any(|domain| host.ends_with(domain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_read_as_the_client_reads_it() {
        for (url, host, authority, https) in [
            ("https://s3.example/b/k", "s3.example", "s3.example", true),
            ("HTTPS://s3.example:9000?uploads", "s3.example", "s3.example:9000", true),
            ("http://[::1]:9000/b", "::1", "[::1]:9000", false),
            ("http://localhost:80@other.example/b", "other.example", "other.example", false),
            ("http://127.0.0.1@other.example:9/b", "other.example", "other.example:9", false),
        ] {
            assert_eq!(host_of(url).as_deref(), Some(host), "{url}");
            assert_eq!(authority_of(url).as_deref(), Some(authority), "{url}");
            assert_eq!(is_https(url), https, "{url}");
        }
        for url in ["", "s3.example", "/b/k", "https://", "https:// s3.example"] {
            assert!(!is_https(url) && !is_loopback(url) && !is_address(url), "{url:?}");
            assert!(!is_endpoint(url), "{url:?}");
        }
    }

    #[test]
    fn the_address_of_a_service_has_a_host_and_neither_query_nor_fragment() {
        for url in
            ["https://s3.example", "http://127.0.0.1:9000/", "https://[::1]:9000/s3", "HTTPS://s3.example"]
        {
            assert!(is_endpoint(url), "{url:?}");
        }
        for url in ["localhost:9000", "ftp://s3.example", "https://s3.example?a", "https://s3.example/#a"] {
            assert!(!is_endpoint(url), "{url:?}");
        }
    }
}
