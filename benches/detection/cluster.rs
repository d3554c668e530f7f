//! A cluster in a simulated world, and who takes whom for down in it.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    time::Duration,
};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use tidings::{
    core::time::Moment,
    model::{Change, MemberState, NodeId},
    sim::{self, Conditions, Fault, FaultId, Group, HostId, Seen, Sent, Watcher, World},
};

use super::faults::{Death, Disturbance, Way, exponential};

/// When a death is waited for no more.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(2);
/// A cluster larger than this begins as one whose agents know each other: it would spend its time on forming.
const FORMED_BY_ITSELF: usize = 200;
/// Between two looks at what waits in queues.
const QUEUES_EVERY: Duration = Duration::from_secs(1);

/// All that was shown as down: when, by whom, and who.
#[derive(Clone, Default)]
struct Ledger(Rc<RefCell<Vec<(Moment, HostId, NodeId)>>>);

impl Watcher for Ledger {
    fn name(&self) -> &'static str {
        "ledger"
    }

    fn see(&mut self, world: &World, host: HostId, seen: &Seen<'_>) -> Result<(), String> {
        // One that has started again and whose records are on their way is shown as down, too: that is nobody's verdict.
        if let Seen::Changing(Change::Node(node)) = seen
            && node.state == MemberState::Down
            && !node.reason.contains("started again")
        {
            self.0.borrow_mut().push((world.now(), host, node.id));
        }
        Ok(())
    }
}

fn seconds(at: Moment) -> f64 {
    at.since_start().as_secs_f64()
}

/// What was counted since [`Cluster::begin`], by all agents that run.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counted {
    pub(crate) suspicions: u64,
    pub(crate) inconclusive: u64,
    pub(crate) late: u64,
    /// Octets of IP that were sent.
    pub(crate) octets: u64,
    /// Seconds, times agents.
    pub(crate) seconds: f64,
}

/// When a death was known, counted from it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Known {
    /// Somebody showed it.
    pub(crate) first: Option<Duration>,
    /// All showed it who had shown the other as being there.
    pub(crate) all: Option<Duration>,
}

pub(crate) struct Cluster {
    pub(crate) world: World,
    hosts: Vec<HostId>,
    ledger: Ledger,
    /// Those that died, and are rightly taken for down.
    dead: BTreeSet<NodeId>,
    /// Those to which something was done that they may well be taken for down for.
    disturbed: BTreeSet<NodeId>,
    /// One that is cut off from all: what it shows of them is not wrong, as long as nobody else shows it.
    apart: Option<HostId>,
    /// Who stood still last, and from when until when.
    stood_still: Vec<(HostId, Moment, Moment)>,
    /// The most records and updates of members that waited to be pushed by one agent.
    pub(crate) most_waiting: usize,
    begun: Moment,
    before: Counted,
    /// What had been sent of each kind of messages when counting began.
    sent_before: BTreeMap<u8, Sent>,
    rng: StdRng,
}

/// Between two standstills of one host: two that follow each other at once are one that lasts longer.
const AWAKE: Duration = Duration::from_secs(2);

impl Cluster {
    /// All know all.
    fn formed(size: usize, seed: u64) -> Cluster {
        let mut cluster = sim::Cluster::new(size, seed, Conditions::default());
        if size <= FORMED_BY_ITSELF {
            for host in cluster.hosts.clone() {
                cluster.world.start(host).expect("an empty folder");
                // As fast as somebody starts agents, and not all in one moment.
                cluster.world.run_for(Duration::from_millis(5));
            }
            cluster.wait_until_formed();
        } else {
            cluster.start_acquainted();
        }
        let sim::Cluster { mut world, hosts } = cluster;
        let ledger = Ledger::default();
        world.watch(Box::new(ledger.clone()));
        Cluster {
            world,
            hosts,
            ledger,
            dead: BTreeSet::new(),
            disturbed: BTreeSet::new(),
            apart: None,
            stood_still: Vec::new(),
            most_waiting: 0,
            begun: Moment::default(),
            before: Counted::default(),
            sent_before: BTreeMap::new(),
            rng: StdRng::seed_from_u64(seed),
        }
    }

    /// The same where so much is lost each way, after a while: streams are watched by then, and round trips and losses measured.
    pub(crate) fn settled(size: usize, seed: u64, loss: f64) -> Cluster {
        let mut cluster = Cluster::formed(size, seed);
        cluster.world.network.conditions.loss = loss;
        cluster.pass(Duration::from_secs(20));
        cluster.begin();
        cluster
    }

    fn holds_for_up(&self, reader: HostId, node: NodeId) -> bool {
        let process = self.world.host(reader).process.as_ref();
        process.is_some_and(|process| process.catalog.load().node(node).is_some_and(|entry| entry.node.state.is_up()))
    }

    fn node(&self, host: HostId) -> NodeId {
        self.world.host(host).process.as_ref().expect("it runs").core.identity().node()
    }

    /// Counts from here on.
    fn begin(&mut self) {
        self.begun = self.world.now();
        self.before = self.count();
        self.sent_before.clone_from(&self.world.network.sent);
        self.ledger.0.borrow_mut().clear();
        self.most_waiting = 0;
    }

    /// Lets so much time pass.
    pub(crate) fn pass(&mut self, time: Duration) {
        self.pass_until(self.world.now() + time);
    }

    fn pass_until(&mut self, end: Moment) {
        while self.world.now() < end {
            self.world.run_until(end.min(self.world.now() + QUEUES_EVERY));
            let cores = self.world.hosts().filter_map(|(_, host)| host.process.as_ref()).map(|process| &process.core);
            let most = cores.map(|core| core.push_queue() + core.update_queue()).max().unwrap_or_default();
            self.most_waiting = self.most_waiting.max(most);
        }
    }

    fn count(&self) -> Counted {
        let mut counted = Counted::default();
        for (_, host) in self.world.hosts() {
            counted.octets += host.traffic.datagram_octets + host.traffic.segment_octets;
            if let Some(process) = &host.process {
                let detector = process.core.counters().detector;
                counted.suspicions += detector.suspicions;
                counted.inconclusive += detector.inconclusive;
                counted.late += detector.late;
            }
        }
        counted.seconds = (self.world.now() - self.begun).as_secs_f64() * self.hosts.len() as f64;
        counted
    }

    /// What was counted since then. Who was started anew has lost its counts.
    pub(crate) fn counted(&self) -> Counted {
        let (now, before) = (self.count(), self.before);
        Counted {
            suspicions: now.suspicions.saturating_sub(before.suspicions),
            inconclusive: now.inconclusive.saturating_sub(before.inconclusive),
            late: now.late.saturating_sub(before.late),
            octets: now.octets - before.octets,
            seconds: now.seconds,
        }
    }

    /// What was sent since then, by the kind of messages.
    pub(crate) fn sent(&self) -> impl Iterator<Item = (u8, Sent)> {
        self.world.network.sent.iter().map(|(kind, sent)| {
            let before = self.sent_before.get(kind).copied().unwrap_or_default();
            (*kind, Sent { count: sent.count - before.count, octets: sent.octets - before.octets })
        })
    }

    /// Who was taken for down by somebody that runs, though it had not died: those to which nothing was done, and those to which
    /// something was.
    pub(crate) fn victims(&self) -> (BTreeSet<NodeId>, BTreeSet<NodeId>) {
        let ledger = self.ledger.0.borrow();
        let down: BTreeSet<NodeId> = ledger.iter().filter(|(_, reader, _)| Some(*reader) != self.apart).map(|(_, _, node)| *node).collect();
        down.into_iter().filter(|node| !self.dead.contains(node)).partition(|node| !self.disturbed.contains(node))
    }

    /// What led to each of them.
    pub(crate) fn stories(&self) -> Vec<String> {
        let mut told = BTreeSet::new();
        let ledger = self.ledger.0.borrow();
        let of_victims = ledger.iter().filter(|(_, _, node)| !self.dead.contains(node) && told.insert(*node));
        let story = |(at, reader, node): &(Moment, HostId, NodeId)| {
            let is_it = |host: &&HostId| self.world.host(**host).process.as_ref().is_some_and(|it| it.core.identity().node() == *node);
            let Some(host) = self.hosts.iter().find(is_it) else { return String::new() };
            let before = self.stood_still.iter().rev().filter(|(which, from, _)| which == host && from < at).take(3);
            let still: Vec<String> = before.map(|(_, from, to)| format!("{:.3} to {:.3}", seconds(*from), seconds(*to))).collect();
            format!("{host:?}, first shown as down by {reader:?} at {:.3} s, stood still before: {}", seconds(*at), still.join(", "))
        };
        of_victims.map(story).collect()
    }

    fn die(&mut self, host: HostId, death: Death) {
        let node = self.node(host);
        self.dead.insert(node);
        match death {
            Death::Kill => self.world.kill(host),
            Death::Power => self.world.lose_power(host),
            Death::Stop => self.world.pause(host),
        }
    }

    /// One dies; gives how long it took until all others showed it, and starts it again.
    pub(crate) fn death(&mut self, death: Death, time: u32) -> Vec<Known> {
        let pause = Duration::from_millis(4_000 + u64::from(time) * 173 % 1_500);
        self.pass(pause);
        let victim = self.hosts[self.rng.random_range(0..self.hosts.len())];
        let took = self.until_known(&[victim], death);
        // One that was stopped is gone only now.
        self.world.kill(victim);
        self.world.start(victim).expect("its folder is sound");
        self.pass(Duration::from_secs(5));
        // Back, it is rightly taken for down no more.
        let node = self.node(victim);
        self.dead.remove(&node);
        self.ledger.0.borrow_mut().retain(|(_, _, down)| *down != node);
        took
    }

    /// Some die at once; gives for each how long it took until all others showed it.
    pub(crate) fn mass_death(&mut self, death: Death, share: u8) -> Vec<Known> {
        let count = (self.hosts.len() * usize::from(share) / 100).max(1);
        let mut victims = self.hosts.clone();
        while victims.len() > count {
            victims.swap_remove(self.rng.random_range(0..victims.len()));
        }
        self.until_known(&victims, death)
    }

    fn until_known(&mut self, victims: &[HostId], death: Death) -> Vec<Known> {
        let start = self.world.now();
        let nodes: Vec<NodeId> = victims.iter().map(|victim| self.node(*victim)).collect();
        let mut read = self.ledger.0.borrow().len();
        victims.iter().for_each(|victim| self.die(*victim, death));
        // Who has just started again, and has not heard of all yet, does not count.
        let mut unaware: BTreeMap<NodeId, BTreeSet<HostId>> =
            nodes.iter().map(|node| (*node, self.world.running().filter(|reader| self.holds_for_up(*reader, *node)).collect())).collect();
        let mut times: BTreeMap<NodeId, Known> = BTreeMap::new();
        let is_known = |times: &BTreeMap<NodeId, Known>| times.values().filter(|known| known.all.is_some()).count() == nodes.len();
        while !is_known(&times) && self.world.now() - start < PATIENCE {
            self.pass(LOOK_EVERY);
            let ledger = self.ledger.0.borrow();
            let took = self.world.now() - start;
            for (_, reader, node) in &ledger[read..] {
                if let Some(readers) = unaware.get_mut(node)
                    && readers.remove(reader)
                {
                    let known = times.entry(*node).or_default();
                    known.first.get_or_insert(took);
                    known.all = readers.is_empty().then_some(took);
                }
            }
            read = ledger.len();
        }
        nodes.iter().map(|node| times.get(node).copied().unwrap_or_default()).collect()
    }

    /// Nobody dies for so long, but not all is well.
    pub(crate) fn disturb(&mut self, disturbance: Disturbance, time: Duration) {
        match disturbance {
            Disturbance::None => self.pass(time),
            Disturbance::Pauses(least, most) => self.stand_still(time, least, most, false),
            Disturbance::Freezes(least, most) => self.stand_still(time, least, most, true),
            Disturbance::Bursts(mean) => self.bursts(time, Duration::from_millis(mean)),
            Disturbance::Cut(way, share) => {
                self.apart = (share == 100).then_some(self.hosts[0]);
                self.disturbed.insert(self.node(self.hosts[0]));
                let one: Group = [self.hosts[0]].into_iter().collect();
                let count = ((self.hosts.len() - 1) * usize::from(share) / 100).max(1);
                let others: Group = self.hosts[1..=count].iter().copied().collect();
                let there = (way != Way::In).then(|| Fault::Cut { from: one.clone(), to: others.clone() });
                let back = (way != Way::Out).then_some(Fault::Cut { from: others, to: one });
                self.with_faults(there.into_iter().chain(back).collect(), time);
            }
            Disturbance::NoDatagrams => {
                self.disturbed.insert(self.node(self.hosts[0]));
                let one: Group = [self.hosts[0]].into_iter().collect();
                let others: Group = self.hosts[1..].iter().copied().collect();
                let lost = |from: &Group, to: &Group| Fault::Loss { from: from.clone(), to: to.clone(), share: 1.0, streams: false };
                self.with_faults(vec![lost(&one, &others), lost(&others, &one)], time);
            }
        }
    }

    fn with_faults(&mut self, faults: Vec<Fault>, time: Duration) {
        let faults: Vec<FaultId> = faults.into_iter().map(|fault| self.world.network.begin(fault)).collect();
        self.pass(time);
        for fault in faults {
            assert!(self.world.network.end(fault).expect("it lasts") > 0, "the fault hit nothing");
        }
    }

    /// A twentieth of them, each on its own.
    fn stand_still(&mut self, time: Duration, least: u64, most: u64, hosts_too: bool) {
        let end = self.world.now() + time;
        let slow = (self.hosts.len() / 20).max(1);
        let hosts: Vec<HostId> = (0..slow).map(|which| self.hosts[which * self.hosts.len() / slow]).collect();
        let disturbed: Vec<NodeId> = hosts.iter().map(|host| self.node(*host)).collect();
        self.disturbed.extend(disturbed);
        // When each goes on or stands still next, and whether it does.
        let mut next: Vec<(Moment, bool)> =
            hosts.iter().map(|_| (self.world.now() + Duration::from_millis(self.rng.random_range(0..5_000)), false)).collect();
        // Whoever stands still in the end goes on when its time is over.
        while let Some((which, (at, still))) =
            next.iter().copied().enumerate().filter(|(_, (at, still))| *still || *at <= end).min_by_key(|(_, (at, _))| *at)
        {
            self.pass_until(at);
            let host = hosts[which];
            match (hosts_too, still) {
                (false, false) => self.world.pause(host),
                (false, true) => self.world.resume(host),
                (true, false) => self.world.freeze(host),
                (true, true) => self.world.thaw(host),
            }
            let lasts = match still {
                false => Duration::from_millis(self.rng.random_range(least..=most)),
                true => AWAKE + exponential(Duration::from_secs(8), self.rng.random()),
            };
            if !still {
                self.stood_still.push((host, at, at + lasts));
            }
            next[which] = (at + lasts, !still);
        }
    }

    /// Each host hears nothing now and then, on its own, a fifth of the time.
    fn bursts(&mut self, time: Duration, mean: Duration) {
        let end = self.world.now() + time;
        let everyone: Group = self.hosts.iter().copied().collect();
        let mut faults: Vec<Option<FaultId>> = vec![None; self.hosts.len()];
        let mut next: BTreeSet<(Moment, usize)> = BTreeSet::new();
        for which in 0..self.hosts.len() {
            next.insert((self.world.now() + exponential(mean * 4, self.rng.random()), which));
        }
        while let Some((at, which)) = next.pop_first().filter(|(at, _)| *at <= end) {
            self.pass_until(at);
            let lasts = match faults[which].take() {
                None => {
                    let to: Group = [self.hosts[which]].into_iter().collect();
                    faults[which] = Some(self.world.network.begin(Fault::Cut { from: everyone.clone(), to }));
                    mean
                }
                Some(fault) => {
                    self.world.network.end(fault);
                    mean * 4
                }
            };
            next.insert((at + exponential(lasts, self.rng.random()), which));
        }
        for fault in faults.into_iter().flatten() {
            self.world.network.end(fault);
        }
    }
}
