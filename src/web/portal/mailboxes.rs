//! The first page of a user: the mailboxes that it sees, by the services that they are used for.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::Query;
use serde::Deserialize;

use crate::error::Error;
use crate::operations::mailboxes::ListMailboxes;
use crate::operations::service_links::services_of;
use crate::types::Int;
use crate::types::Mailbox;
use crate::types::ServiceBinding;
use crate::types::Text;
use crate::web::pages::mailboxes::cursor;
use crate::web::person::Person as _;
use crate::web::portal::Holder;
use crate::web::render;
use crate::web::render::Answer;
use crate::web::ui::Section;
use crate::web::ui::Ui;
use crate::web::ui::encode;

/// What the address holds.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct Asked {
    q: String,
    cursor: String,
}

impl Asked {
    fn here(&self) -> String {
        let pairs = [("q", &self.q), ("cursor", &self.cursor)];
        let query: Vec<_> = pairs.iter().filter(|(_, v)| !v.is_empty()).map(|(k, v)| format!("{k}={}", encode(v))).collect();
        if query.is_empty() { "/portal".to_owned() } else { format!("/portal?{}", query.join("&")) }
    }
}

/// The mailboxes that are used for one service; without a name, those that are used for none.
#[derive(Debug)]
struct Group {
    name: String,
    rows: Vec<Row>,
}

/// A mailbox in a group, with what binds it to the group's service.
#[derive(Debug)]
struct Row {
    mailbox: Mailbox,
    service: Option<ServiceBinding>,
}

#[derive(Debug, Template)]
#[template(path = "portal/mailboxes.html")]
struct MailboxesPage {
    ui: Ui,
    asked: Asked,
    groups: Vec<Group>,
    count: i64,
    unread: i64,
    next: Option<String>,
}

/// `GET /portal`. Who sees one mailbox only goes right there.
pub(in crate::web) async fn list(holder: Holder, Query(asked): Query<Asked>) -> Answer {
    if let Some(address) = holder.only_mailbox() {
        return render::see_other(&format!("/portal/mailboxes/{}", encode(address)));
    }
    let q = Text::new(&asked.q).map_err(|reason| Error::invalid("q", reason))?;
    let list = ListMailboxes { q: Some(q), limit: Int::new(200), cursor: cursor(&asked.cursor)?, ..ListMailboxes::default() };
    let page = holder.ctx.call_within(list).await?;
    let addresses: Vec<_> = page.items.iter().map(|mailbox| &mailbox.address).collect();
    let services = services_of(&holder.ctx, &addresses).await?;
    render::page(&MailboxesPage {
        ui: holder.ui(Section::Mailboxes),
        next: page.next_cursor.map(|next| Asked { cursor: next.into(), ..asked.clone() }.here()),
        count: i64::try_from(page.items.len()).unwrap_or(i64::MAX),
        unread: page.items.iter().map(|mailbox| mailbox.unread_count).sum(),
        groups: groups(page.items, &services),
        asked,
    })
}

/// By the name of the service; a mailbox that is used for several stands with each, one that is used for none at the end.
fn groups(mailboxes: Vec<Mailbox>, services: &[ServiceBinding]) -> Vec<Group> {
    let mut named: BTreeMap<(String, &str), Vec<Row>> = BTreeMap::new();
    let mut unnamed = Vec::new();
    for mailbox in mailboxes {
        let mut is_used = false;
        for service in services.iter().filter(|service| service.mailbox == mailbox.address) {
            is_used = true;
            let row = Row { mailbox: mailbox.clone(), service: Some(service.clone()) };
            named.entry((service.name.to_lowercase(), &service.name)).or_default().push(row);
        }
        if !is_used {
            unnamed.push(Row { mailbox, service: None });
        }
    }
    let named = named.into_iter().map(|((_, name), rows)| Group { name: name.to_owned(), rows });
    let unnamed = Some(Group { name: String::new(), rows: unnamed }).filter(|group| !group.rows.is_empty());
    named.chain(unnamed).collect()
}
