//! What a query counts as: its type, and how it ended.

use hickory_proto::rr::RecordType;
use hickory_server::server::Request;

use super::reply::{TC, count_at};
use crate::metrics::{QueryResult, QueryType};

/// What was asked, as far as it could be read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    /// The type of record.
    pub(super) kind: QueryType,
    /// In a version of EDNS that nobody knows here. The code for that does not fit in the header of a reply (RFC 6891, 6.1.3).
    bad_version: bool,
    /// It goes on to an upstream.
    pub(super) forwarded: bool,
}

impl Default for Asked {
    fn default() -> Self {
        Asked { kind: QueryType::Other, bad_version: false, forwarded: false }
    }
}

impl Asked {
    pub(super) fn of(request: &Request) -> Self {
        let kind = request.queries.queries().first().map(|query| query.query_type());
        Asked { kind: counted(kind), bad_version: request.version() > 0, forwarded: false }
    }

    /// A plain query for this type.
    pub(super) fn plain(kind: RecordType) -> Self {
        Asked { kind: counted(Some(kind)), bad_version: false, forwarded: false }
    }

    /// How it ended, by the octets of the reply (RFC 1035, 4.1.1).
    pub(super) fn result(self, reply: Option<&[u8]>) -> QueryResult {
        let Some(reply) = reply else {
            return if self.forwarded { QueryResult::Forwarded } else { QueryResult::Ignored };
        };
        match (reply[3] & 0x0f, count_at(reply, 6)) {
            _ if reply[2] & TC != 0 => QueryResult::Truncated,
            (0, _) if self.bad_version => QueryResult::BadVers,
            (0, 0) => QueryResult::NoData,
            (0, _) => QueryResult::Answered,
            (1, _) => QueryResult::FormErr,
            (3, _) => QueryResult::NxDomain,
            (4, _) => QueryResult::NotImp,
            (5, _) => QueryResult::Refused,
            _ => QueryResult::ServFail,
        }
    }
}

fn counted(kind: Option<RecordType>) -> QueryType {
    match kind {
        Some(RecordType::A) => QueryType::A,
        Some(RecordType::AAAA) => QueryType::Aaaa,
        Some(RecordType::SRV) => QueryType::Srv,
        Some(RecordType::TXT) => QueryType::Txt,
        Some(RecordType::PTR) => QueryType::Ptr,
        Some(RecordType::SOA) => QueryType::Soa,
        Some(RecordType::NS) => QueryType::Ns,
        Some(RecordType::ANY) => QueryType::Any,
        Some(_) | None => QueryType::Other,
    }
}
