//! What there is to say of a route, beside its path and its parameters.

use axum::http::StatusCode;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::Value;

use crate::http::problem::ProblemType;

/// One method on one path, as it is described. What all routes have in common, or all that read, is not repeated here.
#[derive(Clone, Copy)]
pub struct Operation {
    pub(super) id: &'static str,
    pub(super) summary: &'static str,
    /// Answers of success; one at least.
    pub(super) answers: [Option<Answer>; 2],
    pub(super) body: Option<Body>,
    /// `If-Match` and `If-None-Match` keep it from writing.
    pub(super) guarded: bool,
    /// Whether `Prefer: wait` has a meaning.
    pub(super) waits: bool,
    /// What can go wrong here and not everywhere.
    pub(super) problems: &'static [ProblemType],
}

/// A success.
#[derive(Clone, Copy)]
pub(in crate::http) struct Answer {
    pub(super) status: StatusCode,
    pub(super) meaning: &'static str,
    pub(super) content: Content,
    pub(super) tag: Tag,
    /// It says where the new thing is.
    pub(super) location: bool,
}

/// Whether there is an `ETag`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Tag {
    Always,
    Sometimes,
    Never,
}

/// Makes a schema, and adds to the generator what it refers to.
pub(super) type Make = fn(&mut SchemaGenerator) -> Schema;

/// What an answer carries.
#[derive(Clone, Copy)]
pub(in crate::http) enum Content {
    /// Nothing.
    Nothing,
    /// JSON of this schema.
    Json(Make),
    /// Text of this media type.
    Text(&'static str),
    /// Server-sent events, whose data is of these schemas.
    Events(&'static [(&'static str, Make)]),
}

/// What a request carries: JSON of this schema.
#[derive(Clone, Copy)]
pub(in crate::http) struct Body {
    pub(super) name: &'static str,
    pub(super) schema: fn() -> Value,
}

impl Content {
    /// JSON of this type.
    pub(in crate::http) const fn json<T: JsonSchema>() -> Content {
        Content::Json(SchemaGenerator::subschema_for::<T>)
    }

    /// An object.
    pub(super) const fn any() -> Content {
        Content::Json(|_| schemars::json_schema!({"type": "object"}))
    }
}

impl Answer {
    /// An answer to a write.
    pub(in crate::http) const fn new(status: StatusCode, meaning: &'static str, content: Content) -> Answer {
        Answer { status, meaning, content, tag: Tag::Never, location: false }
    }

    /// The answer of a write that has nothing to tell.
    pub(in crate::http) const fn done(meaning: &'static str) -> Answer {
        Answer::new(StatusCode::NO_CONTENT, meaning, Content::Nothing)
    }

    /// It says where the new thing is.
    pub(in crate::http) const fn located(mut self) -> Answer {
        self.location = true;
        self
    }
}

impl Operation {
    /// A read. It has an `ETag`, can be conditional, and waits if it is told to.
    pub(in crate::http) const fn read(id: &'static str, summary: &'static str, content: Content) -> Operation {
        let answer = Answer { status: StatusCode::OK, meaning: "What is shown", content, tag: Tag::Always, location: false };
        Operation { waits: true, ..Operation::write(id, summary, answer) }
    }

    /// A write.
    pub(in crate::http) const fn write(id: &'static str, summary: &'static str, answer: Answer) -> Operation {
        Operation { id, summary, answers: [Some(answer), None], body: None, guarded: false, waits: false, problems: &[] }
    }

    /// The other success that it may have.
    pub(in crate::http) const fn or(mut self, answer: Answer) -> Operation {
        self.answers[1] = Some(answer);
        self
    }

    /// It takes a body.
    pub(in crate::http) const fn takes(mut self, body: Body) -> Operation {
        self.body = Some(body);
        self
    }

    /// It can be made to depend on what is there.
    pub(in crate::http) const fn guarded(mut self) -> Operation {
        self.guarded = true;
        self
    }

    /// A read that answers at once.
    pub(in crate::http) const fn at_once(mut self) -> Operation {
        self.waits = false;
        self
    }

    /// A read that has an `ETag` for some queries only.
    pub(in crate::http) const fn sometimes_tagged(mut self) -> Operation {
        if let Some(mut answer) = self.answers[0] {
            answer.tag = Tag::Sometimes;
            self.answers[0] = Some(answer);
        }
        self
    }

    /// A read that has no `ETag`: a stream.
    pub(in crate::http) const fn untagged(mut self) -> Operation {
        if let Some(mut answer) = self.answers[0] {
            answer.tag = Tag::Never;
            self.answers[0] = Some(answer);
        }
        self.at_once()
    }

    /// What can go wrong, beside what can everywhere.
    pub(in crate::http) const fn fails(mut self, problems: &'static [ProblemType]) -> Operation {
        self.problems = problems;
        self
    }
}
