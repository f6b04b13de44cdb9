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
    ended.exits(5).says(&["OpenSSH's own form", "ssh-keygen -e -m PKCS8 -f FILE"]);
}

#[test]
fn an_openssh_private_key_is_told_with_the_command_that_converts_it() {
    let bench = bench();
    bench.run("put source s3://bench/object -e client --public-key rsa_a.pub.pem").ok();
    let ended = bench.run("get s3://bench/object copy --private-key rsa_a.openssh.pem");
    ended.exits(5).says(&["OpenSSH's own form", "ssh-keygen -p -m PEM -f FILE"]);
}
