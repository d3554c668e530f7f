//! `/v1/agent/instances`: the definitions that this agent owns, and the only place to write them.

use axum::{
    Extension, Json,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{
    ApiState,
    access::refuse_other_services,
    body,
    collection::Collection,
    conditional::Shown,
    guard::Guard,
    openapi::{Answer, Content, DEFINITION, Operation},
    path::Named,
    problem::{Problem, ProblemType},
    representation::DefinitionView,
};
use crate::{
    access::Caller,
    catalog::{Entry, Interest, Snapshot},
    definition,
    model::{Command, Done, InstanceId, Refusal, command::Cause},
};

pub(super) const LIST: Operation =
    Operation::read("listOwnInstances", "The definitions that this agent owns", Content::json::<Collection<DefinitionView<'_>>>());

/// `GET /v1/agent/instances`
pub(super) async fn list(State(state): State<ApiState>) -> Shown {
    let snapshot = state.catalog.load();
    let items = snapshot.instances_of(snapshot.local).map(|entry| view_of(&snapshot, entry)).collect();
    Shown::new(&Collection::whole(items), Interest::Own)
}

pub(super) const SHOW: Operation =
    Operation::read("getOwnInstance", "One definition; it can be PUT back", Content::json::<DefinitionView<'_>>())
        .fails(&[ProblemType::NoSuchInstance]);

/// `GET /v1/agent/instances/{id}`
pub(super) async fn show(State(state): State<ApiState>, Named(id): Named<InstanceId>) -> Result<Shown, Problem> {
    let absent = || Problem::new(ProblemType::NoSuchInstance, format!("no instance {id} is registered with this agent"));
    definition_of(&state.catalog.load(), &id).ok_or_else(absent)
}

fn definition_of(snapshot: &Snapshot, id: &InstanceId) -> Option<Shown> {
    let entry = snapshot.instance(snapshot.local, id)?;
    Some(Shown::new(&view_of(snapshot, entry), Interest::Own))
}

fn view_of<'a>(snapshot: &'a Snapshot, entry: &'a Entry) -> DefinitionView<'a> {
    match snapshot.registered(&entry.instance.id) {
        Some(registration) => DefinitionView::from(&**registration),
        None => DefinitionView::from(&*entry.instance),
    }
}

pub(super) const PUT: Operation = Operation::write(
    "putInstance",
    "Registers an instance, or replaces it",
    Answer::new(StatusCode::OK, "It was replaced, or was so already", Content::json::<DefinitionView<'_>>()),
)
.or(Answer::new(StatusCode::CREATED, "It is new", Content::json::<DefinitionView<'_>>()).located())
.takes(DEFINITION)
.guarded()
.fails(&[ProblemType::DefinedByFile, ProblemType::DefinitionTooLarge, ProblemType::NodeFull]);

/// `PUT /v1/agent/instances/{id}`: answered when it is durable. The answer has no ETag: what is stored is not to the octet
/// what was sent (RFC 9110, 9.3.4).
pub(super) async fn put(
    State(state): State<ApiState>,
    Named(id): Named<InstanceId>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let guard = Guard::of(&headers)?;
    let value = body::json(&headers, body, body::BODY_TIME).await?;
    // An id needs no percent-encoding: all of its characters may stand in a path (RFC 3986, 3.3).
    let location = format!("/v1/agent/instances/{id}");
    let registration = definition::read(id.clone(), &value).map_err(Problem::invalid_definition)?;
    refuse_other_services(&caller, &registration.instance.service)?;
    let done = write(state, id, guard, Command::Register(registration.clone())).await?;
    let definition = Json(DefinitionView::from(&registration));
    Ok(match done {
        Done::Created => (StatusCode::CREATED, [(header::LOCATION, location)], definition).into_response(),
        _ => definition.into_response(),
    })
}

pub(super) const DELETE: Operation = Operation::write("deleteInstance", "Removes an instance", Answer::done("It is gone"))
    .guarded()
    .fails(&[ProblemType::NoSuchInstance, ProblemType::DefinedByFile]);

/// `DELETE /v1/agent/instances/{id}`: answered when it is durable.
pub(super) async fn delete(State(state): State<ApiState>, Named(id): Named<InstanceId>, headers: HeaderMap) -> Result<StatusCode, Problem> {
    let guard = Guard::of(&headers)?;
    write(state, id.clone(), guard, Command::Deregister { instance: id, cause: Cause::Asked }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Writes if the guard allows it. Between the look at what is there and the end of the write nobody else writes this
/// instance through this API, and a write is answered after it can be read: so what was looked at is what is replaced. Were it
/// defined by a file meanwhile, the core would refuse the write.
async fn write(state: ApiState, id: InstanceId, guard: Guard, command: Command) -> Result<Done, Problem> {
    // A task of its own, so that a client that goes away does not let the next one in before the write is done.
    let writing = tokio::spawn(async move {
        let _writing = state.shared.writes.begin(&id, &guard).await;
        let snapshot = state.catalog.load();
        if let Some(file) = snapshot.registered(&id).and_then(|registration| registration.file.clone()) {
            return Err(Refusal::DefinedByFile { instance: id, file }.into());
        }
        guard.check(definition_of(&snapshot, &id).as_ref().map(Shown::tag))?;
        Ok(state.registrar.submit(command).await?)
    });
    writing.await.unwrap_or_else(|_| Err(Refusal::Stopping.into()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;
    use tokio::task::JoinSet;

    use super::*;
    use crate::{
        http::{BODY_OCTETS, testing::Api},
        model::{Refusal, Reply, instance::Flaw},
    };

    const WEB: &str = "/v1/agent/instances/web-1";

    #[tokio::test]
    async fn a_registration_is_created_then_replaced_then_unchanged() {
        let api = Api::new();
        let created = api.put(WEB, json!({"service": "Web", "port": 8080})).await;
        assert_eq!((created.status, created.header("location")), (201, Some(WEB)), "{}", created.text);
        let full = json!({"id": "web-1", "service": "web", "addresses": [], "port": 8080, "protocol": "tcp", "tags": [], "meta": {}, "weight": 10, "checks": []});
        assert_eq!(created.json(), full);
        let replaced = api.put(WEB, json!({"service": "web", "port": 8081})).await;
        assert_eq!((replaced.status, replaced.header("location")), (200, None));
        assert_eq!(api.put(WEB, json!({"service": "web", "port": 8081})).await.status, 200);
        assert_eq!(api.json(WEB).await["port"], 8081);
    }

    #[tokio::test]
    async fn what_get_gives_can_be_put_back() {
        let api = Api::new();
        let definition = json!({"service": "web", "addresses": ["10.0.0.5", "fd00::5"], "port": 53, "protocol": "udp",
            "tags": ["V1", "a/b"], "meta": {"git": "a1b2c3", "a~/b": "ü"}, "weight": 65535});
        assert_eq!(api.put(WEB, &definition).await.status, 201);
        let before = api.state.catalog.load().revision;
        let shown = api.get(WEB).await;
        assert_eq!(api.put(WEB, &shown.text).await.text, shown.text);
        assert_eq!(api.state.catalog.load().revision, before, "an equal definition is no write");
        let mut expected = definition;
        expected["id"] = "web-1".into();
        expected["checks"] = json!([]);
        assert_eq!(shown.json(), expected);
    }

    #[tokio::test]
    async fn a_deregistered_instance_is_gone() {
        let api = Api::new();
        api.put(WEB, json!({"service": "web", "port": 1})).await;
        assert_eq!(api.items("/v1/agent/instances", "id").await, ["web-1"]);
        let deleted = api.send("DELETE", WEB, None, Body::empty()).await;
        assert_eq!((deleted.status, deleted.text.as_str()), (204, ""));
        for method in ["GET", "DELETE"] {
            let answer = api.send(method, WEB, None, Body::empty()).await;
            assert_eq!((answer.status, answer.problem().as_str()), (404, "no-such-instance"), "{method}");
        }
    }

    #[tokio::test]
    async fn a_guard_decides_by_what_is_there() {
        let api = Api::new();
        let definition = |port: u16| json!({"service": "web", "port": port}).to_string();
        let put = async |header: &str, tags: &str, port: u16| {
            let answer = api.ask("PUT", WEB, &[("content-type", "application/json"), (header, tags)], definition(port)).await;
            if answer.status == 412 {
                assert_eq!(answer.problem(), "precondition-failed");
            }
            answer.status
        };
        let tag = async || api.get(WEB).await.header("etag").unwrap().to_owned();
        assert_eq!(put("if-match", "*", 1).await, 412, "nothing is there");
        assert_eq!(put("if-match", "\"a\"", 1).await, 412);
        assert_eq!(put("if-none-match", "*", 1).await, 201);
        let first = tag().await;
        assert_eq!(put("if-none-match", "*", 2).await, 412, "something is there");
        assert_eq!(put("if-none-match", &first, 2).await, 412);
        assert_eq!(put("if-match", &first, 2).await, 200);
        assert_eq!(put("if-match", &first, 3).await, 412, "it is another one now");
        assert_eq!(put("if-match", &format!("W/{}", tag().await), 3).await, 412, "a weak tag guards no write");
        assert_eq!(put("if-match", &format!("{first}, {}", tag().await), 3).await, 200);
        assert_eq!(put("if-match", "*", 4).await, 200);
        assert_eq!(put("if-match", "a", 5).await, 400);
        assert_eq!(api.json(WEB).await["port"], 4);

        let delete = async |tags: &str| api.ask("DELETE", WEB, &[("if-match", tags)], Body::empty()).await.status;
        assert_eq!(delete(&first).await, 412);
        assert_eq!(delete(&tag().await).await, 204);
        assert_eq!(delete("*").await, 412);
    }

    #[tokio::test]
    async fn of_many_that_write_at_once_with_one_guard_one_succeeds() {
        let api = Arc::new(Api::new());
        for round in 0..5 {
            let guard = match round {
                0 => ("if-none-match", "*".to_owned()),
                _ => ("if-match", api.get(WEB).await.header("etag").unwrap().to_owned()),
            };
            let mut writers = JoinSet::new();
            for n in 1..=20 {
                let (api, guard) = (Arc::clone(&api), guard.clone());
                writers.spawn(async move {
                    let definition = json!({"service": "web", "port": round * 100 + n}).to_string();
                    api.ask("PUT", WEB, &[("content-type", "application/json"), (guard.0, &guard.1)], definition).await.status
                });
            }
            let answers = writers.join_all().await;
            assert_eq!(answers.iter().filter(|status| **status < 300).count(), 1, "{answers:?}");
            assert_eq!(answers.iter().filter(|status| **status == 412).count(), 19, "{answers:?}");
        }
    }

    #[tokio::test]
    async fn a_writer_that_goes_away_lets_nobody_in_before_its_write_is_done() {
        let api = Api::new();
        let put = |guard: (&'static str, &'static str), port: u16| {
            let definition = json!({"service": "web", "port": port}).to_string();
            let api = &api;
            Box::pin(async move { api.ask("PUT", WEB, &[("content-type", "application/json"), guard], definition).await.status })
        };
        let mut gone = put(("if-none-match", "*"), 1);
        // Its write has begun when it is asked for the first time, and is not answered yet.
        let first = std::future::poll_fn(|context| std::task::Poll::Ready(gone.as_mut().poll(context).is_ready())).await;
        assert!(!first);
        drop(gone);
        assert_eq!(put(("if-none-match", "*"), 2).await, 412);
        assert_eq!(api.json(WEB).await["port"], 1);
    }

    #[tokio::test]
    async fn what_others_own_is_not_listed_here() {
        use crate::http::testing::{instance, registered};
        let api = Api::new();
        api.publish([registered(2, instance("web-1", "web", &[], &[]), crate::model::Status::Passing)]);
        assert!(api.items("/v1/agent/instances", "id").await.is_empty());
        assert_eq!(api.get(WEB).await.status, 404);
    }

    #[tokio::test]
    async fn an_id_is_percent_decoded_and_held_against_its_rule() {
        let api = Api::new();
        assert_eq!(api.put("/v1/agent/instances/%77eb-1", json!({"service": "web", "port": 1})).await.status, 201);
        assert_eq!(api.items("/v1/agent/instances", "id").await, ["web-1"]);
        for bad in ["we%2Fb", "we%20b", "..%2Fx", "%FF", "-a", &"a".repeat(64)] {
            let answer = api.put(&format!("/v1/agent/instances/{bad}"), json!({"service": "web", "port": 1})).await;
            assert_eq!((answer.status, answer.problem().as_str()), (400, "invalid-name"), "{bad}");
        }
    }

    #[tokio::test]
    async fn a_body_that_is_no_definition_is_told_why() {
        let api = Api::new();
        let check = async |content_type: Option<&str>, body: Vec<u8>, status: u16, kind: &str, says: &str| {
            let answer = api.send("PUT", WEB, content_type, body).await;
            assert_eq!((answer.status, answer.problem().as_str()), (status, kind), "{}", answer.text);
            assert!(answer.text.contains(says), "{says}: {}", answer.text);
        };
        let json = Some("application/json");
        let fine = br#"{"service": "web", "port": 80}"#;
        check(None, fine.to_vec(), 415, "unsupported-media-type", "application/json").await;
        check(Some("text/plain"), fine.to_vec(), 415, "unsupported-media-type", "text/plain").await;
        check(Some("application/jsonp"), fine.to_vec(), 415, "unsupported-media-type", "application/jsonp").await;
        check(json, b"".to_vec(), 400, "malformed-body", "empty").await;
        check(json, b"{\"service\":\n oops}".to_vec(), 400, "malformed-body", "line 2 column 2").await;
        check(json, b"{\"service\": \"w\xffb\"}".to_vec(), 400, "malformed-body", "octet 15").await;
        check(json, vec![b' '; BODY_OCTETS + 1], 413, "body-too-large", "65536").await;
        check(json, b"[]".to_vec(), 422, "invalid-definition", "a list").await;
        assert_eq!(api.send("PUT", WEB, Some("Application/JSON; charset=utf-8"), fine.to_vec()).await.status, 201);
    }

    #[tokio::test]
    async fn every_flaw_is_listed_with_its_pointer() {
        let answer = Api::new().put(WEB, json!({"servce": "web", "port": 0, "tags": ["ok", "two words"]})).await;
        assert_eq!((answer.status, answer.problem().as_str()), (422, "invalid-definition"));
        let errors = answer.errors();
        assert_eq!(errors.keys().collect::<Vec<_>>(), ["/port", "/servce", "/service", "/tags/1"]);
        assert!(errors["/servce"].contains(r#"did you mean "service"?"#), "{errors:?}");
    }

    #[tokio::test]
    async fn the_list_of_flaws_is_bounded() {
        let fields: serde_json::Map<_, _> = (0..3_000).map(|n| (format!("field{n}"), json!(0))).collect();
        let answer = Api::new().put(WEB, serde_json::Value::Object(fields)).await;
        assert_eq!(answer.json()["errors"].as_array().unwrap().len(), 100);
        assert!(answer.text.contains("3002 flaws"), "{}", answer.text);
    }

    #[tokio::test]
    async fn each_refusal_of_the_core_has_its_answer() {
        let check = async |refusal: Refusal, status: u16, kind: &str, retry: Option<&str>| {
            let answer = Api::answering(Reply::Err(refusal)).put(WEB, json!({"service": "web", "port": 80})).await;
            assert_eq!((answer.status, answer.problem().as_str(), answer.header("retry-after")), (status, kind, retry));
            answer
        };
        check(Refusal::TooLarge { octets: 9_000, limit: 8_192 }, 422, "definition-too-large", None).await;
        check(Refusal::Full { limit: 1_000 }, 409, "node-full", None).await;
        check(Refusal::Leaving, 503, "leaving", None).await;
        check(Refusal::Stopping, 503, "leaving", None).await;
        check(Refusal::Storage("no space left".into()), 507, "storage-failed", None).await;
        let invalid = check(Refusal::Invalid(vec![Flaw::new("/port", "is taken")]), 422, "invalid-definition", None).await;
        assert_eq!(invalid.errors()["/port"], "is taken");
    }
}
