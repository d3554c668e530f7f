//! Wires between hosts and their switch, on which packets take as long, and come twice or late as often, as a network of the simulator
//! says. A kernel has netem for that, if it was built with it.
//!
//! A wire is two TAP devices, and a thread that passes on what is sent into either of them: from the host to the switch at once, and from there
//! to the host after the time that is drawn for who sent it. So what the switch loses is lost before it is drawn for.
//!
//! Somebody may stand on the way, who records what hosts send, and has a device that leads to all of them past the switch.

mod frame;
mod line;
mod recorder;
mod thread;
mod under_way;

use std::{
    fs, io,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    thread::JoinHandle,
};

use rustix::{
    event::{EventfdFlags, epoll, eventfd},
    fd::OwnedFd,
};
use tidings::sim::Network;
use tun_rs::SyncDevice;

use crate::netns::host::Host;

pub(crate) use line::Line;
pub(crate) use recorder::Recorder;
use thread::Courier;

/// The hardware address of who stands on the way.
pub(crate) const INTRUDER: [u8; 6] = [0x02, 0x77, 0xff, 0, 0, 1];
/// The ports that it opens streams from: what goes to them is for it, and not for whose address it speaks from. Hosts use lower ones.
pub(crate) const INTRUDER_PORTS: std::ops::RangeInclusive<u16> = 61_000..=65_535;

/// Wires at work. They are gone when this is dropped, or when this process is.
#[derive(Debug)]
pub(crate) struct Wires {
    shared: Arc<Shared>,
    stop: OwnedFd,
    thread: Option<JoinHandle<io::Result<()>>>,
}

/// What the thread shares with us.
struct Shared {
    epoll: OwnedFd,
    network: Mutex<Network>,
    recorder: Mutex<Recorder>,
    intruder: OnceLock<SyncDevice>,
}

/// Why there can be no wires here, if that is so.
pub(crate) fn obstacle() -> Option<String> {
    let device = Path::new("/dev/net/tun");
    fs::File::options().read(true).write(true).open(device).err().map(|error| format!("{}: {error}", device.display()))
}

impl Wires {
    /// Has packets pass along lines as a network says, in which each line is the host of its number.
    ///
    /// # Errors
    /// As the system says.
    pub(crate) fn new(lines: Vec<Line>, network: Network) -> io::Result<Wires> {
        let shared = Arc::new(Shared {
            epoll: epoll::create(epoll::CreateFlags::CLOEXEC)?,
            network: Mutex::new(network),
            recorder: Mutex::new(Recorder::new()),
            intruder: OnceLock::new(),
        });
        let stop = eventfd(0, EventfdFlags::CLOEXEC)?;
        let courier = Courier::new(lines, Arc::clone(&shared), stop.try_clone()?)?;
        let thread = std::thread::Builder::new().name("wires".to_owned()).spawn(move || courier.run())?;
        Ok(Wires { shared, stop, thread: Some(thread) })
    }

    /// The network as it is, to be asked and changed.
    pub(crate) fn network(&self) -> MutexGuard<'_, Network> {
        self.shared.network()
    }

    /// What is recorded, to be asked and told to begin.
    pub(crate) fn recorder(&self) -> MutexGuard<'_, Recorder> {
        self.shared.recorder()
    }

    /// Has a host stand on the way, by a device of this name: what it sends to the hardware address of another host is there a moment later.
    ///
    /// # Errors
    /// As the system says; for people. There is one such host at most.
    pub(crate) fn let_in(&self, host: &Host, device: &str) -> Result<(), String> {
        let tap = line::tap(host, device)?;
        let mac = INTRUDER.map(|octet| format!("{octet:02x}")).join(":");
        host.run(&format!(
            "ip link set {device} address {mac}; echo {} {} > /proc/sys/net/ipv4/ip_local_port_range",
            INTRUDER_PORTS.start(),
            INTRUDER_PORTS.end()
        ))?;
        self.shared.intruder.set(tap).map_err(|_| "somebody stands on the way already".to_owned())?;
        thread::watch_intruder(&self.shared).map_err(|error| error.to_string())
    }

    /// Whether packets still pass.
    pub(crate) fn are_well(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }
}

impl Shared {
    fn network(&self) -> MutexGuard<'_, Network> {
        self.network.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn recorder(&self) -> MutexGuard<'_, Recorder> {
        self.recorder.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("network", &self.network).finish_non_exhaustive()
    }
}

impl Drop for Wires {
    fn drop(&mut self) {
        // Where that fails the thread has ended already.
        let _ = rustix::io::write(&self.stop, &1_u64.to_ne_bytes());
        if let Some(Ok(Err(error))) = self.thread.take().map(JoinHandle::join) {
            eprintln!("packets did not pass any more: {error}");
        }
    }
}
