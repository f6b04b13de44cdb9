//! Many objects: a listing, a bounded number of them at once, an outcome for each.
//!
//! Memory stays bounded because the next object is listed only when one ends. What is done with
//! an object, and how it is reported, is the command's.

use std::future::Future;
use std::num::NonZeroUsize;
use std::pin::pin;

use futures_util::stream::{Stream, StreamExt};
use tokio::sync::{Mutex, Notify, oneshot};

use crate::aws::Outage;
use crate::error::{Denial, Error, NetworkFault, Result, Subject, Unsupported};
use crate::location::Bucket;
use crate::meter::Meter;
use crate::transfer::Cancellation;

/// The outcome of one of many objects.
#[derive(Debug)]
pub(crate) enum Row<O> {
    /// Done, and checked.
    Done(Box<O>),
    /// Not done, on purpose.
    Skipped {
        /// The object or file, as the user would name it.
        name: String,
        why: String,
    },
    /// Not selected, or done by an earlier run: nothing to report.
    Unselected,
    /// Not done because of an error.
    Failed {
        /// The object or file, as the user would name it; a key that is not text, percent-encoded.
        name: String,
        version_id: Option<String>,
        error: Box<Error>,
    },
}

impl<O> Row<O> {
    /// Makes the row of an outcome: a target that must stay is skipped.
    pub(crate) fn of(name: String, outcome: Result<O>) -> Result<Self> {
        match outcome {
            Ok(outcome) => Ok(Self::Done(Box::new(outcome))),
            Err(error) if concerns_all(&error) => Err(error),
            Err(Error::TargetExists { subject }) => {
                Ok(Self::Skipped { name, why: format!("{subject} already exists") })
            }
            Err(error) => Ok(Self::failed(name, None, error)),
        }
    }

    /// As [`Self::of`], of what went over the network: the second object in a row that is given up while nothing gets
    /// through ends the run. The others would each be tried for as long.
    pub(crate) fn over_network(name: String, outcome: Result<O>, outage: &Outage) -> Result<Self> {
        match outcome {
            Err(error) if is_silence(&error) && outage.gives_up_object() => Err(error),
            outcome => Self::of(name, outcome),
        }
    }

    /// The error after which no further object may start: the server ignored the requested encryption.
    pub(crate) fn ends_run(&self) -> Option<Error> {
        match self {
            Self::Failed { error, .. } => error.ends_run(),
            Self::Done(_) | Self::Skipped { .. } | Self::Unselected => None,
        }
    }

    /// Makes the row of an error.
    pub(crate) fn failed(name: impl Into<String>, version_id: Option<&str>, error: Error) -> Self {
        Self::Failed { name: name.into(), version_id: version_id.map(str::to_owned), error: Box::new(error) }
    }

    /// Makes the row of something that is not supported.
    pub(crate) fn refused(subject: impl Into<Subject>, why: impl Into<Unsupported>) -> Self {
        let subject = subject.into();
        Self::failed(subject.to_string(), None, Error::unsupported(subject, why.into()))
    }

    /// Makes the row of an object whose key, percent-encoded here, is not text.
    pub(crate) fn not_text(bucket: &Bucket, encoded: &str, version_id: Option<&str>) -> Self {
        let name = format!("s3://{bucket}/{encoded}");
        let why =
            "its key is not valid UTF-8; it is shown percent-encoded and cannot be requested".to_owned();
        let error = Error::unsupported(Subject::other(name.clone()), why);
        Self::failed(name, version_id, error)
    }
}

/// Whether the next object would fail in the same way.
pub(crate) fn concerns_all(error: &Error) -> bool {
    match error {
        Error::Interrupted(_)
        | Error::WrongRegion { .. }
        | Error::NotFound { subject: Subject::Bucket(_), .. }
        | Error::ReaderLeft
        | Error::Unsupported { why: Unsupported::NoObjectLock, .. } => true,
        // Report the object that is stored first.
        Error::NotAsAsked { .. } | Error::EnvelopeLost(_) => error.is_of_later(),
        Error::Network { why, .. } => *why == NetworkFault::Connect || why.is_about_trust(),
        Error::Local { source, .. } => source.kind() == std::io::ErrorKind::StorageFull,
        Error::Denied { why, .. } => !matches!(
            why,
            Denial::Kms { .. }
                | Denial::Action { .. }
                | Denial::Attribute { .. }
                | Denial::Unexplained { .. }
        ),
        _ => false,
    }
}

/// Whether a service that is gone may be what an object was given up for. One that answers is there: what it refuses may be
/// this object alone.
fn is_silence(error: &Error) -> bool {
    matches!(error, Error::Network { why: NetworkFault::Timeout | NetworkFault::Broken, .. })
}

/// Does `work` on every object of a listing, `jobs` at a time, and reports the outcomes as they come.
///
/// Whatever ends it early (an error of the listing, of `work` or of `report`, or a signal) lets no further object
/// begin, and waits for those in progress, so that none leaves anything behind: `work` sees the signal itself. While
/// `report` waits for whoever reads it, those in progress go on, and count among the `jobs` until they are reported.
///
/// # Errors
/// The first of those errors; `Interrupted`.
pub(crate) async fn for_each_unordered<T, O, Working>(
    listing: impl Stream<Item = Result<T>>,
    jobs: NonZeroUsize,
    cancellation: &Cancellation,
    work: impl Fn(T) -> Working,
    report: impl AsyncFnMut(O) -> Result<()>,
) -> Result<()>
where
    Working: Future<Output = Result<O>>,
{
    let broken = Notify::new();
    let halted = async {
        tokio::select! {
            _ = cancellation.wait() => {}
            () = broken.notified() => {}
        }
    };
    let halted = pin!(halted);
    let report = &Mutex::new(report);
    let reports = listing.take_until(halted).map(|listed| {
        // On the heap from the start: what is done with an object is a large future, and moved more than once.
        let working = listed.map(|listed| Box::pin(work(listed)));
        async move {
            let outcome = working?.await?;
            let mut report = report.lock().await;
            report(outcome).await
        }
    });
    let mut reports = pin!(reports.buffer_unordered(jobs.get()));
    let mut ended = Ok(());
    while let Some(reported) = reports.next().await {
        if reported.is_err() && ended.is_ok() {
            ended = reported;
            broken.notify_one();
        }
    }
    ended?;
    cancellation.or(async {}).await
}

/// Does `work` on every object of a listing, `jobs` at a time, and reports the outcomes in the listing's order.
///
/// A failure is an outcome, too: `work` returns it, `report` counts it, and the others continue. Only an error of the
/// listing or of `report`, or a signal, ends the run; nothing is reported after that. While `report` waits for whoever
/// reads it, those in progress go on, and count among the `jobs` until they are reported.
///
/// # Errors
/// Those of the listing and of `report`; `Interrupted`.
pub(crate) async fn for_each_ordered<T, O, Working>(
    listing: impl Stream<Item = Result<T>>,
    jobs: NonZeroUsize,
    cancellation: &Cancellation,
    work: impl Fn(T) -> Working,
    report: impl AsyncFnMut(O) -> Result<()>,
) -> Result<()>
where
    Working: Future<Output = O>,
{
    let report = &Mutex::new(report);
    // Each waits until the one before it is reported, and not with the others at rest.
    let (first, mut turn) = oneshot::channel();
    let reports = listing.map(|listed| {
        let working = listed.map(&work);
        let (reported, next) = oneshot::channel();
        let turn = std::mem::replace(&mut turn, next);
        async move {
            let outcome = match working {
                Ok(working) => Ok(working.await),
                Err(error) => Err(error),
            };
            // Without a turn the run has ended.
            if turn.await.is_ok() {
                let mut report = report.lock().await;
                report(outcome?).await?;
            }
            // Nobody waits after the last.
            let _ = reported.send(());
            Ok(())
        }
    });
    // Nobody waits where there is nothing to do.
    let _ = first.send(());
    let mut reports = pin!(reports.buffer_unordered(jobs.get()));
    while let Some(reported) = cancellation.or(reports.next()).await? {
        reported?;
    }
    Ok(())
}

/// Does `work`, and meanwhile counts a listing ahead of it, one entry at a time, if somebody looks at the meter.
///
/// That ends with `work`. An error only ends the counting: `work` lists the same, and reports it.
pub(crate) async fn counting_ahead<T, W>(
    meter: &Meter,
    listing: impl Stream<Item = Result<T>>,
    len: impl Fn(&T) -> u64,
    work: impl Future<Output = W>,
) -> W {
    let mut work = pin!(work);
    if meter.is_shown() {
        let count = async {
            let mut listing = pin!(listing);
            while let Some(entry) = listing.next().await {
                let Ok(entry) = entry else { return };
                meter.find(len(&entry));
            }
            meter.found_all();
        };
        tokio::select! {
            biased;
            ended = &mut work => return ended,
            () = count => {}
        }
    }
    work.await
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
        let (_sender, cancellation) = Cancellation::new();
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
        for_each_ordered(listing, jobs(5), &cancellation, work, async |number| {
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
        let (_sender, cancellation) = Cancellation::new();
        let broken = Error::EmptySource { subject: "x".into() };
        let listing = stream::iter([Ok(1), Ok(2), Err(broken), Ok(3)]);
        let mut told = Vec::new();
        let ended = for_each_ordered(
            listing,
            jobs(8),
            &cancellation,
            |n| async move { n },
            async |n| {
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
        let (sender, cancellation) = Cancellation::new();
        let listing = stream::iter((0..).map(Ok));
        let mut told = 0;
        let ended = for_each_ordered(
            listing,
            jobs(4),
            &cancellation,
            |n: u64| async move { n },
            async |n| {
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
