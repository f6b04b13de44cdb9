//! Formats numbers for people: counts, sizes, fractions of a total, durations.

use indicatif::HumanCount;

const UNITS: [&str; 6] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/// A count with its thousands apart.
pub(crate) fn count(number: u64) -> String {
    HumanCount(number).to_string()
}

/// A number of things, which are several unless it is 1.
pub(crate) fn counted(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(number), if number == 1 { "" } else { "s" })
}

/// Words in a row: `a, b and c`.
pub(crate) fn listed(words: &[impl AsRef<str>]) -> String {
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    match words.as_slice() {
        [before @ .., last] if !before.is_empty() => format!("{} and {last}", before.join(", ")),
        words => words.concat(),
    }
}

/// A number of bytes: one decimal from KiB on, none from 100 on.
pub(crate) fn size(bytes: u64) -> String {
    let (number, unit) = scaled(bytes);
    format!("{number} {unit}")
}

/// So many of so many; `plus` marks a total that still grows.
pub(crate) fn of_count(done: u64, all: u64, is_complete: bool) -> String {
    let plus = if is_complete { "" } else { "+" };
    format!("{}/{}{plus}", count(done), count(all))
}

/// So many bytes of so many, in one unit where that shows both.
pub(crate) fn of_size(done: u64, all: u64, is_complete: bool) -> String {
    let plus = if is_complete { "" } else { "+" };
    let (number, unit) = scaled(all);
    let (part, part_unit) = scaled(done);
    match part_unit == unit || done == 0 {
        true if done == 0 => format!("0/{number}{plus} {unit}"),
        true => format!("{part}/{number}{plus} {unit}"),
        false => format!("{part} {part_unit}/{number}{plus} {unit}"),
    }
}

/// A time: `0.4 s`, `12 s`, `1:27`, `2:03:04`.
pub(crate) fn time(seconds: f64) -> String {
    if seconds < 9.95 {
        return format!("{seconds:.1} s");
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a time of this run, or capped"
    )]
    whole_seconds(seconds.min(1e9).round() as u64)
}

/// The same for whole seconds.
pub(crate) fn whole_seconds(seconds: u64) -> String {
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds} s"),
        (0, _) => format!("{minutes}:{:02}", seconds % 60),
        _ => format!("{hours}:{minutes:02}:{:02}", seconds % 60),
    }
}

/// What was done in which time: `18.2 GiB in 1:27 (214 MiB/s)`.
pub(crate) fn sum(bytes: u64, seconds: f64) -> String {
    format!("{} in {} ({})", size(bytes), time(seconds), rate(bytes, seconds))
}

/// Bytes a second over a time.
fn rate(bytes: u64, seconds: f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
    let rate = if seconds > 0.0 { (bytes as f64 / seconds) as u64 } else { bytes };
    format!("{}/s", size(rate))
}

fn scaled(bytes: u64) -> (String, &'static str) {
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let mut value = bytes as f64;
    let mut unit = 0;
    // What would be rounded to 1024 belongs to the next unit.
    while value >= 1023.5 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    let digits = usize::from(unit > 0 && value < 99.95);
    (format!("{value:.digits$}"), UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(count(number), text);
        }
    }

    #[test]
    fn sizes_have_three_digits_at_most_four() {
        for (bytes, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1536, "1.5 KiB"),
            (212 << 20, "212 MiB"),
            ((1 << 30) - 1, "1.0 GiB"),
            (18 * (1 << 30) + (1 << 30) / 5, "18.2 GiB"),
            (u64::MAX, "16384 PiB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }

    #[test]
    fn parts_of_a_whole_share_its_unit_where_they_can() {
        const GIB: u64 = 1 << 30;
        assert_eq!(of_count(812, 2000, true), "812/2,000");
        assert_eq!(of_count(812, 2000, false), "812/2,000+");
        assert_eq!(of_size(3 * GIB + GIB / 10, 18 * GIB + GIB / 5, true), "3.1/18.2 GiB");
        assert_eq!(of_size(3 * GIB, 18 * GIB, false), "3.0/18.0+ GiB");
        assert_eq!(of_size(5 << 20, 18 * GIB, true), "5.0 MiB/18.0 GiB");
        assert_eq!(of_size(0, 18 * GIB, true), "0/18.0 GiB");
        assert_eq!(of_size(5, 9, true), "5/9 B");
    }

    #[test]
    fn times_are_short() {
        for (seconds, text) in [
            (0.0, "0.0 s"),
            (0.44, "0.4 s"),
            (9.94, "9.9 s"),
            (9.96, "10 s"),
            (59.4, "59 s"),
            (59.6, "1:00"),
            (87.0, "1:27"),
            (7384.0, "2:03:04"),
        ] {
            assert_eq!(time(seconds), text);
        }
        assert_eq!(sum(428 << 20, 2.0), "428 MiB in 2.0 s (214 MiB/s)");
        assert_eq!(rate(7, 0.0), "7 B/s");
    }
}
