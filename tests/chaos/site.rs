//! The hosts of a scenario, on a bridge of their own, and what becomes of hosts and addresses.

use std::{
    fmt::Write as _,
    net::{IpAddr, Ipv4Addr},
    rc::Rc,
};

use super::agent::FOLDER;
use crate::netns::{
    ethernet::{Ethernet, Port},
    host::Host,
};

const DEVICE: &str = "eth0";
const BITS: u8 = 16;

/// A host on the bridge.
#[derive(Debug)]
pub(crate) struct Station {
    pub(crate) host: Rc<Host>,
    pub(crate) port: Port,
    pub(crate) address: IpAddr,
}

/// All hosts. They are gone when this is dropped, or when this process is.
#[derive(Debug)]
pub(crate) struct Site {
    ethernet: Ethernet,
    pub(crate) stations: Vec<Station>,
    /// Addresses that were given out.
    addresses: usize,
}

impl Site {
    /// So many hosts. No other site is reached from them.
    pub(crate) fn new(count: usize) -> Result<Site, String> {
        let mut site = Site { ethernet: Ethernet::new()?, stations: Vec::new(), addresses: count };
        for place in 0..count {
            let (host, address) = (Host::new()?, address(place));
            let port = site.ethernet.plug(&host, DEVICE, &[(address, BITS)])?;
            let mac = mac(place);
            host.run(&format!("ip link set {DEVICE} address {mac}; mount -t tmpfs -o size=64m chaos {FOLDER}; mkdir {FOLDER}/data"))?;
            site.stations.push(Station { host: Rc::new(host), port, address });
        }
        (0..count).try_for_each(|place| site.introduce(place, 0..count))?;
        Ok(site)
    }

    /// Tells a host at which hardware addresses others are. The kernel has room for 1,024 that are found out by ARP, in all of its networks
    /// together: 33 hosts that all talk to each other have more.
    fn introduce(&self, place: usize, others: impl IntoIterator<Item = usize>) -> Result<(), String> {
        let mut lines = String::new();
        for other in others.into_iter().filter(|other| *other != place) {
            let _ = writeln!(lines, "neighbour replace {} lladdr {} dev {DEVICE} nud permanent", self.stations[other].address, mac(other));
        }
        self.host(place).run(&format!("ip -batch - <<'END'\n{lines}END"))
    }

    /// The host that is the bridge.
    pub(crate) fn switch(&self) -> &Host {
        self.ethernet.switch()
    }

    pub(crate) fn host(&self, place: usize) -> &Rc<Host> {
        &self.stations[place].host
    }

    /// Gives a host an address that nobody had before.
    pub(crate) fn change_address(&mut self, place: usize) -> Result<(), String> {
        self.addresses += 1;
        self.readdress(place, address(self.addresses - 1))
    }

    /// Gives a host the address that another one has now, or had first where it has moved and nobody has that.
    pub(crate) fn take_address(&mut self, place: usize, of: usize) -> Result<(), String> {
        let first = address(of);
        let is_free = self.stations.iter().enumerate().all(|(other, it)| other == of || it.address != first);
        let taken = if is_free { first } else { self.stations[of].address };
        self.readdress(place, taken)
    }

    fn readdress(&mut self, place: usize, address: IpAddr) -> Result<(), String> {
        let station = &mut self.stations[place];
        station.host.run(&format!("ip address flush dev {DEVICE}; ip address add {address}/{BITS} dev {DEVICE}"))?;
        station.address = address;
        let count = self.stations.len();
        self.introduce(place, 0..count)?;
        (0..count).try_for_each(|other| self.introduce(other, [place]))
    }

    /// A host can't be reached from others, nor reach them, or it can again: its cable is out. Its kernel does not know.
    pub(crate) fn unplug(&self, place: usize, out: bool) -> Result<(), String> {
        // As bridge(8) counts them: disabled, and forwarding.
        self.switch().run(&format!("bridge link set dev {} state {}", self.stations[place].port.device(), if out { 0 } else { 3 }))
    }

    /// A host sends at most so many octets a second; what would wait longer than 200 ms is lost.
    pub(crate) fn set_rate(&self, place: usize, octets: Option<u64>) -> Result<(), String> {
        let host = self.host(place);
        match octets {
            Some(octets) => host.run(&format!("tc qdisc replace dev {DEVICE} root tbf rate {}bit burst 8k latency 200ms", octets * 8)),
            None => host.run(&format!("tc qdisc delete dev {DEVICE} root 2>/dev/null || true")),
        }
    }
}

/// The address of a host, or one that it is given later.
fn address(place: usize) -> IpAddr {
    Ipv4Addr::new(10, 77, (place / 250) as u8, (place % 250 + 1) as u8).into()
}

/// The hardware address of a host.
fn mac(place: usize) -> String {
    format!("02:77:00:00:{:02x}:{:02x}", place / 256, place % 256)
}
