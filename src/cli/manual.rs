//! What the man pages and the long help say besides the flags: key sources, exit codes, environment.
//!
//! The tables are generated from the definitions themselves, so the two cannot diverge.

use std::fmt::Write;

use super::complete;
use super::config;
use super::connection_args::CA_BUNDLE;
use super::exit::Exit;
use super::key_source;
use crate::defaults::{self, CONNECT_TIMEOUT, KEEP_TRYING, MAX_ATTEMPTS, READ_TIMEOUT};

pub(crate) mod verbs;

/// What [`key_source::FORMS`] are about.
pub(crate) const SOURCES_INTRO: &str = "\
A key or passphrase is never typed on the command line, which is public; its place is named. A 256-bit key is 32 raw \
bytes, 64 hex digits or base64 of 32 bytes. A key file that others can read is refused. ~/ at the beginning of a path is the home \
directory. --passphrase takes its source after = only, as in --passphrase=file:PATH; alone, it asks.";

/// The files that every verb reads.
pub(crate) const FILES: [(&str, &str); 3] = [
    (
        "/etc/s3seal/config.toml, ~/.config/s3seal/config.toml",
        "Rules and profiles: see s3seal-config(7). S3SEAL_CONFIG names one file instead.",
    ),
    (
        "~/.aws/config, ~/.aws/credentials",
        "The AWS configuration files: profiles, credentials, regions, endpoints and retries. AWS_CONFIG_FILE and \
         AWS_SHARED_CREDENTIALS_FILE name others.",
    ),
    (
        "/etc/ssl/certs",
        "The CA certificates that the system trusts, there or wherever the system keeps them; --ca-bundle or \
         AWS_CA_BUNDLE names a file instead.",
    ),
];

/// The environment that is looked at, by s3seal itself or by the AWS SDK in it.
pub(crate) fn environment() -> Vec<(&'static str, String)> {
    let attempts = format!(
        "How often a request is tried in all, unless --max-attempts or --keep-trying is given. The default is as often as \
         --keep-trying allows; {MAX_ATTEMPTS} with --keep-trying 0."
    );
    let completions = format!(
        "How many seconds completions wait for names of buckets and keys in S3; with 0 they do not ask it. The default \
         is {}.",
        defaults::COMPLETION_SECONDS
    );
    let rows = [
        ("AWS_PROFILE", "The profile, unless --profile is given."),
        ("AWS_REGION", "The region, unless --region is given."),
        (
            "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN",
            "Credentials, unless --profile is given.",
        ),
        ("AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE", "The configuration files."),
        (
            "AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL_KMS, AWS_ENDPOINT_URL_S3_CONTROL, \
             AWS_ENDPOINT_URL_STS",
            "Addresses of services other than AWS's, unless --endpoint-url or --kms-endpoint-url is given. The first \
             counts for KMS only if it is on this machine.",
        ),
        (CA_BUNDLE, "A PEM file of the CA certificates to trust, unless --ca-bundle is given."),
        ("AWS_MAX_ATTEMPTS", attempts.as_str()),
        (
            "AWS_RETRY_MODE",
            "standard or adaptive. The default is adaptive for many objects, where the rate of requests follows what \
             S3 allows, and standard for one.",
        ),
        ("AWS_USE_FIPS_ENDPOINT, AWS_USE_DUALSTACK_ENDPOINT", "As --fips and --dualstack."),
        (
            "HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY",
            "Proxies, and the hosts to reach without one; lower case counts too. Addresses of this machine are \
             always reached directly.",
        ),
        (
            config::VARIABLE,
            "The configuration file to read instead of the two above; if it is empty, none. See s3seal-config(7).",
        ),
        (
            "XDG_CONFIG_HOME",
            "Where the user's own configuration file is, in a directory s3seal. The default is ~/.config.",
        ),
        (
            "XDG_STATE_HOME",
            "Where rotate keeps its journals, and cleanup looks for them, and where put and get keep their records of \
             transfers, in a directory s3seal. The default is ~/.local/state.",
        ),
        (complete::VARIABLE, completions.as_str()),
        ("NO_COLOR", "No colours, unless --color=always is given."),
        ("TERM", "If it is dumb: no colours and no progress bar."),
        ("COLUMNS", "The width of help texts, up to 80."),
    ];
    rows.map(|(name, meaning)| (name, meaning.to_owned())).to_vec()
}

/// How long is waited, where no flag says it.
pub(crate) fn waits() -> String {
    format!(
        "A connection is given up after {} s (--connect-timeout), and a connection over which nothing moves in either \
         direction after {} s (--read-timeout). Both count as one attempt, and the next one follows, until nothing has \
         got through for {} minutes (--keep-trying). A server that has not answered once in this run is given up after \
         {MAX_ATTEMPTS} attempts, unless --keep-trying is given.",
        CONNECT_TIMEOUT.as_secs(),
        READ_TIMEOUT.as_secs(),
        KEEP_TRYING.as_secs() / 60
    )
}

/// Returns what stands below the long help of the program.
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
