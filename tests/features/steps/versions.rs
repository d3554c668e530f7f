//! A peer that speaks versions of the wire format of its own.

use std::{net::SocketAddr, time::Duration};

use cucumber::{then, when};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpSocket,
    time::timeout,
};

use tidings::{
    model::{ClusterName, Life, NodeId},
    wire::{
        Identity,
        envelope::{self, Carrier, ClusterTag, Envelope},
        frame,
        message::{Digest, Hello, Message as _, Standing, kind},
    },
};

use crate::features::{addresses::GOSSIP, world::World};

/// How long an agent may take to answer. It closes what it does not answer.
const ANSWERS: Duration = Duration::from_secs(20);

/// In the lowest version that it speaks.
#[when(regex = r"^a peer that speaks versions (\d+) to (\d+) of the wire format says hello to (\w+)$")]
async fn hello(world: &mut World, lowest: u8, highest: u8, name: String) {
    world.notes.insert("the peer's versions".into(), format!("{lowest} {highest}"));
    let cluster = ClusterName::new(&world.cluster()).expect("a name");
    let hello = Hello {
        cluster: cluster.to_string(),
        lowest: lowest.into(),
        highest: highest.into(),
        from: Identity::new((world.nobody(), GOSSIP).into(), NodeId(7), Life { generation: 1, nonce: 7 }),
        name: "peer".into(),
        digest: Digest::default(),
        standing: Standing::Newcomer,
    };
    let mut envelope = Envelope::of(lowest, Carrier::Frame, ClusterTag::of(&cluster));
    assert!(envelope.push(kind::HELLO, &hello.to_bytes()), "it fits");
    say(world, &name, &frame::encode(&envelope.into_bytes())).await;
}

/// Octet by octet: this form is for ever.
#[when(regex = r"^the peer asks which versions (\w+) speaks(?: (\d+) times)?$")]
async fn asks(world: &mut World, name: String, times: String) {
    let versions = world.notes["the peer's versions"].clone();
    let [lowest, highest] = [0, 1].map(|at| versions.split(' ').nth(at).and_then(|text| text.parse::<u8>().ok()).expect("two numbers"));
    let [port_high, port_low] = GOSSIP.to_be_bytes();
    let said = [&prefix(world)[..], &[28, 0, 0, 0, 6, 0, lowest, 0, highest, port_high, port_low]].concat();
    for _ in 0..times.parse().unwrap_or(1) {
        say(world, &name, &said).await;
    }
}

/// The length of a frame with a message of six octets, and what each envelope of version 0 begins with.
fn prefix(world: &World) -> [u8; 11] {
    let [a, b, c, d] = ClusterTag::of(&ClusterName::new(&world.cluster()).expect("a name")).0.to_be_bytes();
    [0, 0, 0, 18, 0xd7, 0, 0, a, b, c, d]
}

/// Says something, and notes what the agent says until it closes the stream, or has said a whole frame.
async fn say(world: &mut World, name: &str, octets: &[u8]) {
    let socket = TcpSocket::new_v4().expect("a socket can be had");
    socket.bind(SocketAddr::from((world.nobody(), 0))).expect("a port is free");
    let mut stream = socket.connect(world.agent(name).gossip()).await.expect("the gossip port is open");
    stream.write_all(octets).await.expect("the agent reads");
    let mut answer = Vec::new();
    while frame_of(&answer).is_none() {
        match timeout(ANSWERS, stream.read_buf(&mut answer)).await.expect("it answers, or closes the stream") {
            Ok(1..) => {}
            // It may have been closed with something unread.
            Ok(0) | Err(_) => break,
        }
    }
    world.notes.insert("the answer".into(), answer.iter().map(|octet| format!("{octet:02x}")).collect());
}

fn frame_of(answer: &[u8]) -> Option<&[u8]> {
    let (length, rest) = answer.split_first_chunk::<4>()?;
    rest.get(..u32::from_be_bytes(*length) as usize)
}

fn answer(world: &World) -> Vec<u8> {
    let digits = &world.notes["the answer"];
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).expect("digits")).collect()
}

#[then(regex = r"^it is answered nothing$")]
async fn nothing(world: &mut World) {
    assert_eq!(world.notes["the answer"], "");
}

#[then(regex = r"^it is answered that those are (\d+) to (\d+), in the form of all versions$")]
async fn versions(world: &mut World, lowest: u8, highest: u8) {
    let [port_high, port_low] = GOSSIP.to_be_bytes();
    let expected = [&prefix(world)[..], &[28, 0, 0, 0, 6, 0, lowest, 0, highest, port_high, port_low]].concat();
    assert_eq!(answer(world), expected);
}

#[then(regex = r"^it is answered by a hello in version (\d+)$")]
async fn answered(world: &mut World, version: u8) {
    let answer = answer(world);
    let frame = frame_of(&answer).expect("a whole frame");
    let (_, messages) = envelope::open(Carrier::Frame, frame).expect("it can be read");
    assert_eq!((frame[1], messages[0].0), (version, kind::HELLO));
}
