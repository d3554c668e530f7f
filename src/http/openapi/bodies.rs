//! Schemas of what requests carry. Their fields are those that the readers in [`crate::definition`] and [`crate::kinds`] know, and tests hold
//! each schema against its reader, on both sides of each limit.

use serde_json::{Value, json};

use super::{operation::Body, text};
use crate::{
    definition::{self, checks, notes},
    fields::schema::{self, defaults, described, object, octets, unknown, whole},
    kinds::{KINDS, Row},
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

/// A key of gossip.
pub(in crate::http) const KEY: Body = Body { name: "NewKey", schema: key };

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
        "deregister_after" => described(schema::duration("duration-text"), "Critical for so long, it is deregistered"),
        other => unknown(other),
    })
}

fn check() -> Value {
    json!({"oneOf": KINDS.iter().map(check_of).collect::<Vec<_>>()})
}

/// A check of one kind: without the fields that make it another one, and without those that its kind does not have.
fn check_of(kind: &Row) -> Value {
    let own = |name: &str| kind.fields.iter().find(|field| field.name == name).map(|field| (field.schema)());
    object(checks::fields_of(kind), &["id", kind.name], |field| match field {
        "id" => text::id(),
        "interval" => defaults(schema::check_duration(), format!("{}s", DEFAULT_INTERVAL.as_secs())),
        "timeout" => described(
            schema::check_duration(),
            &format!("Unless said {} s, or the interval where that is shorter", DEFAULT_TIMEOUT.as_secs()),
        ),
        "rise" | "fall" => defaults(whole(1, limits::CHECK_RUNS.into()), 1),
        "initial" => defaults(status(), Status::Critical.as_str()),
        other => own(other).unwrap_or_else(|| unknown(other)),
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

fn key() -> Value {
    object(notes::KEY_FIELDS.iter().copied(), &["key"], |field| match field {
        "key" => json!({
            "type": "string", "description": "The id, as in the path, a colon, and 32 octets in Base64: what `tidings keys generate` prints",
            "pattern": "^(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9][0-9]?):[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$",
        }),
        other => unknown(other),
    })
}

fn status() -> Value {
    text::words([Status::Passing, Status::Warning, Status::Critical].map(Status::as_str))
}
