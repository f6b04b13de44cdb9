//! What the manual says of permissions in words, beside its policies.

use serde_json::{Value, json};

use crate::policies::{Places, printed};
use crate::support::keys::KnownKey;
use crate::support::{BUCKET, Bench};

pub const OBJECTS: &str = "arn:aws:s3:::bench/*";
pub const THE_BUCKET: &str = "arn:aws:s3:::bench";

/// A bench with a key file and a source.
pub fn bench() -> Bench {
    let bench = Bench::new();
    bench.write("a.key", KnownKey::new(1).hex().as_bytes());
    bench.write("small", b"content");
    bench
}

/// Gives the user these actions and no others.
pub fn allow(bench: &Bench, allowed: &[(&str, &str)]) {
    let statement = |(action, resource): &(&str, &str)| json!({ "Effect": "Allow", "Action": action, "Resource": resource });
    let statements: Vec<Value> = allowed.iter().map(statement).collect();
    bench.sandbox.user().set_policy(&json!({ "Version": "2012-10-17", "Statement": statements }).to_string());
}

#[test]
fn a_plan_needs_only_what_reads() {
    let bench = bench();
    let key = bench.sandbox.kms().create_key().to_string();
    bench.run(&format!("put small s3://bench/o -e sse-kms --kms-key {key}")).ok();
    allow(&bench, &[("s3:GetObject", OBJECTS), ("s3:ListBucket", THE_BUCKET), ("kms:Decrypt", &key)]);
    bench.run("rotate s3://bench/ -e sse-s3 --dry-run").ok();
    bench.run("rotate s3://bench/o --key a.key --dry-run").ok();
}

#[test]
fn a_put_that_replaces_nothing_needs_no_permission_to_look() {
    let bench = bench();
    allow(&bench, &[("s3:PutObject", OBJECTS)]);
    bench.run("put small s3://bench/o --no-clobber").ok();
    bench.run("put small s3://bench/o --no-clobber").exits(8);
}

#[test]
fn an_audit_of_all_versions_needs_two_actions() {
    let bench = bench();
    bench.sandbox.s3().set_versioning(BUCKET);
    bench.run("put small s3://bench/o -e sse-kms --kms-key alias/backup").ok();
    allow(&bench, &[("s3:ListBucketVersions", THE_BUCKET), ("s3:GetObjectVersion", OBJECTS)]);
    let audit = "inspect -q s3://bench/ --all-versions --only-unexpected --format csv --expect";
    bench.run(&format!("{audit} sse-kms")).ok();
    bench.run(&format!("{audit} client")).exits(8);
}

#[test]
fn a_test_restore_needs_what_get_needs() {
    let bench = bench();
    let key = bench.sandbox.kms().create_key().to_string();
    bench.run(&format!("put small s3://bench/kms -e sse-kms --kms-key {key}")).ok();
    bench.run(&format!("put small s3://bench/client -e client --kms-key {key}")).ok();
    let line = format!("inspect -q --read-data s3://bench/ --kms-key {key}");
    let reading = [("s3:GetObject", OBJECTS), ("s3:ListBucket", THE_BUCKET)];
    allow(&bench, &[&reading[..], &[("kms:Decrypt", &key)]].concat());
    bench.run(&line).ok();
    allow(&bench, &reading);
    bench.run(&line).exits(9).says(&["s3://bench/kms: ", "s3://bench/client: ", "kms:Decrypt"]);
    bench.run("inspect -q s3://bench/").ok();
}

#[test]
fn what_does_not_exist_is_told_apart_only_with_the_permission_to_list() {
    let bench = bench();
    allow(&bench, &[("s3:GetObject", OBJECTS)]);
    bench.run("get s3://bench/o target").exits(4);
    allow(&bench, &[("s3:GetObject", OBJECTS), ("s3:ListBucket", THE_BUCKET)]);
    bench.run("get s3://bench/o target").exits(3);
}

/// The recipe "A backup host that can add and not remove", with the commands and the policy of the manual.
#[test]
fn a_backup_host_can_add_and_not_remove() {
    let manual = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("man/s3seal-recipes.7.md");
    let manual = std::fs::read_to_string(manual).unwrap();
    let line = |beginning: &str| {
        let mut lines = manual.lines().filter(|line| line.starts_with(beginning));
        let line = lines.next().unwrap().trim_start_matches("s3seal ").replace("s3://bucket/", "s3://bench/");
        assert_eq!(lines.next(), None, "one recipe begins so");
        line
    };
    let bench = Bench::new();
    let s3 = bench.sandbox.s3();
    s3.set_object_lock(BUCKET);
    for (name, key) in [("seal.pem", "rsa_a.pub.pem"), ("open.pem", "rsa_a.pem")] {
        bench
            .write(name, &std::fs::read(format!("{}/tests/keys/{key}", env!("CARGO_MANIFEST_DIR"))).unwrap());
    }
    let places = Places { bucket: BUCKET.to_owned(), key: String::new(), old_key: String::new() };
    let policy = printed("put.client+lock")[0].json(&places, None);
    let mut policy: Value = serde_json::from_str(&policy).unwrap();
    let actions = policy["Statement"][0]["Action"].as_array_mut().unwrap();
    actions.retain(|action| !action.as_str().unwrap().contains("LegalHold"));
    bench.sandbox.user().set_policy(&policy.to_string());
    let put = line("s3seal put --public-key seal.pem --lock-mode");
    bench.write("backup.tar", b"the backup");
    bench.run(&put).ok();
    let version = bench.object("db/backup.tar").version_id;
    // Whoever breaks in writes something else.
    bench.write("backup.tar", b"garbage");
    bench.run("put backup.tar s3://bench/db/backup.tar").ok();
    bench.run(&put).ok();
    bench.run("get -r s3://bench/ all").exits(4);
    assert!(
        s3.try_delete(BUCKET, "db/backup.tar", &version, false).is_err(),
        "no administrator by accident either"
    );
    bench.sandbox.user().clear_policy();
    let get = line("s3seal get --private-key open.pem --version-id").replace("ID", &version);
    bench.run(&format!("{get} restored")).ok();
    assert_eq!(bench.read("restored"), b"the backup");
}

#[test]
fn a_rotation_that_may_not_read_what_it_must_keep_says_how_to_go_on() {
    let bench = bench();
    bench.run("put small s3://bench/o -e sse-s3").ok();
    bench.run("put small s3://bench/p/o -e sse-s3").ok();
    let mut allowed = vec![("s3:GetObject", OBJECTS), ("s3:PutObject", OBJECTS)];
    for (action, loss) in [("s3:GetObjectAcl", "acl"), ("s3:GetObjectTagging", "tags")] {
        allow(&bench, &allowed);
        let hint = format!("or --accept-loss {loss} goes on without it");
        let denied = bench.run("rotate s3://bench/o --key a.key --yes").exits(4);
        denied.says(&[&format!("cannot be read: {action} is not allowed"), &hint]);
        allowed.push((action, OBJECTS));
    }
    allow(&bench, &[("s3:ListBucket", THE_BUCKET), ("s3:GetObject", OBJECTS), ("s3:PutObject", OBJECTS)]);
    let many = bench.run("rotate s3://bench/p/ --key a.key --yes").exits(9);
    many.says(&["failed: s3://bench/p/o was not changed", "s3:GetObjectAcl", "--accept-loss acl"]);
    let line = "rotate s3://bench/p/ --key a.key --yes --accept-loss acl --accept-loss tags";
    bench.run(line).ok();
}
