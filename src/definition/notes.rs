//! From the JSON of a heartbeat, or of a reason for maintenance.

use serde_json::Value;

use crate::{
    fields::Reading,
    model::{CheckState, check::short_reason, instance::Flaw, limits},
};

/// The fields of a heartbeat.
pub const HEARTBEAT_FIELDS: &[&str] = &["status", "output"];
/// Those of a maintenance.
pub const REASON_FIELDS: &[&str] = &["reason"];

/// Those of a key.
pub const KEY_FIELDS: &[&str] = &["key"];

/// How a program says that its instance is, and what it says of it in full.
///
/// # Errors
/// Every flaw that could be found at once.
pub fn heartbeat(value: &Value) -> Result<(CheckState, String), Vec<Flaw>> {
    read(value, "a heartbeat", HEARTBEAT_FIELDS, |reading| {
        let status = reading.required("status").and_then(|value| reading.status("/status", value));
        let output = reading.optional("output").and_then(|value| reading.text("/output", value)).unwrap_or_default();
        if output.len() > limits::OUTPUT_OCTETS {
            reading.flaw("/output", format!("has {} octets; at most {} are allowed", output.len(), limits::OUTPUT_OCTETS));
        }
        Some((CheckState { status: status?, reason: short_reason(output) }, output.to_owned()))
    })
}

/// Why something is in maintenance.
///
/// # Errors
/// Every flaw that could be found at once.
pub fn reason(value: &Value) -> Result<String, Vec<Flaw>> {
    read(value, "a maintenance", REASON_FIELDS, |reading| {
        let reason = reading.required("reason").and_then(|value| reading.text("/reason", value))?;
        if short_reason(reason).is_empty() || reason.len() > limits::REASON_OCTETS {
            reading.flaw("/reason", format!("takes 1 to {} octets: others will read it", limits::REASON_OCTETS));
        }
        Some(short_reason(reason))
    })
}

/// A key of gossip, as a text.
///
/// # Errors
/// Every flaw that could be found at once.
pub fn key(value: &Value) -> Result<&str, Vec<Flaw>> {
    read(value, "a key", KEY_FIELDS, |reading| reading.required("key").and_then(|value| reading.text("/key", value)))
}

fn read<'a, T>(
    value: &'a Value,
    what: &'static str,
    known: &'static [&'static str],
    parse: impl FnOnce(&mut Reading<'a>) -> Option<T>,
) -> Result<T, Vec<Flaw>> {
    let mut reading = Reading::new(value, what, known).map_err(|flaw| vec![flaw])?;
    let parsed = parse(&mut reading);
    reading.refuse_unknown_fields();
    let flaws = reading.into_flaws();
    parsed.filter(|_| flaws.is_empty()).ok_or(flaws)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::Status;

    #[test]
    fn a_heartbeat_has_a_status_and_may_say_why() {
        let (state, output) = heartbeat(&json!({"status": "warning", "output": "slow\ntoday"})).unwrap();
        assert_eq!(output, "slow\ntoday");
        assert_eq!(state, CheckState { status: Status::Warning, reason: "slow today".into() });
        let check = |value, pointer: &str| assert_eq!(heartbeat(&value).unwrap_err()[0].pointer, pointer, "{value}");
        check(json!({}), "/status");
        check(json!({"status": "ok"}), "/status");
        check(json!({"status": "passing", "output": 1}), "/output");
        check(json!({"status": "passing", "output": "x".repeat(5_000)}), "/output");
        check(json!({"status": "passing", "note": ""}), "/note");
        check(json!("passing"), "");
    }

    #[test]
    fn a_maintenance_needs_a_reason() {
        assert_eq!(reason(&json!({"reason": "new disk"})), Ok("new disk".into()));
        for value in [json!({}), json!({"reason": " "}), json!({"reason": "x".repeat(201)}), json!({"reason": null})] {
            assert_eq!(reason(&value).unwrap_err()[0].pointer, "/reason", "{value}");
        }
    }
}
