//! Who has which address.

use std::net::Ipv4Addr;

/// The addresses of hosts, and those that they are given later: one after the other.
#[derive(Debug)]
pub(crate) struct Addresses {
    first: Ipv4Addr,
    now: Vec<Ipv4Addr>,
    given: usize,
}

impl Addresses {
    /// Those of so many hosts, from the first one on.
    pub(crate) fn new(first: Ipv4Addr, count: usize) -> Addresses {
        let mut addresses = Addresses { first, now: Vec::new(), given: count };
        addresses.now = (0..count).map(|turn| addresses.nth(turn)).collect();
        addresses
    }

    fn nth(&self, turn: usize) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.first.to_bits() + turn as u32)
    }

    pub(crate) fn of(&self, place: usize) -> Ipv4Addr {
        self.now[place]
    }

    /// A host has one that nobody had before.
    pub(crate) fn change(&mut self, place: usize) {
        self.now[place] = self.nth(self.given);
        self.given += 1;
    }

    /// A host has the one that another has now, or had first where it has moved and nobody has that.
    pub(crate) fn take(&mut self, place: usize, of: usize) {
        let first = self.nth(of);
        let is_free = self.now.iter().enumerate().all(|(other, address)| other == of || *address != first);
        self.now[place] = if is_free { first } else { self.now[of] };
    }
}
