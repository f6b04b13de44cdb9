//! Keys of other programs and of other flags: each is named, and each command in a hint makes of it what is needed.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::{Bench, Ended, key};

const AGE: &str = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";
const AGE_SECRET: &str = "# created: 2026-11-01T10:00:00Z\n# public key: age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p\n\
     AGE-SECRET-KEY-1QQPQYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGPQ2YZR97\n";
const PGP: &str = "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlQOY\n-----END PGP PRIVATE KEY BLOCK-----\n";

/// A bench with keys as other programs write them.
fn bench() -> Bench {
    let bench = Bench::new();
    let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys");
    for name in ["rsa_a.openssh.pem", "rsa_a.openssh.pub", "rsa_a.pub.pem", "rsa_a.pem", "rsa_a.cert.pem"] {
        bench.write(name, &fs::read(keys.join(name)).unwrap());
    }
    for kind in ["ed25519", "ecdsa"] {
        shell(&bench, &format!("ssh-keygen -q -t {kind} -N '' -f id_{kind}"));
    }
    for (name, text) in [("age.pub", AGE), ("age.key", AGE_SECRET), ("secring.asc", PGP)] {
        bench.write(name, text.as_bytes());
    }
    bench.write("key", &key(1));
    bench.write("source", b"text");
    bench
}

/// Runs a line as somebody would type it, with nobody to answer questions.
fn shell(bench: &Bench, line: &str) {
    let mut command = Command::new("sh");
    command.args(["-c", line]).current_dir(bench.files()).stdin(Stdio::null());
    let ended = command.output().unwrap();
    assert!(ended.status.success(), "{line}: {}", String::from_utf8_lossy(&ended.stderr));
}

/// Runs the commands in the hints that convert something, and returns the flag that the last of them says.
fn as_hinted(bench: &Bench, ended: &Ended) -> String {
    let command = ended.stderr.split('`').nth(1).unwrap();
    shell(bench, command);
    let then = ended.stderr.split("hint: then pass ").nth(1).unwrap().lines().next().unwrap();
    then.split(" instead of ").next().unwrap().to_owned()
}

#[test]
fn an_rsa_key_of_ssh_encrypts_and_opens_after_the_command_of_the_hint() {
    let bench = bench();
    for flag in ["--public-key", "--key", "--passphrase"] {
        for file in ["rsa_a.openssh.pub", "rsa_a.openssh.pem"] {
            let put = |with: &str| bench.run(&format!("put source s3://bench/object -e client {with}"));
            let ended = put(&format!("{flag}={file}")).exits(5).says(&["is an SSH p", " key (RSA), not "]);
            put(&as_hinted(&bench, &ended)).ok();
        }
    }
    let get = |with: &str| bench.run(&format!("get s3://bench/object copy {with}"));
    for flag in ["--private-key", "--key", "--passphrase"] {
        let ended = get(&format!("{flag}=rsa_a.openssh.pem")).exits(5);
        get(&as_hinted(&bench, &ended)).ok();
    }
}

#[test]
fn a_certificate_and_pem_at_another_flag_encrypt_after_the_command_of_the_hint() {
    let bench = bench();
    let put = |with: &str| bench.run(&format!("put source s3://bench/object -e client {with}"));
    for (flags, found) in [
        ("--public-key rsa_a.cert.pem", "is an X.509 certificate, not an RSA public key in PEM"),
        ("--key rsa_a.cert.pem", "is an X.509 certificate, not a 256-bit key"),
        ("--key rsa_a.pem", "is a private key in PEM, not a 256-bit key"),
        ("--passphrase=rsa_a.pem", "is a private key in PEM, not a passphrase"),
    ] {
        let ended = put(flags).exits(5).says(&[found]);
        put(&as_hinted(&bench, &ended)).ok();
    }
    put("--key rsa_a.pub.pem").exits(5).says(&["hint: pass --public-key rsa_a.pub.pem instead of --key"]);
    put("--public-key key")
        .exits(5)
        .says(&["is a 256-bit key, not", "hint: pass --key key instead of --public-key"]);
    let get = |with: &str| bench.run(&format!("get s3://bench/object copy {with}")).exits(5);
    get("--key rsa_a.pem").says(&["hint: pass --private-key rsa_a.pem instead of --key"]);
    get("--private-key key").says(&["hint: pass --key key instead of --private-key"]);
    get("--private-key rsa_a.cert.pem")
        .says(&["decryption needs the RSA private key in PEM: --private-key FILE"]);
    let rotate = "rotate s3://bench/object --yes --rewrap -e client --key key";
    bench
        .run(&format!("{rotate} --from-key rsa_a.pem"))
        .exits(5)
        .says(&["pass --from-private-key rsa_a.pem instead of --from-key"]);
}

#[test]
fn keys_that_no_format_knows_are_named_at_every_flag() {
    let bench = bench();
    bench.run("put source s3://bench/object -e client --key key").ok();
    for (file, found) in [
        ("id_ed25519", "an SSH private key (Ed25519)"),
        ("id_ed25519.pub", "an SSH public key (Ed25519)"),
        ("id_ecdsa", "an SSH private key (ECDSA)"),
        ("id_ecdsa.pub", "an SSH public key (ECDSA)"),
        ("age.pub", "a public key of age"),
        ("age.key", "a secret key of age"),
        ("secring.asc", "a PGP key or message"),
    ] {
        for flag in ["--key", "--public-key", "--passphrase"] {
            let ended = bench.run(&format!("put source s3://bench/other -e client {flag}={file}")).exits(5);
            ended.says(&[
                &format!("error: {flag}: {file} is {found}, not a"),
                "s3seal keygen FILE",
                "openssl genpkey",
            ]);
        }
        let ended = bench.run(&format!("put source s3://bench/other -e sse-c --sse-c-key {file}")).exits(5);
        ended.says(&[found, "make one with `s3seal keygen FILE`"]);
        for flag in ["--key", "--private-key", "--passphrase"] {
            let ended = bench.run(&format!("get s3://bench/object copy {flag}={file}")).exits(5);
            ended.says(&[&format!("error: {flag}: {file} is {found}, not a"), "hint: "]);
        }
    }
    assert!(bench.requests("PutObject").len() == 1 && bench.requests("GetObject").is_empty());
}

#[test]
fn a_key_that_is_plainly_no_random_one_encrypts_only_if_that_is_said() {
    let bench = bench();
    let words = b"correct horse battery staple :-)";
    for weak in [&[7; 32][..], words, "00".repeat(32).as_bytes()] {
        bench.write("weak", weak);
        for (mode, key) in [("client", "--key weak"), ("sse-c", "--sse-c-key weak")] {
            let put = format!("put source s3://bench/object -e {mode} {key}");
            bench.run(&put).exits(5).says(&["is not random", "s3seal keygen FILE", "--allow-weak-key"]);
            bench.run(&format!("{put} --allow-weak-key")).ok();
            // What is there already opens without a word.
            bench.run(&format!("get s3://bench/object copy {key}")).ok();
        }
    }
    bench.run("rotate s3://bench/object -e client --key weak --from-sse-c-key weak --yes").exits(5);
}
