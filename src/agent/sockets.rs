//! The sockets of gossip.

use std::{io, net::SocketAddr};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, UdpSocket};

/// Connections that may wait to be taken.
const BACKLOG: i32 = 1_024;
/// What the kernel may hold of datagrams that were not read yet, in octets.
const RECEIVE_BUFFER: usize = 2 * 1024 * 1024;

/// The sockets of gossip, bound but not served yet.
pub(super) struct GossipSockets {
    pub(super) udp: UdpSocket,
    pub(super) tcp: TcpListener,
}

impl GossipSockets {
    /// Binds UDP and TCP to the same address. Port 0 takes one that is free for both. `[::]` is for both families, whatever the
    /// system's default is.
    ///
    /// # Errors
    /// When the address is taken or not of this host.
    pub(super) async fn bind(address: SocketAddr) -> io::Result<GossipSockets> {
        let tcp = socket(address, Type::STREAM, Protocol::TCP)?;
        // As in tokio: a restarted agent need not wait for connections of its last life to be over.
        tcp.set_reuse_address(true)?;
        tcp.bind(&address.into())?;
        tcp.listen(BACKLOG)?;
        let tcp = TcpListener::from_std(tcp.into())?;
        let udp = socket(address, Type::DGRAM, Protocol::UDP)?;
        udp.bind(&tcp.local_addr()?.into())?;
        let udp = UdpSocket::from_std(udp.into())?;
        // A larger buffer only helps; a kernel that gives less is no error.
        let _ = socket2::SockRef::from(&udp).set_recv_buffer_size(RECEIVE_BUFFER);
        Ok(GossipSockets { udp, tcp })
    }

    /// Where they are bound.
    ///
    /// # Errors
    /// As the system says.
    pub(super) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.udp.local_addr()
    }
}

fn socket(address: SocketAddr, kind: Type, protocol: Protocol) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), kind, Some(protocol))?;
    socket.set_nonblocking(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(!address.ip().is_unspecified())?;
    }
    Ok(socket)
}
