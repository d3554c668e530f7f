//! Two cores with a wire between them: each thing sent passes a hook, which hands on what arrives instead.

use std::{
    collections::{BTreeMap, VecDeque},
    net::SocketAddr,
    time::Duration,
};

use tidings::{
    core::{
        Core, Settings,
        io::{CloseCause, CommandId, Event, Input, Output, StreamId, Ticket},
        time::Moment,
    },
    model::{
        Change, ClusterName, Command, Instance, InstanceId, Life, NodeId, NodeName, Protocol, Registration, Reply, ServiceName, StoreOp,
        node::NodeInfo,
    },
    wire::Identity,
};

const LATENCY: Duration = Duration::from_millis(1);
const REAP_AFTER: Duration = Duration::from_secs(60);

/// What is on the wire: a datagram, or one frame of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Carried {
    Datagram(Vec<u8>),
    Frame(Vec<u8>),
}

enum Happening {
    Carried { stream: Option<StreamId>, bytes: Vec<u8> },
    Accepted(StreamId),
    Connected(StreamId),
    Closed(StreamId),
    Sent(StreamId, usize),
    Stored(Ticket),
}

pub(super) struct Pair {
    pub(super) now: Moment,
    pub(super) cores: [Core; 2],
    /// Everything else that came out since somebody looked.
    pub(super) changes: [Vec<Change>; 2],
    pub(super) stored: [Vec<StoreOp>; 2],
    pub(super) events: [Vec<Event>; 2],
    pub(super) connects: [Vec<SocketAddr>; 2],
    replies: BTreeMap<CommandId, Reply>,
    queue: VecDeque<(usize, Happening)>,
    /// The other end of each open stream.
    streams: BTreeMap<(usize, StreamId), StreamId>,
    count: u64,
}

pub(super) fn address(end: usize) -> SocketAddr {
    ([10, 0, 0, end as u8 + 1], 8746).into()
}

pub(super) fn node(end: usize) -> NodeId {
    NodeId(end as u64 + 1)
}

pub(super) fn instance(id: &str) -> Instance {
    Instance {
        id: InstanceId::new(id).expect("an id"),
        service: ServiceName::new("web").expect("a name"),
        addresses: vec![],
        port: 80,
        protocol: Protocol::Tcp,
        tags: vec![],
        meta: BTreeMap::new(),
        weight: 10,
    }
}

fn core(end: usize, seed: u64) -> Core {
    let name = format!("n{end}");
    let info = NodeInfo {
        name: NodeName::new(&name).expect("a name"),
        addresses: vec![address(end).ip()],
        zone: None,
        meta: BTreeMap::new(),
        agent_version: "test".into(),
        wire_versions: (1, 1),
        left: false,
        grace_seconds: None,
        maintenance: None,
        encryption: Default::default(),
    };
    Core::new(Settings {
        cluster: ClusterName::new("test").expect("a name"),
        node: node(end),
        life: Life { generation: 1, nonce: end as u64 + 1 },
        address: address(end),
        info,
        seal: Default::default(),
        seconds: 0,
        seeds: 0,
        members: vec![],
        peers: if end == 0 { vec![] } else { vec![address(0)] },
        records: BTreeMap::new(),
        graves: vec![],
        node_checks: Vec::new(),
        host_rebooted: false,
        random_seed: seed * 2 + end as u64,
        reap_after: REAP_AFTER,
    })
}

impl Pair {
    /// Two that have joined, each with an instance.
    pub(super) fn new(seed: u64) -> Pair {
        let mut pair = Pair {
            now: Moment::default(),
            cores: [core(0, seed), core(1, seed)],
            changes: Default::default(),
            stored: Default::default(),
            events: Default::default(),
            connects: Default::default(),
            replies: BTreeMap::new(),
            queue: VecDeque::new(),
            streams: BTreeMap::new(),
            count: 0,
        };
        for end in 0..2 {
            pair.cores[end].start(pair.now);
            pair.carry_out(end, &mut |_, carried| vec![carried]);
            assert!(pair.command(end, Command::Register(Registration::plain(instance("web-1")))).is_ok());
        }
        pair.run(Duration::from_secs(5));
        assert!(pair.are_equal(), "they joined");
        pair
    }

    pub(super) fn are_equal(&self) -> bool {
        self.cores[0].digest() == self.cores[1].digest()
    }

    pub(super) fn identity(&self, end: usize) -> Identity {
        self.cores[end].identity()
    }

    pub(super) fn run(&mut self, time: Duration) {
        self.run_through(time, &mut |_, carried| vec![carried]);
    }

    /// Lets so much time pass. The hook is given who sends and what, and gives what arrives.
    pub(super) fn run_through(&mut self, time: Duration, hook: &mut impl FnMut(usize, Carried) -> Vec<Carried>) {
        let end = self.now + time;
        while self.now < end {
            if self.queue.is_empty() {
                let due = self.cores.iter().filter_map(Core::poll_timeout).min().unwrap_or(end);
                self.now = due.clamp(self.now, end);
            } else {
                self.now = self.now + LATENCY;
            }
            for (to, happening) in std::mem::take(&mut self.queue) {
                self.happen(to, happening);
                self.carry_out(to, hook);
            }
            for at in 0..2 {
                if self.cores[at].poll_timeout().is_some_and(|due| due <= self.now) {
                    self.cores[at].handle_timeout(self.now);
                    self.carry_out(at, hook);
                }
            }
        }
    }

    pub(super) fn command(&mut self, end: usize, command: Command) -> Reply {
        self.count += 1;
        let id = CommandId(self.count);
        self.cores[end].handle(self.now, Input::Command { id, command });
        self.carry_out(end, &mut |_, carried| vec![carried]);
        self.run(Duration::from_millis(2));
        self.replies.remove(&id).expect("the disk is quick")
    }

    /// A datagram from the other one.
    pub(super) fn inject(&mut self, to: usize, bytes: &[u8]) {
        self.cores[to].handle(self.now, Input::Datagram { from: address(1 - to), bytes });
        self.carry_out(to, &mut |_, carried| vec![carried]);
    }

    /// A stream that nobody listens at, from the other one's address: what is said in it, and what is answered.
    pub(super) fn converse(&mut self, to: usize, pieces: &[Vec<u8>]) -> Vec<Vec<u8>> {
        self.count += 1;
        let stream = StreamId::accepted(self.count);
        self.cores[to].handle(self.now, Input::Accepted { stream, from: address(1 - to) });
        let mut said = vec![];
        for bytes in pieces {
            self.cores[to].handle(self.now, Input::Received { stream, bytes });
            self.carry_out(to, &mut |_, carried| {
                if let Carried::Frame(bytes) = &carried {
                    said.push(bytes.clone());
                }
                vec![carried]
            });
        }
        self.cores[to].handle(self.now, Input::Closed { stream, cause: CloseCause::Ended, reason: "closed".into() });
        self.carry_out(to, &mut |_, carried| vec![carried]);
        said
    }

    fn happen(&mut self, to: usize, happening: Happening) {
        let input = match &happening {
            Happening::Carried { stream: None, bytes } => Input::Datagram { from: address(1 - to), bytes },
            Happening::Carried { stream: Some(stream), bytes } if self.streams.contains_key(&(to, *stream)) => {
                Input::Received { stream: *stream, bytes }
            }
            Happening::Carried { .. } => return,
            Happening::Accepted(stream) => Input::Accepted { stream: *stream, from: address(1 - to) },
            Happening::Connected(stream) => Input::Connected(*stream),
            Happening::Closed(stream) => {
                self.streams.remove(&(to, *stream));
                Input::Closed { stream: *stream, cause: CloseCause::Ended, reason: "closed".into() }
            }
            Happening::Sent(stream, octets) => Input::Sent { stream: *stream, octets: *octets },
            Happening::Stored(ticket) => Input::Stored { ticket: *ticket, result: Ok(()) },
        };
        self.cores[to].handle(self.now, input);
    }

    fn carry_out(&mut self, end: usize, hook: &mut impl FnMut(usize, Carried) -> Vec<Carried>) {
        let peer = 1 - end;
        while let Some(output) = self.cores[end].poll_output() {
            match output {
                Output::Datagram { to, bytes } if to == address(peer) => {
                    for carried in hook(end, Carried::Datagram(bytes)) {
                        let (Carried::Datagram(bytes) | Carried::Frame(bytes)) = carried;
                        self.queue.push_back((peer, Happening::Carried { stream: None, bytes }));
                    }
                }
                Output::Datagram { .. } => {}
                Output::Connect { stream, to } => {
                    self.connects[end].push(to);
                    if to != address(peer) {
                        self.queue.push_back((end, Happening::Closed(stream)));
                        continue;
                    }
                    self.count += 1;
                    let theirs = StreamId::accepted(self.count);
                    self.streams.insert((end, stream), theirs);
                    self.streams.insert((peer, theirs), stream);
                    self.queue.push_back((peer, Happening::Accepted(theirs)));
                    self.queue.push_back((end, Happening::Connected(stream)));
                }
                Output::Send { stream, bytes } => {
                    let octets = bytes.len();
                    let theirs = self.streams.get(&(end, stream)).copied();
                    for carried in hook(end, Carried::Frame(bytes)) {
                        let (Carried::Datagram(bytes) | Carried::Frame(bytes)) = carried;
                        if theirs.is_some() {
                            self.queue.push_back((peer, Happening::Carried { stream: theirs, bytes }));
                        }
                    }
                    self.queue.push_back((end, Happening::Sent(stream, octets)));
                }
                Output::Close(stream) => {
                    if let Some(theirs) = self.streams.remove(&(end, stream)) {
                        self.queue.push_back((peer, Happening::Closed(theirs)));
                    }
                }
                Output::Resolve(_) => {}
                Output::Store { ticket, ops } => {
                    self.stored[end].extend(ops);
                    self.queue.push_back((end, Happening::Stored(ticket)));
                }
                Output::Check(_) => {}
                Output::Change(change) => self.changes[end].push(change),
                Output::Answer { id, reply } => drop(self.replies.insert(id, reply)),
                Output::Event(event) => self.events[end].push(event),
                Output::Stop(copied) => panic!("there is no copy: {copied}"),
            }
        }
    }
}
