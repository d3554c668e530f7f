//! `/v1/instances`: the search.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};

use super::{
    ApiState,
    collection::{self, Collection},
    openapi::{Content, Operation},
    page::{LARGEST_PAGE, Page, amount},
    parameters::{Parameters, one_of},
    problem::{Problem, ProblemType},
    representation::InstanceView,
};
use crate::{
    catalog::{
        Entry, Interest, Snapshot,
        select::{self, Filter},
    },
    model::{NodeName, ServiceName, Status, Tag, Zone},
};

/// What `status` takes. Each word shows instances that are held back, too, with the reason.
pub(super) const STATUSES: [(&str, Option<Status>); 4] =
    [("any", None), ("passing", Some(Status::Passing)), ("warning", Some(Status::Warning)), ("critical", Some(Status::Critical))];

pub(super) const LIST: Operation =
    Operation::read("listInstances", "What is handed out, or is registered, anywhere", Content::json::<Collection<InstanceView<'_>>>())
        .sometimes_tagged()
        .fails(&[ProblemType::NotReady]);

/// `GET /v1/instances`, by node id and instance id. Without `status`: what is handed out. With `pick`: some of them, by weight.
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
    let page = Page::read(&mut query);
    let pick = query.one("pick", |text| match page.is_plain() {
        true => amount(text, LARGEST_PAGE),
        false => Err("pick gives no pages: leave out limit and cursor".to_owned()),
    });
    query.finish()?;

    let snapshot = state.catalog.load();
    if let Some(amount) = pick {
        return picked(&snapshot, &filter, amount);
    }
    let (found, next) = page.cut(filter.after(&snapshot, page.after.clone()), |entry| (entry.node, entry.instance.id.clone()));
    let interest = filter.service.clone().map_or(Interest::Everything, Interest::Service);
    Ok(Collection { items: views(&snapshot, &found), next }.found(&snapshot, interest)?.into_response())
}

/// Some of what matches, drawn anew for each request: nothing to be kept, compared or waited for.
fn picked(snapshot: &Snapshot, filter: &Filter, amount: usize) -> Result<Response, Problem> {
    let among: Vec<_> = filter.after(snapshot, None).collect();
    if among.is_empty() && !snapshot.ready {
        return Err(collection::not_ready());
    }
    #[expect(clippy::disallowed_methods, reason = "the shell draws; what it draws is in no history that is to be repeated")]
    let drawn = select::pick(&among, amount, &mut rand::rng());
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(Collection::whole(views(snapshot, &drawn)))).into_response())
}

fn views<'a>(snapshot: &'a Snapshot, entries: &[&'a Arc<Entry>]) -> Vec<InstanceView<'a>> {
    entries.iter().map(|entry| InstanceView::new(snapshot, entry)).collect()
}

/// `key:value`. A key has no colon, so the first one ends it.
fn read_pair(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once(':').map(|(key, value)| (key.to_owned(), value.to_owned()));
    pair.ok_or_else(|| format!("{text:?} is no pair; write key:value"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::{
        http::testing::{Api, changed, instance, node, registered},
        model::{Change, MemberState, Status, Zone},
    };

    #[tokio::test]
    async fn an_instance_is_shown_where_it_is_found() {
        let api = cluster();
        let expected = json!({
            "node": "one", "node_id": "0000000000000002", "id": "web-1", "service": "web", "addresses": ["10.0.0.2"], "port": 8080,
            "protocol": "tcp", "tags": ["v1", "eu"], "meta": {"git": "a:1"}, "weight": 10, "status": "passing",
            "since": "2026-01-01T12:00:00.000Z", "held_back": null,
        });
        assert_eq!(api.json("/v1/instances?service=web&tag=v1").await["items"], json!([expected]));
    }

    #[tokio::test]
    async fn a_search_matches_all_that_it_names() {
        let api = cluster();
        let check =
            async |query: &str, found: &[&str]| assert_eq!(api.items(&format!("/v1/instances{query}"), "id").await, found, "{query}");
        check("", &["db-1", "web-1", "web-2"]).await;
        check("?service=WEB", &["web-1", "web-2"]).await;
        check("?service=cache", &[]).await;
        check("?tag=EU", &["web-1", "web-2"]).await;
        check("?tag=eu&tag=V1", &["web-1"]).await;
        check("?meta=git:a:1", &["web-1"]).await;
        check("?meta=git:a:1&meta=x:y", &[]).await;
        check("?meta=git%3Aa%3A1", &["web-1"]).await;
        check("?node=One&service=db", &["db-1"]).await;
        check("?zone=rack-9&status=any", &["web-4"]).await;
    }

    #[tokio::test]
    async fn a_status_shows_those_held_back_too_and_why() {
        let api = cluster();
        let check =
            async |query: &str, found: &[&str]| assert_eq!(api.items(&format!("/v1/instances{query}"), "id").await, found, "{query}");
        check("?status=any", &["db-1", "web-1", "web-2", "web-3", "web-4", "web-5"]).await;
        check("?status=passing&service=web", &["web-1", "web-4", "web-5"]).await;
        check("?status=warning", &["web-2"]).await;
        check("?status=critical", &["web-3"]).await;

        let why = async |id: usize| api.json("/v1/instances?status=any").await["items"][id]["held_back"].clone();
        assert_eq!(why(2).await, json!(null));
        assert_eq!(why(3).await, json!({"reason": "critical", "detail": "its check test is critical: it is critical"}));
        assert_eq!(why(4).await, json!({"reason": "node_down", "detail": "node two is down: did not answer"}));
        assert_eq!(why(5).await, json!({"reason": "node_unknown", "detail": "its node is not known"}));
    }

    #[tokio::test]
    async fn pages_put_together_are_the_whole() {
        let api = cluster();
        let whole = api.items("/v1/instances?status=any", "id").await;
        for limit in [1, 2, 3, 5] {
            let (mut together, mut cursor) = (Vec::new(), String::new());
            loop {
                let page = api.json(&format!("/v1/instances?status=any&limit={limit}{cursor}")).await;
                let items = page["items"].as_array().unwrap();
                assert!(items.len() == limit || page["next"].is_null());
                together.extend(items.iter().map(|item| item["id"].as_str().unwrap().to_owned()));
                let Some(next) = page["next"].as_str() else { break };
                cursor = format!("&cursor={next}");
            }
            assert_eq!(together, whole, "{limit}");
        }
    }

    #[tokio::test]
    async fn a_pick_is_some_of_what_matches_and_nothing_to_be_kept() {
        let api = cluster();
        let answer = api.get("/v1/instances?service=web&pick=1").await;
        assert_eq!((answer.header("etag"), answer.header("cache-control")), (None, Some("no-store")));
        let picked = answer.json()["items"][0]["id"].as_str().unwrap().to_owned();
        assert!(["web-1", "web-2"].contains(&picked.as_str()), "{picked}");
        assert_eq!(api.items("/v1/instances?service=web&pick=9", "id").await, ["web-1", "web-2"]);
        assert!(api.items("/v1/instances?service=none&pick=1", "id").await.is_empty());
        let waiting = api.ask("GET", "/v1/instances?pick=1", &[("if-none-match", "*"), ("prefer", "wait=300")], axum::body::Body::empty());
        assert_eq!(waiting.await.status, 200);
        for bad in ["pick=0", "pick=a", "pick=10001", "pick=1&limit=1", "pick=1&cursor=000000000000000a.a"] {
            assert!(api.get(&format!("/v1/instances?{bad}")).await.errors().contains_key("pick"), "{bad}");
        }
        assert_eq!(Api::not_ready().get("/v1/instances?pick=1").await.status, 503);
    }

    #[tokio::test]
    async fn every_wrong_parameter_is_named_at_once() {
        let answer = cluster().get("/v1/instances?service=a_b&tag=%20&meta=git&node=&zone=-&status=healthy").await;
        assert_eq!((answer.status, answer.problem().as_str()), (400, "invalid-query"));
        let errors = answer.errors();
        assert_eq!(errors.keys().collect::<Vec<_>>(), ["meta", "node", "service", "status", "tag", "zone"]);
        assert!(errors["meta"].contains("key:value") && errors["status"].contains("any, passing, warning, critical"), "{errors:?}");
    }

    #[tokio::test]
    async fn finding_nothing_means_nothing_before_the_first_sync() {
        let fresh = Api::not_ready();
        let answer = fresh.get("/v1/instances?service=web").await;
        assert_eq!((answer.status, answer.problem().as_str(), answer.header("retry-after")), (503, "not-ready", Some("1")));
        fresh.publish([Change::Node(node(2, "one").into()), registered(2, instance("web-1", "web", &[], &[]), Status::Passing)]);
        assert_eq!(fresh.items("/v1/instances?service=web", "id").await, ["web-1"]);
    }

    fn cluster() -> Api {
        let api = Api::new();
        let down = changed(node(3, "two"), |node| {
            node.state = MemberState::Down;
            node.reason = "did not answer";
            node.info.zone = Some(Zone::new("rack-9").unwrap());
        });
        api.publish([
            Change::Node(node(2, "one").into()),
            down,
            registered(2, instance("web-1", "web", &["v1", "eu"], &[("git", "a:1")]), Status::Passing),
            registered(2, instance("web-2", "web", &["v2", "EU"], &[]), Status::Warning),
            registered(2, instance("web-3", "web", &[], &[]), Status::Critical),
            registered(2, instance("db-1", "db", &[], &[]), Status::Passing),
            registered(3, instance("web-4", "web", &[], &[]), Status::Passing),
            registered(4, instance("web-5", "web", &[], &[]), Status::Passing),
        ]);
        api
    }
}
