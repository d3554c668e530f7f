//! Questions about what is not under the domain, passed on to upstreams as they came.
//!
//! The message goes on octet by octet, so that what it carries (EDNS options, DNSSEC flags, the case of its name) arrives; only its id is another one, and
//! each leaves from a port of its own, so that neither can be guessed (RFC 5452, 9). What comes back is passed on when it comes from the upstream
//! that was asked and answers the question.

mod exchange;
mod upstreams;

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout_at},
};

use super::reply::{self, ExtendedError, HEADER, LEAST_PAYLOAD, TC};
use crate::config::Upstream;
use exchange::Exchange;
use upstreams::Upstreams;

/// Questions that are passed on at a time. What comes beyond is answered with SERVFAIL at once.
const IN_FLIGHT: usize = 256;
/// How long an upstream may take. Resolvers on hosts ask again after 5 s (resolv.conf(5)); until then two have had their turn.
const PATIENCE: Duration = Duration::from_millis(1_800);
/// How long all together may take.
const PATIENCE_IN_ALL: Duration = Duration::from_millis(4_500);

/// Passes questions on.
pub(super) struct Forwarder {
    upstreams: Upstreams,
    places: Arc<Semaphore>,
}

/// A place among those that are passed on.
pub(super) struct Place(#[expect(dead_code, reason = "it is given back when this is dropped")] OwnedSemaphorePermit);

impl Forwarder {
    /// To these upstreams; `own` is where this agent answers itself, and is never one of them.
    pub(super) fn new(upstreams: &[Upstream], own: std::net::SocketAddr) -> Forwarder {
        Forwarder { upstreams: Upstreams::new(upstreams, own), places: Arc::new(Semaphore::new(IN_FLIGHT)) }
    }

    /// A place, while there is one.
    pub(super) fn place(&self) -> Option<Place> {
        Arc::clone(&self.places).try_acquire_owned().ok().map(Place)
    }

    /// The answer to a query, which has one question, or that there is none. Over TCP what was cut is asked for over TCP, too; over UDP the client hears of
    /// it, and comes back.
    pub(super) async fn ask(&self, query: &[u8], over_tcp: bool, _place: Place) -> Option<Vec<u8>> {
        let end = Instant::now() + PATIENCE_IN_ALL;
        for upstream in self.upstreams.in_turn() {
            let until = end.min(Instant::now() + PATIENCE);
            let exchange = Exchange::new(query, upstream);
            let asked = async {
                let answer = exchange.over_udp().await?;
                if over_tcp && answer[2] & TC != 0 { exchange.over_tcp().await } else { Ok(answer) }
            };
            match timeout_at(until, asked).await {
                Ok(Ok(mut answer)) => {
                    self.upstreams.answered(upstream);
                    answer[..2].copy_from_slice(&query[..2]);
                    reply::say_own_payload(&mut answer);
                    return Some(fitting(query, answer, over_tcp));
                }
                Ok(Err(error)) => {
                    tracing::debug!(%upstream, %error, "an upstream did not answer");
                    self.upstreams.failed(upstream);
                }
                Err(_) => {
                    tracing::debug!(%upstream, "an upstream did not answer in time");
                    self.upstreams.failed(upstream);
                }
            }
        }
        Self::no_answer(query)
    }

    /// What is said where nobody answers, and where no place is free.
    pub(super) fn no_answer(query: &[u8]) -> Option<Vec<u8>> {
        reply::failure(query, ExtendedError::NoUpstream)
    }
}

/// An answer that is larger than the client takes is cut to its header and question, with TC.
fn fitting(query: &[u8], mut answer: Vec<u8>, over_tcp: bool) -> Vec<u8> {
    let fits = over_tcp || answer.len() <= usize::from(LEAST_PAYLOAD) || answer.len() <= usize::from(reply::payload(query));
    if !fits {
        answer.truncate(reply::end_of_question(query).unwrap_or(HEADER));
        answer[2] |= TC;
        answer[6..HEADER].fill(0);
    }
    answer
}

#[cfg(test)]
mod tests;
