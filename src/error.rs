//! What can go wrong, in the product's words. Knows no transport: each door translates it in one place.

use std::borrow::Cow;
use std::time::Duration;

/// The result of anything that can fail in a way a caller may hear about.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What is wrong with one input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The input's name; nested inputs are joined by `/`. Empty for the input as a whole.
    pub field: Cow<'static, str>,
    /// What is wrong, to be read after the name: "has more than 200 characters".
    pub reason: String,
}

impl Fault {
    fn sentence(faults: &[Self]) -> String {
        let one = |fault: &Self| match fault.field.as_ref() {
            "" => fault.reason.clone(),
            field => format!("`{field}` {}", fault.reason),
        };
        faults.iter().map(one).collect::<Vec<_>>().join("; ")
    }
}

/// A failure, named by what its reader can do about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Inputs do not hold what they must; all that were found.
    #[error("{}", Fault::sentence(.0))]
    Invalid(Vec<Fault>),
    /// There is no such thing, or the caller may not know of it.
    #[error("{detail}")]
    NotFound {
        /// The noun: `mailbox`, `message`; gives the code `mailbox_not_found`.
        what: &'static str,
        /// A sentence naming what was looked for.
        detail: String,
    },
    /// The request fits no longer, or not yet, what is stored.
    #[error("{detail}")]
    Conflict {
        /// A stable name for the case: `mailbox_exists`.
        code: &'static str,
        /// A sentence for people.
        detail: String,
    },
    /// Nobody, or nobody valid, is asking.
    #[error("{0}")]
    Unauthenticated(Cow<'static, str>),
    /// The caller is known but lacks this scope.
    #[error("The scope {0} is needed for this.")]
    Forbidden(&'static str),
    /// The caller's key is limited to some domains or mailboxes, and the request concerns more than those.
    #[error("This key is limited to some domains or mailboxes, and this concerns more than those.")]
    OutOfReach,
    /// Too many tries; come back later.
    #[error("Too many attempts. Try again in {} s.", retry_after.as_secs().max(1))]
    TooMany {
        /// How long to wait.
        retry_after: Duration,
    },
    /// Something this needs (the database, room in a queue) is away for now.
    #[error("{detail}")]
    Unavailable {
        /// A sentence for people, without inner details.
        detail: Cow<'static, str>,
    },
    /// A fault of ours. The caller reads nothing of it, the log has all.
    #[error("{0:#}")]
    Internal(anyhow::Error),
}

impl Error {
    /// An input that does not hold what it must.
    pub fn invalid(field: impl Into<Cow<'static, str>>, reason: impl Into<String>) -> Self {
        Self::Invalid(vec![Fault { field: field.into(), reason: reason.into() }])
    }

    /// There is no such thing.
    pub fn not_found(what: &'static str, detail: impl Into<String>) -> Self {
        Self::NotFound { what, detail: detail.into() }
    }

    /// There is no such mailbox, or the caller may not know of it.
    pub fn no_mailbox(address: &impl std::fmt::Display) -> Self {
        Self::not_found("mailbox", format!("There is no mailbox {address}."))
    }

    /// The request does not fit what is stored.
    pub fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Self::Conflict { code, detail: detail.into() }
    }

    /// A stable name for programs, the same at every door.
    pub fn code(&self) -> Cow<'static, str> {
        match self {
            Self::Invalid(_) => "invalid_input".into(),
            Self::NotFound { what, .. } => format!("{what}_not_found").into(),
            Self::Conflict { code, .. } => (*code).into(),
            Self::Unauthenticated(_) => "unauthenticated".into(),
            Self::Forbidden(_) => "missing_scope".into(),
            Self::OutOfReach => "key_is_limited".into(),
            Self::TooMany { .. } => "too_many_requests".into(),
            Self::Unavailable { .. } => "unavailable".into(),
            Self::Internal(_) => "internal_error".into(),
        }
    }

    /// What to do next, in one sentence.
    pub fn fix(&self) -> Cow<'static, str> {
        match self {
            Self::Invalid(faults) => match faults.first().map(|fault| fault.field.as_ref()) {
                None | Some("") => "Mend the request and send it again.".into(),
                Some(field) => format!("Mend `{field}` and send the request again.").into(),
            },
            Self::NotFound { what, .. } => {
                format!("Check the name, or list what there is; a {what} outside this key's reach looks the same.").into()
            }
            Self::Conflict { .. } => "Look at the present state and decide anew.".into(),
            Self::Unauthenticated(_) => "Send a valid key as `Authorization: Bearer KEY` or `X-API-Key: KEY`.".into(),
            Self::Forbidden(scope) => format!("Use a key that has the scope `{scope}`.").into(),
            Self::OutOfReach => "Name a mailbox or domain of the key, or use a key without limits.".into(),
            Self::TooMany { retry_after } => format!("Wait {} seconds, then try again.", retry_after.as_secs().max(1)).into(),
            Self::Unavailable { .. } => "Try again in a few seconds; nothing was changed.".into(),
            Self::Internal(_) => "Try again; if it stays, look for the request id in the server's log.".into(),
        }
    }
}

impl From<anyhow::Error> for Error {
    fn from(cause: anyhow::Error) -> Self {
        Self::Internal(cause)
    }
}

impl From<sqlx::Error> for Error {
    fn from(cause: sqlx::Error) -> Self {
        if is_outage(&cause) {
            tracing::warn!(error = %cause, "the database did not answer");
            return Self::Unavailable { detail: "The database is not answering at the moment.".into() };
        }
        Self::Internal(anyhow::Error::new(cause).context("asking the database"))
    }
}

/// Whether an error means that the database is away or overloaded, rather than that the statement is wrong.
///
/// Classes 08 (connection), 53 (resources) and 57 (operator intervention) of the `SQLSTATE` codes.
fn is_outage(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(db) => db.code().is_some_and(|c| ["08", "53", "57"].iter().any(|class| c.starts_with(class))),
        _ => false,
    }
}
