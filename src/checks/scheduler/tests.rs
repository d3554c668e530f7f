use std::{collections::BTreeMap, future::pending, sync::Mutex};

use async_trait::async_trait;
use rand::SeedableRng as _;
use serde_json::json;
use tokio::{net::TcpListener, sync::mpsc::UnboundedSender, time::timeout};

use super::*;
use crate::{
    definition,
    model::{
        Check, CheckId, CheckState, Health, InstanceId, Status,
        check::{Probe, Subject},
        command::Cause,
    },
    registrar::Pending,
};
use Status::{Critical, Passing};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn first_runs_are_spread_over_a_second_and_later_ones_drift_apart() {
    let world = World::new(|_, _| Some(Passing));
    world.start(instance(0), (0..100).map(|n| check(&format!("c{n}"))).collect());
    world.pass(25 * SECOND).await;
    let runs = world.runs_by_check();
    assert_eq!(runs.len(), 100);
    let first: Vec<Duration> = runs.values().map(|at| at[0]).collect();
    assert!(first.iter().all(|at| *at <= SECOND), "{first:?}");
    for tenth in 0..10 {
        let tenth = SECOND / 10 * tenth..SECOND / 10 * (tenth + 1);
        let within = first.iter().filter(|at| tenth.contains(*at)).count();
        assert!((1..30).contains(&within), "{within} first runs within {tenth:?}");
    }
    let gaps: Vec<Duration> = runs.values().flat_map(|at| at.windows(2).map(|pair| pair[1] - pair[0])).collect();
    // The timer of the runtime counts in milliseconds.
    let range = Duration::from_millis(9_498)..=Duration::from_millis(10_502);
    assert!(gaps.len() >= 200 && gaps.iter().all(|gap| range.contains(gap)), "{gaps:?}");
    assert!(gaps.iter().max().unwrap().abs_diff(*gaps.iter().min().unwrap()) > SECOND / 2, "no jitter");
}

#[tokio::test(start_paused = true)]
async fn a_run_that_still_goes_on_skips_the_next() {
    let world = World::new(|_, _| None);
    world.start(instance(0), vec![Check { timeout: 25 * SECOND, ..check("slow") }]);
    world.pass(35 * SECOND).await;
    let runs = &world.runs_by_check()["slow"];
    assert_eq!(runs.len(), 2, "{runs:?}");
    assert!((28 * SECOND..32 * SECOND).contains(&(runs[1] - runs[0])), "{runs:?}");
}

#[tokio::test(start_paused = true)]
async fn a_target_that_hangs_is_critical_after_the_time_out() {
    let mut world = World::new(|_, _| None);
    world.start(instance(0), vec![check("slow")]);
    let (id, state) = world.verdict().await;
    assert_eq!((id.as_str(), state.status, state.reason.as_str()), ("slow", Critical, "no answer within 5s"));
    assert!((5 * SECOND..=6 * SECOND).contains(&world.now()), "{:?}", world.now());
}

#[tokio::test(start_paused = true)]
async fn only_so_many_run_at_once_and_others_take_the_places_of_those_that_end() {
    let world = World::new(|_, _| None);
    for n in 0..20 {
        let hangs = |c| Check { timeout: 3_600 * SECOND, interval: 3_600 * SECOND, ..check(&format!("i{n}c{c}")) };
        world.start(instance(n), (0..16).map(hangs).collect());
    }
    world.pass(10 * SECOND).await;
    assert_eq!(world.runs_by_check().len(), RUNS);
    let first = world.runs.lock().unwrap()[0].0.clone();
    let number: usize = first.trim_start_matches('i').split('c').next().unwrap().parse().unwrap();
    let running = world.runs_by_check().keys().filter(|id| id.starts_with(&format!("i{number}c"))).count();
    world.order(CheckOrder::Stop(subject(number)));
    world.pass(SECOND).await;
    assert_eq!(world.runs_by_check().len(), RUNS + running);
}

#[tokio::test(start_paused = true)]
async fn those_that_hang_do_not_delay_others() {
    let world = World::new(|id, _| if id.starts_with("slow") { None } else { Some(Passing) });
    for n in 0..10 {
        world.start(instance(n), (0..16).map(|c| check(&format!("slow{n}-{c}"))).collect());
    }
    world.start(instance(10), vec![check("quick")]);
    world.pass(101 * SECOND).await;
    let runs = &world.runs_by_check()["quick"];
    assert!((10..=11).contains(&runs.len()), "{runs:?}");
    assert!(runs.windows(2).all(|pair| pair[1] - pair[0] < 11 * SECOND), "{runs:?}");
}

#[tokio::test(start_paused = true)]
async fn an_equal_definition_keeps_state_and_timers() {
    let mut world = World::new(|_, _| Some(Critical));
    let checks = vec![Check { fall: 3, ..check("same") }, check("other")];
    world.start(instance(0), checks.clone());
    world.pass(15 * SECOND).await;
    world.start(instance(0), vec![checks[0].clone(), Check { interval: 20 * SECOND, ..checks[1].clone() }]);
    world.pass(10 * SECOND).await;
    let runs = world.runs_by_check();
    assert_eq!(runs["same"].len(), 3, "{runs:?}");
    assert!(runs["same"].windows(2).all(|pair| pair[1] - pair[0] > 9 * SECOND), "{runs:?}");
    assert!((15 * SECOND..=16 * SECOND).contains(&runs["other"][2]), "it began anew: {runs:?}");
    let fell: Vec<_> = world.told().into_iter().filter(|(id, state)| id.as_str() == "same" && state.status == Critical).collect();
    assert_eq!(fell.len(), 1, "two bad results of before and one of after make three");
}

#[tokio::test(start_paused = true)]
async fn stored_health_is_what_a_check_begins_with() {
    let mut world = World::new(|_, _| Some(Passing));
    let check = Check { rise: 2, ..check("a") };
    let health = Health { checks: FromIterator::from_iter([(check.id.clone(), state(Critical, "500"))]), maintenance: None };
    world.order(start(subject(0), vec![check], None, health));
    let (_, state) = world.verdict().await;
    assert_eq!(state.status, Passing);
    assert!(world.now() > 9 * SECOND, "it took two good results to leave the stored status: {:?}", world.now());
}

#[tokio::test(start_paused = true)]
async fn what_is_stopped_runs_and_reports_no_more_and_its_output_is_gone() {
    let mut world = World::new(|_, run| if run == 0 { Some(Passing) } else { None });
    world.start(instance(0), vec![check("a")]);
    world.verdict().await;
    let output = world.outputs.get(&subject(0), &id("a")).unwrap();
    assert_eq!((output.text.as_str(), output.duration), ("result", Duration::ZERO));
    world.pass(11 * SECOND).await;
    assert_eq!(world.runs_by_check()["a"].len(), 2, "the second run is under way");
    world.order(CheckOrder::Stop(subject(0)));
    world.pass(60 * SECOND).await;
    assert_eq!(world.runs_by_check()["a"].len(), 2);
    assert_eq!(world.told(), []);
    assert_eq!(world.outputs.get(&subject(0), &id("a")), None);
}

#[tokio::test(start_paused = true)]
async fn what_is_critical_for_too_long_is_deregistered_until_it_is_stopped() {
    let mut world = World::new(|id, run| Some(if id == "ill" || run < 2 { Critical } else { Passing }));
    for (n, id) in ["ill", "recovers"].into_iter().enumerate() {
        world.order(start(subject(n), vec![check(id)], Some(30 * SECOND), Health::default()));
    }
    let deregister = Command::Deregister { instance: instance(0), cause: Cause::Critical };
    while world.command().await != deregister {}
    assert!((30 * SECOND..=31 * SECOND + SECOND / 2).contains(&world.now()), "{:?}", world.now());
    let first = world.now();
    while world.command().await != deregister {}
    assert!(world.now() - first >= 60 * SECOND, "it is asked for again, but not at once");
    world.order(CheckOrder::Stop(subject(0)));
    world.pass(300 * SECOND).await;
    let deregistered = std::iter::from_fn(|| world.pending.try_recv().ok()).any(|it| matches!(it.command, Command::Deregister { .. }));
    assert!(!deregistered, "one that recovers stays");
}

#[tokio::test(start_paused = true)]
async fn a_heartbeat_holds_for_the_ttl_and_no_longer() {
    let mut world = World::new(|_, _| None);
    world.start(instance(0), vec![Check { probe: told(15 * SECOND), initial: Critical, ..check("beat") }]);
    for beat in 0..10 {
        world.heartbeat(state(Passing, "fine"));
        if beat == 0 {
            assert_eq!(world.verdict().await.1, state(Passing, "fine"));
        }
        world.pass(14 * SECOND).await;
    }
    assert_eq!(world.told(), [], "nothing changed");
    assert_eq!(world.outputs.get(&subject(0), &id("beat")).unwrap().text, "fine\nin full");
    let last = world.now();
    assert_eq!(world.verdict().await.1, state(Critical, "no heartbeat for 15s"));
    assert_eq!((world.now() - last).as_secs_f64().round(), 1.0);
    assert_eq!(world.outputs.get(&subject(0), &id("beat")).unwrap().text, "no heartbeat for 15s");
    world.heartbeat(state(Status::Warning, "slow"));
    assert_eq!(world.verdict().await.1, state(Status::Warning, "slow"));
}

#[tokio::test(start_paused = true)]
async fn after_a_restart_a_passing_ttl_check_has_its_whole_ttl() {
    let mut world = World::new(|_, _| None);
    let check = Check { probe: told(15 * SECOND), initial: Critical, ..check("beat") };
    let health = Health { checks: FromIterator::from_iter([(check.id.clone(), state(Passing, "fine"))]), maintenance: None };
    world.order(start(subject(0), vec![check], None, health));
    assert_eq!(world.verdict().await.1.status, Critical);
    assert_eq!(world.now().as_secs_f64().round(), 15.0);
}

#[tokio::test(start_paused = true)]
async fn a_check_that_panics_is_critical_and_harms_no_other() {
    let mut world = World::new(|id, _| if id == "broken" { panic!("on purpose") } else { Some(Passing) });
    world.start(instance(0), vec![check("broken"), check("sound")]);
    world.pass(12 * SECOND).await;
    let told: BTreeMap<String, Status> = world.told().into_iter().map(|(id, state)| (id.to_string(), state.status)).collect();
    assert_eq!(told, BTreeMap::from([("broken".into(), Critical), ("sound".into(), Passing)]));
    assert_eq!(world.runs_by_check().values().map(Vec::len).collect::<Vec<_>>(), [2, 2]);
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_is_full_delays_no_run_and_only_the_newest_verdict_waits() {
    let mut world = World::new(|_, run| Some(if run % 2 == 0 { Passing } else { Critical }));
    for _ in 0..crate::registrar::QUEUE {
        drop(world.registrar.enqueue(Command::Deregister { instance: instance(9), cause: Cause::Critical }).await.unwrap());
    }
    world.start(instance(0), vec![check("a")]);
    world.pass(35 * SECOND).await;
    assert!(world.runs_by_check()["a"].len() >= 4);
    assert_eq!(world.told(), [], "the queue holds what it held");
    let (_, state) = world.verdict().await;
    assert_eq!(state.status, Critical, "the fourth run was critical");
}

#[tokio::test]
async fn a_check_is_run_as_its_kind_runs_it_and_critical_where_nobody_knows_its_kind() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (registrar, mut pending) = Registrar::new();
    let folder = tempfile::tempdir().unwrap();
    let (scheduler, orders) =
        Scheduler::new(registrar, CheckMetrics::unread(&kinds::names().collect::<Vec<_>>()), Leases::of(folder.path()));
    tokio::spawn(scheduler.run());
    let quick = Check { interval: SECOND / 10, timeout: SECOND / 5, initial: Passing, ..check("port") };
    let probe = |definition| definition::node_check(&definition).unwrap().probe;
    let probes = [
        probe(json!({"id": "http", "http": format!("http://{address}/")})),
        probe(json!({"id": "port", "tcp": address.to_string()})),
        Probe { kind: "smoke-signals".into(), settings: "{}".into(), ttl: None },
    ];
    let checks = probes.map(|probe| Check { id: id(&probe.kind), probe, ..quick.clone() }).to_vec();
    orders.send(start(subject(0), checks, None, Health::default())).unwrap();
    let mut told = BTreeMap::new();
    while told.len() < 3 {
        let pending = timeout(30 * SECOND, pending.recv()).await.unwrap().unwrap();
        let Command::Verdict { check, state, .. } = pending.command else { panic!("{pending:?}") };
        told.insert(check.to_string(), (state.status, state.reason));
    }
    assert_eq!(told["http"], (Critical, "no answer within 200ms".into()));
    assert_eq!(told["tcp"], (Passing, format!("{address} takes connections")));
    assert_eq!((told["smoke-signals"].0, told["smoke-signals"].1.contains("this version")), (Critical, true), "{told:?}");
}

/// A scheduler whose checks are made up, in a time that passes when nothing else happens.
struct World {
    registrar: Registrar,
    orders: UnboundedSender<CheckOrder>,
    pending: mpsc::Receiver<Pending>,
    outputs: Outputs,
    runs: Runs,
    start: Instant,
}

/// Which check ran, and when.
type Runs = Arc<Mutex<Vec<(String, Instant)>>>;
/// What a run of a check finds, counted from 0; it hangs where that is nothing.
type Script = fn(&str, usize) -> Option<Status>;

struct Scripted {
    id: String,
    runs: Runs,
    script: Script,
}

#[async_trait]
impl Ask for Scripted {
    async fn ask(&self, _: &Tools, _: Duration) -> Finding {
        let earlier = {
            let mut runs = self.runs.lock().unwrap();
            runs.push((self.id.clone(), Instant::now()));
            runs.iter().filter(|(id, _)| *id == self.id).count() - 1
        };
        match (self.script)(&self.id, earlier) {
            Some(status) => Finding::new(status, "result"),
            None => pending().await,
        }
    }
}

impl World {
    fn new(script: Script) -> World {
        let runs = Runs::default();
        let log = Arc::clone(&runs);
        let make_ask =
            move |probe: &Probe| -> Arc<dyn Ask> { Arc::new(Scripted { id: probe.settings.clone(), runs: Arc::clone(&log), script }) };
        let (registrar, pending) = Registrar::new();
        let (scheduler, orders) = Scheduler::with(
            registrar.clone(),
            CheckMetrics::unread(&kinds::names().collect::<Vec<_>>()),
            Box::new(make_ask),
            StdRng::seed_from_u64(7),
        );
        let outputs = scheduler.outputs();
        tokio::spawn(scheduler.run());
        World { registrar, orders, pending, outputs, runs, start: Instant::now() }
    }

    fn order(&self, order: CheckOrder) {
        self.orders.send(order).unwrap();
    }

    fn start(&self, instance: InstanceId, checks: Vec<Check>) {
        self.order(start(Subject::Instance(instance), checks, None, Health::default()));
    }

    fn heartbeat(&self, state: CheckState) {
        let output = format!("{}\nin full", state.reason);
        self.order(CheckOrder::Heartbeat { subject: subject(0), check: id("beat"), state, output });
    }

    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    async fn pass(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    async fn command(&mut self) -> Command {
        timeout(3_600 * SECOND, self.pending.recv()).await.expect("nothing was told in an hour").unwrap().command
    }

    /// The next verdict that is told.
    async fn verdict(&mut self) -> (CheckId, CheckState) {
        loop {
            if let Command::Verdict { check, state, .. } = self.command().await {
                return (check, state);
            }
        }
    }

    /// The verdicts that were told and not looked at yet, without letting time pass.
    fn told(&mut self) -> Vec<(CheckId, CheckState)> {
        let verdict = |pending: Pending| match pending.command {
            Command::Verdict { check, state, .. } => Some((check, state)),
            _ => None,
        };
        std::iter::from_fn(|| self.pending.try_recv().ok()).filter_map(verdict).collect()
    }

    fn runs_by_check(&self) -> BTreeMap<String, Vec<Duration>> {
        let mut all = BTreeMap::<_, Vec<Duration>>::new();
        for (id, at) in self.runs.lock().unwrap().iter() {
            all.entry(id.clone()).or_default().push(*at - self.start);
        }
        all
    }
}

fn instance(number: usize) -> InstanceId {
    InstanceId::new(&format!("web-{number}")).unwrap()
}

fn id(text: &str) -> CheckId {
    CheckId::new(text).unwrap()
}

fn state(status: Status, reason: &str) -> CheckState {
    CheckState { status, reason: reason.into() }
}

/// A check each ten seconds that gives up after five.
fn check(name: &str) -> Check {
    let probe = Probe { kind: "scripted".into(), settings: name.into(), ttl: None };
    Check { id: id(name), probe, interval: 10 * SECOND, timeout: 5 * SECOND, rise: 1, fall: 1, initial: Passing }
}

/// In place of what is run.
fn told(ttl: Duration) -> Probe {
    Probe { kind: "told".into(), settings: "{}".into(), ttl: Some(ttl) }
}

fn start(subject: Subject, checks: Vec<Check>, deregister_after: Option<Duration>, health: Health) -> CheckOrder {
    CheckOrder::Start { subject, checks, deregister_after, health }
}

fn subject(n: usize) -> Subject {
    Subject::Instance(instance(n))
}
