//! An agent's process on its host.

use std::{
    cell::Cell,
    env, fs, io,
    net::IpAddr,
    path::{self, Path, PathBuf},
    process::{ExitStatus, Stdio},
    rc::Rc,
};

use tokio::{process::Command, task::AbortHandle};

use crate::netns::host::Host;

/// Where all that an agent needs is on its host: in memory that is gone with the host.
pub(crate) const FOLDER: &str = "/mnt";
/// Its data folder there, and its log.
pub(crate) const DATA: &str = "data";
const LOG: &str = "log";
/// The port that gossip is received at.
pub(crate) const GOSSIP: u16 = 8746;

/// The program that is played with.
fn program() -> PathBuf {
    let other = env::var_os("TIDINGS_BIN").map(|path| path::absolute(path).expect("the working folder is there"));
    other.unwrap_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_tidings")))
}

/// A process that was started. It is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Process {
    pid: u32,
    ended: Rc<Cell<Option<ExitStatus>>>,
    /// Those who wait for it and who follow what it shows.
    pub(crate) tasks: Vec<AbortHandle>,
}

impl Process {
    /// Starts an agent with these flags. `on_end` is called when it has ended.
    pub(crate) fn start(host: &Host, flags: &[String], on_end: impl Fn() + 'static) -> io::Result<Process> {
        let log = fs::File::options().create(true).append(true).open(file(host, LOG))?;
        // What its disk refuses must not end it: without the signal, a write beyond a limit fails.
        let mut command = host.command(Path::new("sh"));
        command.args(["-c", "trap '' XFSZ; exec \"$@\"", "sh"]).arg(program()).arg("agent").args(flags);
        for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("TIDINGS_")) {
            command.env_remove(name);
        }
        command.env("RUST_BACKTRACE", "1").stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let mut child = Command::from(command).kill_on_drop(true).spawn()?;
        let pid = child.id().unwrap_or_default();
        let ended = Rc::new(Cell::new(None));
        let end = Rc::clone(&ended);
        let waiter = tokio::task::spawn_local(async move {
            end.set(child.wait().await.ok());
            on_end();
        });
        Ok(Process { pid, ended, tasks: vec![waiter.abort_handle()] })
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&self) -> Option<ExitStatus> {
        self.ended.get()
    }

    /// Sends a signal, unless it has ended.
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        if let (None, Some(pid)) = (self.ended(), rustix::process::Pid::from_raw(self.pid.cast_signed())) {
            // That it ends just now is no error.
            let _ = rustix::process::kill_process(pid, signal);
        }
    }

    /// From now on no file that it writes to may grow, or all may again.
    pub(crate) fn limit_files(&self, full: bool) -> Result<(), String> {
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
        // The child is with the waiter, and is killed with it.
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

/// A file or a folder of an agent, as it is seen from outside its host.
pub(crate) fn file(host: &Host, name: &str) -> PathBuf {
    host.root().join(FOLDER.trim_start_matches('/')).join(name)
}

/// The same on the host itself.
pub(crate) fn inside(name: &str) -> String {
    format!("{FOLDER}/{name}")
}

/// Where an agent receives gossip.
pub(crate) fn gossip(address: IpAddr) -> String {
    format!("{address}:{GOSSIP}")
}

/// All that the agents of a host have said.
pub(crate) fn log(host: &Host) -> String {
    fs::read(file(host, LOG)).map(|octets| String::from_utf8_lossy(&octets).into_owned()).unwrap_or_default()
}
