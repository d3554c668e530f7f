//! What agents are told to write, and how they must answer.

use serde_json::{Map, Value};

use super::{
    cast::{Cast, Nodes},
    fields::{Fields, Flaws},
    keys::{self, Table},
};
use crate::{
    definition::{self, notes},
    fields::Shown,
    model::{Check, InstanceId, Registration},
};

/// What agents are told to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// An instance with each of them.
    Register(Nodes, Box<Registration>),
    /// An instance of each of them is removed.
    Deregister(Nodes, InstanceId),
    /// An instance, or the node where none is named, goes into maintenance for a reason, or comes out of it.
    Maintenance {
        /// With whom.
        nodes: Nodes,
        /// Of what.
        instance: Option<InstanceId>,
        /// Why; none ends it.
        reason: Option<String>,
    },
    /// They leave their cluster, and end.
    Leave(Nodes),
    /// One has another forgotten.
    Forget {
        /// Who asks.
        by: usize,
        /// Who is forgotten.
        node: usize,
    },
}

impl Write {
    /// The agents that are asked.
    pub fn asked(&self) -> Nodes {
        match self {
            Write::Register(nodes, _) | Write::Deregister(nodes, _) | Write::Leave(nodes) => nodes.clone(),
            Write::Maintenance { nodes, .. } => nodes.clone(),
            Write::Forget { by, .. } => Nodes::from_iter([*by]),
        }
    }
}

/// How a write must be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It is done.
    Done,
    /// It is not done, for a reason that contains this text.
    Refused(String),
    /// Not at all: the agent is gone before it can.
    Never,
}

/// Reads how it must be answered.
pub(super) fn answer(step: &Fields<'_>) -> Answer {
    let unanswered = step.yes_or_no("unanswered") == Some(true);
    match step.text("refused") {
        Some(_) if unanswered => {
            step.flaw("refused", "can't be beside unanswered");
            Answer::Never
        }
        Some(text) => Answer::Refused(text.to_owned()),
        None if unanswered => Answer::Never,
        None => Answer::Done,
    }
}

/// Reads the write under its key in a step.
pub(super) fn read(step: &Fields<'_>, table: &Table, cast: &Cast) -> Option<Write> {
    if table.keys.is_empty() {
        return cast.nodes(step, table.name).map(Write::Leave);
    }
    let fields = &step.inner(table)?;
    if table.name == "forget" {
        let (node, by) = cast.two(fields, ["node", "by"])?;
        return Some(Write::Forget { by, node });
    }
    let nodes = cast.some_nodes(fields, "nodes");
    let instance = fields.name("id", InstanceId::new);
    match table.name {
        "register" => {
            let registration = registration(step, instance)?;
            Some(Write::Register(nodes?, Box::new(registration)))
        }
        "deregister" => {
            fields.required("id");
            Some(Write::Deregister(nodes?, instance?))
        }
        "maintenance" => {
            let said = fields.get("reason").map(|reason| ("reason".to_owned(), reason.clone()));
            let reason = notes::reason(&Value::Object(said.into_iter().collect()));
            let reason = reason.map_err(|flaws| step.flaws().extend(&step.pointer(table.name), flaws)).ok()?;
            Some(Write::Maintenance { nodes: nodes?, instance, reason: Some(reason) })
        }
        "end_maintenance" => Some(Write::Maintenance { nodes: nodes?, instance, reason: None }),
        other => unreachable!("{other} is a write without a reader"),
    }
}

/// The fields of a definition; its id, where it is left out, is the name of its service.
fn registration(step: &Fields<'_>, id: Option<InstanceId>) -> Option<Registration> {
    let key = keys::REGISTER.name;
    let Value::Object(written) = step.get(key)? else { return None };
    let fields: Map<String, Value> = written
        .iter()
        .filter(|(key, _)| definition::FIELDS.contains(&key.as_str()))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let pointer = step.pointer(key);
    let named = match (id, written.get("service")) {
        (Some(id), _) => Some(id),
        (None, _) if written.contains_key("id") => None,
        (None, Some(Value::String(service))) => InstanceId::new(service).ok(),
        (None, Some(other)) => {
            step.flaws().add(format!("{pointer}/service"), format!("is {}; it takes a text in quotes", Shown(other)));
            None
        }
        (None, None) => None,
    };
    // What is wrong beside the id is found with any other.
    let stand_in = || InstanceId::new("unnamed").expect("an id");
    let sound = named.is_some();
    let fields = if sound { fields } else { fields.into_iter().filter(|(key, _)| key != "id").collect() };
    match definition::read(named.unwrap_or_else(stand_in), &Value::Object(fields)) {
        Err(flaws) => {
            step.flaws().extend(&pointer, flaws);
            None
        }
        Ok(registration) => {
            let checks = registration.checks.iter().enumerate();
            checks.for_each(|(index, check)| refuse_probes(step.flaws(), &format!("{pointer}/checks/{index}"), check));
            sound.then_some(registration)
        }
    }
}

/// Nothing listens in a scenario, so nothing can be asked.
fn refuse_probes(flaws: &Flaws, pointer: &str, check: &Check) {
    if check.probe.ttl.is_none() {
        flaws.add(pointer, "asks over the network; a scenario has checks with a ttl only, and health steps for what they find");
    }
}
