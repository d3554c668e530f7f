//! The one foca instance, and what it says of the members.
//!
//! foca holds the list of members, has one at random probed now and then, and spreads what it knows. Whether a probe has failed is
//! not for foca to say: the detector probes and judges, and foca is told of its verdicts only. Everything that foca does comes out of here as
//! values: packets, timers, and which members changed.

use std::{
    collections::{BTreeMap, BTreeSet},
    num::{NonZeroU8, NonZeroUsize},
    time::Duration,
};

use foca::{Foca, Member, NoCustomBroadcast, State, Timer};
use rand::{
    RngExt as _, SeedableRng,
    rngs::{SmallRng, StdRng},
};

use super::{counters::MembershipCounters, digest, pack::pack, sink::Sink};
use crate::{
    model::NodeId,
    wire::{
        Identity,
        codec::{FocaCodec, Tap, state_from_wire, state_to_wire},
        limits,
        message::MemberEntry,
    },
};

/// How often a random member is probed. It is a cross-check, and its answer brings the digest of somebody at random: those that
/// must not be missed are probed by the detector on its own.
const PROBE_PERIOD: Duration = Duration::from_secs(6);
/// When foca would have others probe in our place, and a probe is ended instead.
const PROBE_RTT: Duration = Duration::from_secs(1);
/// How long one has to refute whom somebody else's foca suspects.
const SUSPICION: Duration = Duration::from_secs(5);
/// Members that a push goes to.
pub const FAN_OUT: usize = 5;

/// A member as foca holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemberView {
    /// Who.
    pub identity: Identity,
    /// foca's incarnation of it.
    pub incarnation: u16,
    /// What foca holds of it.
    pub state: State,
}

impl MemberView {
    /// Whether it is not down.
    pub fn is_up(&self) -> bool {
        self.state != State::Down
    }
}

/// What foca did in one call.
#[derive(Debug, Default)]
pub struct Effects {
    /// Packets, and for whom.
    pub packets: Vec<(Identity, Vec<u8>)>,
    /// Timers to be delivered.
    pub timers: Vec<(Timer<Identity>, Duration)>,
    /// Members that changed.
    pub changed: BTreeSet<NodeId>,
    /// Whom foca wants probed.
    pub probed: Option<Identity>,
    /// The cluster took us for dead, and we came back under this identity.
    pub rejoined: Option<Identity>,
    /// What went wrong. A packet that could not be read is among these.
    pub error: Option<foca::Error>,
}

/// foca, and a view of its members by node id.
pub struct Membership {
    foca: Foca<Identity, FocaCodec, SmallRng, NoCustomBroadcast>,
    tap: Tap,
    members: BTreeMap<NodeId, MemberView>,
    /// Those that are up, for choosing at random.
    up: Vec<NodeId>,
    /// How many there may be.
    most: usize,
    digest: u64,
    sized_for: usize,
    rng: StdRng,
    counters: MembershipCounters,
    /// Our identity and incarnation, as we last spoke.
    spoken: (Identity, u16),
    /// Whom foca probed last, and under which number.
    probing: Option<(Identity, u8)>,
}

impl Membership {
    /// Alone.
    pub fn new(me: Identity, rng: &mut StdRng) -> Membership {
        let (codec, tap) = FocaCodec::new(me);
        let foca = Foca::new(me, config(1), SmallRng::seed_from_u64(rng.random()), codec);
        let rng = StdRng::seed_from_u64(rng.random());
        Membership {
            foca,
            tap,
            members: BTreeMap::new(),
            up: Vec::new(),
            most: limits::MEMBERS,
            digest: 0,
            sized_for: 1,
            rng,
            counters: MembershipCounters::default(),
            spoken: (me, 0),
            probing: None,
        }
    }

    /// Who we are.
    pub fn me(&self) -> Identity {
        *self.foca.identity()
    }

    /// All members but ourselves, by node id.
    pub fn members(&self) -> impl Iterator<Item = &MemberView> {
        self.members.values()
    }

    /// One member.
    pub fn get(&self, node: NodeId) -> Option<&MemberView> {
        self.members.get(&node)
    }

    /// Members that are up, ourselves not counted.
    pub fn count_up(&self) -> usize {
        self.up.len()
    }

    /// What was counted since the start.
    pub fn counters(&self) -> MembershipCounters {
        self.counters
    }

    /// The digest over who is alive, ourselves included: two agents that agree on it hold the same members.
    pub fn digest(&self) -> u64 {
        let me = self.me();
        self.digest.wrapping_add(digest::member(me.node(), me.life(), me.rejoin()))
    }

    /// How often a record or an update is sent on: 2 ln N + 5, measured to reach everyone with the tail of e^-t.
    pub fn transmissions(&self) -> u32 {
        transmissions(self.up.len() + 1)
    }

    /// Whether foca has updates of members to spread.
    pub fn has_updates(&self) -> bool {
        self.count_updates() > 0
    }

    /// How many of them.
    pub fn count_updates(&self) -> usize {
        self.foca.updates_backlog()
    }

    /// Up to `count` different members that are up, at random.
    pub fn choose(&mut self, count: usize) -> Vec<Identity> {
        let mut chosen = BTreeSet::new();
        let count = count.min(self.up.len());
        while chosen.len() < count {
            chosen.insert(self.up[self.rng.random_range(0..self.up.len())]);
        }
        chosen.iter().filter_map(|node| self.members.get(node)).map(|member| member.identity).collect()
    }

    /// Who sent a packet of foca's, and whether it only says that we are taken for dead; if it can be read.
    pub fn peek(&self, packet: &[u8]) -> Option<(Identity, bool)> {
        self.tap.peek(packet)
    }

    /// How many more there may be. Of more foca is not to be told.
    pub fn room(&self) -> usize {
        self.most.saturating_sub(self.members.len())
    }

    /// A packet of foca's came.
    pub fn on_packet(&mut self, packet: &[u8]) -> Effects {
        self.call(|foca, sink| foca.handle_data(packet, sink))
    }

    /// A timer of foca's is due.
    pub fn on_timer(&mut self, timer: Timer<Identity>) -> Effects {
        if let Timer::ChangeSuspectToDown { member_id, incarnation, .. } = &timer {
            // foca would tell a member that refuted in time that it is down all the same.
            let still = self
                .members
                .get(&member_id.node())
                .is_some_and(|m| m.identity == *member_id && m.incarnation == *incarnation && m.state == State::Suspect);
            if !still {
                return Effects::default();
            }
        }
        if matches!(timer, Timer::SendIndirectProbe { .. }) {
            self.end_probe();
        }
        self.call(|foca, sink| foca.handle_timer(timer, sink))
    }

    /// Ends foca's probe before it can fail: foca is given the answer that it waits for. To one that is not up any more it would
    /// answer in turn, and such a probe leads to nothing.
    fn end_probe(&mut self) {
        let Some((target, number)) = self.probing.take() else {
            return;
        };
        if let Some(member) = self.members.get(&target.node()).filter(|member| member.identity == target && member.is_up()) {
            let ack = self.tap.forge_ack(target, member.incarnation, number);
            self.call(|foca, sink| foca.handle_data(&ack, sink));
        }
    }

    /// Spreads updates of members now, to [`FAN_OUT`] members.
    pub fn gossip(&mut self) -> Effects {
        self.call(|foca, sink| foca.gossip(sink))
    }

    /// A peer said in person that it is alive.
    pub fn met(&mut self, peer: Identity) -> Effects {
        self.call(|foca, sink| foca.apply_many(std::iter::once(Member::alive(peer)), true, sink))
    }

    /// A member took its leave: it counts as down from now on. Its record tells everyone; whoever heard that it is down before the
    /// record came would show it so.
    pub fn left(&mut self, peer: Identity) -> Effects {
        let Some(view) = self.members.get(&peer.node()).filter(|view| view.identity == peer && view.is_up()).copied() else {
            return Effects::default();
        };
        let down = Member::new(peer, view.incarnation, State::Down);
        let mut effects = self.call(|foca, sink| foca.apply_many(std::iter::once(down), false, sink));
        self.put(MemberView { state: State::Down, ..view }, &mut effects.changed);
        effects
    }

    /// The detector has found a member to be gone: everyone is to know.
    pub fn down(&mut self, member: Identity) -> Effects {
        let Some(view) = self.members.get(&member.node()).filter(|view| view.identity == member && view.is_up()) else {
            return Effects::default();
        };
        let down = Member::new(member, view.incarnation, State::Down);
        self.call(|foca, sink| foca.apply_many(std::iter::once(down), true, sink))
    }

    /// Merges what a peer holds. `spread` is false when we are new ourselves: what the peer knows needs no telling.
    pub fn merge(&mut self, entries: &[MemberEntry], spread: bool) -> Effects {
        let known = |entry: &&MemberEntry| self.members.contains_key(&entry.identity.node());
        let room = self.room();
        let (known, new): (Vec<&MemberEntry>, Vec<&MemberEntry>) = entries.iter().partition(known);
        let members: Vec<Member<Identity>> = known
            .into_iter()
            .chain(new.into_iter().take(room))
            .filter_map(|entry| Some(Member::new(entry.identity, entry.incarnation, state_from_wire(entry.state)?)))
            .collect();
        let mut effects = self.call(|foca, sink| foca.apply_many(members.into_iter(), spread, sink));
        if !spread {
            self.rebuild(&mut effects.changed);
        }
        effects
    }

    /// All that foca holds, ourselves included.
    pub fn entries(&self) -> Vec<MemberEntry> {
        let me = MemberEntry { identity: self.me(), incarnation: 0, state: state_to_wire(State::Alive), grace_ms: 0 };
        let others = self.members.values().map(|member| MemberEntry {
            identity: member.identity,
            incarnation: member.incarnation,
            state: state_to_wire(member.state),
            grace_ms: 0,
        });
        std::iter::once(me).chain(others).collect()
    }

    /// Lets go of a member, and spreads nothing about it: who is up and heard that it is down would come back at once, and be
    /// let go again, as fast as the network goes.
    pub fn bury(&mut self, node: NodeId) -> Effects {
        let Some(member) = self.members.get(&node).copied() else {
            return Effects::default();
        };
        let mut effects = self.call(|foca, sink| {
            foca.apply_many(std::iter::once(Member::down(member.identity)), false, &mut *sink)?;
            foca.handle_timer(Timer::RemoveDown(member.identity), sink)
        });
        self.put(MemberView { state: State::Down, ..member }, &mut effects.changed);
        self.members.remove(&node);
        effects.changed.insert(node);
        effects
    }

    /// Forgets all members, and what was to be spread of them, and comes back as who returned. Timers of before are void.
    pub fn start_anew(&mut self, rng: &mut StdRng) {
        let me = foca::Identity::renew(&self.me()).unwrap_or(self.me());
        *self = Membership { counters: self.counters, most: self.most, ..Membership::new(me, rng) };
    }

    /// Takes another identity of this node, a later one.
    pub fn become_another(&mut self, identity: Identity) -> Effects {
        self.tap.speak_as(identity);
        self.call(|foca, sink| {
            foca.change_identity(identity, &mut *sink)?;
            // It goes on probing as soon as it has looked at its members.
            foca.apply_many(std::iter::empty(), false, sink)
        })
    }

    fn call(
        &mut self,
        f: impl FnOnce(&mut Foca<Identity, FocaCodec, SmallRng, NoCustomBroadcast>, &mut Sink) -> Result<(), foca::Error>,
    ) -> Effects {
        let mut sink = Sink::default();
        let error = f(&mut self.foca, &mut sink).err();
        if let Some((target, _)) = sink.probed {
            // A probe of the detector's asks the same with half the octets.
            sink.packets.retain(|(to, _)| *to != target);
        }
        sink.count(&mut self.counters, &mut self.spoken);
        self.probing = sink.probed.or(self.probing);
        let probed = sink.probed.map(|(target, _)| target);
        let mut effects =
            Effects { packets: sink.packets, timers: sink.timers, rejoined: sink.rejoined, error, probed, ..Effects::default() };
        for member in self.tap.take_applied() {
            let view = MemberView { identity: *member.id(), incarnation: member.incarnation(), state: member.state() };
            self.put(view, &mut effects.changed);
        }
        self.resize();
        effects
    }

    /// After updates that the tap does not see.
    fn rebuild(&mut self, changed: &mut BTreeSet<NodeId>) {
        let views: Vec<MemberView> = self
            .foca
            .iter_membership_state()
            .map(|member| MemberView { identity: *member.id(), incarnation: member.incarnation(), state: member.state() })
            .collect();
        for view in views {
            self.put(view, changed);
        }
        self.resize();
    }

    /// Takes no more room than there are members.
    pub(super) fn pack(&mut self) {
        pack(&mut self.members);
        self.up.shrink_to_fit();
    }

    fn put(&mut self, view: MemberView, changed: &mut BTreeSet<NodeId>) {
        let node = view.identity.node();
        if node == self.me().node() {
            return;
        }
        let before = self.members.insert(node, view);
        if before == Some(view) {
            return;
        }
        changed.insert(node);
        match (before.map(|before| before.state), view.state) {
            (Some(State::Suspect), State::Alive) => self.counters.refutations += 1,
            (Some(State::Suspect), State::Suspect) => {}
            (_, State::Suspect) => self.counters.suspicions += 1,
            _ => {}
        }
        if let Some(before) = before.filter(MemberView::is_up) {
            self.digest = self.digest.wrapping_sub(hash(&before));
        }
        if view.is_up() {
            self.digest = self.digest.wrapping_add(hash(&view));
        }
        match (before.is_some_and(|before| before.is_up()), view.is_up()) {
            (false, true) => self.up.push(node),
            (true, false) => self.up.retain(|other| *other != node),
            _ => {}
        }
    }

    /// foca sizes nothing by itself.
    fn resize(&mut self) {
        let size = self.up.len() + 1;
        if size > self.sized_for * 3 / 2 || size * 2 < self.sized_for {
            self.sized_for = size;
            // Only what foca lets change is changed, so this can't be refused.
            let _ = self.foca.set_config(config(size));
        }
    }
}

fn hash(view: &MemberView) -> u64 {
    digest::member(view.identity.node(), view.identity.life(), view.identity.rejoin())
}

fn transmissions(size: usize) -> u32 {
    (2.0 * (size.max(1) as f64).ln() + 5.0).ceil() as u32
}

fn config(size: usize) -> foca::Config {
    let mut config = foca::Config::simple();
    config.probe_period = PROBE_PERIOD;
    config.probe_rtt = PROBE_RTT;
    config.num_indirect_probes = NonZeroUsize::new(FAN_OUT).expect("not zero");
    config.max_transmissions = NonZeroU8::new(transmissions(size) as u8).expect("at least five");
    config.suspect_to_down_after = SUSPICION;
    // Forgetting is decided by the core, which digs a grave.
    config.remove_down_after = None;
    config.max_packet_size = NonZeroUsize::new(limits::FOCA_OCTETS).expect("not zero");
    config.notify_down_members = true;
    // Pushes go on for as long as there is something to tell; a timer of foca's would wake us when there is nothing, too.
    config.periodic_gossip = None;
    config
}

#[cfg(test)]
impl Membership {
    /// As if no more might be.
    pub(super) fn allow(&mut self, most: usize) {
        self.most = most;
    }
}
