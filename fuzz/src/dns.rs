//! Messages to the DNS server.
//!
//! The first octet says whether they come over UDP (even) or TCP (odd); all else is the message.

use std::{cell::OnceCell, collections::BTreeMap, sync::Arc, time::SystemTime};

use hickory_proto::op::{Message, MessageType};
use tidings::{
    agent::metrics,
    catalog::{Catalog, Publisher},
    config::Names,
    dns::server::reply_once,
    metrics::DnsMetrics,
    model::{Change, Health, Instance, InstanceId, Life, MemberState, Node, NodeId, NodeName, Protocol, ServiceName, Tag, node::NodeInfo},
};

/// Octets of a message's header.
const HEADER: usize = 12;
/// What every client takes over UDP (RFC 1035, 4.2.1), and the most that is sent.
const LEAST: usize = 512;
/// See [`LEAST`].
const MOST: usize = 1_232;

/// Asks. Holds: an answer gets no answer, a question one that is its own, can be read, and is no larger than its asker takes.
pub fn dns_query(octets: &[u8]) {
    let Some((&way, message)) = octets.split_first() else {
        return;
    };
    let over_udp = way & 1 == 0;
    let reply = asked(message, over_udp);
    let asks = message.len() >= HEADER && message[2] & 0x80 == 0;
    assert_eq!(reply.is_some(), asks, "a whole header that asks is answered, and nothing else");
    let Some(octets) = reply else {
        return;
    };
    assert_eq!(octets[..2], message[..2], "the id");
    let reply = Message::from_vec(&octets).expect("a reply can be read");
    assert_eq!(reply.metadata.message_type, MessageType::Response);
    let question = Message::from_vec(message).ok();
    if over_udp {
        let takes = question.as_ref().and_then(|question| question.edns.as_ref()).map(|edns| usize::from(edns.max_payload()));
        let most = takes.unwrap_or(LEAST).clamp(LEAST, MOST);
        // What this reader can't read gets an error, or an answer by one that reads more; neither is beyond what is ever sent.
        let most = if question.is_some() { most } else { MOST };
        assert!(octets.len() <= most, "{} octets where {most} are taken", octets.len());
    }
    if let Some(question) = question.filter(|_| !reply.queries.is_empty()) {
        assert_eq!(reply.queries, question.queries);
    }
}

fn asked(message: &[u8], over_udp: bool) -> Option<Vec<u8>> {
    thread_local! {
        static SERVER: OnceCell<(Catalog, DnsMetrics)> = const { OnceCell::new() };
    }
    SERVER.with(|server| {
        let (catalog, metrics) = server.get_or_init(|| {
            let catalog = catalog();
            let metrics = metrics(catalog.clone(), Default::default()).dns;
            (catalog, metrics)
        });
        reply_once(Names::default(), catalog.clone(), metrics.clone(), message, over_udp)
    })
}

/// A node with services of few instances and of more than fit in any reply over UDP.
fn catalog() -> Catalog {
    let here = NodeId(1);
    let (mut publisher, catalog) = Publisher::new(here);
    let node = Node {
        id: here,
        life: Life::default(),
        gossip: ([10, 0, 0, 1], 8746).into(),
        info: NodeInfo {
            name: NodeName::new("db-1").expect("a name"),
            addresses: vec![[10, 0, 0, 1].into(), "fd00::1".parse().expect("an address")],
            zone: None,
            meta: BTreeMap::new(),
            agent_version: "test".into(),
            wire_versions: (1, 1),
            left: false,
            grace_seconds: None,
            maintenance: None,
            encryption: Default::default(),
        },
        health: Health::default(),
        state: MemberState::Alive,
        reason: "",
    };
    let web = (0..3).map(|n| instance("web", n, Protocol::Tcp));
    let many = (0..60).map(|n| instance("many", n, Protocol::Udp));
    let instances = web.chain(many).map(|instance| Change::Instance { node: here, instance: Arc::new(instance), health: Arc::default() });
    let changes = [Change::Ready(true), Change::Node(Arc::new(node))].into_iter().chain(instances);
    publisher.publish(changes, SystemTime::UNIX_EPOCH);
    catalog
}

fn instance(service: &str, n: u8, protocol: Protocol) -> Instance {
    Instance {
        id: InstanceId::new(&format!("{service}-{n}")).expect("an id"),
        service: ServiceName::new(service).expect("a name"),
        addresses: vec![[10, 1, 0, n].into()],
        port: 8_080,
        protocol,
        tags: vec![Tag::new("v1").expect("a tag")],
        meta: BTreeMap::new(),
        weight: 10,
    }
}
