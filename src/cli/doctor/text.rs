//! The list of checks: a line each, what mends it indented below, and a summary at the end; or the same as documents.

use std::env;

use super::remedies;
use crate::cli::aws_flags::AwsFlags;
use crate::cli::document::doctor::{CheckDocument, CheckState, DoctorSummary};
use crate::cli::document::{self, Command, Document, Record, Summaries, Summary};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::inspect::Tone;
use crate::cli::output;
use crate::cli::progress::amounts;
use crate::cli::sanitize::escaped;
use crate::cli::session::Session;
use crate::commands::doctor::{Check, Name, Problem, State, Verb};
use crate::error::Result as CoreResult;
use crate::location::S3Uri;

/// The column of what was seen: the widest heading and two spaces.
const INDENT: usize = 20;

/// The exit codes, the worst first: a server that is not to be trusted, or not there, makes everything else moot.
const WORST: [Exit; 6] =
    [Exit::Untrusted, Exit::Network, Exit::NotFound, Exit::Denied, Exit::Key, Exit::Condition];

/// Tells the checks and counts them.
pub(super) struct Report<'a> {
    session: &'a Session,
    aws: AwsFlags,
    signs: [&'static str; 3],
    sum: DoctorSummary,
    exits: Vec<Exit>,
}

impl<'a> Report<'a> {
    pub(super) fn new(session: &'a Session) -> Self {
        let signs = if is_utf8() { ["✓", "!", "✗"] } else { ["ok", "!", "x"] };
        Self { session, aws: session.aws_flags(), signs, sum: DoctorSummary::default(), exits: Vec::new() }
    }

    pub(super) fn all(&mut self, checks: &[Check]) -> CoreResult<()> {
        checks.iter().try_for_each(|check| self.one(check))
    }

    fn one(&mut self, check: &Check) -> CoreResult<()> {
        let exit = match &check.state {
            State::Failed(problem) => Some(exit(problem)),
            State::Ok | State::Warning => None,
        };
        let count = match check.state {
            State::Ok => &mut self.sum.ok,
            State::Warning => &mut self.sum.warnings,
            State::Failed(_) => &mut self.sum.failed,
        };
        *count += 1;
        self.exits.extend(exit);
        let remedies = remedies::of(check, &self.aws);
        let causes = match &check.state {
            State::Failed(Problem::Error(error)) => document::causes(error.as_ref()),
            _ => Vec::new(),
        };
        if self.session.json {
            let document = CheckDocument {
                check: check.name.as_str(),
                state: match check.state {
                    State::Ok => CheckState::Ok,
                    State::Warning => CheckState::Warning,
                    State::Failed(_) => CheckState::Failed,
                },
                seen: check.seen.clone(),
                causes,
                remedies,
                exit_code: exit.map(Exit::code),
            };
            return output::document(&Document::new(Command::Doctor, Record::Check(document)).text());
        }
        if self.session.printer.is_quiet() && exit.is_none() {
            return Ok(());
        }
        output::document(&self.text(check, &causes, &remedies))
    }

    fn text(&self, check: &Check, causes: &[String], remedies: &[String]) -> String {
        let (sign, tone) = match check.state {
            State::Ok => (self.signs[0], Tone::Good),
            State::Warning => (self.signs[1], Tone::Odd),
            State::Failed(_) => (self.signs[2], Tone::Bad),
        };
        let width = self.signs.iter().map(|sign| sign.chars().count()).max().unwrap_or_default();
        let sign = tone.paint(self.session.printer.stdout_color(), &format!("{sign:width$}"));
        let heading = heading(check.name);
        let seen = [std::slice::from_ref(&check.seen), causes].concat().join(": ");
        let mut lines = vec![format!("{sign} {heading:INDENT$}{}", escaped(&seen))];
        lines.extend(remedies.iter().map(|remedy| format!("    {}", escaped(remedy))));
        lines.join("\n")
    }

    /// Prints the last line; a check that failed is a failure of the run.
    pub(super) fn end(self, verb: Verb, place: &S3Uri) -> Result<(), Failure> {
        let DoctorSummary { ok, warnings, failed } = self.sum;
        if self.session.json {
            let summary = Record::Summary(Summaries { summary: Summary::Doctor(self.sum) });
            output::document(&Document::new(Command::Doctor, summary).text())?;
        } else if !self.session.printer.is_quiet() {
            let mut parts = vec![format!("{} ok", amounts::count(ok))];
            if warnings > 0 {
                parts.push(amounts::counted(warnings, "warning"));
            }
            if failed > 0 {
                parts.push(format!("{} failed", amounts::count(failed)));
            }
            output::document(&parts.join(", "))?;
        }
        if warnings + failed > 0
            && let Some(hint) = self.aws.of_alias(&place.bucket)
        {
            self.session.printer.say(&hint);
        }
        let worst = WORST.into_iter().find(|exit| self.exits.contains(exit)).or(self.exits.first().copied());
        let Some(worst) = worst else { return Ok(()) };
        let verb = verb.as_str();
        let message = anyhow::anyhow!(
            "{verb} will not work at {place}: {}",
            amounts::counted(failed, "check") + " failed"
        );
        Err(Failure::new(worst, message).hint("each is named above, with what mends it"))
    }
}

fn heading(name: Name) -> String {
    match name {
        Name::SseC => "SSE-C".to_owned(),
        Name::Tls => "TLS".to_owned(),
        name => name.as_str().replace('_', " "),
    }
}

fn exit(problem: &Problem) -> Exit {
    match problem {
        Problem::Error(error) => Exit::of(error),
        Problem::Denied => Exit::Denied,
        Problem::Key => Exit::Key,
    }
}

/// Whether the locale can show more than ASCII; without one, as in a container, nearly every terminal can.
fn is_utf8() -> bool {
    let set = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .find_map(|name| env::var(name).ok().filter(|set| !set.is_empty()));
    set.is_none_or(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.ends_with("utf-8") || locale.ends_with("utf8")
    })
}
