//! Where peers reach this agent.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use tracing::warn;

use super::families::Families;
use crate::config::Advertise;

/// What is advertised: what the operator says, else the address that gossip is bound to, else, where that is
/// unspecified, the one that this host would use to reach others.
pub(super) fn advertised(bound: SocketAddr, advertise: Option<Advertise>) -> SocketAddr {
    match advertise {
        Some(advertise) => SocketAddr::new(advertise.ip, advertise.port.unwrap_or(bound.port())),
        None if !bound.ip().is_unspecified() => bound,
        None => SocketAddr::new(found_out(bound), bound.port()),
    }
}

/// The first address that others may reach, of the family of what is bound, or else of the other one where both are.
fn found_out(bound: SocketAddr) -> IpAddr {
    let (families, own) = (Families::of(bound), bound.is_ipv4());
    let of = |v4: bool| outward(v4).or_else(|| any_interface(v4));
    let other = || of(!own).filter(|ip| families.reach(SocketAddr::new(*ip, 0)));
    of(own).or_else(other).unwrap_or_else(|| {
        let loopback = if own { IpAddr::from(Ipv4Addr::LOCALHOST) } else { Ipv6Addr::LOCALHOST.into() };
        match of(!own) {
            Some(ip) => warn!("no other host can reach this agent, since this one has {ip}, and {}", families.advice()),
            None => warn!("no other host can reach this agent: this one has no address but {loopback}; name one with --advertise"),
        }
        loopback
    })
}

/// The source address of the default route. Connecting a UDP socket asks the kernel's routing table and sends nothing;
/// the addresses are from the blocks for documentation (RFC 5737, RFC 3849).
fn outward(v4: bool) -> Option<IpAddr> {
    let (any, far): (IpAddr, IpAddr) = match v4 {
        true => (Ipv4Addr::UNSPECIFIED.into(), Ipv4Addr::new(192, 0, 2, 1).into()),
        false => (Ipv6Addr::UNSPECIFIED.into(), Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into()),
    };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect((far, 9)).ok()?;
    Some(socket.local_addr().ok()?.ip()).filter(|ip| !ip.is_unspecified())
}

/// A host without a default route: the first address that others on its network can reach.
fn any_interface(v4: bool) -> Option<IpAddr> {
    let interfaces = if_addrs::get_if_addrs().ok()?;
    interfaces.iter().filter(|i| !i.is_loopback() && !i.is_link_local()).map(|i| i.ip()).find(|ip| ip.is_ipv4() == v4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_operator_says_goes_first_then_what_is_bound() {
        let bound: SocketAddr = "127.0.0.9:8746".parse().unwrap();
        let ip: IpAddr = "10.1.2.3".parse().unwrap();
        assert_eq!(advertised(bound, None), bound);
        assert_eq!(advertised(bound, Some(Advertise { ip, port: None })), "10.1.2.3:8746".parse().unwrap());
        assert_eq!(advertised(bound, Some(Advertise { ip, port: Some(9) })), "10.1.2.3:9".parse().unwrap());
    }

    #[test]
    fn an_unspecified_address_is_never_advertised() {
        for bound in ["0.0.0.0:8746", "[::]:8746"] {
            let address = advertised(bound.parse().unwrap(), None);
            assert!(!address.ip().is_unspecified() && address.port() == 8746, "{address}");
        }
    }
}
