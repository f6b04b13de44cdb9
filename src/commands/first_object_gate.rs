//! Lets one object go first, so that a server that does not do what is requested is noticed after one object, not after
//! as many as are in progress at once.

use tokio::sync::{Mutex, MutexGuard};

use crate::error::{Error, Result};

/// Admits one object at a time until one has succeeded; from then on admits all at once.
#[derive(Default)]
pub(crate) struct FirstObjectGate(Mutex<State>);

#[derive(Default)]
enum State {
    /// No object has succeeded yet, and none has shown that the server ignores what is requested.
    #[default]
    Untried,
    Open,
    Closed(Error),
}

/// The admission of one object. Until one has succeeded, it keeps the others waiting.
pub(crate) struct Admission<'a>(Option<MutexGuard<'a, State>>);

impl FirstObjectGate {
    /// Makes an open gate, for uploads that request nothing that a server could ignore.
    pub(crate) fn open() -> Self {
        Self(Mutex::new(State::Open))
    }

    /// Waits for admission.
    ///
    /// # Errors
    /// The error that closed the gate.
    pub(crate) async fn admit(&self) -> Result<Admission<'_>> {
        let state = self.0.lock().await;
        if let State::Closed(error) = &*state
            && let Some(error) = error.ends_run()
        {
            return Err(error);
        }
        let is_open = matches!(*state, State::Open);
        Ok(Admission((!is_open).then_some(state)))
    }
}

impl Admission<'_> {
    /// Whether no object has succeeded yet.
    pub(crate) fn is_first(&self) -> bool {
        self.0.is_some()
    }

    /// Records the outcome. After a failure that says nothing about the server, the next object goes first.
    pub(crate) fn end<T>(self, outcome: &Result<T>) {
        let Some(mut state) = self.0 else { return };
        match outcome {
            Ok(_) => *state = State::Open,
            Err(error) => {
                if let Some(error) = error.ends_run() {
                    *state = State::Closed(error.of_later());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Aspect;

    fn ignored() -> Error {
        Error::NotAsAsked {
            subject: "s3://bkt/o".into(),
            aspect: Aspect::Encryption,
            asked: "SSE-S3".to_owned(),
            got: "no encryption".to_owned(),
            stored: true,
            version_id: None,
        }
    }

    #[tokio::test]
    async fn one_object_goes_first_and_the_others_follow_once_it_has_succeeded() {
        let gate = FirstObjectGate::default();
        gate.admit().await.unwrap().end(&Err::<(), _>(Error::EmptySource { subject: "f".into() }));
        let first = gate.admit().await.unwrap();
        assert!(gate.0.try_lock().is_err(), "a second one did not wait");
        first.end(&Ok(()));
        let (one, other) = (gate.admit().await.unwrap(), gate.admit().await.unwrap());
        one.end(&Err::<(), _>(ignored()));
        drop(other);
        assert!(gate.admit().await.is_ok(), "an open gate stays open");
    }

    #[tokio::test]
    async fn after_a_failure_no_object_is_admitted() {
        let gate = FirstObjectGate::default();
        gate.admit().await.unwrap().end(&Err::<(), _>(ignored()));
        assert!(matches!(gate.admit().await, Err(Error::NotAsAsked { stored: false, .. })));
    }
}
