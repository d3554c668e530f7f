//! How much a datagram that anybody may have forged can have this agent send.
//!
//! Whoever holds a key is believed. Without one the address that a datagram comes from, and all that stands in it, may be somebody else's, and what is sent there
//! for it is an attack on that one. So a datagram that is not encrypted is answered with no more octets than it had itself, and where the
//! answer goes to a member, with one full datagram at most.

use std::net::SocketAddr;

use super::{Core, membership::Membership};
use crate::wire::limits;

/// Octets of IP and UDP before a payload: many small answers are no better than a large one.
const HEADERS: usize = 28;

/// What may still be sent for the datagram at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Allowance {
    /// Octets to anybody.
    anybody: usize,
    /// Octets to members.
    members: usize,
}

impl Allowance {
    /// For a datagram of so many octets.
    pub(super) fn of(octets: usize) -> Allowance {
        Allowance { anybody: octets + HEADERS, members: limits::DATAGRAM_OCTETS + HEADERS }
    }

    /// Its sender is nobody yet who is known: what it says may make it a member.
    pub(super) fn of_stranger(self) -> Allowance {
        Allowance { members: 0, ..self }
    }

    /// Takes what a payload needs, if it may go there.
    fn take(&mut self, payload: usize, to: SocketAddr, members: &Membership) -> bool {
        let octets = payload + HEADERS;
        if octets <= self.anybody {
            self.anybody -= octets;
            self.members = self.members.saturating_sub(octets);
            return true;
        }
        let allowed = octets <= self.members && members.members().any(|member| member.identity.address() == to);
        if allowed {
            self.members -= octets;
            self.anybody = self.anybody.saturating_sub(octets);
        }
        allowed
    }
}

impl Core {
    /// Whether a datagram with so many octets may be sent now. One that may not is dropped and counted: what it says is said again otherwise.
    pub(super) fn may_send(&mut self, to: SocketAddr, octets: usize) -> bool {
        let Some(allowance) = &mut self.allowance else {
            return true;
        };
        let allowed = allowance.take(octets, to, &self.membership);
        if !allowed {
            self.dropped(to, "more_than_asked");
        }
        allowed
    }
}
