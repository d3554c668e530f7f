//! Holds each schema of what is read against its reader: whatever the one takes, the other takes.

mod samples;

use std::collections::BTreeSet;

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, header},
};
use serde_json::{Map, Value, json};

use self::samples::{texts, values};
use super::{
    document::build,
    held::{compile, holds, validator},
    text,
};
use crate::{
    definition::{self, checks, notes},
    http::{
        ROUTES,
        etag::Tags,
        testing::{Api, instance, registered},
    },
    kinds::KINDS,
    model::{InstanceId, NodeName, Status, limits},
};

/// Set, the document is written instead of compared.
const WRITE: &str = "TIDINGS_WRITE_DOCS";

#[test]
fn what_is_served_is_what_the_api_runs_on() {
    let expected = format!("{}\n", serde_json::to_string_pretty(&build()).unwrap());
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/openapi.json");
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(file, expected).unwrap();
    } else {
        assert!(super::DOCUMENT == expected, "docs/openapi.json is not up to date: run `{WRITE}=1 cargo test --lib openapi`");
    }
}

#[test]
fn every_operation_has_an_id_of_its_own_and_stands_in_the_document() {
    let document = build();
    let mut ids = BTreeSet::new();
    for route in ROUTES {
        let operation = &document["paths"][route.path][route.method.as_str().to_ascii_lowercase()];
        let id = operation["operationId"].as_str().unwrap_or_else(|| panic!("{} {}", route.method, route.path));
        assert!(ids.insert(id.to_owned()), "{id} is there twice");
        assert!(!operation["summary"].as_str().unwrap().is_empty(), "{id}");
    }
    assert_eq!(ids.len(), ROUTES.len());
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
}

#[tokio::test]
async fn the_document_is_served_as_it_is_built() {
    let answer = Api::new().get("/v1/openapi.json").await;
    assert_eq!(answer.json(), build());
    assert!(answer.header("etag").is_some());
}

#[test]
fn each_field_of_a_definition_takes_what_its_schema_says() {
    let base = json!({"service": "web", "port": 80});
    let agree = Agreement::of("NewDefinition", |value| {
        let id = value.get("id").and_then(Value::as_str).and_then(|text| InstanceId::new(text).ok());
        definition::read(id.unwrap_or(InstanceId::new("web-1").unwrap()), value).is_ok()
    });
    for field in definition::FIELDS {
        agree.on_field(&base, field);
    }
    agree.on_required(&json!({"service": "web", "port": 80, "tags": []}), &["service", "port"]);
}

#[test]
fn each_field_of_a_check_takes_what_its_schema_says() {
    let agree = Agreement::of("NewDefinition", |value| definition::read(InstanceId::new("web-1").unwrap(), value).is_ok());
    let place = |check: &Value| json!({"service": "web", "port": 80, "checks": [check]});
    for kind in KINDS {
        let bases = (kind.samples)().into_iter().map(|sample| json!({"id": "a", kind.name: sample}));
        let base =
            bases.into_iter().find(|base| (agree.read)(&place(base))).unwrap_or_else(|| panic!("no sample is taken for {:?}", kind.name));
        for field in checks::fields() {
            agree.within(&base, field, &place);
        }
    }
}

#[test]
fn each_field_of_a_note_takes_what_its_schema_says() {
    let agree = Agreement::of("Heartbeat", |value| notes::heartbeat(value).is_ok());
    for field in notes::HEARTBEAT_FIELDS {
        agree.on_field(&json!({"status": "passing"}), field);
    }
    agree.on_required(&json!({"status": "passing", "output": ""}), &["status"]);
    let agree = Agreement::of("Maintenance", |value| notes::reason(value).is_ok());
    agree.on_field(&json!({"reason": "disk"}), "reason");
    agree.on_required(&json!({"reason": "disk"}), &["reason"]);
}

#[tokio::test]
async fn each_parameter_takes_what_its_schema_says() {
    let api = Api::new();
    let document = build();
    for route in ROUTES {
        for parameter in document["paths"][route.path][route.method.as_str().to_ascii_lowercase()]["parameters"].as_array().unwrap() {
            let name = parameter["name"].as_str().unwrap();
            if parameter["in"] != "query" {
                continue;
            }
            let mut schema = &parameter["schema"];
            if schema["type"] == "array" {
                schema = &schema["items"];
            }
            let takes = compile(schema);
            let (mut taken, mut refused) = (0, 0);
            for text in texts() {
                // A number is sent as its digits.
                let value =
                    if schema["type"] == "integer" { text.parse::<u64>().map_or(Value::Null, Value::from) } else { text.clone().into() };
                let query = form_urlencoded::Serializer::new(String::new()).append_pair(name, &text).finish();
                let status = api.begin(route.method.as_str(), &format!("{}?{query}", route.path), &[], Body::empty()).await.status();
                assert_eq!(status != 400, takes.is_valid(&value), "{} {name}={text:?} gives {status}", route.path);
                *(if status == 400 { &mut refused } else { &mut taken }) += 1;
            }
            assert!(taken > 0 && refused > 0, "{} {name}: nothing was tried", route.path);
        }
    }
}

#[test]
fn names_in_paths_are_what_their_schemas_say() {
    let (label, id) = (compile(&text::label()), compile(&text::id()));
    for text in texts() {
        assert_eq!(NodeName::new(&text).is_ok(), label.is_valid(&json!(text)), "{text:?}");
        assert_eq!(InstanceId::new(&text).is_ok(), id.is_valid(&json!(text)), "{text:?}");
    }
}

#[test]
fn preconditions_are_what_their_schema_says() {
    let schema = compile(&text::entity_tags());
    for text in [
        "*",
        "\"a\"",
        "W/\"a\"",
        "\"a\", \"b\"",
        "\"a\",W/\"b\"",
        ", \"a\" ,, \"b\",",
        "\"\"",
        "\"a b,c\"",
        "",
        "a",
        "\"a",
        "*, \"a\"",
        "\"a\" \"b\"",
        "w/\"a\"",
        ",",
        "\"ü\"",
        "**",
    ] {
        let headers = HeaderMap::from_iter([(header::IF_MATCH, HeaderValue::from_bytes(text.as_bytes()).unwrap())]);
        assert_eq!(Tags::of(&headers, &header::IF_MATCH).is_ok(), schema.is_valid(&json!(text)), "{text:?}");
    }
}

#[tokio::test]
async fn what_is_answered_of_a_definition_is_what_is_taken_for_one() {
    let api = Api::new();
    let definition = json!({"service": "web", "addresses": ["10.0.0.5", "fd00::5"], "port": 53, "protocol": "udp", "tags": ["V1", "a/b"],
        "meta": {"git": "a1b2c3"}, "weight": 65535, "deregister_after": "1h 30m", "checks": [
            {"id": "a", "http": "https://[::1]:80/?a[]=1", "headers": {"x-a": "b"}, "statuses": [204, "300-399"], "ca_file": "/ca", "timeout": "1s 500ms"},
            {"id": "b", "tcp": "localhost:1"}, {"id": "c", "ttl": "24h"}]});
    assert!(validator("/components/schemas/NewDefinition").is_valid(&definition));
    let answer = api.put("/v1/agent/instances/web-1", &definition).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    assert!(validator("/components/schemas/NewDefinition").is_valid(&answer.json()), "{}", answer.text);
}

#[tokio::test]
async fn events_are_of_the_shapes_in_the_document() {
    let api = Api::new();
    api.publish([registered(2, instance("web-1", "web", &["v1"], &[("git", "a")]), Status::Passing)]);
    let path = "/paths/~1v1~1events/get/responses/200/content/text~1event-stream/x-events";
    for query in ["", "?kind=node", "?kind=ready", "?service=web"] {
        let response = api.begin("GET", &format!("/v1/events{query}"), &[], Body::empty()).await;
        let mut body = response.into_body();
        let frame = http_body_util::BodyExt::frame(&mut body).await.unwrap().unwrap().into_data().unwrap();
        let text = String::from_utf8(frame.to_vec()).unwrap();
        let data: String = text.lines().filter_map(|line| line.strip_prefix("data: ")).collect();
        let value: Value = serde_json::from_str(&data).unwrap();
        let wrong: Vec<_> = validator(&format!("{path}/reset")).iter_errors(&value).map(|error| error.to_string()).collect();
        assert!(wrong.is_empty(), "{wrong:?}");
    }
}

#[tokio::test]
#[should_panic(expected = "the status is not in the document")]
async fn an_answer_that_is_not_in_the_document_is_found() {
    let mut answer = Api::new().get("/v1/agent").await;
    answer.status = 418;
    holds("GET", "/v1/agent", &answer);
}

/// A schema and its reader.
struct Agreement<R> {
    schema: std::sync::Arc<jsonschema::Validator>,
    read: R,
}

impl<R: Fn(&Value) -> bool> Agreement<R> {
    fn of(schema: &str, read: R) -> Self {
        Agreement { schema: validator(&format!("/components/schemas/{schema}")), read }
    }

    fn on_field(&self, base: &Value, field: &str) {
        self.within(base, field, &Value::clone);
    }

    /// Tries all values for a field of an object that stands somewhere in a body. Both must take some of them, and not all.
    fn within(&self, base: &Value, field: &str, place: &dyn Fn(&Value) -> Value) {
        let (mut taken, mut refused) = (0, 0);
        for value in values() {
            let mut object = base.clone();
            object[field] = value.clone();
            let body = place(&object);
            let accepts = (self.read)(&body);
            assert_eq!(accepts, self.schema.is_valid(&body), "{field}: {value} in {base}; the reader takes it: {accepts}");
            *(if accepts { &mut taken } else { &mut refused }) += 1;
        }
        assert!(refused > 0, "{field} takes everything");
        // A field of another kind of check is never taken.
        assert!(taken > 0 || base.get("id").is_some(), "{field} takes nothing");
    }

    fn on_required(&self, body: &Value, required: &[&str]) {
        for field in body.as_object().unwrap().keys() {
            let mut without = body.clone();
            without.as_object_mut().unwrap().remove(field);
            let needed = required.contains(&field.as_str());
            assert_eq!(((self.read)(&without), self.schema.is_valid(&without)), (!needed, !needed), "{field}");
        }
        let unknown = json!({"colour": "red"});
        let mut with: Map<String, Value> = body.as_object().unwrap().clone();
        with.extend(unknown.as_object().unwrap().clone());
        assert!(!(self.read)(&with.clone().into()) && !self.schema.is_valid(&with.into()));
    }
}

/// What no schema says: the reader refuses it all the same.
#[test]
fn what_no_schema_can_say_is_refused_by_the_reader() {
    let refused = |fields: Value| {
        let mut body = json!({"service": "web", "port": 80});
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        assert!(definition::read(InstanceId::new("web-1").unwrap(), &body).is_err(), "{body}");
        assert!(validator("/components/schemas/NewDefinition").is_valid(&body), "{body}: a schema can say it");
    };
    refused(json!({"id": "web-2"}));
    refused(json!({"tags": ["v1", "V1"]}));
    refused(json!({"meta": {"a": "ü".repeat(limits::META_VALUE_OCTETS)}}));
    refused(json!({"addresses": ["::1", "0:0::1"]}));
    for ttl in ["99ms", "0s", "24h 1ms"] {
        refused(json!({"checks": [{"id": "a", "ttl": ttl}]}));
    }
    refused(json!({"checks": [{"id": "a", "ttl": "1s"}, {"id": "a", "ttl": "1s"}]}));
    refused(json!({"checks": [{"id": "a", "http": "http://h", "statuses": ["300-200"]}]}));
}
