//! Somebody on the way to an agent: what comes at an address is recorded, and handed on to where the agent is. Answers go back.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream, UdpSocket,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    task::JoinSet,
};

/// What was recorded.
#[derive(Debug, Default, Clone)]
pub(crate) struct Recording {
    pub(crate) datagrams: Vec<Vec<u8>>,
    /// What the agent answered those by datagram.
    pub(crate) answers: Vec<Vec<u8>>,
    /// What those said by streams who had opened them.
    pub(crate) streams: Vec<Vec<u8>>,
    /// What the agent said in each of these.
    pub(crate) replies: Vec<Vec<u8>>,
}

/// Records until it is dropped.
#[derive(Debug)]
pub(crate) struct Recorder {
    recorded: Arc<Mutex<Recording>>,
    _tasks: JoinSet<()>,
}

impl Recorder {
    /// Listens at an address, for whoever is at another one.
    pub(crate) async fn on_the_way(at: SocketAddr, to: SocketAddr) -> Recorder {
        let recorded = Arc::new(Mutex::new(Recording::default()));
        let socket = Arc::new(UdpSocket::bind(at).await.expect("nobody is there"));
        let listener = TcpListener::bind(at).await.expect("nobody is there");
        let mut tasks = JoinSet::new();
        tasks.spawn(datagrams(socket, to, recorded.clone()));
        tasks.spawn(streams(listener, to, recorded.clone()));
        Recorder { recorded, _tasks: tasks }
    }

    /// What was recorded so far.
    pub(crate) fn recording(&self) -> Recording {
        lock(&self.recorded).clone()
    }
}

fn lock(recorded: &Mutex<Recording>) -> MutexGuard<'_, Recording> {
    recorded.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Each sender has a socket of its own towards the agent, so that answers find their way.
async fn datagrams(socket: Arc<UdpSocket>, to: SocketAddr, recorded: Arc<Mutex<Recording>>) {
    let mut ways: Vec<(SocketAddr, Arc<UdpSocket>)> = Vec::new();
    let mut answers = JoinSet::new();
    let mut buffer = vec![0; 65_536];
    while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
        lock(&recorded).datagrams.push(buffer[..length].to_vec());
        let known = ways.iter().find(|(peer, _)| *peer == from).map(|(_, way)| way.clone());
        let way = match known {
            Some(way) => way,
            None => {
                let way = Arc::new(UdpSocket::bind((to.ip(), 0)).await.expect("a port is free"));
                ways.push((from, way.clone()));
                answers.spawn(hand_back(way.clone(), socket.clone(), from, recorded.clone()));
                way
            }
        };
        // The agent may not be there.
        way.send_to(&buffer[..length], to).await.ok();
    }
}

async fn hand_back(way: Arc<UdpSocket>, socket: Arc<UdpSocket>, peer: SocketAddr, recorded: Arc<Mutex<Recording>>) {
    let mut buffer = vec![0; 65_536];
    loop {
        // An error is that of a datagram that was not taken.
        if let Ok((length, _)) = way.recv_from(&mut buffer).await {
            lock(&recorded).answers.push(buffer[..length].to_vec());
            socket.send_to(&buffer[..length], peer).await.ok();
        }
    }
}

async fn streams(listener: TcpListener, to: SocketAddr, recorded: Arc<Mutex<Recording>>) {
    let mut open = JoinSet::new();
    while let Ok((peer, _)) = listener.accept().await {
        let recorded = recorded.clone();
        open.spawn(async move {
            let Ok(agent) = TcpStream::connect(to).await else { return };
            let ((mut from_peer, mut to_peer), (mut from_agent, mut to_agent)) = (peer.into_split(), agent.into_split());
            let number = {
                let mut recorded = lock(&recorded);
                recorded.streams.push(Vec::new());
                recorded.replies.push(Vec::new());
                recorded.streams.len() - 1
            };
            let said = |octets: &[u8]| lock(&recorded).streams[number].extend_from_slice(octets);
            let replied = |octets: &[u8]| lock(&recorded).replies[number].extend_from_slice(octets);
            tokio::join!(hand_on(&mut from_peer, &mut to_agent, said), hand_on(&mut from_agent, &mut to_peer, replied));
        });
    }
}

/// Until one of the two has no more to do with it.
async fn hand_on(from: &mut OwnedReadHalf, to: &mut OwnedWriteHalf, record: impl Fn(&[u8])) {
    let mut buffer = vec![0; 65_536];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        record(&buffer[..length]);
        if to.write_all(&buffer[..length]).await.is_err() {
            break;
        }
    }
    to.shutdown().await.ok();
}
