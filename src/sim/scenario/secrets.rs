//! Keys as a scenario names them. Whoever plays it makes them: a name stands for the same key with all nodes.

use super::{
    cast::{Cast, Nodes},
    fields::{Fields, Flaws},
};
use crate::model::{NodeName, encryption::Mode, limits};

/// The name of a key in a scenario.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyName(NodeName);

impl KeyName {
    /// The name as it is written.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

/// What is done to keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyChange {
    /// It decrypts from now on, as by `tidings keys add`.
    Add(KeyName),
    /// It encrypts, as by `tidings keys use`.
    Use(KeyName),
    /// It does neither, as by `tidings keys remove`.
    Remove(KeyName),
    /// Encryption is turned on so far, as by `--encryption`.
    Mode(Mode),
}

/// Reads a list of names of keys.
pub(super) fn names(fields: &Fields<'_>, key: &str) -> Option<Vec<KeyName>> {
    let items = fields.list(key, limits::KEYS)?;
    let mut names: Vec<KeyName> = Vec::new();
    for (pointer, value) in &items {
        match value.as_str().map(name) {
            None => fields.flaws().add(pointer, "is no text in quotes, which names a key"),
            Some(Err(detail)) => fields.flaws().add(pointer, detail),
            Some(Ok(name)) if names.contains(&name) => fields.flaws().add(pointer, format!("is {}, which is there already", name.as_str())),
            Some(Ok(name)) => names.push(name),
        }
    }
    (names.len() == items.len()).then_some(names)
}

/// Reads a mode.
pub(super) fn mode(fields: &Fields<'_>, key: &str) -> Option<Mode> {
    fields.parsed(key, |text| text.parse::<Mode>().map_err(|detail| format!("is wrong: {detail}")))
}

/// Reads what is done to keys of some nodes.
pub(super) fn change(action: &str, fields: &Fields<'_>, cast: &Cast) -> Option<(Nodes, KeyChange)> {
    let nodes = cast.some_nodes(fields, "nodes");
    if action == "encryption" {
        fields.required("mode");
        let mode = mode(fields, "mode");
        return Some((nodes?, KeyChange::Mode(mode?)));
    }
    fields.required("key");
    let key = fields.parsed("key", name);
    let (nodes, key) = (nodes?, key?);
    let change = match action {
        "add_key" => KeyChange::Add(key),
        "use_key" => KeyChange::Use(key),
        "remove_key" => KeyChange::Remove(key),
        other => unreachable!("{other} changes no keys"),
    };
    Some((nodes, change))
}

fn name(text: &str) -> Result<KeyName, String> {
    NodeName::new(text).map(KeyName).map_err(|error| format!("is wrong: {error}").replace("a node name", "a name"))
}

/// What a node has of keys as the story goes on.
#[derive(Debug, Clone)]
pub(super) struct Held {
    keys: Vec<KeyName>,
    mode: Mode,
}

impl Held {
    pub(super) fn new(keys: &[KeyName], mode: Mode) -> Held {
        Held { keys: keys.to_vec(), mode }
    }

    /// Changes it.
    ///
    /// # Errors
    /// Why that can't be.
    pub(super) fn change(&mut self, change: &KeyChange) -> Result<(), &'static str> {
        let place = |name: &KeyName| self.keys.iter().position(|key| key == name);
        match change {
            KeyChange::Add(name) => match place(name) {
                Some(_) => return Err("has the key already"),
                None if self.keys.len() >= limits::KEYS => return Err("has as many keys as there may be"),
                None => self.keys.push(name.clone()),
            },
            KeyChange::Use(name) => {
                let place = place(name).ok_or("has no such key")?;
                let key = self.keys.remove(place);
                self.keys.insert(0, key);
            }
            KeyChange::Remove(name) => match place(name).ok_or("has no such key")? {
                0 => return Err("encrypts with the key: it must use another one first"),
                place => drop(self.keys.remove(place)),
            },
            KeyChange::Mode(mode) if mode.encrypts() && self.keys.is_empty() => return Err("has no key"),
            KeyChange::Mode(mode) => self.mode = *mode,
        }
        Ok(())
    }
}

/// Notes what can't be meant of a change of the keys of some nodes.
pub(super) fn check(held: &mut [Held], nodes: &Nodes, change: &KeyChange, pointer: &str, (cast, flaws): (&Cast, &Flaws)) {
    for node in nodes.iter() {
        if let Err(why) = held[node].change(change) {
            flaws.add(pointer, format!("names {}, which {why}", cast.said(&Nodes::only(node))));
        }
    }
}
