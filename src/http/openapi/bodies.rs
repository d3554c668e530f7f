//! Schemas of what requests carry. Their fields are those that the readers in [`crate::http::definition`] know, and tests hold
//! each schema against its reader, on both sides of each limit.

use serde_json::{Map, Value, json};

use super::{
    operation::Body,
    text::{self, HOST, PORT, TARGET},
};
use crate::{
    definition::{
        self,
        checks::{self, HTTP_FIELDS, REDIRECTS, RUN_FIELDS, STATUSES},
        notes,
    },
    model::{
        Protocol, Status,
        check::{DEFAULT_INTERVAL, DEFAULT_TIMEOUT},
        instance::DEFAULT_WEIGHT,
        limits,
    },
};

/// What is registered.
pub(in crate::http) const DEFINITION: Body = Body { name: "NewDefinition", schema: definition };
/// What a program says of its instance.
pub(in crate::http) const HEARTBEAT: Body = Body { name: "Heartbeat", schema: heartbeat };
/// Why something is in maintenance.
pub(in crate::http) const REASON: Body = Body { name: "Maintenance", schema: reason };

fn definition() -> Value {
    object(definition::FIELDS.iter().copied(), &["service", "port"], |field| match field {
        "id" => described(text::id(), "That of the path; it may be left out"),
        "service" => text::label(),
        "addresses" => json!({
            "type": "array", "items": text::address(), "maxItems": limits::ADDRESSES, "uniqueItems": true,
            "description": "None means those of the node",
        }),
        "port" => whole(1, u16::MAX.into()),
        "protocol" => defaults(text::words([Protocol::Tcp, Protocol::Udp].map(Protocol::as_str)), Protocol::default().as_str()),
        "tags" => json!({"type": "array", "items": text::tag(), "maxItems": limits::TAGS, "uniqueItems": true}),
        "meta" => json!({
            "type": "object", "maxProperties": limits::META_PAIRS,
            "propertyNames": {"pattern": format!("^[!-9;-~]{{1,{}}}$", limits::META_KEY_OCTETS)},
            "additionalProperties": octets(limits::META_VALUE_OCTETS),
        }),
        "weight" => defaults(whole(1, u16::MAX.into()), DEFAULT_WEIGHT),
        "checks" => json!({"type": "array", "items": check(), "maxItems": limits::CHECKS, "description": "Each with an id of its own"}),
        "deregister_after" => described(text::duration("duration-text"), "Critical for so long, it is deregistered"),
        other => unknown(other),
    })
}

fn check() -> Value {
    json!({"oneOf": [
        check_of("http", &["tcp", "ttl"], &[]),
        check_of("tcp", &["http", "ttl"], HTTP_FIELDS),
        check_of("ttl", &["http", "tcp"], &[HTTP_FIELDS, RUN_FIELDS].concat()),
    ]})
}

/// A check of one kind: without the fields that make it another one, and without those that its kind does not have.
fn check_of(kind: &'static str, others: &[&str], not: &[&str]) -> Value {
    let fields = checks::FIELDS.iter().copied().filter(|field| !others.contains(field) && !not.contains(field));
    object(fields, &["id", kind], |field| match field {
        "id" => text::id(),
        "http" => json!({
            "type": "string", "description": "A URL",
            "pattern": format!(r"^[Hh][Tt][Tt][Pp][Ss]?://{HOST}(:{PORT})?([/?]{TARGET}*)?$"),
        }),
        "tcp" => json!({"type": "string", "description": "HOST:PORT", "pattern": format!("^{HOST}:{PORT}$")}),
        "ttl" => text::check_duration(),
        "interval" => defaults(text::check_duration(), format!("{}s", DEFAULT_INTERVAL.as_secs())),
        "timeout" => described(
            text::check_duration(),
            &format!("Unless said {} s, or the interval where that is shorter", DEFAULT_TIMEOUT.as_secs()),
        ),
        "rise" | "fall" => defaults(whole(1, limits::CHECK_RUNS.into()), 1),
        "initial" => defaults(status(), Status::Critical.as_str()),
        "method" => defaults(json!({"type": "string", "pattern": "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"}), "GET"),
        "headers" => json!({
            "type": "object",
            "propertyNames": {"pattern": "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"},
            "additionalProperties": {"type": "string", "pattern": r"^[\t -~]*$"},
        }),
        "statuses" => json!({
            "type": "array", "maxItems": STATUSES, "description": "200-299 unless said",
            "items": {"anyOf": [
                whole(100, 599),
                {"type": "string", "format": "status-range", "pattern": "^ *[1-5][0-9]{2} *- *[1-5][0-9]{2} *$", "examples": ["200-299"]},
            ]},
        }),
        "redirects" => defaults(whole(0, REDIRECTS.into()), 0),
        "ca_file" => json!({"type": "string", "description": "A file of PEM certificates on the host of the agent"}),
        "verify" => defaults(json!({"type": "boolean"}), true),
        other => unknown(other),
    })
}

fn heartbeat() -> Value {
    object(notes::HEARTBEAT_FIELDS.iter().copied(), &["status"], |field| match field {
        "status" => status(),
        "output" => octets(limits::OUTPUT_OCTETS),
        other => unknown(other),
    })
}

fn reason() -> Value {
    object(notes::REASON_FIELDS.iter().copied(), &["reason"], |field| match field {
        "reason" => {
            let mut schema = octets(limits::REASON_OCTETS);
            schema["minLength"] = 1.into();
            schema["pattern"] = "[^\\s\\u0000-\\u001f\\u007f-\\u009f]".into();
            schema
        }
        other => unknown(other),
    })
}

fn status() -> Value {
    text::words([Status::Passing, Status::Warning, Status::Critical].map(Status::as_str))
}

/// An object that has these fields and no others.
fn object(fields: impl Iterator<Item = &'static str>, required: &[&str], schema: impl Fn(&str) -> Value) -> Value {
    let properties: Map<String, Value> = fields.map(|field| (field.to_owned(), schema(field))).collect();
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

fn whole(least: u64, most: u64) -> Value {
    json!({"type": "integer", "minimum": least, "maximum": most})
}

/// A text by its octets. JSON Schema counts characters, of which there are never more.
fn octets(most: usize) -> Value {
    json!({"type": "string", "maxLength": most, "description": format!("At most {most} octets in UTF-8"), "x-octets": most})
}

fn described(mut schema: Value, description: &str) -> Value {
    schema["description"] = description.into();
    schema
}

fn defaults(mut schema: Value, default: impl Into<Value>) -> Value {
    schema["default"] = default.into();
    schema
}

/// A field that a reader knows and nothing is said of here. A test finds it, since then it takes nothing.
fn unknown(field: &str) -> Value {
    json!({"not": {}, "description": format!("{field} is not described")})
}
