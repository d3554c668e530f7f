//! Hosts that are network namespaces, on a bridge of their own.

mod host;

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    net::{IpAddr, Ipv4Addr},
    path::Path,
    rc::Rc,
};

use tidings::sim::scenario::Nodes;

use super::{
    addresses::Addresses,
    nft,
    site::{Host, Site},
};
use crate::netns::ethernet::{Ethernet, Port};
use host::Station;

const DEVICE: &str = "eth0";
const FIRST: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);
const BITS: u8 = 16;
const TABLE: &str = "chaos";

/// All hosts. They are gone when this is dropped, or when this process is.
#[derive(Debug)]
pub(crate) struct Namespaces {
    ethernet: Ethernet,
    stations: Vec<Rc<Station>>,
    hosts: Vec<Rc<dyn Host>>,
    ports: Vec<Port>,
    addresses: Addresses,
}

impl Namespaces {
    /// So many hosts. No other site is reached from them.
    pub(crate) fn new(count: usize) -> Result<Namespaces, String> {
        let addresses = Addresses::new(FIRST, count);
        let mut site = Namespaces { ethernet: Ethernet::new()?, stations: Vec::new(), hosts: Vec::new(), ports: Vec::new(), addresses };
        for place in 0..count {
            let station = Rc::new(Station::new()?);
            site.ports.push(site.ethernet.plug(&station.0, DEVICE, &[(site.address(place), BITS)])?);
            station.0.run(&format!("ip link set {DEVICE} address {}", mac(place)))?;
            site.hosts.push(Rc::clone(&station) as Rc<dyn Host>);
            site.stations.push(station);
        }
        (0..count).try_for_each(|place| site.introduce(place, 0..count))?;
        Ok(site)
    }

    /// Tells a host at which hardware addresses others are. The kernel has room for 1,024 that are found out by ARP, in all of its networks
    /// together: 33 hosts that all talk to each other have more.
    fn introduce(&self, place: usize, others: impl IntoIterator<Item = usize>) -> Result<(), String> {
        let mut lines = String::new();
        for other in others.into_iter().filter(|other| *other != place) {
            let _ = writeln!(lines, "neighbour replace {} lladdr {} dev {DEVICE} nud permanent", self.addresses.of(other), mac(other));
        }
        self.stations[place].0.run(&format!("ip -batch - <<'END'\n{lines}END"))
    }

    fn readdress(&mut self, place: usize) -> Result<(), String> {
        let address = self.addresses.of(place);
        self.stations[place].0.run(&format!("ip address flush dev {DEVICE}; ip address add {address}/{BITS} dev {DEVICE}"))?;
        let count = self.stations.len();
        self.introduce(place, 0..count)?;
        (0..count).try_for_each(|other| self.introduce(other, [place]))
    }
}

impl Site for Namespaces {
    fn host(&self, place: usize) -> &Rc<dyn Host> {
        &self.hosts[place]
    }

    fn address(&self, place: usize) -> IpAddr {
        self.addresses.of(place).into()
    }

    fn change_address(&mut self, place: usize) -> Result<(), String> {
        self.addresses.change(place);
        self.readdress(place)
    }

    fn take_address(&mut self, place: usize, of: usize) -> Result<(), String> {
        self.addresses.take(place, of);
        self.readdress(place)
    }

    fn unplug(&self, place: usize, out: bool) -> Result<(), String> {
        // As bridge(8) counts them: disabled, and forwarding.
        let state = if out { 0 } else { 3 };
        self.ethernet.switch().run(&format!("bridge link set dev {} state {state}", self.ports[place].device()))
    }

    fn set_rate(&self, place: usize, octets: Option<u64>) -> Result<(), String> {
        let host = &self.stations[place].0;
        match octets {
            Some(octets) => host.run(&format!("tc qdisc replace dev {DEVICE} root tbf rate {}bit burst 8k latency 200ms", octets * 8)),
            None => host.run(&format!("tc qdisc delete dev {DEVICE} root 2>/dev/null || true")),
        }
    }

    fn between(&self, from: &Nodes, to: &Nodes) -> String {
        let ports = |nodes: &Nodes| nodes.iter().map(|node| self.ports[node].device()).collect::<Vec<_>>().join(", ");
        format!("iifname {{ {} }} oifname {{ {} }}", ports(from), ports(to))
    }

    fn set_rules(&self, counters: &str, rules: &str) -> Result<(), String> {
        self.ethernet.switch().run(&format!("nft -f - <<'END'\n{}END", nft::table(TABLE, counters, rules)))
    }

    fn hits(&self) -> Result<BTreeMap<String, u64>, String> {
        nft::read_counters(self.ethernet.switch().command(Path::new("nft")), TABLE)
    }
}

/// The hardware address of a host.
fn mac(place: usize) -> String {
    format!("02:77:00:00:{:02x}:{:02x}", place / 256, place % 256)
}
