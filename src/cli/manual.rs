//! What the man pages and the long help say beside the flags: key sources, exit codes, environment.
//!
//! The tables come from where the things themselves are defined, so that they cannot part.

use std::fmt::Write;

use super::connection_args::CA_BUNDLE;
use super::exit::Exit;
use super::key_source;

/// What [`key_source::FORMS`] are about.
pub(crate) const SOURCES_INTRO: &str = "\
A key or passphrase is never typed on the command line, which is public; its place is named. A 256-bit key is 32 raw \
bytes, 64 hex digits or base64 of 32 bytes. A key file that others can read is refused.";

/// The environment that is looked at, by s3seal itself or by the AWS SDK in it.
pub(crate) const ENVIRONMENT: [(&str, &str); 11] = [
    ("AWS_PROFILE", "the profile, unless --profile is given"),
    ("AWS_REGION", "the region, unless --region is given"),
    ("AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN", "credentials, unless --profile is given"),
    ("AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE", "the configuration files"),
    (
        "AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL_KMS, AWS_ENDPOINT_URL_S3_CONTROL",
        "addresses of services other than AWS; the first counts for KMS only if it is on this machine",
    ),
    (CA_BUNDLE, "a PEM file of the CA certificates to trust, unless --ca-bundle is given"),
    ("AWS_MAX_ATTEMPTS", "how often a request is tried, unless --max-attempts is given"),
    ("AWS_USE_FIPS_ENDPOINT, AWS_USE_DUALSTACK_ENDPOINT", "as --fips and --dualstack"),
    ("NO_COLOR", "no colours, unless --color=always is given"),
    ("TERM", "dumb: no colours and no bar"),
    ("COLUMNS", "the width of help texts, up to 80"),
];

/// Returns what stands below the long help of the program.
#[must_use]
pub(crate) fn after_long_help() -> String {
    let mut text = String::from("Sources of keys and passphrases:\n");
    table(&mut text, &key_source::FORMS.map(|(form, meaning)| (form.to_owned(), meaning)));
    text += "\nExit codes:\n";
    table(&mut text, &Exit::ALL.map(|exit| (exit.code().to_string(), exit.when())));
    text.truncate(text.trim_end().len());
    text
}

fn table(text: &mut String, rows: &[(String, &str)]) {
    let width = rows.iter().map(|(left, _)| left.len()).max().unwrap_or_default();
    for (left, right) in rows {
        let mut before = format!("  {left:width$}  ");
        for line in wrapped(right, 80 - width - 4) {
            let _ = writeln!(text, "{before}{line}");
            before = " ".repeat(width + 4);
        }
    }
}

/// Breaks a text at blanks into lines of at most `width` characters, where words allow it.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_stay_within_eighty_columns() {
        for line in after_long_help().lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
        assert_eq!(wrapped("a bb ccc", 4), ["a bb", "ccc"]);
    }
}
