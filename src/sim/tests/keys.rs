//! Keys of hosts, and what somebody who has none does with what he recorded.

use std::time::Duration;

use super::{
    super::*,
    cluster::{Cluster, seconds},
};
use crate::{
    keyring::{Key, Keyring, Keys},
    model::{
        MemberState,
        encryption::{KeyId, Mode},
    },
    planted::{Planted, with},
};

fn keys(mode: Mode, ids: &[u8]) -> Keys {
    let keys = ids.iter().map(|id| Key::new(KeyId::new(*id).expect("it is not 0"), [*id; 32])).collect();
    Keys { mode, keyring: Keyring::new(keys).expect("they differ"), file: None }
}

/// Three that have a key, and somebody who records what they say.
fn overheard() -> Cluster {
    let mut cluster = Cluster::new(3, 4, Conditions::default());
    cluster.world.keep_tapes();
    for host in cluster.hosts.clone() {
        cluster.world.set_keys(host, keys(Mode::Require, &[5]));
    }
    let all: Group = cluster.hosts.iter().copied().collect();
    cluster.world.record(all.clone(), all);
    cluster.start_all();
    cluster.until(seconds(20), "all know all", |cluster| (0..3).all(|n| cluster.shown_nodes(n) == 3) && cluster.all_equal());
    cluster.register(1, "web-1");
    cluster.until(seconds(5), "all show it", |cluster| (0..3).all(|reader| cluster.shows(reader, 1, "web-1")));
    cluster.world.run_for(seconds(5));
    cluster
}

/// Says so much of it again, as it was said.
fn say_again(cluster: &mut Cluster, Recorded { datagrams, streams }: Recorded) {
    (0..datagrams).for_each(|number| cluster.world.datagram_again(number, Duration::ZERO, None, None));
    (0..streams).for_each(|number| cluster.world.stream_again(number, 0, Duration::ZERO, None, None));
}

/// How long it takes until a node that was killed is shown as down while what was said before is said again all the time.
fn down_after(patience: Duration) -> Option<Duration> {
    let mut cluster = overheard();
    let node = cluster.node_id(1)?;
    cluster.world.kill(cluster.hosts[1]);
    let begun = cluster.world.now();
    while cluster.world.now() - begun < patience {
        let all = cluster.world.recorded();
        say_again(&mut cluster, all);
        cluster.world.run_for(Duration::from_millis(100));
        if [0, 2].iter().all(|reader| cluster.state_of(*reader, node) == Some(MemberState::Down)) {
            return Some(cluster.world.now() - begun);
        }
    }
    None
}

#[test]
fn recorded_signs_of_life_keep_nobody_alive_beyond_the_window() {
    let took = down_after(seconds(60)).expect("it is found down");
    assert!(took < seconds(20), "{took:?}");
    // How long they do without it depends on what else is said.
    let without = with(Planted::OldTaken, || down_after(seconds(60)));
    assert!(without.is_none_or(|without| without > 2 * took), "without the window {without:?}, with it {took:?}");
}

#[test]
fn nothing_of_before_a_change_of_the_key_is_taken() {
    let mut cluster = overheard();
    let before = cluster.world.recorded();
    for ids in [&[5, 6][..], &[6, 5], &[6]] {
        for host in cluster.hosts.clone() {
            cluster.world.set_keys(host, keys(Mode::Require, ids));
            cluster.world.run_for(seconds(1));
        }
    }
    assert!(cluster.all_equal() && (0..3).all(|reader| cluster.shown_nodes(reader) == 3));
    say_again(&mut cluster, before);
    cluster.world.run_for(seconds(20));
    let effects = cluster.world.network.effects;
    assert!(effects.said_again > 100 && effects.taken_again == 0, "{effects:?}");
    assert!((0..3).all(|reader| cluster.shows(reader, 1, "web-1")) && cluster.all_equal());
}

#[test]
fn a_stream_that_is_said_again_gets_no_further_than_its_first_frame() {
    let mut cluster = overheard();
    cluster.world.run_for(seconds(60));
    let streams = cluster.world.recorded().streams;
    assert!(streams >= 3);
    (0..streams).for_each(|number| cluster.world.stream_again(number, 0, Duration::ZERO, None, None));
    cluster.world.run_for(seconds(20));
    let Effects { said_again, taken_again, .. } = cluster.world.network.effects;
    assert!(said_again > streams as u64 && (1..=streams as u64).contains(&taken_again), "{said_again}, {taken_again} of {streams} streams");
}

#[test]
fn an_agent_that_starts_without_an_idea_of_the_time_is_told_it() {
    let mut cluster = overheard();
    cluster.world.run_for(seconds(3_600));
    // Every other process begins so.
    for _ in 0..2 {
        cluster.world.kill(cluster.hosts[2]);
        cluster.world.run_for(seconds(1));
        cluster.world.start(cluster.hosts[2]).expect("the folder is sound");
        cluster.until(seconds(5), "it is back", |cluster| cluster.shown_nodes(2) == 3 && cluster.state(0, 2) == Some(MemberState::Alive));
        cluster.register(2, "db");
        cluster.until(seconds(1), "its news are heard", |cluster| cluster.shows(0, 2, "db") && cluster.shows(1, 2, "db"));
    }
}

#[test]
fn an_image_of_a_host_with_keys_is_what_was_there() {
    let mut cluster = overheard();
    let image = cluster.world.image(cluster.hosts[1]).expect("it runs");
    let core = |cluster: &Cluster| {
        let core = &cluster.world.host(cluster.hosts[1]).process.as_ref().expect("runs").core;
        (core.identity(), core.digest(), core.own_version(), core.taken())
    };
    let before = core(&cluster);
    cluster.world.set_keys(cluster.hosts[1], keys(Mode::Off, &[]));
    cluster.world.resume_image(cluster.hosts[1], &image);
    assert_eq!(core(&cluster), before);
    assert_eq!(cluster.world.host(cluster.hosts[1]).options.keys, keys(Mode::Require, &[5]), "its file is that of then");
    cluster.world.run_for(seconds(10));
    assert!(cluster.all_equal() && core(&cluster).0.life() == before.0.life());
}
