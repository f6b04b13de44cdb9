//! KMS answers, and refuses, as KMS does: by name and by text.

mod client;

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use client::Client;
use s3seal_sandbox::kms::{KmsAction, KmsRefusal};
use s3seal_sandbox::{Config, Sandbox};
use serde_json::{Value, json};

const PRINCIPAL: &str = "arn:aws:iam::111122223333:user/sandbox";
const ABSENT: &str = "11111111-2222-4333-8444-555555555555";

fn start() -> (Sandbox, Client) {
    let sandbox =
        Sandbox::start(Config { kms_aliases: vec!["demo".to_owned()], ..Config::default() }).unwrap();
    let client = Client::new(&sandbox);
    (sandbox, client)
}

/// The answer of an operation that must succeed.
fn done(client: &Client, operation: &str, request: Value) -> Value {
    let (status, answer) = client.kms(operation, &request);
    assert_eq!(status, 200, "{operation}: {answer}");
    answer
}

/// The exception and the text of an operation that must fail.
fn refused(client: &Client, operation: &str, request: Value) -> (String, String) {
    let (status, answer) = client.kms(operation, &request);
    assert_eq!(status, 400, "{operation}: {answer}");
    let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
    (text("__type"), text("message"))
}

fn new_key(client: &Client) -> (String, String) {
    let metadata = done(client, "CreateKey", json!({ "Description": "a test" }))["KeyMetadata"].clone();
    (metadata["KeyId"].as_str().unwrap().to_owned(), metadata["Arn"].as_str().unwrap().to_owned())
}

fn encrypted(client: &Client, key: &str, context: Value) -> Value {
    let request =
        json!({ "KeyId": key, "Plaintext": STANDARD.encode("secret"), "EncryptionContext": context });
    done(client, "Encrypt", request)["CiphertextBlob"].clone()
}

#[test]
fn a_data_key_comes_back_only_under_its_context() {
    let (_sandbox, client) = start();
    let request =
        json!({ "KeyId": "alias/demo", "KeySpec": "AES_256", "EncryptionContext": { "a": "1", "b": "2" } });
    let made = done(&client, "GenerateDataKey", request);
    assert_eq!(STANDARD.decode(made["Plaintext"].as_str().unwrap()).unwrap().len(), 32);
    let blob = &made["CiphertextBlob"];
    let right = json!({ "CiphertextBlob": blob, "EncryptionContext": { "b": "2", "a": "1" } });
    let opened = done(&client, "Decrypt", right);
    assert_eq!((&opened["Plaintext"], &opened["KeyId"]), (&made["Plaintext"], &made["KeyId"]));
    for context in [json!({}), json!({ "a": "1" }), json!({ "a": "1b2" }), json!({ "a": "1", "b": "3" })] {
        let wrong = json!({ "CiphertextBlob": blob, "EncryptionContext": context });
        assert_eq!(
            refused(&client, "Decrypt", wrong),
            ("InvalidCiphertextException".to_owned(), String::new())
        );
    }
}

#[test]
fn data_keys_have_the_length_asked_for() {
    let (_sandbox, client) = start();
    for (ask, len) in [(json!({ "KeySpec": "AES_128" }), 16), (json!({ "NumberOfBytes": 64 }), 64)] {
        let mut request = ask;
        request["KeyId"] = json!("alias/demo");
        let made = done(&client, "GenerateDataKey", request.clone());
        assert_eq!(STANDARD.decode(made["Plaintext"].as_str().unwrap()).unwrap().len(), len);
        assert_eq!(done(&client, "GenerateDataKeyWithoutPlaintext", request)["Plaintext"], Value::Null);
    }
    let none = refused(&client, "GenerateDataKey", json!({ "KeyId": "alias/demo" }));
    assert_eq!(none.1, "Please specify either number of bytes or key spec.");
}

#[test]
fn a_changed_blob_is_refused() {
    let (_sandbox, client) = start();
    let blob = encrypted(&client, "alias/demo", json!({}));
    let bytes = STANDARD.decode(blob.as_str().unwrap()).unwrap();
    for place in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[place] ^= 1;
        let request = json!({ "CiphertextBlob": STANDARD.encode(changed) });
        assert_eq!(refused(&client, "Decrypt", request).0, "InvalidCiphertextException", "byte {place}");
    }
}

#[test]
fn another_key_than_the_blobs_own_is_incorrect() {
    let (_sandbox, client) = start();
    let (other, _) = new_key(&client);
    let blob = encrypted(&client, "alias/demo", json!({}));
    let request = json!({ "CiphertextBlob": blob, "KeyId": other });
    assert_eq!(refused(&client, "Decrypt", request).0, "IncorrectKeyException");
    done(&client, "Decrypt", json!({ "CiphertextBlob": blob, "KeyId": "alias/demo" }));
}

#[test]
fn re_encrypting_changes_key_and_context() {
    let (_sandbox, client) = start();
    let (other, other_arn) = new_key(&client);
    let blob = encrypted(&client, "alias/demo", json!({ "old": "1" }));
    let request = json!({
        "CiphertextBlob": blob, "SourceEncryptionContext": { "old": "1" },
        "DestinationKeyId": other, "DestinationEncryptionContext": { "new": "2" },
    });
    let moved = done(&client, "ReEncrypt", request);
    assert_eq!(moved["KeyId"], other_arn);
    let request = json!({ "CiphertextBlob": moved["CiphertextBlob"], "EncryptionContext": { "new": "2" } });
    assert_eq!(done(&client, "Decrypt", request)["Plaintext"], STANDARD.encode("secret"));
}

#[test]
fn a_key_has_four_names() {
    let (sandbox, client) = start();
    let (id, arn) = new_key(&client);
    done(&client, "CreateAlias", json!({ "AliasName": "alias/mine", "TargetKeyId": id }));
    let alias_arn = format!("{}:alias/mine", arn.rsplit_once(':').unwrap().0);
    for name in [&id, &arn, "alias/mine", &alias_arn] {
        assert_eq!(
            done(&client, "DescribeKey", json!({ "KeyId": name }))["KeyMetadata"]["Arn"],
            arn,
            "{name}"
        );
    }
    assert_eq!(
        refused(&client, "CreateAlias", json!({ "AliasName": "alias/mine", "TargetKeyId": id })).0,
        "AlreadyExistsException"
    );
    done(&client, "UpdateAlias", json!({ "AliasName": "alias/mine", "TargetKeyId": "alias/demo" }));
    let demo = done(&client, "DescribeKey", json!({ "KeyId": "alias/demo" }));
    assert_eq!(done(&client, "DescribeKey", json!({ "KeyId": "alias/mine" })), demo);
    done(&client, "DeleteAlias", json!({ "AliasName": "alias/mine" }));
    let aliases = done(&client, "ListAliases", json!({}))["Aliases"].as_array().unwrap().clone();
    assert_eq!(
        aliases.iter().map(|alias| alias["AliasName"].as_str().unwrap()).collect::<Vec<_>>(),
        ["alias/demo"]
    );
    assert_eq!(done(&client, "ListKeys", json!({}))["Keys"].as_array().unwrap().len(), 2);
    assert_eq!(sandbox.requests().iter().filter(|request| request.operation == "kms:CreateAlias").count(), 2);
}

#[test]
fn unknown_names_are_not_found_each_in_its_own_words() {
    let (_sandbox, client) = start();
    let prefix = "arn:aws:kms:us-east-1:111122223333";
    let cases = [
        (ABSENT.to_owned(), format!("Key '{prefix}:key/{ABSENT}' does not exist")),
        (format!("{prefix}:key/{ABSENT}"), format!("Key '{prefix}:key/{ABSENT}' does not exist")),
        ("x".to_owned(), "Invalid keyId 'x'".to_owned()),
        ("alias/none".to_owned(), format!("Alias {prefix}:alias/none is not found.")),
        (format!("arn:aws:kms:us-west-2:111122223333:key/{ABSENT}"), "Invalid arn us-west-2".to_owned()),
    ];
    for (key, text) in cases {
        let request = json!({ "KeyId": key, "KeySpec": "AES_256" });
        assert_eq!(refused(&client, "GenerateDataKey", request), ("NotFoundException".to_owned(), text));
    }
}

#[test]
fn disabled_keys_and_keys_to_be_deleted_say_so() {
    let (_sandbox, client) = start();
    let (id, arn) = new_key(&client);
    let blob = encrypted(&client, &id, json!({}));
    let decrypt = || json!({ "CiphertextBlob": blob });

    done(&client, "DisableKey", json!({ "KeyId": id }));
    assert_eq!(
        refused(&client, "Decrypt", decrypt()),
        ("DisabledException".to_owned(), format!("{arn} is disabled."))
    );
    assert_eq!(done(&client, "DescribeKey", json!({ "KeyId": id }))["KeyMetadata"]["KeyState"], "Disabled");
    done(&client, "EnableKey", json!({ "KeyId": id }));
    done(&client, "Decrypt", decrypt());

    let scheduled = done(&client, "ScheduleKeyDeletion", json!({ "KeyId": id, "PendingWindowInDays": 7 }));
    assert_eq!(scheduled["KeyState"], "PendingDeletion");
    let pending = ("KMSInvalidStateException".to_owned(), format!("{arn} is pending deletion."));
    assert_eq!(refused(&client, "Decrypt", decrypt()), pending);
    assert_eq!(refused(&client, "EnableKey", json!({ "KeyId": id })), pending);
    done(&client, "CancelKeyDeletion", json!({ "KeyId": id }));
    assert_eq!(refused(&client, "Decrypt", decrypt()).0, "DisabledException");
    let soon = json!({ "KeyId": id, "PendingWindowInDays": 6 });
    assert_eq!(refused(&client, "ScheduleKeyDeletion", soon).0, "ValidationException");
}

#[test]
fn a_denied_action_names_user_action_and_key() {
    let (sandbox, client) = start();
    let (id, arn) = new_key(&client);
    sandbox.kms().deny(KmsAction::GenerateDataKey, Some(&id));
    let request = json!({ "KeyId": id, "KeySpec": "AES_256" });
    let text = format!(
        "User: {PRINCIPAL} is not authorized to perform: kms:GenerateDataKey on resource: {arn} because no \
         identity-based policy allows the kms:GenerateDataKey action"
    );
    assert_eq!(
        refused(&client, "GenerateDataKey", request.clone()),
        ("AccessDeniedException".to_owned(), text)
    );
    encrypted(&client, &id, json!({}));
    done(&client, "GenerateDataKey", json!({ "KeyId": "alias/demo", "KeySpec": "AES_256" }));
    sandbox.kms().allow_all();
    done(&client, "GenerateDataKey", request);
}

#[test]
fn multi_region_keys_have_their_own_kind_of_id() {
    let (_sandbox, client) = start();
    let metadata = done(&client, "CreateKey", json!({ "MultiRegion": true }))["KeyMetadata"].clone();
    let id = metadata["KeyId"].as_str().unwrap();
    assert!(id.starts_with("mrk-") && id.len() == 36, "{id}");
    assert_eq!(metadata["MultiRegionConfiguration"]["MultiRegionKeyType"], "PRIMARY");
    encrypted(&client, id, json!({}));
}

#[test]
fn malformed_requests_are_told_apart() {
    let (_sandbox, client) = start();
    let missing = refused(&client, "DescribeKey", json!({}));
    assert_eq!(missing.0, "ValidationException");
    assert!(missing.1.contains("Value null at 'keyId'"), "{}", missing.1);
    assert_eq!(refused(&client, "DescribeKey", json!({ "KeyId": 1 })).0, "SerializationException");
    assert_eq!(refused(&client, "Sing", json!({})).0, "UnknownOperationException");
    let long = json!({ "KeyId": "alias/demo", "Plaintext": STANDARD.encode([0; 4097]) });
    assert_eq!(refused(&client, "Encrypt", long).0, "ValidationException");
}

#[test]
fn a_dry_run_says_what_would_become_of_the_request_and_does_nothing() {
    let (sandbox, client) = start();
    let (id, arn) = new_key(&client);
    let blob = encrypted(&client, &id, json!({}));
    sandbox.kms().clear_uses();
    let no_blob = json!(["IGNORE_CIPHERTEXT"]);
    let requests = [
        ("GenerateDataKey", json!({ "KeyId": arn, "KeySpec": "AES_256" })),
        ("GenerateDataKeyWithoutPlaintext", json!({ "KeyId": arn, "KeySpec": "AES_256" })),
        ("Encrypt", json!({ "KeyId": arn, "Plaintext": "AAAA" })),
        ("Decrypt", json!({ "CiphertextBlob": blob })),
        ("Decrypt", json!({ "KeyId": arn, "DryRunModifiers": no_blob })),
        ("ReEncrypt", json!({ "CiphertextBlob": blob, "DestinationKeyId": arn })),
        ("ReEncrypt", json!({ "SourceKeyId": arn, "DestinationKeyId": arn, "DryRunModifiers": no_blob })),
    ];
    let dry = |operation: &str, request: &Value| {
        let mut request = request.clone();
        request["DryRun"] = json!(true);
        let (status, answer) = client.kms(operation, &request);
        (status, answer["__type"].as_str().unwrap().to_owned(), answer["message"].clone())
    };
    for (operation, request) in &requests {
        let text = json!("The request would have succeeded, but the DryRun option is set.");
        let would = (412, "DryRunOperationException".to_owned(), text);
        assert_eq!(dry(operation, request), would, "{operation}");
    }
    assert_eq!(sandbox.kms().uses(), [], "a dry run is no use of a key");
    sandbox.user().set_policy(
        r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}"#,
    );
    for (operation, request) in &requests {
        assert_eq!(dry(operation, request).1, "AccessDeniedException", "{operation}");
    }
    sandbox.user().clear_policy();
    sandbox.kms().disable(&id);
    for (operation, request) in &requests {
        assert_eq!(dry(operation, request).1, "DisabledException", "{operation}");
    }
}

#[test]
fn a_ciphertext_is_left_out_by_dry_runs_that_say_so_alone() {
    let (_sandbox, client) = start();
    let modifiers = json!(["IGNORE_CIPHERTEXT"]);
    for request in [
        json!({ "KeyId": "alias/demo" }),
        json!({ "KeyId": "alias/demo", "DryRun": true }),
        json!({ "KeyId": "alias/demo", "DryRunModifiers": modifiers }),
        json!({ "DryRun": true, "DryRunModifiers": modifiers }),
    ] {
        assert_eq!(refused(&client, "Decrypt", request.clone()).0, "ValidationException", "{request}");
    }
    let wrong = json!({ "CiphertextBlob": "AAAA", "DryRun": true });
    assert_eq!(refused(&client, "Decrypt", wrong).0, "InvalidCiphertextException");
}

#[test]
fn a_key_waits_for_its_material() {
    let (sandbox, client) = start();
    let (id, arn) = new_key(&client);
    sandbox.kms().await_import(&id);
    let described = done(&client, "DescribeKey", json!({ "KeyId": id }));
    assert_eq!(described["KeyMetadata"]["KeyState"], "PendingImport");
    let (exception, text) = refused(&client, "Encrypt", json!({ "KeyId": id, "Plaintext": "AAAA" }));
    assert_eq!((exception.as_str(), text), ("KMSInvalidStateException", format!("{arn} is pending import.")));
}

/// "Key policies in AWS KMS", AWS KMS developer guide: without a statement of the key's policy nobody has access; one that
/// names the account leaves it to the policies of its users.
#[test]
fn the_policy_of_a_key_comes_before_that_of_the_user() {
    let (sandbox, client) = start();
    let (id, arn) = new_key(&client);
    let allow = |principal: &str| {
        json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Principal": { "AWS": principal },
            "Action": "kms:GenerateDataKey", "Resource": "*" }] })
        .to_string()
    };
    let ask = || client.kms("GenerateDataKey", &json!({ "KeyId": arn, "KeySpec": "AES_256" }));
    let nothing =
        r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}"#;
    let root = PRINCIPAL.replace("user/sandbox", "root");
    for (principal, with_policy, without_policy) in [
        (PRINCIPAL, None, None),
        (&root, Some("no identity-based policy allows"), None),
        (
            "arn:aws:iam::111122223333:user/other",
            Some("no resource-based policy allows"),
            Some("no resource-based policy allows"),
        ),
    ] {
        sandbox.kms().set_key_policy(&id, &allow(principal));
        for (policy, denied) in [(Some(nothing), with_policy), (None, without_policy)] {
            match policy {
                Some(policy) => sandbox.user().set_policy(policy),
                None => sandbox.user().clear_policy(),
            }
            let (status, answer) = ask();
            match denied {
                None => assert_eq!(status, 200, "{principal}: {answer}"),
                Some(words) => {
                    let text = answer["message"].as_str().unwrap();
                    assert!(text.contains(words), "{principal}: {text}");
                }
            }
        }
    }
}

/// "AWS managed keys", AWS KMS developer guide.
#[test]
fn the_accounts_own_key_serves_s3_alone() {
    let (sandbox, client) = start();
    let key = "alias/aws/s3";
    sandbox.user().set_policy(
        r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}"#,
    );
    let kms = sandbox.kms();
    kms.for_s3(PRINCIPAL, KmsAction::GenerateDataKey, Some(key), &BTreeMap::new()).unwrap();
    sandbox.user().clear_policy();
    let request = json!({ "KeyId": key, "KeySpec": "AES_256" });
    assert_eq!(refused(&client, "GenerateDataKey", request).0, "AccessDeniedException");
    done(&client, "DescribeKey", json!({ "KeyId": key }));
}

/// "Allowing users in other accounts to use a KMS key", AWS KMS developer guide: both policies must allow it.
#[test]
fn a_key_of_another_account_takes_both_policies() {
    let (sandbox, client) = start();
    let arn = sandbox.kms().create_key_in("999988887777").to_string();
    let ask = || client.kms("GenerateDataKey", &json!({ "KeyId": arn, "KeySpec": "AES_256" }));
    let (status, answer) = ask();
    assert_eq!((status, &answer["__type"]), (400, &json!("AccessDeniedException")), "{answer}");
    let policy = json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow",
        "Principal": { "AWS": PRINCIPAL }, "Action": "kms:*", "Resource": "*" }] });
    sandbox.kms().set_key_policy(&arn, &policy.to_string());
    assert_eq!(ask().0, 200);
    sandbox.user().set_policy(
        r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}"#,
    );
    assert_eq!(ask().1["__type"], "AccessDeniedException");
    // Only its ARN names it.
    let id = arn.rsplit('/').next().unwrap();
    assert_eq!(refused(&client, "DescribeKey", json!({ "KeyId": id })).0, "NotFoundException");
}

#[test]
fn one_clock_rules_kms_too_and_its_date_tells() {
    let (sandbox, client) = start();
    sandbox.s3().set_clock_ahead(3600);
    let (exception, text) = refused(&client, "ListKeys", json!({}));
    assert_eq!(exception, "InvalidSignatureException");
    assert!(text.starts_with("Signature expired: "), "{text}");
    let mut ahead = client.clone();
    ahead.clock = time::Duration::hours(1);
    done(&ahead, "ListKeys", json!({}));
}

#[test]
fn a_session_token_counts_until_it_expires() {
    let (sandbox, mut client) = start();
    let exception = |client: &Client| {
        let (status, answer) = client.kms("ListKeys", &json!({}));
        (status, answer["__type"].as_str().unwrap_or_default().to_owned())
    };
    client.session_token = Some("stray".to_owned());
    assert_eq!(exception(&client), (400, "UnrecognizedClientException".to_owned()));
    sandbox.user().set_session_token("token");
    assert_eq!(exception(&client), (400, "UnrecognizedClientException".to_owned()));
    client.session_token = Some("token".to_owned());
    assert_eq!(exception(&client).0, 200);
    sandbox.user().expire_session_token();
    assert_eq!(exception(&client), (400, "ExpiredTokenException".to_owned()));
}

#[test]
fn signatures_are_checked() {
    let (_sandbox, client) = start();
    type Spoil = fn(&mut Client);
    let cases: [(Spoil, &str); 4] = [
        (|client| client.access_key = "AKIAUNKNOWN".to_owned(), "UnrecognizedClientException"),
        (|client| client.secret_key.push('x'), "InvalidSignatureException"),
        (|client| client.region = "eu-west-1".to_owned(), "InvalidSignatureException"),
        (|client| client.clock = time::Duration::minutes(-6), "InvalidSignatureException"),
    ];
    for (spoil, exception) in cases {
        let mut spoilt = client.clone();
        spoil(&mut spoilt);
        assert_eq!(refused(&spoilt, "ListKeys", json!({})).0, exception);
    }
}

#[test]
fn s3_asks_the_same_keys_and_every_use_is_kept() {
    let (sandbox, _client) = start();
    let kms = sandbox.kms();
    let context = BTreeMap::from([("aws:s3:arn".to_owned(), "arn:aws:s3:::b/k".to_owned())]);
    let arn = kms.for_s3(PRINCIPAL, KmsAction::GenerateDataKey, None, &context).unwrap();
    assert_eq!(
        kms.for_s3(PRINCIPAL, KmsAction::GenerateDataKey, Some("alias/aws/s3"), &context).unwrap(),
        arn
    );
    let (key, wrapped) = kms.generate_data_key(&arn, &context);
    assert_eq!(kms.unwrap_data_key(&wrapped, &context).unwrap(), key);
    assert_eq!(kms.unwrap_data_key(&wrapped, &BTreeMap::new()), Err(KmsRefusal::InvalidCiphertext));
    kms.disable(&arn.0);
    let refused = kms.for_s3(PRINCIPAL, KmsAction::Decrypt, Some(&arn.0), &context);
    assert_eq!(refused, Err(KmsRefusal::Disabled { arn: arn.0.clone() }));
    let uses = kms.uses();
    assert_eq!(uses.iter().map(|used| used.allowed).collect::<Vec<_>>(), [true, true, false]);
    assert!(uses.iter().all(|used| used.via_s3 && used.key_arn == arn.0 && used.context == context));
    kms.enable(&arn.0);
    kms.delete_now(&arn.0);
    let gone = kms.for_s3(PRINCIPAL, KmsAction::Decrypt, Some(&arn.0), &context);
    assert_eq!(gone, Err(KmsRefusal::NotFound { text: format!("Key '{arn}' does not exist") }));
}
