//! Who is signed in to the portal.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::Response;

use crate::operations::Caller;
use crate::operations::Ctx;
use crate::operations::Services;
use crate::operations::portal;
use crate::types::Address;
use crate::types::Scope;
use crate::web::failure::Failure;
use crate::web::person::Person;
use crate::web::person::turned_back;
use crate::web::ui::NavEntry;
use crate::web::ui::Section;
use crate::web::ui::Ui;
use crate::web::visit::Visit;

/// What users navigate by.
pub(in crate::web) const OF_USERS: [NavEntry; 2] = [
    NavEntry { section: Section::Mailboxes, href: "/portal", icon: "at", label: "portal.mailboxes", shortcut: 'b' },
    NavEntry { section: Section::Messages, href: "/portal/messages", icon: "inbox", label: "nav.messages", shortcut: 'm' },
];
/// What those navigate by who see one mailbox.
pub(in crate::web) const OF_ONE: [NavEntry; 1] =
    [NavEntry { section: Section::Mailboxes, href: "/portal", icon: "inbox", label: "nav.messages", shortcut: 'm' }];

/// The request of somebody who is signed in to the portal. A handler that takes this is reached by nobody else.
#[derive(Debug, Clone)]
pub(in crate::web) struct Holder {
    /// To call operations with; the caller sees its own mailboxes only.
    pub ctx: Ctx,
    /// The request.
    pub visit: Visit,
}

impl Holder {
    /// The mailbox of a holder that sees just one; `None` for a user.
    pub(in crate::web) fn only_mailbox(&self) -> Option<&Address> {
        match &self.ctx.caller {
            Caller::Mailbox { address, .. } | Caller::Link { address, .. } => Some(address),
            _ => None,
        }
    }

    fn name(&self, visit_ui: &Ui) -> String {
        let name = self.ctx.caller.name().trim();
        if name.is_empty() { visit_ui.t("portal.nameless").to_owned() } else { name.to_owned() }
    }
}

impl Person for Holder {
    fn ctx(&self) -> &Ctx {
        &self.ctx
    }

    fn visit(&self) -> &Visit {
        &self.visit
    }

    fn ui(&self, section: Section) -> Ui {
        let ui = self.visit.ui(section);
        Ui {
            username: Some(self.name(&ui)),
            navigation: if self.only_mailbox().is_some() { &OF_ONE } else { &OF_USERS },
            may_mark: self.ctx.caller.may(Scope::MailWrite),
            ..ui
        }
    }
}

impl FromRequestParts<Services> for Holder {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, services: &Services) -> Result<Self, Self::Rejection> {
        let visit = Visit::from_request_parts(parts, services).await.map_err(Failure::into_response_now)?;
        let caller = match &visit.session_token {
            Some(token) => portal::caller_of(services, token).await.map_err(|e| Failure(e).into_response_now())?,
            None => None,
        };
        match caller {
            Some(caller) => Ok(Self { ctx: visit.ctx(services, caller), visit }),
            None => Err(turned_back(&visit, &parts.method, parts.headers.get("sec-fetch-site"))),
        }
    }
}
