//! `s3seal rotate`: its arguments, the request for `commands::rotate` that is made from them, and the confirmation.

use std::path::PathBuf;

use clap::ValueHint;

use super::decryption_args::{LocalKeyArgs, TrustArgs};
use super::encryption_args::{Choice, EncryptionArgs};
use super::failure::Failure;
use super::filter_args::FilterArgs;
use super::outcome;
use super::progress::{Progress, Unit};
use super::prompt;
use super::reporter::{Reporter, Verb};
use super::session::Session;
use super::transfer_args::TransferArgs;
use crate::aws::{Connection, Options};
use crate::commands::asked_encryption::asked;
use crate::commands::decryption_keys::DecryptionKeys;
use crate::commands::rotate::bulk::Plans;
use crate::commands::rotate::desired_encryption::{DesiredEncryption, RotationOptions};
use crate::commands::rotate::filters::Filters;
use crate::commands::rotate::preserve::Loss;
use crate::commands::rotate::selector::Selector;
use crate::commands::rotate::{self, Allowed, Report, RotateRequest};
use crate::defaults;
use crate::encryption::{KmsKey, pair};
use crate::error::Error;
use crate::location::S3Uri;
use crate::meter::Meter;
use crate::object::InstructionSuffix;
use crate::rules::{Encrypted, Requirements};
use crate::transfer_options::TransferOptions;

mod batch;
mod hints;
mod journal_path;
mod plan;
mod question;
mod summary;
mod verdict;

/// The text below the help.
fn after_help() -> String {
    let (all, reencrypted) = (defaults::JOBS_WITHOUT_TRANSFER, defaults::JOBS);
    format!(
        "\
Examples:
  s3seal rotate s3://bucket/db/ -e sse-kms --kms-key alias/new --dry-run
  s3seal rotate s3://bucket/db/ --sse-c-key new.key --from-sse-c-key old.key --yes
  s3seal rotate s3://bucket/home.tar --rewrap --public-key new.pem --from-private-key old.pem
  s3seal rotate s3://bucket/home.tar --passphrase --from-key old.key
  s3seal rotate s3://bucket --only kms:1234abcd-12ab-34cd-56ef-1234567890ab -e sse-s3 --yes
  s3seal rotate s3://bucket -e sse-kms --kms-key alias/new --batch --batch-role arn:aws:iam::111122223333:role/batch

Each object is rotated in the cheapest safe way, and stays readable at every moment:
  update in place   SSE-S3 or SSE-KMS to SSE-KMS on AWS: no data moves
  server copy       one of S3's modes to another: S3 copies the object onto itself
  rewrap            a new key for objects in format s3ec: only metadata changes
  re-encrypt        everything else: streamed through this machine, new data key
Of many objects, {all} are in progress at once, {reencrypted} of them re-encrypted or read; --jobs sets both.

What a new key does not undo: a versioned bucket keeps the old version under the old key,
and holders of the old key may have kept the data key of an object that is only rewrapped."
    )
}

/// Change the encryption or the key of stored objects
#[derive(clap::Args)]
#[command(after_help = after_help())]
#[expect(clippy::struct_excessive_bools, reason = "one for each switch of the command line")]
pub(crate) struct RotateArgs {
    /// An object, a prefix (ending in /) or a bucket; repeatable
    #[arg(value_name = "s3://BUCKET/KEY|/PREFIX/", required = true)]
    places: Vec<S3Uri>,

    /// Only wrap the data key of client-side objects with a new key; objects in format esdk are re-encrypted
    #[arg(long)]
    rewrap: bool,

    /// Use a new data key even where the old one could stay
    #[arg(long)]
    new_data_key: bool,

    /// Also encrypt what nobody is proven to have written: objects that are not client-side, where old client-side keys
    /// or --new-data-key are given, and those encrypted with a public key or not authenticated
    #[arg(long)]
    seal_plaintext: bool,

    /// Write another instruction file with this suffix, for the holder of the new key
    #[arg(long, value_name = "SUFFIX", conflicts_with_all = ["new_data_key", "all_versions"])]
    share_to: Option<InstructionSuffix>,

    /// The version to change; only an update in place can change one
    #[arg(long, value_name = "ID", conflicts_with = "all_versions")]
    version_id: Option<String>,

    /// Also change older versions, where an update in place can
    #[arg(long)]
    all_versions: bool,

    /// Only objects with this mode, key:FINGERPRINT or kms:ARN; repeatable, one of them must match
    #[arg(long, value_name = "WHAT")]
    only: Vec<Selector>,

    #[command(flatten)]
    filter: FilterArgs,

    /// Succeed if nothing is found
    #[arg(long)]
    allow_empty: bool,

    /// Show what would be done and what it costs, and change nothing; fails if something cannot be done
    #[arg(long)]
    dry_run: bool,

    /// Do not ask for confirmation
    #[arg(short, long)]
    yes: bool,

    /// Read each object in full afterwards, also one that is already done
    #[arg(long)]
    verify: bool,

    /// Rotate objects even if WHAT is lost, such as acl or tags; repeatable
    #[arg(long, value_name = "WHAT")]
    accept_loss: Vec<Loss>,

    /// Use UpdateObjectEncryption on a server other than AWS, if a scratch object survives it
    #[arg(long)]
    update_in_place: bool,

    /// The journal, to continue after an interruption [default: in the state directory]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    journal: Option<PathBuf>,

    #[command(flatten)]
    batch: batch::BatchArgs,

    #[command(flatten)]
    encryption: EncryptionArgs,

    #[command(flatten)]
    old: OldKeyArgs,

    #[command(flatten)]
    transfer: TransferArgs,
}

/// How the objects are decrypted as they are now.
#[derive(clap::Args)]
#[command(next_help_heading = "Old keys")]
struct OldKeyArgs {
    #[command(flatten)]
    keys: LocalKeyArgs<true>,

    /// An old KMS key that may decrypt client-side objects; repeatable
    #[arg(long, value_name = "KEY")]
    from_kms_key: Vec<KmsKey>,

    /// A pair that the encryption context of client-side objects must contain; repeatable
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    from_context: Vec<(String, String)>,

    #[command(flatten)]
    trust: TrustArgs,
}

pub(crate) async fn run(args: RotateArgs, session: &Session) -> Result<(), Failure> {
    let options = args.transfer.limit(session.options()?)?;
    let options = Options { many_objects: args.single().is_none(), ..options };
    let choice = args.only_what_fits()?;
    if args.batch.batch {
        return batch::run(&args, choice, options, session).await;
    }
    let transfer_options = args.transfer.options(None)?;
    let (reader, old_keys) =
        (args.encryption.reader(false), args.old.keys.sources(args.encryption.key_file.allow_open_key_file)?);
    let settings = args
        .old
        .trust
        .settings(("--from-kms-key", &args.old.from_kms_key), ("--from-context", &args.old.from_context))?;
    let (encryption, old) = session.ask(move || Ok((choice.with_keys(&reader)?, old_keys.read()?))).await?;
    let connection = session.connect(options).await?;
    let decryption_keys = settings.with_keys(old);
    let options = RotationOptions {
        only_rewrap: args.rewrap,
        new_data_key: args.new_data_key,
        encrypt_unproven: args.seal_plaintext,
        share_to: args.share_to.clone(),
    };
    let target = session
        .cancellation
        .or(DesiredEncryption::new(&connection, encryption, options, &decryption_keys))
        .await??;
    let rules = &session.rules.requirements;
    let asked = asked(&connection, &target.encryptor, rules, &args.places);
    let asked = session.cancellation.or(asked).await??;
    args.places.iter().try_for_each(|place| rules.permit(place, &asked))?;
    let request = args.request(target, decryption_keys, transfer_options, rules.clone(), asked)?;
    let rotated = Box::pin(args.rotate(session, &connection, &request)).await;
    rotated.map_err(|failure| Failure { own_hints: Some(hints::of), ..failure })
}

impl RotateArgs {
    /// Checks the arguments, before a key is read or a request is sent.
    fn only_what_fits(&self) -> Result<Choice, Failure> {
        let reader = self.encryption.reader(false);
        let choice = if self.rewrap || self.share_to.is_some() {
            self.encryption.choose_rewrap(&reader)?
        } else {
            self.encryption.choose(&reader)?
        };
        let Some(choice) = choice else {
            return Err(Failure::usage("rotate needs the new encryption")
                .hint("add -e MODE with its key, or --rewrap with a new wrapping key"));
        };
        let objects = self.places.iter().filter(|place| place.is_object()).count();
        if self.version_id.is_some() && (objects != 1 || self.places.len() != 1) {
            return Err(Failure::usage("--version-id is for one object")
                .hint("name the object, or change all versions with --all-versions"));
        }
        if !self.filter.is_empty() && objects == self.places.len() {
            return Err(Failure::usage(
                "--include and --exclude choose among the objects under a prefix or in a bucket",
            )
            .hint("end a prefix in /, or leave them out"));
        }
        let in_place = matches!(&choice, Choice::SseKms { key: Some(_), context, .. } if context.is_empty());
        if self.update_in_place && !in_place {
            return Err(Failure::usage("--update-in-place needs -e sse-kms and --kms-key, and no --context")
                .hint("leave it out: objects are then copied within S3"));
        }
        if self.seal_plaintext && !matches!(choice, Choice::Client { .. }) {
            return Err(Failure::usage("--seal-plaintext needs -e client")
                .hint("leave it out: S3's modes encrypt every object"));
        }
        if self.rewrap && self.new_data_key {
            return Err(Failure::usage("--rewrap keeps the data key, --new-data-key replaces it")
                .hint("leave out one of the two"));
        }
        Ok(choice)
    }

    /// The object, if there is only one, whose failure is the command's.
    fn single(&self) -> Option<&S3Uri> {
        rotate::single(&self.places, self.all_versions)
    }

    fn request(
        &self,
        target: DesiredEncryption,
        decryption_keys: DecryptionKeys,
        transfer_options: TransferOptions,
        rules: Requirements,
        asked: Encrypted,
    ) -> Result<RotateRequest, Failure> {
        Ok(RotateRequest {
            places: self.places.clone(),
            version_id: self.version_id.clone(),
            chosen: Filters {
                filter: self.filter.clone().filter(),
                only: self.only.clone(),
                all_versions: self.all_versions,
            },
            target,
            decryption_keys,
            rules,
            asked,
            accepted: self.accept_loss.clone(),
            allowed: Allowed { update_in_place: self.update_in_place, verify: self.verify },
            confirmed: self.yes,
            journal: self.journal_location()?,
            transfer_options,
            jobs: self.transfer.objects(),
            planned: Meter::of_many(),
            meter: self.single().map_or_else(Meter::of_many, |_| Meter::default()),
        })
    }

    /// Runs [`rotate::run`] with a prompt for confirmation and a reporter.
    async fn rotate(
        &self,
        session: &Session,
        connection: &Connection,
        request: &RotateRequest,
    ) -> Result<(), Failure> {
        let single = self.single();
        let is_planned = (self.dry_run || !self.yes) && single.is_none();
        let planned = || session.progress_of(Unit::Objects, "objects planned", request.planned.clone());
        let mut planning = is_planned.then(planned);
        if self.dry_run {
            let plans = rotate::dry_run(connection, request, &session.cancellation).await;
            drop(planning);
            return self.dry_run_ended(session, plans);
        }
        // A failure of the question itself is no error of the core.
        let mut unanswered = None;
        let confirm = async |plans: &Plans| {
            drop(planning.take());
            match confirm(session, plans, request).await {
                Ok(yes) => Ok(yes),
                Err(failure) => match failure.error.downcast::<Error>() {
                    Ok(error) => Err(error),
                    Err(error) => {
                        unanswered = Some(Failure { error, ..failure });
                        Ok(false)
                    }
                },
            }
        };
        let mut reporter = Reporter::new(Verb::Rotate, session);
        if single.is_some() {
            reporter = reporter.of_one();
        }
        let mut progress: Option<Progress> = None;
        let report = async |report: Report<'_>| match report {
            Report::Begin => {
                let meter = request.meter.clone();
                progress = Some(match single {
                    Some(uri) => session.progress_of(Unit::Bytes, &uri.to_string(), meter),
                    None => session.progress_of(Unit::ObjectsAndBytes, "objects", meter),
                });
                reporter.begin();
                Ok(())
            }
            Report::Object(row) => {
                request.meter.end_object();
                reporter.report(row, |rotated| outcome::rotated(rotated, session)).await
            }
        };
        let ended = rotate::run(connection, request, &session.cancellation, confirm, report).await;
        if let Some(progress) = progress {
            progress.finish();
        }
        match unanswered {
            Some(failure) => Err(failure),
            None => self.ended(session, ended, reporter.seconds()).await,
        }
    }
}

/// Shows the plan and asks for confirmation.
async fn confirm(session: &Session, plans: &Plans, request: &RotateRequest) -> Result<bool, Failure> {
    plan::print(plans, false, session)?;
    let target = &request.target.encryptor;
    let Some(question) = question::question(plans, &request.places, request.chosen.all_versions, target)
    else {
        return Ok(true);
    };
    let yes = session.ask(move || prompt::confirm(&question)).await?;
    if !yes {
        session.printer.say("nothing changed");
    }
    Ok(yes)
}
