//! What is expected, and what is seen instead.

use std::collections::BTreeMap;

use tidings::{
    core::time::Moment,
    sim::{
        runner::{
            Failure, Reading,
            reading::{self, Item},
        },
        scenario::{Expectation, Nodes, Step},
    },
};

use super::player::Player;

/// Different views that a failure shows.
const SHOWN: usize = 10;

/// An expectation, and until when it is one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Watch<'s> {
    pub(crate) step: &'s Step,
    pub(crate) expectation: &'s Expectation,
    /// When it is over.
    pub(crate) until: Moment,
    /// It must hold all the time; else it must come true by then.
    pub(crate) throughout: bool,
}

impl Watch<'_> {
    /// Whether it holds now.
    ///
    /// # Errors
    /// What each host at which it does not hold shows instead.
    pub(crate) fn look(&self, player: &Player<'_>) -> Result<(), Vec<(usize, String)>> {
        let mut failing = Vec::new();
        let mut views: Vec<(usize, Vec<Item>)> = Vec::new();
        for host in 0..player.scenario.nodes.len() {
            match self.look_at(player, host) {
                Ok(view) => views.extend(view.map(|view| (host, view))),
                Err(seen) => failing.push((host, seen)),
            }
        }
        let mut views = views.into_iter();
        if let Some((first, common)) = views.next() {
            let first = player.name(first);
            let others = views.filter(|(_, view)| *view != common);
            failing.extend(others.map(|(host, view)| (host, reading::difference(&view, &common, first))));
        }
        if failing.is_empty() { Ok(()) } else { Err(failing) }
    }

    /// What a host shows, where that matters; an error where it is not as expected.
    fn look_at(&self, player: &Player<'_>, host: usize) -> Result<Option<Vec<Item>>, String> {
        if let Expectation::Stopped(nodes, text) = self.expectation {
            return if nodes.has(host) { player.has_stopped(host, text).map(|()| None) } else { Ok(None) };
        }
        let by = self.expectation.by();
        if by.is_some_and(|by| !by.has(host)) {
            return Ok(None);
        }
        let is_agreement = matches!(self.expectation, Expectation::Agree(_));
        if !player.is_running(host) {
            // Who agrees is who runs.
            return if by.is_some() && !is_agreement { Err("does not run".to_owned()) } else { Ok(None) };
        }
        let Some(view) = player.board.view(host) else {
            // It says so, or does not answer yet, which is no wrong answer.
            return if self.throughout { Ok(None) } else { Err("shows nothing yet".to_owned()) };
        };
        let reading = Reading { shown: &*view, ids: &player.board.ids(), nodes: &player.scenario.nodes };
        if is_agreement { Ok(Some(reading.everything())) } else { reading.compare(self.expectation).map(|()| None) }
    }

    /// That it does not hold, with what is seen instead.
    pub(crate) fn failure(&self, player: &Player<'_>, seen: Vec<(usize, String)>) -> Failure {
        let why = if self.throughout { "does not hold any more" } else { "has not come true" };
        Failure::of(player.board.now(), self.step, why, in_groups(player, seen))
    }
}

/// Those who show the same, and what.
pub(crate) fn in_groups(player: &Player<'_>, seen: Vec<(usize, String)>) -> Vec<String> {
    let mut views: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (host, seen) in seen {
        views.entry(seen).or_default().push(host);
    }
    let mut views: Vec<(Vec<usize>, String)> = views.into_iter().map(|(seen, hosts)| (hosts, seen)).collect();
    views.sort();
    let more = views.len().saturating_sub(SHOWN);
    views.truncate(SHOWN);
    let said = |(hosts, seen): (Vec<usize>, String)| format!("{}: {seen}", player.scenario.said(&hosts.into_iter().collect::<Nodes>()));
    views.into_iter().map(said).chain((more > 0).then(|| format!("and {more} more views"))).collect()
}
