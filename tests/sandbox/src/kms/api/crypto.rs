//! The operations that encrypt and decrypt, and their dry runs.
//!
//! A dry run goes as far as the operation would and stops before its result: "`DryRunOperationException` ‐ The request would
//! have succeeded if `DryRun` was not specified" ("Testing your permissions", AWS KMS developer guide). It counts as no
//! use of the key.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Call, Failure, from_base64, invalid, missing, to_base64};
use crate::kms::{Context, KmsAction, KmsKeyArn, Requester, sealing};

/// The longest plaintext that KMS encrypts itself.
const MAX_PLAINTEXT: usize = 4096;
/// The longest data key that KMS makes.
const MAX_DATA_KEY: usize = 1024;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GenerateDataKey {
    key_id: String,
    key_spec: Option<String>,
    number_of_bytes: Option<usize>,
    #[serde(default)]
    encryption_context: Context,
    #[serde(flatten)]
    dry: Dry,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Encrypt {
    key_id: String,
    plaintext: String,
    #[serde(default)]
    encryption_context: Context,
    #[serde(flatten)]
    dry: Dry,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Decrypt {
    ciphertext_blob: Option<String>,
    key_id: Option<String>,
    #[serde(default)]
    encryption_context: Context,
    #[serde(flatten)]
    dry: Dry,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ReEncrypt {
    ciphertext_blob: Option<String>,
    source_key_id: Option<String>,
    destination_key_id: String,
    #[serde(default)]
    source_encryption_context: Context,
    #[serde(default)]
    destination_encryption_context: Context,
    #[serde(flatten)]
    dry: Dry,
}

/// What a request says of a dry run.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Dry {
    #[serde(default)]
    dry_run: Option<bool>,
    #[serde(default)]
    dry_run_modifiers: Vec<String>,
}

impl Dry {
    fn is_run(&self) -> bool {
        self.dry_run == Some(true)
    }

    fn requester(&self) -> Requester {
        if self.is_run() { Requester::DryRun } else { Requester::Client }
    }

    /// The ciphertext; none where a dry run asks for permissions only ("Decrypt", AWS KMS API reference).
    fn ciphertext(&self, blob: Option<&str>) -> Result<Option<Vec<u8>>, Failure> {
        let ignores = self.dry_run_modifiers.iter().any(|word| word == "IGNORE_CIPHERTEXT");
        match blob {
            _ if ignores && !self.is_run() => Err(invalid("DryRunModifiers needs DryRun.")),
            _ if ignores => Ok(None),
            Some(blob) => from_base64(blob).map(Some),
            None => Err(missing("ciphertextBlob")),
        }
    }

    /// Ends a dry run that has come so far.
    fn end(&self) -> Result<(), Failure> {
        if self.is_run() { Err(Failure::dry_run()) } else { Ok(()) }
    }
}

impl Call<'_> {
    pub(super) fn generate_data_key(&self, with_plaintext: bool) -> Result<Value, Failure> {
        let request: GenerateDataKey = self.request()?;
        let len = match (request.key_spec.as_deref(), request.number_of_bytes) {
            (Some("AES_256"), None) => 32,
            (Some("AES_128"), None) => 16,
            (None, Some(len @ 1..=MAX_DATA_KEY)) => len,
            (Some(spec), None) => return Err(one_of("keySpec", spec)),
            (None, Some(_)) => return Err(invalid("NumberOfBytes must be between 1 and 1024.")),
            (Some(_), Some(_)) | (None, None) => {
                return Err(invalid("Please specify either number of bytes or key spec."));
            }
        };
        let context = request.encryption_context;
        let arn = self.may(&request.dry, KmsAction::GenerateDataKey, &request.key_id, &context)?;
        request.dry.end()?;
        let mut data_key = vec![0; len];
        sealing::fill(&mut data_key);
        let mut answer =
            json!({ "KeyId": arn.0, "CiphertextBlob": to_base64(&self.seal(&arn, &context, &data_key)) });
        if with_plaintext {
            answer["Plaintext"] = json!(to_base64(&data_key));
        }
        Ok(answer)
    }

    pub(super) fn encrypt(&self) -> Result<Value, Failure> {
        let request: Encrypt = self.request()?;
        let plain = from_base64(&request.plaintext)?;
        if !(1..=MAX_PLAINTEXT).contains(&plain.len()) {
            return Err(invalid(
                "1 validation error detected: Value at 'plaintext' failed to satisfy constraint: Member must have \
                 length less than or equal to 4096 and greater than or equal to 1",
            ));
        }
        let context = request.encryption_context;
        let arn = self.may(&request.dry, KmsAction::Encrypt, &request.key_id, &context)?;
        request.dry.end()?;
        let blob = self.seal(&arn, &context, &plain);
        Ok(
            json!({ "KeyId": arn.0, "CiphertextBlob": to_base64(&blob), "EncryptionAlgorithm": "SYMMETRIC_DEFAULT" }),
        )
    }

    pub(super) fn decrypt(&self) -> Result<Value, Failure> {
        let request: Decrypt = self.request()?;
        let Decrypt { ciphertext_blob, key_id, encryption_context: context, dry } = request;
        let Some(blob) = dry.ciphertext(ciphertext_blob.as_deref())? else {
            let key = key_id.ok_or_else(|| missing("keyId"))?;
            self.may(&dry, KmsAction::Decrypt, &key, &context)?;
            return Err(Failure::dry_run());
        };
        let (arn, plain) = self.open(&dry, KmsAction::Decrypt, &blob, key_id.as_deref(), &context)?;
        dry.end()?;
        Ok(
            json!({ "KeyId": arn.0, "Plaintext": to_base64(&plain), "EncryptionAlgorithm": "SYMMETRIC_DEFAULT" }),
        )
    }

    pub(super) fn re_encrypt(&self) -> Result<Value, Failure> {
        let request: ReEncrypt = self.request()?;
        let (dry, source) = (&request.dry, request.source_key_id.as_deref());
        let context = &request.source_encryption_context;
        let opened = match dry.ciphertext(request.ciphertext_blob.as_deref())? {
            Some(blob) => Some(self.open(dry, KmsAction::ReEncrypt, &blob, source, context)?),
            None => {
                let source = source.ok_or_else(|| missing("sourceKeyId"))?;
                self.may(dry, KmsAction::ReEncrypt, source, context)?;
                None
            }
        };
        let context = request.destination_encryption_context;
        let arn = self.may(dry, KmsAction::ReEncrypt, &request.destination_key_id, &context)?;
        self.kms.may(self.principal, "kms:ReEncryptTo", &arn.0, dry.requester())?;
        dry.end()?;
        let (source, plain) = opened.ok_or_else(Failure::dry_run)?;
        let blob = self.seal(&arn, &context, &plain);
        Ok(json!({
            "KeyId": arn.0,
            "SourceKeyId": source.0,
            "CiphertextBlob": to_base64(&blob),
            "SourceEncryptionAlgorithm": "SYMMETRIC_DEFAULT",
            "DestinationEncryptionAlgorithm": "SYMMETRIC_DEFAULT",
        }))
    }

    fn may(&self, dry: &Dry, action: KmsAction, key: &str, context: &Context) -> Result<KmsKeyArn, Failure> {
        Ok(self.kms.allow(self.principal, action, Some(key), context, dry.requester())?)
    }

    fn seal(&self, arn: &KmsKeyArn, context: &Context, plain: &[u8]) -> Vec<u8> {
        let inner = self.kms.lock();
        let key = inner.keys.by_arn(&arn.0).expect("keys are not deleted while they are in use");
        sealing::seal(key, context, plain)
    }

    /// Decrypts a blob under the key that it names, which must be the one expected, if one is.
    fn open(
        &self,
        dry: &Dry,
        action: KmsAction,
        blob: &[u8],
        expected: Option<&str>,
        context: &Context,
    ) -> Result<(KmsKeyArn, Vec<u8>), Failure> {
        let named = {
            let mut inner = self.kms.lock();
            let expected = expected.map(|key| inner.keys.resolve(key)).transpose()?;
            let named = sealing::key_of(&inner.keys, blob)?.id.clone();
            if expected.is_some_and(|expected| expected != named) {
                return Err(Failure::new(
                    "IncorrectKeyException",
                    "The key ID in the request does not identify a CMK that can perform this operation.",
                ));
            }
            named
        };
        let arn = self.may(dry, action, &named, context)?;
        let inner = self.kms.lock();
        let (_, plain) = sealing::open(&inner.keys, blob, context)?;
        Ok((arn, plain))
    }
}

fn one_of(field: &str, value: &str) -> Failure {
    invalid(&format!(
        "1 validation error detected: Value '{value}' at '{field}' failed to satisfy constraint: Member must satisfy enum \
         value set: [AES_256, AES_128]"
    ))
}
