//! Whose KMS keys an object may choose among: the flags of the verbs that open, said once.

use super::failure::Failure;
use crate::encryption::{Account, KmsKey};

/// Discovery of KMS keys.
#[derive(clap::Args)]
pub(crate) struct DiscoveryArgs {
    /// Let each object choose its KMS key, within --kms-account or the key ARNs given
    #[arg(long)]
    kms_discovery: bool,

    /// An account whose KMS keys an object may choose; repeatable
    #[arg(long, value_name = "ACCOUNT", requires = "kms_discovery")]
    kms_account: Vec<Account>,
}

impl DiscoveryArgs {
    /// Whether objects may choose.
    #[must_use]
    pub(crate) fn is_on(&self) -> bool {
        self.kms_discovery
    }

    /// Returns the accounts; `keys` are those that `flag` names.
    ///
    /// # Errors
    /// A usage failure where nothing bounds the choice: any account's owner could then make objects that open.
    pub(crate) fn accounts(&self, keys: &[KmsKey], flag: &str) -> Result<Vec<Account>, Failure> {
        let are_arns = !keys.is_empty() && keys.iter().all(|key| key.arn().is_some());
        if self.kms_discovery && self.kms_account.is_empty() && !are_arns {
            return Err(Failure::usage(
                "--kms-discovery alone would open what any key of any AWS account has sealed",
            )
            .hint(format!("add --kms-account ACCOUNT, or the key's ARN: {flag} ARN")));
        }
        Ok(self.kms_account.clone())
    }
}
