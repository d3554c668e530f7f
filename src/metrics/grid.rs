//! Counters by labels whose values are known beforehand: a grid of numbers, found by index.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use prometheus_client::{
    encoding::{EncodeMetric, MetricEncoder, NoLabelSet},
    metrics::MetricType,
};

/// The labels that all counters of a row share.
pub(super) type Row = Vec<(&'static str, &'static str)>;

/// Counters in rows and columns. Cheap to clone; clones count together.
///
/// A row is shown from when something in it was counted, and the first one always: who never asked for a type of record reads
/// nothing of it.
#[derive(Debug, Clone)]
pub struct Grid {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    rows: Vec<Row>,
    label: &'static str,
    columns: Vec<&'static str>,
    /// Row by row.
    counts: Vec<AtomicU64>,
}

impl Grid {
    /// One row: counters by one label.
    pub fn line(label: &'static str, values: &[&'static str]) -> Grid {
        Grid::of(vec![Row::new()], label, values)
    }

    /// Counters by two labels.
    pub fn new(row_label: &'static str, rows: &[&'static str], label: &'static str, columns: &[&'static str]) -> Grid {
        Grid::of(rows.iter().map(|row| vec![(row_label, *row)]).collect(), label, columns)
    }

    pub(super) fn of(rows: Vec<Row>, label: &'static str, columns: &[&'static str]) -> Grid {
        let counts = (0..rows.len() * columns.len()).map(|_| AtomicU64::new(0)).collect();
        Grid { shared: Arc::new(Shared { rows, label, columns: columns.to_vec(), counts }) }
    }

    /// Counts one.
    pub fn count(&self, row: usize, column: usize) {
        self.add(row, column, 1);
    }

    /// Counts some.
    pub fn add(&self, row: usize, column: usize, amount: u64) {
        self.cell(row, column).fetch_add(amount, Relaxed);
    }

    /// Sets a counter to what somebody else counted.
    pub fn follow(&self, row: usize, column: usize, total: u64) {
        self.cell(row, column).store(total, Relaxed);
    }

    /// The place of a column; of the last one where there is none of this name.
    pub(super) fn column(&self, name: &str) -> usize {
        let columns = &self.shared.columns;
        columns.iter().position(|column| *column == name).unwrap_or(columns.len() - 1)
    }

    /// The value of a counter.
    pub fn get(&self, row: usize, column: usize) -> u64 {
        self.cell(row, column).load(Relaxed)
    }

    fn cell(&self, row: usize, column: usize) -> &AtomicU64 {
        debug_assert!(column < self.shared.columns.len(), "no such column: {column}");
        &self.shared.counts[row * self.shared.columns.len() + column]
    }
}

impl EncodeMetric for Grid {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        for (index, row) in self.shared.rows.iter().enumerate() {
            let values: Vec<u64> = (0..self.shared.columns.len()).map(|column| self.get(index, column)).collect();
            if index > 0 && values.iter().all(|value| *value == 0) {
                continue;
            }
            for (column, value) in self.shared.columns.iter().zip(values) {
                let labels: Row = row.iter().copied().chain([(self.shared.label, *column)]).collect();
                encoder.encode_family(&labels)?.encode_counter::<NoLabelSet, u64, f64>(&value, None)?;
            }
        }
        Ok(())
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Counter
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::{encoding::text, registry::Registry};

    use super::*;

    #[test]
    fn a_row_is_shown_from_the_first_count_and_the_first_row_always() {
        let grid = Grid::new("type", &["A", "SRV", "TXT"], "result", &["ok", "failed"]);
        grid.count(1, 0);
        grid.add(1, 0, 2);
        let mut registry = Registry::default();
        registry.register("queries", "Queries", grid);
        let mut shown = String::new();
        text::encode(&mut shown, &registry).unwrap();
        let lines: Vec<&str> = shown.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(
            lines,
            [
                r#"queries_total{type="A",result="ok"} 0"#,
                r#"queries_total{type="A",result="failed"} 0"#,
                r#"queries_total{type="SRV",result="ok"} 3"#,
                r#"queries_total{type="SRV",result="failed"} 0"#,
            ]
        );
    }

    #[test]
    fn a_name_that_is_no_column_counts_for_the_last_one() {
        let grid = Grid::line("reason", &["a", "b", "other"]);
        assert_eq!(["a", "b", "c", "other"].map(|name| grid.column(name)), [0, 1, 2, 2]);
    }
}
