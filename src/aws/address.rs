//! Reads a URL: its host, and whether that is this machine or AWS.

/// The host in a URL, without its port.
pub(super) fn host_of(url: &str) -> Option<&str> {
    let rest = url.split_once("://")?.1;
    let authority = rest.split(['/', '?']).next()?;
    if let Some(v6) = authority.strip_prefix('[') {
        return v6.split(']').next();
    }
    authority.split(':').next()
}

/// Whether the host is an IP address or localhost, which cannot be prefixed with a bucket.
pub(super) fn is_address(url: &str) -> bool {
    host_of(url).is_some_and(|host| host.parse::<std::net::IpAddr>().is_ok() || host == "localhost")
}

/// Whether the host is this machine.
pub(super) fn is_loopback(url: &str) -> bool {
    host_of(url).is_some_and(|host| {
        host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    })
}

/// Whether a host is AWS's own.
pub(super) fn is_aws(host: &str) -> bool {
    [".amazonaws.com", ".amazonaws.com.cn", ".amazonaws.eu", ".api.aws"]
        .iter()
        .any(|domain| host.ends_with(domain))
}
