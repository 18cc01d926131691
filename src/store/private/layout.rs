//! Where the database's files lie below the data directory, and whose they are.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::account::Account;

/// The longest directory for a socket: 107 octets are the limit, less `/.s.PGSQL.5432.lock` with some room.
const LONGEST_SOCKET_DIR: usize = 85;

/// Where the parts of an installation's database lie.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub(super) data_dir: PathBuf,
    /// Mode 0700, owned by the account that PostgreSQL runs as.
    pub(super) home: PathBuf,
}

impl Layout {
    /// Relative directories count from the present working directory.
    pub(super) fn new(data_dir: &Path) -> Result<Self> {
        let data_dir = std::path::absolute(data_dir).context("The data directory has no name")?;
        let home = data_dir.join("postgres");
        Ok(Self { data_dir, home })
    }

    pub(super) fn cluster(&self) -> PathBuf {
        self.home.join("cluster")
    }

    /// The version that made the cluster, if there is one.
    pub(super) fn version(&self) -> Result<Option<u32>> {
        let path = self.cluster().join("PG_VERSION");
        match fs::read_to_string(&path) {
            Ok(text) => {
                let version = text.trim().parse().with_context(|| format!("{} does not hold a version", path.display()))?;
                Ok(Some(version))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("Cannot read {}", path.display())),
        }
    }
}

/// Makes a directory for one account alone, or makes sure that the one there is such.
pub(super) fn make_private_dir(path: &Path, account: Option<&Account>) -> Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => {
            if let Some(account) = account {
                std::os::unix::fs::lchown(path, Some(account.uid), Some(account.gid))?;
            }
            return Ok(());
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error).with_context(|| format!("Cannot make the directory {}", path.display())),
    }
    let found = fs::symlink_metadata(path)?;
    let owner = account.map_or_else(|| rustix::process::geteuid().as_raw(), |account| account.uid);
    if !found.is_dir() || found.uid() != owner {
        bail!("{} is there already and is not a directory of the account that PostgreSQL runs as. Move it away.", path.display());
    }
    if found.permissions().mode() & 0o077 != 0 {
        fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

/// The socket lies beside the cluster, or below the directory for temporary files when that path is too long for one.
pub(super) fn socket_dir(layout: &Layout, account: Option<&Account>) -> Result<PathBuf> {
    if layout.home.as_os_str().len() <= LONGEST_SOCKET_DIR {
        return Ok(layout.home.clone());
    }
    let inode = fs::symlink_metadata(&layout.home)?.ino();
    let dir = std::env::temp_dir().join(format!("pillarbox-{inode}"));
    make_private_dir(&dir, account)?;
    Ok(dir)
}
