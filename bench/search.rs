//! Search on many messages: words that are frequent and rare, phrases, fields, and Chinese, over four kept connections.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use anyhow::Result;
use futures_util::future::try_join_all;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sqlx::Connection as _;
use sqlx::postgres::PgConnection;
use uuid::Uuid;

use pillarbox::mail::search::{Document, Known};
use pillarbox::store::intake::{self, Batch};
use pillarbox::store::search::{self, Entries};

use crate::http::Client;
use crate::message::Numbers;
use crate::percentiles::Percentiles;
use crate::report::{Report, say};
use crate::server::{Server, address};

const CONNECTIONS: usize = 4;
/// Messages written in one transaction.
const BATCH: usize = 1000;
/// The words that texts are made of; the lower its number, the more frequent a word is.
const WORDS: u64 = 60_000;
/// The characters that Chinese texts are made of.
const CHARACTERS: u64 = 3000;

/// What is asked for: a name, and the question with `{n}` in place of a number.
const QUESTIONS: [(&str, &str); 10] = [
    ("a frequent word", "w{few}"),
    ("a rare word", "w{many}"),
    ("two words", "w{few} w{some}"),
    ("a phrase", "\"w{few} w{few}\""),
    ("a field", "subject:w{some}"),
    ("a sender and a word", "from:sender{some} w{few}"),
    ("a word in one mailbox", "to:box{many}@bench.example.org w{few}"),
    ("a word, unread ones", "w{some} is:unread"),
    ("Chinese, two characters", "{frequent}{frequent}"),
    ("Chinese, three characters", "{frequent}{frequent}{rare}"),
];

/// Fills the tables up to `stored` messages and asks.
pub(crate) async fn measure(server: &Server, stored: usize, span: Duration, report: &mut Report) -> Result<()> {
    let started = Instant::now();
    fill(server, stored).await?;
    sqlx::query("vacuum analyze").execute(&mut server.database().await?).await?;
    say(&format!("\n{stored} messages to search, written in {:.0} s", started.elapsed().as_secs_f64()));
    let mut all = Vec::new();
    for (number, (name, question)) in (0..).zip(QUESTIONS) {
        let until = Instant::now() + span / 2;
        let readers = (0..CONNECTIONS).map(|reader| ask(server, question, number * 100 + reader as u64, until));
        let times = try_join_all(readers).await?.concat();
        let found = Percentiles::of(times.clone());
        say(&format!("{name:<28} {:>6} answers, p50 {:>6.1} ms, p99 {:>6.1} ms", times.len(), found.p50, found.p99));
        report.search(name, &found);
        // Each kind counts the same, however often it could be asked.
        all.extend(times.into_iter().take(200));
    }
    report.search_bar(stored, &Percentiles::of(all));
    Ok(())
}

async fn ask(server: &Server, question: &str, seed: u64, until: Instant) -> Result<Vec<Duration>> {
    let (mut client, mut numbers) = (Client::connect(server).await?, Numbers::new(seed));
    let mut times = Vec::new();
    while Instant::now() < until {
        let question = filled(question, &mut numbers);
        let path = format!("/api/v1/messages?q={}", utf8_percent_encode(&question, NON_ALPHANUMERIC));
        let started = Instant::now();
        client.get(&path).await?;
        times.push(started.elapsed());
    }
    Ok(times)
}

/// The question with a number or a character in each place.
fn filled(question: &str, numbers: &mut Numbers) -> String {
    let mut text = String::new();
    for piece in question.split_inclusive('}') {
        let (before, name) = piece.rsplit_once('{').unwrap_or((piece, ""));
        text += before;
        match name {
            "few}" => text += &numbers.below(20).to_string(),
            "some}" => text += &(100 + numbers.below(400)).to_string(),
            "many}" => text += &(5000 + numbers.below(4000)).to_string(),
            "frequent}" => text.push(character(numbers.below(20))),
            "rare}" => text.push(character(500 + numbers.below(500))),
            _ => {}
        }
    }
    text
}

fn character(number: u64) -> char {
    u32::try_from(number).ok().and_then(|number| char::from_u32(0x4e00 + number)).unwrap_or('\u{4e00}')
}

/// Writes messages and their entries, as the server would, so that nothing is left for it to index.
async fn fill(server: &Server, stored: usize) -> Result<()> {
    let mut db = PgConnection::connect_with(&server.options()?).await?;
    let (run, mut numbers) = (Uuid::now_v7(), Numbers::new(1));
    for first in (0..stored).step_by(BATCH) {
        let made: Vec<Made> = (first..first + BATCH).map(|number| Made::new(number, &mut numbers)).collect();
        write(&mut db, server, run, &made).await?;
    }
    search::tidy(&mut db).await?;
    Ok(())
}

/// A message that was made up.
struct Made {
    mailbox: usize,
    recipient: String,
    subject: String,
    from: String,
    document: Document,
}

impl Made {
    fn new(number: usize, numbers: &mut Numbers) -> Self {
        let mailbox = number * 7919 % 10_000;
        let recipient = address(mailbox);
        // A tenth of them in Chinese.
        let (subject, text) = if number.is_multiple_of(10) {
            (numbers.characters(8), numbers.characters(60))
        } else {
            (numbers.frequent_words(5), numbers.frequent_words(40))
        };
        let from = format!("sender{}@mail{}.example.net", numbers.below(500), numbers.below(50));
        let raw = format!("From: {from}\r\nTo: {recipient}\r\nSubject: {subject}\r\n\r\n{text}\r\n");
        let code = number.is_multiple_of(3).then_some("482913");
        let document =
            Document::new(raw.as_bytes(), Known { mailbox: &recipient, recipient: &recipient, code, link: None, auth: None });
        Self { mailbox, recipient, subject, from, document }
    }
}

async fn write(db: &mut PgConnection, server: &Server, run: Uuid, made: &[Made]) -> Result<()> {
    let (mut batch, mut entries) = (Batch::default(), Entries::default());
    let content = Uuid::now_v7();
    let c = &mut batch.contents;
    c.id.push(content);
    c.sha256.push(&[0; 32]);
    c.size_octets.push(600);
    c.trace.push("");
    c.envelope.push("{}");
    c.encoding.push("plain");
    c.octets.push(b"Subject: none\r\n\r\n");
    c.fingerprint.push(&[0; 32]);
    c.auth.push(None);
    for message in made {
        let id = Uuid::now_v7();
        let m = &mut batch.messages;
        m.id.push(id);
        m.mailbox_id.push(server.mailboxes.get(message.mailbox).copied().unwrap_or_default());
        m.content_id.push(content);
        m.recipient.push(&message.recipient);
        m.subject.push(&message.subject);
        m.from_address.push(&message.from);
        m.from_name.push("");
        m.preview.push(&message.subject);
        m.size_octets.push(600);
        m.attachment_count.push(0);
        m.code.push(None);
        m.code_confidence.push(None);
        m.link.push(None);
        m.extraction.push(None);
        m.defects.push(String::new());
        m.sender_trust.push("none");
        m.is_quarantined.push(false);
        entries.ids.push(id);
        entries.texts.push(message.document.text.clone());
        entries.documents.push(message.document.tsvector.clone());
    }
    let mut tx = db.begin().await?;
    intake::insert_batch(&mut tx, &batch, run, 8, &[content]).await?;
    search::insert(&mut tx, &entries).await?;
    tx.commit().await?;
    Ok(())
}

impl Numbers {
    /// Below this, evenly.
    fn below(&mut self, most: u64) -> u64 {
        self.next() % most
    }

    /// Below this; half of them below the square root, as words are frequent.
    fn skewed(&mut self, most: u64) -> u64 {
        #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small numbers")]
        let number = (most as f64).powf((self.next() % 1_000_000) as f64 / 1_000_000.0) as u64;
        number.saturating_sub(1)
    }

    fn frequent_words(&mut self, count: usize) -> String {
        (0..count).fold(String::new(), |mut text, _| {
            // Writing to a String cannot fail.
            let _ = write!(text, "w{} ", self.skewed(WORDS));
            text
        })
    }

    fn characters(&mut self, count: usize) -> String {
        (0..count).map(|_| character(self.skewed(CHARACTERS))).collect()
    }
}
