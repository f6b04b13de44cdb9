//! How many requests of a run that move objects are in flight at once: a fixed number, or one that follows the link.
//!
//! A slot is taken before a request is sent, and dropped once its bytes have moved. Who holds one waits for nothing else of
//! the run, so there is no deadlock: memory is acquired first, or not waited for.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::AbortHandle;

use crate::aws::traffic::{Counted, Traffic};
use crate::error::{Error, Result};
use crate::limits::CONCURRENCY_TICK;

mod controller;
#[cfg(test)]
mod simulation;

use controller::{Controller, Observation, Progress};

/// The slots of a run.
pub(crate) struct Concurrency {
    slots: Arc<Slots>,
    ceiling: usize,
    /// The task that lets the number follow the link.
    adapting: Option<AbortHandle>,
}

struct Slots {
    free: Arc<Semaphore>,
    state: Mutex<State>,
}

struct State {
    limit: usize,
    /// Slots to take back as they are dropped, since the limit has become smaller.
    surplus: usize,
    /// Slots that have been dropped.
    ended: usize,
}

/// The right to have a request in flight; dropping it frees the slot.
pub(crate) struct Slot {
    permit: Option<OwnedSemaphorePermit>,
    slots: Arc<Slots>,
}

impl Concurrency {
    /// Always allows so many.
    pub(crate) fn fixed(jobs: NonZeroUsize) -> Self {
        Self { slots: Slots::new(jobs.get()), ceiling: jobs.get(), adapting: None }
    }

    /// Begins with `start`, or with `far` where the service is far, and follows what the traffic shows, up to `ceiling`.
    pub(crate) fn adaptive(
        start: NonZeroUsize,
        far: NonZeroUsize,
        ceiling: NonZeroUsize,
        traffic: &Traffic,
    ) -> Self {
        let [start, far, ceiling] = [start.min(ceiling), far.min(ceiling), ceiling].map(NonZeroUsize::get);
        let slots = Slots::new(start);
        let controller = Controller::new(start, far, ceiling);
        let adapting = tokio::spawn(adapt(controller, slots.clone(), traffic.clone()));
        Self { slots, ceiling, adapting: Some(adapting.abort_handle()) }
    }

    /// How many requests are allowed now.
    pub(crate) fn limit(&self) -> usize {
        self.slots.lock().limit
    }

    /// The most that may ever be allowed.
    pub(crate) fn ceiling(&self) -> usize {
        self.ceiling
    }

    /// Waits for a slot, in the order of the calls.
    pub(crate) async fn slot(&self) -> Result<Slot> {
        let closed = |error| Error::local("reserve", "a connection")(std::io::Error::other(error));
        let permit = self.slots.free.clone().acquire_owned().await.map_err(closed)?;
        Ok(Slot { permit: Some(permit), slots: self.slots.clone() })
    }
}

impl Drop for Concurrency {
    fn drop(&mut self) {
        if let Some(adapting) = &self.adapting {
            adapting.abort();
        }
    }
}

impl Slots {
    fn new(limit: usize) -> Arc<Self> {
        let state = State { limit, surplus: 0, ended: 0 };
        Arc::new(Self { free: Arc::new(Semaphore::new(limit)), state: Mutex::new(state) })
    }

    fn set_limit(&self, limit: usize) {
        let mut state = self.lock();
        if let Some(more) = limit.checked_sub(state.limit) {
            let kept = more.min(state.surplus);
            state.surplus -= kept;
            self.free.add_permits(more - kept);
        } else {
            let fewer = state.limit - limit;
            state.surplus += fewer - self.free.forget_permits(fewer);
        }
        state.limit = limit;
    }

    /// How many requests have ended, and whether as many as allowed are in flight: some may just be taking their slot.
    fn ended_and_full(&self) -> (usize, bool) {
        let state = self.lock();
        (state.ended, self.free.available_permits() * 8 < state.limit)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut state = self.slots.lock();
        state.ended += 1;
        if let Some(permit) = self.permit.take_if(|_| state.surplus > 0) {
            state.surplus -= 1;
            permit.forget();
        }
    }
}

/// Lets the limit follow the traffic, until it is aborted.
async fn adapt(mut controller: Controller, slots: Arc<Slots>, traffic: Traffic) {
    let (mut before, mut ended_before, mut began) = (traffic.counted(), 0, Instant::now());
    loop {
        tokio::time::sleep(CONCURRENCY_TICK).await;
        let (now, at) = (traffic.counted(), Instant::now());
        let (ended, is_full) = slots.ended_and_full();
        let observation = observation(&before, &now, is_full, ended - ended_before, at - began);
        slots.set_limit(controller.observe(observation, now.round_trip.unwrap_or_default()));
        (before, ended_before, began) = (now, ended, at);
    }
}

#[expect(clippy::cast_precision_loss, reason = "a rate, not a count")]
fn observation(before: &Counted, now: &Counted, is_full: bool, ended: usize, time: Duration) -> Observation {
    let progress = Progress {
        seconds: time.as_secs_f64(),
        bytes: (now.bytes - before.bytes) as f64,
        ended,
        refused: usize::try_from(now.overloads - before.overloads).unwrap_or(usize::MAX),
        brisk: usize::try_from(now.brisk - before.brisk).unwrap_or(usize::MAX),
    };
    if progress.refused > 0 {
        Observation::Overloaded(progress)
    } else if !is_full || now.failures > before.failures || now.held_back > before.held_back {
        Observation::Unclear
    } else {
        Observation::Full(progress)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes slots until none is free.
    async fn take_all(concurrency: &Concurrency) -> Vec<Slot> {
        let mut taken = Vec::new();
        while concurrency.slots.free.available_permits() > 0 {
            taken.push(concurrency.slot().await.unwrap());
        }
        taken
    }

    #[tokio::test]
    async fn the_limit_holds_whether_it_grows_or_shrinks_while_slots_are_taken() {
        let concurrency = Concurrency::fixed(NonZeroUsize::new(4).unwrap());
        let mut taken = take_all(&concurrency).await;
        assert_eq!(taken.len(), 4);
        concurrency.slots.set_limit(6);
        taken.extend(take_all(&concurrency).await);
        assert_eq!(taken.len(), 6);
        concurrency.slots.set_limit(2);
        taken.truncate(2);
        assert_eq!(take_all(&concurrency).await.len(), 0, "two are in use");
        taken.truncate(1);
        assert_eq!(take_all(&concurrency).await.len(), 1);
        concurrency.slots.set_limit(1);
        concurrency.slots.set_limit(3);
        assert_eq!(take_all(&concurrency).await.len(), 2, "one is in use");
    }

    #[tokio::test]
    async fn it_is_full_when_nearly_all_slots_are_taken_and_counts_those_that_were_dropped() {
        let concurrency = Concurrency::fixed(NonZeroUsize::new(16).unwrap());
        let mut taken = take_all(&concurrency).await;
        assert_eq!(concurrency.slots.ended_and_full(), (0, true));
        taken.truncate(15);
        assert_eq!(concurrency.slots.ended_and_full(), (1, true));
        taken.truncate(14);
        assert_eq!(concurrency.slots.ended_and_full(), (2, false));
    }

    #[test]
    fn only_a_moment_without_trouble_and_with_all_in_flight_is_measured() {
        let before = Counted { bytes: 50, brisk: 1, ..Counted::default() };
        let now = Counted { bytes: 100, brisk: 3, ..before };
        let after =
            |change: Counted, is_full| observation(&before, &change, is_full, 5, Duration::from_millis(500));
        let progress = Progress { seconds: 0.5, bytes: 50.0, ended: 5, refused: 0, brisk: 2 };
        assert_eq!(after(now, true), Observation::Full(progress));
        assert_eq!(after(now, false), Observation::Unclear);
        assert_eq!(after(Counted { failures: 1, ..now }, true), Observation::Unclear);
        assert_eq!(after(Counted { held_back: 1, ..now }, true), Observation::Unclear);
        let overloads = Counted { overloads: 1, held_back: 1, ..now };
        let progress = Progress { refused: 1, ..progress };
        assert_eq!(after(overloads, false), Observation::Overloaded(progress));
    }
}
