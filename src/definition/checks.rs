//! From the JSON of a check to a check. What only its kind knows of, its kind reads.

use std::sync::LazyLock;

use serde_json::Value;

use crate::{
    fields::Reading,
    kinds::{self, KINDS, Row},
    model::{
        Check, CheckId, Status,
        check::{DEFAULT_INTERVAL, DEFAULT_TIMEOUT, Probe},
        instance::Flaw,
    },
};

/// Those of a check that is run. One that waits to be told has no use for them.
pub const RUN_FIELDS: &[&str] = &["interval", "timeout"];
/// Those of every check, beside those of its kind.
const COMMON_FIELDS: &[&str] = &["rise", "fall", "initial"];

/// The fields that a check may have: its id, those that name a kind, those of all kinds, and those of single kinds.
pub fn fields() -> &'static [&'static str] {
    static FIELDS: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
        let more = KINDS.iter().flat_map(|kind| kind.fields[1..].iter().map(|field| field.name));
        let mut all: Vec<_> = ["id"].into_iter().chain(kinds::names()).chain(RUN_FIELDS.iter().chain(COMMON_FIELDS).copied()).collect();
        for field in more {
            if !all.contains(&field) {
                all.push(field);
            }
        }
        all
    });
    &FIELDS
}

/// Those that a check of one kind may have.
pub fn fields_of(kind: &Row) -> impl Iterator<Item = &'static str> {
    let run = RUN_FIELDS.iter().filter(|_| !kind.waits);
    ["id"].into_iter().chain(kind.fields.iter().map(|field| field.name)).chain(run.chain(COMMON_FIELDS).copied())
}

/// The check that a value defines.
///
/// # Errors
/// Every flaw that could be found at once, with its JSON pointer (RFC 6901).
pub(super) fn read(value: &Value) -> Result<Check, Vec<Flaw>> {
    let mut reading = Reading::new(value, "a check", fields()).map_err(|flaw| vec![flaw])?;
    let check = check(&mut reading);
    let flaws = reading.into_flaws();
    check.filter(|_| flaws.is_empty()).ok_or(flaws)
}

fn check(reading: &mut Reading<'_>) -> Option<Check> {
    reading.refuse_unknown_fields();
    let id: Option<CheckId> = reading.required("id").and_then(|value| reading.name("/id", value));
    let interval = reading.optional("interval").and_then(|value| reading.duration("/interval", value)).unwrap_or(DEFAULT_INTERVAL);
    let timeout = reading.optional("timeout").and_then(|value| reading.duration("/timeout", value));
    let rise = reading.optional("rise").and_then(|value| reading.number("/rise", value, "rise")).unwrap_or(1);
    let fall = reading.optional("fall").and_then(|value| reading.number("/fall", value, "fall")).unwrap_or(1);
    let initial = reading.optional("initial").and_then(|value| reading.status("/initial", value)).unwrap_or(Status::Critical);
    let probe = probe(reading);
    Some(Check { id: id?, probe: probe?, interval, timeout: timeout.unwrap_or(DEFAULT_TIMEOUT.min(interval)), rise, fall, initial })
}

fn probe(reading: &mut Reading<'_>) -> Option<Probe> {
    let mut named = KINDS.iter().filter(|kind| reading.optional(kind.name).is_some());
    let (Some(kind), None) = (named.next(), named.next()) else {
        let all: Vec<String> = KINDS.iter().map(|kind| format!("{:?} ({})", kind.name, kind.takes)).collect();
        reading.flaw("", format!("is of no kind or of several: give it {}", or(&all)));
        return None;
    };
    for field in fields().iter().filter(|field| !kind.has(field)) {
        let others: Vec<String> = KINDS.iter().filter(|other| other.has(field)).map(|other| format!("{:?}", other.name)).collect();
        if !others.is_empty() {
            reading.refuse(&[field], &format!("only a check with {} has it", or(&others)));
        }
    }
    if kind.waits {
        reading.refuse(RUN_FIELDS, &format!("a check with {:?} is told and does not run", kind.name));
    }
    kind.read(reading)
}

/// `a, b or c`.
fn or(all: &[String]) -> String {
    match all {
        [rest @ .., before, last] => rest.iter().map(|one| format!("{one}, ")).collect::<String>() + &format!("{before} or {last}"),
        few => few.concat(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use crate::{
        definition::read,
        kinds::{self, KINDS},
        model::{InstanceId, Status},
    };

    #[test]
    fn the_kinds_are_read_with_their_defaults() {
        let registration = registration(json!([
            {"id": "alive", "http": "http://10.0.0.5:8080/health", "interval": "5s", "timeout": "1s", "fall": 3},
            {"id": "port", "tcp": "[::1]:80"},
            {"id": "beat", "ttl": "15s", "initial": "passing"},
        ]))
        .unwrap();
        let [alive, port, beat] = registration.checks.as_slice() else { panic!("{registration:?}") };
        assert_eq!((alive.interval, alive.timeout, alive.rise, alive.fall), (Duration::from_secs(5), Duration::from_secs(1), 1, 3));
        let given = json!({"http": "http://10.0.0.5:8080/health", "method": "GET", "headers": {}, "statuses": ["200-299"], "redirects": 0, "verify": true});
        assert_eq!(kinds::given(&alive.probe).into_iter().map(|(field, value)| (field.to_owned(), value)).collect::<Value>(), given);
        assert_eq!((port.interval, port.timeout, port.initial), (Duration::from_secs(10), Duration::from_secs(5), Status::Critical));
        assert_eq!((beat.probe.ttl, beat.initial), (Some(Duration::from_secs(15)), Status::Passing));
    }

    #[test]
    fn each_flaw_is_found_where_it_is() {
        check(json!({"id": "a"}), "", "of no kind");
        check(json!({"id": "a", "ttl": "1s", "tcp": "a:1"}), "", "of several");
        check(json!({"ttl": "1s"}), "/id", "is missing; a check has one");
        check(json!({"id": "a b", "ttl": "1s"}), "/id", "letters, digits");
        check(json!({"id": "a", "ttl": 15}), "/ttl", r#""10s""#);
        check(json!({"id": "a", "ttl": "1ms"}), "/ttl", "100ms");
        check(json!({"id": "a", "ttl": "1s", "interval": "1s"}), "/interval", "does not run");
        check(json!({"id": "a", "tcp": "host:80", "method": "GET"}), "/method", r#"only a check with "http""#);
        check(json!({"id": "a", "http": "http://h", "intervall": "1s"}), "/intervall", r#"did you mean "interval"?"#);
        check(json!({"id": "a", "http": "http://h", "fall": 101}), "/fall", "1 to 100");
        check(json!({"id": "a", "http": "http://h", "initial": "ok"}), "/initial", r#""passing""#);
        check(json!("http://h"), "", "is the string");
    }

    #[test]
    fn no_kind_has_a_field_that_all_checks_have_or_that_names_another() {
        let common: Vec<_> = ["id"].iter().chain(super::RUN_FIELDS).chain(super::COMMON_FIELDS).collect();
        for kind in KINDS {
            assert!(!common.iter().any(|field| kind.has(field)), "{:?} has a field that all checks have", kind.name);
            assert_eq!(KINDS.iter().filter(|other| other.has(kind.name)).count(), 1, "{:?} is a field of another kind", kind.name);
        }
    }

    #[test]
    fn two_checks_of_one_id_are_one_too_many() {
        let flaws = registration(json!([{"id": "a", "ttl": "1s"}, {"id": "a", "ttl": "2s"}])).unwrap_err();
        assert_eq!(flaws[0].pointer, "/checks/1/id");
    }

    fn check(check: serde_json::Value, pointer: &str, detail: &str) {
        let flaws = registration(json!([check])).unwrap_err();
        let found = flaws.iter().any(|flaw| flaw.pointer == format!("/checks/0{pointer}") && flaw.detail.contains(detail));
        assert!(found, "{check}: {flaws:?}");
    }

    fn registration(checks: serde_json::Value) -> Result<crate::model::Registration, Vec<crate::model::instance::Flaw>> {
        read(InstanceId::new("web-1").unwrap(), &json!({"service": "web", "port": 80, "checks": checks}))
    }
}
