//! Progress on standard error: a bar on a terminal, lines in logs, nothing elsewhere.
//!
//! Reads a [`Meter`] at intervals; the code that moves the bytes knows nothing of it.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::output::{Printer, ProgressMode};
use super::sanitize::escaped;
use crate::byte_size::ByteSize;
use crate::meter::Meter;

/// The interval at which a bar is redrawn.
const FRAME: Duration = Duration::from_millis(100);
const LINE: Duration = Duration::from_secs(5);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// The bytes of one object.
    Bytes,
    /// Objects; how many there will be is not known.
    Objects,
    /// Objects and their bytes; how many there will be is not known.
    ObjectsAndBytes,
}

/// Progress on display; removed when dropped.
pub(crate) struct Progress {
    counts: Counts,
    printer: Printer,
    bar: Option<ProgressBar>,
    /// When lines began; they end with the average rate of one object.
    since: Option<Instant>,
    task: Option<JoinHandle<()>>,
}

impl Progress {
    /// Starts to display progress of `what`: an object or a prefix, or of [`Unit::Objects`] what is counted, such as
    /// "objects inspected".
    pub(crate) fn start(mode: ProgressMode, unit: Unit, what: &str, bytes: Meter, printer: &Printer) -> Self {
        let counts = Counts { unit, what: what.to_owned(), bytes, objects: Meter::default() };
        let mut progress = Self { counts, printer: printer.clone(), bar: None, since: None, task: None };
        let counts = progress.counts.clone();
        match display(mode) {
            Display::Nothing => {}
            Display::Bar => {
                let bar = counts.bar();
                printer.keep_clear_of(Some(bar.clone()));
                progress.bar = Some(bar.clone());
                progress.task = Some(tokio::spawn(counts.draw(bar)));
            }
            Display::Lines => {
                progress.since = (unit == Unit::Bytes).then(Instant::now);
                progress.task = Some(tokio::spawn(counts.write_lines(printer.clone())));
            }
        }
        progress
    }

    pub(crate) fn objects(&self) -> &Meter {
        &self.counts.objects
    }

    pub(crate) fn bytes(&self) -> &Meter {
        &self.counts.bytes
    }

    /// Clears the bar, or writes the last line.
    pub(crate) fn finish(self) {
        if let Some(since) = self.since {
            let seconds = since.elapsed().as_secs_f64();
            self.printer.say(&last_line(&self.counts.what, self.counts.bytes.done(), seconds));
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

/// What is counted so far, and of what.
#[derive(Clone)]
struct Counts {
    unit: Unit,
    what: String,
    bytes: Meter,
    objects: Meter,
}

impl Counts {
    /// A bar without colours; without a length until one is known.
    fn bar(&self) -> ProgressBar {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        bar.set_style(style(match self.unit {
            Unit::Bytes | Unit::ObjectsAndBytes => "{msg}  {spinner} {bytes}  {bytes_per_sec}  {elapsed}",
            Unit::Objects => "{spinner} {human_pos} {msg}  {per_sec}  {elapsed}",
        }));
        bar.set_message(escaped(&self.what).into_owned());
        bar
    }

    async fn draw(self, bar: ProgressBar) {
        loop {
            match self.unit {
                Unit::Bytes => {
                    if let Some(total) = self.bytes.total().filter(|_| bar.length().is_none()) {
                        bar.set_length(total);
                        bar.set_style(style(
                            "{msg}  {percent:>3}% [{bar:24}] {bytes} of {total_bytes}  {bytes_per_sec}  {eta} left",
                        ));
                    }
                    bar.set_position(self.bytes.done());
                }
                Unit::Objects => bar.set_position(self.objects.done()),
                Unit::ObjectsAndBytes => {
                    let message = format!("{}: {} objects", self.what, self.objects.done());
                    bar.set_message(escaped(&message).into_owned());
                    bar.set_position(self.bytes.done());
                }
            }
            bar.tick();
            sleep(FRAME).await;
        }
    }

    async fn write_lines(self, printer: Printer) {
        let mut before = 0;
        loop {
            sleep(LINE).await;
            let (done, objects, what) = (self.bytes.done(), self.objects.done(), &self.what);
            let rate = done.saturating_sub(before) / LINE.as_secs();
            before = done;
            printer.say(&match self.unit {
                Unit::Bytes => line(what, done, self.bytes.total(), rate),
                Unit::Objects => format!("{objects} {what}"),
                Unit::ObjectsAndBytes => {
                    format!("{what}: {objects} objects, {}, {}/s", ByteSize(done), ByteSize(rate))
                }
            });
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
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
