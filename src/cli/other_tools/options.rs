//! Options of other tools, each with its equivalent in s3seal.

/// How many values an option of another tool takes.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Takes {
    Nothing,
    Value,
    /// A value that may be left out, as `aws s3 cp --sse` does.
    OptionalValue,
}

/// An option of another tool.
pub(super) struct ForeignOption {
    pub(super) name: &'static str,
    pub(super) takes: Takes,
    /// What to type here, after "no option NAME: ".
    pub(super) answer: &'static str,
    /// The same in options of s3seal's `verb`; `None` where it depends on more than the value.
    pub(super) translate: fn(verb: &str, value: &str) -> Option<Vec<String>>,
}

const MODES: &str = "`-e sse-s3`, `-e sse-kms` or `-e dsse-kms` chooses how S3 encrypts";
const SSE_C: &str = "`--sse-c-key FILE` encrypts with SSE-C";
const KMS_KEY: &str = "`-e sse-kms --kms-key ID` encrypts with a key in AWS KMS";
const JOBS: &str = "`-j N` sets how many requests run at once";

const OPTIONS: &[ForeignOption] = &[
    ForeignOption {
        name: "--sse",
        takes: Takes::OptionalValue,
        answer: MODES,
        translate: |_, value| Some(vec!["-e".into(), mode(value)?.into()]),
    },
    ForeignOption {
        name: "--server-side-encryption",
        takes: Takes::Value,
        answer: MODES,
        translate: |_, value| Some(vec!["-e".into(), mode(value)?.into()]),
    },
    ForeignOption {
        name: "--sse-c",
        takes: Takes::OptionalValue,
        answer: SSE_C,
        translate: |_, value| ["", "AES256"].contains(&value).then(Vec::new),
    },
    ForeignOption {
        name: "--sse-customer-algorithm",
        takes: Takes::Value,
        answer: SSE_C,
        translate: |_, _| Some(Vec::new()),
    },
    ForeignOption { name: "--sse-customer-key", takes: Takes::Value, answer: SSE_C, translate: |_, _| None },
    ForeignOption {
        name: "--sse-kms-key-id",
        takes: Takes::Value,
        answer: KMS_KEY,
        translate: |_, value| Some(vec!["--kms-key".into(), value.into()]),
    },
    ForeignOption {
        name: "--ssekms-key-id",
        takes: Takes::Value,
        answer: KMS_KEY,
        translate: |_, value| Some(vec!["--kms-key".into(), value.into()]),
    },
    ForeignOption {
        name: "--dryrun",
        takes: Takes::Nothing,
        answer: "--dry-run says what would be done",
        translate: |_, _| Some(vec!["--dry-run".into()]),
    },
    ForeignOption {
        name: "--recursive",
        takes: Takes::Nothing,
        answer: "an address that ends in / means everything under it",
        translate: |_, _| Some(Vec::new()),
    },
    ForeignOption {
        name: "--output",
        takes: Takes::Value,
        answer: "`--json` writes the outcome as JSON; `inspect --format` chooses between table, json, ndjson and csv",
        translate: |_, value| (value == "json").then(|| vec!["--json".into()]),
    },
    ForeignOption {
        name: "--no-progress",
        takes: Takes::Nothing,
        answer: "`--progress never` shows no progress",
        translate: |_, _| Some(vec!["--progress".into(), "never".into()]),
    },
    ForeignOption {
        name: "--only-show-errors",
        takes: Takes::Nothing,
        answer: "`-q` prints only errors",
        translate: |_, _| Some(vec!["-q".into()]),
    },
    ForeignOption {
        name: "--debug",
        takes: Takes::Nothing,
        answer: "`-vv` shows every request",
        translate: |_, _| Some(vec!["-vv".into()]),
    },
    ForeignOption {
        name: "--force",
        takes: Takes::Nothing,
        answer: "put and get replace what exists unless `--no-clobber` is given; `rotate --yes` asks no question",
        translate: |verb, _| Some(if verb == "rotate" { vec!["--yes".into()] } else { Vec::new() }),
    },
    ForeignOption {
        name: "--no-verify-ssl",
        takes: Takes::Nothing,
        answer: "certificates are always verified; `--ca-bundle FILE` names the CA to trust",
        translate: |_, _| None,
    },
    ForeignOption {
        name: "--concurrency",
        takes: Takes::Value,
        answer: JOBS,
        translate: |_, value| Some(vec!["-j".into(), value.into()]),
    },
    ForeignOption {
        name: "--transfers",
        takes: Takes::Value,
        answer: JOBS,
        translate: |_, value| Some(vec!["-j".into(), value.into()]),
    },
];

/// Returns s3seal's name for a mode that AWS spells otherwise.
pub(super) fn mode(word: &str) -> Option<&'static str> {
    match word.to_ascii_lowercase().as_str() {
        "" | "aes256" => Some("sse-s3"),
        "aws:kms" | "kms" => Some("sse-kms"),
        "aws:kms:dsse" | "dsse" => Some("dsse-kms"),
        _ => None,
    }
}

/// Finds an option by its name, such as `--sse`.
pub(super) fn foreign_option(name: &str) -> Option<&'static ForeignOption> {
    OPTIONS.iter().find(|option| option.name == name)
}
