//! What DNS demands of any server, before and after the zone: versions, operations, classes, flags and codes.
//!
//! hickory keeps these checks in its own zone catalog; a handler of one's own does them itself.

use hickory_proto::{
    op::{Header, HeaderCounts, Metadata, OpCode, ResponseCode},
    rr::{DNSClass, RecordType},
};
use hickory_server::{
    net::{runtime::Time, xfer::Protocol},
    server::{Request, RequestHandler, ResponseHandler, ResponseInfo},
    zone_handler::MessageResponseBuilder,
};

use super::{
    reply::{self, ExtendedError},
    zone::{Answer, Outcome, Question, Zone},
};
use crate::{catalog::Catalog, metrics::DnsMetrics, model::Domain};

/// Instances whose records one answer over UDP has at most, drawn anew for each answer. By design, and so without TC: as many serve
/// as well as all, and fit in most packets. Who wants all of them asks over TCP.
pub(super) const UDP_INSTANCES: usize = 32;

/// Answers from the newest snapshot. It waits for nothing and takes no lock.
pub(super) struct Handler {
    zone: Zone,
    catalog: Catalog,
    pub(super) metrics: DnsMetrics,
}

impl Handler {
    pub(super) fn new(domain: Domain, catalog: Catalog, metrics: DnsMetrics) -> Self {
        Handler { zone: Zone::new(domain), catalog, metrics }
    }

    /// The zone's answer to the request's question, or the code with which the request is refused.
    fn answer(&self, request: &Request) -> Result<Answer, ResponseCode> {
        if request.version() > 0 {
            return Err(ResponseCode::BADVERS);
        }
        if request.metadata.op_code != OpCode::Query {
            return Err(ResponseCode::NotImp);
        }
        let [query] = request.queries.queries() else {
            return Err(ResponseCode::FormErr);
        };
        if query.query_class() != DNSClass::IN || matches!(query.query_type(), RecordType::AXFR | RecordType::IXFR) {
            return Err(ResponseCode::Refused);
        }
        let question = Question {
            name: query.original().name(),
            kind: query.query_type(),
            instances: if request.protocol() == Protocol::Udp { UDP_INSTANCES } else { usize::MAX },
        };
        #[expect(clippy::disallowed_methods, reason = "the shell draws: who gets which instances is not to be foreseen")]
        let mut rng = rand::rng();
        Ok(self.zone.answer(&self.catalog.load(), question, &mut rng))
    }
}

#[async_trait::async_trait]
impl RequestHandler for Handler {
    async fn handle_request<R: ResponseHandler, T: Time>(&self, request: &Request, mut response_handle: R) -> ResponseInfo {
        let mut metadata = Metadata::response_from_request(&request.metadata);
        let answer = self.answer(request);
        let mut error = None;
        match &answer {
            Err(code) => metadata.response_code = *code,
            Ok(answer) => match answer.outcome {
                Outcome::Exists => metadata.authoritative = true,
                Outcome::NoSuchName => {
                    metadata.authoritative = true;
                    metadata.response_code = ResponseCode::NXDomain;
                }
                Outcome::NotReady => {
                    metadata.response_code = ResponseCode::ServFail;
                    error = Some(ExtendedError::NotReady);
                }
                Outcome::Outside => {
                    metadata.response_code = ResponseCode::Refused;
                    error = Some(ExtendedError::NotAuthoritative);
                }
            },
        }
        let edns = request.edns.as_ref().map(|asked| reply::edns(asked, error));
        let none = Vec::new();
        let (answers, authorities, additionals) = match &answer {
            Ok(answer) => (&answer.answers, &answer.authorities, &answer.additionals),
            Err(_) => (&none, &none, &none),
        };
        let response = MessageResponseBuilder::new(&request.queries, edns.as_ref()).build(metadata, answers, authorities, [], additionals);
        match response_handle.send_response(response).await {
            Ok(info) => info,
            Err(error) => {
                tracing::debug!(%error, "no reply was made to a DNS query");
                metadata.response_code = ResponseCode::ServFail;
                Header { metadata, counts: HeaderCounts::default() }.into()
            }
        }
    }
}
