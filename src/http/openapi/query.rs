//! Query parameters as they are described; how they are read stands with their routes, and a test holds each against its reader.

use serde_json::{Value, json};

use super::text;
use crate::http::{
    checks, events, instances, nodes,
    page::{LARGEST_PAGE, PAGE},
};

/// A parameter of a query.
#[derive(Clone, Copy)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// What it is for.
    pub(super) meaning: &'static str,
    /// It may be given several times.
    pub(super) many: bool,
    /// Of one value.
    pub(super) schema: fn() -> Value,
}

impl Parameter {
    const fn new(name: &'static str, meaning: &'static str, schema: fn() -> Value) -> Parameter {
        Parameter { name, meaning, many: false, schema }
    }

    const fn many(self) -> Parameter {
        Parameter { many: true, ..self }
    }
}

pub(in crate::http) const SERVICE: Parameter = Parameter::new("service", "Of this service", text::label);
pub(in crate::http) const NODE: Parameter = Parameter::new("node", "On the node of this name", text::label);
pub(in crate::http) const ZONE: Parameter = Parameter::new("zone", "In this zone", text::label);
pub(in crate::http) const TAG: Parameter = Parameter::new("tag", "With this tag, in whatever case; of several, all", text::tag).many();
pub(in crate::http) const META: Parameter = Parameter::new("meta", "With this pair of metadata; of several, all", pair).many();
pub(in crate::http) const PREFIX: Parameter =
    Parameter::new("prefix", "Whose name begins so", || json!({"type": "string", "pattern": "^[A-Za-z0-9-]*$"}));
pub(in crate::http) const STATE: Parameter =
    Parameter::new("state", "In this state", || text::words(nodes::STATES.map(|state| state.as_str())));
pub(in crate::http) const CHECK_STATUS: Parameter =
    Parameter::new("status", "In this status", || text::words(checks::STATUSES.map(|(word, _)| word)));
pub(in crate::http) const STATUS: Parameter =
    Parameter::new("status", "In this status, those that are held back included. Without it: what is handed out", || {
        text::words(instances::STATUSES.map(|(word, _)| word))
    });
pub(in crate::http) const KIND: Parameter =
    Parameter::new("kind", "About this alone. With service, only instance", || text::words(events::KINDS.map(|(word, _)| word)));
pub(in crate::http) const PICK: Parameter = Parameter::new("pick", "So many, drawn by weight; without limit and cursor", || amount(None));
pub(in crate::http) const LIMIT: Parameter = Parameter::new("limit", "Items of a page", || amount(Some(PAGE)));
pub(in crate::http) const NODE_CURSOR: Parameter = Parameter::new("cursor", NEXT, text::node_id);
pub(in crate::http) const SERVICE_CURSOR: Parameter = Parameter::new("cursor", NEXT, text::label);
pub(in crate::http) const INSTANCE_CURSOR: Parameter =
    Parameter::new("cursor", NEXT, || json!({"type": "string", "pattern": "^[0-9a-f]{16}\\.[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"}));

const NEXT: &str = "`next` of the page before";

fn pair() -> Value {
    json!({"type": "string", "pattern": "^[^:]*:", "description": "key:value", "examples": ["git:a1b2c3"]})
}

fn amount(default: Option<usize>) -> Value {
    let mut schema = json!({"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE});
    if let Some(default) = default {
        schema["default"] = default.into();
    }
    schema
}
