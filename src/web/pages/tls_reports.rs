//! What senders report of encryption on the way here, over all domains.

use askama::Template;
use axum::extract::Query;
use serde::Deserialize;

use crate::error::Error;
use crate::operations::tls_reports::ListTlsReports;
use crate::types::TlsReport;
use crate::web::admin::Admin;
use crate::web::pages::domains;
use crate::web::pages::mailboxes::cursor;
use crate::web::render;
use crate::web::render::Answer;
use crate::web::ui::Section;
use crate::web::ui::Ui;
use crate::web::ui::encode;

const HERE: &str = "/admin/tls-reports";

/// What the list shows.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct Filter {
    domain: String,
    /// `yes`, or all.
    failures: String,
    cursor: String,
}

#[derive(Debug, Template)]
#[template(path = "tls_reports.html")]
struct ReportsPage {
    ui: Ui,
    filter: Filter,
    domains: Vec<String>,
    reports: Vec<TlsReport>,
    next: Option<String>,
}

/// `GET /admin/tls-reports`.
pub(in crate::web) async fn list(admin: Admin, Query(filter): Query<Filter>) -> Answer {
    let domain = match filter.domain.as_str() {
        "" => None,
        name => Some(name.parse().map_err(|reason| Error::invalid("domain", format!("{reason}")))?),
    };
    let only_failures = (filter.failures == "yes").then_some(true);
    let list = ListTlsReports { domain, only_failures, cursor: cursor(&filter.cursor)?, ..ListTlsReports::default() };
    let page = admin.ctx.call(list).await?;
    let (domain, failures) = (encode(&filter.domain), encode(&filter.failures));
    let next =
        page.next_cursor.map(|next| format!("{HERE}?domain={domain}&failures={failures}&cursor={}", encode(String::from(next))));
    let domains = domains::all(&admin).await?.into_iter().map(|domain| domain.name.to_string()).collect();
    render::page(&ReportsPage { ui: admin.ui(Section::Domains), filter, domains, reports: page.items, next })
}
