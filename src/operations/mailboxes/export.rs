//! The mailboxes as a table for spreadsheets.

use std::fmt::Write as _;

use crate::error::Result;
use crate::operations::{Ctx, Operation as _};
use crate::store;
use crate::types::{Mailbox, MailboxId, Timestamp};

use super::ListMailboxes;

/// How many rows are read at once.
const STEP: i64 = 1000;
/// The most rows of a table.
const MOST_ROWS: usize = 100_000;

/// The mailboxes that the caller sees outside the trash, newest first, as CSV (RFC 4180) with a row of names; at most 100,000. The
/// scope is that of [`ListMailboxes`]. Passwords are not in it.
pub async fn mailboxes_as_csv(ctx: &Ctx) -> Result<String> {
    ctx.check_scope(&ListMailboxes::SPEC).await?;
    let filter = store::mailboxes::Filter { reach: ctx.caller.reach().clone(), ..Default::default() };
    let mut table = String::from("address,state,note,messages,unread,user_id,shared,created_by,created_at,expires_at\r\n");
    let (mut after, mut rows): (Option<MailboxId>, usize) = (None, 0);
    loop {
        let mut db = ctx.services.db.acquire().await?;
        let page = store::mailboxes::list(&mut db, &filter, after, STEP, 0).await?;
        drop(db);
        for mailbox in &page {
            add(&mut table, mailbox);
        }
        rows += page.len();
        match page.last() {
            Some(last) if rows < MOST_ROWS => after = Some(last.id),
            Some(_) | None => return Ok(table),
        }
    }
}

fn add(table: &mut String, mailbox: &Mailbox) {
    let time = |at: Option<Timestamp>| at.map(Timestamp::rfc3339).unwrap_or_default();
    // Writing into a text does not fail.
    let _ = write!(
        table,
        "{},{},{},{},{},{},{},{},{},{}\r\n",
        field(mailbox.address.as_str()),
        mailbox.lifecycle.as_str(),
        field(&mailbox.note),
        mailbox.message_count,
        mailbox.unread_count,
        mailbox.user_id.map(|id| id.to_string()).unwrap_or_default(),
        mailbox.is_shared,
        field(&mailbox.created_by),
        mailbox.created_at.rfc3339(),
        time(mailbox.expires_at),
    );
}

/// A field in quotes. A spreadsheet would take what begins with one of these signs for a formula.
fn field(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_quoted_and_no_formula() {
        for (text, expected) in [
            ("plain", "\"plain\""),
            ("a \"b\", c", "\"a \"\"b\"\", c\""),
            ("=1+1", "\"'=1+1\""),
            ("@cmd", "\"'@cmd\""),
            ("two\nlines", "\"two\nlines\""),
        ] {
            assert_eq!(field(text), expected);
        }
    }
}
