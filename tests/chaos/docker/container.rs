//! A container as a host, and the agent that is all that runs in it.

use std::{
    cell::{Cell, RefCell},
    fs::{self, File, Permissions},
    io,
    net::Ipv4Addr,
    os::unix::fs::{PermissionsExt as _, chown},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    rc::Rc,
    time::Duration,
};

use axum::http::Method;
use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::{
    net::TcpSocket,
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    task::AbortHandle,
    time::timeout,
};

use super::{
    super::site::{self, Host},
    compose, engine,
};
use crate::netns::host::within;

/// The user of the image.
pub(super) const USER: u32 = 65532;
/// How long a container that can't be told something any more may take until it has ended.
const GRACE: Duration = Duration::from_secs(2);

/// A container that was made, and is started and ends many a time.
#[derive(Debug)]
pub(super) struct Container(Rc<Inner>);

#[derive(Debug)]
struct Inner {
    name: String,
    network: String,
    folder: PathBuf,
    /// The address that it is to have when it starts, and the one that the engine knows of.
    address: Cell<Ipv4Addr>,
    connected: Cell<Ipv4Addr>,
    is_unplugged: Cell<bool>,
    rate: Cell<Option<u64>>,
    /// The first process in it, and its network, while it runs.
    pid: Cell<Option<u32>>,
    net: RefCell<Option<File>>,
}

impl Container {
    /// One that docker-compose has made with this address.
    pub(super) fn new(name: String, network: String, folder: PathBuf, address: Ipv4Addr) -> Container {
        let (address, connected) = (Cell::new(address), Cell::new(address));
        let inner = Inner {
            name,
            network,
            folder,
            address,
            connected,
            is_unplugged: Cell::default(),
            rate: Cell::default(),
            pid: Cell::default(),
            net: RefCell::default(),
        };
        Container(Rc::new(inner))
    }

    /// It has this address from its next start on.
    pub(super) fn move_to(&self, address: Ipv4Addr) {
        self.0.address.set(address);
    }

    pub(super) fn unplug(&self, out: bool) -> Result<(), String> {
        self.0.is_unplugged.set(out);
        self.0.plug()
    }

    pub(super) fn set_rate(&self, octets: Option<u64>) -> Result<(), String> {
        let before = self.0.rate.replace(octets);
        if before.is_some() || octets.is_some() { self.0.limit() } else { Ok(()) }
    }
}

impl Host for Container {
    fn socket(&self) -> io::Result<TcpSocket> {
        let net = self.0.net.borrow();
        let net = net.as_ref().ok_or_else(|| io::Error::new(io::ErrorKind::NotConnected, "the container does not run"))?;
        within(net, TcpSocket::new_v4)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.folder.join(name)
    }

    fn inside(&self, name: &str) -> PathBuf {
        match name.strip_prefix("etc/") {
            Some(file) => Path::new(compose::ETC).join(file),
            None => PathBuf::from(compose::DATA),
        }
    }

    fn write(&self, name: &str, text: &str) -> io::Result<()> {
        let file = self.file(name);
        fs::write(&file, text)?;
        fs::set_permissions(&file, Permissions::from_mode(0o600))?;
        chown(file, Some(USER), Some(USER))
    }

    fn start(&self, changed: Rc<dyn Fn()>) -> io::Result<Box<dyn site::Process>> {
        let (signals, told) = unbounded_channel();
        let state = Rc::new(State::default());
        let (inner, its) = (Rc::clone(&self.0), Rc::clone(&state));
        let task = tokio::task::spawn_local(async move {
            let end = inner.live(&its, told, &*changed).await;
            inner.pid.set(None);
            inner.net.replace(None);
            its.has_started.set(true);
            its.ended.replace(Some(end.unwrap_or_else(|why| why)));
            changed();
        });
        Ok(Box::new(Process { state, signals, task: task.abort_handle() }))
    }

    fn log(&self) -> String {
        let output = Command::new("docker").args(["logs", "--tail", "1000", &self.0.name]).output();
        output.map(|output| String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()).unwrap_or_default()
    }
}

impl Inner {
    /// From its start to its end. Tells how it ended.
    async fn live(&self, state: &State, mut signals: UnboundedReceiver<Signal>, changed: &dyn Fn()) -> Result<String, String> {
        self.connect().await?;
        self.tell("start").await?;
        let shown = engine::ask(Method::GET, &format!("/containers/{}/json", self.name), None).await?;
        if let Some(pid) = shown["State"]["Pid"].as_u64().filter(|pid| *pid != 0) {
            self.enter(pid as u32)?;
        }
        state.has_started.set(true);
        changed();
        let path = format!("/containers/{}/wait", self.name);
        let mut end = std::pin::pin!(engine::ask(Method::POST, &path, None));
        let code = loop {
            let signal = tokio::select! {
                code = &mut end => break code?,
                Some(signal) = signals.recv() => signal,
            };
            if let Err(why) = self.signal(signal).await {
                // It may have ended just before.
                break timeout(GRACE, &mut end).await.map_err(|_| why)??;
            }
        };
        Ok(format!("exit code {}", code["StatusCode"]))
    }

    /// Has the engine know its address.
    async fn connect(&self) -> Result<(), String> {
        let (before, now) = (self.connected.get(), self.address.get());
        if before == now {
            return Ok(());
        }
        let network = |deed: &str, body: Value| {
            let path = format!("/networks/{}/{deed}", self.network);
            async move { engine::ask(Method::POST, &path, Some(body)).await }
        };
        network("disconnect", json!({"Container": self.name, "Force": true})).await?;
        network("connect", json!({"Container": self.name, "EndpointConfig": {"IPAMConfig": {"IPv4Address": now}}})).await?;
        self.connected.set(now);
        Ok(())
    }

    /// Finds the network that it has since it was started.
    fn enter(&self, pid: u32) -> Result<(), String> {
        // Whoever ended at once has none, and the engine knows how it ended.
        let Ok(net) = File::open(format!("/proc/{pid}/ns/net")) else { return Ok(()) };
        self.pid.set(Some(pid));
        self.net.replace(Some(net));
        if self.rate.get().is_some() {
            self.limit()?;
        }
        if self.is_unplugged.get() { self.plug() } else { Ok(()) }
    }

    /// Sets the port of the bridge that it is at.
    fn plug(&self) -> Result<(), String> {
        let Some(device) = self.pid.get().and_then(port) else { return Ok(()) };
        // As bridge(8) counts them: disabled, and forwarding.
        let state = if self.is_unplugged.get() { "0" } else { "3" };
        run(Command::new("bridge").args(["link", "set", "dev", &device, "state", state]))
    }

    fn limit(&self) -> Result<(), String> {
        let Some(pid) = self.pid.get() else { return Ok(()) };
        let mut tc = Command::new("nsenter");
        tc.arg(format!("--net=/proc/{pid}/ns/net")).args(["tc", "qdisc"]);
        match self.rate.get() {
            Some(octets) => run(tc
                .args(["replace", "dev", "eth0", "root", "tbf", "rate"])
                .arg(format!("{}bit", octets * 8))
                .args(["burst", "8k", "latency", "200ms"])),
            None => run(tc.args(["delete", "dev", "eth0", "root"])),
        }
    }

    async fn signal(&self, signal: Signal) -> Result<(), String> {
        match signal {
            Signal::STOP => self.tell("pause").await,
            Signal::CONT => self.tell("unpause").await,
            Signal::HUP => self.tell("kill?signal=HUP").await,
            Signal::TERM => {
                // The engine waits until it has ended, and kills it after ten seconds.
                let path = format!("/containers/{}/stop", self.name);
                tokio::task::spawn_local(async move { engine::ask(Method::POST, &path, None).await });
                Ok(())
            }
            _ => self.tell("kill").await,
        }
    }

    async fn tell(&self, deed: &str) -> Result<(), String> {
        engine::ask(Method::POST, &format!("/containers/{}/{deed}", self.name), None).await.map(drop)
    }
}

/// The port of a bridge that a container is at, as it is called on this machine.
fn port(pid: u32) -> Option<String> {
    let other_end = fs::read_to_string(format!("/proc/{pid}/root/sys/class/net/eth0/iflink")).ok()?;
    let devices = fs::read_dir("/sys/class/net").ok()?.flatten();
    let is_it = |device: &fs::DirEntry| fs::read_to_string(device.path().join("ifindex")).is_ok_and(|index| index == other_end);
    { devices }.find(is_it).map(|device| device.file_name().to_string_lossy().into_owned())
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("can't run {command:?}: {error}"))?;
    if output.status.success() { Ok(()) } else { Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr).trim())) }
}

/// How far an agent has come.
#[derive(Debug, Default)]
struct State {
    has_started: Cell<bool>,
    ended: RefCell<Option<String>>,
}

#[derive(Debug)]
struct Process {
    state: Rc<State>,
    /// They are done one after the other, once it has started.
    signals: UnboundedSender<Signal>,
    task: AbortHandle,
}

impl site::Process for Process {
    fn has_started(&self) -> bool {
        self.state.has_started.get()
    }

    fn ended(&self) -> Option<String> {
        self.state.ended.borrow().clone()
    }

    fn signal(&self, signal: Signal) {
        // That it ends just now is no error.
        let _ = self.signals.send(signal);
    }

    fn limit_files(&self, _full: bool) -> Result<(), String> {
        Err("a container's agent would end by it".to_owned())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.task.abort();
    }
}
