//! The API over a catalog that tests fill and a stand-in for the core.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use arc_swap::ArcSwap;
use axum::{
    body::Body,
    http::{HeaderMap, Request, header},
    response::Response,
};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

use super::{AgentInfo, ApiState, problem::PROBLEM_TYPES, router};
use crate::{
    access::{Guarded, Policy},
    catalog::{Catalog, Publisher},
    checks::Outputs,
    keyring::{KeyHolder, Keys},
    metrics::{Facts, Labels, Metrics},
    model::{
        Change, ClusterName, Command, Done, Health, Instance, InstanceId, Life, MemberState, Node, NodeId, NodeName, Refusal, Reply,
        ServiceName, Status, Tag, Zone, node::NodeInfo,
    },
    registrar::Registrar,
};

/// The node whose agent is tested.
pub(super) const HERE: NodeId = NodeId(0xa);

pub(super) struct Api {
    pub(super) state: ApiState,
    publisher: Arc<Mutex<Publisher>>,
}

impl Api {
    /// An agent that is ready, on node `here`, whose core takes every write.
    pub(super) fn new() -> Api {
        let api = Api::not_ready();
        api.publish([Change::Ready(true)]);
        api
    }

    /// The same before its first full sync.
    pub(super) fn not_ready() -> Api {
        let (publisher, catalog) = Publisher::new(HERE);
        let publisher = Arc::new(Mutex::new(publisher));
        let core = accepting(Arc::clone(&publisher), catalog.clone());
        Api::over(publisher, catalog, core)
    }

    /// An agent whose core answers every write with this.
    pub(super) fn answering(reply: Reply) -> Api {
        let (publisher, catalog) = Publisher::new(HERE);
        Api::over(Arc::new(Mutex::new(publisher)), catalog, move |_| reply.clone())
    }

    fn over(publisher: Arc<Mutex<Publisher>>, catalog: Catalog, mut core: impl FnMut(Command) -> Reply + Send + 'static) -> Api {
        let (registrar, mut queue) = Registrar::new();
        tokio::spawn(async move {
            while let Some(pending) = queue.recv().await {
                // Whoever asked may have gone away.
                let _ = pending.reply.send(core(pending.command));
            }
        });
        let info = AgentInfo {
            node_id: HERE,
            name: NodeName::new("here").unwrap(),
            cluster: ClusterName::new("default").unwrap(),
            generation: 7,
            version: "0.1.0".to_owned(),
            domain: "tidings.internal".to_owned(),
            gossip: address(8746),
            http: Some(address(8780)),
            http_socket: None,
            http_names: vec![],
            dns: address(8753),
        };
        let api = Api {
            state: ApiState::new(
                catalog,
                registrar,
                Outputs::default(),
                Arc::new(keys()),
                Arc::new(ArcSwap::new(access())),
                Arc::new(info),
                metrics(),
            ),
            publisher,
        };
        api.publish([Change::Node(Arc::new(node(HERE.0, "here")))]);
        api
    }

    pub(super) fn publish(&self, changes: impl IntoIterator<Item = Change>) {
        self.publisher.lock().unwrap().publish(changes, noon());
    }

    pub(super) async fn send(&self, method: &str, path: &str, content_type: Option<&str>, body: impl Into<Body>) -> Answer {
        let headers = content_type.map(|content_type| ("content-type", content_type));
        self.ask(method, path, headers.as_slice(), body).await
    }

    /// The whole answer to a request with these header fields. It must be one that the OpenAPI document has.
    pub(super) async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
        let (parts, body) = self.begin(method, path, headers, body).await.into_parts();
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        let answer = Answer { status: parts.status.as_u16(), headers: parts.headers, text };
        super::openapi::held::holds(method, path, &answer);
        answer
    }

    /// An answer whose body has not been read yet.
    pub(super) async fn begin(&self, method: &str, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Response {
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, "localhost");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        router(self.state.clone()).oneshot(request.body(body.into()).unwrap()).await.unwrap()
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None, Body::empty()).await
    }

    pub(super) async fn put(&self, path: &str, json: impl ToString) -> Answer {
        self.send("PUT", path, Some("application/json"), json.to_string()).await
    }

    /// What a `GET` that must succeed answers.
    pub(super) async fn json(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer.json()
    }

    /// One field of each item of a list.
    pub(super) async fn items(&self, path: &str, field: &str) -> Vec<String> {
        let list = self.json(path).await;
        assert!(list["next"].is_null(), "{list}");
        list["items"].as_array().unwrap().iter().map(|item| item[field].as_str().unwrap().to_owned()).collect()
    }
}

fn accepting(publisher: Arc<Mutex<Publisher>>, catalog: Catalog) -> impl FnMut(Command) -> Reply {
    move |command| {
        let snapshot = catalog.load();
        match command {
            Command::Register(registration) => {
                let id = &registration.instance.id;
                let done = match (snapshot.instance(HERE, id), snapshot.registered(id)) {
                    (None, _) => Done::Created,
                    (Some(_), Some(before)) if **before == registration => return Ok(Done::Unchanged),
                    (Some(_), _) => Done::Replaced,
                };
                let (instance, health) = (Arc::new(registration.instance.clone()), Arc::new(Health::initial(&registration.checks)));
                let changes = [Change::Instance { node: HERE, instance, health }, Change::Registered(Arc::new(registration))];
                publisher.lock().unwrap().publish(changes, noon());
                Ok(done)
            }
            Command::Deregister { instance: id, .. } => {
                snapshot.instance(HERE, &id).ok_or_else(|| Refusal::NotFound(id.clone()))?;
                publisher.lock().unwrap().publish([Change::InstanceGone { node: HERE, id }], noon());
                Ok(Done::Removed)
            }
            Command::Forget(_) => Ok(Done::Removed),
            Command::Configure { .. } | Command::Verdict { .. } | Command::Heartbeat { .. } | Command::Maintain { .. } => Ok(Done::Noted),
            Command::Leave | Command::Absent(_) => Ok(Done::Announced { confirmed: 2, asked: 3 }),
        }
    }
}

pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {:?}", self.text))
    }

    /// The last part of the type of the problem that this must be.
    pub(super) fn problem(&self) -> String {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{}", self.text);
        let problem = self.json();
        let uri = problem["type"].as_str().unwrap();
        let kind = PROBLEM_TYPES.iter().find(|kind| kind.uri() == uri).unwrap_or_else(|| panic!("{uri} is not documented"));
        assert_eq!((problem["status"].as_u64(), problem["title"].as_str()), (Some(u64::from(self.status)), Some(kind.title())));
        assert_eq!(kind.status().as_u16(), self.status);
        assert!(!problem["detail"].as_str().unwrap().is_empty());
        uri.strip_prefix("/problems/").unwrap().to_owned()
    }

    /// The details of the errors of the problem that this must be, by where they are.
    pub(super) fn errors(&self) -> BTreeMap<String, String> {
        let problem = self.json();
        let errors = problem["errors"].as_array().unwrap_or_else(|| panic!("no errors: {problem}"));
        let place = |error: &Value| error["pointer"].as_str().or(error["parameter"].as_str()).unwrap().to_owned();
        errors.iter().map(|error| (place(error), error["detail"].as_str().unwrap().to_owned())).collect()
    }
}

pub(super) fn noon() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_268_800)
}

/// A header field of a request that means another host.
pub(super) fn address_of_another_host() -> [(&'static str, &'static str); 1] {
    [("host", "elsewhere.example")]
}

fn metrics() -> Metrics {
    let facts = Facts { version: "0.1.0".into(), name: "here".into(), node: HERE.to_string(), cluster: "default".into() };
    let routes = super::ROUTES.iter().map(|route| (route.method.as_str(), route.path)).collect();
    let labels = Labels {
        drop_reasons: vec![],
        purposes: vec!["join"],
        faults: vec!["refused"],
        climb_causes: vec!["ahead"],
        kinds: crate::kinds::names().collect(),
        routes,
    };
    Metrics::new(facts, &labels, vec![])
}

fn address(port: u16) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, 1], port))
}

pub(super) fn node(id: u64, name: &str) -> Node {
    let last = u8::try_from(id).unwrap();
    Node {
        id: NodeId(id),
        life: Life { generation: 3, nonce: 1 },
        gossip: SocketAddr::from(([10, 0, 0, last], 8746)),
        info: NodeInfo {
            name: NodeName::new(name).unwrap(),
            addresses: vec![[10, 0, 0, last].into()],
            zone: Some(Zone::new("rack-1").unwrap()),
            meta: BTreeMap::from([("os".to_owned(), "linux".to_owned())]),
            agent_version: "0.1.0".to_owned(),
            wire_versions: (1, 1),
            left: false,
            grace_seconds: None,
            maintenance: None,
            encryption: Default::default(),
        },
        health: Health::default(),
        state: MemberState::Alive,
        reason: "answers",
    }
}

pub(super) fn changed(mut node: Node, change: impl FnOnce(&mut Node)) -> Change {
    change(&mut node);
    Change::Node(Arc::new(node))
}

pub(super) fn instance(id: &str, service: &str, tags: &[&str], meta: &[(&str, &str)]) -> Instance {
    Instance {
        id: InstanceId::new(id).unwrap(),
        service: ServiceName::new(service).unwrap(),
        addresses: vec![],
        port: 8080,
        protocol: crate::model::Protocol::Tcp,
        tags: tags.iter().map(|tag| Tag::new(tag).unwrap()).collect(),
        meta: meta.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
        weight: 10,
    }
}

pub(super) fn registered(node: u64, instance: Instance, status: Status) -> Change {
    crate::catalog::fixture::on(node, instance, status)
}

/// Those of an agent that has none.
fn keys() -> KeyHolder {
    KeyHolder::new(Keys::default(), |_| {})
}

/// That of an agent which nobody told anything.
fn access() -> Arc<Policy> {
    Arc::new(Policy { local: Guarded::Open, reads: Guarded::Open, tokens: vec![] })
}
