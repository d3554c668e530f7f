//! What texts look like that are read: patterns that say neither more nor less than their readers.

use serde_json::{Value, json};

use crate::{
    definition::scalar::DIGITS,
    model::{check, limits},
};

/// Names of services, nodes and zones (RFC 1123).
pub(super) fn label() -> Value {
    let inner = limits::LABEL_OCTETS - 2;
    json!({
        "type": "string", "description": "A DNS label. Case does not matter.", "minLength": 1, "maxLength": limits::LABEL_OCTETS,
        "pattern": format!("^[A-Za-z0-9]([A-Za-z0-9-]{{0,{inner}}}[A-Za-z0-9])?$"),
    })
}

/// Ids of instances and checks.
pub(super) fn id() -> Value {
    let rest = limits::LABEL_OCTETS - 1;
    json!({
        "type": "string", "description": "Case matters.", "minLength": 1, "maxLength": limits::LABEL_OCTETS,
        "pattern": format!("^[A-Za-z0-9][A-Za-z0-9._-]{{0,{rest}}}$"),
    })
}

pub(super) fn tag() -> Value {
    json!({
        "type": "string", "description": "One that is to work in DNS is a DNS label.", "minLength": 1, "maxLength": limits::LABEL_OCTETS,
        "pattern": format!("^[!-~]{{1,{}}}$", limits::LABEL_OCTETS),
    })
}

/// The id of a node.
pub(super) fn node_id() -> Value {
    json!({"type": "string", "pattern": "^[0-9a-f]{16}$"})
}

/// One of a few words.
pub(super) fn words(words: impl IntoIterator<Item = &'static str>) -> Value {
    json!({"type": "string", "enum": words.into_iter().collect::<Vec<_>>()})
}

/// An IPv4 or IPv6 address that can be connected to: neither unspecified nor multicast.
pub(super) fn address() -> Value {
    json!({
        "description": "An address that can be connected to",
        "anyOf": [
            {"type": "string", "format": "ipv4", "not": {"pattern": r"^(0\.0\.0\.0$|22[4-9]\.|23[0-9]\.)"}},
            {"type": "string", "format": "ipv6", "not": {"pattern": r"^([fF]{2}[0-9A-Fa-f]{2}:|[0:]+(0\.0\.0\.0)?$)"}},
        ],
    })
}

/// A duration. JSON Schema has no word for how long it may be: `x-shortest` and `x-longest` are for those who read it.
pub(super) fn duration(format: &str) -> Value {
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
pub(super) fn check_duration() -> Value {
    let mut schema = duration("check-duration");
    schema["x-shortest"] = format!("{:#}", jiff(check::SHORTEST)).into();
    schema["x-longest"] = format!("{:#}", jiff(check::LONGEST)).into();
    schema
}

fn jiff(duration: std::time::Duration) -> jiff::SignedDuration {
    jiff::SignedDuration::try_from(duration).unwrap_or(jiff::SignedDuration::MAX)
}

/// Tags as `If-Match` and `If-None-Match` take them (RFC 9110, 13.1).
pub(super) fn entity_tags() -> Value {
    let tag = r#"(W/)?"[\t !#-~]*""#;
    json!({"type": "string", "format": "entity-tags", "pattern": format!(r"^(\*|[ \t,]*{tag}[ \t]*(,[ \t,]*({tag}[ \t]*)?)*)$")})
}

/// `PORT` of `HOST:PORT`, 1 to 65535.
pub(super) const PORT: &str = "([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])";
/// A host by name or address.
pub(super) const HOST: &str = r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])";
/// A character of a path or a query.
pub(super) const TARGET: &str = r"[!$-;=?-\[\]_a-z~]";
