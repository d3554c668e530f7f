//! A cluster in a simulated world, and who takes whom for down in it.

use std::{cell::RefCell, collections::BTreeSet, rc::Rc, time::Duration};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use tidings::{
    core::time::Moment,
    model::{Change, MemberState, NodeId},
    sim::{self, Conditions, Fault, FaultId, Group, HostId, News, Seen, Spread, Watcher, World},
};

use super::faults::{Death, Disturbance, exponential};

/// When a death is waited for no more.
const PATIENCE: Duration = Duration::from_secs(60);
/// Whom anybody showed as down.
#[derive(Clone, Default)]
struct Ledger(Rc<RefCell<BTreeSet<NodeId>>>);

impl Watcher for Ledger {
    fn name(&self) -> &'static str {
        "ledger"
    }

    fn see(&mut self, _: &World, _: HostId, seen: &Seen<'_>) -> Result<(), String> {
        // One that has started again and whose records are on their way is shown as down, too: that is nobody's verdict.
        if let Seen::Changing(Change::Node(node)) = seen
            && node.state == MemberState::Down
            && !node.reason.contains("started again")
        {
            self.0.borrow_mut().insert(node.id);
        }
        Ok(())
    }
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

pub(crate) struct Cluster {
    cluster: sim::Cluster,
    ledger: Ledger,
    spread: Spread,
    /// Those that died, and are rightly taken for down.
    dead: BTreeSet<NodeId>,
    begun: Moment,
    before: Counted,
    rng: StdRng,
}

impl Cluster {
    /// All know all, and packets are lost from now on.
    pub(crate) fn formed(size: usize, seed: u64, loss: f64) -> Cluster {
        let mut cluster = sim::Cluster::new(size, seed, Conditions::default());
        for host in cluster.hosts.clone() {
            cluster.world.start(host).expect("an empty folder");
            // As fast as somebody starts agents, and not all in one moment.
            cluster.world.run_for(Duration::from_millis(5));
        }
        cluster.wait_until_formed();
        let (ledger, spread) = (Ledger::default(), Spread::default());
        cluster.world.watch(Box::new(ledger.clone()));
        cluster.world.watch(Box::new(spread.clone()));
        cluster.world.network.conditions.loss = loss;
        // Streams are watched by then, and round trips and losses measured.
        cluster.world.run_for(Duration::from_secs(20));
        let (begun, before) = (Moment::default(), Counted::default());
        let mut cluster = Cluster { cluster, ledger, spread, dead: BTreeSet::new(), begun, before, rng: StdRng::seed_from_u64(seed) };
        cluster.begin();
        cluster
    }

    fn holds_for_up(&self, reader: HostId, node: NodeId) -> bool {
        let process = self.cluster.world.host(reader).process.as_ref();
        process.is_some_and(|process| process.catalog.load().node(node).is_some_and(|entry| entry.node.state.is_up()))
    }

    /// Counts from here on.
    fn begin(&mut self) {
        self.begun = self.cluster.world.now();
        self.before = self.count();
        self.ledger.0.borrow_mut().clear();
    }

    fn count(&self) -> Counted {
        let mut counted = Counted::default();
        for (_, host) in self.cluster.world.hosts() {
            counted.octets += host.traffic.octets();
            if let Some(process) = &host.process {
                let detector = process.core.counters().detector;
                counted.suspicions += detector.suspicions;
                counted.inconclusive += detector.inconclusive;
                counted.late += detector.late;
            }
        }
        counted.seconds = (self.cluster.world.now() - self.begun).as_secs_f64() * self.cluster.hosts.len() as f64;
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

    /// Who was taken for down by somebody that runs, though it had not died.
    pub(crate) fn victims(&self) -> BTreeSet<NodeId> {
        self.ledger.0.borrow().difference(&self.dead).copied().collect()
    }

    fn die(&mut self, host: HostId, death: Death) {
        let node = self.cluster.node(host);
        self.dead.insert(node);
        match death {
            Death::Kill => self.cluster.world.kill(host),
            Death::Power => self.cluster.world.lose_power(host),
        }
    }

    /// One dies; gives how long it took until all others showed it, and starts it again.
    pub(crate) fn death(&mut self, death: Death, time: u32) -> Vec<Option<Duration>> {
        let pause = Duration::from_millis(4_000 + u64::from(time) * 173 % 1_500);
        self.cluster.world.run_for(pause);
        let victim = self.cluster.hosts[self.rng.random_range(0..self.cluster.hosts.len())];
        let took = self.until_known(&[victim], death);
        self.cluster.world.start(victim).expect("its folder is sound");
        self.cluster.world.run_for(Duration::from_secs(5));
        // Back, it is rightly taken for down no more.
        let node = self.cluster.node(victim);
        self.dead.remove(&node);
        self.ledger.0.borrow_mut().remove(&node);
        took
    }

    /// Some die at once; gives for each how long it took until all others showed it.
    pub(crate) fn mass_death(&mut self, death: Death, share: u8) -> Vec<Option<Duration>> {
        let count = (self.cluster.hosts.len() * usize::from(share) / 100).max(1);
        let mut victims = self.cluster.hosts.clone();
        while victims.len() > count {
            victims.swap_remove(self.rng.random_range(0..victims.len()));
        }
        self.until_known(&victims, death)
    }

    fn until_known(&mut self, victims: &[HostId], death: Death) -> Vec<Option<Duration>> {
        let nodes: Vec<NodeId> = victims.iter().map(|victim| self.cluster.node(*victim)).collect();
        victims.iter().for_each(|victim| self.die(*victim, death));
        for node in &nodes {
            // Who has just started again, and has not heard of all yet, does not count.
            let unaware: Vec<HostId> = self.cluster.world.running().filter(|reader| self.holds_for_up(*reader, *node)).collect();
            self.spread.wait_for(&self.cluster.world, News::Down(*node), unaware);
        }
        let times = self.spread.end(&mut self.cluster.world, PATIENCE);
        nodes.into_iter().map(|node| times.get(&News::Down(node)).copied().flatten()).collect()
    }

    /// Nobody dies for so long, but not all is well.
    pub(crate) fn disturb(&mut self, disturbance: Disturbance, time: Duration) {
        match disturbance {
            Disturbance::None => self.cluster.world.run_for(time),
            Disturbance::Pauses(least, most) => self.stand_still(time, least, most, false),
            Disturbance::Freezes(least, most) => self.stand_still(time, least, most, true),
            Disturbance::Bursts(mean) => self.bursts(time, Duration::from_millis(mean)),
            Disturbance::Cut(share) => {
                let one: Group = [self.cluster.hosts[0]].into_iter().collect();
                let count = (self.cluster.hosts.len() - 1) * usize::from(share) / 100;
                let others: Group = self.cluster.hosts[1..=count].iter().copied().collect();
                let there = Fault::Cut { from: one.clone(), to: others.clone() };
                let back = Fault::Cut { from: others, to: one };
                self.with_faults(vec![there, back], time);
            }
            Disturbance::NoDatagrams => {
                let one: Group = [self.cluster.hosts[0]].into_iter().collect();
                let others: Group = self.cluster.hosts[1..].iter().copied().collect();
                let lost = |from: &Group, to: &Group| Fault::Loss { from: from.clone(), to: to.clone(), share: 1.0, streams: false };
                self.with_faults(vec![lost(&one, &others), lost(&others, &one)], time);
            }
        }
    }

    fn with_faults(&mut self, faults: Vec<Fault>, time: Duration) {
        let faults: Vec<FaultId> = faults.into_iter().map(|fault| self.cluster.world.network.begin(fault)).collect();
        self.cluster.world.run_for(time);
        for fault in faults {
            assert!(self.cluster.world.network.end(fault).expect("it lasts") > 0, "the fault hit nothing");
        }
    }

    /// A twentieth of them, each on its own.
    fn stand_still(&mut self, time: Duration, least: u64, most: u64, hosts_too: bool) {
        let end = self.cluster.world.now() + time;
        let slow = (self.cluster.hosts.len() / 20).max(1);
        // When each goes on or stands still next, and whether it does.
        let mut next: Vec<(Moment, bool)> =
            (0..slow).map(|_| (self.cluster.world.now() + Duration::from_millis(self.rng.random_range(0..5_000)), false)).collect();
        while let Some((which, (at, still))) = next.iter().copied().enumerate().min_by_key(|(_, (at, _))| *at).filter(|it| it.1.0 <= end) {
            self.cluster.world.run_until(at);
            let host = self.cluster.hosts[which * self.cluster.hosts.len() / slow];
            match (hosts_too, still) {
                (false, false) => self.cluster.world.pause(host),
                (false, true) => self.cluster.world.resume(host),
                (true, false) => self.cluster.world.freeze(host),
                (true, true) => self.cluster.world.thaw(host),
            }
            let lasts = match still {
                false => Duration::from_millis(self.rng.random_range(least..=most)),
                true => exponential(Duration::from_secs(10), self.rng.random()),
            };
            next[which] = (at + lasts, !still);
        }
    }

    /// Each host hears nothing now and then, on its own, a fifth of the time.
    fn bursts(&mut self, time: Duration, mean: Duration) {
        let end = self.cluster.world.now() + time;
        let everyone: Group = self.cluster.hosts.iter().copied().collect();
        let mut faults: Vec<Option<FaultId>> = vec![None; self.cluster.hosts.len()];
        let mut next: BTreeSet<(Moment, usize)> = BTreeSet::new();
        for which in 0..self.cluster.hosts.len() {
            next.insert((self.cluster.world.now() + exponential(mean * 4, self.rng.random()), which));
        }
        while let Some((at, which)) = next.pop_first().filter(|(at, _)| *at <= end) {
            self.cluster.world.run_until(at);
            let lasts = match faults[which].take() {
                None => {
                    let to: Group = [self.cluster.hosts[which]].into_iter().collect();
                    faults[which] = Some(self.cluster.world.network.begin(Fault::Cut { from: everyone.clone(), to }));
                    mean
                }
                Some(fault) => {
                    self.cluster.world.network.end(fault);
                    mean * 4
                }
            };
            next.insert((at + exponential(lasts, self.rng.random()), which));
        }
        for fault in faults.into_iter().flatten() {
            self.cluster.world.network.end(fault);
        }
    }
}
