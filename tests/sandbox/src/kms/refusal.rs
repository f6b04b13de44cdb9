//! The refusals of KMS, with its exception names and its texts.
//!
//! They are values, not messages, because S3 wraps the same refusal in another code (`KMS.DisabledException`).

/// Why KMS said no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KmsRefusal {
    /// No such key or alias; `NotFoundException`.
    NotFound {
        /// KMS's text: `Invalid keyId 'x'`, `Key 'arn…' does not exist`, `Alias arn… is not found.`
        text: String,
    },
    /// The key is disabled; `DisabledException`.
    Disabled {
        /// The key.
        arn: String,
    },
    /// The key waits for its deletion; `KMSInvalidStateException`.
    PendingDeletion {
        /// The key.
        arn: String,
    },
    /// The key waits for its material; `KMSInvalidStateException`.
    PendingImport {
        /// The key.
        arn: String,
    },
    /// A policy does not allow it; `AccessDeniedException`.
    Denied {
        /// What was asked, such as `kms:Decrypt`.
        action: &'static str,
        /// The key.
        arn: String,
        /// Who asked.
        principal: String,
        /// AWS's reason.
        reason: String,
    },
    /// The key's ARN names another region; `NotFoundException`.
    BadRegion {
        /// KMS's text: `Invalid arn us-west-2`.
        text: String,
    },
    /// The ciphertext, its key or its context does not fit; `InvalidCiphertextException`, without a text.
    InvalidCiphertext,
}

impl KmsRefusal {
    /// The exception's name, as in KMS's `__type` and, after `KMS.`, in S3's code.
    #[must_use]
    pub fn exception(&self) -> &'static str {
        match self {
            Self::NotFound { .. } | Self::BadRegion { .. } => "NotFoundException",
            Self::Disabled { .. } => "DisabledException",
            Self::PendingDeletion { .. } | Self::PendingImport { .. } => "KMSInvalidStateException",
            Self::Denied { .. } => "AccessDeniedException",
            Self::InvalidCiphertext => "InvalidCiphertextException",
        }
    }

    /// The message, as KMS and S3 both give it; empty where KMS gives none.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::NotFound { text } | Self::BadRegion { text } => text.clone(),
            Self::Disabled { arn } => format!("{arn} is disabled."),
            Self::PendingDeletion { arn } => format!("{arn} is pending deletion."),
            Self::PendingImport { arn } => format!("{arn} is pending import."),
            Self::Denied { action, arn, principal, reason } => {
                format!(
                    "User: {principal} is not authorized to perform: {action} on resource: {arn} {reason}"
                )
            }
            Self::InvalidCiphertext => String::new(),
        }
    }
}
