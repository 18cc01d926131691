//! `pillarbox alias`.

use anyhow::Result;
use clap::Subcommand;

use crate::operations::Ctx;
use crate::operations::aliases::{CreateAlias, DeleteAlias, ListAliases, UpdateAlias};
use crate::types::{Address, DomainName, Int, Text};

use super::commands::all;
use super::table::{print_json, print_line, print_rows};

#[derive(Debug, Subcommand)]
pub(super) enum Alias {
    /// Make an alias
    Add {
        /// The alias's address
        address: Address,
        /// The mailboxes that get its mail
        #[arg(required = true)]
        mailboxes: Vec<Address>,
        /// A note for people
        #[arg(long, default_value = "")]
        note: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Change where an alias leads
    Set {
        /// The alias's address
        address: Address,
        /// The mailboxes that get its mail from now on
        #[arg(required = true)]
        mailboxes: Vec<Address>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// List the aliases
    List {
        /// Only those of this domain
        #[arg(long)]
        domain: Option<DomainName>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Remove an alias
    Delete {
        /// The alias's address
        address: Address,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

pub(super) async fn run(ctx: &Ctx, command: Alias) -> Result<()> {
    match command {
        Alias::Add { address, mailboxes, note, json } => {
            let note = Text::new(&note).map_err(|reason| anyhow::anyhow!("--note {reason}"))?;
            let made = ctx.call(CreateAlias { address, mailboxes, note }).await?;
            if json { print_json(&made) } else { print_line(made.address) }
        }
        Alias::Set { address, mailboxes, json } => {
            let changed = ctx.call(UpdateAlias { address, mailboxes: Some(mailboxes), note: None }).await?;
            if json { print_json(&changed) } else { print_line(changed.address) }
        }
        Alias::List { domain, json } => {
            let page =
                |cursor| ctx.call(ListAliases { domain: domain.clone(), limit: Int::new(200), cursor, ..Default::default() });
            let rows = all(page).await?;
            if json {
                return print_json(&rows);
            }
            print_rows(rows.iter().map(|alias| {
                let mailboxes: Vec<&str> = alias.mailboxes.iter().map(Address::as_str).collect();
                vec![alias.address.to_string(), mailboxes.join(", "), alias.note.clone()]
            }))
        }
        Alias::Delete { address, json } => {
            let gone = ctx.call(DeleteAlias { address }).await?;
            if json { print_json(&gone) } else { print_line(gone.address) }
        }
    }
}
