//! A container as a host, and the agent that is all that runs in it.

use std::{
    cell::{Cell, RefCell},
    fs::{self, File, Permissions},
    io,
    net::Ipv4Addr,
    os::unix::fs::{PermissionsExt as _, chown},
    path::{Path, PathBuf},
    pin::pin,
    process::Command,
    rc::Rc,
    time::Duration,
};

use axum::http::Method;
use rustix::process::{Pid, Signal, test_kill_process};
use serde_json::{Value, json};
use tokio::{
    net::TcpSocket,
    sync::{
        Mutex,
        mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    },
    time::{sleep, timeout},
};

use super::{
    super::site::{self, Host},
    cable, compose, engine,
};
use crate::netns::host::within;

/// The user of the image.
pub(super) const USER: u32 = 65532;
/// Until it is looked again whether a process that was told to end is gone.
const LOOK: Duration = Duration::from_millis(2);
/// How long the one that had an address before may take to be put away.
const HANDOVER: Duration = Duration::from_secs(30);
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
    /// It is started again only when the engine has put it away.
    turn: Mutex<()>,
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
            turn: Mutex::default(),
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
        // It goes on when nobody asks any more, until the engine has put the container away.
        tokio::task::spawn_local(async move {
            let _turn = inner.turn.lock().await;
            let end = inner.live(&its, told, &*changed).await;
            inner.leave();
            its.has_started.set(true);
            its.ended.replace(Some(end.unwrap_or_else(|why| why)));
            changed();
        });
        Ok(Box::new(Process { state, signals }))
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
        self.start().await?;
        let shown = engine::ask(Method::GET, &format!("/containers/{}/json", self.name), None).await?;
        // Whoever ended at once has none, and the engine knows how it ended.
        let pid = Pid::from_raw(shown["State"]["Pid"].as_u64().unwrap_or_default() as i32);
        if let Some(pid) = pid {
            self.enter(pid.as_raw_nonzero().get().cast_unsigned())?;
        }
        state.has_started.set(true);
        changed();
        let path = format!("/containers/{}/wait", self.name);
        let mut end = pin!(engine::ask(Method::POST, &path, None));
        let mut is_ending = false;
        let code = loop {
            let signal = tokio::select! {
                code = &mut end => break code?,
                () = sleep(LOOK), if is_ending => {
                    // The engine tells of it when it has put all away, a tenth of a second later or more.
                    if pid.is_none_or(|pid| test_kill_process(pid).is_err()) {
                        is_ending = false;
                        state.is_dead.set(true);
                        self.leave();
                        changed();
                    }
                    continue;
                }
                Some(signal) = signals.recv() => signal,
            };
            is_ending |= matches!(signal, Signal::TERM | Signal::KILL);
            if let Err(why) = self.signal(signal).await {
                // It may have ended just before.
                break timeout(GRACE, &mut end).await.map_err(|_| why)??;
            }
        };
        Ok(format!("exit code {}", code["StatusCode"]))
    }

    /// Whoever had its address before may not have been put away yet: then the engine refuses.
    async fn start(&self) -> Result<(), String> {
        let start = async {
            loop {
                match self.tell("start").await {
                    Err(why) if why.contains("Address already in use") => sleep(LOOK).await,
                    done => return done,
                }
            }
        };
        timeout(HANDOVER, start).await.unwrap_or_else(|_| Err(format!("the address {} is in use", self.address.get())))
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
        let Ok(net) = File::open(format!("/proc/{pid}/ns/net")) else { return Ok(()) };
        self.pid.set(Some(pid));
        self.net.replace(Some(net));
        if self.rate.get().is_some() {
            self.limit()?;
        }
        if self.is_unplugged.get() { self.plug() } else { Ok(()) }
    }

    /// It has none any more.
    fn leave(&self) {
        self.pid.set(None);
        self.net.replace(None);
    }

    fn plug(&self) -> Result<(), String> {
        self.pid.get().map_or(Ok(()), |pid| cable::plug(pid, self.is_unplugged.get()))
    }

    fn limit(&self) -> Result<(), String> {
        self.pid.get().map_or(Ok(()), |pid| cable::limit(pid, self.rate.get()))
    }

    async fn signal(&self, signal: Signal) -> Result<(), String> {
        match signal {
            Signal::STOP => self.tell("pause").await,
            Signal::CONT => self.tell("unpause").await,
            Signal::HUP => self.tell("kill?signal=HUP").await,
            Signal::TERM | Signal::KILL => {
                // The engine answers when it has ended. It kills after ten seconds what is to stop.
                let deed = if signal == Signal::TERM { "stop" } else { "kill" };
                let path = format!("/containers/{}/{deed}", self.name);
                tokio::task::spawn_local(async move { engine::ask(Method::POST, &path, None).await });
                Ok(())
            }
            other => Err(format!("containers are not sent {other:?}")),
        }
    }

    async fn tell(&self, deed: &str) -> Result<(), String> {
        engine::ask(Method::POST, &format!("/containers/{}/{deed}", self.name), None).await.map(drop)
    }
}

/// How far an agent has come.
#[derive(Debug, Default)]
struct State {
    has_started: Cell<bool>,
    is_dead: Cell<bool>,
    ended: RefCell<Option<String>>,
}

#[derive(Debug)]
struct Process {
    state: Rc<State>,
    /// They are done one after the other, once it has started.
    signals: UnboundedSender<Signal>,
}

impl site::Process for Process {
    fn has_started(&self) -> bool {
        self.state.has_started.get()
    }

    fn is_dead(&self) -> bool {
        self.state.is_dead.get() || self.ended().is_some()
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
