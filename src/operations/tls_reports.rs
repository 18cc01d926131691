//! What other mail servers are told of encryption on the way here, and what they report of it.

use serde::Serialize;

use crate::config::Config;
use crate::error::{Error, Result};
use crate::mail::tls_report;
use crate::store;
use crate::types::{DomainName, Page, Scope, TlsReport};

use super::listing::listing;
use super::{Ctx, Effect, Method, Operation, Services, Spec};

listing! {
    /// Lists what senders report of encryption on the way here (TLS-RPT), newest first. Anyone can send a report: it is a hint.
    pub struct ListTlsReports {
        /// Only those of this domain.
        pub domain: Option<DomainName>,
        /// Only those that tell of a failure.
        pub only_failures: Option<bool>,
    }
}

impl Operation for ListTlsReports {
    type Output = Page<TlsReport>;
    const SPEC: Spec = Spec {
        name: "list_tls_reports",
        title: "List reports of encryption",
        rest: (Method::Get, "/tls-reports"),
        scope: Scope::MailboxRead,
        effect: Effect::Read,
        audit: None,
    };

    async fn run(self, ctx: &Ctx) -> Result<Page<TlsReport>> {
        let page = self.page();
        let only_failures = self.only_failures.unwrap_or_default();
        let mut db = ctx.services.db.acquire().await?;
        let rows =
            store::tls_reports::list(&mut db, self.domain.as_ref(), only_failures, page.after()?, page.fetch(), page.skip())
                .await?;
        Ok(Page::new(rows, &page, |row| row.id.to_string()))
    }
}

/// The local part at which reports are taken, in every domain that has a mailbox or alias of it.
pub const REPORTS: &str = "tls-reports";

/// Where senders are asked to send reports: by mail, and to this server where it is reached over HTTPS.
pub(super) fn places(config: &Config, domain: &DomainName) -> Vec<String> {
    let mut places = vec![format!("mailto:{REPORTS}@{domain}")];
    if config.public_url.scheme() == "https" {
        places.push(config.link("/tls-reports"));
    }
    places
}

/// What became of a report that was posted.
#[derive(Debug, Serialize)]
pub struct Taken {
    /// How many domains of this server it spoke of, for the first time.
    pub kept: usize,
}

/// Takes a report that a sender posted (RFC 8460 section 5.4). Nobody is asked who he is: what is kept is bounded and shown as a hint.
///
/// `Invalid` where it is no report.
pub async fn take(services: &Services, body: &[u8]) -> Result<Taken> {
    let reports = tls_report::of_body(body);
    if reports.is_empty() {
        return Err(Error::invalid("", "is not a report of RFC 8460, as JSON or packed with gzip"));
    }
    let mut db = services.db.acquire().await?;
    let mut kept = 0;
    for report in &reports {
        kept += usize::from(store::tls_reports::insert(&mut db, report, "https").await?);
    }
    Ok(Taken { kept })
}

/// The policy for senders of a domain (RFC 8461), by the name at which it is asked for: `mta-sts.example.org`.
///
/// `NotFound` where the domain is not ours or has no policy.
pub async fn policy(services: &Services, asked: &str) -> Result<String> {
    let none = || Error::not_found("policy", "There is no policy for senders here.");
    let domain: DomainName =
        asked.to_ascii_lowercase().strip_prefix("mta-sts.").and_then(|name| name.parse().ok()).ok_or_else(none)?;
    let found = store::domains::find(&mut *services.db.acquire().await?, &domain).await?;
    found.and_then(|domain| domain.mta_sts.policy(&services.config.hostname)).ok_or_else(none)
}
