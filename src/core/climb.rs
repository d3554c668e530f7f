//! Taking another generation without a start: what is in memory goes on in a life above all that peers remember.

use std::{collections::BTreeSet, net::SocketAddr, sync::Arc, time::Duration};

use super::{
    Core,
    conversation::Purpose,
    io::{Event, Output},
    itself::instances_in,
    meeting::Cause,
    owner::{Act, Registered},
    part::{Part, Slot, Write},
    replica::{Replica, Shift},
    time::Moment,
    timers::Timer,
};
use crate::{
    model::{
        Change, Done, Health, InstanceId, Life, StoreOp,
        check::Subject,
        record::{Body, Key},
    },
    planted::{Planted, is_planted},
    wire::{Identity, body},
};

/// Between a climb and the next; it doubles with each up to [`LONGEST_PAUSE`]. Two processes that can't reach each other, but both
/// reach the same peers, climb above each other for as long as they run.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(10 * 60);
/// So long after the last climb the pause is the first one again.
const CALM: Duration = Duration::from_secs(60 * 60);
/// How far a return of this life may be above the last one that is known here to be believed.
const REJOIN_LEAP: u16 = 1_024;
/// Octets of bodies that are written to disk at once; all may be more than what fits into one write.
const WRITE_OCTETS: usize = 4 * 1024 * 1024;

/// A climb that is on its way to disk, or done.
#[derive(Debug, Clone)]
pub(super) struct Climb {
    generation: u32,
    cause: Cause,
    /// What peers held of our instances.
    instances: Option<BTreeSet<InstanceId>>,
    teller: Option<SocketAddr>,
}

/// Climbs until now.
#[derive(Debug, Default)]
pub(super) struct Climbs {
    under_way: bool,
    /// One that has to wait for the pause to end.
    waiting: Option<Climb>,
    last: Option<Moment>,
    in_a_row: u32,
}

impl Climbs {
    fn pause(&self) -> Duration {
        FIRST_PAUSE.saturating_mul(1 << self.in_a_row.saturating_sub(1).min(20)).min(LONGEST_PAUSE)
    }
}

impl Core {
    /// Takes the generation above one, now or when the pause is over.
    pub(super) fn climb(
        &mut self,
        now: Moment,
        above: u32,
        cause: Cause,
        instances: Option<BTreeSet<InstanceId>>,
        teller: Option<SocketAddr>,
    ) {
        if let Some(generation) = above.checked_add(1).filter(|_| self.settings.is_believable(above)) {
            self.climb_as(now, Climb { generation, cause, instances, teller });
        }
    }

    fn climb_as(&mut self, now: Moment, climb: Climb) {
        if self.climbs.under_way || self.farewell.is_some() || is_planted(Planted::ClimbSkipped) {
            return;
        }
        let earliest = self.climbs.last.map(|last| last + self.climbs.pause());
        match earliest.filter(|earliest| *earliest > now) {
            None => self.write_climb(climb),
            Some(earliest) => {
                self.climbs.waiting = Some(climb);
                self.timers.set(earliest, Timer::Climb);
            }
        }
    }

    /// The pause is over. What was to be above something that we are above by now is void.
    pub(super) fn climb_after_all(&mut self, now: Moment) {
        if let Some(climb) = self.climbs.waiting.take()
            && climb.generation > self.settings.life.generation
        {
            self.climb_as(now, climb);
        }
    }

    /// On disk first, and with it what is in memory. A crash in between does no harm: the next start is above what is on disk,
    /// and is told the same as this one.
    fn write_climb(&mut self, climb: Climb) {
        (self.climbs.under_way, self.climbs.waiting) = (true, None);
        let mut batch: Vec<StoreOp> = Vec::new();
        let mut octets = 0;
        for op in self.records_to_store() {
            octets += op.octets();
            batch.push(op);
            if octets > WRITE_OCTETS {
                octets = 0;
                self.store(None, std::mem::take(&mut batch), Act::Nothing(Done::Unchanged));
            }
        }
        batch.push(StoreOp::Generation(climb.generation));
        self.store(None, batch, Act::Climb(climb));
    }

    /// Our records as they are in memory, but for those of which a newer one is on its way to disk already.
    fn records_to_store(&self) -> Vec<StoreOp> {
        let mut ops = Vec::new();
        if !self.is_node_pending() {
            let Write::Definition { definition, status } = self.node_record() else {
                return ops;
            };
            ops.push(StoreOp::Put { key: Key::node(), definition, status });
        }
        let nothing = body::encode_health(&Health::default());
        for (id, Registered { local, .. }) in self.registered.iter().filter(|(id, _)| !self.is_pending(id)) {
            let (Some((definition, _)), Some(health)) =
                (self.own_part().get(&Key::instance(id)), self.health_of(&Subject::Instance(id.clone())))
            else {
                continue;
            };
            let status = self.health_to_store(id, health);
            ops.push(StoreOp::Put { key: Key::instance(id), definition: definition.clone(), status });
            ops.push(StoreOp::Put { key: Key::local(id), definition: local.clone(), status: nothing.clone() });
        }
        ops
    }

    /// The disk did not take it.
    pub(super) fn not_climbed(&mut self, now: Moment, climb: Climb, why: &str) {
        self.climbs = Climbs { last: Some(now), in_a_row: self.climbs.in_a_row + 1, ..Climbs::default() };
        self.event(Event::NotClimbed { why: why.into() });
        self.climb_as(now, climb);
    }

    /// It is on disk: from here on this node is another life.
    pub(super) fn climbed(&mut self, now: Moment, climb: Climb) -> Done {
        self.climbs.under_way = false;
        if self.farewell.is_some() {
            // It began to leave meanwhile: nothing follows on that in this life, and no other begins.
            return Done::Noted;
        }
        let calm = self.climbs.last.is_none_or(|last| now - last >= CALM);
        self.climbs = Climbs { last: Some(now), in_a_row: if calm { 1 } else { self.climbs.in_a_row + 1 }, ..Climbs::default() };
        let life = Life { generation: climb.generation, nonce: rand::RngExt::random(&mut self.rng) };
        let before = std::mem::replace(&mut self.settings.life, life);
        self.counters.climbs[climb.cause.place()] += 1;
        self.tell_of_climb(before, climb.cause, climb.instances);

        self.stamp_anew(life);
        let me = self.me();
        self.dissemination.forget(me);
        let effects = self.membership.become_another(Identity::new(self.settings.address, me, life));
        self.detector.rename(self.membership.me());
        self.apply(now, effects);
        self.spread_all(now);
        self.changed(now);
        if let Some(teller) = climb.teller {
            self.open(now, teller, Purpose::Sync);
        }
        Done::Noted
    }

    /// The records of the life before begin the new one: they take the versions from 1 on.
    fn stamp_anew(&mut self, life: Life) {
        let live = |(key, slot): (&Key, &Slot)| match slot {
            Slot::Live { definition, status, .. } => Some((key.clone(), definition.clone(), status.clone())),
            Slot::Gone { .. } => None,
        };
        let records: Vec<(Key, Body, Body)> = self.own_part().slots().iter().filter_map(live).collect();
        let mut part = Part::new(life, records.len() as u64);
        for (key, definition, status) in records {
            part.write(key, Write::Definition { definition, status });
        }
        let node = self.me();
        let known = self.known.entry(node).or_default();
        known.life = life;
        self.own_version = part.complete;
        known.replica = Replica { shown: Some(Arc::new(part)), next: None };
        self.touch(node, Shift { promoted: true, ..Shift::default() });
    }

    /// What a restored folder brought back, and what it lacks, is for the operator to judge.
    fn tell_of_climb(&mut self, before: Life, cause: Cause, theirs: Option<BTreeSet<InstanceId>>) {
        let ours = instances_in(self.own_part());
        let came_back: Vec<InstanceId> = theirs.iter().flat_map(|theirs| ours.difference(theirs)).cloned().collect();
        let missing = theirs.iter().flat_map(|theirs| theirs.difference(&ours)).cloned().collect();
        if !came_back.is_empty() {
            self.outputs.push_back(Output::Change(Change::CameBack(came_back.clone())));
        }
        self.event(Event::Climbed { before, now: self.settings.life, cause, came_back, missing });
    }

    /// Somebody knows of a later return of this life than we do: only above that one are we heard.
    pub(super) fn rejoin_above(&mut self, now: Moment, seen: Identity) {
        let own = self.membership.me();
        if (1..=REJOIN_LEAP).contains(&seen.rejoin().saturating_sub(own.rejoin())) && self.farewell.is_none() {
            let effects = self.membership.become_another(own.with_rejoin(seen.rejoin().saturating_add(1)));
            self.apply(now, effects);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_doubles_with_each_climb_in_a_row_up_to_the_longest() {
        let pause = |in_a_row| Climbs { in_a_row, ..Climbs::default() }.pause().as_secs();
        assert_eq!([pause(0), pause(1), pause(2), pause(5), pause(10), pause(11), pause(u32::MAX)], [1, 1, 2, 16, 512, 600, 600]);
    }
}
