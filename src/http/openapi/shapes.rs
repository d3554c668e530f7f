//! Schemas of fields of answers whose types say less than is known of them.

use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

use super::text;
use crate::{
    catalog::select::REASONS,
    fields::schema as words,
    http::nodes::STATES,
    kinds::KINDS,
    model::{Protocol, Status, encryption::Mode},
};

/// The name of a field of an answer that is a name.
pub(in crate::http) fn label(_: &mut SchemaGenerator) -> Schema {
    schema(text::label())
}

/// An id of an instance or a check.
pub(in crate::http) fn id(_: &mut SchemaGenerator) -> Schema {
    schema(text::id())
}

/// An id of a node.
pub(in crate::http) fn node_id(_: &mut SchemaGenerator) -> Schema {
    schema(text::node_id())
}

/// A verdict.
pub(in crate::http) fn status(_: &mut SchemaGenerator) -> Schema {
    schema(text::words([Status::Passing, Status::Warning, Status::Critical].map(Status::as_str)))
}

/// A transport.
pub(in crate::http) fn protocol(_: &mut SchemaGenerator) -> Schema {
    schema(text::words([Protocol::Tcp, Protocol::Udp].map(Protocol::as_str)))
}

/// What is held of a node's being there.
pub(in crate::http) fn state(_: &mut SchemaGenerator) -> Schema {
    schema(text::words(STATES.map(|state| state.as_str())))
}

/// How far encryption is turned on.
pub(in crate::http) fn mode(_: &mut SchemaGenerator) -> Schema {
    schema(text::words(Mode::ALL.map(Mode::as_str)))
}

/// An id of a key.
pub(in crate::http) fn key_id(_: &mut SchemaGenerator) -> Schema {
    schema(words::whole(1, u8::MAX.into()))
}

/// What tells keys apart.
pub(in crate::http) fn fingerprint(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "pattern": "^[0-9a-f]{8}$"})
}

/// Why an instance is not handed out.
pub(in crate::http) fn held_back(_: &mut SchemaGenerator) -> Schema {
    schema(text::words(REASONS))
}

/// RFC 3339.
pub(in crate::http) fn time(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "format": "date-time"})
}

/// The same, or null.
pub(in crate::http) fn optional_time(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": ["string", "null"], "format": "date-time"})
}

/// A duration that a definition takes.
pub(in crate::http) fn duration(_: &mut SchemaGenerator) -> Schema {
    schema(words::duration("duration-text"))
}

/// The fields of all kinds of check, of which a check has those of its own.
pub(in crate::http) fn fields_of_kinds(generator: &mut SchemaGenerator) -> Schema {
    let mut properties = Map::new();
    for kind in KINDS {
        let described = (kind.schema)(generator);
        properties.extend(described.get("properties").and_then(Value::as_object).cloned().unwrap_or_default());
    }
    schema(json!({"type": "object", "properties": properties}))
}

/// How long something took, down to microseconds; or null.
pub(in crate::http) fn optional_took(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": ["string", "null"], "pattern": "^[0-9]+(h|m|s|ms|µs)( [0-9]+(m|s|ms|µs))*$"})
}

/// A method of a route.
pub(in crate::http) fn methods(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "array", "items": {"type": "string", "enum": ["GET", "PUT", "POST", "DELETE"]}})
}

fn schema(value: Value) -> Schema {
    Schema::try_from(value).unwrap_or_default()
}
