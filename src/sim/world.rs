//! The clock, what is to happen, and the loop that lets it happen.

use std::{
    collections::BTreeMap,
    fmt,
    net::{IpAddr, SocketAddr},
    time::{Duration, SystemTime},
};

use rand::{SeedableRng as _, rngs::StdRng};

use super::{
    Conditions, Host, HostId, HostOptions, Mark, Power, Seen, Watcher,
    intruder::Intruder,
    network::Network,
    process::{Ends, Waiting},
    queue::Queue,
    story::{self, Line},
    tape::Fed,
    tcp::{Connection, Said, Step},
};
use crate::{
    core::{io::CommandId, time::Moment},
    keyring::Keys,
    model::{InstanceId, Reply},
};

/// Datagrams that a process reads before something else gets its turn, as the agent's shell has it.
const BURST: usize = 64;

/// Something that happens.
#[derive(Debug)]
pub(super) enum Happening {
    /// A datagram arrives where its receiver was when it was sent.
    Datagram { to: HostId, at: SocketAddr, from: SocketAddr, bytes: Vec<u8>, mark: Mark },
    /// An intruder opens a stream to a host, and says these.
    Intrusion { to: HostId, from: SocketAddr, frames: Vec<Said> },
    /// A timer of a process may be due.
    Timer(HostId, u64),
    /// The disk is done with what it was given first.
    Written(HostId, u64),
    /// A connection goes on.
    Stream(u64, Step),
    /// Something comes in at a process.
    Input(HostId, u64, Waiting),
    /// The checks of an instance run.
    Checks(HostId, u64, InstanceId),
}

/// A promise that was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// When.
    pub at: Moment,
    /// Who saw it.
    pub watcher: &'static str,
    /// Where.
    pub host: HostId,
    /// What it was.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}: {}", self.watcher, self.at, self.what)
    }
}

fn numbered(address: SocketAddr) -> (u128, u16) {
    let ip = match address.ip() {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().to_bits(),
        IpAddr::V6(ip) => ip.to_bits(),
    };
    (ip, address.port())
}

/// Hosts, their network, and their time.
pub struct World {
    pub(super) now: Moment,
    pub(super) rng: StdRng,
    pub(super) queue: Queue<Happening>,
    pub(super) hosts: Vec<Host>,
    /// Who has an address. As a number it is compared more quickly: each packet is looked up here.
    addresses: BTreeMap<(u128, u16), HostId>,
    /// The network.
    pub network: Network,
    pub(super) connections: BTreeMap<u64, Connection>,
    pub(super) connections_made: u64,
    pub(super) processes: u64,
    pub(super) keeps_tapes: bool,
    /// Whether a host has keys, or there are several clusters or versions: then somebody may hear what is not for him.
    pub(super) has_secrets: bool,
    /// Somebody on the way who records what is said.
    pub(super) intruder: Option<Intruder>,
    pub(super) commands: u64,
    pub(super) replies: BTreeMap<CommandId, (Reply, Moment)>,
    watchers: Vec<Box<dyn Watcher>>,
    violations: Vec<Violation>,
    story: Option<Vec<Line>>,
}

impl World {
    /// A world without hosts.
    pub fn new(seed: u64, conditions: Conditions) -> World {
        World {
            now: Moment::default(),
            rng: StdRng::seed_from_u64(seed),
            queue: Queue::new(),
            hosts: Vec::new(),
            addresses: BTreeMap::new(),
            network: Network::new(conditions),
            connections: BTreeMap::new(),
            connections_made: 0,
            processes: 0,
            keeps_tapes: false,
            has_secrets: false,
            intruder: None,
            commands: 0,
            replies: BTreeMap::new(),
            watchers: Vec::new(),
            violations: Vec::new(),
            story: None,
        }
    }

    /// Has somebody look on from now on.
    pub fn watch(&mut self, watcher: Box<dyn Watcher>) {
        self.watchers.push(watcher);
    }

    /// Has what happens from now on be told.
    pub fn keep_story(&mut self) {
        self.story.get_or_insert_default();
    }

    /// What was told until now, and not taken.
    pub fn take_story(&mut self) -> Vec<Line> {
        self.story.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Adds a line to the story, if one is kept.
    pub fn tell(&mut self, what: impl FnOnce() -> String) {
        let at = self.now;
        if let Some(lines) = &mut self.story {
            lines.push(Line { at, host: None, what: what() });
        }
    }

    /// Adds a host, on which nothing runs yet.
    pub fn add(&mut self, options: HostOptions) -> HostId {
        let id = HostId(self.hosts.len());
        let first = self.hosts.first().map_or(&options.cluster, |host| &host.options.cluster);
        self.has_secrets |= options.keys != Keys::default() || options.cluster != *first;
        self.give(options.address, id);
        self.hosts.push(Host::new(options));
        id
    }

    /// What time it is.
    pub fn now(&self) -> Moment {
        self.now
    }

    /// What time it is for people: virtual time begins with the epoch.
    pub fn wall_clock(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + self.now.since_start()
    }

    /// All hosts, by id.
    pub fn hosts(&self) -> impl ExactSizeIterator<Item = (HostId, &Host)> {
        self.hosts.iter().enumerate().map(|(id, host)| (HostId(id), host))
    }

    /// One host.
    pub fn host(&self, id: HostId) -> &Host {
        &self.hosts[id.0]
    }

    /// The same, to be changed. What is done to its process stays unseen; use the world's methods for that.
    pub fn host_mut(&mut self, id: HostId) -> &mut Host {
        &mut self.hosts[id.0]
    }

    /// The hosts on which a process runs.
    pub fn running(&self) -> impl Iterator<Item = HostId> {
        self.hosts().filter(|(_, host)| host.is_running()).map(|(id, _)| id)
    }

    /// How a command was answered, once it was, and when.
    pub fn reply(&self, command: CommandId) -> Option<&(Reply, Moment)> {
        self.replies.get(&command)
    }

    /// What those who look on found.
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// How many things happened, or are planned: the same for two runs that are the same.
    pub fn planned(&self) -> u64 {
        self.queue.planned()
    }

    /// When something happens next.
    pub fn next_at(&self) -> Option<Moment> {
        self.queue.next_at()
    }

    /// Lets time pass until then.
    pub fn run_until(&mut self, end: Moment) {
        while self.queue.next_at().is_some_and(|at| at <= end) {
            self.step();
        }
        self.now = self.now.max(end);
    }

    /// Lets so much time pass.
    pub fn run_for(&mut self, time: Duration) {
        self.run_until(self.now + time);
    }

    /// Lets the next thing happen; false where there is none.
    pub fn step(&mut self) -> bool {
        let Some((at, happening)) = self.queue.pop() else { return false };
        self.now = at;
        match happening {
            Happening::Datagram { to, at, from, bytes, mark } => self.on_datagram(to, at, from, bytes, mark),
            Happening::Intrusion { to, from, frames } => self.intrude(to, from, frames),
            Happening::Timer(host, process) => self.on_timer(host, process),
            Happening::Written(host, process) => self.on_written(host, process),
            Happening::Stream(id, step) => self.on_step(id, step),
            Happening::Input(host, process, input) => self.input(host, process, input),
            Happening::Checks(host, process, instance) => self.run_checks(host, process, &instance),
        }
        true
    }

    pub(super) fn plan(&mut self, after: Duration, happening: Happening) {
        self.queue.plan(self.now + after, happening);
    }

    pub(super) fn at_address(&self, address: SocketAddr) -> Option<HostId> {
        self.addresses.get(&numbered(address)).copied()
    }

    /// A host has an address from now on, and whoever had it has it no more.
    pub(super) fn give(&mut self, address: SocketAddr, host: HostId) {
        self.addresses.insert(numbered(address), host);
    }

    /// Nobody has an address any more.
    pub(super) fn withdraw(&mut self, address: SocketAddr) {
        self.addresses.remove(&numbered(address));
    }

    pub(super) fn number_of(&self, host: HostId) -> u64 {
        self.hosts[host.0].process.as_ref().map_or(0, |process| process.number)
    }

    fn on_datagram(&mut self, to: HostId, at: SocketAddr, from: SocketAddr, bytes: Vec<u8>, mark: Mark) {
        let host = &mut self.hosts[to.0];
        if host.power != Power::On || host.options.address != at {
            return;
        }
        let Some(process) = &mut host.process else { return };
        if process.paused {
            return process.inbox.keep(from, bytes, mark);
        }
        self.hear(to, from, bytes, &mark);
    }

    /// A process reads a datagram.
    fn hear(&mut self, id: HostId, from: SocketAddr, bytes: Vec<u8>, mark: &Mark) {
        let Some(process) = &mut self.hosts[id.0].process else { return };
        let before = process.core.taken();
        process.feed(self.now, Fed::Datagram { from, bytes });
        if process.core.taken() > before && self.has_secrets {
            self.note_taken(id, mark, None);
        }
        self.carry_out(id);
    }

    fn on_timer(&mut self, id: HostId, number: u64) {
        let now = self.now;
        let host = &mut self.hosts[id.0];
        let Some(process) = host.process.as_mut().filter(|process| process.number == number) else { return };
        if process.due != Some(now) {
            return;
        }
        process.due = None;
        if host.power != Power::On || process.paused {
            return;
        }
        process.feed(now, Fed::Timeout);
        self.carry_out(id);
    }

    /// Something comes in at a process, or waits until it reads.
    pub(super) fn input(&mut self, id: HostId, number: u64, input: Waiting) {
        let host = &mut self.hosts[id.0];
        let Some(process) = host.process.as_mut().filter(|process| process.number == number) else { return };
        if process.paused || host.power == Power::Frozen {
            return process.inbox.others.push_back(input);
        }
        self.take(id, input);
    }

    fn take(&mut self, id: HostId, input: Waiting) {
        let Some(process) = &mut self.hosts[id.0].process else { return };
        if input.stream().is_some_and(|stream| !process.streams.contains_key(&stream)) {
            return;
        }
        if let Waiting::Closed { stream, .. } = &input {
            process.streams.remove(stream);
        }
        let Waiting::Received { stream, bytes, mark, place } = &input else {
            process.feed(self.now, Fed::Other(input));
            return self.carry_out(id);
        };
        let (stream, octets, mark, place) = (*stream, bytes.len(), *mark, *place);
        let (at, before) = (process.streams.get(&stream).copied(), process.core.taken());
        process.feed(self.now, Fed::Other(input));
        if process.core.taken() > before && self.has_secrets {
            self.take_frame(id, at, &mark, place);
        }
        self.has_read(id, stream, octets);
        self.carry_out(id);
    }

    /// A process reads what has come while it did not, in the order in which the agent's shell does: datagrams first, in bursts,
    /// then one thing of another kind, and timers behind each.
    pub(super) fn catch_up(&mut self, id: HostId) {
        loop {
            let mut any = false;
            for _ in 0..BURST {
                let Some(process) = &mut self.hosts[id.0].process else { return };
                let Some((from, bytes, mark)) = process.inbox.next_datagram() else { break };
                any = true;
                self.hear(id, from, bytes, &mark);
            }
            let Some(process) = &mut self.hosts[id.0].process else { return };
            if !any && let Some(input) = process.inbox.others.pop_front() {
                any = true;
                self.take(id, input);
            }
            let Some(process) = &mut self.hosts[id.0].process else { return };
            if process.core.poll_timeout().is_some_and(|due| due <= process.clock(self.now)) {
                process.feed(self.now, Fed::Timeout);
                self.carry_out(id);
            }
            if !any {
                return;
            }
        }
    }

    /// Changes the network, so that those who look on know when a fault began and when it ended.
    pub fn change_network<T>(&mut self, change: impl FnOnce(&mut Network) -> T) -> T {
        self.show(HostId(0), &Seen::Network);
        let result = change(&mut self.network);
        self.show(HostId(0), &Seen::Network);
        result
    }

    /// Those who look on are shown something.
    pub(super) fn show(&mut self, host: HostId, seen: &Seen<'_>) {
        if self.story.is_some() {
            let line = story::line(self, host, seen);
            self.story.iter_mut().for_each(|lines| lines.extend(line.clone()));
        }
        if self.watchers.is_empty() {
            return;
        }
        let mut watchers = std::mem::take(&mut self.watchers);
        for watcher in &mut watchers {
            if let Err(what) = watcher.see(self, host, seen) {
                self.violations.push(Violation { at: self.now, watcher: watcher.name(), host, what });
            }
        }
        self.watchers = watchers;
    }

    /// Has everybody say what is not as it should be, now that nothing is to move any more.
    pub fn judge_rest(&mut self) {
        let mut watchers = std::mem::take(&mut self.watchers);
        for watcher in &mut watchers {
            if let Err(what) = watcher.at_rest(self) {
                self.violations.push(Violation { at: self.now, watcher: watcher.name(), host: HostId(0), what });
            }
        }
        self.watchers = watchers;
    }

    /// Whether an agent is kept out of its cluster: another one that runs bears its name, or it has no key that anybody there has.
    pub fn is_refused(&self, id: HostId) -> bool {
        if self.is_locked_out(id) {
            return true;
        }
        let host = &self.hosts[id.0];
        let same = |other: &Host| other.options.node_name == host.options.node_name && other.options.cluster == host.options.cluster;
        let is_known = host.process.as_ref().is_some_and(|process| process.catalog.load().nodes().len() > 1);
        !is_known && self.hosts().any(|(other, it)| other != id && it.is_running() && same(it))
    }

    /// Whether all agents of a cluster that run hold the same, by their own digests.
    pub fn all_agree(&self) -> bool {
        let mut firsts = Vec::new();
        self.running().filter(|id| !self.is_refused(*id)).all(|id| {
            let host = &self.hosts[id.0];
            let Some(digest) = host.process.as_ref().map(|process| process.core.digest()) else { return true };
            match firsts.iter().find(|(cluster, _)| *cluster == &host.options.cluster) {
                Some((_, first)) => *first == digest,
                None => {
                    firsts.push((&host.options.cluster, digest));
                    true
                }
            }
        })
    }

    pub(super) fn answered(&mut self, id: HostId, command: CommandId, reply: Reply) {
        let Some((asked, ends)) = self.hosts[id.0].process.as_mut().and_then(|process| process.commands.remove(&command)) else { return };
        self.show(id, &Seen::Answered { id: command, command: &asked, reply: &reply });
        let over = match ends {
            Ends::Never => false,
            Ends::WhenDone => reply.is_ok(),
            Ends::Always => true,
        };
        self.replies.insert(command, (reply, self.now));
        if over {
            self.end_process(id);
        }
    }
}
