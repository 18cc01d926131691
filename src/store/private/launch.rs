//! How PostgreSQL's programs are run: as which account, on which directory, and bound to our own life.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::account::Account;

/// Runs programs as the chosen account.
#[derive(Debug, Clone)]
pub(super) struct Launcher {
    account: Option<Account>,
    setpriv: Option<PathBuf>,
}

impl Launcher {
    pub(super) fn new(account: Option<Account>) -> Self {
        Self { account, setpriv: find_setpriv() }
    }

    /// The other account that programs run as; `None` is our own.
    pub(super) fn account(&self) -> Option<&Account> {
        self.account.as_ref()
    }

    /// A command with a clean environment, which is sent SIGINT when the calling thread ends.
    ///
    /// The kernel ties that signal to the thread that starts the program, so call it from one that stays.
    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = match &self.setpriv {
            Some(setpriv) => self.through_setpriv(setpriv, program),
            None => self.directly(program),
        };
        command.env_clear().env("PATH", "/usr/bin:/bin").env("LC_ALL", "C.UTF-8").env("TZ", "UTC");
        // Its own process group: Ctrl-C must reach us alone, and we stop the database last.
        command.current_dir("/").stdin(Stdio::null()).process_group(0);
        command
    }

    /// `setpriv` changes the account itself, since a later change would undo the tie to our life.
    fn through_setpriv(&self, setpriv: &Path, program: &Path) -> Command {
        let mut command = Command::new(setpriv);
        command.args(["--pdeathsig", "INT"]);
        if let Some(account) = &self.account {
            command.arg(format!("--reuid={}", account.uid)).arg(format!("--regid={}", account.gid)).arg("--clear-groups");
        }
        command.arg("--").arg(program);
        command
    }

    /// Without `setpriv` a PostgreSQL outlives us when we are killed; the next start finds and stops it.
    fn directly(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        if let Some(account) = &self.account {
            // The standard library drops the supplementary groups along with root.
            command.uid(account.uid).gid(account.gid);
        }
        command
    }
}

/// A directory as a program is told of it.
#[derive(Debug)]
pub(super) struct Place {
    name: PathBuf,
    /// Keeps the directory open until the program has inherited it.
    _open: Option<File>,
}

impl Place {
    /// By its path, which the program's account can walk.
    pub(super) fn by_path(dir: &Path) -> Self {
        Self { name: dir.to_path_buf(), _open: None }
    }

    /// By an open file that the program inherits: a way into a directory whose parents (`/root`) bar its account.
    pub(super) fn handed_over(dir: &Path) -> io::Result<Self> {
        let open = File::open(dir)?;
        rustix::io::fcntl_setfd(&open, rustix::io::FdFlags::empty())?;
        Ok(Self { name: PathBuf::from(format!("/proc/self/fd/{}", open.as_raw_fd())), _open: Some(open) })
    }

    /// What to call the directory in the program's arguments.
    pub(super) fn name(&self) -> &Path {
        &self.name
    }
}

/// util-linux's `setpriv`; other makes of it do not know `--pdeathsig`.
fn find_setpriv() -> Option<PathBuf> {
    let found = ["/usr/bin/setpriv", "/bin/setpriv"].into_iter().map(PathBuf::from).find(|path| path.is_file())?;
    let mut probe = Command::new(&found);
    probe.args(["--pdeathsig", "INT", "--", "true"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    probe.status().is_ok_and(|status| status.success()).then_some(found)
}
