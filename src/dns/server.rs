//! The sockets and their limits.
//!
//! UDP is answered from one loop on a socket of our own: hickory's answers malformed responses, which lets two servers
//! talk to each other for ever, and starts a task for each packet without limit. TCP (RFC 7766) has a bound on
//! connections, which hickory's has not. Both go through the same [`RequestHandler`].

use std::{
    future::Future,
    io,
    net::{SocketAddr, TcpListener as StdTcpListener, UdpSocket as StdUdpSocket},
    sync::Arc,
    time::Duration,
};

use hickory_proto::op::ResponseCode;
use hickory_server::{
    net::{runtime::TokioTime, xfer::Protocol},
    server::{Request, RequestHandler},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinSet,
    time::{sleep, timeout},
};

use super::{
    handler::Handler,
    packets::{Asker, Packets},
    reply::{self, HEADER, Reply, count_at},
    tally::Asked,
};
use crate::{
    catalog::Catalog,
    metrics::{DnsMetrics, Stopwatch},
    model::Domain,
};

/// TCP connections at a time. At the limit the newest is closed.
const CONNECTIONS: usize = 256;
/// How long a TCP connection may take for its next query, or to take a reply, before it is closed.
const IDLE: Duration = Duration::from_secs(10);
/// Packets answered in a row before other tasks have their turn.
const BURST: usize = 64;
/// Octets of a UDP query that are read. Queries are far smaller; what is cut is malformed.
const QUERY_OCTETS: usize = 4_096;
/// The pause after a socket failed, so that a lasting failure does not eat a core.
const PAUSE: Duration = Duration::from_millis(100);
/// How often a pair of ports is tried for, where the system chooses.
const PORT_TRIES: usize = 16;

/// A DNS server whose sockets are bound and which does not answer yet.
pub struct DnsServer {
    udp: StdUdpSocket,
    tcp: StdTcpListener,
    handler: Handler,
    idle: Duration,
}

impl DnsServer {
    /// Binds UDP and TCP to the same address. Port 0 lets the system choose one that is free for both. On an unspecified address each
    /// question is answered from the address that was asked.
    ///
    /// # Errors
    /// Whatever the system says to either socket.
    pub fn bind(addr: SocketAddr, domain: Domain, catalog: Catalog, metrics: DnsMetrics) -> io::Result<DnsServer> {
        let (udp, tcp) = bind_both(addr)?;
        udp.set_nonblocking(true)?;
        tcp.set_nonblocking(true)?;
        Ok(DnsServer { udp, tcp, handler: Handler::new(domain, catalog, metrics), idle: IDLE })
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
        let udp = Packets::new(self.udp)?;
        let tcp = TcpListener::from_std(self.tcp)?;
        let handler = Arc::new(self.handler);
        tokio::select! {
            () = answer_packets(udp, &handler) => {}
            () = accept_connections(&tcp, &handler, self.idle) => {}
            () = shutdown => {}
        }
        Ok(())
    }
}

fn bind_both(addr: SocketAddr) -> io::Result<(StdUdpSocket, StdTcpListener)> {
    let mut tries = if addr.port() == 0 { PORT_TRIES } else { 1 };
    loop {
        tries -= 1;
        let udp = StdUdpSocket::bind(addr)?;
        match StdTcpListener::bind(udp.local_addr()?) {
            Ok(tcp) => return Ok((udp, tcp)),
            // The port that the system chose for UDP may be taken for TCP.
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && tries > 0 => {}
            Err(error) => return Err(error),
        }
    }
}

async fn answer_packets(mut packets: Packets, handler: &Handler) {
    let mut buffer = vec![0; QUERY_OCTETS];
    loop {
        let mut failure = packets.readable().await.err();
        for _ in 0..BURST {
            match packets.try_receive(&mut buffer) {
                Ok((length, asker)) => answer_packet(&packets, handler, &buffer[..length], asker).await,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => {
                    failure = Some(error);
                    break;
                }
            }
        }
        match failure {
            Some(error) => {
                tracing::warn!(%error, "receiving DNS queries over UDP failed");
                sleep(PAUSE).await;
            }
            None => tokio::task::yield_now().await,
        }
    }
}

async fn answer_packet(packets: &Packets, handler: &Handler, message: &[u8], asker: Asker) {
    let from = asker.address;
    // Nobody can be there: a forged packet.
    if from.port() == 0 {
        return;
    }
    if let Some(reply) = respond(handler, message.to_vec(), from, Protocol::Udp).await {
        // A full socket drops the reply, as the network may, rather than hold up all others. The client asks again.
        if let Err(error) = packets.try_send(&reply, asker) {
            tracing::debug!(%error, %from, "a DNS reply was dropped");
        }
    }
}

async fn accept_connections(listener: &TcpListener, handler: &Arc<Handler>, idle: Duration) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        let accepted = listener.accept().await;
        while connections.try_join_next().is_some() {}
        match accepted {
            Ok((stream, from)) => match Arc::clone(&places).try_acquire_owned() {
                Ok(place) => {
                    let handler = Arc::clone(handler);
                    connections.spawn(async move {
                        if let Err(error) = answer_connection(stream, from, &handler, idle).await {
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
async fn answer_connection(stream: TcpStream, from: SocketAddr, handler: &Handler, idle: Duration) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    loop {
        let Some(message) = timeout(idle, read_message(&mut stream)).await?? else { return Ok(()) };
        if let Some(reply) = respond(handler, message, from, Protocol::Tcp).await {
            let length = u16::try_from(reply.len()).expect("a message has at most 65,535 octets");
            // Length and message in one write (RFC 7766, 8).
            let framed = [&length.to_be_bytes()[..], &reply].concat();
            timeout(idle, stream.write_all(&framed)).await??;
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
pub async fn reply_once(domain: &Domain, catalog: &Catalog, metrics: &DnsMetrics, message: &[u8], over_udp: bool) -> Option<Vec<u8>> {
    let handler = Handler::new(domain.clone(), catalog.clone(), metrics.clone());
    let protocol = if over_udp { Protocol::Udp } else { Protocol::Tcp };
    respond(&handler, message.to_vec(), ([127, 0, 0, 1], 5353).into(), protocol).await
}

/// The reply to a message. A response gets none, however malformed, nor does what has no whole header: so no two
/// servers can be made to answer each other.
async fn respond(handler: &Handler, message: Vec<u8>, from: SocketAddr, protocol: Protocol) -> Option<Vec<u8>> {
    let begun = Stopwatch::start();
    let mut asked = Asked::default();
    let reply = reply_to(handler, message, from, protocol, &mut asked).await;
    handler.metrics.query(asked.kind, asked.result(reply.as_deref()), begun.elapsed());
    reply
}

async fn reply_to(handler: &Handler, message: Vec<u8>, from: SocketAddr, protocol: Protocol, asked: &mut Asked) -> Option<Vec<u8>> {
    let header: [u8; HEADER] = message.get(..HEADER)?.try_into().ok()?;
    if header[2] & 0x80 != 0 {
        return None;
    }
    // One question is all that is answered; more are not even read, as each takes memory.
    if count_at(&header, 4) <= 1
        && let Ok(request) = Request::from_bytes(message, from, protocol)
    {
        *asked = Asked::of(&request);
        let reply = Reply::to(&request);
        handler.handle_request::<_, TokioTime>(&request, reply.clone()).await;
        return reply.into_octets();
    }
    let query = header[2] & 0x78 == 0;
    reply::refusal(&header, if query { ResponseCode::FormErr } else { ResponseCode::NotImp })
}

#[cfg(test)]
mod tests;
