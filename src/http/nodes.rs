//! `/v1/nodes`: the members of the cluster.

use axum::{extract::State, http::StatusCode};

use super::{
    ApiState,
    collection::{self, Collection},
    conditional::Shown,
    openapi::{Answer, Content, Operation},
    page::Page,
    parameters::{Parameters, one_of},
    path::{Named, NamedPair},
    problem::{Problem, ProblemType},
    representation::{InstanceView, NodeView},
};
use crate::{
    catalog::{Interest, NodeEntry, Snapshot},
    model::{Command, InstanceId, MemberState, NodeName, Zone},
};

pub(super) const STATES: [MemberState; 5] =
    [MemberState::Alive, MemberState::Suspect, MemberState::Restarting, MemberState::Down, MemberState::Left];

pub(super) const LIST: Operation =
    Operation::read("listNodes", "The members of the cluster", Content::json::<Collection<NodeView<'_>>>()).fails(&[ProblemType::NotReady]);

/// `GET /v1/nodes[?state=&zone=&limit=&cursor=]`, by id.
pub(super) async fn list(State(state): State<ApiState>, mut query: Parameters) -> Result<Shown, Problem> {
    let wanted_state = query.one("state", |text| one_of(&STATES.map(|state| (state.as_str(), state)), text));
    let wanted_zone = query.one("zone", Zone::new);
    let page = Page::read(&mut query);
    query.finish()?;

    let snapshot = state.catalog.load();
    let nodes = snapshot
        .nodes_after(page.after)
        .filter(|entry| wanted_state.is_none_or(|state| entry.node.state == state))
        .filter(|entry| wanted_zone.is_none() || entry.node.info.zone == wanted_zone);
    let (nodes, next) = page.cut(nodes, |entry| entry.node.id);
    let items = nodes.into_iter().map(|entry| NodeView::new(&snapshot, entry)).collect();
    // What they own is counted, so it shows.
    Collection { items, next }.found(&snapshot, Interest::Everything)
}

pub(super) const SHOW: Operation = Operation::read("getNode", "The node that holds a name", Content::json::<NodeView<'_>>())
    .fails(&[ProblemType::NoSuchNode, ProblemType::NotReady]);

/// `GET /v1/nodes/{node}`: the holder of the name.
pub(super) async fn show(State(state): State<ApiState>, Named(name): Named<NodeName>) -> Result<Shown, Problem> {
    let snapshot = state.catalog.load();
    let entry = holder(&snapshot, &name)?;
    Ok(Shown::new(&NodeView::new(&snapshot, entry), Interest::Everything))
}

pub(super) const FORGET: Operation =
    Operation::write("forgetNode", "Forgets a node that is down or left, everywhere", Answer::done("It is gone")).fails(&[
        ProblemType::NoSuchNode,
        ProblemType::NodeIsUp,
        ProblemType::TooManyForgotten,
        ProblemType::NotReady,
    ]);

/// `DELETE /v1/nodes/{node}`: forgets the node that holds the name. Others hear of it soon after.
pub(super) async fn forget(State(state): State<ApiState>, Named(name): Named<NodeName>) -> Result<StatusCode, Problem> {
    let node = holder(&state.catalog.load(), &name)?.node.id;
    state.registrar.submit(Command::Forget(node)).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) const INSTANCES: Operation = Operation::read(
    "listNodeInstances",
    "All instances of a node, those held back included",
    Content::json::<Collection<InstanceView<'_>>>(),
)
.fails(&[ProblemType::NoSuchNode, ProblemType::NotReady]);

/// `GET /v1/nodes/{node}/instances`: all that the node owns, by id.
pub(super) async fn instances(State(state): State<ApiState>, Named(name): Named<NodeName>) -> Result<Shown, Problem> {
    let snapshot = state.catalog.load();
    let owner = holder(&snapshot, &name)?;
    let items = snapshot.instances_of(owner.node.id).map(|entry| InstanceView::on(Some(owner), entry)).collect();
    Ok(Shown::new(&Collection::whole(items), Interest::Everything))
}

pub(super) const INSTANCE: Operation = Operation::read("getNodeInstance", "An instance of a node", Content::json::<InstanceView<'_>>())
    .fails(&[ProblemType::NoSuchNode, ProblemType::NoSuchInstance, ProblemType::NotReady]);

/// `GET /v1/nodes/{node}/instances/{id}`
pub(super) async fn instance(
    State(state): State<ApiState>,
    NamedPair(name, id): NamedPair<NodeName, InstanceId>,
) -> Result<Shown, Problem> {
    let snapshot = state.catalog.load();
    let owner = holder(&snapshot, &name)?;
    let absent = || Problem::new(ProblemType::NoSuchInstance, format!("node {name} has no instance {id}"));
    let entry = collection::known(&snapshot, snapshot.instance(owner.node.id, &id), absent)?;
    Ok(Shown::new(&InstanceView::on(Some(owner), entry), Interest::Everything))
}

/// The node that holds a name.
fn holder<'a>(snapshot: &'a Snapshot, name: &NodeName) -> Result<&'a NodeEntry, Problem> {
    let absent = || Problem::new(ProblemType::NoSuchNode, format!("no node {name} is in the cluster"));
    collection::known(snapshot, snapshot.holder(name.as_str()), absent)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::{
        http::testing::{Api, changed, instance, node, registered},
        model::{Change, MemberState, NodeId, Status, Zone},
    };

    #[tokio::test]
    async fn a_node_is_shown_with_the_reason_for_its_state_and_since_when() {
        let api = cluster();
        let expected = json!({
            "id": "0000000000000002", "name": "db-1", "state": "down", "reason": "did not answer", "since": "2026-01-01T12:00:00.000Z",
            "addresses": ["10.0.0.2"], "gossip": "10.0.0.2:8746", "zone": "rack-2", "meta": {"os": "linux"}, "version": "0.1.0",
            "generation": 3, "maintenance": null, "encryption": {"mode": "off", "keys": []}, "checks": [], "instances": 1, "name_conflict": false,
        });
        assert_eq!(api.json("/v1/nodes/DB-1").await, expected);
    }

    #[tokio::test]
    async fn nodes_are_listed_by_id_and_filtered_by_state_and_zone() {
        let api = cluster();
        assert_eq!(api.items("/v1/nodes", "name").await, ["db-1", "db-2", "here"]);
        assert_eq!(api.items("/v1/nodes?state=down", "name").await, ["db-1"]);
        assert_eq!(api.items("/v1/nodes?zone=RACK-1", "name").await, ["db-2", "here"]);
        assert!(api.items("/v1/nodes?state=down&zone=rack-1", "name").await.is_empty());
    }

    #[tokio::test]
    async fn pages_go_on_where_the_last_one_ended_whatever_came_and_went() {
        let api = cluster();
        let first = api.json("/v1/nodes?limit=1").await;
        assert_eq!((&first["items"][0]["name"], first["items"].as_array().unwrap().len()), (&json!("db-1"), 1));
        let next = first["next"].as_str().unwrap().to_owned();
        api.publish([Change::NodeGone(NodeId(2)), Change::Node(node(1, "early").into())]);
        assert_eq!(api.items(&format!("/v1/nodes?limit=2&cursor={next}"), "name").await, ["db-2", "here"]);
        assert_eq!(api.items(&format!("/v1/nodes?state=alive&cursor={next}"), "name").await, ["db-2", "here"]);
    }

    #[tokio::test]
    async fn a_page_that_can_not_be_is_refused() {
        for list in ["nodes", "services", "instances"] {
            let answer = cluster().get(&format!("/v1/{list}?limit=0&cursor=-")).await;
            assert_eq!((answer.status, answer.problem().as_str()), (400, "invalid-query"), "{list}");
            assert!(answer.errors()["limit"].contains("1 to 10000") && answer.errors()["cursor"].contains("next"), "{list}");
        }
    }

    #[tokio::test]
    async fn a_filter_that_can_match_nothing_is_refused() {
        let answer = cluster().get("/v1/nodes?state=dead&zone=a_b").await;
        assert_eq!((answer.status, answer.problem().as_str()), (400, "invalid-query"));
        assert!(answer.errors()["state"].contains("alive, suspect, restarting, down, left"));
        assert!(answer.errors()["zone"].contains("RFC 1123"));
    }

    #[tokio::test]
    async fn where_two_bear_a_name_its_holder_is_found_and_the_other_listed_as_in_conflict() {
        let api = cluster();
        api.publish([Change::Node(node(4, "db-2").into())]);
        assert_eq!(api.json("/v1/nodes/db-2").await["id"], "0000000000000003");
        let list = api.json("/v1/nodes").await;
        let conflicts: Vec<_> = list["items"].as_array().unwrap().iter().filter(|node| node["name_conflict"] == true).collect();
        assert_eq!(conflicts.len(), 1);
        assert_eq!(conflicts[0]["id"], "0000000000000004");
    }

    #[tokio::test]
    async fn an_unknown_node_does_not_exist_only_when_the_agent_can_know() {
        let answer = cluster().get("/v1/nodes/db-9").await;
        assert_eq!((answer.status, answer.problem().as_str()), (404, "no-such-node"));
        let fresh = Api::not_ready();
        for path in ["/v1/nodes/db-9", "/v1/nodes?state=down"] {
            let answer = fresh.get(path).await;
            assert_eq!((answer.status, answer.problem().as_str(), answer.header("retry-after")), (503, "not-ready", Some("1")), "{path}");
        }
        assert_eq!(fresh.json("/v1/nodes/here").await["state"], "alive");
        assert_eq!(fresh.items("/v1/nodes", "name").await, ["here"]);
    }

    #[tokio::test]
    async fn what_is_no_name_is_no_node() {
        let answer = cluster().get("/v1/nodes/db_1").await;
        assert_eq!((answer.status, answer.problem().as_str()), (400, "invalid-name"));
    }

    fn cluster() -> Api {
        let api = Api::new();
        let down = changed(node(2, "db-1"), |node| {
            node.state = MemberState::Down;
            node.reason = "did not answer";
            node.info.zone = Some(Zone::new("rack-2").unwrap());
        });
        api.publish([down, Change::Node(node(3, "db-2").into()), registered(2, instance("db", "db", &[], &[]), Status::Passing)]);
        api
    }
}
