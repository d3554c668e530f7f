//! Addresses as people write them, and hosts to join.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    str::FromStr,
};

use super::resolved::Advertise;

/// The port of gossip where none is written.
pub const GOSSIP_PORT: u16 = 8746;
/// The port of the REST API where none is written.
pub const HTTP_PORT: u16 = 8780;
/// The port of DNS where none is written.
pub const DNS_PORT: u16 = 8753;

/// An agent to join, as it is written: its host is looked up each time that it is tried.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seed {
    /// A host name or an IP address, the latter without brackets.
    pub host: String,
    /// 1 to 65535.
    pub port: u16,
}

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.parse::<Ipv6Addr>() {
            Ok(ip) => write!(f, "[{ip}]:{}", self.port),
            Err(_) => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

impl FromStr for Seed {
    type Err = String;

    fn from_str(text: &str) -> Result<Seed, String> {
        let wrong = || format!("{text:?} is no agent to join: write HOST, HOST:PORT, an IP address or [IPV6]:PORT");
        if let Ok((ip, port)) = ip_and_port(text) {
            if ip.is_unspecified() || ip.is_multicast() {
                return Err(format!("{ip} can't be connected to; name the address of one host"));
            }
            return Ok(Seed { host: ip.to_string(), port: port.unwrap_or(GOSSIP_PORT) });
        }
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) => (host, port_of(port).ok_or_else(wrong)?),
            None => (text, GOSSIP_PORT),
        };
        if is_host_name(host) { Ok(Seed { host: host.to_owned(), port }) } else { Err(wrong()) }
    }
}

/// An address to listen on, with a port where none is written.
///
/// # Errors
/// What is allowed.
pub fn listen(text: &str, port: u16) -> Result<SocketAddr, String> {
    let (ip, written) = ip_and_port(text)?;
    if ip.is_multicast() {
        return Err(format!("{ip} can't be listened on; give the address of an interface, or 0.0.0.0 for all"));
    }
    Ok(SocketAddr::new(ip, written.unwrap_or(port)))
}

/// The address of a server to ask, with a port where none is written.
///
/// # Errors
/// What is allowed.
pub fn server(text: &str, port: u16) -> Result<SocketAddr, String> {
    let (ip, written) = ip_and_port(text)?;
    if ip.is_unspecified() || ip.is_multicast() {
        return Err(format!("{ip} can't be asked; give the address of one server"));
    }
    Ok(SocketAddr::new(ip, written.unwrap_or(port)))
}

/// An address that others reach this agent at.
///
/// # Errors
/// What is allowed.
pub fn advertise(text: &str) -> Result<Advertise, String> {
    let (ip, port) = ip_and_port(text)?;
    if ip.is_unspecified() || ip.is_multicast() {
        return Err(format!("{ip} can't be connected to; give the one address that other agents reach this one at"));
    }
    Ok(Advertise { ip, port })
}

/// `IP`, `IP:PORT`, `[IPV6]` or `[IPV6]:PORT`.
fn ip_and_port(text: &str) -> Result<(IpAddr, Option<u16>), String> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    if let Ok(ip) = bare.parse::<IpAddr>() {
        return Ok((ip.to_canonical(), None));
    }
    match text.parse::<SocketAddr>() {
        Ok(address) if address.port() == 0 => Err("port 0 is not allowed: others could not know which one it became".to_owned()),
        Ok(address) => Ok((address.ip().to_canonical(), Some(address.port()))),
        Err(_) => Err(format!("{text:?} is no address: write an IP address, or one with its port as in 10.0.0.5:8746 or [fd00::5]:8746")),
    }
}

fn port_of(text: &str) -> Option<u16> {
    text.parse().ok().filter(|port| *port != 0)
}

/// Letters, digits, hyphens and, as resolvers allow them, underscores, in labels of at most 63 and names of at most 253 octets.
fn is_host_name(text: &str) -> bool {
    let bare = text.strip_suffix('.').unwrap_or(text);
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
            && !label.starts_with('-')
    };
    // What looks like an IPv4 address and is none, such as 10.0.0.300, is a slip and no name (RFC 1123, 2.1).
    let numeric = bare.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()));
    bare.len() <= 253 && bare.split('.').all(is_label) && !numeric
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_to_listen_on_may_leave_out_its_port() {
        let check = |text, expected: &str| assert_eq!(listen(text, 8746), Ok(expected.parse().unwrap()), "{text}");
        check("10.0.0.5", "10.0.0.5:8746");
        check("10.0.0.5:9000", "10.0.0.5:9000");
        check("0.0.0.0", "0.0.0.0:8746");
        check("::1", "[::1]:8746");
        check("[::1]", "[::1]:8746");
        check("[fd00::5]:9000", "[fd00::5]:9000");
    }

    #[test]
    fn what_is_no_address_is_refused_with_what_is_allowed() {
        for bad in ["", "web", "10.0.0", "10.0.0.5:", "10.0.0.5:99999", "[::1", ":8746", "10.0.0.5 "] {
            let error = listen(bad, 8746).expect_err(bad);
            assert!(error.contains("10.0.0.5:8746"), "{error}");
        }
        assert!(listen("10.0.0.5:0", 8746).unwrap_err().contains("port 0"));
        assert!(listen("224.0.0.1", 8746).is_err());
    }

    #[test]
    fn what_is_advertised_is_one_host() {
        assert_eq!(advertise("10.0.0.5"), Ok(Advertise { ip: [10, 0, 0, 5].into(), port: None }));
        assert_eq!(advertise("[fd00::5]:9000"), Ok(Advertise { ip: "fd00::5".parse().unwrap(), port: Some(9000) }));
        assert!(advertise("0.0.0.0").unwrap_err().contains("can't be connected to"));
        assert!(advertise("::").is_err());
    }

    #[test]
    fn a_seed_is_a_host_with_or_without_its_port() {
        let check = |text: &str, host: &str, port, shown: &str| {
            let seed: Seed = text.parse().expect(text);
            assert_eq!(seed, Seed { host: host.into(), port });
            assert_eq!(seed.to_string(), shown);
            assert_eq!(shown.parse(), Ok(seed), "what is shown can be written");
        };
        check("db-1", "db-1", 8746, "db-1:8746");
        check("seed_1.corp.example.:9000", "seed_1.corp.example.", 9000, "seed_1.corp.example.:9000");
        check("10.0.0.5", "10.0.0.5", 8746, "10.0.0.5:8746");
        check("10.0.0.5:9000", "10.0.0.5", 9000, "10.0.0.5:9000");
        check("fd00::5", "fd00::5", 8746, "[fd00::5]:8746");
        check("[fd00::5]:9000", "fd00::5", 9000, "[fd00::5]:9000");
    }

    #[test]
    fn what_is_no_seed_is_refused() {
        for bad in ["", ":8746", "db-1:", "db-1:0", "db-1:port", "db 1", "10.0.0.300", "a..b", "0.0.0.0", "[db-1]:1", "http://db-1"] {
            assert!(bad.parse::<Seed>().is_err(), "{bad}");
        }
    }
}
