//! `--batch`: the job that is created, what is refused instead, and that one command makes one job.

use std::collections::BTreeMap;

use s3seal_sandbox::kms::KmsAction;
use s3seal_sandbox::s3::JobView;
use s3seal_sandbox::{Fault, Kind};
use serde_json::Value;

use crate::support::{ALIAS, BUCKET, Bench, Program};

const ROLE: &str = "arn:aws:iam::111122223333:role/batch";
const CONTROL: &str = "AWS_ENDPOINT_URL_S3_CONTROL";

/// The command for a prefix, with further words.
fn rotate(bench: &Bench, further: &str) -> Program {
    let line = format!("rotate s3://{BUCKET}/p/ --batch --batch-role {ROLE} {further}");
    bench.s3seal(line.split_whitespace())
}

/// To the key behind the bench's alias.
fn to_kms(bench: &Bench, further: &str) -> Program {
    rotate(bench, &format!("-e sse-kms --kms-key {ALIAS} {further}"))
}

fn only_job(bench: &Bench) -> JobView {
    let jobs = bench.sandbox.s3().jobs();
    assert_eq!(jobs.len(), 1, "{jobs:?}");
    jobs[0].clone()
}

/// Every value of a document, by its path.
fn leaves(value: &Value, path: &str, found: &mut BTreeMap<String, String>) {
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") };
    match value {
        Value::Object(members) if !members.is_empty() => {
            members.iter().for_each(|(name, value)| leaves(value, &below(name), found));
        }
        Value::Array(members) => members.iter().for_each(|value| leaves(value, path, found)),
        Value::Object(_) => drop(found.insert(path.to_owned(), String::new())),
        Value::String(text) => drop(found.insert(path.to_owned(), text.clone())),
        other => drop(found.insert(path.to_owned(), other.to_string())),
    }
}

/// What was sent, named as in JSON. The account goes in a header, and the token is the SDK's.
fn sent(job: &JobView) -> BTreeMap<String, String> {
    let named = |path: &str| {
        let names = path.split('/').filter(|name| *name != "member");
        let names: Vec<String> = names.map(|name| name.replace('-', "")).collect();
        names.join("/").replace("MatchAnyObjectEncryption/ObjectEncryption", "MatchAnyObjectEncryption")
    };
    let fields = job.fields.iter().map(|(path, text)| (named(path), text.clone()));
    fields.filter(|(path, _)| path != "ClientRequestToken").collect()
}

#[test]
fn a_job_is_created_as_the_dry_run_shows_it() {
    let bench = crate::bench();
    let old = bench.sandbox.kms().create_key().to_string();
    for (further, path, expected) in [
        ("", "Report/Prefix", "s3seal-batch"),
        (
            "--bucket-key",
            "Operation/S3UpdateObjectEncryption/ObjectEncryption/SSEKMS/BucketKeyEnabled",
            "true",
        ),
        ("--only sse-s3", "MatchAnyObjectEncryption/SSES3", ""),
        ("--only sse-kms", "MatchAnyObjectEncryption/SSEKMS", ""),
        (&format!("--only kms:{old}"), "MatchAnyObjectEncryption/SSEKMS/KmsKeyArn", &old),
        ("--include *.sql", "KeyNameConstraint/MatchAnySuffix", ".sql"),
        ("--include a&b*", "KeyNameConstraint/MatchAnyPrefix", "p/a&b"),
        ("--batch-report s3://reports/r/", "Report/Bucket", "arn:aws:s3:::reports"),
        ("--expected-bucket-owner 444455556666", "Report/ExpectedBucketOwner", "444455556666"),
    ] {
        let bench = crate::bench();
        let shown = to_kms(&bench, &format!("{further} --dry-run")).run().ok().stdout;
        let shown: Value = serde_json::from_slice(&shown).unwrap();
        let mut asked = BTreeMap::new();
        leaves(&shown, "", &mut asked);
        assert_eq!(asked.remove("AccountId").as_deref(), Some("111122223333"));
        to_kms(&bench, &format!("{further} --yes")).run().ok();
        let sent = sent(&only_job(&bench));
        assert_eq!(sent, asked, "{further}");
        let filter = "ManifestGenerator/S3JobManifestGenerator/Filter";
        let found = sent.get(path).or_else(|| sent.get(&format!("{filter}/{path}")));
        assert_eq!(found.map(String::as_str), Some(expected), "{further}: {path}");
    }
}

#[test]
fn the_id_is_printed_and_how_to_follow_the_job() {
    let bench = crate::bench();
    let ended = to_kms(&bench, "--yes --region us-east-1").run().ok();
    let job = only_job(&bench);
    assert_eq!(String::from_utf8(ended.stdout.clone()).unwrap(), format!("{}\n", job.id));
    let follow = format!(
        "aws s3control describe-job --account-id 111122223333 --job-id {} --region us-east-1",
        job.id
    );
    ended.says(&[
        &follow,
        "what stays: replicas, client-side encryption beneath, and older versions",
        "what fails: objects in dsse-kms or sse-c",
        "what failed is named below s3://bench/s3seal-batch/",
    ]);
    let arn = job.field("Operation/S3UpdateObjectEncryption/ObjectEncryption/SSE-KMS/KMSKeyArn").unwrap();
    assert!(arn.contains(":key/"), "{arn}");
    let request = &bench.requests("CreateJob")[0];
    assert_eq!(request.header("x-amz-account-id"), Some("111122223333"));
    assert!(request.over_tls);
    let told = to_kms(&bench, "--yes --json --only sse-s3").run().ok().json();
    assert_eq!(told["job_id"], bench.sandbox.s3().jobs()[1].id);
    assert_eq!(told["request"]["RoleArn"], ROLE);
}

#[test]
fn a_dry_run_and_an_unanswered_question_create_nothing() {
    let bench = crate::bench();
    let arn = "arn:aws:kms:us-east-1:111122223333:key/k";
    rotate(&bench, &format!("-e sse-kms --kms-key {arn} --dry-run"))
        .run()
        .ok()
        .says(&["no job was created", "--cli-input-json"]);
    assert!(bench.sandbox.requests().is_empty());
    to_kms(&bench, "").run().exits(2).writes_nothing().says(&["no terminal", "--yes"]);
    assert!(bench.requests("CreateJob").is_empty());
}

#[test]
fn what_no_job_can_do_is_refused_with_what_does_it() {
    let bench = crate::bench();
    let kms = format!("-e sse-kms --kms-key {ALIAS}");
    for (flags, says) in [
        ("-e sse-c --sse-c-key a.key", "cannot change objects to sse-c"),
        ("-e client --key a.key", "cannot change objects to client"),
        ("-e dsse-kms", "cannot change objects to dsse-kms"),
        ("-e sse-s3", "lose ACLs, storage classes, locks and maybe metadata"),
        (&format!("{kms} --context a=b"), "takes no --context"),
        (&format!("{kms} --all-versions"), "--all-versions does not go with --batch"),
        (&format!("{kms} --verify"), "--verify does not go with --batch"),
        (&format!("{kms} --from-key a.key"), "an old key does not go with --batch"),
        (&format!("{kms} --only sse-c"), "--only sse-c: a job takes"),
        (&format!("{kms} --only dsse-kms"), "--only dsse-kms: a job takes"),
        (&format!("{kms} --only key:abc"), "--only key:abc: a job takes"),
        (&format!("{kms} --only sse-s3 --only sse-kms"), "a job takes one of"),
        (&format!("{kms} --exclude *.tmp"), "takes one --include only"),
        (&format!("{kms} --include a*b"), "takes one --include only"),
        (&format!("{kms} --include */b"), "takes one --include only"),
    ] {
        rotate(&bench, &format!("{flags} --yes")).run().exits(2).says(&[says, "leave out --batch"]);
    }
    for (flags, says) in [
        ("-e sse-kms", "a job needs the new KMS key"),
        (&format!("{kms} --batch-report s3://reports/r"), "is not a prefix"),
        (&format!("{kms} --batch-report s3://p-abcdefghijk-s3alias/r/"), "is not a bucket"),
        (&format!("{kms} s3://{BUCKET}/q/"), "one prefix or bucket"),
    ] {
        rotate(&bench, &format!("{flags} --yes")).run().exits(2).says(&[says]);
    }
    let line = format!("rotate s3://{BUCKET}/p {kms} --batch --batch-role {ROLE} --yes");
    bench.run(&line).exits(2).says(&["end a prefix in /"]);
    let alias = line.replace(&format!("s3://{BUCKET}/p"), "s3://p-abcdefghijk-s3alias/p/");
    bench.run(&alias).exits(2).says(&["name the bucket itself"]);
    bench.run(&line.replace(ROLE, "batch")).exits(2).says(&["the ARN of a role"]);
    assert!(bench.sandbox.requests().is_empty(), "asked before it was refused");
}

#[test]
fn a_server_of_another_make_is_asked_only_if_it_is_named_for_s3_control() {
    let bench = crate::bench();
    let refused = to_kms(&bench, "--yes").without(CONTROL).run().exits(2);
    refused.says(&[
        "S3 Batch Operations exists only on AWS",
        "leave out --batch",
        "AWS_ENDPOINT_URL_S3_CONTROL=https://HOST",
    ]);
    assert!(bench.sandbox.requests().is_empty());
    to_kms(&bench, "--dry-run").without(CONTROL).run().ok();
    let endpoint = bench.sandbox.endpoint();
    to_kms(&bench, &format!("--yes --endpoint-url {endpoint}")).run().ok();
    let by_name = endpoint.replace("127.0.0.1", "localhost");
    to_kms(&bench, "--yes").with(CONTROL, by_name).run().ok();
    assert_eq!(bench.sandbox.s3().jobs().len(), 2);
}

#[test]
fn a_bucket_that_a_job_would_not_find_is_told_before_one_is_created() {
    let bench = crate::bench();
    let line =
        format!("rotate s3://elsewhere/ --batch --batch-role {ROLE} -e sse-kms --kms-key {ALIAS} --yes");
    bench.run(&line).exits(3).says(&["the bucket elsewhere does not exist"]);
    bench.sandbox.fault(Fault::on("HeadBucket", Kind::status(301, "PermanentRedirect", "")));
    to_kms(&bench, "--yes").run().exits(1).says(&["the bucket bench is not in region us-east-1", "--region"]);
    assert_eq!(bench.sandbox.s3().jobs(), []);
    // Who may create jobs need not be allowed to look at the bucket.
    bench.sandbox.fault(Fault::on("HeadBucket", Kind::status(403, "AccessDenied", "")));
    to_kms(&bench, "--yes").run().ok();
}

#[test]
fn refusals_of_s3_control_and_kms_say_what_is_missing() {
    let bench = crate::bench();
    let user = "User: arn:aws:iam::111122223333:user/u is not authorized to perform:";
    for (kind, code, says) in [
        (
            Kind::status(403, "AccessDenied", &format!("{user} iam:PassRole on resource: {ROLE}")),
            4,
            "iam:PassRole is not allowed",
        ),
        (Kind::status(403, "AccessDenied", "Access Denied"), 4, "takes s3:CreateJob, and iam:PassRole"),
        (Kind::status(403, "InvalidAccessKeyId", "No such key."), 4, "AWS_ENDPOINT_URL_S3_CONTROL names"),
        (
            Kind::status(400, "InvalidRequest", "The job is not fine."),
            1,
            "InvalidRequest: The job is not fine.",
        ),
    ] {
        bench.sandbox.fault(Fault::on("CreateJob", kind));
        to_kms(&bench, "--yes").run().exits(code).writes_nothing().says(&[says]);
    }
    // Nobody listens there.
    let nowhere =
        to_kms(&bench, "--yes --max-attempts 1 --keep-trying 0").with(CONTROL, "https://127.0.0.1:1");
    nowhere.run().exits(7).says(&["check AWS_ENDPOINT_URL_S3_CONTROL and --region"]);
    let other = rotate(&bench, &format!("-e sse-kms --kms-key {ALIAS} --yes"));
    bench.sandbox.kms().deny(KmsAction::DescribeKey, None);
    other.run().exits(4).says(&["kms:DescribeKey"]);
    // The sandbox takes roles of its own account only.
    let foreign = ROLE.replace("1111", "4444");
    let line = format!("rotate s3://{BUCKET}/ --batch --batch-role {foreign} -e sse-kms --kms-key");
    bench.run(&format!("{line} arn:aws:kms:us-east-1:111122223333:key/k --yes")).exits(4);
    assert_eq!(bench.sandbox.s3().jobs(), []);
}

#[test]
fn an_answer_that_gets_lost_makes_no_second_job() {
    let bench = crate::bench();
    bench.sandbox.fault(Fault::on("CreateJob", Kind::DropAnswer));
    bench.sandbox.fault(Fault::on("CreateJob", Kind::status(503, "SlowDown", "Slow down.")).skip(1));
    let ended = to_kms(&bench, "--yes").run().ok();
    assert_eq!(bench.requests("CreateJob").len(), 3);
    assert_eq!(String::from_utf8(ended.stdout).unwrap().trim(), only_job(&bench).id);
    // Another command is another job.
    to_kms(&bench, "--yes").run().ok();
    assert_eq!(bench.sandbox.s3().jobs().len(), 2);
    let look = "aws s3control list-jobs --account-id 111122223333";
    bench.sandbox.fault(Fault::on("CreateJob", Kind::DropAnswer).times(2));
    to_kms(&bench, "--yes --max-attempts 2").run().exits(7).says(&[look]);
    let struck = bench.sandbox.fault(Fault::on("CreateJob", Kind::StallBeforeResponse));
    let running = to_kms(&bench, "--yes").start();
    assert!(struck.wait(1, crate::support::PATIENCE));
    running.signal("INT");
    running.end().exits(130).says(&[look]);
}
