//! Small line charts side by side, as SVG: a panel for each figure, over a logarithmic axis. It has no scripts and loads nothing; its colours
//! follow whether the reader's surroundings are light or dark.

mod axis;

use std::fmt::Write as _;

use axis::{Linear, Logarithmic};

/// A chart.
pub(super) struct Panel {
    pub(super) title: &'static str,
    pub(super) unit: &'static str,
    /// In ascending order of `x`.
    pub(super) points: Vec<Point>,
}

/// What was measured at a place. What never ended has no value.
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) median: Option<f64>,
    pub(super) most: Option<f64>,
}

const COLUMNS: usize = 2;
/// Of a panel, in pixels.
const WIDTH: f64 = 460.0;
const HEIGHT: f64 = 230.0;
/// Around what is drawn in a panel: its title, its axes and their labels.
const LEFT: f64 = 76.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 36.0;
const BOTTOM: f64 = 48.0;
/// Above all panels: what the lines mean.
const LEGEND: f64 = 36.0;

/// Viewers that know nothing of dark surroundings draw the light ones, on a paper of their own.
const STYLE: &str = "\
text { font: 12px system-ui, sans-serif; fill: #1f2328 }
.title { font-weight: 600; font-size: 13px }
.paper { fill: #ffffff }
.grid { stroke: #d1d9e0; stroke-width: 1 }
.axis { stroke: #59636e; stroke-width: 1 }
.line { fill: none; stroke-width: 2 }
.median { stroke: #0550ae }
.most { stroke: #bc4c00; stroke-dasharray: 5 4 }
.dot { stroke-width: 2 }
.dot.median { fill: #0550ae }
.dot.most { fill: #ffffff; stroke-dasharray: none }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .paper, .dot.most { fill: #0d1117 }
  .grid { stroke: #30363d }
  .axis { stroke: #9198a1 }
  .median { stroke: #79c0ff }
  .dot.median { fill: #79c0ff }
  .most { stroke: #ffa657 }
}
";

/// Draws panels in columns, the first ones in the first column, over an axis with this title.
pub(super) fn draw(x_title: &str, panels: &[Panel]) -> String {
    let rows = panels.len().div_ceil(COLUMNS);
    let (width, height) = (WIDTH * COLUMNS as f64, LEGEND + HEIGHT * rows as f64);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\">\n\
         <style>\n{STYLE}</style>\n<rect class=\"paper\" width=\"{width}\" height=\"{height}\"/>\n"
    );
    for (series, x, label) in [("median", LEFT, "median"), ("most", LEFT + 120.0, "most")] {
        let y = LEGEND / 2.0;
        line(&mut svg, &format!("line {series}"), (x, y), (x + 36.0, y));
        dot(&mut svg, series, (x + 18.0, y));
        text(&mut svg, "", (x + 44.0, y + 4.0), "start", label);
    }
    for (place, panel) in panels.iter().enumerate() {
        let (column, row) = (place / rows, place % rows);
        let _ = writeln!(svg, "<g transform=\"translate({} {})\">", WIDTH * column as f64, LEGEND + HEIGHT * row as f64);
        panel.draw(&mut svg, x_title);
        svg.push_str("</g>\n");
    }
    svg.push_str("</svg>\n");
    svg
}

impl Panel {
    fn draw(&self, svg: &mut String, x_title: &str) {
        let (left, right, top, bottom) = (LEFT, WIDTH - RIGHT, TOP, HEIGHT - BOTTOM);
        let values = self.points.iter().flat_map(|point| [point.median, point.most]).flatten();
        let y = Linear::up_to(values.fold(0.0, f64::max), (bottom, top));
        let x = Logarithmic::over(self.points.iter().map(|point| point.x), (left, right));
        text(svg, "title", (left, top - 16.0), "start", self.title);
        for (at, label) in y.ticks() {
            line(svg, "grid", (left, at), (right, at));
            text(svg, "", (left - 8.0, at + 4.0), "end", &label);
        }
        line(svg, "axis", (left, bottom), (right, bottom));
        for (at, label) in x.ticks() {
            line(svg, "axis", (at, bottom), (at, bottom + 4.0));
            text(svg, "", (at, bottom + 18.0), "middle", &label);
        }
        text(svg, "", ((left + right) / 2.0, bottom + 36.0), "middle", x_title);
        let middle = (top + bottom) / 2.0;
        let _ =
            writeln!(svg, "<text transform=\"translate(16 {middle}) rotate(-90)\" text-anchor=\"middle\">{}</text>", escaped(self.unit));
        for (series, value) in [("most", (|point| point.most) as fn(&Point) -> Option<f64>), ("median", |point| point.median)] {
            let places: Vec<(f64, f64)> = self.points.iter().filter_map(|point| Some((x.place(point.x), y.place(value(point)?)))).collect();
            let path: Vec<String> = places.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
            let _ = writeln!(svg, "<polyline class=\"line {series}\" points=\"{}\"/>", path.join(" "));
            places.into_iter().for_each(|place| dot(svg, series, place));
        }
    }
}

fn line(svg: &mut String, class: &str, from: (f64, f64), to: (f64, f64)) {
    let _ = writeln!(svg, "<line class=\"{class}\" x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\"/>", from.0, from.1, to.0, to.1);
}

fn dot(svg: &mut String, series: &str, at: (f64, f64)) {
    let _ = writeln!(svg, "<circle class=\"dot {series}\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\"/>", at.0, at.1);
}

fn text(svg: &mut String, class: &str, at: (f64, f64), anchor: &str, what: &str) {
    let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
    let _ = writeln!(svg, "<text{class} x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{}</text>", at.0, at.1, escaped(what));
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_ended_has_no_dot_and_the_rest_is_drawn() {
        let point = |x, median, most| Point { x, median, most };
        let points = vec![point(10.0, Some(1.0), Some(2.0)), point(100.0, Some(3.0), None)];
        let svg = draw("agents & <more>", &[Panel { title: "a < b", unit: "s", points }]);
        assert_eq!(svg.matches("<circle class=\"dot median\"").count(), 3, "one of them is the legend's");
        assert_eq!(svg.matches("<circle class=\"dot most\"").count(), 2);
        assert!(svg.contains(">a &lt; b<") && svg.contains(">agents &amp; &lt;more><"));
    }

    #[test]
    fn panels_without_points_are_drawn_all_the_same() {
        let svg = draw("agents", &[Panel { title: "nothing", unit: "s", points: Vec::new() }]);
        assert!(svg.ends_with("</svg>\n") && !svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }
}
