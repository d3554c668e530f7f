//! A kind without its type: what other rooms go by.

use std::sync::Arc;

use schemars::{Schema, SchemaGenerator};
use serde_json::Value;

use super::kind::{Ask, Field, Kind, Way};
use crate::{fields::Reading, model::check::Probe};

/// One kind of check.
pub struct Row {
    /// What it is called, which is the field that makes a check one of it.
    pub name: &'static str,
    /// What that field takes, in a word or two.
    pub takes: &'static str,
    /// The fields that are its own, that one first.
    pub fields: &'static [Field],
    /// Whether it waits to be told; all others are run.
    pub waits: bool,
    /// The schema of what [`given`](super::given) gives, as an object.
    pub schema: fn(&mut SchemaGenerator) -> Schema,
    read: fn(&mut Reading<'_>) -> Option<Probe>,
    asked: fn(&str) -> Option<String>,
    ask: fn(&str) -> Option<Arc<dyn Ask>>,
    /// See [`Kind::samples`].
    #[cfg(test)]
    pub samples: fn() -> Vec<Value>,
}

impl Row {
    /// The row of a kind.
    pub(super) const fn of<K: Kind>() -> Row {
        Row {
            name: K::FIELDS[0].name,
            takes: K::TAKES,
            fields: K::FIELDS,
            waits: matches!(K::WAY, Way::Waits(_)),
            schema: K::json_schema,
            read: |reading| probe(&K::read(reading)?),
            asked: |settings| Some(parse::<K>(settings)?.asked()),
            ask: |settings| match K::WAY {
                Way::Asks(ask) => Some(ask(parse(settings)?)),
                Way::Waits(_) => None,
            },
            #[cfg(test)]
            samples: K::samples,
        }
    }

    /// Whether a field is its own.
    pub fn has(&self, field: &str) -> bool {
        self.fields.iter().any(|own| own.name == field)
    }

    /// Reads its fields. What is wrong is noted with the object that is read.
    pub fn read(&self, reading: &mut Reading<'_>) -> Option<Probe> {
        (self.read)(reading)
    }

    /// What a check of this kind asks, for people, and without anything that may be secret.
    pub(super) fn asked(&self, probe: &Probe) -> Option<String> {
        (self.asked)(&probe.settings)
    }

    /// What a check of this kind was given, by field; secrets are in it.
    pub(super) fn given(&self, probe: &Probe) -> Vec<(&'static str, Value)> {
        let mut given: Value = serde_json::from_str(&probe.settings).unwrap_or_default();
        let take = |field: &Field| Some((field.name, given.get_mut(field.name)?.take()));
        self.fields.iter().filter_map(take).collect()
    }

    /// How it is run; none where it is not, or the settings can't be read.
    pub(super) fn ask(&self, probe: &Probe) -> Option<Arc<dyn Ask>> {
        (self.ask)(&probe.settings)
    }
}

fn probe<K: Kind>(kind: &K) -> Option<Probe> {
    let ttl = match K::WAY {
        Way::Asks(_) => None,
        Way::Waits(ttl) => Some(ttl(kind)),
    };
    Some(Probe { kind: K::FIELDS[0].name.to_owned(), settings: serde_json::to_string(kind).ok()?, ttl })
}

fn parse<K: Kind>(settings: &str) -> Option<K> {
    serde_json::from_str(settings).ok()
}
