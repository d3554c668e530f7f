//! Keys of a scenario, and who records and repeats what is said with them.

use std::time::Duration;

use super::{Player, act::hosts, knobs, outcome::Failure};
use crate::{
    keyring::{Key, Keyring, Keys},
    model::encryption::KeyId,
    sim::{
        HostId,
        scenario::{Action, KeyName, Node, Nodes, Scenario, Step, What, network::Way, secrets::KeyChange},
    },
};

/// Between two datagrams that are said again, and between two streams.
const PAUSE: Duration = Duration::from_millis(1);

/// The keys that a scenario names, in the order in which it does.
#[derive(Debug)]
pub(super) struct Secrets(Vec<KeyName>);

impl Secrets {
    pub(super) fn of(scenario: &Scenario) -> Secrets {
        let steps = scenario.steps.iter().filter_map(|step| match &step.what {
            What::Do(Action::Keys(_, KeyChange::Add(name))) => Some(name),
            _ => None,
        });
        let mut names: Vec<KeyName> = Vec::new();
        for name in scenario.nodes.iter().flat_map(|node| &node.keys).chain(steps) {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        Secrets(names)
    }

    /// What a node begins with.
    pub(super) fn of_node(&self, node: &Node) -> Keys {
        let keys = node.keys.iter().map(|name| self.key(name)).collect();
        Keys { mode: node.encryption, keyring: Keyring::new(keys).expect("the scenario was checked"), file: None }
    }

    /// Keys of a scenario keep no secrets: its number is all there is to one. Beyond 255 two have one id, which a node can't hold.
    fn key(&self, name: &KeyName) -> Key {
        let place = self.0.iter().position(|known| known == name).unwrap_or_default();
        let id = KeyId::new((place % 255 + 1) as u8).expect("it is not 0");
        let mut secret = [0; 32];
        secret[..8].copy_from_slice(&(place as u64).to_be_bytes());
        Key::new(id, secret)
    }
}

impl Player<'_> {
    pub(super) fn change_keys(&mut self, host: HostId, change: &KeyChange) {
        let mut keys = self.world.host(host).options.keys.clone();
        let ring = &mut keys.keyring;
        let done = match change {
            KeyChange::Add(name) => ring.add(self.secrets.key(name)).map(drop),
            KeyChange::Use(name) => ring.promote(self.secrets.key(name).id()).map(drop),
            KeyChange::Remove(name) => ring.remove(self.secrets.key(name).id()),
            KeyChange::Mode(mode) => {
                keys.mode = *mode;
                Ok(())
            }
        };
        debug_assert!(done.is_ok(), "the scenario was checked: {done:?}");
        self.world.set_keys(host, keys);
    }

    pub(super) fn record(&mut self, way: &Way) {
        for (from, to) in knobs::directions(way) {
            self.world.record(from, to);
        }
    }

    /// Says all again that was recorded: datagrams first, then streams as those said them who had opened them.
    pub(super) fn replay(&mut self, step: &Step, to: &Nodes, from: Option<&Nodes>) -> Result<(), Failure> {
        let recorded = self.world.recorded();
        if recorded.datagrams + recorded.streams == 0 {
            return Err(Failure::of(self.world.now(), step, "nothing was recorded", Vec::new()));
        }
        let mut sources =
            from.into_iter().flat_map(hosts).map(|host| self.world.host(host).options.address).collect::<Vec<_>>().into_iter().cycle();
        let mut after = PAUSE;
        for host in hosts(to) {
            for number in 0..recorded.datagrams {
                self.world.datagram_again(number, after, Some(host), sources.next());
                after += PAUSE;
            }
            for number in 0..recorded.streams {
                self.world.stream_again(number, 0, after, Some(host), sources.next());
                after += PAUSE;
            }
        }
        Ok(())
    }
}
