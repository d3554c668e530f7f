//! Packets over UDP, each answered from the address that it came to. A socket on all addresses of a host leaves the choice to the
//! system, and a client takes no reply from an address that it did not ask.

use std::{
    io::{self, IoSlice, IoSliceMut},
    net::{IpAddr, SocketAddr, UdpSocket as StdUdpSocket},
    os::fd::AsRawFd as _,
};

use nix::{
    cmsg_space, libc,
    sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, sendmsg, setsockopt, sockopt},
};
use tokio::{io::Interest, net::UdpSocket};

/// A socket for packets.
pub(super) struct Packets {
    socket: UdpSocket,
    /// Room for what the system says of a packet; only where the socket is on all addresses.
    said: Option<Vec<u8>>,
}

/// Whom a reply goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Asker {
    /// Where it is.
    pub(super) address: SocketAddr,
    /// Which address of this host it asked, where there is a choice.
    asked: Option<IpAddr>,
}

impl Packets {
    /// Those of a socket that is bound and does not block.
    pub(super) fn new(socket: StdUdpSocket) -> io::Result<Packets> {
        let bound = socket.local_addr()?.ip();
        match bound {
            IpAddr::V4(_) => setsockopt(&socket, sockopt::Ipv4PacketInfo, &bound.is_unspecified())?,
            // Of what comes over IPv4 to a socket for both, it tells the mapped address.
            IpAddr::V6(_) => setsockopt(&socket, sockopt::Ipv6RecvPacketInfo, &bound.is_unspecified())?,
        }
        let said = bound.is_unspecified().then(|| cmsg_space!(libc::in6_pktinfo));
        Ok(Packets { socket: UdpSocket::from_std(socket)?, said })
    }

    /// Waits until there may be one.
    pub(super) async fn readable(&self) -> io::Result<()> {
        self.socket.readable().await
    }

    /// The next one, if there is one, and who sent it.
    pub(super) fn try_receive(&mut self, buffer: &mut [u8]) -> io::Result<(usize, Asker)> {
        let Some(said) = &mut self.said else {
            let (length, address) = self.socket.try_recv_from(buffer)?;
            return Ok((length, Asker { address, asked: None }));
        };
        let socket = self.socket.as_raw_fd();
        self.socket.try_io(Interest::READABLE, || {
            let mut parts = [IoSliceMut::new(buffer)];
            let received = recvmsg::<SockaddrStorage>(socket, &mut parts, Some(said), MsgFlags::empty())?;
            let address = received.address.as_ref().and_then(plain).ok_or(io::ErrorKind::InvalidData)?;
            let asked = received.cmsgs()?.find_map(asked);
            Ok((received.bytes, Asker { address, asked }))
        })
    }

    /// Sends a reply, if the socket takes it at once.
    pub(super) fn try_send(&self, reply: &[u8], to: Asker) -> io::Result<usize> {
        let Some(asked) = to.asked else { return self.socket.try_send_to(reply, to.address) };
        let (socket, parts, address) = (self.socket.as_raw_fd(), [IoSlice::new(reply)], SockaddrStorage::from(to.address));
        let send = |said: ControlMessage<'_>| Ok(sendmsg(socket, &parts, &[said], MsgFlags::empty(), Some(&address))?);
        // Without an interface: the reply goes the way that all packets to the client go.
        self.socket.try_io(Interest::WRITABLE, || match asked {
            IpAddr::V4(ip) => {
                let source = libc::in_addr { s_addr: u32::from(ip).to_be() };
                send(ControlMessage::Ipv4PacketInfo(&libc::in_pktinfo { ipi_ifindex: 0, ipi_spec_dst: source, ipi_addr: source }))
            }
            IpAddr::V6(ip) => {
                let source = libc::in6_addr { s6_addr: ip.octets() };
                send(ControlMessage::Ipv6PacketInfo(&libc::in6_pktinfo { ipi6_addr: source, ipi6_ifindex: 0 }))
            }
        })
    }
}

fn asked(said: ControlMessageOwned) -> Option<IpAddr> {
    match said {
        // The local address; the other one is what the packet names, which differs for a broadcast.
        ControlMessageOwned::Ipv4PacketInfo(info) => Some(IpAddr::V4(u32::from_be(info.ipi_spec_dst.s_addr).into())),
        ControlMessageOwned::Ipv6PacketInfo(info) => Some(IpAddr::V6(info.ipi6_addr.s6_addr.into())),
        _ => None,
    }
}

fn plain(address: &SockaddrStorage) -> Option<SocketAddr> {
    let four = address.as_sockaddr_in().map(|four| SocketAddr::V4((*four).into()));
    four.or_else(|| address.as_sockaddr_in6().map(|six| SocketAddr::V6((*six).into())))
}
