//! Hosts that are network namespaces, on a bridge of their own.

mod host;
mod intruder;

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    net::{IpAddr, Ipv4Addr, SocketAddrV4},
    path::Path,
    rc::Rc,
};

use tidings::sim::{
    Conditions, Network,
    runner::directions,
    scenario::{Nodes, network::Way},
};

use super::{
    addresses::Addresses,
    agent::GOSSIP,
    nft,
    site::{Host, Replay, Site},
};
use crate::{
    netns::ethernet::{Ethernet, Port},
    wires::{Line, Wires},
};
use host::Station;
use intruder::{Intruder, Speech};

const DEVICE: &str = "eth0";
const FIRST: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);
const BITS: u8 = 16;
const TABLE: &str = "chaos";

/// All hosts. They are gone when this is dropped, or when this process is.
#[derive(Debug)]
pub(crate) struct Namespaces {
    // First of all: hosts that are dropped have nothing that passes packets any more.
    wires: Wires,
    ethernet: Ethernet,
    stations: Vec<Rc<Station>>,
    hosts: Vec<Rc<dyn Host>>,
    ports: Vec<Port>,
    addresses: Addresses,
    intruder: Option<Rc<Intruder>>,
}

impl Namespaces {
    /// So many hosts. No other site is reached from them.
    pub(crate) fn new(count: usize) -> Result<Namespaces, String> {
        let addresses = Addresses::new(FIRST, count);
        let (mut ethernet, mut stations, mut ports, mut lines) = (Ethernet::new()?, Vec::new(), Vec::new(), Vec::new());
        for place in 0..count {
            let station = Rc::new(Station::new()?);
            let host = &station.0;
            ports.push(ethernet.plug_by(host, DEVICE, &[(addresses.of(place).into(), BITS)], |switch, port| {
                lines.push(Line::new((host, DEVICE), (switch, port))?);
                host.run(&format!("ip link set {DEVICE} address {}", mac(place)))
            })?);
            stations.push(station);
        }
        let wires = Wires::new(lines, Network::new(Conditions::default())).map_err(|error| format!("can't make wires: {error}"))?;
        let hosts = stations.iter().map(|station| Rc::clone(station) as Rc<dyn Host>).collect();
        let site = Namespaces { wires, ethernet, stations, hosts, ports, addresses, intruder: None };
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
        nft::set_table(self.ethernet.switch().command(Path::new("nft")), TABLE, counters, rules)
    }

    fn hits(&self) -> Result<BTreeMap<String, u64>, String> {
        nft::read_counters(self.ethernet.switch().command(Path::new("nft")), TABLE)
    }

    fn wires(&self) -> Option<&Wires> {
        Some(&self.wires)
    }

    fn record(&mut self, way: &Way) -> Result<(), String> {
        if self.intruder.is_none() {
            self.intruder = Some(Rc::new(Intruder::new(&self.wires)?));
        }
        directions(way).for_each(|(from, to)| self.wires.recorder().hear_from(from, to));
        Ok(())
    }

    fn replay(&self, to: &Nodes, from: Option<&Nodes>) -> Result<Replay, String> {
        let recorder = self.wires.recorder();
        let (count, intruder) = (recorder.datagrams().count() + recorder.streams().count(), self.intruder.clone());
        let Some(intruder) = intruder.filter(|_| count > 0) else { return Err("nothing was recorded".to_owned()) };
        let others: Vec<Ipv4Addr> = from.into_iter().flat_map(Nodes::iter).map(|place| self.addresses.of(place)).collect();
        let mut others = others.into_iter().cycle();
        let speeches: Vec<Speech> = to
            .iter()
            .map(|place| Speech {
                to: SocketAddrV4::new(self.addresses.of(place), GOSSIP),
                mac: mac(place),
                datagrams: recorder
                    .datagrams()
                    .map(|(from, said)| (SocketAddrV4::new(others.next().unwrap_or(*from.ip()), from.port()), said.to_vec()))
                    .collect(),
                streams: recorder.streams().map(|(from, said)| (others.next().unwrap_or(from), said.to_vec())).collect(),
            })
            .collect();
        Ok(Box::pin(async move {
            let mut said = 0;
            for speech in speeches {
                said += intruder.say(speech).await?;
            }
            Ok(said)
        }))
    }
}

/// The hardware address of a host.
fn mac(place: usize) -> String {
    format!("02:77:00:00:{:02x}:{:02x}", place / 256, place % 256)
}
