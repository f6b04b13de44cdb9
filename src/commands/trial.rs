//! One goes first: what a server does not do is seen on one object, before as many are begun as go at once.

use tokio::sync::{Mutex, MutexGuard};

use crate::error::{Error, Result};

/// Lets one after another try, until one has passed; from then on nobody waits.
#[derive(Default)]
pub(crate) struct Trial(Mutex<Verdict>);

#[derive(Default)]
enum Verdict {
    #[default]
    Open,
    Passed,
    Failed(Error),
}

/// The right to go on, and until it has ended, to be the only one.
pub(crate) struct Turn<'a>(Option<MutexGuard<'a, Verdict>>);

impl Trial {
    /// Makes one that has passed already: where nothing is asked of a server, it can ignore nothing, and nobody waits.
    pub(crate) fn passed() -> Self {
        Self(Mutex::new(Verdict::Passed))
    }

    /// Waits for a turn.
    pub(crate) async fn turn(&self) -> Result<Turn<'_>> {
        let verdict = self.0.lock().await;
        match &*verdict {
            Verdict::Open => Ok(Turn(Some(verdict))),
            Verdict::Passed => Ok(Turn(None)),
            Verdict::Failed(error) => Err(error.ends_run().unwrap_or(Error::ReaderLeft)),
        }
    }
}

impl Turn<'_> {
    /// Whether nobody has passed yet.
    pub(crate) fn is_first(&self) -> bool {
        self.0.is_some()
    }

    /// Notes what it came to. A failure that says nothing about the server leaves the trial to the next.
    pub(crate) fn end<T>(self, outcome: &Result<T>) {
        let Some(mut verdict) = self.0 else { return };
        match outcome {
            Ok(_) => *verdict = Verdict::Passed,
            Err(error) => {
                if let Some(error) = error.ends_run() {
                    *verdict = Verdict::Failed(error.of_later());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ignored() -> Error {
        Error::NotAsAsked {
            subject: "s3://bkt/o".into(),
            asked: "SSE-S3".to_owned(),
            got: "no encryption".to_owned(),
            stored: true,
            version_id: None,
        }
    }

    #[tokio::test]
    async fn one_goes_first_and_the_others_do_as_it_shows() {
        let trial = Trial::default();
        trial.turn().await.unwrap().end(&Err::<(), _>(Error::EmptySource { subject: "f".into() }));
        let first = trial.turn().await.unwrap();
        assert!(trial.0.try_lock().is_err(), "a second one did not wait");
        first.end(&Ok(()));
        let (one, other) = (trial.turn().await.unwrap(), trial.turn().await.unwrap());
        one.end(&Err::<(), _>(ignored()));
        drop(other);
        assert!(trial.turn().await.is_ok(), "what has passed stays so");
    }

    #[tokio::test]
    async fn after_a_failure_nobody_goes() {
        let trial = Trial::default();
        trial.turn().await.unwrap().end(&Err::<(), _>(ignored()));
        assert!(matches!(trial.turn().await, Err(Error::NotAsAsked { stored: false, .. })));
    }
}
