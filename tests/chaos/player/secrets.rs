//! Keys of agents: files on their hosts, which they read when they start and at SIGHUP.

use std::{path::Path, time::Duration};

use axum::http::{Method, StatusCode};
use rustix::process::Signal;
use tidings::{
    keyring::{Key, Keyring},
    model::encryption::{KeyId, Mode},
    sim::{
        runner::Failure,
        scenario::{Action, KeyName, Nodes, Scenario, What, secrets::KeyChange},
    },
};
use toml::{Table, Value};

use super::{
    super::{
        agent, api,
        site::{CONFIG, KEYS},
    },
    Player,
};

/// How long an agent may take to read its files again.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long it is asked once: one that is to be started again is not, while it is waited for an answer.
const ONCE: Duration = Duration::from_millis(500);

/// What each agent has.
#[derive(Debug)]
pub(super) struct Secrets {
    names: Vec<KeyName>,
    held: Vec<(Keyring, Mode)>,
}

impl Secrets {
    pub(super) fn new(scenario: &Scenario) -> Secrets {
        let steps = scenario.steps.iter().filter_map(|step| match &step.what {
            What::Do(Action::Keys(_, KeyChange::Add(name))) => Some(name),
            _ => None,
        });
        let mut names: Vec<KeyName> = scenario.nodes.iter().flat_map(|node| &node.keys).chain(steps).cloned().collect();
        names.sort();
        names.dedup();
        let mut secrets = Secrets { names, held: Vec::new() };
        for node in &scenario.nodes {
            let keys = node.keys.iter().map(|name| secrets.key(name)).collect();
            secrets.held.push((Keyring::new(keys).expect("the scenario was checked"), node.encryption));
        }
        secrets
    }

    /// It keeps no secrets: its number is all there is to a key.
    fn key(&self, name: &KeyName) -> Key {
        let place = self.names.iter().position(|known| known == name).unwrap_or_default();
        let number = (place % 255 + 1) as u8;
        Key::new(KeyId::new(number).expect("it is not 0"), [number; 32])
    }

    /// Whether two agents hold the same keys.
    pub(super) fn are_the_same(&self, one: usize, other: usize) -> bool {
        self.held[one].0.ids() == self.held[other].0.ids()
    }

    /// What the file of an agent says of encryption.
    fn gossip(&self, place: usize, key_file: &Path) -> Table {
        let mut gossip = Table::new();
        let (ring, mode) = &self.held[place];
        if !self.names.is_empty() {
            gossip.insert("encryption".to_owned(), Value::String(mode.to_string()));
        }
        if !ring.keys().is_empty() {
            gossip.insert("key_file".to_owned(), Value::String(key_file.display().to_string()));
        }
        gossip
    }
}

impl Player<'_> {
    /// Writes what an agent is started with.
    pub(super) fn write_files(&self, place: usize) -> Result<(), Failure> {
        let host = &**self.site.host(place);
        let gossip = self.secrets.gossip(place, &host.inside(KEYS));
        let config = agent::config(&self.scenario.nodes[place], host, |place| self.site.address(place), place, gossip);
        let keys: Vec<String> = self.secrets.held[place].0.keys().iter().map(|key| key.text().to_string()).collect();
        let written = host.write(CONFIG, &config).and_then(|()| host.write(KEYS, &keys.join("\n")));
        written.map_err(|error| self.failed(format!("can't write the files of {}: {error}", self.name(place))))
    }

    /// Changes keys in the files of agents, and has those that run read them again.
    pub(super) async fn change_keys(&mut self, nodes: &Nodes, change: &KeyChange) -> Result<(), Failure> {
        let key = match change {
            KeyChange::Add(name) | KeyChange::Use(name) | KeyChange::Remove(name) => Some(self.secrets.key(name)),
            KeyChange::Mode(_) => None,
        };
        for place in nodes.iter() {
            let (ring, mode) = &mut self.secrets.held[place];
            let done = match (change, &key) {
                (KeyChange::Add(_), Some(key)) => ring.add(key.clone()).map(drop),
                (KeyChange::Use(_), Some(key)) => ring.promote(key.id()).map(drop),
                (KeyChange::Remove(_), Some(key)) => ring.remove(key.id()),
                (KeyChange::Mode(new), _) => {
                    *mode = *new;
                    Ok(())
                }
                _ => Ok(()),
            };
            done.map_err(|refusal| self.failed(refusal.to_string()))?;
            self.write_files(place)?;
            self.signal(place, Signal::HUP);
        }
        for place in nodes.iter().filter(|place| self.is_running(*place)).collect::<Vec<_>>() {
            self.has_read(place).await?;
        }
        Ok(())
    }

    /// Waits until an agent has what stands in its files.
    async fn has_read(&mut self, place: usize) -> Result<(), Failure> {
        let (ring, mode) = &self.secrets.held[place];
        let (ids, mode) = (ring.ids().into_iter().map(u64::from).collect::<Vec<_>>(), mode.to_string());
        let end = self.board.now() + PATIENCE;
        loop {
            let answer = api::ask(&**self.site.host(place), Method::GET, "/v1/agent/keys", None, ONCE).await;
            let shown: serde_json::Value = match &answer {
                Ok(answer) if answer.status == StatusCode::OK => serde_json::from_slice(&answer.body).unwrap_or_default(),
                _ => serde_json::Value::Null,
            };
            let held: Vec<u64> = shown["keys"].as_array().into_iter().flatten().filter_map(|key| key["id"].as_u64()).collect();
            if held == ids && shown["mode"] == mode.as_str() {
                return Ok(());
            }
            if self.board.now() >= end {
                return Err(self.failed(format!("{} has not taken over its keys: it shows {shown}", self.name(place))));
            }
            let next = self.board.now() + Duration::from_millis(20);
            self.breathe(next).await?;
        }
    }
}
