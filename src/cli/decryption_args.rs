//! The flags for decryption, shared by `get`, `inspect` and `rotate`. All of them are parsed before any key is read.
//!
//! `key_source` parses a single source; `commands::open_envelope` and `commands::sse_c_keys` find out which key opens
//! an object.

use std::sync::Arc;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, Error, FromArgMatches, value_parser};

use super::failure::Failure;
use super::key_reader::KeyReader;
use super::key_source::{KeySource, SourceText};
use crate::byte_size::ByteSize;
use crate::commands::decryption_keys::DecryptionKeys;
use crate::defaults;
use crate::encryption::{Account, Context, KmsKey, Legacy};
use crate::keys::{CustomerKey, KeyRing};
use crate::object::InstructionSuffix;
use crate::seal::ring::Unwrapper;

/// The keys that objects have, by their sources. With `FROM` each flag begins with `--from-`: in `rotate` the bare
/// names are those of the new keys.
pub(crate) struct LocalKeyArgs<const FROM: bool> {
    sse_c_key: Vec<SourceText>,
    key: Vec<SourceText>,
    private_key: Vec<SourceText>,
    passphrase: Vec<SourceText>,
}

/// The flags of [`LocalKeyArgs`], in the order of its fields.
const FLAGS: [&str; 4] = ["--sse-c-key", "--key", "--private-key", "--passphrase"];
const FROM_FLAGS: [&str; 4] = ["--from-sse-c-key", "--from-key", "--from-private-key", "--from-passphrase"];
const HELP: [&str; 4] = [
    "Read an SSE-C key from SOURCE (file:PATH, env:NAME, fd:N, cmd:COMMAND or prompt) and send it to S3; repeatable",
    "Read an AES key for client-side objects from SOURCE; it never leaves this machine; repeatable",
    "Read an RSA private key (PEM) from SOURCE; it never leaves this machine; repeatable",
    "Read a passphrase from SOURCE, or ask for it; repeatable",
];

impl<const FROM: bool> LocalKeyArgs<FROM> {
    const FLAGS: [&str; 4] = if FROM { FROM_FLAGS } else { FLAGS };

    fn given(&self) -> [(&'static str, &[SourceText]); 4] {
        let [sse_c_key, key, private_key, passphrase] = Self::FLAGS;
        [
            (sse_c_key, &self.sse_c_key),
            (key, &self.key),
            (private_key, &self.private_key),
            (passphrase, &self.passphrase),
        ]
    }

    /// Whether each flag was given: the one for SSE-C keys first, those for client-side objects after it.
    pub(crate) fn are_given(&self) -> [(bool, &'static str); 4] {
        self.given().map(|(flag, sources)| (!sources.is_empty(), flag))
    }

    /// Parses the sources; none is read yet.
    ///
    /// # Errors
    /// A usage failure that never repeats what may be a secret.
    pub(crate) fn sources(&self, allow_open: bool) -> Result<LocalKeySources, Failure> {
        let reader = KeyReader { stdin_is_data: false, allow_open, allow_weak: true, encrypts: false };
        let [customer, symmetric, private, passphrases] = self.given();
        let keys = |(flag, texts): (&'static str, &[SourceText])| -> Result<Sources, Failure> {
            texts.iter().map(|text| Ok((flag, reader.key_source(flag, text)?))).collect()
        };
        let (customer, symmetric, private) = (keys(customer)?, keys(symmetric)?, keys(private)?);
        let (flag, texts) = passphrases;
        let passphrases = texts.iter().map(|text| Ok((flag, reader.passphrase_source(flag, text)?)));
        let passphrases = passphrases.collect::<Result<_, Failure>>()?;
        Ok(LocalKeySources { reader, customer, symmetric, private, passphrases })
    }
}

impl<const FROM: bool> Args for LocalKeyArgs<FROM> {
    fn augment_args(command: Command) -> Command {
        let args = Self::FLAGS.into_iter().zip(HELP).map(|(flag, help)| {
            let name = flag.trim_start_matches("--");
            let arg = Arg::new(name).long(name).value_name("SOURCE").help(help).action(ArgAction::Append);
            let arg = arg.value_parser(value_parser!(SourceText));
            if name.ends_with("passphrase") {
                arg.num_args(0..=1).require_equals(true).default_missing_value("prompt")
            } else {
                arg
            }
        });
        command.args(args)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<const FROM: bool> FromArgMatches for LocalKeyArgs<FROM> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let [sse_c_key, key, private_key, passphrase] = Self::FLAGS.map(|flag| {
            let values = matches.get_many::<SourceText>(flag.trim_start_matches("--"));
            values.into_iter().flatten().cloned().collect()
        });
        Ok(Self { sse_c_key, key, private_key, passphrase })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// Sources, each with its flag.
type Sources = Vec<(&'static str, KeySource)>;

/// The parsed sources of [`LocalKeyArgs`].
pub(crate) struct LocalKeySources {
    reader: KeyReader,
    customer: Sources,
    symmetric: Sources,
    private: Sources,
    passphrases: Sources,
}

/// Keys to decrypt with: those that are sent to S3, and those that stay here.
#[derive(Default)]
pub(crate) struct LocalKeys {
    pub(crate) customer: Vec<CustomerKey>,
    pub(crate) ring: KeyRing,
}

impl LocalKeys {
    pub(crate) fn add(&mut self, more: Self) {
        self.customer.extend(more.customer);
        self.ring.symmetric.extend(more.ring.symmetric);
        self.ring.private.extend(more.ring.private);
        self.ring.passphrases.extend(more.ring.passphrases);
    }
}

impl LocalKeySources {
    /// The same one by one, for a verb that reports on each.
    pub(crate) fn each(self) -> Vec<(KeySource, Self)> {
        let Self { reader, customer, symmetric, private, passphrases } = self;
        let none = || Self {
            reader: reader.clone(),
            customer: Vec::new(),
            symmetric: Vec::new(),
            private: Vec::new(),
            passphrases: Vec::new(),
        };
        let mut all = Vec::new();
        let mut add = |sources: Sources, only: fn(Self, Sources) -> Self| {
            all.extend(sources.into_iter().map(|one| (one.1.clone(), only(none(), vec![one]))));
        };
        add(customer, |none, customer| Self { customer, ..none });
        add(symmetric, |none, symmetric| Self { symmetric, ..none });
        add(private, |none, private| Self { private, ..none });
        add(passphrases, |none, passphrases| Self { passphrases, ..none });
        all
    }

    /// Reads all keys; may wait for a person or another program.
    pub(crate) fn read(self) -> Result<LocalKeys, Failure> {
        let (reader, mut customer, mut ring) = (self.reader, Vec::new(), KeyRing::default());
        for (flag, source) in &self.customer {
            customer.push(reader.customer_key(flag, source)?);
        }
        for (flag, source) in &self.symmetric {
            ring.symmetric.extend(reader.to_open(flag, source)?);
        }
        for (flag, source) in &self.private {
            ring.private.push(reader.private_key(flag, source)?);
        }
        for (flag, source) in &self.passphrases {
            ring.passphrases.push(reader.passphrase(flag, source)?);
        }
        Ok(LocalKeys { customer, ring })
    }
}

/// What any verb needs to know to open an envelope.
#[derive(Clone, clap::Args)]
pub(crate) struct EnvelopeArgs {
    /// Also decrypt formats with weaker guarantees than today's
    #[arg(long, value_name = "WHAT")]
    pub(crate) allow_legacy: Option<Legacy>,

    #[arg(long, value_name = "SIZE")]
    #[arg(help = format!(
        "Refuse objects that need more memory than this to try a passphrase [default: {:#}]",
        defaults::MAX_KDF_MEMORY
    ))]
    pub(crate) max_kdf_memory: Option<ByteSize>,

    #[arg(long, value_name = "SUFFIX")]
    #[arg(help = format!("The suffix of the instruction file's key [default: .{}]", defaults::INSTRUCTION_SUFFIX))]
    pub(crate) instruction_suffix: Option<InstructionSuffix>,
}

impl EnvelopeArgs {
    pub(crate) fn unwrapper(&self, ring: KeyRing) -> Arc<Unwrapper> {
        Arc::new(Unwrapper::new(ring).with_kdf_memory(self.max_kdf_memory))
    }
}

/// What objects may choose by themselves, and what they must prove, to be decrypted.
#[derive(Clone, clap::Args)]
pub(crate) struct TrustArgs {
    /// Let each object choose its KMS key, within --kms-account or the key ARNs given
    #[arg(long)]
    pub(crate) kms_discovery: bool,

    /// An account whose KMS keys an object may choose; repeatable
    #[arg(long, value_name = "ACCOUNT", requires = "kms_discovery")]
    kms_account: Vec<Account>,

    /// Refuse objects that --bind-name did not bind to the name they have
    #[arg(long)]
    pub(crate) require_bound_name: bool,

    #[command(flatten)]
    pub(crate) envelope: EnvelopeArgs,
}

impl TrustArgs {
    /// The settings for decryption without local keys, which [`DecryptionSettings::with_keys`] adds; `kms_flag` and
    /// `context_flag` are the flags that gave `kms_keys` and `context`.
    ///
    /// # Errors
    /// A usage failure for a context that cannot be one, or where nothing limits which KMS key an object may choose:
    /// the owner of any account could then make objects that open.
    pub(crate) fn settings(
        &self,
        (kms_flag, kms_keys): (&str, &[KmsKey]),
        (context_flag, context): (&str, &[(String, String)]),
    ) -> Result<DecryptionSettings, Failure> {
        let context = Context::demanded(context.iter().cloned())
            .map_err(|error| Failure::usage(format!("{context_flag}: {error}")))?;
        let are_arns = !kms_keys.is_empty() && kms_keys.iter().all(|key| key.arn().is_some());
        if self.kms_discovery && self.kms_account.is_empty() && !are_arns {
            return Err(Failure::usage(
                "--kms-discovery alone would decrypt objects encrypted under any key of any AWS account",
            )
            .hint(format!("add --kms-account ACCOUNT, or the key's ARN: {kms_flag} ARN")));
        }
        Ok(DecryptionSettings { trust: self.clone(), kms_keys: kms_keys.to_vec(), context })
    }
}

/// Everything about decryption but the local keys.
pub(crate) struct DecryptionSettings {
    trust: TrustArgs,
    kms_keys: Vec<KmsKey>,
    context: Context,
}

impl DecryptionSettings {
    pub(crate) fn with_keys(self, keys: LocalKeys) -> DecryptionKeys {
        let TrustArgs { kms_account, require_bound_name, envelope, .. } = self.trust;
        DecryptionKeys {
            customer_keys: keys.customer.into(),
            unwrapper: envelope.unwrapper(keys.ring),
            kms_keys: self.kms_keys,
            kms_accounts: kms_account,
            context: self.context,
            legacy: envelope.allow_legacy.unwrap_or_default(),
            suffix: envelope.instruction_suffix,
            require_bound_name,
        }
    }
}
