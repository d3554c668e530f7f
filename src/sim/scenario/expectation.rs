//! What is expected in a step.

use super::{
    cast::{Cast, Nodes},
    fields::Fields,
    keys::Table,
};
use crate::{
    catalog::select::REASONS,
    fields::Shown,
    model::{InstanceId, MemberState, NodeName, ServiceName},
};

/// Items of a list of instances.
const ITEMS: usize = 1_000;

/// What is expected of all agents that run, or of those that are named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expectation {
    /// Exactly these instances of a service are handed out.
    HandsOut {
        /// Of which service.
        service: ServiceName,
        /// Which, in the order of nodes and ids.
        instances: Vec<Instance>,
        /// By whom.
        by: Option<Nodes>,
    },
    /// These instances are known, and held back for a reason.
    HeldBack {
        /// Of which service.
        service: ServiceName,
        /// Which, in the order of nodes and ids.
        instances: Vec<Instance>,
        /// The word for the reason; none for any.
        reason: Option<&'static str>,
        /// By whom.
        by: Option<Nodes>,
    },
    /// Nodes are seen in one of these states.
    Sees {
        /// Which nodes.
        nodes: Nodes,
        /// In which states.
        states: Vec<Seen>,
        /// By whom.
        by: Option<Nodes>,
    },
    /// These, as far as they run, show the same nodes and instances.
    Agree(Nodes),
    /// Agents ended by themselves, with an error that contains this text.
    Stopped(Nodes, String),
    /// A node is the one that is found under a name.
    HoldsName {
        /// Which node.
        node: usize,
        /// Under which name.
        name: NodeName,
        /// By whom.
        by: Option<Nodes>,
    },
}

impl Expectation {
    /// Of whom it is expected; of all that run where nobody is named.
    pub fn by(&self) -> Option<&Nodes> {
        match self {
            Expectation::HandsOut { by, .. }
            | Expectation::HeldBack { by, .. }
            | Expectation::Sees { by, .. }
            | Expectation::HoldsName { by, .. } => by.as_ref(),
            Expectation::Agree(nodes) | Expectation::Stopped(nodes, _) => Some(nodes),
        }
    }
}

/// An instance of a node.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instance {
    /// Whose it is.
    pub node: usize,
    /// Its id there.
    pub id: InstanceId,
}

/// How a node is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// In the list, in a state.
    As(MemberState),
    /// Not in the list.
    Unknown,
}

impl Seen {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Seen::As(state) => state.as_str(),
            Seen::Unknown => "unknown",
        }
    }
}

const ALL_SEEN: [Seen; 6] = [
    Seen::As(MemberState::Alive),
    Seen::As(MemberState::Suspect),
    Seen::As(MemberState::Restarting),
    Seen::As(MemberState::Down),
    Seen::As(MemberState::Left),
    Seen::Unknown,
];

/// Reads the expectation under its key in a step.
pub(super) fn read(step: &Fields<'_>, table: &'static Table, cast: &Cast) -> Option<Expectation> {
    let key = table.name;
    if table.keys.is_empty() {
        return cast.nodes(step, key).map(Expectation::Agree);
    }
    let fields = &step.inner(table)?;
    // Whoever is named wrongly has left a flaw.
    let by = if fields.has("by") { cast.nodes(fields, "by").map(Some) } else { Some(None) };
    match key {
        "hands_out" => {
            let (service, instances) = instances(fields, cast);
            Some(Expectation::HandsOut { service: service?, instances: instances?, by: by? })
        }
        "held_back" => {
            let (service, instances) = instances(fields, cast);
            if instances.as_ref().is_some_and(Vec::is_empty) {
                fields.flaw("instances", "is empty: nothing is expected");
            }
            let reason = fields.parsed("reason", |text| {
                let known = REASONS.into_iter().find(|known| *known == text);
                known.ok_or_else(|| format!("is {text:?}; the reasons are {}", REASONS.join(", ")))
            });
            Some(Expectation::HeldBack { service: service?, instances: instances?, reason, by: by? })
        }
        "sees" => {
            let (nodes, states) = (cast.some_nodes(fields, "nodes"), states(fields));
            Some(Expectation::Sees { nodes: nodes?, states: states?, by: by? })
        }
        "stopped" => {
            let nodes = cast.some_nodes(fields, "nodes");
            fields.required("error");
            Some(Expectation::Stopped(nodes?, fields.text("error")?.to_owned()))
        }
        "holds_name" => {
            let node = cast.node(fields, "node");
            fields.required("name");
            let name = fields.name("name", NodeName::new);
            Some(Expectation::HoldsName { node: node?, name: name?, by: by? })
        }
        other => unreachable!("{other} is an expectation without a reader"),
    }
}

/// `state = "down"`, or a list of states.
fn states(fields: &Fields<'_>) -> Option<Vec<Seen>> {
    let key = "state";
    let items = match fields.required(key)? {
        list if list.is_array() => fields.list(key, ALL_SEEN.len())?,
        one => vec![(fields.pointer(key), one)],
    };
    let words = ALL_SEEN.map(Seen::as_str).join(", ");
    if items.is_empty() {
        fields.flaw(key, format!("is empty; the states are {words}"));
    }
    let read: Vec<Seen> = items
        .iter()
        .filter_map(|(pointer, value)| {
            let seen = ALL_SEEN.into_iter().find(|seen| value.as_str() == Some(seen.as_str()));
            if seen.is_none() {
                fields.flaws().add(pointer, format!("is {}; the states are {words}", Shown(value)));
            }
            seen
        })
        .collect();
    (read.len() == items.len() && !read.is_empty()).then_some(read)
}

/// `"n1/web-1"`, or `"n1..n3"` where the id is the name of the service.
fn instances(fields: &Fields<'_>, cast: &Cast) -> (Option<ServiceName>, Option<Vec<Instance>>) {
    fields.required("service");
    let service = fields.name("service", ServiceName::new);
    fields.required("instances");
    let Some(items) = fields.list("instances", ITEMS) else { return (service, None) };
    let default = service.as_ref().and_then(|service| InstanceId::new(service.as_str()).ok());
    let mut all = Vec::new();
    let mut sound = true;
    for (pointer, value) in items {
        let read = match value.as_str() {
            None => Err(format!(r#"is {}; an instance is "NODE" or "NODE/ID""#, Shown(value))),
            Some(text) => match text.split_once('/') {
                None => cast.select(text).map(|nodes| (nodes, default.clone())),
                Some((nodes, id)) => InstanceId::new(id)
                    .map_err(|error| format!("is wrong: {error}"))
                    .and_then(|id| cast.select(nodes).map(|nodes| (nodes, Some(id)))),
            },
        };
        match read {
            Ok((nodes, Some(id))) => all.extend(nodes.iter().map(|node| Instance { node, id: id.clone() })),
            Ok((_, None)) => sound = false,
            Err(detail) => {
                fields.flaws().add(pointer, detail);
                sound = false;
            }
        }
    }
    all.sort();
    all.dedup();
    (service, sound.then_some(all))
}
