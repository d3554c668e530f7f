//! Words of JSON Schema for what [`Reading`](super::Reading) reads: they say neither more nor less than it takes.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::scalar::{DIGITS, duration_text};
use crate::model::check;

/// An object that has these fields and no others.
pub fn object<'f>(fields: impl IntoIterator<Item = &'f str>, required: &[&str], schema: impl Fn(&str) -> Value) -> Value {
    let properties: Map<String, Value> = fields.into_iter().map(|field| (field.to_owned(), schema(field))).collect();
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

/// A whole number within limits.
pub fn whole(least: u64, most: u64) -> Value {
    json!({"type": "integer", "minimum": least, "maximum": most})
}

/// A text by its octets. JSON Schema counts characters, of which there are never more.
pub fn octets(most: usize) -> Value {
    json!({"type": "string", "maxLength": most, "description": format!("At most {most} octets in UTF-8"), "x-octets": most})
}

/// One of a few words.
pub fn words(words: impl IntoIterator<Item = &'static str>) -> Value {
    json!({"type": "string", "enum": words.into_iter().collect::<Vec<_>>()})
}

/// A duration. JSON Schema has no word for how long it may be: `x-shortest` and `x-longest` are for those who read it.
pub fn duration(format: &str) -> Value {
    let number = format!("[0-9]{{1,{DIGITS}}}");
    let units = ["h", "m", "s", "ms"];
    // From each unit on to smaller ones, so that something is there.
    let first = |index: usize| {
        let rest: String = units[index + 1..].iter().map(|unit| format!("( ?{number}{unit})?")).collect();
        format!("{number}{}{rest}", units[index])
    };
    let any: Vec<String> = (0..units.len()).map(first).collect();
    json!({
        "type": "string", "format": format, "description": "Whole numbers of h, m, s and ms, the largest first",
        "examples": ["10s", "1m 30s"], "pattern": format!("^({})$", any.join("|")),
    })
}

/// One within the bounds that checks have.
pub fn check_duration() -> Value {
    let mut schema = duration("check-duration");
    let within = |bound: Duration| Value::from(duration_text(bound).to_string());
    (schema["x-shortest"], schema["x-longest"]) = (within(check::SHORTEST), within(check::LONGEST));
    schema
}

/// The same, with other words on what it means.
pub fn described(mut schema: Value, description: &str) -> Value {
    schema["description"] = description.into();
    schema
}

/// The same, with what counts where nothing is given.
pub fn defaults(mut schema: Value, default: impl Into<Value>) -> Value {
    schema["default"] = default.into();
    schema
}

/// A field that a reader knows and nothing is said of. A test finds it, since then it takes nothing.
pub fn unknown(field: &str) -> Value {
    json!({"not": {}, "description": format!("{field} is not described")})
}
