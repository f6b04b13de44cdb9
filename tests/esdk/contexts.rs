//! The encryption context: stored with the message, and demanded by whoever reads.

use s3seal_sandbox::kms::KmsAction;

use super::stored::{SEAL, bench, message};
use crate::support::{ALIAS, Bench};

fn stored(seal: &str) -> Bench {
    let bench = bench();
    bench.write("source", b"text");
    bench.run(&format!("put source s3://bench/object {seal} --context team=blue --context tier=1")).ok();
    bench
}

#[test]
fn a_context_that_is_asked_for_must_be_the_messages() {
    let kms = format!("-e client --format esdk --kms-key {ALIAS}");
    for (seal, open) in [
        (SEAL, "--key key".to_owned()),
        (kms.as_str(), format!("--kms-key {ALIAS}")),
        ("-e client --format esdk --public-key rsa_a.pub.pem", "--private-key rsa_a.pem".to_owned()),
    ] {
        let bench = stored(seal);
        for asked in ["", "--context team=blue", "--context tier=1 --context team=blue"] {
            let ended = bench.run(&format!("get s3://bench/object - {open} {asked}")).ok();
            assert_eq!(ended.stdout, b"text", "{open} {asked}");
        }
        for asked in [
            "--context team=red",
            "--context other=1",
            "--context team=blue --context tier=2",
            "--context team=blue --context other=1",
            "--context TEAM=blue",
        ] {
            let ended = bench.run(&format!("get s3://bench/object - {open} {asked}"));
            assert_eq!(ended.code(), Some(5), "{open} {asked}: {}", ended.stderr);
            ended.writes_nothing().says(&["context"]);
        }
        bench.run(&format!("get s3://bench/object copy {open} --context team=red --range 0-1")).exits(5);
    }
}

#[test]
fn the_context_is_stored_and_nothing_is_added() {
    let bench = stored(SEAL);
    let message = message(&bench.object("object").plaintext.unwrap());
    let pairs: Vec<_> = message.context().iter().map(|(key, value)| format!("{key}={value}")).collect();
    assert_eq!(pairs, ["team=blue", "tier=1"]);
}

#[test]
fn kms_is_given_exactly_the_context() {
    let bench = stored(&format!("-e client --format esdk --kms-key {ALIAS}"));
    bench.run(&format!("get s3://bench/object - --kms-key {ALIAS}")).ok();
    let uses = bench.sandbox.kms().uses();
    // To look a key up takes none.
    let asked = uses.iter().filter(|one| !one.via_s3 && one.action != KmsAction::DescribeKey);
    let contexts: Vec<_> = asked.map(|one| format!("{:?}", one.context)).collect();
    assert!(contexts.len() >= 2, "{contexts:?}");
    for context in contexts {
        assert_eq!(context, r#"{"team": "blue", "tier": "1"}"#);
    }
}

#[test]
fn reserved_names_are_refused_before_anything_is_sent() {
    let bench = bench();
    bench.write("source", b"text");
    for name in ["aws-crypto-public-key", "aws-crypto-x"] {
        bench.run(&format!("put source s3://bench/object {SEAL} --context {name}=1")).exits(2);
    }
    assert!(bench.sandbox.requests().is_empty());
}
