//! What texts look like that are read: patterns that say neither more nor less than their readers.

use serde_json::{Value, json};

pub(super) use crate::fields::schema::words;
use crate::model::limits;

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

/// Tags as `If-Match` and `If-None-Match` take them (RFC 9110, 13.1).
pub(super) fn entity_tags() -> Value {
    let tag = r#"(W/)?"[\t !#-~]*""#;
    json!({"type": "string", "format": "entity-tags", "pattern": format!(r"^(\*|[ \t,]*{tag}[ \t]*(,[ \t,]*({tag}[ \t]*)?)*)$")})
}
