//! What a rule demands: before anything is sent, of S3's answer, and of what is read.

use s3seal_sandbox::s3::{DefaultEncryption, SseView};
use s3seal_sandbox::{Fault, Kind};

use crate::Ruled;
use crate::support::{ALIAS, BUCKET, PART, bytes};

const MUST: &str = "[[rule]]\nmatch = \"s3://bench/db/\"\nmust-encrypt = [\"client\", \"sse-kms\"]\n";

#[test]
fn put_to_something_weaker_is_refused_before_anything_is_sent() {
    let ruled = Ruled::new(MUST);
    let rule = format!("the rule at {} demands client-side or SSE-KMS", ruled.at(1));
    for flags in ["-e sse-s3", "-e sse-c --sse-c-key key", "-e dsse-kms"] {
        let ended = ruled.run(&format!("put source s3://bench/db/object {flags}")).exits(8);
        ended.says(&[&rule, "--override-rules"]);
    }
    std::fs::create_dir(ruled.bench.path("tree")).unwrap();
    ruled.bench.write("tree/a", b"text");
    ruled.run("put -r tree s3://bench/db/ -e sse-s3").exits(8).says(&[&rule]);
    ruled.assert_nothing_sent();
    for flags in ["-e sse-kms", "--key key", "-e client --kms-key alias/backup"] {
        ruled.run(&format!("put source s3://bench/db/object {flags}")).ok();
    }
    ruled.run("put source s3://bench/object -e sse-s3").ok();
}

#[test]
fn no_bucket_can_meet_a_demand_for_client_side_encryption() {
    let ruled = Ruled::new("[[rule]]\nmatch = \"s3://bench/db/\"\nmust-encrypt = \"client\"\n");
    let ended = ruled.run("put source s3://bench/db/object").exits(8);
    ended.says(&["demands client-side, not the bucket's default encryption"]);
    ruled.assert_nothing_sent();
}

#[test]
fn each_of_many_files_is_held_to_its_own_rule() {
    let ruled = Ruled::new(MUST);
    std::fs::create_dir_all(ruled.bench.path("tree/db")).unwrap();
    ruled.bench.write("tree/a", b"text");
    ruled.bench.write("tree/db/b", b"text");
    let ended = ruled.run("put -r tree s3://bench/ -e sse-s3").exits(9);
    ended.says(&["tree/db/b", &ruled.at(1)]);
    ruled.bench.assert_keys(&["a"]);
}

#[test]
fn the_buckets_default_counts_only_once_the_answer_shows_it() {
    let ruled = Ruled::new(MUST);
    ruled.bench.write("large", &bytes(PART + 1));
    let default = |default| ruled.bench.sandbox.s3().set_default_encryption(BUCKET, default);
    default(DefaultEncryption::SseKms { key: None, bucket_key: false });
    ruled.run("put source s3://bench/db/object").ok();
    default(DefaultEncryption::SseS3);
    let at = ruled.at(1);
    // Who may not read the default sees it in the answer.
    deny_default(&ruled);
    let ended = ruled.run("put source s3://bench/db/object").exits(6);
    ended.says(&[
        "client-side or SSE-KMS by the rule at",
        &at,
        "is stored now, as SSE-S3",
        "remove it: aws s3api",
    ]);
    assert_eq!(ruled.bench.object("db/object").sse, SseView::SseS3);
    // In parts the first answer shows it, and nothing is stored.
    let ended = ruled.run("put large s3://bench/db/large --part-size 5MiB").exits(6);
    ended.says(&[&at, "nothing is stored: the upload was aborted"]);
    assert_eq!(ruled.bench.sandbox.s3().uploads(), []);
    ruled.bench.assert_keys(&["db/object"]);
}

/// Nobody may read the bucket's default encryption.
fn deny_default(ruled: &Ruled) {
    let denied = Kind::status(403, "AccessDenied", "Access Denied");
    ruled.bench.sandbox.fault(Fault::on("GetBucketEncryption", denied).always());
}

#[test]
fn a_default_of_the_bucket_that_breaks_a_rule_replaces_nothing() {
    let ruled = Ruled::new(MUST);
    ruled.bench.sandbox.s3().set_default_encryption(BUCKET, DefaultEncryption::SseS3);
    ruled.bench.sandbox.s3().put_plain(BUCKET, "db/source", b"old");
    std::fs::create_dir(ruled.bench.path("tree")).unwrap();
    ruled.bench.write("tree/source", b"new");
    let not = format!("the rule at {} demands client-side or SSE-KMS", ruled.at(1));
    for line in ["put source s3://bench/db/", "put -r tree s3://bench/db/"] {
        let ended = ruled.run(line).exits(8);
        ended.says(&[&not, "not the bucket's default encryption, SSE-S3", "hint: use the encryption"]);
    }
    assert_eq!(ruled.bench.object("db/source").plaintext.unwrap(), b"old");
    ruled.run("put source s3://bench/db/ -e sse-kms").ok();
}

#[test]
fn of_many_files_the_first_one_shows_what_the_bucket_does() {
    let ruled = Ruled::new(MUST);
    deny_default(&ruled);
    std::fs::create_dir(ruled.bench.path("tree")).unwrap();
    for name in 0..20 {
        ruled.bench.write(&format!("tree/{name}"), b"text");
    }
    let ended = ruled.run("put -r tree s3://bench/db/").exits(6);
    ended.says(&[&ruled.at(1), "SSE-S3"]);
    assert_eq!(ruled.bench.requests("PutObject").len(), 1);
}

#[test]
fn get_of_what_must_be_encrypted_and_is_not_writes_nothing() {
    let ruled = Ruled::new(MUST);
    ruled.bench.sandbox.s3().put_plain(BUCKET, "db/object", b"text");
    let (at, before) = (ruled.at(1), ruled.bench.names());
    ruled.run("get s3://bench/db/object back").exits(8).says(&[&at, "not no encryption", "--override-rules"]);
    ruled.run("get s3://bench/db/object -").exits(8).writes_nothing();
    ruled.run("get -r s3://bench/db/ folder").exits(9).says(&[&at]);
    // A key of the rule does not hide what the rule demands.
    ruled.configure(&format!("{MUST}key = \"FILES/key\"\n"));
    ruled.run("get s3://bench/db/object back").exits(8).says(&[&at]);
    let names: Vec<_> = ruled.bench.names().into_iter().filter(|name| name != "folder").collect();
    assert_eq!(names, before);
    ruled.run("put source s3://bench/db/object -e client --key key").ok();
    ruled.run("get s3://bench/db/object back").ok();
    // The ciphertext as it is stored is that of a client-side object.
    ruled.run("get --raw s3://bench/db/object raw").ok();
}

#[test]
fn a_kms_key_that_is_not_listed_is_refused_in_what_is_written_and_in_what_is_read() {
    let ruled = Ruled::new("");
    let kms = ruled.bench.sandbox.kms();
    let listed = kms.key_arn(ALIAS);
    let foreign = kms.create_key_with_alias("alias/foreign").to_string();
    ruled.configure(&format!("[[rule]]\nmatch = \"s3://bench/\"\nkms-keys = [\"{listed}\"]\n"));
    let rule = format!("the rule at {} demands a key {listed}, not {foreign}", ruled.at(1));
    for (mode, name) in
        [("sse-kms", "alias/foreign"), ("sse-kms", foreign.as_str()), ("client", "alias/foreign")]
    {
        let line = format!("put source s3://bench/object -e {mode} --kms-key {name}");
        ruled.run(&line).exits(8).says(&[&rule]);
    }
    // S3's own key of the account is another one.
    ruled.run("put source s3://bench/object -e sse-kms").exits(8).says(&["demands a key"]);
    assert_eq!(ruled.bench.requests("PutObject").len(), 0);
    for mode in ["sse-kms", "client", "client --format esdk"] {
        ruled.run(&format!("put source s3://bench/object -e {mode} --kms-key {ALIAS}")).ok();
        let opens = if mode == "sse-kms" { String::new() } else { format!("--kms-key {ALIAS}") };
        ruled.run(&format!("get s3://bench/object back {opens}")).ok();
    }
    // Somebody else's object under another key, in each way.
    for (mode, opens) in [
        ("sse-kms", ""),
        ("client", "--kms-key alias/foreign"),
        ("client --format esdk", "--kms-key alias/foreign"),
    ] {
        let put = format!("put source s3://bench/object -e {mode} --kms-key alias/foreign --override-rules");
        ruled.run(&put).ok();
        std::fs::remove_file(ruled.bench.path("back")).unwrap();
        ruled.run(&format!("get s3://bench/object back {opens}")).exits(8).says(&[&rule]);
        assert!(!ruled.bench.path("back").exists(), "{mode}");
        ruled.bench.write("back", b"");
    }
    // A second recipient that nobody here has given.
    let two = format!("-e client --format esdk --kms-key {ALIAS} --kms-key alias/foreign");
    ruled.run(&format!("put source s3://bench/object {two}")).exits(8);
    ruled.run(&format!("put source s3://bench/object {two} --override-rules")).ok();
    ruled.run(&format!("get s3://bench/object back --kms-key {ALIAS}")).exits(8).says(&[&rule]);
}

#[test]
fn the_owner_that_a_rule_demands_is_sent_along() {
    let ruled = Ruled::new("[[rule]]\nmatch = \"s3://bench/\"\nexpected-bucket-owner = \"111122223333\"\n");
    ruled.run("put source s3://bench/object").ok();
    let sent = ruled.bench.requests("PutObject");
    assert_eq!(sent[0].header("x-amz-expected-bucket-owner"), Some("111122223333"));
    let ended = ruled.run("get s3://bench/object back --expected-bucket-owner 999988887777").exits(8);
    ended.says(&[&ruled.at(3), "demands another owner of the bucket"]);
    // The bucket is another account's now.
    ruled.configure("[[rule]]\nmatch = \"s3://bench/\"\nexpected-bucket-owner = \"999988887777\"\n");
    let said = format!("--expected-bucket-owner is from {}", ruled.at(3));
    ruled.run("put source s3://bench/object").exits(4).says(&[&said]);
    ruled.run("put source s3://bench/object --override-rules").ok();
}

#[test]
fn the_owner_is_demanded_of_a_bucket_that_only_a_flag_names() {
    let ruled =
        Ruled::new("[[rule]]\nmatch = \"s3://bench/lists/\"\nexpected-bucket-owner = \"999988887777\"\n");
    std::fs::create_dir(ruled.bench.path("tree")).unwrap();
    ruled.bench.write("tree/a", b"text");
    let line = "put -r tree s3://bench/p/";
    ruled.run(line).ok();
    ruled.run(&format!("{line} --manifest s3://bench/lists/1")).exits(9).says(&["is denied"]);
    ruled.configure(
        "[[rule]]\nmatch = \"s3://bench/lists/\"\nexpected-bucket-owner = \"999988887777\"\n\n\
         [profile.nightly]\nmanifest = \"s3://bench/lists/1\"\n",
    );
    ruled.run(&format!("{line} --config-profile nightly")).exits(9).says(&["is denied"]);
    ruled.bench.assert_keys(&["p/a"]);
}

#[test]
fn cleanup_asks_for_the_owner_that_a_rule_demands_and_removes_nothing_of_anothers() {
    let owner = |id| format!("[[rule]]\nmatch = \"s3://bench/db/\"\nexpected-bucket-owner = \"{id}\"\n");
    let ruled = Ruled::new(&owner("999988887777"));
    let scratch = "db/.s3seal-scratch-0123456789abcdef";
    ruled.bench.sandbox.s3().put_plain(BUCKET, scratch, b"tried");
    let cleanup = "cleanup s3://bench/db/ --older-than 0s --yes";
    ruled.run(cleanup).exits(4).says(&[&format!("--expected-bucket-owner is from {}", ruled.at(3))]);
    ruled.bench.assert_keys(&[scratch]);
    ruled.bench.sandbox.clear_requests();
    ruled.configure(&owner("111122223333"));
    ruled.run(cleanup).ok().says(&["removed: 1 leftover"]);
    let requests = ruled.bench.sandbox.requests();
    let asks = |header| header == Some("111122223333");
    assert!(requests.iter().all(|request| asks(request.header("x-amz-expected-bucket-owner"))));
    ruled.bench.assert_keys(&[]);
    // Set aside, it is not sent, and the outcome says so.
    ruled.configure(&owner("999988887777"));
    let said = format!("RULE {} OVERRIDDEN", ruled.at(1));
    ruled.run(&format!("{cleanup} --override-rules")).ok().says(&[&said]);
}

#[test]
fn the_owner_is_demanded_of_all_that_a_pattern_may_select() {
    let ruled =
        Ruled::new("[[rule]]\nmatch = \"s3://bench/db/\"\nexpected-bucket-owner = \"999988887777\"\n");
    ruled.bench.sandbox.s3().put_plain(BUCKET, "db/object", b"text");
    ruled.run("get s3://bench/d* .").exits(4).says(&["--expected-bucket-owner is from"]);
    ruled.run("get s3://bench/db/o* .").exits(4);
    assert!(!ruled.bench.path("object").exists() && !ruled.bench.path("db/object").exists());
}

#[test]
fn an_address_that_is_not_utf_8_is_refused_before_it_could_evade_a_rule() {
    let ruled = Ruled::new("[[rule]]\nmatch = \"s3://bench/db/\"\nencrypt = \"sse-kms\"\n");
    for line in
        ["put source \"$A\"", "put --from-command \"$A\" -- cat source", "get \"$A\" -", "get \"$A\" ."]
    {
        let script = format!("A=$(printf 's3://bench/db/\\377'); {} {line}", env!("CARGO_BIN_EXE_s3seal"));
        let program = ruled.bench.program("sh", ["-c", &script]).with("S3SEAL_CONFIG", &ruled.config);
        program.run().exits(2).says(&["s3://bench/db/\u{fffd}", "is not UTF-8"]);
    }
    ruled.assert_nothing_sent();
}

#[test]
fn what_a_rule_demands_is_set_aside_only_by_a_flag_and_the_outcome_says_so() {
    let ruled = Ruled::new(MUST);
    let put = "put source s3://bench/db/object -e sse-s3 --override-rules";
    let said = format!("RULE {} OVERRIDDEN", ruled.at(1));
    ruled.run(put).ok().says(&[&said]);
    let json = ruled.run(&format!("{put} --json")).ok().json();
    assert_eq!(json["overridden_rules"], serde_json::json!([ruled.at(1)]));
    ruled.run("get s3://bench/db/object back --override-rules").ok().says(&[&said]);
    let json = ruled.run("get s3://bench/db/object back --override-rules --json").ok().json();
    assert_eq!(json["overridden_rules"], serde_json::json!([ruled.at(1)]));
    let json = ruled.run("rotate s3://bench/db/object -e dsse-kms --yes --override-rules --json").ok().json();
    assert_eq!(json["overridden_rules"], serde_json::json!([ruled.at(1)]));
    // Of many objects the sum says it too.
    std::fs::create_dir(ruled.bench.path("tree")).unwrap();
    ruled.bench.write("tree/a", b"text");
    let many = ruled.run("put -r tree s3://bench/ -e sse-s3 --override-rules").ok();
    assert!(many.stderr.lines().last().unwrap().contains(&said), "{}", many.stderr);
    let inspect = ruled.run("inspect s3://bench/db/ --override-rules").ok();
    inspect.says(&[&said]);
    ruled.configure(&format!("{MUST}encrypt = \"sse-kms\"\n"));
    let rotated = ruled.run("rotate s3://bench/db/ --yes --override-rules").ok();
    let by = format!("encryption by rule {}", ruled.at(1));
    let summary = rotated.stderr.lines().last().unwrap();
    assert!(summary.contains(&by) && summary.contains(&said), "{}", rotated.stderr);
    let job = "rotate s3://bench/db/ -e sse-kms --kms-key alias/backup --batch --dry-run --override-rules \
               --batch-role arn:aws:iam::111122223333:role/batch";
    ruled.run(job).ok().says(&[&said]);
    // Elsewhere there is nothing to set aside.
    let json = ruled.run("put source s3://bench/object --override-rules --json").ok().json();
    assert_eq!(json["overridden_rules"], serde_json::json!([]));
}

#[test]
fn rotate_to_something_weaker_is_refused_and_away_from_it_is_not() {
    let ruled = Ruled::new(MUST);
    let s3 = ruled.bench.sandbox.s3();
    s3.put_plain(BUCKET, "db/object", b"text");
    s3.put_plain(BUCKET, "object", b"text");
    let rule = format!("the rule at {} demands client-side or SSE-KMS", ruled.at(1));
    for line in [
        "rotate s3://bench/db/object -e sse-s3 --yes",
        "rotate s3://bench/db/ -e sse-s3 --yes",
        "rotate s3://bench/db/ -e sse-s3 --dry-run",
        "rotate s3://bench/ -e sse-kms --kms-key alias/backup --yes --batch --batch-role arn:aws:iam::111122223333:role/b",
    ] {
        let ended = ruled.run(line);
        if line.contains("--batch") {
            // What a job makes of them is one of the modes that are demanded.
            continue;
        }
        ended.exits(8).says(&[&rule]);
    }
    assert_eq!(ruled.bench.requests("CopyObject").len(), 0);
    // Of many objects each has its own rule.
    ruled.run("rotate s3://bench/ -e sse-s3 --yes").exits(9).says(&["db/object", &rule]);
    assert_eq!(ruled.bench.object("object").sse, SseView::SseS3);
    // What is so already breaks the rule all the same.
    ruled.run("rotate s3://bench/db/object -e sse-s3 --yes --override-rules").ok();
    ruled.run("rotate s3://bench/ -e sse-s3 --yes").exits(9).says(&["db/object", &rule]);
    ruled.run("rotate s3://bench/db/ -e sse-kms --yes").ok();
    assert!(matches!(ruled.bench.object("db/object").sse, SseView::SseKms { .. }));
    ruled.run("rotate s3://bench/db/object --key key --yes").ok();
    ruled.run("get s3://bench/db/object back --key key").ok();
}

#[test]
fn a_client_side_object_that_keeps_its_mode_at_rest_is_held_to_the_rule_before_anything_is_sent() {
    let ruled = Ruled::new("");
    ruled.run("put source s3://bench/db/object --key key").ok();
    ruled.configure("[[rule]]\nmatch = \"s3://bench/db/\"\nmust-encrypt = \"sse-kms\"\n");
    let rule = format!("the rule at {} demands SSE-KMS, not client-side at SSE-S3", ruled.at(1));
    let before = ruled.bench.object("db/object");
    ruled.bench.sandbox.clear_requests();
    for how in ["--rewrap", "--new-data-key"] {
        let line = format!("rotate s3://bench/db/object {how} --key other --from-key key");
        ruled.run(&format!("{line} --yes")).exits(8).says(&[&rule]);
        ruled.run(&format!("{line} --dry-run")).exits(8).says(&[&rule]);
    }
    let sent = ruled.bench.sandbox.requests();
    assert!(sent.iter().all(|request| request.operation.starts_with("Head")), "{sent:?}");
    assert_eq!(ruled.bench.object("db/object").version_id, before.version_id);
    // Such an object meets a demand for client-side encryption, whatever it is at rest.
    ruled.configure("[[rule]]\nmatch = \"s3://bench/db/\"\nmust-encrypt = \"client\"\n");
    ruled.run("rotate s3://bench/db/object --rewrap --key other --from-key key --yes").ok();
    ruled.configure("[[rule]]\nmatch = \"s3://bench/db/\"\nmust-encrypt = [\"sse-kms\"]\n");
    let line =
        "rotate s3://bench/db/object --new-data-key --at-rest sse-kms --key key --from-key other --yes";
    ruled.run(line).ok();
    ruled.run("rotate s3://bench/db/object --rewrap --key other --from-key key --yes").ok();
}

#[test]
fn a_job_of_batch_operations_is_held_to_every_rule_below_its_prefix() {
    let ruled = Ruled::new("[[rule]]\nmatch = \"s3://bench/db/\"\nmust-encrypt = \"client\"\n");
    let job = "rotate s3://bench/ -e sse-kms --kms-key alias/backup --batch --yes \
               --batch-role arn:aws:iam::111122223333:role/batch";
    ruled.run(job).exits(8).says(&[&ruled.at(1), "s3://bench/db/"]);
    assert_eq!(ruled.bench.sandbox.s3().jobs().len(), 0);
}

#[test]
fn inspect_requires_what_a_rule_demands() {
    let ruled = Ruled::new(MUST);
    ruled.bench.sandbox.s3().put_plain(BUCKET, "db/plain", b"text");
    ruled.run("put source s3://bench/db/client --key key").ok();
    ruled.run("put source s3://bench/elsewhere").ok();
    let rule = format!("demanded is client-side or SSE-KMS by the rule at {}", ruled.at(1));
    for flags in ["", "--expect rules"] {
        let ended = ruled.run(&format!("inspect s3://bench/db/ --format ndjson {flags}")).exits(8);
        let ended = ended.says(&["1 of 2 objects are not what is demanded", &rule]);
        let found: Vec<_> = ended.documents().iter().map(|one| one["as_expected"].clone()).collect();
        assert_eq!(found[..2], [true, false]);
    }
    ruled.run("inspect s3://bench/db/plain").exits(8);
    ruled.run("inspect s3://bench/db/client").ok();
    // Objects without a rule are not judged unless the user asks for it, and others only by what the user expects.
    ruled.run("inspect s3://bench/elsewhere").ok();
    ruled.run("inspect s3://bench/ --exclude db/plain").ok();
    ruled.run("inspect s3://bench/db/plain --expect encrypted").exits(8);
    ruled.run("inspect s3://bench/db/plain --override-rules").ok();
}

#[test]
fn a_sample_is_not_judged_by_rules_as_it_leaves_out_objects() {
    let ruled = Ruled::new(MUST);
    for number in 0..8 {
        ruled.bench.sandbox.s3().put_plain(BUCKET, &format!("db/{number}"), b"text");
    }
    ruled.run("put source s3://bench/db/client --key key").ok();
    let read = "inspect s3://bench/db/ --read-data --key key --summary --format table";
    ruled.run(read).exits(8);
    let ended = ruled.run(&format!("{read} --sample 100%")).ok();
    let table = String::from_utf8(ended.stdout).unwrap();
    assert!(!table.contains("expected"), "{table}");
}
