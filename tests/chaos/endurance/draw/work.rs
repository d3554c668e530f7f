//! What agents are there for: instances come, change and go.

use std::time::Duration;

use rand::RngExt as _;

use super::{
    Story,
    script::names,
    stage::{Instance, Role, State},
};

pub(super) const SERVICES: [&str; 2] = ["web", "db"];
/// Ids of instances on each node: few, so that they are registered, removed and registered again.
const IDS: [&str; 4] = ["a", "b", "c", "d"];
/// Until a write has its answer, however busy the machine is.
const ANSWER: Duration = Duration::from_secs(3);
/// So many keys at most, each once and for all.
const KEYS: usize = 200;

impl Story {
    /// All come to know each other, and about two of three have something to offer.
    pub(super) fn begin(&mut self) {
        self.script.within(Duration::from_secs(60), "sees = { nodes = \"all\", state = \"alive\" }");
        for (id, service) in [("a", SERVICES[0]), ("b", SERVICES[1])] {
            let count = self.stage.nodes.len() * 2 / 3;
            self.script.go_on_to(self.now() + ANSWER);
            let places = self.some_running(Role::Steady, count);
            self.register_on(&places, id, service);
        }
        self.must_be_right(Duration::from_secs(60));
    }

    pub(super) fn register(&mut self) -> bool {
        let count = [1, 1, 2, 4][self.rng.random_range(0..4_usize)];
        let places = self.some_running(Role::Steady, count);
        let (id, service) = (IDS[self.rng.random_range(0..IDS.len())], SERVICES[self.rng.random_range(0..SERVICES.len())]);
        self.register_on(&places, id, service)
    }

    fn register_on(&mut self, places: &[usize], id: &'static str, service: &'static str) -> bool {
        if places.is_empty() {
            return false;
        }
        let port = self.rng.random_range(1_024..=65_535);
        let has_check = self.rng.random_bool(0.5);
        let ttl = self.rng.random_range(15..=60);
        let checks = if has_check { format!(", checks = [{{ id = \"beat\", ttl = \"{ttl}s\" }}]") } else { String::new() };
        let (nodes, now) = (names(places), self.now());
        self.script.act(&format!("register = {{ nodes = {nodes}, id = {id:?}, service = {service:?}, port = {port}{checks} }}"));
        self.stage.occupy(places, now + ANSWER);
        for place in places {
            let in_maintenance = self.stage.instances.get(&(*place, id)).is_some_and(|it| it.in_maintenance);
            let it = Instance { service, has_check, in_maintenance };
            self.stage.instances.insert((*place, id), it);
        }
        true
    }

    pub(super) fn deregister(&mut self) -> bool {
        let Some((place, id)) = self.some_instance(|_| true) else { return false };
        self.script.act(&format!("deregister = {{ nodes = {}, id = {id:?} }}", names(&[place])));
        self.stage.instances.remove(&(place, id));
        self.answered(place);
        true
    }

    pub(super) fn change_health(&mut self) -> bool {
        let Some((place, id)) = self.some_instance(|it| it.has_check) else { return false };
        let is_ill = self.stage.ill.contains(&(place, id));
        let status =
            if is_ill { ["passing", "passing", "warning"] } else { ["critical", "critical", "warning"] }[self.rng.random_range(0..3_usize)];
        self.script.act(&format!("health = {{ nodes = {}, id = {id:?}, status = {status:?} }}", names(&[place])));
        if status == "critical" {
            self.stage.ill.insert((place, id));
        } else {
            self.stage.ill.remove(&(place, id));
        }
        self.answered(place);
        true
    }

    pub(super) fn maintain(&mut self) -> bool {
        if self.rng.random_bool(0.3) {
            let Some(place) = self.some_running(Role::Steady, 1).first().copied() else { return false };
            let ends = self.stage.nodes[place].in_maintenance;
            self.script.act(&maintenance(ends, &format!("nodes = {}", names(&[place]))));
            self.stage.nodes[place].in_maintenance = !ends;
            self.answered(place);
            return true;
        }
        let Some((place, id)) = self.some_instance(|_| true) else { return false };
        let Some(it) = self.stage.instances.get_mut(&(place, id)) else { return false };
        let ends = it.in_maintenance;
        it.in_maintenance = !ends;
        self.script.act(&maintenance(ends, &format!("nodes = {}, id = {id:?}", names(&[place]))));
        self.answered(place);
        true
    }

    /// The key of all is changed by three steps, one each time: a new one is added, used, and the old one removed.
    pub(super) fn rotate_keys(&mut self) -> bool {
        let now = self.now();
        let can_be_told = |node: &super::stage::Node| node.state != State::Paused && node.free_at <= now;
        if self.stage.keys.is_empty() || self.stage.keys_made >= KEYS || !self.stage.nodes.iter().all(can_be_told) {
            return false;
        }
        let change = match &mut self.stage.rotation {
            Rotation::Rests => {
                self.stage.keys_made += 1;
                let key = format!("key-{}", self.stage.keys_made);
                self.stage.keys.push(key.clone());
                self.stage.rotation = Rotation::Added;
                format!("add_key = {{ nodes = \"all\", key = {key:?} }}")
            }
            Rotation::Added => {
                self.stage.rotation = Rotation::Used;
                format!("use_key = {{ nodes = \"all\", key = {:?} }}", self.stage.keys[1])
            }
            Rotation::Used => {
                self.stage.rotation = Rotation::Rests;
                format!("remove_key = {{ nodes = \"all\", key = {:?} }}", self.stage.keys.remove(0))
            }
        };
        self.script.act(&change);
        true
    }

    /// Some instance of a node to which something may be done.
    pub(super) fn some_instance(&mut self, is_meant: impl Fn(&Instance) -> bool) -> Option<(usize, &'static str)> {
        let free = self.stage.free(State::Runs, Role::Steady, self.now());
        let all: Vec<_> =
            self.stage.instances.iter().filter(|((place, _), it)| free.contains(place) && is_meant(it)).map(|(key, _)| *key).collect();
        self.one_of(&all)
    }

    pub(super) fn answered(&mut self, place: usize) {
        let until = self.now() + ANSWER;
        self.stage.occupy(&[place], until);
    }
}

/// How far the change of a key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rotation {
    Rests,
    Added,
    Used,
}

fn maintenance(ends: bool, of: &str) -> String {
    if ends { format!("end_maintenance = {{ {of} }}") } else { format!("maintenance = {{ {of}, reason = \"it is repaired\" }}") }
}
