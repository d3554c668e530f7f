//! Maintenance: an operator takes an instance, or the whole node, out of discovery, and lets it back in.

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode},
};

use super::{
    ApiState, body,
    openapi::{Answer, Operation, REASON},
    path::Named,
    problem::{Problem, ProblemType},
};
use crate::{
    definition,
    model::{Command, InstanceId, check::Subject},
};

const DONE: Answer = Answer::done("It is so");

pub(super) const BEGIN: Operation =
    Operation::write("beginMaintenance", "Takes an instance out of discovery", DONE).takes(REASON).fails(&[ProblemType::NoSuchInstance]);

/// `PUT /v1/agent/instances/{id}/maintenance`
pub(super) async fn begin(
    State(state): State<ApiState>,
    Named(id): Named<InstanceId>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Problem> {
    let reason = reason(&headers, body).await?;
    maintain(state, Subject::Instance(id), Some(reason)).await
}

pub(super) const END: Operation =
    Operation::write("endMaintenance", "Lets an instance back in", DONE).fails(&[ProblemType::NoSuchInstance]);

/// `DELETE /v1/agent/instances/{id}/maintenance`
pub(super) async fn end(State(state): State<ApiState>, Named(id): Named<InstanceId>) -> Result<StatusCode, Problem> {
    maintain(state, Subject::Instance(id), None).await
}

pub(super) const BEGIN_NODE: Operation =
    Operation::write("beginNodeMaintenance", "Takes all instances of this node out of discovery", DONE).takes(REASON);

/// `PUT /v1/agent/maintenance`
pub(super) async fn begin_node(State(state): State<ApiState>, headers: HeaderMap, body: Body) -> Result<StatusCode, Problem> {
    let reason = reason(&headers, body).await?;
    maintain(state, Subject::Node, Some(reason)).await
}

pub(super) const END_NODE: Operation = Operation::write("endNodeMaintenance", "Lets this node back in", DONE);

/// `DELETE /v1/agent/maintenance`
pub(super) async fn end_node(State(state): State<ApiState>) -> Result<StatusCode, Problem> {
    maintain(state, Subject::Node, None).await
}

async fn reason(headers: &HeaderMap, body: Body) -> Result<String, Problem> {
    let value = body::json(headers, body, body::BODY_TIME).await?;
    definition::notes::reason(&value).map_err(Problem::invalid_definition)
}

async fn maintain(state: ApiState, subject: Subject, reason: Option<String>) -> Result<StatusCode, Problem> {
    state.registrar.submit(Command::Maintain { subject, reason }).await?;
    Ok(StatusCode::NO_CONTENT)
}
