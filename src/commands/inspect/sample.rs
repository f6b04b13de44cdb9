//! Chooses a random sample of the objects in a listing: those that are read.
//!
//! One object is chosen from each block of consecutive ones, so the sample is spread over the whole listing, and memory
//! does not grow with it. The last block may be shorter but counts too, so the sample is empty only if the listing is.

use std::fmt;
use std::str::FromStr;

use futures_util::stream::{self, Stream, StreamExt};

use crate::error::{Error, Result};

/// 100%, in the unit of [`Share`].
const ALL: u32 = 1_000_000;
/// Decimal places of a percentage that [`Share`] can hold.
const DECIMALS: usize = 4;

/// A share of objects, in millionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Share(u32);

/// The text is not a share.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a share: write a percentage from 0.0001% to 100%, such as 5%")]
pub(crate) struct ShareError(String);

impl FromStr for Share {
    type Err = ShareError;

    fn from_str(text: &str) -> Result<Self, ShareError> {
        let bad = || ShareError(text.to_owned());
        let number = text.strip_suffix('%').ok_or_else(bad)?.trim_end();
        let (whole, part) = number.split_once('.').unwrap_or((number, ""));
        let is_number = |digits: &str| digits.chars().all(|c| c.is_ascii_digit());
        if whole.is_empty() || part.len() > DECIMALS || !is_number(whole) || !is_number(part) {
            return Err(bad());
        }
        let millionths: u32 = format!("{whole}{part:0<DECIMALS$}").parse().map_err(|_| bad())?;
        if (1..=ALL).contains(&millionths) { Ok(Self(millionths)) } else { Err(bad()) }
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = 10_u32.pow(4);
        let (whole, part) = (self.0 / unit, format!("{:0DECIMALS$}", self.0 % unit));
        match part.trim_end_matches('0') {
            "" => write!(f, "{whole}%"),
            part => write!(f, "{whole}.{part}%"),
        }
    }
}

/// The sample of one run. It chooses the same objects whenever the listing is the same; another run chooses others.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    pub(crate) share: Share,
    seed: u64,
}

impl Sample {
    /// Makes a sample with a random seed.
    ///
    /// # Errors
    /// `Local` if the operating system provides no random numbers.
    pub(crate) fn new(share: Share) -> Result<Self> {
        let seed = getrandom::u64().map_err(Error::no_random_numbers)?;
        Ok(Self { share, seed })
    }

    /// Returns the chosen objects of a listing, in its order.
    pub(crate) fn choose<'a, T: 'a>(
        self,
        listing: impl Stream<Item = Result<T>> + 'a,
    ) -> impl Stream<Item = Result<T>> + 'a {
        let chooser = Chooser { sample: self, seen: 0, in_block: 0, candidate: None };
        stream::unfold((Box::pin(listing), Some(chooser)), |(mut listing, mut chooser)| async move {
            loop {
                let choosing = chooser.as_mut()?;
                match listing.next().await {
                    Some(Ok(object)) => {
                        if let Some(chosen) = choosing.take(object) {
                            return Some((Ok(chosen), (listing, chooser)));
                        }
                    }
                    Some(Err(error)) => return Some((Err(error), (listing, chooser))),
                    None => return choosing.candidate.take().map(|last| (Ok(last), (listing, None))),
                }
            }
        })
    }

    /// A pseudorandom number for the object at `place` in the listing (splitmix64: Steele, Lea and Flood, "Fast
    /// splittable pseudorandom number generators", 2014).
    fn number(self, place: u64) -> u64 {
        let mixed = self.seed.wrapping_add(place.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// How many blocks are complete after this number of objects.
    fn blocks(self, objects: u64) -> u128 {
        u128::from(objects) * u128::from(self.share.0) / u128::from(ALL)
    }
}

/// Chooses one object from each block, all with the same probability.
struct Chooser<T> {
    sample: Sample,
    /// Objects seen so far.
    seen: u64,
    /// Objects seen so far in this block.
    in_block: u64,
    /// The object chosen from this block, unless a later one replaces it.
    candidate: Option<T>,
}

impl<T> Chooser<T> {
    /// Takes the next object. If it ends a block, returns the one chosen from the block.
    fn take(&mut self, object: T) -> Option<T> {
        (self.seen, self.in_block) = (self.seen + 1, self.in_block + 1);
        if self.sample.number(self.seen).is_multiple_of(self.in_block) {
            self.candidate = Some(object);
        }
        if self.sample.blocks(self.seen) == self.sample.blocks(self.seen - 1) {
            return None;
        }
        self.in_block = 0;
        self.candidate.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn chosen(share: &str, seed: u64, of: u64) -> Vec<u64> {
        let sample = Sample { share: share.parse().unwrap(), seed };
        sample.choose(stream::iter((0..of).map(Ok))).map(Result::unwrap).collect().await
    }

    #[test]
    fn shares_are_percentages() {
        for (text, millionths) in
            [("5%", 50_000), ("0.0001%", 1), ("100%", ALL), ("12.5%", 125_000), ("1.50 %", 15_000)]
        {
            assert_eq!(text.parse(), Ok(Share(millionths)), "{text}");
        }
        for text in ["5", "", "%", "0%", "100.1%", "-5%", "+5%", "0.00001%", "5,5%", ".5%", "1e1%"] {
            assert!(text.parse::<Share>().is_err(), "{text}");
        }
        for text in ["5%", "0.0001%", "100%", "12.5%"] {
            assert_eq!(text.parse::<Share>().unwrap().to_string(), text);
        }
    }

    #[tokio::test]
    async fn as_many_are_chosen_as_the_share_says_rounded_up() {
        for (share, of, count) in [
            ("5%", 0, 0),
            ("5%", 1, 1),
            ("5%", 20, 1),
            ("5%", 21, 2),
            ("5%", 1000, 50),
            ("30%", 100, 30),
            ("100%", 7, 7),
        ] {
            for seed in 0..20 {
                let found = chosen(share, seed, of).await;
                assert_eq!(found.len(), count, "{share} of {of}");
                assert!(found.is_sorted_by(|a, b| a < b), "{found:?}");
            }
        }
    }

    #[tokio::test]
    async fn the_seed_decides_and_each_object_is_as_likely() {
        assert_eq!(chosen("5%", 7, 500).await, chosen("5%", 7, 500).await);
        assert_ne!(chosen("5%", 7, 500).await, chosen("5%", 8, 500).await);
        let mut counts = [0; 10];
        for seed in 0..5_000_u64 {
            counts[usize::try_from(chosen("10%", seed * 0x1234_5678_9ABC, 10).await[0]).unwrap()] += 1;
        }
        assert!(counts.iter().all(|count| (350..650).contains(count)), "{counts:?}");
    }

    #[tokio::test]
    async fn an_error_of_the_listing_comes_through() {
        let sample = Sample { share: Share(ALL / 2), seed: 1 };
        let broken = Error::EmptySource { subject: "x".into() };
        let listing = stream::iter([Ok(1), Ok(2), Ok(3), Err(broken)]);
        let found: Vec<_> = sample.choose(listing).collect().await;
        assert!(found.iter().any(Result::is_err) && found.len() == 3, "{found:?}");
    }
}
