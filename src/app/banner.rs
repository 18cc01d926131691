//! What somebody at a terminal sees of a server that nobody set up yet.

use crate::operations::Services;
use crate::operations::first_steps::{DEMO_DOMAIN, DEMO_MAILBOX, samples};

/// Says where the server is and what to do first.
pub(super) fn first_start(services: &Services, setup_link: &str) -> String {
    let program = std::env::args().next().unwrap_or_else(|| "pillarbox".to_owned());
    let mail: String = services.smtp_addresses.iter().map(|address| format!("    Mail    smtp://{address}\n")).collect();
    let tries = samples(services, DEMO_MAILBOX).map(|samples| {
        format!(
            "\n  To try it, add a demonstration domain (the panel has a button for it too):\n\n\
             \x20   {program} domain add {DEMO_DOMAIN} && {program} mailbox create {DEMO_MAILBOX}\n\n\
             \x20 send it a mail:\n\n\x20   {}\n\n\
             \x20 and ask for the code, with a key of `{program} key create --name first`:\n\n\x20   {}\n",
            samples.curl, samples.ask,
        )
    });
    format!(
        "\n  Pillarbox is running.\n\n\
         \x20   Panel   {}\n\
         \x20   Setup   {setup_link}\n\
         \x20           (good once, for 30 minutes; `{program} admin setup-link` makes a new one)\n\
         {mail}{}",
        services.config.link("/"),
        tries.unwrap_or_default(),
    )
}
