//! What somebody who has just started the server does first: lines to paste, and a demonstration domain to try them on.

use std::net::{Ipv4Addr, SocketAddr};

use crate::error::{Error, Result};
use crate::types::Address;

use super::domains::CreateDomain;
use super::mailboxes::{CreateMailbox, CreatedMailbox};
use super::{Ctx, Services};

/// A domain that nobody owns (RFC 2606), so that trying things out claims nothing.
pub const DEMO_DOMAIN: &str = "inbox.example";
/// The mailbox of the demonstration.
pub const DEMO_MAILBOX: &str = "hello@inbox.example";
/// The code in the sample mail.
pub const SAMPLE_CODE: &str = "482913";

/// Lines to paste into a shell.
#[derive(Debug, Clone)]
pub struct Samples {
    /// Sends a mail with a code, with `curl`.
    pub curl: String,
    /// The same with `swaks`.
    pub swaks: String,
    /// Asks for the code; `KEY` stands for an API key.
    pub ask: String,
}

/// The lines for an address. `None` where this process does not accept mail.
pub fn samples(services: &Services, mailbox: &str) -> Option<Samples> {
    let smtp = reachable(*services.smtp_addresses.first()?);
    let server = services.config.link("/api/v1/admin/verification-code");
    Some(Samples {
        curl: format!(
            "printf 'From: sample@service.example\\r\\nTo: {mailbox}\\r\\nSubject: Your code\\r\\n\\r\\n\
             Your verification code is {SAMPLE_CODE}.\\r\\n' | curl -sS smtp://{smtp} --mail-from sample@service.example \
             --mail-rcpt {mailbox} --upload-file -"
        ),
        swaks: format!(
            "swaks --server {smtp} --from sample@service.example --to {mailbox} --header 'Subject: Your code' \
             --body 'Your verification code is {SAMPLE_CODE}.'"
        ),
        ask: format!("curl -sS -H 'Authorization: Bearer KEY' '{server}?mailbox={mailbox}'"),
    })
}

/// Nobody can send to the wildcard address; this machine is at loopback.
fn reachable(address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() { SocketAddr::from((Ipv4Addr::LOCALHOST, address.port())) } else { address }
}

/// Makes the demonstration's domain and mailbox, as somebody asked for them. A domain that is there already is kept as it is.
pub async fn make_demo(ctx: &Ctx) -> Result<CreatedMailbox> {
    let name = DEMO_DOMAIN.parse().map_err(|cause| Error::Internal(anyhow::Error::new(cause)))?;
    match ctx.call(CreateDomain::plain(name)).await {
        Ok(_) | Err(Error::Conflict { code: "domain_exists", .. }) => {}
        Err(error) => return Err(error),
    }
    let address: Address = DEMO_MAILBOX.parse().map_err(|cause| Error::Internal(anyhow::Error::new(cause)))?;
    ctx.call(CreateMailbox { address: Some(address), note: crate::types::Text::default(), expires_at: None }).await
}
