//! How many replies a client's network gets over UDP, where an operator sets a limit: who asks under a forged address has them sent to somebody
//! else (response rate limiting, as BIND, NSD and Knot have it).

use std::{
    hash::{BuildHasher, RandomState},
    net::{IpAddr, Ipv6Addr},
    time::{Duration, Instant},
};

/// Networks that are told apart; those beyond share with others, so that no number of addresses takes more memory.
const BUCKETS: usize = 4_096;
/// Of what is beyond the limit, each so many-th gets a short reply that sends it to TCP: a client that is really there has a way.
const SLIP: u32 = 2;

/// What becomes of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is answered.
    Answer,
    /// It is told to come back over TCP.
    Slip,
    /// It gets nothing.
    Drop,
}

/// A token bucket for each network, which holds what comes in a second.
pub(super) struct Limiter {
    rate: u32,
    buckets: Vec<Bucket>,
    hash: RandomState,
    begun: Instant,
}

#[derive(Clone)]
struct Bucket {
    /// In thousandths.
    tokens: u32,
    at: Duration,
    beyond: u32,
}

impl Limiter {
    /// So many replies a second for each network.
    pub(super) fn new(rate: u32, now: Instant) -> Limiter {
        let full = Bucket { tokens: rate.saturating_mul(1_000), at: Duration::ZERO, beyond: 0 };
        Limiter { rate, buckets: vec![full; BUCKETS], hash: RandomState::new(), begun: now }
    }

    /// Whether a client is answered now.
    pub(super) fn take(&mut self, client: IpAddr, now: Instant) -> Verdict {
        let most = self.rate.saturating_mul(1_000);
        let index = self.hash.hash_one(network(client)) as usize % BUCKETS;
        let (bucket, at) = (&mut self.buckets[index], now.duration_since(self.begun));
        let elapsed = u32::try_from(at.saturating_sub(bucket.at).as_millis()).unwrap_or(u32::MAX);
        if elapsed > 0 {
            bucket.tokens = bucket.tokens.saturating_add(elapsed.saturating_mul(self.rate)).min(most);
            bucket.at = at;
        }
        match bucket.tokens.checked_sub(1_000) {
            Some(left) => {
                bucket.tokens = left;
                Verdict::Answer
            }
            None => {
                bucket.beyond = bucket.beyond.wrapping_add(1);
                if bucket.beyond.is_multiple_of(SLIP) { Verdict::Slip } else { Verdict::Drop }
            }
        }
    }
}

/// The network that an address is counted with: a whole one is easily forged, or had.
fn network(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            [a, b, c, 0].into()
        }
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 72 << 72).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_gets_so_many_a_second_and_others_are_not_touched() {
        #[expect(clippy::disallowed_methods, reason = "only what follows on it counts")]
        let now = Instant::now();
        let mut limiter = Limiter::new(5, now);
        let (one, other) = ("10.0.0.1".parse().unwrap(), "10.0.1.1".parse().unwrap());
        let taken = |limiter: &mut Limiter, client, at: u64, times: usize| -> Vec<Verdict> {
            (0..times).map(|_| limiter.take(client, now + Duration::from_millis(at))).collect()
        };
        let answered = |verdicts: &[Verdict]| verdicts.iter().filter(|verdict| **verdict == Verdict::Answer).count();
        let verdicts = taken(&mut limiter, one, 0, 9);
        assert_eq!(verdicts[..5], [Verdict::Answer; 5]);
        assert_eq!(verdicts[5..], [Verdict::Drop, Verdict::Slip, Verdict::Drop, Verdict::Slip]);
        assert_eq!(answered(&taken(&mut limiter, "10.0.0.200".parse().unwrap(), 0, 3)), 0, "of the same network");
        assert_eq!(answered(&taken(&mut limiter, other, 0, 3)), 3);
        assert_eq!(answered(&taken(&mut limiter, one, 400, 9)), 2);
        assert_eq!(answered(&taken(&mut limiter, one, 60_000, 9)), 5, "no more than in a second");
    }

    #[test]
    fn addresses_are_counted_by_their_networks() {
        let same = |one: &str, other: &str| network(one.parse().unwrap()) == network(other.parse().unwrap());
        assert!(same("10.0.0.1", "10.0.0.255") && same("::ffff:10.0.0.1", "10.0.0.2") && same("fd00:1:2:3400::1", "fd00:1:2:34ff::9"));
        assert!(!same("10.0.0.1", "10.0.1.1") && !same("fd00:1:2:3400::1", "fd00:1:2:3500::1"));
    }
}
