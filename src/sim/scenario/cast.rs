//! Some of the nodes, and how a scenario names them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    fields::{Fields, Flaws},
    quantity,
};
use crate::{
    fields::{Shown, nearest},
    model::NodeName,
};

/// Some of the nodes, by their places in the order of the scenario.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Nodes(Vec<usize>);

impl Nodes {
    /// A single one.
    pub fn only(node: usize) -> Nodes {
        Nodes(vec![node])
    }

    /// In ascending order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = usize> + '_ {
        self.0.iter().copied()
    }

    /// Whether a node is one of them.
    pub fn has(&self, node: usize) -> bool {
        self.0.binary_search(&node).is_ok()
    }

    /// How many they are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether they are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<usize> for Nodes {
    fn from_iter<I: IntoIterator<Item = usize>>(nodes: I) -> Nodes {
        let mut nodes: Vec<usize> = nodes.into_iter().collect();
        nodes.sort_unstable();
        nodes.dedup();
        Nodes(nodes)
    }
}

/// All nodes and groups, by name.
#[derive(Debug, Default)]
pub(super) struct Cast {
    pub(super) names: Vec<NodeName>,
    places: BTreeMap<NodeName, usize>,
    pub(super) groups: BTreeMap<String, Nodes>,
}

impl Cast {
    /// Adds a node; false where it is there already.
    pub(super) fn add(&mut self, name: NodeName) -> bool {
        let place = self.names.len();
        let new = !self.places.contains_key(&name);
        if new {
            self.places.insert(name.clone(), place);
            self.names.push(name);
        }
        new
    }

    /// The nodes that a text or a list of texts names; one at least.
    pub(super) fn nodes(&self, fields: &Fields<'_>, key: &str) -> Option<Nodes> {
        self.nodes_at(fields.flaws(), &fields.pointer(key), fields.get(key)?)
    }

    /// The same under a key that must be there.
    pub(super) fn some_nodes(&self, fields: &Fields<'_>, key: &str) -> Option<Nodes> {
        fields.required(key)?;
        self.nodes(fields, key)
    }

    /// Exactly one node, under a key that must be there.
    pub(super) fn node(&self, fields: &Fields<'_>, key: &str) -> Option<usize> {
        fields.required(key)?;
        fields.parsed(key, |text| self.place(text).ok_or_else(|| self.unknown(text)))
    }

    /// Two nodes, which must differ.
    pub(super) fn two(&self, fields: &Fields<'_>, keys: [&str; 2]) -> Option<(usize, usize)> {
        let (one, other) = (self.node(fields, keys[0]), self.node(fields, keys[1]));
        let (one, other) = (one?, other?);
        if one == other {
            fields.flaw(keys[1], format!("is the same as {}", keys[0]));
            return None;
        }
        Some((one, other))
    }

    /// The nodes that a value at a pointer names.
    pub(super) fn nodes_at(&self, flaws: &Flaws, pointer: &str, value: &Value) -> Option<Nodes> {
        let texts = match value {
            Value::Array(items) if !items.is_empty() => items.as_slice(),
            _ => std::slice::from_ref(value),
        };
        let mut all = Vec::new();
        let mut sound = true;
        for (index, text) in texts.iter().enumerate() {
            let found = match text.as_str() {
                Some(text) => self.select(text),
                None => Err(format!(r#"is {}; nodes are named by a text such as "n1", or a list of them"#, Shown(text))),
            };
            match found {
                Ok(nodes) => all.extend(nodes.iter()),
                Err(detail) if value.is_array() => {
                    flaws.add(format!("{pointer}/{index}"), detail);
                    sound = false;
                }
                Err(detail) => {
                    flaws.add(pointer, detail);
                    sound = false;
                }
            }
        }
        sound.then(|| all.into_iter().collect())
    }

    /// `all`, `all but west`, `n3`, a group, `n1..n5`, `first 3`, `last 20%`.
    pub(super) fn select(&self, text: &str) -> Result<Nodes, String> {
        let count = self.names.len();
        if text == ALL {
            return Ok((0..count).collect());
        }
        if let Some(but) = text.strip_prefix(ALL_BUT) {
            let but = self.select(but)?;
            let rest: Nodes = (0..count).filter(|node| !but.has(*node)).collect();
            return if rest.is_empty() { Err(format!("is {text:?}, which leaves nobody")) } else { Ok(rest) };
        }
        if let Some((first, last)) = text.split_once("..") {
            let place = |name: &str| self.place(name).ok_or_else(|| self.unknown(name));
            let (first, last) = (place(first)?, place(last)?);
            return if first <= last { Ok((first..=last).collect()) } else { Err(format!("is {text:?}, which goes backwards")) };
        }
        if let Some(amount) = text.strip_prefix("first ") {
            let amount = amount_of(amount, count, |share| share.of(count))?;
            return Ok((0..amount).collect());
        }
        if let Some(amount) = text.strip_prefix("last ") {
            // What is left by the first ones of the rest, so that the two never overlap.
            let amount = amount_of(amount, count, |share| count - share.rest().of(count))?;
            return Ok((count - amount..count).collect());
        }
        let node = self.place(text).map(Nodes::only);
        node.or_else(|| self.groups.get(text).cloned()).ok_or_else(|| self.unknown(text))
    }

    /// The place of the node of this name.
    pub(super) fn place(&self, name: &str) -> Option<usize> {
        NodeName::new(name).ok().and_then(|name| self.places.get(&name).copied())
    }

    fn unknown(&self, text: &str) -> String {
        let known = self.names.iter().map(NodeName::as_str).chain(self.groups.keys().map(String::as_str));
        let hint = match nearest(text, known) {
            Some(name) => format!("did you mean {name}?"),
            None => match self.names.as_slice() {
                [] => "there are none".to_owned(),
                [one] => format!("there is {one}"),
                [first, .., last] => format!("there are {first} to {last}"),
            },
        };
        format!("names {text:?}, which is neither a node nor a group; {hint}")
    }

    /// Some nodes in few words, as they may be written.
    pub(super) fn said(&self, nodes: &Nodes) -> String {
        said(nodes, |node| self.names[node].as_str())
    }
}

/// Some nodes in few words.
pub fn said<'a>(nodes: &Nodes, name: impl Fn(usize) -> &'a str) -> String {
    let mut parts = Vec::new();
    for run in nodes.0.chunk_by(|one, next| one + 1 == *next) {
        match run {
            [first, _, .., last] if run.len() > 2 => parts.push(format!("{}..{}", name(*first), name(*last))),
            few => parts.extend(few.iter().map(|node| name(*node).to_owned())),
        }
    }
    parts.join(", ")
}

/// Stands for all nodes.
pub(super) const ALL: &str = "all";
const ALL_BUT: &str = "all but ";

fn amount_of(text: &str, count: usize, share: impl FnOnce(quantity::Share) -> usize) -> Result<usize, String> {
    let amount = match text.ends_with('%') {
        true => share(quantity::share(text)?).max(1),
        false => text.parse().map_err(|_| format!("is of {text:?} nodes; write a number such as 3, or a share such as 20%"))?,
    };
    if (1..=count).contains(&amount) { Ok(amount) } else { Err(format!("is of {text} nodes; there are {count}")) }
}
