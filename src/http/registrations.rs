//! `/v1/agent/instances`: the definitions that this agent owns, and the only place to write them.

use axum::{
    Json,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{
    ApiState, body, collection, definition,
    path::Named,
    problem::{Problem, ProblemType},
    representation::DefinitionView,
};
use crate::model::{Command, Done, InstanceId};

/// `GET /v1/agent/instances`
pub(super) async fn list(State(state): State<ApiState>) -> Response {
    let snapshot = state.catalog.load();
    let items = snapshot.instances_of(snapshot.local).map(|entry| DefinitionView::from(&*entry.instance)).collect();
    collection::whole(items).into_response()
}

/// `GET /v1/agent/instances/{id}`
pub(super) async fn show(State(state): State<ApiState>, Named(id): Named<InstanceId>) -> Result<Response, Problem> {
    let snapshot = state.catalog.load();
    match snapshot.instance(snapshot.local, &id) {
        Some(entry) => Ok(Json(DefinitionView::from(&*entry.instance)).into_response()),
        None => Err(Problem::new(ProblemType::NoSuchInstance, format!("no instance {id} is registered with this agent"))),
    }
}

/// `PUT /v1/agent/instances/{id}`: answered when it is durable.
pub(super) async fn put(
    State(state): State<ApiState>,
    Named(id): Named<InstanceId>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let value = body::json(&headers, body, body::BODY_TIME).await?;
    // An id needs no percent-encoding: all of its characters may stand in a path (RFC 3986, 3.3).
    let location = format!("/v1/agent/instances/{id}");
    let instance = definition::read(id, &value).map_err(Problem::invalid_definition)?;
    let done = state.registrar.submit(Command::Register(instance.clone())).await?;
    let definition = Json(DefinitionView::from(&instance));
    Ok(match done {
        Done::Created => (StatusCode::CREATED, [(header::LOCATION, location)], definition).into_response(),
        Done::Replaced | Done::Unchanged | Done::Removed | Done::Announced { .. } => definition.into_response(),
    })
}

/// `DELETE /v1/agent/instances/{id}`: answered when it is durable.
pub(super) async fn delete(State(state): State<ApiState>, Named(id): Named<InstanceId>) -> Result<StatusCode, Problem> {
    state.registrar.submit(Command::Deregister(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}
