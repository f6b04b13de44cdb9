//! Objects from and to the terminal itself.

use crate::screen::Terminal;
use crate::support::{BUCKET, Bench};

#[test]
fn binary_does_not_go_to_a_terminal_unless_it_is_forced() {
    let bench = Bench::new();
    for (key, content) in
        [("zero", &b"begin\0end"[..]), ("escape", b"begin\x1b[1mend"), ("latin", b"begin\xe4end")]
    {
        bench.sandbox.s3().put_plain(BUCKET, key, content);
        let (code, screen) = Terminal::start(&bench, 120, &format!("get s3://bench/{key} -")).end();
        assert_eq!(code, 2, "{screen}");
        assert!(screen.contains("is a terminal, and the object is not text"), "{screen}");
        assert!(screen.contains("--force"), "{screen}");
        assert!(!screen.contains("begin"), "{screen}");
        let (code, screen) =
            Terminal::start(&bench, 120, &format!("get s3://bench/{key} - --force --progress never")).end();
        assert_eq!(code, 0, "{screen}");
        assert!(screen.contains("begin"), "{screen}");
        assert_eq!(bench.run(&format!("get s3://bench/{key} -")).ok().stdout, content);
    }
}

#[test]
fn what_is_not_text_only_later_does_not_go_to_a_terminal_either() {
    let bench = Bench::new();
    let text = "größe ☂\n".repeat(100_000);
    let content = [text.as_bytes(), b"\x1b]0;obeyed\x07"].concat();
    bench.sandbox.s3().put_plain(BUCKET, "later", &content);
    let terminal = Terminal::start(&bench, 120, "get s3://bench/later - --progress never");
    terminal.over();
    assert!(!terminal.has_written(b"obeyed"));
    let (code, screen) = terminal.end();
    assert_eq!(code, 2, "{screen}");
    assert!(screen.contains("größe ☂"), "{screen}");
    assert!(screen.contains("is a terminal, and the object is not text from here on"), "{screen}");
    assert!(screen.contains("--force"), "{screen}");
}

#[test]
fn text_goes_to_a_terminal() {
    let bench = Bench::new();
    bench.sandbox.s3().put_plain(BUCKET, "text", "one\n\tgröße ☂\r\n".as_bytes());
    let (code, screen) = Terminal::start(&bench, 120, "get s3://bench/text -").end();
    assert_eq!(code, 0, "{screen}");
    assert!(screen.contains("one") && screen.contains("größe ☂"), "{screen}");
    bench.sandbox.s3().put_plain(BUCKET, "empty", b"");
    let (code, screen) = Terminal::start(&bench, 120, "get s3://bench/empty -").end();
    assert_eq!(code, 0, "{screen}");
}

#[test]
fn put_says_that_it_reads_from_the_terminal() {
    let bench = Bench::new();
    for (flags, says) in [("", true), ("-q", false)] {
        let mut put = Terminal::start(&bench, 80, &format!("put - s3://bench/typed {flags}"));
        if says {
            put.wait_for("reading from the terminal; end with Ctrl-D");
        }
        put.press("hello\r\x04");
        let (code, screen) = put.end();
        assert_eq!(code, 0, "{screen}");
        assert_eq!(screen.contains("Ctrl-D"), says, "{screen}");
        assert_eq!(bench.object("typed").plaintext.unwrap(), b"hello\n");
    }
}
