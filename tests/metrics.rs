//! Holds what is written about the metrics against what the agent shows: the table in the documentation, the dashboard, the alerts.

#[path = "metrics/names.rs"]
mod names;

use std::{collections::BTreeSet, fs, path::Path};

use names::{Described, covers, described};

/// Set, the table is written instead of compared.
const WRITE: &str = "TIDINGS_WRITE_DOCS";

#[test]
fn the_table_of_metrics_is_what_the_agent_says() {
    let (file, mark) = ("docs/metrics.md", "<!-- The table is written by `TIDINGS_WRITE_DOCS=1 cargo test --test metrics`. -->\n");
    let text = read(file);
    let (before, table) = text.split_once(mark).expect("the table has its mark");
    let expected = table_of(&described());
    if std::env::var_os(WRITE).is_some() {
        fs::write(path(file), format!("{before}{mark}{expected}")).expect("it can be written");
    } else {
        assert!(table == expected, "{file} is not up to date: run `{WRITE}=1 cargo test --test metrics`. Expected:\n{expected}");
    }
}

#[test]
fn every_metric_in_the_dashboard_exists_and_so_does_each_of_its_labels() {
    let text = read("packaging/grafana/tidings.json");
    let dashboard: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
    let mut queries = Vec::new();
    collect(&dashboard, &mut queries);
    assert!(queries.len() > 20, "the queries were not found: {queries:?}");
    check(&queries);
}

#[test]
fn every_metric_in_the_alerts_exists_and_so_does_each_of_its_labels() {
    let text = read("packaging/prometheus/tidings.rules.yml");
    let alerts: Vec<&str> = text.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    let queries: Vec<String> = text.lines().filter_map(|line| line.trim().strip_prefix("expr: ")).map(str::to_owned).collect();
    assert!(alerts.len() > 8 && queries.len() == alerts.len(), "each alert has its query on one line: {alerts:?}\n{queries:?}");
    check(&queries);
}

#[test]
fn a_name_or_a_label_that_does_not_exist_is_found() {
    let wrong = |query: &str| wrong(&described(), query);
    assert_eq!(wrong(r#"sum by (state) (tidings_members{state="alive"}) / rate(process_cpu_seconds_total[5m])"#), [""; 0]);
    assert_eq!(wrong("histogram_quantile(0.99, rate(tidings_dns_query_duration_seconds_bucket[5m]))"), [""; 0]);
    assert_eq!(wrong("tidings_member + tidings_members"), ["tidings_member"]);
    assert_eq!(wrong(r#"tidings_members{status="alive"}"#), [r#"tidings_members{status}"#]);
}

/// Every text that is asked of Prometheus.
fn collect(value: &serde_json::Value, queries: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(fields) => fields.iter().for_each(|(key, value)| match value.as_str() {
            Some(query) if key == "expr" || key == "query" || key == "definition" => queries.push(query.to_owned()),
            _ => collect(value, queries),
        }),
        serde_json::Value::Array(items) => items.iter().for_each(|item| collect(item, queries)),
        _ => {}
    }
}

fn check(queries: &[String]) {
    let metrics = described();
    let wrong: Vec<String> =
        queries.iter().flat_map(|query| wrong(&metrics, query).into_iter().map(move |it| format!("{it} in {query}"))).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(queries.iter().any(|query| !metrics_in(query).is_empty()), "no name was found");
}

/// Names that are no metrics, and labels that their metrics have not.
fn wrong(metrics: &[Described], query: &str) -> Vec<String> {
    let of_target = ["job", "instance", "le"];
    let mut wrong = BTreeSet::new();
    for (name, labels) in metrics_in(query) {
        match metrics.iter().find(|metric| covers(&metric.name, &name)) {
            None => drop(wrong.insert(name)),
            Some(metric) => wrong.extend(
                labels
                    .into_iter()
                    .filter(|label| !metric.labels.contains(label) && !of_target.contains(&label.as_str()))
                    .map(|label| format!("{name}{{{label}}}")),
            ),
        }
    }
    wrong.into_iter().collect()
}

/// The metrics that a query names, with the labels that it chooses by.
fn metrics_in(query: &str) -> Vec<(String, Vec<String>)> {
    let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let mut found = Vec::new();
    let mut rest = query;
    while let Some(start) = ["tidings_", "process_"].into_iter().filter_map(|prefix| rest.find(prefix)).min() {
        rest = &rest[start..];
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        let name = rest[..end].to_owned();
        rest = &rest[end..];
        let chosen = rest.strip_prefix('{').and_then(|chosen| chosen.split_once('}')).map_or("", |(chosen, _)| chosen);
        let labels = chosen.split(',').filter_map(|pair| pair.split(['=', '!']).next()).map(str::trim);
        found.push((name, labels.filter(|label| !label.is_empty()).map(str::to_owned).collect()));
    }
    found
}

fn table_of(metrics: &[Described]) -> String {
    let mut table = "| metric | type | labels | what it says |\n|---|---|---|---|\n".to_owned();
    for metric in metrics {
        let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
        table.push_str(&format!("| `{}` | {} | {} | {} |\n", metric.name, metric.kind, labels.join(", "), metric.help));
    }
    table
}

fn read(file: &str) -> String {
    fs::read_to_string(path(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn path(file: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(file)
}
