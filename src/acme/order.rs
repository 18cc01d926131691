//! One order: account, proofs, key and certificate.

use anyhow::{Context as _, bail};
use instant_acme::{
    Account, AccountBuilder, AccountCredentials, AuthorizationStatus, ChallengeType, Identifier, NewAccount, NewOrder, Order,
    OrderStatus, RetryPolicy,
};
use rcgen::{CertificateParams, DistinguishedName, KeyPair};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use sqlx::PgPool;
use uuid::Uuid;

use crate::config;
use crate::crypto::Sealer;
use crate::error::Result;
use crate::store::certificates::{self, Authority, Issued};
use crate::tls::Facts;

/// How long an authority may take to fetch the proofs, and then to sign.
const PATIENCE: std::time::Duration = std::time::Duration::from_mins(2);

/// What an order needs.
pub(super) struct Ordering<'a> {
    pub(super) settings: &'a config::Acme,
    pub(super) db: &'a PgPool,
    pub(super) sealer: &'a Sealer,
}

impl Ordering<'_> {
    /// Gets a certificate for these names, with a new key. The error says in a sentence what went wrong.
    pub(super) async fn run(&self, authority: &Authority, names: Vec<String>) -> Result<Issued> {
        let account = self.account(authority).await?;
        let identifiers: Vec<Identifier> = names.iter().cloned().map(Identifier::Dns).collect();
        let mut order = account
            .new_order(&NewOrder::new(&identifiers))
            .await
            .with_context(|| format!("the authority takes no order for {}", names.join(", ")))?;
        self.prove(&mut order).await?;
        let retries = RetryPolicy::new().timeout(PATIENCE);
        let status = order.poll_ready(&retries).await.context("the authority did not finish checking in time")?;
        if status != OrderStatus::Ready && status != OrderStatus::Valid {
            return Err(refusal(&mut order).await.into());
        }
        let key = KeyPair::generate().context("a key could not be made")?;
        let mut params = CertificateParams::new(names.clone()).context("the names cannot stand in a certificate")?;
        params.distinguished_name = DistinguishedName::new();
        let request = params.serialize_request(&key).context("the request for the certificate could not be written")?;
        order.finalize_csr(request.der()).await.context("the authority does not sign")?;
        let chain_pem = order.poll_certificate(&retries).await.context("the authority gave no certificate")?;
        self.issued(names, chain_pem, &key.serialize_pem())
    }

    fn issued(&self, names: Vec<String>, chain_pem: String, key_pem: &str) -> Result<Issued> {
        let first = CertificateDer::from_pem_slice(chain_pem.as_bytes()).context("the authority's certificate cannot be read")?;
        let facts = Facts::of_certificate(&first)?;
        let id = Uuid::now_v7();
        let sealed_key = self.sealer.seal("acme_certificate", &id.to_string(), key_pem)?;
        Ok(Issued { id, names, chain_pem, sealed_key, not_before: facts.not_before, not_after: facts.not_after })
    }

    /// The account that there is with the authority, or a new one.
    async fn account(&self, authority: &Authority) -> anyhow::Result<Account> {
        let directory = self.settings.directory.as_str();
        if let Some(sealed) = &authority.sealed_account {
            let opened = self.sealer.open("acme_account", directory, sealed)?;
            let credentials: AccountCredentials = serde_json::from_str(&opened).context("the account cannot be read")?;
            return self.client()?.from_credentials(credentials).await.context("the authority cannot be reached");
        }
        let contact = self.settings.contact.as_ref().map(|address| format!("mailto:{address}"));
        let contact: Vec<&str> = contact.iter().map(String::as_str).collect();
        let new = NewAccount { contact: &contact, terms_of_service_agreed: true, only_return_existing: false };
        let (account, credentials) = self
            .client()?
            .create(&new, directory.to_owned(), None)
            .await
            .with_context(|| format!("there could be no account made with {directory}"))?;
        let sealed = self.sealer.seal("acme_account", directory, &serde_json::to_string(&credentials)?)?;
        certificates::keep_account(&mut *self.db.acquire().await?, directory, &sealed).await?;
        Ok(account)
    }

    fn client(&self) -> anyhow::Result<AccountBuilder> {
        match &self.settings.ca_file {
            Some(file) => Account::builder_with_root(file)
                .with_context(|| format!("PILLARBOX_ACME_CA_FILE {} cannot be used", file.display())),
            None => Account::builder().context("no authority can be spoken to: the system's root certificates cannot be read"),
        }
    }

    /// Puts up the proof for each name, then says that it is there.
    async fn prove(&self, order: &mut Order) -> anyhow::Result<()> {
        let mut authorizations = order.authorizations();
        while let Some(authorization) = authorizations.next().await {
            let mut authorization = authorization.context("the authority does not say what it wants to check")?;
            match authorization.status {
                AuthorizationStatus::Valid => continue,
                AuthorizationStatus::Pending => {}
                status => bail!("the authority has given up {}: {status:?}", authorization.identifier()),
            }
            let name = authorization.identifier().to_string();
            let Some(mut challenge) = authorization.challenge(ChallengeType::Http01) else {
                bail!("the authority offers no check over HTTP for {name}");
            };
            let proof = challenge.key_authorization();
            certificates::put_challenge(&mut *self.db.acquire().await?, &challenge.token, proof.as_str()).await?;
            challenge.set_ready().await.with_context(|| format!("the authority does not begin to check {name}"))?;
        }
        Ok(())
    }
}

/// Why the authority did not find the proofs, in its own words.
async fn refusal(order: &mut Order) -> anyhow::Error {
    let mut reasons = Vec::new();
    let mut authorizations = order.authorizations();
    while let Some(Ok(mut authorization)) = authorizations.next().await {
        // What was read before the check says nothing of it.
        let _ = authorization.refresh().await;
        let name = authorization.identifier().to_string();
        let failed = authorization.challenges.iter().find_map(|challenge| challenge.error.as_ref());
        if let Some(problem) = failed {
            reasons.push(format!("{name}: {problem}"));
        }
    }
    if reasons.is_empty() {
        reasons.push("it gives no reason".to_owned());
    }
    anyhow::anyhow!(
        "the authority could not check that this server has the names ({}); it must reach this server's HTTP listener at port 80 of each",
        reasons.join("; ")
    )
}
