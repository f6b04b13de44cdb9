//! Work on several items at once whose results are passed on in the items' order.
//!
//! Where whoever takes them is slow, only the passing on waits: work in progress goes on, so that no connection stands still
//! until it times out.

use futures_util::stream::{Stream, StreamExt};
use tokio::sync::oneshot;

use crate::error::Result;

/// Does `work` on the items, so many at once, those included whose result waits to be passed on. Yields for each that it
/// was passed on; nothing is after one that failed.
pub(crate) fn in_order<'a, T: 'a, Working, Passing>(
    items: impl Stream<Item = T> + 'a,
    at_once: usize,
    work: impl Fn(T) -> Working + 'a,
    pass: &'a impl Fn(Working::Output) -> Passing,
) -> impl Stream<Item = Result<()>> + 'a
where
    Working: Future + 'a,
    Passing: Future<Output = Result<()>> + 'a,
{
    let (first, mut turn) = oneshot::channel();
    // The first waits for none.
    let _ = first.send(());
    let passed = items.map(move |item| {
        let working = work(item);
        let (passed, next) = oneshot::channel();
        let turn = std::mem::replace(&mut turn, next);
        async move {
            let result = working.await;
            // Without a turn, one before it has failed.
            if turn.await.is_ok() {
                pass(result).await?;
                // Nobody waits after the last.
                let _ = passed.send(());
            }
            Ok(())
        }
    });
    passed.buffer_unordered(at_once)
}
