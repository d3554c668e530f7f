//! The sockets of gossip.

use std::{io, net::SocketAddr};

use tokio::net::{TcpListener, UdpSocket};

/// What the kernel may hold of datagrams that were not read yet, in octets.
const RECEIVE_BUFFER: usize = 2 * 1024 * 1024;

/// The sockets of gossip, bound but not served yet.
pub(super) struct GossipSockets {
    pub(super) udp: UdpSocket,
    pub(super) tcp: TcpListener,
}

impl GossipSockets {
    /// Binds UDP and TCP to the same address. Port 0 takes one that is free for both.
    ///
    /// # Errors
    /// When the address is taken or not of this host.
    pub(super) async fn bind(address: SocketAddr) -> io::Result<GossipSockets> {
        let tcp = TcpListener::bind(address).await?;
        let udp = UdpSocket::bind(tcp.local_addr()?).await?;
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
