//! What is wrong with the network, and whether it ever hit anything: a knob without effect shows nothing.

use super::super::{
    Conditions, Effects, Fault, FaultId, Group, HostId, Latency, Network,
    scenario::{
        Link, Nodes,
        network::{self, NetworkChange, Way},
        quantity::Share,
    },
};

/// The faults of a scenario, and what they are called.
#[derive(Debug)]
pub struct Knobs {
    /// What holds everywhere.
    network: network::Network,
    /// Who said so.
    said_by: String,
    /// What had happened by then.
    before: Effects,
    partition: Vec<Knob>,
    cuts: Vec<Knob>,
    links: Vec<(Way, Vec<Knob>)>,
}

/// Faults of which at least one must have hit something.
#[derive(Debug)]
struct Knob {
    what: String,
    faults: Vec<FaultId>,
}

impl Knobs {
    /// What a scenario begins with.
    pub fn new(network: &network::Network) -> Knobs {
        Knobs {
            network: network.clone(),
            said_by: "[network]".to_owned(),
            before: Effects::default(),
            partition: Vec::new(),
            cuts: Vec::new(),
            links: Vec::new(),
        }
    }

    /// Puts a partition in the place of an earlier one. Tells what had no effect until then, as all that follow.
    pub(super) fn partition(&mut self, network: &mut Network, parts: &[Nodes], what: String) -> Option<String> {
        let idle = end(network, &mut self.partition);
        let fault = network.begin(Fault::Partition(parts.iter().map(group).collect()));
        self.partition = vec![Knob { what, faults: vec![fault] }];
        idle
    }

    pub(super) fn cut(&mut self, network: &mut Network, way: &Way, what: String) {
        let faults = directions(way).map(|(from, to)| network.begin(Fault::Cut { from, to })).collect();
        self.cuts.push(Knob { what, faults });
    }

    pub(super) fn heal(&mut self, network: &mut Network) -> Option<String> {
        let idle = end(network, &mut self.partition);
        idle.or(end(network, &mut self.cuts))
    }

    /// The network is another one from now on. Tells what had no effect until then.
    pub fn change(&mut self, network: &mut Network, change: &NetworkChange, what: String) -> Option<String> {
        let idle = self.idle_condition(network);
        change.apply(&mut self.network);
        (self.said_by, self.before) = (what, network.effects);
        network.conditions = conditions(&self.network);
        idle
    }

    /// Puts a link in the place of what was said of the same way. Tells what of that had no effect.
    pub fn link(&mut self, network: &mut Network, link: &Link, what: String) -> Option<String> {
        let mut idle = None;
        if let Some(place) = self.links.iter().position(|(way, _)| *way == link.way) {
            idle = end(network, &mut self.links.remove(place).1);
        }
        let mut knobs = Vec::new();
        let mut add = |aspect: &str, make: &dyn Fn(Group, Group) -> Fault| {
            let faults = directions(&link.way).map(|(from, to)| network.begin(make(from, to))).collect();
            knobs.push(Knob { what: format!("{what}: its {aspect}"), faults });
        };
        if link.loss > Share::default() {
            let (share, streams) = (link.loss.probability(), !link.datagrams_only);
            add("loss", &|from, to| Fault::Loss { from, to, share, streams });
        }
        if let Some(delay) = link.delay {
            add("delay", &|from, to| Fault::Delay { from, to, by: latency(delay) });
        }
        if let Some(octets) = link.rate {
            add("rate", &|from, _| Fault::Rate { from, octets });
        }
        self.links.push((link.way.clone(), knobs));
        idle
    }

    /// The end of the scenario: what had no effect by then, if anything.
    pub fn end(&self, network: &Network) -> Option<String> {
        let links = self.links.iter().flat_map(|(_, knobs)| knobs);
        let idle = self.partition.iter().chain(&self.cuts).chain(links).find(|knob| knob.hits(network) == 0);
        self.idle_condition(network).or(idle.map(Knob::idle))
    }

    fn idle_condition(&self, network: &Network) -> Option<String> {
        let (before, now) = (self.before, network.effects);
        let knobs = [
            ("loss", self.network.loss, now.lost - before.lost),
            ("duplication", self.network.duplication, now.duplicated - before.duplicated),
            ("reordering", self.network.reordering, now.reordered - before.reordered),
        ];
        let idle = knobs.into_iter().find(|(_, share, hits)| *share > Share::default() && *hits == 0)?;
        Some(format!("{}: a {} of {} had no effect: it hit no packet", self.said_by, idle.0, idle.1))
    }
}

impl Knob {
    fn hits(&self, network: &Network) -> u64 {
        network.faults().filter(|(id, ..)| self.faults.contains(id)).map(|(_, _, hits)| hits).sum()
    }

    fn idle(&self) -> String {
        format!("{} had no effect: it hit no packet", self.what)
    }
}

/// Ends faults, and tells of one that had no effect.
fn end(network: &mut Network, knobs: &mut Vec<Knob>) -> Option<String> {
    let mut idle = None;
    for knob in knobs.drain(..) {
        if knob.hits(network) == 0 {
            idle.get_or_insert(knob.idle());
        }
        for fault in knob.faults {
            network.end(fault);
        }
    }
    idle
}

fn group(nodes: &Nodes) -> Group {
    nodes.iter().map(HostId).collect()
}

/// From whom to whom a way leads, and back where that is the same.
pub fn directions(way: &Way) -> impl Iterator<Item = (Group, Group)> + use<> {
    let (from, to) = (group(&way.from), group(&way.to));
    let back = way.both_ways.then(|| (to.clone(), from.clone()));
    std::iter::once((from, to)).chain(back)
}

/// What holds for all packets.
pub fn conditions(network: &network::Network) -> Conditions {
    Conditions {
        latency: latency(network.latency),
        loss: network.loss.probability(),
        duplicate: network.duplication.probability(),
        reorder: network.reordering.probability(),
        held_up: latency(network.reordered_by),
        mtu: network.mtu.into(),
    }
}

fn latency(latency: network::Latency) -> Latency {
    match latency {
        network::Latency::Fixed(time) => Latency::Fixed(time),
        network::Latency::Between(least, most) => Latency::Between(least, most),
        network::Latency::Tail { least, mean } => Latency::Tail(least, mean - least),
    }
}
