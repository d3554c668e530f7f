//! Ranges of statuses: read as `204` or `"200-299"`, kept and shown as the latter.

use std::ops::RangeInclusive;

use serde::{Deserialize, Deserializer, Serializer, de::Error};
use serde_json::{Value, json};

use crate::fields::{Reading, Shown, scalar::whole, schema};

/// What [`read`] takes.
pub(super) fn schema() -> Value {
    let range =
        json!({"type": "string", "format": "status-range", "pattern": "^ *[1-5][0-9]{2} *- *[1-5][0-9]{2} *$", "examples": ["200-299"]});
    json!({"anyOf": [schema::whole(100, 599), range]})
}

/// One range.
pub(super) fn read(reading: &mut Reading<'_>, pointer: &str, value: &Value) -> Option<RangeInclusive<u16>> {
    let range = match value {
        Value::Number(_) => whole(value).and_then(|code| u16::try_from(code).ok()).map(|code| code..=code),
        Value::String(text) => range(text),
        _ => None,
    };
    let sound = range.filter(|range| (100..=599).contains(range.start()) && (*range.start()..=599).contains(range.end()));
    if sound.is_none() {
        reading.flaw(pointer, format!(r#"is {}; it takes a status such as 204, or a range such as "200-299""#, Shown(value)));
    }
    sound
}

pub(super) fn serialize<S: Serializer>(ranges: &[RangeInclusive<u16>], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(ranges.iter().map(|range| format!("{}-{}", range.start(), range.end())))
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<RangeInclusive<u16>>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    texts.iter().map(|text| range(text).ok_or_else(|| D::Error::custom("no range of statuses"))).collect()
}

fn range(text: &str) -> Option<RangeInclusive<u16>> {
    let (first, last) = text.split_once('-')?;
    Some(code(first)?..=code(last)?)
}

/// Three digits, perhaps with spaces around them.
fn code(text: &str) -> Option<u16> {
    let digits = text.trim_matches(' ');
    digits.parse().ok().filter(|_| digits.len() == 3 && digits.bytes().all(|octet| octet.is_ascii_digit()))
}
