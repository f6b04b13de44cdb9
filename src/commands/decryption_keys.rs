//! The keys of all modes that the user gave for decryption.

use std::sync::Arc;

use crate::aws::sse::Applied;
use crate::encryption::{Account, Context, Encryption, KmsKey, Legacy, Recipient, ServerSide};
use crate::error::{Error, KeyFault, Subject};
use crate::keys::{CustomerKey, KeyRing, RsaPrivateKey};
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
    /// Local keys alone, under no conditions.
    pub(crate) fn local(customer: Vec<CustomerKey>, ring: KeyRing) -> Self {
        Self { customer_keys: customer.into(), unwrapper: Arc::new(Unwrapper::new(ring)), ..Self::default() }
    }

    /// The keys that open what is encrypted so, with further private keys: a public key opens nothing.
    pub(crate) fn of(encryption: Option<&Encryption>, private: Vec<RsaPrivateKey>) -> Self {
        let mut keys = Self::default();
        let mut ring = KeyRing { private, ..KeyRing::default() };
        match encryption {
            Some(Encryption::Server(ServerSide::SseC(key))) => keys.customer_keys = [key.again()].into(),
            Some(Encryption::Server(_)) | None => {}
            Some(Encryption::Client(client)) => {
                for recipient in &client.recipients {
                    match recipient {
                        Recipient::Aes(key) => ring.symmetric.push(key.again()),
                        Recipient::Passphrase(passphrase, _) => ring.passphrases.push(passphrase.again()),
                        Recipient::Kms(key) => keys.kms_keys.push(key.clone()),
                        Recipient::Rsa(_) => {}
                    }
                }
            }
        }
        keys.unwrapper = Arc::new(Unwrapper::new(ring));
        keys
    }

    /// A copy without the SSE-C keys.
    pub(crate) fn client_side(&self) -> Self {
        Self { customer_keys: Arc::default(), ..self.clone() }
    }

    pub(crate) fn has_keys(&self) -> bool {
        !self.customer_keys.is_empty() || !self.opens_nothing_client_side()
    }

    /// The error for an object that needs none of the keys.
    pub(crate) fn not_applicable(&self, object: Subject, found: &Applied) -> Error {
        let not = match (self.customer_keys.is_empty(), self.opens_nothing_client_side()) {
            (true, _) => "not client-side",
            (false, true) => "not with SSE-C",
            (false, false) => "neither with SSE-C nor client-side",
        };
        let why = KeyFault::NotApplicable { found: format!("stored with {}, {not}", found.mode) };
        Error::KeyWrong { subject: object, why, source: None }
    }

    pub(crate) fn opens_nothing_client_side(&self) -> bool {
        self.unwrapper.ring().is_empty() && self.kms_keys.is_empty() && self.kms_accounts.is_empty()
    }
}
