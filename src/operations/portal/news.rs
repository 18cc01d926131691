//! What the open pages of a session hear of: mail for the mailboxes that it sees, and of no other.

use std::collections::HashSet;
use std::sync::Arc;

use crate::error::Result;
use crate::ingest::Arrival;
use crate::operations::{Caller, Services};
use crate::store;
use crate::types::{MailboxId, MessageId, Reach};

/// The mailboxes that a session sees, as they were a moment ago.
#[derive(Debug)]
pub struct Earshot {
    reach: Arc<Reach>,
    mailboxes: HashSet<MailboxId>,
    newest: Option<MessageId>,
}

impl Earshot {
    /// What the session of a token sees now; `None` where the session is over.
    pub async fn of(services: &Services, token: &str) -> Result<Option<Self>> {
        let mut db = services.db.acquire().await?;
        let caller = super::caller_in(&mut db, token).await?;
        let Some(Caller::User { reach, .. } | Caller::Mailbox { reach, .. } | Caller::Link { reach, .. }) = caller else {
            return Ok(None);
        };
        let addresses = reach.names().map(|(_, mailboxes)| mailboxes).unwrap_or_default();
        let mailboxes = store::mailboxes::ids(&mut db, &addresses).await?.into_iter().collect();
        let newest = newest(&mut db, &reach).await?;
        Ok(Some(Self { reach, mailboxes, newest }))
    }

    /// Whether an arrival is one of the session's. Where too much came at once to name each mailbox, the database is asked: what
    /// others get is nothing that this session learns of.
    pub async fn hears(&mut self, services: &Services, arrival: Arrival) -> Result<bool> {
        if let Some(mailbox) = arrival.mailbox_id {
            return Ok(self.mailboxes.contains(&mailbox));
        }
        let newest = newest(&mut *services.db.acquire().await?, &self.reach).await?;
        let is_new = newest.is_some() && newest != self.newest;
        self.newest = newest;
        Ok(is_new)
    }
}

async fn newest(db: &mut sqlx::PgConnection, reach: &Reach) -> Result<Option<MessageId>> {
    let newest = store::messages::list_all(db, store::messages::Filter::default(), reach, None, 1, 0).await?.pop();
    Ok(newest.map(|message| message.id))
}
