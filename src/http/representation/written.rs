//! How times and durations are written.

use std::time::{Duration, SystemTime};

use serde::Serializer;
use serde_json::Value;

use crate::fields::scalar::duration_text;

/// RFC 3339 in UTC, to the millisecond.
pub(super) fn time<S: Serializer>(time: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    let before_year_one = *time < SystemTime::UNIX_EPOCH;
    let at = jiff::Timestamp::try_from(*time).unwrap_or(if before_year_one { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX });
    serializer.collect_str(&format_args!("{at:.3}"))
}

/// The same, or null.
pub(super) fn optional_time<S: Serializer>(at: &Option<SystemTime>, serializer: S) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => time(at, serializer),
        None => serializer.serialize_none(),
    }
}

/// As it is displayed.
pub(in crate::http) fn text<T: std::fmt::Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

/// For example `10s` or `1m 30s`: what a definition takes.
pub(super) fn optional_duration<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    match duration {
        Some(duration) => serializer.collect_str(&duration_text(*duration)),
        None => serializer.serialize_none(),
    }
}

/// Fields in the order in which they stand.
pub(super) fn fields<S: Serializer>(fields: &[(&'static str, Value)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(fields.iter().map(|(name, value)| (name, value)))
}
