//! Who takes part.

use std::{collections::BTreeMap, time::Duration};

use serde_json::Value;

use super::{
    cast::{ALL, Cast, Nodes},
    fields::{Fields, Flaws},
    keys, quantity,
    secrets::{self, KeyName},
};
use crate::{
    config::OnTerm,
    fields::Shown,
    model::{ClusterName, NodeName, Zone, encryption::Mode, instance::escape_pointer},
};

/// Nodes that may take part.
pub const NODES: usize = 10_000;
/// Groups that may be named.
pub const GROUPS: usize = 100;
/// The shortest time after which the dead are forgotten.
pub const SHORTEST_REAP: Duration = Duration::from_secs(10);

/// A host with its agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// What the scenario calls it.
    pub host: NodeName,
    /// What its agent is called: the same, unless something else is said.
    pub name: NodeName,
    /// The cluster of its agent.
    pub cluster: ClusterName,
    /// Where it is.
    pub zone: Option<Zone>,
    /// Whom its agent joins.
    pub join: Nodes,
    /// What its agent does on SIGTERM.
    pub on_term: OnTerm,
    /// After how long its agent forgets those that are down or left; as an agent has it, where nothing is said.
    pub reap_after: Option<Duration>,
    /// Whether its agent runs from the beginning.
    pub started: bool,
    /// The keys of its gossip; the first one encrypts.
    pub keys: Vec<KeyName>,
    /// How far encryption is turned on.
    pub encryption: Mode,
}

/// What may be said of all nodes or of some.
#[derive(Debug, Clone)]
struct Options {
    cluster: Option<ClusterName>,
    zone: Option<Zone>,
    join: Option<Nodes>,
    on_term: Option<OnTerm>,
    reap_after: Option<Duration>,
    started: Option<bool>,
    keys: Option<Vec<KeyName>>,
    encryption: Option<Mode>,
}

impl Options {
    fn read(fields: &Fields<'_>, cast: &Cast) -> Options {
        Options {
            cluster: fields.name("cluster", ClusterName::new),
            zone: fields.name("zone", Zone::new),
            join: cast.nodes(fields, "join"),
            on_term: fields.name("on_term", str::parse::<OnTerm>),
            reap_after: fields.duration("reap_after").filter(|time| {
                let sound = *time >= SHORTEST_REAP;
                if !sound {
                    fields.flaw("reap_after", format!("is less than {}", quantity::said(SHORTEST_REAP)));
                }
                sound
            }),
            started: fields.yes_or_no("started"),
            keys: secrets::names(fields, "keys"),
            encryption: secrets::mode(fields, "encryption"),
        }
    }

    fn over(self, node: &mut Node) {
        let Options { cluster, zone, join, on_term, reap_after, started, keys, encryption } = self;
        node.cluster = cluster.unwrap_or_else(|| node.cluster.clone());
        node.zone = zone.or_else(|| node.zone.take());
        node.join = join.unwrap_or_else(|| std::mem::take(&mut node.join));
        node.on_term = on_term.unwrap_or(node.on_term);
        node.reap_after = reap_after.or(node.reap_after);
        node.started = started.unwrap_or(node.started);
        if let Some(keys) = keys {
            // As of an agent that is given a file of keys and nothing else.
            node.encryption = if keys.is_empty() { Mode::Off } else { Mode::Require };
            node.keys = keys;
        }
        node.encryption = encryption.unwrap_or(node.encryption);
    }
}

/// Reads `[nodes]`, `[groups]` and the `[[node]]` tables. `count` stands for the count in the file where it is given.
pub(super) fn read(file: &Fields<'_>, count: Option<usize>) -> (Vec<Node>, Cast) {
    let nothing = Value::Object(serde_json::Map::new());
    let (flaws, pointer) = (file.flaws(), file.pointer(keys::NODES.name));
    let mut cast = Cast::default();
    let own = file.list(keys::NODE.name, NODES).unwrap_or_default();
    let own: Vec<Fields<'_>> = own.into_iter().filter_map(|(at, value)| Fields::open(flaws, at, value, &keys::NODE)).collect();
    if let Some(fields) = Fields::open(flaws, &pointer, file.get(keys::NODES.name).unwrap_or(&nothing), &keys::NODES) {
        add_all(&mut cast, &fields, count);
        let counted = fields.has("count").then_some(cast.names.len());
        own.iter().for_each(|fields| add_own(&mut cast, fields, counted));
        if cast.names.is_empty() && flaws.is_empty() {
            file.flaw(keys::NODES.name, "has none; write count = 3, or names = [\"a\", \"b\"]");
        }
        if cast.names.len() > NODES {
            file.flaw(keys::NODES.name, format!("has {} of them; at most {NODES} are allowed", cast.names.len()));
        }
        read_groups(&mut cast, file);
        let nodes = options(&cast, &fields, &own);
        return (nodes, cast);
    }
    (Vec::new(), cast)
}

fn add_all(cast: &mut Cast, fields: &Fields<'_>, count: Option<usize>) {
    if fields.has("count") && fields.has("names") {
        fields.flaw("names", "is one too many beside count");
    }
    let most = NODES as u64;
    match (fields.number("count", 1, most), count) {
        (Some(_), Some(given)) if !(1..=NODES).contains(&given) => {
            fields.flaw("count", format!("is to be {given}; there may be 1 to {most} nodes"));
        }
        (Some(_), Some(given)) => add_numbered(cast, given),
        (Some(written), None) => add_numbered(cast, written as usize),
        (None, Some(_)) if !fields.has("count") => fields.flawed("has no count, so its number can't be changed"),
        (None, _) => {}
    }
    for (pointer, value) in fields.list("names", NODES).unwrap_or_default() {
        match value.as_str().map(NodeName::new) {
            None => fields.flaws().add(pointer, format!("is {}; a name is a text in quotes", Shown(value))),
            Some(Err(error)) => fields.flaws().add(pointer, format!("is wrong: {error}")),
            Some(Ok(name)) => add_named(cast, fields.flaws(), &pointer, name),
        }
    }
}

fn add_numbered(cast: &mut Cast, count: usize) {
    for number in 1..=count {
        cast.add(NodeName::new(&format!("n{number}")).expect("a DNS label"));
    }
}

fn add_named(cast: &mut Cast, flaws: &Flaws, pointer: &str, name: NodeName) {
    if name.as_str() == ALL {
        flaws.add(pointer, "is \"all\", which stands for all nodes");
    } else if !cast.add(name.clone()) {
        flaws.add(pointer, format!("is {name}, which is there already"));
    }
}

/// A node that only its own table names.
fn add_own(cast: &mut Cast, fields: &Fields<'_>, counted: Option<usize>) {
    if fields.has("name") == fields.has("nodes") {
        return fields.flawed("takes either name, for one node, or nodes, for several that are named elsewhere");
    }
    let Some(name) = fields.name("name", NodeName::new) else { return };
    let is_numbered = |name: &str| name.strip_prefix('n').is_some_and(|digits| digits.bytes().all(|octet| octet.is_ascii_digit()));
    match counted {
        _ if cast.place(name.as_str()).is_some() => {}
        Some(count) if is_numbered(name.as_str()) => fields.flaw("name", format!("is {name}; there are n1 to n{count}")),
        _ => add_named(cast, fields.flaws(), &fields.pointer("name"), name),
    }
}

fn read_groups(cast: &mut Cast, file: &Fields<'_>) {
    let Some(value) = file.get("groups") else { return };
    let Value::Object(groups) = value else {
        return file.flaw("groups", format!("is {}; it is a table of names and their nodes", Shown(value)));
    };
    if groups.len() > GROUPS {
        return file.flaw("groups", format!("has {} of them; at most {GROUPS} are allowed", groups.len()));
    }
    let mut read = BTreeMap::new();
    for (name, value) in groups {
        let pointer = format!("{}/{}", file.pointer("groups"), escape_pointer(name));
        match NodeName::new(name) {
            Err(error) => file.flaws().add(pointer, format!("is wrong: {error}").replace("a node name", "a name")),
            Ok(node) if node.as_str() == ALL || cast.place(node.as_str()).is_some() => {
                file.flaws().add(pointer, format!("is {name}, which has a meaning already"));
            }
            Ok(_) => drop(cast.nodes_at(file.flaws(), &pointer, value).and_then(|nodes| read.insert(name.clone(), nodes))),
        }
    }
    cast.groups = read;
}

/// What holds for each node: the defaults, over them `[nodes]`, over that its own tables.
fn options(cast: &Cast, all: &Fields<'_>, own: &[Fields<'_>]) -> Vec<Node> {
    let common = Options::read(all, cast);
    let joined = common.join.is_some();
    let mut template = Node {
        host: NodeName::new("n").expect("a DNS label"),
        name: NodeName::new("n").expect("a DNS label"),
        cluster: ClusterName::new("default").expect("a DNS label"),
        zone: None,
        join: Nodes::default(),
        on_term: OnTerm::Leave,
        reap_after: None,
        started: true,
        keys: Vec::new(),
        encryption: Mode::Off,
    };
    common.over(&mut template);
    let mut nodes: Vec<Node> = cast.names.iter().map(|name| Node { host: name.clone(), name: name.clone(), ..template.clone() }).collect();
    let mut told = vec![joined; nodes.len()];
    for fields in own {
        let whom = match fields.has("name") {
            true => fields.text("name").and_then(|name| cast.place(name)).map(Nodes::only),
            false => cast.nodes(fields, "nodes"),
        };
        if fields.has("called") && fields.has("nodes") {
            fields.flaw("called", "is for one node, which its table names by name");
        }
        let called = fields.name("called", NodeName::new);
        let options = Options::read(fields, cast);
        for place in whom.iter().flat_map(Nodes::iter) {
            told[place] |= options.join.is_some();
            options.clone().over(&mut nodes[place]);
            nodes[place].name = called.clone().unwrap_or_else(|| nodes[place].name.clone());
        }
    }
    join_the_first(&mut nodes, &told);
    if let Some(node) = nodes.iter().find(|node| node.encryption.encrypts() && node.keys.is_empty()) {
        all.flaw("encryption", format!("is {} for {}, which has no keys", node.encryption, node.host));
    }
    nodes
}

/// Where nothing is said of whom to join, it is the first node of the cluster.
fn join_the_first(nodes: &mut [Node], told: &[bool]) {
    let mut first: BTreeMap<ClusterName, usize> = BTreeMap::new();
    for (place, node) in nodes.iter().enumerate() {
        first.entry(node.cluster.clone()).or_insert(place);
    }
    for (place, node) in nodes.iter_mut().enumerate() {
        if !told[place] {
            node.join = Nodes::only(first[&node.cluster]);
        }
        node.join = node.join.iter().filter(|other| *other != place).collect();
    }
}
