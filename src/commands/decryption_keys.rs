//! The keys of all modes that the user gave for decryption.

use std::sync::Arc;

use crate::encryption::{Account, Context, KmsKey, Legacy};
use crate::keys::CustomerKey;
use crate::object::InstructionSuffix;
use crate::seal::ring::Unwrapper;

/// Keys, and the conditions for decrypting an object with them.
#[derive(Clone, Default)]
pub(crate) struct DecryptionKeys {
    /// SSE-C keys, sent to S3 only if it answers that the object needs one.
    pub(crate) customer_keys: Arc<[CustomerKey]>,
    /// Local keys for client-side envelopes; they never leave the process.
    pub(crate) unwrapper: Arc<Unwrapper>,
    /// KMS keys that may be used for decryption; an object alone must not choose one.
    pub(crate) kms_keys: Vec<KmsKey>,
    /// AWS accounts from whose KMS keys an object may choose.
    pub(crate) kms_accounts: Vec<Account>,
    /// The encryption context that the object must have.
    pub(crate) context: Context,
    /// Which outdated algorithms are allowed.
    pub(crate) legacy: Legacy,
    /// The suffix of the instruction file, if it is not the default one.
    pub(crate) suffix: Option<InstructionSuffix>,
    /// Whether an object's encryption context must contain its name.
    pub(crate) require_bound_name: bool,
}

impl DecryptionKeys {
    /// A copy without the SSE-C keys.
    pub(crate) fn client_side(&self) -> Self {
        Self { customer_keys: Arc::default(), ..self.clone() }
    }

    pub(crate) fn has_keys(&self) -> bool {
        !self.customer_keys.is_empty() || !self.opens_nothing_client_side()
    }

    pub(crate) fn opens_nothing_client_side(&self) -> bool {
        self.unwrapper.ring().is_empty() && self.kms_keys.is_empty() && self.kms_accounts.is_empty()
    }
}
