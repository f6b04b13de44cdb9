//! How many requests of a run that move objects are in flight at once: a fixed number, or one that follows the link.
//!
//! A slot is taken before a request is sent, and dropped once its bytes have moved. Who holds one waits for nothing else of
//! the run, so there is no deadlock: memory is acquired first, or not waited for.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::AbortHandle;

use crate::aws::traffic::{Counted, Traffic};
use crate::defaults::MAX_JOBS;
use crate::error::{Error, Result};

mod controller;
#[cfg(test)]
mod simulation;

use controller::{Controller, Epoch};

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
    /// Requests that wait for a slot.
    waiting: usize,
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

    /// Begins with so many, and follows what the traffic shows, up to [`MAX_JOBS`].
    pub(crate) fn adaptive(start: NonZeroUsize, traffic: &Traffic) -> Self {
        let slots = Slots::new(start.get());
        let controller = Controller::new(start.get(), MAX_JOBS.get());
        let adapting = tokio::spawn(adapt(controller, slots.clone(), traffic.clone()));
        Self { slots, ceiling: MAX_JOBS.get(), adapting: Some(adapting.abort_handle()) }
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
        let waiting = Waiting::new(&self.slots);
        let closed = |error| Error::local("reserve", "a connection")(std::io::Error::other(error));
        let permit = self.slots.free.clone().acquire_owned().await.map_err(closed)?;
        drop(waiting);
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
        let state = State { limit, surplus: 0, waiting: 0 };
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

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut state = self.slots.lock();
        if let Some(permit) = self.permit.take_if(|_| state.surplus > 0) {
            state.surplus -= 1;
            permit.forget();
        }
    }
}

/// Counts a request that waits, also if it is dropped.
struct Waiting<'a>(&'a Slots);

impl<'a> Waiting<'a> {
    fn new(slots: &'a Slots) -> Self {
        slots.lock().waiting += 1;
        Self(slots)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.lock().waiting -= 1;
    }
}

/// Lets the limit follow the traffic, until it is aborted.
async fn adapt(mut controller: Controller, slots: Arc<Slots>, traffic: Traffic) {
    loop {
        let (before, began) = (traffic.counted(), Instant::now());
        tokio::time::sleep(Controller::epoch(before.round_trip.unwrap_or_default())).await;
        let now = traffic.counted();
        let is_full = slots.lock().waiting > 0;
        let epoch = seen(&before, &now, is_full, began.elapsed().as_secs_f64());
        slots.set_limit(controller.observe(epoch));
    }
}

#[expect(clippy::cast_precision_loss, reason = "a rate, not a count")]
fn seen(before: &Counted, now: &Counted, is_full: bool, seconds: f64) -> Epoch {
    let moved = now.bytes - before.bytes;
    if now.overloads > before.overloads {
        Epoch::Overloaded
    } else if !is_full || moved == 0 || now.failures > before.failures || now.held_back > before.held_back {
        Epoch::Unclear
    } else {
        Epoch::Full(moved as f64 / seconds)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

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
    async fn who_no_longer_waits_is_not_counted() {
        let concurrency = Concurrency::fixed(NonZeroUsize::MIN);
        let _taken = concurrency.slot().await.unwrap();
        let waits = tokio::time::timeout(Duration::ZERO, concurrency.slot()).await;
        assert!(waits.is_err());
        assert_eq!(concurrency.slots.lock().waiting, 0);
    }

    #[test]
    fn only_an_epoch_without_trouble_and_with_all_in_flight_is_measured() {
        let before = Counted { bytes: 50, ..Counted::default() };
        let now = Counted { bytes: 100, ..before };
        let after = |change: Counted, is_full| seen(&before, &change, is_full, 0.5);
        assert_eq!(after(now, true), Epoch::Full(100.0));
        assert_eq!(after(now, false), Epoch::Unclear);
        assert_eq!(after(before, true), Epoch::Unclear, "an outage");
        assert_eq!(after(Counted { failures: 1, ..now }, true), Epoch::Unclear);
        assert_eq!(after(Counted { held_back: 1, ..now }, true), Epoch::Unclear);
        assert_eq!(after(Counted { overloads: 1, held_back: 1, ..now }, false), Epoch::Overloaded);
    }
}
