//! How times and durations are written.

use std::time::{Duration, SystemTime};

use serde::Serializer;

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
    let Some(duration) = *duration else { return serializer.serialize_none() };
    let signed = jiff::SignedDuration::try_from(duration).unwrap_or(jiff::SignedDuration::MAX);
    serializer.collect_str(&format_args!("{signed:#}"))
}
