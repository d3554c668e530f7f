//! What is wrong with the network, as rules on the bridge, and whether it ever hit anything: a fault without effect shows nothing.

use std::fmt::Write as _;

use tidings::sim::scenario::{
    Link, Nodes,
    network::{Network, NetworkChange, Way},
    quantity::Share,
};

use super::site::Site;

/// Loss in the network at large beyond which agents may be wrong about each other for a while.
const MILLION: f64 = 1_000_000.0;

/// A fault, what it is called, and how many packets it hit.
#[derive(Debug)]
struct Fault {
    /// Of no other fault of the run.
    number: usize,
    what: String,
    kind: Kind,
    hits: u64,
}

#[derive(Debug)]
enum Kind {
    Partition(Vec<Nodes>),
    Cut(Way),
    Link(Link),
    /// In all of the network.
    Loss(Share),
}

/// All that is wrong now.
#[derive(Debug)]
pub(crate) struct Faults {
    network: Network,
    faults: Vec<Fault>,
    count: usize,
    nodes: usize,
}

impl Faults {
    /// What a network begins with.
    pub(crate) fn new(network: &Network, nodes: usize) -> Faults {
        let mut faults = Faults { network: network.clone(), faults: Vec::new(), count: 0, nodes };
        faults.lose("[network]".to_owned());
        faults
    }

    /// Whether more is wrong than agents promise to bear: then they may be wrong about each other.
    pub(crate) fn are_beyond(&self, loss: f64) -> bool {
        let is_fault = |fault: &Fault| match &fault.kind {
            Kind::Loss(share) => share.probability() > loss,
            Kind::Partition(_) | Kind::Cut(_) | Kind::Link(_) => true,
        };
        self.faults.iter().any(is_fault)
    }

    /// Whether anybody is cut off from anybody.
    pub(crate) fn cut_off(&self) -> bool {
        self.faults.iter().any(|fault| matches!(fault.kind, Kind::Partition(_) | Kind::Cut(_)))
    }

    pub(crate) fn partition(&mut self, parts: &[Nodes], what: String) -> Option<String> {
        let idle = self.end(|kind| matches!(kind, Kind::Partition(_)));
        self.begin(what, Kind::Partition(parts.to_vec()));
        idle
    }

    pub(crate) fn cut(&mut self, way: &Way, what: String) {
        self.begin(what, Kind::Cut(way.clone()));
    }

    pub(crate) fn heal(&mut self) -> Option<String> {
        self.end(|kind| matches!(kind, Kind::Partition(_) | Kind::Cut(_)))
    }

    pub(crate) fn change(&mut self, change: &NetworkChange, what: String) -> Option<String> {
        change.apply(&mut self.network);
        let idle = self.end(|kind| matches!(kind, Kind::Loss(_)));
        self.lose(what);
        idle
    }

    /// A way is another one from now on. Returns what had no effect, too.
    pub(crate) fn link(&mut self, link: &Link, what: String) -> Option<String> {
        let idle = self.end(|kind| matches!(kind, Kind::Link(before) if before.way == link.way));
        if link.loss > Share::default() {
            self.begin(what, Kind::Link(link.clone()));
        }
        idle
    }

    /// What had no effect until the end of the scenario, if anything.
    pub(crate) fn idle(&self) -> Option<String> {
        self.faults.iter().find(|fault| fault.hits == 0).map(Fault::idle)
    }

    fn lose(&mut self, what: String) {
        if self.network.loss > Share::default() {
            self.begin(format!("{what}: a loss of {}", self.network.loss), Kind::Loss(self.network.loss));
        }
    }

    fn begin(&mut self, what: String, kind: Kind) {
        self.count += 1;
        self.faults.push(Fault { number: self.count, what, kind, hits: 0 });
    }

    fn end(&mut self, which: impl Fn(&Kind) -> bool) -> Option<String> {
        let (ended, rest): (Vec<Fault>, _) = std::mem::take(&mut self.faults).into_iter().partition(|fault| which(&fault.kind));
        self.faults = rest;
        ended.iter().find(|fault| fault.hits == 0).map(Fault::idle)
    }

    /// Takes note of what was hit until now.
    pub(crate) fn count(&mut self, site: &dyn Site) -> Result<(), String> {
        let mut hits = site.hits()?;
        for fault in &mut self.faults {
            fault.hits += hits.remove(&fault.counter()).unwrap_or_default();
        }
        Ok(())
    }

    /// Puts the rules in the place of those that were.
    pub(crate) fn apply(&self, site: &dyn Site) -> Result<(), String> {
        let (mut counters, mut rules) = (String::new(), String::new());
        // What takes a counted datagram apart must not pass another one.
        let _ = writeln!(rules, "ip protocol udp ip length > {} drop", self.network.mtu);
        for fault in &self.faults {
            let counter = fault.counter();
            let _ = writeln!(counters, "counter {counter} {{}}");
            for way in self.ways(&fault.kind) {
                let _ = writeln!(rules, "{way} counter name {counter} drop", way = way.rule(site));
            }
        }
        site.set_rules(&counters, &rules)
    }

    fn ways(&self, kind: &Kind) -> Vec<Rule> {
        let whole = |from: &Nodes, to: &Nodes| Rule { ends: Some((from.clone(), to.clone())), share: 1.0, udp: false };
        match kind {
            Kind::Loss(share) => vec![Rule { ends: None, share: share.probability(), udp: false }],
            Kind::Cut(way) => directions(way).iter().map(|(from, to)| whole(from, to)).collect(),
            Kind::Link(link) => {
                let rule = |(from, to)| Rule { ends: Some((from, to)), share: link.loss.probability(), udp: link.datagrams_only };
                directions(&link.way).into_iter().map(rule).collect()
            }
            Kind::Partition(parts) => {
                let named = |node: usize| parts.iter().any(|part| part.has(node));
                let rest: Nodes = (0..self.nodes).filter(|node| !named(*node)).collect();
                let all: Vec<&Nodes> = parts.iter().chain([&rest]).filter(|part| !part.is_empty()).collect();
                let others = |part: &Nodes| (0..self.nodes).filter(|node| !part.has(*node)).collect::<Nodes>();
                all.into_iter().map(|part| whole(part, &others(part))).collect()
            }
        }
    }
}

impl Fault {
    fn counter(&self) -> String {
        format!("fault{}", self.number)
    }

    fn idle(&self) -> String {
        format!("{} had no effect: it hit no packet", self.what)
    }
}

/// Packets that are lost.
struct Rule {
    /// From and to whom; of all where nobody is named.
    ends: Option<(Nodes, Nodes)>,
    share: f64,
    udp: bool,
}

impl Rule {
    /// Only what is IP: who is cut off somewhere far away still finds the router that leads there.
    fn rule(&self, site: &dyn Site) -> String {
        let mut rule = if self.udp { "ip protocol udp".to_owned() } else { "ether type ip".to_owned() };
        if let Some((from, to)) = &self.ends {
            let _ = write!(rule, " {}", site.between(from, to));
        }
        if self.share < 1.0 {
            let _ = write!(rule, " numgen random mod {MILLION} < {}", (self.share * MILLION).round());
        }
        rule
    }
}

fn directions(way: &Way) -> Vec<(Nodes, Nodes)> {
    let back = way.both_ways.then(|| (way.to.clone(), way.from.clone()));
    std::iter::once((way.from.clone(), way.to.clone())).chain(back).filter(|(from, to)| !from.is_empty() && !to.is_empty()).collect()
}
