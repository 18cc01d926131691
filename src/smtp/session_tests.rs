//! The dialogue, over connections in memory and with a floor below that keeps everything it is given.

use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::config;
use crate::error::{Error, Result};
use crate::ingest::Refusal;
use crate::types::{Address, ContentId};

use super::intake::{Intake, Message};
use super::limits::Memory;
use super::session::{Session, Shared};

/// Takes mail for any name at `example.org` but `nobody`; `away@` cannot be looked up, mail of `full@` cannot be stored.
#[derive(Debug, Clone, Default)]
struct Kept {
    messages: Arc<Mutex<Vec<Message<Address>>>>,
    confirmed: Arc<Mutex<Vec<ContentId>>>,
}

fn away() -> Error {
    Error::Unavailable { detail: "away".into() }
}

impl Intake for Kept {
    type Recipient = Address;
    type Receipt = ContentId;

    async fn resolve(&self, address: &Address) -> Result<Result<Address, Refusal>> {
        Ok(match (address.local_part(), address.domain_str()) {
            ("away", _) => return Err(away()),
            ("panic", _) => panic!("a fault in one session"),
            (_, domain) if domain != "example.org" => Err(Refusal::ForeignDomain),
            ("nobody", _) => Err(Refusal::UnknownMailbox),
            _ => Ok(address.clone()),
        })
    }

    async fn resolve_postmaster(&self) -> Result<Result<Address, Refusal>> {
        Ok("postmaster@example.org".parse().map_err(|_| Refusal::UnknownMailbox))
    }

    async fn deliver(&self, message: Message<Address>) -> Result<ContentId> {
        if message.envelope.reverse_path.starts_with("full@") {
            return Err(away());
        }
        let id = message.id;
        self.messages.lock().expect("sound").push(message);
        Ok(id)
    }

    fn address(recipient: &Address) -> &Address {
        recipient
    }

    fn stored_as(receipt: &ContentId) -> ContentId {
        *receipt
    }

    fn confirm(receipt: ContentId) {
        // What is confirmed is seen through a list that tests share by thread.
        CONFIRMED.with(|confirmed| confirmed.lock().expect("sound").push(receipt));
    }
}

thread_local! {
    static CONFIRMED: Mutex<Vec<ContentId>> = const { Mutex::new(Vec::new()) };
}

fn settings() -> config::Smtp {
    config::Smtp {
        listen: Vec::new(),
        tls: None,
        max_message_octets: 100_000,
        max_recipients: 100,
        max_command_octets: 512,
        max_messages_per_session: 1000,
        max_sessions: 10,
        max_sessions_per_address: 10,
        max_errors: 20,
        command_timeout: Duration::from_secs(5),
        data_timeout: Duration::from_secs(5),
        session_timeout: Duration::from_secs(60),
        max_memory_octets: 1 << 20,
    }
}
