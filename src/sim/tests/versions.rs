//! Agents of several versions of the wire format in one cluster.

use std::{cell::RefCell, collections::BTreeSet, rc::Rc};

use super::{
    super::{Conditions, HostId, Seen, Watcher, World, checkers},
    cluster::{Cluster, seconds},
};
use crate::{
    core::io::Event,
    keyring::{Key, Keyring, Keys},
    model::{
        MemberState,
        encryption::{KeyId, Mode},
    },
    planted::{Planted, with},
    wire::{Versions, message::RefuseCode},
};

const ONE: Versions = Versions { lowest: 1, highest: 1 };
const ONE_TO_TWO: Versions = Versions { lowest: 1, highest: 2 };
const TWO: Versions = Versions { lowest: 2, highest: 2 };
const TWO_TO_THREE: Versions = Versions { lowest: 2, highest: 3 };

/// What agents told of versions.
#[derive(Clone, Default)]
struct Heard(Rc<RefCell<Told>>);

#[derive(Default)]
struct Told {
    /// Who could not read something, because of its version.
    unread: BTreeSet<HostId>,
    /// Who refused somebody, or was refused, for that; whether it did so itself; and how it put it.
    refusals: BTreeSet<(HostId, bool, String)>,
}

impl Watcher for Heard {
    fn name(&self) -> &'static str {
        "heard"
    }

    fn see(&mut self, _: &World, host: HostId, seen: &Seen<'_>) -> Result<(), String> {
        match seen {
            Seen::Told(Event::OtherVersion { .. }) => drop(self.0.borrow_mut().unread.insert(host)),
            Seen::Told(Event::Refused { code: RefuseCode::Version, by_us, detail, .. }) => {
                self.0.borrow_mut().refusals.insert((host, *by_us, detail.clone()));
            }
            _ => {}
        }
        Ok(())
    }
}

fn keys(mode: Mode) -> Keys {
    let ring = Keyring::new(vec![Key::new(KeyId::new(5).expect("an id"), [1; 32])]);
    Keys { mode, keyring: ring.expect("it is one"), file: None }
}

/// Hosts whose agents will speak these, each, with everything watched; nothing runs yet.
fn hosts(versions: &[Versions], seed: u64, mode: Mode) -> (Cluster, Heard) {
    let mut cluster = Cluster::new(versions.len(), seed, Conditions::default());
    let heard = Heard::default();
    checkers::all().into_iter().for_each(|checker| cluster.world.watch(checker));
    cluster.world.watch(Box::new(heard.clone()));
    for (host, versions) in cluster.hosts.clone().into_iter().zip(versions) {
        cluster.world.host_mut(host).options.versions = *versions;
        if mode.encrypts() {
            cluster.world.set_keys(host, keys(mode));
        }
    }
    (cluster, heard)
}

fn assert_kept(cluster: &mut Cluster) {
    cluster.world.judge_rest();
    assert_eq!(cluster.world.violations(), []);
}

/// Restarts an agent as another release, and registers something before and after; everybody is to know it soon.
fn upgrade(cluster: &mut Cluster, at: usize, versions: Versions, round: usize) {
    let size = cluster.hosts.len();
    let other = (at + 1) % size;
    let host = cluster.hosts[at];
    cluster.world.terminate(host, true).expect("an agent runs");
    cluster.register(other, &format!("while-{round}-{at}"));
    cluster.until(seconds(10), "it has ended", |cluster| cluster.world.host(host).process.is_none());
    cluster.world.host_mut(host).options.versions = versions;
    cluster.world.start(host).expect("its folder is sound");
    cluster.register(at, &format!("after-{round}-{at}"));
    cluster.until(seconds(5), "everyone shows what was registered", |cluster| {
        (0..size).all(|reader| {
            cluster.shows(reader, other, &format!("while-{round}-{at}"))
                && cluster.shows(reader, at, &format!("after-{round}-{at}"))
                && cluster.state(reader, at) == Some(MemberState::Alive)
        })
    });
    cluster.world.run_for(seconds(5));
    assert_eq!(cluster.world.violations(), [], "after {at} of round {round}");
}

#[test]
fn a_rolling_upgrade_over_three_versions_keeps_every_promise() {
    for (seed, mode) in [(1, Mode::Off), (2, Mode::Require), (3, Mode::Accept)] {
        let (mut cluster, heard) = hosts(&[ONE; 5], seed, mode);
        cluster.start_all();
        cluster.wait_until_formed();
        for (round, versions) in [ONE_TO_TWO, TWO_TO_THREE].into_iter().enumerate() {
            for at in 0..cluster.hosts.len() {
                upgrade(&mut cluster, at, versions, round);
            }
            cluster.world.run_for(seconds(30));
            assert!(cluster.is_formed() && cluster.all_equal(), "{mode}, round {round}");
        }
        assert_kept(&mut cluster);
        let told = heard.0.borrow();
        assert!(told.refusals.is_empty(), "{mode}: {:?}", told.refusals);
    }
}

#[test]
fn a_rolling_upgrade_is_taken_back() {
    let (mut cluster, _) = hosts(&[ONE_TO_TWO; 4], 4, Mode::Require);
    cluster.start_all();
    cluster.wait_until_formed();
    for at in 0..4 {
        upgrade(&mut cluster, at, ONE, 0);
    }
    cluster.world.run_for(seconds(30));
    assert!(cluster.is_formed() && cluster.all_equal());
    assert_kept(&mut cluster);
}

#[test]
fn what_is_settled_between_two_releases_needs_nothing_to_be_dropped() {
    let (mut cluster, heard) = hosts(&[ONE, ONE_TO_TWO, ONE, ONE_TO_TWO], 5, Mode::Off);
    cluster.start_all();
    cluster.wait_until_formed();
    heard.0.borrow_mut().unread.clear();
    for round in 0..10 {
        cluster.register(round % 4, &format!("web-{round}"));
        cluster.world.run_for(seconds(20));
    }
    assert!(heard.0.borrow().unread.is_empty(), "{:?}", heard.0.borrow().unread);
    assert!(cluster.is_formed());
    assert_kept(&mut cluster);
}

#[test]
fn one_whose_lowest_version_is_unknown_to_the_seed_joins_all_the_same() {
    for (seed, versions) in [(6, [TWO_TO_THREE, ONE_TO_TWO]), (7, [ONE_TO_TWO, TWO_TO_THREE]), (8, [ONE_TO_TWO, TWO])] {
        for mode in [Mode::Off, Mode::Require] {
            let (mut cluster, heard) = hosts(&versions, seed, mode);
            cluster.start_all();
            cluster.until(seconds(5), "they have joined", |cluster| {
                cluster.all_equal() && (0..2).all(|reader| cluster.shown_nodes(reader) == 2)
            });
            cluster.register(0, "web-1");
            cluster.register(1, "web-1");
            cluster.until(seconds(5), "both show both", |cluster| cluster.shows(0, 1, "web-1") && cluster.shows(1, 0, "web-1"));
            cluster.world.run_for(seconds(60));
            assert!(cluster.is_formed() && heard.0.borrow().refusals.is_empty());
            assert_kept(&mut cluster);
        }
    }
}

#[test]
fn two_without_a_common_version_part_and_both_say_what_each_speaks() {
    for (joins, mode) in [(TWO, Mode::Off), (TWO, Mode::Require), (TWO_TO_THREE, Mode::Accept)] {
        let (mut cluster, heard) = hosts(&[ONE, joins], 9, mode);
        cluster.start_all();
        cluster.world.run_for(seconds(5));
        assert!((0..2).all(|reader| cluster.shown_nodes(reader) == 1), "nobody gets to know of the other");
        let told = heard.0.borrow();
        let [seed, newcomer] = [0, 1].map(|at| cluster.world.host(cluster.hosts[at]).options.address);
        let refused = format!("this agent speaks versions 1 to 1 of the wire format, the agent at {newcomer} {joins}: upgrade this agent");
        let is_refused =
            format!("this agent speaks versions {joins} of the wire format, the agent at {seed} 1 to 1: upgrade the agent at {seed}");
        let is_told = |host: usize, by_us, detail: &str| {
            told.refusals.iter().any(|(at, by, it)| *at == HostId(host) && *by == by_us && it.starts_with(detail))
        };
        assert!(is_told(0, true, &refused) && is_told(1, false, &is_refused), "{mode}: {:?}", told.refusals);
        assert_eq!(told.refusals.len(), 2, "each says one thing only: {:?}", told.refusals);
        assert!(told.unread.contains(&HostId(0)));
        drop(told);
        assert_kept(&mut cluster);
    }
}

#[test]
fn one_that_speaks_to_all_in_its_highest_version_is_found_out() {
    with(Planted::HighestSpoken, || {
        let (mut cluster, heard) = hosts(&[ONE_TO_TWO, ONE], 11, Mode::Off);
        cluster.start_all();
        cluster.world.run_for(seconds(20));
        assert!(heard.0.borrow().unread.contains(&HostId(1)));
        cluster.world.judge_rest();
        assert_ne!(cluster.world.violations(), []);
    });
}

#[test]
fn two_that_do_not_understand_each_other_hear_of_each_other_by_one_in_between() {
    // What nobody should do: the cluster is bridged by those who speak with both.
    let (mut cluster, _) = hosts(&[ONE_TO_TWO, ONE, TWO], 10, Mode::Off);
    cluster.start_all();
    cluster.until(seconds(20), "the one in the middle knows both", |cluster| cluster.shown_nodes(0) == 3);
    cluster.register(0, "web-1");
    cluster.until(seconds(20), "both hear of it", |cluster| cluster.shows(1, 0, "web-1") && cluster.shows(2, 0, "web-1"));
}
