//! What readers are handed out while agents restart.

#![expect(clippy::print_stdout, reason = "whoever runs it reads what it found")]

use std::{cell::RefCell, collections::BTreeMap, net::SocketAddr, rc::Rc, time::Duration};

use rand::{SeedableRng as _, rngs::StdRng};

use super::{
    super::{Conditions, End, HostId, Seen, Views, Watcher, World, Wrong, churn, registration},
    cluster::{Cluster, seconds},
    seeds,
};
use crate::model::{Command, InstanceId, Registration, ServiceName};

/// Agents with an instance each, and what they show of it from now on.
fn serving(size: usize, seed: u64) -> (Cluster, Views) {
    let mut cluster = Cluster::new(size, seed, Conditions::default());
    let views = Views::of(InstanceId::new("web-1").expect("an id"));
    cluster.world.watch(Box::new(views.clone()));
    cluster.start_acquainted();
    for host in cluster.hosts.clone() {
        let (id, service) = (InstanceId::new("web-1").expect("an id"), ServiceName::new("web").expect("a name"));
        // Without checks: those of a host that has booted are critical until they have run.
        let registration = Registration::plain(registration::instance(id, service, 80));
        cluster.world.submit(host, Command::Register(registration));
    }
    cluster.world.run_for(seconds(20));
    views.judge(&cluster.world);
    (cluster, views)
}

/// Churn, and time for its last restarts to be known.
fn after_churn(size: usize, seed: u64, every: Duration, restarts: usize, ends: &[End]) -> (Cluster, Views) {
    let (mut cluster, views) = serving(size, seed);
    let mut rng = StdRng::seed_from_u64(seed);
    churn(&mut cluster, &views, &mut rng, every, restarts, ends);
    let end = cluster.world.now() + seconds(30);
    views.run_until(&mut cluster.world, end);
    (cluster, views)
}

/// Nobody is wrong for longer than this, and nothing vanishes that is there.
fn nobody_is_wrong_for_longer(most: Duration, ends: &[End]) {
    for seed in seeds("0..1") {
        let (cluster, views) = after_churn(200, seed, seconds(3), 20, ends);
        let lapses = views.lapses(&cluster.world);
        assert!([Wrong::Stale, Wrong::Late].iter().all(|wrong| lapses.iter().any(|lapse| lapse.wrong == *wrong)), "{lapses:?}");
        let worst = lapses.iter().max_by_key(|lapse| lapse.lasted).expect("there are some");
        println!("seed {seed}: {} lapses, the longest: {worst:?}", lapses.len());
        assert!(worst.lasted <= most, "seed {seed}: {worst:?}");
        let vanished: Vec<_> = lapses.iter().filter(|lapse| lapse.wrong == Wrong::Vanished).collect();
        assert!(vanished.is_empty(), "seed {seed}: {} vanished, first {:?}", vanished.len(), vanished.first());
    }
}

#[test]
fn while_a_tenth_of_all_agents_restarts_each_minute_nobody_is_wrong_for_half_a_second() {
    nobody_is_wrong_for_longer(Duration::from_millis(500), &End::PROCESSES);
}

#[test]
fn while_hosts_lose_their_power_as_often_nobody_is_wrong_for_three_seconds() {
    nobody_is_wrong_for_longer(seconds(3), &[End::HostLost]);
}

#[test]
fn a_rolling_restart_takes_nothing_out_of_any_answer() {
    let size = 30;
    let (mut cluster, views) = serving(size, 1);
    for host in (0..size).map(HostId) {
        cluster.world.terminate(host, true).expect("an agent runs");
        while cluster.world.host(host).process.is_some() {
            let soon = cluster.world.now() + Duration::from_millis(50);
            views.run_until(&mut cluster.world, soon);
        }
        let away = cluster.world.now() + Duration::from_millis(500);
        views.run_until(&mut cluster.world, away);
        cluster.world.start(host).expect("its folder is sound");
        let later = cluster.world.now() + seconds(1);
        views.run_until(&mut cluster.world, later);
    }
    let end = cluster.world.now() + seconds(30);
    views.run_until(&mut cluster.world, end);
    assert_eq!(views.lapses(&cluster.world), []);
    assert!(cluster.is_formed());
}

#[test]
fn a_reader_that_is_wrong_is_seen() {
    let (cluster, views) = after_churn(5, 1, seconds(30), 4, &[End::Killed]);
    let lapses = views.lapses(&cluster.world);
    let count = |wrong| lapses.iter().filter(|lapse| lapse.wrong == wrong).count();
    // Each is missed once, and found again once.
    assert_eq!((count(Wrong::Stale), count(Wrong::Late), count(Wrong::Vanished)), (4, 4, 0), "{lapses:?}");
    assert!(lapses.iter().all(|lapse| lapse.lasted > Duration::from_millis(1) && lapse.reader != lapse.subject), "{lapses:?}");
}

#[test]
fn each_is_remembered_by_as_many_others_as_any() {
    let mut cluster = Cluster::new(80, 1, Conditions::default());
    cluster.start_acquainted();
    cluster.world.run_for(seconds(5));
    let remembered = Remembered::default();
    cluster.world.watch(Box::new(remembered.clone()));
    cluster.hosts.clone().into_iter().for_each(|host| cluster.world.kill(host));
    cluster.start_all();
    let counts: Vec<usize> = remembered.0.take().into_values().collect();
    assert!(counts.len() == 80 && counts.iter().all(|count| (28..=36).contains(count)), "{counts:?}");
}

/// How many agents found each address among those of their peers when they started.
#[derive(Clone, Default)]
struct Remembered(Rc<RefCell<BTreeMap<SocketAddr, usize>>>);

impl Watcher for Remembered {
    fn name(&self) -> &'static str {
        "remembered"
    }

    fn see(&mut self, _: &World, _: HostId, seen: &Seen<'_>) -> Result<(), String> {
        if let Seen::Started { contents, .. } = seen {
            contents.peers.iter().for_each(|peer| *self.0.borrow_mut().entry(*peer).or_default() += 1);
        }
        Ok(())
    }
}
