//! Whose credentials are used: a profile named on the command line wins over the environment's keys.

use std::fs;

use sha1::{Digest as _, Sha1};

use crate::support::{Bench, Program};

/// The start page of a company's IAM Identity Center.
const START: &str = "https://corp.awsapps.example/start";

/// A bench whose profile `ours` has the sandbox's keys; the environment has those of nobody.
fn bench() -> Bench {
    let bench = Bench::new();
    bench.write("source", b"text");
    let set = bench.sandbox.env();
    let value =
        |name: &str| set.iter().find(|(found, _)| found == name).map(|(_, value)| value.clone()).unwrap();
    let credentials = format!(
        "[ours]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
        value("AWS_ACCESS_KEY_ID"),
        value("AWS_SECRET_ACCESS_KEY")
    );
    bench.write("credentials", credentials.as_bytes());
    let sso = "sso_account_id = 111122223333\nsso_role_name = reader\n";
    let config = format!(
        "[profile empty]\nregion = us-east-1\n\
         [profile corp]\nsso_session = corp\n{sso}\
         [sso-session corp]\nsso_region = us-east-1\nsso_start_url = {START}\nsso_registration_scopes = sso:account:access\n\
         [profile old]\nsso_start_url = {START}\nsso_region = us-east-1\n{sso}"
    );
    bench.write("config", config.as_bytes());
    bench
}

fn program<'a>(bench: &'a Bench, flags: &'a str) -> Program {
    let line = ["put", "source", "s3://bench/object", "--max-attempts", "1"];
    let program = bench.s3seal(line.into_iter().chain(flags.split_whitespace()));
    let files = program
        .with("AWS_CONFIG_FILE", bench.path("config"))
        .with("AWS_SHARED_CREDENTIALS_FILE", bench.path("credentials"));
    files.with("AWS_ACCESS_KEY_ID", "AKIANOBODYKNOWS00000").with("AWS_SECRET_ACCESS_KEY", "nothing")
}

#[test]
fn a_profile_on_the_command_line_wins_over_the_keys_in_the_environment() {
    let bench = bench();
    program(&bench, "--profile ours").run().ok();
    program(&bench, "").run().exits(4).says(&["is not known to the service"]);
    // The SDK's own order, as every other of its programs has it.
    program(&bench, "").with("AWS_PROFILE", "ours").run().exits(4);
}

#[test]
fn a_profile_that_is_not_there_is_named_and_nothing_is_sent() {
    let bench = bench();
    let config = bench.path("config").display().to_string();
    for verb in ["put source s3://bench/object", "get s3://bench/object -", "inspect s3://bench/object"] {
        let line = format!("{verb} --profile nosuch");
        let program = bench.s3seal(line.split(' ')).with("AWS_CONFIG_FILE", &config);
        program.run().exits(4).writes_nothing().says(&[
            "error: the profile nosuch was not found in",
            &config,
            "and ~/.aws/credentials",
            "hint: `aws configure list-profiles`",
        ]);
    }
    // With it the address of S3 and the region would be missing, which the environment's keys do not make up for.
    program(&bench, "")
        .with("AWS_PROFILE", "nosuch")
        .run()
        .exits(4)
        .says(&["the profile nosuch was not found in"]);
    assert!(bench.sandbox.requests().is_empty());
}

#[test]
fn a_variable_that_is_empty_is_not_set() {
    let bench = bench();
    let config = bench.write("default", b"[default]\nregion = cn-north-1\n");
    let program = bench.s3seal(["put", "source", "s3://not-there/object"]).without("AWS_DEFAULT_REGION");
    let ended = program.with("AWS_CONFIG_FILE", &config).with("AWS_PROFILE", "").with("AWS_REGION", "").run();
    ended.exits(1).says(&["is in region us-east-1, not cn-north-1"]);
}

#[test]
fn a_profile_without_credentials_does_not_borrow_those_of_the_environment() {
    let bench = bench();
    program(&bench, "--profile empty").run().exits(4).says(&["no AWS credentials were found"]);
    assert!(bench.sandbox.requests().is_empty());
}

#[test]
fn a_profile_that_needs_a_login_is_told_with_the_command_for_it() {
    let bench = bench();
    for name in ["corp", "old"] {
        let flags = format!("--profile {name}");
        let ended = program(&bench, &flags).run().exits(4);
        let hint = format!("hint: `aws sso login --profile {name}`, then run the same command again");
        ended.says(&["need an SSO login", &hint]);
        let by_variable = program(&bench, "").with("AWS_PROFILE", name);
        let by_variable = by_variable.without("AWS_ACCESS_KEY_ID").without("AWS_SECRET_ACCESS_KEY");
        by_variable.run().exits(4).says(&["need an SSO login", &hint]);
    }
    assert!(bench.sandbox.requests().is_empty());
}

#[test]
fn a_login_that_has_run_out_is_told_in_the_same_way() {
    let bench = bench();
    let cache = bench.home().join(".aws/sso/cache");
    fs::create_dir_all(&cache).unwrap();
    let token = format!(
        r#"{{"accessToken":"token","expiresAt":"2020-01-01T00:00:00Z","region":"us-east-1","startUrl":"{START}"}}"#
    );
    for (name, cached_by) in [("corp", "corp"), ("old", START)] {
        let file = Sha1::digest(cached_by).iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
        fs::write(cache.join(format!("{file}.json")), &token).unwrap();
        let flags = format!("--profile {name}");
        // What the old kind says of an expired login comes from the service, which no test may ask.
        let program = program(&bench, &flags).with("HTTPS_PROXY", "http://127.0.0.1:9");
        let ended = program.run().exits(4);
        if name == "corp" {
            ended.says(&["need an SSO login", "hint: `aws sso login --profile corp`"]);
        }
    }
}
