//! What is told to the service manager that started the agent (sd_notify(3)); nothing where there is none.

use std::{
    env,
    ffi::OsStr,
    io,
    os::{
        linux::net::SocketAddrExt as _,
        unix::{
            ffi::OsStrExt as _,
            net::{SocketAddr, UnixDatagram},
        },
    },
    process,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use rustix::time::{ClockId, clock_gettime};
use tokio::time::{Interval, MissedTickBehavior, interval};
use tracing::warn;

/// Whoever listens at `NOTIFY_SOCKET`.
#[derive(Debug, Clone)]
pub(super) struct Supervisor(Option<Arc<Line>>);

/// The way to it.
#[derive(Debug)]
struct Line {
    socket: UnixDatagram,
    to: SocketAddr,
    /// Whether the last word was lost. The log has the first of several.
    lost: AtomicBool,
}

impl Supervisor {
    /// The one that the environment names.
    pub(super) fn here() -> Supervisor {
        let Some(name) = env::var_os("NOTIFY_SOCKET").filter(|name| !name.is_empty()) else { return Supervisor(None) };
        match Line::to(&name) {
            Ok(line) => Supervisor(Some(Arc::new(line))),
            Err(error) => {
                warn!("NOTIFY_SOCKET is {name:?}, where nobody can be told anything: {error}");
                Supervisor(None)
            }
        }
    }

    /// The agent serves.
    pub(super) fn ready(&self) {
        self.tell("READY=1\n");
    }

    /// The agent reads its files again. [`Supervisor::reloaded`] follows.
    pub(super) fn reloading(&self) {
        let now = clock_gettime(ClockId::Monotonic);
        let microseconds = i128::from(now.tv_sec) * 1_000_000 + i128::from(now.tv_nsec) / 1_000;
        self.tell(&format!("RELOADING=1\nMONOTONIC_USEC={microseconds}\n"));
    }

    /// It has read them. That they could not be used is no failure of the service, so it is told in words.
    pub(super) fn reloaded(&self, in_effect: bool) {
        let status = if in_effect { "" } else { "the last reload changed nothing: the log says why" };
        self.tell(&format!("READY=1\nSTATUS={status}\n"));
    }

    /// The agent begins to end.
    pub(super) fn stopping(&self) {
        self.tell("STOPPING=1\n");
    }

    /// The signs of life that are asked for by `WATCHDOG_USEC`, for whoever is to give them.
    pub(super) fn watchdog(&self) -> Watchdog {
        let number = |name| env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
        let meant = number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(process::id()));
        let every = number("WATCHDOG_USEC").filter(|every| *every > 0 && meant).map(|every| Duration::from_micros(every) / 2);
        Watchdog { supervisor: self.clone(), every: every.map(steadily) }
    }

    /// Never waits: a service manager that does not read must not hold up its agent.
    fn tell(&self, text: &str) {
        let Some(line) = &self.0 else { return };
        let sent = line.socket.send_to_addr(text.as_bytes(), &line.to);
        let lost_before = line.lost.swap(sent.is_err(), Relaxed);
        if let Err(error) = sent
            && !lost_before
        {
            warn!("the service manager can't be told {:?}: {error}", text.trim_end());
        }
    }
}

/// A sign of life at half the time in which one is expected.
#[derive(Debug)]
pub(super) struct Watchdog {
    supervisor: Supervisor,
    every: Option<Interval>,
}

impl Watchdog {
    /// Gives the next sign when it is due; waits for ever where none is asked for. Can be dropped at any time.
    pub(super) async fn sign(&mut self) {
        match &mut self.every {
            Some(every) => drop(every.tick().await),
            None => std::future::pending().await,
        }
        self.supervisor.tell("WATCHDOG=1\n");
    }
}

fn steadily(every: Duration) -> Interval {
    let mut interval = interval(every.max(Duration::from_millis(1)));
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}

impl Line {
    /// `@` begins the name of an abstract socket.
    fn to(name: &OsStr) -> io::Result<Line> {
        let to = match name.as_bytes() {
            [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
            _ => SocketAddr::from_pathname(name)?,
        };
        let socket = UnixDatagram::unbound()?;
        socket.set_nonblocking(true)?;
        Ok(Line { socket, to, lost: AtomicBool::new(false) })
    }
}
