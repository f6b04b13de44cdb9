//! Keys of other programs, each with the command that makes one of ours of it.

use std::fs;
use std::path::Path;

use crate::support::Bench;

/// A bench with a pair of keys as OpenSSH writes it.
fn bench() -> Bench {
    let bench = Bench::new();
    let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys");
    for name in ["rsa_a.openssh.pem", "rsa_a.openssh.pub", "rsa_a.pub.pem"] {
        bench.write(name, &fs::read(keys.join(name)).unwrap());
    }
    bench.write("source", b"text");
    bench
}

#[test]
fn an_openssh_public_key_is_told_with_the_command_that_converts_it() {
    let bench = bench();
    let ended = bench.run("put source s3://bench/object -e client --public-key rsa_a.openssh.pub");
    ended.exits(5).says(&["in OpenSSH format", "ssh-keygen -e -m PKCS8 -f FILE"]);
}

#[test]
fn an_openssh_private_key_is_told_with_the_command_that_converts_it() {
    let bench = bench();
    bench.run("put source s3://bench/object -e client --public-key rsa_a.pub.pem").ok();
    let ended = bench.run("get s3://bench/object copy --private-key rsa_a.openssh.pem");
    ended.exits(5).says(&["in OpenSSH format", "ssh-keygen -p -m PEM -f FILE"]);
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
