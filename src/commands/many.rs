//! Many objects: listing → bounded fan-out → one outcome each, in the listing's order.
//!
//! One combinator holds memory down: the next object is listed only when there is a place for it. What is done with
//! an object, and what is told of it, is the verb's.

use std::future::Future;
use std::num::NonZeroUsize;
use std::pin::pin;

use futures_util::stream::{Stream, StreamExt};

use crate::error::{Error, Result};
use crate::transfer::Stop;

/// Does `work` on every object of a listing, `jobs` at a time, and tells the outcomes in the listing's order.
///
/// An outcome that is a failure is still an outcome: `work` makes it, `tell` counts it, and the others go on. What ends
/// everything is a listing that breaks off, a `tell` that fails, or a signal; nothing is told after that.
///
/// # Errors
/// Those of the listing and of `tell`; `Interrupted`.
pub async fn many<T, O, Working>(
    listing: impl Stream<Item = Result<T>>,
    jobs: NonZeroUsize,
    stop: &Stop,
    work: impl Fn(T) -> Working,
    mut tell: impl FnMut(O) -> Result<()>,
) -> Result<()>
where
    Working: Future<Output = O>,
{
    let outcomes = listing.map(|listed| {
        let working = listed.map(&work);
        async move {
            match working {
                Ok(working) => Ok(working.await),
                Err(error) => Err(error),
            }
        }
    });
    let mut outcomes = pin!(outcomes.buffered(jobs.get()));
    loop {
        tokio::select! {
            biased;
            signal = stop.wait() => return Err(Error::Interrupted(signal)),
            outcome = outcomes.next() => match outcome {
                None => return Ok(()),
                Some(outcome) => tell(outcome?)?,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::stream;

    use super::*;
    use crate::error::Signal;

    fn jobs(count: usize) -> NonZeroUsize {
        NonZeroUsize::new(count).unwrap()
    }

    #[tokio::test]
    async fn each_object_is_told_once_and_in_order_with_so_many_under_way() {
        let (_sender, stop) = Stop::new();
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let listing = stream::iter((0..100).map(Ok));
        let work = |number: u64| {
            let (now, most) = (&now, &most);
            async move {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                for _ in 0..number % 7 {
                    tokio::task::yield_now().await;
                }
                now.fetch_sub(1, Ordering::SeqCst);
                number
            }
        };
        let mut told = Vec::new();
        many(listing, jobs(5), &stop, work, |number| {
            told.push(number);
            Ok(())
        })
        .await
        .unwrap();
        assert_eq!(told, (0..100).collect::<Vec<_>>());
        assert_eq!(most.load(Ordering::SeqCst), 5);
    }

    #[tokio::test]
    async fn a_listing_that_breaks_ends_it_after_what_came_before() {
        let (_sender, stop) = Stop::new();
        let broken = Error::EmptySource { what: "x".to_owned() };
        let listing = stream::iter([Ok(1), Ok(2), Err(broken), Ok(3)]);
        let mut told = Vec::new();
        let ended = many(
            listing,
            jobs(8),
            &stop,
            |n| async move { n },
            |n| {
                told.push(n);
                Ok(())
            },
        )
        .await;
        assert!(matches!(ended, Err(Error::EmptySource { .. })));
        assert_eq!(told, [1, 2]);
    }

    #[tokio::test]
    async fn a_signal_ends_it() {
        let (sender, stop) = Stop::new();
        let listing = stream::iter((0..).map(Ok));
        let mut told = 0;
        let ended = many(
            listing,
            jobs(4),
            &stop,
            |n: u64| async move { n },
            |n| {
                told += 1;
                if n == 10 {
                    sender.send(Signal::Interrupt);
                }
                Ok(())
            },
        )
        .await;
        assert!(matches!(ended, Err(Error::Interrupted(Signal::Interrupt))));
        assert_eq!(told, 11);
    }
}
