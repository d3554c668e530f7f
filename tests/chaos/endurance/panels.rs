//! What is drawn of what agents took.

use std::time::Duration;

use super::{curve::Curve, figures::Sample, flat, phases::Span, plot::Panel};

const BEGINNING: Duration = Duration::from_millis(500);

/// A panel for each figure, over all agents and over those that never end.
pub(crate) fn panels(samples: &[Sample], peaces: &[Span], lasts: Duration) -> Vec<Panel> {
    const MEGABYTE: f64 = 1_048_576.0;
    let steady = flat::steady(samples, lasts);
    // A process that has just begun is not yet what it will be.
    let all: Vec<&Sample> = samples.iter().filter(|it| it.age >= BEGINNING).collect();
    let in_peace: Vec<Vec<&Sample>> = peaces.iter().map(|peace| flat::in_peace(samples, peace)).collect();
    let panel = |title, unit, values: Vec<(&Sample, f64)>| Panel {
        title,
        unit,
        all: Curve::of(values.iter().copied()),
        steady: Curve::of(values.iter().copied().filter(|(sample, _)| steady.contains(&sample.process))),
    };
    let of = |figure: fn(&Sample) -> f64| all.iter().map(|it| (*it, figure(it))).collect();
    vec![
        panel("Resident memory of an agent", "MB", of(|it| it.resident as f64 / MEGABYTE)),
        panel("Of it, memory that no file has", "MB", of(|it| it.anonymous as f64 / MEGABYTE)),
        panel("Open descriptors of an agent", "descriptors", of(|it| it.descriptors.all() as f64)),
        panel("What a host sends", "kB/s", flat::rates(&all).map(|(sample, rate)| (sample, rate / 1_000.0)).collect()),
        panel("What a host sends in peace", "octets/s", in_peace.iter().flat_map(|peace| flat::rates(peace)).collect()),
    ]
}
