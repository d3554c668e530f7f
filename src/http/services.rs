//! `/v1/services`: the names that instances share.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use serde::Serialize;

use super::{
    ApiState, collection,
    parameters::Parameters,
    path::Named,
    problem::{Problem, ProblemType},
};
use crate::{
    catalog::{ServiceEntry, Snapshot, select::held_back},
    model::{ServiceName, Status},
};

/// `GET /v1/services[?prefix=]`, by name.
pub(super) async fn list(State(state): State<ApiState>, mut query: Parameters) -> Result<Response, Problem> {
    let prefix = query.one("prefix", read_prefix).unwrap_or_default();
    query.finish()?;

    let snapshot = state.catalog.load();
    let services = snapshot.services().filter(|(name, _)| name.as_str().starts_with(&prefix));
    let items = services.map(|(name, instances)| ServiceView::new(&snapshot, name, instances)).collect();
    Ok(collection::found(&snapshot, items)?.into_response())
}

/// `GET /v1/services/{service}`: also where none of its instances is healthy.
pub(super) async fn show(State(state): State<ApiState>, Named(name): Named<ServiceName>) -> Result<Response, Problem> {
    let snapshot = state.catalog.load();
    let absent = || Problem::new(ProblemType::NoSuchService, format!("no instance of a service {name} is registered anywhere"));
    let instances = collection::known(&snapshot, snapshot.service(name.as_str()), absent)?;
    Ok(Json(ServiceView::new(&snapshot, &name, instances)).into_response())
}

/// The start of a service's name, in lower case as those are.
fn read_prefix(text: &str) -> Result<String, String> {
    match text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        true => Ok(text.to_ascii_lowercase()),
        false => Err(format!("{text:?} starts no service's name: those have letters, digits and hyphens only")),
    }
}

#[derive(Serialize)]
struct ServiceView<'a> {
    name: &'a str,
    /// Those of all its instances. Of tags that differ in case only, the first one.
    tags: Vec<&'a str>,
    counts: Counts,
}

/// How many instances there are. Each has one status, and may be held back for whatever reason besides.
#[derive(Serialize, Default)]
struct Counts {
    total: usize,
    passing: usize,
    warning: usize,
    critical: usize,
    held_back: usize,
}

impl<'a> ServiceView<'a> {
    fn new(snapshot: &Snapshot, name: &'a ServiceName, instances: &'a ServiceEntry) -> Self {
        let mut tags = BTreeMap::new();
        let mut counts = Counts::default();
        for entry in instances.values() {
            for tag in &entry.instance.tags {
                tags.entry(tag.as_str().to_ascii_lowercase()).or_insert(tag.as_str());
            }
            counts.total += 1;
            *match entry.status {
                Status::Passing => &mut counts.passing,
                Status::Warning => &mut counts.warning,
                Status::Critical => &mut counts.critical,
            } += 1;
            counts.held_back += usize::from(held_back(snapshot, entry).is_some());
        }
        ServiceView { name: name.as_str(), tags: tags.into_values().collect(), counts }
    }
}
