//! Certificates of an authority, over ACME (RFC 8555): ordered where there is none that fits, renewed in time, shared by all nodes.
//!
//! One node at a time orders; the certificate goes into the database with its key sealed, and every node presents it within a
//! minute. The authority fetches a proof from this server's HTTP listener (HTTP-01, RFC 8555 section 8.3).

mod order;

use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::config;
use crate::crypto::Sealer;
use crate::error::{Error, Result};
use crate::store::certificates::{self, Authority, Issued};
use crate::tls::Certificate;
use crate::types::Timestamp;

/// How often the database is looked at.
const LOOK_EVERY: Duration = Duration::from_mins(1);
/// The pause after a first failure; it doubles with each more.
const FIRST_PAUSE_SECONDS: u32 = 60;
/// The longest pause: authorities limit how often one may fail.
const LONGEST_PAUSE_SECONDS: u32 = 43_200;

/// Keeps the certificate good.
pub struct Acme {
    settings: config::Acme,
    hostname: String,
    db: PgPool,
    sealer: Arc<Sealer>,
    certificate: Arc<Certificate>,
    /// The one that is presented.
    present: Option<Uuid>,
}

impl Acme {
    /// Keeps `certificate` good by these settings; `hostname` is the name that it must have.
    pub fn new(settings: config::Acme, hostname: String, db: PgPool, sealer: Arc<Sealer>, certificate: Arc<Certificate>) -> Self {
        Self { settings, hostname, db, sealer, certificate, present: None }
    }

    /// Presents what is there, and orders what is missing, until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        loop {
            if let Err(error) = self.look(&stop).await {
                tracing::warn!(%error, "the certificates in the database could not be looked at");
            }
            if tokio::time::timeout(LOOK_EVERY, stop.cancelled()).await.is_ok() {
                return;
            }
        }
    }

    async fn look(&mut self, stop: &CancellationToken) -> Result<()> {
        let names = self.names().await?;
        let newest = certificates::newest(&mut *self.db.acquire().await?).await?;
        if let Some(newest) = &newest {
            self.present(newest);
        }
        if newest.is_some_and(|newest| is_good(&newest, &names)) {
            return Ok(());
        }
        let claimed = certificates::claim(&mut *self.db.acquire().await?, self.settings.directory.as_str()).await?;
        let Some(authority) = claimed else { return Ok(()) };
        let ordered = tokio::select! {
            ordered = self.order(&authority, names) => ordered,
            () = stop.cancelled() => Err(Error::Unavailable { detail: "The server stopped.".into() }),
        };
        self.end(&authority, ordered).await
    }

    /// The names that the certificate must have: the server's, those of the settings, and those at which policies are fetched.
    async fn names(&self) -> Result<Vec<String>> {
        let domains = certificates::domains_with_policy(&mut *self.db.acquire().await?).await?;
        let mut names = vec![self.hostname.clone()];
        names.extend(self.settings.names.iter().cloned());
        names.extend(domains.iter().map(|domain| format!("mta-sts.{domain}")));
        let mut seen = std::collections::HashSet::new();
        names.retain(|name| seen.insert(name.clone()));
        Ok(names)
    }

    /// Presents a certificate of the database, once.
    fn present(&mut self, issued: &Issued) {
        if self.present == Some(issued.id) {
            return;
        }
        let opened = self.sealer.open("acme_certificate", &issued.id.to_string(), &issued.sealed_key);
        match opened.and_then(|key| self.certificate.replace(&issued.chain_pem, &key)) {
            Ok(()) => {
                tracing::info!(names = issued.names.join(","), not_after = %issued.not_after, "a certificate is presented");
                self.present = Some(issued.id);
            }
            Err(error) => tracing::error!("the certificate in the database cannot be used: {error:#}"),
        }
    }

    async fn order(&self, authority: &Authority, names: Vec<String>) -> Result<Issued> {
        let ordered = order::Ordering { settings: &self.settings, db: &self.db, sealer: &self.sealer };
        ordered.run(authority, names).await
    }

    async fn end(&mut self, authority: &Authority, ordered: Result<Issued>) -> Result<()> {
        let directory = self.settings.directory.as_str();
        let mut db = self.db.acquire().await?;
        match ordered {
            Ok(issued) => {
                certificates::insert(&mut db, &issued).await?;
                certificates::release(&mut db, directory, None).await?;
                drop(db);
                self.present(&issued);
                Ok(())
            }
            Err(error) => {
                let pause = pause(authority.failures_in_a_row);
                let text: String = format!("{error:#}").chars().take(1000).collect();
                tracing::error!(directory, "no certificate could be got, trying again in {pause} s: {text}");
                certificates::release(&mut db, directory, Some((&text, pause.into()))).await
            }
        }
    }
}

/// Whether a certificate has these names and most of its time: it is renewed when a third is left.
fn is_good(issued: &Issued, names: &[String]) -> bool {
    let (from, to) = (issued.not_before.unix(), issued.not_after.unix());
    let renew_at = to - (to - from) / 3;
    Timestamp::now().unix() < renew_at && names.iter().all(|name| issued.names.contains(name))
}

/// In seconds.
fn pause(failures: i32) -> u32 {
    // Ten doublings are beyond the longest.
    let doublings = failures.clamp(0, 10).unsigned_abs();
    (FIRST_PAUSE_SECONDS << doublings).min(LONGEST_PAUSE_SECONDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end_somewhere() {
        let pauses: Vec<u32> = [0, 1, 2, 9, 10, 1000].into_iter().map(pause).collect();
        assert_eq!(pauses, [60, 120, 240, 30_720, 43_200, 43_200]);
    }

    #[test]
    fn a_certificate_is_renewed_in_its_last_third_or_for_another_name() {
        let now = Timestamp::now().unix();
        let issued = |from: i64, to: i64| Issued {
            id: Uuid::nil(),
            names: vec!["mx.example.org".to_owned()],
            chain_pem: String::new(),
            sealed_key: Vec::new(),
            not_before: Timestamp::from_unix(now + from).expect("a time"),
            not_after: Timestamp::from_unix(now + to).expect("a time"),
        };
        let names = |names: &[&str]| -> Vec<String> { names.iter().map(|&name| name.to_owned()).collect() };
        assert!(is_good(&issued(-30, 70), &names(&["mx.example.org"])));
        assert!(!is_good(&issued(-70, 30), &names(&["mx.example.org"])));
        assert!(!is_good(&issued(-30, 70), &names(&["mx.example.org", "mta-sts.example.org"])));
    }
}
