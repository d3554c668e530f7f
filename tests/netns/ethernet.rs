//! A network: a bridge that hosts are plugged into, and what goes wrong on it.

use std::{fmt::Write as _, net::IpAddr};

use super::host::Host;

/// Where a host is plugged in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Port(usize);

/// Frames that are lost without a word: neither end hears of it, as when a cable is cut behind the next switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Loss {
    /// So many of a hundred, drawn at random.
    pub(crate) percent: u8,
    /// Who sent them; anybody where it is not said.
    pub(crate) from: Option<Port>,
    /// To whom they go; anybody where it is not said.
    pub(crate) to: Option<Port>,
}

/// A switch, as a host of its own that nobody is on.
#[derive(Debug)]
pub(crate) struct Ethernet {
    switch: Host,
    ports: usize,
    losses: Vec<Loss>,
}

impl Ethernet {
    /// A network without hosts.
    ///
    /// # Errors
    /// As the system says; for people.
    pub(crate) fn new() -> Result<Ethernet, String> {
        let switch = Host::new()?;
        // Without snooping: who looks for neighbours by multicast has not said yet what it listens to.
        switch.run("ip link add switch type bridge mcast_snooping 0; ip link set switch up")?;
        Ok(Ethernet { switch, ports: 0, losses: Vec::new() })
    }

    /// Plugs a host in, by a device of this name, with these addresses, each of a network of as many bits.
    ///
    /// # Errors
    /// As the system says; for people.
    pub(crate) fn plug(&mut self, host: &Host, device: &str, addresses: &[(IpAddr, u8)]) -> Result<Port, String> {
        let process = host.process();
        self.plug_by(host, device, addresses, |switch, port| {
            switch.run(&format!("ip link add {port} type veth peer name {device} netns {process}"))
        })
    }

    /// The same, by a cable of another kind: it has the device on the host at its one end, and at the other one on the switch, of the name
    /// that is handed to who lays it.
    ///
    /// # Errors
    /// As the system or who lays it says; for people.
    pub(crate) fn plug_by(
        &mut self,
        host: &Host,
        device: &str,
        addresses: &[(IpAddr, u8)],
        lay: impl FnOnce(&Host, &str) -> Result<(), String>,
    ) -> Result<Port, String> {
        let port = Port(self.ports);
        self.ports += 1;
        let name = port.device();
        lay(&self.switch, &name)?;
        self.switch.run(&format!("ip link set {name} master switch; ip link set {name} up"))?;
        let mut script = format!("ip link set lo up; ip link set {device} up\n");
        for (address, bits) in addresses {
            // An address of IPv6 would be looked for on the network first, for a second or two.
            let at_once = if address.is_ipv6() { " nodad" } else { "" };
            let _ = writeln!(script, "ip address add {address}/{bits} dev {device}{at_once}");
        }
        host.run(&script)?;
        Ok(port)
    }

    /// The host that it is, for rules of another kind.
    #[allow(dead_code, reason = "not every test has such rules")]
    pub(crate) fn switch(&self) -> &Host {
        &self.switch
    }

    /// From now on these frames are lost, too.
    ///
    /// # Errors
    /// As the system says; for people.
    pub(crate) fn lose(&mut self, loss: Loss) -> Result<(), String> {
        self.losses.push(loss);
        self.apply()
    }

    /// From now on nothing is lost.
    ///
    /// # Errors
    /// As the system says; for people.
    pub(crate) fn mend(&mut self) -> Result<(), String> {
        self.losses.clear();
        self.apply()
    }

    fn apply(&self) -> Result<(), String> {
        let mut rules = String::new();
        for Loss { percent, from, to } in &self.losses {
            let from = from.map(|port| format!("iifname {} ", port.device())).unwrap_or_default();
            let to = to.map(|port| format!("oifname {} ", port.device())).unwrap_or_default();
            let some = if *percent < 100 { format!("numgen random mod 100 < {percent} ") } else { String::new() };
            let _ = writeln!(rules, "{from}{to}{some}drop");
        }
        // In one transaction; the first line sees to it that there is something to delete.
        self.switch.run(&format!(
            "nft -f - <<'END'\n\
             table bridge loss\n\
             delete table bridge loss\n\
             table bridge loss {{\nchain forward {{\ntype filter hook forward priority 0\n{rules}}}\n}}\n\
             END"
        ))
    }
}

impl Port {
    /// The name of its device on the switch.
    pub(crate) fn device(self) -> String {
        format!("port{}", self.0)
    }
}
