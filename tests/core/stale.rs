//! Claims about agents that had no contact to anybody for long.

use std::time::Duration;

use tidings::model::{Command, Done, MemberState};

use super::{
    SECOND, deregister,
    world::{Agent, REAP_AFTER, World, instance},
};

fn all_show(world: &World, agents: &[Agent], owner: &str, id: &str) -> bool {
    agents.iter().all(|reader| world.shows(*reader, owner, id))
}

#[test]
fn who_was_suspended_for_days_drops_what_it_knew_of_others_before_it_speaks() {
    let mut world = World::new(120);
    let agents = world.cluster(5);
    world.register_and_wait(agents[1], instance("dead-1", "web"), SECOND);
    world.register_and_wait(agents[2], instance("web-1", "web"), SECOND);
    world.register_and_wait(agents[3], instance("own-1", "web"), SECOND);
    world.suspend(agents[3]);
    let rest = [agents[0], agents[2], agents[4]];
    // It dies, is forgotten, and its grave ends.
    world.kill(agents[1]);
    world.run(4 * REAP_AFTER);
    assert!(rest.iter().all(|agent| world.nodes(*agent) == ["n0", "n2", "n4"] && !world.has_graves(*agent)));
    world.resume(agents[3]);
    world.until_always(
        60 * SECOND,
        |world| rest.iter().all(|reader| world.node_state(*reader, "n1").is_none()),
        |world| {
            let all = [agents[0], agents[2], agents[3], agents[4]];
            world.all_equal() && all_show(world, &all, "n2", "web-1") && all_show(world, &all, "n3", "own-1")
        },
    );
    assert_eq!((world.stale_drops(agents[3]), world.nodes(agents[3])), (1, vec!["n0".into(), "n2".into(), "n3".into(), "n4".into()]));
    assert!(rest.iter().all(|agent| world.stale_drops(*agent) == 0));
}

#[test]
fn who_drops_what_it_knew_says_that_it_does_not_know_until_it_was_told_again() {
    let mut world = World::new(121);
    let agents = world.cluster(3);
    world.register_and_wait(agents[1], instance("web-1", "web"), SECOND);
    world.suspend(agents[2]);
    world.run(REAP_AFTER);
    // Nobody is reached for a while.
    world.split(&agents[2..]);
    world.resume(agents[2]);
    world.run(5 * SECOND);
    assert_eq!((world.ready(agents[2]), world.nodes(agents[2])), (false, vec!["n2".into()]));
    world.heal();
    world.until(30 * SECOND, |world| world.ready(agents[2]) && world.shows(agents[2], "n1", "web-1") && world.all_equal());
}

#[test]
fn a_short_suspension_drops_nothing() {
    let mut world = World::new(122);
    let agents = world.cluster(4);
    world.register_and_wait(agents[1], instance("web-1", "web"), SECOND);
    world.suspend(agents[2]);
    world.run(REAP_AFTER / 3);
    let id = tidings::model::InstanceId::new("web-1").expect("an id");
    assert_eq!(world.submit_and_wait(agents[1], deregister(id), SECOND).0, Ok(Done::Removed));
    world.resume(agents[2]);
    world.until(60 * SECOND, |world| world.all_equal() && world.nodes(agents[2]).len() == 4 && !world.shows(agents[2], "n1", "web-1"));
    assert_eq!(world.stale_drops(agents[2]), 0);
}

#[test]
fn who_is_alone_for_long_goes_on_serving_and_finds_the_others_when_they_are_back() {
    // All others were joined by n0, which knows no seed itself.
    let mut world = World::new(123);
    let agents = world.cluster(3);
    world.register_and_wait(agents[0], instance("web-1", "web"), SECOND);
    world.split(&agents[..1]);
    world.run(2 * REAP_AFTER / 3);
    assert_eq!((world.stale_drops(agents[0]), world.ready(agents[0]), world.nodes(agents[0])), (1, true, vec!["n0".into()]));
    assert!(world.shows(agents[0], "n0", "web-1"));
    assert_eq!(world.stale_drops(agents[1]), 0, "it has company");
    world.register(agents[0], instance("web-2", "web"));
    world.heal();
    world.until(60 * SECOND, |world| {
        world.all_equal() && all_show(world, &agents, "n0", "web-1") && all_show(world, &agents, "n0", "web-2")
    });
    assert!(agents.iter().all(|agent| world.climbs(*agent).is_empty() && world.nodes(*agent).len() == 3));
}

#[test]
fn an_agent_that_never_met_anybody_has_nothing_to_drop() {
    let mut world = World::new(124);
    let a = world.start("a", &[]);
    world.register(a, instance("web-1", "web"));
    world.run(3 * REAP_AFTER);
    assert!(world.ready(a) && world.shows(a, "a", "web-1") && world.stale_drops(a) == 0);
}

#[test]
fn graves_outlast_the_memory_of_those_that_were_suspended() {
    let mut world = World::new(125);
    let agents = world.cluster(4);
    world.kill(agents[1]);
    let rest = [agents[0], agents[2], agents[3]];
    world.until(20 * SECOND, |world| rest.iter().all(|n| world.node_state(*n, "n1") == Some(MemberState::Down)));
    // One that did not hear of the forgetting stays behind, for less than what is too long.
    world.suspend(agents[2]);
    let forget = Command::Forget(world.id_of(agents[1]));
    assert_eq!(world.submit_and_wait(agents[0], forget, SECOND).0, Ok(Done::Removed));
    world.until(20 * SECOND, |world| world.has_graves(agents[3]));
    world.run(REAP_AFTER / 3);
    world.suspend(agents[0]);
    world.suspend(agents[3]);
    world.resume(agents[2]);
    world.run(2 * REAP_AFTER / 3);
    assert_eq!(world.stale_drops(agents[2]), 1, "it was alone");
    world.resume(agents[0]);
    world.resume(agents[3]);
    world.until_always(
        60 * SECOND,
        |world| [agents[0], agents[3]].iter().all(|reader| world.node_state(*reader, "n1").is_none()),
        |world| world.all_equal() && rest.iter().all(|agent| world.nodes(*agent).len() == 3),
    );
    assert_eq!((world.stale_drops(agents[0]), world.stale_drops(agents[3])), (1, 1));
    assert!(rest.iter().all(|agent| world.has_graves(*agent)));
}

#[test]
fn hosts_that_are_all_suspended_at_once_come_together_again() {
    for days in [1, 10] {
        let mut world = World::new(126 + u64::from(days));
        let agents = world.cluster(6);
        for (n, agent) in agents.iter().enumerate() {
            world.register(*agent, instance(&format!("web-{n}"), "web"));
        }
        agents.iter().for_each(|agent| world.suspend(*agent));
        world.run(days * REAP_AFTER);
        for agent in &agents {
            world.resume(*agent);
            world.run(Duration::from_millis(300));
        }
        world.until(120 * SECOND, |world| {
            world.all_equal() && (0..6).all(|n| all_show(world, &agents, &format!("n{n}"), &format!("web-{n}")))
        });
        assert!(agents.iter().all(|agent| world.stale_drops(*agent) == 1 && world.climbs(*agent).is_empty()));
    }
}
