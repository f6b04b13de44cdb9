//! Endpoints that replace those of AWS, for each service: from the flag, the environment and the profile, in the order of
//! the AWS tools.
//!
//! KMS sees data keys. A URL that is meant for an object store must not be used for KMS too, or the store could read
//! everything: a URL for all services applies to KMS only if it is on this machine. STS sees a signature and no secret.
//! Source: "Service-specific endpoints", AWS SDKs and Tools Reference Guide.

use aws_config::profile::ProfileSet;
use aws_runtime::env_config::property::PropertiesKey;

use crate::aws::address::{is_endpoint, is_https, is_loopback};
use crate::aws::options::Options;
use crate::error::{Error, Result, Subject, Unsupported};

/// The variable that names the address of S3 Control.
pub(crate) const CONTROL: &str = "AWS_ENDPOINT_URL_S3_CONTROL";

/// The addresses that are not AWS's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Endpoints {
    pub(super) s3: Option<String>,
    pub(super) kms: Option<String>,
    pub(super) control: Option<String>,
    pub(super) sts: Option<String>,
}

/// A service's name in each source of settings.
struct Service {
    variable: &'static str,
    in_profile: &'static str,
}

const S3: Service = Service { variable: "AWS_ENDPOINT_URL_S3", in_profile: "s3" };
const KMS: Service = Service { variable: "AWS_ENDPOINT_URL_KMS", in_profile: "kms" };
const STS: Service = Service { variable: "AWS_ENDPOINT_URL_STS", in_profile: "sts" };
const S3_CONTROL: Service = Service { variable: CONTROL, in_profile: "s3-control" };

/// Whether an address is one service's own, or was set for all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    Service,
    All,
}

impl Endpoints {
    /// Finds all endpoints; `env` reads the environment.
    ///
    /// # Errors
    /// `Unsupported` for an address, not of the command line, that is no URL of a server.
    pub(super) fn find(
        options: &Options,
        profile: &ProfileSet,
        env: impl Fn(&str) -> Option<String>,
    ) -> Result<Self> {
        let settings = Settings { profile, env };
        let s3 = || settings.first(&S3, |_, _| true);
        let kms = || settings.first(&KMS, |scope, url| scope == Scope::Service || is_loopback(url));
        Ok(Self {
            s3: options.endpoint_url.as_deref().map_or_else(s3, |url| Ok(Some(with_slash(url))))?,
            kms: options.kms_endpoint_url.as_deref().map_or_else(kms, |url| Ok(Some(with_slash(url))))?,
            // S3 Control is a service of its own, in AWS too.
            control: settings.first(&S3_CONTROL, |scope, _| scope == Scope::Service)?,
            sts: settings.first(&STS, |_, _| true)?,
        })
    }

    /// Fails where a kind of endpoint of AWS is asked for, and S3 has an address of its own.
    ///
    /// # Errors
    /// `Unsupported`, with the address.
    pub(super) fn require_none_for(&self, kind: &str) -> Result<()> {
        match &self.s3 {
            Some(url) => {
                let why = format!("an endpoint that is named cannot be combined with {kind} endpoints");
                Err(Error::unsupported(Subject::Other(url.clone().into()), why))
            }
            None => Ok(()),
        }
    }

    /// Fails where a service is reached over http, which has no key exchange.
    ///
    /// # Errors
    /// `Unsupported`, with the address.
    pub(super) fn require_https(&self) -> Result<()> {
        let all = [&self.s3, &self.kms, &self.control, &self.sts];
        match all.into_iter().flatten().find(|url| !is_https(url)) {
            Some(url) => {
                let why = "http has no key exchange, and a post-quantum one is required";
                Err(Error::unsupported(Subject::Other(url.clone().into()), why))
            }
            None => Ok(()),
        }
    }
}

/// Settings other than flags.
struct Settings<'a, E> {
    profile: &'a ProfileSet,
    env: E,
}

impl<E: Fn(&str) -> Option<String>> Settings<'_, E> {
    /// The first URL set for a service that `counts`.
    fn first(&self, service: &Service, counts: impl Fn(Scope, &str) -> bool) -> Result<Option<String>> {
        if self.are_ignored() {
            return Ok(None);
        }
        let (own, all) = (service.variable, "AWS_ENDPOINT_URL");
        let of_profile = "the profile's endpoint_url";
        let candidates = [
            (Scope::Service, own, self.variable(own)),
            (Scope::All, all, self.variable(all)),
            (Scope::Service, of_profile, self.of_services(service.in_profile)),
            (Scope::All, of_profile, self.profile.get("endpoint_url").map(str::to_owned)),
        ];
        let mut found = candidates.into_iter().filter_map(|(scope, name, url)| Some((scope, name, url?)));
        match found.find(|(scope, _, url)| counts(*scope, url)) {
            Some((_, name, url)) if !is_endpoint(&url) => {
                Err(Error::unsupported(Subject::other(name), Unsupported::NotAnEndpoint { url }))
            }
            found => Ok(found.map(|(.., url)| with_slash(&url))),
        }
    }

    fn are_ignored(&self) -> bool {
        let set = self.variable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
        let set = set.as_deref().or_else(|| self.profile.get("ignore_configured_endpoint_urls"));
        set.is_some_and(|word| word.eq_ignore_ascii_case("true"))
    }

    fn variable(&self, name: &str) -> Option<String> {
        (self.env)(name).filter(|value| !value.is_empty())
    }

    /// The address in the profile's `services` section.
    fn of_services(&self, service: &str) -> Option<String> {
        let key = PropertiesKey::builder()
            .section_key("services")
            .section_name(self.profile.get("services")?)
            .property_name(service)
            .sub_property_name("endpoint_url")
            .build();
        self.profile.other_sections().get(&key.ok()?).cloned()
    }
}

/// The URL with one slash at the end of its path, because the SDK appends the bucket's name.
fn with_slash(url: &str) -> String {
    let bare = url.trim_end_matches('/');
    let has_path = bare.split_once("://").is_some_and(|(_, rest)| rest.contains('/'));
    if has_path { format!("{bare}/") } else { bare.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(options: &Options, set: &[(&str, &str)]) -> Endpoints {
        let env = |name: &str| set.iter().find(|(set, _)| *set == name).map(|(_, url)| (*url).to_owned());
        Endpoints::find(options, &ProfileSet::default(), env).unwrap()
    }

    #[test]
    fn kms_does_not_go_where_s3_goes() {
        let flag = Options { endpoint_url: Some("https://store".to_owned()), ..Options::default() };
        let both = Options { kms_endpoint_url: Some("https://kms".to_owned()), ..flag.clone() };
        let all = |url| ("AWS_ENDPOINT_URL", url);
        let own = ("AWS_ENDPOINT_URL_KMS", "https://own");
        for (options, set, kms) in [
            (&flag, &[][..], None),
            (&both, &[own], Some("https://kms")),
            (&flag, &[own], Some("https://own")),
            (&flag, &[all("https://store")], None),
            (&flag, &[all("https://store"), own], Some("https://own")),
            (&flag, &[all("https://127.0.0.1:4566")], Some("https://127.0.0.1:4566")),
            (&flag, &[all("http://localhost:4566")], Some("http://localhost:4566")),
            (&flag, &[all("http://[::1]:4566")], Some("http://[::1]:4566")),
            (&flag, &[all("http://127.0.0.1.example")], None),
            (&flag, &[own, ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "TRUE")], None),
            (&flag, &[("AWS_ENDPOINT_URL_KMS", "")], None),
        ] {
            let found = find(options, set);
            assert_eq!(found.kms.as_deref(), kms, "{set:?}");
            assert_eq!(found.s3.as_deref(), Some("https://store"), "{set:?}");
        }
    }

    #[test]
    fn a_service_s_own_address_wins_over_that_of_all() {
        let all = ("AWS_ENDPOINT_URL", "https://all");
        let found = find(&Options::default(), &[all, ("AWS_ENDPOINT_URL_S3", "https://own")]);
        assert_eq!(found.s3.as_deref(), Some("https://own"));
        let found = find(&Options::default(), &[all, (CONTROL, "https://control")]);
        assert_eq!(
            found,
            Endpoints {
                s3: Some("https://all".to_owned()),
                kms: None,
                control: Some("https://control".to_owned()),
                sts: Some("https://all".to_owned()),
            }
        );
        assert_eq!(find(&Options::default(), &[all]).control, None);
    }

    #[test]
    fn a_path_ends_in_one_slash() {
        for (url, expected) in [
            ("https://host", "https://host"),
            ("https://host/", "https://host"),
            ("https://host:9000/s3", "https://host:9000/s3/"),
            ("https://host/s3/", "https://host/s3/"),
            ("https://host/a/b//", "https://host/a/b/"),
        ] {
            assert_eq!(with_slash(url), expected);
        }
    }
}
