//! Who is signed in.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::Response;

use crate::operations::Caller;
use crate::operations::Ctx;
use crate::operations::Services;
use crate::operations::sign_in;
use crate::types::SessionId;
use crate::web::failure::Failure;
use crate::web::person::Person;
use crate::web::person::turned_back;
use crate::web::ui::Section;
use crate::web::ui::Ui;
use crate::web::visit::Visit;

/// A signed-in administrator's request. A handler that takes this is reached by nobody else.
#[derive(Debug, Clone)]
pub(in crate::web) struct Admin {
    /// To call operations with.
    pub ctx: Ctx,
    /// The request.
    pub visit: Visit,
    /// The browser's session.
    pub session: SessionId,
    username: String,
}

impl Admin {
    /// What a page needs.
    pub(in crate::web) fn ui(&self, section: Section) -> Ui {
        Ui { username: Some(self.username.clone()), ..self.visit.ui(section) }
    }
}

impl Person for Admin {
    fn ctx(&self) -> &Ctx {
        &self.ctx
    }

    fn visit(&self) -> &Visit {
        &self.visit
    }

    fn ui(&self, section: Section) -> Ui {
        Self::ui(self, section)
    }
}

impl FromRequestParts<Services> for Admin {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, services: &Services) -> Result<Self, Self::Rejection> {
        let visit = Visit::from_request_parts(parts, services).await.map_err(Failure::into_response_now)?;
        let session = match &visit.session_token {
            Some(token) => sign_in::session_of(services, token).await.map_err(|e| Failure(e).into_response_now())?,
            None => None,
        };
        let Some(session) = session else {
            return Err(turned_back(&visit, &parts.method, parts.headers.get("sec-fetch-site")));
        };
        let caller = Caller::Admin { id: session.principal_id, username: session.username.clone(), session: session.id };
        Ok(Self { ctx: visit.ctx(services, caller), visit, session: session.id, username: session.username })
    }
}
