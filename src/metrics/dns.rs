//! Metrics of the DNS server.

use std::time::Duration;

use prometheus_client::registry::Registry;

use super::{Grid, Timing, grid, timing};

/// From 10 µs to 0.1 s: an answer comes from memory.
const QUERIES: &[u64] = &[10, 25, 50, 100, 250, 500, 1_000, 2_500, 10_000, 100_000];

/// What is asked for. The order is that of the label's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are types of records")]
pub enum QueryType {
    A,
    Aaaa,
    Srv,
    Txt,
    Ptr,
    Soa,
    Ns,
    Any,
    /// Any other type, and what could not be read.
    Other,
}

const TYPES: [&str; 9] = ["A", "AAAA", "SRV", "TXT", "PTR", "SOA", "NS", "ANY", "other"];

/// How a query ended. The order is that of the label's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueryResult {
    /// With records.
    Answered,
    /// The name has no such records, or none that may be handed out.
    NoData,
    /// No such name.
    NxDomain,
    /// This agent does not know yet what the cluster knows.
    ServFail,
    /// Outside of the domain, or of a kind that is not served.
    Refused,
    /// It could not be read, or had not one question.
    FormErr,
    /// Of an unknown operation.
    NotImp,
    /// Of an unknown version of EDNS.
    BadVers,
    /// The answer did not fit, so the client was sent to TCP.
    Truncated,
    /// It got no answer: it was itself a response, or no message at all.
    Ignored,
    /// It was passed on to an upstream.
    Forwarded,
}

const RESULTS: [&str; 11] =
    ["answered", "nodata", "nxdomain", "servfail", "refused", "formerr", "notimp", "badvers", "truncated", "ignored", "forwarded"];

impl QueryResult {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        RESULTS[self as usize]
    }
}

/// Why a query over UDP got no answer, though one could be made. The order is that of the label's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unanswered {
    /// More waited than there was time for, and its client had its share.
    Share,
    /// Its client's network had as many replies as it may have.
    Rate,
    /// The system did not take the reply.
    Socket,
}

const UNANSWERED: [&str; 3] = ["share", "rate", "socket"];

/// Metrics of the DNS server. Cheap to clone.
#[derive(Debug, Clone)]
pub struct DnsMetrics {
    queries: Grid,
    unanswered: Grid,
    duration: Timing,
}

impl DnsMetrics {
    pub(super) fn new(registry: &mut Registry) -> DnsMetrics {
        DnsMetrics {
            queries: grid(registry, "dns_queries", "DNS queries by type and result", Grid::new("type", &TYPES, "result", &RESULTS)),
            unanswered: grid(
                registry,
                "dns_unanswered",
                "DNS queries that got no answer, or one that sent them to TCP, though one could be made, by reason",
                Grid::line("reason", &UNANSWERED),
            ),
            duration: timing(registry, "dns_query_duration", "How long it took to make the answer to a DNS query", QUERIES),
        }
    }

    /// A query ended so.
    pub fn query(&self, kind: QueryType, result: QueryResult, duration: Duration) {
        self.queries.count(kind as usize, result as usize);
        self.duration.observe(duration);
    }

    /// So many got no answer.
    pub fn unanswered(&self, why: Unanswered, count: usize) {
        self.unanswered.add(0, why as usize, count as u64);
    }

    /// How many ended so.
    pub fn queries(&self, kind: QueryType, result: QueryResult) -> u64 {
        self.queries.get(kind as usize, result as usize)
    }

    /// Metrics that nobody scrapes.
    #[cfg(test)]
    pub(crate) fn unread() -> DnsMetrics {
        DnsMetrics::new(&mut Registry::default())
    }
}
