//! The hosts of a scenario, whatever they are made of: what whoever plays it needs of them.

use std::{collections::BTreeMap, fmt::Debug, io, net::IpAddr, path::PathBuf, pin::Pin, rc::Rc};

use rustix::process::Signal;
use tidings::sim::scenario::{Nodes, network::Way};
use tokio::net::TcpSocket;

use crate::wires::Wires;

/// Its data folder, and what it is started with, among the files of an agent.
pub(crate) const DATA: &str = "data";
pub(crate) const CONFIG: &str = "etc/tidings.toml";
pub(crate) const KEYS: &str = "etc/keys";

/// While it goes on, what was recorded is said again; it ends with how much of it was said.
pub(crate) type Replay = Pin<Box<dyn Future<Output = Result<usize, String>>>>;

/// All hosts, on a network of their own. They are gone when this is dropped, or when this process is.
pub(crate) trait Site: Debug {
    fn host(&self, place: usize) -> &Rc<dyn Host>;

    fn address(&self, place: usize) -> IpAddr;

    /// Gives a host whose agent does not run an address that nobody had before.
    fn change_address(&mut self, place: usize) -> Result<(), String>;

    /// Gives a host whose agent does not run the address that another one has now, or had first where it has moved and nobody has that.
    fn take_address(&mut self, place: usize, of: usize) -> Result<(), String>;

    /// A host can't be reached from others, nor reach them, or it can again: its cable is out. Its kernel does not know.
    fn unplug(&self, place: usize, out: bool) -> Result<(), String>;

    /// A host sends at most so many octets a second; what would wait longer than 200 ms is lost.
    fn set_rate(&self, place: usize, octets: Option<u64>) -> Result<(), String>;

    /// What rules of nftables match by that is sent by some hosts to some, of IP.
    fn between(&self, from: &Nodes, to: &Nodes) -> String;

    /// Puts rules for what hosts send to each other, and the counters that they name, in the place of those that were.
    fn set_rules(&self, counters: &str, rules: &str) -> Result<(), String>;

    /// How many packets each counter has counted.
    fn hits(&self) -> Result<BTreeMap<String, u64>, String>;

    /// What says how packets pass that are not lost. Without them they pass at once, and once.
    fn wires(&self) -> Option<&Wires> {
        None
    }

    /// Has somebody on the way record from now on what some send to others.
    fn record(&mut self, _way: &Way) -> Result<(), String> {
        Err("nobody stands on the way and records".to_owned())
    }

    /// Says again what was recorded until now to each of these hosts, from where it came, or from the addresses of others.
    fn replay(&self, _to: &Nodes, _from: Option<&Nodes>) -> Result<Replay, String> {
        Err("nothing was recorded".to_owned())
    }
}

/// A host, which an agent runs on or not.
pub(crate) trait Host: Debug {
    /// A socket in its network, where a socket stays. There may be no network while no agent runs.
    fn socket(&self) -> io::Result<TcpSocket>;

    /// A file or a folder of its agent, as it is seen from outside.
    fn file(&self, name: &str) -> PathBuf;

    /// The same as its agent sees it.
    fn inside(&self, name: &str) -> PathBuf;

    /// Writes a file that nobody but its agent can read.
    fn write(&self, name: &str, text: &str) -> io::Result<()>;

    /// Starts its agent, with what stands in its files. `changed` is called when it has started, and when it has ended.
    fn start(&self, changed: Rc<dyn Fn()>) -> io::Result<Box<dyn Process>>;

    /// All that its agents have said.
    fn log(&self) -> String;
}

/// An agent that was started. It is killed with its site at the latest.
pub(crate) trait Process: Debug {
    /// Whether it is there already.
    fn has_started(&self) -> bool;

    /// The number of its process on this machine, where it has one.
    fn id(&self) -> Option<u32> {
        None
    }

    /// Whether its process is gone, though it may not be known yet how it ended.
    fn is_dead(&self) -> bool;

    /// How it ended, if it has.
    fn ended(&self) -> Option<String>;

    /// Sends a signal, unless it has ended. SIGSTOP and SIGCONT may reach all that is on the host.
    fn signal(&self, signal: Signal);

    /// From now on no file that it writes to may grow, or all may again.
    fn limit_files(&self, full: bool) -> Result<(), String>;
}
