//! Packets over UDP, many with one call of the system, each answered from the address that it came to. A socket on all addresses of a host leaves the
//! choice to the system, and a client takes no reply from an address that it did not ask.

use std::{
    array,
    io::{self, IoSlice, IoSliceMut},
    net::{IpAddr, SocketAddr, UdpSocket},
    os::fd::AsRawFd as _,
    sync::Arc,
};

use nix::{
    cmsg_space, libc,
    sys::socket::{
        ControlMessage, ControlMessageOwned, MsgFlags, MultiHeaders, SockaddrStorage, recvmmsg, sendmmsg, sendmsg, setsockopt, sockopt,
    },
};

use super::{reply::UDP_PAYLOAD, shares::within_share};

/// Packets of a batch.
pub(super) const BATCH: usize = 32;
/// Octets of a query that are read. Queries are far smaller; what is cut is malformed.
const QUERY_OCTETS: usize = UDP_PAYLOAD as usize;

/// A socket for packets, with room for a batch of them. What one costs is kept low by sharing the calls among those that wait.
pub(super) struct Packets {
    socket: UdpSocket,
    on_all_addresses: bool,
    received: MultiHeaders<SockaddrStorage>,
    sent: MultiHeaders<SockaddrStorage>,
    queries: Box<[[u8; QUERY_OCTETS]; BATCH]>,
    askers: [Option<Asker>; BATCH],
    lengths: [usize; BATCH],
    replies: Box<[[u8; UDP_PAYLOAD as usize]; BATCH]>,
    /// Where the replies of a batch go.
    to: Vec<Option<SockaddrStorage>>,
}

/// What became of those that waited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Batch {
    /// How many there were.
    pub(super) count: usize,
    /// How many of them were passed over, since their clients had their share.
    pub(super) beyond: usize,
    /// How many replies the system did not take.
    pub(super) dropped: usize,
}

/// Whom a reply goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Asker {
    address: SockaddrStorage,
    /// Which address of this host it asked, where there is a choice.
    asked: Option<IpAddr>,
}

/// A socket that is bound, and is to say which of the addresses of this host a packet came to, where it is on all.
pub(super) struct Bound {
    socket: UdpSocket,
    on_all_addresses: bool,
    replier: Replier,
}

/// Sends replies that took longer, from the same socket.
#[derive(Debug, Clone)]
pub(super) struct Replier(Arc<UdpSocket>);

impl Replier {
    /// Sends one, if the system takes it at once; else the client asks again.
    pub(super) fn send(&self, reply: &[u8], to: &Asker) {
        if let Err(error) = send_from(&self.0, reply, Some(to)) {
            tracing::debug!(%error, "a DNS reply was dropped");
        }
    }
}

impl Bound {
    /// Prepares it.
    ///
    /// # Errors
    /// Whatever the system says.
    pub(super) fn new(socket: UdpSocket) -> io::Result<Bound> {
        let bound = socket.local_addr()?.ip();
        match bound {
            IpAddr::V4(_) => setsockopt(&socket, sockopt::Ipv4PacketInfo, &bound.is_unspecified())?,
            // Of what comes over IPv4 to a socket for both, it tells the mapped address.
            IpAddr::V6(_) => setsockopt(&socket, sockopt::Ipv6RecvPacketInfo, &bound.is_unspecified())?,
        }
        let replier = Replier(Arc::new(socket.try_clone()?));
        Ok(Bound { socket, on_all_addresses: bound.is_unspecified(), replier })
    }

    /// Who sends what takes longer.
    pub(super) fn replier(&self) -> Replier {
        self.replier.clone()
    }
}

impl Packets {
    /// Those of a socket. They stay on the thread that makes them.
    pub(super) fn new(Bound { socket, on_all_addresses, .. }: Bound) -> Packets {
        let said = on_all_addresses.then(|| cmsg_space!(libc::in6_pktinfo));
        Packets {
            socket,
            on_all_addresses,
            received: MultiHeaders::preallocate(BATCH, said),
            sent: MultiHeaders::preallocate(BATCH, None),
            queries: Box::new([[0; QUERY_OCTETS]; BATCH]),
            askers: [None; BATCH],
            lengths: [0; BATCH],
            replies: Box::new([[0; UDP_PAYLOAD as usize]; BATCH]),
            to: Vec::with_capacity(BATCH),
        }
    }

    /// The socket, to wait for it.
    pub(super) fn socket(&self) -> &UdpSocket {
        &self.socket
    }

    /// Takes those that wait, as many as fit in a batch, and answers each: `answer` is handed a query, who asked, and room for the reply, and says
    /// how long that is, if there is one.
    ///
    /// # Errors
    /// When nothing waits ([`io::ErrorKind::WouldBlock`]), and whatever else the system says.
    pub(super) fn answer(
        &mut self,
        mut answer: impl FnMut(&[u8], &Asker, SocketAddr, &mut [u8; UDP_PAYLOAD as usize]) -> Option<usize>,
    ) -> io::Result<Batch> {
        let count = self.receive()?;
        let clients: [Option<SocketAddr>; BATCH] = array::from_fn(|index| self.askers[index].and_then(|asker| plain(&asker.address)));
        // A full batch: more may wait.
        let within = if count == BATCH { within_share(&clients.map(|client| client.map(|client| client.ip()))) } else { [true; BATCH] };
        let (mut replies, mut beyond) = (0, 0);
        for index in 0..count {
            let (Some(asker), Some(from)) = (self.askers[index], clients[index]) else { continue };
            if !within[index] {
                beyond += 1;
                continue;
            }
            if let Some(length) = answer(&self.queries[index][..self.lengths[index]], &asker, from, &mut self.replies[replies]) {
                self.askers[replies] = Some(asker);
                self.lengths[replies] = length;
                replies += 1;
            }
        }
        Ok(Batch { count, beyond, dropped: self.send(replies) })
    }

    fn receive(&mut self) -> io::Result<usize> {
        let mut queries = self.queries.iter_mut();
        let mut parts: [_; BATCH] = array::from_fn(|_| [IoSliceMut::new(queries.next().expect("as many as a batch has"))]);
        let received = recvmmsg(self.socket.as_raw_fd(), &mut self.received, &mut parts, MsgFlags::MSG_DONTWAIT, None)?;
        let mut count = 0;
        for packet in received {
            let asked = if self.on_all_addresses { packet.cmsgs()?.find_map(asked) } else { None };
            self.askers[count] = packet.address.map(|address| Asker { address, asked });
            self.lengths[count] = packet.bytes;
            count += 1;
        }
        Ok(count)
    }

    /// Sends the first so many replies, and gives how many were dropped: a full socket drops a reply, as the network may, rather than hold up all others.
    /// The client asks again.
    fn send(&mut self, count: usize) -> usize {
        if self.on_all_addresses {
            let one = |index: usize| send_from(&self.socket, &self.replies[index][..self.lengths[index]], self.askers[index].as_ref());
            return (0..count).filter(|index| one(*index).is_err()).count();
        }
        let replies = &self.replies;
        let parts: [_; BATCH] = array::from_fn(|index| [IoSlice::new(&replies[index][..self.lengths[index]])]);
        self.to.clear();
        self.to.extend(self.askers[..count].iter().map(|asker| asker.map(|asker| asker.address)));
        let (mut at, mut dropped) = (0, 0);
        while at < count {
            match sendmmsg(self.socket.as_raw_fd(), &mut self.sent, &parts[at..count], &self.to[at..], [], MsgFlags::MSG_DONTWAIT) {
                Ok(sent) => at += sent.count().max(1),
                // It is about the first of them alone.
                Err(_) => (at, dropped) = (at + 1, dropped + 1),
            }
        }
        dropped
    }
}

/// Sends a reply from the address that was asked.
fn send_from(socket: &UdpSocket, reply: &[u8], to: Option<&Asker>) -> io::Result<usize> {
    let Some(Asker { address, asked }) = to else { return Err(io::ErrorKind::InvalidInput.into()) };
    let (socket, parts) = (socket.as_raw_fd(), [IoSlice::new(reply)]);
    let send = |said: &[ControlMessage<'_>]| Ok(sendmsg(socket, &parts, said, MsgFlags::MSG_DONTWAIT, Some(address))?);
    // Without an interface: the reply goes the way that all packets to the client go.
    match asked {
        None => send(&[]),
        Some(IpAddr::V4(ip)) => {
            let source = libc::in_addr { s_addr: u32::from(*ip).to_be() };
            send(&[ControlMessage::Ipv4PacketInfo(&libc::in_pktinfo { ipi_ifindex: 0, ipi_spec_dst: source, ipi_addr: source })])
        }
        Some(IpAddr::V6(ip)) => {
            let source = libc::in6_addr { s6_addr: ip.octets() };
            send(&[ControlMessage::Ipv6PacketInfo(&libc::in6_pktinfo { ipi6_addr: source, ipi6_ifindex: 0 })])
        }
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
