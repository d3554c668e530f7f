//! The network: what holds between all nodes, and what on the way from some to others.

use std::time::Duration;

use super::{
    cast::{Cast, Nodes},
    fields::{Fields, Flaws},
    keys,
    quantity::{self, Share},
};

/// Links that may have a word of their own.
pub const LINKS: usize = 100;
/// What every network takes (RFC 791).
const LEAST_MTU: u64 = 576;
const MOST_MTU: u64 = 65_535;

/// How long packets take, one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Latency {
    /// Each the same.
    Fixed(Duration),
    /// Anything between the two.
    Between(Duration, Duration),
    /// At least the first, and on average the second, with the tail of an exponential distribution.
    Tail {
        /// No packet takes less.
        least: Duration,
        /// On average; more than `least`.
        mean: Duration,
    },
}

/// How the network is between all nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    /// How long a packet takes.
    pub latency: Latency,
    /// The share of packets that are lost, datagrams or not.
    pub loss: Share,
    /// The share of datagrams that come twice.
    pub duplication: Share,
    /// The share of datagrams that are held up, so that later ones overtake them.
    pub reordering: Share,
    /// For how long.
    pub reordered_by: Latency,
    /// Octets of the largest packet, IP header included: larger datagrams are lost.
    pub mtu: u16,
}

impl Default for Network {
    /// A quiet local network.
    fn default() -> Network {
        let ms = Duration::from_millis;
        Network {
            latency: Latency::Between(Duration::from_micros(500), Duration::from_micros(1_500)),
            loss: Share::default(),
            duplication: Share::default(),
            reordering: Share::default(),
            reordered_by: Latency::Between(ms(5), ms(50)),
            mtu: 1_500,
        }
    }
}

/// What is said of the network: what is not, stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NetworkChange {
    latency: Option<Latency>,
    loss: Option<Share>,
    duplication: Option<Share>,
    reordering: Option<Share>,
    reordered_by: Option<Latency>,
    mtu: Option<u16>,
}

impl NetworkChange {
    /// Puts what is said in the place of what was.
    pub fn apply(&self, network: &mut Network) {
        let NetworkChange { latency, loss, duplication, reordering, reordered_by, mtu } = *self;
        network.latency = latency.unwrap_or(network.latency);
        network.loss = loss.unwrap_or(network.loss);
        network.duplication = duplication.unwrap_or(network.duplication);
        network.reordering = reordering.unwrap_or(network.reordering);
        network.reordered_by = reordered_by.unwrap_or(network.reordered_by);
        network.mtu = mtu.unwrap_or(network.mtu);
    }

    /// The same, with nothing said of loss.
    #[must_use]
    pub fn but_for_loss(&self) -> NetworkChange {
        NetworkChange { loss: None, ..self.clone() }
    }
}

/// From whom to whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// Senders.
    pub from: Nodes,
    /// Receivers.
    pub to: Nodes,
    /// Whether the same holds for what goes back.
    pub both_ways: bool,
}

/// What holds for packets on a way, beside what holds everywhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Which.
    pub way: Way,
    /// So much longer they take.
    pub delay: Option<Latency>,
    /// The share that is lost.
    pub loss: Share,
    /// Whether only datagrams are lost, as where a firewall lets TCP through.
    pub datagrams_only: bool,
    /// What each sender may send at most, in octets a second.
    pub rate: Option<u64>,
}

/// Reads what is said of the network.
pub(super) fn change(fields: &Fields<'_>) -> NetworkChange {
    NetworkChange {
        latency: jittered(fields),
        loss: fields.parsed("loss", quantity::share),
        duplication: fields.parsed("duplication", quantity::share),
        reordering: fields.parsed("reordering", quantity::share),
        reordered_by: latency(fields, "reordered_by"),
        mtu: fields.number("mtu", LEAST_MTU, MOST_MTU).map(|mtu| mtu as u16),
    }
}

fn jittered(fields: &Fields<'_>) -> Option<Latency> {
    let read = latency(fields, "latency");
    let Some(jitter) = fields.duration("jitter") else { return read };
    match read {
        Some(Latency::Fixed(time)) => return Some(Latency::Between(time, time + jitter)),
        Some(_) => fields.flaw("jitter", "is for a fixed latency; this one varies already"),
        None if fields.has("latency") => {}
        None => fields.flaw("jitter", "is added to a latency, which is missing"),
    }
    read
}

/// `"1ms"`, `"1ms..5ms"` or `{ least = "1ms", mean = "3ms" }`.
fn latency(fields: &Fields<'_>, key: &str) -> Option<Latency> {
    let value = fields.get(key)?;
    if value.is_object() {
        let tail = Fields::open_with(fields.flaws(), fields.pointer(key), value, vec!["least", "mean"])?;
        tail.required("least");
        tail.required("mean");
        let (least, mean) = (tail.duration("least")?, tail.duration("mean")?);
        if mean <= least {
            tail.flaw("mean", "is not more than least");
            return None;
        }
        return Some(Latency::Tail { least, mean });
    }
    fields.parsed(key, |text| match text.split_once("..") {
        None => quantity::duration(text).map(Latency::Fixed),
        Some((least, most)) => {
            let (least, most) = (quantity::duration(least)?, quantity::duration(most)?);
            if least <= most { Ok(Latency::Between(least, most)) } else { Err(format!("is {text:?}, which goes backwards")) }
        }
    })
}

/// Reads the ways: `from` and `to`, or `between` two sets of nodes.
pub(super) fn way(fields: &Fields<'_>, cast: &Cast) -> Option<Way> {
    if !fields.has("between") {
        let (from, to) = (cast.some_nodes(fields, "from"), cast.some_nodes(fields, "to"));
        return Some(Way { from: from?, to: to?, both_ways: false });
    }
    for key in fields.those(["from", "to"]) {
        fields.flaw(key, "is one too many beside between");
    }
    let ends = fields.list("between", 2)?;
    let [(one_at, one), (other_at, other)] = ends.as_slice() else {
        fields.flaw("between", r#"has two ends, as in between = ["n1", ["n2", "n3"]]"#);
        return None;
    };
    let (one, other) = (cast.nodes_at(fields.flaws(), one_at, one), cast.nodes_at(fields.flaws(), other_at, other));
    let (one, other) = (one?, other?);
    let both: Nodes = one.iter().filter(|node| other.has(*node)).collect();
    if !both.is_empty() {
        fields.flaw("between", format!("has {} at both ends", cast.said(&both)));
    }
    Some(Way { from: one, to: other, both_ways: true })
}

/// Reads a link.
pub(super) fn link(fields: &Fields<'_>, cast: &Cast) -> Option<Link> {
    let way = way(fields, cast);
    let delay = latency(fields, "delay");
    let loss = fields.parsed("loss", quantity::share);
    let protocol =
        fields.parsed("protocol", |text| if text == "udp" { Ok(()) } else { Err(format!(r#"is {text:?}; it is "udp" or left out"#)) });
    if fields.has("protocol") && !fields.has("loss") {
        fields.flaw("protocol", "says of what loss is, which is missing");
    }
    let rate = fields.parsed("rate", quantity::rate);
    let to_all = |way: &Way| !way.both_ways && way.to.len() == cast.names.len();
    if fields.has("rate") && way.as_ref().is_some_and(|way| !to_all(way)) {
        fields.flaw("rate", r#"is of all that a host sends: write to = "all""#);
    }
    Some(Link { way: way?, delay, loss: loss.unwrap_or_default(), datagrams_only: protocol.is_some(), rate })
}

/// Reads `[network]` and the `[[link]]` tables.
pub(super) fn read(file: &Fields<'_>, flaws: &Flaws, cast: &Cast) -> (Network, Vec<Link>) {
    let mut network = Network::default();
    let said = file.get(keys::NETWORK.name).and_then(|value| Fields::open(flaws, file.pointer(keys::NETWORK.name), value, &keys::NETWORK));
    if let Some(fields) = said {
        change(&fields).apply(&mut network);
    }
    let links = file.list(keys::LINK.name, LINKS).unwrap_or_default();
    let read = |(at, value): (String, _)| link(&Fields::open(flaws, at, value, &keys::LINK)?, cast);
    (network, links.into_iter().filter_map(read).collect())
}
