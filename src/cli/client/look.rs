//! Reading all that is at a path, and waiting until it shows something else.

use std::time::Duration;

use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{ANSWER, Answer, Api};
use crate::cli::{Failure, view::Items};

/// How long a read waits at a time. An agent whose host is gone without a word is missed after this and [`ANSWER`].
const WAIT: Duration = Duration::from_secs(30);

const PREFER: HeaderName = HeaderName::from_static("prefer");

/// What a path shows.
pub(in crate::cli) struct Look {
    /// All of it; the pages of a list that has several are put together.
    pub(in crate::cli) answer: Answer,
    /// Where each page stands, and its tag.
    pages: Vec<(String, HeaderValue)>,
}

/// What came of waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum News {
    /// Something else is shown now.
    Changed,
    /// The wait is over, or was refused, and the same is shown.
    None,
    /// One can't wait for that: it has no tag.
    Unknown,
}

impl Api {
    /// The whole of a list.
    ///
    /// # Errors
    /// When no agent answers.
    pub(in crate::cli) async fn list(&self, path: &str) -> Result<Answer, Failure> {
        Ok(self.look(path).await?.answer)
    }

    /// The whole of what is at a path, and what it takes to wait for its change.
    ///
    /// # Errors
    /// When no agent answers.
    pub(in crate::cli) async fn look(&self, path: &str) -> Result<Look, Failure> {
        let mut answer = self.call(Method::GET, path).await?;
        let tagged = |path: &str, answer: &Answer| answer.tag.clone().map(|tag| (path.to_owned(), tag));
        let mut pages: Vec<(String, HeaderValue)> = tagged(path, &answer).into_iter().collect();
        let Ok(Items { mut items, mut next }) = answer.read::<Items<Value>>() else { return Ok(Look { answer, pages }) };
        if next.is_none() {
            return Ok(Look { answer, pages });
        }
        while let Some(cursor) = next {
            let separator = if path.contains('?') { '&' } else { '?' };
            let path = format!("{path}{separator}cursor={cursor}");
            let page = self.call(Method::GET, &path).await?;
            pages.extend(tagged(&path, &page));
            let Ok(more) = page.read::<Items<Value>>() else { return Ok(Look { answer: page, pages: Vec::new() }) };
            items.extend(more.items);
            next = more.next;
        }
        answer.body = json!({"items": items, "next": null}).to_string().into();
        Ok(Look { answer, pages })
    }

    /// Waits until any page shows something else, for a while.
    ///
    /// # Errors
    /// When no agent answers.
    pub(in crate::cli) async fn news(&self, look: &Look) -> Result<News, Failure> {
        let mut waits = JoinSet::new();
        for (path, tag) in look.pages.iter().cloned() {
            let api = self.clone();
            waits.spawn(async move { api.wait(&path, tag).await });
        }
        match waits.join_next().await {
            Some(Ok(first)) if first.as_ref().is_ok_and(|answer| answer.status == StatusCode::NOT_MODIFIED) => Ok(News::None),
            Some(Ok(first)) => first.map(|_| News::Changed),
            // No task is ended before its time, and none panics.
            Some(Err(_)) | None => Ok(News::Unknown),
        }
    }

    async fn wait(&self, path: &str, tag: HeaderValue) -> Result<Answer, Failure> {
        let wait = HeaderValue::try_from(format!("wait={}", WAIT.as_secs())).expect("digits");
        self.send(Method::GET, path, None, &[(header::IF_NONE_MATCH, tag), (PREFER, wait)], WAIT + ANSWER).await
    }
}
