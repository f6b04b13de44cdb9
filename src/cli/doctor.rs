//! `s3seal doctor`: its arguments, and the checks in words.

use clap::ValueEnum;

use super::encryption_args::EncryptionArgs;
use super::failure::Failure;
use super::session::Session;
use crate::aws::Options;
use crate::commands::doctor::{self, DoctorRequest, Verb};
use crate::defaults;
use crate::location::S3Uri;

mod policy;
mod remedies;
mod rules;
mod text;

use policy::PolicyArgs;
use text::Report;

const EXAMPLES: &str = "\
Examples:
  s3seal doctor s3://bucket/db/
  s3seal doctor s3://bucket/db/ -e sse-kms --kms-key alias/backup
  s3seal doctor s3://bucket/db/ --for rotate --key /etc/backup.key
  s3seal doctor s3://bucket/db/ --policy put > policy.json";

/// Check whether a verb will work, before hours of transfer
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DoctorArgs {
    /// A bucket or a prefix (ending in /)
    // The id under which rules look for the places of every verb.
    #[arg(id = "places", value_name = "s3://BUCKET[/PREFIX/]")]
    place: S3Uri,

    /// The verb that is to work
    #[arg(long = "for", value_name = "VERB", default_value = "put")]
    verb: ForVerb,

    #[command(flatten)]
    encryption: EncryptionArgs,

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
    if policy::print(&args.policy, &args.place, &args.encryption, session)? {
        return Ok(());
    }
    let options = session.options()?;
    // It answers in seconds, also about a server that does not.
    let options =
        Options { max_attempts: options.max_attempts.or(Some(defaults::DOCTOR_ATTEMPTS)), ..options };
    let keys = args.encryption.reader(false);
    let choice = args.encryption.choose(&keys)?;
    let encryption = session.ask(move || choice.map(|choice| choice.with_keys(&keys)).transpose()).await?;
    let request = DoctorRequest { place: args.place, verb: args.verb.into(), encryption };
    let mut report = Report::new(session);
    report.all(&rules::checks(&session.rules, &request.place))?;
    let connection = session.connect(options).await?;
    report.all(&doctor::run(&connection, &request, &session.stop).await?)?;
    report.end(&request)
}
