//! `s3seal doctor`: its arguments, and the checks in words.

use clap::ValueEnum;

use super::encryption_args::{Choice, EncryptionArgs};
use super::failure::Failure;
use super::session::Session;
use super::state_directory::state_directory;
use crate::aws::Options;
use crate::commands::decryption_keys::DecryptionKeys;
use crate::commands::doctor::{self, DoctorRequest, Verb};
use crate::defaults;
use crate::encryption::Mode;
use crate::location::S3Uri;

mod from_args;
mod key_files;
mod policy;
mod remedies;
mod rules;
mod text;

use from_args::FromArgs;
use key_files::AskedKeys;
use policy::PolicyArgs;
use text::Report;

const EXAMPLES: &str = "\
Examples:
  s3seal doctor s3://bucket/db/
  s3seal doctor s3://bucket/db/ -e sse-kms --kms-key alias/backup
  s3seal doctor s3://bucket/db/ --sse-c-key /etc/backup.key --write-test
  s3seal doctor s3://bucket/db/ --for rotate --key new.key --from-key old.key
  s3seal doctor s3://bucket/db/ --policy put > policy.json";

const PRIVATE_KEY_HELP: &str = "Read the RSA private key (PEM) to decrypt with from SOURCE [get, inspect]";

/// Check whether a verb will work, before hours of transfer
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
#[command(mut_arg("private_key", |arg| arg.hide(false).help(PRIVATE_KEY_HELP)))]
pub(crate) struct DoctorArgs {
    /// A bucket or a prefix (ending in /)
    // The id under which rules look for the places of every verb.
    #[arg(id = "places", value_name = "s3://BUCKET[/PREFIX/]")]
    place: S3Uri,

    /// The verb that is to work
    #[arg(long = "for", value_name = "VERB", default_value = "put")]
    verb: ForVerb,

    /// Also put, get, compare and delete a scratch object of a few bytes
    #[arg(long)]
    write_test: bool,

    #[command(flatten)]
    encryption: EncryptionArgs,

    #[command(flatten)]
    from: FromArgs,

    #[command(flatten)]
    policy: PolicyArgs,
}

/// The verb that is to work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ForVerb {
    /// Store objects
    Put,
    /// Fetch objects
    Get,
    /// Show how objects are encrypted
    Inspect,
    /// Change the encryption of objects
    Rotate,
}

impl From<ForVerb> for Verb {
    fn from(verb: ForVerb) -> Self {
        match verb {
            ForVerb::Put => Self::Put,
            ForVerb::Get => Self::Get,
            ForVerb::Inspect => Self::Inspect,
            ForVerb::Rotate => Self::Rotate,
        }
    }
}

pub(crate) async fn run(args: DoctorArgs, session: &Session) -> Result<(), Failure> {
    if policy::print(&args.policy, &args.from, &args.place, &args.encryption, session)? {
        return Ok(());
    }
    let options = session.options()?;
    // It answers in seconds, also about a server that does not.
    let options =
        Options { max_attempts: options.max_attempts.or(Some(defaults::DOCTOR_ATTEMPTS)), ..options };
    let (place, verb) = (args.place, Verb::from(args.verb));
    args.from.only_of_rotations(verb == Verb::Rotate)?;
    let (asked, mode) = asked_keys(args.encryption, &args.from, verb)?;
    let only_decrypts = asked.choice.is_none() && mode.is_some();
    let read = session.ask(move || Ok(asked.read())).await?;
    let request = DoctorRequest {
        place: place.clone(),
        verb,
        mode,
        only_decrypts,
        // The bare names are those of the new keys, which open nothing yet.
        opening: match verb {
            Verb::Rotate => DecryptionKeys::local(read.old.customer, read.old.ring),
            _ => DecryptionKeys::of(read.encryption.as_ref(), read.private),
        },
        encryption: read.encryption,
        from: args.from.protection(),
        old_kms_key: args.from.kms_key,
        rules: session.rules.requirements.clone(),
        write_test: args.write_test,
        records: state_directory(),
    };
    let mut report = Report::new(session);
    report.all(&rules::checks(&session.rules, &place))?;
    report.all(&read.checks)?;
    let connection = session.connect(options).await?;
    report.all(&doctor::run(&connection, request, &session.cancellation).await?)?;
    report.end(verb, &place)
}

/// The keys that the flags name, none of them read yet, and the mode that is asked for.
fn asked_keys(
    mut args: EncryptionArgs,
    from: &FromArgs,
    verb: Verb,
) -> Result<(AskedKeys, Option<Mode>), Failure> {
    let wanted = args.wanted()?.mode;
    let reader = args.reader(false);
    let (private, are_all) = match verb {
        Verb::Put | Verb::Rotate => (Vec::new(), false),
        Verb::Get | Verb::Inspect => args.take_private_keys(),
    };
    let private: Vec<_> = private
        .iter()
        .map(|text| reader.key_source(key_files::PRIVATE_KEY, text))
        .collect::<Result<_, _>>()?;
    let old = from.keys.sources(args.key_file.allow_open_key_file)?;
    if !private.is_empty() && are_all && matches!(wanted, None | Some(Mode::Client)) {
        return Ok((AskedKeys { choice: None, private, old, reader }, Some(Mode::Client)));
    }
    let choice = args.choose(&reader)?;
    let mode = choice.as_ref().map(Choice::mode);
    Ok((AskedKeys { choice, private, old, reader }, mode))
}
