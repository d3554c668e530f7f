//! `/v1/services`: the names that instances share.

use std::collections::BTreeMap;

use axum::extract::State;
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    ApiState,
    collection::{self, Collection},
    conditional::Shown,
    openapi::{Content, Operation},
    page::Page,
    parameters::Parameters,
    path::Named,
    problem::{Problem, ProblemType},
};
use crate::{
    catalog::{Interest, ServiceEntry, Snapshot, select::held_back},
    model::{ServiceName, Status},
};

pub(super) const LIST: Operation =
    Operation::read("listServices", "The names that instances share", Content::json::<Collection<ServiceView<'_>>>())
        .fails(&[ProblemType::NotReady]);

/// `GET /v1/services[?prefix=&limit=&cursor=]`, by name.
pub(super) async fn list(State(state): State<ApiState>, mut query: Parameters) -> Result<Shown, Problem> {
    let prefix = query.one("prefix", read_prefix).unwrap_or_default();
    let page = Page::read(&mut query);
    query.finish()?;

    let snapshot = state.catalog.load();
    let services = snapshot.services_after(page.after.clone()).filter(|(name, _)| name.as_str().starts_with(&prefix));
    let (services, next) = page.cut(services, |(name, _)| (*name).clone());
    let items = services.into_iter().map(|(name, instances)| ServiceView::new(&snapshot, name, instances)).collect();
    Collection { items, next }.found(&snapshot, Interest::Everything)
}

pub(super) const SHOW: Operation = Operation::read("getService", "One service", Content::json::<ServiceView<'_>>())
    .fails(&[ProblemType::NoSuchService, ProblemType::NotReady]);

/// `GET /v1/services/{service}`: also where none of its instances is healthy.
pub(super) async fn show(State(state): State<ApiState>, Named(name): Named<ServiceName>) -> Result<Shown, Problem> {
    let snapshot = state.catalog.load();
    let absent = || Problem::new(ProblemType::NoSuchService, format!("no instance of a service {name} is registered anywhere"));
    let instances = collection::known(&snapshot, snapshot.service(name.as_str()), absent)?;
    let view = ServiceView::new(&snapshot, &name, instances);
    Ok(Shown::new(&view, Interest::Service(name.clone())))
}

/// The start of a service's name, in lower case as those are.
fn read_prefix(text: &str) -> Result<String, String> {
    match text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        true => Ok(text.to_ascii_lowercase()),
        false => Err(format!("{text:?} starts no service's name: those have letters, digits and hyphens only")),
    }
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Service")]
struct ServiceView<'a> {
    name: &'a str,
    /// Those of all its instances. Of tags that differ in case only, the first one.
    tags: Vec<&'a str>,
    counts: Counts,
}

/// How many instances there are. Each has one status, and may be held back for whatever reason besides.
#[derive(Serialize, JsonSchema, Default)]
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::{
        http::testing::{Api, changed, instance, node, registered},
        model::{Change, MemberState, Status},
    };

    #[tokio::test]
    async fn a_service_has_the_tags_of_all_its_instances_and_counts_them_by_status() {
        let expected = json!({
            "name": "web", "tags": ["a", "V1", "v2"],
            "counts": {"total": 4, "passing": 2, "warning": 1, "critical": 1, "held_back": 2},
        });
        let api = cluster();
        assert_eq!(api.json("/v1/services/Web").await, expected);
        assert_eq!(api.json("/v1/services").await["items"][1], expected);
    }

    #[tokio::test]
    async fn services_are_listed_by_name_and_filtered_by_prefix() {
        let api = cluster();
        assert_eq!(api.items("/v1/services", "name").await, ["dns", "web", "web-admin"]);
        assert_eq!(api.items("/v1/services?prefix=WEB", "name").await, ["web", "web-admin"]);
        assert_eq!(api.items("/v1/services?prefix=", "name").await.len(), 3);
        assert!(api.items("/v1/services?prefix=x", "name").await.is_empty());
        assert!(api.get("/v1/services?prefix=a_b").await.errors()["prefix"].contains("hyphens"));
    }

    #[tokio::test]
    async fn services_come_in_pages() {
        let api = cluster();
        let first = api.json("/v1/services?limit=1&prefix=web").await;
        assert_eq!((&first["items"][0]["name"], &first["next"]), (&json!("web"), &json!("web")));
        assert_eq!(api.items("/v1/services?limit=1&prefix=web&cursor=web", "name").await, ["web-admin"]);
    }

    #[tokio::test]
    async fn a_service_does_not_exist_only_when_the_agent_can_know() {
        let answer = cluster().get("/v1/services/db").await;
        assert_eq!((answer.status, answer.problem().as_str()), (404, "no-such-service"));
        let fresh = Api::not_ready();
        for path in ["/v1/services/db", "/v1/services"] {
            let answer = fresh.get(path).await;
            assert_eq!((answer.status, answer.problem().as_str(), answer.header("retry-after")), (503, "not-ready", Some("1")), "{path}");
        }
        fresh.publish([registered(2, instance("db-1", "db", &[], &[]), Status::Passing)]);
        assert_eq!(fresh.json("/v1/services/db").await["counts"]["total"], 1);
    }

    fn cluster() -> Api {
        let api = Api::new();
        api.publish([
            Change::Node(node(2, "one").into()),
            changed(node(3, "two"), |node| node.state = MemberState::Down),
            registered(2, instance("web-1", "web", &["V1"], &[]), Status::Passing),
            registered(2, instance("web-2", "web", &["v2", "a"], &[]), Status::Warning),
            registered(2, instance("web-3", "web", &["v1"], &[]), Status::Critical),
            registered(3, instance("web-1", "web", &["v2"], &[]), Status::Passing),
            registered(2, instance("adm", "web-admin", &[], &[]), Status::Passing),
            registered(3, instance("dns", "dns", &[], &[]), Status::Passing),
        ]);
        api
    }
}
