//! Times as users type and read them: a whole number with a unit. Which units a flag takes is the flag's choice.

use std::time::Duration;

/// Units with their milliseconds, the longest first.
pub(super) type Units = [(&'static str, u64)];

/// Reads a number with one of these units; `None` for anything else, and for more than there can be.
pub(super) fn parse(text: &str, units: &Units) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (count, unit) = text.split_at(digits);
    let (_, milliseconds) = units.iter().find(|(name, _)| *name == unit)?;
    count.parse::<u64>().ok()?.checked_mul(*milliseconds).map(Duration::from_millis)
}

/// Writes it in the longest of these units in which it is a whole number.
pub(super) fn text(time: Duration, units: &Units) -> String {
    let all = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let whole = |unit: u64| all >= unit && all.is_multiple_of(unit);
    let (name, unit) = units.iter().find(|(_, unit)| whole(*unit)).unwrap_or(&("ms", 1));
    format!("{}{name}", all / unit)
}
