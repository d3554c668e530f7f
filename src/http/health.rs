//! `/health`: for those who run the agent.

use axum::extract::State;
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    ApiState, collection,
    conditional::Shown,
    openapi::{Content, Operation},
    problem::{Problem, ProblemType},
};
use crate::catalog::Interest;

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AgentHealth")]
pub(super) struct Health {
    status: &'static str,
}

const OK: Health = Health { status: "ok" };

pub(super) const LIVE: Operation = Operation::read("getLive", "Whether the agent runs", Content::json::<Health>());

/// `GET /health/live`: the agent runs.
pub(super) async fn live() -> Shown {
    Shown::fixed(&OK)
}

pub(super) const READY: Operation =
    Operation::read("getReady", "Whether the agent knows what the cluster knows", Content::json::<Health>())
        .fails(&[ProblemType::NotReady]);

/// `GET /health/ready`: it knows what the cluster knows.
pub(super) async fn ready(State(state): State<ApiState>) -> Result<Shown, Problem> {
    if state.catalog.load().ready { Ok(Shown::new(&OK, Interest::Nodes)) } else { Err(collection::not_ready()) }
}

#[cfg(test)]
mod tests {
    use crate::http::testing::Api;

    #[tokio::test]
    async fn an_agent_lives_before_it_is_ready() {
        let api = Api::not_ready();
        assert_eq!(api.json("/health/live").await["status"], "ok");
        let answer = api.get("/health/ready").await;
        assert_eq!((answer.status, answer.problem().as_str(), answer.header("retry-after")), (503, "not-ready", Some("1")));
        assert_eq!(Api::new().json("/health/ready").await["status"], "ok");
    }
}
