//! Names in paths.

use std::str::FromStr;

use axum::{
    extract::{FromRequestParts, Path},
    http::request::Parts,
};

use super::problem::{Problem, ProblemType};
use crate::model::NameError;

/// The one name in a path, percent-decoded and held against its rule.
pub(super) struct Named<T>(pub(super) T);

/// The two names in a path, in their order.
pub(super) struct NamedPair<A, B>(pub(super) A, pub(super) B);

impl<T: FromStr<Err = NameError>, S: Send + Sync> FromRequestParts<S> for Named<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(text) = Path::<String>::from_request_parts(parts, state).await.map_err(|_| not_text())?;
        read(&text).map(Named)
    }
}

impl<A: FromStr<Err = NameError>, B: FromStr<Err = NameError>, S: Send + Sync> FromRequestParts<S> for NamedPair<A, B> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path((first, second)) = Path::<(String, String)>::from_request_parts(parts, state).await.map_err(|_| not_text())?;
        Ok(NamedPair(read(&first)?, read(&second)?))
    }
}

fn read<T: FromStr<Err = NameError>>(text: &str) -> Result<T, Problem> {
    text.parse().map_err(|error: NameError| Problem::new(ProblemType::InvalidName, error.to_string()))
}

fn not_text() -> Problem {
    Problem::new(ProblemType::InvalidName, "the name in the path is not UTF-8 when it is percent-decoded".to_owned())
}
