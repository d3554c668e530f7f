//! Errors as problem details (RFC 9457), each of one of a fixed set of types.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::model::{Refusal, instance::Flaw};

/// Entries of an `errors` list that are sent; what is beyond is only counted.
const ERRORS: usize = 100;

macro_rules! problem_types {
    ($($(#[doc = $meaning:literal])+ $name:ident = $status:ident, $slug:literal, $title:literal;)+) => {
        /// What can go wrong, as the `type` of a problem tells it. A type keeps its URI and its status for ever.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum ProblemType {
            $($(#[doc = $meaning])+ $name,)+
        }

        /// Every type of problem that the API can send.
        pub const PROBLEM_TYPES: &[ProblemType] = &[$(ProblemType::$name),+];

        impl ProblemType {
            /// The `type`: a reference relative to the agent (RFC 3986, 4.2), the same on every agent.
            pub const fn uri(self) -> &'static str {
                match self { $(ProblemType::$name => concat!("/problems/", $slug),)+ }
            }

            /// The `title`: one for all problems of the type.
            pub const fn title(self) -> &'static str {
                match self { $(ProblemType::$name => $title,)+ }
            }

            /// The status that it is sent with.
            pub const fn status(self) -> StatusCode {
                match self { $(ProblemType::$name => StatusCode::$status,)+ }
            }

            /// What it means and what to do, in a sentence or two.
            pub const fn meaning(self) -> &'static str {
                match self { $(ProblemType::$name => concat!($($meaning),+).trim_ascii(),)+ }
            }
        }
    };
}

problem_types! {
    /// Nothing is at this path; `GET /v1` lists what there is.
    NoSuchRoute = NOT_FOUND, "no-such-route", "Nothing is here";
    /// The path exists, but not with this method; `Allow` names those that it has.
    MethodNotAllowed = METHOD_NOT_ALLOWED, "method-not-allowed", "The method is not allowed here";
    /// A query parameter is unknown, is given twice, or has a value that can't be; `errors` names each.
    InvalidQuery = BAD_REQUEST, "invalid-query", "The query is invalid";
    /// The name or id in the path can't be one; the detail gives the rule.
    InvalidName = BAD_REQUEST, "invalid-name", "The name in the path is invalid";
    /// The body is not JSON in UTF-8; the detail says where it stops to be.
    MalformedBody = BAD_REQUEST, "malformed-body", "The body is not JSON";
    /// The body broke off before its end.
    IncompleteBody = BAD_REQUEST, "incomplete-body", "The body is incomplete";
    /// The body did not arrive in time.
    SlowBody = REQUEST_TIMEOUT, "slow-body", "The body did not arrive in time";
    /// The body is not declared as `application/json`.
    UnsupportedMediaType = UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", "The body must be JSON";
    /// The body has more octets than are read.
    BodyTooLarge = PAYLOAD_TOO_LARGE, "body-too-large", "The body is too large";
    /// The body is JSON, but not what is taken here; `errors` names every flaw that was found.
    InvalidDefinition = UNPROCESSABLE_ENTITY, "invalid-definition", "The definition is invalid";
    /// Each part of the definition is within its limit, but the whole is larger than what may be gossiped.
    DefinitionTooLarge = UNPROCESSABLE_ENTITY, "definition-too-large", "The definition is too large";
    /// The node owns as many instances as it may: deregister some, then try again. Replacing one still works.
    NodeFull = CONFLICT, "node-full", "The node owns as many instances as it may";
    /// `If-Match` or `If-None-Match` is neither `*` nor a list of tags in quotes.
    InvalidPrecondition = BAD_REQUEST, "invalid-precondition", "The precondition can't be read";
    /// The instance is not what `If-Match` or `If-None-Match` wants it to be, so nothing was written: get it again,
    /// then decide.
    PreconditionFailed = PRECONDITION_FAILED, "precondition-failed", "The precondition does not hold";
    /// The request has no `Host`, or several.
    MissingHost = BAD_REQUEST, "missing-host", "The request names no host";
    /// The request is for a host that is not this agent's: only IP addresses, `localhost` and the names that it was
    /// started with are.
    Misdirected = MISDIRECTED_REQUEST, "misdirected", "The request is for another host";
    /// The request came without TLS to where the agent speaks nothing else: ask with `https://`.
    HttpsNeeded = BAD_REQUEST, "https-needed", "This takes https";
    /// A page of another site had a browser send this.
    CrossSite = FORBIDDEN, "cross-site", "The request comes from another site";
    /// As many clients follow the events of this agent as may.
    TooManyFollowers = SERVICE_UNAVAILABLE, "too-many-followers", "Too many clients follow the events";
    /// Not everybody may do this: send a token that allows it, as `Authorization: Bearer TOKEN`.
    TokenNeeded = UNAUTHORIZED, "token-needed", "This takes a token";
    /// The token is none that this agent knows, or it has expired.
    InvalidToken = UNAUTHORIZED, "invalid-token", "The token does not hold";
    /// The token holds, and does not allow this.
    ScopeMissing = FORBIDDEN, "scope-missing", "The token does not allow this";
    /// No instance with this id is registered with this agent.
    NoSuchInstance = NOT_FOUND, "no-such-instance", "There is no such instance";
    /// A file of the agent's configuration defines the instance; it is changed there.
    DefinedByFile = CONFLICT, "defined-by-file", "A file defines the instance";
    /// There is no check with this id.
    NoSuchCheck = NOT_FOUND, "no-such-check", "There is no such check";
    /// The check finds out by itself; only one with a `ttl` takes heartbeats.
    NoHeartbeats = CONFLICT, "no-heartbeats", "The check takes no heartbeats";
    /// The agent was started without a file of keys, so there is none to change.
    NoKeyFile = CONFLICT, "no-key-file", "There is no file of keys";
    /// No ring of keys that works would come of it: another key has the id, the path names another id, there are as many as may be, or the key is the
    /// one that encrypts.
    KeyConflict = CONFLICT, "key-conflict", "The keys do not allow it";
    /// This agent has no key with this id.
    NoSuchKey = NOT_FOUND, "no-such-key", "There is no such key";
    /// No node of this name is in the cluster.
    NoSuchNode = NOT_FOUND, "no-such-node", "There is no such node";
    /// The node is up; only one that is down or left can be forgotten.
    NodeIsUp = CONFLICT, "node-is-up", "The node is up";
    /// So many nodes were forgotten or gone for long in the last two days that not one more can be kept from coming back. A node that is down is let
    /// go of by itself after a day.
    TooManyForgotten = CONFLICT, "too-many-forgotten", "Too many nodes are forgotten";
    /// No instance of this service is registered anywhere, healthy or not.
    NoSuchService = NOT_FOUND, "no-such-service", "There is no such service";
    /// The agent does not know yet what the cluster knows, so it can't tell whether what was asked for exists: since its start it has had no full
    /// sync with a peer, or not heard of all who were there before, for whom it waits for half a minute at most. `Retry-After` says when to ask
    /// again.
    NotReady = SERVICE_UNAVAILABLE, "not-ready", "The agent does not know the cluster yet";
    /// The agent is leaving the cluster, or about to end, and takes no more writes.
    Leaving = SERVICE_UNAVAILABLE, "leaving", "The agent is leaving the cluster";
    /// The disk did not take the write, so nothing was changed; the detail has the system's reason.
    StorageFailed = INSUFFICIENT_STORAGE, "storage-failed", "The write could not be stored";
}

impl ProblemType {
    /// The seconds after which asking again may help; `None` where it won't.
    pub const fn retry_after(self) -> Option<u32> {
        match self {
            ProblemType::NotReady => Some(1),
            ProblemType::TooManyFollowers => Some(10),
            _ => None,
        }
    }

    /// The `WWW-Authenticate` that it is sent with (RFC 6750, 3).
    pub const fn challenge(self) -> Option<&'static str> {
        match self {
            ProblemType::TokenNeeded => Some(r#"Bearer realm="tidings""#),
            ProblemType::InvalidToken => Some(r#"Bearer realm="tidings", error="invalid_token""#),
            ProblemType::ScopeMissing => Some(r#"Bearer realm="tidings", error="insufficient_scope""#),
            _ => None,
        }
    }
}

/// One problem: the whole of an answer that is no success.
#[derive(Debug)]
pub struct Problem {
    kind: ProblemType,
    detail: String,
    errors: Vec<Fault>,
}

/// One entry of `errors`.
#[derive(Debug, Serialize, JsonSchema)]
struct Fault {
    #[serde(flatten)]
    place: Place,
    detail: String,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Place {
    /// In the body, as a JSON pointer (RFC 6901).
    Pointer(String),
    /// In the query, by its name.
    Parameter(String),
}

/// A problem as it is sent (RFC 9457, 3.1).
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
pub(super) struct Members {
    /// What kind of problem it is: a reference relative to the agent.
    r#type: &'static str,
    /// One for all problems of the type.
    title: &'static str,
    status: u16,
    /// What is to be said of this occurrence.
    detail: String,
    /// Each flaw of what was sent, where there may be several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Fault>,
}

impl Problem {
    /// A problem, and what is to be said of this occurrence of it.
    pub(super) fn new(kind: ProblemType, detail: impl Into<String>) -> Self {
        Problem { kind, detail: detail.into(), errors: Vec::new() }
    }

    #[cfg(test)]
    pub(super) fn kind(&self) -> ProblemType {
        self.kind
    }

    /// A definition with flaws.
    pub(super) fn invalid_definition(flaws: Vec<Flaw>) -> Self {
        let faults = flaws.into_iter().map(|flaw| Fault { place: Place::Pointer(flaw.pointer), detail: flaw.detail });
        Problem::new(ProblemType::InvalidDefinition, "").with_errors("the definition", faults.collect())
    }

    /// A query in which the named parameters are wrong.
    pub(super) fn invalid_query(flaws: Vec<(String, String)>) -> Self {
        let faults = flaws.into_iter().map(|(name, detail)| Fault { place: Place::Parameter(name), detail });
        Problem::new(ProblemType::InvalidQuery, "").with_errors("the query", faults.collect())
    }

    /// It, as it is sent.
    pub(super) fn text(self) -> String {
        serde_json::to_string(&self.members()).expect("text and numbers are JSON")
    }

    fn members(self) -> Members {
        let Problem { kind, detail, errors } = self;
        Members { r#type: kind.uri(), title: kind.title(), status: kind.status().as_u16(), detail, errors }
    }

    fn with_errors(mut self, subject: &str, mut errors: Vec<Fault>) -> Self {
        let count = errors.len();
        errors.truncate(ERRORS);
        self.detail = match count {
            1 => format!("{subject} has a flaw"),
            _ if count > ERRORS => format!("{subject} has {count} flaws; the first {ERRORS} are listed"),
            _ => format!("{subject} has {count} flaws"),
        };
        self.errors = errors;
        self
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let kind = match refusal {
            Refusal::Invalid(flaws) => return Problem::invalid_definition(flaws),
            Refusal::NotFound(_) => ProblemType::NoSuchInstance,
            Refusal::NoSuchCheck(..) => ProblemType::NoSuchCheck,
            Refusal::NoSuchNode(_) => ProblemType::NoSuchNode,
            Refusal::NodeIsUp(_) => ProblemType::NodeIsUp,
            Refusal::GravesFull { .. } => ProblemType::TooManyForgotten,
            Refusal::DefinedByFile { .. } => ProblemType::DefinedByFile,
            Refusal::NoHeartbeats(_) => ProblemType::NoHeartbeats,
            Refusal::TooLarge { .. } => ProblemType::DefinitionTooLarge,
            Refusal::Full { .. } => ProblemType::NodeFull,
            Refusal::Storage(_) => ProblemType::StorageFailed,
            Refusal::Leaving | Refusal::Stopping => ProblemType::Leaving,
        };
        Problem::new(kind, refusal.to_string())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let kind = self.kind;
        let mut response = (kind.status(), axum::Json(self.members())).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = kind.retry_after() {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(challenge) = kind.challenge() {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_type_has_a_uri_of_its_own_and_says_what_it_means() {
        let uris: BTreeSet<_> = PROBLEM_TYPES.iter().map(|kind| kind.uri()).collect();
        assert_eq!(uris.len(), PROBLEM_TYPES.len());
        for kind in PROBLEM_TYPES {
            assert!(kind.status().is_client_error() || kind.status().is_server_error(), "{kind:?}");
            assert!(kind.meaning().ends_with('.') && !kind.title().is_empty(), "{kind:?}: {}", kind.meaning());
        }
    }
}
