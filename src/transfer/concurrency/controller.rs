//! How many requests are worth having in flight: a number that follows the link. Pure; it is told what each moment saw.
//!
//! The number grows as long as more requests move more: nobody can know a connection's rate, the link's and the service's
//! before they are tried. Where the service is far, most objects would be over before that is measured: there it begins
//! higher, and that of an upload doubles as soon as requests get along. It never shrinks because a link is slow: requests
//! that share a full link lose nothing.

use std::time::Duration;

use crate::limits::{
    CONCURRENCY_FAR, CONCURRENCY_GAIN_MIN, CONCURRENCY_HOLD_ROUNDS, CONCURRENCY_ROUND_MIN,
    CONCURRENCY_ROUND_TRIPS, CONCURRENCY_STEP_MIN,
};

/// What a moment saw.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Observation {
    /// As many requests as allowed were in flight.
    Full(Progress),
    /// It says nothing about the link: too little to do, a limit on the rate, a connection that broke.
    Unclear,
    /// The service asked for fewer requests, or did not answer in time.
    Overloaded(Progress),
}

/// What requests have done.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Progress {
    /// How long it took.
    pub(super) seconds: f64,
    /// Bytes that have arrived, here or there.
    pub(super) bytes: f64,
    /// Requests that have ended.
    pub(super) ended: usize,
    /// Answers that asked for fewer requests, and attempts that took too long.
    pub(super) refused: usize,
    /// Requests that began to move briskly, see [`Counted::brisk`](crate::aws::traffic::Counted::brisk).
    pub(super) brisk: usize,
}

/// Chooses the number.
#[derive(Debug)]
pub(super) struct Controller {
    limit: usize,
    /// With how many it begins where the service is far.
    far: usize,
    ceiling: usize,
    /// Until the first round has ended.
    is_starting: bool,
    /// What has been seen since the last round. A round is over when as many requests have ended as may be in flight: the
    /// bytes of an upload are known to have moved only when it is answered, and all of them may be answered together.
    round: Progress,
    /// The last step: what moved a second before it, and with how many requests.
    before: Option<(f64, usize)>,
    /// Whether to ignore this round: connections must open and speed up.
    skips: bool,
    /// After the number was reduced, until a round is over: how many requests had been in flight. What is refused now may
    /// have been sent by those.
    easing: Option<usize>,
    /// Rounds in which the number stays.
    hold: u32,
}

impl Controller {
    /// Begins with `start` requests, or with `far` where the service turns out to be far; there are never more than
    /// `ceiling`.
    pub(super) fn new(start: usize, far: usize, ceiling: usize) -> Self {
        Self {
            limit: start.min(ceiling),
            far: far.min(ceiling),
            ceiling,
            is_starting: true,
            round: Progress::default(),
            before: None,
            skips: true,
            easing: None,
            hold: 0,
        }
    }

    /// Takes what a moment saw, where an answer takes at least `round_trip`, and returns the number for the next one.
    pub(super) fn observe(&mut self, observation: Observation, round_trip: Duration) -> usize {
        let is_overloaded = matches!(observation, Observation::Overloaded(_));
        if self.is_starting && !is_overloaded && round_trip >= CONCURRENCY_FAR && self.limit < self.far {
            self.set(self.far);
        }
        match observation {
            Observation::Overloaded(_) if self.easing.is_none() => self.reduce(),
            Observation::Unclear => (self.before, self.round) = (None, Progress::default()),
            Observation::Full(progress) | Observation::Overloaded(progress) => self.add(progress, round_trip),
        }
        self.limit
    }

    fn reduce(&mut self) {
        self.easing = Some(self.limit);
        self.set(self.before.map_or(self.limit.div_ceil(2), |(_, limit)| limit));
        (self.is_starting, self.hold) = (false, CONCURRENCY_HOLD_ROUNDS);
    }

    fn add(&mut self, progress: Progress, round_trip: Duration) {
        self.round.seconds += progress.seconds;
        self.round.bytes += progress.bytes;
        self.round.ended += progress.ended;
        self.round.refused += progress.refused;
        self.round.brisk += progress.brisk;
        if self.round.ended == 0 && self.easing.is_some_and(|in_flight| self.round.refused >= in_flight) {
            return self.reduce();
        }
        let is_brisk = round_trip >= CONCURRENCY_FAR && self.round.brisk >= self.limit / 2;
        if self.is_starting && is_brisk && self.limit < self.ceiling {
            return self.set((self.limit * 2).min(self.ceiling));
        }
        let least = CONCURRENCY_ROUND_MIN.max(round_trip * CONCURRENCY_ROUND_TRIPS);
        if self.round.seconds < least.as_secs_f64() || self.round.ended < self.limit {
            return;
        }
        let round = std::mem::take(&mut self.round);
        self.easing = None;
        if !std::mem::take(&mut self.skips) {
            self.is_starting = false;
            self.measured(round.bytes / round.seconds);
        }
    }

    fn measured(&mut self, rate: f64) {
        if let Some((rate_before, limit_before)) = self.before.take()
            && gain(rate_before, rate, limit_before, self.limit) < CONCURRENCY_GAIN_MIN
        {
            self.set(limit_before);
            self.hold = CONCURRENCY_HOLD_ROUNDS;
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
        (self.limit, self.before, self.skips, self.round) = (limit, None, true, Progress::default());
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

    /// A moment that is a round: with so many bytes a second.
    fn round(rate: f64) -> Observation {
        Observation::Full(Progress { seconds: 1.0, bytes: rate, ended: 64, ..Progress::default() })
    }

    fn limits(controller: &mut Controller, seen: impl IntoIterator<Item = Observation>) -> Vec<usize> {
        seen.into_iter().map(|seen| controller.observe(seen, Duration::ZERO)).collect()
    }

    fn refused(refused: usize) -> Observation {
        Observation::Overloaded(Progress { refused, ..Progress::default() })
    }

    #[test]
    fn it_grows_while_more_requests_move_more_and_skips_a_round_after_each_step() {
        let mut controller = Controller::new(16, 32, 64);
        let rates = [16, 16, 24, 24, 36, 36, 54, 54, 64, 64].map(|rate| round(f64::from(rate)));
        assert_eq!(limits(&mut controller, rates), [16, 24, 24, 36, 36, 54, 54, 64, 64, 64]);
    }

    #[test]
    fn far_away_it_begins_higher_and_doubles_once_half_of_the_requests_get_along() {
        let far = |controller: &mut Controller, seen| controller.observe(seen, CONCURRENCY_FAR);
        let brisk =
            |brisk| Observation::Full(Progress { seconds: 0.01, bytes: 1.0, brisk, ..Progress::default() });
        let mut controller = Controller::new(16, 32, 64);
        let seen = [Observation::Unclear, brisk(8), brisk(7), brisk(1), brisk(99)];
        assert_eq!(seen.map(|seen| far(&mut controller, seen)), [32, 32, 32, 64, 64]);
        let mut controller = Controller::new(16, 32, 24);
        assert_eq!([brisk(0), brisk(99)].map(|seen| far(&mut controller, seen)), [24, 24], "the ceiling");
        let mut controller = Controller::new(16, 64, 64);
        assert_eq!([brisk(0), brisk(99)].map(|seen| far(&mut controller, seen)), [64, 64], "many objects");
        let mut controller = Controller::new(16, 64, 64);
        assert_eq!(limits(&mut controller, [brisk(99)]), [16], "near");
        let mut controller = Controller::new(16, 32, 64);
        let seen = [refused(1), brisk(99)];
        assert_eq!(seen.map(|seen| far(&mut controller, seen)), [8, 8], "overloaded");
    }

    #[test]
    fn a_step_that_moves_no_more_is_taken_back_and_not_tried_again_for_long() {
        let mut controller = Controller::new(16, 32, 64);
        let found = limits(&mut controller, [round(100.0); 40]);
        assert_eq!(found[..6], [16, 24, 24, 16, 16, 16]);
        assert_eq!(found.iter().rposition(|limit| *limit == 24), Some(36), "tried once more: {found:?}");
        assert_eq!(found.iter().filter(|limit| **limit == 24).count(), 4, "{found:?}");
    }

    #[test]
    fn an_overload_halves_it_once_in_a_round_and_lets_it_grow_again_later() {
        let mut controller = Controller::new(64, 32, 64);
        let overloads = [round(1.0), refused(1), refused(1), refused(1), round(1.0)];
        assert_eq!(limits(&mut controller, overloads), [64, 32, 32, 32, 32]);
        assert_eq!(limits(&mut controller, [refused(1), round(1.0), refused(1)]), [16, 16, 8]);
        assert_eq!(limits(&mut controller, [round(1.0); 32]).last(), Some(&12));
    }

    #[test]
    fn it_is_halved_again_once_as_many_were_refused_as_were_in_flight_and_none_got_through() {
        let mut controller = Controller::new(64, 32, 64);
        let seen = [refused(64), refused(63), refused(1), refused(31), refused(1)];
        assert_eq!(limits(&mut controller, seen), [32, 32, 16, 16, 8]);
        let mut controller = Controller::new(64, 32, 64);
        let one_through = Observation::Full(Progress { ended: 1, ..Progress::default() });
        assert_eq!(limits(&mut controller, [refused(64), one_through, refused(640)]), [32; 3]);
    }

    #[test]
    fn an_overload_after_a_step_takes_the_step_back() {
        let mut controller = Controller::new(16, 32, 64);
        assert_eq!(limits(&mut controller, [round(1.0), round(1.0), refused(1)]), [16, 24, 16]);
    }

    #[test]
    fn what_an_outage_or_a_limited_rate_shows_is_no_gain() {
        let mut controller = Controller::new(16, 32, 64);
        assert_eq!(limits(&mut controller, [Observation::Unclear; 50]), [16; 50]);
        let seen = [round(1.0), round(1.0), Observation::Unclear, round(9.0), round(9.0)];
        assert_eq!(limits(&mut controller, seen), [16, 24, 24, 24, 36], "measured anew");
    }

    #[test]
    fn a_round_lasts_four_round_trips_a_quarter_of_a_second_and_as_many_answers_as_requests() {
        let mut controller = Controller::new(16, 32, 64);
        let part = |seconds, ended| {
            Observation::Full(Progress { seconds, bytes: 1.0, ended, ..Progress::default() })
        };
        assert_eq!(limits(&mut controller, [part(0.3, 16), part(9.0, 15), part(0.1, 1)]), [16, 16, 24]);
        let mut controller = Controller::new(16, 32, 64);
        assert_eq!(limits(&mut controller, [part(0.2, 16), part(0.1, 16), part(0.2, 16)]), [16; 3]);
        let mut controller = Controller::new(16, 32, 64);
        let seen = [Observation::Unclear, part(0.3, 32), part(0.1, 0), part(0.3, 32), part(0.1, 0)];
        let seen = seen.map(|seen| controller.observe(seen, Duration::from_millis(100)));
        assert_eq!(seen, [32, 32, 32, 32, 48]);
    }
}
