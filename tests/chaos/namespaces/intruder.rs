//! Somebody who says again what was recorded on the way: to whom it was said or to others, from where it came or from elsewhere.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    io,
    net::{Ipv4Addr, SocketAddrV4},
    time::Duration,
};

use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpSocket, UdpSocket},
    sync::Mutex,
    task::JoinSet,
    time::{Instant, sleep, sleep_until, timeout},
};

use crate::{netns::host::Host, wires::Wires};

const DEVICE: &str = "eth0";
/// Between two that are said again.
const PAUSE: Duration = Duration::from_millis(1);
/// How long it waits for an answer, and stays behind its last octet.
const PATIENCE: Duration = Duration::from_secs(3);
const LINGERS: Duration = Duration::from_secs(4);

/// A host that bears any address it likes.
#[derive(Debug)]
pub(super) struct Intruder {
    host: Host,
    /// Held by who has it speak: it bears the addresses that one needs.
    turn: Mutex<()>,
}

/// All that is said again to one host.
#[derive(Debug)]
pub(super) struct Speech {
    pub(super) to: SocketAddrV4,
    /// The host's hardware address.
    pub(super) mac: String,
    pub(super) datagrams: Vec<(SocketAddrV4, Vec<u8>)>,
    pub(super) streams: Vec<(Ipv4Addr, Vec<u8>)>,
}

impl Intruder {
    /// One who stands on the way.
    pub(super) fn new(wires: &Wires) -> Result<Intruder, String> {
        let host = Host::new()?;
        wires.let_in(&host, DEVICE)?;
        host.run(&format!("ip link set {DEVICE} up"))?;
        Ok(Intruder { host, turn: Mutex::new(()) })
    }

    /// Says all of it, and tells how much of it was said.
    pub(super) async fn say(&self, speech: Speech) -> Result<usize, String> {
        let _turn = self.turn.lock().await;
        let Speech { to, mac, datagrams, streams } = speech;
        // Nobody takes what comes from where it is itself.
        let elsewhere = |from: &Ipv4Addr| from != to.ip();
        let sources =
            datagrams.iter().map(|(from, _)| from.ip()).chain(streams.iter().map(|(from, _)| from)).filter(|from| elsewhere(from));
        let mut script = format!("ip address flush dev {DEVICE}\n");
        for source in sources.collect::<BTreeSet<_>>() {
            let _ = writeln!(script, "ip address add {source}/32 dev {DEVICE}");
        }
        let _ = writeln!(script, "ip neighbour replace {} lladdr {mac} dev {DEVICE} nud permanent", to.ip());
        let _ = writeln!(script, "ip route replace {}/32 dev {DEVICE}", to.ip());
        self.host.run(&script)?;
        let failed = |error| format!("can't say again what was recorded: {error}");
        let mut said = 0;
        let mut sockets: BTreeMap<SocketAddrV4, UdpSocket> = BTreeMap::new();
        let mut due = Instant::now();
        let mut pause = async || {
            due += PAUSE;
            sleep_until(due).await;
        };
        for (from, octets) in datagrams.iter().filter(|(from, _)| elsewhere(from.ip())) {
            pause().await;
            if !sockets.contains_key(from) {
                sockets.insert(*from, self.socket(*from).await.map_err(failed)?);
            }
            // That nobody listens is no error.
            said += usize::from(sockets[from].send_to(octets, to).await.is_ok());
        }
        let mut open = JoinSet::new();
        for (from, octets) in streams.into_iter().filter(|(from, _)| elsewhere(from)) {
            pause().await;
            let socket = self.host.within(TcpSocket::new_v4).map_err(failed)?;
            socket.bind(SocketAddrV4::new(from, 0).into()).map_err(failed)?;
            open.spawn(async move {
                let Ok(Ok(mut stream)) = timeout(PATIENCE, socket.connect(to.into())).await else { return 0 };
                let was_taken = timeout(PATIENCE, stream.write_all(&octets)).await.is_ok_and(|written| written.is_ok());
                sleep(LINGERS).await;
                usize::from(was_taken)
            });
        }
        while let Some(taken) = open.join_next().await {
            said += taken.unwrap_or_default();
        }
        Ok(said)
    }

    /// One that sends from there. A port that was closed is not free yet while a program is being started.
    async fn socket(&self, from: SocketAddrV4) -> io::Result<UdpSocket> {
        let end = Instant::now() + PATIENCE;
        loop {
            match self.host.within(|| std::net::UdpSocket::bind(from)) {
                Err(error) if error.kind() == io::ErrorKind::AddrInUse && Instant::now() < end => sleep(PAUSE).await,
                bound => {
                    let socket = bound?;
                    socket.set_nonblocking(true)?;
                    return UdpSocket::from_std(socket);
                }
            }
        }
    }
}
