//! Two agents, one name: who is kept out, and what that costs.

use std::{cell::Cell, collections::BTreeSet, net::SocketAddr, rc::Rc, time::Duration};

use super::{
    super::*,
    cluster::{Cluster, seconds},
};
use crate::{core::io::Event, model::NodeName, wire::Versions};

/// Who joins all are told by one that is new itself, and by one that knows the holder.
#[test]
fn a_node_that_is_kept_out_is_left_alone_though_some_took_it_for_a_member() {
    let was_taken: Vec<bool> = (0..10).map(kept_out_while_some_take_it_for_a_member).collect();
    assert!(was_taken.contains(&true), "nobody ever took it for one: this shows nothing");
}

fn kept_out_while_some_take_it_for_a_member(seed: u64) -> bool {
    // So slow that it is refused by the one before it has joined by the other.
    let conditions = Conditions { latency: Latency::Fixed(Duration::from_millis(40)), ..Conditions::default() };
    let mut cluster = Cluster::formed(4, seed, conditions);
    let refusals = Refusals::default();
    cluster.world.watch(Box::new(refusals.clone()));
    let fresh = add(&mut cluster, 5, "fresh", vec![HostId(1)]);
    let second = add(&mut cluster, 6, "n0", vec![fresh, HostId(2)]);
    for host in [fresh, second] {
        cluster.world.start(host).expect("the folder is sound");
    }
    let mut members = BTreeSet::new();
    for _ in 0..1_000 {
        cluster.world.run_for(Duration::from_millis(10));
        members.insert(cluster.world.host(HostId(3)).process.as_ref().expect("runs").core.digest().members);
    }
    if knows(&cluster, second) > 1 {
        // It was quicker, and is shown as in conflict.
        return false;
    }
    assert!(cluster.all_but_equal(second), "seed {seed}: those who are members do not agree");
    let before = refusals.0.get();
    cluster.world.keep_story();
    cluster.world.run_for(seconds(60));
    let refused = refusals.0.get() - before;
    if !(1..=8).contains(&refused) {
        let story: Vec<String> = cluster.world.take_story().iter().map(ToString::to_string).collect();
        panic!("seed {seed}: refused {refused} times within a minute\n{}", story.join("\n"));
    }
    // As the cluster was, with the fresh one, and with the one that is kept out.
    members.len() > 2
}

/// Its only refuser starts again, and knows nobody.
#[test]
fn a_node_that_is_kept_out_is_not_let_in_by_one_that_is_new() {
    for seed in 0..5 {
        let mut cluster = Cluster::formed(2, seed, Conditions::default());
        let second = add(&mut cluster, 6, "n0", vec![HostId(1)]);
        cluster.world.start(second).expect("the folder is sound");
        cluster.world.run_for(seconds(5));
        let fault = cluster.world.network.begin(Fault::Partition(vec![[cluster.hosts[0]].into_iter().collect()]));
        cluster.world.kill(cluster.hosts[1]);
        cluster.world.start(cluster.hosts[1]).expect("the folder is sound");
        for _ in 0..200 {
            cluster.world.run_for(Duration::from_millis(100));
            assert_eq!(knows(&cluster, second), 1, "seed {seed}: it was let in at {}", cluster.world.now());
        }
        cluster.world.network.end(fault);
        cluster.world.run_for(seconds(60));
        assert_eq!(knows(&cluster, second), 1, "seed {seed}");
        cluster.world.kill(cluster.hosts[0]);
        cluster.until(seconds(60), "the name is free, and it is let in", |cluster| knows(cluster, second) > 1);
    }
}

/// Who is kept out can't take in a newcomer, and tells it who can.
#[test]
fn a_newcomer_that_asks_a_node_that_is_kept_out_finds_the_others() {
    let mut cluster = Cluster::formed(3, 1, Conditions::default());
    let second = add(&mut cluster, 6, "n0", vec![HostId(1)]);
    cluster.world.start(second).expect("the folder is sound");
    cluster.world.run_for(seconds(5));
    let newcomer = add(&mut cluster, 7, "n7", vec![second]);
    cluster.world.start(newcomer).expect("the folder is sound");
    cluster.until(seconds(20), "it has joined", |cluster| knows(cluster, newcomer) == 4);
    assert_eq!(knows(&cluster, second), 1);
}

fn add(cluster: &mut Cluster, at: u8, name: &str, seeds: Vec<HostId>) -> HostId {
    let of = cluster.world.host(HostId(0)).options.cluster.clone();
    cluster.world.add(HostOptions {
        address: SocketAddr::from(([10, 0, 1, at], 8746)),
        node_name: NodeName::new(name).expect("a name"),
        cluster: of,
        zone: None,
        seeds,
        reap_after: seconds(24 * 3_600),
        keys: Default::default(),
        versions: Versions::SPOKEN,
    })
}

/// How many nodes an agent shows, itself included.
fn knows(cluster: &Cluster, host: HostId) -> usize {
    cluster.world.host(host).process.as_ref().map_or(0, |process| process.catalog.load().nodes().len())
}

impl Cluster {
    fn all_but_equal(&self, but: HostId) -> bool {
        let others = self.world.running().filter(|host| *host != but);
        let digests = others.filter_map(|host| self.world.host(host).process.as_ref()).map(|process| process.core.digest().total());
        digests.collect::<BTreeSet<_>>().len() == 1
    }
}

/// Counts how often anybody was refused.
#[derive(Clone, Default)]
struct Refusals(Rc<Cell<usize>>);

impl Watcher for Refusals {
    fn name(&self) -> &'static str {
        "refusals"
    }

    fn see(&mut self, _: &World, _: HostId, seen: &Seen<'_>) -> Result<(), String> {
        if let Seen::Told(Event::Refused { by_us: true, .. }) = seen {
            self.0.set(self.0.get() + 1);
        }
        Ok(())
    }
}
