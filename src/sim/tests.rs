//! What the world itself must do, before anything is judged by it.

mod cluster;
mod frugal;
mod images;
mod keys;
mod names;
mod planted;
mod restarts;
mod scale;
mod versions;
mod worlds;

use std::{cell::RefCell, ops::Range, rc::Rc, time::Duration};

use super::*;
use crate::model::{InstanceId, MemberState, Status};
use cluster::{Cluster, seconds};

/// Which seeds are tried, from the environment: from A to below B, as `A..B`.
const SEEDS: &str = "TIDINGS_SEEDS";

fn seeds(unless_said: &str) -> Range<u64> {
    let seeds = std::env::var(SEEDS).unwrap_or_else(|_| unless_said.into());
    let (first, end) = seeds.split_once("..").expect("A..B");
    first.parse().expect("a number")..end.parse().expect("a number")
}

#[test]
fn a_cluster_forms_and_what_is_registered_is_shown_everywhere() {
    let mut cluster = Cluster::formed(5, 1, Conditions::default());
    cluster.register(2, "web-1");
    cluster.until(seconds(5), "everyone shows it", |cluster| (0..5).all(|reader| cluster.shows(reader, 2, "web-1")));
}

#[test]
fn what_is_acknowledged_is_there_after_a_loss_of_power() {
    for seed in 0..50 {
        let mut cluster = Cluster::started(1, seed, Conditions::default());
        cluster.world.run_for(seconds(1));
        let commands: Vec<_> = (0..10)
            .map(|n| {
                cluster.world.run_for(Duration::from_micros(300));
                cluster.submit_registration(0, &format!("web-{n}"))
            })
            .collect();
        let acknowledged = commands.iter().filter(|command| cluster.world.reply(**command).is_some()).count();
        cluster.world.lose_power(cluster.hosts[0]);
        cluster.world.run_for(seconds(1));
        cluster.world.start(cluster.hosts[0]).expect("the folder is sound");
        cluster.world.run_for(seconds(1));
        let there = (0..10).filter(|n| cluster.shows(0, 0, &format!("web-{n}"))).count();
        assert!(there >= acknowledged, "seed {seed}: {there} of {acknowledged}");
    }
}

#[test]
fn a_partition_keeps_news_out_until_it_heals() {
    let mut cluster = Cluster::formed(4, 2, Conditions::default());
    let fault = cluster.world.network.begin(Fault::Partition(vec![[cluster.hosts[0], cluster.hosts[1]].into_iter().collect()]));
    cluster.register(0, "web-1");
    cluster.until(seconds(5), "this side shows it", |cluster| cluster.shows(1, 0, "web-1"));
    cluster.world.run_for(seconds(30));
    assert!(!cluster.shows(2, 0, "web-1") && cluster.state(2, 0) == Some(MemberState::Down));
    assert!(cluster.world.network.end(fault).expect("lasts") > 0);
    cluster.until(seconds(60), "all are equal", |cluster| cluster.all_equal() && cluster.shows(2, 0, "web-1"));
}

#[test]
fn a_process_that_stands_still_reads_what_came_when_it_goes_on() {
    let mut cluster = Cluster::formed(3, 3, Conditions::default());
    cluster.world.pause(cluster.hosts[1]);
    cluster.register(0, "web-1");
    cluster.world.run_for(Duration::from_millis(500));
    assert!(!cluster.shows(1, 0, "web-1"));
    cluster.world.resume(cluster.hosts[1]);
    assert!(cluster.shows(1, 0, "web-1"), "it was in the socket");
}

#[test]
fn a_frozen_host_hears_nothing_and_catches_up_by_a_sync() {
    let mut cluster = Cluster::formed(3, 4, Conditions::default());
    cluster.world.freeze(cluster.hosts[1]);
    cluster.register(0, "web-1");
    cluster.world.run_for(seconds(60));
    cluster.world.thaw(cluster.hosts[1]);
    assert!(!cluster.shows(1, 0, "web-1"));
    cluster.until(seconds(60), "it catches up", |cluster| cluster.shows(1, 0, "web-1") && cluster.all_equal());
}

#[test]
fn a_full_disk_refuses_writes_and_takes_them_again_later() {
    let mut cluster = Cluster::formed(1, 5, Conditions::default());
    let host = cluster.hosts[0];
    cluster.world.set_disk(host, DiskState::Full);
    let refused = cluster.submit_registration(0, "web-1");
    cluster.world.run_for(seconds(1));
    assert!(cluster.world.reply(refused).is_some_and(|(reply, _)| reply.is_err()));
    cluster.world.set_disk(host, DiskState::Healthy);
    cluster.register(0, "web-1");
    assert!(cluster.shows(0, 0, "web-1"));
}

#[test]
fn checks_find_out_how_a_program_is() {
    let mut cluster = Cluster::formed(2, 6, Conditions::default());
    cluster.register(0, "web-1");
    cluster.until(seconds(5), "it passes", |cluster| cluster.status(1, 0, "web-1") == Some(Status::Passing));
    cluster.world.set_health(cluster.hosts[0], &InstanceId::new("web-1").expect("an id"), Status::Critical);
    cluster.until(seconds(5), "it is critical", |cluster| cluster.status(1, 0, "web-1") == Some(Status::Critical));
}

#[test]
fn streams_survive_loss_and_are_refused_where_nobody_listens() {
    let conditions = Conditions { loss: 0.2, duplicate: 0.1, reorder: 0.1, ..Conditions::default() };
    let mut cluster = Cluster::started(6, 7, conditions);
    cluster.until(seconds(60), "all are equal", |cluster| cluster.all_equal() && cluster.shown_nodes(5) == 6);
    let effects = cluster.world.network.effects;
    assert!(effects.lost > 0 && effects.duplicated > 0 && effects.reordered > 0, "{effects:?}");
}

#[test]
fn the_same_seed_gives_the_same_history() {
    let run = |seed| {
        let log = Log::default();
        let conditions = Conditions { loss: 0.1, duplicate: 0.05, reorder: 0.05, ..Conditions::default() };
        let mut cluster = Cluster::new(5, seed, conditions);
        cluster.world.watch(Box::new(log.clone()));
        cluster.start_all();
        cluster.world.run_for(seconds(5));
        cluster.register(1, "web-1");
        cluster.world.kill(cluster.hosts[2]);
        cluster.world.run_for(seconds(30));
        (cluster.world.planned(), log.0.take())
    };
    let (first, again, other) = (run(1), run(1), run(2));
    assert!(first.1.len() > 20);
    assert_eq!(first, again);
    assert_ne!(first, other);
}

/// Keeps all that it sees.
#[derive(Clone, Default)]
struct Log(Rc<RefCell<Vec<String>>>);

impl Watcher for Log {
    fn name(&self) -> &'static str {
        "log"
    }

    fn see(&mut self, world: &World, host: HostId, seen: &Seen<'_>) -> Result<(), String> {
        self.0.borrow_mut().push(format!("{} {host:?} {seen:?}", world.now()));
        Ok(())
    }
}
