//! The tools of the earlier system, one a row.

use super::answers::Answer;
use super::rows;
use super::{Fixed, Rendering};

const PLAIN: Rendering = Rendering { tool: "", operation: "", title: None, names: &[], fixed: &[], answer: Answer::Done };

/// A tool whose operation has its name and inputs.
const fn same(name: &'static str, answer: Answer) -> Rendering {
    Rendering { tool: name, operation: name, answer, ..PLAIN }
}

/// A tool whose operation has its name, and calls some inputs otherwise.
const fn renamed(name: &'static str, names: &'static [(&'static str, &'static str)], answer: Answer) -> Rendering {
    Rendering { names, ..same(name, answer) }
}

/// A tool that is another operation with some inputs set.
const fn special(
    tool: &'static str,
    operation: &'static str,
    title: &'static str,
    fixed: &'static [(&'static str, Fixed)],
    answer: Answer,
) -> Rendering {
    Rendering { tool, operation, title: Some(title), fixed, answer, ..PLAIN }
}

const MAILBOX: &[(&str, &str)] = &[("mailbox", "address")];

pub(super) const TABLE: &[Rendering] = &[
    same("get_verification_code", Answer::Code),
    same("create_mailbox", Answer::NewMailbox),
    same("create_mailboxes_batch", Answer::Many(rows::BATCH_ITEM)),
    same("list_mailboxes", Answer::Many(rows::MAILBOX)),
    same("get_mailbox", Answer::One(rows::MAILBOX)),
    same("delete_mailbox", Answer::Done),
    same("restore_mailbox", Answer::Done),
    same("list_deleted_mailboxes", Answer::Many(rows::MAILBOX)),
    renamed("list_emails", MAILBOX, Answer::Emails),
    same("get_email", Answer::Email),
    same("list_all_emails", Answer::Emails),
    special("mark_email_as_read", "update_email", "Mark a message as read", &[("is_read", Fixed::Yes)], Answer::Done),
    same("delete_email", Answer::Done),
    same("get_logs", Answer::Many(rows::LOG)),
];
