//! What can be played with real agents, and what can't.

use std::time::Duration;

use tidings::sim::scenario::{
    Action, Network, Scenario, Term, What, When,
    action::Disk,
    quantity::{self, Share},
};

use super::{docker, world::World};

/// Why a scenario can't be played here, if that is so.
pub(crate) fn obstacle(scenario: &Scenario, world: World, longest: Duration) -> Option<String> {
    let at_least = at_least(scenario);
    if at_least > longest {
        return Some(format!("it takes {} of real time (--longest)", quantity::said(at_least)));
    }
    if let Some(reap_after) = scenario.nodes.iter().filter_map(|node| node.reap_after).min().filter(|time| *time <= at_least) {
        return Some(format!("agents have no setting by which they forget the dead after {}", quantity::said(reap_after)));
    }
    if world == World::Docker && scenario.nodes.len() > docker::MOST {
        return Some(format!("it has more nodes than {}", docker::MOST));
    }
    scenario.steps.iter().find_map(|step| {
        let why = match &step.what {
            What::Do(Action::Suspend(..)) => "a host of its own does not sleep without the machine",
            What::Do(Action::Record(_) | Action::Replay { .. }) if world == World::Docker => "nobody stands on the way and records",
            What::Do(Action::Disk(_, Disk::Slow(_))) => "disks can't be made slow",
            What::Do(Action::Disk(_, Disk::Full)) if world == World::Docker => {
                "disks can't be made full: there is no shell in the image that would have an agent ignore SIGXFSZ"
            }
            _ => return None,
        };
        Some(format!("line {}: {why}", step.line))
    })
}

/// How long a scenario takes if all that it waits for comes true at once.
pub(crate) fn at_least(scenario: &Scenario) -> Duration {
    let (mut now, mut end) = (Duration::ZERO, Duration::ZERO);
    for step in &scenario.steps {
        now = match step.when {
            When::At(at) => at.max(now),
            When::After(after) => now + after,
        };
        if let What::Expect(_, Term::Throughout(time)) = step.what {
            end = end.max(now + time);
        }
    }
    now.max(end)
}

/// What a scenario says of its network that is left out: a bridge passes on what it does not lose, at once and once.
pub(crate) fn left_out(scenario: &Scenario, world: World) -> Vec<&'static str> {
    if world == World::Namespaces {
        return Vec::new();
    }
    let quiet = Network::default();
    let mut networks = vec![scenario.network.clone()];
    let mut links: Vec<_> = scenario.links.iter().collect();
    for step in &scenario.steps {
        match &step.what {
            What::Do(Action::Network(change)) => {
                let mut network = networks[networks.len() - 1].clone();
                change.apply(&mut network);
                networks.push(network);
            }
            What::Do(Action::Link(link)) => links.push(link),
            _ => {}
        }
    }
    let any = |is: &dyn Fn(&Network) -> bool| networks.iter().any(is);
    let all = [
        ("latency", any(&|network| network.latency != quiet.latency)),
        ("duplication", any(&|network| network.duplication > Share::default())),
        ("reordering", any(&|network| network.reordering > Share::default())),
        ("delays of links", links.iter().any(|link| link.delay.is_some())),
    ];
    all.into_iter().filter(|(_, is)| *is).map(|(what, _)| what).collect()
}
