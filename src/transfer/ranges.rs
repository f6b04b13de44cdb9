//! The ranges of a download, each with the memory and the slot for its request.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use futures_util::{Stream, stream};

use crate::error::Result;
use crate::transfer::concurrency::Slot;
use crate::transfer::memory_budget::{MemoryBudget, Permit};
use crate::transfer::plan::Remaining;

/// What is still to be fetched.
pub(super) struct Ranges {
    state: Mutex<State>,
}

struct State {
    remaining: Remaining,
    /// The lengths of the next ranges, where they are not free.
    lengths: VecDeque<u64>,
}

/// A range whose request may be sent.
pub(super) struct RangeRequest {
    pub(super) range: Range<u64>,
    /// Dropped when the bytes have been passed on.
    pub(super) permit: Permit,
    /// Dropped when they have arrived.
    pub(super) slot: Slot,
}

impl Ranges {
    /// All of `remaining`; the first ranges have these lengths.
    pub(super) fn new(remaining: Remaining, lengths: VecDeque<u64>) -> Self {
        Self { state: Mutex::new(State { remaining, lengths }) }
    }

    /// Yields the ranges in order, of up to `size` bytes as it is at that moment, when there are places for them. Each holds
    /// up to `held` bytes in memory.
    pub(super) fn requests<'a>(
        &'a self,
        budget: &'a MemoryBudget,
        size: impl Fn(&MemoryBudget) -> u64 + 'a,
        held: u64,
    ) -> impl Stream<Item = Result<RangeRequest>> + 'a {
        stream::unfold(size, move |size| async move {
            let range = self.next(size(budget))?;
            let places = async {
                let permit = budget.acquire_for_range(held.min(range.end - range.start)).await?;
                Ok((permit, budget.slot().await?))
            };
            let request = places.await.map(|(permit, slot)| RangeRequest { range, permit, slot });
            Some((request, size))
        })
    }

    /// Notes that a request has ended.
    pub(super) fn end(&self) {
        self.with(|state| state.remaining.end());
    }

    fn next(&self, size: u64) -> Option<Range<u64>> {
        self.with(|state| match state.lengths.pop_front() {
            Some(len) => state.remaining.begin_exactly(len),
            None => state.remaining.begin(size),
        })
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
