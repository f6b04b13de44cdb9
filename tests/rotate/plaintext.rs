//! Objects that somebody without a key has put among those that are client-side: a rotation does not vouch for them.

use crate::support::BUCKET;
use crate::{OBJECT, bench, stored};

#[test]
fn planted_plaintext_is_not_sealed_among_what_old_keys_open() {
    for (sealed, flags) in [
        ("--key a.key", "-e client --key b.key --from-key a.key"),
        ("--key a.key", "-e client --key a.key --new-data-key"),
        ("--passphrase=pw", "-e client --key b.key --from-passphrase=pw"),
        ("--key a.key", "-e client --key b.key --format esdk --from-key a.key"),
    ] {
        let bench = bench();
        bench.write("source", b"ours");
        bench.run(&format!("put source s3://{BUCKET}/p/ours -e client {sealed}")).ok();
        bench.sandbox.s3().put_plain(BUCKET, "p/planted", b"planted");
        // The key that opens it now is the one to open it with a new data key, too.
        let flags = if flags.contains("--new-data-key") {
            format!("{flags} --from-key a.key")
        } else {
            flags.to_owned()
        };
        let line = format!("rotate s3://{BUCKET}/p/ {flags} --yes");
        bench.run(&line).exits(9).says(&[
            "s3://bench/p/planted",
            "not encrypted client-side",
            "--seal-plaintext",
        ]);
        assert_eq!(bench.object("p/planted").plaintext.as_deref(), Some(&b"planted"[..]), "{flags}");
        assert_ne!(bench.object("p/ours").plaintext.as_deref(), Some(&b"ours"[..]));
        bench
            .run(&format!("rotate s3://{BUCKET}/p/planted {flags} --yes"))
            .exits(2)
            .says(&["--seal-plaintext"]);
        bench.run(&format!("{line} --seal-plaintext")).ok();
        assert_ne!(bench.object("p/planted").plaintext.as_deref(), Some(&b"planted"[..]), "{flags}");
    }
}

#[test]
fn a_new_data_key_alone_seals_no_plaintext() {
    let bench = bench();
    bench.sandbox.s3().put_plain(BUCKET, "o", b"planted");
    bench.run(&format!("rotate {OBJECT} -e client --key a.key --new-data-key --yes")).exits(2);
    assert_eq!(bench.object("o").plaintext.as_deref(), Some(&b"planted"[..]));
}

#[test]
fn without_old_client_side_keys_plaintext_is_what_is_meant() {
    let bench = bench();
    let content = stored(&bench, 300, "-e sse-c --sse-c-key c.key");
    bench.run(&format!("rotate {OBJECT} -e client --key a.key --from-sse-c-key c.key --yes")).ok();
    crate::assert_opens(&bench, "--key a.key", &content);
    bench
        .run(&format!("rotate {OBJECT} -e sse-s3 --seal-plaintext --from-key a.key --yes"))
        .exits(2)
        .says(&["--seal-plaintext needs -e client"]);
}
