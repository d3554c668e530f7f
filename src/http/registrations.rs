//! `/v1/agent/instances`: the definitions that this agent owns, and the only place to write them.

use axum::{
    Json,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{
    ApiState, body, collection, definition,
    path::Named,
    problem::{Problem, ProblemType},
    representation::DefinitionView,
};
use crate::{
    catalog::{Entry, Snapshot},
    model::{Command, Done, InstanceId},
};

/// `GET /v1/agent/instances`
pub(super) async fn list(State(state): State<ApiState>) -> Response {
    let snapshot = state.catalog.load();
    let items = snapshot.instances_of(snapshot.local).map(|entry| definition_of(&snapshot, entry)).collect();
    collection::whole(items).into_response()
}

/// `GET /v1/agent/instances/{id}`
pub(super) async fn show(State(state): State<ApiState>, Named(id): Named<InstanceId>) -> Result<Response, Problem> {
    let snapshot = state.catalog.load();
    match snapshot.instance(snapshot.local, &id) {
        Some(entry) => Ok(Json(definition_of(&snapshot, entry)).into_response()),
        None => Err(Problem::new(ProblemType::NoSuchInstance, format!("no instance {id} is registered with this agent"))),
    }
}

fn definition_of<'a>(snapshot: &'a Snapshot, entry: &'a Entry) -> DefinitionView<'a> {
    match snapshot.registered(&entry.instance.id) {
        Some(registration) => DefinitionView::from(&**registration),
        None => DefinitionView::from(&*entry.instance),
    }
}

/// `PUT /v1/agent/instances/{id}`: answered when it is durable.
pub(super) async fn put(
    State(state): State<ApiState>,
    Named(id): Named<InstanceId>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let value = body::json(&headers, body, body::BODY_TIME).await?;
    // An id needs no percent-encoding: all of its characters may stand in a path (RFC 3986, 3.3).
    let location = format!("/v1/agent/instances/{id}");
    let registration = definition::read(id, &value).map_err(Problem::invalid_definition)?;
    let done = state.registrar.submit(Command::Register(registration.clone())).await?;
    let definition = Json(DefinitionView::from(&registration));
    Ok(match done {
        Done::Created => (StatusCode::CREATED, [(header::LOCATION, location)], definition).into_response(),
        Done::Replaced | Done::Unchanged | Done::Removed | Done::Noted | Done::Announced { .. } => definition.into_response(),
    })
}

/// `DELETE /v1/agent/instances/{id}`: answered when it is durable.
pub(super) async fn delete(State(state): State<ApiState>, Named(id): Named<InstanceId>) -> Result<StatusCode, Problem> {
    state.registrar.submit(Command::Deregister(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

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
