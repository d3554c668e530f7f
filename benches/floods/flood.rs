//! The floods, and one that goes on.

use std::{
    net::Ipv4Addr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    thread::{self, JoinHandle},
};

use super::{datagrams, streams};

const GOSSIP: u16 = 8_746;
const HTTP: u16 = 8_780;
const DNS: u16 = 8_753;

/// What is done to an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flood {
    /// Nothing.
    Rest,
    /// Octets at random to the port of gossip.
    GossipNoise,
    /// The right head of a datagram, and octets at random behind it.
    GossipWrongBody,
    /// Probes that are right, not encrypted.
    GossipProbes,
    /// Octets at random to the port of DNS.
    DnsNoise,
    /// Messages that are answers.
    DnsAnswers,
    /// Streams that are opened and say nothing, opened again when they are closed.
    GossipStreams,
    /// The same to the API.
    HttpStreams,
    /// Requests whose head comes an octet at a time.
    HttpSlowHeads,
    /// Writes as fast as they are answered.
    Registrations,
}

impl Flood {
    pub(crate) const ALL: [Flood; 10] = [
        Flood::Rest,
        Flood::GossipNoise,
        Flood::GossipWrongBody,
        Flood::GossipProbes,
        Flood::DnsNoise,
        Flood::DnsAnswers,
        Flood::GossipStreams,
        Flood::HttpStreams,
        Flood::HttpSlowHeads,
        Flood::Registrations,
    ];
    /// Those to agents that require encryption.
    pub(crate) const SEALED: [Flood; 3] = [Flood::Rest, Flood::GossipProbes, Flood::GossipStreams];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Flood::Rest => "nothing",
            Flood::GossipNoise => "gossip: noise",
            Flood::GossipWrongBody => "gossip: right head, noise",
            Flood::GossipProbes => "gossip: probes in the clear",
            Flood::DnsNoise => "DNS: noise",
            Flood::DnsAnswers => "DNS: answers",
            Flood::GossipStreams => "gossip: 10,000 silent streams",
            Flood::HttpStreams => "HTTP: 10,000 silent streams",
            Flood::HttpSlowHeads => "HTTP: 4,000 slow heads",
            Flood::Registrations => "HTTP: 200 who register",
        }
    }

    /// Begins, on a thread of its own.
    pub(crate) fn begin(self, agent: Ipv4Addr) -> Running {
        let sent = Arc::new(Sent::default());
        let (at, theirs) = (|port| (agent, port).into(), Arc::clone(&sent));
        let (gossip, http, dns) = (at(GOSSIP), at(HTTP), at(DNS));
        let flood = move || match self {
            Flood::Rest => {}
            Flood::GossipNoise => datagrams::send(gossip, &datagrams::noise(), &theirs),
            Flood::GossipWrongBody => datagrams::send(gossip, &datagrams::wrong_bodies(), &theirs),
            Flood::GossipProbes => datagrams::send(gossip, &datagrams::probes(), &theirs),
            Flood::DnsNoise => datagrams::send(dns, &datagrams::noise(), &theirs),
            Flood::DnsAnswers => datagrams::send(dns, &datagrams::answers(), &theirs),
            Flood::GossipStreams => streams::open(gossip, 10_000, b"", &theirs),
            Flood::HttpStreams => streams::open(http, 10_000, b"", &theirs),
            Flood::HttpSlowHeads => streams::open(http, 4_000, b"GET /v1/agent HTTP/1.1\r\nHost: localhost\r\nX-Slow: ", &theirs),
            Flood::Registrations => streams::register(http, 200, &theirs),
        };
        Running { sent, thread: Some(thread::spawn(flood)) }
    }
}

/// How much was sent, and whether to end.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    count: AtomicU64,
    over: AtomicBool,
}

impl Sent {
    pub(crate) fn add(&self, count: u64) {
        self.count.fetch_add(count, Relaxed);
    }

    pub(crate) fn is_over(&self) -> bool {
        self.over.load(Relaxed)
    }
}

/// A flood that goes on until this is dropped.
pub(crate) struct Running {
    sent: Arc<Sent>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    /// Datagrams, connections or requests until now.
    pub(crate) fn sent(&self) -> u64 {
        self.sent.count.load(Relaxed)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.sent.over.store(true, Relaxed);
        // One that panicked has said so.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}
