//! What was measured, as a table and as JSON.

use std::{fmt::Write as _, time::Duration};

use serde_json::{Value, json};

/// One figure, and that of its peer where there is one.
#[derive(Debug)]
pub(crate) struct Figure {
    label: String,
    unit: &'static str,
    agent: f64,
    peer: Option<f64>,
}

/// What belongs together.
#[derive(Debug)]
pub(crate) struct Section {
    name: String,
    peer: &'static str,
    figures: Vec<Figure>,
}

impl Section {
    /// `peer`: what stands in the second column; empty where nothing does.
    pub(crate) fn new(name: impl Into<String>, peer: &'static str) -> Section {
        Section { name: name.into(), peer, figures: Vec::new() }
    }

    pub(crate) fn add(&mut self, label: impl Into<String>, unit: &'static str, agent: f64, peer: Option<f64>) {
        self.figures.push(Figure { label: label.into(), unit, agent, peer });
    }

    /// The median and the 99th percentile of some times, in microseconds.
    pub(crate) fn times(&mut self, label: &str, mut agent: Vec<Duration>, mut peer: Vec<Duration>) {
        for (name, share) in [("p50", 0.5), ("p99", 0.99)] {
            let peer = (!peer.is_empty()).then(|| micros(quantile(&mut peer, share)));
            self.add(format!("{label}, {name}"), "µs", micros(quantile(&mut agent, share)), peer);
        }
    }

    pub(crate) fn table(&self) -> String {
        let mut table = String::new();
        let mut line = |label: &str, agent: &str, peer: &str, ratio: &str| {
            // Writing to a string can't fail.
            let _ = writeln!(table, "{}", format!("{label:<66}{agent:>12}{peer:>22}{ratio:>9}").trim_end());
        };
        let columns = if self.peer.is_empty() { ("Tidings", "", "") } else { ("Tidings", self.peer, "ratio") };
        line(&self.name, columns.0, columns.1, columns.2);
        for figure in &self.figures {
            let peer = figure.peer.map(number).unwrap_or_default();
            let ratio = figure.peer.filter(|peer| *peer > 0.0).map(|peer| format!("{:.2}", figure.agent / peer)).unwrap_or_default();
            let unit = if figure.unit.is_empty() { String::new() } else { format!(" ({})", figure.unit) };
            line(&format!("  {}{unit}", figure.label), &number(figure.agent), &peer, &ratio);
        }
        table
    }

    pub(crate) fn json(&self) -> Value {
        let figures = self
            .figures
            .iter()
            .map(|figure| json!({"what": figure.label, "unit": figure.unit, "tidings": figure.agent, "peer": figure.peer}));
        json!({"section": self.name, "peer": self.peer, "figures": figures.collect::<Vec<_>>()})
    }
}

/// The value below which so large a share of them is.
pub(crate) fn quantile(samples: &mut [Duration], share: f64) -> Duration {
    samples.sort_unstable();
    let last = samples.len().saturating_sub(1);
    samples.get((last as f64 * share).round() as usize).copied().unwrap_or_default()
}

fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

fn number(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        100.0.. => format!("{value:.0}"),
        1.0.. => format!("{value:.1}"),
        _ => format!("{value:.3}"),
    }
}
