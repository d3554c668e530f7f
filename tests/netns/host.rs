//! A host: a network of its own, and a view of the file system of its own.

use std::{
    fs::File,
    io::{self, BufRead as _, BufReader},
    os::fd::AsFd as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// Namespaces without a name. They are held open by a process that ends with this one, however this one ends, and are gone when
/// nobody is in them any more.
#[derive(Debug)]
pub(crate) struct Host {
    holder: Child,
    net: File,
}

impl Host {
    /// A host with nothing but a loopback device, which is down.
    ///
    /// # Errors
    /// As the system says; for people.
    pub(crate) fn new() -> Result<Host, String> {
        let failed = |error: io::Error| format!("no network namespace could be made: {error}");
        // `cat` reads until we close our end, or are gone. What it prints says that the namespaces are there.
        let mut holder = Command::new("unshare")
            .args(["--net", "--mount", "sh", "-c", "echo here && exec cat"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        let mut line = String::new();
        BufReader::new(holder.stdout.take().expect("it is piped")).read_line(&mut line).map_err(failed)?;
        if line.trim() != "here" {
            let output = holder.wait_with_output().map_err(failed)?;
            return Err(format!("no network namespace could be made: {}", String::from_utf8_lossy(&output.stderr).trim()));
        }
        let net = File::open(format!("/proc/{}/ns/net", holder.id())).map_err(failed)?;
        Ok(Host { holder, net })
    }

    /// The process whose namespaces they are.
    pub(crate) fn process(&self) -> u32 {
        self.holder.id()
    }

    /// The root of its file system as others see it. What is mounted on it is gone with it.
    #[allow(dead_code, reason = "not every test looks into it")]
    pub(crate) fn root(&self) -> PathBuf {
        format!("/proc/{}/root", self.process()).into()
    }

    /// A program on this host. It is killed when the thread that starts it ends.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let namespaces = format!("/proc/{}/ns", self.process());
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "nsenter"]);
        command.arg(format!("--net={namespaces}/net")).arg(format!("--mount={namespaces}/mnt")).arg(program);
        command
    }

    /// Runs lines of shell on this host, until the first that fails.
    ///
    /// # Errors
    /// When one fails; with what was said.
    pub(crate) fn run(&self, script: &str) -> Result<(), String> {
        let output = self.command(Path::new("sh")).args(["-ec", script]).stdin(Stdio::null()).output();
        let output = output.map_err(|error| format!("can't run a shell on a host: {error}"))?;
        let said = String::from_utf8_lossy(&output.stderr);
        if output.status.success() { Ok(()) } else { Err(format!("{}: {}\n{script}", output.status, said.trim())) }
    }

    /// Does something on this host, such as opening a socket, which stays there. It must not wait for anything: meanwhile the whole
    /// thread is there.
    ///
    /// # Errors
    /// As the system or the deed says.
    ///
    /// # Panics
    /// When there is no way back.
    pub(crate) fn within<T>(&self, deed: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        within(&self.net, deed)
    }
}

/// Does something in a network, as on a host. It must not wait for anything.
///
/// # Errors
/// As the system or the deed says.
///
/// # Panics
/// When there is no way back.
pub(crate) fn within<T>(net: &File, deed: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let home = File::open("/proc/thread-self/ns/net")?;
    move_into_link_name_space(net.as_fd(), Some(LinkNameSpaceType::Network))?;
    let done = deed();
    move_into_link_name_space(home.as_fd(), Some(LinkNameSpaceType::Network)).expect("a thread can go back to where it was");
    done
}

impl Drop for Host {
    fn drop(&mut self) {
        // That it has ended already is no error.
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}
