//! The profile of the AWS configuration files, and the credentials of one that the command line names.
//!
//! The SDK prefers access keys from the environment to any profile, even if the command line names one: objects could
//! then be written with another account's keys. `--profile` wins here, as in the AWS CLI; `AWS_PROFILE` keeps the SDK's
//! order.

use aws_config::SdkConfig;
use aws_config::ecs::EcsCredentialsProvider;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileSet};
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_runtime::env_config::file::EnvConfigFiles;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_types::os_shim_internal::{Env, Fs};

use crate::error::{Denial, Error, Result, Subject};

/// The profile where none is named, which need not exist.
const DEFAULT: &str = "default";

/// The files, each with the variable that names another place for it.
const FILES: [(&str, &str); 2] =
    [("AWS_CONFIG_FILE", "~/.aws/config"), ("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials")];

/// The profile that `AWS_PROFILE` names; if it is set and empty, the default one.
pub(super) fn of_environment() -> Option<String> {
    let name = std::env::var("AWS_PROFILE").ok()?;
    Some(if name.is_empty() { DEFAULT.to_owned() } else { name })
}

/// Reads the configuration files; `named` is the profile that the command line or the environment names.
///
/// # Errors
/// `Denied` if the profile does not exist; `Unsupported` for files that cannot be read, if one is named.
pub(super) async fn load(named: Option<&str>) -> Result<ProfileSet> {
    let files = EnvConfigFiles::default();
    let selected = named.map(|name| name.to_owned().into());
    let loaded = aws_config::profile::load(&Fs::real(), &Env::real(), &files, selected).await;
    // Without a named profile, errors in the files are reported when a setting is read.
    let Some(name) = named else { return Ok(loaded.unwrap_or_default()) };
    let profiles = loaded.map_err(|error| Error::unsupported(Subject::other(places()), error.to_string()))?;
    if name != DEFAULT && profiles.get_profile(name).is_none() {
        let why = Denial::NoProfile { files: places() };
        return Err(Error::Denied { subject: Subject::Profile(name.to_owned()), why, source: None });
    }
    Ok(profiles)
}

/// The names of all profiles; none where the files cannot be read.
pub(super) async fn names() -> Vec<String> {
    let loaded = aws_config::profile::load(&Fs::real(), &Env::real(), &EnvConfigFiles::default(), None).await;
    loaded.map(|profiles| profiles.profiles().map(str::to_owned).collect()).unwrap_or_default()
}

fn places() -> String {
    FILES
        .map(|(variable, usual)| {
            std::env::var(variable).ok().filter(|path| !path.is_empty()).unwrap_or_else(|| usual.to_owned())
        })
        .join(" and ")
}

/// The provider of a profile's credentials: the profile, or the instance if the profile has none. Never the
/// environment.
pub(super) fn credentials(
    name: &str,
    shared: &SdkConfig,
    http: SharedHttpClient,
) -> SharedCredentialsProvider {
    let config = ProviderConfig::without_region()
        .with_behavior_version(shared.behavior_version())
        .with_http_client(http)
        .with_region(shared.region().cloned())
        .with_use_fips(shared.use_fips())
        .with_use_dual_stack(shared.use_dual_stack());
    let profile = ProfileFileCredentialsProvider::builder().configure(&config).profile_name(name).build();
    let container = EcsCredentialsProvider::builder().configure(&config).build();
    let instance = ImdsCredentialsProvider::builder().configure(&config).build();
    let chain = CredentialsProviderChain::first_try("Profile", profile)
        .or_else("EcsContainer", container)
        .or_else("Ec2InstanceMetadata", instance);
    SharedCredentialsProvider::new(chain)
}
