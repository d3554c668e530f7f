//! `/v1/nodes`: the members of the cluster.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};

use super::{
    ApiState, collection,
    parameters::{Parameters, one_of},
    path::Named,
    problem::{Problem, ProblemType},
    representation::NodeView,
};
use crate::model::{MemberState, NodeName, Zone};

const STATES: [MemberState; 5] = [MemberState::Alive, MemberState::Suspect, MemberState::Restarting, MemberState::Down, MemberState::Left];

/// `GET /v1/nodes[?state=&zone=]`, by id.
pub(super) async fn list(State(state): State<ApiState>, mut query: Parameters) -> Result<Response, Problem> {
    let wanted_state = query.one("state", |text| one_of(&STATES.map(|state| (state.as_str(), state)), text));
    let wanted_zone = query.one("zone", Zone::new);
    query.finish()?;

    let snapshot = state.catalog.load();
    let nodes = snapshot
        .nodes()
        .filter(|entry| wanted_state.is_none_or(|state| entry.node.state == state))
        .filter(|entry| wanted_zone.is_none() || entry.node.info.zone == wanted_zone);
    let items = nodes.map(|entry| NodeView::new(&snapshot, entry)).collect();
    Ok(collection::found(&snapshot, items)?.into_response())
}

/// `GET /v1/nodes/{node}`: the holder of the name.
pub(super) async fn show(State(state): State<ApiState>, Named(name): Named<NodeName>) -> Result<Response, Problem> {
    let snapshot = state.catalog.load();
    let absent = || Problem::new(ProblemType::NoSuchNode, format!("no node {name} is in the cluster"));
    let entry = collection::known(&snapshot, snapshot.holder(name.as_str()), absent)?;
    Ok(Json(NodeView::new(&snapshot, entry)).into_response())
}
