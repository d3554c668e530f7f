//! Loopback addresses: each scenario has a block 127.x.y.0 of its own, so that all agents use the standard ports and
//! nothing one scenario does reaches another.

use std::{
    net::{Ipv4Addr, UdpSocket},
    process,
    sync::atomic::{AtomicU32, Ordering},
};

/// The ports that `tidings agent` uses unless told otherwise.
pub(crate) const GOSSIP: u16 = 8746;
pub(crate) const HTTP: u16 = 8780;
pub(crate) const DNS: u16 = 8753;

/// Where no agent ever is.
const NOBODY: u8 = 250;
/// Bound for as long as the block is in use: two test runs on one machine never share a block.
const RESERVATION: u8 = 254;

/// A block that is reserved until it is dropped.
#[derive(Debug)]
pub(crate) struct Block {
    x: u8,
    y: u8,
    _reservation: UdpSocket,
}

impl Block {
    /// The next free block.
    pub(crate) fn reserve() -> Block {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        for _ in 0..1_000 {
            let n = NEXT.fetch_add(1, Ordering::Relaxed);
            // x is never 0: 127.0.0.0/24 belongs to what else runs on this machine.
            let x = 1 + ((process::id() + n / 250) % 250) as u8;
            let y = (n % 250) as u8;
            if let Ok(reservation) = UdpSocket::bind((Ipv4Addr::new(127, x, y, RESERVATION), GOSSIP)) {
                return Block { x, y, _reservation: reservation };
            }
        }
        panic!("no loopback address is free: is 127.0.0.0/8 local on this machine?");
    }

    /// The address of the n-th agent.
    pub(crate) fn agent(&self, n: usize) -> Ipv4Addr {
        self.host(10 + u8::try_from(n).expect("a scenario has few agents"))
    }

    /// An address at which nothing listens, unless the scenario itself does.
    pub(crate) fn nobody(&self) -> Ipv4Addr {
        self.host(NOBODY)
    }

    fn host(&self, z: u8) -> Ipv4Addr {
        Ipv4Addr::new(127, self.x, self.y, z)
    }
}
