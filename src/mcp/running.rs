//! Calls under way, so that a client may take one back.
//!
//! Clients of the present revision end the request itself; older ones send a notification that names it. It reaches the call
//! where both came to the same node; elsewhere the call ends with its own time limit.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

/// A call, by the session that it came in and the id that its client gave it.
type Name = (String, String);

/// The calls under way on this node.
#[derive(Debug, Clone, Default)]
pub(super) struct Running(Arc<Mutex<HashMap<Name, CancellationToken>>>);

/// A call under way; forgotten when this is dropped.
#[derive(Debug)]
pub(super) struct Guard {
    running: Running,
    name: Name,
}

impl Running {
    /// Notes a call.
    pub(super) fn note(&self, session: &str, request: &str) -> (Guard, CancellationToken) {
        let token = CancellationToken::new();
        let name = (session.to_owned(), request.to_owned());
        self.calls().insert(name.clone(), token.clone());
        (Guard { running: self.clone(), name }, token)
    }

    /// Takes a call back, where it is under way here.
    pub(super) fn cancel(&self, session: &str, request: &str) {
        if let Some(token) = self.calls().get(&(session.to_owned(), request.to_owned())) {
            token.cancel();
        }
    }

    fn calls(&self) -> std::sync::MutexGuard<'_, HashMap<Name, CancellationToken>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.running.calls().remove(&self.name);
    }
}
