//! The document, put together from the table of routes.

use std::collections::BTreeMap;

use axum::http::{Method, StatusCode};
use schemars::{SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use super::{
    DEFINITION, HEARTBEAT, KEY, REASON,
    operation::{Answer, Content, Operation, Tag},
    query::Parameter,
    text,
};
use crate::fields::schema::whole;
use crate::http::{
    Needs, Route,
    prefer::LONGEST_WAIT,
    problem::{Members, ProblemType},
    routes::ROUTES,
};

/// What can go wrong everywhere.
const EVERYWHERE: &[ProblemType] =
    &[ProblemType::InvalidQuery, ProblemType::MissingHost, ProblemType::Misdirected, ProblemType::InvalidToken];
/// Where not everybody may do what is asked for.
const OF_ACCESS: &[ProblemType] = &[ProblemType::TokenNeeded, ProblemType::ScopeMissing];
/// OpenAPI 3.1 has no word for what a stream is made of.
const EVENTS: &str = "Server-sent events. `x-events` has the schema of the data of each, by its name";
/// With a body.
const OF_BODIES: &[ProblemType] = &[
    ProblemType::UnsupportedMediaType,
    ProblemType::MalformedBody,
    ProblemType::IncompleteBody,
    ProblemType::SlowBody,
    ProblemType::BodyTooLarge,
    ProblemType::InvalidDefinition,
];
/// Where something is written.
const OF_WRITES: &[ProblemType] = &[ProblemType::Leaving, ProblemType::StorageFailed];

/// The whole document.
pub fn build() -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut generator = settings.into_generator();
    let mut paths: Map<String, Value> = Map::new();
    for route in ROUTES {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.method.as_str().to_ascii_lowercase()] = operation(route, &mut generator);
    }
    let mut schemas = generator.take_definitions(true);
    schemas.extend([DEFINITION, HEARTBEAT, KEY, REASON].map(|body| (body.name.to_owned(), (body.schema)())));
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Tidings",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": env!("CARGO_PKG_DESCRIPTION"),
            "description": "The API of one agent. What it owns is written under /v1/agent; all else is what the cluster knows. \
                Every GET answers HEAD. A method that is not listed is answered with 405, another path with 404.",
            "license": {"name": "MIT OR Apache-2.0", "identifier": env!("CARGO_PKG_LICENSE")},
        },
        "servers": [{"url": "/", "description": "The agent that this document comes from"}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "What it allows stands in the agent's file of tokens"}},
        },
    })
}

fn operation(route: &Route, generator: &mut SchemaGenerator) -> Value {
    let operation = &route.operation;
    let mut parameters: Vec<Value> = path_parameters(route.path).collect();
    parameters.extend(route.parameters.iter().map(query_parameter));
    parameters.extend(header_parameters(route));
    let mut responses = successes(route, generator);
    responses.extend(problems(route, generator));
    let mut described = json!({
        "operationId": operation.id, "summary": operation.summary, "parameters": parameters, "responses": responses,
    });
    // Whether a token is needed depends on who asks from where.
    described["security"] = if route.needs == Needs::Nothing { json!([]) } else { json!([{}, {"token": []}]) };
    if let Some(body) = operation.body {
        let schema = json!({"$ref": format!("#/components/schemas/{}", body.name)});
        described["requestBody"] = json!({"required": true, "content": {"application/json": {"schema": schema}}});
    }
    described
}

fn path_parameters(path: &'static str) -> impl Iterator<Item = Value> {
    let names = path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'));
    names.map(|name| {
        let schema = match name {
            "id" | "check" => text::id(),
            "key" => whole(1, u8::MAX.into()),
            _ => text::label(),
        };
        json!({"name": name, "in": "path", "required": true, "schema": schema})
    })
}

fn query_parameter(parameter: &Parameter) -> Value {
    let mut schema = (parameter.schema)();
    if parameter.many {
        schema = json!({"type": "array", "items": schema});
    }
    json!({"name": parameter.name, "in": "query", "description": parameter.meaning, "schema": schema})
}

fn header_parameters(route: &Route) -> Vec<Value> {
    let header = |name: &str, description: String, schema: Value| json!({"name": name, "in": "header", "description": description, "schema": schema});
    let any_text = || json!({"type": "string"});
    let mut headers = Vec::new();
    if route.operation.guarded {
        headers.push(header("If-Match", "Writes only over one of these".to_owned(), text::entity_tags()));
        headers.push(header("If-None-Match", "Writes only over none of these; `*` where there is nothing".to_owned(), text::entity_tags()));
    }
    if route.method == Method::GET && tag_of(route) != Tag::Never {
        headers.push(header("If-None-Match", "What the client has: it is not sent again".to_owned(), text::entity_tags()));
    }
    if route.operation.waits {
        let most = LONGEST_WAIT.as_secs();
        let meaning = format!("`wait=30`, together with If-None-Match: waits so many seconds for a change, {most} at most");
        headers.push(header("Prefer", meaning, any_text()));
    }
    if is_stream(route) {
        let meaning = "The id of the last event that the client took: goes on after it, where that is possible";
        headers.push(header("Last-Event-ID", meaning.to_owned(), any_text()));
    }
    headers
}

fn successes(route: &Route, generator: &mut SchemaGenerator) -> BTreeMap<String, Value> {
    let operation: &Operation = &route.operation;
    let mut responses: BTreeMap<String, Value> = BTreeMap::new();
    for answer in operation.answers.iter().flatten() {
        let mut response = json!({"description": answer.meaning, "headers": headers(operation, answer)});
        match answer.content {
            Content::Nothing => {}
            Content::Json(schema) => response["content"] = json!({"application/json": {"schema": schema(generator)}}),
            Content::Text(kind) => response["content"] = json!({kind: {"schema": {"type": "string"}}}),
            Content::Events(events) => {
                let data: Map<String, Value> =
                    events.iter().map(|(name, schema)| ((*name).to_owned(), schema(generator).to_value())).collect();
                response["content"] = json!({"text/event-stream": {"schema": {"description": EVENTS}, "x-events": data}});
            }
        }
        responses.insert(answer.status.as_str().to_owned(), response);
    }
    if route.method == Method::GET && tag_of(route) != Tag::Never {
        let tagged = Answer { tag: Tag::Always, ..Answer::new(StatusCode::NOT_MODIFIED, "It shows what the client has", Content::Nothing) };
        let headers = headers(operation, &tagged);
        responses.insert("304".to_owned(), json!({"description": tagged.meaning, "headers": headers}));
    }
    responses
}

fn headers(operation: &Operation, answer: &Answer) -> Value {
    let mut headers = common_headers();
    if answer.tag != Tag::Never {
        let schema = json!({"type": "string", "pattern": "^\"[0-9a-f]{32}\"$"});
        headers["ETag"] = json!({"description": "A hash of what is shown", "required": answer.tag == Tag::Always, "schema": schema});
    }
    if answer.location {
        headers["Location"] = json!({"description": "Where it is", "required": true, "schema": {"type": "string"}});
    }
    if operation.waits {
        let schema = json!({"type": "string", "pattern": "^wait=[0-9]+$"});
        headers["Preference-Applied"] = json!({"description": "It was ready to wait so long", "schema": schema});
    }
    headers
}

/// Those of every answer.
fn common_headers() -> Value {
    json!({
        "Cache-Control": {"required": true, "schema": {"type": "string", "enum": ["no-cache", "no-store"]}},
        "Vary": {"required": true, "schema": {"type": "string", "enum": ["Prefer"]}},
    })
}

/// What can go wrong, by status.
fn problems(route: &Route, generator: &mut SchemaGenerator) -> BTreeMap<String, Value> {
    let mut by_status: BTreeMap<String, Vec<ProblemType>> = BTreeMap::new();
    for problem in problem_types(route) {
        by_status.entry(problem.status().as_str().to_owned()).or_default().push(problem);
    }
    let problem = generator.subschema_for::<Members>();
    by_status.into_iter().map(|(status, types)| (status, response(&types, problem.as_value()))).collect()
}

fn response(types: &[ProblemType], problem: &Value) -> Value {
    let uris: Vec<&str> = types.iter().map(|problem| problem.uri()).collect();
    let meanings: Vec<String> = types.iter().map(|problem| format!("`{}`: {}", problem.uri(), problem.meaning())).collect();
    let status = types[0].status().as_u16();
    let mut headers = common_headers();
    if types.iter().any(|problem| problem.retry_after().is_some()) {
        let always = types.iter().all(|problem| problem.retry_after().is_some());
        headers["Retry-After"] = json!({"description": "Seconds", "required": always, "schema": {"type": "string", "pattern": "^[0-9]+$"}});
    }
    if types.iter().any(|problem| problem.challenge().is_some()) {
        let challenges: Vec<&str> = types.iter().filter_map(|problem| problem.challenge()).collect();
        let always = types.iter().all(|problem| problem.challenge().is_some());
        headers["WWW-Authenticate"] =
            json!({"description": "RFC 6750", "required": always, "schema": {"type": "string", "enum": challenges}});
    }
    let these = json!({"properties": {"type": {"enum": uris}, "status": {"const": status}}});
    json!({
        "description": meanings.join("\n\n"),
        "headers": headers,
        "content": {"application/problem+json": {"schema": {"allOf": [problem, these]}}},
    })
}

fn problem_types(route: &Route) -> Vec<ProblemType> {
    let operation = &route.operation;
    let reads = route.method == Method::GET;
    let when = |there: bool, types: &'static [ProblemType]| types.iter().copied().filter(move |_| there);
    let mut types: Vec<ProblemType> = EVERYWHERE.to_vec();
    types.extend(when(route.path.contains('{'), &[ProblemType::InvalidName]));
    types.extend(when(reads || operation.guarded, &[ProblemType::InvalidPrecondition]));
    types.extend(when(operation.guarded, &[ProblemType::PreconditionFailed]));
    types.extend(when(operation.body.is_some(), OF_BODIES));
    types.extend(when(route.needs != Needs::Nothing, OF_ACCESS));
    types.extend(when(!reads, OF_WRITES));
    types.extend(operation.problems);
    types
}

fn tag_of(route: &Route) -> Tag {
    route.operation.answers.iter().flatten().next().map_or(Tag::Never, |answer| answer.tag)
}

fn is_stream(route: &Route) -> bool {
    route.operation.answers.iter().flatten().any(|answer| matches!(answer.content, Content::Events(_)))
}
