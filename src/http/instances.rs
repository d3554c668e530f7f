//! `/v1/instances`: the search.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};

use super::{
    ApiState, collection,
    parameters::{Parameters, one_of},
    problem::Problem,
    representation::InstanceView,
};
use crate::{
    catalog::select::Filter,
    model::{NodeName, ServiceName, Status, Tag, Zone},
};

/// What `status` takes. Each word shows instances that are held back, too, with the reason.
const STATUSES: [(&str, Option<Status>); 4] =
    [("any", None), ("passing", Some(Status::Passing)), ("warning", Some(Status::Warning)), ("critical", Some(Status::Critical))];

/// `GET /v1/instances`, by node id and instance id. Without `status`: what is handed out.
pub(super) async fn list(State(state): State<ApiState>, mut query: Parameters) -> Result<Response, Problem> {
    let status = query.one("status", |text| one_of(&STATUSES, text));
    let filter = Filter {
        service: query.one("service", ServiceName::new),
        tags: query.every("tag", |text| Tag::new(text).map(|tag| tag.as_str().to_owned())),
        meta: query.every("meta", read_pair),
        node: query.one("node", NodeName::new),
        zone: query.one("zone", Zone::new),
        status: status.flatten(),
        any_status: status.is_some(),
    };
    query.finish()?;

    let snapshot = state.catalog.load();
    let items = filter.apply(&snapshot).into_iter().map(|entry| InstanceView::new(&snapshot, entry)).collect();
    Ok(collection::found(&snapshot, items)?.into_response())
}

/// `key:value`. A key has no colon, so the first one ends it.
fn read_pair(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once(':').map(|(key, value)| (key.to_owned(), value.to_owned()));
    pair.ok_or_else(|| format!("{text:?} is no pair; write key:value"))
}
