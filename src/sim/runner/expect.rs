//! What is expected, followed as it changes: only what may look different is looked at again.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{
    Player,
    outcome::Failure,
    reading::{self, Item, Reading},
};
use crate::{
    core::time::Moment,
    sim::{
        HostId,
        scenario::{Expectation, Nodes, Step},
    },
};

/// How often is looked whether all agree: that takes a look at all that they hold.
const GLANCE: Duration = Duration::from_millis(10);
/// Different views that a failure shows.
const SHOWN: usize = 10;

/// An expectation, and until when it is one.
pub(super) struct Watch<'s> {
    step: &'s Step,
    expectation: &'s Expectation,
    /// When it is over.
    pub(super) until: Moment,
    /// It must hold all the time; else it must come true by then.
    throughout: bool,
    /// Hosts that may look different than when they were looked at last; all of them, at first.
    stale: Stale,
    /// A host at which it did not hold: as long as nothing changes there, no other has to be looked at.
    failing: Option<usize>,
    /// What each shows, where all are to show the same.
    views: BTreeMap<usize, u64>,
    next_look: Moment,
}

enum Stale {
    All,
    Some(BTreeSet<usize>),
}

impl<'s> Watch<'s> {
    pub(super) fn new(step: &'s Step, expectation: &'s Expectation, until: Moment, throughout: bool) -> Watch<'s> {
        Watch {
            step,
            expectation,
            until,
            throughout,
            stale: Stale::All,
            failing: None,
            views: BTreeMap::new(),
            next_look: Moment::default(),
        }
    }

    /// These hosts may look different now.
    pub(super) fn touch(&mut self, hosts: &BTreeSet<usize>) {
        if let Stale::Some(stale) = &mut self.stale {
            stale.extend(hosts);
        }
    }

    /// When it is to be looked at, after something was touched.
    pub(super) fn look_at(&self) -> Moment {
        self.next_look
    }

    /// When it is to be looked at again, whatever happens.
    pub(super) fn look_again(&self, now: Moment) -> Moment {
        match self.expectation {
            Expectation::Agree(_) => now + GLANCE,
            _ => self.until,
        }
    }

    /// Whether it holds now.
    pub(super) fn holds(&mut self, player: &Player<'_>) -> bool {
        let mut stale = match std::mem::replace(&mut self.stale, Stale::All) {
            Stale::All => (0..player.scenario.nodes.len()).collect(),
            Stale::Some(hosts) => hosts,
        };
        let holds = match self.expectation {
            Expectation::Agree(_) => self.all_agree(player, &mut stale),
            _ => self.holds_everywhere(player, &mut stale),
        };
        self.stale = Stale::Some(stale);
        holds
    }

    /// Looks at hosts until one is found at which it does not hold.
    fn holds_everywhere(&mut self, player: &Player<'_>, stale: &mut BTreeSet<usize>) -> bool {
        if self.failing.is_some_and(|failing| !stale.contains(&failing)) {
            return false;
        }
        let first = self.failing.take().filter(|failing| stale.remove(failing));
        let mut next = first.or_else(|| stale.pop_first());
        while let Some(host) = next {
            if self.look(player, host).is_err() {
                self.failing = Some(host);
                return false;
            }
            next = stale.pop_first();
        }
        true
    }

    /// Looks, now and then, at all who may show something else.
    fn all_agree(&mut self, player: &Player<'_>, stale: &mut BTreeSet<usize>) -> bool {
        let now = player.world.now();
        if now < self.next_look && now < self.until {
            return self.throughout;
        }
        self.next_look = now + GLANCE;
        while let Some(host) = stale.pop_first() {
            self.views.remove(&host);
            match self.look(player, host) {
                Ok(view) => self.views.extend(view.map(|view| (host, reading::fingerprint(&view)))),
                Err(_) => {
                    stale.insert(host);
                    return false;
                }
            }
        }
        self.views.values().all(|view| Some(view) == self.views.values().next())
    }

    /// What a host shows, where that matters; an error where it is not as expected.
    fn look(&self, player: &Player<'_>, host: usize) -> Result<Option<Vec<Item>>, String> {
        if let Expectation::Stopped(nodes, text) = self.expectation {
            return if nodes.has(host) { player.has_stopped(HostId(host), text).map(|()| None) } else { Ok(None) };
        }
        let by = self.expectation.by();
        if by.is_some_and(|by| !by.has(host)) {
            return Ok(None);
        }
        let running = &player.world.host(HostId(host));
        let Some(process) = running.process.as_ref().filter(|_| running.is_running()) else {
            // Who agrees is who runs.
            let is_named = by.is_some() && !matches!(self.expectation, Expectation::Agree(_));
            return if is_named { Err("does not run".to_owned()) } else { Ok(None) };
        };
        let snapshot = process.catalog.load();
        if !snapshot.ready {
            // It says so, which is no wrong answer.
            return if self.throughout { Ok(None) } else { Err("is not ready: it does not know yet what the cluster knows".to_owned()) };
        }
        let reading = Reading { shown: &*snapshot, ids: &player.ids, nodes: &player.scenario.nodes };
        match self.expectation {
            Expectation::Agree(_) => Ok(Some(reading.everything())),
            other => reading.compare(other).map(|()| None),
        }
    }

    /// That it does not hold, with what is seen instead.
    pub(super) fn failure(&self, player: &Player<'_>) -> Failure {
        let now = player.world.now();
        let why = if self.throughout { "does not hold any more" } else { "has not come true" };
        let failing = (0..player.scenario.nodes.len()).filter_map(|host| Some((host, self.look(player, host).err()?)));
        let mut views: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
        for (host, seen) in failing.chain(self.disagreeing(player)) {
            views.entry(seen).or_default().insert(host);
        }
        let mut views: Vec<(Nodes, String)> = views.into_iter().map(|(seen, hosts)| (hosts.into_iter().collect(), seen)).collect();
        views.sort_by_key(|(hosts, _)| hosts.iter().next());
        let more = views.len().saturating_sub(SHOWN);
        views.truncate(SHOWN);
        let mut details: Vec<String> = views.iter().map(|(hosts, seen)| format!("{}: {seen}", player.scenario.said(hosts))).collect();
        if more > 0 {
            details.push(format!("and {more} more views"));
        }
        Failure::of(now, self.step, why, details)
    }

    /// What those show that do not show the same as the first one, where all are to.
    fn disagreeing(&self, player: &Player<'_>) -> Vec<(usize, String)> {
        let all = (0..player.scenario.nodes.len()).filter_map(|host| Some((host, self.look(player, host).ok()??)));
        let mut all = all.collect::<Vec<_>>().into_iter();
        let Some((first, common)) = all.next() else { return Vec::new() };
        let first = player.name(HostId(first));
        all.filter(|(_, view)| *view != common).map(|(host, view)| (host, reading::difference(&view, &common, first))).collect()
    }
}

impl Player<'_> {
    fn has_stopped(&self, host: HostId, text: &str) -> Result<(), String> {
        match self.notes.error_of(host) {
            Some(error) if error.contains(text) => Ok(()),
            Some(error) => Err(format!("ended by itself, but not because of {text:?}: {error}")),
            None if self.world.host(host).process.is_some() => Err("runs on".to_owned()),
            None => Err("does not run, but did not end by itself".to_owned()),
        }
    }
}
