//! What agents took over time, as SVG: panels one below the other over the same axis of time, with faults as shades behind them. It has no scripts and
//! loads nothing; its colours follow whether the reader's surroundings are light or dark.

#[path = "../../../src/cli/simulate/plot/axis.rs"]
#[allow(dead_code, unused_imports, reason = "here time is on a linear axis, and this file has no harness for its tests")]
mod axis;

use std::{fmt::Write as _, time::Duration};

use axis::Linear;

use super::{
    curve::{Curve, Spread},
    phases::{About, Phases, Span},
};

/// A chart.
pub(crate) struct Panel {
    pub(crate) title: &'static str,
    pub(crate) unit: &'static str,
    /// Of all agents.
    pub(crate) all: Curve,
    /// Of those that live from beginning to end.
    pub(crate) steady: Curve,
}

/// In pixels: all of it, and a panel.
const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 200.0;
/// Around what is drawn in a panel.
const LEFT: f64 = 84.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = 26.0;
/// Above all panels: title and legend, then what was done.
const HEAD: f64 = 76.0;
const ROW: f64 = 18.0;
/// Below all panels: the axis of time.
const FOOT: f64 = 30.0;

/// Minutes between two ticks.
const TICKS: [f64; 10] = [0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 240.0];

const ROWS: [(About, &str, &str); 3] =
    [(About::Hosts, "hosts", "hosts"), (About::Network, "network", "network"), (About::Work, "work", "work")];

/// Viewers that know nothing of dark surroundings draw the light ones, on a paper of their own.
const STYLE: &str = "\
text { font: 12px system-ui, sans-serif; fill: #1f2328 }
.heading { font-weight: 600; font-size: 15px }
.title { font-weight: 600; font-size: 13px }
.small { font-size: 11px }
.paper { fill: #ffffff }
.grid { stroke: #d1d9e0; stroke-width: 1 }
.axis { stroke: #59636e; stroke-width: 1 }
.burst { fill: #cf222e; fill-opacity: 0.10 }
.recovery { fill: #bf8700; fill-opacity: 0.16 }
.band { fill: #0550ae; fill-opacity: 0.20 }
.line { fill: none; stroke-width: 1.6; stroke-linejoin: round }
.median { stroke: #0550ae }
.steady { stroke: #bc4c00 }
.hosts { stroke: #cf222e }
.network { stroke: #8250df }
.work { stroke: #1a7f37 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .paper { fill: #0d1117 }
  .grid { stroke: #30363d }
  .axis { stroke: #9198a1 }
  .burst { fill: #ff7b72; fill-opacity: 0.14 }
  .recovery { fill: #e3b341; fill-opacity: 0.18 }
  .band { fill: #79c0ff; fill-opacity: 0.22 }
  .median { stroke: #79c0ff }
  .steady { stroke: #ffa657 }
  .hosts { stroke: #ff7b72 }
  .network { stroke: #d2a8ff }
  .work { stroke: #56d364 }
}
";

/// Draws panels, and when what was done.
pub(crate) fn draw(heading: &str, panels: &[Panel], phases: &Phases, lasted: Duration) -> String {
    let strip = ROW * ROWS.len() as f64;
    let height = HEAD + strip + HEIGHT * panels.len() as f64 + FOOT;
    let time = Time(minutes(lasted).max(1.0));
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" role=\"img\">\n\
         <style>\n{STYLE}</style>\n<rect class=\"paper\" width=\"{WIDTH}\" height=\"{height}\"/>\n"
    );
    text(&mut svg, "heading", (LEFT, 24.0), "start", heading);
    legend(&mut svg);
    for (row, (about, name, class)) in ROWS.iter().enumerate() {
        let y = HEAD + ROW * row as f64;
        text(&mut svg, "small", (LEFT - 8.0, y + 13.0), "end", name);
        for (at, ..) in phases.deeds.iter().filter(|(_, of, _)| of == about) {
            let x = time.place(minutes(*at));
            line(&mut svg, class, (x, y + 3.0), (x, y + ROW - 3.0));
        }
    }
    for (place, panel) in panels.iter().enumerate() {
        let _ = writeln!(svg, "<g transform=\"translate(0 {})\">", HEAD + strip + HEIGHT * place as f64);
        panel.draw(&mut svg, &time, phases);
        svg.push_str("</g>\n");
    }
    text(&mut svg, "", ((LEFT + WIDTH - RIGHT) / 2.0, height - 10.0), "middle", "minutes since the start");
    svg.push_str("</svg>\n");
    svg
}

fn legend(svg: &mut String) {
    let y = 48.0;
    let mut x = LEFT;
    let mut entry = |svg: &mut String, class: &str, is_line: bool, label: &str| {
        if is_line {
            line(svg, &format!("line {class}"), (x, y), (x + 24.0, y));
        } else {
            rectangle(svg, class, (x, y - 6.0), (24.0, 12.0));
        }
        text(svg, "", (x + 30.0, y + 4.0), "start", label);
        x += 52.0 + label.len() as f64 * 6.2;
    };
    entry(svg, "line median", true, "median of all agents");
    entry(svg, "band", false, "least to most");
    entry(svg, "line steady", true, "median of those that never end");
    entry(svg, "burst", false, "faults");
    entry(svg, "recovery", false, "until all is right");
}

impl Panel {
    fn draw(&self, svg: &mut String, time: &Time, phases: &Phases) {
        let (top, bottom) = (TOP, HEIGHT - BOTTOM);
        let value = Linear::up_to(self.all.greatest(), (bottom, top));
        for (class, spans) in [("burst", &phases.bursts), ("recovery", &phases.recoveries)] {
            for Span { from, to } in spans {
                let (from, to) = (time.place(minutes(*from)), time.place(minutes(*to)));
                rectangle(svg, class, (from, top), (to - from, bottom - top));
            }
        }
        text(svg, "title", (LEFT, top - 10.0), "start", self.title);
        for (at, label) in value.ticks() {
            line(svg, "grid", (LEFT, at), (WIDTH - RIGHT, at));
            text(svg, "", (LEFT - 8.0, at + 4.0), "end", &label);
        }
        line(svg, "axis", (LEFT, bottom), (WIDTH - RIGHT, bottom));
        for (at, label) in time.ticks() {
            line(svg, "axis", (at, bottom), (at, bottom + 4.0));
            text(svg, "small", (at, bottom + 16.0), "middle", &label);
        }
        let middle = (top + bottom) / 2.0;
        let _ =
            writeln!(svg, "<text transform=\"translate(16 {middle}) rotate(-90)\" text-anchor=\"middle\">{}</text>", escaped(self.unit));
        let points = |of: &dyn Fn(&Spread) -> f64, run: &[(Duration, Spread)]| {
            let places = run.iter().map(|(at, spread)| format!("{:.1},{:.1}", time.place(minutes(*at)), value.place(of(spread))));
            places.collect::<Vec<_>>()
        };
        for run in &self.all.runs {
            let mut around = points(&|spread| spread.most, run);
            around.extend(points(&|spread| spread.least, run).into_iter().rev());
            let _ = writeln!(svg, "<polygon class=\"band\" points=\"{}\"/>", around.join(" "));
        }
        for (class, curve) in [("median", &self.all), ("steady", &self.steady)] {
            for run in &curve.runs {
                let path = points(&|spread| spread.median, run).join(" ");
                let _ = writeln!(svg, "<polyline class=\"line {class}\" points=\"{path}\"/>");
            }
        }
    }
}

/// An axis of time, from the start to so many minutes after it.
struct Time(f64);

impl Time {
    fn place(&self, minutes: f64) -> f64 {
        LEFT + (WIDTH - RIGHT - LEFT) * minutes / self.0
    }

    /// Places and their labels.
    fn ticks(&self) -> impl Iterator<Item = (f64, String)> {
        let step = TICKS.into_iter().find(|step| self.0 / step <= 13.0).unwrap_or(self.0);
        let count = (self.0 / step).floor() as usize;
        (0..=count).map(move |tick| step * tick as f64).map(|minutes| (self.place(minutes), minutes.to_string()))
    }
}

fn minutes(time: Duration) -> f64 {
    time.as_secs_f64() / 60.0
}

fn line(svg: &mut String, class: &str, from: (f64, f64), to: (f64, f64)) {
    let _ = writeln!(svg, "<line class=\"{class}\" x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\"/>", from.0, from.1, to.0, to.1);
}

fn rectangle(svg: &mut String, class: &str, at: (f64, f64), size: (f64, f64)) {
    let _ = writeln!(svg, "<rect class=\"{class}\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\"/>", at.0, at.1, size.0, size.1);
}

fn text(svg: &mut String, class: &str, at: (f64, f64), anchor: &str, what: &str) {
    let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
    let _ = writeln!(svg, "<text{class} x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{}</text>", at.0, at.1, escaped(what));
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
