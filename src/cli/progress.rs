//! Progress on standard error: a bar for people, lines for logs, nothing for anyone else.
//!
//! Reads a [`Meter`] now and then; what moves the bytes knows nothing of it.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::output::{Printer, ProgressMode};
use super::sanitize::escaped;
use crate::tuning::{ByteSize, Meter};

/// How often the bar is looked at.
const FRAME: Duration = Duration::from_millis(100);
/// How often a line is written.
const LINE: Duration = Duration::from_secs(5);

/// Progress being shown; gone when dropped.
pub(crate) struct Progress {
    meter: Meter,
    /// Counts objects, where there are many.
    objects: Meter,
    printer: Printer,
    bar: Option<ProgressBar>,
    /// What the last line is about, and since when, where lines are wanted.
    lines: Option<(String, Instant)>,
    task: Option<JoinHandle<()>>,
}

impl Progress {
    /// Begins to show progress about `what`.
    #[must_use]
    pub(crate) fn start(mode: ProgressMode, what: &str, printer: &Printer) -> Self {
        let meter = Meter::default();
        let mut progress = Self::hidden(meter.clone(), printer);
        match shown(mode) {
            Shown::Nothing => {}
            Shown::Bar => {
                let bar = bar(what);
                printer.keep_clear_of(Some(bar.clone()));
                progress.bar = Some(bar.clone());
                progress.task = Some(tokio::spawn(draw(bar, meter)));
            }
            Shown::Lines => {
                progress.lines = Some((what.to_owned(), Instant::now()));
                progress.task = Some(tokio::spawn(write_lines(what.to_owned(), meter, printer.clone())));
            }
        }
        progress
    }

    /// Begins to show how many of `what` (such as "objects looked at") there are; nobody knows how many there will be.
    #[must_use]
    pub(crate) fn counting(mode: ProgressMode, what: &str, printer: &Printer) -> Self {
        let meter = Meter::default();
        let mut progress = Self::hidden(meter.clone(), printer);
        match shown(mode) {
            Shown::Nothing => {}
            Shown::Bar => {
                let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
                let style = ProgressStyle::with_template("{spinner} {human_pos} {msg}  {per_sec}  {elapsed}");
                bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
                bar.set_message(escaped(what).into_owned());
                printer.keep_clear_of(Some(bar.clone()));
                progress.bar = Some(bar.clone());
                progress.task = Some(tokio::spawn(draw(bar, meter)));
            }
            Shown::Lines => {
                progress.task = Some(tokio::spawn(write_counts(what.to_owned(), meter, printer.clone())));
            }
        }
        progress
    }

    /// Begins to show how many objects and bytes below `what` have gone; nobody knows how many there will be.
    #[must_use]
    pub(crate) fn of_many(mode: ProgressMode, what: &str, printer: &Printer) -> Self {
        let meter = Meter::of_many();
        let mut progress = Self::hidden(meter.clone(), printer);
        let objects = progress.objects.clone();
        match shown(mode) {
            Shown::Nothing => {}
            Shown::Bar => {
                let bar = bar(what);
                printer.keep_clear_of(Some(bar.clone()));
                progress.bar = Some(bar.clone());
                progress.task = Some(tokio::spawn(draw_many(what.to_owned(), bar, objects, meter)));
            }
            Shown::Lines => {
                let lines = write_many(what.to_owned(), objects, meter, printer.clone());
                progress.task = Some(tokio::spawn(lines));
            }
        }
        progress
    }

    fn hidden(meter: Meter, printer: &Printer) -> Self {
        let objects = Meter::default();
        Self { meter, objects, printer: printer.clone(), bar: None, lines: None, task: None }
    }

    /// The meter that counts objects, where there are many.
    #[must_use]
    pub(crate) fn objects(&self) -> &Meter {
        &self.objects
    }

    /// The meter that is read.
    #[must_use]
    pub(crate) fn meter(&self) -> &Meter {
        &self.meter
    }

    /// Stops showing, and clears the bar, so that messages stand alone.
    pub(crate) fn finish(mut self) {
        if let Some((what, since)) = self.lines.take() {
            let seconds = since.elapsed().as_secs_f64();
            self.printer.say(&last_line(&what, self.meter.done(), seconds));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
            self.printer.keep_clear_of(None);
        }
    }
}

enum Shown {
    Nothing,
    Bar,
    Lines,
}

fn shown(mode: ProgressMode) -> Shown {
    let dumb = || std::env::var_os("TERM").is_none_or(|term| term == "dumb");
    match mode {
        ProgressMode::Plain => Shown::Lines,
        ProgressMode::Bar if io::stderr().is_terminal() => Shown::Bar,
        ProgressMode::Auto if io::stderr().is_terminal() && !dumb() => Shown::Bar,
        _ => Shown::Nothing,
    }
}

/// A bar without colours; without a length until one is known.
fn bar(what: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    bar.set_style(style(false));
    bar.set_message(escaped(what).into_owned());
    bar
}

fn style(known: bool) -> ProgressStyle {
    let template = if known {
        "{msg}  {percent:>3}% [{bar:24}] {bytes} of {total_bytes}  {bytes_per_sec}  {eta} left"
    } else {
        "{msg}  {spinner} {bytes}  {bytes_per_sec}  {elapsed}"
    };
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
}

async fn draw(bar: ProgressBar, meter: Meter) {
    loop {
        if let Some(total) = meter.total()
            && bar.length().is_none()
        {
            bar.set_length(total);
            bar.set_style(style(true));
        }
        bar.set_position(meter.done());
        bar.tick();
        sleep(FRAME).await;
    }
}

async fn write_lines(what: String, meter: Meter, printer: Printer) {
    let mut before = 0;
    loop {
        sleep(LINE).await;
        let done = meter.done();
        let rate = done.saturating_sub(before) / LINE.as_secs();
        printer.say(&line(&what, done, meter.total(), rate));
        before = done;
    }
}

async fn write_counts(what: String, meter: Meter, printer: Printer) {
    loop {
        sleep(LINE).await;
        printer.say(&format!("{} {what}", meter.done()));
    }
}

async fn draw_many(what: String, bar: ProgressBar, objects: Meter, meter: Meter) {
    loop {
        bar.set_message(escaped(&format!("{what}: {} objects", objects.done())).into_owned());
        bar.set_position(meter.done());
        bar.tick();
        sleep(FRAME).await;
    }
}

async fn write_many(what: String, objects: Meter, meter: Meter, printer: Printer) {
    let mut before = 0;
    loop {
        sleep(LINE).await;
        let done = meter.done();
        let rate = done.saturating_sub(before) / LINE.as_secs();
        let amount = ByteSize(done);
        printer.say(&format!("{what}: {} objects, {amount}, {}/s", objects.done(), ByteSize(rate)));
        before = done;
    }
}

/// One line on the way; `rate` in bytes a second.
fn line(what: &str, done: u64, total: Option<u64>, rate: u64) -> String {
    let amount = match total {
        Some(total) => format!("{} of {}", ByteSize(done), ByteSize(total)),
        None => ByteSize(done).to_string(),
    };
    let left = match total {
        Some(total) if rate > 0 => format!(", {} s left", total.saturating_sub(done).div_ceil(rate)),
        _ => String::new(),
    };
    format!("{what}: {amount}, {}/s{left}", ByteSize(rate))
}

fn last_line(what: &str, done: u64, seconds: f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
    let rate = if seconds > 0.0 { (done as f64 / seconds) as u64 } else { done };
    format!("{what}: {} in {seconds:.1} s, {}/s", ByteSize(done), ByteSize(rate))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_much_and_how_long() {
        let mib = 1 << 20;
        assert_eq!(
            line("s3://bkt/k", 10 * mib, Some(40 * mib), 4 * mib),
            "s3://bkt/k: 10 MiB of 40 MiB, 4 MiB/s, 8 s left"
        );
        assert_eq!(line("s3://bkt/k", 10 * mib, None, mib), "s3://bkt/k: 10 MiB, 1 MiB/s");
        assert_eq!(line("s3://bkt/k", 0, Some(5), 0), "s3://bkt/k: 0 B of 5 B, 0 B/s");
        assert_eq!(last_line("s3://bkt/k", 10 * mib, 2.5), "s3://bkt/k: 10 MiB in 2.5 s, 4 MiB/s");
    }
}
