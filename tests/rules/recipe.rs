//! The cron line of s3seal-recipes(7), as it stands there: safe because of its rule, and what becomes of it when the
//! rule, its key or the bucket changes.

use std::fs;
use std::path::Path;

use s3seal_sandbox::Config;

use crate::Ruled;
use crate::support::{Ended, Program};

/// The block after a line of the recipe, between its fences.
fn block(language: &str) -> String {
    let page =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("man/s3seal-recipes.7.md")).unwrap();
    let (_, recipe) = page.split_once("## From cron, with a rule").unwrap();
    let (_, block) = recipe.split_once(&format!("```{language}\n")).unwrap();
    block.split_once("```").unwrap().0.to_owned()
}

/// The recipe's rule, with the bench's key in place of the one in /etc.
fn rule() -> String {
    block("toml").replace("/etc/s3seal/seal.pem", "FILES/rsa_a.pub.pem")
}

fn ruled(toml: &str) -> Ruled {
    let mut ruled = Ruled::new(toml);
    let sandbox = s3seal_sandbox::Sandbox::start(Config::with_buckets(["backup"])).unwrap();
    ruled.bench.sandbox = std::sync::Arc::new(sandbox);
    fs::create_dir_all(ruled.bench.path("backups/deep")).unwrap();
    ruled.bench.write("backups/deep/a.sql", b"text");
    ruled
}

/// Runs the line as cron does: what stands behind the five fields. The line before it says where the program is.
fn cron(ruled: &Ruled) -> Ended {
    let lines = block("crontab");
    let (path, line) = lines.split_once('\n').unwrap();
    assert_eq!(path, "PATH=/usr/local/bin:/usr/bin:/bin");
    let command: Vec<&str> = line.split_whitespace().skip(5).collect();
    assert_eq!(command.join(" "), "s3seal put -q -r /var/backups s3://backup/db/");
    let command = command.join(" ").replace("/var/backups", "backups");
    let program: Program = ruled.program(command.trim_start_matches("s3seal "));
    program.run()
}

fn stored(ruled: &Ruled) -> Vec<String> {
    ruled.bench.sandbox.s3().keys("backup")
}

#[test]
fn the_cron_line_is_safe_because_of_its_rule() {
    let ruled = ruled(&rule());
    let ended = cron(&ruled).ok().writes_nothing();
    assert_eq!(ended.stderr, "");
    assert_eq!(stored(&ruled), ["db/deep/a.sql"]);
    let seen = ruled.run("inspect s3://backup/db/deep/a.sql --json").ok().json();
    assert_eq!(seen["encryption"]["mode"], "client");
    ruled.run("get s3://backup/db/deep/a.sql back --private-key rsa_a.pem").ok();
    assert_eq!(ruled.bench.read("back"), b"text");
}

#[test]
fn the_example_of_the_manual_does_what_it_says() {
    let page =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("man/s3seal-config.7.md")).unwrap();
    let (_, example) = page.split_once("```toml\n").unwrap();
    let (example, _) = example.split_once("```").unwrap();
    let ruled = ruled(&example.replace("/etc/s3seal/seal.pem", "FILES/rsa_a.pub.pem"));
    let put = "put source s3://backup/db/object --config-profile backup --region us-east-1";
    assert_eq!(ruled.run(put).ok().stderr, "");
    let seen = ruled.run("inspect s3://backup/db/object --json").ok().json();
    assert_eq!(
        (&seen["encryption"]["format"], &seen["storage_class"]),
        (&"esdk".into(), &"STANDARD_IA".into())
    );
    assert_eq!(seen["client"]["encryption_context"]["app"], "db");
    ruled.run("put source s3://backup/db/object -e sse-s3").exits(8);
}

#[test]
fn without_the_rules_key_the_cron_line_stores_nothing() {
    let ruled = ruled(&rule());
    fs::remove_file(ruled.bench.path("rsa_a.pub.pem")).unwrap();
    cron(&ruled).exits(5).says(&["--public-key: cannot read", "--public-key is from"]);
    assert!(stored(&ruled).is_empty());
}

#[test]
fn with_a_weaker_rule_the_cron_line_stores_nothing() {
    // Somebody changes how to encrypt, or leaves it out, and not what is demanded.
    for weaker in [
        rule().replace("encrypt = \"client\"", "encrypt = \"sse-s3\"").replace("public-key", "# public-key"),
        rule().replace("encrypt = \"client\"", "# encrypt").replace("\npublic-key", "\n# public-key"),
    ] {
        let ruled = ruled(&weaker);
        cron(&ruled).exits(8).says(&["demands client-side", "config.toml:"]);
        ruled.assert_nothing_sent();
    }
}

#[test]
fn to_another_accounts_bucket_the_cron_line_stores_nothing() {
    let mut ruled = ruled(&rule());
    let config = Config { account: "999988887777".to_owned(), ..Config::with_buckets(["backup"]) };
    ruled.bench.sandbox = std::sync::Arc::new(s3seal_sandbox::Sandbox::start(config).unwrap());
    cron(&ruled).exits(9).says(&["db/deep/a.sql is denied"]);
    assert!(stored(&ruled).is_empty());
}

#[test]
fn to_a_bucket_that_is_gone_the_cron_line_stores_nothing() {
    let mut ruled = ruled(&rule());
    let sandbox = s3seal_sandbox::Sandbox::start(Config::with_buckets(["other"])).unwrap();
    ruled.bench.sandbox = std::sync::Arc::new(sandbox);
    cron(&ruled).exits(3).says(&["the bucket backup does not exist"]);
    assert!(ruled.bench.sandbox.s3().keys("other").is_empty());
}
