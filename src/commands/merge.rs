//! Two sorted streams side by side: what only one of them has, and what both have. Of each it holds one item.

use std::cmp::Ordering;
use std::pin::Pin;

use futures_util::stream::{self, Stream, StreamExt};

use crate::error::{Error, Result, Subject};

/// One step of a merge.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Pair<A, B> {
    /// Only in the first stream.
    First(A),
    Both(A, B),
    /// Only in the second stream.
    Second(B),
}

/// What was read ahead of a stream.
enum Ahead<T> {
    Unread,
    Item(T),
    Ended,
}

struct State<A, B, Name, First, Second> {
    first: Pin<Box<First>>,
    second: Pin<Box<Second>>,
    /// Items with their names.
    ahead_first: Ahead<(Option<String>, A)>,
    ahead_second: Ahead<(Name, B)>,
    /// The second stream, for messages.
    listing: Subject,
}

/// Merges two streams of items with their names, in the order of the names' bytes. Names of the first stream come in order;
/// an item without a name comes at once.
///
/// # Errors
/// Those of the streams; `Unsupported` if the second one, a listing, is out of order.
pub(crate) fn merge<A, B, Name: AsRef<[u8]>>(
    first: impl Stream<Item = Result<(Option<String>, A)>>,
    second: impl Stream<Item = Result<(Name, B)>>,
    listing: Subject,
) -> impl Stream<Item = Result<Pair<A, B>>> {
    let (first, second) = (Box::pin(first), Box::pin(second));
    let (ahead_first, ahead_second) = (Ahead::Unread, Ahead::Unread);
    let state = State { first, second, ahead_first, ahead_second, listing };
    stream::try_unfold(state, |mut state| async move {
        let pair = state.next().await?;
        Ok(pair.map(|pair| (pair, state)))
    })
}

impl<A, B, Name, First, Second> State<A, B, Name, First, Second>
where
    Name: AsRef<[u8]>,
    First: Stream<Item = Result<(Option<String>, A)>>,
    Second: Stream<Item = Result<(Name, B)>>,
{
    async fn next(&mut self) -> Result<Option<Pair<A, B>>> {
        if let Ahead::Unread = self.ahead_first {
            self.ahead_first = self.first.next().await.transpose()?.map_or(Ahead::Ended, Ahead::Item);
        }
        if let Ahead::Unread = self.ahead_second {
            self.ahead_second = self.second.next().await.transpose()?.map_or(Ahead::Ended, Ahead::Item);
        }
        let order = match (&self.ahead_first, &self.ahead_second) {
            (Ahead::Item((Some(a), _)), Ahead::Item((b, _))) => a.as_bytes().cmp(b.as_ref()),
            (Ahead::Item(_), _) => Ordering::Less,
            (_, Ahead::Item(_)) => Ordering::Greater,
            _ => return Ok(None),
        };
        let first = if order.is_le() { self.take_first() } else { None };
        let second = if order.is_ge() { self.take_second().await? } else { None };
        Ok(match (first, second) {
            (Some(a), Some(b)) => Some(Pair::Both(a, b)),
            (Some(a), None) => Some(Pair::First(a)),
            (None, Some(b)) => Some(Pair::Second(b)),
            (None, None) => None,
        })
    }

    fn take_first(&mut self) -> Option<A> {
        match std::mem::replace(&mut self.ahead_first, Ahead::Unread) {
            Ahead::Item((_, item)) => Some(item),
            _ => None,
        }
    }

    /// Takes the item, and reads the next one, to compare their order.
    async fn take_second(&mut self) -> Result<Option<B>> {
        let next = self.second.next().await.transpose()?.map_or(Ahead::Ended, Ahead::Item);
        let Ahead::Item((name, item)) = std::mem::replace(&mut self.ahead_second, next) else {
            return Ok(None);
        };
        if let Ahead::Item((next, _)) = &self.ahead_second
            && next.as_ref() <= name.as_ref()
        {
            let why = "the server does not list keys in the order of their bytes, so it cannot be compared with files";
            return Err(Error::unsupported(self.listing.clone(), why));
        }
        Ok(Some(item))
    }
}

#[cfg(test)]
mod tests {
    use futures_util::TryStreamExt;

    use super::*;

    async fn merged(
        first: &[&'static str],
        second: &[&'static str],
    ) -> Result<Vec<Pair<&'static str, &'static str>>> {
        let first = first.iter().map(|name| {
            let placed = (!name.starts_with('!')).then(|| (*name).to_owned());
            Ok((placed, *name))
        });
        let second = second.iter().map(|name| Ok(((*name).to_owned(), *name)));
        merge(stream::iter(first), stream::iter(second), "the listing".into()).try_collect().await
    }

    #[tokio::test]
    async fn what_both_have_comes_together_and_the_rest_in_order() {
        use Pair::{Both, First, Second};
        let found = merged(&["a", "!odd", "a-b", "a/c", "z"], &["a-b", "a/", "a/c", "ä"]).await.unwrap();
        let expected = [
            First("a"),
            First("!odd"),
            Both("a-b", "a-b"),
            Second("a/"),
            Both("a/c", "a/c"),
            First("z"),
            Second("ä"),
        ];
        assert_eq!(found, expected);
        assert_eq!(merged(&[], &["a"]).await.unwrap(), [Second("a")]);
        assert_eq!(merged(&["a"], &[]).await.unwrap(), [First("a")]);
        assert_eq!(merged(&[], &[]).await.unwrap(), []);
    }

    #[tokio::test]
    async fn a_listing_out_of_order_is_refused_before_anything_of_it_counts_as_extra() {
        for listing in [&["b", "a"][..], &["a", "a"]] {
            let refused = merged(&["a", "b"], listing).await.unwrap_err();
            assert!(refused.to_string().contains("does not list keys in the order"), "{refused}");
        }
    }
}
