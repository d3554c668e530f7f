//! A router that hides the hosts behind it (NAT): they are reached at its address, by the ports that it forwards.

use std::{fmt::Write as _, net::IpAddr};

use super::{ethernet::Ethernet, host::Host};

/// A host that forwards between two networks.
#[derive(Debug)]
pub(crate) struct Router {
    host: Host,
    outside: IpAddr,
    inside: (IpAddr, u8),
    /// Ports outside, and where they lead.
    forwards: Vec<(u16, IpAddr, u16)>,
}

impl Router {
    /// Plugged into both, with its address and the network's bits in each. Hosts inside reach what is outside, and not the other way
    /// round. They see its address, and a port that it chooses.
    ///
    /// # Errors
    /// As the system says; for people.
    pub(crate) fn new(outer: &mut Ethernet, outside: (IpAddr, u8), inner: &mut Ethernet, inside: (IpAddr, u8)) -> Result<Router, String> {
        let host = Host::new()?;
        outer.plug(&host, "outside", &[outside])?;
        inner.plug(&host, "inside", &[inside])?;
        host.run("echo 1 > /proc/sys/net/ipv4/ip_forward")?;
        let router = Router { host, outside: outside.0, inside, forwards: Vec::new() };
        router.apply()?;
        Ok(router)
    }

    /// Where it is for hosts inside.
    pub(crate) fn gateway(&self) -> IpAddr {
        self.inside.0
    }

    /// Has what comes to a port of its address outside, over UDP or TCP, go to a host inside; what comes from inside, too.
    ///
    /// # Errors
    /// As the system says; for people.
    pub(crate) fn forward(&mut self, port: u16, to: IpAddr, at: u16) -> Result<(), String> {
        self.forwards.push((port, to, at));
        self.apply()
    }

    fn apply(&self) -> Result<(), String> {
        let Router { host, outside, inside: (gateway, bits), forwards } = self;
        let mut rules = String::new();
        for (port, to, at) in forwards {
            for protocol in ["udp", "tcp"] {
                let _ = writeln!(rules, "ip daddr {outside} {protocol} dport {port} dnat to {to}:{at}");
            }
        }
        host.run(&format!(
            "nft -f - <<'END'\n\
             table ip nat\n\
             delete table ip nat\n\
             table ip nat {{\n\
             chain before {{\ntype nat hook prerouting priority -100\n{rules}}}\n\
             chain after {{\ntype nat hook postrouting priority 100\nip saddr {gateway}/{bits} masquerade random\n}}\n\
             }}\n\
             END"
        ))
    }
}
