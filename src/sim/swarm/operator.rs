//! Somebody who turns encryption on, changes keys, and turns it off again, as SECURITY.md says: each step everywhere before the next.

use std::{collections::VecDeque, time::Duration};

use rand::RngExt as _;

use super::{
    super::HostId,
    Swarm,
    options::{Encrypted, Stranger},
};
use crate::{
    keyring::{Key, Keyring, Keys},
    model::encryption::{KeyId, Mode},
};

/// Between two steps at the end: what was said before has come.
const SETTLES: Duration = Duration::from_secs(2);

/// One thing to be done everywhere.
#[derive(Debug, Clone)]
enum Step {
    Add(Key),
    Use(KeyId),
    Remove(KeyId),
    Mode(Mode),
}

/// What is in hand.
#[derive(Debug, Default)]
pub(super) struct Operator {
    /// What each host is to have, which one that was resumed from an image may not.
    wanted: Vec<Keys>,
    steps: VecDeque<Step>,
    /// Hosts that have not taken the first of them.
    open: Vec<HostId>,
    keys: u8,
}

/// A key of which nothing but its number matters.
pub(super) fn key(number: u8) -> Key {
    Key::new(KeyId::new(number).expect("it is not 0"), [number; 32])
}

/// What a stranger has.
pub(super) fn keys_of(stranger: Stranger) -> Keys {
    let with = |key| Keys { mode: Mode::Require, keyring: Keyring::new(vec![key]).expect("it is one"), file: None };
    match stranger {
        Stranger::Keyless => Keys::default(),
        Stranger::OtherKey => with(key(200)),
        Stranger::SameId => with(Key::new(key(1).id(), [200; 32])),
        Stranger::OtherCluster | Stranger::OtherVersion => with(key(1)),
    }
}

impl Operator {
    /// One of so many hosts; and what all begin with.
    pub(super) fn new(hosts: usize, encrypted: Option<Encrypted>) -> (Operator, Keys) {
        let begins = encrypted.map_or(Mode::Off, |encrypted| encrypted.begins);
        let ring: Vec<Key> = begins.encrypts().then(|| key(1)).into_iter().collect();
        let keys = Keys { mode: begins, keyring: Keyring::new(ring).expect("it is one at most"), file: None };
        (Operator { wanted: vec![keys.clone(); hosts], keys: 1, ..Operator::default() }, keys)
    }

    /// What comes next, when all is done.
    fn plan(&mut self, is_rotation: bool) {
        let [Keys { mode, keyring, .. }, ..] = self.wanted.as_slice() else { return };
        let fresh = key(self.keys % 100 + 1);
        self.steps = match (mode, keyring.keys().first()) {
            (Mode::Off, None) => [Step::Add(key(1)), Step::Mode(Mode::Accept), Step::Mode(Mode::Require)].into(),
            (Mode::Off, Some(_)) => [Step::Mode(Mode::Accept), Step::Mode(Mode::Require)].into(),
            (Mode::Accept, _) => [Step::Mode(Mode::Require)].into(),
            (Mode::Require, Some(old)) if is_rotation => {
                self.keys += 1;
                [Step::Add(fresh.clone()), Step::Use(fresh.id()), Step::Remove(old.id())].into()
            }
            (Mode::Require, _) => [Step::Mode(Mode::Accept), Step::Mode(Mode::Off)].into(),
        };
    }
}

impl Step {
    fn on(&self, keys: &mut Keys) {
        let done = match self {
            Step::Add(key) => keys.keyring.add(key.clone()).map(drop),
            Step::Use(id) => keys.keyring.promote(*id).map(drop),
            Step::Remove(id) => keys.keyring.remove(*id),
            Step::Mode(mode) => {
                keys.mode = *mode;
                Ok(())
            }
        };
        debug_assert!(done.is_ok(), "{self:?}: {done:?}");
    }
}

impl Swarm {
    /// Takes what is in hand to some of the hosts, all of them perhaps.
    pub(super) fn change_keys(&mut self) {
        if self.operator.steps.is_empty() {
            // A world with a stranger stays closed.
            let stays_closed = self.options.encrypted.is_some_and(|encrypted| encrypted.stranger.is_some());
            let is_rotation = stays_closed || self.rng.random_bool(0.8);
            self.operator.plan(is_rotation);
            self.operator.open = self.hosts.clone();
        }
        let open = std::mem::take(&mut self.operator.open);
        for host in open {
            // Whoever stands still can't say that it has done it.
            let is_ready = self.world.host(host).process.is_none() || self.world.host(host).is_running();
            if is_ready && self.rng.random_bool(0.6) {
                self.take_step(host);
            } else {
                self.operator.open.push(host);
            }
        }
        self.end_step();
    }

    /// Sees all that is in hand to its end, everywhere.
    pub(super) fn finish_keys(&mut self) {
        for host in self.hosts.clone() {
            self.give_keys(host);
        }
        while !self.operator.steps.is_empty() {
            std::mem::take(&mut self.operator.open).into_iter().for_each(|host| self.take_step(host));
            self.end_step();
            self.world.run_for(SETTLES);
        }
    }

    /// Requires encryption everywhere, where it is not required yet, and else changes the key.
    pub(super) fn close_or_rotate(&mut self) {
        self.operator.plan(true);
        self.operator.open = self.hosts.clone();
        self.finish_keys();
    }

    /// Puts a host right that may have come back with keys of the past.
    pub(super) fn give_keys(&mut self, host: HostId) {
        let keys = self.operator.wanted[host.0].clone();
        if self.world.host(host).options.keys != keys {
            self.world.set_keys(host, keys);
        }
    }

    fn take_step(&mut self, host: HostId) {
        if let Some(step) = self.operator.steps.front() {
            step.on(&mut self.operator.wanted[host.0]);
            self.give_keys(host);
        }
    }

    fn end_step(&mut self) {
        if self.operator.open.is_empty() && self.operator.steps.pop_front().is_some() && !self.operator.steps.is_empty() {
            self.operator.open = self.hosts.clone();
        }
    }
}
