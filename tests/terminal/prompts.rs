//! Secrets that are typed.

use crate::screen::Terminal;
use crate::support::{BUCKET, Bench};

const PASSPHRASE: &str = "correct horse battery";

#[test]
fn a_passphrase_is_typed_twice_without_echo_and_opens_the_object() {
    let bench = Bench::new();
    bench.write("plain", b"hello");
    let mut put = Terminal::start(&bench, 80, "put plain s3://bench/k --passphrase=prompt");
    put.wait_for("(--passphrase):");
    put.press(&format!("{PASSPHRASE}\r"));
    put.wait_for("again:");
    put.press(&format!("{PASSPHRASE}\r"));
    let (code, screen) = put.end();
    assert_eq!(code, 0, "{screen}");
    assert!(!screen.contains("horse"), "{screen}");
    assert_eq!(bench.sandbox.s3().keys(BUCKET), ["k"]);

    let mut get = Terminal::start(&bench, 80, "get s3://bench/k copy --passphrase=prompt");
    get.wait_for("(--passphrase):");
    get.press(&format!("{PASSPHRASE}\r"));
    let (code, screen) = get.end();
    assert_eq!(code, 0, "{screen}");
    assert_eq!(bench.read("copy"), b"hello");
}

#[test]
fn a_key_that_is_only_shown_is_typed_once() {
    let bench = Bench::new();
    let mut show = Terminal::start(&bench, 80, "keygen --show prompt");
    show.wait_for("(--show):");
    show.press(&format!("{}\r", "ab".repeat(32)));
    let (code, screen) = show.end();
    assert_eq!(code, 0, "{screen}");
    assert!(screen.contains("256-bit key, fingerprint"), "{screen}");
}

#[test]
fn a_deletion_is_asked_about_with_its_number_and_place() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("tree")).unwrap();
    bench.write("tree/a", b"a");
    for key in ["p/a", "p/gone"] {
        bench.sandbox.s3().put_plain(BUCKET, key, b"a");
    }
    for (answer, keys) in [("n\r", &["p/a", "p/gone"][..]), ("y\r", &["p/a"])] {
        let mut put = Terminal::start(&bench, 100, "put -r tree s3://bench/p/ --delete");
        put.wait_for("Delete 1 object below s3://bench/p/ that tree does not have?");
        put.press(answer);
        let (code, screen) = put.end();
        assert_eq!(code, 0, "{screen}");
        assert_eq!(bench.sandbox.s3().keys(BUCKET), keys, "{screen}");
        assert_eq!(screen.contains("nothing changed"), keys.len() == 2, "{screen}");
    }
    std::fs::create_dir(bench.path("copy")).unwrap();
    bench.write("copy/gone", b"here only");
    let mut get = Terminal::start(&bench, 100, "get -r s3://bench/p/ copy --delete --max-delete 1");
    get.wait_for("Delete 1 file below the folder copy that s3://bench/p/ does not have?");
    get.press("yes\r");
    let (code, screen) = get.end();
    assert_eq!((code, bench.path("copy/gone").exists()), (0, false), "{screen}");
}

#[test]
fn two_passphrases_that_differ_store_nothing() {
    let bench = Bench::new();
    bench.write("plain", b"hello");
    let mut put = Terminal::start(&bench, 80, "put plain s3://bench/k --passphrase=prompt");
    put.wait_for("(--passphrase):");
    put.press(&format!("{PASSPHRASE}\r"));
    put.wait_for("again:");
    put.press("another\r");
    let (code, screen) = put.end();
    assert_eq!(code, 5, "{screen}");
    assert!(screen.contains("do not match"), "{screen}");
    bench.assert_keys(&[]);
}

#[test]
fn ctrl_c_at_a_prompt_ends_the_program_and_gives_the_echo_back() {
    let bench = Bench::new();
    bench.write("plain", b"hello");
    let mut put = Terminal::start(&bench, 80, "put plain s3://bench/k --passphrase=prompt");
    put.wait_for("(--passphrase):");
    put.press("secret\x03");
    let (code, screen) = put.end();
    assert_eq!(code, 130, "{screen}");
    assert!(!screen.contains("secret"), "{screen}");
    bench.assert_keys(&[]);
}
