//! `/health`: for those who run the agent.

use axum::{Json, extract::State};
use serde::Serialize;

use super::{ApiState, collection, problem::Problem};

#[derive(Serialize)]
pub(super) struct Health {
    status: &'static str,
}

const OK: Json<Health> = Json(Health { status: "ok" });

/// `GET /health/live`: the agent runs.
pub(super) async fn live() -> Json<Health> {
    OK
}

/// `GET /health/ready`: it knows what the cluster knows.
pub(super) async fn ready(State(state): State<ApiState>) -> Result<Json<Health>, Problem> {
    if state.catalog.load().ready { Ok(OK) } else { Err(collection::not_ready()) }
}
