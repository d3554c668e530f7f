//! Claims about nodes that meet themselves: restored folders, copied ones, resumed images.

use std::time::Duration;

use tidings::{
    core::meeting::Cause,
    model::{CheckId, CheckState, Command, Done, InstanceId, MemberState, Registration, Status, check::Subject},
};

use super::{
    SECOND, beat, deregister,
    world::{Agent, World, instance},
};

fn id(text: &str) -> InstanceId {
    InstanceId::new(text).expect("an id")
}

fn remove(world: &mut World, agent: Agent, instance: &str) {
    assert_eq!(world.submit_and_wait(agent, deregister(id(instance)), SECOND).0, Ok(Done::Removed));
}

/// Whether all that run hold the same, and show this of the node `n1`.
fn settled(world: &World, generation: u32, shown: &[&str], absent: &[&str]) -> bool {
    world.all_equal()
        && world.running().all(|reader| {
            world.life_of(reader, "n1").is_some_and(|life| life.generation == generation)
                && world.node_state(reader, "n1") == Some(MemberState::Alive)
                && shown.iter().all(|id| world.shows(reader, "n1", id))
                && absent.iter().all(|id| !world.shows(reader, "n1", id))
        })
}

#[test]
fn a_folder_restored_from_a_backup_comes_up_above_what_peers_report_and_says_what_came_back() {
    let mut world = World::new(50);
    let agents = world.cluster(4);
    world.register(agents[1], instance("web-1", "web"));
    world.register(agents[1], instance("web-2", "web"));
    let backup = world.past(agents[1]);
    remove(&mut world, agents[1], "web-2");
    world.register(agents[1], instance("web-3", "web"));
    for _ in 0..3 {
        world.restart(agents[1]);
        world.run(SECOND);
    }
    world.until(20 * SECOND, |world| settled(world, 4, &["web-1", "web-3"], &["web-2"]));
    world.restore(agents[1], &backup);
    world.until(20 * SECOND, |world| settled(world, 5, &["web-1", "web-2"], &["web-3"]));
    let climbs = world.climbs(agents[1]);
    assert_eq!(climbs.len(), 1);
    assert!(matches!(climbs[0].cause, Cause::AnotherLife { life, .. } if life.generation == 4), "{climbs:?}");
    assert_eq!((&climbs[0].came_back[..], &climbs[0].missing[..]), (&[id("web-2")][..], &[id("web-3")][..]));
    assert_eq!((world.generation(agents[1]), world.came_back(agents[1])), (5, vec![id("web-2")]));
    remove(&mut world, agents[1], "web-2");
    assert!(world.came_back(agents[1]).is_empty());
    world.restart(agents[1]);
    world.until(20 * SECOND, |world| settled(world, 6, &["web-1"], &["web-2", "web-3"]));
}

#[test]
fn a_restored_folder_of_the_generation_that_peers_report_is_told_apart_by_its_nonce() {
    for seed in 60..68 {
        let mut world = World::new(seed);
        let agents = world.cluster(3);
        world.register(agents[1], instance("web-1", "web"));
        let backup = world.past(agents[1]);
        world.restart(agents[1]);
        world.register(agents[1], instance("web-2", "web"));
        world.until(20 * SECOND, |world| settled(world, 2, &["web-1", "web-2"], &[]));
        world.restore(agents[1], &backup);
        world.until(20 * SECOND, |world| settled(world, 3, &["web-1"], &["web-2"]));
    }
}

#[test]
fn an_image_that_is_behind_what_peers_hold_goes_on_in_another_life() {
    let mut world = World::new(51);
    let agents = world.cluster(4);
    world.register(agents[1], instance("web-1", "web"));
    world.restart(agents[1]);
    world.until(20 * SECOND, |world| settled(world, 2, &["web-1"], &[]));
    let image = world.past(agents[1]);
    world.register(agents[1], instance("web-2", "web"));
    remove(&mut world, agents[1], "web-1");
    world.until(20 * SECOND, |world| settled(world, 2, &["web-2"], &["web-1"]));
    world.resume_image(agents[1], &image);
    world.until(20 * SECOND, |world| settled(world, 3, &["web-1"], &["web-2"]));
    let climbs = world.climbs(agents[1]);
    assert_eq!(climbs.len(), 1, "{climbs:?}");
    assert!(matches!(climbs[0].cause, Cause::Ahead { .. }), "{climbs:?}");
    assert_eq!((&climbs[0].came_back[..], &climbs[0].missing[..]), (&[id("web-1")][..], &[id("web-2")][..]));
}

#[test]
fn an_image_that_wrote_something_else_at_the_same_version_is_found_by_its_content() {
    let mut world = World::new(52);
    let agents = world.cluster(4);
    world.register(agents[1], instance("web-1", "web"));
    world.restart(agents[1]);
    world.until(20 * SECOND, |world| settled(world, 2, &["web-1"], &[]));
    let image = world.past(agents[1]);
    world.register(agents[1], instance("web-2", "web"));
    world.until(20 * SECOND, |world| settled(world, 2, &["web-1", "web-2"], &[]));
    world.split(&agents[1..2]);
    world.resume_image(agents[1], &image);
    world.register(agents[1], instance("web-3", "web"));
    world.heal();
    world.until(60 * SECOND, |world| settled(world, 3, &["web-1", "web-3"], &["web-2"]));
    let climbs = world.climbs(agents[1]);
    assert_eq!(climbs.len(), 1, "{climbs:?}");
    assert!(matches!(climbs[0].cause, Cause::Forked { .. }), "{climbs:?}");
}

#[test]
fn an_image_that_wrote_nothing_else_goes_on_in_its_life() {
    let mut world = World::new(53);
    let agents = world.cluster(4);
    world.register(agents[1], instance("web-1", "web"));
    world.restart(agents[1]);
    let image = world.past(agents[1]);
    // It comes back by itself again and again: peers know of later returns than the image does.
    for _ in 0..5 {
        world.split(&agents[1..2]);
        world.until(30 * SECOND, |world| world.node_state(agents[0], "n1") == Some(MemberState::Down));
        world.heal();
        world.until(60 * SECOND, |world| settled(world, 2, &["web-1"], &[]));
    }
    world.resume_image(agents[1], &image);
    world.run(SECOND);
    world.until(10 * SECOND, |world| settled(world, 2, &["web-1"], &[]));
    world.register_and_wait(agents[1], instance("web-2", "web"), 5 * SECOND);
    assert_eq!(world.climbs(agents[1]), []);
}

#[test]
fn where_a_copy_of_a_folder_starts_the_lower_life_stops_and_says_where_both_are() {
    let mut world = World::new(54);
    let agents = world.cluster(4);
    world.register(agents[1], instance("web-1", "web"));
    let (folder, here) = (world.past(agents[1]), world.address(agents[1]));
    let copy = world.start_copy("elsewhere", &folder, &["n0"]);
    world.until(20 * SECOND, |world| !world.runs(agents[1]));
    let (stopped, copied) = world.stops()[0];
    assert_eq!((stopped, copied.here.to_string(), copied.there.to_string()), (agents[1], here.clone(), world.address(copy)));
    let text = copied.to_string();
    assert!(text.contains(&here) && text.contains(&world.address(copy)), "{text}");
    world.until(20 * SECOND, |world| settled(world, 2, &["web-1"], &[]));
    assert!(world.generation(agents[1]) == 1 && world.past(agents[1]).is_same_disk(&folder), "its folder is untouched");
    assert_eq!((world.stops().len(), world.climbs(copy)), (1, vec![]));
}

#[test]
fn a_copy_that_is_older_than_its_original_stops() {
    let mut world = World::new(55);
    let agents = world.cluster(4);
    world.register(agents[1], instance("web-1", "web"));
    let folder = world.past(agents[1]);
    for _ in 0..3 {
        world.restart(agents[1]);
        world.run(SECOND);
    }
    let copy = world.start_copy("elsewhere", &folder, &["n0"]);
    world.until(20 * SECOND, |world| !world.runs(copy));
    world.until(20 * SECOND, |world| settled(world, 4, &["web-1"], &[]));
    assert_eq!((world.stops().len(), world.stops()[0].0, world.climbs(agents[1])), (1, copy, vec![]));
}

#[test]
fn of_two_copies_that_start_at_once_one_goes_on() {
    for seed in 70..78 {
        let mut world = World::new(seed);
        let agents = world.cluster(3);
        world.register(agents[1], instance("web-1", "web"));
        let folder = world.past(agents[1]);
        world.kill(agents[1]);
        let copies = [world.start_copy("x", &folder, &["n0"]), world.start_copy("y", &folder, &["n2"])];
        world.until(20 * SECOND, |world| copies.iter().filter(|copy| world.runs(**copy)).count() == 1);
        world.until(20 * SECOND, |world| settled(world, 2, &["web-1"], &[]));
        assert_eq!((world.stops().len(), world.climbs(copies[0]), world.climbs(copies[1])), (1, vec![], vec![]));
    }
}

#[test]
fn a_folder_that_moved_to_another_host_goes_on_there_as_it_is() {
    let mut world = World::new(56);
    let agents = world.cluster(3);
    world.register(agents[1], instance("web-1", "web"));
    let folder = world.past(agents[1]);
    world.kill(agents[1]);
    let moved = world.start_copy("elsewhere", &folder, &["n0"]);
    world.until(20 * SECOND, |world| settled(world, 2, &["web-1"], &[]));
    assert_eq!((world.stops(), world.climbs(moved)), (&[][..], vec![]));
}

#[test]
fn whoever_else_has_its_old_address_does_not_answer_for_it() {
    let mut world = World::new(59);
    let agents = world.cluster(3);
    world.register(agents[1], instance("web-1", "web"));
    let backup = world.past(agents[1]);
    for _ in 0..3 {
        world.restart(agents[1]);
        world.run(SECOND);
    }
    world.kill(agents[1]);
    let other = world.start_in_place_of(agents[1], "other", &["n0"]);
    world.until(20 * SECOND, |world| world.nodes(agents[0]).contains(&"other".to_owned()));
    let restored = world.start_copy("elsewhere", &backup, &["n0"]);
    world.until(30 * SECOND, |world| settled(world, 5, &["web-1"], &[]));
    assert_eq!((world.stops(), world.climbs(restored).len(), world.runs(other)), (&[][..], 1, true));
}

#[test]
fn a_loss_of_power_within_a_climb_does_no_harm() {
    for seed in 80..100 {
        let mut world = World::new(seed);
        let agents = world.cluster(3);
        for n in 0..5 {
            world.register(agents[1], instance(&format!("web-{n}"), "web"));
        }
        let backup = world.past(agents[1]);
        world.restart(agents[1]);
        world.restart(agents[1]);
        world.until(20 * SECOND, |world| settled(world, 3, &["web-1"], &[]));
        world.restore(agents[1], &backup);
        let pause = world.random(40);
        world.run(Duration::from_micros(u64::from(pause) * 500));
        world.restart(agents[1]);
        world.until(30 * SECOND, |world| {
            let generation = world.generation(agents[1]);
            generation > 3 && settled(world, generation, &["web-0", "web-1", "web-2", "web-3", "web-4"], &[])
        });
    }
}

#[test]
fn where_the_disk_does_not_take_the_generation_it_is_tried_again() {
    let mut world = World::new(57);
    let agents = world.cluster(3);
    world.register(agents[1], instance("web-1", "web"));
    let backup = world.past(agents[1]);
    world.restart(agents[1]);
    world.restart(agents[1]);
    world.until(20 * SECOND, |world| settled(world, 3, &["web-1"], &[]));
    world.restore(agents[1], &backup);
    world.disk_fails = true;
    world.until(20 * SECOND, |world| world.failed_climbs(agents[1]) > 0);
    assert_eq!(world.generation(agents[1]), 2);
    world.disk_fails = false;
    world.until(60 * SECOND, |world| settled(world, 4, &["web-1"], &[]));
}

#[test]
fn so_it_is_where_nobody_tells_of_it_again() {
    let mut world = World::new(62);
    let agents = world.cluster(3);
    world.register(agents[1], instance("web-1", "web"));
    world.restart(agents[1]);
    world.until(20 * SECOND, |world| settled(world, 2, &["web-1"], &[]));
    let image = world.past(agents[1]);
    world.register(agents[1], instance("web-2", "web"));
    world.until(20 * SECOND, |world| settled(world, 2, &["web-1", "web-2"], &[]));
    world.resume_image(agents[1], &image);
    world.disk_fails = true;
    world.until(20 * SECOND, |world| world.failed_climbs(agents[1]) > 0);
    world.run(SECOND / 2);
    world.disk_fails = false;
    world.until(10 * SECOND, |world| settled(world, 3, &["web-1"], &["web-2"]));
}

#[test]
fn a_climb_writes_down_what_the_disk_had_missed() {
    let mut world = World::new(63);
    let agents = world.cluster(3);
    let registration = Registration { checks: vec![beat()], ..Registration::plain(instance("web-1", "web")) };
    assert_eq!(world.submit_and_wait(agents[1], Command::Register(registration), SECOND).0, Ok(Done::Created));
    let backup = world.past(agents[1]);
    world.restart(agents[1]);
    world.restart(agents[1]);
    world.until(20 * SECOND, |world| settled(world, 3, &["web-1"], &[]));
    world.split(&agents[1..2]);
    world.restore(agents[1], &backup);
    world.disk_fails = true;
    let verdict = Command::Verdict {
        subject: Subject::Instance(id("web-1")),
        check: CheckId::new("beat").expect("an id"),
        state: CheckState { status: Status::Passing, reason: "told".into() },
    };
    assert_eq!(world.submit_and_wait(agents[1], verdict, SECOND).0, Ok(Done::Noted));
    world.run(SECOND);
    world.disk_fails = false;
    world.heal();
    world.until(60 * SECOND, |world| settled(world, 4, &["web-1"], &[]));
    world.restart(agents[1]);
    assert_eq!(world.status(agents[1], "n1", "web-1"), Some(Status::Passing));
}

#[test]
fn what_is_written_during_a_climb_is_in_the_life_that_follows() {
    for seed in 100..110 {
        let mut world = World::new(seed);
        let agents = world.cluster(3);
        world.register(agents[1], instance("web-1", "web"));
        let backup = world.past(agents[1]);
        world.restart(agents[1]);
        world.restart(agents[1]);
        world.until(20 * SECOND, |world| settled(world, 3, &["web-1"], &[]));
        world.restore(agents[1], &backup);
        let mut asked = vec![];
        for n in 0..60 {
            let registration = Registration::plain(instance(&format!("new-{n}"), "new"));
            asked.push(world.submit(agents[1], Command::Register(registration)));
            world.run(Duration::from_micros(700));
        }
        world.until(20 * SECOND, |world| asked.iter().all(|id| world.reply(agents[1], *id) == Some(&Ok(Done::Created))));
        let all: Vec<String> = (0..60).map(|n| format!("new-{n}")).collect();
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        world.until(20 * SECOND, |world| settled(world, 4, &all, &[]));
        world.restart(agents[1]);
        world.until(20 * SECOND, |world| settled(world, 5, &all, &[]));
    }
}

#[test]
fn two_copies_that_reach_all_but_each_other_climb_ever_more_rarely() {
    let mut world = World::new(58);
    let agents = world.cluster(4);
    let folder = world.past(agents[1]);
    let copy = world.start_copy("elsewhere", &folder, &["n0"]);
    world.wall(agents[1], copy);
    let climbs = |world: &World| world.climbs(agents[1]).len() + world.climbs(copy).len();
    world.run(60 * SECOND);
    let early = climbs(&world);
    world.run(600 * SECOND);
    let late = climbs(&world);
    assert!((2..20).contains(&early) && late - early < 12, "{early} in the first minute, {} in the ten after", late - early);
    world.heal();
    world.until(60 * SECOND, |world| world.stops().len() == 1 && world.all_equal());
}
