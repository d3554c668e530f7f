//! OpenMetrics as it comes over HTTP.

use std::collections::BTreeMap;

/// One line with a value.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    pub(crate) name: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

/// All samples of a text.
pub(crate) fn read(text: &str) -> Result<Vec<Sample>, String> {
    text.lines().filter(|line| !line.starts_with('#')).map(|line| sample(line).ok_or_else(|| format!("no sample: {line}"))).collect()
}

fn sample(line: &str) -> Option<Sample> {
    let (metric, value) = line.rsplit_once(' ')?;
    let (name, labels) = split(metric)?;
    Some(Sample { name: name.to_owned(), labels, value: value.parse().ok()? })
}

/// A name and its labels: no value of ours has a comma or a quote in it.
fn split(metric: &str) -> Option<(&str, BTreeMap<String, String>)> {
    let Some((name, labels)) = metric.split_once('{') else { return Some((metric, BTreeMap::new())) };
    let pairs = labels.strip_suffix('}')?.split(',').filter(|pair| !pair.is_empty());
    let label = |pair: &str| {
        let (label, value) = pair.split_once('=')?;
        Some((label.to_owned(), value.strip_prefix('"')?.strip_suffix('"')?.to_owned()))
    };
    Some((name, pairs.map(label).collect::<Option<_>>()?))
}

/// The sum of the samples of a metric that have all labels that it names; an error where there is none.
pub(crate) fn sum(samples: &[Sample], metric: &str) -> Result<f64, String> {
    let (name, labels) = split(metric).ok_or_else(|| format!("no name of a metric: {metric}"))?;
    let has_all = |sample: &&Sample| labels.iter().all(|(label, value)| sample.labels.get(label) == Some(value));
    let found: Vec<f64> = samples.iter().filter(|sample| sample.name == name).filter(has_all).map(|sample| sample.value).collect();
    if found.is_empty() { Err(format!("there is no {metric}")) } else { Ok(found.iter().sum()) }
}

/// Whether a sample belongs to the metric of this name and type.
pub(crate) fn is_of(sample: &str, name: &str, kind: &str) -> bool {
    let endings: &[&str] = match kind {
        "counter" => &["_total"],
        "info" => &["_info"],
        "histogram" => &["_bucket", "_sum", "_count"],
        _ => &[""],
    };
    sample.strip_prefix(name).is_some_and(|ending| endings.contains(&ending))
}
