//! The whole life of one object: through every mode and key, and nothing else about it changes.

use crate::support::{ALIAS, BUCKET};
use crate::{OBJECT, assert_no_traces, assert_opens, bench, rsa, stored};

/// From one state to the next: the flags of the rotation, and those that open it afterwards.
const LIFE: [(&str, &str, &str); 13] = [
    ("-e sse-kms --kms-key alias/backup", "server-copy", ""),
    ("-e sse-kms --kms-key OTHER", "server-copy", ""),
    ("-e sse-c --sse-c-key a.key", "server-copy", "--sse-c-key a.key"),
    ("-e sse-c --sse-c-key b.key --from-sse-c-key a.key", "server-copy", "--sse-c-key b.key"),
    ("-e client --key c.key --from-sse-c-key b.key", "re-encrypt", "--key c.key"),
    ("--rewrap --public-key new.pem --from-key c.key", "rewrap", "--private-key old.pem"),
    (
        "--rewrap --kms-key alias/backup --from-private-key old.pem --seal-plaintext",
        "rewrap",
        "--kms-key alias/backup",
    ),
    ("--rewrap --passphrase=pw --from-kms-key alias/backup", "rewrap", "--passphrase=pw"),
    ("-e client --key a.key --from-passphrase=pw --new-data-key", "re-encrypt", "--key a.key"),
    ("-e client --format esdk --key a.key --from-key a.key", "re-encrypt", "--key a.key"),
    ("--rewrap --key b.key --from-key a.key", "re-encrypt", "--key b.key"),
    ("-e dsse-kms --kms-key alias/backup --from-key b.key", "re-encrypt", ""),
    ("-e sse-s3", "server-copy", ""),
];

#[test]
fn an_object_goes_through_every_mode_and_keeps_all_else() {
    let bench = bench();
    rsa(&bench);
    let other = bench.sandbox.kms().create_key().to_string();
    let content = stored(
        &bench,
        6 << 20,
        "-e sse-s3 --metadata owner=me --tag team=red --storage-class STANDARD_IA --acl public-read \
         --content-type text/x-life --cache-control no-cache --content-encoding gzip --content-disposition inline \
         --content-language de --part-size 5MiB",
    );
    let before = bench.object("o");
    for (flags, way, opens) in LIFE {
        let flags = flags.replace("OTHER", &other).replace(ALIAS, "alias/backup");
        let line = format!("rotate {OBJECT} {flags} --part-size 5MiB --yes --json --verify");
        let told = bench.run(&line).ok().json();
        assert_eq!(told["strategy"], way, "{flags}");
        assert_opens(&bench, opens, &content);
        // To verify what is already under a public key takes the private one.
        let private = if flags.contains("--public-key") { "--from-private-key old.pem" } else { "" };
        let again = bench.run(&format!("{} {private}", line.replace("--new-data-key", ""))).ok().json();
        assert_eq!(again["strategy"], "none", "{flags}, the second time");
        assert_no_traces(&bench);
    }
    let after = bench.object("o");
    assert_eq!(after.metadata, before.metadata);
    assert_eq!(after.tags, before.tags);
    assert_eq!(after.content_type, before.content_type);
    assert_eq!(after.cache_control, before.cache_control);
    assert_eq!(after.content_encoding, before.content_encoding);
    assert_eq!(after.content_disposition, before.content_disposition);
    assert_eq!(after.content_language, before.content_language);
    assert_eq!(after.storage_class, before.storage_class);
    assert_eq!(after.checksum, before.checksum);
    assert_eq!(bench.sandbox.s3().keys(BUCKET), ["o"]);
}
