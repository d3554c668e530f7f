//! What was measured, as a table and as JSON.

use std::{collections::BTreeMap, fmt::Write as _, time::Duration};

use serde_json::{Value, json};

use super::rest::Rest;

/// What is measured in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Measure {
    Form,
    ChangeFirst,
    Change,
    JoinFirst,
    Join,
    KillFirst,
    Kill,
    SilenceFirst,
    Silence,
}

const MEASURES: [(Measure, &str, &str); 9] = [
    (Measure::Form, "form", "form, until all list all"),
    (Measure::ChangeFirst, "change_first", "change, until the first shows it"),
    (Measure::Change, "change", "change, until all show it"),
    (Measure::JoinFirst, "join_first", "join, until the first lists it"),
    (Measure::Join, "join", "join, until all list it"),
    (Measure::KillFirst, "kill_first", "kill -9, until the first knows"),
    (Measure::Kill, "kill", "kill -9, until all know"),
    (Measure::SilenceFirst, "silence_first", "host silent, until the first knows"),
    (Measure::Silence, "silence", "host silent, until all know"),
];

/// All of one system at one size.
#[derive(Debug)]
pub(crate) struct Measured {
    system: &'static str,
    n: usize,
    load: String,
    samples: BTreeMap<Measure, Vec<f64>>,
    /// Changes times agents that were to hear of them.
    pub(crate) deliveries: usize,
    /// Those of them that did not arrive within a second.
    pub(crate) missed: usize,
    pub(crate) rest: Option<Rest>,
}

impl Measured {
    /// `load`: the machine's, before the first trial.
    pub(crate) fn new(system: &'static str, n: usize, load: &str) -> Measured {
        Measured { system, n, load: load.to_owned(), samples: BTreeMap::new(), deliveries: 0, missed: 0, rest: None }
    }

    pub(crate) fn add(&mut self, measure: Measure, sample: Option<Duration>) {
        self.samples.entry(measure).or_default().extend(sample.as_ref().map(Duration::as_secs_f64));
    }

    fn json(&self) -> Value {
        let samples = |(measure, key, _): &(Measure, &str, &str)| ((*key).to_owned(), json!(self.samples.get(measure)));
        let rest = self.rest.map(|rest| {
            json!({
                "memory_octets": rest.memory, "memory_octets_most": rest.most_memory, "processor": rest.processor,
                "processor_most": rest.most_processor, "ip_octets_per_second": rest.octets, "ip_packets_per_second": rest.packets,
            })
        });
        json!({
            "system": self.system, "agents": self.n, "load_before": self.load, "seconds": MEASURES.iter().map(samples).collect::<serde_json::Map<_, _>>(),
            "deliveries": self.deliveries, "deliveries_not_within_1s": self.missed, "rest_per_agent": rest,
        })
    }
}

/// Everything.
#[derive(Debug)]
pub(crate) struct Report {
    versions: Vec<String>,
    measured: Vec<Measured>,
}

impl Report {
    pub(crate) fn new<'a>(versions: impl Iterator<Item = &'a String>) -> Report {
        Report { versions: versions.cloned().collect(), measured: Vec::new() }
    }

    /// Adds what was measured at one size; gives its table.
    pub(crate) fn add(&mut self, measured: Vec<Measured>) -> String {
        let table = self.table(&measured);
        self.measured.extend(measured);
        table
    }

    pub(crate) fn json(&self) -> Value {
        json!({"versions": self.versions, "measured": self.measured.iter().map(Measured::json).collect::<Vec<_>>()})
    }

    fn table(&self, columns: &[Measured]) -> String {
        let mut table = String::new();
        let Some(first) = columns.first() else {
            return table;
        };
        let mut line = |label: &str, cells: Vec<String>| {
            let cells: String = cells.iter().map(|cell| format!(" {cell:>24}")).collect();
            // Writing to a string can't fail.
            let _ = writeln!(table, "{label:<40}{cells}");
        };
        line(&format!("{} agents; {}; load before {}", first.n, self.versions.join(", "), first.load), Vec::new());
        line("", columns.iter().map(|column| column.system.to_owned()).collect());
        line("seconds", columns.iter().map(|_| "min   median      max".to_owned()).collect());
        for (measure, _, label) in MEASURES {
            let count = first.samples.get(&measure).map_or(0, Vec::len);
            line(&format!("{label} ({count}x)"), columns.iter().map(|column| spread(column.samples.get(&measure))).collect());
        }
        let of = |cell: fn(&Measured) -> String| columns.iter().map(cell).collect::<Vec<_>>();
        line("changes not heard of within 1 s", of(|column| format!("{} of {}", column.missed, column.deliveries)));
        let mut rest = |label: &str, cell: fn(&Rest) -> String| {
            let cells = columns.iter().map(|column| column.rest.as_ref().map_or_else(|| "-".to_owned(), cell));
            line(label, cells.collect());
        };
        rest("at rest: memory, mean and most, MB", |rest| format!("{:.1}     {:.1}", rest.memory / 1e6, rest.most_memory / 1e6));
        rest("at rest: processor, mean and most, %", |rest| format!("{:.2}    {:.2}", rest.processor * 1e2, rest.most_processor * 1e2));
        rest("at rest: IP sent, octets/s an agent", |rest| format!("{:.0}", rest.octets));
        rest("at rest: IP sent, packets/s an agent", |rest| format!("{:.1}", rest.packets));
        table
    }
}

fn spread(samples: Option<&Vec<f64>>) -> String {
    let mut samples = samples.cloned().unwrap_or_default();
    samples.sort_unstable_by(f64::total_cmp);
    match (samples.first(), samples.last()) {
        (Some(min), Some(max)) => format!("{min:.3} {:>8.3} {max:>8.3}", median(&samples)),
        _ => "-".to_owned(),
    }
}

/// Of sorted samples; the mean of the middle two where there is no middle one.
fn median(sorted: &[f64]) -> f64 {
    let (low, high) = ((sorted.len() - 1) / 2, sorted.len() / 2);
    (sorted[low] + sorted[high]) / 2.0
}
