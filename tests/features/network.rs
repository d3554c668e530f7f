//! The network of a scenario whose agents are on hosts of their own.

use std::{
    collections::BTreeMap,
    fs,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
};

use super::sockets;
use crate::netns::{
    ethernet::{Ethernet, Loss, Port},
    host::Host,
    names::Names,
    router::Router,
};

/// The last part of the address of a network's first host; 1 is the router.
const FIRST: u16 = 10;
/// 127.251.0.0/16 is of hosts alone: no agent on this machine itself has an address of it.
const HOME: u8 = 251;

/// A network for one scenario. All of it is gone when this is dropped.
#[derive(Debug)]
pub(crate) struct Network {
    /// Part of all its addresses. No other network of this run has the same.
    number: u8,
    ethernet: Ethernet,
    behind: Option<Behind>,
    hosts: BTreeMap<String, Plugged>,
    count: u16,
    names: Names,
}

/// A network behind a router of the first one.
#[derive(Debug)]
struct Behind {
    router: Router,
    ethernet: Ethernet,
}

#[derive(Debug)]
struct Plugged {
    host: Arc<Host>,
    port: Port,
    addresses: Vec<IpAddr>,
    /// An address that only the host itself reaches, and that no other one of this run has.
    home: IpAddr,
}

impl Network {
    /// Without hosts. The folder is the scenario's.
    pub(crate) fn new(folder: &Path) -> Result<Network, String> {
        static NEXT: AtomicU16 = AtomicU16::new(0);
        let number = (NEXT.fetch_add(1, Ordering::Relaxed) % 256) as u8;
        let etc = folder.join("etc");
        let names = fs::create_dir(&etc).and_then(|()| Names::new(&etc)).map_err(|error| format!("{}: {error}", etc.display()))?;
        Ok(Network { number, ethernet: Ethernet::new()?, behind: None, hosts: BTreeMap::new(), count: 0, names })
    }

    /// Plugs in a host with addresses of these families, which are written as in `IPv4 and IPv6`.
    pub(crate) fn add(&mut self, name: &str, families: &str) -> Result<(), String> {
        let last = self.next();
        let four = families.contains("IPv4").then(|| self.four(77, last));
        let six = families.contains("IPv6").then(|| self.six(last));
        let addresses: Vec<_> = four.into_iter().chain(six).collect();
        assert!(!addresses.is_empty(), "a host has addresses of IPv4, IPv6 or both, not of {families}");
        let host = Arc::new(Host::new()?);
        let port = self.ethernet.plug(&host, "eth0", &addresses)?;
        self.keep(name, host, port, addresses)
    }

    /// Gives a host an address beside those that it has.
    pub(crate) fn add_address(&mut self, name: &str) -> Result<(), String> {
        let last = self.next();
        let (address, bits) = self.four(77, last);
        let plugged = self.hosts.get_mut(name).ok_or("no such host")?;
        plugged.host.run(&format!("ip address add {address}/{bits} dev eth0"))?;
        plugged.addresses.push(address);
        sockets::register(address, &plugged.host);
        Ok(())
    }

    /// Plugs in a host behind a router.
    pub(crate) fn add_behind_router(&mut self, name: &str) -> Result<(), String> {
        if self.behind.is_none() {
            let mut ethernet = Ethernet::new()?;
            let (outside, inside) = (self.four(77, 1), self.four(78, 1));
            let router = Router::new(&mut self.ethernet, outside, &mut ethernet, inside)?;
            self.behind = Some(Behind { router, ethernet });
        }
        let last = self.next();
        let address = self.four(78, last);
        let host = Arc::new(Host::new()?);
        let behind = self.behind.as_mut().expect("it was just made");
        let port = behind.ethernet.plug(&host, "eth0", &[address])?;
        host.run(&format!("ip route add default via {}", behind.router.gateway()))?;
        self.keep(name, host, port, vec![address])
    }

    /// Has the router forward a port to a host behind it.
    pub(crate) fn forward(&mut self, port: u16, name: &str, at: u16) -> Result<(), String> {
        let to = self.address(name).ok_or("no such host")?;
        self.behind.as_mut().ok_or("no router")?.router.forward(port, to, at)
    }

    /// Where the router is for all who are not behind it.
    pub(crate) fn router(&self) -> IpAddr {
        self.four(77, 1).0
    }

    /// A host, and the loopback address for what only programs on it may do.
    pub(crate) fn host(&self, name: &str) -> Option<(Arc<Host>, IpAddr)> {
        self.hosts.get(name).map(|plugged| (Arc::clone(&plugged.host), plugged.home))
    }

    /// The first address of a host.
    pub(crate) fn address(&self, name: &str) -> Option<IpAddr> {
        self.hosts.get(name)?.addresses.first().copied()
    }

    /// Another address of a host: the one of IPv6 (`six`), or the second of IPv4 (`second`).
    pub(crate) fn other_address(&self, name: &str, which: &str) -> Option<IpAddr> {
        let mut addresses = self.hosts.get(name)?.addresses.iter().copied();
        match which {
            "six" => addresses.find(IpAddr::is_ipv6),
            "second" => addresses.filter(IpAddr::is_ipv4).nth(1),
            _ => None,
        }
    }

    /// From now on what one host sends to another is lost; to or from all where it is not said. Hosts behind a router can't be meant.
    pub(crate) fn lose(&mut self, from: Option<&str>, to: Option<&str>) -> Result<(), String> {
        let port = |name: Option<&str>| name.map(|name| self.hosts.get(name).map(|host| host.port).ok_or("no such host")).transpose();
        let loss = Loss { percent: 100, from: port(from)?, to: port(to)? };
        self.ethernet.lose(loss)
    }

    /// From now on a part of all that anybody sends to anybody is lost.
    pub(crate) fn lose_some(&mut self, percent: u8) -> Result<(), String> {
        self.ethernet.lose(Loss { percent, from: None, to: None })
    }

    /// From now on nothing is lost.
    pub(crate) fn mend(&mut self) -> Result<(), String> {
        self.ethernet.mend()
    }

    /// From now on a name has these addresses on every host.
    pub(crate) fn set_name(&mut self, name: &str, addresses: Vec<IpAddr>) -> Result<(), String> {
        self.names.set(name, addresses).map_err(|error| error.to_string())
    }

    fn keep(&mut self, name: &str, host: Arc<Host>, port: Port, addresses: Vec<(IpAddr, u8)>) -> Result<(), String> {
        self.names.install(&host)?;
        let addresses: Vec<IpAddr> = addresses.into_iter().map(|(address, _)| address).collect();
        let home = Ipv4Addr::new(127, HOME, self.number, (FIRST - 1 + self.count) as u8).into();
        addresses.iter().chain([&home]).for_each(|address| sockets::register(*address, &host));
        self.hosts.insert(name.to_owned(), Plugged { host, port, addresses, home });
        Ok(())
    }

    fn next(&mut self) -> u16 {
        self.count += 1;
        FIRST - 1 + self.count
    }

    fn four(&self, net: u8, last: u16) -> (IpAddr, u8) {
        (Ipv4Addr::new(10, net, self.number, last as u8).into(), 24)
    }

    fn six(&self, last: u16) -> (IpAddr, u8) {
        (Ipv6Addr::new(0xfd77, self.number.into(), 0, 0, 0, 0, 0, last).into(), 64)
    }
}
