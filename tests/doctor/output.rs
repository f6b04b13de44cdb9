//! The list as people read it.

use crate::support::Bench;

fn text(bench: &Bench, words: &str, locale: &str) -> String {
    let line = format!("doctor s3://bench/p/ {words}");
    let ended = bench.s3seal(line.split_whitespace()).with("LANG", locale).run().ok();
    String::from_utf8(ended.stdout).unwrap()
}

#[test]
fn a_check_is_a_line_with_what_mends_it_below_and_the_sum_is_last() {
    let bench = Bench::new();
    let text = text(&bench, "", "en_US.UTF-8");
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines.contains(&"✓ bucket              bench exists"), "{text}");
    let at = lines.iter().position(|line| line.starts_with("! versioning")).unwrap();
    assert!(lines[at + 1].starts_with("    to keep versions: aws s3api"), "{text}");
    assert!(lines.last().unwrap().contains(" ok, "), "{text}");
    assert!(!text.contains('\u{1b}'), "{text}");
}

#[test]
fn a_locale_without_utf_8_gets_ascii() {
    let bench = Bench::new();
    for locale in ["C", "POSIX", "de_DE.ISO-8859-1"] {
        let text = text(&bench, "", locale);
        assert!(text.is_ascii() && text.contains("ok bucket              bench exists"), "{text}");
    }
    assert!(text(&bench, "", "").contains("✓ bucket"));
}

#[test]
fn quiet_prints_what_failed_and_nothing_else() {
    let bench = Bench::new();
    assert_eq!(text(&bench, "-q", "C.UTF-8"), "");
    let ended = bench.run("doctor s3://none-such/ -q").exits(3);
    assert!(String::from_utf8(ended.stdout).unwrap().starts_with("✗ bucket"));
}
