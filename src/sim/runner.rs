//! Plays a scenario in a [`World`]: its steps become calls of the world's methods, and what it expects is read from the catalogs of
//! the agents, as their readers would.

mod act;
mod agenda;
mod expect;
mod knobs;
mod notes;
mod outcome;
pub mod reading;
mod secrets;
mod trace;
mod writes;

use std::{net::SocketAddr, time::Duration};

pub use knobs::{Knobs, conditions, directions};
pub use outcome::{Clock, Entry, Failure, Outcome};
pub use reading::{Reading, Shown};

use self::{agenda::Agenda, expect::Watch, notes::Notes, secrets::Secrets, trace::Trace, writes::Writes};
use super::{
    HostId, HostOptions, World, checkers,
    scenario::{Expectation, Scenario, Step, Term, What, When},
};
use crate::{
    core::{REAP_AFTER, time::Moment},
    model::NodeId,
    wire::Versions,
};

/// Plays a scenario. All that is drawn at random follows from the seed. With a story, what happens to agents and what they tell their operators
/// is told, beside the steps.
pub fn play(scenario: &Scenario, seed: u64, with_story: bool) -> Outcome {
    let mut player = Player::new(scenario, seed, with_story);
    let failure = player.go().err();
    Outcome { entries: player.trace.take(&player.ids), failure, waits: player.waits, ended: player.world.now() }
}

struct Player<'s> {
    scenario: &'s Scenario,
    world: World,
    notes: Notes,
    /// Which node each host was, when its agent started last.
    ids: Vec<Option<NodeId>>,
    agenda: Agenda,
    watches: Vec<Watch<'s>>,
    /// What the step of this moment waits for.
    waiting: Option<Watch<'s>>,
    /// How long that took, by the line of its step.
    waits: Vec<(usize, Duration)>,
    /// Agents that are started again when they have ended.
    restarts: Vec<HostId>,
    writes: Writes<'s>,
    knobs: Knobs,
    secrets: Secrets,
    backups: Vec<Option<super::Platter>>,
    /// Addresses that were given out.
    addresses: usize,
    trace: Trace,
}

impl<'s> Player<'s> {
    fn new(scenario: &'s Scenario, seed: u64, with_story: bool) -> Player<'s> {
        let mut world = World::new(seed, knobs::conditions(&scenario.network));
        let notes = Notes::default();
        let secrets = Secrets::of(scenario);
        let trace = Trace::new(&scenario.nodes, with_story);
        world.watch(Box::new(notes.clone()));
        world.watch(Box::new(trace.clone()));
        checkers::all().into_iter().for_each(|checker| world.watch(checker));
        for (place, node) in scenario.nodes.iter().enumerate() {
            world.add(HostOptions {
                address: address(place),
                node_name: node.name.clone(),
                cluster: node.cluster.clone(),
                zone: node.zone.clone(),
                seeds: node.join.iter().map(HostId).collect(),
                reap_after: node.reap_after.unwrap_or(REAP_AFTER),
                keys: secrets.of_node(node),
                versions: Versions::SPOKEN,
            });
        }
        let count = scenario.nodes.len();
        Player {
            scenario,
            world,
            notes,
            ids: vec![None; count],
            agenda: Agenda::default(),
            watches: Vec::new(),
            waiting: None,
            waits: Vec::new(),
            restarts: Vec::new(),
            writes: Writes::default(),
            knobs: Knobs::new(&scenario.network),
            secrets,
            backups: vec![None; count],
            addresses: count,
            trace,
        }
    }

    fn go(&mut self) -> Result<(), Failure> {
        let scenario = self.scenario;
        for link in &scenario.links {
            let way = format!("[[link]] from {} to {}", scenario.said(&link.way.from), scenario.said(&link.way.to));
            self.world.change_network(|network| self.knobs.link(network, link, way));
        }
        for (place, _) in scenario.nodes.iter().enumerate().filter(|(_, node)| node.started) {
            self.start(HostId(place));
        }
        self.after_something()?;
        for step in &scenario.steps {
            let due = match step.when {
                When::At(at) => Moment::after_start(at),
                When::After(after) => self.world.now() + after,
            };
            self.run_until(due)?;
            self.step(step)?;
        }
        while let Some(end) = self.watches.iter().map(|watch| watch.until).chain(self.writes.last_deadline()).max() {
            self.run_until(end)?;
        }
        let now = self.world.now();
        self.knobs.end(&self.world.network).map_or(Ok(()), |what| Err(Failure::new(now, None, what, Vec::new())))
    }

    fn step(&mut self, step: &'s Step) -> Result<(), Failure> {
        match &step.what {
            What::Do(action) => {
                self.say(step, String::new());
                self.act(step, action)?;
                self.after_something()
            }
            What::Expect(expectation, Term::Within(patience)) => self.wait(step, expectation, *patience),
            What::Expect(expectation, Term::Throughout(time)) => {
                self.say(step, format!("from now on, for {}", super::scenario::quantity::said(*time)));
                let watch = Watch::new(step, expectation, self.world.now() + *time, true);
                self.watches.push(watch);
                self.judge_watches(|_, _| true)
            }
        }
    }

    /// Lets time pass until something is so.
    fn wait(&mut self, step: &'s Step, expectation: &'s Expectation, patience: Duration) -> Result<(), Failure> {
        let begun = self.world.now();
        self.waiting = Some(Watch::new(step, expectation, begun + patience, false));
        while let Some(mut watch) = self.waiting.take() {
            let now = self.world.now();
            if watch.holds(self) {
                self.waits.push((step.line, now - begun));
                self.say(
                    step,
                    match now - begun {
                        Duration::ZERO => "holds".to_owned(),
                        time => format!("holds after {} ms", time.as_millis()),
                    },
                );
                break;
            }
            if now >= watch.until {
                return Err(watch.failure(self));
            }
            let end = watch.until.min(watch.look_again(now));
            self.waiting = Some(watch);
            self.run_to_next(end)?;
        }
        Ok(())
    }

    /// Lets time pass, and everything happen that is due by then.
    fn run_until(&mut self, end: Moment) -> Result<(), Failure> {
        while self.next_at().is_some_and(|at| at <= end) {
            self.run_to_next(end)?;
        }
        self.world.run_until(end);
        self.end_watches()
    }

    /// Lets the next thing happen, or time pass up to `end` where there is none until then.
    fn run_to_next(&mut self, end: Moment) -> Result<(), Failure> {
        match self.next_at() {
            Some(at) if at <= end => {
                if self.agenda.next_at() == Some(at) {
                    self.world.run_until(at);
                    self.do_what_is_due()?;
                } else {
                    self.world.step();
                }
                self.after_something()
            }
            _ => {
                self.world.run_until(end);
                self.end_watches()
            }
        }
    }

    /// The agenda goes first where both are due.
    fn next_at(&self) -> Option<Moment> {
        match (self.agenda.next_at(), self.world.next_at()) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        }
    }

    /// Takes note of what has just happened, and judges it.
    fn after_something(&mut self) -> Result<(), Failure> {
        self.trace.tick(self.world.now(), &self.ids);
        if let Some(violation) = self.world.violations().first() {
            let host = &self.scenario.nodes[violation.host.0].host;
            let what = format!("the promise {:?} is broken: {}", violation.watcher, violation.what);
            return Err(Failure::new(violation.at, None, what, vec![format!("seen at {host}")]));
        }
        for (host, node) in self.notes.take_started() {
            if self.ids[host.0].replace(node) != Some(node) {
                self.notes.touch_all(self.scenario.nodes.len());
            }
        }
        self.judge_failed()?;
        for command in self.notes.take_answered() {
            self.judge_answer(command)?;
        }
        self.start_what_has_ended();
        let touched = self.notes.take_touched();
        self.watches.iter_mut().chain(&mut self.waiting).for_each(|watch| watch.touch(&touched));
        self.judge_watches(|watch, now| watch.look_at() <= now)?;
        self.end_watches()
    }

    /// Judges what must hold all the time, as far as it is to be looked at.
    fn judge_watches(&mut self, is_due: impl Fn(&Watch<'s>, Moment) -> bool) -> Result<(), Failure> {
        let now = self.world.now();
        let mut watches = std::mem::take(&mut self.watches);
        let broken = watches.iter_mut().find_map(|watch| (is_due(watch, now) && !watch.holds(self)).then(|| watch.failure(self)));
        self.watches = watches;
        broken.map_or(Ok(()), Err)
    }

    /// What is over has held up to its end.
    fn end_watches(&mut self) -> Result<(), Failure> {
        self.judge_watches(|watch, now| watch.until <= now)?;
        let now = self.world.now();
        self.watches.retain(|watch| watch.until > now);
        Ok(())
    }

    /// Adds a step to the report.
    fn say(&mut self, step: &Step, then: String) {
        self.trace.step(Entry::step(self.world.now(), step, then), &self.ids);
    }
}

/// The address of a host, or one that it is given later.
fn address(place: usize) -> SocketAddr {
    let octet = |place: usize| (place % 250) as u8;
    SocketAddr::from(([10, octet(place / 62_500), octet(place / 250), octet(place) + 1], 8746))
}

#[cfg(test)]
mod tests;
