//! Claims about who is held for gone, how soon, and who is not.

use std::time::Duration;

use tidings::{core::time::Moment, model::MemberState};

use super::world::{Agent, REAP_AFTER, World};

const SECOND: Duration = Duration::from_secs(1);

fn name(agent: Agent) -> String {
    format!("n{agent}")
}

/// How long it takes until all others show an agent as down.
fn until_down(world: &mut World, agent: Agent, others: &[Agent]) -> Duration {
    let (start, name): (Moment, String) = (world.now, name(agent));
    world.until(60 * SECOND, |world| {
        others.iter().filter(|other| **other != agent).all(|other| world.node_state(*other, &name) == Some(MemberState::Down))
    });
    world.now - start
}

fn until_all_alive(world: &mut World, agents: &[Agent]) {
    world.until(60 * SECOND, |world| {
        agents.iter().all(|reader| agents.iter().all(|agent| world.node_state(*reader, &name(*agent)) == Some(MemberState::Alive)))
    });
}

/// Something happens to one agent after the other, each at another moment of the rounds of probes; gives how long it took, sorted.
fn one_after_the_other(
    world: &mut World,
    agents: &[Agent],
    times: usize,
    happens: impl Fn(&mut World, Agent),
    ends: impl Fn(&mut World, Agent),
) -> Vec<Duration> {
    let mut took: Vec<Duration> = (0..times)
        .map(|time| {
            world.run(4 * SECOND + Duration::from_millis(173 * time as u64));
            let victim = agents[(time * 7 + 3) % agents.len()];
            happens(world, victim);
            let took = until_down(world, victim, agents);
            ends(world, victim);
            world.until(60 * SECOND, |world| {
                agents.iter().all(|reader| world.node_state(*reader, &name(victim)) == Some(MemberState::Alive))
            });
            took
        })
        .collect();
    took.sort_unstable();
    took
}

#[test]
fn all_know_of_a_killed_agent_within_six_tenths_of_a_second() {
    for (size, loss) in [(60, 0.0), (30, 0.2)] {
        let mut world = World::new(30);
        let agents = world.cluster(size);
        (world.loss, world.stream_loss) = (loss, loss);
        let took = one_after_the_other(&mut world, &agents, 6, World::kill, World::restart);
        assert!(took[5] < Duration::from_millis(600), "{size} agents: {took:?}");
        let refused: u64 = agents.iter().map(|agent| world.counters(*agent).detector.verdicts[0]).sum();
        assert!(refused >= 6, "{size} agents");
    }
}

#[test]
fn all_know_of_a_host_that_went_dark_within_four_seconds() {
    for loss in [0.0, 0.2] {
        let mut world = World::new(31);
        let agents = world.cluster(30);
        (world.loss, world.stream_loss) = (loss, loss);
        let took = one_after_the_other(&mut world, &agents, 12, World::go_dark, World::come_back);
        assert!(took[6] < 3 * SECOND && took[11] < 4 * SECOND, "{took:?}");
        assert_eq!(world.taken_for_down().len(), 12, "and of nobody else");
    }
}

#[test]
fn two_agents_find_each_other_gone() {
    let mut world = World::new(32);
    let agents = world.cluster(2);
    let took = one_after_the_other(&mut world, &agents, 6, World::kill, World::restart);
    assert!(took[5] < Duration::from_millis(600), "{took:?}");
    let mut world = World::new(33);
    let agents = world.cluster(2);
    let took = one_after_the_other(&mut world, &agents, 6, World::go_dark, World::come_back);
    assert!(took[5] < 4 * SECOND, "{took:?}");
}

#[test]
fn nobody_is_taken_for_down_where_a_fifth_is_lost_both_ways() {
    let mut world = World::new(34);
    let agents = world.cluster(60);
    (world.loss, world.stream_loss) = (0.2, 0.2);
    world.run(60 * SECOND);
    assert!(world.lost > 1_000, "{}", world.lost);
    assert!(world.taken_for_down().is_empty(), "{:?}", world.taken_for_down());
    let probes: u64 = agents.iter().map(|agent| world.counters(*agent).detector.probes).sum();
    assert!(probes > 60 * 60, "{probes}");
}

#[test]
fn a_process_without_time_for_a_second_is_not_taken_for_down_and_accuses_nobody() {
    let mut world = World::new(35);
    let agents = world.cluster(30);
    for _ in 0..200 {
        let (agent, time) = (world.random(30) as usize, 300 + world.random(701));
        world.hold_up(agents[agent], Duration::from_millis(u64::from(time)));
        let pause = 100 + world.random(900);
        world.run(Duration::from_millis(u64::from(pause)));
    }
    world.run(10 * SECOND);
    assert!(world.taken_for_down().is_empty(), "{:?}", world.taken_for_down());
    let counters: Vec<_> = agents.iter().map(|agent| world.counters(*agent).detector).collect();
    assert!(counters.iter().map(|counters| counters.late).sum::<u64>() > 50, "{counters:?}");
    assert!(counters.iter().map(|counters| counters.refutations).sum::<u64>() > 10, "{counters:?}");
}

#[test]
fn an_agent_that_is_paused_for_long_is_down_and_comes_back() {
    let mut world = World::new(36);
    let agents = world.cluster(10);
    world.run(3 * SECOND);
    world.hold_up(agents[4], 12 * SECOND);
    let took = until_down(&mut world, agents[4], &agents);
    assert!(took > 4 * SECOND && took < 8 * SECOND, "{took:?}");
    world.run(12 * SECOND - took);
    until_all_alive(&mut world, &agents);
    assert_eq!(world.taken_for_down(), [name(4)].into(), "it took nobody for down itself");
}

#[test]
fn who_is_reached_by_stream_only_stays_up() {
    let mut world = World::new(37);
    let agents = world.cluster(20);
    world.run(5 * SECOND);
    world.block_datagrams(agents[7]);
    world.run(120 * SECOND);
    assert!(world.taken_for_down().is_empty(), "{:?}", world.taken_for_down());
}

#[test]
fn who_is_cut_off_from_everyone_doubts_itself_first() {
    let mut world = World::new(38);
    let agents = world.cluster(20);
    world.run(5 * SECOND);
    world.split(&agents[..1]);
    let others = &agents[1..];
    let took = until_down(&mut world, agents[0], others);
    assert!(took < 4 * SECOND, "{took:?}");
    world.run(6 * SECOND);
    assert!(others.iter().all(|other| world.node_state(agents[0], &name(*other)).is_some_and(MemberState::is_up)), "it accuses nobody");
    let took = until_down_here(&mut world, agents[0], others);
    assert!(took < 100 * SECOND, "in the end it takes them for gone: {took:?}");
    world.heal();
    until_all_alive(&mut world, &agents);
}

fn until_down_here(world: &mut World, reader: Agent, gone: &[Agent]) -> Duration {
    let start = world.now;
    world.until(100 * SECOND, |world| gone.iter().all(|agent| world.node_state(reader, &name(*agent)) == Some(MemberState::Down)));
    world.now - start
}

#[test]
fn who_dropped_what_was_stale_is_looked_after_again() {
    let mut world = World::new(43);
    let agents = world.cluster(8);
    world.run(5 * SECOND);
    world.split(&agents[..1]);
    world.run(REAP_AFTER / 2 + 30 * SECOND);
    assert!(world.nodes(agents[0]).len() < 8, "it dropped what others told");
    world.heal();
    until_all_alive(&mut world, &agents);
    world.run(30 * SECOND);
    assert!(world.counters(agents[0]).detector.watches >= 4, "{:?}", world.counters(agents[0]));
    world.kill(agents[0]);
    let took = until_down(&mut world, agents[0], &agents);
    assert!(took < Duration::from_millis(600), "{took:?}");
}

#[test]
fn neighbours_that_die_together_are_found_together() {
    for dark in [false, true] {
        let mut world = World::new(39);
        let agents = world.cluster(40);
        world.run(5 * SECOND);
        let (dead, alive) = agents.split_at(20);
        for agent in dead {
            if dark { world.go_dark(*agent) } else { world.kill(*agent) }
        }
        let start = world.now;
        for reader in alive {
            until_down_here(&mut world, *reader, dead);
        }
        let took = world.now - start;
        assert!(took < if dark { 12 * SECOND } else { 4 * SECOND }, "dark: {dark}, {took:?}");
        assert_eq!(world.taken_for_down().len(), 20);
    }
}

#[test]
fn who_starts_again_at_once_was_never_down() {
    let mut world = World::new(40);
    let agents = world.cluster(20);
    for time in 0..5 {
        world.run(4 * SECOND);
        let victim = agents[time * 3 + 1];
        world.kill(victim);
        world.run(Duration::from_millis(200));
        world.restart(victim);
        world.until(5 * SECOND, |world| agents.iter().all(|a| world.life_of(*a, &name(victim)).is_some_and(|life| life.generation == 2)));
    }
    assert!(world.taken_for_down().is_empty(), "{:?}", world.taken_for_down());
}

#[test]
fn who_leaves_or_is_away_is_probed_no_more() {
    let mut world = World::new(41);
    let agents = world.cluster(10);
    world.run(5 * SECOND);
    world.submit_and_wait(agents[1], tidings::model::Command::Leave, SECOND).0.expect("is heard");
    world.submit_and_wait(agents[2], tidings::model::Command::Absent(30 * SECOND), SECOND).0.expect("is heard");
    world.kill(agents[1]);
    world.kill(agents[2]);
    world.run(20 * SECOND);
    let suspicions: u64 = world.running().map(|agent| world.counters(agent).detector.suspicions).sum();
    assert_eq!(suspicions, 0);
    let took = until_down(&mut world, agents[2], &[0, 3, 4, 5, 6, 7, 8, 9]);
    assert!(took < 12 * SECOND, "soon after its time is over: {took:?}");
}

#[test]
fn a_cluster_at_rest_says_little_and_everyone_is_watched() {
    let mut world = World::new(42);
    let agents = world.cluster(30);
    world.run(20 * SECOND);
    let octets = world.octets;
    world.run(60 * SECOND);
    let each = (world.octets - octets) / 60 / 30;
    assert!(each < 200, "{each} octets of IP each second");
    for agent in agents {
        assert_eq!(world.open_streams(agent), world.counters(agent).detector.watches);
        assert!((4..=8).contains(&world.open_streams(agent)), "{}", world.open_streams(agent));
    }
}
