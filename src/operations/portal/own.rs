//! What users may do with mailboxes of their own, beyond their scopes.

use crate::error::{Error, Result};
use crate::operations::context::within;
use crate::operations::mailboxes::{DeleteMailbox, GetMailbox};
use crate::operations::{Caller, Ctx, Operation as _};
use crate::types::{Address, Mailbox};

/// Puts a mailbox that the calling user owns into the trash; an administrator can restore it. A shared one stays: it is not one
/// member's to give away.
pub async fn trash_own_mailbox(ctx: &Ctx, address: Address) -> Result<()> {
    let mailbox = ctx.call_within(GetMailbox { address: address.clone() }).await?;
    if !is_own(&ctx.caller, &mailbox) {
        return Err(Error::conflict("mailbox_not_own", format!("The mailbox {address} is not yours alone.")));
    }
    let operation = DeleteMailbox { address };
    within(operation.time_limit(), operation.run(ctx)).await.map(drop)
}

/// Whether a mailbox belongs to the calling user alone.
pub fn is_own(caller: &Caller, mailbox: &Mailbox) -> bool {
    matches!(caller, Caller::User { id, .. } if mailbox.user_id == Some(*id) && !mailbox.is_shared)
}
