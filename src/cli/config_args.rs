//! The flags about configuration files, the same for every verb.

/// What the command line says about configuration files.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Configuration")]
pub(crate) struct ConfigArgs {
    /// Take flags from [profile.NAME] of the configuration files; see s3seal-config(7)
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) config_profile: Option<String>,

    /// Set aside what rules demand (must-encrypt, kms-keys, expected-bucket-owner); the outcome says so
    #[arg(long, global = true)]
    pub(crate) override_rules: bool,
}
