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

/// Where a mailbox is named by its address.
const MAILBOX: &[(&str, &str)] = &[("mailbox", "address")];
/// Where a binding of a service is named by its id.
const SERVICE: &[(&str, &str)] = &[("serviceId", "id")];
const READ: &[(&str, Fixed)] = &[("is_read", Fixed::Yes), ("is_starred", Fixed::Absent)];
const STAR: &[(&str, Fixed)] = &[("is_read", Fixed::Absent)];
/// The figures of the installation.
const STATS: &[(&str, &str)] = &[
    ("totalUsers", "users"),
    ("totalMailboxes", "mailboxes"),
    ("unassignedMailboxes", "unassigned_mailboxes"),
    ("totalEmails", "messages"),
];

/// A row whose operation is not in the list is no tool.
pub(super) const TABLE: &[Rendering] = &[
    // Codes
    same("get_verification_code", Answer::Code),
    same("search_verification_codes", Answer::Own),
    // Users
    same("create_user", Answer::One(rows::NEW_USER)),
    same("list_users", Answer::Many(rows::USER)),
    same("get_user", Answer::One(rows::USER)),
    same("update_user", Answer::Done),
    same("delete_user", Answer::Done),
    // Mailboxes
    same("create_mailbox", Answer::NewMailbox),
    same("create_mailboxes_batch", Answer::Many(rows::BATCH_ITEM)),
    same("list_mailboxes", Answer::Many(rows::MAILBOX)),
    same("get_mailbox", Answer::One(rows::MAILBOX)),
    same("delete_mailbox", Answer::Done),
    same("restore_mailbox", Answer::Done),
    same("list_deleted_mailboxes", Answer::Many(rows::MAILBOX)),
    same("assign_mailbox_to_user", Answer::Done),
    same("assign_mailboxes_to_user", Answer::Done),
    same("set_mailbox_password", Answer::Password),
    same("get_mailbox_password", Answer::Password),
    same("set_mailbox_shared", Answer::Done),
    same("add_user_to_shared_mailbox", Answer::Done),
    same("remove_user_from_shared_mailbox", Answer::Done),
    same("get_shared_mailbox_users", Answer::Many(rows::MEMBER)),
    // Reading
    renamed("list_emails", MAILBOX, Answer::Emails),
    same("get_email", Answer::Email),
    renamed("get_mailbox_stats", MAILBOX, Answer::Numbers(&[("total", "total"), ("unread", "unread")])),
    same("list_all_emails", Answer::Emails),
    same("search_emails", Answer::Found),
    // Mail actions
    special("mark_email_as_read", "update_email", "Mark a message as read", READ, Answer::Done),
    special("toggle_email_star", "update_email", "Set or take a message's star", STAR, Answer::Done),
    special("list_starred_emails", "list_all_emails", "List starred messages", &[("is_starred", Fixed::Yes)], Answer::Emails),
    same("delete_email", Answer::Done),
    same("delete_old_emails", Answer::Numbers(&[("deletedCount", "deleted_count")])),
    // Services
    same("create_service_template", Answer::One(rows::TEMPLATE)),
    same("list_service_templates", Answer::Many(rows::TEMPLATE)),
    renamed("add_service_to_mailbox", MAILBOX, Answer::One(rows::BINDING)),
    renamed("get_mailbox_services", MAILBOX, Answer::Many(rows::SERVICE)),
    renamed("add_custom_service_to_mailbox", MAILBOX, Answer::One(rows::BINDING)),
    renamed("remove_service_from_mailbox", SERVICE, Answer::Done),
    renamed("update_service_expiration", SERVICE, Answer::Done),
    same("batch_bind_services_to_mailboxes", Answer::Same),
    // Figures
    same("get_stats", Answer::Numbers(STATS)),
    special("count_users", "get_stats", "Count users", &[], Answer::Count("users")),
    special("count_mailboxes", "get_stats", "Count mailboxes", &[], Answer::Count("mailboxes")),
    special("count_emails", "get_stats", "Count messages", &[], Answer::Count("messages")),
    special(
        "count_unassigned_mailboxes",
        "get_stats",
        "Count mailboxes without an owner",
        &[],
        Answer::Count("unassigned_mailboxes"),
    ),
    special("count_deleted_mailboxes", "get_stats", "Count the trash", &[], Answer::Count("trashed_mailboxes")),
    // Audit
    same("get_logs", Answer::Many(rows::LOG)),
];

#[cfg(test)]
mod tests {
    use super::TABLE;

    #[test]
    fn all_tools_of_the_earlier_system_are_in_it_once() {
        let mut names: Vec<_> = TABLE.iter().map(|row| row.tool).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), 47);
        assert_eq!(TABLE.len(), 47);
    }
}
