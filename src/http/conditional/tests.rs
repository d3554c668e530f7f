use std::{pin::Pin, time::Duration};

use axum::body::Body;
use tokio::{task::yield_now, time::timeout};

use super::*;
use crate::{
    http::testing::{Answer, Api, changed, instance, node, registered},
    model::{Change, MemberState, NodeId, Status},
};

const WEB: &str = "/v1/instances?service=web";
const DEADLINE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn what_the_client_has_is_not_sent_again() {
    let api = cluster();
    for path in ["/v1", "/v1/agent", "/v1/agent/instances", "/v1/agent/instances/own", "/v1/nodes", "/v1/nodes/two", "/v1/services"] {
        let tag = api.tag(path).await;
        let same = api.if_none_match(path, &tag).await;
        assert_eq!((same.status, same.text.as_str(), same.header("etag")), (304, "", Some(tag.as_str())), "{path}");
        assert_eq!((same.header("vary"), same.header("cache-control")), (Some("Prefer"), Some("no-cache")), "{path}");
        assert_eq!((same.header("content-type"), same.header("preference-applied")), (None, None), "{path}");
        assert_eq!(api.if_none_match(path, "\"other\"").await.status, 200, "{path}");
        assert_eq!(api.if_none_match(path, "*").await.status, 304, "{path}");
        assert_eq!(api.if_none_match(path, &format!("\"other\", W/{tag}")).await.status, 304, "{path}");
    }
}

#[tokio::test]
async fn a_tag_changes_with_what_is_shown_and_with_nothing_else() {
    let api = cluster();
    let all = async || {
        let mut tags = Vec::new();
        for path in [WEB, "/v1/instances?service=db", "/v1/services/web", "/v1/nodes/two", "/v1/agent/instances", "/v1/agent"] {
            tags.push((path, api.tag(path).await));
        }
        tags
    };
    let check = async |change: Change, expected: &[&str]| {
        let before = all().await;
        api.publish([change]);
        let differ: Vec<_> =
            before.into_iter().zip(all().await).filter(|(before, after)| before != after).map(|(before, _)| before.0).collect();
        assert_eq!(differ, expected);
    };
    check(registered(2, instance("web-1", "web", &[], &[("git", "b")]), Status::Passing), &[WEB]).await;
    check(registered(2, instance("web-2", "web", &[], &[]), Status::Passing), &[WEB, "/v1/services/web", "/v1/nodes/two"]).await;
    check(registered(10, instance("own", "cache", &["x"], &[]), Status::Passing), &["/v1/agent/instances"]).await;
    let suspected = changed(node(2, "two"), |node| node.state = MemberState::Suspect);
    check(suspected, &["/v1/nodes/two", "/v1/agent"]).await;
    check(registered(2, instance("other", "shop", &[], &[]), Status::Passing), &["/v1/nodes/two"]).await;
}

#[tokio::test]
async fn a_wait_ends_when_something_else_is_shown_and_not_before() {
    let api = cluster();
    let tag = api.tag(WEB).await;
    let mut waiting = Box::pin(api.wait(WEB, &tag, "wait=300"));
    assert!(goes_on(&mut waiting).await);
    api.publish([registered(2, instance("other", "shop", &[], &[]), Status::Passing)]);
    assert!(goes_on(&mut waiting).await, "another service");
    api.publish([changed(node(2, "two"), |node| node.state = MemberState::Suspect)]);
    assert!(goes_on(&mut waiting).await, "a node that is still up");
    api.publish([registered(2, instance("sick", "web", &[], &[]), Status::Critical)]);
    assert!(goes_on(&mut waiting).await, "an instance that is held back");
    api.publish([registered(2, instance("web-2", "web", &[], &[]), Status::Passing)]);
    let answer = timeout(DEADLINE, waiting).await.expect("it must end");
    assert_eq!((answer.status, answer.header("preference-applied")), (200, Some("wait=300")));
    assert_eq!(answer.json()["items"].as_array().unwrap().len(), 2);
    assert_ne!(answer.header("etag"), Some(tag.as_str()));
}

#[tokio::test]
async fn a_service_that_is_not_there_yet_can_be_waited_for_and_one_that_goes_too() {
    let api = cluster();
    let path = "/v1/instances?service=new";
    let tag = api.tag(path).await;
    let mut waiting = Box::pin(api.wait(path, &tag, "wait=300"));
    assert!(goes_on(&mut waiting).await);
    api.publish([registered(2, instance("new-1", "new", &[], &[]), Status::Passing)]);
    assert_eq!(timeout(DEADLINE, waiting).await.unwrap().json()["items"].as_array().unwrap().len(), 1);

    let mut waiting = Box::pin(api.wait("/v1/services/new", "*", "wait=300"));
    assert!(goes_on(&mut waiting).await);
    api.publish([Change::NodeGone(NodeId(2))]);
    let answer = timeout(DEADLINE, waiting).await.unwrap();
    assert_eq!((answer.status, answer.problem().as_str()), (404, "no-such-service"));
}

#[tokio::test]
async fn a_wait_that_is_over_ends_with_what_is_known() {
    let api = cluster();
    let tag = api.tag(WEB).await;
    let check = async |prefer: &str, applied: Option<&str>| {
        let answer = timeout(DEADLINE, api.wait(WEB, &tag, prefer)).await.expect("it must end");
        assert_eq!((answer.status, answer.header("etag"), answer.header("preference-applied")), (304, Some(tag.as_str()), applied));
    };
    check("wait=0", Some("wait=0")).await;
    check("wait=1", Some("wait=1")).await;
    check("respond-async", None).await;
    let answer = api.ask("GET", WEB, &[("prefer", "wait=300")], Body::empty()).await;
    assert_eq!((answer.status, answer.header("preference-applied")), (200, None), "nothing to wait for");
    let answer = api.wait(WEB, "\"other\"", "wait=301").await;
    assert_eq!((answer.status, answer.header("preference-applied")), (200, Some("wait=300")), "it is another one already");
}

#[tokio::test]
async fn the_end_of_the_server_ends_all_waits() {
    let api = cluster();
    let tag = api.tag(WEB).await;
    let mut waiting = Box::pin(api.wait(WEB, &tag, "wait=300"));
    assert!(goes_on(&mut waiting).await);
    api.state.end();
    assert_eq!(timeout(DEADLINE, waiting).await.unwrap().status, 304);
    assert_eq!(timeout(DEADLINE, api.wait(WEB, &tag, "wait=300")).await.unwrap().status, 304, "those that come later too");
}

#[tokio::test]
async fn beyond_the_limit_a_wait_is_answered_at_once_and_others_go_on() {
    let api = cluster();
    let tag = api.tag(WEB).await;
    let mut waiting: Vec<_> = (0..WAITING).map(|_| Box::pin(api.wait(WEB, &tag, "wait=300"))).collect();
    for wait in &mut waiting {
        assert!(goes_on(wait).await);
    }
    let answer = timeout(DEADLINE, api.wait(WEB, &tag, "wait=300")).await.expect("it has no place");
    assert_eq!((answer.status, answer.header("preference-applied")), (304, None));
    api.publish([registered(2, instance("web-2", "web", &[], &[]), Status::Passing)]);
    for wait in waiting {
        assert_eq!(timeout(DEADLINE, wait).await.unwrap().status, 200);
    }
}

#[tokio::test]
async fn a_precondition_that_can_not_be_read_is_refused() {
    let api = cluster();
    for bad in ["abc", "\"abc", ""] {
        let answer = api.if_none_match(WEB, bad).await;
        assert_eq!((answer.status, answer.problem().as_str()), (400, "invalid-precondition"), "{bad}");
        assert!(answer.text.contains("if-none-match"), "{}", answer.text);
    }
}

#[tokio::test]
async fn a_problem_is_no_state_to_be_compared() {
    let api = cluster();
    let answer = api.wait("/v1/services/none", "*", "wait=300").await;
    assert_eq!((answer.status, answer.header("etag"), answer.header("vary")), (404, None, Some("Prefer")));
}

fn cluster() -> Api {
    let api = Api::new();
    api.publish([
        Change::Node(node(2, "two").into()),
        registered(2, instance("web-1", "web", &[], &[("git", "a")]), Status::Passing),
        registered(2, instance("db-1", "db", &[], &[]), Status::Passing),
        registered(10, instance("own", "cache", &[], &[]), Status::Passing),
    ]);
    api
}

impl Api {
    async fn tag(&self, path: &str) -> String {
        let answer = self.get(path).await;
        answer.header("etag").unwrap_or_else(|| panic!("{path}: no tag: {}", answer.text)).to_owned()
    }

    async fn if_none_match(&self, path: &str, tags: &str) -> Answer {
        self.ask("GET", path, &[("if-none-match", tags)], Body::empty()).await
    }

    async fn wait(&self, path: &str, tags: &str, prefer: &str) -> Answer {
        self.ask("GET", path, &[("if-none-match", tags), ("prefer", prefer)], Body::empty()).await
    }
}

/// Whether a request is still not answered after it had every chance to be.
async fn goes_on(waiting: &mut Pin<Box<impl Future<Output = Answer>>>) -> bool {
    for _ in 0..3 {
        tokio::select! {
            biased;
            _ = &mut *waiting => return false,
            () = yield_now() => {}
        }
    }
    true
}
