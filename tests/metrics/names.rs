//! The metrics that an agent has, by its own output.

use tidings::{agent, catalog::Publisher, metrics::Facts, model::NodeId};

/// A metric as the agent describes it.
#[derive(Debug)]
pub(crate) struct Described {
    /// As in a query, without the endings of a histogram.
    pub(crate) name: String,
    /// Its type.
    #[allow(dead_code, reason = "one of the two tests that share this file reads it")]
    pub(crate) kind: String,
    #[allow(dead_code, reason = "one of the two tests that share this file reads it")]
    pub(crate) help: String,
    /// The names of its labels.
    #[allow(dead_code, reason = "one of the two tests that share this file reads it")]
    pub(crate) labels: Vec<String>,
}

/// What an agent without a past shows.
pub(crate) fn text() -> String {
    let facts = Facts { version: "0".into(), name: "a".into(), node: "b".into(), cluster: "c".into() };
    let (_, catalog) = Publisher::new(NodeId(1));
    agent::metrics(catalog, facts).text()
}

/// All metrics, in the order of their names.
pub(crate) fn described() -> Vec<Described> {
    let text = text();
    let mut all: Vec<Described> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")).map(|line| describe(&text, line)).collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

fn describe(text: &str, line: &str) -> Described {
    let (family, kind) = line.split_once(' ').expect("a type has a name");
    let ending = match kind {
        "counter" => "_total",
        "info" => "_info",
        _ => "",
    };
    let help = text.lines().find_map(|line| line.strip_prefix(&format!("# HELP {family} "))).expect("it has help");
    let shown = if kind == "histogram" { format!("{family}_sum") } else { format!("{family}{ending}") };
    let sample =
        text.lines().find(|line| line.strip_prefix(&shown).is_some_and(|rest| rest.starts_with(['{', ' ']))).expect("it has a sample");
    let labels = sample.split_once('{').map_or("", |(_, labels)| labels);
    let labels = labels.split(',').filter_map(|pair| pair.split_once('=')).map(|(label, _)| label.to_owned()).collect();
    Described { name: format!("{family}{ending}"), kind: kind.to_owned(), help: help.to_owned(), labels }
}

/// Whether a name in a query is one of this metric's.
pub(crate) fn covers(metric: &str, name: &str) -> bool {
    name.strip_prefix(metric).is_some_and(|ending| ["", "_bucket", "_sum", "_count"].contains(&ending))
}
