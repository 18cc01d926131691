//! The news that a mailbox got mail. A hint: who hears it asks the database.

use std::sync::Arc;

use tokio::sync::broadcast;
use uuid::Uuid;

use crate::types::MailboxId;

/// Mail came into a mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// Which; `None` where too much came at once to name each.
    pub mailbox_id: Option<MailboxId>,
}

/// Where news of arrivals is told. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Arrivals {
    sender: broadcast::Sender<Arrival>,
    /// Mailboxes that other nodes were not told about yet.
    untold: Arc<std::sync::Mutex<Vec<Uuid>>>,
}

/// How many mailboxes one message to the other nodes names; more become "some mailbox".
const MOST_NAMED: usize = 100;

impl Arrivals {
    pub(super) fn new() -> Self {
        Self { sender: broadcast::channel(4096).0, untold: Arc::default() }
    }

    /// Hears of every arrival from now on. A receiver that lags was told too much and asks the database anew.
    pub fn subscribe(&self) -> broadcast::Receiver<Arrival> {
        self.sender.subscribe()
    }

    /// Tells this node and, a moment later, the others.
    pub(super) fn tell(&self, mailboxes: &[Uuid]) {
        self.tell_here(mailboxes.iter().copied());
        let mut untold = self.untold.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for id in mailboxes {
            if untold.len() <= MOST_NAMED && !untold.contains(id) {
                untold.push(*id);
            }
        }
    }

    fn tell_here(&self, mailboxes: impl Iterator<Item = Uuid>) {
        if self.sender.receiver_count() > 0 {
            for id in mailboxes {
                let _ = self.sender.send(Arrival { mailbox_id: Some(MailboxId(id)) });
            }
        }
    }

    /// Tells this node what another one sent with [`Arrivals::take_untold`].
    pub fn tell_from_elsewhere(&self, payload: &str) {
        if payload == "*" {
            let _ = self.sender.send(Arrival { mailbox_id: None });
        } else {
            self.tell_here(payload.split(',').filter_map(|id| id.parse().ok()));
        }
    }

    /// What other nodes have to be told, in the form of a notification's payload.
    pub(super) fn take_untold(&self) -> Option<String> {
        let ids = std::mem::take(&mut *self.untold.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
        match ids.len() {
            0 => None,
            n if n > MOST_NAMED => Some("*".to_owned()),
            _ => Some(ids.iter().map(|id| id.simple().to_string()).collect::<Vec<_>>().join(",")),
        }
    }
}
