//! How fast large worlds are, and what they take. Run by hand: `cargo test --profile sim --lib scale -- --ignored --nocapture`.

#![expect(clippy::print_stdout, reason = "whoever runs it reads what it found")]

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use super::{
    super::{Conditions, checkers},
    cluster::{Cluster, seconds},
};
use crate::model::MemberState;

/// How many nodes, from the environment.
const NODES: &str = "TIDINGS_NODES";

#[test]
#[ignore = "takes a minute"]
fn a_large_cluster_is_simulated_faster_than_it_lives() {
    let size = size_or(1_000);
    let mut effort = Effort::begin();
    let mut cluster = Cluster::started(size, 1, Conditions::default());
    acquaint(&mut cluster);
    effort.tell(&format!("{size} nodes agree at {}", cluster.world.now()));
    let speed = rest_for_a_minute(&mut cluster, &mut effort);
    assert!(speed > 25.0 || size > 1_000, "{speed:.1} times real time");
}

#[test]
#[ignore = "takes ten minutes and some 14 GB"]
fn a_huge_cluster_learns_of_a_death_and_of_an_instance_and_keeps_every_promise() {
    let size = size_or(5_000);
    let mut effort = Effort::begin();
    let mut cluster = Cluster::new(size, 1, Conditions::default());
    checkers::all().into_iter().for_each(|checker| cluster.world.watch(checker));
    cluster.start_all();
    acquaint(&mut cluster);
    effort.tell(&format!("{size} nodes agree at {}", cluster.world.now()));
    rest_for_a_minute(&mut cluster, &mut effort);

    let (lost, owner) = (size / 2, size / 3);
    let others = || (0..size).filter(move |n| *n != lost);
    let (from, node) = (cluster.world.now(), cluster.node_id(lost).expect("it runs"));
    cluster.world.lose_power(cluster.hosts[lost]);
    let knows = |cluster: &Cluster, n| cluster.state_of(n, node) == Some(MemberState::Down);
    cluster.until(seconds(30), "all know that a host is lost", |cluster| others().all(|n| knows(cluster, n)));
    effort.tell(&format!("a lost host is known to all after {:?}", cluster.world.now() - from));

    let from = cluster.world.now();
    cluster.register(owner, "web-1");
    cluster.until(seconds(30), "all show an instance", |cluster| others().all(|n| cluster.shows(n, owner, "web-1")));
    effort.tell(&format!("an instance is shown by all after {:?}", cluster.world.now() - from));

    cluster.world.run_for(seconds(10));
    cluster.world.judge_rest();
    effort.tell("at rest again, and judged");
    let violations = cluster.world.violations();
    assert!(violations.is_empty(), "{} in all, the first: {}", violations.len(), violations[0]);
    assert!(cluster.world.all_agree(), "they do not hold the same");
}

fn size_or(default: usize) -> usize {
    std::env::var(NODES).map_or(default, |n| n.parse().expect("a number"))
}

fn acquaint(cluster: &mut Cluster) {
    let hosts = cluster.hosts.clone();
    cluster.world.acquaint(&hosts);
    let size = hosts.len();
    assert!(cluster.world.all_agree() && (0..size).all(|n| cluster.shown_nodes(n) == size), "they do not agree");
}

/// How many times as fast as real time it goes.
fn rest_for_a_minute(cluster: &mut Cluster, effort: &mut Effort) -> f64 {
    let (before, happened) = (cluster.traffic().octets(), cluster.world.planned());
    cluster.world.run_for(seconds(60));
    let (after, size) = (cluster.traffic().octets(), cluster.hosts.len());
    let speed = 60.0 / effort.since_last().as_secs_f64();
    effort.tell(&format!(
        "at rest for a minute: {speed:.1} times real time, {} happenings, {:.1} octets a second and node",
        cluster.world.planned() - happened,
        (after - before) as f64 / 60.0 / size as f64,
    ));
    speed
}

/// What was spent until when.
struct Effort {
    begun: Duration,
    last: Duration,
}

impl Effort {
    fn begin() -> Effort {
        let now = worked();
        Effort { begun: now, last: now }
    }

    fn since_last(&self) -> Duration {
        worked() - self.last
    }

    fn tell(&mut self, what: &str) {
        self.last = worked();
        println!("{what}; {:.1} s of work, {}", (self.last - self.begun).as_secs_f64(), memory());
    }
}

/// How long the processor has worked for this process: what else runs on the machine is not in it.
fn worked() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// What the process holds now, and what it held at most.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let lines = status.lines().filter(|line| line.starts_with("VmRSS") || line.starts_with("VmHWM"));
    lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>().join(", ")
}
