//! IPv4 and IPv6: which of the two gossip reaches, and how addresses look on its socket.

use std::net::{IpAddr, SocketAddr};

/// The families of addresses that are reached from where gossip is bound. Bound to `[::]` it reaches both: IPv4 is mapped into IPv6 on
/// that socket (RFC 4291, 2.5.5.2), and nobody else sees these addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Families {
    bound: SocketAddr,
}

impl Families {
    /// Those that are reached from there.
    pub(super) fn of(bound: SocketAddr) -> Families {
        Families { bound }
    }

    fn are_both(self) -> bool {
        self.bound.is_ipv6() && self.bound.ip().is_unspecified()
    }

    /// Whether datagrams get to an address. Streams start anywhere, and may get to others, too.
    pub(super) fn reach(self, address: SocketAddr) -> bool {
        self.are_both() || self.bound.is_ipv4() == address.is_ipv4()
    }

    /// Why an address is not reached, and what to do about it; for people.
    pub(super) fn advice(self) -> String {
        let Families { bound } = self;
        let family = if bound.is_ipv4() { "IPv4" } else { "IPv6" };
        format!("gossip is received on {bound}, which is {family} alone; --gossip [::]:{} is for both", bound.port())
    }

    /// An address as the socket takes it.
    pub(super) fn on_socket(self, address: SocketAddr) -> SocketAddr {
        match address.ip() {
            IpAddr::V4(ip) if self.are_both() => SocketAddr::new(ip.to_ipv6_mapped().into(), address.port()),
            _ => address,
        }
    }

    /// An address that the socket gave, as everybody else writes it.
    pub(super) fn seen_on_socket(self, address: SocketAddr) -> SocketAddr {
        match address.ip().to_canonical() {
            ip @ IpAddr::V4(_) => SocketAddr::new(ip, address.port()),
            // Whole: an address of one link has a scope, too.
            IpAddr::V6(_) => address,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_for_both_takes_and_gives_mapped_addresses_and_nobody_else_sees_them() {
        let check = |bound: &str, address: &str, on_socket: Option<&str>| {
            let (families, address): (_, SocketAddr) = (Families::of(bound.parse().unwrap()), address.parse().unwrap());
            assert_eq!(families.reach(address), on_socket.is_some(), "{bound} {address}");
            if let Some(on_socket) = on_socket {
                assert_eq!(families.on_socket(address).to_string(), on_socket);
                assert_eq!(families.seen_on_socket(families.on_socket(address)), address);
            }
        };
        check("[::]:8746", "10.0.0.1:9", Some("[::ffff:10.0.0.1]:9"));
        check("[::]:8746", "[fd00::1]:9", Some("[fd00::1]:9"));
        check("[::]:8746", "[fe80::1%3]:9", Some("[fe80::1%3]:9"));
        check("[fd00::5]:8746", "[fd00::1]:9", Some("[fd00::1]:9"));
        check("[fd00::5]:8746", "10.0.0.1:9", None);
        check("0.0.0.0:8746", "10.0.0.1:9", Some("10.0.0.1:9"));
        check("0.0.0.0:8746", "[fd00::1]:9", None);
    }
}
