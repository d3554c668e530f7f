//! The protocol, without I/O: membership on foca, records by owner, dissemination and sync.
//!
//! Drive it so: call [`Core::start`] once; then, whenever something happened, [`Core::handle`], and when its deadline is
//! reached [`Core::handle_timeout`]; after each call take every [`Output`] with [`Core::poll_output`], in order, and ask
//! [`Core::poll_timeout`] for the next deadline. Time and randomness are handed in: the same inputs at the same moments
//! give the same outputs.

mod admission;
mod answering;
mod burial;
mod climb;
mod configure;
mod conversation;
pub mod counters;
mod datagram;
mod detection;
pub mod detector;
pub mod digest;
mod dissemination;
mod exchange;
mod farewell;
mod forgetting;
pub mod graves;
mod health;
mod hello;
pub mod io;
mod itself;
mod join;
mod kept_out;
mod known;
pub mod meeting;
pub mod membership;
mod owner;
mod pack;
pub mod part;
mod push;
pub mod replica;
pub mod roster;
mod sealing;
mod settle;
mod shared_time;
mod sink;
pub mod slots;
mod stale;
mod sync;
#[cfg(test)]
mod testing;
pub mod time;
mod timers;
mod versions;
mod view;
mod warm;

use std::{
    collections::{BTreeMap, VecDeque},
    net::SocketAddr,
    time::Duration,
};

use rand::{RngExt as _, SeedableRng, rngs::StdRng};

use answering::Allowance;
use climb::Climbs;
use conversation::Conversation;
use counters::Counters;
use detector::Detector;
use dissemination::Dissemination;
use farewell::Farewell;
use graves::Graves;
use io::{Event, Input, Output, StreamId, Ticket};
use itself::Asking;
use join::Join;
use kept_out::KeptOut;
use known::Known;
use membership::{Effects, Membership};
use owner::{Pending, Registered};
use replica::{Replica, Shift};
use roster::Roster;
use sealing::Strand;
use settle::Settle;
use shared_time::SharedTime;
pub use shared_time::WINDOW;
use time::Moment;
use timers::{Timer, Timers};

use crate::{
    model::{
        Change, Check, ClusterName, InstanceId, Life, NodeId, Reply, StoredGrave,
        node::NodeInfo,
        record::{Body, Key},
    },
    wire::{
        Identity, Versions,
        envelope::ClusterTag,
        message::{Digest, kind},
        seal::Seal,
    },
};

/// How long a node that is down or left is remembered, unless something else is set: R.
pub const REAP_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// What the core is told at its start.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Agents of other clusters are refused.
    pub cluster: ClusterName,
    /// This node.
    pub node: NodeId,
    /// This life of it. Its generation is on disk already.
    pub life: Life,
    /// Where peers reach it.
    pub address: SocketAddr,
    /// How its gossip is encrypted.
    pub seal: Seal,
    /// What time it is about, in seconds, to seal with: it should be later than at any start before. What others say goes over it.
    pub seconds: u32,
    /// What it says of itself; it speaks the versions of the wire format that stand there.
    pub info: NodeInfo,
    /// How many seeds there are to resolve.
    pub seeds: usize,
    /// Where an earlier life knew peers.
    pub peers: Vec<SocketAddr>,
    /// The members that it knew to be there.
    pub members: Vec<NodeId>,
    /// The records of its instances, from disk.
    pub records: BTreeMap<Key, (Body, Body)>,
    /// Nodes that an earlier life had forgotten, from disk.
    pub graves: Vec<StoredGrave>,
    /// The checks of the node itself.
    pub node_checks: Vec<Check>,
    /// Whether the host started anew since the last life: what checks had found then is not trusted.
    pub host_rebooted: bool,
    /// Seeds its random numbers.
    pub random_seed: u64,
    /// How long a node that is down or left is remembered: R. Graves are kept for twice as long.
    pub reap_after: Duration,
}

/// The protocol's whole state.
pub struct Core {
    settings: Settings,
    /// Those that are spoken here: what the node's record says.
    versions: Versions,
    cluster: ClusterTag,
    rng: StdRng,
    membership: Membership,
    detector: Detector,
    /// In boxes: a third of the room in a tree is empty, and a cluster may have thousands of nodes.
    known: BTreeMap<NodeId, Box<Known>>,
    /// The digest over the records of all of them.
    owners: u64,
    /// The last version that a record of this node took.
    own_version: u64,
    graves: Graves,
    /// When they are to be written to disk next.
    graves_due: Option<Moment>,
    /// When somebody was last told that it is buried here.
    told_buried: Option<Moment>,
    climbs: Climbs,
    /// Who is being asked whether it speaks under our id, and when somebody last was.
    asking: Option<Asking>,
    asked: Option<Moment>,
    /// The last life under our id that answered and was behind ours.
    answered: Option<Life>,
    /// When a peer was last asked by stream what it holds of us.
    sighted: Option<Moment>,
    /// Another process goes on under our id, and this one has ended.
    halted: bool,
    dissemination: Dissemination,
    conversations: BTreeMap<StreamId, Conversation>,
    /// What may be sent for the datagram at hand; anything where there is none, or where it was encrypted.
    allowance: Option<Allowance>,
    /// The version of the datagram at hand, and of what answers it.
    read_in: u8,
    /// Of those streams that carried something encrypted.
    strands: BTreeMap<StreamId, Strand>,
    shared_time: SharedTime,
    streams: u64,
    /// Datagrams and frames of the own cluster that could be read.
    taken: u64,
    join: Join,
    roster: Roster,
    kept_out: KeptOut,
    farewell: Option<Farewell>,
    pending: VecDeque<Pending>,
    registered: BTreeMap<InstanceId, Registered>,
    tickets: u64,
    timers: Timers,
    ready: bool,
    /// When somebody else of the cluster was last heard.
    last_contact: Moment,
    /// When we last came back after we had been taken for dead.
    rejoined: Option<Moment>,
    settle: Settle,
    dirty: BTreeMap<NodeId, Shift>,
    counters: Counters,
    outputs: VecDeque<Output>,
    answers: Vec<(io::CommandId, Reply)>,
}

/// Outputs for which there is always room.
const OUTPUTS_KEPT: usize = 64;

impl Core {
    /// A core that has not begun.
    pub fn new(settings: Settings) -> Core {
        let mut rng = StdRng::seed_from_u64(settings.random_seed);
        let me = Identity::new(settings.address, settings.node, settings.life);
        let membership = Membership::new(me, &mut rng);
        let detector = Detector::new(me, &mut rng);
        Core {
            cluster: ClusterTag::of(&settings.cluster),
            versions: Versions::from(settings.info.wire_versions),
            shared_time: SharedTime::new(settings.seconds),
            join: Join::new(settings.seeds, &settings.peers, settings.address),
            roster: Roster::of(settings.members.clone()),
            settings,
            rng,
            membership,
            detector,
            known: BTreeMap::new(),
            owners: 0,
            own_version: 0,
            graves: Graves::default(),
            graves_due: None,
            told_buried: None,
            climbs: Climbs::default(),
            asking: None,
            asked: None,
            answered: None,
            sighted: None,
            halted: false,
            dissemination: Dissemination::default(),
            conversations: BTreeMap::new(),
            allowance: None,
            read_in: 0,
            strands: BTreeMap::new(),
            streams: 0,
            taken: 0,
            kept_out: KeptOut::default(),
            farewell: None,
            pending: VecDeque::new(),
            registered: BTreeMap::new(),
            tickets: 0,
            timers: Timers::default(),
            ready: false,
            last_contact: Moment::default(),
            rejoined: None,
            settle: Settle::default(),
            dirty: BTreeMap::new(),
            counters: Counters::default(),
            outputs: VecDeque::new(),
            answers: Vec::new(),
        }
    }

    /// Begins: stamps the records of this life and looks for peers.
    pub fn start(&mut self, now: Moment) {
        self.shared_time.go_on(now);
        self.last_contact = now;
        self.stamp_records();
        self.take_up_graves(now);
        self.timers.set(now + forgetting::REAP_EVERY, Timer::Reap);
        self.begin_join(now);
        self.finish();
    }

    /// Takes what happened.
    pub fn handle(&mut self, now: Moment, input: Input<'_>) {
        if self.halted {
            return;
        }
        self.shared_time.go_on(now);
        self.drop_what_is_stale(now);
        self.graves.expire(now);
        match input {
            Input::Datagram { from, bytes } => self.on_datagram(now, from, bytes),
            Input::Accepted { stream, from } => self.on_accepted(now, stream, from),
            Input::Connected(stream) => self.on_connected(now, stream),
            Input::Received { stream, bytes } => self.on_received(now, stream, bytes),
            Input::Sent { stream, octets } => self.on_sent(now, stream, octets),
            Input::Closed { stream, cause, reason } => {
                self.end_strand(stream);
                self.on_closed(now, stream, cause, &reason);
            }
            Input::Resolved { seed, addresses } => self.on_resolved(now, seed, addresses),
            Input::Seeds(seeds) => self.on_seeds(now, seeds),
            Input::Seal { seal, shown } => self.on_seal(now, seal, shown),
            Input::Command { id, command } => self.on_command(now, id, command),
            Input::Stored { ticket, result } => self.on_stored(now, ticket, result),
        }
        self.carry_out_detection(now);
        self.allowance = None;
        self.finish();
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Moment) {
        self.note_lateness(now);
        if self.halted {
            return;
        }
        self.shared_time.go_on(now);
        self.drop_what_is_stale(now);
        self.graves.expire(now);
        while let Some(timer) = self.timers.pop_due(now) {
            match timer {
                Timer::Foca(timer) => self.on_foca_timer(now, timer),
                Timer::Push => self.push(now),
                Timer::Settle => self.show_digest(now),
                Timer::Sync => self.sync_what_lacks(now),
                Timer::Join => self.look_for_peers(now),
                Timer::Peers => self.store_peers(),
                Timer::Roster => self.store_roster(now),
                Timer::Awaited => self.stop_awaiting(now),
                Timer::Conversation(stream) => self.check_conversation(now, stream),
                Timer::Farewell => self.end_farewell(),
                Timer::Grace(node) => self.end_grace(now, node),
                Timer::Reap => self.reap(now),
                Timer::Graves => self.write_graves(now),
                Timer::Climb => self.climb_after_all(now),
            }
        }
        self.detector.handle_timeout(now);
        self.carry_out_detection(now);
        self.finish();
    }

    /// The next thing to be done in the world.
    pub fn poll_output(&mut self) -> Option<Output> {
        let output = self.outputs.pop_front();
        match output {
            Some(Output::Close(stream)) => self.end_strand(stream),
            // A whole cluster may have been in it.
            None => self.outputs.shrink_to(OUTPUTS_KEPT),
            Some(_) => {}
        }
        output
    }

    /// When to call [`Core::handle_timeout`].
    pub fn poll_timeout(&self) -> Option<Moment> {
        [self.timers.next(), self.detector.poll_timeout()].into_iter().flatten().min().filter(|_| !self.halted)
    }

    /// Who this is now.
    pub fn identity(&self) -> Identity {
        self.membership.me()
    }

    /// The versions of the wire format that it speaks.
    pub fn versions(&self) -> Versions {
        self.versions
    }

    /// The last version that a record of this node took.
    pub fn own_version(&self) -> u64 {
        self.own_version
    }

    /// How many datagrams and frames were taken for what they say: they could be read, and are of the own cluster.
    pub fn taken(&self) -> u64 {
        self.taken
    }

    /// The life that a member has here, be it up or down.
    pub fn life_of(&self, node: NodeId) -> Option<Life> {
        self.membership.get(node).map(|member| member.identity.life())
    }

    /// What is held of a node's records, this one's included.
    pub fn replica(&self, node: NodeId) -> Option<&Replica> {
        self.known.get(&node).map(|known| &known.replica)
    }

    /// All that is held of nodes' records.
    pub fn replicas(&self) -> impl Iterator<Item = (NodeId, &Replica)> {
        self.known.iter().map(|(node, known)| (*node, &known.replica))
    }

    /// The digest of all that is known: two cores that agree on it hold the same.
    pub fn digest(&self) -> Digest {
        Digest { members: self.membership.digest(), owners: self.owners, graves: self.graves.digest() }
    }

    /// What is held of a node may have changed: so may the digest. It is asked for with each probe, so it is not made anew each time.
    fn recount(&mut self, node: NodeId) {
        if let Some(known) = self.known.get_mut(&node) {
            let contribution = known.contribution(node);
            let before = std::mem::replace(&mut known.counted, contribution);
            self.owners = self.owners.wrapping_sub(before).wrapping_add(contribution);
        }
    }

    fn finish(&mut self) {
        self.publish();
        self.become_ready_if_all_are_known();
        let answers = std::mem::take(&mut self.answers);
        self.outputs.extend(answers.into_iter().map(|(id, reply)| Output::Answer { id, reply }));
    }

    fn event(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    fn dropped(&mut self, from: SocketAddr, reason: &'static str) {
        debug_assert!(io::DROP_REASONS.contains(&reason), "{reason} is not in the list");
        self.event(Event::Dropped { from, reason });
    }

    fn ticket(&mut self) -> Ticket {
        self.tickets += 1;
        Ticket(self.tickets)
    }

    fn me(&self) -> NodeId {
        self.settings.node
    }

    fn jitter(&mut self, most: Duration) -> Duration {
        Duration::from_micros(self.rng.random_range(0..=most.as_micros() as u64))
    }

    /// Whether the cluster is told nothing of us any more.
    fn has_left(&self) -> bool {
        self.farewell.as_ref().is_some_and(|farewell| farewell.is_leave())
    }

    fn become_ready(&mut self) {
        if !self.ready {
            self.ready = true;
            self.outputs.push_back(Output::Change(Change::Ready(true)));
        }
    }

    fn on_foca_timer(&mut self, now: Moment, timer: foca::Timer<Identity>) {
        if self.has_left() {
            return;
        }
        let effects = self.membership.on_timer(timer);
        self.apply(now, effects);
    }

    /// Does what foca asked for.
    fn apply(&mut self, now: Moment, effects: Effects) {
        let transmissions = self.membership.transmissions();
        for (to, packet) in effects.packets {
            let mut envelope = self.datagram_for(to.node());
            envelope.push(kind::FOCA, &packet);
            self.dissemination.fill(now, &mut envelope, transmissions);
            self.send(to.address(), envelope);
        }
        for (timer, after) in effects.timers {
            let after = match timer {
                // Agents that started together are not to probe together for ever.
                foca::Timer::ProbeRandomMember(_) => after * 9 / 10 + self.jitter(after / 5),
                _ => after,
            };
            self.timers.set(now + after, Timer::Foca(timer));
        }
        if let Some(identity) = effects.rejoined {
            self.detector.rename(identity);
            self.rejoined = Some(now);
            self.counters.rejoins += 1;
            self.event(Event::Rejoined);
            self.look_for_peers_at(now + Duration::from_millis(10));
        }
        if !effects.changed.is_empty() {
            let changed = effects.changed.len();
            for node in effects.changed {
                self.on_member_changed(now, node);
            }
            self.pack_after(changed);
            self.changed(now);
            if self.membership.has_updates() {
                self.schedule_push(now);
            }
        }
        if let Some(target) = effects.probed {
            self.detector.on_foca_probe(now, target);
        }
        self.schedule_rest(now);
    }
}
