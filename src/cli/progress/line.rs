//! Formats the text of a progress line, and fits it into the width of a terminal.

use std::collections::VecDeque;
use std::time::Duration;

use super::Unit;
use super::amounts::{count, of_count, of_size, size, whole_seconds};
use crate::cli::waiting::Notice;
use crate::meter::Counted;

/// How long nothing may move before the line says so.
const STALL: Duration = Duration::from_secs(5);
/// The rate is that of the last seconds: parts end in bursts.
const WINDOW: Duration = Duration::from_secs(10);
/// Fewer columns of a name say nothing.
const NAME_COLUMNS: usize = 12;

/// What was counted in the last seconds. Times count from the beginning.
#[derive(Debug, Default)]
pub(super) struct Pace {
    samples: VecDeque<(Duration, Counted)>,
    /// The last change, and when it was seen.
    last: (Duration, u64, u64),
    /// What is known to hold everything up.
    reason: Option<Notice>,
}

impl Pace {
    /// Takes what is counted now.
    pub(super) fn note(&mut self, now: Duration, mut counted: Counted) {
        // Between a part's answer and its count, or where one is sent again, there would be less than before.
        counted.bytes =
            self.samples.back().map_or(counted.bytes, |(_, before)| before.bytes.max(counted.bytes));
        let (_, moves, sending) = self.last;
        if (moves, sending) != (counted.moves, counted.sending) {
            self.last = (now, counted.moves, counted.sending);
        }
        self.samples.push_back((now, counted));
        while self.samples.get(1).is_some_and(|(then, _)| *then + WINDOW <= now) {
            self.samples.pop_front();
        }
    }

    /// Takes what holds everything up, or that nothing does.
    pub(super) fn wait(&mut self, reason: Option<Notice>) {
        self.reason = reason;
    }

    /// How much there was more in each second, lately.
    fn rate(&self, what: impl Fn(&Counted) -> u64) -> u64 {
        let (Some((from, first)), Some((to, last))) = (self.samples.front(), self.samples.back()) else {
            return 0;
        };
        let milliseconds = u64::try_from(to.saturating_sub(*from).as_millis()).unwrap_or(u64::MAX).max(1);
        what(last).saturating_sub(what(first)).saturating_mul(1000) / milliseconds
    }

    /// How long nothing has moved.
    fn idle(&self) -> Duration {
        self.samples.back().map_or(Duration::ZERO, |(now, _)| now.saturating_sub(self.last.0))
    }
}

/// Makes the line for what `pace` has noted, at most `columns` wide.
pub(super) fn line(unit: Unit, what: &str, pace: &Pace, columns: usize) -> String {
    let counted = pace.samples.back().map(|(_, counted)| *counted).unwrap_or_default();
    let waiting = pace.reason.clone().or_else(|| waiting(unit, &counted, pace.idle()));
    let amounts = Amounts::new(unit, &counted);
    // From the longest to the shortest.
    let candidates = if let Some(Notice { text: why, short }) = waiting {
        vec![vec![amounts.all(what), why.clone()], vec![amounts.most(), why.clone()], vec![why], vec![short]]
    } else {
        let (rate, left) = (rate(unit, pace), left(unit, &counted, pace));
        vec![
            vec![amounts.all(what), rate.clone(), left.clone()],
            vec![amounts.all(""), rate.clone(), left.clone()],
            vec![amounts.all(""), left.clone()],
            vec![amounts.most(), rate, left.clone()],
            vec![amounts.most(), left],
            vec![amounts.most()],
        ]
    };
    let joined = candidates.into_iter().map(|parts| joined(&parts)).collect::<Vec<_>>();
    let fits = joined.iter().find(|line| width(line) <= columns).or(joined.last());
    let line = fits.map(|line| cut(line, columns)).unwrap_or_default();
    if unit == Unit::Bytes { named(what, &line, columns) } else { line }
}

/// Why nothing moves, once that has lasted: the line says it in place of rate and time left.
fn waiting(unit: Unit, counted: &Counted, idle: Duration) -> Option<Notice> {
    if idle < STALL {
        return None;
    }
    let time = whole_seconds(idle.as_secs());
    let text = if counted.sending > 0 {
        format!("waiting for S3 to take it, {time}")
    } else if unit == Unit::Objects {
        format!("no answer for {time}")
    } else {
        format!("no data for {time}")
    };
    Some(Notice { short: text.clone(), text })
}

/// How much is done.
struct Amounts {
    objects: String,
    bytes: String,
}

impl Amounts {
    fn new(unit: Unit, counted: &Counted) -> Self {
        let Counted { bytes, all_bytes, objects, all_objects, is_complete, .. } = *counted;
        Self {
            objects: match unit {
                Unit::Bytes => String::new(),
                _ if all_objects == 0 => count(objects),
                _ => of_count(objects, all_objects.max(objects), is_complete),
            },
            bytes: match unit {
                Unit::Objects => String::new(),
                _ if all_bytes == 0 => size(bytes),
                _ => of_size(bytes.min(all_bytes), all_bytes, is_complete),
            },
        }
    }

    fn all(&self, what: &str) -> String {
        let objects = if what.is_empty() || self.objects.is_empty() {
            self.objects.clone()
        } else {
            format!("{what} {}", self.objects)
        };
        joined(&[objects, self.bytes.clone()])
    }

    /// What says the most alone.
    fn most(&self) -> String {
        if self.bytes.is_empty() { self.objects.clone() } else { self.bytes.clone() }
    }
}

fn rate(unit: Unit, pace: &Pace) -> String {
    match unit {
        Unit::Objects => format!("{}/s", count(pace.rate(|counted| counted.objects))),
        Unit::Bytes | Unit::ObjectsAndBytes => format!("{}/s", size(pace.rate(|counted| counted.bytes))),
    }
}

/// The time left, if all that there is has been found.
fn left(unit: Unit, counted: &Counted, pace: &Pace) -> String {
    let (rate, rest) = match unit {
        Unit::Objects => {
            (pace.rate(|counted| counted.objects), counted.all_objects.saturating_sub(counted.objects))
        }
        Unit::Bytes | Unit::ObjectsAndBytes => {
            (pace.rate(|counted| counted.bytes), counted.all_bytes.saturating_sub(counted.bytes))
        }
    };
    if !counted.is_complete || rate == 0 || rest == 0 {
        return String::new();
    }
    format!("ETA {}", whole_seconds(rest.div_ceil(rate)))
}

/// Puts a name before a line as far as there is room.
fn named(name: &str, line: &str, columns: usize) -> String {
    let room = columns.saturating_sub(width(line) + SEPARATOR.chars().count());
    if room < NAME_COLUMNS.min(width(name)) {
        return line.to_owned();
    }
    // The end of a key says more than its beginning.
    let skip = width(name).saturating_sub(room);
    let shown = if skip == 0 { name.to_owned() } else { format!("…{}", end(name, room.saturating_sub(1))) };
    format!("{shown}{SEPARATOR}{line}")
}

const SEPARATOR: &str = " · ";

fn joined(parts: &[String]) -> String {
    parts.iter().filter(|part| !part.is_empty()).map(String::as_str).collect::<Vec<_>>().join(SEPARATOR)
}

fn width(text: &str) -> usize {
    console::measure_text_width(text)
}

fn cut(text: &str, columns: usize) -> String {
    text.chars().take(columns).collect()
}

/// The end of a text, at most so many columns wide.
fn end(text: &str, columns: usize) -> String {
    let mut room = columns;
    let fits = |character: &char| {
        let wide = width(character.encode_utf8(&mut [0; 4]));
        room.checked_sub(wide).map(|rest| room = rest).is_some()
    };
    let end: Vec<char> = text.chars().rev().take_while(fits).collect();
    end.into_iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    /// Two samples, a second apart, and the second one again after `idle` seconds.
    fn pace(first: Counted, second: Counted, idle: u64) -> Pace {
        let mut pace = Pace::default();
        pace.note(Duration::ZERO, first);
        pace.note(Duration::from_secs(1), Counted { moves: 1, ..second });
        pace.note(Duration::from_secs(1 + idle), Counted { moves: 1, ..second });
        pace
    }

    fn many() -> (Counted, Counted) {
        let second = Counted {
            bytes: 3 * GIB + GIB / 10,
            all_bytes: 18 * GIB + GIB / 5,
            objects: 812,
            all_objects: 2000,
            is_complete: true,
            ..Counted::default()
        };
        (Counted { bytes: second.bytes - (212 << 20), objects: 800, ..second }, second)
    }

    #[test]
    fn a_line_for_many_objects_says_how_many_of_all() {
        let (first, second) = many();
        let running = pace(first, second, 0);
        let at = |columns| line(Unit::ObjectsAndBytes, "files", &running, columns);
        assert_eq!(at(200), "files 812/2,000 · 3.1/18.2 GiB · 212 MiB/s · ETA 1:13");
        assert_eq!(at(50), "812/2,000 · 3.1/18.2 GiB · 212 MiB/s · ETA 1:13");
        assert_eq!(at(37), "812/2,000 · 3.1/18.2 GiB · ETA 1:13");
        assert_eq!(at(30), "3.1/18.2 GiB · ETA 1:13");
        assert_eq!(at(15), "3.1/18.2 GiB");
        assert_eq!(at(5), "3.1/1");
    }

    #[test]
    fn a_total_that_grows_has_a_plus_and_no_time_left() {
        let (first, second) = many();
        let growing = pace(first, Counted { is_complete: false, ..second }, 0);
        assert_eq!(
            line(Unit::ObjectsAndBytes, "files", &growing, 80),
            "files 812/2,000+ · 3.1/18.2+ GiB · 212 MiB/s"
        );
        let counted = Counted { objects: 5, all_objects: 9, ..Counted::default() };
        let listing = pace(Counted::default(), counted, 0);
        assert_eq!(line(Unit::Objects, "objects inspected", &listing, 80), "objects inspected 5/9+ · 5/s");
    }

    #[test]
    fn an_objects_name_is_shortened_at_its_beginning() {
        let second = Counted { bytes: 5 << 20, all_bytes: 20 << 20, is_complete: true, ..Counted::default() };
        let running = pace(Counted::default(), second, 0);
        let name = "s3://bucket/a/long/prefix/home.tar";
        let at = |columns| line(Unit::Bytes, name, &running, columns);
        assert_eq!(at(80), "s3://bucket/a/long/prefix/home.tar · 5.0/20.0 MiB · 5.0 MiB/s · ETA 3 s");
        assert_eq!(at(60), "…a/long/prefix/home.tar · 5.0/20.0 MiB · 5.0 MiB/s · ETA 3 s");
        assert_eq!(at(45), "5.0/20.0 MiB · 5.0 MiB/s · ETA 3 s");
        let name = "s3://bucket/漢字漢字漢字漢字漢字";
        for columns in 10..100 {
            assert!(width(&line(Unit::Bytes, name, &running, columns)) <= columns);
        }
        let unknown = pace(Counted::default(), Counted { bytes: 5 << 20, ..Counted::default() }, 0);
        assert_eq!(line(Unit::Bytes, "k", &unknown, 80), "k · 5.0 MiB · 5.0 MiB/s");
    }

    #[test]
    fn nothing_that_moves_for_five_seconds_is_said() {
        let (first, second) = many();
        let at = |counted, idle, columns| {
            line(Unit::ObjectsAndBytes, "files", &pace(first, counted, idle), columns)
        };
        assert!(!at(second, 4, 80).contains("no data"));
        assert_eq!(at(second, 12, 80), "files 812/2,000 · 3.1/18.2 GiB · no data for 12 s");
        let sending = Counted { sending: 3, ..second };
        assert_eq!(at(sending, 72, 80), "files 812/2,000 · 3.1/18.2 GiB · waiting for S3 to take it, 1:12");
        assert_eq!(at(sending, 72, 37), "waiting for S3 to take it, 1:12");
        let listing = pace(Counted::default(), Counted { objects: 5, ..Counted::default() }, 7);
        assert_eq!(
            line(Unit::Objects, "objects inspected", &listing, 80),
            "objects inspected 5 · no answer for 7 s"
        );
    }

    #[test]
    fn an_outage_is_said_as_far_as_there_is_room() {
        let (first, second) = many();
        let mut waiting = pace(first, second, 12);
        let text = "waiting for the network, since 12:00:00 UTC".to_owned();
        waiting.wait(Some(Notice { text, short: "waiting for the network, 12 s".to_owned() }));
        let at = |columns| line(Unit::ObjectsAndBytes, "files", &waiting, columns);
        assert_eq!(at(80), "files 812/2,000 · 3.1/18.2 GiB · waiting for the network, since 12:00:00 UTC");
        assert_eq!(at(60), "3.1/18.2 GiB · waiting for the network, since 12:00:00 UTC");
        assert_eq!(at(50), "waiting for the network, since 12:00:00 UTC");
        assert_eq!(at(37), "waiting for the network, 12 s");
    }

    #[test]
    fn the_rate_is_that_of_the_last_seconds() {
        let mut pace = Pace::default();
        for second in 0..100 {
            let bytes = if second < 50 { second * 100 } else { 5000 + (second - 50) * 10 };
            pace.note(Duration::from_secs(second), Counted { bytes, moves: second, ..Counted::default() });
        }
        assert_eq!(pace.rate(|counted| counted.bytes), 10);
        assert!(pace.samples.len() < 20, "{}", pace.samples.len());
    }
}
