//! Random histories: whatever is late, lost, doubled or cut off, no copy is ever wrong, and once faults stop all are equal.

use std::collections::BTreeSet;

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use tidings::{
    core::{
        part::{Have, Part, Slot},
        replica::Shift,
    },
    model::{Life, record::Key},
};

use super::{
    actors::{Copy, Owner, Push, exchange, key, live},
    history::History,
};

const COPIES: usize = 3;
const KEYS: usize = 4;
const STEPS: usize = 40;

#[test]
fn no_copy_is_ever_wrong_and_all_are_equal_once_faults_stop() {
    for seed in 0..2_500 {
        run(seed, Plan { forget: false });
    }
}

#[test]
fn so_it_is_where_copies_lose_their_memory() {
    for seed in 0..1_500 {
        run(seed, Plan { forget: true });
    }
}

#[derive(Clone, Copy)]
struct Plan {
    /// Copies forget all that they know now and then.
    forget: bool,
}

fn run(seed: u64, plan: Plan) {
    let mut world = World::new(seed, plan);
    let result = (0..STEPS).try_for_each(|_| world.step()).and_then(|()| world.heal());
    if let Err(why) = result {
        panic!("seed {seed}, forget {}: {why}\n{}", plan.forget, world.trace.join("\n"));
    }
}

struct World {
    rng: StdRng,
    plan: Plan,
    owner: Owner,
    copies: Vec<Copy>,
    watched: Vec<Watched>,
    /// Answers that were made and have not been thrown away: for whom, and what.
    answers: Vec<(usize, Vec<Have>)>,
    trace: Vec<String>,
}

/// What a copy did until now.
#[derive(Default)]
struct Watched {
    /// Definitions that it showed and shows no more.
    dead: BTreeSet<(Life, u64)>,
}

impl World {
    fn new(seed: u64, plan: Plan) -> World {
        World {
            rng: StdRng::seed_from_u64(seed),
            plan,
            owner: Owner::boot_with(2),
            copies: vec![Copy::default(); COPIES],
            watched: (0..COPIES).map(|_| Watched::default()).collect(),
            answers: vec![],
            trace: vec![],
        }
    }

    fn step(&mut self) -> Result<(), String> {
        let copy = self.rng.random_range(0..COPIES);
        match self.rng.random_range(0..100) {
            0..22 => self.write(),
            22..24 => {
                self.owner.restart();
                self.trace.push(format!("the owner starts again as {}", self.owner.part.life));
            }
            24..64 => self.deliver(copy)?,
            64..78 => self.ask(copy),
            78..92 => self.answer(copy)?,
            92..98 => self.meet(copy)?,
            _ if self.plan.forget => {
                self.trace.push(format!("copy {copy} forgets"));
                self.copies[copy] = Copy::default();
                self.watched[copy] = Watched::default();
            }
            _ => {}
        }
        Ok(())
    }

    fn write(&mut self) {
        let n = self.rng.random_range(0..KEYS);
        let lives = self.owner.part.definition_version(&key(n)).is_some();
        let push = match self.rng.random_range(0..3) {
            0 if lives => self.owner.status(n),
            1 if lives && n != 0 => self.owner.remove(n),
            _ => self.owner.define(n),
        };
        self.trace.push(format!("the owner writes {}", brief(&push)));
    }

    /// Any write that was ever made, early, late or again; rather a recent one.
    fn deliver(&mut self, to: usize) -> Result<(), String> {
        let pushes: Vec<&Push> = self.owner.history.pushes().collect();
        let recent = pushes.len().saturating_sub(6);
        let from = if self.rng.random_bool(0.7) { recent } else { 0 };
        let push = pushes[self.rng.random_range(from..pushes.len())].clone();
        self.trace.push(format!("copy {to} receives {}", brief(&push)));
        self.change(to, |copy| {
            let before = copy.0.shown.clone();
            let mut shift = Shift::default();
            copy.push_noting(&push, &mut shift);
            told(before.as_deref(), copy.0.shown.as_deref(), &shift)
        })
    }

    /// Asks the owner or another copy. The answer is made now, and comes some time, or never.
    fn ask(&mut self, copy: usize) {
        let whom = self.rng.random_range(0..=COPIES);
        if whom != copy {
            let wants = self.copies[copy].wants();
            let source = self.copies.get(whom).map_or_else(|| self.owner.replica(), |copy| copy.0.clone());
            self.trace.push(format!("copy {copy} asks {whom}"));
            self.answers.push((copy, source.haves(&wants)));
        }
    }

    /// One of the answers that were made for it: whole, or cut off before its end; and it may come again.
    fn answer(&mut self, copy: usize) -> Result<(), String> {
        let mine: Vec<usize> = (0..self.answers.len()).filter(|at| self.answers[*at].0 == copy).collect();
        let Some(at) = mine.get(self.rng.random_range(0..mine.len().max(1))) else {
            return Ok(());
        };
        let mut haves = self.answers[*at].1.clone();
        if self.rng.random_bool(0.6) {
            self.answers.swap_remove(*at);
        }
        if self.rng.random_bool(0.2) {
            for have in &mut haves {
                have.end = None;
                have.slots.retain(|_, _| self.rng.random_bool(0.5));
            }
        }
        self.trace.push(format!("copy {copy} is answered {haves:?}"));
        self.take(copy, &haves)
    }

    fn take(&mut self, copy: usize, haves: &[Have]) -> Result<(), String> {
        haves.iter().try_for_each(|have| {
            self.change(copy, |copy| {
                let before = copy.0.shown.clone();
                let mut shift = Shift::default();
                copy.0.on_have(have, &mut shift);
                told(before.as_deref(), copy.0.shown.as_deref(), &shift)
            })
        })
    }

    /// Two copies talk alone, and hold the same afterwards.
    fn meet(&mut self, one: usize) -> Result<(), String> {
        let other = (one + self.rng.random_range(1..COPIES)) % COPIES;
        self.trace.push(format!("copies {one} and {other} meet"));
        let for_one = self.copies[other].0.haves(&self.copies[one].wants());
        let for_other = self.copies[one].0.haves(&self.copies[other].wants());
        self.take(one, &for_one)?;
        self.take(other, &for_other)?;
        let (a, b) = (&self.copies[one], &self.copies[other]);
        if a != b || a.digest() != b.digest() {
            return Err(format!("they differ after they met: {a:?} and {b:?}"));
        }
        Ok(())
    }

    fn change(&mut self, at: usize, f: impl FnOnce(&mut Copy) -> Result<(), String>) -> Result<(), String> {
        let before = self.copies[at].clone();
        f(&mut self.copies[at])?;
        check(&before, &self.copies[at], &mut self.watched[at], &self.owner.history).map_err(|why| format!("copy {at}: {why}"))
    }

    /// Faults stop. In half of the histories the owner is gone: then the copies agree on a union of what they had.
    fn heal(&mut self) -> Result<(), String> {
        let union = self.rng.random_bool(0.5);
        let best = self.copies.iter().filter_map(|copy| copy.0.shown.as_ref()).map(|part| (part.life, part.complete)).max();
        for _ in 0..2 {
            for one in 0..COPIES {
                for other in one + 1..COPIES {
                    self.trace.push(format!("at the end {one} and {other} exchange"));
                    let (a, b) = self.copies.split_at_mut(other);
                    exchange(&mut a[one], &mut b[0]);
                }
                if !union {
                    let haves = self.owner.replica().haves(&self.copies[one].wants());
                    self.take(one, &haves)?;
                }
            }
        }
        let first = &self.copies[0];
        if self.copies.iter().any(|copy| copy != first || copy.digest() != first.digest()) {
            return Err(format!("they differ at the end: {:#?}", self.copies));
        }
        if !union && first.0 != self.owner.replica() {
            return Err(format!("they differ from the owner at the end: {first:?}"));
        }
        if first.0.shown.as_ref().map(|part| (part.life, part.complete)) < best {
            return Err("what one had complete was lost".into());
        }
        [&first.0.shown, &first.0.next].into_iter().flatten().try_for_each(|part| self.owner.history.check(part))
    }
}

/// What must hold of each step of a copy.
fn check(before: &Copy, after: &Copy, watched: &mut Watched, history: &History) -> Result<(), String> {
    for part in [&after.0.shown, &after.0.next].into_iter().flatten() {
        history.check(part)?;
    }
    if after.0.next.as_ref().is_some_and(|next| next.is_whole() || after.0.shown.as_ref().is_some_and(|shown| shown.life >= next.life)) {
        return Err("the next life is whole, or not later than what is shown".into());
    }
    for (was, is) in [(&before.0.shown, &after.0.shown), (&before.0.next, &after.0.next)] {
        if let (Some(was), Some(is)) = (was, is) {
            goes_forward(was, is)?;
        }
    }
    if let Some(is) = &after.0.shown {
        let shows = definitions(is);
        if let Some(back) = shows.iter().find(|definition| watched.dead.contains(*definition)) {
            return Err(format!("definition {back:?} is back from the dead"));
        }
        watched.dead.extend(
            before.0.shown.as_deref().map(definitions).unwrap_or_default().into_iter().filter(|definition| !shows.contains(definition)),
        );
    }
    let after = after.live();
    match before.live().into_iter().find(|key| !after.contains(key) && history.never_removed(key)) {
        Some(key) => Err(format!("{key:?} vanishes though it was never removed")),
        None => Ok(()),
    }
}

/// Lives, complete versions and stamps never go back.
fn goes_forward(was: &Part, is: &Part) -> Result<(), String> {
    if is.life < was.life {
        return Err(format!("life {} goes back to {}", was.life, is.life));
    }
    if is.life > was.life {
        return Ok(());
    }
    if is.complete < was.complete {
        return Err(format!("complete version {} goes back to {}", was.complete, is.complete));
    }
    for (key, slot) in was.slots().iter() {
        let stamp = is.slots().get(key).map_or(0, Slot::stamp);
        let removed = stamp == 0 && (matches!(slot, Slot::Live { .. }) || slot.stamp() <= is.complete);
        if stamp < slot.stamp() && !removed {
            return Err(format!("{key:?} goes back from {} to {stamp}", slot.stamp()));
        }
    }
    Ok(())
}

/// Who publishes is told of every difference in what is shown.
fn told(before: Option<&Part>, after: Option<&Part>, shift: &Shift) -> Result<(), String> {
    if before.map(|part| part.life) != after.map(|part| part.life) {
        return if shift.promoted { Ok(()) } else { Err("another life is shown, and nobody is told".into()) };
    }
    let (Some(before), Some(after)) = (before, after) else {
        return Ok(());
    };
    let keys: BTreeSet<Key> = live(before).into_iter().chain(live(after)).collect();
    let untold = keys.into_iter().find(|key| before.get(key) != after.get(key) && !shift.promoted && !shift.keys.contains(key));
    untold.map_or(Ok(()), |key| Err(format!("{key:?} changed, and nobody is told")))
}

fn definitions(part: &Part) -> BTreeSet<(Life, u64)> {
    part.slots().keys().filter_map(|key| Some((part.life, part.definition_version(key)?))).collect()
}

fn brief(push: &Push) -> String {
    use tidings::core::part::Write;
    let what = match &push.write {
        Write::Definition { .. } => "definition".to_owned(),
        Write::Status { of, .. } => format!("status of {of}"),
        Write::Gone => "removal".to_owned(),
    };
    format!("g{} v{} {:?} {what}", push.life.generation, push.version, push.key)
}
