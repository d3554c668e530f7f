//! The sockets and their limits.
//!
//! UDP is answered by a thread on a socket of our own: hickory's server answers malformed responses, which lets two servers
//! talk to each other for ever, and starts a task for each packet without limit. TCP (RFC 7766) has a bound on
//! connections, which hickory's has not. Both go through the same handler.

use std::{
    future::Future,
    io,
    net::{SocketAddr, TcpListener as StdTcpListener, UdpSocket as StdUdpSocket},
    sync::Arc,
    time::Duration,
};

use hickory_server::net::xfer::Protocol;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinSet,
    time::{sleep, timeout},
};

use super::{
    forward::Forwarder,
    handler::{Handler, Said},
    reply::{self, HEADER},
    udp::Answering,
};
use crate::{catalog::Catalog, config::Names, metrics::DnsMetrics};

/// TCP connections at a time. At the limit the newest is closed.
const CONNECTIONS: usize = 256;
/// How long a TCP connection may take for its next query, or to take a reply, before it is closed.
const IDLE: Duration = Duration::from_secs(10);
/// The pause after a socket failed, so that a lasting failure does not eat a core.
const PAUSE: Duration = Duration::from_millis(100);
/// What the kernel may hold of queries that were not read yet, in octets.
const RECEIVE_BUFFER: usize = 2 * 1024 * 1024;
/// How often a pair of ports is tried for, where the system chooses.
const PORT_TRIES: usize = 16;

/// A DNS server whose sockets are bound and which does not answer yet.
pub struct DnsServer {
    udp: StdUdpSocket,
    tcp: StdTcpListener,
    handler: Handler,
    forwarder: Option<Arc<Forwarder>>,
    idle: Duration,
}

impl DnsServer {
    /// Binds UDP and TCP to the same address. Port 0 lets the system choose one that is free for both. On an unspecified address each
    /// question is answered from the address that was asked.
    ///
    /// # Errors
    /// Whatever the system says to either socket.
    pub fn bind(addr: SocketAddr, names: Names, catalog: Catalog, metrics: DnsMetrics) -> io::Result<DnsServer> {
        let (udp, tcp) = bind_both(addr)?;
        udp.set_nonblocking(true)?;
        tcp.set_nonblocking(true)?;
        let own = udp.local_addr()?;
        let forwarder = (!names.upstreams.is_empty()).then(|| Arc::new(Forwarder::new(&names.upstreams, own)));
        Ok(DnsServer { udp, tcp, handler: Handler::new(names, catalog, metrics), forwarder, idle: IDLE })
    }

    /// The address that both sockets are bound to.
    ///
    /// # Errors
    /// Whatever the system says.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.udp.local_addr()
    }

    /// Answers until `shutdown` is done, then closes all at once. Runs within a tokio runtime.
    ///
    /// # Errors
    /// When the sockets can't be handed to the runtime. What fails later is logged and tried again.
    pub async fn serve(self, shutdown: impl Future<Output = ()>) -> io::Result<()> {
        let tcp = TcpListener::from_std(self.tcp)?;
        let handler = Arc::new(self.handler);
        let udp = Answering::start(self.udp, Arc::clone(&handler), self.forwarder.clone())?;
        let answering = Arc::new(Answerer { handler, forwarder: self.forwarder });
        tokio::select! {
            () = accept_connections(&tcp, &answering, self.idle) => {}
            () = shutdown => {}
        }
        udp.end().await;
        Ok(())
    }
}

fn bind_both(addr: SocketAddr) -> io::Result<(StdUdpSocket, StdTcpListener)> {
    let mut tries = if addr.port() == 0 { PORT_TRIES } else { 1 };
    loop {
        tries -= 1;
        let udp = StdUdpSocket::bind(addr)?;
        // A larger buffer only helps; a kernel that gives less is no error.
        let _ = socket2::SockRef::from(&udp).set_recv_buffer_size(RECEIVE_BUFFER);
        match StdTcpListener::bind(udp.local_addr()?) {
            Ok(tcp) => return Ok((udp, tcp)),
            // The port that the system chose for UDP may be taken for TCP.
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && tries > 0 => {}
            Err(error) => return Err(error),
        }
    }
}

async fn accept_connections(listener: &TcpListener, answerer: &Arc<Answerer>, idle: Duration) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        let accepted = listener.accept().await;
        while connections.try_join_next().is_some() {}
        match accepted {
            Ok((stream, from)) => match Arc::clone(&places).try_acquire_owned() {
                Ok(place) => {
                    let answerer = Arc::clone(answerer);
                    connections.spawn(async move {
                        if let Err(error) = answer_connection(stream, from, &answerer, idle).await {
                            tracing::debug!(%error, %from, "a DNS connection ended");
                        }
                        drop(place);
                    });
                }
                Err(_) => tracing::debug!(%from, limit = CONNECTIONS, "a DNS connection was closed: too many are open"),
            },
            Err(error) => {
                tracing::warn!(%error, "accepting a DNS connection failed");
                sleep(PAUSE).await;
            }
        }
    }
}

/// Answers the queries of a connection in their order, until the client closes it, is idle or breaks the framing.
async fn answer_connection(stream: TcpStream, from: SocketAddr, answerer: &Answerer, idle: Duration) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    loop {
        let Some(message) = timeout(idle, read_message(&mut stream)).await?? else { return Ok(()) };
        if let Some(reply) = answerer.answer(message, from).await {
            let length = u16::try_from(reply.len()).expect("a message has at most 65,535 octets");
            // Length and message in one write (RFC 7766, 8).
            let framed = [&length.to_be_bytes()[..], &reply].concat();
            timeout(idle, stream.write_all(&framed)).await??;
        }
    }
}

/// Who answers what comes over TCP.
struct Answerer {
    handler: Arc<Handler>,
    forwarder: Option<Arc<Forwarder>>,
}

impl Answerer {
    async fn answer(&self, message: Vec<u8>, from: SocketAddr) -> Option<Vec<u8>> {
        let forwarding = self.forwarder.as_ref().map(|forwarder| (forwarder, message.clone()));
        match (self.handler.message(message, from, Protocol::Tcp), forwarding) {
            (Said::Reply(reply), _) => Some(reply),
            (Said::Elsewhere, Some((forwarder, message))) => match forwarder.place() {
                Some(place) => forwarder.ask(&message, true, place).await,
                None => Forwarder::no_answer(&message),
            },
            (Said::Elsewhere | Said::Nothing, _) => None,
        }
    }
}

/// The next message; `None` at the end of the stream.
async fn read_message(stream: &mut BufReader<TcpStream>) -> io::Result<Option<Vec<u8>>> {
    let length = match stream.read_u16().await {
        Ok(length) => usize::from(length),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    };
    if length < HEADER {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a message shorter than its header"));
    }
    let mut message = vec![0; length];
    stream.read_exact(&mut message).await?;
    Ok(Some(message))
}

/// The reply to one message, as its sender would get it. For those who feed it anything (`fuzz/`).
#[doc(hidden)]
pub fn reply_once(names: Names, catalog: Catalog, metrics: DnsMetrics, message: &[u8], over_udp: bool) -> Option<Vec<u8>> {
    let (handler, from) = (Handler::new(names, catalog, metrics), ([127, 0, 0, 1], 5353).into());
    let mut packet = [0; reply::UDP_PAYLOAD as usize];
    match over_udp {
        true => match handler.packet(message, from, &mut packet) {
            Said::Reply(length) => Some(packet[..length].to_vec()),
            Said::Nothing | Said::Elsewhere => None,
        },
        false => match handler.message(message.to_vec(), from, Protocol::Tcp) {
            Said::Reply(octets) => Some(octets),
            Said::Nothing | Said::Elsewhere => None,
        },
    }
}

#[cfg(test)]
mod tests;
