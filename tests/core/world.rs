//! A network of cores in virtual time: datagrams with delay and loss, streams in order, disks that take a moment.

#[path = "world/deeds.rs"]
mod deeds;
#[path = "world/past.rs"]
mod past;
#[path = "world/seen.rs"]
mod seen;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    net::SocketAddr,
    time::{Duration, SystemTime},
};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use tidings::{
    catalog::{Catalog, Publisher, select::held_back},
    core::{
        Core, Settings,
        counters::Counters,
        io::{CloseCause, CommandId, Event, Input, Output, StreamId, Ticket},
        meeting::{Cause, Copied},
        time::Moment,
    },
    model::{
        Check, ClusterName, Command, Instance, InstanceId, Life, MemberState, NodeId, NodeName, Protocol, Registration, Reply, ServiceName,
        Status, StoreOp, StoredGrave,
        node::NodeInfo,
        record::{Body, Key},
    },
};

const LATENCY: Duration = Duration::from_millis(1);
/// When an agent gives up connecting.
const CONNECTING_TAKES: Duration = Duration::from_secs(3);
const DISK: Duration = Duration::from_millis(1);

/// Shorter than in life, so that a test does not simulate days.
pub(super) const REAP_AFTER: Duration = Duration::from_secs(300);

pub(super) type Agent = usize;

enum Happening {
    Datagram {
        from: SocketAddr,
        bytes: Vec<u8>,
    },
    /// A connection comes to the host, which takes it whether or not the agent is held up.
    Connect {
        stream: StreamId,
        from: Agent,
        process: u64,
    },
    Accepted {
        stream: StreamId,
        from: SocketAddr,
    },
    Connected(StreamId),
    Received {
        stream: StreamId,
        bytes: Vec<u8>,
    },
    Sent {
        stream: StreamId,
        octets: usize,
    },
    Closed {
        stream: StreamId,
        cause: CloseCause,
    },
    Stored {
        ticket: Ticket,
        result: Result<(), String>,
    },
    Resolved {
        seed: usize,
        addresses: Vec<SocketAddr>,
    },
    Timeout,
}

struct Host {
    name: String,
    cluster: String,
    address: SocketAddr,
    seeds: Vec<String>,
    core: Option<Core>,
    publisher: Publisher,
    catalog: Catalog,
    /// Raised at each start: what was meant for an earlier process is lost.
    process: u64,
    due: Option<Moment>,
    /// The process gets no time before then. Its host goes on.
    held_up_until: Moment,
    disk: BTreeMap<Key, (Body, Body)>,
    /// What was handed to the disk and is not known to be on it: a loss of power leaves any beginning of it there.
    unsynced: VecDeque<(Ticket, Vec<StoreOp>)>,
    checks: Vec<Check>,
    peers: Vec<SocketAddr>,
    members: Vec<NodeId>,
    graves: Vec<StoredGrave>,
    generation: u32,
    life: Life,
    /// It does not run, though it has not ended: nothing reaches it, and its time goes on all the same.
    suspended: bool,
    /// Writes that were done meanwhile.
    stored_meanwhile: Vec<(Ticket, Result<(), String>)>,
    /// The other end of each open stream.
    streams: BTreeMap<StreamId, (Agent, StreamId)>,
    /// When the last that is on its way in each of them comes: what is sent later comes later.
    arrivals: BTreeMap<StreamId, Moment>,
    replies: BTreeMap<CommandId, (Reply, Moment)>,
    dropped: usize,
}

pub(super) struct World {
    pub(super) loss: f64,
    /// Segments of streams that are lost, and sent again a while later.
    pub(super) stream_loss: f64,
    /// Datagrams and segments lost so far.
    pub(super) lost: usize,
    pub(super) disk_fails: bool,
    /// What agents that start are told of their host.
    pub(super) host_rebooted: bool,
    pub(super) now: Moment,
    rng: StdRng,
    queue: BTreeMap<(Moment, u64), (Agent, u64, Happening)>,
    count: u64,
    hosts: Vec<Host>,
    apart: BTreeSet<Agent>,
    /// Hosts of which nothing is heard.
    dark: BTreeSet<Agent>,
    /// Hosts to and from which no datagrams go.
    without_datagrams: BTreeSet<Agent>,
    /// Pairs that can't reach each other.
    walls: BTreeSet<(Agent, Agent)>,
    events: Vec<(Agent, Event)>,
    stops: Vec<(Agent, Copied)>,
    /// Some agent runs on a disk of the past: only then may one find that peers know better.
    past_is_back: bool,
    commands: u64,
    streams: u64,
    sent: u64,
    /// Octets of IP (version 4) in datagrams.
    pub(super) octets: usize,
}

pub(super) fn instance(id: &str, service: &str) -> Instance {
    Instance {
        id: InstanceId::new(id).expect("an id"),
        service: ServiceName::new(service).expect("a name"),
        addresses: vec![],
        port: 80,
        protocol: Protocol::Tcp,
        tags: vec![],
        meta: BTreeMap::new(),
        weight: 10,
    }
}

impl World {
    pub(super) fn new(seed: u64) -> World {
        World {
            loss: 0.0,
            stream_loss: 0.0,
            lost: 0,
            disk_fails: false,
            host_rebooted: false,
            now: Moment::default(),
            rng: StdRng::seed_from_u64(seed),
            queue: BTreeMap::new(),
            count: 0,
            hosts: vec![],
            apart: BTreeSet::new(),
            dark: BTreeSet::new(),
            without_datagrams: BTreeSet::new(),
            walls: BTreeSet::new(),
            events: vec![],
            stops: vec![],
            past_is_back: false,
            commands: 0,
            streams: 0,
            sent: 0,
            octets: 0,
        }
    }

    pub(super) fn start(&mut self, name: &str, seeds: &[&str]) -> Agent {
        self.add("test", name, name, seeds)
    }

    pub(super) fn start_in(&mut self, cluster: &str, name: &str, seeds: &[&str]) -> Agent {
        self.add(cluster, name, name, seeds)
    }

    pub(super) fn start_named(&mut self, host: &str, name: &str, seeds: &[&str]) -> Agent {
        self.add("test", host, name, seeds)
    }

    /// `n0` to `n<size - 1>`, all joined by `n0`, and settled.
    pub(super) fn cluster(&mut self, size: usize) -> Vec<Agent> {
        let agents: Vec<Agent> = (0..size).map(|n| self.start(&format!("n{n}"), if n == 0 { &[] } else { &["n0"] })).collect();
        self.until(Duration::from_secs(30), |world| agents.iter().all(|a| world.nodes(*a).len() == size) && world.all_equal());
        agents
    }

    fn add(&mut self, cluster: &str, host: &str, name: &str, seeds: &[&str]) -> Agent {
        let agent = self.hosts.len();
        let address = SocketAddr::from(([10, 0, (agent / 250) as u8, (agent % 250 + 1) as u8], 8746));
        let node = NodeId(0x1000 + agent as u64 * 0x0101_0101);
        let (publisher, catalog) = Publisher::new(node);
        self.hosts.push(Host {
            name: host.into(),
            cluster: cluster.into(),
            address,
            seeds: seeds.iter().map(ToString::to_string).collect(),
            core: None,
            publisher,
            catalog,
            process: 0,
            due: None,
            held_up_until: Moment::default(),
            disk: BTreeMap::new(),
            unsynced: VecDeque::new(),
            checks: vec![],
            peers: vec![],
            members: vec![],
            graves: vec![],
            generation: 0,
            life: Life::default(),
            suspended: false,
            stored_meanwhile: vec![],
            streams: BTreeMap::new(),
            arrivals: BTreeMap::new(),
            replies: BTreeMap::new(),
            dropped: 0,
        });
        self.boot(agent, node, name);
        agent
    }

    fn boot(&mut self, agent: Agent, node: NodeId, name: &str) {
        let (random_seed, nonce) = (self.rng.random(), self.rng.random());
        let host = &mut self.hosts[agent];
        host.generation += 1;
        let life = Life { generation: host.generation, nonce };
        self.boot_as(agent, node, name, life, random_seed);
    }

    fn boot_as(&mut self, agent: Agent, node: NodeId, name: &str, life: Life, random_seed: u64) {
        let host = &mut self.hosts[agent];
        host.process += 1;
        host.life = life;
        let (publisher, catalog) = Publisher::new(node);
        (host.publisher, host.catalog, host.due) = (publisher, catalog, None);
        let mut core = Core::new(Settings {
            cluster: ClusterName::new(&host.cluster).expect("a name"),
            node,
            life,
            address: host.address,
            info: NodeInfo {
                name: NodeName::new(name).expect("a name"),
                addresses: vec![host.address.ip()],
                zone: None,
                meta: BTreeMap::new(),
                agent_version: "test".into(),
                wire_versions: (1, 1),
                left: false,
                grace_seconds: None,
                maintenance: None,
                encryption: Default::default(),
            },
            seal: Default::default(),
            seconds: 0,
            seeds: host.seeds.len(),
            peers: host.peers.clone(),
            members: host.members.clone(),
            records: host.disk.clone(),
            graves: host.graves.clone(),
            node_checks: host.checks.clone(),
            host_rebooted: self.host_rebooted,
            random_seed,
            reap_after: REAP_AFTER,
        });
        core.start(self.now);
        host.core = Some(core);
        self.carry_out(agent);
    }

    /// What an agent takes from its files at its next start.
    pub(super) fn submit(&mut self, agent: Agent, command: Command) -> CommandId {
        self.commands += 1;
        let id = CommandId(self.commands);
        let now = self.now;
        self.hosts[agent].core.as_mut().expect("runs").handle(now, Input::Command { id, command });
        self.carry_out(agent);
        id
    }

    pub(super) fn register(&mut self, agent: Agent, instance: Instance) {
        self.submit_and_wait(agent, Command::Register(Registration::plain(instance)), Duration::from_secs(1)).0.expect("is taken");
    }

    pub(super) fn submit_and_wait(&mut self, agent: Agent, command: Command, patience: Duration) -> (Reply, Duration) {
        let begun = self.now;
        let id = self.submit(agent, command);
        self.until(patience, |world| world.hosts[agent].replies.contains_key(&id));
        let (reply, at) = self.hosts[agent].replies.remove(&id).expect("waited for");
        (reply, at - begun)
    }

    /// The reply to a command, once it is there.
    pub(super) fn reply(&self, agent: Agent, id: CommandId) -> Option<&Reply> {
        self.hosts[agent].replies.get(&id).map(|(reply, _)| reply)
    }

    pub(super) fn random(&mut self, below: u32) -> u32 {
        self.rng.random_range(0..below)
    }

    /// How long it takes until everyone shows it.
    pub(super) fn register_and_wait(&mut self, agent: Agent, instance: Instance, patience: Duration) -> Duration {
        let (id, owner) = (instance.id.to_string(), self.hosts[agent].name.clone());
        self.register(agent, instance);
        let begun = self.now;
        self.until(patience, |world| world.running().all(|reader| world.shows(reader, &owner, &id)));
        self.now - begun
    }

    /// Lets so much time pass.
    pub(super) fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while self.queue.first_key_value().is_some_and(|((at, _), _)| *at <= end) {
            self.step();
        }
        self.now = end;
    }

    /// Lets time pass until a condition holds.
    pub(super) fn until(&mut self, patience: Duration, condition: impl Fn(&World) -> bool) {
        self.until_always(patience, |_| true, condition);
    }

    /// The same, and another one must hold at every step.
    pub(super) fn until_always(&mut self, patience: Duration, always: impl Fn(&World) -> bool, condition: impl Fn(&World) -> bool) {
        let end = self.now + patience;
        while !condition(self) {
            assert!(always(self), "what must always hold did not at {}", self.now);
            assert!(self.now <= end && !self.queue.is_empty(), "it did not come to be by {}; {}", self.now, self.differences());
            self.step();
        }
    }

    fn step(&mut self) {
        let ((at, number), (agent, process, happening)) = self.queue.pop_first().expect("something is due");
        self.now = at;
        if process != 0 && self.hosts[agent].process != process {
            return;
        }
        let host = &mut self.hosts[agent];
        if host.suspended {
            // Who connects waits for an answer.
            return match happening {
                Happening::Stored { ticket, result } => host.stored_meanwhile.push((ticket, result)),
                _ => host.due = None,
            };
        }
        if let Happening::Connect { stream, from, process } = happening {
            // Whoever wanted it may have ended meanwhile.
            if self.hosts[from].process == process && self.hosts[from].core.is_some() {
                self.connect(from, agent, stream);
            }
            return;
        }
        let held_up_until = self.hosts[agent].held_up_until;
        if held_up_until > at {
            // Its deadlines come first then, before it has read anything: nothing is harder on it.
            let behind = if matches!(happening, Happening::Timeout) { Duration::ZERO } else { Duration::from_micros(1) };
            self.queue.insert((held_up_until + behind, number), (agent, process, happening));
            return;
        }
        let host = &mut self.hosts[agent];
        let Some(core) = &mut host.core else {
            return;
        };
        match happening {
            Happening::Datagram { from, bytes } => core.handle(at, Input::Datagram { from, bytes: &bytes }),
            Happening::Accepted { stream, from } => core.handle(at, Input::Accepted { stream, from }),
            Happening::Connected(stream) => core.handle(at, Input::Connected(stream)),
            Happening::Received { stream, bytes } => {
                if host.streams.contains_key(&stream) {
                    core.handle(at, Input::Received { stream, bytes: &bytes });
                }
            }
            Happening::Sent { stream, octets } => core.handle(at, Input::Sent { stream, octets }),
            Happening::Closed { stream, cause } => {
                host.streams.remove(&stream);
                host.arrivals.remove(&stream);
                core.handle(at, Input::Closed { stream, cause, reason: format!("{cause:?}") });
            }
            Happening::Stored { ticket, result } => {
                core.handle(at, Input::Stored { ticket, result });
                while let Some((_, ops)) = host.unsynced.pop_front_if(|(of, _)| *of <= ticket) {
                    host.store(ops);
                }
            }
            Happening::Resolved { seed, addresses } => core.handle(at, Input::Resolved { seed, addresses }),
            Happening::Timeout => {
                if host.due.is_some_and(|due| due <= at) {
                    host.due = None;
                    core.handle_timeout(at);
                }
            }
            Happening::Connect { .. } => unreachable!("handled above"),
        }
        self.carry_out(agent);
    }

    fn at(&mut self, after: Duration, agent: Agent, happening: Happening) {
        self.count += 1;
        let process = self.hosts[agent].process;
        self.queue.insert((self.now + after, self.count), (agent, process, happening));
    }

    /// In a stream, behind what is on its way in it. What is lost is sent again after 0.2 s, then 0.4 s ...
    fn at_end_of(&mut self, stream: StreamId, agent: Agent, happening: Happening) {
        let after = LATENCY + self.sent_again_after(Duration::from_millis(200));
        let last = self.hosts[agent].arrivals.get(&stream).copied().unwrap_or_default();
        let at = last.max(self.now + after);
        self.hosts[agent].arrivals.insert(stream, at);
        self.at(at - self.now, agent, happening);
    }

    fn sent_again_after(&mut self, first: Duration) -> Duration {
        let (mut after, mut next) = (Duration::ZERO, first);
        while self.rng.random_bool(self.stream_loss) {
            self.lost += 1;
            after += next;
            next *= 2;
        }
        after
    }

    /// The host's doing, so it happens whichever process runs there.
    fn connect_to(&mut self, from: Agent, to: Agent, stream: StreamId) {
        // A segment that opens a stream is sent again after 1 s, then 2 s; it or its answer may be lost.
        let after = self.sent_again_after(Duration::from_secs(1)).max(self.sent_again_after(Duration::from_secs(1)));
        if after >= CONNECTING_TAKES {
            return self.at(CONNECTING_TAKES, from, Happening::Closed { stream, cause: CloseCause::TimedOut });
        }
        self.count += 1;
        let process = self.hosts[from].process;
        self.queue.insert((self.now + LATENCY + after, self.count), (to, 0, Happening::Connect { stream, from, process }));
    }

    fn by_address(&self, address: SocketAddr) -> Option<Agent> {
        self.hosts.iter().position(|host| host.address == address && host.core.is_some())
    }

    fn connect(&mut self, from: Agent, to: Agent, stream: StreamId) {
        if self.hosts[to].core.is_none() {
            return self.at(LATENCY, from, Happening::Closed { stream, cause: CloseCause::Refused });
        }
        self.streams += 1;
        let theirs = StreamId::accepted(self.streams);
        self.hosts[from].streams.insert(stream, (to, theirs));
        self.hosts[to].streams.insert(theirs, (from, stream));
        let address = self.hosts[from].address;
        self.at(Duration::ZERO, to, Happening::Accepted { stream: theirs, from: address });
        self.at(LATENCY, from, Happening::Connected(stream));
    }

    fn carry_out(&mut self, agent: Agent) {
        while let Some(output) = self.hosts[agent].core.as_mut().and_then(Core::poll_output) {
            self.sent += 1;
            match output {
                Output::Datagram { to, bytes } => {
                    self.octets += 28 + bytes.len();
                    let lost = self.rng.random_bool(self.loss);
                    self.lost += usize::from(lost);
                    if let Some(peer) = self.by_address(to)
                        && !lost
                        && !self.cut(agent, peer)
                        && [agent, peer].iter().all(|end| !self.without_datagrams.contains(end))
                    {
                        let from = self.hosts[agent].address;
                        let jitter = Duration::from_micros(self.rng.random_range(0..500));
                        self.at(LATENCY + jitter, peer, Happening::Datagram { from, bytes });
                    }
                }
                Output::Connect { stream, to } => match self.hosts.iter().position(|host| host.address == to) {
                    Some(peer) if self.cut(agent, peer) => {
                        self.at(CONNECTING_TAKES, agent, Happening::Closed { stream, cause: CloseCause::TimedOut });
                    }
                    Some(peer) => self.connect_to(agent, peer, stream),
                    None => self.at(LATENCY, agent, Happening::Closed { stream, cause: CloseCause::Refused }),
                },
                Output::Send { stream, bytes } => {
                    self.at(LATENCY, agent, Happening::Sent { stream, octets: bytes.len() });
                    if let Some((peer, theirs)) = self.hosts[agent].streams.get(&stream).copied()
                        && !self.cut(agent, peer)
                    {
                        self.at_end_of(theirs, peer, Happening::Received { stream: theirs, bytes });
                    }
                }
                Output::Close(stream) => {
                    if let Some((peer, theirs)) = self.hosts[agent].streams.remove(&stream)
                        && !self.cut(agent, peer)
                    {
                        self.at_end_of(theirs, peer, Happening::Closed { stream: theirs, cause: CloseCause::Ended });
                    }
                }
                Output::Resolve(seed) => {
                    let name = self.hosts[agent].seeds[seed].clone();
                    let found = self.hosts.iter().filter(|host| host.name == name).map(|host| host.address).collect();
                    self.at(LATENCY, agent, Happening::Resolved { seed, addresses: found });
                }
                Output::Store { ticket, ops } => {
                    let result = if self.disk_fails { Err("no space left on device".into()) } else { Ok(()) };
                    if result.is_ok() {
                        self.hosts[agent].unsynced.push_back((ticket, ops));
                    }
                    self.at(DISK, agent, Happening::Stored { ticket, result });
                }
                Output::Check(_) => {}
                Output::Change(change) => self.hosts[agent].publisher.publish([change], SystemTime::UNIX_EPOCH),
                Output::Answer { id, reply } => drop(self.hosts[agent].replies.insert(id, (reply, self.now))),
                Output::Event(event) => {
                    if matches!(event, Event::Dropped { .. } | Event::OtherVersion { .. }) {
                        self.hosts[agent].dropped += 1;
                    }
                    assert!(!matches!(event, Event::Internal(_)), "{event:?}");
                    if let Event::Climbed { cause, .. } = &event {
                        let forked = self.past_is_back || matches!(cause, Cause::Buried { .. });
                        assert!(forked, "{} takes another generation though it wrote one history: {event:?}", self.hosts[agent].name);
                    }
                    self.events.push((agent, event));
                }
                Output::Stop(copied) => {
                    self.stops.push((agent, copied));
                    self.end(agent);
                }
            }
        }
        let due = self.hosts[agent].core.as_ref().and_then(Core::poll_timeout);
        if let Some(due) = due
            && self.hosts[agent].due.is_none_or(|set| due < set)
        {
            self.hosts[agent].due = Some(due.max(self.now));
            self.at(due - self.now, agent, Happening::Timeout);
        }
    }

    pub(super) fn datagram_to(&mut self, agent: Agent, bytes: &[u8]) {
        let (now, from) = (self.now, SocketAddr::from(([10, 9, 9, 9], 1)));
        self.hosts[agent].core.as_mut().expect("runs").handle(now, Input::Datagram { from, bytes });
        self.carry_out(agent);
    }

    pub(super) fn half_open_stream_to(&mut self, agent: Agent) {
        self.streams += 1;
        let stream = StreamId::accepted(self.streams);
        self.hosts[agent].streams.insert(stream, (agent, stream));
        let (now, from) = (self.now, SocketAddr::from(([10, 9, 9, 9], 1)));
        self.hosts[agent].core.as_mut().expect("runs").handle(now, Input::Accepted { stream, from });
        self.carry_out(agent);
    }
}

impl Host {
    fn store(&mut self, ops: Vec<StoreOp>) {
        for op in ops {
            match op {
                StoreOp::Generation(generation) => self.generation = generation,
                StoreOp::Put { key, definition, status } => drop(self.disk.insert(key, (definition, status))),
                StoreOp::Delete(key) => drop(self.disk.remove(&key)),
                StoreOp::Status { key, status } => {
                    if let Some(record) = self.disk.get_mut(&key) {
                        record.1 = status;
                    }
                }
                StoreOp::Peers(peers) => self.peers = peers,
                StoreOp::Members(members) => self.members = members,
                StoreOp::Graves(graves) => self.graves = graves,
            }
        }
    }
}
