//! When a step comes, how far that is known beforehand, and whether it makes sense then.

use std::{collections::BTreeSet, time::Duration};

use super::{
    Step, Term, What, When,
    action::Action,
    cast::{Cast, Nodes},
    expectation::Expectation,
    fields::Flaws,
    nodes::Node,
    quantity::{LONGEST, said},
    secrets::{self, Held},
    write::Write,
};
use crate::model::Registration;

/// Holds the moments of the steps against each other. `steps` come with their pointers.
pub(super) fn check_moments(steps: &[(String, Step)], flaws: &Flaws) {
    let (mut earliest, mut latest, mut end) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
    for (pointer, step) in steps {
        match step.when {
            When::At(at) if at < earliest => {
                flaws.add(format!("{pointer}/at"), format!("is {}, but the step before is not over before {}", said(at), said(earliest)));
            }
            When::At(at) if at < latest => {
                let detail = format!("is {}, but the step before may wait until {}; write after, or a later time", said(at), said(latest));
                flaws.add(format!("{pointer}/at"), detail);
            }
            When::At(at) => (earliest, latest) = (at, at),
            When::After(after) => (earliest, latest) = (earliest + after, latest + after),
        }
        if let What::Expect(_, Term::Within(patience)) = step.what {
            latest += patience;
        }
        let lasts = if let What::Expect(_, Term::Throughout(time)) = step.what { time } else { Duration::ZERO };
        end = end.max(latest + lasts);
        if end > LONGEST {
            return flaws.add(pointer, format!("may last until {}; a scenario lasts at most {}", said(end), said(LONGEST)));
        }
    }
}

/// What is known of a node as the story goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Off,
    Runs,
    Paused,
}

/// Walks through the steps and notes what can't be meant: to kill what does not run, to heal what is whole.
pub(super) fn check_story(nodes: &[Node], steps: &[(String, Step)], cast: &Cast, flaws: &Flaws) {
    let mut story = Story {
        states: nodes.iter().map(|node| if node.started { State::Runs } else { State::Off }).collect(),
        moved: vec![false; nodes.len()],
        homeless: vec![false; nodes.len()],
        backups: vec![false; nodes.len()],
        torn: false,
        held: nodes.iter().map(|node| Held::new(&node.keys, node.encryption)).collect(),
        recorded: false,
        checked: steps
            .iter()
            .filter_map(|(_, step)| registration(step))
            .filter(|it| !it.checks.is_empty())
            .map(|it| it.instance.id.as_str())
            .collect(),
        cast,
        flaws,
    };
    let services: BTreeSet<&str> = steps.iter().filter_map(|(_, step)| registration(step)).map(|it| it.instance.service.as_str()).collect();
    for (pointer, step) in steps {
        let pointer = &format!("{pointer}/{}", step.key);
        match &step.what {
            What::Do(action) => story.act(pointer, action),
            What::Expect(expectation, _) => story.expect(pointer, expectation, &services),
        }
    }
    if !steps.iter().any(|(_, step)| matches!(step.what, What::Expect(..))) {
        flaws.add("/step", "has no expectation: nothing could fail");
    }
}

fn registration(step: &Step) -> Option<&Registration> {
    match &step.what {
        What::Do(Action::Write(Write::Register(_, registration), _)) => Some(registration),
        _ => None,
    }
}

struct Story<'a> {
    states: Vec<State>,
    /// Whose address is not the first one any more.
    moved: Vec<bool>,
    /// Whose address another one has.
    homeless: Vec<bool>,
    backups: Vec<bool>,
    torn: bool,
    /// The keys of each.
    held: Vec<Held>,
    recorded: bool,
    /// Instances that have checks, at some time on some node.
    checked: BTreeSet<&'a str>,
    cast: &'a Cast,
    flaws: &'a Flaws,
}

impl Story<'_> {
    fn act(&mut self, pointer: &str, action: &Action) {
        match action {
            Action::Start(nodes) => {
                self.must_be(pointer, nodes, &[State::Off], "runs already; where it stopped by itself, expect so (stopped) before");
                self.refuse(
                    pointer,
                    nodes,
                    |story, node| story.homeless[node],
                    "has no address, because another one took it: change_address first",
                );
                self.become_(nodes, State::Runs);
            }
            Action::Stop(nodes) | Action::Write(Write::Leave(nodes), _) => {
                self.must_run(pointer, nodes);
                self.become_(nodes, State::Off);
            }
            Action::Kill(nodes) | Action::LosePower(nodes) => {
                self.must_be(pointer, nodes, &[State::Runs, State::Paused], "does not run");
                self.become_(nodes, State::Off);
            }
            Action::Restart(nodes) => self.must_run(pointer, nodes),
            Action::Pause(nodes) => {
                self.must_run(pointer, nodes);
                self.become_(nodes, State::Paused);
            }
            Action::Resume(nodes) => {
                self.must_be(pointer, nodes, &[State::Paused], "is not paused");
                self.become_(nodes, State::Runs);
            }
            Action::Freeze(nodes, _) | Action::Suspend(nodes, _) => self.must_run(pointer, nodes),
            Action::Partition(_) | Action::Cut(_) => self.torn = true,
            Action::Heal => {
                if !std::mem::take(&mut self.torn) {
                    self.flaws.add(pointer, "finds nothing to heal: no partition or cut is before it");
                }
            }
            Action::Health { instance, .. } => {
                if !self.checked.contains(instance.as_str()) {
                    self.flaws.add(format!("{pointer}/id"), format!("is {instance}, which no step registers with checks"));
                }
            }
            Action::ChangeAddress(nodes) => {
                self.must_be(pointer, nodes, &[State::Off], BOUND);
                nodes.iter().for_each(|node| (self.moved[node], self.homeless[node]) = (true, false));
            }
            Action::TakeAddress { node, of } => self.take_address(pointer, *node, *of),
            Action::CopyData { to, .. } => self.must_be(pointer, &Nodes::only(*to), &[State::Off], RUNS),
            Action::Backup(nodes) => nodes.iter().for_each(|node| self.backups[node] = true),
            Action::Restore(nodes) => {
                self.must_be(pointer, nodes, &[State::Off], RUNS);
                self.refuse(pointer, nodes, |story, node| !story.backups[node], "has no backup: a step before must make one");
            }
            Action::Wipe(nodes) => self.must_be(pointer, nodes, &[State::Off], RUNS),
            Action::Keys(nodes, change) => {
                self.must_be(pointer, nodes, &[State::Off, State::Runs], "is paused: it can't be told");
                secrets::check(&mut self.held, nodes, change, pointer, (self.cast, self.flaws));
            }
            Action::Record(_) => self.recorded = true,
            Action::Replay { .. } => {
                if !self.recorded {
                    self.flaws.add(pointer, "finds nothing to say again: no record is before it");
                }
            }
            Action::Write(write, _) => self.must_run(pointer, &write.asked()),
            Action::Network(_) | Action::Link(_) | Action::Disk(..) => {}
        }
    }

    fn take_address(&mut self, pointer: &str, node: usize, of: usize) {
        self.must_be(pointer, &Nodes::only(node), &[State::Off], BOUND);
        if !self.moved[of] {
            self.must_be(pointer, &Nodes::only(of), &[State::Off], "has its address still: it must have stopped, or changed it, before");
            self.homeless[of] = true;
        }
        (self.moved[node], self.homeless[node]) = (true, false);
    }

    fn expect(&mut self, pointer: &str, expectation: &Expectation, services: &BTreeSet<&str>) {
        match expectation {
            Expectation::HandsOut { service, instances, by } | Expectation::HeldBack { service, instances, by, .. } => {
                if !instances.is_empty() && !services.contains(service.as_str()) {
                    self.flaws.add(format!("{pointer}/service"), format!("is {service}, which no step registers"));
                }
                self.must_run_by(pointer, by.as_ref());
            }
            Expectation::Sees { by, .. } | Expectation::HoldsName { by, .. } => self.must_run_by(pointer, by.as_ref()),
            Expectation::Agree(nodes) => {
                if nodes.iter().filter(|node| self.states[*node] == State::Runs).count() < 2 {
                    self.flaws.add(pointer, "names fewer than two agents that run: nothing could differ");
                }
            }
            Expectation::Stopped(nodes, _) => {
                self.must_run(pointer, nodes);
                self.become_(nodes, State::Off);
            }
        }
    }

    fn must_run_by(&self, pointer: &str, by: Option<&Nodes>) {
        by.iter().for_each(|nodes| self.must_run(&format!("{pointer}/by"), nodes));
    }

    fn must_run(&self, pointer: &str, nodes: &Nodes) {
        self.must_be(pointer, nodes, &[State::Runs], "does not run then");
    }

    fn must_be(&self, pointer: &str, nodes: &Nodes, states: &[State], otherwise: &str) {
        self.refuse(pointer, nodes, |story, node| !states.contains(&story.states[node]), otherwise);
    }

    fn refuse(&self, pointer: &str, nodes: &Nodes, wrong: impl Fn(&Self, usize) -> bool, why: &str) {
        let wrong: Nodes = nodes.iter().filter(|node| wrong(self, *node)).collect();
        if !wrong.is_empty() {
            self.flaws.add(pointer, format!("names {}, which {why}", self.cast.said(&wrong)));
        }
    }

    fn become_(&mut self, nodes: &Nodes, state: State) {
        nodes.iter().for_each(|node| self.states[node] = state);
    }
}

const BOUND: &str = "runs: an agent is bound to its address as long as it runs";
const RUNS: &str = "runs: its data can't be replaced then";
