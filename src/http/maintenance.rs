//! Maintenance: an operator takes an instance, or the whole node, out of discovery, and lets it back in.

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode},
};

use super::{ApiState, body, path::Named, problem::Problem};
use crate::{
    definition,
    model::{Command, InstanceId},
};

/// `PUT /v1/agent/instances/{id}/maintenance`
pub(super) async fn begin(
    State(state): State<ApiState>,
    Named(id): Named<InstanceId>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Problem> {
    let reason = reason(&headers, body).await?;
    maintain(state, Some(id), Some(reason)).await
}

/// `DELETE /v1/agent/instances/{id}/maintenance`
pub(super) async fn end(State(state): State<ApiState>, Named(id): Named<InstanceId>) -> Result<StatusCode, Problem> {
    maintain(state, Some(id), None).await
}

/// `PUT /v1/agent/maintenance`
pub(super) async fn begin_node(State(state): State<ApiState>, headers: HeaderMap, body: Body) -> Result<StatusCode, Problem> {
    let reason = reason(&headers, body).await?;
    maintain(state, None, Some(reason)).await
}

/// `DELETE /v1/agent/maintenance`
pub(super) async fn end_node(State(state): State<ApiState>) -> Result<StatusCode, Problem> {
    maintain(state, None, None).await
}

async fn reason(headers: &HeaderMap, body: Body) -> Result<String, Problem> {
    let value = body::json(headers, body, body::BODY_TIME).await?;
    definition::notes::reason(&value).map_err(Problem::invalid_definition)
}

async fn maintain(state: ApiState, instance: Option<InstanceId>, reason: Option<String>) -> Result<StatusCode, Problem> {
    state.registrar.submit(Command::Maintain { instance, reason }).await?;
    Ok(StatusCode::NO_CONTENT)
}
