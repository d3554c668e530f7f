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

impl<T: FromStr<Err = NameError>, S: Send + Sync> FromRequestParts<S> for Named<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let invalid = |detail: String| Problem::new(ProblemType::InvalidName, detail);
        let Path(text) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|_| invalid("the name in the path is not UTF-8 when it is percent-decoded".to_owned()))?;
        text.parse().map(Named).map_err(|error: NameError| invalid(error.to_string()))
    }
}
