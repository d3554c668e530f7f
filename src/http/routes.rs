//! The table of routes. The router is built from it, so nothing can be served that it does not name.

use axum::{
    Router,
    extract::Request,
    http::{HeaderValue, Method, Uri, header},
    middleware::{self, Next},
    response::Response,
    routing::{MethodFilter, MethodRouter, on},
};
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    ApiState,
    access::{Needs, refuse_strangers},
    agent, checks,
    conditional::{Shown, conditional},
    events, health, host, instances, keys, maintenance, metrics, nodes,
    openapi::{self, Content, Operation, Parameter, query, shapes},
    parameters,
    problem::{Problem, ProblemType},
    registrations, services,
};

/// One method on one path.
pub struct Route {
    /// A `GET` answers `HEAD`, too.
    pub method: Method,
    /// With names in braces where a segment varies (RFC 6570, level 1).
    pub path: &'static str,
    /// The query parameters that it takes; any other is refused.
    pub parameters: &'static [Parameter],
    /// What there is to say of it.
    pub operation: Operation,
    /// Who may ask it.
    pub needs: Needs,
    handler: fn(MethodFilter) -> MethodRouter<ApiState>,
}

impl Route {
    const fn new(method: Method, path: &'static str, handler: fn(MethodFilter) -> MethodRouter<ApiState>, operation: Operation) -> Self {
        let needs = match method {
            Method::GET => Needs::Read,
            _ => Needs::Operate,
        };
        Route { method, path, parameters: &[], operation, needs, handler }
    }

    const fn with_parameters(mut self, parameters: &'static [Parameter]) -> Self {
        self.parameters = parameters;
        self
    }

    const fn needing(mut self, needs: Needs) -> Self {
        self.needs = needs;
        self
    }

    /// The names of its parameters.
    pub fn parameter_names(&self) -> Vec<&'static str> {
        self.parameters.iter().map(|parameter| parameter.name).collect()
    }
}

/// Everything that is served.
pub const ROUTES: &[Route] = &[
    Route::new(Method::GET, "/v1", |method| on(method, index), INDEX).needing(Needs::Nothing),
    Route::new(Method::GET, "/v1/openapi.json", |method| on(method, openapi::show), openapi::SHOW).needing(Needs::Nothing),
    Route::new(Method::GET, "/v1/agent", |method| on(method, agent::show), agent::SHOW),
    Route::new(Method::POST, "/v1/agent/leave", |method| on(method, agent::leave), agent::LEAVE),
    Route::new(Method::GET, "/v1/agent/instances", |method| on(method, registrations::list), registrations::LIST).needing(Needs::Register),
    Route::new(Method::GET, "/v1/agent/instances/{id}", |method| on(method, registrations::show), registrations::SHOW)
        .needing(Needs::Register),
    Route::new(Method::PUT, "/v1/agent/instances/{id}", |method| on(method, registrations::put), registrations::PUT)
        .needing(Needs::Register),
    Route::new(Method::DELETE, "/v1/agent/instances/{id}", |method| on(method, registrations::delete), registrations::DELETE)
        .needing(Needs::Register),
    Route::new(Method::GET, "/v1/agent/instances/{id}/status", |method| on(method, checks::show), checks::SHOW),
    Route::new(Method::GET, "/v1/agent/instances/{id}/checks/{check}", |method| on(method, checks::last_run), checks::LAST_RUN),
    Route::new(Method::PUT, "/v1/agent/instances/{id}/checks/{check}/status", |method| on(method, checks::heartbeat), checks::BEAT)
        .needing(Needs::Register),
    Route::new(Method::GET, "/v1/agent/checks/{check}", |method| on(method, checks::last_run_of_node), checks::LAST_RUN_OF_NODE),
    Route::new(Method::PUT, "/v1/agent/checks/{check}/status", |method| on(method, checks::heartbeat_of_node), checks::BEAT_OF_NODE),
    Route::new(Method::PUT, "/v1/agent/instances/{id}/maintenance", |method| on(method, maintenance::begin), maintenance::BEGIN)
        .needing(Needs::Register),
    Route::new(Method::DELETE, "/v1/agent/instances/{id}/maintenance", |method| on(method, maintenance::end), maintenance::END)
        .needing(Needs::Register),
    Route::new(Method::PUT, "/v1/agent/maintenance", |method| on(method, maintenance::begin_node), maintenance::BEGIN_NODE),
    Route::new(Method::DELETE, "/v1/agent/maintenance", |method| on(method, maintenance::end_node), maintenance::END_NODE),
    Route::new(Method::GET, "/v1/agent/keys", |method| on(method, keys::list), keys::LIST),
    Route::new(Method::PUT, "/v1/agent/keys/{key}", |method| on(method, keys::put), keys::PUT),
    Route::new(Method::DELETE, "/v1/agent/keys/{key}", |method| on(method, keys::delete), keys::DELETE),
    Route::new(Method::PUT, "/v1/agent/keys/{key}/primary", |method| on(method, keys::promote), keys::PROMOTE),
    Route::new(Method::GET, "/v1/checks", |method| on(method, checks::list), checks::LIST).with_parameters(&[
        query::CHECK_STATUS,
        query::SERVICE,
        query::NODE,
    ]),
    Route::new(Method::GET, "/v1/nodes", |method| on(method, nodes::list), nodes::LIST).with_parameters(&[
        query::STATE,
        query::ZONE,
        query::LIMIT,
        query::NODE_CURSOR,
    ]),
    Route::new(Method::GET, "/v1/nodes/{node}", |method| on(method, nodes::show), nodes::SHOW),
    Route::new(Method::DELETE, "/v1/nodes/{node}", |method| on(method, nodes::forget), nodes::FORGET),
    Route::new(Method::GET, "/v1/nodes/{node}/instances", |method| on(method, nodes::instances), nodes::INSTANCES),
    Route::new(Method::GET, "/v1/nodes/{node}/instances/{id}", |method| on(method, nodes::instance), nodes::INSTANCE),
    Route::new(Method::GET, "/v1/services", |method| on(method, services::list), services::LIST).with_parameters(&[
        query::PREFIX,
        query::LIMIT,
        query::SERVICE_CURSOR,
    ]),
    Route::new(Method::GET, "/v1/services/{service}", |method| on(method, services::show), services::SHOW),
    Route::new(Method::GET, "/v1/instances", |method| on(method, instances::list), instances::LIST).with_parameters(&[
        query::SERVICE,
        query::TAG,
        query::META,
        query::NODE,
        query::ZONE,
        query::STATUS,
        query::PICK,
        query::LIMIT,
        query::INSTANCE_CURSOR,
    ]),
    Route::new(Method::GET, "/v1/events", |method| on(method, events::follow), events::FOLLOW)
        .with_parameters(&[query::SERVICE, query::KIND]),
    Route::new(Method::GET, "/metrics", |method| on(method, metrics::show), metrics::SHOW),
    Route::new(Method::GET, "/health/live", |method| on(method, health::live), health::LIVE).needing(Needs::Nothing),
    Route::new(Method::GET, "/health/ready", |method| on(method, health::ready), health::READY).needing(Needs::Nothing),
];

/// The API as a service.
pub fn router(state: ApiState) -> Router {
    let mut router = Router::new();
    for route in ROUTES {
        let method = MethodFilter::try_from(route.method.clone()).expect("the table has standard methods only");
        let strict = move |request: Request, next: Next| async move {
            parameters::refuse_unknown(request.uri(), &route.parameter_names())?;
            Ok::<_, Problem>(next.run(request).await)
        };
        let mut handler = (route.handler)(method);
        if route.method == Method::GET {
            handler = handler.route_layer(middleware::from_fn_with_state(state.clone(), conditional));
        }
        let guarded = middleware::from_fn_with_state((state.clone(), route.needs), refuse_strangers);
        router = router.route(route.path, handler.route_layer(middleware::from_fn(strict)).route_layer(guarded));
    }
    router
        .fallback(no_such_route)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(middleware::from_fn_with_state(state.clone(), host::refuse_other_hosts))
        .layer(middleware::map_response(uncached))
        .layer(middleware::from_fn_with_state(state.clone(), metrics::count))
        .with_state(state)
}

const INDEX: Operation = Operation::read("getIndex", "What is here", Content::json::<Index>());

/// `GET /v1`: what is here.
async fn index() -> Shown {
    let mut links: Vec<Link> = Vec::new();
    for route in ROUTES {
        match links.last_mut().filter(|link| link.href == route.path) {
            Some(link) => link.methods.push(route.method.as_str()),
            None => links.push(Link { href: route.path, methods: vec![route.method.as_str()], parameters: route.parameter_names() }),
        }
    }
    Shown::fixed(&Index { links })
}

#[derive(Serialize, JsonSchema)]
struct Index {
    links: Vec<Link>,
}

#[derive(Serialize, JsonSchema)]
struct Link {
    /// A URI template (RFC 6570).
    href: &'static str,
    #[schemars(schema_with = "shapes::methods")]
    methods: Vec<&'static str>,
    /// Of the query of its `GET`.
    parameters: Vec<&'static str>,
}

async fn no_such_route(uri: Uri) -> Problem {
    Problem::new(ProblemType::NoSuchRoute, format!("nothing is at {}; GET /v1 lists what there is", uri.path()))
}

/// axum adds `Allow` from the methods of the path.
async fn method_not_allowed(method: Method, uri: Uri) -> Problem {
    Problem::new(ProblemType::MethodNotAllowed, format!("{method} is not allowed at {}; Allow names the methods that are", uri.path()))
}

/// Whoever keeps an answer must ask again before using it: it may be outdated a moment later.
async fn uncached(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-cache"));
    headers.insert(header::VARY, HeaderValue::from_static("Prefer"));
    response
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;
    use crate::http::testing::Api;

    #[tokio::test]
    async fn the_index_lists_every_route_of_the_table() {
        let index = Api::new().json("/v1").await;
        let links = index["links"].as_array().unwrap();
        for route in ROUTES {
            let link = links.iter().find(|link| link["href"] == route.path).unwrap();
            assert!(link["methods"].as_array().unwrap().contains(&route.method.as_str().into()), "{link}");
        }
        let hrefs: std::collections::BTreeSet<_> = links.iter().map(|link| link["href"].as_str()).collect();
        assert_eq!(hrefs.len(), links.len(), "one link for each path");
    }

    #[tokio::test]
    async fn every_get_answers_head_and_is_not_to_be_reused_unasked() {
        let api = Api::new();
        // A stream of events has no end, and metrics are no read: they have no ETag.
        let others = ["/v1/events", "/metrics"];
        let reads = ROUTES.iter().filter(|it| it.method == Method::GET && !it.path.contains('{') && !others.contains(&it.path));
        for route in reads {
            let get = api.get(route.path).await;
            assert_eq!((get.status, get.header("cache-control")), (200, Some("no-cache")), "{}", route.path);
            assert_eq!(get.header("content-type"), Some("application/json"), "{}", route.path);
            assert_eq!(get.header("vary"), Some("Prefer"), "{}", route.path);
            let head = api.send("HEAD", route.path, None, Body::empty()).await;
            assert_eq!((head.status, head.text.as_str()), (200, ""), "{}", route.path);
            assert_eq!(head.header("content-type"), get.header("content-type"));
            assert_eq!((head.header("etag"), head.header("etag").is_some()), (get.header("etag"), true), "{}", route.path);
        }
    }

    #[tokio::test]
    async fn a_wrong_method_is_told_the_right_ones() {
        let api = Api::new();
        let check = async |method: &str, path: &str, allow: &str| {
            let answer = api.send(method, path, None, Body::empty()).await;
            assert_eq!((answer.status, answer.problem().as_str()), (405, "method-not-allowed"), "{method} {path}");
            let mut allowed: Vec<_> = answer.header("allow").unwrap().split(',').map(str::trim).collect();
            allowed.sort_unstable();
            assert_eq!(allowed.join(" "), allow, "{method} {path}");
        };
        check("POST", "/v1", "GET HEAD").await;
        check("GET", "/v1/agent/leave", "POST").await;
        check("PATCH", "/v1/agent/instances/web-1", "DELETE GET HEAD PUT").await;
        check("OPTIONS", "/v1/nodes", "GET HEAD").await;
        check("DELETE", "/health/live", "GET HEAD").await;
    }

    #[tokio::test]
    async fn an_unknown_path_is_a_problem_that_says_where_to_look() {
        let api = Api::new();
        for path in ["/", "/v2", "/v1/", "/v1/agent/instances/", "/v1/agent/instances/a/b"] {
            let answer = api.get(path).await;
            assert_eq!((answer.status, answer.problem().as_str()), (404, "no-such-route"), "{path}");
            assert!(answer.text.contains("GET /v1"), "{}", answer.text);
        }
    }

    #[tokio::test]
    async fn an_unknown_query_parameter_is_refused_by_name_on_every_route() {
        let api = Api::new();
        for route in ROUTES {
            let path = format!("{}?colour=red", route.path.replace(['{', '}'], ""));
            let answer = api.send(route.method.as_str(), &path, None, Body::empty()).await;
            assert_eq!((answer.status, answer.problem().as_str()), (400, "invalid-query"), "{} {path}", route.method);
            let detail = &answer.errors()["colour"];
            assert!(route.parameter_names().iter().all(|allowed| detail.contains(allowed)), "{detail}");
        }
    }

    #[tokio::test]
    async fn a_parameter_for_one_value_may_not_be_given_twice() {
        let answer = Api::new().get("/v1/instances?service=web&service=db").await;
        assert_eq!((answer.status, answer.problem().as_str()), (400, "invalid-query"));
        assert!(answer.errors()["service"].contains("once"));
    }
}
