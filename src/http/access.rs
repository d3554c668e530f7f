//! Who may do what: each route says what it needs, and nothing gets to it that does not have it.

use std::time::SystemTime;

use axum::{
    extract::{FromRequestParts as _, RawPathParams, Request, State},
    http::{HeaderMap, header},
    middleware::Next,
    response::Response,
};

use super::{
    ApiState,
    problem::{Problem, ProblemType},
};
use crate::{
    access::{Caller, Denied, Origin},
    model::{InstanceId, ServiceName},
};

/// What a route needs of who asks it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Nothing: load balancers and people who look around ask it.
    Nothing,
    /// That one may read.
    Read,
    /// That one may register the instance's service, or any where the path names none.
    Register,
    /// That one may do everything.
    Operate,
}

/// Lets through what may do what the route needs, and tells the handler who it is.
pub(super) async fn refuse_strangers(
    State((state, needs)): State<(ApiState, Needs)>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let (mut parts, body) = request.into_parts();
    // A router that no connection is before, as in tests, is asked by this host.
    let origin = parts.extensions.get().copied().unwrap_or(Origin::Local);
    let caller = caller(&state, origin, &parts.headers)?;
    let allowed = match needs {
        Needs::Nothing => true,
        Needs::Read => caller.may_read(),
        Needs::Operate => caller.may_operate(),
        Needs::Register => {
            let params = RawPathParams::from_request_parts(&mut parts, &()).await.ok();
            let id = params.as_ref().and_then(|params| params.iter().find(|(name, _)| *name == "id")).map(|(_, id)| id);
            match id.and_then(|id| service_of(&state, id)) {
                Some(service) => caller.may_register(&service),
                // What is not there yet has no service: its definition decides.
                None => caller.may_register_something(),
            }
        }
    };
    if !allowed {
        return Err(refusal(&caller, needs));
    }
    parts.extensions.insert(caller);
    Ok(next.run(Request::from_parts(parts, body)).await)
}

fn caller(state: &ApiState, origin: Origin, headers: &HeaderMap) -> Result<Caller, Problem> {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let token = match (given.next(), given.next()) {
        (None, _) => None,
        (Some(value), None) => {
            Some(bearer(value.as_bytes()).ok_or_else(|| unknown("the Authorization header is not that of a bearer token"))?)
        }
        _ => return Err(unknown("there are several Authorization headers")),
    };
    state.access.load().caller(origin, token, now()).map_err(|denied| match denied {
        Denied::Unknown => unknown("this agent knows no such token: each agent has those of its own file"),
        Denied::Expired => unknown("the token has expired: get a new one"),
    })
}

#[expect(clippy::disallowed_methods, reason = "tokens end at a time of the wall clock")]
fn now() -> SystemTime {
    SystemTime::now()
}

/// The token in a header (RFC 6750, 2.1). The scheme is compared without regard to case (RFC 9110, 11.1).
fn bearer(value: &[u8]) -> Option<&str> {
    let (scheme, token) = std::str::from_utf8(value).ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

fn unknown(detail: &str) -> Problem {
    Problem::new(ProblemType::InvalidToken, detail.to_owned())
}

fn service_of(state: &ApiState, id: &str) -> Option<ServiceName> {
    let snapshot = state.catalog.load();
    let entry = snapshot.instance(snapshot.local, &InstanceId::new(id).ok()?)?;
    Some(entry.instance.service.clone())
}

/// Refuses to register, or to register over, a service that the caller's token does not name.
pub(super) fn refuse_other_services(caller: &Caller, service: &ServiceName) -> Result<(), Problem> {
    if caller.may_register(service) { Ok(()) } else { Err(refusal(caller, Needs::Register)) }
}

fn refusal(caller: &Caller, needs: Needs) -> Problem {
    let what = match needs {
        Needs::Nothing | Needs::Read => "reading needs the scope read",
        Needs::Register => "this needs the scope register: with the beginning of the service's name, or operate",
        Needs::Operate => "this needs the scope operate",
    };
    match &caller.token {
        Some(name) => Problem::new(ProblemType::ScopeMissing, format!("{what}, which the token {name:?} does not have")),
        None => Problem::new(ProblemType::TokenNeeded, format!("{what}: send a token that has it, as in Authorization: Bearer TOKEN")),
    }
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, http::Request};
    use http_body_util::BodyExt as _;
    use serde_json::{Value, json};
    use tower::ServiceExt as _;

    use super::*;
    use crate::{
        access::{Guarded, Policy, Secret, Token},
        http::{ROUTES, router, testing::Api},
    };

    /// What an agent answers to somebody elsewhere: status, type of the problem, and how to do better.
    async fn ask(api: &Api, method: &str, path: &str, token: Option<&str>, body: Value) -> (u16, String, String) {
        let mut request =
            Request::builder().method(method).uri(path).header("host", "localhost").header("content-type", "application/json");
        if let Some(token) = token {
            request = request.header("authorization", format!("bearer {token}"));
        }
        let mut request = request.body(Body::from(body.to_string())).unwrap();
        request.extensions_mut().insert(Origin::Elsewhere);
        let (parts, body) = router(api.state.clone()).oneshot(request).await.unwrap().into_parts();
        let challenge = parts.headers.get("www-authenticate").map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
        if path == "/v1/events" && parts.status.is_success() {
            return (parts.status.as_u16(), String::new(), challenge);
        }
        let body = body.collect().await.unwrap().to_bytes();
        let problem: Value = serde_json::from_slice(&body).unwrap_or_default();
        let kind =
            if parts.status.is_success() { "" } else { problem["type"].as_str().unwrap_or_default().trim_start_matches("/problems/") };
        (parts.status.as_u16(), kind.to_owned(), challenge)
    }

    fn api(reads: Guarded) -> Api {
        let token = |name: &str, scopes: &[&str]| Token {
            name: name.into(),
            hash: Secret::hash_of(name),
            scopes: scopes.iter().map(|scope| scope.parse().unwrap()).collect(),
            expires: None,
        };
        let tokens = vec![token("reader", &["read"]), token("web", &["register:web"]), token("root", &["operate"])];
        let api = Api::new();
        api.state.access.store(Policy { local: Guarded::Open, reads, tokens }.into());
        api
    }

    #[tokio::test]
    async fn no_route_but_those_that_need_nothing_lets_a_stranger_in() {
        let api = api(Guarded::Token);
        for route in ROUTES {
            let path = route
                .path
                .replace("{id}", "a")
                .replace("{check}", "b")
                .replace("{node}", "c")
                .replace("{service}", "d")
                .replace("{key}", "5");
            let (status, kind, challenge) = ask(&api, route.method.as_str(), &path, None, json!({})).await;
            if route.needs == Needs::Nothing {
                assert!(status < 400, "{} {path}: {status}", route.method);
                continue;
            }
            assert_eq!(
                (status, kind.as_str(), challenge.as_str()),
                (401, "token-needed", r#"Bearer realm="tidings""#),
                "{} {path}",
                route.method
            );
            let (status, kind, challenge) = ask(&api, route.method.as_str(), &path, Some("nobody"), json!({})).await;
            let expected = (401, "invalid-token", r#"Bearer realm="tidings", error="invalid_token""#);
            assert_eq!((status, kind.as_str(), challenge.as_str()), expected, "{} {path}", route.method);
            let (_, kind, challenge) = ask(&api, route.method.as_str(), &path, Some("reader"), json!({})).await;
            let refused = kind == "scope-missing";
            assert_eq!(refused, route.needs != Needs::Read, "{} {path}: {kind}", route.method);
            assert_eq!(challenge == r#"Bearer realm="tidings", error="insufficient_scope""#, refused);
            let (_, kind, _) = ask(&api, route.method.as_str(), &path, Some("root"), json!({})).await;
            assert!(!["scope-missing", "invalid-token", "token-needed"].contains(&kind.as_str()), "{} {path}: {kind}", route.method);
        }
    }

    #[tokio::test]
    async fn where_reads_are_open_writes_and_definitions_are_not() {
        let api = api(Guarded::Open);
        assert_eq!(ask(&api, "GET", "/v1/instances", None, json!({})).await.0, 200);
        for (method, path) in [("GET", "/v1/agent/instances"), ("DELETE", "/v1/agent/instances/a"), ("POST", "/v1/agent/leave")] {
            assert_eq!(ask(&api, method, path, None, json!({})).await.1, "token-needed", "{method} {path}");
        }
    }

    #[tokio::test]
    async fn a_token_for_some_services_registers_those_and_no_others() {
        let api = api(Guarded::Open);
        let put = async |id: &str, service: &str, token: &str| {
            ask(&api, "PUT", &format!("/v1/agent/instances/{id}"), Some(token), json!({"service": service, "port": 1})).await.1
        };
        assert_eq!(put("a", "WebShop", "web").await, "");
        assert_eq!(put("b", "db", "web").await, "scope-missing");
        assert_eq!(put("b", "db", "root").await, "");
        assert_eq!(put("b", "web", "web").await, "scope-missing", "what is there is another service's");
        assert_eq!(put("a", "db", "web").await, "scope-missing", "what it would become is");
        let of = async |method: &str, path: &str| ask(&api, method, path, Some("web"), json!({"reason": "x"})).await.1;
        assert_eq!(of("PUT", "/v1/agent/instances/b/maintenance").await, "scope-missing");
        assert_eq!(of("PUT", "/v1/agent/maintenance").await, "scope-missing");
        assert_eq!(of("DELETE", "/v1/agent/instances/b").await, "scope-missing");
        assert_eq!(of("PUT", "/v1/agent/instances/a/maintenance").await, "");
        assert_eq!(of("DELETE", "/v1/agent/instances/a").await, "");
    }
}
