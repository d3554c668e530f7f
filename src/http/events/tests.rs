use std::time::Duration;

use axum::body::Body;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::*;
use crate::{
    catalog::HISTORY,
    http::testing::{Api, changed, instance, node, registered},
    model::{Change, InstanceId, MemberState, Status},
};

const DEADLINE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_stream_begins_with_everything_and_goes_on_with_each_change() {
    let api = cluster();
    let mut stream = api.follow("/v1/events", None).await;
    let reset = stream.next().await;
    assert_eq!((reset.name.as_str(), &reset.data["ready"]), ("reset", &json!(true)));
    let fields = |list: &Value, field: &str| list.as_array().unwrap().iter().map(|it| it[field].clone()).collect::<Vec<_>>();
    assert_eq!(fields(&reset.data["nodes"], "name"), ["two", "here"]);
    assert_eq!(fields(&reset.data["instances"], "id"), ["db-1", "web-1"]);

    api.publish([registered(2, instance("web-2", "web", &[], &[]), Status::Passing)]);
    let event = stream.next().await;
    assert_eq!((event.name.as_str(), &event.data["id"], &event.data["node"]), ("instance", &json!("web-2"), &json!("two")));
    assert_eq!((event.id.as_str(), reset.id.as_str()), ("7-6", "7-5"));

    api.publish([Change::InstanceGone { node: NodeId(2), id: InstanceId::new("web-2").unwrap() }, Change::Ready(false)]);
    let event = stream.next().await;
    assert_eq!(
        (event.name.as_str(), event.data),
        ("instance_gone", json!({"node": "two", "node_id": "0000000000000002", "id": "web-2", "service": "web"}))
    );
    assert_eq!(stream.next().await.data, json!({"ready": false}));

    api.publish([changed(node(2, "two"), |node| node.state = MemberState::Down)]);
    let event = stream.next().await;
    assert_eq!((event.name.as_str(), &event.data["state"], &event.data["instances"]), ("node", &json!("down"), &Value::Null));
    for id in ["db-1", "web-1"] {
        let event = stream.next().await;
        assert_eq!((&event.data["id"], &event.data["held_back"]["reason"]), (&json!(id), &json!("node_down")));
    }
    api.publish([Change::NodeGone(NodeId(2))]);
    let names = [stream.next().await.name, stream.next().await.name, stream.next().await.name];
    assert_eq!(names, ["instance_gone", "instance_gone", "node_gone"]);
}

#[tokio::test]
async fn a_client_is_told_of_what_it_asked_for_only() {
    let api = cluster();
    let mut web = api.follow("/v1/events?service=Web", None).await;
    let mut nodes = api.follow("/v1/events?kind=node", None).await;
    let mut ready = api.follow("/v1/events?kind=ready", None).await;
    assert_eq!(web.next().await.data["instances"].as_array().unwrap().len(), 1);
    let reset = nodes.next().await.data;
    assert_eq!((reset["nodes"].as_array().unwrap().len(), reset.get("instances")), (2, None));
    assert_eq!(ready.next().await.data, json!({"ready": true}));
    api.publish([
        registered(2, instance("db-2", "db", &[], &[]), Status::Passing),
        Change::Node(node(3, "three").into()),
        registered(2, instance("web-1", "shop", &[], &[]), Status::Passing),
        Change::Ready(false),
    ]);
    assert_eq!((web.next().await.name.as_str(), web.next().await.name.as_str()), ("instance_gone", "ready"));
    assert_eq!(nodes.next().await.data["name"], "three");
    assert_eq!(ready.next().await.data, json!({"ready": false}));

    for (query, parameter) in [("kind=web", "kind"), ("service=a_b", "service"), ("service=web&kind=node", "kind")] {
        let answer = api.get(&format!("/v1/events?{query}")).await;
        assert_eq!((answer.status, answer.problem().as_str()), (400, "invalid-query"));
        assert!(answer.errors().contains_key(parameter), "{query}");
    }
}

#[tokio::test]
async fn a_client_that_comes_back_goes_on_where_it_was_or_begins_anew() {
    let api = cluster();
    let last = api.follow("/v1/events", None).await.next().await.id;
    api.publish([registered(2, instance("web-2", "web", &[], &[]), Status::Passing)]);
    let first = async |last: &str| api.follow("/v1/events", Some(last)).await.next().await.name;
    assert_eq!(first(&last).await, "instance");
    for other in ["6-5", "7-99", "7", "", "seven-5", "7-5-5"] {
        assert_eq!(first(other).await, "reset", "{other}");
    }
    api.publish((0..HISTORY).map(|n| registered(2, instance("web-2", "web", &[&n.to_string()], &[]), Status::Passing)));
    assert_eq!(first(&last).await, "reset", "too long ago");
}

#[tokio::test]
async fn a_client_that_is_too_slow_is_cut_off_and_others_are_not() {
    let api = cluster();
    let (mut slow, mut fast) = (api.follow("/v1/events", None).await, api.follow("/v1/events", None).await);
    slow.next().await;
    fast.next().await;
    let ports = 1..=u16::try_from(HISTORY).unwrap() + 1;
    for port in ports.clone() {
        let mut web = instance("web-2", "web", &[], &[]);
        web.port = port;
        api.publish([registered(2, web, Status::Passing)]);
        assert_eq!(fast.next().await.data["port"], port);
    }
    let cut = slow.next().await;
    assert_eq!((cut.name.as_str(), cut.id.as_str()), ("cut_off", ""));
    assert!(cut.data["detail"].as_str().unwrap().contains("2048"), "{}", cut.data);
    assert!(slow.is_over().await);
}

#[tokio::test]
async fn who_has_taken_everything_is_not_cut_off_for_what_comes_at_once() {
    let api = cluster();
    let mut stream = api.follow("/v1/events", None).await;
    stream.next().await;
    stream.waits().await;
    api.publish((0..=HISTORY).map(|n| registered(2, instance(&format!("new-{n}"), "web", &[], &[]), Status::Passing)));
    let reset = stream.next().await;
    assert_eq!((reset.name.as_str(), reset.data["instances"].as_array().unwrap().len()), ("reset", HISTORY + 3));
}

#[tokio::test]
async fn a_silent_stream_shows_that_it_lives_and_how_far_it_is() {
    let api = cluster();
    let filter = Filter { service: Some(ServiceName::new("none").unwrap()), kind: None };
    let place = api.state.shared.following.clone().try_acquire_owned().unwrap();
    let body = EventStream::new(&api.state, filter, None, Duration::from_millis(20), place);
    let mut stream = Stream { body: Body::new(body), text: String::new() };
    assert_eq!(stream.next().await.id, "7-5");
    api.publish([registered(2, instance("web-2", "web", &[], &[]), Status::Passing)]);
    assert_eq!(stream.chunk().await.unwrap(), ": heartbeat\nid: 7-6\n\n");
}

#[tokio::test]
async fn one_client_too_many_is_refused_until_another_ends() {
    let api = cluster();
    let mut streams = Vec::new();
    for _ in 0..FOLLOWERS {
        streams.push(api.follow("/v1/events", None).await);
    }
    let answer = api.get("/v1/events").await;
    assert_eq!((answer.status, answer.problem().as_str(), answer.header("retry-after")), (503, "too-many-followers", Some("10")));
    streams.pop();
    api.follow("/v1/events", None).await;
}

#[tokio::test]
async fn the_end_of_the_server_ends_all_streams() {
    let api = cluster();
    let mut stream = api.follow("/v1/events", None).await;
    stream.next().await;
    api.state.end();
    assert!(stream.is_over().await);
}

#[tokio::test]
async fn an_agent_that_is_not_ready_says_so_and_when_it_is() {
    let api = Api::not_ready();
    let mut stream = api.follow("/v1/events", None).await;
    assert_eq!(stream.next().await.data["ready"], false);
    api.publish([Change::Ready(true)]);
    assert_eq!(stream.next().await.name, "ready");
}

fn cluster() -> Api {
    let api = Api::new();
    api.publish([
        Change::Node(node(2, "two").into()),
        registered(2, instance("web-1", "web", &[], &[]), Status::Passing),
        registered(2, instance("db-1", "db", &[], &[]), Status::Passing),
    ]);
    api
}

/// What a client takes from a stream.
struct Stream {
    body: Body,
    text: String,
}

#[derive(Debug)]
struct Seen {
    name: String,
    id: String,
    data: Value,
}

impl Api {
    async fn follow(&self, path: &str, last: Option<&str>) -> Stream {
        let headers = last.map(|last| ("last-event-id", last));
        let response = self.begin("GET", path, headers.as_slice(), Body::empty()).await;
        assert_eq!((response.status().as_u16(), &response.headers()["content-type"]), (200, &"text/event-stream".parse().unwrap()));
        assert_eq!(response.headers()["cache-control"], "no-store");
        Stream { body: response.into_body(), text: String::new() }
    }
}

impl Stream {
    /// The next event.
    async fn next(&mut self) -> Seen {
        while !self.text.contains("\n\n") {
            let chunk = self.chunk().await.expect("the stream must go on");
            self.text += &chunk;
        }
        let (event, rest) = self.text.split_once("\n\n").unwrap();
        let all = |field: &str| event.lines().filter_map(|line| line.strip_prefix(field)).collect::<Vec<_>>();
        let (name, id) = (all("event: ").concat(), all("id: ").concat());
        let seen = Seen { name, id, data: serde_json::from_str(&all("data: ").join("\n")).unwrap() };
        self.text = rest.to_owned();
        seen
    }

    async fn chunk(&mut self) -> Option<String> {
        let frame = timeout(DEADLINE, self.body.frame()).await.expect("something must come")?;
        Some(String::from_utf8(frame.unwrap().into_data().unwrap().to_vec()).unwrap())
    }

    async fn is_over(&mut self) -> bool {
        self.chunk().await.is_none()
    }

    /// Asks for what comes next, as a client does that has taken everything.
    async fn waits(&mut self) {
        tokio::select! {
            biased;
            _ = self.body.frame() => panic!("there is more"),
            () = tokio::task::yield_now() => {}
        }
    }
}
