//! The agent's log.

use std::{env, io, io::IsTerminal};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::{
    Layer, Registry,
    filter::{ParseError, Targets},
    layer::SubscriberExt,
    reload,
    util::SubscriberInitExt,
};

use crate::config::LogFormat;

/// The log of this process, while it is written.
pub(super) struct Log(reload::Handle<Targets, Registry>);

impl Log {
    /// Writes by another filter from now on. One that can't be understood changes nothing.
    pub(super) fn set(&self, filter: &str) {
        if let Ok(targets) = targets(filter) {
            // It fails where the log is written by nobody any more.
            let _ = self.0.reload(targets);
        }
    }
}

/// Writes the log of this process to standard error from now on.
///
/// # Errors
/// When the filter can't be understood.
pub(super) fn start(filter: &str, format: LogFormat) -> Result<Log, ParseError> {
    let (targets, handle) = reload::Layer::new(targets(filter)?);
    let colour = io::stderr().is_terminal() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    // Without `log_internal_errors(false)` a log that can't be written would be complained about on the same broken stream.
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr).with_ansi(colour).log_internal_errors(false);
    let layer = match format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    // Another subscriber that is there already belongs to whoever set it up first; it stays.
    drop(tracing_subscriber::registry().with(layer.with_filter(targets)).try_init());
    Ok(Log(handle))
}

/// The filter with what it leaves open: `info` for all parts, but `warn` for the DNS library, which logs two lines a query.
fn targets(filter: &str) -> Result<Targets, ParseError> {
    let mut targets: Targets = filter.parse()?;
    if targets.default_level().is_none() {
        targets = targets.with_default(LevelFilter::INFO);
    }
    for noisy in ["hickory_server", "hickory_proto"] {
        if targets.iter().all(|(target, _)| !noisy.starts_with(target)) {
            targets = targets.with_target(noisy, LevelFilter::WARN);
        }
    }
    Ok(targets)
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn the_dns_library_is_quiet_unless_it_is_asked_for() {
        let logs = |filter: &str, target: &str, level| targets(filter).unwrap().would_enable(target, &level);
        assert!(logs("info", "tidings::dns", Level::INFO) && !logs("info", "tidings::dns", Level::DEBUG));
        assert!(!logs("info", "hickory_server::server", Level::INFO));
        assert!(!logs("debug", "hickory_proto", Level::INFO));
        assert!(logs("info,hickory_server=debug", "hickory_server", Level::DEBUG));
        assert!(logs("info,hickory=debug", "hickory_server", Level::DEBUG));
    }

    #[test]
    fn a_filter_for_one_part_leaves_the_others_as_they_are() {
        let targets = targets("tidings::dns=debug").unwrap();
        assert!(targets.would_enable("tidings::dns", &Level::DEBUG));
        assert!(targets.would_enable("tidings::agent", &Level::INFO));
    }
}
