//! `GET /v1/openapi.json`: this API for programs, as OpenAPI 3.1, whose schemas are JSON Schema 2020-12.
//!
//! It is put together from what the API runs on: the table of routes, the types of answers, the constants by which bodies and
//! queries are read. Tests hold every answer of theirs against it, and each schema of what is read against its reader.

mod bodies;
mod document;
mod operation;
pub(super) mod query;
pub(super) mod shapes;
mod text;

pub(super) use bodies::{DEFINITION, HEARTBEAT, KEY, REASON};
pub use document::build;
pub use operation::Operation;
pub(super) use operation::{Answer, Content};
pub use query::Parameter;

use super::conditional::Shown;

/// What [`build`] gives, as a test sees to: putting it together takes megabytes that an agent would never give back.
const DOCUMENT: &str = include_str!("../../docs/openapi.json");

pub(super) const SHOW: Operation = Operation::read("getOpenApi", "This document", Content::any());

/// `GET /v1/openapi.json`
pub(super) async fn show() -> Shown {
    Shown::constant(DOCUMENT)
}

#[cfg(test)]
pub(super) mod held;
#[cfg(test)]
mod tests;
