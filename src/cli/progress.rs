//! Progress on standard error: one line on a terminal, lines in logs, nothing elsewhere.
//!
//! Reads a [`Meter`] at intervals; the code that transfers the bytes does not depend on this module. `line` formats the
//! progress line, and `waiting` says in it when the network is down.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::output::{Printer, ProgressMode};
use super::sanitize::escaped;
use super::waiting;
use crate::aws::Outage;
use crate::meter::{Counted, Meter};

pub(crate) mod amounts;
mod line;
mod screen;

use line::Pace;

/// The interval at which counts are read and a line is redrawn.
const FRAME: Duration = Duration::from_millis(100);
/// Lines in logs: one in this time, or for each step of this part of the whole, but not at once.
const LINE: Duration = Duration::from_secs(10);
const LINE_PERCENT: u64 = 10;
const LINE_AGAIN: Duration = Duration::from_secs(1);
/// As wide as a line may be in a log.
const LOG_COLUMNS: usize = 200;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// The bytes of one object.
    Bytes,
    /// Objects.
    Objects,
    /// Objects and their bytes.
    ObjectsAndBytes,
}

/// Progress on display; removed when dropped.
pub(crate) struct Progress {
    counts: Counts,
    printer: Printer,
    began: Instant,
    display: Display,
    bar: Option<ProgressBar>,
    task: Option<JoinHandle<()>>,
}

impl Progress {
    /// Starts to display progress of `what`: the name of one object, or the word for what is counted, such as "files".
    pub(crate) fn start(
        mode: ProgressMode,
        unit: Unit,
        what: &str,
        meter: Meter,
        printer: &Printer,
        outage: Outage,
    ) -> Self {
        let counts = Counts { unit, what: escaped(what).into_owned(), meter, outage };
        let display = display(mode);
        counts.meter.show(display != Display::Nothing);
        let (bar, task) = match display {
            Display::Nothing => (None, None),
            Display::Bar => {
                let bar = bar();
                printer.keep_clear_of(Some(bar.clone()));
                (Some(bar.clone()), Some(tokio::spawn(counts.clone().draw(bar))))
            }
            Display::Lines => (None, Some(tokio::spawn(counts.clone().write_lines(printer.clone())))),
        };
        Self { counts, printer: printer.clone(), began: Instant::now(), display, bar, task }
    }

    pub(crate) fn meter(&self) -> &Meter {
        &self.counts.meter
    }

    /// Clears the line; in a log, writes the last one for one object: many have a summary.
    pub(crate) fn finish(self) {
        if self.display == Display::Lines && self.counts.unit == Unit::Bytes {
            let (bytes, seconds) = (self.counts.meter.counted().bytes, self.began.elapsed().as_secs_f64());
            self.printer.say(&format!("{}: {}", self.counts.what, amounts::sum(bytes, seconds)));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.counts.meter.show(false);
        if let Some(task) = &self.task {
            task.abort();
        }
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
            self.printer.keep_clear_of(None);
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Display {
    Nothing,
    Bar,
    Lines,
}

fn display(mode: ProgressMode) -> Display {
    let dumb = || std::env::var_os("TERM").is_none_or(|term| term == "dumb");
    match mode {
        ProgressMode::Plain => Display::Lines,
        ProgressMode::Bar if io::stderr().is_terminal() => Display::Bar,
        ProgressMode::Auto if io::stderr().is_terminal() && !dumb() => Display::Bar,
        _ => Display::Nothing,
    }
}

/// indicatif draws the line, and keeps it apart from other lines; `line` makes its text.
fn bar() -> ProgressBar {
    let target = ProgressDrawTarget::term_like(Box::new(screen::Screen::new()));
    let style = ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::with_draw_target(None, target).with_style(style)
}

/// What is counted, and what it is called.
#[derive(Clone)]
struct Counts {
    unit: Unit,
    what: String,
    meter: Meter,
    outage: Outage,
}

impl Counts {
    async fn draw(self, bar: ProgressBar) {
        let (began, mut pace) = (Instant::now(), Pace::default());
        loop {
            pace.note(began.elapsed(), self.meter.counted());
            pace.wait(waiting::notice(&self.outage));
            bar.set_message(line::line(self.unit, &self.what, &pace, screen::columns()));
            bar.tick();
            sleep(FRAME).await;
        }
    }

    async fn write_lines(self, printer: Printer) {
        let (began, mut pace) = (Instant::now(), Pace::default());
        let (mut written, mut steps) = (Duration::ZERO, 0);
        loop {
            sleep(FRAME).await;
            let (now, counted) = (began.elapsed(), self.meter.counted());
            pace.note(now, counted);
            pace.wait(waiting::notice(&self.outage));
            let since = now.saturating_sub(written);
            let is_step = percent(&counted) / LINE_PERCENT > steps && since >= LINE_AGAIN;
            if is_step || since >= LINE {
                (written, steps) = (now, percent(&counted) / LINE_PERCENT);
                printer.say(&line::line(self.unit, &self.what, &pace, LOG_COLUMNS));
            }
        }
    }
}

/// How much is done, of what is known to be there.
fn percent(counted: &Counted) -> u64 {
    let Counted { bytes, all_bytes, objects, all_objects, .. } = *counted;
    let of = |done: u64, all: u64| done.saturating_mul(100).checked_div(all);
    of(bytes, all_bytes).or(of(objects, all_objects)).unwrap_or(0)
}
