//! The identity of a rotation, which names its journal: the same command always has the same identity.
//!
//! The words are spelled out here, field by field, so that renaming a type does not orphan journals; a test pins them.
//! They contain no secret: keys are represented by their fingerprints, a passphrase not at all.

use std::collections::BTreeMap;

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::commands::encrypt::Wrapper;
use crate::encryption::{Context, Format, KmsKey};
use crate::location::S3Uri;
use crate::object::InstructionSuffix;

use super::desired_encryption::DesiredEncryption;
use super::filters::Filters;
use super::strategy::{AtRest, Desired};

/// A rotation in words.
#[derive(Serialize)]
pub(crate) struct Identity<'a> {
    /// The server; `None` for AWS.
    #[serde(skip_serializing_if = "Option::is_none")]
    endpoint: Option<&'a str>,
    places: Vec<String>,
    filter: Vec<String>,
    only: Vec<String>,
    all_versions: bool,
    version_id: Option<&'a str>,
    instruction_suffix: Option<&'a str>,
    target: TargetWords<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum TargetWords<'a> {
    Server(ServerWords<'a>),
    Client(ClientWords<'a>),
}

#[derive(Serialize)]
struct ServerWords<'a> {
    mode: &'static str,
    key: Option<&'a str>,
    context: Option<&'a BTreeMap<String, String>>,
    bucket_key: bool,
}

#[derive(Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "one for each switch of the command line")]
struct ClientWords<'a> {
    mode: &'static str,
    format: Option<&'static str>,
    keys: Vec<String>,
    context: &'a BTreeMap<String, String>,
    bind_name: bool,
    at_rest: Option<ServerWords<'a>>,
    instruction_file: bool,
    only_rewrap: bool,
    new_data_key: bool,
    share_to: Option<&'a str>,
}

impl<'a> Identity<'a> {
    /// Puts a rotation into words; `endpoint` is the server, unless it is AWS.
    pub(crate) fn new(
        endpoint: Option<&'a str>,
        places: &[S3Uri],
        chosen: &Filters,
        version_id: Option<&'a str>,
        instruction_suffix: Option<&'a InstructionSuffix>,
        target: &'a DesiredEncryption,
    ) -> Self {
        Self {
            endpoint,
            places: places.iter().map(ToString::to_string).collect(),
            filter: chosen.filter.in_words(),
            only: chosen.only.iter().map(ToString::to_string).collect(),
            all_versions: chosen.all_versions,
            version_id,
            instruction_suffix: instruction_suffix.map(InstructionSuffix::as_str),
            target: TargetWords::new(target),
        }
    }

    /// A short name, unique for the rotation.
    pub(crate) fn name(&self) -> String {
        hex::encode(&Sha256::digest(self.text())[..12])
    }

    fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl<'a> TargetWords<'a> {
    fn new(target: &'a DesiredEncryption) -> Self {
        let server = |at_rest| ServerWords::new(at_rest, target);
        match (&target.desired, target.client()) {
            (
                Desired::Client { at_rest, in_instruction_file, only_rewrap, new_data_key, .. },
                Some(client),
            ) => Self::Client(ClientWords {
                mode: "client",
                format: client.format.map(Format::as_str),
                keys: client.wrappers.iter().map(in_words).collect(),
                context: client.context.pairs(),
                bind_name: client.bind_name,
                at_rest: at_rest.as_ref().map(server),
                instruction_file: *in_instruction_file,
                only_rewrap: *only_rewrap,
                new_data_key: *new_data_key,
                share_to: target.share_to.as_ref().map(InstructionSuffix::as_str),
            }),
            (Desired::Server(at_rest) | Desired::Client { at_rest: Some(at_rest), .. }, _) => {
                Self::Server(server(at_rest))
            }
            (Desired::Client { .. }, None) => Self::Server(server(&AtRest::SseS3)),
        }
    }
}

impl<'a> ServerWords<'a> {
    fn new(at_rest: &'a AtRest, target: &'a DesiredEncryption) -> Self {
        let context = target.context().map(Context::pairs);
        let (mode, key, bucket_key) = match at_rest {
            AtRest::SseS3 => ("sse-s3", None, false),
            AtRest::SseKms { key, bucket_key, .. } => {
                ("sse-kms", key.as_ref().map(KmsKey::as_str), *bucket_key)
            }
            AtRest::DsseKms { key, .. } => ("dsse-kms", key.as_ref().map(KmsKey::as_str), false),
            AtRest::SseC { md5 } => ("sse-c", Some(md5.as_str()), false),
        };
        Self { mode, key, context, bucket_key }
    }
}

fn in_words(wrapper: &Wrapper) -> String {
    match wrapper {
        Wrapper::Kms(key) => format!("kms {key}"),
        Wrapper::Aes(key) => format!("aes {}", key.fingerprint()),
        Wrapper::Rsa(key) => format!("rsa {}", key.fingerprint()),
        // Nothing that depends on a passphrase may be stored.
        Wrapper::Passphrase(..) => "passphrase".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::encrypt::{ClientEncryptor, Encryptor};
    use crate::encryption::ServerSide;
    use crate::keys::SymmetricKey;
    use crate::pattern::{self, Filter};

    const ARN: &str = "arn:aws:kms:us-east-1:111122223333:key/a";

    fn context(name: &str) -> Context {
        Context::new([(name.to_owned(), "v".to_owned())]).unwrap()
    }

    fn kms() -> (ServerSide, AtRest) {
        let asked = ServerSide::SseKms {
            key: Some(ARN.parse().unwrap()),
            context: context("team"),
            bucket_key: true,
        };
        let desired =
            AtRest::SseKms { key: Some(ARN.parse().unwrap()), named: true, context: true, bucket_key: true };
        (asked, desired)
    }

    fn server() -> DesiredEncryption {
        let (asked, desired) = kms();
        DesiredEncryption {
            encrypts_unproven: false,
            encryptor: Encryptor::Server(Some(asked)),
            desired: Desired::Server(desired),
            share_to: None,
            decryption_keys: None,
        }
    }

    fn client() -> DesiredEncryption {
        let (asked, desired) = kms();
        DesiredEncryption {
            encrypts_unproven: false,
            encryptor: Encryptor::Client(ClientEncryptor {
                format: Some(Format::Esdk),
                wrappers: vec![
                    Wrapper::Aes(SymmetricKey::recognise(&[b'A'; 32]).unwrap()),
                    Wrapper::Kms("alias/x".parse().unwrap()),
                ],
                context: context("for"),
                bind_name: false,
                at_rest: Some(asked),
                instruction_file: false,
                frame_length: None,
                key_name: None,
            }),
            desired: Desired::Client {
                format: Some(Format::Esdk),
                at_rest: Some(desired),
                in_instruction_file: false,
                only_rewrap: false,
                new_data_key: true,
                bind_name: false,
                kms: true,
                share: false,
                encrypts_plaintext: true,
            },
            share_to: None,
            decryption_keys: None,
        }
    }

    fn chosen() -> Filters {
        let filter = Filter::new(vec![
            (pattern::FilterAction::Include, "*.sql".parse().unwrap()),
            (pattern::FilterAction::Exclude, "old/*".parse().unwrap()),
        ]);
        Filters {
            filter,
            only: vec!["sse-s3".parse().unwrap(), "kms:x".parse().unwrap()],
            all_versions: false,
        }
    }

    /// Journals that lie on disks are found by these texts: a change here makes runs that were stopped begin anew.
    #[test]
    fn the_words_of_a_rotation_stay_what_they_are() {
        let places = ["s3://bkt/a/".parse().unwrap(), "s3://bkt/b".parse().unwrap()];
        let target = server();
        let suffix = "mine".parse().unwrap();
        let identity = Identity::new(None, &places, &chosen(), Some("v1"), Some(&suffix), &target);
        let at_rest =
            format!(r#"{{"mode":"sse-kms","key":"{ARN}","context":{{"team":"v"}},"bucket_key":true}}"#);
        assert_eq!(
            identity.text(),
            format!(
                "{}{at_rest}}}",
                r#"{"places":["s3://bkt/a/","s3://bkt/b"],"filter":["+ *.sql","- old/*"],"only":["sse-s3","kms:x"],"all_versions":false,"version_id":"v1","instruction_suffix":"mine","target":"#
            )
        );
        let target = client();
        let identity = Identity::new(None, &places[1..], &Filters::default(), None, None, &target);
        let fingerprint = SymmetricKey::recognise(&[b'A'; 32]).unwrap().fingerprint();
        assert_eq!(
            identity.text(),
            format!(
                "{}[\"aes {fingerprint}\",\"kms alias/x\"],\"context\":{{\"for\":\"v\"}},\"bind_name\":false,\"at_rest\":{at_rest},{}",
                r#"{"places":["s3://bkt/b"],"filter":[],"only":[],"all_versions":false,"version_id":null,"instruction_suffix":null,"target":{"mode":"client","format":"esdk","keys":"#,
                r#""instruction_file":false,"only_rewrap":false,"new_data_key":true,"share_to":null}}"#
            )
        );
        assert_eq!(identity.name().len(), 24);
    }

    #[test]
    fn another_server_place_or_target_is_another_rotation() {
        let (a, b) = (["s3://bkt/a/".parse().unwrap()], ["s3://bkt/b/".parse().unwrap()]);
        let (one, other) = (server(), client());
        let at = |endpoint, places: &[S3Uri], target: &DesiredEncryption| {
            Identity::new(endpoint, places, &chosen(), None, None, target).name()
        };
        let name = |places: &[S3Uri], target: &DesiredEncryption| at(None, places, target);
        assert_eq!(name(&a, &one), name(&a, &server()));
        assert_ne!(name(&a, &one), name(&b, &one));
        assert_ne!(name(&a, &one), name(&a, &other));
        let here = at(Some("http://127.0.0.1"), &a, &one);
        assert_ne!(here, name(&a, &one));
        assert_ne!(here, at(Some("http://127.0.0.2"), &a, &one));
    }
}
