//! The portal: pages for those who read mail without being administrators. Users come by their token, others by the password of
//! a mailbox or by an access link; each sees their own mailboxes, and nothing else is there.
//!
//! Lists and messages are the pages of the panel ([`crate::web::person`]); here is what only the portal has.

mod about;
mod enter;
mod holder;
mod mailboxes;
mod sign_in;

use axum::Router;
use axum::routing::get;
use axum::routing::post;

use crate::operations::Services;
use crate::web::nowhere;
use crate::web::pages as p;

pub(in crate::web) use holder::Holder;
#[cfg(test)]
pub(in crate::web) use holder::OF_ONE;
#[cfg(test)]
pub(in crate::web) use holder::OF_USERS;

/// All pages of the portal, and `/`, where links lead that sign in.
pub(in crate::web) fn router() -> Router<Services> {
    Router::new()
        .route("/", get(enter::start))
        .route("/portal/login", get(sign_in::show).post(sign_in::sign_in))
        .route("/portal/logout", post(sign_in::sign_out))
        .route("/portal/preferences", post(p::preferences::set))
        .route("/portal", get(mailboxes::list))
        .route("/portal/live", get(p::live::stream_within))
        .route("/portal/mailboxes/{address}", get(p::messages::list_in::<Holder>))
        .route("/portal/mailboxes/{address}/about", get(about::show))
        .route("/portal/mailboxes/{address}/password", post(about::reveal))
        .route("/portal/mailboxes/{address}/trash", post(about::trash))
        .route("/portal/messages", get(p::messages::list_all::<Holder>))
        .route("/portal/messages/{id}", get(p::messages::show::<Holder>))
        .route("/portal/messages/{id}/html", get(p::message_parts::html::<Holder>))
        .route("/portal/messages/{id}/raw", get(p::message_parts::raw::<Holder>))
        .route("/portal/messages/{id}/attachments/{index}", get(p::message_parts::attachment::<Holder>))
        .route("/portal/messages/{id}/delete", post(p::messages::delete::<Holder>))
        .route("/portal/messages/{id}/{mark}", post(p::messages::mark::<Holder>))
        .route("/portal/{*rest}", get(nowhere).post(nowhere))
}
