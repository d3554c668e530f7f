//! What an agent has against a request (RFC 9457), for people.

use std::fmt::Write;

use http::StatusCode;
use serde::Deserialize;

use super::output::plain;

#[derive(Deserialize)]
struct Problem {
    title: String,
    #[serde(default)]
    detail: String,
    #[serde(default)]
    errors: Vec<Fault>,
}

#[derive(Deserialize)]
struct Fault {
    /// In the body, as a JSON pointer.
    pointer: Option<String>,
    /// In the query.
    parameter: Option<String>,
    #[serde(default)]
    detail: String,
}

/// The problem as text, a line for each thing that is wrong; `None` where the body is no problem.
pub(super) fn render(status: StatusCode, body: &[u8]) -> Option<String> {
    let Problem { title, detail, errors } = serde_json::from_slice(body).ok()?;
    let mut text = format!("{} (HTTP {})", plain(&title), status.as_u16());
    if !detail.is_empty() {
        write!(text, ": {}", plain(&detail)).expect("a string takes all text");
    }
    for fault in errors {
        let place = match (fault.pointer.as_deref(), fault.parameter) {
            (Some(""), _) => "the whole".to_owned(),
            (Some(pointer), _) => plain(pointer),
            (None, Some(parameter)) => plain(&parameter),
            (None, None) => "somewhere".to_owned(),
        };
        write!(text, "\n  {place}: {}", plain(&fault.detail)).expect("a string takes all text");
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thing_that_is_wrong_has_its_line() {
        let body = br#"{"type": "/problems/invalid-definition", "title": "The definition is invalid", "status": 422,
            "detail": "the definition has 2 flaws",
            "errors": [{"pointer": "/port", "detail": "is 0; a port is 1 to 65535"}, {"pointer": "", "detail": "is a list"},
                       {"parameter": "status", "detail": "\"up\" is no status"}]}"#;
        assert_eq!(
            render(StatusCode::UNPROCESSABLE_ENTITY, body).unwrap(),
            "The definition is invalid (HTTP 422): the definition has 2 flaws\n  /port: is 0; a port is 1 to 65535\n  \
             the whole: is a list\n  status: \"up\" is no status"
        );
    }

    #[test]
    fn a_problem_without_details_is_its_title() {
        assert_eq!(render(StatusCode::NOT_FOUND, br#"{"title": "Nothing is here"}"#).unwrap(), "Nothing is here (HTTP 404)");
    }

    #[test]
    fn what_is_no_problem_is_none() {
        assert_eq!(render(StatusCode::BAD_GATEWAY, b"<html>"), None);
        assert_eq!(render(StatusCode::BAD_GATEWAY, b"{}"), None);
    }
}
