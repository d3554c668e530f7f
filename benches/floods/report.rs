//! What was measured, as a table.

use std::time::Duration;

use super::measure::Figures;

pub(crate) fn head() -> String {
    let columns = format!(
        "{:>9} | {:>6} {:>7} {:>7} | {:>6} {:>7} {:>7} | {:>6} {:>5} | {:>5} {:>5} {:>5} | {:>6} {:>6} | {:>4}",
        "a second",
        "DNS %",
        "p50 ms",
        "p99 ms",
        "HTTP %",
        "p50 ms",
        "p99 ms",
        "join s",
        "down",
        "MB",
        "most",
        "after",
        "files",
        "after",
        "CPU %"
    );
    format!("{:<30}{columns}", "flood")
}

pub(crate) fn line(flood: &str, figures: &Figures) -> String {
    let join = figures.join.map_or("never".to_owned(), |time| format!("{:.2}", time.as_secs_f64()));
    let [before, most, after] = figures.memory.map(|octets| octets as f64 / 1e6);
    let (dns, http) = (&figures.dns, &figures.http);
    let columns = format!(
        "{:>9.0} | {:>6.1} {:>7.2} {:>7.2} | {:>6.1} {:>7.2} {:>7.2} | {join:>6} {:>5} | {before:>5.1} {most:>5.1} {after:>5.1} | {:>6} {:>6} | {:>4.0}",
        figures.rate,
        dns.share(),
        millis(dns.quantile(0.5)),
        millis(dns.quantile(0.99)),
        http.share(),
        millis(http.quantile(0.5)),
        millis(http.quantile(0.99)),
        figures.victims,
        figures.most_files,
        figures.files_after,
        figures.processor * 1e2,
    );
    format!("{flood:<30}{columns}")
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
