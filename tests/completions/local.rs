//! What this machine knows: verbs, flags, words, files, variables, profiles.

use std::fs;

use crate::shell::in_each_shell;
use crate::support::Bench;

#[test]
fn verbs_flags_and_their_words_are_completed() {
    in_each_shell(&[], |_, session, shell| {
        for (typed, words) in [
            ("ins\t", &["inspect"][..]),
            ("put --storage-c\tSTANDARD_I\t", &["put", "--storage-class", "STANDARD_IA"]),
            ("put --encrypt=sse-k\t", &["put", "--encrypt=sse-kms"]),
            ("put -e dss\t", &["put", "-e", "dsse-kms"]),
            ("put --at-rest dss\t", &["put", "--at-rest", "dsse-kms"]),
            ("put --acl=bucket-owner-f\t", &["put", "--acl=bucket-owner-full-control"]),
            ("put --checksum crc64\t", &["put", "--checksum", "crc64nvme"]),
            ("--region=ap-northeast-3\t get", &["--region=ap-northeast-3", "get"]),
            ("inspect --expect client:s3ec-v1\t", &["inspect", "--expect", "client:s3ec-v1"]),
            ("inspect --expect=encr\t", &["inspect", "--expect=encrypted"]),
            ("rotate --only km\tarn", &["rotate", "--only", "kms:arn"]),
            ("inspect --progr\tplai\t", &["inspect", "--progress", "plain"]),
        ] {
            assert_eq!(session.words(typed), words, "{shell:?}: {typed}");
        }
    });
}

#[test]
fn before_the_blank_behind_the_program_there_is_nothing_to_complete() {
    let bench = Bench::new();
    for shell in ["bash", "zsh", "fish"] {
        for (before, after) in [("s3seal", ""), ("", ""), ("s3seal", " put")] {
            let ended = bench.s3seal(["complete", shell, before, after]).run().ok();
            assert_eq!(ended.stdout, b"none\n", "{shell}: {before:?}, {after:?}");
        }
    }
}

#[test]
fn what_is_hidden_is_not_offered() {
    in_each_shell(&[], |_, session, shell| {
        for word in ["gener", "compl"] {
            assert_eq!(session.words(&format!("{word}\t")), [word], "{shell:?}");
        }
        assert_eq!(session.words("put --private-k\t"), ["put", "--private-k"], "{shell:?}");
    });
}

#[test]
fn files_are_completed_as_sources_and_behind_a_keys_scheme() {
    in_each_shell(&[], |bench, session, shell| {
        bench.write("my key.bin", b"");
        bench.write("it's $HOME;.txt", b"");
        fs::create_dir(bench.path("sub dir")).unwrap();
        bench.write("sub dir/deep:a=b.txt", b"");
        fs::write(bench.home().join("at home.txt"), b"").unwrap();
        let at_home = bench.home().join("at home.txt").to_str().unwrap().to_owned();
        for (typed, words) in [
            ("put it\t", &["put", "it's $HOME;.txt"][..]),
            ("put su\tde\t", &["put", "sub dir/deep:a=b.txt"]),
            ("put 'sub dir/de\t", &["put", "sub dir/deep:a=b.txt"]),
            ("put \"my k\t", &["put", "my key.bin"]),
            ("put --key my\t", &["put", "--key", "my key.bin"]),
            ("put --key file:my\t", &["put", "--key", "file:my key.bin"]),
            ("put --key=file:sub\tde\t", &["put", "--key=file:sub dir/deep:a=b.txt"]),
            ("put --key=fil\tmy\t", &["put", "--key=file:my key.bin"]),
            ("put --key env:COMPLETI\t", &["put", "--key", "env:COMPLETIONS"]),
            ("put ~/at\t", &["put", &at_home]),
            ("put $HOME/at\t", &["put", &at_home]),
            ("keygen su\tx", &["keygen", "sub dir/x"]),
            ("keygen --show my\t", &["keygen", "--show", "my key.bin"]),
        ] {
            assert_eq!(session.words(typed), words, "{shell:?}: {typed}");
        }
    });
}

#[test]
fn profiles_of_our_own_configuration_files_are_offered() {
    in_each_shell(&[("S3SEAL_CONFIG", "conf")], |bench, session, shell| {
        bench.write("conf", b"[profile.nightly]\nquiet = true\n[profile.audit]\nquiet = true\n");
        let typed = "put --config-profile ni\t";
        assert_eq!(session.words(typed), ["put", "--config-profile", "nightly"], "{shell:?}");
        assert_eq!(session.words("inspect --expect rul\t"), ["inspect", "--expect", "rules"], "{shell:?}");
    });
}

#[test]
fn profiles_are_those_of_the_files() {
    in_each_shell(
        &[("AWS_CONFIG_FILE", "conf"), ("AWS_SHARED_CREDENTIALS_FILE", "cred")],
        |bench, session, shell| {
            bench.write("conf", b"[profile archive]\nregion = eu-west-1\n");
            bench.write("cred", b"[backup]\naws_access_key_id = a\naws_secret_access_key = b\n");
            assert_eq!(session.words("--profile arc\t get"), ["--profile", "archive", "get"], "{shell:?}");
            assert_eq!(session.words("get --profile=ba\t"), ["get", "--profile=backup"], "{shell:?}");
        },
    );
}
