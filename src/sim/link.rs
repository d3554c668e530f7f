//! How packets fare between two hosts.

use std::time::Duration;

use rand::{RngExt as _, rngs::StdRng};

/// How long a packet is on its way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Latency {
    /// Always so long.
    Fixed(Duration),
    /// Any time between two.
    Between(Duration, Duration),
    /// At least so long, and so much more on average, with the tail of an exponential distribution.
    Tail(Duration, Duration),
}

impl Latency {
    /// One packet's.
    pub fn draw(self, rng: &mut StdRng) -> Duration {
        match self {
            Latency::Fixed(time) => time,
            Latency::Between(least, most) => {
                Duration::from_micros(rng.random_range(least.as_micros() as u64..=most.as_micros().max(least.as_micros()) as u64))
            }
            Latency::Tail(least, mean) => {
                let uniform: f64 = rng.random_range(f64::MIN_POSITIVE..1.0);
                least + mean.mul_f64(-uniform.ln())
            }
        }
    }
}

/// What holds for all packets, unless a fault says more.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Conditions {
    /// One way.
    pub latency: Latency,
    /// The share of packets that are lost.
    pub loss: f64,
    /// The share of datagrams that come twice.
    pub duplicate: f64,
    /// The share of datagrams that are held up for [`Conditions::held_up`], so that later ones overtake them.
    pub reorder: f64,
    /// For how long.
    pub held_up: Latency,
    /// Octets of the largest packet; larger datagrams are lost.
    pub mtu: usize,
}

impl Default for Conditions {
    /// A quiet local network.
    fn default() -> Conditions {
        Conditions {
            latency: Latency::Between(Duration::from_micros(500), Duration::from_micros(1_500)),
            loss: 0.0,
            duplicate: 0.0,
            reorder: 0.0,
            held_up: Latency::Between(Duration::from_millis(5), Duration::from_millis(50)),
            mtu: 1_500,
        }
    }
}
