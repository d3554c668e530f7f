//! Streams on behalf of the core: opened, read, written and closed by tasks of their own.

use std::{collections::BTreeMap, io, net::SocketAddr, time::Duration};

use tokio::{
    io::AsyncWriteExt as _,
    net::{
        TcpSocket, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::mpsc,
    task::AbortHandle,
    time::timeout,
};

use crate::core::io::{CloseCause, StreamId};

/// Events that may wait for the gossip loop. Readers wait when it is full, and so do the peers behind them.
const EVENTS: usize = 256;
/// Octets read at once.
const PIECE: usize = 16 * 1024;
/// How long a connection may take to open, and what is left to be sent after a close.
const PATIENCE: Duration = Duration::from_secs(3);

/// What happened to a stream.
#[derive(Debug)]
pub(super) enum StreamEvent {
    /// It is open.
    Connected,
    /// Octets came.
    Received(Vec<u8>),
    /// So many octets were handed to the network.
    Sent(usize),
    /// It could not be opened, broke, or the peer closed it.
    Closed(End),
}

/// Why a stream is over.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct End {
    /// As far as the network tells.
    pub(super) cause: CloseCause,
    /// For people.
    pub(super) reason: String,
}

impl End {
    fn new(cause: CloseCause, reason: &str) -> End {
        End { cause, reason: reason.into() }
    }
}

impl From<io::Error> for End {
    fn from(error: io::Error) -> End {
        let cause = match error.kind() {
            io::ErrorKind::ConnectionRefused => CloseCause::Refused,
            io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe => CloseCause::Ended,
            io::ErrorKind::TimedOut => CloseCause::TimedOut,
            io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable | io::ErrorKind::NetworkDown => CloseCause::Unreachable,
            _ => CloseCause::Other,
        };
        End { cause, reason: error.to_string() }
    }
}

/// All streams that the core knows of.
pub(super) struct Streams {
    open: BTreeMap<StreamId, Handle>,
    events: mpsc::Sender<(StreamId, StreamEvent)>,
    /// Where ours start from, so that peers see the address that they know.
    source: SocketAddr,
}

struct Handle {
    /// Bounded by the core, which waits for [`StreamEvent::Sent`]. Dropped to close the stream behind what is in it.
    outgoing: mpsc::UnboundedSender<Vec<u8>>,
    reader: AbortHandle,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

impl Streams {
    /// No streams, and where their events will come from.
    pub(super) fn new(gossip: SocketAddr) -> (Streams, mpsc::Receiver<(StreamId, StreamEvent)>) {
        let (events, receiver) = mpsc::channel(EVENTS);
        (Streams { open: BTreeMap::new(), events, source: SocketAddr::new(gossip.ip(), 0) }, receiver)
    }

    /// Whether events of a stream are still of interest.
    pub(super) fn is_open(&self, stream: StreamId) -> bool {
        self.open.contains_key(&stream)
    }

    /// How many are open.
    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    /// Serves a stream that a peer opened.
    pub(super) fn accept(&mut self, stream: StreamId, tcp: TcpStream) {
        let (outgoing, queue) = mpsc::unbounded_channel();
        let events = self.events.clone();
        let reader = tokio::spawn(serve(stream, tcp, queue, events)).abort_handle();
        self.open.insert(stream, Handle { outgoing, reader });
    }

    /// Opens a stream.
    pub(super) fn connect(&mut self, stream: StreamId, to: SocketAddr) {
        let (outgoing, queue) = mpsc::unbounded_channel();
        let (events, source) = (self.events.clone(), self.source);
        let opening = async move {
            let end = match timeout(PATIENCE, open(source, to)).await {
                Ok(Ok(tcp)) => {
                    if events.send((stream, StreamEvent::Connected)).await.is_ok() {
                        serve(stream, tcp, queue, events).await;
                    }
                    return;
                }
                Ok(Err(error)) => End::from(error),
                Err(_) => End::new(CloseCause::TimedOut, "connecting took too long"),
            };
            let _ = events.send((stream, StreamEvent::Closed(end))).await;
        };
        let reader = tokio::spawn(opening).abort_handle();
        self.open.insert(stream, Handle { outgoing, reader });
    }

    /// Sends by a stream, in order.
    pub(super) fn send(&mut self, stream: StreamId, bytes: Vec<u8>) {
        if let Some(handle) = self.open.get(&stream) {
            // A writer that ended has said so by an event.
            let _ = handle.outgoing.send(bytes);
        }
    }

    /// Closes a stream when all that was given to it is sent.
    pub(super) fn close(&mut self, stream: StreamId) {
        self.open.remove(&stream);
    }
}

async fn open(source: SocketAddr, to: SocketAddr) -> io::Result<TcpStream> {
    let socket = if to.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if !source.ip().is_unspecified() && source.is_ipv4() == to.is_ipv4() {
        socket.bind(source)?;
    }
    socket.connect(to).await
}

/// Reads until the end; the writing half has a task of its own, which outlives an aborted reader to flush.
async fn serve(stream: StreamId, tcp: TcpStream, queue: mpsc::UnboundedReceiver<Vec<u8>>, events: mpsc::Sender<(StreamId, StreamEvent)>) {
    // Messages are whole when they are written: waiting for more only delays them.
    let _ = tcp.set_nodelay(true);
    let (read, write) = tcp.into_split();
    tokio::spawn(write_all(stream, write, queue, events.clone()));
    let end = read_all(stream, read, &events).await;
    let _ = events.send((stream, StreamEvent::Closed(end))).await;
}

async fn read_all(stream: StreamId, read: OwnedReadHalf, events: &mpsc::Sender<(StreamId, StreamEvent)>) -> End {
    loop {
        if let Err(error) = read.readable().await {
            return End::from(error);
        }
        // Some streams lie idle for days: only one with something to read has a buffer.
        let mut piece = vec![0; PIECE];
        loop {
            match read.try_read(&mut piece) {
                Ok(0) => return End::new(CloseCause::Ended, "the peer closed the stream"),
                Ok(length) => {
                    if events.send((stream, StreamEvent::Received(piece[..length].to_vec()))).await.is_err() {
                        return End::new(CloseCause::Other, "the agent is stopping");
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return End::from(error),
            }
        }
    }
}

async fn write_all(
    stream: StreamId,
    mut write: OwnedWriteHalf,
    mut queue: mpsc::UnboundedReceiver<Vec<u8>>,
    events: mpsc::Sender<(StreamId, StreamEvent)>,
) {
    while let Some(bytes) = queue.recv().await {
        // A peer that takes nothing must not hold what is left for ever; one that takes little is the core's to judge.
        match timeout(10 * PATIENCE, write.write_all(&bytes)).await {
            Ok(Ok(())) => {
                // With a closed queue the core is done with the stream and wants to hear no more of it.
                if !queue.is_closed() && events.send((stream, StreamEvent::Sent(bytes.len()))).await.is_err() {
                    return;
                }
            }
            Ok(Err(_)) | Err(_) => return,
        }
    }
    let _ = timeout(PATIENCE, write.shutdown()).await;
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    const LOOPBACK: ([u8; 4], u16) = ([127, 0, 0, 1], 0);

    async fn listener() -> (TcpListener, SocketAddr) {
        let listener = TcpListener::bind(SocketAddr::from(LOOPBACK)).await.unwrap();
        let address = listener.local_addr().unwrap();
        (listener, address)
    }

    async fn end_of(events: &mut mpsc::Receiver<(StreamId, StreamEvent)>) -> CloseCause {
        loop {
            if let (_, StreamEvent::Closed(End { cause, .. })) = events.recv().await.unwrap() {
                return cause;
            }
        }
    }

    #[tokio::test]
    async fn the_end_of_a_stream_tells_a_closed_port_from_a_peer_that_ended() {
        let (mut streams, mut events) = Streams::new(LOOPBACK.into());
        let (listener, address) = listener().await;
        streams.connect(StreamId(1), address);
        let (mut peer, _) = listener.accept().await.unwrap();
        peer.write_all(b"a word").await.unwrap();
        drop(peer);
        assert_eq!(end_of(&mut events).await, CloseCause::Ended);
        streams.connect(StreamId(2), address);
        let (peer, _) = listener.accept().await.unwrap();
        peer.set_zero_linger().unwrap();
        drop(peer);
        assert_eq!(end_of(&mut events).await, CloseCause::Ended, "a reset is an end, too");
        drop(listener);
        streams.connect(StreamId(3), address);
        assert_eq!(end_of(&mut events).await, CloseCause::Refused);
    }
}
