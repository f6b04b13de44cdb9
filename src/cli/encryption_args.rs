//! The flags that choose how an object is encrypted.
//!
//! [`EncryptionArgs::choose`] finds every wrong combination before any key is read; [`Choice::with_keys`] reads the keys.

use super::failure::Failure;
use super::key_reader::{KeyFileArgs, KeyReader};
use super::key_source::{KeySource, SourceText};
use crate::byte_size::ByteSize;
use crate::defaults;
use crate::encryption::{Context, EncryptionError, Format, KeyName, KmsKey, Mode, pair};
use crate::seal::esdk::{self, FRAME_STEP, MAX_FRAME_LENGTH, MIN_FRAME_LENGTH};

pub(crate) mod at_rest;
mod choice;

use at_rest::AtRest;
pub(crate) use choice::Choice;
use choice::{ClientChoice, RecipientChoice};

/// How the object is encrypted.
#[derive(clap::Args)]
#[command(next_help_heading = "Encryption")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct EncryptionArgs {
    /// How to encrypt [default: as a rule says, else the bucket's default encryption]
    #[arg(short = 'e', long = "encrypt", value_name = "MODE")]
    mode: Option<Mode>,

    /// The KMS key: id, ARN or alias/NAME [default for sse-kms and dsse-kms: the account's aws/s3 key]
    #[arg(long, value_name = "KEY")]
    kms_key: Vec<KmsKey>,

    /// A pair of the encryption context, which is not secret: client-side formats store it readable, KMS logs it; repeatable
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    context: Vec<(String, String)>,

    /// Add the object's name to the encryption context, for get to check [client: a KMS key, or esdk]
    #[arg(long)]
    bind_name: bool,

    /// Use an S3 Bucket Key, which saves requests to KMS [sse-kms]
    #[arg(long)]
    bucket_key: bool,

    /// Read the 256-bit key for S3 to encrypt with from SOURCE and send it to S3; implies -e sse-c
    #[arg(long, value_name = "SOURCE")]
    sse_c_key: Vec<SourceText>,

    /// Read the 256-bit key to encrypt with from SOURCE; it never leaves this machine; implies -e client
    #[arg(long, value_name = "SOURCE")]
    key: Vec<SourceText>,

    /// Read the RSA public key (PEM) to encrypt with from SOURCE; its private key decrypts; implies -e client
    #[arg(long, value_name = "SOURCE")]
    public_key: Vec<SourceText>,

    /// Accepted only to say that --public-key encrypts.
    #[arg(long, hide = true, value_name = "SOURCE")]
    private_key: Vec<SourceText>,

    /// Read the passphrase to encrypt with from SOURCE, or ask for it; implies -e client
    #[arg(long, value_name = "SOURCE", num_args = 0..=1, default_missing_value = "prompt", require_equals = true)]
    passphrase: Vec<SourceText>,

    #[arg(long)]
    #[arg(help = format!(
        "The client-side format [default: {}; {} beyond 64 GiB or for unknown lengths]",
        defaults::FORMAT, defaults::FORMAT_OF_STREAMS
    ))]
    format: Option<Format>,

    /// S3's own encryption of the ciphertext: sse-s3, sse-kms[:KEY] or dsse-kms[:KEY] [client]
    // Brackets are the help's, not links.
    #[allow(rustdoc::broken_intra_doc_links)]
    #[arg(long, value_name = "MODE")]
    at_rest: Option<AtRest>,

    /// Store the envelope in an instruction file instead of metadata [client: s3ec, s3ec-v2]
    #[arg(long)]
    instruction_file: bool,

    #[arg(long, value_name = "BYTES")]
    #[arg(help = format!(
        "Bytes of plaintext in a frame [client: esdk; default: {:#}]",
        ByteSize(defaults::ESDK_FRAME_LENGTH.into())
    ))]
    frame_length: Option<ByteSize>,

    #[arg(long, value_name = "NAMESPACE/NAME")]
    #[arg(help = format!(
        "The name of the raw key for other programs [client: esdk; default: {}/FINGERPRINT]",
        defaults::KEY_NAMESPACE
    ))]
    key_name: Option<KeyName>,

    #[command(flatten)]
    pub(crate) key_file: KeyFileArgs,

    /// Encrypt with a key that does not look random
    #[arg(long)]
    allow_weak_key: bool,
}

/// How objects are to be encrypted, as far as permissions depend on it.
pub(crate) struct Wanted<'a> {
    pub(crate) mode: Option<Mode>,
    pub(crate) kms_keys: &'a [KmsKey],
    pub(crate) format: Option<Format>,
    pub(crate) instruction_file: bool,
    /// The KMS key that the ciphertext is under at rest.
    pub(crate) key_at_rest: Option<&'a KmsKey>,
}

impl EncryptionArgs {
    /// Returns the reader for keys to encrypt with; `stdin_is_data` where standard input carries the object.
    pub(crate) fn reader(&self, stdin_is_data: bool) -> KeyReader {
        KeyReader {
            stdin_is_data,
            allow_open: self.key_file.allow_open_key_file,
            allow_weak: self.allow_weak_key,
            encrypts: true,
        }
    }

    /// Checks the combination of flags.
    pub(crate) fn choose(&self, keys: &KeyReader) -> Result<Option<Choice>, Failure> {
        self.choose_as(self.mode.or_else(|| self.implied_mode()), keys)
    }

    /// The mode that a key's flag implies. A KMS key implies none: three modes take one.
    fn implied_mode(&self) -> Option<Mode> {
        if !self.sse_c_key.is_empty() {
            return Some(Mode::SseC);
        }
        let seals = [&self.key, &self.public_key, &self.passphrase];
        seals.iter().any(|sources| !sources.is_empty()).then_some(Mode::Client)
    }

    /// Takes out the private keys, with which objects are only decrypted; true if they are all the keys there are.
    pub(crate) fn take_private_keys(&mut self) -> (Vec<SourceText>, bool) {
        let private = std::mem::take(&mut self.private_key);
        let others = [&self.sse_c_key, &self.key, &self.public_key, &self.passphrase];
        let are_all = self.kms_key.is_empty() && others.iter().all(|sources| sources.is_empty());
        (private, are_all)
    }

    /// What is asked for, without the keys that stay on this machine: permissions do not depend on them.
    pub(crate) fn wanted(&self) -> Result<Wanted<'_>, Failure> {
        let mode = self.mode.or_else(|| self.implied_mode());
        self.only_what_fits(mode)?;
        let key_at_rest = match &self.at_rest {
            Some(AtRest::SseKms(key) | AtRest::DsseKms(key)) => key.as_ref(),
            Some(AtRest::SseS3) | None => None,
        };
        let Self { kms_key, format, instruction_file, .. } = self;
        Ok(Wanted {
            mode,
            kms_keys: kms_key,
            format: *format,
            instruction_file: *instruction_file,
            key_at_rest,
        })
    }

    /// The same for a new wrapping key of client-side objects, where the mode need not be given.
    pub(crate) fn choose_rewrap(&self, keys: &KeyReader) -> Result<Option<Choice>, Failure> {
        if let Some(mode) = self.mode.filter(|mode| *mode != Mode::Client) {
            return Err(Failure::usage(format!("--rewrap does not go with -e {mode}"))
                .hint("leave out -e to keep the mode, or leave out --rewrap to change it"));
        }
        self.choose_as(Some(Mode::Client), keys)
    }

    fn choose_as(&self, mode: Option<Mode>, keys: &KeyReader) -> Result<Option<Choice>, Failure> {
        if !self.private_key.is_empty() {
            return Err(Failure::usage("--private-key decrypts; it cannot encrypt")
                .hint("encrypt with --public-key; `openssl pkey -in PRIVATE.pem -pubout` prints it"));
        }
        self.only_what_fits(mode)?;
        let Some(mode) = mode else { return Ok(None) };
        let context = Context::new(self.context.iter().cloned()).map_err(|error| {
            let failure = Failure::usage(format!("--context: {error}"));
            match error {
                EncryptionError::Name(_) => failure.hint("--bind-name writes it"),
                _ => failure,
            }
        })?;
        let choice = match mode {
            Mode::SseS3 => Choice::SseS3,
            Mode::SseKms => {
                Choice::SseKms { key: self.one_kms_key(mode)?, context, bucket_key: self.bucket_key }
            }
            Mode::DsseKms => Choice::DsseKms { key: self.one_kms_key(mode)?, context },
            Mode::SseC => Choice::SseC(self.customer_key(keys)?),
            Mode::Client => Choice::Client(self.client(context, keys)?),
        };
        Ok(Some(choice))
    }

    /// Each flag that was given, with the modes it belongs to.
    fn only_what_fits(&self, mode: Option<Mode>) -> Result<(), Failure> {
        use Mode::{Client, DsseKms, SseC, SseKms};
        let given: [(bool, &str, &[Mode]); 13] = [
            (!self.sse_c_key.is_empty(), "--sse-c-key", &[SseC]),
            (!self.key.is_empty(), "--key", &[Client]),
            (!self.kms_key.is_empty(), "--kms-key", &[SseKms, DsseKms, Client]),
            (!self.context.is_empty(), "--context", &[SseKms, DsseKms, Client]),
            (self.bind_name, "--bind-name", &[Client]),
            (self.bucket_key, "--bucket-key", &[SseKms]),
            (!self.public_key.is_empty(), "--public-key", &[Client]),
            (!self.passphrase.is_empty(), "--passphrase", &[Client]),
            (self.format.is_some(), "--format", &[Client]),
            (self.at_rest.is_some(), "--at-rest", &[Client]),
            (self.instruction_file, "--instruction-file", &[Client]),
            (self.frame_length.is_some(), "--frame-length", &[Client]),
            (self.key_name.is_some(), "--key-name", &[Client]),
        ];
        for (_, flag, modes) in given.iter().filter(|(is_given, ..)| *is_given) {
            match mode {
                Some(mode) if modes.contains(&mode) => {}
                Some(mode) => return Err(does_not_fit(flag, mode, modes)),
                None => {
                    return Err(Failure::usage(format!("{flag} needs a mode"))
                        .hint(format!("add {}", modes_in_words(modes))));
                }
            }
        }
        Ok(())
    }

    fn one_kms_key(&self, mode: Mode) -> Result<Option<KmsKey>, Failure> {
        match self.kms_key.as_slice() {
            [] => Ok(None),
            [key] => Ok(Some(key.clone())),
            _ => Err(Failure::usage(format!("-e {mode} takes one --kms-key"))),
        }
    }

    fn customer_key(&self, keys: &KeyReader) -> Result<KeySource, Failure> {
        match self.sse_c_key.as_slice() {
            [source] => keys.key_source("--sse-c-key", source),
            [] => Err(Failure::usage("-e sse-c needs the key to encrypt with")
                .hint("add --sse-c-key SOURCE; `s3seal keygen FILE` makes one")),
            _ => Err(Failure::usage("-e sse-c takes one --sse-c-key")),
        }
    }

    fn client(&self, context: Context, keys: &KeyReader) -> Result<ClientChoice, Failure> {
        let recipients = self.recipients(keys)?;
        self.recipients_fit(&recipients)?;
        self.format_fits()?;
        let kms = recipients.iter().any(|recipient| matches!(recipient, RecipientChoice::Kms(_)));
        if !kms && self.format != Some(Format::Esdk) {
            if !context.is_empty() {
                return Err(Failure::usage("--context goes with a KMS key or with --format esdk")
                    .hint("add --kms-key, or leave out --context"));
            }
            if self.bind_name {
                return Err(Failure::usage("--bind-name goes with a KMS key or with --format esdk")
                    .hint("add --format esdk, or use --kms-key"));
            }
        }
        Ok(ClientChoice {
            recipients,
            format: self.format,
            context,
            bind_name: self.bind_name,
            at_rest: self.at_rest.clone(),
            instruction_file: self.instruction_file,
            frame_length: self.frame_length()?,
            key_name: self.key_name.clone(),
        })
    }

    fn recipients(&self, keys: &KeyReader) -> Result<Vec<RecipientChoice>, Failure> {
        let mut recipients = Vec::new();
        for source in &self.key {
            recipients.push(RecipientChoice::Aes(keys.key_source("--key", source)?));
        }
        for source in &self.public_key {
            recipients.push(RecipientChoice::Rsa(keys.public_source("--public-key", source)?));
        }
        recipients.extend(self.kms_key.iter().cloned().map(RecipientChoice::Kms));
        for source in &self.passphrase {
            recipients.push(RecipientChoice::Passphrase(keys.passphrase_source("--passphrase", source)?));
        }
        Ok(recipients)
    }

    fn recipients_fit(&self, recipients: &[RecipientChoice]) -> Result<(), Failure> {
        match (recipients.len(), self.format) {
            (0, _) => Err(Failure::usage("-e client needs a key")
                .hint("add one of --key, --public-key, --kms-key and --passphrase")),
            (1, _) | (_, Some(Format::Esdk)) => Ok(()),
            (_, format) => Err(Failure::usage(format!(
                "the format {} takes one key; {} are given",
                format.unwrap_or(defaults::FORMAT),
                recipients.len()
            ))
            .hint("give one of --key, --public-key, --kms-key and --passphrase, or add --format esdk")),
        }
    }

    fn format_fits(&self) -> Result<(), Failure> {
        if self.instruction_file && self.format == Some(Format::Esdk) {
            return Err(Failure::usage(
                "--instruction-file does not go with --format esdk, which stores the envelope in the object",
            )
            .hint("leave it out, or use --format s3ec"));
        }
        if self.frame_length.is_some() && self.format != Some(Format::Esdk) {
            return Err(Failure::usage("--frame-length belongs to --format esdk").hint("add --format esdk"));
        }
        if self.key_name.is_some() && self.format != Some(Format::Esdk) {
            return Err(Failure::usage("--key-name belongs to --format esdk").hint("add --format esdk"));
        }
        if self.key_name.is_some() && self.key.len() + self.public_key.len() != 1 {
            return Err(Failure::usage("--key-name names one raw key; pass one --key or one --public-key"));
        }
        Ok(())
    }

    fn frame_length(&self) -> Result<Option<u32>, Failure> {
        let Some(size) = self.frame_length else { return Ok(None) };
        let length = u32::try_from(size.0).ok().filter(|length| esdk::writes_frames_of(*length));
        length.map(Some).ok_or_else(|| {
            let [step, least, most] = [FRAME_STEP, MIN_FRAME_LENGTH, MAX_FRAME_LENGTH];
            let [step, least, most] = [step, least, most].map(|bytes| ByteSize(bytes.into()));
            Failure::usage(format!("--frame-length must be a multiple of {step} between {least} and {most}"))
        })
    }
}

fn does_not_fit(flag: &str, mode: Mode, modes: &[Mode]) -> Failure {
    let failure = Failure::usage(format!("{flag} does not go with -e {mode}"));
    match (flag, mode) {
        ("--bucket-key", Mode::DsseKms) => {
            failure.hint("S3 does not support bucket keys for dsse-kms; leave it out")
        }
        ("--kms-key", Mode::SseC) => failure.hint("sse-c takes --sse-c-key; a KMS key goes with -e sse-kms"),
        ("--key", Mode::SseC) => failure.hint(
            "sse-c sends its key to S3: pass it with --sse-c-key; for a key that stays here use -e client",
        ),
        ("--sse-c-key", Mode::Client) => {
            failure.hint("client sends no key: pass it with --key; for a key that S3 uses take -e sse-c")
        }
        ("--key" | "--sse-c-key", Mode::SseKms | Mode::DsseKms) => failure.hint(format!(
            "{mode} takes --kms-key; a key of your own goes with -e client (--key) or -e sse-c (--sse-c-key)"
        )),
        _ => failure.hint(format!("leave it out, or use {}", modes_in_words(modes))),
    }
}

fn modes_in_words(modes: &[Mode]) -> String {
    let words: Vec<String> = modes.iter().map(|mode| format!("-e {mode}")).collect();
    words.join(" or ")
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Typed {
        #[command(flatten)]
        args: EncryptionArgs,
    }

    fn choose(words: &[&str]) -> Result<Option<Choice>, Failure> {
        let typed = Typed::try_parse_from(["put"].iter().chain(words)).unwrap();
        typed.args.choose(&KeyReader {
            stdin_is_data: false,
            allow_open: false,
            allow_weak: false,
            encrypts: true,
        })
    }

    fn chosen(words: &[&str]) -> Choice {
        choose(words).unwrap().unwrap()
    }

    fn key() -> KmsKey {
        "alias/a".parse().unwrap()
    }

    fn context() -> Context {
        Context::new([("a".to_owned(), "b=c".to_owned())]).unwrap()
    }

    #[test]
    fn each_mode_becomes_what_it_says() {
        assert_eq!(choose(&[]).unwrap(), None);
        assert_eq!(chosen(&["-e", "sse-s3"]), Choice::SseS3);
        assert_eq!(
            chosen(&["-e", "sse-kms"]),
            Choice::SseKms { key: None, context: Context::default(), bucket_key: false }
        );
        assert_eq!(
            chosen(&["-e", "sse-kms", "--kms-key", "alias/a", "--context", "a=b=c", "--bucket-key"]),
            Choice::SseKms { key: Some(key()), context: context(), bucket_key: true }
        );
        assert_eq!(
            chosen(&["-e", "dsse-kms", "--kms-key", "alias/a", "--context", "a=b=c"]),
            Choice::DsseKms { key: Some(key()), context: context() }
        );
    }

    #[test]
    fn a_key_says_its_mode() {
        let sse_c = || Choice::SseC(KeySource::Env("K".to_owned()));
        assert_eq!(chosen(&["-e", "sse-c", "--sse-c-key", "env:K"]), sse_c());
        assert_eq!(chosen(&["--sse-c-key", "env:K"]), sse_c());
        for words in [&["--key", "env:K"][..], &["--public-key", "env:K"], &["--passphrase=env:K"]] {
            assert_eq!(chosen(words).mode(), Mode::Client, "{words:?}");
        }
        assert!(choose(&["--kms-key", "alias/a"]).is_err());
    }

    #[test]
    fn a_key_that_stays_here_is_never_taken_for_one_that_is_sent() {
        for words in [
            &["-e", "sse-c", "--key", "env:K"][..],
            &["-e", "client", "--sse-c-key", "env:K"],
            &["--sse-c-key", "env:K", "--key", "env:L"],
        ] {
            assert!(choose(words).is_err(), "{words:?}");
        }
    }

    #[test]
    fn client_side_takes_each_kind_of_wrapping_key() {
        let recipients = |words: &[&str]| {
            let Choice::Client(choice) = chosen(&[&["-e", "client"], words].concat()) else {
                panic!("not client-side")
            };
            choice.recipients
        };
        let env = |name: &str| KeySource::Env(name.to_owned());
        assert_eq!(recipients(&["--key", "env:K"]), [RecipientChoice::Aes(env("K"))]);
        assert_eq!(recipients(&["--public-key", "env:K"]), [RecipientChoice::Rsa(env("K"))]);
        assert_eq!(recipients(&["--kms-key", "alias/a"]), [RecipientChoice::Kms(key())]);
        assert_eq!(recipients(&["--passphrase=env:K"]), [RecipientChoice::Passphrase(env("K"))]);
        assert_eq!(recipients(&["--passphrase"]), [RecipientChoice::Passphrase(KeySource::Prompt)]);
        let many = ["--format", "esdk", "--key", "env:K", "--kms-key", "alias/a", "--key", "env:L"];
        assert_eq!(recipients(&many).len(), 3);
    }

    #[test]
    fn a_context_goes_where_it_is_authenticated() {
        assert!(choose(&["-e", "client", "--kms-key", "alias/a", "--context", "a=b"]).is_ok());
        assert!(choose(&["-e", "client", "--format", "esdk", "--key", "env:K", "--context", "a=b"]).is_ok());
        assert!(choose(&["-e", "client", "--key", "env:K", "--context", "a=b"]).is_err());
    }
}
