//! `--config-profile`: flags by a name.

use crate::Ruled;

#[test]
fn a_profile_gives_flags_of_every_kind_unless_they_are_typed() {
    let ruled = Ruled::new(
        "[profile.backup]\nstorage-class = \"STANDARD_IA\"\nprogress = \"never\"\nmetadata = { app = \"db\", tier = \"1\" }\njson = true\n\
         part-size = \"5MiB\"\nexpect = [\"client\", \"sse-s3\"]\n",
    );
    let json = ruled.run("put source s3://bench/object --config-profile backup").ok().json();
    assert_eq!(json["encryption"]["mode"], "sse-s3");
    let object = ruled.bench.object("object");
    assert_eq!(object.storage_class.as_deref(), Some("STANDARD_IA"));
    assert_eq!(object.metadata["app"], "db");
    // Flags that another verb has do no harm, and count there.
    let seen = ruled.run("inspect s3://bench/object --config-profile backup").ok().json();
    assert_eq!(seen["as_expected"], true);
    // A flag may also be typed before the verb.
    ruled.run("--progress plain put source s3://bench/object --config-profile backup --storage-class GLACIER_IR").ok();
    assert_eq!(ruled.bench.object("object").storage_class.as_deref(), Some("GLACIER_IR"));
}

#[test]
fn a_profiles_encryption_goes_before_a_rules_and_after_what_is_typed() {
    let ruled = Ruled::new(
        "[[rule]]\nmatch = \"s3://bench/\"\nencrypt = \"sse-s3\"\n\n\
         [profile.p]\nencrypt = \"sse-kms\"\nkms-key = \"alias/backup\"\nbucket-key = true\n",
    );
    let mode = |flags: &str| {
        let json = ruled.run(&format!("put source s3://bench/object --json {flags}")).ok().json();
        json["encryption"]["mode"].as_str().unwrap().to_owned()
    };
    assert_eq!(mode(""), "sse-s3");
    assert_eq!(mode("--config-profile p"), "sse-kms");
    assert_eq!(mode("--config-profile p --sse-c-key key"), "sse-c");
}

#[test]
fn files_that_a_profile_makes_recursive_are_held_to_the_rules_below() {
    let ruled = Ruled::new(
        "[[rule]]\nmatch = \"s3://bench/\"\nencrypt = \"sse-s3\"\n\n\
         [[rule]]\nmatch = \"s3://bench/db/\"\nencrypt = \"sse-kms\"\n\n\
         [profile.tree]\nrecursive = true\n\n[profile.one]\nrecursive = false\n",
    );
    std::fs::create_dir_all(ruled.bench.path("photos/db")).unwrap();
    ruled.bench.write("photos/db/x", b"text");
    let said = [&*ruled.at(5), "chooses another encryption for s3://bench/db/"];
    ruled.run("put photos s3://bench/ --config-profile tree").exits(2).says(&said);
    ruled.assert_nothing_sent();
    // One file keeps its name, as if nothing were said.
    ruled.bench.write("db", b"text");
    ruled.run("put db s3://bench/ --config-profile one").ok();
}

#[test]
fn a_profile_that_is_not_there_is_told_with_the_file_that_was_read() {
    let ruled = Ruled::new("");
    let ended = ruled.run("put source s3://bench/object --config-profile nope").exits(2);
    assert!(!ended.stderr.contains("/etc/s3seal"), "{}", ended.stderr);
    ended.says(&["no configuration file has [profile.nope]", "by S3SEAL_CONFIG"]);
}

#[test]
fn a_profile_may_have_what_the_line_lacks() {
    let ruled = Ruled::new("[profile.audit]\nexpect = \"client\"\n");
    ruled.run("put source s3://bench/object").ok();
    ruled.run("inspect s3://bench/ --only-unexpected").exits(2);
    ruled.run("inspect s3://bench/ --only-unexpected --config-profile audit").exits(8);
}

#[test]
fn a_profile_that_does_not_exist_or_has_an_unknown_flag_is_refused() {
    let ruled = Ruled::new("[profile.backup]\nquiet = true\n");
    let ended = ruled.run("put source s3://bench/object --config-profile bakcup").exits(2);
    ended.says(&["no configuration file has [profile.bakcup]", "the nearest name is backup"]);
    ruled.configure("[profile.backup]\nquite = true\n");
    let ended = ruled.run("put source s3://bench/object").exits(2);
    ended.says(&[&ruled.at(2), "quite is not the long name of a flag", "the nearest name is quiet"]);
    ruled.configure("[profile.backup]\noverride-rules = true\n");
    ruled.run("put source s3://bench/object").exits(2).says(&["is for the command line only"]);
    // Of what is wrong with a flag the file is named.
    ruled.configure("[profile.backup]\npart-size = \"much\"\n");
    let ended = ruled.run("put source s3://bench/object --config-profile backup").exits(2);
    ended.says(&[&format!("--part-size is from {}", ruled.at(2))]);
    ruled.assert_nothing_sent();
}
