//! The commands that call operations.

use anyhow::{Context as _, Result, bail};
use serde_json::json;

use crate::crypto::Password;
use crate::error;
use crate::operations::{Ctx, api_keys, mailboxes, setup};
use crate::types::{Address, Cursor, Int, Page, Text};

use super::table::{print_json, print_line, print_rows};
use super::{Admin, Command, Key, Mailbox, aliases, domains};

pub(super) async fn run(ctx: &Ctx, command: Command) -> Result<()> {
    match command {
        Command::Admin(command) => admin(ctx, command).await,
        Command::Key(command) => key(ctx, command).await,
        Command::Domain(command) => Box::pin(domains::run(ctx, command)).await,
        Command::Alias(command) => aliases::run(ctx, command).await,
        Command::Mailbox(command) => mailbox(ctx, command).await,
        Command::Serve | Command::Doctor { .. } | Command::Extract(_) | Command::Openapi => {
            bail!("this command does not ask the database")
        }
    }
}

async fn admin(ctx: &Ctx, command: Admin) -> Result<()> {
    match command {
        Admin::Create { username, password_stdin: _ } => {
            let mut line = String::new();
            std::io::stdin().read_line(&mut line).context("the password could not be read from standard input")?;
            let password = Password::new(line.trim_end_matches(['\r', '\n']));
            setup::create_admin(ctx, &username, &password).await?;
        }
        Admin::SetupLink => print_line(setup::new_link(ctx).await?)?,
    }
    Ok(())
}

fn bounded<const MIN: i64, const MAX: i64>(number: Option<i64>, reason: &'static str) -> Result<Option<Int<MIN, MAX>>> {
    number.map(|number| Int::new(number).context(reason)).transpose()
}

async fn key(ctx: &Ctx, command: Key) -> Result<()> {
    match command {
        Key::Create { name, scopes, expires_in_days, reads_per_minute, writes_per_minute, json } => {
            let name = Text::new(&name).map_err(|reason| anyhow::anyhow!("--name {reason}"))?;
            let expires_in_days = bounded(expires_in_days, "--expires-in-days must be from 1 to 3650")?;
            let reads_per_minute = bounded(reads_per_minute, "--reads-per-minute must be from 1 to 1000000")?;
            let writes_per_minute = bounded(writes_per_minute, "--writes-per-minute must be from 1 to 1000000")?;
            let scopes = if scopes.is_empty() { None } else { Some(scopes) };
            let asked = api_keys::CreateApiKey {
                name,
                scopes,
                expires_in_days,
                reads_per_minute,
                writes_per_minute,
                ..Default::default()
            };
            let made = ctx.call(asked).await?;
            if json { print_json(&made)? } else { print_line(made.key)? }
        }
        Key::List { json } => {
            let rows =
                all(|cursor| ctx.call(api_keys::ListApiKeys { limit: Int::new(200), cursor, ..Default::default() })).await?;
            if json {
                return print_json(&rows);
            }
            print_rows(rows.iter().map(|key| {
                let state = if key.revoked_at.is_some() { "revoked" } else { "good" };
                vec![key.prefix.clone(), state.to_owned(), key.created_at.to_string(), key.name.clone()]
            }))?;
        }
    }
    Ok(())
}

async fn mailbox(ctx: &Ctx, command: Mailbox) -> Result<()> {
    match command {
        Mailbox::Create { addresses, json } => create(ctx, addresses, json).await,
        Mailbox::List { json } => {
            let rows =
                all(|cursor| ctx.call(mailboxes::ListMailboxes { limit: Int::new(200), cursor, ..Default::default() })).await?;
            if json {
                return print_json(&rows);
            }
            print_rows(rows.iter().map(|mailbox| {
                let counts = format!("{} unread of {}", mailbox.unread_count, mailbox.message_count);
                vec![mailbox.address.to_string(), mailbox.lifecycle.as_str().to_owned(), counts]
            }))?;
            Ok(())
        }
    }
}

/// One that cannot be made keeps no other from being made; what was made is printed before the failure.
async fn create(ctx: &Ctx, addresses: Vec<Address>, json: bool) -> Result<()> {
    let addresses = Some(addresses.into_iter().map(String::from).collect());
    let batch = mailboxes::CreateMailboxesBatch { addresses, count: None, domain: None, note: Text::default(), expires_at: None };
    let items = ctx.call(batch).await?;
    if json {
        print_json(&json!(items))?;
    } else {
        for item in items.iter().filter(|item| item.created) {
            print_line(format_args!("{} {}", item.address, item.password.as_deref().unwrap_or_default()))?;
        }
    }
    let failures: Vec<String> =
        items.iter().filter_map(|item| item.error.as_ref().map(|error| format!("{}: {error}", item.address))).collect();
    if failures.is_empty() { Ok(()) } else { bail!("{}", failures.join("\n")) }
}

/// All rows of a listing, page by page.
pub(super) async fn all<T, F>(page: impl Fn(Option<Cursor>) -> F) -> Result<Vec<T>>
where
    F: Future<Output = error::Result<Page<T>>>,
{
    let (mut rows, mut cursor) = (Vec::new(), None);
    loop {
        let Page { items, next_cursor } = page(cursor).await?;
        rows.extend(items);
        if next_cursor.is_none() {
            return Ok(rows);
        }
        cursor = next_cursor;
    }
}
