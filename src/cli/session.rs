//! What all verbs share: the connection flags, the printer and the cancellation.
//!
//! Waiting for a person or for the network ends on a signal here, so that no verb needs to handle it.

use std::time::Duration;

use super::aws_flags::AwsFlags;
use super::config::apply::InForce;
use super::connection_args::ConnectionArgs;
use super::failure::Failure;
use super::output::{OutputArgs, Printer, ProgressMode};
use super::progress::{Progress, Unit};
use super::prompt;
use super::standard_output::StandardOutput;
use super::waiting;
use crate::aws::{self, Connection, OpenUploads, Options, Outage};
use crate::error::Error;
use crate::meter::Meter;
use crate::transfer::Cancellation;

/// The time that a prompt has to restore the terminal after a signal.
const PROMPT_ENDS: Duration = Duration::from_millis(300);

/// One run of the program.
pub(crate) struct Session {
    /// The one way to standard error.
    pub(crate) printer: Printer,
    /// Where results go.
    pub(crate) stdout: StandardOutput,
    /// Resolves on a signal.
    pub(crate) cancellation: Cancellation,
    /// `--json` was given.
    pub(crate) json: bool,
    /// The configuration files, and what of them counts.
    pub(crate) rules: InForce,
    progress: ProgressMode,
    quiet: bool,
    connection: ConnectionArgs,
    open_uploads: OpenUploads,
    outage: Outage,
}

impl Session {
    pub(crate) fn new(
        connection: ConnectionArgs,
        output: &OutputArgs,
        printer: Printer,
        cancellation: Cancellation,
        open_uploads: OpenUploads,
        rules: InForce,
    ) -> Self {
        let (json, progress, quiet) = (output.json, output.progress, output.quiet);
        let outage = Outage::default();
        let stdout = StandardOutput::new(printer.clone(), cancellation.clone());
        Self { printer, stdout, cancellation, json, rules, progress, quiet, connection, open_uploads, outage }
    }

    /// Returns the options to connect with.
    pub(crate) fn options(&self) -> Result<Options, Failure> {
        let (open_uploads, outage) = (self.open_uploads.clone(), self.outage.clone());
        Ok(Options { outage, open_uploads, ..self.connection.options(&self.printer)? })
    }

    /// The flags with which the AWS CLI reaches the same place, each after a space.
    pub(crate) fn aws_flags(&self) -> AwsFlags {
        self.connection.aws_cli_flags()
    }

    /// Runs `work`, which may wait for a person or another program, on a blocking thread.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let mut asked = tokio::task::spawn_blocking(work);
        tokio::select! {
            answer = &mut asked => answer.unwrap_or_else(|error| Err(Failure::key("reading a key failed").because(error))),
            signal = self.cancellation.wait() => {
                // A prompt left by Ctrl-C cleans up by itself; otherwise it is still waiting.
                if tokio::time::timeout(PROMPT_ENDS, asked).await.is_err() {
                    prompt::restore_terminal();
                }
                Err(Error::Interrupted(signal).into())
            }
        }
    }

    pub(crate) async fn connect(&self, options: Options) -> Result<Connection, Failure> {
        if self.printer.verbosity() > 0 {
            tokio::spawn(waiting::tell(self.outage.clone(), self.printer.clone()));
        }
        let connection = self.cancellation.or(aws::connect(options)).await??;
        self.connection.region_in_use.note(connection.region());
        Ok(connection)
    }

    /// Starts to display progress, as the flags say.
    pub(crate) fn progress(&self, unit: Unit, what: &str) -> Progress {
        let meter = if unit == Unit::Bytes { Meter::default() } else { Meter::of_many() };
        self.progress_of(unit, what, meter)
    }

    /// The same, but without a line that is redrawn where the terminal shows the object itself.
    pub(crate) fn progress_beside(&self, is_object_shown: bool, unit: Unit, what: &str) -> Progress {
        let is_bar = matches!(self.progress, ProgressMode::Auto | ProgressMode::Bar);
        let mode = if is_object_shown && is_bar { ProgressMode::Never } else { self.progress };
        self.start(mode, unit, what, Meter::default())
    }

    /// The same for a meter that exists.
    pub(crate) fn progress_of(&self, unit: Unit, what: &str, meter: Meter) -> Progress {
        self.start(self.progress, unit, what, meter)
    }

    fn start(&self, mode: ProgressMode, unit: Unit, what: &str, meter: Meter) -> Progress {
        let mode = if self.quiet { ProgressMode::Never } else { mode };
        Progress::start(mode, unit, what, meter, &self.printer, self.outage.clone())
    }
}
