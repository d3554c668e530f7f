//! Requests to the API, as an agent gets them behind HTTP itself: bodies, and paths with query strings.

use std::{
    cell::OnceCell,
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};

use arc_swap::ArcSwap;
use axum::{
    Router,
    body::Body,
    http::{Method, Request, header},
};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tidings::{
    access::{Guarded, Policy},
    agent::metrics,
    catalog::{Catalog, Publisher},
    checks::Outputs,
    http::{AgentInfo, ApiState, problem::PROBLEM_TYPES, router},
    keyring::{KeyHolder, Keys},
    model::{
        Change, ClusterName, Command, Done, Health, InstanceId, Life, MemberState, Node, NodeId, NodeName, Refusal, Reply, node::NodeInfo,
    },
    registrar::Registrar,
};
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

const HERE: NodeId = NodeId(0xa);
/// Where bodies go, by the first octet of what is fed. The first one is that of registrations.
pub const BODIES: [(&str, &str); 7] = [
    ("PUT", "/v1/agent/instances/web-1"),
    ("PUT", "/v1/agent/instances/web-1/checks/alive/status"),
    ("PUT", "/v1/agent/checks/disk/status"),
    ("PUT", "/v1/agent/instances/web-1/maintenance"),
    ("PUT", "/v1/agent/maintenance"),
    ("PUT", "/v1/agent/keys/7"),
    ("PUT", "/v1/agent/keys/7/primary"),
];
/// Codes of 500 and above that an agent may give: it is not ready, or ending; its disk is full; another can't be reached.
const MAY_FAIL: [u16; 3] = [503, 504, 507];

/// Sends a body. Holds: it is taken, or refused by a problem that is documented; a definition that was taken is shown as one that is taken again and
/// changes nothing.
pub fn http_body(octets: &[u8]) {
    let Some((&place, body)) = octets.split_first() else {
        return;
    };
    let (method, path) = BODIES[usize::from(place) % BODIES.len()];
    with_agent(|agent| {
        let answer = agent.ask(method, path, body.to_vec());
        if path != BODIES[0].1 || answer.status >= 300 {
            return;
        }
        let shown = agent.ask("GET", path, vec![]);
        assert_eq!(shown.status, 200, "{}", shown.text);
        let again = agent.ask(method, path, shown.text.clone().into_bytes());
        assert_eq!(again.status, 200, "what is shown is taken: {}\n{}", shown.text, again.text);
        assert_eq!(agent.ask("GET", path, vec![]).text, shown.text, "and changes nothing");
    });
}

/// Reads something. Holds: it is answered, or refused by a problem that is documented, and the same twice.
pub fn http_query(octets: &[u8]) {
    let Ok(path) = std::str::from_utf8(octets) else {
        return;
    };
    // What HTTP itself refuses does not get here. Events go on for ever, and the two are not the same twice.
    if !path.starts_with('/') || path.starts_with("/metrics") || path.starts_with("/v1/events") {
        return;
    }
    with_agent(|agent| {
        let Some(answer) = agent.try_ask("GET", path, vec![]) else {
            return;
        };
        let draws = path.contains("pick");
        assert!(draws || agent.ask("GET", path, vec![]).text == answer.text, "{path}");
    });
}

struct Agent {
    router: Router,
    publisher: Arc<Mutex<Publisher>>,
    runtime: Runtime,
}

struct Answer {
    status: u16,
    text: String,
}

fn with_agent(deed: impl FnOnce(&Agent)) {
    thread_local! {
        static AGENT: OnceCell<Agent> = const { OnceCell::new() };
    }
    AGENT.with(|agent| {
        let agent = agent.get_or_init(Agent::new);
        agent.begin_anew();
        deed(agent);
    });
}

impl Agent {
    fn new() -> Agent {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime can be had");
        let (publisher, catalog) = Publisher::new(HERE);
        let publisher = Arc::new(Mutex::new(publisher));
        let (registrar, mut queue) = Registrar::new();
        let mut core = accepting(Arc::clone(&publisher), catalog.clone());
        runtime.spawn(async move {
            while let Some(pending) = queue.recv().await {
                let _ = pending.reply.send(core(pending.command));
            }
        });
        let metrics = metrics(catalog.clone(), Default::default());
        let address = |port| ([10, 0, 0, 1], port).into();
        let info = AgentInfo {
            node_id: HERE,
            name: NodeName::new("here").expect("a name"),
            cluster: ClusterName::new("default").expect("a name"),
            generation: 7,
            version: "0.1.0".into(),
            domain: "tidings.internal".into(),
            gossip: address(8746),
            http: Some(address(8780)),
            http_socket: None,
            http_names: vec![],
            dns: address(8753),
        };
        let keys = Arc::new(KeyHolder::new(Keys::default(), |_| {}));
        let policy = Policy { local: Guarded::Open, reads: Guarded::Open, tokens: vec![] };
        let access = Arc::new(ArcSwap::new(Arc::new(policy)));
        let state = ApiState::new(catalog, registrar, Outputs::default(), keys, access, Arc::new(info), metrics);
        Agent { router: router(state), publisher, runtime }
    }

    /// With its node and nothing else.
    fn begin_anew(&self) {
        let id = InstanceId::new("web-1").expect("an id");
        let gone = Change::InstanceGone { node: HERE, id };
        publish(&self.publisher, [Change::Ready(true), Change::Node(Arc::new(node())), gone]);
    }

    fn ask(&self, method: &str, path: &str, body: Vec<u8>) -> Answer {
        self.try_ask(method, path, body).expect("the path is one")
    }

    /// `None` where it is no path.
    fn try_ask(&self, method: &str, path: &str, body: Vec<u8>) -> Option<Answer> {
        let method: Method = method.parse().expect("a method");
        let request = Request::builder().method(method.clone()).uri(path).header(header::HOST, "localhost");
        let request = request.header(header::CONTENT_TYPE, "application/json").body(Body::from(body)).ok()?;
        let (parts, octets) = self.runtime.block_on(async {
            let response = self.router.clone().oneshot(request).await.unwrap_or_else(|never| match never {});
            let (parts, body) = response.into_parts();
            (parts, body.collect().await.expect("an answer is whole").to_bytes())
        });
        let answer = Answer { status: parts.status.as_u16(), text: String::from_utf8(octets.to_vec()).expect("an answer is text") };
        let is_problem = parts.headers.get(header::CONTENT_TYPE).is_some_and(|it| it == "application/problem+json");
        assert_eq!(is_problem, answer.status >= 400, "{path}: {} {}", answer.status, answer.text);
        assert!(answer.status < 500 || MAY_FAIL.contains(&answer.status), "{path}: {} {}", answer.status, answer.text);
        if is_problem {
            is_documented(&answer);
        } else if !answer.text.is_empty() {
            serde_json::from_str::<Value>(&answer.text).expect("an answer is JSON");
        }
        Some(answer)
    }
}

fn is_documented(answer: &Answer) {
    let problem: Value = serde_json::from_str(&answer.text).expect("a problem is JSON");
    let kind = PROBLEM_TYPES.iter().find(|kind| problem["type"] == kind.uri()).expect("its type is documented");
    assert_eq!((kind.status().as_u16(), problem["status"].as_u64()), (answer.status, Some(u64::from(answer.status))));
    assert!(problem["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{problem}");
}

fn publish(publisher: &Mutex<Publisher>, changes: impl IntoIterator<Item = Change>) {
    publisher.lock().unwrap_or_else(PoisonError::into_inner).publish(changes, SystemTime::UNIX_EPOCH);
}

/// Stands in for the core, and takes everything.
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
                publish(&publisher, changes);
                Ok(done)
            }
            Command::Deregister { instance: id, .. } => {
                snapshot.instance(HERE, &id).ok_or_else(|| Refusal::NotFound(id.clone()))?;
                publish(&publisher, [Change::InstanceGone { node: HERE, id }]);
                Ok(Done::Removed)
            }
            Command::Forget(_) => Ok(Done::Removed),
            Command::Configure { .. } | Command::Verdict { .. } | Command::Heartbeat { .. } | Command::Maintain { .. } => Ok(Done::Noted),
            Command::Leave | Command::Absent(_) => Ok(Done::Announced { confirmed: 2, asked: 3 }),
        }
    }
}

fn node() -> Node {
    Node {
        id: HERE,
        life: Life { generation: 3, nonce: 1 },
        gossip: ([10, 0, 0, 1], 8746).into(),
        info: NodeInfo {
            name: NodeName::new("here").expect("a name"),
            addresses: vec![[10, 0, 0, 1].into()],
            zone: None,
            meta: BTreeMap::new(),
            agent_version: "0.1.0".into(),
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
