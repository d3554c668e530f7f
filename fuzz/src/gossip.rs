//! A core as an agent has it, with a peer that it knows: what both targets of gossip feed.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use foca::{Codec as _, Header, Message as FocaMessage};
use tidings::{
    core::{
        Core, Settings,
        io::{CommandId, Input, Output, StreamId},
        time::Moment,
    },
    keyring::{Key, Keyring},
    model::{
        Change, ClusterName, Command, Instance, InstanceId, Life, NodeId, NodeName, Protocol, Registration, ServiceName, StoreOp,
        encryption::Mode, node::NodeInfo,
    },
    wire::{
        Identity, body,
        codec::FocaCodec,
        envelope::{Carrier, ClusterTag, Envelope},
        limits,
        message::{
            Buckets, DigestBeacon, Graves, Have, Hello, Members, Message, Owners, Probe, ProbeAck, ProbeReport, ProbeRequest, Push, Refuse,
            Want, Watch, What, WireSlot, kind,
        },
        seal::{Nonce, Seal},
    },
};

/// The agent that is fed, and the peer that it knows. They are those whose traffic is in the corpus.
pub const HERE: NodeId = NodeId(1);
/// See [`HERE`].
pub const PEER: NodeId = NodeId(2);
/// Octets that may be in flight in one stream, and what one more answer may add.
/// What time the agent takes it to be when it starts.
const TIME: u32 = 1_000;
/// A time that is after all that a target lets pass: what bears it is recent.
pub const LATER: u32 = 1_000_000;

const IN_FLIGHT: usize = 256 * 1024 + 2 * limits::FRAME_OCTETS;

/// Where a node of these tests is.
pub fn address(node: NodeId) -> SocketAddr {
    ([10, 0, 0, node.0 as u8], 8746).into()
}

/// Somebody who is no member.
pub fn stranger() -> SocketAddr {
    ([192, 0, 2, 9], 4000).into()
}

fn identity(node: NodeId) -> Identity {
    Identity::new(address(node), node, Life { generation: 1, nonce: node.0 })
}

pub fn cluster() -> ClusterName {
    ClusterName::new("test").expect("a name")
}

/// A seal with a key.
pub fn seal() -> Seal {
    let key = Key::new("5".parse().expect("an id"), [7; 32]);
    Seal::new(Mode::Require, &Keyring::new(vec![key]).expect("one key"))
}

fn instance() -> Instance {
    Instance {
        id: InstanceId::new("web-1").expect("an id"),
        service: ServiceName::new("web").expect("a name"),
        addresses: vec![],
        port: 80,
        protocol: Protocol::Tcp,
        tags: vec![],
        meta: BTreeMap::new(),
        weight: 10,
    }
}

/// What came out for one input.
#[derive(Default)]
pub struct Said {
    pub datagrams: Vec<(SocketAddr, usize)>,
    /// Streams that it wants opened.
    pub connects: Vec<StreamId>,
    /// What it said by streams.
    pub frames: Vec<(StreamId, Vec<u8>)>,
    pub closed: Vec<StreamId>,
}

/// The core, and the world around it, in which a disk takes no time.
pub struct World {
    pub core: Core,
    pub now: Moment,
    in_flight: BTreeMap<StreamId, usize>,
    stopped: bool,
}

impl World {
    /// An agent that has an instance and knows one peer.
    pub fn new(seal: Seal) -> World {
        let info = NodeInfo {
            name: NodeName::new("n0").expect("a name"),
            addresses: vec![address(HERE).ip()],
            zone: None,
            meta: BTreeMap::new(),
            agent_version: "test".into(),
            wire_versions: (1, 1),
            left: false,
            grace_seconds: None,
            maintenance: None,
            encryption: Default::default(),
        };
        let core = Core::new(Settings {
            cluster: cluster(),
            node: HERE,
            life: Life { generation: 1, nonce: HERE.0 },
            address: address(HERE),
            info,
            seal: seal.clone(),
            seeds: 0,
            peers: vec![],
            members: vec![],
            records: BTreeMap::new(),
            graves: vec![],
            node_checks: Vec::new(),
            host_rebooted: false,
            random_seed: 1,
            reap_after: Duration::from_secs(60),
            seconds: TIME,
        });
        let mut world = World { core, now: Moment::default(), in_flight: BTreeMap::new(), stopped: false };
        world.core.start(world.now);
        world.carry_out();
        let command = Command::Register(Registration::plain(instance()));
        world.input(Input::Command { id: CommandId(1), command });
        world.pass(Duration::from_millis(50));
        let greeting = seal.close(Carrier::Datagram, greeting(), Nonce::new(TIME, [3; 8]), &[]);
        world.input(Input::Datagram { from: address(PEER), bytes: &greeting });
        assert!(world.core.life_of(PEER).is_some(), "the peer is a member");
        world.pass(Duration::from_secs(1));
        world
    }

    /// Something happens. Gives what follows at once.
    pub fn input(&mut self, input: Input<'_>) -> Said {
        self.core.handle(self.now, input);
        self.carry_out()
    }

    /// Time passes, and what is due is done.
    pub fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        // So many timers are due in a minute at most; more would be a loop.
        for _ in 0..10_000 {
            match self.core.poll_timeout().filter(|due| *due <= end) {
                None => {
                    self.now = end;
                    return;
                }
                Some(due) => {
                    self.now = due.max(self.now);
                    self.core.handle_timeout(self.now);
                    self.carry_out();
                }
            }
        }
        assert!(self.stopped, "the core is never done");
        self.now = end;
    }

    /// What was said by a stream is on its way.
    pub fn sent(&mut self, stream: StreamId) {
        let octets = self.in_flight.remove(&stream).unwrap_or_default();
        self.input(Input::Sent { stream, octets });
    }

    fn carry_out(&mut self) -> Said {
        let mut said = Said::default();
        let mut stored = Vec::new();
        loop {
            while let Some(output) = self.core.poll_output() {
                match output {
                    Output::Datagram { to, bytes } => {
                        assert!(bytes.len() <= limits::DATAGRAM_OCTETS, "a datagram of {} octets", bytes.len());
                        said.datagrams.push((to, bytes.len()));
                    }
                    Output::Connect { stream, .. } => said.connects.push(stream),
                    Output::Send { stream, bytes } => {
                        let in_flight = self.in_flight.entry(stream).or_default();
                        *in_flight += bytes.len();
                        assert!(*in_flight <= IN_FLIGHT, "{in_flight} octets in flight");
                        said.frames.push((stream, bytes));
                    }
                    Output::Close(stream) => {
                        self.in_flight.remove(&stream);
                        said.closed.push(stream);
                    }
                    Output::Store { ticket, ops } => {
                        ops.iter().for_each(keeps_what_is_ours);
                        stored.push(ticket);
                    }
                    Output::Change(change) => shows_what_is_ours(&change),
                    Output::Stop(_) => self.stopped = true,
                    Output::Event(tidings::core::io::Event::Internal(what)) => panic!("internal error: {what}"),
                    Output::Event(_) | Output::Answer { .. } | Output::Check(_) | Output::Resolve(_) => {}
                }
            }
            if stored.is_empty() {
                return said;
            }
            for ticket in stored.drain(..) {
                self.core.handle(self.now, Input::Stored { ticket, result: Ok(()) });
            }
        }
    }
}

/// Nothing that came from the network may remove what this node owns.
fn keeps_what_is_ours(op: &StoreOp) {
    assert!(!matches!(op, StoreOp::Delete(_)), "{op:?}");
}

fn shows_what_is_ours(change: &Change) {
    match change {
        Change::Node(node) if node.id == HERE => assert!(node.info.name.as_str() == "n0" && !node.info.left, "{node:?}"),
        Change::Instance { node: HERE, instance: shown, .. } => assert_eq!(**shown, instance()),
        Change::InstanceGone { node: HERE, .. } | Change::NodeGone(HERE) => panic!("{change:?}"),
        _ => {}
    }
}

/// What makes the peer a member: a packet of foca's.
fn greeting() -> Vec<u8> {
    let header = Header { src: identity(PEER), src_incarnation: 0, dst: identity(HERE), message: FocaMessage::Gossip };
    let mut packet = vec![];
    FocaCodec::new(identity(PEER)).0.encode_header(&header, &mut packet).expect("memory takes it");
    packet.extend(0_u16.to_be_bytes());
    datagram(kind::FOCA, &packet)
}

/// One message in a datagram of the cluster, not encrypted.
pub fn datagram(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut envelope = Envelope::new(Carrier::Datagram, ClusterTag::of(&cluster()));
    assert!(envelope.push(kind, body));
    envelope.into_bytes()
}

/// The peer knows something else than this agent, says its digest: it is asked by stream.
pub fn beacon() -> Vec<u8> {
    datagram(kind::DIGEST, &DigestBeacon { from: identity(PEER), digest: 99 }.to_bytes())
}

/// What can be read comes out again as it went in: envelopes octet by octet, messages as the same values.
pub fn comes_back(carrier: Carrier, bytes: &[u8]) {
    let Ok((cluster, messages)) = tidings::wire::envelope::open(carrier, bytes) else {
        return;
    };
    let mut again = Envelope::of(bytes[1], carrier, cluster);
    // What a sender leaves free for encryption a stranger may fill.
    if messages.iter().all(|(kind, body)| again.push(*kind, body)) {
        assert_eq!(again.into_bytes(), bytes);
    }
    for (kind, body) in messages {
        message_comes_back(kind, body);
    }
}

fn message_comes_back(kind: u8, body: &[u8]) {
    match kind {
        kind::DIGEST => same::<DigestBeacon>(body),
        kind::PUSH => {
            same::<Push>(body);
            if let Ok(Push { what: What::Definition { definition, status }, .. }) = Push::from_bytes(body) {
                record_comes_back(&definition, &status);
            }
        }
        kind::PROBE => same::<Probe>(body),
        kind::PROBE_ACK => same::<ProbeAck>(body),
        kind::PROBE_REQUEST => same::<ProbeRequest>(body),
        kind::PROBE_REPORT => same::<ProbeReport>(body),
        kind::HELLO => same::<Hello>(body),
        kind::REFUSE => same::<Refuse>(body),
        kind::BUCKETS => same::<Buckets>(body),
        kind::MEMBERS => same::<Members>(body),
        kind::GRAVES => same::<Graves>(body),
        kind::OWNERS => same::<Owners>(body),
        kind::WANT => same::<Want>(body),
        kind::HAVE => {
            same::<Have>(body);
            for (_, _, slot) in Have::from_bytes(body).map(|have| have.slots).unwrap_or_default() {
                if let WireSlot::Live { definition, status, .. } = slot {
                    record_comes_back(&definition, &status);
                }
            }
        }
        kind::WATCH => same::<Watch>(body),
        _ => {}
    }
}

fn same<M: Message + PartialEq + std::fmt::Debug>(body: &[u8]) {
    if let Ok(message) = M::from_bytes(body) {
        assert_eq!(M::from_bytes(&message.to_bytes()).as_ref(), Ok(&message));
    }
}

fn record_comes_back(definition: &[u8], status: &[u8]) {
    if let Ok(node) = body::decode_node(definition) {
        assert_eq!(body::decode_node(&body::encode_node(&node)), Ok(node));
    }
    if let Ok(instance) = body::decode_instance(&"a".into(), definition) {
        assert_eq!(body::decode_instance(&"a".into(), &body::encode_instance(&instance)), Ok(instance));
    }
    if let Ok(health) = body::decode_health(status) {
        assert_eq!(body::decode_health(&body::encode_health(&health)), Ok(health));
    }
}
