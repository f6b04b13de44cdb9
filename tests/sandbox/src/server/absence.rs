//! The server as it is during an outage: gone, with all of its connections, until it comes back.

use std::sync::{Mutex, PoisonError};

use tokio::net::TcpStream;
use tokio::sync::watch;

use super::faults::Struck;

/// Whether the server is there.
pub(super) struct Absence {
    /// How many connections were refused since it went; `None` while it is there.
    refused: Mutex<Option<Struck>>,
    is_away: watch::Sender<bool>,
}

impl Default for Absence {
    fn default() -> Self {
        Self { refused: Mutex::default(), is_away: watch::Sender::new(false) }
    }
}

impl Absence {
    pub(super) fn begin(&self) -> Struck {
        let struck = Struck::default();
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(struck.clone());
        self.is_away.send_replace(true);
        struck
    }

    pub(super) fn end(&self) {
        self.is_away.send_replace(false);
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Resets a new connection if the server is away; else returns it.
    pub(super) fn pass(&self, tcp: TcpStream) -> Option<TcpStream> {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(struck) = refused.as_ref() else { return Some(tcp) };
        let _ = tcp.set_zero_linger();
        drop(tcp);
        struck.strike();
        None
    }

    /// Resolves when the server goes.
    pub(super) async fn begun(&self) {
        // The sender lives as long as this, so waiting cannot fail.
        let _ = self.is_away.subscribe().wait_for(|away| *away).await;
    }
}
