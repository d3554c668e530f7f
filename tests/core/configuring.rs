//! Claims about what files define.

use tidings::{
    catalog::select::HeldBack,
    model::{Check, CheckId, CheckState, Command, Done, InstanceId, Refusal, Registration, Status, check::Subject, command::Cause, limits},
};

use super::{
    SECOND, beat, deregister,
    world::{Agent, World, instance},
};

#[test]
fn what_files_define_is_what_is_registered_and_the_rest_stays() {
    let mut world = World::new(31);
    let agents = world.cluster(3);
    let a = agents[0];
    world.register(a, instance("own-1", "own"));
    assert_eq!(configure(&mut world, a, [("web-1", "web"), ("db-1", "db")]), configured(2, 0, 0));
    assert_eq!(configure(&mut world, a, [("web-1", "web"), ("db-1", "db")]), configured(0, 0, 0));
    assert_eq!(configure(&mut world, a, [("web-1", "www"), ("api-1", "api")]), configured(1, 1, 1));
    let shown = |world: &World, id| agents.iter().all(|reader| world.shows(*reader, "n0", id));
    world.until(SECOND, |world| shown(world, "web-1") && shown(world, "api-1") && shown(world, "own-1") && !shown(world, "db-1"));
    world.restart(a);
    assert_eq!(configure(&mut world, a, [("api-1", "api")]), configured(0, 0, 1), "where an instance came from outlives the agent");
    assert_eq!(names(&world, a), ["api-1", "own-1"]);
}

#[test]
fn what_a_file_defines_is_not_for_the_api_to_change() {
    let mut world = World::new(32);
    let a = world.start("a", &[]);
    assert_eq!(configure(&mut world, a, [("web-1", "web")]), configured(1, 0, 0));
    let refused = Err(Refusal::DefinedByFile { instance: id("web-1"), file: "web.toml".into() });
    let register = || Command::Register(Registration::plain(instance("web-1", "other")));
    assert_eq!(world.submit_and_wait(a, register(), SECOND).0, refused);
    assert_eq!(world.submit_and_wait(a, deregister(id("web-1")), SECOND).0, refused);
    // It is what is on its way to disk that counts, not only what is there.
    world.submit(a, Command::Configure { services: vec![defined("db-1", "db")], checks: vec![] });
    assert_eq!(world.submit_and_wait(a, register(), SECOND).0, Ok(Done::Created));
    let critical = Command::Deregister { instance: id("db-1"), cause: Cause::Critical };
    assert_eq!(world.submit_and_wait(a, critical, SECOND).0, Ok(Done::Removed), "a file may say deregister_after");
    assert_eq!(configure(&mut world, a, [("db-1", "db")]), configured(1, 0, 0));
}

#[test]
fn a_file_takes_over_what_the_api_registered() {
    let mut world = World::new(33);
    let a = world.start("a", &[]);
    world.register(a, instance("web-1", "web"));
    assert_eq!(configure(&mut world, a, [("web-1", "web")]), configured(0, 1, 0));
    assert!(matches!(world.submit_and_wait(a, deregister(id("web-1")), SECOND).0, Err(Refusal::DefinedByFile { .. })));
    assert_eq!(configure(&mut world, a, []), configured(0, 0, 1));
    assert_eq!(names(&world, a), [""; 0]);
}

#[test]
fn a_configuration_takes_effect_as_a_whole_or_not_at_all() {
    let mut world = World::new(34);
    let a = world.start("a", &[]);
    assert_eq!(configure(&mut world, a, [("web-1", "web")]), configured(1, 0, 0));
    let mut large = defined("large-1", "large");
    large.instance.meta = (0..limits::META_PAIRS).map(|n| (format!("key-{n}"), "x".repeat(limits::META_VALUE_OCTETS))).collect();
    let services = vec![defined("db-1", "db"), large];
    let (reply, _) = world.submit_and_wait(a, Command::Configure { services, checks: vec![beat()] }, SECOND);
    assert!(matches!(reply, Err(Refusal::TooLarge { .. })), "{reply:?}");
    let services = (0..=limits::INSTANCES_PER_NODE).map(|n| defined(&format!("web-{n}"), "web")).collect();
    let (reply, _) = world.submit_and_wait(a, Command::Configure { services, checks: vec![] }, SECOND);
    assert_eq!(reply, Err(Refusal::Full { limit: limits::INSTANCES_PER_NODE }));
    world.disk_fails = true;
    let command = Command::Configure { services: vec![defined("db-1", "db")], checks: vec![beat()] };
    let (reply, _) = world.submit_and_wait(a, command, SECOND);
    assert!(matches!(reply, Err(Refusal::Storage(_))), "{reply:?}");
    assert_eq!((names(&world, a), world.held_back(a, "a", "web-1")), (vec!["web-1".to_owned()], None));
}

#[test]
fn a_critical_check_of_a_node_holds_all_its_instances_back_everywhere() {
    let mut world = World::new(35);
    let agents = world.cluster(3);
    world.register(agents[1], instance("web-1", "web"));
    world.register(agents[2], instance("web-2", "web"));
    let held = |world: &World, owner, id| {
        let seen = agents.iter().map(|reader| world.held_back(*reader, owner, id)).collect::<Vec<_>>();
        seen.iter().all(|it| *it == seen[0]).then(|| seen[0].clone()).flatten()
    };
    let watch = |world: &mut World, checks: Vec<Check>| {
        assert_eq!(
            world.submit_and_wait(agents[1], Command::Configure { services: vec![], checks: checks.clone() }, SECOND).0,
            configured(0, 0, 0)
        );
        world.set_node_checks(agents[1], checks);
    };
    watch(&mut world, vec![Check { initial: Status::Passing, ..beat() }]);
    world.run(SECOND);
    assert_eq!(held(&world, "n1", "web-1"), None);
    let tell = |world: &mut World, status| {
        let state = CheckState { status, reason: "told".into() };
        let verdict = Command::Verdict { subject: Subject::Node, check: CheckId::new("beat").unwrap(), state };
        assert_eq!(world.submit_and_wait(agents[1], verdict, SECOND).0, Ok(Done::Noted));
    };
    let critical = |reason| Some(format!("{:?}", HeldBack::NodeCritical { check: &CheckId::new("beat").unwrap(), reason }));
    tell(&mut world, Status::Critical);
    world.until(SECOND, |world| held(world, "n1", "web-1") == critical("told"));
    assert_eq!((held(&world, "n2", "web-2"), world.status(agents[0], "n1", "web-1")), (None, Some(Status::Passing)));
    // It outlives the agent, and the node's maintenance.
    world.run(SECOND);
    world.restart(agents[1]);
    let maintain = |reason: Option<&str>| Command::Maintain { subject: Subject::Node, reason: reason.map(Into::into) };
    assert_eq!(world.submit_and_wait(agents[1], maintain(Some("new disk")), SECOND).0, Ok(Done::Noted));
    assert_eq!(world.submit_and_wait(agents[1], maintain(None), SECOND).0, Ok(Done::Noted));
    world.until(10 * SECOND, |world| held(world, "n1", "web-1") == critical("told"));
    tell(&mut world, Status::Warning);
    world.until(SECOND, |world| held(world, "n1", "web-1").is_none());
    world.run(SECOND);
    world.host_rebooted = true;
    world.restart(agents[1]);
    world.until(10 * SECOND, |world| held(world, "n1", "web-1") == critical("not checked since the host started"));
    watch(&mut world, vec![]);
    world.until(SECOND, |world| held(world, "n1", "web-1").is_none());
    world.until(10 * SECOND, World::all_equal);
}

fn configure<const N: usize>(world: &mut World, agent: Agent, services: [(&str, &str); N]) -> Result<Done, Refusal> {
    let services = services.map(|(id, service)| defined(id, service)).into();
    world.submit_and_wait(agent, Command::Configure { services, checks: vec![] }, SECOND).0
}

fn configured(created: usize, replaced: usize, removed: usize) -> Result<Done, Refusal> {
    Ok(Done::Configured { created, replaced, removed })
}

fn defined(id: &str, service: &str) -> Registration {
    Registration { file: Some("web.toml".into()), ..Registration::plain(instance(id, service)) }
}

fn id(text: &str) -> InstanceId {
    InstanceId::new(text).expect("an id")
}

fn names(world: &World, agent: Agent) -> Vec<String> {
    world.instances_of(agent).iter().map(ToString::to_string).collect()
}
