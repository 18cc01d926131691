//! Services that mailboxes are used for.

mod bindings;
mod templates;

use crate::error::{Error, Result};

pub use bindings::{
    AddCustomServiceToMailbox, AddServiceToMailbox, BatchBindServicesToMailboxes, BatchBound, GetMailboxServices,
    ListServiceBindings, RemoveServiceFromMailbox, UpdateServiceExpiration, services_of,
};
pub use templates::{CreateServiceTemplate, DeleteServiceTemplate, ListServiceTemplates, UpdateServiceTemplate};

/// A sign-in page's address: it is shown as a link, so it must be one that is safe to follow.
fn checked_url(field: &'static str, text: &str) -> Result<()> {
    match url::Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.host_str().is_some() => Ok(()),
        Ok(_) | Err(_) => Err(Error::invalid(field, "must be an address that begins with https:// or http://")),
    }
}

fn checked_name(field: &'static str, name: &str) -> Result<()> {
    if name.is_empty() { Err(Error::invalid(field, "is empty; say what people call the service")) } else { Ok(()) }
}
