//! Tables for people: pure functions from what the API answered to text.

mod rows;
mod running;

use std::fmt::Write;

use anstyle::Style;
use comfy_table::{ColumnConstraint, Row as Line, Table, Width, presets::NOTHING};
use jiff::Timestamp;

use super::output::{HEADING, plain};
pub(super) use rows::Handed;
pub(super) use running::Running;

/// What has a line in a table.
pub(super) trait Row: PartialEq {
    /// What its cells are.
    const HEADING: &'static [&'static str];

    /// What it is known by, whatever else of it changes.
    fn key(&self) -> Vec<&str>;

    /// Whether it is as it was before. Since when is no matter: an agent that restarts counts anew.
    fn is_as(&self, before: &Self) -> bool {
        self == before
    }

    /// How it stands out, and a cell for each heading.
    fn cells(&self, now: Timestamp) -> (Style, Vec<String>);
}

/// A heading and a line for each item below it. A last column in which nobody has anything is left out.
pub(super) fn whole<T: Row>(items: &[T], now: Timestamp) -> String {
    let rows: Vec<(Style, Vec<String>)> = items.iter().map(|item| item.cells(now)).collect();
    let used = if rows.iter().all(|(_, cells)| cells.last().is_none_or(String::is_empty)) { 1 } else { 0 };
    let cut = |cells: Vec<String>| cells.into_iter().take(T::HEADING.len() - used).collect();
    let heading = (HEADING, cut(T::HEADING.iter().map(|&name| name.to_owned()).collect()));
    render([heading].into_iter().chain(rows.into_iter().map(|(style, cells)| (style, cut(cells)))).collect(), &mut Vec::new())
}

/// Lines whose columns are as wide as their cells need, and not narrower than `widths`, which grows with them.
fn render(rows: Vec<(Style, Vec<String>)>, widths: &mut Vec<u16>) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING);
    for (_, cells) in &rows {
        table.add_row(Line::from(cells.iter().map(|cell| if cell.is_empty() { "-".to_owned() } else { plain(cell) })));
    }
    let needed = table.column_max_content_widths();
    widths.resize(needed.len(), 0);
    for ((column, width), needed) in table.column_iter_mut().zip(&mut *widths).zip(needed) {
        *width = needed.max(*width);
        column.set_padding((0, GAP)).set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(*width + GAP)));
    }
    let styles = rows.iter().map(|(style, _)| *style);
    table.lines().zip(styles).fold(String::new(), |mut text, (line, style)| {
        writeln!(text, "{style}{}{style:#}", line.trim_end()).expect("a string takes all text");
        text
    })
}

/// Between two columns.
const GAP: u16 = 2;

#[cfg(test)]
mod tests;
