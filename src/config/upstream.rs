//! Who is asked about names that are not under the domain.

use std::{fmt, net::SocketAddr, str::FromStr};

use super::address;

/// Where a DNS server listens where no port is written (RFC 1035, 4.2).
const DNS_PORT: u16 = 53;
/// The word for those of the host.
const OF_HOST: &str = "system";

/// A DNS server, or those that the host asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upstream {
    /// This one.
    At(SocketAddr),
    /// Those that `/etc/resolv.conf` names, as it is then.
    OfHost,
}

impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Upstream::At(address) => address.fmt(f),
            Upstream::OfHost => f.write_str(OF_HOST),
        }
    }
}

impl FromStr for Upstream {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if text == OF_HOST {
            return Ok(Upstream::OfHost);
        }
        let refused = |error| format!("{error}, or {OF_HOST} for the servers that this host asks");
        let address = address::server(text, DNS_PORT).map_err(refused)?;
        Ok(Upstream::At(address))
    }
}

/// The servers that a `resolv.conf` names (resolv.conf(5)); what is no address is passed over, as resolvers do.
pub fn name_servers(text: &str) -> Vec<SocketAddr> {
    let lines = text.lines().filter_map(|line| line.trim().strip_prefix("nameserver"));
    let named = lines.filter(|rest| rest.starts_with([' ', '\t'])).filter_map(|rest| rest.split_whitespace().next());
    named.filter_map(|text| address::server(text, DNS_PORT).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upstream_is_an_address_or_those_of_the_host() {
        for (text, shown) in [("10.0.0.53", "10.0.0.53:53"), ("[fd00::53]:5353", "[fd00::53]:5353"), ("system", "system")] {
            assert_eq!(text.parse::<Upstream>().unwrap().to_string(), shown);
        }
        for bad in ["", "dns.example", "0.0.0.0", "224.0.0.1", "10.0.0.1:0", "System"] {
            assert!(bad.parse::<Upstream>().unwrap_err().contains("or system for"), "{bad}");
        }
    }

    #[test]
    fn the_file_of_the_host_names_its_servers() {
        let text =
            "# one\nsearch example\nnameserver 10.0.0.53\nnameserver\tfd00::53 # two\n nameserver x\nnameservers 10.0.0.1\noptions edns0\n";
        let servers: Vec<String> = name_servers(text).iter().map(ToString::to_string).collect();
        assert_eq!(servers, ["10.0.0.53:53", "[fd00::53]:53"]);
    }
}
