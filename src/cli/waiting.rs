//! Says that the network is down, and since when.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::time::sleep;

use super::output::Printer;
use super::progress::amounts::whole_seconds;
use crate::aws::Outage;

/// Shorter trouble is not worth a word.
const WORTH_SAYING: Duration = Duration::from_secs(3);
const INTERVAL: Duration = Duration::from_millis(500);

/// What to say of an outage.
#[derive(Clone, Debug)]
pub(super) struct Notice {
    pub(super) text: String,
    /// The same for a line that is too narrow.
    pub(super) short: String,
}

/// What to say now, if nothing has got through for a while.
pub(super) fn notice(outage: &Outage) -> Option<Notice> {
    const WAITING: &str = "waiting for the network";
    let since = outage.since()?.elapsed();
    (since >= WORTH_SAYING).then(|| Notice {
        text: format!("{WAITING}, since {}", time_of_day(since)),
        short: format!("{WAITING}, {}", whole_seconds(since.as_secs())),
    })
}

/// Prints when an outage begins and when it is over, until it is dropped.
pub(super) async fn tell(outage: Outage, printer: Printer) {
    let mut told: Option<Instant> = None;
    loop {
        sleep(INTERVAL).await;
        match (told, notice(&outage)) {
            (None, Some(notice)) => {
                printer.detail(&notice.text);
                told = outage.since();
            }
            (Some(since), None) => {
                printer.detail(&format!("the network is back after {} s", since.elapsed().as_secs()));
                told = None;
            }
            _ => {}
        }
    }
}

/// The time of day so long ago. Only UTC is known without the system's table of zones.
fn time_of_day(ago: Duration) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = now.saturating_sub(ago).as_secs() % 86_400;
    format!("{:02}:{:02}:{:02} UTC", seconds / 3600, seconds / 60 % 60, seconds % 60)
}
