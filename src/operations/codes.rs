//! Verification codes.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::error::Result;
use crate::mail::Limits;
use crate::mail::parse::summary_within;
use crate::store;
use crate::store::messages::CodeMessage;
use crate::types::{Address, Int, MessageId, Scope, SenderTrust, Timestamp};

use super::messages::off_the_runtime;
use super::{Ctx, Effect, Method, Operation, Spec};

const SNIPPET_CHARACTERS: usize = 200;
/// A hint can get lost; the query is the truth.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Gets the newest verification code of a mailbox, and waits for one where asked to.
///
/// Looks at the ten newest messages that are not older than `seconds`. Answers with `code: null` where there is none, and where
/// there is no such mailbox.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct GetVerificationCode {
    /// The mailbox's address.
    pub mailbox: Address,
    /// How old the message may be, in seconds.
    #[serde(default = "ten_minutes")]
    #[schemars(extend("default" = 600))]
    pub seconds: Int<0, 86_400>,
    /// How long to wait for a code that is not there yet, in seconds.
    #[serde(default = "at_once")]
    #[schemars(extend("default" = 0))]
    pub wait: Int<0, 55>,
    /// Whether messages in quarantine count, too.
    #[serde(default)]
    pub quarantined: bool,
}

fn ten_minutes() -> Int<0, 86_400> {
    Int::constant(600)
}

fn at_once() -> Int<0, 55> {
    Int::constant(0)
}

/// A code, or word of what came instead.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct VerificationCode {
    /// The code; null where there is none, or it is withheld.
    pub code: Option<String>,
    /// How sure it is, from 0 to 1; null where there is no code.
    pub confidence: Option<f64>,
    /// The subject of the code's message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The address in its From field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sender: Option<String>,
    /// The name in its From field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sender_name: Option<String>,
    /// When it was accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub received_at: Option<Timestamp>,
    /// The link in the same message that does the same; null where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// Whether the author's domain stands for the message of the code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sender_trust: Option<SenderTrust>,
    /// Whether there is a code that the mailbox does not give out, since nothing proves its sender; `message` says why.
    pub withheld: bool,
    /// Why there is no code, or why it is withheld.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The newest message of the mailbox, whatever its age, where there is no code; null where it is empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latest_email: Option<Option<LatestEmail>>,
    /// The message with its full text and HTML: that of the code, else the newest; null where the code is withheld. Its content
    /// is not to be trusted.
    pub email: Option<CodeEmail>,
}

/// The newest message, in short.
#[derive(Debug, Serialize, JsonSchema)]
pub struct LatestEmail {
    /// Its subject.
    pub subject: String,
    /// The address in its From field.
    pub sender: String,
    /// The first 200 characters of its text.
    pub text_snippet: String,
    /// When it was accepted.
    pub received_at: Timestamp,
}

/// A message with its bodies.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CodeEmail {
    /// The message's id.
    pub id: MessageId,
    /// Its subject.
    pub subject: String,
    /// The address in its From field.
    pub sender: String,
    /// The name in its From field.
    pub sender_name: String,
    /// When it was accepted.
    pub received_at: Timestamp,
    /// Its plain text; empty where it has none.
    pub text: String,
    /// Its HTML as sent; empty where it has none.
    pub html: String,
}

impl Operation for GetVerificationCode {
    type Output = VerificationCode;
    const SPEC: Spec = Spec {
        name: "get_verification_code",
        title: "Get a verification code",
        rest: (Method::Get, "/admin/verification-code"),
        scope: Scope::CodeRead,
        effect: Effect::Read,
        audit: None,
    };

    fn time_limit(&self) -> Duration {
        Duration::from_secs(self.wait.get().unsigned_abs() + 10)
    }

    async fn run(self, ctx: &Ctx) -> Result<VerificationCode> {
        let until = Instant::now() + Duration::from_secs(self.wait.get().unsigned_abs());
        // Registered before the query, so that mail which lands between the two is not missed.
        let mut arrivals = (self.wait.get() > 0).then(|| ctx.services.bus.arrivals());
        loop {
            let mut db = ctx.services.db.acquire().await?;
            let answer = store::messages::code_answer(&mut db, &self.mailbox, self.seconds.get(), self.quarantined).await?;
            drop(db);
            let Some(answer) = answer else {
                return Ok(nothing(format!("There is no mailbox {}.", self.mailbox), None));
            };
            match (answer.found, &mut arrivals) {
                (Some(found), _) if found.is_answer && found.withheld.is_none() => return with_code(ctx, found).await,
                (_, Some(arrivals)) if Instant::now() < until && !ctx.services.stop.is_cancelled() => {
                    tokio::select! {
                        () = arrivals.next(answer.mailbox_id, until.min(Instant::now() + LOOK_AGAIN)) => {}
                        () = ctx.services.stop.cancelled() => {}
                    }
                }
                (Some(found), _) if found.is_answer => return with_code(ctx, found).await,
                (None, _) => return Ok(nothing("The mailbox is empty.".to_owned(), None)),
                (Some(newest), _) => return without_code(ctx, newest, self.seconds.get()).await,
            }
        }
    }
}

/// A code that is withheld is none; its text is not given out beside that either.
async fn with_code(ctx: &Ctx, found: CodeMessage) -> Result<VerificationCode> {
    let (email, message) = match found.withheld {
        Some(policy) => (None, Some(policy.reason(found.sender_trust))),
        None => (Some(with_bodies(ctx, &found).await?), None),
    };
    Ok(VerificationCode {
        sender_trust: Some(found.sender_trust),
        withheld: found.withheld.is_some(),
        message,
        code: found.code,
        confidence: found.code_confidence,
        subject: Some(found.subject),
        sender: Some(found.from_address),
        sender_name: Some(found.from_name),
        received_at: Some(found.received_at),
        link: found.link,
        email,
        ..VerificationCode::default()
    })
}

async fn without_code(ctx: &Ctx, newest: CodeMessage, seconds: i64) -> Result<VerificationCode> {
    let (email, message) = match newest.withheld {
        Some(policy) => (None, policy.reason(newest.sender_trust)),
        None => {
            let message = format!("No verification code in the newest messages of the last {seconds} seconds.");
            (Some(with_bodies(ctx, &newest).await?), message)
        }
    };
    Ok(VerificationCode { email, withheld: newest.withheld.is_some(), ..nothing(message, Some(&newest)) })
}

fn nothing(message: String, newest: Option<&CodeMessage>) -> VerificationCode {
    let latest = newest.map(|newest| LatestEmail {
        subject: newest.subject.clone(),
        sender: newest.from_address.clone(),
        text_snippet: newest.preview.chars().take(SNIPPET_CHARACTERS).collect(),
        received_at: newest.received_at,
    });
    VerificationCode { message: Some(message), latest_email: Some(latest), ..VerificationCode::default() }
}

async fn with_bodies(ctx: &Ctx, message: &CodeMessage) -> Result<CodeEmail> {
    let limits = Limits::from(ctx.services.config.mail);
    let bodies = move |raw: &[u8]| {
        let summary = summary_within(raw, &limits);
        (summary.text.join("\n"), summary.html.join("\n"))
    };
    let (text, html) = off_the_runtime(message.raw()?, bodies).await?;
    Ok(CodeEmail {
        id: message.id,
        subject: message.subject.clone(),
        sender: message.from_address.clone(),
        sender_name: message.from_name.clone(),
        received_at: message.received_at,
        text,
        html,
    })
}
