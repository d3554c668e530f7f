//! `/v1/events`: what changes, as it changes, as server-sent events (WHATWG HTML, 9.2).
//!
//! A stream begins with `reset`, which carries everything that it will tell of, and goes on with an event for each
//! change. Each stands for itself: what of a node shows in its instances is told of each of them. An id is the agent's
//! boot generation and the number of the change; a client that comes back with the last one it saw goes on from there,
//! where those changes are still kept, and else gets `reset`.

mod reset;
mod stream;

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use schemars::{JsonSchema, SchemaGenerator};
use serde::Serialize;

use self::stream::{EventStream, HEARTBEAT};
use super::{
    ApiState,
    openapi::{Content, Operation, shapes},
    parameters::{Parameters, one_of},
    problem::{Problem, ProblemType},
    representation::{InstanceView, NodeView, text},
};
use crate::{
    catalog::{Event, Interest},
    model::{NodeId, ServiceName},
};

/// Clients that follow at the same time; one more is refused.
pub const FOLLOWERS: usize = 64;

/// What an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Node,
    Instance,
    Ready,
}

pub(super) const KINDS: [(&str, Kind); 3] = [("node", Kind::Node), ("instance", Kind::Instance), ("ready", Kind::Ready)];

pub(super) const FOLLOW: Operation = Operation::read(
    "followEvents",
    "What changes, as it changes: server-sent events (WHATWG HTML, 9.2) that begin with everything",
    Content::Events(&[
        ("reset", SchemaGenerator::subschema_for::<Everything<'_>>),
        ("node", SchemaGenerator::subschema_for::<NodeView<'_>>),
        ("node_gone", SchemaGenerator::subschema_for::<NodeGone<'_>>),
        ("instance", SchemaGenerator::subschema_for::<InstanceView<'_>>),
        ("instance_gone", SchemaGenerator::subschema_for::<InstanceGone<'_>>),
        ("ready", SchemaGenerator::subschema_for::<Ready>),
        ("cut_off", SchemaGenerator::subschema_for::<CutOff>),
    ]),
)
.untagged()
.fails(&[ProblemType::TooManyFollowers]);

/// `GET /v1/events[?service=&kind=]`
pub(super) async fn follow(State(state): State<ApiState>, mut query: Parameters, headers: HeaderMap) -> Result<Response, Problem> {
    let service = query.one("service", ServiceName::new);
    let kind = query.one("kind", |text| match one_of(&KINDS, text) {
        Ok(Kind::Node | Kind::Ready) if service.is_some() => Err(format!("{text:?} has no service: leave out one of the two")),
        kind => kind,
    });
    query.finish()?;

    let place = state.shared.following.clone().try_acquire_owned().map_err(|_| {
        Problem::new(ProblemType::TooManyFollowers, format!("{FOLLOWERS} clients follow this agent's events already, which is the limit"))
    })?;
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()).and_then(|id| read_id(id, state.info.generation));
    let stream = EventStream::new(&state, Filter { service, kind }, last, HEARTBEAT, place);
    let headers = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, Body::new(stream)).into_response())
}

/// The number in an id of this generation; numbers of another one mean nothing here.
fn read_id(id: &str, generation: u32) -> Option<u64> {
    let (of, number) = id.trim().split_once('-')?;
    number.parse().ok().filter(|_| of.parse() == Ok(generation))
}

/// What a client is told of.
#[derive(Debug)]
struct Filter {
    service: Option<ServiceName>,
    kind: Option<Kind>,
}

impl Filter {
    /// Whether things of a kind are told of. Those of a service are instances.
    fn has(&self, kind: Kind) -> bool {
        self.kind.is_none_or(|wanted| wanted == kind) && (self.service.is_none() || kind != Kind::Node)
    }

    fn shows(&self, event: &Event) -> bool {
        match event {
            Event::Node(_) | Event::NodeGone(_) => self.has(Kind::Node),
            Event::Ready(_) => self.has(Kind::Ready),
            Event::Instance { entry, .. } | Event::InstanceGone { entry, .. } => {
                self.has(Kind::Instance) && self.service.as_ref().is_none_or(|service| *service == entry.instance.service)
            }
        }
    }

    fn interest(&self) -> Interest {
        self.service.clone().map_or(Interest::Everything, Interest::Service)
    }
}

/// Writes an event as it is sent.
fn write_event(event: &Event, id: &str, out: &mut String) {
    match event {
        Event::Node(entry) => write(out, "node", id, &NodeView::alone(entry)),
        Event::NodeGone(entry) => write(out, "node_gone", id, &NodeGone { id: entry.node.id, name: entry.node.info.name.as_str() }),
        Event::Instance { entry, owner } => write(out, "instance", id, &InstanceView::on(owner.as_ref(), entry)),
        Event::InstanceGone { entry, owner } => {
            let gone = InstanceGone {
                node: owner.as_ref().map(|owner| owner.node.info.name.as_str()),
                node_id: entry.node,
                id: entry.instance.id.as_str(),
                service: entry.instance.service.as_str(),
            };
            write(out, "instance_gone", id, &gone);
        }
        Event::Ready(ready) => write(out, "ready", id, &Ready { ready: *ready }),
    }
}

fn write(out: &mut String, name: &str, id: &str, data: &impl Serialize) {
    out.extend(["event: ", name, "\nid: ", id, "\ndata: ", &json(data), "\n\n"]);
}

/// JSON on one line.
fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("what is shown has text for keys and no flaws")
}

/// What `reset` carries. It is written piece by piece: see [`reset`].
#[derive(JsonSchema)]
#[schemars(rename = "Reset")]
#[expect(dead_code, reason = "the shape of what is written otherwise; a test compares the two")]
struct Everything<'a> {
    ready: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    nodes: Option<Vec<NodeView<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instances: Option<Vec<InstanceView<'a>>>,
}

#[derive(Serialize, JsonSchema)]
struct NodeGone<'a> {
    #[serde(serialize_with = "text")]
    #[schemars(schema_with = "shapes::node_id")]
    id: NodeId,
    name: &'a str,
}

#[derive(Serialize, JsonSchema)]
struct InstanceGone<'a> {
    node: Option<&'a str>,
    #[serde(serialize_with = "text")]
    #[schemars(schema_with = "shapes::node_id")]
    node_id: NodeId,
    id: &'a str,
    service: &'a str,
}

#[derive(Serialize, JsonSchema)]
struct Ready {
    ready: bool,
}

/// The last event of a client that fell too far behind. It has no id.
#[derive(Serialize, JsonSchema)]
struct CutOff {
    detail: String,
}

#[cfg(test)]
mod tests;
