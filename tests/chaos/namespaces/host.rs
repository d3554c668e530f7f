//! A host that is a network namespace, and an agent's process on it.

use std::{
    cell::RefCell,
    env,
    fs::{self, Permissions},
    io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Stdio,
    rc::Rc,
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::{net::TcpSocket, process::Command, task::AbortHandle};

use super::super::{agent, site};
use crate::netns::host::Host;

/// Where all that an agent needs is on its host: in memory that is gone with the host.
const FOLDER: &str = "/mnt";
const LOG: &str = "log";

/// A host on the bridge.
#[derive(Debug)]
pub(super) struct Station(pub(super) Host);

impl Station {
    /// A host with room for files.
    pub(super) fn new() -> Result<Station, String> {
        let host = Host::new()?;
        host.run(&format!("mount -t tmpfs -o size=64m chaos {FOLDER}; mkdir {FOLDER}/data {FOLDER}/etc"))?;
        Ok(Station(host))
    }
}

impl site::Host for Station {
    fn socket(&self) -> io::Result<TcpSocket> {
        self.0.within(TcpSocket::new_v4)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.root().join(FOLDER.trim_start_matches('/')).join(name)
    }

    fn inside(&self, name: &str) -> PathBuf {
        Path::new(FOLDER).join(name)
    }

    fn write(&self, name: &str, text: &str) -> io::Result<()> {
        let file = self.file(name);
        fs::write(&file, text)?;
        fs::set_permissions(file, Permissions::from_mode(0o600))
    }

    fn start(&self, changed: Rc<dyn Fn()>) -> io::Result<Box<dyn site::Process>> {
        let log = fs::File::options().create(true).append(true).open(site::Host::file(self, LOG))?;
        // What its disk refuses must not end it: without the signal, a write beyond a limit fails.
        let mut command = self.0.command(Path::new("sh"));
        command
            .args(["-c", "trap '' XFSZ; exec \"$@\"", "sh"])
            .arg(agent::program())
            .args(["agent", "--config"])
            .arg(self.inside(site::CONFIG));
        for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("TIDINGS_")) {
            command.env_remove(name);
        }
        command.env("RUST_BACKTRACE", "1").stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let mut child = Command::from(command).kill_on_drop(true).spawn()?;
        let pid = child.id().unwrap_or_default();
        let ended = Rc::new(RefCell::new(None));
        let end = Rc::clone(&ended);
        let waiter = tokio::task::spawn_local(async move {
            *end.borrow_mut() = child.wait().await.ok().map(|status| status.to_string());
            changed();
        });
        Ok(Box::new(Process { pid, ended, waiter: waiter.abort_handle() }))
    }

    fn log(&self) -> String {
        fs::read(self.file(LOG)).map(|octets| String::from_utf8_lossy(&octets).into_owned()).unwrap_or_default()
    }
}

#[derive(Debug)]
struct Process {
    pid: u32,
    ended: Rc<RefCell<Option<String>>>,
    /// It has the child, which is killed with it.
    waiter: AbortHandle,
}

impl site::Process for Process {
    fn has_started(&self) -> bool {
        true
    }

    fn id(&self) -> Option<u32> {
        Some(self.pid)
    }

    fn is_dead(&self) -> bool {
        self.ended.borrow().is_some()
    }

    fn ended(&self) -> Option<String> {
        self.ended.borrow().clone()
    }

    fn signal(&self, signal: Signal) {
        if let (None, Some(pid)) = (self.ended(), Pid::from_raw(self.pid.cast_signed())) {
            // That it ends just now is no error.
            let _ = kill_process(pid, signal);
        }
    }

    fn limit_files(&self, full: bool) -> Result<(), String> {
        let limit = if full { "--fsize=1:" } else { "--fsize=unlimited:" };
        let output = std::process::Command::new("prlimit").args(["--pid", &self.pid.to_string(), limit]).output();
        match output {
            Ok(output) if output.status.success() => Ok(()),
            Ok(output) => Err(format!("prlimit: {}", String::from_utf8_lossy(&output.stderr).trim())),
            Err(error) => Err(format!("can't run prlimit: {error}")),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.waiter.abort();
    }
}
