//! Bodies of requests, with bounds on their size and on how long they may take.

mod strict;

use std::time::Duration;

use axum::{
    body::{Body, HttpBody},
    http::{HeaderMap, header},
};
use http_body_util::BodyExt;
use serde_json::Value;

use super::problem::{Problem, ProblemType};

/// Octets of a body that are read. A definition at all of its limits fits, whatever its layout.
pub const BODY_OCTETS: usize = 64 * 1024;

/// Octets of a body that is too large which are taken in and thrown away, so that a client that writes before it
/// reads sees the answer instead of a broken connection.
const DISCARDED_OCTETS: usize = 1024 * 1024;

/// How long a whole body may take to arrive.
pub(super) const BODY_TIME: Duration = Duration::from_secs(10);

/// The JSON of a request.
///
/// # Errors
/// When it is not declared as JSON, too large, too slow, no JSON, or has a key twice.
pub(super) async fn json(headers: &HeaderMap, body: Body, time: Duration) -> Result<Value, Problem> {
    refuse_other_media_types(headers)?;
    let octets = tokio::time::timeout(time, collect(body))
        .await
        .map_err(|_| Problem::new(ProblemType::SlowBody, format!("the body did not arrive within {} ms", time.as_millis())))??;
    parse(&octets)
}

/// `application/json`, with whatever parameters.
fn refuse_other_media_types(headers: &HeaderMap) -> Result<(), Problem> {
    let given = headers.get(header::CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()));
    let essence = given.as_deref().map(|text| text.split(';').next().unwrap_or_default().trim());
    if essence.is_some_and(|text| text.eq_ignore_ascii_case("application/json")) {
        return Ok(());
    }
    let detail = match essence {
        Some(text) => format!("the content type is {text:?}; send application/json"),
        None => "there is no content type; send Content-Type: application/json".to_owned(),
    };
    Err(Problem::new(ProblemType::UnsupportedMediaType, detail))
}

async fn collect(mut body: Body) -> Result<Vec<u8>, Problem> {
    let too_large = || Problem::new(ProblemType::BodyTooLarge, format!("the body has more than {BODY_OCTETS} octets"));
    if body.size_hint().lower() > DISCARDED_OCTETS as u64 {
        return Err(too_large());
    }
    let (mut octets, mut size) = (Vec::new(), 0);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Problem::new(ProblemType::IncompleteBody, format!("the body broke off: {error}")))?;
        let Ok(data) = frame.into_data() else { continue };
        size += data.len();
        if size > DISCARDED_OCTETS {
            return Err(too_large());
        }
        if size <= BODY_OCTETS {
            octets.extend_from_slice(&data);
        }
    }
    if size > BODY_OCTETS { Err(too_large()) } else { Ok(octets) }
}

fn parse(octets: &[u8]) -> Result<Value, Problem> {
    let malformed = |detail: String| Problem::new(ProblemType::MalformedBody, detail);
    let text = std::str::from_utf8(octets)
        .map_err(|error| malformed(format!("the body is not UTF-8: octet {} is wrong", error.valid_up_to() + 1)))?;
    if text.trim().is_empty() {
        return Err(malformed("the body is empty; send a JSON object".to_owned()));
    }
    match strict::read(text).map_err(|error| malformed(error.to_string()))? {
        (value, flaws) if flaws.is_empty() => Ok(value),
        (_, flaws) => Err(Problem::invalid_definition(flaws)),
    }
}

#[cfg(test)]
mod tests {
    use std::{
        pin::Pin,
        task::{Context, Poll},
    };

    use axum::{body::Bytes, response::IntoResponse};

    use super::*;

    /// A body that never comes, from a client that stays.
    struct Silent;

    impl HttpBody for Silent {
        type Data = Bytes;
        type Error = std::io::Error;

        fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<hyper::body::Frame<Bytes>, Self::Error>>> {
            Poll::Pending
        }
    }

    /// A body whose sender broke its framing.
    struct Broken;

    impl HttpBody for Broken {
        type Data = Bytes;
        type Error = std::io::Error;

        fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<hyper::body::Frame<Bytes>, Self::Error>>> {
            Poll::Ready(Some(Err(std::io::Error::other("no chunk size"))))
        }
    }

    async fn status(body: Body) -> u16 {
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, "application/json".parse().unwrap())]);
        match json(&headers, body, Duration::from_millis(20)).await {
            Ok(_) => 200,
            Err(problem) => problem.into_response().status().as_u16(),
        }
    }

    #[tokio::test]
    async fn a_body_is_waited_for_only_so_long() {
        assert_eq!(status(Body::new(Silent)).await, 408);
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_is_a_problem_of_its_own() {
        assert_eq!(status(Body::new(Broken)).await, 400);
    }

    #[tokio::test]
    async fn a_body_may_have_as_many_octets_as_the_limit_and_no_more() {
        let padded = |size: usize| Body::from("{}".to_owned() + &" ".repeat(size - 2));
        assert_eq!(status(padded(BODY_OCTETS)).await, 200);
        assert_eq!(status(padded(BODY_OCTETS + 1)).await, 413);
        assert_eq!(status(padded(DISCARDED_OCTETS + 1)).await, 413);
    }
}
