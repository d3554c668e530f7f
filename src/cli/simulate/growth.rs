//! `tidings simulate --growth`: the same things in clusters of different sizes.

use std::{fmt::Write as _, fs, path::Path};

use super::{
    super::{
        Exit, Failure,
        output::{self, FAINT, HEADING},
    },
    plot::{self, Panel, Point},
};
use crate::sim::growth::{self, Figure, Growth, Samples};

/// The smallest cluster in which somebody can look on while two have to do with each other.
pub(super) const FEWEST: u64 = 3;
/// Between two columns.
const GAP: usize = 2;

/// Measures clusters of these sizes, the smallest first, and shows it as a table, and in a file as a plot.
pub(super) fn run(sizes: &[usize], seed: u64, file: Option<&Path>) -> Result<Exit, Failure> {
    let sizes: std::collections::BTreeSet<usize> = sizes.iter().copied().collect();
    // Better now than after an hour.
    file.map_or(Ok(()), |file| write(file, ""))?;
    let mut grown = Vec::new();
    for size in sizes {
        output::remark(&format!("{FAINT}measuring a cluster of {size} agents{FAINT:#}"));
        grown.push(growth::measure(size, seed));
    }
    output::show(&table(&grown, seed))?;
    file.map_or(Ok(()), |file| write(file, &plot::draw("agents", &panels(&grown))))?;
    Ok(Exit::Done)
}

fn write(file: &Path, text: &str) -> Result<(), Failure> {
    fs::write(file, text).map_err(|error| Failure::no(format!("can't write {}: {error}", file.display())))
}

/// A line for each figure, and a column for each size.
fn table(grown: &[Growth], seed: u64) -> String {
    let mut columns = vec![vec![format!("agents (seed {seed})")]];
    columns[0].extend(Figure::ALL.iter().map(|figure| format!("{} ({})", figure.title(), figure.unit())));
    columns.extend(grown.iter().map(|growth| {
        let cells = Figure::ALL.iter().zip(&growth.samples).map(|(figure, samples)| cell(*figure, samples));
        [growth.size.to_string()].into_iter().chain(cells).collect()
    }));
    let mut text = String::new();
    for line in 0..=Figure::ALL.len() {
        for (column, cells) in columns.iter().enumerate() {
            let width = cells.iter().map(|cell| cell.chars().count()).max().unwrap_or_default();
            let style = if line == 0 { HEADING } else { anstyle::Style::new() };
            let cell = &cells[line];
            let _ = match column {
                0 => write!(text, "{style}{cell:<width$}{style:#}"),
                _ => write!(text, "{:GAP$}{style}{cell:>width$}{style:#}", ""),
            };
        }
        text.push('\n');
    }
    text.push_str("Each is the median of several, and the greatest of them behind it.\n");
    text
}

fn cell(figure: Figure, samples: &Samples) -> String {
    let digits = figure.digits();
    let number = |value: Option<f64>| value.map_or("never".to_owned(), |value| format!("{value:.digits$}"));
    if samples.is_empty() { "-".to_owned() } else { format!("{} {}", number(samples.median()), number(samples.most())) }
}

fn panels(grown: &[Growth]) -> Vec<Panel> {
    let panel = |(place, figure): (usize, &Figure)| Panel {
        title: figure.title(),
        unit: figure.unit(),
        points: grown.iter().map(|growth| point(growth.size, &growth.samples[place])).collect(),
    };
    Figure::ALL.iter().enumerate().map(panel).collect()
}

fn point(size: usize, samples: &Samples) -> Point {
    Point { x: size as f64, median: samples.median(), most: samples.most() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_sizes_and_seed_give_the_same_table_and_plot() {
        let run = |seed| {
            let grown: Vec<Growth> = [3, 8].into_iter().map(|size| growth::measure(size, seed)).collect();
            (table(&grown, seed), plot::draw("agents", &panels(&grown)))
        };
        let (first, again, other) = (run(5), run(5), run(6));
        assert_eq!(first, again);
        assert_ne!(first.1, other.1);
    }

    #[test]
    fn what_never_ended_and_what_was_not_measured_are_told_apart() {
        let samples = |all: &[Option<f64>]| all.iter().copied().collect::<Samples>();
        assert_eq!(cell(Figure::Killed, &samples(&[Some(1.0), None, Some(0.25)])), "1.000 never");
        assert_eq!(cell(Figure::AtRest, &samples(&[Some(194.4)])), "194 194");
        assert_eq!(cell(Figure::AtRest, &samples(&[])), "-");
    }
}
