//! Checks: what they have yielded, here and elsewhere, and heartbeats.

use axum::{
    Json,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};

use super::{
    ApiState, body, collection, definition,
    parameters::{Parameters, one_of},
    path::{Named, NamedPair},
    problem::{Problem, ProblemType},
    representation::{FoundCheckView, HealthView},
};
use crate::{
    catalog::select::Filter,
    model::{CheckId, Command, InstanceId, NodeName, ServiceName, Status},
};

/// What `status` takes.
const STATUSES: [(&str, Status); 3] = [("passing", Status::Passing), ("warning", Status::Warning), ("critical", Status::Critical)];

/// `GET /v1/checks`, by node id, instance id and check id.
pub(super) async fn list(State(state): State<ApiState>, mut query: Parameters) -> Result<Response, Problem> {
    let status = query.one("status", |text| one_of(&STATUSES, text));
    let filter = Filter {
        service: query.one("service", ServiceName::new),
        node: query.one("node", NodeName::new),
        any_status: true,
        ..Filter::default()
    };
    query.finish()?;

    let snapshot = state.catalog.load();
    let wanted = |check: &FoundCheckView<'_>| status.is_none_or(|status| check.is(status));
    let items = filter.apply(&snapshot).into_iter().flat_map(|entry| FoundCheckView::of(&snapshot, entry)).filter(wanted).collect();
    Ok(collection::found(&snapshot, items)?.into_response())
}

/// `GET /v1/agent/instances/{id}/status`
pub(super) async fn show(State(state): State<ApiState>, Named(id): Named<InstanceId>) -> Result<Response, Problem> {
    let snapshot = state.catalog.load();
    match snapshot.instance(snapshot.local, &id) {
        Some(entry) => Ok(Json(HealthView::from(&**entry)).into_response()),
        None => Err(Problem::new(ProblemType::NoSuchInstance, format!("no instance {id} is registered with this agent"))),
    }
}

/// `PUT /v1/agent/instances/{id}/checks/{check}/status`
pub(super) async fn heartbeat(
    State(state): State<ApiState>,
    NamedPair(instance, check): NamedPair<InstanceId, CheckId>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Problem> {
    let value = body::json(&headers, body, body::BODY_TIME).await?;
    let state_of = definition::notes::heartbeat(&value).map_err(Problem::invalid_definition)?;
    state.registrar.submit(Command::Heartbeat { instance, check, state: state_of }).await?;
    Ok(StatusCode::NO_CONTENT)
}
