//! What an address says of itself: its host, and whether that is this machine or AWS.

/// The host in a URL, without its port.
pub(super) fn host_of(url: &str) -> Option<&str> {
    let rest = url.split_once("://")?.1;
    let authority = rest.split(['/', '?']).next()?;
    if let Some(v6) = authority.strip_prefix('[') {
        return v6.split(']').next();
    }
    authority.split(':').next()
}

/// Whether an address is an IP or this machine's name: a bucket cannot stand in front of it.
pub(super) fn is_address(url: &str) -> bool {
    host_of(url).is_some_and(|host| host.parse::<std::net::IpAddr>().is_ok() || host == "localhost")
}

/// Whether an address is on this machine.
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
