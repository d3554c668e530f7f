//! Checks, as they were given and as they turned out.

use std::time::{Duration, SystemTime};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::written::{fields, optional_duration, optional_time, time};
use crate::{
    catalog::{Entry, NodeEntry, Snapshot},
    checks::Output,
    http::openapi::shapes,
    kinds,
    model::{Check, CheckId, CheckState, Health, Status},
};

/// A check as it was given, with what was left out filled in.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Check")]
pub(in crate::http) struct CheckView<'a> {
    #[schemars(schema_with = "shapes::id")]
    id: &'a str,
    #[serde(flatten, serialize_with = "fields")]
    #[schemars(schema_with = "shapes::fields_of_kinds")]
    of_kind: Vec<(&'static str, Value)>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "optional_duration")]
    #[schemars(schema_with = "shapes::duration")]
    interval: Option<Duration>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "optional_duration")]
    #[schemars(schema_with = "shapes::duration")]
    timeout: Option<Duration>,
    rise: u16,
    fall: u16,
    #[schemars(schema_with = "shapes::status")]
    initial: &'static str,
}

impl<'a> From<&'a Check> for CheckView<'a> {
    fn from(check: &'a Check) -> Self {
        let is_run = check.probe.ttl.is_none();
        CheckView {
            id: check.id.as_str(),
            of_kind: kinds::given(&check.probe),
            interval: Some(check.interval).filter(|_| is_run),
            timeout: Some(check.timeout).filter(|_| is_run),
            rise: check.rise,
            fall: check.fall,
            initial: check.initial.as_str(),
        }
    }
}

/// What a check has yielded.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CheckState")]
pub(in crate::http) struct CheckStateView<'a> {
    #[schemars(schema_with = "shapes::id")]
    id: &'a str,
    #[schemars(schema_with = "shapes::status")]
    status: &'static str,
    reason: &'a str,
}

impl<'a> CheckStateView<'a> {
    fn new(id: &'a CheckId, state: &'a CheckState) -> Self {
        CheckStateView { id: id.as_str(), status: state.status.as_str(), reason: &state.reason }
    }
}

/// A check with what its last run said, for those who look for the cause.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CheckRun")]
pub(in crate::http) struct CheckRunView<'a> {
    #[serde(flatten)]
    state: CheckStateView<'a>,
    /// What the last run, or the last heartbeat, said; null before the first one since the agent started.
    output: Option<&'a str>,
    /// How long that run took; `0s` for a heartbeat.
    #[serde(serialize_with = "optional_duration")]
    #[schemars(schema_with = "shapes::optional_took")]
    took: Option<Duration>,
    /// When it ended.
    #[serde(serialize_with = "optional_time")]
    #[schemars(schema_with = "shapes::optional_time")]
    ended: Option<SystemTime>,
}

impl<'a> CheckRunView<'a> {
    pub(in crate::http) fn new(id: &'a CheckId, state: &'a CheckState, last: Option<&'a Output>) -> Self {
        // What is shorter than a microsecond is noise.
        let took = last.map(|last| Duration::from_micros(u64::try_from(last.duration.as_micros()).unwrap_or(u64::MAX)));
        CheckRunView { state: CheckStateView::new(id, state), output: last.map(|last| &*last.text), took, ended: last.map(|last| last.at) }
    }
}

/// How an instance is, apart from its definition.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Health")]
pub(in crate::http) struct HealthView<'a> {
    #[schemars(schema_with = "shapes::status")]
    status: &'static str,
    #[serde(serialize_with = "time")]
    #[schemars(schema_with = "shapes::time")]
    since: SystemTime,
    maintenance: Option<&'a str>,
    checks: Vec<CheckStateView<'a>>,
}

impl<'a> From<&'a Entry> for HealthView<'a> {
    fn from(entry: &'a Entry) -> Self {
        HealthView {
            status: entry.status.as_str(),
            since: entry.since,
            maintenance: entry.health.maintenance.as_deref(),
            checks: states(&entry.health).collect(),
        }
    }
}

/// All that the checks of something have yielded.
pub(in crate::http) fn states(health: &Health) -> impl Iterator<Item = CheckStateView<'_>> {
    health.checks.iter().map(|(id, state)| CheckStateView::new(id, state))
}

/// A check as the cluster finds it. One of a node is of no service and no instance.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FoundCheck")]
pub(in crate::http) struct FoundCheckView<'a> {
    node: Option<&'a str>,
    service: Option<&'a str>,
    instance: Option<&'a str>,
    #[serde(flatten)]
    state: CheckStateView<'a>,
}

impl<'a> FoundCheckView<'a> {
    /// Whether it is in this status.
    pub(in crate::http) fn is(&self, status: Status) -> bool {
        self.state.status == status.as_str()
    }

    /// All checks of a node itself.
    pub(in crate::http) fn of_node(entry: &'a NodeEntry) -> impl Iterator<Item = FoundCheckView<'a>> {
        let node = Some(entry.node.info.name.as_str());
        states(&entry.node.health).map(move |state| FoundCheckView { node, service: None, instance: None, state })
    }

    /// All checks of an instance.
    pub(in crate::http) fn of(snapshot: &'a Snapshot, entry: &'a Entry) -> impl Iterator<Item = FoundCheckView<'a>> {
        let node = snapshot.node(entry.node).map(|owner| owner.node.info.name.as_str());
        let (service, instance) = (Some(entry.instance.service.as_str()), Some(entry.instance.id.as_str()));
        states(&entry.health).map(move |state| FoundCheckView { node, service, instance, state })
    }
}
