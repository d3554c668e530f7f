//! Random worlds: a seed draws how many hosts there are, which kinds of fault and of work occur, and then each of them (swarm testing, Groce
//! et al., 2012: a world in which some kinds never occur goes deeper into the others).

mod deeds;
mod operator;
mod options;
mod replay;

use std::time::Duration;

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use super::{Conditions, Group, HostId, HostOptions, Line, Network, Violation, World, checkers, link::Latency};
use crate::{
    model::{ClusterName, NodeName},
    wire::Versions,
};
use operator::Operator;
pub use options::{Encrypted, Kind, Options, Stranger};

/// How long a world may take to come to rest once all faults have ended.
const PATIENCE: Duration = Duration::from_secs(180);
/// How long nothing may change before it is judged: longer than an announced absence, after which who is missing is found out.
const QUIET: Duration = Duration::from_secs(25);

/// How a world went.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Promises that were broken, in order.
    pub violations: Vec<Violation>,
    /// How long it took from the last fault until all agreed; none where they did not.
    pub rest_after: Option<Duration>,
    /// What happened, where it was asked for.
    pub story: Vec<Line>,
    /// How many things happened.
    pub happenings: u64,
    /// How long it lasted.
    pub lasted: Duration,
    /// Datagrams and frames that were said again.
    pub said_again: u64,
    /// Of those, the ones that were taken.
    pub taken_again: u64,
}

/// Lets a world of a seed happen.
pub fn run(options: &Options, with_story: bool) -> Outcome {
    let mut swarm = Swarm::new(options);
    if with_story {
        swarm.world.keep_story();
    }
    swarm.go();
    swarm.finish()
}

struct Swarm {
    options: Options,
    world: World,
    hosts: Vec<HostId>,
    rng: StdRng,
    /// What ends something that was begun, and when.
    ends: Vec<(crate::core::time::Moment, deeds::End)>,
    operator: Operator,
    port: u16,
}

impl Swarm {
    fn new(options: &Options) -> Swarm {
        let mut rng = StdRng::seed_from_u64(options.seed ^ 0x5177);
        let mut world = World::new(options.seed, options.conditions);
        if options.has(Kind::Image) {
            world.keep_tapes();
        }
        checkers::all().into_iter().for_each(|checker| world.watch(checker));
        let (operator, keys) = Operator::new(options.hosts, options.encrypted);
        let hosts: Vec<HostId> = (0..options.hosts)
            .map(|n| {
                // All seeds of a host are other hosts, or there are none: the first one begins the cluster.
                let seeds = if n == 0 { vec![] } else { vec![HostId(0), HostId(rng.random_range(0..n))] };
                let name = if options.has(Kind::NameTwice) && n == options.hosts - 1 { "n0".to_owned() } else { format!("n{n}") };
                world.add(HostOptions {
                    address: address(n),
                    node_name: NodeName::new(&name).expect("a name"),
                    cluster: ClusterName::new("swarm").expect("a name"),
                    zone: None,
                    seeds,
                    reap_after: options.reap_after,
                    keys: keys.clone(),
                    versions: options.releases[0],
                })
            })
            .collect();
        if let Some(stranger) = options.encrypted.and_then(|encrypted| encrypted.stranger) {
            add_stranger(&mut world, stranger);
        }
        if options.has(Kind::Replay) {
            let all: Group = world.hosts().map(|(id, _)| id).collect();
            world.record(all.clone(), all);
        }
        Swarm { options: options.clone(), world, hosts, rng, ends: Vec::new(), operator, port: 1 }
    }

    fn go(&mut self) {
        let all: Vec<HostId> = self.world.hosts().map(|(id, _)| id).collect();
        for host in all {
            // An empty folder is of use.
            let _ = self.start(host);
            let pause = Duration::from_millis(self.rng.random_range(0..500));
            self.world.run_for(pause);
        }
        self.world.run_for(Duration::from_secs(2));
        let end = self.world.now() + self.options.lasts;
        while self.world.now() < end && self.world.violations().is_empty() {
            let gap = Latency::Tail(Duration::from_millis(1), self.options.pace).draw(&mut self.rng);
            let next = (self.world.now() + gap).min(end);
            self.end_what_is_over(next);
            self.world.run_until(next);
            self.do_something();
        }
    }

    fn finish(mut self) -> Outcome {
        let mut rest_after = None;
        // Before the network is well again: what is sent from then on, it can't hit.
        let effects = no_effect(&self.options.conditions, &self.world.network);
        if self.world.violations().is_empty() {
            self.end_all();
            rest_after = self.wait_for_rest();
            if self.world.violations().is_empty() {
                self.world.judge_rest();
            }
            if self.options.has(Kind::Replay) && self.options.encrypted.is_some() && self.world.violations().is_empty() {
                self.replay_all();
                self.wait_for_rest();
                if self.world.violations().is_empty() {
                    self.world.judge_rest();
                }
            }
        }
        let story = self.world.take_story();
        let mut violations = self.world.violations().to_vec();
        violations.extend(effects.map(|what| Violation { at: self.world.now(), watcher: "knobs", host: HostId(0), what }));
        let lasted = self.world.now().since_start();
        if self.options.has(Kind::Replay)
            && self.world.recorded().datagrams > 0
            && violations.is_empty()
            && self.options.encrypted.is_some()
        {
            let idle = (self.world.network.effects.said_again == 0).then(|| "nothing of what was recorded was said again".to_owned());
            violations.extend(idle.map(|what| Violation { at: self.world.now(), watcher: "knobs", host: HostId(0), what }));
        }
        let (said_again, taken_again) = (self.world.network.effects.said_again, self.world.network.effects.taken_again);
        Outcome { violations, rest_after, story, happenings: self.world.planned(), lasted, said_again, taken_again }
    }

    /// Waits until all agree and go on doing so for a while, and no more work is under way.
    fn wait_for_rest(&mut self) -> Option<Duration> {
        let begun = self.world.now();
        let mut since = None;
        while self.world.now() - begun < PATIENCE && self.world.violations().is_empty() {
            self.world.run_for(Duration::from_millis(100));
            if !self.world.all_agree() {
                since = None;
            } else if self.world.now() - *since.get_or_insert(self.world.now()) >= QUIET {
                return since.map(|since| since - begun);
            }
        }
        None
    }
}

/// One host more, to which nothing is done.
fn add_stranger(world: &mut World, stranger: Stranger) {
    let n = world.hosts().len();
    let cluster = if stranger == Stranger::OtherCluster { "swarm-2" } else { "swarm" };
    world.add(HostOptions {
        address: address(n),
        node_name: NodeName::new("stranger").expect("a name"),
        cluster: ClusterName::new(cluster).expect("a name"),
        zone: None,
        seeds: (0..n).map(HostId).collect(),
        reap_after: Duration::from_secs(24 * 3_600),
        keys: operator::keys_of(stranger),
        versions: if stranger == Stranger::OtherVersion { Versions { lowest: 7, highest: 8 } } else { Versions::SPOKEN },
    });
}

fn address(n: usize) -> std::net::SocketAddr {
    std::net::SocketAddr::from(([10, 0, (n / 250) as u8, (n % 250 + 1) as u8], 8746))
}

/// A knob that was turned and did nothing.
fn no_effect(conditions: &Conditions, network: &Network) -> Option<String> {
    let effects = network.effects;
    // By chance alone it hits nothing in one world of 10^13.
    let is_expected = |share: f64| share * effects.datagrams as f64 > 30.0;
    let knobs = [
        ("loss", conditions.loss, effects.lost),
        ("duplication", conditions.duplicate, effects.duplicated),
        ("reordering", conditions.reorder, effects.reordered),
    ];
    knobs
        .into_iter()
        .find(|(_, share, hits)| is_expected(*share) && *hits == 0)
        .map(|(knob, share, _)| format!("a {knob} of {share} hit nothing"))
}
