//! What was measured, as a table.

use std::fmt::Write as _;

use super::load::{Done, Kind};

/// A column for each server.
pub(crate) struct Table {
    names: Vec<String>,
    rows: Vec<Row>,
    latencies: Vec<Vec<f64>>,
}

struct Row {
    kind: Kind,
    changes: bool,
    /// Of each server, what each of its runs was.
    runs: Vec<Vec<Done>>,
}

impl Table {
    pub(crate) fn new(names: Vec<String>) -> Table {
        let latencies = names.iter().map(|_| Vec::new()).collect();
        Table { names, rows: Vec::new(), latencies }
    }

    pub(crate) fn add(&mut self, server: usize, kind: Kind, changes: bool, done: Done) {
        let servers = self.names.len();
        if !self.rows.iter().any(|row| row.kind == kind && row.changes == changes) {
            self.rows.push(Row { kind, changes, runs: vec![Vec::new(); servers] });
        }
        let row = self.rows.iter_mut().find(|row| row.kind == kind && row.changes == changes).expect("it was just added");
        row.runs[server].push(done);
    }

    pub(crate) fn latency(&mut self, server: usize, times: Vec<f64>) {
        self.latencies[server] = times;
    }

    /// Answers a second of the slowest.
    pub(crate) fn slowest(&self) -> f64 {
        let rates = self.rows.iter().flat_map(|row| row.runs.iter().flatten()).map(|done| done.answered as f64 / done.seconds);
        rates.fold(f64::INFINITY, f64::min)
    }

    pub(crate) fn queries_per_second_of_processor(&self) -> String {
        let mut text = String::new();
        let mut line = |label: &str, cells: &[String]| {
            let cells: String = cells.iter().map(|cell| format!("{cell:>20}")).collect();
            // Writing to a string can't fail.
            let _ = writeln!(text, "{label:<44}{cells}");
        };
        line("thousand queries a second of the processor", &self.names);
        for row in &self.rows {
            let label = format!("{}{}", row.kind.label(), if row.changes { ", 100 changes/s" } else { "" });
            let own = median(&row.runs[0]);
            let cells: Vec<String> = row
                .runs
                .iter()
                .enumerate()
                .map(|(index, runs)| match index {
                    0 => format!("{:.0}", own / 1e3),
                    _ => format!("{:.0} ({:.2})", median(runs) / 1e3, own / median(runs)),
                })
                .collect();
            line(&label, &cells);
        }
        let lost: Vec<String> = (0..self.names.len())
            .map(|index| {
                let all = || self.rows.iter().flat_map(|row| &row.runs[index]);
                format!("{} of {}", all().map(|done| done.lost).sum::<u64>(), all().map(|done| done.answered + done.lost).sum::<u64>())
            })
            .collect();
        line("queries lost", &lost);
        text
    }

    pub(crate) fn latencies(&self, rate: f64) -> String {
        let quantile = |times: &[f64], share: f64| {
            let mut sorted = times.to_vec();
            sorted.sort_by(f64::total_cmp);
            sorted.get((sorted.len().saturating_sub(1) as f64 * share).round() as usize).copied().unwrap_or(f64::NAN) * 1e6
        };
        let mut text = String::new();
        for (label, share) in [("p50", 0.5), ("p99", 0.99)] {
            let cells: String = self.latencies.iter().map(|times| format!("{:>20.0}", quantile(times, share))).collect();
            let _ = writeln!(text, "{:<44}{cells}", format!("{label} at {rate:.0} queries a second (µs)"));
        }
        text
    }
}

/// The median of queries for a second of the processor.
fn median(runs: &[Done]) -> f64 {
    let mut rates: Vec<f64> = runs.iter().map(|done| done.answered as f64 / done.processor.as_secs_f64().max(1e-9)).collect();
    rates.sort_by(f64::total_cmp);
    rates.get(rates.len() / 2).copied().unwrap_or(f64::NAN)
}
