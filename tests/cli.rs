//! The command line as people meet it: help, and every wrong use with its exact text and exit code.
//!
//! One small file for each, in `tests/cli`; `TRYCMD=overwrite cargo test --test cli` writes them anew after a change
//! of wording. No network: whatever is wrong must be found before any connection.

#[test]
fn wrong_uses_are_told_in_these_words() {
    trycmd::TestCases::new()
        .env("HOME", "/nonexistent")
        .env("NO_COLOR", "1")
        .env("COLUMNS", "80")
        .case("tests/cli/*.toml");
}
