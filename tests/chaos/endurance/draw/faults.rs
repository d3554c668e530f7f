//! What goes wrong with agents, hosts and the network.

use std::time::Duration;

use rand::RngExt as _;

use super::{
    Story,
    ends::{AFTERMATH, What},
    script::names,
    stage::{Role, State},
};

const SECOND: Duration = Duration::from_secs(1);
/// An agent that was told to end has done so, however busy the machine is.
const FAREWELL: Duration = Duration::from_secs(10);
/// The same and is there again.
const RESTART: Duration = Duration::from_secs(14);
/// A fault of the network that lasts so long hits something.
const EFFECT: Duration = Duration::from_secs(6);
/// How long all may take to find out about a single one.
const PATIENCE: &str = "120s";
/// Links with losses at once. Beside a partition or a cut there is none: one of the two might find nothing left to hit.
const AT_ONCE: usize = 2;

impl Story {
    pub(super) fn kill(&mut self, count: usize) -> bool {
        let places = self.some_running(Role::Mortal, count);
        self.end_abruptly("kill", &places)
    }

    pub(super) fn lose_power(&mut self) -> bool {
        let count = self.rng.random_range(1..=2);
        let places = self.some_running(Role::Mortal, count);
        self.end_abruptly("lose_power", &places)
    }

    fn end_abruptly(&mut self, how: &str, places: &[usize]) -> bool {
        if places.is_empty() {
            return false;
        }
        self.script.act(&format!("{how} = {}", names(places)));
        self.stage.become_(places, State::Off);
        // Half of them are started at once, as by a supervisor.
        let off = if self.rng.random_bool(0.5) { self.time(100, 1_000) } else { self.time(1_000, 20_000) };
        self.ends_after(off, Duration::from_millis(100), What::Start(places.to_vec()));
        true
    }

    pub(super) fn restart(&mut self) -> bool {
        let count = self.rng.random_range(1..=3);
        let (places, now) = (self.some_running(Role::Mortal, count), self.now());
        if places.is_empty() {
            return false;
        }
        self.script.act(&format!("restart = {}", names(&places)));
        self.stage.unsettle(&places, now + RESTART);
        true
    }

    /// An agent ends in order, and is started again.
    pub(super) fn stop(&mut self, how: &str) -> bool {
        let (places, now) = (self.some_running(Role::Mortal, 1), self.now());
        if places.is_empty() {
            return false;
        }
        self.script.act(&format!("{how} = {}", names(&places)));
        self.stage.become_(&places, State::Off);
        self.stage.unsettle(&places, now + FAREWELL);
        let off = self.time(10_000, 25_000);
        self.ends_after(off, FAREWELL, What::Start(places));
        true
    }

    pub(super) fn pause(&mut self) -> bool {
        let count = self.rng.random_range(1..=2);
        let places = self.some_running(Role::Steady, count);
        if places.is_empty() {
            return false;
        }
        self.script.act(&format!("pause = {}", names(&places)));
        self.stage.become_(&places, State::Paused);
        // Half of them are so short that nobody may be taken for dead.
        let time = if self.rng.random_bool(0.5) { self.time(200, 1_000) } else { self.time(1_000, 12_000) };
        self.ends_after(time, Duration::from_millis(200), What::Resume(places));
        true
    }

    pub(super) fn freeze(&mut self) -> bool {
        let (places, now) = (self.some_running(Role::Steady, 1), self.now());
        if places.is_empty() {
            return false;
        }
        let seconds = self.rng.random_range(1..=10);
        self.script.act(&format!("freeze = {{ nodes = {}, for = \"{seconds}s\" }}", names(&places)));
        self.stage.unsettle(&places, now + seconds * SECOND + AFTERMATH);
        true
    }

    /// A host has another address when its agent comes back.
    pub(super) fn change_address(&mut self) -> bool {
        let places = self.some_running(Role::Mortal, 1);
        if places.is_empty() {
            return false;
        }
        self.script.act(&format!("kill = {}", names(&places)));
        self.stage.become_(&places, State::Off);
        self.script.go_on_to(self.now() + Duration::from_millis(200));
        self.script.act(&format!("change_address = {}", names(&places)));
        let off = self.time(100, 10_000);
        self.ends_after(off, Duration::from_millis(100), What::Start(places));
        true
    }

    /// A node that is down is given up, and comes back after all; or another host comes in its place, with nothing on its disk.
    pub(super) fn forget(&mut self, is_replaced: bool) -> bool {
        let (places, now) = (self.some_running(if is_replaced { Role::Replaceable } else { Role::Mortal }, 1), self.now());
        let readers = self.stage.free(State::Runs, Role::Steady, now);
        let by = self.one_of(&readers.into_iter().filter(|place| !places.contains(place)).collect::<Vec<_>>());
        // Who is cut off, or begins or ends, can't know that it is down, nor that it is given up.
        let all_know = self.stage.nodes.iter().enumerate().all(|(place, node)| places.contains(&place) || node.settled_at <= now);
        let (Some(place), Some(by), true, false) = (places.first().copied(), by, all_know, self.stage.network_is_ill()) else {
            return false;
        };
        let name = names(&places);
        self.script.act(&format!("kill = {name}"));
        self.script.act(&format!("within = \"{PATIENCE}\"\nsees = {{ nodes = {name}, state = \"down\" }}"));
        self.script.act(&format!("forget = {{ node = {name}, by = {} }}", names(&[by])));
        self.script.act(&format!("within = \"{PATIENCE}\"\nsees = {{ nodes = {name}, state = \"unknown\" }}"));
        self.answered(by);
        self.stage.become_(&places, State::Off);
        if is_replaced {
            self.script.act(&format!("wipe = {name}"));
            self.stage.instances.retain(|(of, _), _| *of != place);
            self.stage.nodes[place].in_maintenance = false;
        }
        let off = self.time(500, 10_000);
        self.ends_after(off, Duration::from_millis(100), What::Start(places));
        true
    }

    /// A write finds no room.
    pub(super) fn fill_disk(&mut self) -> bool {
        let (places, now) = (self.some_running(Role::Steady, 1), self.now());
        let Some(place) = places.first().copied() else { return false };
        let name = names(&places);
        self.script.act(&format!("disk = {{ nodes = {name}, state = \"full\" }}"));
        self.script.act(&format!(
            "register = {{ nodes = {name}, id = \"none\", service = \"none\", port = 1 }}\nrefused = \"the data folder did not take the write\""
        ));
        let time = self.time(3_000, 8_000);
        self.stage.unsettle(&places, now + time + AFTERMATH);
        self.ends_after(time, 3 * SECOND, What::Disk(place));
        true
    }

    pub(super) fn lose(&mut self, percents: &[u32]) -> bool {
        let Some(percent) = self.one_of(percents).filter(|_| !self.stage.network_is_changed()) else { return false };
        self.script.act(&format!("network = {{ loss = \"{percent}%\" }}"));
        self.stage.loss = Some(percent);
        let time = self.time(5_000, 20_000);
        self.ends_after(time, EFFECT, What::Loss);
        true
    }

    /// Packets take long, overtake each other, and come twice.
    pub(super) fn slow_down(&mut self) -> bool {
        let latencies = ["\"5ms..20ms\"", "\"20ms..60ms\"", "{ least = \"1ms\", mean = \"30ms\" }"];
        let Some(latency) = self.one_of(&latencies).filter(|_| !self.stage.network_is_changed()) else { return false };
        let percent = self.rng.random_range(2..=10);
        self.script.act(&format!("network = {{ latency = {latency}, duplication = \"{percent}%\", reordering = \"{percent}%\" }}"));
        self.stage.is_slow = true;
        let time = self.time(8_000, 25_000);
        self.ends_after(time, EFFECT, What::Slowness);
        true
    }

    pub(super) fn partition(&mut self) -> bool {
        if self.stage.is_torn || self.stage.links > 0 {
            return false;
        }
        let count = self.stage.nodes.len();
        let count = [1, count / 4, count / 2][self.rng.random_range(0..3_usize)];
        let Some((part, rest)) = self.two_sides(count) else { return false };
        let mut parts = vec![names(&part)];
        if self.rng.random_bool(0.25) {
            let third = self.some_of(&rest, rest.len() / 2);
            parts.push(names(&third));
        }
        self.script.act(&format!("partition = [{}]", parts.join(", ")));
        self.stage.is_torn = true;
        let time = self.time(5_000, 30_000);
        self.ends_after(time, EFFECT, What::Heal);
        true
    }

    /// What some send is lost, or what goes between some both ways.
    pub(super) fn cut(&mut self) -> bool {
        let Some(way) = (if self.stage.is_torn || self.stage.links > 0 { None } else { self.way() }) else { return false };
        self.script.act(&format!("cut = {{ {way} }}"));
        self.stage.is_torn = true;
        let time = self.time(5_000, 20_000);
        self.ends_after(time, EFFECT, What::Heal);
        true
    }

    /// Some of what goes one way, or both, is lost; or datagrams alone.
    pub(super) fn lose_on_a_link(&mut self) -> bool {
        let Some(way) = (if self.stage.is_torn || self.stage.links >= AT_ONCE { None } else { self.way() }) else { return false };
        let percent = [50, 80, 100][self.rng.random_range(0..3_usize)];
        let protocol = if self.rng.random_bool(0.3) { ", protocol = \"udp\"" } else { "" };
        self.script.act(&format!("link = {{ {way}, loss = \"{percent}%\"{protocol} }}"));
        self.stage.links += 1;
        let time = self.time(5_000, 20_000);
        self.ends_after(time, EFFECT, What::Link(way));
        true
    }

    /// From few to many, or between them.
    fn way(&mut self) -> Option<String> {
        let count = [1, 2, self.stage.nodes.len() / 4][self.rng.random_range(0..3_usize)];
        let (some, rest) = self.two_sides(count)?;
        let others = if self.rng.random_bool(0.5) { rest } else { self.some_of(&rest, rest.len() * 2 / 3) };
        let (some, others) = (names(&some), names(&others));
        Some(if self.rng.random_bool(0.6) { format!("from = {some}, to = {others}") } else { format!("between = [{some}, {others}]") })
    }

    /// So many, and all others. One at least runs and goes on doing so for a while, so that something goes from one side to the other.
    fn two_sides(&mut self, count: usize) -> Option<(Vec<usize>, Vec<usize>)> {
        let (awake, now) = (self.some_running(Role::Steady, 1), self.now());
        awake.first()?;
        self.stage.occupy(&awake, now + EFFECT);
        let others: Vec<usize> = (0..self.stage.nodes.len()).filter(|place| !awake.contains(place)).collect();
        let mut some = self.some_of(&others, count - 1);
        some.extend(awake);
        let rest = others.into_iter().filter(|place| !some.contains(place)).collect();
        Some((some, rest))
    }
}
