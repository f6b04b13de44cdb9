//! Hints for a missing or wrong key: the flag that takes the right one.
//!
//! Flags of decryption keys begin with `--`, or with `--from-` in a rotation, which takes old and new keys.

use crate::cli::aws_flags::AwsFlags;
use crate::cli::sanitize::shell_word;
use crate::error::{KeyFault, KeyNeed, Subject, WrapKind};

const SHOW: &str = "`s3seal keygen --show FILE` prints the fingerprint of a key file";

pub(super) fn needed(need: &KeyNeed, p: &str) -> Vec<String> {
    let flag = match need {
        KeyNeed::Customer => format!("pass the key it was stored with: {p}sse-c-key SOURCE"),
        KeyNeed::Wrapping { kind, fingerprint } => {
            let named = match fingerprint {
                Some(print) => format!(" (fingerprint {print})"),
                None => String::new(),
            };
            match kind {
                WrapKind::Aes => format!("pass the AES key{named}: {p}key SOURCE"),
                WrapKind::Rsa => format!("pass the RSA private key{named}: {p}private-key SOURCE"),
                WrapKind::Kms => {
                    format!(
                        "name the KMS key it was encrypted with; the object does not choose it: {p}kms-key KEY"
                    )
                }
                WrapKind::Passphrase => {
                    format!("pass the passphrase: {p}passphrase, or {p}passphrase=SOURCE")
                }
            }
        }
    };
    let is_named = matches!(need, KeyNeed::Wrapping { fingerprint: Some(_), .. });
    [Some(flag), is_named.then(|| SHOW.to_owned())].into_iter().flatten().collect()
}

pub(super) fn wrong(subject: &Subject, why: &KeyFault, p: &str, aws: &AwsFlags) -> Vec<String> {
    match why {
        KeyFault::NotTheCustomerKey => {
            vec![format!("pass the key it was stored with: {p}sse-c-key SOURCE (repeat it to try several)")]
        }
        KeyFault::NoneFits { .. } => {
            vec![format!(
                "add the key it was encrypted with: another {p}key, {p}sse-c-key, {p}private-key or {p}passphrase=SOURCE"
            )]
        }
        KeyFault::DoesNotUnwrap { fingerprint: Some(print) } => vec![
            format!("pass the key with fingerprint {print}: {p}key or {p}private-key SOURCE"),
            SHOW.to_owned(),
        ],
        KeyFault::DoesNotUnwrap { fingerprint: None } => vec![format!(
            "pass the right key: {p}key, {p}private-key or {p}passphrase=SOURCE, or {p}kms-key KEY (repeat it to try several)"
        )],
        KeyFault::DoesNotUnwrapWithOaep => vec![
            format!("pass the right key: {p}private-key SOURCE (repeat it to try several)"),
            "--allow-legacy unauthenticated tries RSA PKCS #1 v1.5 too".to_owned(),
        ],
        KeyFault::NotApplicable { .. } => vec![format!("{subject} opens without it: leave out the key")],
        KeyFault::KmsDisabled { key } => {
            vec![format!("`aws kms enable-key --key-id {}{}` enables it", shell_word(key), aws.kms)]
        }
        KeyFault::KmsPendingDeletion { key } => {
            let (key, aws) = (shell_word(key), &aws.kms);
            vec![
                format!("`aws kms cancel-key-deletion --key-id {key}{aws}` keeps it"),
                format!("`aws kms enable-key --key-id {key}{aws}` then enables it"),
            ]
        }
        KeyFault::KmsPendingImport { key } => vec![format!(
            "`aws kms get-parameters-for-import --key-id {}{} --wrapping-algorithm RSAES_OAEP_SHA_256 \
             --wrapping-key-spec RSA_4096` begins the import of its material",
            shell_word(key),
            aws.kms
        )],
        KeyFault::KmsUnknown { .. } => vec![
            "check --kms-key and --region: the key must be in the bucket's region".to_owned(),
            "an id or alias/NAME is looked up in your own account; name another account's key by its ARN"
                .to_owned(),
        ],
        KeyFault::CostlyPassphrase { asked, .. } => vec![format!(
            "if you trust who stored it and this machine has the memory: --max-kdf-memory {}MiB",
            asked.div_ceil(1 << 20)
        )],
        KeyFault::KmsAccount { key } => {
            vec![format!("add --kms-account {} if you trust that account", key.account())]
        }
        KeyFault::Context => vec![format!("give the pairs it was encrypted with: {p}context KEY=VALUE")],
    }
}
