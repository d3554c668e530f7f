//! The network: which packets arrive, when, and how often.

use std::{collections::BTreeMap, fmt, iter::Sum, time::Duration};

use rand::{RngExt as _, rngs::StdRng};

use super::{
    host::HostId,
    link::{Conditions, Latency},
};
use crate::core::time::Moment;

/// Octets of the headers of a datagram: IPv4 and UDP.
pub(super) const DATAGRAM_HEAD: usize = 28;
/// Octets of the headers of a segment: IPv4 and TCP with time stamps.
pub(super) const SEGMENT_HEAD: usize = 52;

/// Some hosts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Group(Vec<bool>);

impl Group {
    /// Whether a host is one of them.
    pub fn has(&self, host: HostId) -> bool {
        self.0.get(host.0).copied().unwrap_or(false)
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hosts: Vec<String> = self.0.iter().enumerate().filter(|(_, is)| **is).map(|(host, _)| host.to_string()).collect();
        write!(f, "{{{}}}", hosts.join(" "))
    }
}

impl FromIterator<HostId> for Group {
    fn from_iter<I: IntoIterator<Item = HostId>>(hosts: I) -> Group {
        let mut group = Group::default();
        for HostId(host) in hosts {
            if group.0.len() <= host {
                group.0.resize(host + 1, false);
            }
            group.0[host] = true;
        }
        group
    }
}

/// What is wrong with the network for a while.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// Hosts of different groups do not reach each other; those in no group are one of their own.
    Partition(Vec<Group>),
    /// What some send to others is lost.
    Cut {
        /// Senders.
        from: Group,
        /// Receivers.
        to: Group,
    },
    /// Of what some send to others a share is lost, beside what is lost anyway.
    Loss {
        /// Senders.
        from: Group,
        /// Receivers.
        to: Group,
        /// The share.
        share: f64,
        /// Whether segments are, too; else datagrams alone.
        streams: bool,
    },
    /// What some send to others takes longer.
    Delay {
        /// Senders.
        from: Group,
        /// Receivers.
        to: Group,
        /// By so much.
        by: Latency,
    },
    /// Hosts send at most so many octets a second; what waits longer than 200 ms to be sent is lost.
    Rate {
        /// Which hosts.
        from: Group,
        /// Octets a second.
        octets: u64,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Partition(groups) => {
                f.write_str("apart from all others:")?;
                groups.iter().try_for_each(|group| write!(f, " {group}"))
            }
            Fault::Cut { from, to } => write!(f, "nothing from {from} to {to}"),
            Fault::Loss { from, to, share, streams } => {
                write!(f, "{:.0} % of {} lost from {from} to {to}", share * 100.0, if *streams { "all" } else { "datagrams" })
            }
            Fault::Delay { from, to, by } => write!(f, "delayed by {by:?} from {from} to {to}"),
            Fault::Rate { from, octets } => write!(f, "{octets} octets a second from {from}"),
        }
    }
}

/// How long a packet waits for a slow link before it is dropped.
const QUEUE_PATIENCE: Duration = Duration::from_millis(200);

/// Names a fault for as long as it lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FaultId(pub u64);

/// What a host sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Traffic {
    /// Datagrams.
    pub datagrams: u64,
    /// Their octets, headers of IP and UDP included.
    pub datagram_octets: u64,
    /// Segments, acknowledgements included.
    pub segments: u64,
    /// Their octets, headers of IP and TCP included.
    pub segment_octets: u64,
}

impl Traffic {
    /// All octets, headers included.
    pub fn octets(self) -> u64 {
        self.datagram_octets + self.segment_octets
    }
}

impl Sum for Traffic {
    fn sum<I: Iterator<Item = Traffic>>(all: I) -> Traffic {
        all.fold(Traffic::default(), |sum, one| Traffic {
            datagrams: sum.datagrams + one.datagrams,
            datagram_octets: sum.datagram_octets + one.datagram_octets,
            segments: sum.segments + one.segments,
            segment_octets: sum.segment_octets + one.segment_octets,
        })
    }
}

/// What was sent of a kind of messages, by all hosts together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sent {
    /// Datagrams and frames that begin with a message of the kind.
    pub count: u64,
    /// Their octets: of datagrams with the headers of IP and UDP, of frames without those of segments.
    pub octets: u64,
}

/// How often something had an effect: a knob that has none is a mistake in the scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Effects {
    /// Packets that were sent to another host and met no fault.
    pub packets: u64,
    /// Of those, datagrams that were not lost.
    pub datagrams: u64,
    /// Packets that were lost by chance.
    pub lost: u64,
    /// Datagrams that came twice.
    pub duplicated: u64,
    /// Datagrams that were held up.
    pub reordered: u64,
    /// Datagrams that were larger than the network takes.
    pub oversized: u64,
    /// Datagrams and frames that somebody had recorded and said again.
    pub said_again: u64,
    /// Of those, the ones that were taken for what they say; not counted where no host has keys and all are of one cluster.
    pub taken_again: u64,
}

/// The network.
#[derive(Debug)]
pub struct Network {
    /// What holds everywhere.
    pub conditions: Conditions,
    /// What happened by them.
    pub effects: Effects,
    /// What was sent, by the kind of its first message.
    pub sent: BTreeMap<u8, Sent>,
    faults: BTreeMap<FaultId, (Fault, u64)>,
    next: u64,
    busy_until: BTreeMap<HostId, Moment>,
}

/// Whether a packet is one of a stream, which is sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Carrier {
    Datagram,
    Segment,
}

impl Network {
    /// A network without faults.
    pub fn new(conditions: Conditions) -> Network {
        Network {
            conditions,
            effects: Effects::default(),
            sent: BTreeMap::new(),
            faults: BTreeMap::new(),
            next: 0,
            busy_until: BTreeMap::new(),
        }
    }

    /// Adds a fault.
    pub fn begin(&mut self, fault: Fault) -> FaultId {
        self.next += 1;
        self.faults.insert(FaultId(self.next), (fault, 0));
        FaultId(self.next)
    }

    /// Ends a fault, and tells how many packets it hit; none where there is no such fault.
    pub fn end(&mut self, fault: FaultId) -> Option<u64> {
        self.faults.remove(&fault).map(|(_, hits)| hits)
    }

    /// The faults that last, with how many packets each hit until now.
    pub fn faults(&self) -> impl Iterator<Item = (FaultId, &Fault, u64)> {
        self.faults.iter().map(|(id, (fault, hits))| (*id, fault, *hits))
    }

    /// Whether what one sends can't reach the other, whatever the luck.
    pub fn is_cut(&self, from: HostId, to: HostId) -> bool {
        self.faults.values().any(|(fault, _)| match fault {
            Fault::Partition(groups) => apart(groups, from, to),
            Fault::Cut { from: senders, to: receivers } => senders.has(from) && receivers.has(to),
            _ => false,
        })
    }

    /// Counts what is sent. `at`: where its first message begins.
    pub(super) fn count(&mut self, bytes: &[u8], at: usize, octets: usize) {
        let sent = self.sent.entry(bytes.get(at).copied().unwrap_or_default()).or_default();
        sent.count += 1;
        sent.octets += octets as u64;
    }

    /// How long a datagram takes, and how long until it comes once more, if it does; none where it is lost. `octets` with all headers.
    pub fn datagram(
        &mut self,
        now: Moment,
        rng: &mut StdRng,
        ends: (HostId, HostId),
        octets: usize,
    ) -> Option<(Duration, Option<Duration>)> {
        let delay = self.carry(now, rng, ends, octets, Carrier::Datagram)?;
        let again = self.conditions.duplicate > 0.0 && rng.random_bool(self.conditions.duplicate);
        self.effects.duplicated += u64::from(again);
        Some((delay, again.then(|| delay + self.conditions.latency.draw(rng))))
    }

    /// How long a segment takes; none where it is lost. `octets` with all headers.
    pub fn segment(&mut self, now: Moment, rng: &mut StdRng, ends: (HostId, HostId), octets: usize) -> Option<Duration> {
        self.carry(now, rng, ends, octets, Carrier::Segment)
    }

    fn carry(&mut self, now: Moment, rng: &mut StdRng, (from, to): (HostId, HostId), octets: usize, carrier: Carrier) -> Option<Duration> {
        let mut delay = self.conditions.latency.draw(rng);
        if from == to {
            return Some(Duration::from_micros(20));
        }
        for (fault, hits) in self.faults.values_mut() {
            match fault {
                Fault::Partition(groups) if apart(groups, from, to) => {
                    *hits += 1;
                    return None;
                }
                Fault::Cut { from: senders, to: receivers } if senders.has(from) && receivers.has(to) => {
                    *hits += 1;
                    return None;
                }
                Fault::Loss { from: senders, to: receivers, share, streams } if senders.has(from) && receivers.has(to) => {
                    let hit = (carrier == Carrier::Datagram || *streams) && rng.random_bool(*share);
                    *hits += u64::from(hit);
                    if hit {
                        return None;
                    }
                }
                Fault::Delay { from: senders, to: receivers, by } if senders.has(from) && receivers.has(to) => {
                    *hits += 1;
                    delay += by.draw(rng);
                }
                Fault::Rate { from: senders, octets: rate } if senders.has(from) => {
                    let free = self.busy_until.get(&from).copied().unwrap_or_default().max(now);
                    let sent = free + Duration::from_micros(octets as u64 * 1_000_000 / (*rate).max(1));
                    if sent - now > QUEUE_PATIENCE {
                        *hits += 1;
                        return None;
                    }
                    if sent - now > Duration::from_millis(1) {
                        *hits += 1;
                    }
                    self.busy_until.insert(from, sent);
                    delay += sent - now;
                }
                _ => {}
            }
        }
        self.effects.packets += 1;
        if self.conditions.loss > 0.0 && rng.random_bool(self.conditions.loss) {
            self.effects.lost += 1;
            return None;
        }
        if carrier == Carrier::Datagram {
            self.effects.datagrams += 1;
            if octets > self.conditions.mtu {
                self.effects.oversized += 1;
                return None;
            }
            if self.conditions.reorder > 0.0 && rng.random_bool(self.conditions.reorder) {
                self.effects.reordered += 1;
                delay += self.conditions.held_up.draw(rng);
            }
        }
        Some(delay)
    }
}

fn apart(groups: &[Group], a: HostId, b: HostId) -> bool {
    let of = |host| groups.iter().position(|group| group.has(host));
    of(a) != of(b)
}
