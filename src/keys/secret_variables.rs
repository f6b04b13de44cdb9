//! The environment variables that hold secrets, which child processes must not inherit.
//!
//! Removing a variable from the process itself needs `unsafe`, so whoever starts a command removes it there.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

static VARIABLES: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Notes that an environment variable holds a secret.
pub fn mark_secret_variable(name: &str) {
    VARIABLES.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned());
}

/// The names of the variables to remove from the environment of a child process.
pub fn secret_variables() -> Vec<String> {
    VARIABLES.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
}
