//! The account PostgreSQL runs as. It refuses root, so a root process chooses another.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::{Context, Result, bail};

/// An account other than our own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) name: String,
    pub(super) uid: u32,
    pub(super) gid: u32,
}

/// The account for a cluster in `home` below `data_dir`: `None` means our own.
///
/// As root: the owner of what exists, where that is not root, else `postgres`, else `nobody`.
/// Fails as an ordinary user when the cluster belongs to someone else.
pub(super) fn choose(data_dir: &Path, home: &Path) -> Result<Option<Account>> {
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let me = rustix::process::geteuid().as_raw();
    if me != 0 {
        return own(me, home, &users);
    }
    let owner = [home, data_dir].into_iter().filter_map(|path| fs::symlink_metadata(path).ok()).find(|m| m.uid() != 0);
    let owner = owner.map(|m| Account { name: name_of(&users, m.uid()), uid: m.uid(), gid: m.gid() });
    let found = owner.or_else(|| ["postgres", "nobody"].iter().find_map(|name| named(&users, name)));
    found.map(Some).context(
        "PostgreSQL refuses to run as root and there is neither an account `postgres` nor `nobody`. \
         Start Pillarbox as an ordinary user, or set PILLARBOX_DATABASE_URL.",
    )
}

fn own(me: u32, home: &Path, users: &str) -> Result<Option<Account>> {
    match fs::symlink_metadata(home) {
        Ok(found) if found.uid() != me => bail!(
            "The private database in {} belongs to the account {}, but Pillarbox runs as {}. \
             Start it as before (as root, if it was root), or give the directory to this account with chown -R.",
            home.display(),
            name_of(users, found.uid()),
            name_of(users, me),
        ),
        _ => Ok(None),
    }
}

/// Gives a file that root made to the owner of its directory, who may be the one to start next time.
pub(super) fn give_to_owner_of(dir: &Path, file: &File) -> io::Result<()> {
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let owner = fs::symlink_metadata(dir)?;
    std::os::unix::fs::fchown(file, Some(owner.uid()), Some(owner.gid()))
}

/// Whether there is a directory on the way to `path`, itself included, that the account may not enter.
pub(super) fn is_barred_from(path: &Path, account: &Account) -> bool {
    path.ancestors().any(|dir| fs::metadata(dir).is_ok_and(|m| !may_enter(m.mode(), m.uid(), m.gid(), account)))
}

fn may_enter(mode: u32, owner: u32, group: u32, account: &Account) -> bool {
    let bit = if owner == account.uid {
        0o100
    } else if group == account.gid {
        0o010
    } else {
        0o001
    };
    mode & bit != 0
}

fn fields(line: &str) -> Option<(&str, u32, u32)> {
    let mut parts = line.split(':');
    let (name, _password) = (parts.next()?, parts.next()?);
    Some((name, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

fn named(users: &str, wanted: &str) -> Option<Account> {
    users.lines().filter_map(fields).find(|f| f.0 == wanted).map(|(name, uid, gid)| Account { name: name.to_owned(), uid, gid })
}

fn name_of(users: &str, uid: u32) -> String {
    users.lines().filter_map(fields).find(|f| f.1 == uid).map_or_else(|| format!("with uid {uid}"), |f| f.0.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const USERS: &str = "root:x:0:0:root:/root:/bin/bash\nbroken\npostgres:x:101:104::/var/lib/postgresql:/bin/bash\n";

    #[test]
    fn accounts_are_found_by_name_and_number() {
        assert_eq!(named(USERS, "postgres"), Some(Account { name: "postgres".into(), uid: 101, gid: 104 }));
        assert_eq!(named(USERS, "nobody"), None);
        assert_eq!(name_of(USERS, 101), "postgres");
        assert_eq!(name_of(USERS, 7), "with uid 7");
    }

    #[test]
    fn entering_is_judged_by_the_nearest_of_owner_group_and_others() {
        let account = Account { name: "postgres".into(), uid: 101, gid: 104 };
        let cases = [
            (0o700, 0, 0, false),
            (0o711, 0, 0, true),
            (0o700, 101, 104, true),
            (0o710, 0, 104, true),
            // Being the owner, the account is not among the others.
            (0o077, 101, 0, false),
        ];
        for (mode, owner, group, expected) in cases {
            assert_eq!(may_enter(mode, owner, group, &account), expected, "{mode:o} {owner} {group}");
        }
    }
}
