//! The documents of `doctor`.

use serde::Serialize;

/// Something that `doctor` looked at.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct CheckDocument {
    /// What was looked at, such as `credentials` or `default_encryption`.
    pub(crate) check: &'static str,
    /// How it stands.
    pub(crate) state: CheckState,
    /// What was seen.
    pub(crate) seen: String,
    /// What lies behind it, the nearest first.
    pub(crate) causes: Vec<String>,
    /// What mends it: commands, policy statements, advice.
    pub(crate) remedies: Vec<String>,
    /// The exit code that the verb would end with; null unless it failed.
    pub(crate) exit_code: Option<u8>,
}

/// How something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(crate) enum CheckState {
    /// As it should be.
    Ok,
    /// The verb works in spite of it, or it is not known.
    Warning,
    /// The verb will not work.
    Failed,
}

/// The sum of all checks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct DoctorSummary {
    /// What is as it should be.
    pub(crate) ok: u64,
    /// What the verb works in spite of, or what is not known.
    pub(crate) warnings: u64,
    /// What the verb will not work with.
    pub(crate) failed: u64,
}
