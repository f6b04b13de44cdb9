//! What a rule chooses where the command line says nothing.

use s3seal_sandbox::s3::SseView;

use crate::Ruled;
use crate::support::ALIAS;

const CLIENT: &str = "[[rule]]\nmatch = \"s3://bench/db/\"\nencrypt = \"client\"\npublic-key = \"FILES/rsa_a.pub.pem\"\n\
                      private-key = \"FILES/rsa_a.pem\"\ncontext = { app = \"db\" }\n";

#[test]
fn put_encrypts_as_the_rule_says_and_says_so() {
    let ruled = Ruled::new(CLIENT);
    let by = format!("encryption by rule {}", ruled.at(1));
    ruled.run("put source s3://bench/db/object").ok().says(&["client-side (esdk)", &by]);
    let json = ruled.run("put source s3://bench/db/ --json").ok().json();
    assert_eq!(json["encryption"]["mode"], "client");
    assert_eq!(
        (&json["encryption_rule"], &json["overridden_rules"]),
        (&ruled.at(1).into(), &[(); 0][..].into())
    );
    assert_eq!(json["uri"], "s3://bench/db/source");
    // Outside of the rule's place nothing is chosen.
    let json = ruled.run("put source s3://bench/object --json").ok().json();
    assert_eq!((&json["encryption"]["mode"], &json["encryption_rule"]), (&"sse-s3".into(), &().into()));
}

#[test]
fn the_context_of_a_rule_goes_into_the_object_and_get_asks_for_it() {
    let ruled = Ruled::new(CLIENT);
    ruled.run("put source s3://bench/db/object").ok();
    let seen = ruled.run("inspect s3://bench/db/object --json --deep").ok().json();
    assert_eq!(seen["client"]["encryption_context"]["app"], "db");
    ruled.run("get s3://bench/db/object back").ok().says(&["client-side (esdk)"]);
    assert_eq!(ruled.bench.read("back"), b"text");
    ruled.run("put source s3://bench/db/other --context app=web").ok();
    ruled.run("get s3://bench/db/other back").exits(5);
}

#[test]
fn the_longest_match_decides() {
    let ruled = Ruled::new(
        "[[rule]]\nmatch = \"s3://bench\"\nencrypt = \"sse-kms\"\n\n\
         [[rule]]\nmatch = \"s3://bench/db/\"\nencrypt = \"sse-s3\"\n\n\
         [[rule]]\nmatch = \"s3://bench/db/one\"\nencrypt = \"dsse-kms\"\n",
    );
    for (key, mode, line) in
        [("a", "sse-kms", 1), ("db/a", "sse-s3", 5), ("db/one", "dsse-kms", 9), ("db/one-more", "sse-s3", 5)]
    {
        let json = ruled.run(&format!("put source s3://bench/{key} --json")).ok().json();
        assert_eq!(json["encryption"]["mode"], mode, "{key}");
        assert_eq!(json["encryption_rule"], ruled.at(line), "{key}");
    }
    // A file keeps its name below a prefix, and that may have a rule of its own.
    ruled.bench.write("one", b"text");
    let json = ruled.run("put one s3://bench/db/ --json").ok().json();
    assert_eq!(json["encryption"]["mode"], "dsse-kms");
}

#[test]
fn a_key_or_a_mode_that_is_typed_replaces_all_that_the_rule_chooses() {
    let ruled = Ruled::new(CLIENT);
    for flags in ["-e sse-s3", "--sse-c-key key", "--key key", "-e sse-kms --context a=b"] {
        let ended = ruled.run(&format!("put source s3://bench/db/object {flags} --json")).ok();
        assert_eq!(ended.json()["encryption_rule"], serde_json::Value::Null, "{flags}");
    }
    // What belongs to a choice only adds to it.
    let json = ruled.run("put source s3://bench/db/object --frame-length 4KiB --json").ok().json();
    assert_eq!(json["encryption_rule"], ruled.at(1));
}

#[test]
fn rotate_goes_to_what_the_rule_says() {
    let ruled =
        Ruled::new("[[rule]]\nmatch = \"s3://bench/\"\nencrypt = \"sse-kms\"\nkms-key = \"alias/backup\"\n");
    ruled.bench.sandbox.s3().put_plain("bench", "object", b"text");
    let json = ruled.run("rotate s3://bench/object --yes --json").ok().json();
    assert_eq!(json["encryption_rule"], ruled.at(1));
    assert!(matches!(ruled.bench.object("object").sse, SseView::SseKms { .. }));
}

#[test]
fn get_takes_the_keys_of_the_rule_unless_others_are_typed() {
    for (settings, typed) in
        [("key = \"FILES/key\"", "--key other"), ("sse-c-key = \"FILES/key\"", "--sse-c-key other")]
    {
        let ruled = Ruled::new(&format!("[[rule]]\nmatch = \"s3://bench/\"\n{settings}\n"));
        ruled.run("put source s3://bench/object").ok();
        ruled.run("get s3://bench/object back").ok();
        assert_eq!(ruled.bench.read("back"), b"text");
        ruled.run(&format!("get s3://bench/object back2 {typed}")).exits(5);
        // Another mode than the rule's: its key is of no use.
        ruled.bench.sandbox.s3().put_plain("bench", "plain", b"plain");
        let ended = ruled.run("get s3://bench/plain back3").exits(5);
        ended.says(&[&format!("is from {}", ruled.at(3)), "-e with the object's own mode"]);
        ruled.run("put source s3://bench/plain -e sse-s3").ok();
        ruled.run("get -e sse-s3 s3://bench/plain back4").ok();
    }
}

#[test]
fn a_kms_key_of_a_rule_for_s3s_own_encryption_is_no_key_of_get() {
    let ruled = Ruled::new(&format!(
        "[[rule]]\nmatch = \"s3://bench/\"\nencrypt = \"sse-kms\"\nkms-key = \"{ALIAS}\"\nbucket-key = true\n"
    ));
    ruled.run("put source s3://bench/object").ok().says(&["SSE-KMS", "bucket key"]);
    ruled.run("get s3://bench/object back").ok();
}

#[test]
fn what_is_wrong_with_a_rules_flag_is_said_with_its_place_in_the_file() {
    let rule = |rest: &str| format!("[[rule]]\nmatch = \"s3://bench/\"\nencrypt = \"client\"\n{rest}\n");
    for (rest, exit, said, flag) in [
        ("key = \"FILES/missing\"", 5, "--key: cannot read", "--key"),
        ("kms-key = \"a b\"", 2, "cannot name a KMS key", "--kms-key"),
        (
            "key = \"FILES/key\"\nbucket-key = true",
            2,
            "--bucket-key does not go with -e client",
            "--bucket-key",
        ),
    ] {
        let ruled = Ruled::new(&rule(rest));
        let line = 3 + rest.lines().count();
        let from = format!("{flag} is from {}", ruled.at(line));
        ruled.run("put source s3://bench/object").exits(exit).says(&[said, &from]);
        ruled.assert_nothing_sent();
    }
}

#[test]
fn a_rule_below_a_place_leaves_alone_what_writes_nothing_there() {
    let ruled =
        Ruled::new("[[rule]]\nmatch = \"s3://bench/db/\"\nencrypt = \"client\"\nkey = \"FILES/key\"\n");
    for verb in ["get", "inspect"] {
        ruled.run(&format!("doctor s3://bench/ --for {verb}")).ok();
    }
    for verb in ["get", "inspect", "cleanup"] {
        ruled.run(&format!("doctor s3://bench/ --policy {verb}")).ok();
    }
    let said = "chooses another encryption for s3://bench/db/";
    for words in ["", "--policy put", "--for rotate"] {
        ruled.run(&format!("doctor s3://bench/ {words}")).exits(2).says(&[said]);
    }
}

#[test]
fn many_files_below_two_rules_that_choose_differently_are_refused() {
    let ruled = Ruled::new(
        "[[rule]]\nmatch = \"s3://bench/\"\nencrypt = \"sse-kms\"\n\n\
         [[rule]]\nmatch = \"s3://bench/db/\"\nencrypt = \"sse-s3\"\n",
    );
    std::fs::create_dir(ruled.bench.path("tree")).unwrap();
    ruled.bench.write("tree/a", b"text");
    let at = ruled.at(5);
    let said = [&*at, "chooses another encryption for s3://bench/db/", "-e"];
    ruled.run("put -r tree s3://bench/").exits(2).says(&said);
    ruled.run("rotate s3://bench/ --yes").exits(2).says(&said);
    ruled.run("doctor s3://bench/ --for put").exits(2).says(&said);
    ruled.assert_nothing_sent();
    ruled.run("put -r tree s3://bench/db/").ok().says(&["1 file", &format!("encryption by rule {at}")]);
    ruled.run("put -r tree s3://bench/ -e sse-s3").ok();
    // Different rules, and no way to tell which one is meant.
    ruled.run("rotate s3://bench/a s3://bench/db/a --yes").exits(2).says(&["one place has the rule at"]);
}
