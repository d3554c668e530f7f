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
    parameters::{Parameters, one_of},
    path::{Named, NamedPair},
    problem::{Problem, ProblemType},
    representation::{FoundCheckView, HealthView},
};
use crate::{
    catalog::{Interest, select::Filter},
    definition,
    model::{CheckId, Command, InstanceId, NodeName, ServiceName, Status, check::Subject},
};

/// What `status` takes.
const STATUSES: [(&str, Status); 3] = [("passing", Status::Passing), ("warning", Status::Warning), ("critical", Status::Critical)];

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

/// `GET /v1/agent/instances/{id}/status`
pub(super) async fn show(State(state): State<ApiState>, Named(id): Named<InstanceId>) -> Result<Shown, Problem> {
    let snapshot = state.catalog.load();
    match snapshot.instance(snapshot.local, &id) {
        Some(entry) => Ok(Shown::new(&HealthView::from(&**entry), Interest::Own)),
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
    take_heartbeat(state, Subject::Instance(instance), check, &headers, body).await
}

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
    let state_of = definition::notes::heartbeat(&value).map_err(Problem::invalid_definition)?;
    state.registrar.submit(Command::Heartbeat { subject, check, state: state_of }).await?;
    Ok(StatusCode::NO_CONTENT)
}
