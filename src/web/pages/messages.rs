//! Lists of messages, and a message beside its list; on either side.

use askama::Template;
use axum::extract::Path;
use axum::extract::Query;
use axum::http::HeaderValue;
use axum_extra::extract::Form;
use serde::Deserialize;

use crate::error::Error;
use crate::mail::search::OPERATORS;
use crate::mail::search::Operator;
use crate::operations::messages::DeleteEmail;
use crate::operations::messages::GetEmail;
use crate::operations::messages::ListEmails;
use crate::operations::messages::UpdateEmail;
use crate::operations::quarantine::ReleaseEmail;
use crate::operations::search::FoundEmail;
use crate::operations::search::ListAllEmails;
use crate::types::MessageId;
use crate::types::Page;
use crate::types::Text;
use crate::web::pages::confirm::ConfirmPage;
use crate::web::pages::confirm::Confirmation;
use crate::web::pages::mailboxes::cursor;
use crate::web::pages::mailboxes::parsed;
use crate::web::pages::message_row::Row;
use crate::web::pages::message_row::Where;
use crate::web::pages::reader::Body;
use crate::web::pages::reader::Reader;
use crate::web::person::Person;
use crate::web::render;
use crate::web::render::Answer;
use crate::web::ui::Section;
use crate::web::ui::Ui;
use crate::web::ui::View;

#[derive(Debug, Template)]
#[template(path = "messages/list.html")]
struct MessagesPage {
    ui: Ui,
    filter: Where,
    rows: Vec<Row>,
    next: Option<String>,
    /// What is wrong with the search.
    fault: Option<String>,
    operators: &'static [Operator],
    selected: Option<MessageId>,
    open: Option<Reader>,
}

/// A message without its list, for where a script puts it beside one.
#[derive(Debug, Template)]
#[template(path = "messages/reader.html")]
struct ReaderPart {
    ui: Ui,
    reader: Reader,
}

/// What addresses of lists and messages hold.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct Asked {
    show: String,
    /// A search.
    q: String,
    cursor: String,
    /// The mailbox whose list stands beside the message.
    r#in: String,
    view: String,
}

/// `GET /admin/messages`, `GET /portal/messages`.
pub(in crate::web) async fn list_all<P: Person>(person: P, Query(asked): Query<Asked>) -> Answer {
    let side = person.visit().side;
    let place = Where { side, mailbox: None, show: asked.show, q: asked.q, cursor: asked.cursor };
    render::page(&list(&person, place, None).await?)
}

/// `GET /admin/mailboxes/{address}`, `GET /portal/mailboxes/{address}`.
pub(in crate::web) async fn list_in<P: Person>(person: P, Path(address): Path<String>, Query(asked): Query<Asked>) -> Answer {
    let side = person.visit().side;
    let place = Where { side, mailbox: Some(parsed(&address)?), show: asked.show, q: asked.q, cursor: asked.cursor };
    render::page(&list(&person, place, None).await?)
}

async fn list(person: &impl Person, place: Where, open: Option<Reader>) -> Result<MessagesPage, Error> {
    let (page, fault) = match read(person, &place).await {
        Ok(page) => (page, None),
        // The search stays in its field, to be mended.
        Err(error @ Error::Invalid(_)) if !place.q.is_empty() => (Page { items: Vec::new(), next_cursor: None }, Some(error)),
        Err(error) => return Err(error),
    };
    Ok(MessagesPage {
        ui: person.ui(if place.mailbox.is_some() { Section::Mailboxes } else { Section::Messages }),
        next: page.next_cursor.map(|next| place.after(&String::from(next))),
        rows: page.items.into_iter().map(|found| Row::found(found, &place)).collect(),
        fault: fault.map(|error| error.to_string()),
        operators: OPERATORS,
        filter: place,
        selected: open.as_ref().map(|reader| reader.message.id),
        open,
    })
}

async fn read(person: &impl Person, place: &Where) -> Result<Page<FoundEmail>, Error> {
    let (is_read, is_starred, has_code, is_quarantined) = match place.show.as_str() {
        "" | "all" => (None, None, None, None),
        "unread" => (Some(false), None, None, None),
        "starred" => (None, Some(true), None, None),
        "code" => (None, None, Some(true), None),
        "quarantine" => (None, None, None, Some(true)),
        _ => return Err(Error::invalid("show", "must be all, unread, starred, code or quarantine")),
    };
    let cursor = cursor(&place.cursor)?;
    if let Some(address) = place.mailbox.clone().filter(|_| place.q.trim().is_empty()) {
        let address = Some(address);
        let list = ListEmails { address, is_read, is_starred, has_code, is_quarantined, cursor, ..ListEmails::default() };
        let Page { items, next_cursor } = person.ctx().call_within(list).await?;
        let items = items.into_iter().map(|summary| FoundEmail { summary, highlights: Vec::new() }).collect();
        return Ok(Page { items, next_cursor });
    }
    let q = Text::new(&place.q).map_err(|reason| Error::invalid("q", reason))?;
    let mailbox = place.mailbox.clone();
    let list =
        ListAllEmails { q: Some(q), mailbox, is_read, is_starred, has_code, is_quarantined, cursor, ..ListAllEmails::default() };
    person.ctx().call_within(list).await
}

/// `GET /admin/messages/{id}`, `GET /portal/messages/{id}`.
pub(in crate::web) async fn show<P: Person>(person: P, Path(id): Path<String>, Query(asked): Query<Asked>) -> Answer {
    let reader = open(&person, &id, &asked, true).await?;
    if person.visit().is_fragment {
        return render::page(&ReaderPart { ui: person.ui(Section::Messages), reader });
    }
    render::page(&list(&person, place(&person, &asked)?, Some(reader)).await?)
}

fn place(person: &impl Person, asked: &Asked) -> Result<Where, Error> {
    let mailbox = if asked.r#in.is_empty() { None } else { Some(parsed(&asked.r#in)?) };
    let side = person.visit().side;
    Ok(Where { side, mailbox, show: asked.show.clone(), q: asked.q.clone(), cursor: String::new() })
}

async fn open(person: &impl Person, id: &str, asked: &Asked, mark_read: bool) -> Result<Reader, Error> {
    let email = person.ctx().call_within(GetEmail { id: parsed_id(id)? }).await?;
    let view = View::ALL.into_iter().find(|view| view.as_str() == asked.view);
    Ok(Reader::new(email, &place(person, asked)?, view, mark_read))
}

/// The id of a path; what is none is simply not there.
pub(in crate::web) fn parsed_id(text: &str) -> Result<MessageId, Error> {
    text.parse().map_err(|_| Error::not_found("message", format!("There is no message {text}.")))
}

/// What the buttons send.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct Back {
    next: String,
}

/// `POST /admin/messages/{id}/{mark}`: `read`, `unread`, `star`, `unstar`, or `release` out of quarantine.
pub(in crate::web) async fn mark<P: Person>(
    person: P,
    Path((id, mark)): Path<(String, String)>,
    Query(asked): Query<Asked>,
    Form(back): Form<Back>,
) -> Answer {
    let (is_read, is_starred) = match mark.as_str() {
        "read" => (Some(true), None),
        "unread" => (Some(false), None),
        "star" => (None, Some(true)),
        "unstar" => (None, Some(false)),
        "release" => (None, None),
        _ => return Err(Error::not_found("page", "There is no such page.").into()),
    };
    if mark == "release" {
        person.ctx().call_within(ReleaseEmail { id: parsed_id(&id)? }).await?;
    } else {
        person.ctx().call_within(UpdateEmail { id: parsed_id(&id)?, is_read, is_starred }).await?;
    }
    if !person.visit().is_fragment {
        return render::see_other(person.visit().side.safe_next(&back.next));
    }
    let reader = open(&person, &id, &asked, false).await?;
    let mut response = render::page(&ReaderPart { ui: person.ui(Section::Messages), reader })?;
    // The lists and figures on the page are read anew.
    response.headers_mut().insert("hx-trigger", HeaderValue::from_static("live"));
    Ok(response)
}

/// `POST /admin/messages/{id}/delete`.
pub(in crate::web) async fn delete<P: Person>(
    person: P,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
    Form(form): Form<Confirmation>,
) -> Answer {
    let id = parsed_id(&id)?;
    let place = place(&person, &asked)?;
    let ui = person.ui(Section::Messages);
    let question = ConfirmPage::new(&person, Section::Messages, &place.message(id)).ask(
        ui.t("confirm.message_delete").to_owned(),
        ui.t("confirm.message_delete_text"),
        ui.t("delete"),
    );
    if !form.is_given() {
        return question.show();
    }
    match person.ctx().call_within(DeleteEmail { id }).await {
        Ok(_) => render::done(&place.here(), "message_deleted"),
        Err(error) => question.failed(error),
    }
}
