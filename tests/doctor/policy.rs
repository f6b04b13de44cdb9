//! `--policy`: with the policy printed the verb works, and without any one of its actions it does not, or says what it
//! could not do. `tests/permissions` tries the policies of the manual in the same way.

use serde_json::Value;

use crate::support::keys::KnownKey;
use crate::support::{BUCKET, Bench, Ended, at_once, bytes};

const USER: &str = "arn:aws:iam::111122223333:user/sandbox";

/// A verb with the policy for it.
struct Case {
    /// What is there before.
    before: &'static str,
    /// The words that ask for the policy.
    policy: &'static str,
    run: &'static str,
    /// Actions that are needed only if something fails, or on AWS alone.
    unseen: &'static [&'static str],
}

const ABORT: &[&str] = &["s3:AbortMultipartUpload"];
const ON_AWS: &[&str] = &["s3:AbortMultipartUpload", "s3:ListObjectAnnotations"];

const CASES: [Case; 29] = [
    case("", "s3://bench/db/ --policy put", "put small s3://bench/db/o", ABORT),
    case("", "s3://bench --policy put -e sse-s3", "put small s3://bench/o -e sse-s3", ABORT),
    case(
        "",
        "s3://bench/db/ --policy put -e sse-kms --kms-key KEY",
        "put large --part-size 5MiB s3://bench/db/o -e sse-kms --kms-key KEY",
        ABORT,
    ),
    case("", "s3://bench/db/ --policy put -e sse-kms", "put small s3://bench/db/o -e sse-kms", ABORT),
    case("", "s3://bench/db/ --policy put -e sse-c", "put small s3://bench/db/o --sse-c-key a.key", ABORT),
    case("", "s3://bench/db/o --policy put -e client", "put small s3://bench/db/o --key a.key", ABORT),
    case(
        "",
        "s3://bench/db/ --policy put -e client --kms-key KEY",
        "put small s3://bench/db/o -e client --kms-key KEY",
        ABORT,
    ),
    case(
        "",
        "s3://bench/db/ --policy put -e client --instruction-file",
        "put small s3://bench/db/o --key a.key --instruction-file",
        ABORT,
    ),
    case(
        "put small s3://bench/db/gone",
        "s3://bench/db/ --policy put --with update,delete --with tags,acl",
        "put -r tree s3://bench/db/ --update --delete --yes --max-delete 100% --tag a=b --acl private",
        ABORT,
    ),
    case(
        "LOCK",
        "s3://bench/db/ --policy put --with lock",
        "put small s3://bench/db/o --lock-mode governance --retain-until 30d --legal-hold",
        ABORT,
    ),
    case(
        "",
        "s3://bench/db/ --policy put -e client --at-rest sse-kms:KEY",
        "put large --part-size 5MiB s3://bench/db/o --key a.key --at-rest sse-kms:KEY",
        ABORT,
    ),
    case(
        "",
        "s3://bench/db/ --policy put -e client --kms-key OLD --at-rest dsse-kms:KEY",
        "put large --part-size 5MiB s3://bench/db/o -e client --kms-key OLD --at-rest dsse-kms:KEY",
        ABORT,
    ),
    case(
        "put small s3://bench/db/o --key a.key --at-rest sse-kms:KEY",
        "s3://bench/db/o --policy get -e client --at-rest sse-kms:KEY",
        "get s3://bench/db/o target --key a.key",
        &[],
    ),
    case(
        "put small s3://bench/db/o --key a.key --at-rest sse-kms:KEY",
        "s3://bench/db/o --policy inspect -e client --at-rest sse-kms:KEY",
        "inspect s3://bench/db/o --key a.key --json",
        &[],
    ),
    case(
        "put small s3://bench/db/o --key a.key --at-rest sse-kms:KEY",
        "s3://bench/db/o --policy rotate -e client --from client --at-rest sse-kms:KEY",
        "rotate s3://bench/db/o --rewrap --key b.key --from-key a.key --at-rest sse-kms:KEY --yes",
        ON_AWS,
    ),
    case("put small s3://bench/db/o", "s3://bench/db/o --policy get", "get s3://bench/db/o target", &[]),
    case(
        "put small s3://bench/db/o -e sse-kms --kms-key KEY",
        "s3://bench/db/ --policy get -e sse-kms --kms-key KEY",
        "get -r s3://bench/db/ target",
        &[],
    ),
    case(
        "put small s3://bench/db/o",
        "s3://bench/db/ --policy inspect",
        "inspect s3://bench/db/ --json",
        &[],
    ),
    case("put small s3://bench/db/o", "s3://bench --policy inspect", "inspect s3://bench --json", &[]),
    case(
        "put small s3://bench/db/o -e sse-s3",
        "s3://bench/db/ --policy rotate -e sse-kms --kms-key KEY",
        "rotate s3://bench/db/ -e sse-kms --kms-key KEY --yes",
        ON_AWS,
    ),
    case(
        "put small s3://bench/db/o -e sse-kms --kms-key OLD --tag a=b --acl public-read",
        "s3://bench/db/ --policy rotate -e dsse-kms --kms-key KEY --from sse-kms --from-kms-key OLD --with tags,acl",
        "rotate s3://bench/db/ -e dsse-kms --kms-key KEY --yes",
        ON_AWS,
    ),
    case(
        "put small s3://bench/db/o -e sse-s3",
        "s3://bench/db/ --policy rotate -e sse-kms --kms-key KEY --with scratch-object",
        "rotate s3://bench/db/ -e sse-kms --kms-key KEY --update-in-place --yes",
        ON_AWS,
    ),
    case(
        "put small s3://bench/db/o --key a.key",
        "s3://bench/db/ --policy rotate -e client --from client",
        "rotate s3://bench/db/ --rewrap --key b.key --from-key a.key --yes",
        ON_AWS,
    ),
    case(
        "put small s3://bench/db/o --key a.key",
        "s3://bench/db/ --policy rotate -e client --format esdk --from client",
        "rotate s3://bench/db/ --key b.key --format esdk --from-key a.key --yes",
        ON_AWS,
    ),
    case(
        "put small s3://bench/db/o --key a.key",
        "s3://bench/db/ --policy rotate -e sse-s3 --from client",
        "rotate s3://bench/db/ -e sse-s3 --from-key a.key --yes",
        ON_AWS,
    ),
    case(
        "put small s3://bench/db/o --key a.key",
        "s3://bench/db/o --policy rotate -e sse-s3 --from client",
        "rotate s3://bench/db/o -e sse-s3 --from-key a.key --yes",
        ON_AWS,
    ),
    case(
        "put small s3://bench/db/o -e sse-s3",
        "s3://bench/db/o --policy rotate -e sse-kms --kms-key KEY --with scratch-object",
        "rotate s3://bench/db/o -e sse-kms --kms-key KEY --update-in-place --yes",
        ON_AWS,
    ),
    case(
        "",
        "s3://bench/db/ --policy batch -e sse-kms --kms-key KEY --batch-role arn:aws:iam::111122223333:role/batch",
        "rotate s3://bench/db/ -e sse-kms --kms-key KEY --batch --batch-role arn:aws:iam::111122223333:role/batch --yes",
        &[],
    ),
    case("LEFT", "s3://bench/db/ --policy cleanup", "cleanup s3://bench/db/ --older-than 0s --yes", &[]),
];

const fn case(
    before: &'static str,
    policy: &'static str,
    run: &'static str,
    unseen: &'static [&'static str],
) -> Case {
    Case { before, policy, run, unseen }
}

/// A bench on which a case is run once.
struct Stage {
    bench: Bench,
    key: String,
    old_key: String,
}

impl Stage {
    fn new(case: &Case) -> Self {
        let bench = Bench::new();
        for (name, seed) in [("a.key", 1), ("b.key", 2)] {
            bench.write(name, KnownKey::new(seed).hex().as_bytes());
        }
        bench.write("small", b"content");
        bench.write("large", &bytes(6 << 20));
        std::fs::create_dir(bench.path("tree")).unwrap();
        bench.write("tree/o", b"content");
        let kms = bench.sandbox.kms();
        let (key, old_key) = (kms.create_key().to_string(), kms.create_key().to_string());
        let stage = Self { bench, key, old_key };
        let s3 = stage.bench.sandbox.s3();
        match case.before {
            "" => {}
            "LOCK" => s3.set_object_lock(BUCKET),
            "LEFT" => {
                s3.put_plain(BUCKET, "db/.s3seal-scratch-0123456789abcdef", b"tried");
                s3.begin_upload(BUCKET, "db/large");
                stage.run("put small s3://bench/db/o --key b.key --instruction-file").ok();
                let version = s3.object(BUCKET, "db/o").unwrap().version_id;
                s3.try_delete(BUCKET, "db/o", &version, false).unwrap();
            }
            line => drop(stage.run(line).ok()),
        }
        stage
    }

    fn run(&self, line: &str) -> Ended {
        self.bench.run(&line.replace("KEY", &self.key).replace("OLD", &self.old_key))
    }

    /// The document that `doctor` prints.
    fn printed(&self, words: &str) -> Value {
        let ended = self.run(&format!("doctor {words}")).ok();
        serde_json::from_slice(&ended.stdout).unwrap()
    }
}

/// Each action of a policy, as statement and place in it.
fn parts(policy: &Value) -> Vec<(usize, usize, String)> {
    let statements = policy["Statement"].as_array().unwrap().iter().enumerate();
    let parts = statements.flat_map(|(number, statement)| {
        let actions = statement["Action"].as_array().unwrap().iter().enumerate();
        actions.map(move |(place, action)| (number, place, action.as_str().unwrap().to_owned()))
    });
    parts.collect()
}

/// The policy without one of its actions, and without statements that have none left.
fn without(policy: &Value, statement: usize, place: usize) -> String {
    let mut policy = policy.clone();
    let statements = policy["Statement"].as_array_mut().unwrap();
    statements[statement]["Action"].as_array_mut().unwrap().remove(place);
    statements.retain(|statement| statement["Action"] != serde_json::json!([]));
    if statements.is_empty() {
        statements.push(serde_json::json!({ "Effect": "Deny", "Action": "*", "Resource": "*" }));
    }
    policy.to_string()
}

#[test]
fn a_verb_works_with_the_policy_printed_and_without_any_action_of_it_does_not() {
    let wrong = std::sync::Mutex::new(Vec::new());
    at_once(&CASES, |case| {
        let stage = Stage::new(case);
        let policy = stage.printed(case.policy);
        stage.bench.sandbox.user().set_policy(&policy.to_string());
        let ended = stage.run(case.run);
        if ended.code() != Some(0) {
            wrong.lock().unwrap().push(format!("{}: {policy}\n{}", case.policy, ended.stderr));
        }
        for (statement, place, action) in parts(&policy) {
            if case.unseen.contains(&action.as_str()) {
                continue;
            }
            let stage = Stage::new(case);
            // Keys are other ones on each bench.
            let policy = stage.printed(case.policy);
            stage.bench.sandbox.user().set_policy(&without(&policy, statement, place));
            let ended = stage.run(case.run);
            let text = format!("{}{}", String::from_utf8_lossy(&ended.stdout), ended.stderr);
            if !text.contains(action.trim_end_matches('*')) {
                let code = ended.code();
                wrong.lock().unwrap().push(format!("{} without {action}: {code:?} {text}", case.policy));
            }
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// An access point, which in the sandbox has the name of its bucket. A host of its own leads there, which only a proxy
/// knows.
const POINT: &str = "arn:aws:s3:us-east-1:111122223333:accesspoint/bench";

fn through_the_access_point(bench: &Bench, line: &str) -> Ended {
    let line = format!("{} --endpoint-url http://s3.example", line.replace("POINT", POINT));
    bench.s3seal(line.split_whitespace()).with("HTTP_PROXY", bench.sandbox.http_endpoint()).run()
}

#[test]
fn through_an_access_point_a_verb_needs_what_is_printed_for_it() {
    let plain = "put small s3://bench/db/o";
    let client_side = "put small s3://bench/db/o --key a.key";
    for (before, policy, run) in [
        (plain, "s3://POINT/db/ --policy put", "put small s3://POINT/db/new"),
        (plain, "s3://POINT/db/ --policy put -e client", "put small s3://POINT/db/new --key a.key"),
        (plain, "s3://POINT/db/o --policy get", "get s3://POINT/db/o target"),
        (plain, "s3://POINT/db/ --policy get", "get -r s3://POINT/db/ target"),
        (plain, "s3://POINT/db/ --policy inspect", "inspect s3://POINT/db/ --json"),
        (plain, "s3://POINT --policy inspect", "inspect s3://POINT/ --json"),
        (
            client_side,
            "s3://POINT/db/ --policy rotate -e client --from client",
            "rotate s3://POINT/db/ --rewrap --key b.key --from-key a.key --yes",
        ),
        (
            client_side,
            "s3://POINT/db/o --policy rotate -e client --format esdk --from client",
            "rotate s3://POINT/db/o --key b.key --format esdk --from-key a.key --yes",
        ),
        (
            client_side,
            "s3://POINT/db/o --policy rotate -e sse-s3 --from client",
            "rotate s3://POINT/db/o -e sse-s3 --from-key a.key --yes",
        ),
    ] {
        let prepared = || {
            let bench = Bench::hostile();
            bench.write("small", b"content");
            bench.write("a.key", KnownKey::new(1).hex().as_bytes());
            bench.write("b.key", KnownKey::new(2).hex().as_bytes());
            bench.run(before).ok();
            bench
        };
        let tried = |without_part: Option<(usize, usize)>| {
            let bench = prepared();
            let printed = through_the_access_point(&bench, &format!("doctor {policy}")).ok();
            let printed = printed.says(&["leave that to the bucket's access points"]);
            let policy: Value = serde_json::from_slice(&printed.stdout).unwrap();
            bench.sandbox.user().set_policy(&match without_part {
                None => policy.to_string(),
                Some((statement, place)) => without(&policy, statement, place),
            });
            (policy, through_the_access_point(&bench, run))
        };
        let (policy, ended) = tried(None);
        ended.ok();
        for (statement, place, action) in parts(&policy) {
            let (_, ended) = tried(Some((statement, place)));
            let text = format!("{}{}", String::from_utf8_lossy(&ended.stdout), ended.stderr);
            assert!(
                ON_AWS.contains(&action.as_str()) || text.contains(&action),
                "{run} without {action}: {text}"
            );
        }
        // The bucket's own name is another resource.
        let bench = prepared();
        bench.sandbox.user().set_policy(&policy.to_string());
        bench.run(&run.replace("POINT", "bench")).exits(4);
    }
}

#[test]
fn the_policy_of_a_key_lets_one_user_use_it() {
    let cases = [
        ("put -e sse-kms", "put large --part-size 5MiB s3://bench/db/o -e sse-kms --kms-key KEY", ""),
        ("put -e client", "put small s3://bench/db/o -e client --kms-key KEY", ""),
        (
            "get -e client",
            "get s3://bench/db/o target --kms-key KEY",
            "put small s3://bench/db/o -e client --kms-key KEY",
        ),
        (
            "rotate -e sse-kms",
            "rotate s3://bench/db/o -e sse-kms --kms-key KEY --yes",
            "put small s3://bench/db/o",
        ),
    ];
    for (policy, run, before) in cases {
        let words = format!("s3://bench/db/ --policy {policy} --kms-key KEY");
        let tried = |without_action: Option<usize>| {
            let stage = Stage::new(&case("", "", "", &[]));
            if !before.is_empty() {
                stage.run(before).ok();
            }
            let mut identity = stage.printed(&words);
            identity["Statement"].as_array_mut().unwrap().retain(|statement| statement["Sid"] != "Key");
            let mut policy = stage.printed(&format!("{words} --key-policy-for {USER}"));
            let statements = policy["Statement"].as_array_mut().unwrap();
            // The first one leaves it to the policies of the account, which say nothing of the key here.
            assert_eq!(statements[0]["Principal"]["AWS"], "arn:aws:iam::111122223333:root");
            stage.bench.sandbox.user().set_policy(&identity.to_string());
            let actions = statements[1]["Action"].as_array_mut().unwrap();
            let removed = without_action.map(|place| actions.remove(place));
            let count = actions.len();
            if count == 0 {
                statements.remove(1);
            }
            stage.bench.sandbox.kms().set_key_policy(&stage.key, &policy.to_string());
            (stage.run(run), count, removed)
        };
        let (ended, count, _) = tried(None);
        ended.ok();
        for place in 0..count {
            let (ended, _, removed) = tried(Some(place));
            let action = removed.unwrap();
            ended.exits(4).says(&[action.as_str().unwrap().trim_end_matches('*')]);
        }
    }
}

#[test]
fn a_policy_is_printed_without_network_and_credentials() {
    let bench = Bench::new();
    let mut program = bench.s3seal(["doctor", "s3://bench/db/", "--policy", "put", "-e", "client"]);
    for (name, _) in bench.sandbox.env() {
        program = program.without(&name);
    }
    let ended = program.run().ok();
    let policy: Value = serde_json::from_slice(&ended.stdout).unwrap();
    assert_eq!(policy["Statement"][0]["Resource"], "arn:aws:s3:::bench/db/*");
    assert!(bench.sandbox.requests().is_empty());
}

#[test]
fn what_a_policy_does_not_cover_is_said_beside_it() {
    let bench = Bench::new();
    let ended = bench.run("doctor s3://bench/db/ --policy put").ok();
    ended.says(&["not covered: objects with tags (--with tags)", "put --delete (--with delete)"]);
    let ended = bench.run("doctor s3://bench/db/ --policy rotate -e sse-s3 --from sse-c --with tags").ok();
    let ended = ended.says(&["for objects in sse-c, by copies within S3"]);
    assert!(!ended.stderr.contains("--with tags"), "{}", ended.stderr);
    let arn = bench.sandbox.kms().create_key();
    let ended = bench.run(&format!("doctor s3://bench --policy get -e sse-kms --kms-key {arn} -q")).ok();
    assert_eq!(ended.stderr, "");
}

#[test]
fn where_the_key_at_rest_has_a_policy_of_its_own_the_command_named_prints_it() {
    let bench = Bench::new();
    let [key, at_rest] = [(), ()].map(|()| bench.sandbox.kms().create_key().to_string());
    let line = format!(
        "doctor s3://bench/db/ --policy put -e client --kms-key {key} --at-rest sse-kms:{at_rest} --key-policy-for {USER}"
    );
    let named = format!("-e sse-kms --kms-key {at_rest}");
    bench.run(&line).ok().says(&[&format!("not covered: the key of --at-rest; {named} prints its policy")]);
    let line = format!("doctor s3://bench/db/ --policy put {named} --key-policy-for {USER}");
    let policy: Value = serde_json::from_slice(&bench.run(&line).ok().stdout).unwrap();
    assert_eq!(policy["Statement"][1]["Action"], serde_json::json!(["kms:Decrypt", "kms:GenerateDataKey"]));
}

#[test]
fn beside_the_policy_each_key_is_named_whose_own_policy_must_allow_the_same() {
    let bench = Bench::new();
    let arn = || bench.sandbox.kms().create_key().to_string();
    let (key, at_rest) = (arn(), arn());
    let of = |name: &str| {
        format!("the policy of {name} must allow it too, unless it leaves that to the account's")
    };
    let named = format!("-e sse-kms --kms-key {at_rest} with --key-policy-for ARN prints it");
    let beside = |words: &str| bench.run(&format!("doctor s3://bench/db/ --policy {words}")).ok();
    let ended = beside(&format!("put -e client --at-rest sse-kms:{at_rest}"));
    let ended = ended.says(&[&of("the key of --at-rest"), &named]);
    assert!(!ended.stderr.contains(&of("the KMS key")), "{}", ended.stderr);
    beside(&format!("put -e client --kms-key {key} --at-rest sse-kms:{at_rest}")).says(&[
        &of("the KMS key"),
        &of("the key of --at-rest"),
        &named,
    ]);
    beside(&format!("rotate -e sse-s3 --from sse-kms --from-kms-key {key}"))
        .says(&[&of("the key of --from-kms-key"), "(statement OldKey)"]);
}

#[test]
fn a_policy_names_the_part_of_aws_that_it_is_for() {
    let bench = Bench::new();
    let resource = |words: &str| {
        let ended = bench.run(&format!("doctor s3://bench/db/ --policy {words}")).ok();
        let policy: Value = serde_json::from_slice(&ended.stdout).unwrap();
        policy["Statement"][0]["Resource"].as_str().unwrap().to_owned()
    };
    assert_eq!(resource("put --region cn-north-1"), "arn:aws-cn:s3:::bench/db/*");
    assert_eq!(resource("put --region us-gov-west-1"), "arn:aws-us-gov:s3:::bench/db/*");
    let key = "arn:aws-cn:kms:cn-north-1:111122223333:key/1234abcd";
    assert_eq!(resource(&format!("get -e sse-kms --kms-key {key}")), "arn:aws-cn:s3:::bench/db/*");
}
