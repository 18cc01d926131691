//! What the ledger is told of a session: kept while it runs, in bounded memory, and handed over when it ends.

use std::net::IpAddr;

use tokio::time::Instant;

use crate::peers::{Ledger, NewSession, TurnedAway};

use crate::types::{ContentId, SessionId, SmtpOutcome, SmtpRecipient, SmtpSession, SmtpTransaction, Timestamp};

use super::path::Path;
use super::reply::Reply;
use super::wire::Ended;

/// Transactions that are kept; the others are only counted.
const MOST_TRANSACTIONS: usize = 50;
/// Recipients that are kept, over all transactions.
const MOST_RECIPIENTS: usize = 200;
/// Characters of a text that are kept.
const MOST_TEXT: usize = 200;
/// Characters of an address that are kept: the longest path of RFC 5321 section 4.5.3.1.3, and a little.
const MOST_ADDRESS: usize = 320;

/// How far a session came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    Connect,
    Greeting,
    Hello,
    StartTls,
    Mail,
    Rcpt,
    Data,
    Stored,
}

impl Stage {
    fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Greeting => "greeting",
            Self::Hello => "hello",
            Self::StartTls => "starttls",
            Self::Mail => "mail",
            Self::Rcpt => "rcpt",
            Self::Data => "data",
            Self::Stored => "stored",
        }
    }
}

/// What is known of a session so far.
#[derive(Debug)]
pub(super) struct Record {
    ledger: Option<Ledger>,
    id: SessionId,
    began: Instant,
    began_at: Timestamp,
    remote: IpAddr,
    proxy: Option<IpAddr>,
    stage: Stage,
    reason: Option<&'static str>,
    last_reply: Option<Reply>,
    /// The reply to the last recipient or message, where it was a refusal.
    refusal: Option<Reply>,
    /// The reply to the last message that was stored.
    acceptance: Option<Reply>,
    commands: i32,
    errors: i32,
    messages: i32,
    recipients_named: i32,
    recipients_kept: usize,
    transactions: Vec<SmtpTransaction>,
    /// The last transaction is more than are kept.
    is_beyond: bool,
}

/// What the session itself knows at its end.
#[derive(Debug)]
pub(super) struct Last<'a> {
    pub(super) helo: &'a str,
    pub(super) tls: Option<&'a str>,
    pub(super) octets_in: u64,
    pub(super) octets_out: u64,
}

fn cut(text: &str, most: usize) -> String {
    text.chars().filter(|c| *c != '\0').take(most).collect()
}

impl Record {
    /// Begins now. Without a ledger nothing comes of it.
    pub(super) fn new(id: SessionId, remote: IpAddr, proxy: Option<IpAddr>, ledger: Option<Ledger>) -> Self {
        Self {
            ledger,
            id,
            began: Instant::now(),
            began_at: Timestamp::now(),
            remote,
            proxy,
            stage: Stage::Connect,
            reason: None,
            last_reply: None,
            refusal: None,
            acceptance: None,
            commands: 0,
            errors: 0,
            messages: 0,
            recipients_named: 0,
            recipients_kept: 0,
            transactions: Vec::new(),
            is_beyond: false,
        }
    }

    /// What the ledger will have it as.
    pub(super) fn id(&self) -> Option<SessionId> {
        self.ledger.is_some().then_some(self.id)
    }

    /// It came at least as far as this.
    pub(super) fn reached(&mut self, stage: Stage) {
        self.stage = self.stage.max(stage);
    }

    /// Why it will end.
    pub(super) fn because(&mut self, reason: &'static str) {
        self.reason = Some(reason);
    }

    /// A reply to a command went out.
    pub(super) fn answered(&mut self, reply: &Reply) {
        self.commands = self.commands.saturating_add(1);
        self.errors = self.errors.saturating_add(i32::from(reply.is_protocol_error()));
        self.last_reply = Some(reply.clone());
    }

    /// MAIL, and what it heard.
    pub(super) fn sender(&mut self, argument: &str, reply: &Reply) {
        let Some((path, _)) = Path::read(argument) else { return };
        if reply.code == 503 {
            return;
        }
        self.refusal = (reply.code >= 400).then(|| reply.clone());
        self.is_beyond = self.transactions.len() >= MOST_TRANSACTIONS;
        if reply.code < 400 {
            self.reached(Stage::Mail);
        }
        if !self.is_beyond {
            let (sender, text) = (cut(path.text(), MOST_ADDRESS), cut(&reply.said(), MOST_TEXT));
            self.transactions.push(SmtpTransaction { sender, code: reply.code, text, ..SmtpTransaction::default() });
        }
    }

    /// RCPT, and what it heard.
    pub(super) fn recipient(&mut self, argument: &str, reply: &Reply) {
        let Some((path, _)) = Path::read(argument) else { return };
        if reply.code == 503 {
            return;
        }
        self.recipients_named = self.recipients_named.saturating_add(1);
        self.refusal = (reply.code >= 400).then(|| reply.clone());
        if reply.code < 400 {
            self.reached(Stage::Rcpt);
        }
        if !self.is_beyond
            && self.recipients_kept < MOST_RECIPIENTS
            && let Some(transaction) = self.transactions.last_mut()
        {
            self.recipients_kept += 1;
            let (address, text) = (cut(path.text(), MOST_ADDRESS), cut(&reply.said(), MOST_TEXT));
            transaction.recipients.push(SmtpRecipient { address, code: reply.code, text });
        }
    }

    /// DATA or BDAT, and what the message or the chunk heard.
    pub(super) fn content(&mut self, reply: &Reply) {
        if reply.code == 503 {
            return;
        }
        if reply.code >= 400 {
            // Without recipients, what those heard says more.
            self.refusal.get_or_insert_with(|| reply.clone());
        }
        if !self.is_beyond
            && let Some(transaction) = self.transactions.last_mut().filter(|transaction| transaction.content_id.is_none())
        {
            (transaction.code, transaction.text) = (reply.code, cut(&reply.said(), MOST_TEXT));
        }
    }

    /// A message was stored.
    pub(super) fn stored(&mut self, id: ContentId, octets: usize, reply: &Reply) {
        self.reached(Stage::Stored);
        self.refusal = None;
        self.acceptance = Some(reply.clone());
        self.messages = self.messages.saturating_add(1);
        self.content(reply);
        if !self.is_beyond
            && let Some(transaction) = self.transactions.last_mut()
        {
            transaction.content_id = Some(id);
            transaction.size_octets = i64::try_from(octets).ok();
        }
    }

    /// The peer was not let in.
    pub(super) fn turned_away(&mut self, why: &TurnedAway, reply: &Reply) {
        self.because(match why {
            TurnedAway::Banned(_) => "banned",
            TurnedAway::TooOften => "connection_rate",
        });
        self.not_let_in(reply);
    }

    /// The peer was not let in, for the reason that was given.
    pub(super) fn not_let_in(&mut self, reply: &Reply) {
        self.last_reply = Some(reply.clone());
        self.hand_over(SmtpOutcome::TurnedAway, "busy", &Last { helo: "", tls: None, octets_in: 0, octets_out: 0 });
    }

    /// The session ended.
    pub(super) fn ended(&mut self, ended: &Ended, last_words: Option<&Reply>, last: &Last<'_>) {
        let reason = match ended {
            Ended::Closed => "closed",
            Ended::Broken => "broken",
            Ended::TlsFailed => "tls_failed",
            Ended::TimedOut => "timed_out",
            Ended::TooSlow => "too_slow",
            Ended::ShuttingDown => "shutting_down",
            Ended::Quit => "quit",
            Ended::Refused(_) => "refused",
        };
        let outcome = self.outcome(ended);
        let decisive = match (outcome, ended) {
            (SmtpOutcome::Accepted, _) => self.acceptance.take(),
            // What we ended it with says more.
            (_, Ended::Refused(_)) => None,
            _ => self.refusal.take(),
        };
        self.last_reply = decisive.or_else(|| last_words.cloned()).or_else(|| self.last_reply.take());
        self.hand_over(outcome, reason, last);
    }

    fn outcome(&self, ended: &Ended) -> SmtpOutcome {
        match (ended, self.refusal.as_ref().map(|reply| reply.code)) {
            _ if self.messages > 0 => SmtpOutcome::Accepted,
            (Ended::TlsFailed, _) => SmtpOutcome::TlsFailed,
            (_, Some(500..)) | (Ended::Refused(_), None) => SmtpOutcome::Refused,
            (_, Some(_)) => SmtpOutcome::Deferred,
            (Ended::TimedOut | Ended::TooSlow, None) => SmtpOutcome::TimedOut,
            (Ended::Closed | Ended::Broken | Ended::ShuttingDown, None) => SmtpOutcome::Aborted,
            (Ended::Quit, None) => SmtpOutcome::NoMail,
        }
    }

    fn hand_over(&mut self, outcome: SmtpOutcome, reason: &'static str, last: &Last<'_>) {
        let Some(ledger) = self.ledger.take() else { return };
        let reply = self.last_reply.take();
        let took = self.began.elapsed();
        let took = chrono::TimeDelta::from_std(took).unwrap_or_default();
        let code = |code: u16| i16::try_from(code).unwrap_or_default();
        let mut reply_codes: Vec<i16> =
            self.transactions.iter().flat_map(codes).chain(reply.as_ref().map(|reply| reply.code)).map(code).collect();
        reply_codes.sort_unstable();
        reply_codes.dedup();
        let count = |octets: u64| i64::try_from(octets).unwrap_or(i64::MAX);
        let session = SmtpSession {
            id: self.id,
            began_at: self.began_at,
            ended_at: Timestamp(self.began_at.0 + took),
            duration_ms: took.num_milliseconds(),
            address: self.remote.to_string(),
            proxy: self.proxy.map(|proxy| proxy.to_string()),
            reverse_name: None,
            helo: cut(last.helo, 255),
            tls: last.tls.map(str::to_owned),
            stage: self.stage.as_str().to_owned(),
            outcome: outcome.as_str().to_owned(),
            reason: self.reason.unwrap_or(reason).to_owned(),
            reply_code: reply.as_ref().map_or(0, |reply| code(reply.code)),
            reply_text: reply.map(|reply| cut(&reply.said(), MOST_TEXT)).unwrap_or_default(),
            octets_in: count(last.octets_in),
            octets_out: count(last.octets_out),
            commands: self.commands,
            errors: self.errors,
            messages: self.messages,
            recipients_named: self.recipients_named,
            senders: distinct(self.transactions.iter().map(|transaction| transaction.sender.as_str())),
            recipients: distinct(
                self.transactions.iter().flat_map(|transaction| &transaction.recipients).map(|r| r.address.as_str()),
            ),
        };
        ledger.add(NewSession { session, transactions: std::mem::take(&mut self.transactions), reply_codes });
    }
}

fn codes(transaction: &SmtpTransaction) -> impl Iterator<Item = u16> {
    transaction.recipients.iter().map(|recipient| recipient.code).chain([transaction.code])
}

/// Each once, in the order in which they came, as they are searched for.
fn distinct<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut seen: Vec<String> = Vec::new();
    for text in texts.map(str::to_lowercase) {
        if !text.is_empty() && !seen.contains(&text) {
            seen.push(text);
        }
    }
    seen
}
