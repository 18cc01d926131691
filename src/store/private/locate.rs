//! Finding PostgreSQL's server programs on this machine.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

/// The first version that knows `recovery_init_sync_method`, and the oldest that is still maintained.
const OLDEST: u32 = 14;

/// A directory with `postgres` and `initdb`, and their major version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Binaries {
    pub(super) dir: PathBuf,
    pub(super) major: u32,
}

/// Finds the programs: those of the cluster's version where there is a cluster, else the newest.
///
/// Fails with a sentence that says what to install.
pub(super) fn find(configured: Option<&Path>, cluster: Option<u32>) -> Result<Binaries> {
    let found = match configured {
        Some(dir) => vec![at_configured(dir)?],
        None => installed(),
    };
    choose(&found, cluster)
}

fn choose(found: &[Binaries], cluster: Option<u32>) -> Result<Binaries> {
    let usable = |b: &&Binaries| b.major >= OLDEST && cluster.is_none_or(|wanted| wanted == b.major);
    if let Some(best) = found.iter().filter(usable).max_by_key(|b| b.major) {
        return Ok(best.clone());
    }
    let here = describe(found);
    match cluster {
        Some(wanted) => bail!(
            "The private database was made by PostgreSQL {wanted}, and only its programs can open it; here there is {here}. \
             Install them (Debian: apt-get install postgresql-{wanted}), or move the data with pg_dump to a PostgreSQL of your own and set PILLARBOX_DATABASE_URL."
        ),
        None => bail!(
            "The private database needs PostgreSQL's server programs, version {OLDEST} or later; here there is {here}. \
             Install them (Debian: apt-get install postgresql), or set PILLARBOX_DATABASE_URL to a PostgreSQL of your own."
        ),
    }
}

fn describe(found: &[Binaries]) -> String {
    let mut text = String::new();
    for b in found {
        let separator = if text.is_empty() { "" } else { ", " };
        // Writing to a string does not fail.
        let _ = write!(text, "{separator}version {} in {}", b.major, b.dir.display());
    }
    if text.is_empty() { "none".into() } else { text }
}

fn at_configured(dir: &Path) -> Result<Binaries> {
    match complete(dir).then(|| version_of(dir)).flatten() {
        Some(major) => Ok(Binaries { dir: dir.to_path_buf(), major }),
        None => bail!(
            "The directory {} set for PostgreSQL's programs does not hold a working `postgres` and `initdb`.",
            dir.display()
        ),
    }
}

/// Beside our own binary, in the distributions' versioned directories, in `PATH`.
fn installed() -> Vec<Binaries> {
    let mut found = Vec::new();
    let own = std::env::current_exe().ok().and_then(|exe| Some(exe.parent()?.join("postgresql/bin")));
    let in_path = std::env::var_os("PATH").unwrap_or_default();
    // A linked `postgres` finds its share directory through its real path, so that is the one to run.
    let in_path =
        std::env::split_paths(&in_path).filter_map(|dir| Some(dir.join("postgres").canonicalize().ok()?.parent()?.to_path_buf()));
    for dir in own.into_iter().chain(versioned()).chain(in_path) {
        if complete(&dir)
            && !found.iter().any(|b: &Binaries| b.dir == dir)
            && let Some(major) = version_of(&dir)
        {
            found.push(Binaries { dir, major });
        }
    }
    found
}

/// `/usr/lib/postgresql/15/bin` (Debian), `/usr/pgsql-15/bin` (PGDG's RPMs), `/usr/libexec/postgresql15` (Alpine).
fn versioned() -> impl Iterator<Item = PathBuf> {
    const PLACES: [(&str, &str, &str); 3] =
        [("/usr/lib/postgresql", "", "bin"), ("/usr", "pgsql-", "bin"), ("/usr/libexec", "postgresql", "")];
    PLACES.into_iter().flat_map(|(parent, prefix, below)| {
        std::fs::read_dir(parent).into_iter().flatten().flatten().filter_map(move |entry| {
            let name = entry.file_name();
            name.to_str()?.strip_prefix(prefix)?.parse::<u32>().ok()?;
            Some(entry.path().join(below))
        })
    })
}

fn complete(dir: &Path) -> bool {
    dir.join("postgres").is_file() && dir.join("initdb").is_file()
}

fn version_of(dir: &Path) -> Option<u32> {
    let out = Command::new(dir.join("postgres")).arg("--version").env("LC_ALL", "C").output().ok()?;
    parse_version(&String::from_utf8_lossy(&out.stdout))
}

/// The major version in `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`.
fn parse_version(text: &str) -> Option<u32> {
    let version = text.split_whitespace().nth(2)?;
    let digits = version.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binaries(majors: &[u32]) -> Vec<Binaries> {
        majors.iter().map(|&major| Binaries { dir: PathBuf::from(format!("/pg/{major}")), major }).collect()
    }

    #[test]
    fn versions_are_read_from_what_the_program_prints() {
        let cases = [
            ("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n", Some(15)),
            ("postgres (PostgreSQL) 18beta1\n", Some(18)),
            ("postgres (PostgreSQL) devel\n", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_version(text), expected, "{text:?}");
        }
    }

    #[test]
    fn the_newest_serves_a_new_cluster_and_the_same_an_old_one() {
        assert_eq!(choose(&binaries(&[14, 17, 15]), None).unwrap().major, 17);
        assert_eq!(choose(&binaries(&[14, 17, 15]), Some(15)).unwrap().major, 15);
    }

    #[test]
    fn what_is_missing_is_said_with_the_package_and_the_way_round() {
        let cases = [
            (binaries(&[]), None, ["here there is none", "apt-get install postgresql)", "PILLARBOX_DATABASE_URL"]),
            (binaries(&[13]), None, ["version 14 or later", "version 13 in /pg/13", "PILLARBOX_DATABASE_URL"]),
            (binaries(&[16]), Some(15), ["made by PostgreSQL 15", "version 16 in /pg/16", "postgresql-15"]),
        ];
        for (found, cluster, parts) in cases {
            let text = choose(&found, cluster).unwrap_err().to_string();
            for part in parts {
                assert!(text.contains(part), "{part:?} is not in {text:?}");
            }
        }
    }
}
