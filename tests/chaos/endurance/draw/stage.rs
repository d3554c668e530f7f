//! How things stand: who runs, what is registered and how it is, what is wrong with the network.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    time::Duration,
};

use rand::{RngExt as _, rngs::StdRng};

use super::{script::names, work::Rotation};

/// What an agent does, as far as the scenario says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Off,
    Runs,
    Paused,
}

#[derive(Debug)]
pub(super) struct Node {
    pub(super) state: State,
    /// Nothing may be done to it before: something is on its way there still.
    pub(super) free_at: Duration,
    /// It ends and begins, or stands still, until then.
    pub(super) settled_at: Duration,
    pub(super) in_maintenance: bool,
    /// It leaves on SIGTERM, else it announces a short absence.
    leaves: bool,
}

/// Something that was registered.
#[derive(Debug, Clone)]
pub(super) struct Instance {
    pub(super) service: &'static str,
    pub(super) has_check: bool,
    pub(super) in_maintenance: bool,
}

#[derive(Debug)]
pub(super) struct Stage {
    pub(super) nodes: Vec<Node>,
    /// By node and id.
    pub(super) instances: BTreeMap<(usize, &'static str), Instance>,
    /// Programs that are critical, whether anybody asks them or not.
    pub(super) ill: BTreeSet<(usize, &'static str)>,
    /// Those of gossip; the first one encrypts. None where it is not encrypted.
    pub(super) keys: Vec<String>,
    /// How many keys there have been.
    pub(super) keys_made: usize,
    pub(super) rotation: Rotation,
    first_keys: Vec<String>,
    /// There is a partition, or a cut.
    pub(super) is_torn: bool,
    /// What is lost in the network at large, in hundredths.
    pub(super) loss: Option<u32>,
    pub(super) is_slow: bool,
    /// Ways on which packets are lost.
    pub(super) links: usize,
}

impl Stage {
    /// All run, nothing is registered, nothing is wrong.
    pub(super) fn new(count: usize, encrypted: bool, rng: &mut StdRng) -> Stage {
        let node = |_| Node {
            state: State::Runs,
            free_at: Duration::ZERO,
            settled_at: Duration::ZERO,
            in_maintenance: false,
            leaves: rng.random_bool(0.5),
        };
        let nodes = (0..count).map(node).collect();
        let keys = if encrypted { vec!["key-1".to_owned()] } else { Vec::new() };
        let first_keys = keys.clone();
        Stage {
            nodes,
            instances: BTreeMap::new(),
            ill: BTreeSet::new(),
            keys_made: keys.len(),
            keys,
            first_keys,
            rotation: Rotation::Rests,
            is_torn: false,
            loss: None,
            is_slow: false,
            links: 0,
        }
    }

    /// What stands in the file before its steps.
    pub(super) fn heading(&self, title: &str) -> String {
        let count = self.nodes.len();
        let mut text = format!(
            "# Drawn at random, by `cargo test --test chaos -- --endurance`. {} run from beginning to end; whoever follows them\n\
             # ends and begins; of the last ones, {}, hosts are replaced by new ones.\ntitle = {title:?}\n\n[nodes]\ncount = {count}\n",
            self.said(Role::Steady),
            self.said(Role::Replaceable)
        );
        let _ = writeln!(text, "join = {}", names(&[0, 1, 2]));
        if !self.first_keys.is_empty() {
            let _ = writeln!(text, "keys = {:?}\nencryption = \"require\"", self.first_keys);
        }
        let announcing: Vec<usize> = (0..count).filter(|place| !self.nodes[*place].leaves).collect();
        if !announcing.is_empty() {
            let _ = writeln!(text, "\n[[node]]\nnodes = {}\non_term = \"restart\"", names(&announcing));
        }
        text
    }

    fn said(&self, role: Role) -> String {
        let these: Vec<usize> = (0..self.nodes.len()).filter(|place| self.role(*place) >= role && self.role(*place) <= role).collect();
        format!("n{} to n{}", these[0] + 1, these[these.len() - 1] + 1)
    }

    pub(super) fn role(&self, place: usize) -> Role {
        Role::of(place, self.nodes.len())
    }

    /// To whom something may be done now, who are in this state and of this role at least.
    pub(super) fn free(&self, state: State, least: Role, now: Duration) -> Vec<usize> {
        let is_free = |place: &usize| {
            let node = &self.nodes[*place];
            node.state == state && node.free_at <= now && self.role(*place) >= least
        };
        (0..self.nodes.len()).filter(is_free).collect()
    }

    /// Nothing is done to them for so long.
    pub(super) fn occupy(&mut self, places: &[usize], until: Duration) {
        places.iter().for_each(|place| self.nodes[*place].free_at = self.nodes[*place].free_at.max(until));
    }

    /// The same to who ends or stands still.
    pub(super) fn unsettle(&mut self, places: &[usize], until: Duration) {
        self.occupy(places, until);
        places.iter().for_each(|place| self.nodes[*place].settled_at = self.nodes[*place].free_at);
    }

    pub(super) fn become_(&mut self, places: &[usize], state: State) {
        places.iter().for_each(|place| self.nodes[*place].state = state);
    }

    /// Whether the network is another one at large: a change of it has to show an effect before the next.
    pub(super) fn network_is_changed(&self) -> bool {
        self.loss.is_some() || self.is_slow
    }

    /// Whether packets are lost.
    pub(super) fn network_is_ill(&self) -> bool {
        self.is_torn || self.loss.is_some() || self.links > 0
    }

    /// What all must hand out once everything is right.
    pub(super) fn handed_out(&self, service: &str) -> String {
        let is_well = |(key, it): &(&(usize, &'static str), &Instance)| {
            let is_ill = it.has_check && self.ill.contains(key);
            it.service == service && !is_ill && !it.in_maintenance && !self.nodes[key.0].in_maintenance
        };
        let instances: Vec<String> =
            self.instances.iter().filter(is_well).map(|((place, id), _)| format!("\"n{}/{id}\"", place + 1)).collect();
        format!("hands_out = {{ service = {service:?}, instances = [{}] }}", instances.join(", "))
    }
}

/// What may become of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    /// Its process runs from beginning to end, whatever happens to it: what it takes shows over all that time.
    Steady,
    /// It ends and begins.
    Mortal,
    /// Its host may be replaced, too: then another node has its name.
    Replaceable,
}

impl Role {
    /// That of a node by its place: a quarter is steady, and a quarter replaceable.
    pub(crate) fn of(place: usize, count: usize) -> Role {
        match place {
            place if place < count.div_ceil(4) => Role::Steady,
            place if place >= count - count / 4 => Role::Replaceable,
            _ => Role::Mortal,
        }
    }
}
