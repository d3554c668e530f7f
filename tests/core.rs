//! Claims about the core, in a world of virtual time.

#[path = "core/configuring.rs"]
mod configuring;
#[path = "core/copies.rs"]
mod copies;
#[path = "core/detection.rs"]
mod detection;
#[path = "core/graves.rs"]
mod graves;
#[path = "core/power.rs"]
mod power;
#[path = "core/stale.rs"]
mod stale;
#[path = "core/world.rs"]
mod world;

use std::time::Duration;

use tidings::{
    core::io::Event,
    model::{
        Check, CheckId, CheckState, Command, Done, InstanceId, MemberState, Refusal, Registration, Status,
        check::{Probe, Subject},
        command::Cause,
    },
};
use world::{World, instance};

const SECOND: Duration = Duration::from_secs(1);

fn deregister(instance: InstanceId) -> Command {
    Command::Deregister { instance, cause: Cause::Asked }
}

/// A check that is told, so that a test can tell it.
fn beat() -> Check {
    Check {
        id: CheckId::new("beat").expect("an id"),
        probe: Probe { kind: "told".into(), settings: "{}".into(), ttl: Some(60 * SECOND) },
        interval: SECOND,
        timeout: SECOND,
        rise: 1,
        fall: 1,
        initial: Status::Critical,
    }
}

#[test]
fn two_agents_that_meet_hold_the_same() {
    let mut world = World::new(1);
    let (a, b) = (world.start("a", &[]), world.start("b", &["a"]));
    world.register(a, instance("web-1", "web"));
    world.until(10 * SECOND, |world| world.shows(b, "a", "web-1") && world.node_state(a, "b") == Some(MemberState::Alive));
    world.until(10 * SECOND, World::all_equal);
}

#[test]
fn a_change_reaches_thirty_agents_at_once_and_a_lost_one_is_healed() {
    let mut world = World::new(2);
    let agents = world.cluster(30);
    let took = world.register_and_wait(agents[7], instance("web-1", "web"), SECOND);
    assert!(took < Duration::from_millis(200), "{took:?}");
    // From here on every datagram of a push is lost.
    world.loss = 1.0;
    world.register(agents[3], instance("db-1", "db"));
    world.run(Duration::from_millis(300));
    assert!(agents.iter().all(|agent| *agent == agents[3] || !world.shows(*agent, "n3", "db-1")));
    world.loss = 0.0;
    world.until(10 * SECOND, |world| agents.iter().all(|agent| world.shows(*agent, "n3", "db-1")));
    world.until(10 * SECOND, World::all_equal);
}

#[test]
fn a_fifth_of_all_datagrams_lost_delays_and_loses_nothing() {
    let mut world = World::new(3);
    world.loss = 0.2;
    let agents = world.cluster(20);
    for (number, agent) in agents.iter().enumerate() {
        world.register(*agent, instance(&format!("web-{number}"), "web"));
    }
    world.until(20 * SECOND, |world| {
        agents.iter().all(|reader| (0..agents.len()).all(|n| world.shows(*reader, &format!("n{n}"), &format!("web-{n}"))))
    });
    for agent in &agents[..10] {
        let id = world.instances_of(*agent).pop().unwrap();
        assert_eq!(world.submit_and_wait(*agent, deregister(id), SECOND).0, Ok(Done::Removed));
    }
    world.until(20 * SECOND, World::all_equal);
    assert!(!world.shows(agents[19], "n3", "web-3") && world.shows(agents[19], "n13", "web-13"));
}

#[test]
fn pushed_news_is_as_old_as_the_time_for_which_it_was_held() {
    let mut world = World::new(23);
    let agents = world.cluster(20);
    world.loss = 0.8;
    let (before, begun) = (world.history().1.len(), world.now);
    world.register(agents[0], instance("web-1", "web"));
    world.until(20 * SECOND, |world| agents.iter().all(|reader| world.shows(*reader, "n0", "web-1")));
    let news = world.history().1.split_off(before).into_iter();
    let ages: Vec<Duration> = news.filter_map(|event| if let Event::News { age } = event { Some(age) } else { None }).collect();
    assert!(ages.len() > 5, "much of it comes by push: {ages:?}");
    // What was lost at first is pushed again 15 ms later.
    assert!(ages.iter().any(|age| age.as_millis() >= 10), "{ages:?}");
    let longest = world.now - begun + Duration::from_millis(1);
    assert!(ages.iter().all(|age| *age <= longest), "{ages:?}");
}

#[test]
fn a_killed_agent_is_found_down_and_comes_back_with_a_higher_generation() {
    let mut world = World::new(4);
    let agents = world.cluster(5);
    world.register_and_wait(agents[1], instance("web-1", "web"), SECOND);
    world.kill(agents[1]);
    world.until(20 * SECOND, |world| world.node_state(agents[0], "n1") == Some(MemberState::Down));
    assert!(world.shows(agents[0], "n1", "web-1"), "it is listed, with the reason");
    world.restart(agents[1]);
    world.until(10 * SECOND, |world| {
        agents.iter().all(|agent| world.node_state(*agent, "n1") == Some(MemberState::Alive) && world.shows(*agent, "n1", "web-1"))
    });
    world.until(10 * SECOND, World::all_equal);
}

#[test]
fn an_instance_stays_shown_while_its_agent_restarts_at_once() {
    let mut world = World::new(5);
    let agents = world.cluster(5);
    for number in 0..200 {
        world.register(agents[1], instance(&format!("web-{number}"), "web"));
    }
    world.until(10 * SECOND, World::all_equal);
    world.restart(agents[1]);
    world.until_always(
        10 * SECOND,
        |world| {
            agents.iter().filter(|agent| **agent != agents[1]).all(|agent| (0..200).all(|n| world.shows(*agent, "n1", &format!("web-{n}"))))
        },
        |world| agents.iter().all(|agent| world.life_of(*agent, "n1").is_some_and(|life| life.generation == 2)) && world.all_equal(),
    );
}

#[test]
fn a_last_status_outlives_the_agent_but_not_its_host() {
    let mut world = World::new(18);
    let agents = world.cluster(3);
    let registration = Registration { checks: vec![beat()], ..Registration::plain(instance("web-1", "web")) };
    assert_eq!(world.submit_and_wait(agents[1], Command::Register(registration), SECOND).0, Ok(Done::Created));
    let seen = |world: &World, status| agents.iter().all(|agent| world.status(*agent, "n1", "web-1") == Some(status));
    world.until(SECOND, |world| seen(world, Status::Critical));
    let verdict = |status| Command::Verdict {
        subject: Subject::Instance(InstanceId::new("web-1").unwrap()),
        check: CheckId::new("beat").unwrap(),
        state: CheckState { status, reason: "told".into() },
    };
    assert_eq!(world.submit_and_wait(agents[1], verdict(Status::Passing), SECOND).0, Ok(Done::Noted));
    world.until(SECOND, |world| seen(world, Status::Passing));
    world.run(SECOND);
    world.restart(agents[1]);
    assert_eq!(world.status(agents[1], "n1", "web-1"), Some(Status::Passing));
    world.run(SECOND);
    world.host_rebooted = true;
    world.restart(agents[1]);
    world.until(10 * SECOND, |world| seen(world, Status::Critical));
    assert_eq!(world.submit_and_wait(agents[1], verdict(Status::Passing), SECOND).0, Ok(Done::Noted));
    world.until(SECOND, |world| seen(world, Status::Passing));
}

#[test]
fn who_leaves_is_left_at_once_and_is_not_brought_back_by_echoes() {
    let mut world = World::new(6);
    let agents = world.cluster(6);
    world.register_and_wait(agents[2], instance("web-1", "web"), SECOND);
    let (reply, took) = world.submit_and_wait(agents[2], Command::Leave, 5 * SECOND);
    assert_eq!(reply, Ok(Done::Announced { confirmed: 3, asked: 3 }));
    assert!(took < SECOND, "{took:?}");
    world.until(SECOND, |world| {
        agents.iter().filter(|agent| **agent != agents[2]).all(|agent| world.node_state(*agent, "n2") == Some(MemberState::Left))
    });
    world.run(20 * SECOND);
    assert!(agents.iter().filter(|agent| **agent != agents[2]).all(|agent| world.node_state(*agent, "n2") == Some(MemberState::Left)));
    assert_eq!(
        world.submit_and_wait(agents[2], Command::Register(Registration::plain(instance("x", "x"))), SECOND).0,
        Err(Refusal::Leaving)
    );
}

#[test]
fn an_announced_absence_keeps_instances_until_the_grace_ends() {
    let mut world = World::new(7);
    let agents = world.cluster(4);
    world.register_and_wait(agents[1], instance("web-1", "web"), SECOND);
    let (reply, _) = world.submit_and_wait(agents[1], Command::Absent(15 * SECOND), 5 * SECOND);
    assert_eq!(reply, Ok(Done::Announced { confirmed: 3, asked: 3 }));
    world.kill(agents[1]);
    world.run(13 * SECOND);
    assert_eq!(world.node_state(agents[0], "n1"), Some(MemberState::Restarting));
    world.until(4 * SECOND, |world| world.node_state(agents[0], "n1") == Some(MemberState::Down));
}

#[test]
fn halves_of_a_partition_go_on_and_merge_alone() {
    let mut world = World::new(8);
    let agents = world.cluster(8);
    world.split(&agents[..4]);
    world.until(60 * SECOND, |world| {
        (4..8).all(|n| world.node_state(agents[0], &format!("n{n}")) == Some(MemberState::Down))
            && (0..4).all(|n| world.node_state(agents[7], &format!("n{n}")) == Some(MemberState::Down))
    });
    world.register(agents[0], instance("left-1", "web"));
    world.register(agents[7], instance("right-1", "web"));
    world.run(SECOND);
    assert!(world.shows(agents[3], "n0", "left-1") && world.shows(agents[4], "n7", "right-1"));
    world.heal();
    world.until(60 * SECOND, |world| {
        world.all_equal()
            && agents.iter().all(|agent| (0..8).all(|n| world.node_state(*agent, &format!("n{n}")) == Some(MemberState::Alive)))
    });
    assert!(world.shows(agents[3], "n7", "right-1") && world.shows(agents[4], "n0", "left-1"));
}

#[test]
fn agents_of_two_clusters_never_merge_and_say_why() {
    let mut world = World::new(9);
    let a = world.start("a", &[]);
    let b = world.start_in("other", "b", &["a"]);
    world.run(30 * SECOND);
    assert_eq!(world.nodes(a), ["a"]);
    assert_eq!(world.nodes(b), ["b"]);
    let told = world.refusals();
    assert!(told.iter().any(|detail| detail.contains("\"test\"") && detail.contains("\"other\"")), "{told:?}");
}

#[test]
fn a_newcomer_with_the_name_of_a_live_holder_is_refused_with_both_addresses() {
    let mut world = World::new(10);
    let a = world.start("a", &[]);
    world.start("b", &["a"]);
    world.until(5 * SECOND, |world| world.nodes(a).len() == 2);
    let impostor = world.start_named("b2", "b", &["a"]);
    world.run(5 * SECOND);
    assert_eq!(world.nodes(a).len(), 2);
    let told = world.refusals();
    let (holder, newcomer) = (world.address_of("b"), world.address(impostor));
    assert!(told.iter().any(|detail| detail.contains(&holder) && detail.contains(&newcomer)), "{told:?}");
}

#[test]
fn seeds_can_be_named_later_and_others_in_their_place() {
    let mut world = World::new(24);
    let (a, b) = (world.start("a", &[]), world.start("b", &[]));
    let c = world.start("c", &["nowhere"]);
    world.run(5 * SECOND);
    assert!(!world.ready(c));
    for agent in [b, c] {
        world.set_seeds(agent, &["a"]);
    }
    world.until(30 * SECOND, |world| [a, b, c].iter().all(|agent| world.nodes(*agent).len() == 3));
    assert!(world.ready(c));
}

#[test]
fn an_agent_that_knows_of_seeds_is_not_ready_before_its_first_sync() {
    let mut world = World::new(11);
    let a = world.start("a", &["b"]);
    world.run(5 * SECOND);
    assert!(!world.ready(a));
    let b = world.start("b", &[]);
    assert!(world.ready(b), "the first of its cluster knows all there is to know");
    world.until(30 * SECOND, |world| world.ready(a));
}

#[test]
fn a_failed_write_to_disk_changes_nothing_and_says_so() {
    let mut world = World::new(12);
    let a = world.start("a", &[]);
    world.disk_fails = true;
    let (reply, _) = world.submit_and_wait(a, Command::Register(Registration::plain(instance("web-1", "web"))), SECOND);
    assert!(matches!(reply, Err(Refusal::Storage(_))), "{reply:?}");
    assert!(!world.shows(a, "a", "web-1"));
    world.disk_fails = false;
    assert_eq!(world.submit_and_wait(a, Command::Register(Registration::plain(instance("web-1", "web"))), SECOND).0, Ok(Done::Created));
    assert_eq!(world.submit_and_wait(a, Command::Register(Registration::plain(instance("web-1", "web"))), SECOND).0, Ok(Done::Unchanged));
    assert_eq!(world.submit_and_wait(a, Command::Register(Registration::plain(instance("web-1", "api"))), SECOND).0, Ok(Done::Replaced));
    let gone = InstanceId::new("gone").unwrap();
    assert_eq!(world.submit_and_wait(a, deregister(gone.clone()), SECOND).0, Err(Refusal::NotFound(gone)));
}

#[test]
fn garbage_is_dropped_and_counted() {
    let mut world = World::new(14);
    let a = world.start("a", &[]);
    for length in 0..300 {
        world.datagram_to(a, &vec![(length * 7 % 256) as u8; length]);
    }
    assert_eq!(world.dropped(a), 300);
    assert_eq!(world.nodes(a), ["a"]);
}

#[test]
fn a_half_open_stream_is_closed_in_time_and_their_number_is_bounded() {
    let mut world = World::new(15);
    let a = world.start("a", &[]);
    for _ in 0..300 {
        world.half_open_stream_to(a);
    }
    assert_eq!(world.open_streams(a), 256);
    world.run(10 * SECOND);
    assert_eq!(world.open_streams(a), 0);
}

#[test]
fn whoever_opens_streams_and_says_nothing_keeps_no_newcomer_out() {
    let mut world = World::new(15);
    let a = world.start("a", &[]);
    // As many as there may be, and as many again all the while.
    for _ in 0..256 {
        world.half_open_stream_to(a);
    }
    let b = world.start("b", &["a"]);
    for _ in 0..20 {
        (0..20).for_each(|_| world.half_open_stream_to(a));
        world.run(SECOND / 100);
    }
    assert_eq!((world.nodes(a), world.nodes(b)), (vec!["a".into(), "b".into()], vec!["a".into(), "b".into()]));
    assert!(world.open_streams(a) >= 256, "they were there meanwhile");
}

#[test]
fn the_same_seed_gives_the_same_history() {
    let history = |seed| {
        let mut world = World::new(seed);
        world.loss = 0.1;
        world.cluster(8);
        world.run(10 * SECOND);
        world.history()
    };
    assert_eq!(history(16), history(16));
    assert_ne!(history(16), history(17));
}

#[test]
fn a_restart_takes_nothing_out_of_discovery() {
    let mut world = World::new(18);
    let agents = world.cluster(5);
    for number in 0..200 {
        world.register(agents[1], instance(&format!("web-{number}"), "web"));
    }
    world.until(10 * SECOND, World::all_equal);
    world.restart(agents[1]);
    world.until_always(
        10 * SECOND,
        |world| {
            let mut others = agents.iter().filter(|agent| **agent != agents[1]);
            others.all(|agent| world.node_state(*agent, "n1").is_some_and(MemberState::is_up))
        },
        |world| agents.iter().all(|agent| world.life_of(*agent, "n1").is_some_and(|life| life.generation == 2)) && world.all_equal(),
    );
}

#[test]
fn a_restart_after_having_been_found_down_hands_out_nothing_of_the_earlier_life() {
    let mut world = World::new(19);
    let agents = world.cluster(3);
    world.register_and_wait(agents[1], instance("web-1", "web"), SECOND);
    world.kill(agents[1]);
    world.until(20 * SECOND, |world| [0, 2].iter().all(|reader| world.node_state(agents[*reader], "n1") == Some(MemberState::Down)));
    // Without pushes the records come a moment after the member does.
    world.loss = 1.0;
    world.restart(agents[1]);
    let is_later = |world: &World, reader: usize| world.life_of(reader, "n1").is_some_and(|life| life.generation == 2);
    let is_down = |world: &World, reader: usize| world.node_state(reader, "n1") == Some(MemberState::Down);
    let readers = [agents[0], agents[2]];
    world.until_always(
        10 * SECOND,
        |world| readers.iter().all(|reader| is_later(world, *reader) || is_down(world, *reader)),
        |world| readers.iter().any(|reader| is_later(world, *reader) && !is_down(world, *reader)),
    );
}

#[test]
fn a_write_is_acknowledged_only_when_it_is_there_though_the_same_one_before_it_failed() {
    let mut world = World::new(20);
    let a = world.start("a", &[]);
    world.disk_fails = true;
    world.submit(a, Command::Register(Registration::plain(instance("web-1", "web"))));
    world.disk_fails = false;
    let (reply, _) = world.submit_and_wait(a, Command::Register(Registration::plain(instance("web-1", "web"))), SECOND);
    assert_eq!(reply, Ok(Done::Created));
    assert!(world.shows(a, "a", "web-1"));
    world.restart(a);
    assert!(world.shows(a, "a", "web-1"), "it is on disk");
}
