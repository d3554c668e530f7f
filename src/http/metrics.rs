//! `/metrics`, and the counting of requests.

use axum::{
    extract::{MatchedPath, Request, State},
    http::header,
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{
    ApiState,
    conditional::PREFERENCE_APPLIED,
    openapi::{Content, Operation},
};
use crate::metrics::{MEDIA_TYPE, Stopwatch};

pub(super) const SHOW: Operation =
    Operation::read("getMetrics", "What the agent counts, as OpenMetrics", Content::Text(MEDIA_TYPE)).untagged();

/// `GET /metrics`: all metrics, as OpenMetrics. Not a read of the catalog: it has no ETag, and nobody can wait for it to change.
pub(super) async fn show(State(state): State<ApiState>) -> Response {
    ([(header::CONTENT_TYPE, MEDIA_TYPE)], state.metrics.text()).into_response()
}

/// Counts a request by the route that took it. It stands around everything else, so that what is refused is counted, too.
pub(super) async fn count(State(state): State<ApiState>, request: Request, next: Next) -> Response {
    let begun = Stopwatch::start();
    let method = request.method().clone();
    let path = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;
    // How long somebody wanted to wait says nothing about the agent.
    let waited = response.headers().contains_key(PREFERENCE_APPLIED);
    let path = path.as_ref().map(MatchedPath::as_str);
    state.metrics.http.request(method.as_str(), path, response.status().as_u16(), (!waited).then(|| begun.elapsed()));
    response
}

#[cfg(test)]
mod tests {
    use crate::http::testing::{Api, address_of_another_host};

    #[tokio::test]
    async fn requests_count_for_their_route_and_all_that_no_route_takes_together() {
        let api = Api::new();
        api.get("/v1/nodes?zone=a").await;
        api.send("HEAD", "/v1/nodes", None, "").await;
        api.get("/v1/nodes/nobody").await;
        api.get("/v1/nothing").await;
        api.send("PATCH", "/v1/nodes", None, "").await;
        api.send("BREW", "/v1/nodes", None, "").await;
        api.ask("GET", "/v1/services", &address_of_another_host(), "").await;
        let shown = api.get("/metrics").await;
        assert_eq!(shown.header("content-type"), Some(crate::metrics::MEDIA_TYPE));
        for (labels, count) in [
            (r#"method="GET",route="/v1/nodes",status="2xx""#, 2),
            (r#"method="GET",route="/v1/nodes/{node}",status="4xx""#, 1),
            (r#"method="GET",route="/v1/services",status="4xx""#, 1),
            (r#"method="other",route="other",status="4xx""#, 3),
        ] {
            let line = format!("tidings_http_requests_total{{{labels}}} {count}");
            assert!(shown.text.lines().any(|it| it == line), "{line} is not in\n{}", shown.text);
        }
        assert!(!shown.text.contains("BREW") && !shown.text.contains("/v1/nothing"));
    }

    #[tokio::test]
    async fn reads_that_waited_are_counted_and_not_timed() {
        let api = Api::new();
        let tag = api.get("/v1/nodes").await.header("etag").unwrap().to_owned();
        api.ask("GET", "/v1/nodes", &[("if-none-match", &tag), ("prefer", "wait=0")], "").await;
        let shown = api.get("/metrics").await.text;
        let labels = r#"method="GET",route="/v1/nodes""#;
        assert!(shown.contains(&format!("tidings_http_requests_total{{{labels},status=\"3xx\"}} 1\n")), "{shown}");
        assert!(shown.contains(&format!("tidings_http_request_duration_seconds_count{{{labels}}} 1\n")), "{shown}");
    }
}
