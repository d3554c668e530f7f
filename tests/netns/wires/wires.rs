//! Wires between hosts and their switch, on which packets take as long, and come twice or late as often, as a network of the simulator
//! says. A kernel has netem for that, if it was built with it.
//!
//! A wire is two TAP devices, and a thread that passes on what is sent into either of them: from the host to the switch at once, and from there
//! to the host after the time that is drawn for who sent it. So what the switch loses is lost before it is drawn for.

mod frame;
mod line;
mod thread;
mod under_way;

use std::{
    fs, io,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
};

use rustix::{
    event::{EventfdFlags, eventfd},
    fd::OwnedFd,
};
use tidings::sim::Network;

pub(crate) use line::Line;
use thread::Courier;

/// Wires at work. They are gone when this is dropped, or when this process is.
#[derive(Debug)]
pub(crate) struct Wires {
    network: Arc<Mutex<Network>>,
    stop: OwnedFd,
    thread: Option<JoinHandle<io::Result<()>>>,
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
        let network = Arc::new(Mutex::new(network));
        let stop = eventfd(0, EventfdFlags::CLOEXEC)?;
        let courier = Courier::new(lines, Arc::clone(&network), stop.try_clone()?)?;
        let thread = std::thread::Builder::new().name("wires".to_owned()).spawn(move || courier.run())?;
        Ok(Wires { network, stop, thread: Some(thread) })
    }

    /// The network as it is, to be asked and changed.
    pub(crate) fn network(&self) -> MutexGuard<'_, Network> {
        self.network.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether packets still pass.
    pub(crate) fn are_well(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
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
