//! Claims about nodes that were forgotten or reaped.

use std::time::Duration;

use tidings::{
    core::meeting::Cause,
    model::{Command, Done, MemberState, NodeId, Refusal, StoredGrave},
};

use super::{
    SECOND,
    world::{REAP_AFTER, World, instance},
};

#[test]
fn what_is_down_for_long_is_forgotten_and_does_not_come_back_by_a_peer() {
    let mut world = World::new(13);
    let agents = world.cluster(4);
    world.register_and_wait(agents[1], instance("web-1", "web"), SECOND);
    world.kill(agents[1]);
    world.until(20 * SECOND, |world| world.node_state(agents[0], "n1") == Some(MemberState::Down));
    world.run(REAP_AFTER + 130 * SECOND);
    for agent in [0, 2, 3] {
        assert_eq!(world.nodes(agents[agent]), ["n0", "n2", "n3"]);
    }
    assert!(world.all_equal());
}

#[test]
fn what_an_operator_forgets_is_forgotten_everywhere_and_comes_back_by_a_start_of_its_own_only() {
    let mut world = World::new(25);
    let agents = world.cluster(5);
    world.register_and_wait(agents[1], instance("web-1", "web"), SECOND);
    let forget = |world: &mut World, node| world.submit_and_wait(agents[0], Command::Forget(node), SECOND).0;
    let (n1, here) = (world.id_of(agents[1]), world.id_of(agents[0]));
    assert_eq!(forget(&mut world, n1), Err(Refusal::NodeIsUp(n1)));
    assert_eq!(forget(&mut world, here), Err(Refusal::NodeIsUp(here)));
    assert_eq!(forget(&mut world, NodeId(7)), Err(Refusal::NoSuchNode(NodeId(7))));
    world.kill(agents[1]);
    world.until(20 * SECOND, |world| [0, 2, 3, 4].iter().all(|n| world.node_state(agents[*n], "n1") == Some(MemberState::Down)));
    assert_eq!(forget(&mut world, n1), Ok(Done::Removed));
    assert_eq!(world.nodes(agents[0]), ["n0", "n2", "n3", "n4"]);
    let forgotten = |world: &World| [0, 2, 3, 4].iter().all(|n| world.nodes(agents[*n]) == ["n0", "n2", "n3", "n4"]);
    world.until(20 * SECOND, forgotten);
    world.until(10 * SECOND, World::all_equal);
    world.run(60 * SECOND);
    assert!(forgotten(&world), "nobody brings it back");
    world.restart(agents[1]);
    world.until(20 * SECOND, |world| agents.iter().all(|agent| world.shows(*agent, "n1", "web-1") && world.nodes(*agent).len() == 5));
}

#[test]
fn who_was_forgotten_stays_so_though_all_who_forgot_it_start_again() {
    let mut world = World::new(40);
    let agents = world.cluster(3);
    world.split(&agents[2..]);
    world.kill(agents[1]);
    world.until(20 * SECOND, |world| [0, 2].iter().all(|n| world.node_state(agents[*n], "n1") == Some(MemberState::Down)));
    let forget = Command::Forget(world.id_of(agents[1]));
    assert_eq!(world.submit_and_wait(agents[0], forget, SECOND).0, Ok(Done::Removed));
    world.restart(agents[0]);
    world.heal();
    world.until_always(
        60 * SECOND,
        |world| world.node_state(agents[0], "n1").is_none(),
        |world| [0, 2].iter().all(|n| world.nodes(agents[*n]) == ["n0", "n2"]) && world.all_equal(),
    );
}

#[test]
fn a_forget_that_the_disk_does_not_take_changes_nothing() {
    let mut world = World::new(41);
    let agents = world.cluster(3);
    world.kill(agents[1]);
    world.until(20 * SECOND, |world| world.node_state(agents[0], "n1") == Some(MemberState::Down));
    let forget = Command::Forget(world.id_of(agents[1]));
    world.disk_fails = true;
    assert!(matches!(world.submit_and_wait(agents[0], forget.clone(), SECOND).0, Err(Refusal::Storage(_))));
    assert_eq!(world.node_state(agents[0], "n1"), Some(MemberState::Down));
    world.disk_fails = false;
    assert_eq!(world.submit_and_wait(agents[0], forget, SECOND).0, Ok(Done::Removed));
}

#[test]
fn a_grave_ends_in_time_however_often_its_agents_start_again() {
    let mut world = World::new(42);
    let agents = world.cluster(3);
    world.kill(agents[1]);
    world.until(20 * SECOND, |world| world.node_state(agents[0], "n1") == Some(MemberState::Down));
    let (forget, begun) = (Command::Forget(world.id_of(agents[1])), world.now);
    assert_eq!(world.submit_and_wait(agents[0], forget, SECOND).0, Ok(Done::Removed));
    world.until(20 * SECOND, World::all_equal);
    while world.now - begun < REAP_AFTER {
        for agent in [0, 2] {
            assert!(world.has_graves(agents[agent]), "{:?} after it was dug", world.now - begun);
            world.restart(agents[agent]);
            world.run(40 * SECOND);
        }
    }
    world.run(2 * REAP_AFTER - (world.now - begun) + 5 * SECOND);
    assert!(!world.has_graves(agents[0]) && !world.has_graves(agents[2]));
    world.restart(agents[0]);
    assert!(!world.has_graves(agents[0]), "it is off the disk, too, or ended there");
    world.until(20 * SECOND, World::all_equal);
}

#[test]
fn when_all_graves_are_taken_a_forget_is_refused_and_reaping_takes_the_oldest() {
    let mut world = World::new(44);
    let agents = world.cluster(3);
    let grave = |node, seconds| StoredGrave { node: NodeId(node), generation: 1, left: Duration::from_secs(seconds) };
    let full = (0..4_096).map(|n| grave(1_000_000_000_000 + n, 500 + n % 7));
    world.set_graves(agents[0], full.collect());
    world.restart(agents[0]);
    world.until(20 * SECOND, |world| world.nodes(agents[0]).len() == 3 && world.all_equal());
    world.kill(agents[1]);
    world.until(20 * SECOND, |world| [0, 2].iter().all(|n| world.node_state(agents[*n], "n1") == Some(MemberState::Down)));
    let forget = Command::Forget(world.id_of(agents[1]));
    assert_eq!(world.submit_and_wait(agents[2], forget.clone(), SECOND).0, Err(Refusal::GravesFull { limit: 4_096 }));
    assert_eq!(world.node_state(agents[2], "n1"), Some(MemberState::Down), "nothing was changed");
    world.run(REAP_AFTER + 62 * SECOND);
    assert_eq!((world.nodes(agents[0]), world.nodes(agents[2])), (vec!["n0".into(), "n2".into()], vec!["n0".into(), "n2".into()]));
    world.until(20 * SECOND, World::all_equal);
}

#[test]
fn a_node_that_is_forgotten_while_it_is_cut_off_comes_back_by_itself() {
    let mut world = World::new(45);
    let agents = world.cluster(5);
    world.register_and_wait(agents[1], instance("web-1", "web"), SECOND);
    world.split(&agents[1..2]);
    let others = [0, 2, 3, 4];
    world.until(30 * SECOND, |world| others.iter().all(|n| world.node_state(agents[*n], "n1") == Some(MemberState::Down)));
    let forget = Command::Forget(world.id_of(agents[1]));
    assert_eq!(world.submit_and_wait(agents[0], forget, SECOND).0, Ok(Done::Removed));
    world.until(20 * SECOND, |world| others.iter().all(|n| world.node_state(agents[*n], "n1").is_none()));
    world.heal();
    world.until(30 * SECOND, |world| {
        world.all_equal() && agents.iter().all(|agent| world.shows(*agent, "n1", "web-1") && world.nodes(*agent).len() == 5)
    });
    let climbs = world.climbs(agents[1]);
    assert_eq!((climbs.len(), climbs[0].cause.clone(), world.generation(agents[1])), (1, Cause::Buried { generation: 1 }, 2));
    assert!(others.iter().all(|n| world.climbs(agents[*n]).is_empty()));
}

#[test]
fn who_was_away_for_longer_than_the_dead_are_remembered_comes_back_by_itself() {
    let mut world = World::new(21);
    let agents = world.cluster(4);
    let (before, _) = world.history();
    world.run(30 * SECOND);
    let (after, _) = world.history();
    let in_peace = after - before;
    world.split(&agents[..1]);
    world.run(REAP_AFTER + 130 * SECOND);
    assert_eq!((world.nodes(agents[0]), world.nodes(agents[1])), (vec!["n0".into()], vec!["n1".into(), "n2".into(), "n3".into()]));
    world.heal();
    let (before, _) = world.history();
    world.until(30 * SECOND, |world| world.all_equal() && agents.iter().all(|agent| world.nodes(*agent).len() == 4));
    world.run(30 * SECOND);
    let (after, _) = world.history();
    assert!(after - before < 6 * in_peace, "{} outputs where there are {in_peace} in peace", after - before);
}

#[test]
fn halves_that_have_forgotten_each_other_come_together_by_themselves() {
    for (seed, apart) in [(46, REAP_AFTER + 130 * SECOND), (47, 2 * REAP_AFTER + 200 * SECOND)] {
        // All were joined by n0, so that every seed is on one side.
        let mut world = World::new(seed);
        let agents = world.cluster(8);
        for (n, agent) in agents.iter().enumerate() {
            world.register(*agent, instance(&format!("web-{n}"), "web"));
        }
        world.until(20 * SECOND, World::all_equal);
        world.split(&agents[..4]);
        world.run(apart);
        assert!(agents.iter().all(|agent| world.nodes(*agent).len() == 4));
        world.heal();
        world.until(120 * SECOND, |world| {
            world.all_equal()
                && agents.iter().all(|reader| {
                    world.nodes(*reader).len() == 8 && (0..8).all(|n| world.shows(*reader, &format!("n{n}"), &format!("web-{n}")))
                })
        });
        world.run(60 * SECOND);
        assert!(world.all_equal() && agents.iter().all(|agent| world.nodes(*agent).len() == 8));
        assert!(agents.iter().all(|agent| world.climbs(*agent).len() <= 2), "nobody climbs again and again");
    }
}

#[test]
fn those_who_stayed_away_for_twice_as_long_are_found_by_who_was_never_told_of_them() {
    // The one that all others were joined by knows of nobody when it is alone.
    let mut world = World::new(48);
    let agents = world.cluster(4);
    world.split(&agents[..1]);
    for agent in &agents[1..] {
        world.set_seeds_to_none(*agent);
    }
    world.run(2 * REAP_AFTER + 200 * SECOND);
    assert_eq!((world.nodes(agents[0]).len(), world.nodes(agents[1]).len()), (1, 3));
    world.heal();
    world.until(120 * SECOND, |world| world.all_equal() && agents.iter().all(|agent| world.nodes(*agent).len() == 4));
}
