//! Finding peers: at the start among the seeds and the peers of before, later among those that were lost.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    net::SocketAddr,
    ops::Range,
    time::Duration,
};

use rand::RngExt as _;

use super::{
    Core,
    conversation::Purpose,
    io::{Event, Output},
    owner::Act,
    time::Moment,
    timers::Timer,
    versions::SPEECHLESS,
};
use crate::model::{Done, StoreOp};

/// Between two candidates of one round.
const NEXT_CANDIDATE: Duration = Duration::from_millis(100);
/// When the next one is tried though somebody has begun to tell us what it knows, but says no more.
const STALLED_AFTER: Duration = Duration::from_secs(1);
/// Between the first rounds; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// The same where some have been met, and others who were there before are waited for.
const LONGEST_PAUSE_AMONG_SOME: Duration = Duration::from_secs(1);
/// How long the names of seeds may take before those that were found, or were known, are tried without them.
const NAMES_TAKE: Duration = Duration::from_millis(500);
/// Between two looks for lost parts of the cluster.
pub(super) const LOOK_EVERY: Duration = Duration::from_secs(10);
/// The same where nobody is up: whoever is alone looks harder.
const LOOK_ALONE_EVERY: Duration = Duration::from_millis(2_500);
/// Between a change of members and their being written to disk.
const PEERS_WRITTEN_AFTER: Duration = Duration::from_secs(1);
/// Peers that are kept on disk: of those that are up, and of those that were let go of.
const PEERS_KEPT: usize = 32;
/// For how long nobody looks for a node that is kept out: it comes by itself when it may.
const LEFT_ALONE: Duration = Duration::from_secs(60);
/// Of so many looks for lost parts of the cluster one goes to a peer that was let go of: mostly those are gone for good.
const LOOKS_FOR_FORMER: u32 = 4;

/// Where peers may be.
#[derive(Debug)]
pub(super) struct Join {
    /// Addresses of each seed, as last resolved; `None` until it was.
    seeds: BTreeMap<usize, Option<Vec<SocketAddr>>>,
    /// Seeds that are being looked up for the round or look that is about to begin; `None` while none is.
    looked_up: Option<BTreeSet<usize>>,
    peers: Vec<SocketAddr>,
    /// Where members were that were let go of, the last ones. They may be alive behind a partition, and know nobody here any more.
    former: VecDeque<SocketAddr>,
    looks: u32,
    /// Who takes part in the cluster, as those say who are kept out of it.
    referred: Vec<SocketAddr>,
    /// Where those are who are kept out, and since when that is known.
    left_alone: BTreeMap<SocketAddr, Moment>,
    /// Where we looked since we last had looked everywhere.
    looked_at: BTreeSet<SocketAddr>,
    ourselves: BTreeSet<SocketAddr>,
    established: bool,
    /// Whether there ever was one: if not, this agent is a newcomer.
    ever_established: bool,
    /// Candidates of this round that were not tried yet.
    round: Vec<SocketAddr>,
    rounds: u32,
    /// When the timer that counts is due: earlier ones are stale.
    due: Option<Moment>,
    /// Who ended a stream of ours without a word: it may have understood none, and is asked what it speaks.
    speechless: BTreeSet<SocketAddr>,
    peers_pending: bool,
    peers_stored: Vec<SocketAddr>,
}

impl Join {
    pub(super) fn new(seeds: usize, peers: &[SocketAddr], ourselves: SocketAddr) -> Join {
        Join {
            seeds: (0..seeds).map(|seed| (seed, None)).collect(),
            looked_up: None,
            peers: peers.to_vec(),
            former: VecDeque::new(),
            looks: 0,
            referred: Vec::new(),
            left_alone: BTreeMap::new(),
            looked_at: BTreeSet::new(),
            ourselves: BTreeSet::from([ourselves]),
            established: false,
            ever_established: false,
            round: Vec::new(),
            rounds: 0,
            due: None,
            speechless: BTreeSet::new(),
            peers_pending: false,
            peers_stored: peers.to_vec(),
        }
    }

    /// Whether there was a full sync since the start, or since all that others told was dropped.
    pub(super) fn is_established(&self) -> bool {
        self.established
    }

    /// Whether this agent was part of a cluster since its start.
    pub(super) fn was_established(&self) -> bool {
        self.ever_established
    }

    /// All that others told was dropped: they are looked for as at the start.
    pub(super) fn begin_again(&mut self) {
        self.established = false;
        self.looked_up = None;
        self.round.clear();
        self.rounds = 0;
    }

    /// Whether there is anybody to join.
    pub(super) fn knows_somebody(&self) -> bool {
        !self.everyone().is_empty()
    }

    /// There was one.
    pub(super) fn has_joined(&mut self) {
        self.established = true;
    }

    /// An address turned out to be our own.
    pub(super) fn is_ourselves(&mut self, address: SocketAddr) {
        self.ourselves.insert(address);
    }

    /// Those who were not asked yet are not asked.
    pub(super) fn end_round(&mut self) {
        self.round.clear();
    }

    /// Somebody is no member itself, and names others who are.
    pub(super) fn refer(&mut self, now: Moment, from: SocketAddr, to: impl Iterator<Item = SocketAddr>) {
        self.referred = to.collect();
        self.left_alone.retain(|address, since| *address != from && now - *since < LEFT_ALONE);
        if self.left_alone.len() < PEERS_KEPT {
            self.left_alone.insert(from, now);
        }
    }

    fn is_left_alone(&self, now: Moment, address: &SocketAddr) -> bool {
        self.left_alone.get(address).is_some_and(|since| now - *since < LEFT_ALONE)
    }

    /// Somebody ended a stream of ours without a word.
    pub(super) fn is_speechless(&mut self, address: SocketAddr) {
        if self.speechless.len() >= SPEECHLESS {
            self.speechless.pop_first();
        }
        self.speechless.insert(address);
    }

    /// Whether somebody did so the last time. It is asked once.
    pub(super) fn was_speechless(&mut self, address: SocketAddr) -> bool {
        self.speechless.remove(&address)
    }

    /// A member was let go of: it is looked for all the same.
    pub(super) fn was_let_go(&mut self, address: SocketAddr) {
        self.former.retain(|former| *former != address);
        self.former.push_front(address);
        self.former.truncate(PEERS_KEPT);
    }

    fn seeds(&self) -> impl Iterator<Item = SocketAddr> {
        self.seeds.values().flatten().flatten().copied()
    }

    /// Seeds, peers of before, those that were let go of, and those that were named by who is kept out.
    fn everyone(&self) -> Vec<SocketAddr> {
        let others = self.peers.iter().chain(&self.former).chain(&self.referred).copied();
        let all: BTreeSet<SocketAddr> = self.seeds().chain(others).collect();
        all.into_iter().filter(|address| !self.ourselves.contains(address)).collect()
    }

    /// Everything is known about where peers may be, and there is nobody: this agent is the first of its cluster.
    fn is_first(&self) -> bool {
        self.everyone().is_empty() && self.seeds.values().all(|addresses| addresses.as_ref().is_some_and(|a| !a.is_empty()))
    }
}

impl Core {
    pub(super) fn begin_join(&mut self, now: Moment) {
        if self.join.is_first() {
            self.roster.wait_for_nobody();
            self.become_ready();
        }
        self.look_for_peers_at(now);
    }

    /// Has the names of seeds looked up when a round or look is about to begin, so that it goes where they are now. True when that is
    /// done, or took too long.
    fn looked_up_seeds(&mut self, now: Moment) -> bool {
        if self.join.looked_up.take().is_some() || self.join.seeds.is_empty() {
            return true;
        }
        for seed in self.join.seeds.keys() {
            self.outputs.push_back(Output::Resolve(*seed));
        }
        self.join.looked_up = Some(self.join.seeds.keys().copied().collect());
        self.look_for_peers_at(now + NAMES_TAKE);
        false
    }

    /// Whom to join is another question now.
    pub(super) fn on_seeds(&mut self, now: Moment, seeds: Range<usize>) {
        self.join.seeds = seeds.map(|seed| (seed, None)).collect();
        self.join.looked_up = None;
        self.join.round.clear();
        self.kept_out.clear();
        if !self.join.established {
            self.look_for_peers_at(now);
        }
    }

    pub(super) fn on_resolved(&mut self, now: Moment, seed: usize, addresses: Vec<SocketAddr>) {
        let Some(known) = self.join.seeds.get(&seed) else {
            return;
        };
        let first = known.is_none();
        // A name that has no address for the moment keeps those it had.
        if first || !addresses.is_empty() {
            self.join.seeds.insert(seed, Some(addresses));
        }
        if self.join.is_first() && !self.join.established {
            self.roster.wait_for_nobody();
            self.become_ready();
        }
        let waiting = self.join.looked_up.as_mut().is_some_and(|waiting| waiting.remove(&seed) && waiting.is_empty());
        if waiting || (first && !self.join.established && self.join.looked_up.is_none()) {
            self.look_for_peers_at(now);
        }
    }

    /// Has [`Core::look_for_peers`] called then, and not at another time that was named before.
    pub(super) fn look_for_peers_at(&mut self, at: Moment) {
        self.join.due = Some(at);
        self.timers.set(at, Timer::Join);
    }

    pub(super) fn look_for_peers(&mut self, now: Moment) {
        if self.farewell.is_some() || self.join.due.is_none_or(|due| due > now) {
            return;
        }
        // Those who met first go on until they have met all: else pairs would look for each other as seldom as for a lost part.
        let is_joining = !self.join.established || self.roster.awaits_somebody();
        let is_in_a_round = is_joining && !self.join.round.is_empty();
        if !is_in_a_round && !self.looked_up_seeds(now) {
            return;
        }
        if is_joining { self.try_next(now) } else { self.look_for_the_lost(now) }
    }

    fn try_next(&mut self, now: Moment) {
        if self.is_being_told(now) {
            return self.look_for_peers_at(now + NEXT_CANDIDATE);
        }
        if let Some(candidate) = self.join.round.pop() {
            self.open(now, candidate, if self.join.established { Purpose::Look } else { Purpose::Join });
            if !self.join.round.is_empty() {
                return self.look_for_peers_at(now + NEXT_CANDIDATE);
            }
        } else {
            self.join.round = self.next_round(now);
            if !self.join.round.is_empty() {
                return self.try_next(now);
            }
            if self.join.seeds.is_empty() && !self.join.established {
                return;
            }
        }
        let longest = if self.join.established { LONGEST_PAUSE_AMONG_SOME } else { LONGEST_PAUSE };
        let pause = FIRST_PAUSE.saturating_mul(1 << self.join.rounds.min(8)).min(longest);
        self.join.rounds += 1;
        let jitter = self.jitter(pause / 2);
        self.look_for_peers_at(now + pause + jitter);
    }

    /// Who is asked next: everyone who was not met, in any order, or one of those who keep us out, since they all know why.
    fn next_round(&mut self, now: Moment) -> Vec<SocketAddr> {
        let refusers = self.kept_out.by(now);
        let most = if refusers.is_empty() { usize::MAX } else { 1 };
        let mut round = if refusers.is_empty() { self.join.everyone() } else { refusers };
        if self.join.established {
            let unmet = self.where_nobody_is_up(round.iter().copied().collect());
            round.retain(|address| unmet.contains(address) && self.conversations.values().all(|conversation| conversation.at != *address));
        }
        for at in (1..round.len()).rev() {
            let other = self.rng.random_range(0..=at);
            round.swap(at, other);
        }
        round.truncate(most);
        round
    }

    /// Whether somebody whom we join tells us all that it knows. Another one would only tell the same.
    fn is_being_told(&self, now: Moment) -> bool {
        let mut conversations = self.conversations.values();
        conversations.any(|conversation| conversation.purpose == Some(Purpose::Join) && conversation.goes_on(now, STALLED_AFTER))
    }

    /// Seeds, peers of before and members that are down or were let go of, one at a time: two parts that lost each other meet again.
    /// Every other look is for a seed: whoever gave it may have it lead elsewhere by now, and of the others there may be many.
    fn look_for_the_lost(&mut self, now: Moment) {
        let down = self
            .membership
            .members()
            .filter(|member| !member.is_up() && !self.is_left(member.identity.node()))
            .map(|member| member.identity.address());
        let mut lost: Vec<SocketAddr> = down.chain(self.join.peers.iter().copied()).collect();
        let mut seeds: Vec<SocketAddr> = self.join.seeds().collect();
        let mut former: Vec<SocketAddr> = self.join.former.iter().copied().collect();
        let is_missed = |address: &&SocketAddr| !self.join.ourselves.contains(address) && !self.join.is_left_alone(now, address);
        let missed = self.where_nobody_is_up(lost.iter().chain(&seeds).chain(&former).filter(is_missed).copied().collect());
        for addresses in [&mut lost, &mut seeds, &mut former] {
            addresses.retain(|address| missed.contains(address));
        }
        self.join.looks += 1;
        let by_preference = match self.join.looks {
            looks if looks.is_multiple_of(LOOKS_FOR_FORMER) => [former, lost, seeds],
            looks if looks.is_multiple_of(2) => [lost, seeds, former],
            _ => [seeds, lost, former],
        };
        let pause = if self.membership.count_up() == 0 { LOOK_ALONE_EVERY } else { LOOK_EVERY };
        let jitter = self.jitter(pause / 2);
        self.look_for_peers_at(now + pause + jitter);
        if let Some(mut lost) = by_preference.into_iter().find(|lost| !lost.is_empty()) {
            // Each in turn: by chance alone one may be left out for minutes.
            if lost.iter().all(|address| self.join.looked_at.contains(address)) {
                self.join.looked_at.retain(|address| !lost.contains(address));
            }
            lost.retain(|address| !self.join.looked_at.contains(address));
            let chosen = lost[self.rng.random_range(0..lost.len())];
            self.join.looked_at.insert(chosen);
            self.open(now, chosen, Purpose::Look);
        }
    }

    /// A conversation came to its end: whoever was alone is so no more.
    pub(super) fn established(&mut self, now: Moment, peer: SocketAddr) {
        if self.join.established {
            return;
        }
        (self.join.established, self.join.ever_established) = (true, true);
        self.join.looked_up = None;
        self.join.round.clear();
        self.join.rounds = 0;
        self.kept_out.clear();
        let members = self.membership.count_up() + 1;
        self.event(Event::Joined { peer, members });
        self.spread_all(now);
        self.changed(now);
        self.store_peers();
        self.await_the_others(now);
        let pause = if self.roster.awaits_somebody() { NEXT_CANDIDATE } else { LOOK_EVERY / 2 + self.jitter(LOOK_EVERY / 2) };
        self.look_for_peers_at(now + pause);
    }

    /// Has the peers written to disk in a moment, for the next start.
    pub(super) fn remember_peers(&mut self, now: Moment) {
        if !self.join.peers_pending {
            self.join.peers_pending = true;
            self.timers.set(now + PEERS_WRITTEN_AFTER, Timer::Peers);
        }
    }

    /// Of these addresses those at which no member is up. They are few, and members may be many.
    fn where_nobody_is_up(&self, mut addresses: BTreeSet<SocketAddr>) -> BTreeSet<SocketAddr> {
        for member in self.membership.members().filter(|member| member.is_up()) {
            if addresses.is_empty() {
                break;
            }
            addresses.remove(&member.identity.address());
        }
        addresses
    }

    pub(super) fn store_peers(&mut self) {
        self.join.peers_pending = false;
        let former = self.where_nobody_is_up(self.join.former.iter().copied().collect());
        self.join.former.retain(|address| former.contains(address));
        // Those that follow us: were they the same for all, the same few would be asked for everything by whoever starts again.
        let me = self.me();
        let up = || self.membership.members().filter(|member| member.is_up());
        let (behind, before) = (up().filter(|member| member.identity.node() >= me), up().filter(|member| member.identity.node() < me));
        let mut peers: Vec<SocketAddr> = behind.chain(before).take(PEERS_KEPT).map(|member| member.identity.address()).collect();
        if peers.is_empty() {
            // Nobody is up: those of before are still the best guess.
            return;
        }
        peers.extend(&self.join.former);
        if peers != self.join.peers_stored {
            self.join.peers_stored.clone_from(&peers);
            self.store(None, vec![StoreOp::Peers(peers)], Act::Nothing(Done::Unchanged));
        }
    }
}

#[cfg(test)]
mod tests;
