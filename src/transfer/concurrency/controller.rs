//! How many requests are worth having in flight: a number that follows the link. Pure; it is told what each epoch saw.
//!
//! The number grows as long as more requests move more: nobody can know a connection's rate, the link's and the service's
//! before they are tried. It never shrinks because a link is slow: requests that share a full link lose nothing.

use std::time::Duration;

use crate::limits::{
    CONCURRENCY_EPOCH_MIN, CONCURRENCY_EPOCH_ROUND_TRIPS, CONCURRENCY_GAIN_MIN, CONCURRENCY_HOLD_EPOCHS,
    CONCURRENCY_STEP_MIN,
};

/// What a stretch of time saw.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Epoch {
    /// As many requests as allowed were in flight, and moved so much a second.
    Full(f64),
    /// It says nothing about the link: too little to do, a limit on the rate, a connection that broke.
    Unclear,
    /// The service asked for fewer requests, or did not answer in time.
    Overloaded,
}

/// Chooses the number.
#[derive(Debug)]
pub(super) struct Controller {
    limit: usize,
    ceiling: usize,
    /// The last step: what moved a second before it, and with how many requests.
    before: Option<(f64, usize)>,
    /// Epochs to ignore: connections must open and speed up.
    skip: u32,
    /// Epochs in which the number stays.
    hold: u32,
}

impl Controller {
    /// Begins with `start` requests; there are never more than `ceiling`.
    pub(super) fn new(start: usize, ceiling: usize) -> Self {
        Self { limit: start.min(ceiling), ceiling, before: None, skip: 1, hold: 0 }
    }

    /// How long the next epoch is to take, where an answer takes at least `round_trip`.
    pub(super) fn epoch(round_trip: Duration) -> Duration {
        CONCURRENCY_EPOCH_MIN.max(round_trip * CONCURRENCY_EPOCH_ROUND_TRIPS)
    }

    /// Takes an epoch, and returns the number for the next one.
    pub(super) fn observe(&mut self, epoch: Epoch) -> usize {
        match epoch {
            // What was in flight is refused until it has ended: that is one overload, not several.
            Epoch::Overloaded if self.skip == 0 || self.before.is_some() => {
                self.set(self.limit.div_ceil(2));
                self.hold = CONCURRENCY_HOLD_EPOCHS;
            }
            _ if self.skip > 0 => self.skip -= 1,
            Epoch::Overloaded => {}
            Epoch::Unclear => self.before = None,
            Epoch::Full(rate) => self.measured(rate),
        }
        self.limit
    }

    fn measured(&mut self, rate: f64) {
        if let Some((rate_before, limit_before)) = self.before.take()
            && gain(rate_before, rate, limit_before, self.limit) < CONCURRENCY_GAIN_MIN
        {
            self.set(limit_before);
            self.hold = CONCURRENCY_HOLD_EPOCHS;
            return;
        }
        if self.hold > 0 {
            self.hold -= 1;
        } else if self.limit < self.ceiling {
            let step = CONCURRENCY_STEP_MIN.max(self.limit / 2);
            let before = (rate, self.limit);
            self.set((self.limit + step).min(self.ceiling));
            self.before = Some(before);
        }
    }

    fn set(&mut self, limit: usize) {
        (self.limit, self.before, self.skip) = (limit, None, 1);
    }
}

/// The share of the further requests that moved something: 1 where each moves as much as those before, 0 where the link
/// was full.
#[expect(clippy::cast_precision_loss, reason = "a ratio, not a count")]
fn gain(rate_before: f64, rate: f64, before: usize, now: usize) -> f64 {
    (rate / rate_before.max(1.0) - 1.0) / (now as f64 / before as f64 - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(controller: &mut Controller, epochs: impl IntoIterator<Item = Epoch>) -> Vec<usize> {
        epochs.into_iter().map(|epoch| controller.observe(epoch)).collect()
    }

    #[test]
    fn it_grows_while_more_requests_move_more_and_skips_an_epoch_after_each_step() {
        let mut controller = Controller::new(16, 64);
        let rates = [16, 16, 24, 24, 36, 36, 54, 54, 64, 64].map(|rate| Epoch::Full(f64::from(rate)));
        assert_eq!(limits(&mut controller, rates), [16, 24, 24, 36, 36, 54, 54, 64, 64, 64]);
    }

    #[test]
    fn a_step_that_moves_no_more_is_taken_back_and_not_tried_again_for_long() {
        let mut controller = Controller::new(16, 64);
        let found = limits(&mut controller, [Epoch::Full(100.0); 40]);
        assert_eq!(found[..6], [16, 24, 24, 16, 16, 16]);
        assert_eq!(found.iter().rposition(|limit| *limit == 24), Some(36), "tried once more: {found:?}");
        assert_eq!(found.iter().filter(|limit| **limit == 24).count(), 4, "{found:?}");
    }

    #[test]
    fn an_overload_halves_it_once_and_lets_it_grow_again_later() {
        let mut controller = Controller::new(64, 64);
        let overloads = [Epoch::Full(1.0), Epoch::Overloaded, Epoch::Overloaded, Epoch::Full(1.0)];
        assert_eq!(limits(&mut controller, overloads), [64, 32, 32, 32]);
        assert_eq!(limits(&mut controller, [Epoch::Overloaded; 20]).last(), Some(&1));
        assert_eq!(limits(&mut controller, [Epoch::Full(1.0); 31]).last(), Some(&5));
    }

    #[test]
    fn an_overload_after_a_step_counts_although_that_epoch_is_skipped() {
        let mut controller = Controller::new(16, 64);
        let epochs = [Epoch::Full(1.0), Epoch::Full(1.0), Epoch::Overloaded];
        assert_eq!(limits(&mut controller, epochs), [16, 24, 12]);
    }

    #[test]
    fn what_an_outage_or_a_limited_rate_shows_is_no_gain() {
        let mut controller = Controller::new(16, 64);
        assert_eq!(limits(&mut controller, [Epoch::Unclear; 50]), [16; 50]);
        let epochs = [Epoch::Full(1.0), Epoch::Full(1.0), Epoch::Unclear, Epoch::Full(9.0), Epoch::Full(9.0)];
        assert_eq!(limits(&mut controller, epochs), [24, 24, 24, 36, 36], "measured anew");
    }

    #[test]
    fn an_epoch_lasts_four_round_trips_and_not_less_than_a_quarter_of_a_second() {
        let milliseconds = Duration::from_millis;
        assert_eq!(Controller::epoch(milliseconds(1)), milliseconds(250));
        assert_eq!(Controller::epoch(milliseconds(100)), milliseconds(400));
    }
}
