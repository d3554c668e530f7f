//! What strangers do to the gossip port.

use std::{net::SocketAddr, time::Duration};

use cucumber::{given, then, when};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream, UdpSocket},
    time::timeout,
};

use tidings::{
    model::{ClusterName, Life, NodeId},
    wire::{
        HIGHEST_VERSION, Identity, LOWEST_VERSION,
        envelope::{Carrier, ClusterTag, Envelope},
        frame,
        message::{Digest, GraveEntry, Graves, Hello, Message as _, Standing, kind},
    },
};

use crate::features::{addresses::GOSSIP, wait::eventually, world::World};

/// Octets without sense, the same in each run (xorshift).
pub(super) fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    std::iter::repeat_with(next).take(length).collect()
}

#[when(regex = r"^(\d+) datagrams of noise reach (\w+)'s gossip port$")]
async fn datagrams(world: &mut World, count: u64, name: String) {
    let packets: Vec<Vec<u8>> = (0..count).map(|n| noise(n, (n % 1_400) as usize)).collect();
    send_all(world.agent(&name).gossip(), &packets).await;
}

#[when(regex = r"^(\d+) streams of noise reach (\w+)'s gossip port$")]
async fn streams(world: &mut World, count: u64, name: String) {
    for n in 0..count {
        stream(world.agent(&name).gossip(), &noise(n, 1 + (n * 97 % 4_000) as usize)).await;
    }
}

/// Listens where nobody is and keeps what a joining agent says there first.
#[given(regex = r"^someone who records what agents say$")]
async fn recorder(world: &mut World) {
    let address = (world.nobody(), GOSSIP);
    world.listeners.push(TcpListener::bind(address).await.expect("nobody is there"));
    world.sockets.push(UdpSocket::bind(address).await.expect("nobody is there"));
}

#[then(regex = r"^what (\w+) said (has|does not have) its name in it$")]
async fn said_name(world: &mut World, speaker: String, has: String) {
    let said = what_was_said(world, &speaker).await;
    let found = said.windows(speaker.len()).any(|octets| octets == speaker.as_bytes());
    assert_eq!(found, has == "has", "{speaker} said {said:?}");
}

#[when(regex = r"^(\w+) has said something and is killed$")]
async fn last_words(world: &mut World, speaker: String) {
    world.last_words = what_was_said(world, &speaker).await;
    world.agent_mut(&speaker).kill().await;
}

#[when(regex = r"^what \w+ said is sent to (\w+) cut short and with flipped bits$")]
async fn replayed(world: &mut World, victim: String) {
    let said = world.last_words.clone();
    let victim = world.agent(&victim).gossip();
    let cut = (1..said.len()).step_by(said.len().div_ceil(40)).map(|length| said[..length].to_vec());
    let flipped = (0..said.len()).step_by(said.len().div_ceil(40)).map(|index| {
        let mut octets = said.clone();
        octets[index] ^= 1 << (index % 8);
        octets
    });
    let mangled: Vec<Vec<u8>> = cut.chain(flipped).collect();
    send_all(victim, &mangled).await;
    for octets in &mangled {
        stream(victim, octets).await;
    }
}

/// What came first by a stream to the one who records last.
async fn what_was_said(world: &World, speaker: &str) -> Vec<u8> {
    let listener = world.listeners.last().expect("someone listens");
    eventually(&format!("{speaker} says something"), async || {
        let mut buffer = vec![0; 4_096];
        let heard = async {
            let (mut stream, _) = listener.accept().await?;
            stream.read(&mut buffer).await
        };
        match timeout(Duration::from_secs(5), heard).await {
            Ok(Ok(length)) if length > 0 => Ok(buffer[..length].to_vec()),
            other => Err(format!("{other:?}")),
        }
    })
    .await
}

async fn send_all(to: SocketAddr, packets: &[Vec<u8>]) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a port is free");
    for packet in packets {
        socket.send_to(packet, to).await.expect("a datagram can be sent");
        // Lets the receiver read: what its socket drops tests nothing.
        tokio::task::yield_now().await;
    }
}

/// Says something and hangs up. The agent may hang up first.
async fn stream(to: SocketAddr, octets: &[u8]) {
    let mut stream = TcpStream::connect(to).await.expect("the gossip port is open");
    stream.write_all(octets).await.ok();
    stream.shutdown().await.ok();
}

/// One that says hello as agents do. It goes on being silent, so it is soon taken for dead.
#[when(regex = r"^a peer tells (\w+) of (\d+) nodes that are not to come back$")]
async fn graves(world: &mut World, name: String, count: u64) {
    let cluster = ClusterName::new(&world.cluster()).expect("a name");
    let framed = |kind, body: &[u8]| {
        let mut envelope = Envelope::new(Carrier::Frame, ClusterTag::of(&cluster));
        assert!(envelope.push(kind, body), "it fits");
        frame::encode(&envelope.into_bytes())
    };
    let hello = Hello {
        cluster: cluster.to_string(),
        lowest: LOWEST_VERSION,
        highest: HIGHEST_VERSION,
        from: Identity::new((world.nobody(), GOSSIP).into(), NodeId(7), Life { generation: 1, nonce: 7 }),
        name: "peer".into(),
        digest: Digest::default(),
        standing: Standing::Member,
    };
    let mut said = framed(kind::HELLO, &hello.to_bytes());
    let graves: Vec<GraveEntry> =
        (0..count).map(|n| GraveEntry { node: (1_000 + n).to_be_bytes(), generation: 1, seconds: 40_000 + n as u32 }).collect();
    for graves in graves.chunks(512) {
        said.extend(framed(kind::GRAVES, &Graves { graves: graves.to_vec() }.to_bytes()));
    }
    let mut stream = TcpStream::connect(world.agent(&name).gossip()).await.expect("the gossip port is open");
    stream.write_all(&said).await.expect("the agent reads");
    world.streams.push(stream);
}

#[when(regex = r"^(\d+) connections to (\w+)'s gossip port stay open without a word$")]
async fn idle(world: &mut World, count: usize, name: String) {
    let to = world.agent(&name).gossip();
    for _ in 0..count {
        // Beyond its limit the agent may refuse, or let the connection wait.
        if let Ok(Ok(stream)) = timeout(Duration::from_secs(5), TcpStream::connect(to)).await {
            world.streams.push(stream);
        }
    }
    assert!(!world.streams.is_empty(), "not a single connection was taken");
}

#[when(regex = r"^a connection to (\w+)'s gossip port stops in the middle of a frame$")]
async fn half(world: &mut World, name: String) {
    let mut stream = TcpStream::connect(world.agent(&name).gossip()).await.expect("the gossip port is open");
    stream.write_all(&noise(1, 3)).await.expect("the agent reads");
    world.streams.push(stream);
}

#[then(regex = r"^(\w+) soon closes it$")]
async fn closed(world: &mut World, name: String) {
    let stream = world.streams.last().expect("the scenario opened a connection");
    eventually(&format!("{name} closes the connection"), async || if is_open(stream) { Err("it is open".to_owned()) } else { Ok(()) })
        .await;
}

fn is_open(stream: &TcpStream) -> bool {
    let mut octet = [0];
    loop {
        match stream.try_read(&mut octet) {
            Ok(0) => return false,
            Ok(_) => {}
            Err(error) => return error.kind() == std::io::ErrorKind::WouldBlock,
        }
    }
}

#[given(regex = r"^I count the lines of (\w+)'s log$")]
async fn count(world: &mut World, name: String) {
    let lines = world.agent(&name).log_text().lines().count();
    world.notes.insert(format!("{name}'s log"), lines.to_string());
}

#[then(regex = r"^(\w+)'s log has grown by at least (\d+) and at most (\d+) lines$")]
async fn grown(world: &mut World, name: String, least: usize, most: usize) {
    let before: usize = world.notes[&format!("{name}'s log")].parse().expect("a count was noted");
    let agent = world.agent(&name);
    let grown = eventually(&format!("{name}'s log grows by {least} lines"), async || {
        let grown = agent.log_text().lines().count() - before;
        if grown >= least { Ok(grown) } else { Err(format!("{grown} lines more")) }
    })
    .await;
    assert!(grown <= most, "{grown} lines more:\n{}", agent.log_tail(grown.min(40)));
}
