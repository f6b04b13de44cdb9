//! The result of a rotation: success, or a failure with its exit code and hints.

use super::RotateArgs;
use super::{plan, summary};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::reporter::objects_were;
use crate::cli::session::Session;
use crate::commands::rotate::bulk::Plans;
use crate::commands::rotate::{Stage, Stopped, Summary};
use crate::error::{Error, Result as CoreResult};
use crate::location::S3Uri;

impl RotateArgs {
    /// Reports the plan of a dry run.
    ///
    /// # Errors
    /// Exit 3 if nothing was found; for what cannot be done, the code that the rotation would end with.
    pub(super) fn dry_run_ended(&self, session: &Session, plans: CoreResult<Plans>) -> Result<(), Failure> {
        let plans = plans?;
        plan::print(&plans, true, session)?;
        let message = match (plans.cannot(), self.single()) {
            (0, _) => return self.found_something(&plans.empty),
            (_, Some(uri)) => return Err(Failure::usage(format!("{uri} cannot be rotated this way"))),
            (refused, None) => format!("{refused} of {} objects cannot be rotated this way", plans.counted()),
        };
        Err(Failure::new(Exit::Some, anyhow::anyhow!(message)).hint("each of them is named above"))
    }

    /// Reports the summary of many objects, which took `seconds`; one object has been reported already.
    ///
    /// # Errors
    /// What ended the run; exit 3 if nothing was found, 9 if some objects failed.
    pub(super) async fn ended(
        &self,
        session: &Session,
        ended: Result<Summary, Stopped>,
        seconds: f64,
    ) -> Result<(), Failure> {
        let (Ok(summary) | Err(Stopped { summary, .. })) = &ended;
        let journal = summary.envelopes_in.clone();
        let ended = self.verdict(session, ended, seconds).await;
        ended.map_err(|failure| match journal {
            Some(path) => failure.hint(format!(
                "the journal {} also has the envelopes, and stays until the objects have them",
                path.display()
            )),
            None => failure,
        })
    }

    async fn verdict(
        &self,
        session: &Session,
        ended: Result<Summary, Stopped>,
        seconds: f64,
    ) -> Result<(), Failure> {
        let many = self.single().is_none();
        let summary = match ended {
            Ok(summary) if summary.declined || !many => return Ok(()),
            Ok(summary) => summary,
            Err(Stopped { stage: Stage::Objects, error, summary }) if many => {
                let said = summary::print(&summary, session, seconds, "nothing rotated").await;
                let hint = match error {
                    Error::NotAsAsked { .. } | Error::EnvelopeLost(_) => {
                        "no further object was started; the objects not stored as requested are named above"
                    }
                    _ => "what is done stays done; the same command continues with the rest",
                };
                // What ended the run comes before a summary that nobody reads.
                drop(said);
                return Err(Failure::from(error).hint(hint));
            }
            Err(Stopped {
                stage: Stage::Journal,
                error: error @ (Error::Local { .. } | Error::Tampered { .. }),
                ..
            }) => {
                return Err(Failure::from(error).hint("choose another file: --journal FILE"));
            }
            Err(Stopped { error, .. }) => return Err(error.into()),
        };
        summary::print(&summary, session, seconds, "no object matches").await?;
        match summary.failed {
            0 => self.found_something(&summary.empty),
            failed => {
                let all = summary.selected();
                let message = anyhow::anyhow!("{} not rotated", objects_were(failed, all));
                Err(Failure::new(Exit::Some, message)
                    .hint("each of them is named above; the same command tries them again"))
            }
        }
    }

    /// A mistyped prefix must not pass beside others that are right.
    fn found_something(&self, empty: &[S3Uri]) -> Result<(), Failure> {
        if empty.is_empty() || self.allow_empty {
            return Ok(());
        }
        let places: Vec<String> = empty.iter().map(ToString::to_string).collect();
        Err(Failure::nothing_found(&places.join(", ")))
    }
}
