//! Checks: what they have yielded, here and elsewhere, and heartbeats.

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode},
};

use super::{
    ApiState, body,
    collection::Collection,
    conditional::Shown,
    openapi::{Answer, Content, HEARTBEAT, Operation},
    parameters::{Parameters, one_of},
    path::{Named, NamedPair},
    problem::{Problem, ProblemType},
    representation::{CheckRunView, FoundCheckView, HealthView},
};
use crate::{
    catalog::{Interest, select::Filter},
    definition,
    model::{CheckId, Command, Health, InstanceId, NodeName, Refusal, ServiceName, Status, check::Subject},
};

/// What `status` takes.
pub(super) const STATUSES: [(&str, Status); 3] =
    [("passing", Status::Passing), ("warning", Status::Warning), ("critical", Status::Critical)];

pub(super) const LIST: Operation =
    Operation::read("listChecks", "Checks of all instances, with their short reasons", Content::json::<Collection<FoundCheckView<'_>>>())
        .fails(&[ProblemType::NotReady]);

/// `GET /v1/checks[?status=&service=&node=]`: those of nodes by node id and check id, then those of instances by node id, instance id
/// and check id. Nodes have no service, so where one is asked for there are none of theirs.
pub(super) async fn list(State(state): State<ApiState>, mut query: Parameters) -> Result<Shown, Problem> {
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
    let of_nodes = snapshot
        .nodes()
        .filter(|entry| filter.service.is_none() && filter.node.as_ref().is_none_or(|name| entry.node.info.name == *name))
        .flat_map(FoundCheckView::of_node);
    let of_instances = filter.after(&snapshot, None).flat_map(|entry| FoundCheckView::of(&snapshot, entry));
    let items = of_nodes.chain(of_instances).filter(wanted).collect();
    let interest = filter.service.clone().map_or(Interest::Everything, Interest::Service);
    Collection::whole(items).found(&snapshot, interest)
}

pub(super) const SHOW: Operation =
    Operation::read("getOwnStatus", "How an instance is", Content::json::<HealthView<'_>>()).fails(&[ProblemType::NoSuchInstance]);

/// `GET /v1/agent/instances/{id}/status`
pub(super) async fn show(State(state): State<ApiState>, Named(id): Named<InstanceId>) -> Result<Shown, Problem> {
    let snapshot = state.catalog.load();
    match snapshot.instance(snapshot.local, &id) {
        Some(entry) => Ok(Shown::new(&HealthView::from(&**entry), Interest::Own)),
        None => Err(no_such_instance(&id)),
    }
}

fn no_such_instance(id: &InstanceId) -> Problem {
    Problem::new(ProblemType::NoSuchInstance, format!("no instance {id} is registered with this agent"))
}

pub(super) const LAST_RUN: Operation =
    Operation::read("getOwnCheck", "What the last run of a check said", Content::json::<CheckRunView<'_>>())
        .at_once()
        .fails(&[ProblemType::NoSuchInstance, ProblemType::NoSuchCheck]);

/// `GET /v1/agent/instances/{id}/checks/{check}`: the only read that the catalog does not decide alone, since what a run
/// said is told to nobody.
pub(super) async fn last_run(
    State(state): State<ApiState>,
    NamedPair(instance, check): NamedPair<InstanceId, CheckId>,
) -> Result<Shown, Problem> {
    let snapshot = state.catalog.load();
    let entry = snapshot.instance(snapshot.local, &instance).ok_or_else(|| no_such_instance(&instance))?;
    run_of(&state, Subject::Instance(instance), &entry.health, &check)
}

pub(super) const LAST_RUN_OF_NODE: Operation =
    Operation::read("getNodeCheck", "A check of the node itself, with all that its last run said", Content::json::<CheckRunView<'_>>())
        .fails(&[ProblemType::NoSuchCheck]);

/// `GET /v1/agent/checks/{check}`
pub(super) async fn last_run_of_node(State(state): State<ApiState>, Named(check): Named<CheckId>) -> Result<Shown, Problem> {
    let snapshot = state.catalog.load();
    let nothing = Health::default();
    run_of(&state, Subject::Node, snapshot.node(snapshot.local).map_or(&nothing, |entry| &entry.node.health), &check)
}

fn run_of(state: &ApiState, subject: Subject, health: &Health, check: &CheckId) -> Result<Shown, Problem> {
    let Some(found) = health.checks.get(check) else {
        return Err(Refusal::NoSuchCheck(subject, check.clone()).into());
    };
    let last = state.outputs.get(&subject, check);
    Ok(Shown::untold(&CheckRunView::new(check, found, last.as_ref())))
}

pub(super) const BEAT: Operation =
    Operation::write("putHeartbeat", "Says how an instance is, for a check with a ttl", Answer::done("It is taken note of"))
        .takes(HEARTBEAT)
        .fails(&[ProblemType::NoSuchInstance, ProblemType::NoSuchCheck, ProblemType::NoHeartbeats]);

/// `PUT /v1/agent/instances/{id}/checks/{check}/status`
pub(super) async fn heartbeat(
    State(state): State<ApiState>,
    NamedPair(instance, check): NamedPair<InstanceId, CheckId>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Problem> {
    take_heartbeat(state, Subject::Instance(instance), check, &headers, body).await
}

pub(super) const BEAT_OF_NODE: Operation =
    Operation::write("putNodeHeartbeat", "Says how the node is, for one of its own checks with a ttl", Answer::done("It is taken note of"))
        .takes(HEARTBEAT)
        .fails(&[ProblemType::NoSuchCheck, ProblemType::NoHeartbeats]);

/// `PUT /v1/agent/checks/{check}/status`
pub(super) async fn heartbeat_of_node(
    State(state): State<ApiState>,
    Named(check): Named<CheckId>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Problem> {
    take_heartbeat(state, Subject::Node, check, &headers, body).await
}

async fn take_heartbeat(state: ApiState, subject: Subject, check: CheckId, headers: &HeaderMap, body: Body) -> Result<StatusCode, Problem> {
    let value = body::json(headers, body, body::BODY_TIME).await?;
    let (found, output) = definition::notes::heartbeat(&value).map_err(Problem::invalid_definition)?;
    state.registrar.submit(Command::Heartbeat { subject, check, state: found, output }).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::http::testing::Api;

    const PORT: &str = "/v1/agent/instances/web-1/checks/port";

    #[tokio::test]
    async fn a_check_is_shown_with_what_its_last_run_said() {
        let api = watched().await;
        let before = api.json(PORT).await;
        let unknown = json!({"id": "port", "status": "critical", "reason": "not checked yet", "output": null, "took": null, "ended": null});
        assert_eq!(before, unknown);
        say(&api, "refused\nand again");
        let after = api.json(PORT).await;
        assert_eq!((&after["output"], &after["took"]), (&json!("refused\nand again"), &json!("1ms 500µs")));
        assert!(after["ended"].as_str().is_some_and(|at| at.ends_with('Z')), "{after}");
    }

    #[tokio::test]
    async fn a_run_shows_in_the_tag_of_its_check_and_nowhere_else() {
        let api = watched().await;
        let tags = async || {
            let mut tags = Vec::new();
            for path in [PORT, "/v1/agent/instances/web-1/status", "/v1/agent/instances/web-1", "/v1/checks"] {
                tags.push(api.get(path).await.header("etag").unwrap().to_owned());
            }
            tags
        };
        let before = tags().await;
        say(&api, "refused");
        let after = tags().await;
        assert_ne!(before[0], after[0]);
        assert_eq!(before[1..], after[1..]);
    }

    #[tokio::test]
    async fn what_nobody_is_told_of_can_not_be_waited_for() {
        let api = watched().await;
        let answer = api.ask("GET", PORT, &[("if-none-match", "*"), ("prefer", "wait=300")], Body::empty()).await;
        assert_eq!((answer.status, answer.header("preference-applied")), (304, None));
        let answer = api.ask("GET", PORT, &[("if-none-match", "\"other\""), ("prefer", "wait=300")], Body::empty()).await;
        assert_eq!((answer.status, answer.header("preference-applied")), (200, None));
    }

    #[tokio::test]
    async fn what_is_not_watched_is_missed_by_its_name() {
        let api = watched().await;
        let check = async |path: &str, problem: &str| {
            let answer = api.get(path).await;
            assert_eq!((answer.status, answer.problem().as_str()), (404, problem), "{path}");
        };
        check("/v1/agent/instances/web-1/checks/other", "no-such-check").await;
        check("/v1/agent/instances/web-2/checks/port", "no-such-instance").await;
        assert_eq!(api.get("/v1/agent/instances/web-1/checks/%20").await.status, 400);
    }

    fn say(api: &Api, text: &str) {
        let (instance, check) = (InstanceId::new("web-1").unwrap(), CheckId::new("port").unwrap());
        api.state.outputs.put(&Subject::Instance(instance), &check, text.to_owned(), Duration::from_nanos(1_500_999));
    }

    async fn watched() -> Api {
        let api = Api::new();
        let definition = json!({"service": "web", "port": 80, "checks": [{"id": "port", "tcp": "127.0.0.1:80"}]});
        assert_eq!(api.put("/v1/agent/instances/web-1", definition).await.status, 201);
        api
    }
}
