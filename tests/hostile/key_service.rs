//! A KMS that lies: under which key a data key is, and what a data key is. A data key counts only under the key asked for.

use s3seal_sandbox::{Fault, Kind, hostile};

use crate::support::{ALIAS, Bench, key};

/// A key of somebody else's.
const THEIRS: &str = "arn:aws:kms:us-east-1:999988887777:key/9999abcd-12ab-34cd-56ef-1234567890ab";

/// A bench with an object in each format, and the ARN of the key behind the alias.
fn bench() -> (Bench, String) {
    let bench = Bench::hostile();
    bench.write("source", b"text");
    bench.write("key", &key(5));
    let arn = bench.sandbox.kms().create_key_with_alias("alias/mine").0;
    for format in FORMATS {
        bench
            .run(&format!("put source s3://bench/{format} -e client --kms-key alias/mine --format {format}"))
            .ok();
    }
    (bench, arn)
}

const FORMATS: [&str; 2] = ["esdk", "s3ec"];

fn names(arn: &str) -> [String; 4] {
    let id = arn.rsplit('/').next().unwrap().to_owned();
    let alias_arn = format!("{}:alias/mine", arn.split(":key/").next().unwrap());
    [arn.to_owned(), id, "alias/mine".to_owned(), alias_arn]
}

fn nothing_is_written(bench: &Bench) {
    bench.assert_keys(&FORMATS);
    bench.assert_tidy(&["key", "source"]);
}

#[test]
fn put_refuses_a_data_key_under_another_key() {
    let (bench, arn) = bench();
    for format in FORMATS {
        for name in names(&arn) {
            let struck =
                bench.sandbox.fault(Fault::on("kms:GenerateDataKey", hostile::kms_names_key(THEIRS)));
            let line = format!("put source s3://bench/new -e client --kms-key {name} --format {format}");
            bench.run(&line).exits(6).writes_nothing().says(&[
                "error: the answer of AWS KMS cannot be trusted",
                THEIRS,
                "but KMS used",
                "hint: nothing was written; check where KMS is: --kms-endpoint-url",
            ]);
            assert_eq!(struck.count(), 1, "{name}");
        }
    }
    nothing_is_written(&bench);
}

#[test]
fn put_refuses_a_wrap_for_a_further_recipient_under_another_key() {
    let (bench, arn) = bench();
    bench.sandbox.fault(Fault::on("kms:Encrypt", hostile::kms_names_key(THEIRS)).always());
    let line = format!("put source s3://bench/new -e client --format esdk --kms-key {ALIAS} --kms-key {arn}");
    bench.run(&line).exits(6).says(&[THEIRS]);
    nothing_is_written(&bench);
}

#[test]
fn get_refuses_a_data_key_that_another_key_unwrapped() {
    let (bench, arn) = bench();
    for format in FORMATS {
        for name in names(&arn) {
            let struck = bench.sandbox.fault(Fault::on("kms:Decrypt", hostile::kms_names_key(THEIRS)));
            let ended = bench.run(&format!("get s3://bench/{format} - --kms-key {name}"));
            ended.exits(6).writes_nothing().says(&["the answer of AWS KMS cannot be trusted", THEIRS]);
            assert_eq!(struck.count(), 1, "{name}");
        }
    }
}

#[test]
fn get_refuses_another_key_than_the_message_names_though_its_account_may_choose() {
    let (bench, arn) = bench();
    let other = bench.sandbox.kms().create_key().0;
    bench.sandbox.fault(Fault::on("kms:Decrypt", hostile::kms_names_key(&other)));
    let ended = bench.run("get s3://bench/esdk - --kms-discovery --kms-account 111122223333");
    ended.exits(6).writes_nothing().says(&[&arn, &other]);
}

#[test]
fn get_with_local_keys_at_hand_does_not_overlook_the_lie() {
    let (bench, _) = bench();
    let line = "put source s3://bench/esdk -e client --format esdk --kms-key alias/mine --key key";
    bench.run(line).ok();
    bench.sandbox.fault(Fault::on("kms:Decrypt", hostile::kms_names_key(THEIRS)));
    bench.run("get s3://bench/esdk - --kms-key alias/mine --key key").exits(6).writes_nothing();
}

#[test]
fn rotate_refuses_a_wrap_under_another_key_and_leaves_the_object() {
    let (bench, _) = bench();
    let before = bench.object("s3ec").etag;
    let struck = bench.sandbox.fault(Fault::on("kms:Encrypt", hostile::kms_names_key(THEIRS)));
    let line = format!("rotate s3://bench/s3ec --rewrap --kms-key {ALIAS} --from-kms-key alias/mine --yes");
    bench.run(&line).exits(6).says(&[THEIRS]);
    assert_eq!(struck.count(), 1);
    assert_eq!(bench.object("s3ec").etag, before);
    bench.run("get s3://bench/s3ec - --kms-key alias/mine").ok();
}

#[test]
fn an_answer_that_names_no_key_is_refused() {
    let (bench, _) = bench();
    for name in ["", "alias/mine", "1234abcd-12ab-34cd-56ef-1234567890ab"] {
        for (operation, line) in [
            ("kms:GenerateDataKey", "put source s3://bench/new -e client --kms-key alias/mine"),
            ("kms:Decrypt", "get s3://bench/s3ec - --kms-key alias/mine"),
            ("kms:Decrypt", "get s3://bench/s3ec - --kms-discovery --kms-account 111122223333"),
        ] {
            bench.sandbox.fault(Fault::on(operation, hostile::kms_names_key(name)));
            bench.run(line).exits(6).writes_nothing().says(&["does not name the key by its ARN"]);
        }
    }
    nothing_is_written(&bench);
}

#[test]
fn an_alias_that_cannot_be_looked_up_stays_the_key_that_answered_first() {
    let (bench, arn) = bench();
    let denied = Kind::status(400, "AccessDeniedException", "not authorized to perform: kms:DescribeKey");
    let described = bench.sandbox.fault(Fault::on("kms:DescribeKey", denied).always());
    std::fs::create_dir(bench.path("many")).unwrap();
    for name in ["a", "b", "c"] {
        std::fs::write(bench.path("many").join(name), name).unwrap();
    }
    let line = "put -r many s3://bench/many/ -e client --kms-key alias/mine -j 1 -v";
    bench.run(line).ok().says(&[&format!("data key under {arn}")]);
    assert_eq!(described.count(), 1, "asked once a run");
    bench.sandbox.fault(Fault::on("kms:GenerateDataKey", hostile::kms_names_key(THEIRS)).skip(1));
    bench.run(line).exits(9).says(&[&format!("alias/mine is {arn}, but KMS used {THEIRS}")]);
}

#[test]
fn a_data_key_of_another_length_is_refused() {
    let (bench, _) = bench();
    for (plain, words) in
        [("AAAAAAAAAAAAAAAAAAAAAA==", "has 16 bytes instead of 32"), ("AAAA", "3 bytes"), ("", "0 bytes")]
    {
        let short = Kind::tamper(move |_, answer| hostile::set_json(answer, "Plaintext", plain));
        bench.sandbox.fault(Fault::on("kms:GenerateDataKey", short));
        let ended = bench.run("put source s3://bench/new -e client --kms-key alias/mine");
        ended.exits(6).says(&["the answer of AWS KMS cannot be trusted", words]);
    }
    nothing_is_written(&bench);
}

#[test]
fn an_answer_without_a_wrapped_data_key_is_refused() {
    let (bench, arn) = bench();
    for operation in ["kms:GenerateDataKey", "kms:Encrypt"] {
        let empty = Kind::tamper(|_, answer| hostile::set_json(answer, "CiphertextBlob", ""));
        let struck = bench.sandbox.fault(Fault::on(operation, empty));
        let line =
            format!("put source s3://bench/new -e client --format esdk --kms-key {ALIAS} --kms-key {arn}");
        bench.run(&line).exits(6).says(&["it has no wrapped data key"]);
        assert_eq!(struck.count(), 1);
    }
    nothing_is_written(&bench);
}

#[test]
fn every_outcome_names_the_kms_key_of_the_data_key() {
    let (bench, arn) = bench();
    let words = format!("data key under {arn}");
    for format in FORMATS {
        let put = format!("put source s3://bench/{format} -e client --kms-key alias/mine --format {format}");
        let get = format!("get s3://bench/{format} copy --kms-key alias/mine");
        for line in [put, get] {
            bench.run(&line).ok().says(&[&words]);
            let document = bench.run(&format!("{line} --json")).ok().json();
            assert_eq!(document["encryption"]["wrapping_kms_keys"], serde_json::json!([arn]), "{line}");
        }
        let rotate =
            format!("rotate s3://bench/{format} -e client --kms-key alias/mine --from-kms-key {arn} --yes");
        bench.run(&rotate).ok().says(&["already done", &words]);
        let anew = format!("{rotate} --new-data-key --json");
        let document = bench.run(&anew).ok().json();
        assert_eq!(document["encryption"]["wrapping_kms_keys"], serde_json::json!([arn]));
    }
}
