//! `/v1/agent`: this agent itself.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    path::Path,
};

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    ApiState,
    conditional::Shown,
    host,
    openapi::{Answer, Content, Operation, shapes},
    problem::{Problem, ProblemType},
    representation::{CheckStateView, states, text},
};
use crate::{
    catalog::{Interest, Snapshot},
    model::{Command, Done, InstanceId, MemberState, NodeId, limits},
};

static NO_META: BTreeMap<String, String> = BTreeMap::new();

pub(super) const SHOW: Operation = Operation::read("getAgent", "What this agent is, and what it allows", Content::json::<AgentView<'_>>());

/// `GET /v1/agent`
pub(super) async fn show(State(state): State<ApiState>) -> Shown {
    let snapshot = state.catalog.load();
    let info = &*state.info;
    // The first snapshots may not hold this agent's own node yet.
    let local = snapshot.node(snapshot.local).map(|entry| &*entry.node);
    let view = AgentView {
        node_id: info.node_id,
        name: info.name.as_str(),
        cluster: info.cluster.as_str(),
        addresses: local.map_or(&[], |node| &node.info.addresses),
        gossip: info.gossip,
        http: info.http,
        http_socket: info.http_socket.as_deref().map(Path::to_string_lossy),
        dns: info.dns,
        domain: &info.domain,
        zone: local.and_then(|node| node.info.zone.as_ref()).map(|zone| zone.as_str()),
        meta: local.map_or(&NO_META, |node| &node.info.meta),
        generation: local.map_or(info.generation, |node| node.life.generation),
        version: &info.version,
        ready: snapshot.ready,
        name_conflict: name_conflict(&snapshot),
        maintenance: local.and_then(|node| node.info.maintenance.as_deref()),
        checks: local.into_iter().flat_map(|node| states(&node.health)).collect(),
        came_back: snapshot.came_back().map(InstanceId::as_str).collect(),
        members: Members::count(&snapshot),
        limits: Limits::HERE,
    };
    Shown::new(&view, Interest::Nodes)
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Agent")]
struct AgentView<'a> {
    #[serde(serialize_with = "text")]
    #[schemars(schema_with = "shapes::node_id")]
    node_id: NodeId,
    #[schemars(schema_with = "shapes::label")]
    name: &'a str,
    #[schemars(schema_with = "shapes::label")]
    cluster: &'a str,
    addresses: &'a [IpAddr],
    gossip: SocketAddr,
    /// Where this API is served over TCP, if it is.
    http: Option<SocketAddr>,
    /// The Unix socket that it is served at, if it is.
    http_socket: Option<Cow<'a, str>>,
    dns: SocketAddr,
    domain: &'a str,
    zone: Option<&'a str>,
    meta: &'a BTreeMap<String, String>,
    generation: u32,
    version: &'a str,
    /// Whether it knows what the cluster knows.
    ready: bool,
    name_conflict: Option<Holder>,
    /// Why an operator took this node out of discovery.
    maintenance: Option<&'a str>,
    /// What the checks of this node itself have yielded.
    checks: Vec<CheckStateView<'a>>,
    /// Instances that had been removed, as peers knew, and came back with a data folder or an image of the past; until they are removed
    /// again, or registered in another way, or the agent starts again.
    came_back: Vec<&'a str>,
    members: Members,
    limits: Limits,
}

/// The other node that holds this node's name.
#[derive(Serialize, JsonSchema)]
struct Holder {
    #[serde(serialize_with = "text")]
    #[schemars(schema_with = "shapes::node_id")]
    node_id: NodeId,
    gossip: SocketAddr,
}

fn name_conflict(snapshot: &Snapshot) -> Option<Holder> {
    let local = &snapshot.node(snapshot.local)?.node;
    let holder = &snapshot.holder(local.info.name.as_str())?.node;
    snapshot.in_conflict(local).then_some(Holder { node_id: holder.id, gossip: holder.gossip })
}

/// How many nodes are in each state, this one included.
#[derive(Serialize, JsonSchema, Default)]
struct Members {
    alive: usize,
    suspect: usize,
    restarting: usize,
    down: usize,
    left: usize,
}

impl Members {
    fn count(snapshot: &Snapshot) -> Self {
        let mut members = Members::default();
        for entry in snapshot.nodes() {
            *match entry.node.state {
                MemberState::Alive => &mut members.alive,
                MemberState::Suspect => &mut members.suspect,
                MemberState::Restarting => &mut members.restarting,
                MemberState::Down => &mut members.down,
                MemberState::Left => &mut members.left,
            } += 1;
        }
        members
    }
}

/// What the owner may register: see [`limits`].
#[derive(Serialize, JsonSchema)]
struct Limits {
    instances_per_node: usize,
    addresses: usize,
    tags: usize,
    meta_pairs: usize,
    meta_key_octets: usize,
    meta_value_octets: usize,
    definition_octets: usize,
    reason_octets: usize,
    label_octets: usize,
    checks: usize,
    check_runs: u16,
    output_octets: usize,
}

impl Limits {
    const HERE: Limits = Limits {
        instances_per_node: limits::INSTANCES_PER_NODE,
        addresses: limits::ADDRESSES,
        tags: limits::TAGS,
        meta_pairs: limits::META_PAIRS,
        meta_key_octets: limits::META_KEY_OCTETS,
        meta_value_octets: limits::META_VALUE_OCTETS,
        definition_octets: limits::DEFINITION_OCTETS,
        reason_octets: limits::REASON_OCTETS,
        label_octets: limits::LABEL_OCTETS,
        checks: limits::CHECKS,
        check_runs: limits::CHECK_RUNS,
        output_octets: limits::OUTPUT_OCTETS,
    };
}

pub(super) const LEAVE: Operation = Operation::write(
    "leave",
    "Leaves the cluster; then the agent ends",
    Answer::new(StatusCode::OK, "It left", Content::json::<Farewell>()),
)
.fails(&[ProblemType::CrossSite]);

/// `POST /v1/agent/leave`: answered when peers know, or had their time.
pub(super) async fn leave(State(state): State<ApiState>, headers: HeaderMap) -> Result<Json<Farewell>, Problem> {
    host::refuse_other_sites(&headers)?;
    match state.registrar.submit(Command::Leave).await? {
        Done::Announced { confirmed, asked } => Ok(Json(Farewell { confirmed, asked })),
        _ => Ok(Json(Farewell { confirmed: 0, asked: 0 })),
    }
}

/// How many peers were told of the leave.
#[derive(Serialize, JsonSchema)]
pub(super) struct Farewell {
    confirmed: usize,
    asked: usize,
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use serde_json::json;

    use super::*;
    use crate::{
        http::testing::{Api, changed, instance, node, registered},
        model::{Change, Refusal, Registration, Status},
    };

    #[tokio::test]
    async fn the_agent_says_who_it_is_and_what_it_allows() {
        let agent = Api::new().json("/v1/agent").await;
        let shown = |field: &str| agent[field].clone();
        assert_eq!(shown("node_id"), "000000000000000a");
        assert_eq!((shown("name"), shown("cluster"), shown("domain")), (json!("here"), json!("default"), json!("tidings.internal")));
        assert_eq!((shown("generation"), shown("version"), shown("ready")), (json!(3), json!("0.1.0"), json!(true)));
        assert_eq!((shown("addresses"), shown("gossip")), (json!(["10.0.0.10"]), json!("10.0.0.1:8746")));
        assert_eq!((shown("zone"), shown("meta"), shown("name_conflict")), (json!("rack-1"), json!({"os": "linux"}), json!(null)));
        assert_eq!(shown("members"), json!({"alive": 1, "suspect": 0, "restarting": 0, "down": 0, "left": 0}));
        assert_eq!(agent["limits"]["tags"], limits::TAGS);
        assert_eq!(agent["limits"].as_object().unwrap().len(), 12);
    }

    #[tokio::test]
    async fn what_came_back_from_the_past_is_listed_until_it_is_removed_or_registered_in_another_way() {
        let api = Api::new();
        let came_back = async || api.json("/v1/agent").await["came_back"].clone();
        assert_eq!(came_back().await, json!([]));
        let instances = ["web-1", "web-2"].map(|id| instance(id, "web", &[], &[]));
        api.publish(instances.iter().map(|instance| registered(10, instance.clone(), Status::Passing)));
        api.publish([Change::CameBack(instances.iter().map(|instance| instance.id.clone()).collect())]);
        assert_eq!(came_back().await, json!(["web-1", "web-2"]));
        api.publish([Change::InstanceGone { node: NodeId(10), id: instances[0].id.clone() }]);
        assert_eq!(came_back().await, json!(["web-2"]));
        api.publish([Change::Registered(Registration::plain(instances[1].clone()).into())]);
        assert_eq!(came_back().await, json!([]));
    }

    #[tokio::test]
    async fn another_holder_of_its_name_is_shown_with_its_address() {
        let api = Api::new();
        api.publish([Change::Node(node(2, "here").into()), changed(node(3, "gone"), |node| node.state = MemberState::Down)]);
        let agent = api.json("/v1/agent").await;
        assert_eq!(agent["name_conflict"], json!({"node_id": "0000000000000002", "gossip": "10.0.0.2:8746"}));
        assert_eq!((&agent["members"]["alive"], &agent["members"]["down"]), (&json!(2), &json!(1)));
    }

    #[tokio::test]
    async fn leaving_tells_how_many_peers_know() {
        let answer = Api::new().send("POST", "/v1/agent/leave", None, Body::empty()).await;
        assert_eq!((answer.status, answer.json()), (200, json!({"confirmed": 2, "asked": 3})));
    }

    #[tokio::test]
    async fn a_page_of_another_site_can_not_make_an_agent_leave() {
        let api = Api::new();
        let leave = async |origin: &str| api.ask("POST", "/v1/agent/leave", &[("origin", origin)], Body::empty()).await;
        for other in ["https://evil.example", "http://localhost:3000", "null"] {
            let answer = leave(other).await;
            assert_eq!((answer.status, answer.problem().as_str()), (403, "cross-site"), "{other}");
        }
        assert_eq!(leave("http://localhost").await.status, 200);
    }

    #[tokio::test]
    async fn leaving_twice_is_refused() {
        let answer = Api::answering(Err(Refusal::Leaving)).send("POST", "/v1/agent/leave", None, Body::empty()).await;
        assert_eq!((answer.status, answer.problem().as_str()), (503, "leaving"));
    }
}
