//! Conditional reads: not sent again while they show the same, and waited for until they show something else.

mod rereads;

use std::{future::pending, pin::pin, time::Duration};

use axum::{
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderName, HeaderValue, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use tokio::time::sleep;

use super::{
    ApiState,
    etag::{ETag, Tags},
    prefer,
    problem::Problem,
};
use crate::catalog::{Interest, Waiter};
pub(super) use rereads::Rereads;

/// Reads that may wait at the same time, each in a connection of its own. One more is answered at once, without
/// `Preference-Applied`.
pub const WAITING: usize = 1_024;

pub(super) const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// What a read shows, and what may change it. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    json: Bytes,
    tag: ETag,
    changes: Changes,
}

/// When what is shown may change.
#[derive(Debug, Clone)]
enum Changes {
    /// With publications that concern this.
    With(Interest),
    /// While the agent runs, never.
    Never,
    /// At any time, and nobody is told: it can't be waited for.
    Untold,
}

impl Shown {
    /// A value that depends on the catalog.
    pub(super) fn new(value: &impl Serialize, interest: Interest) -> Shown {
        Shown { changes: Changes::With(interest), ..Shown::fixed(value) }
    }

    /// A value that stays as it is while the agent runs.
    pub(super) fn fixed(value: &impl Serialize) -> Shown {
        let json = serde_json::to_vec(value).expect("what is shown has text for keys and no flaws");
        Shown { tag: ETag::of(&json), json: json.into(), changes: Changes::Never }
    }

    /// JSON that is part of the program.
    pub(super) fn constant(json: &'static str) -> Shown {
        Shown { tag: ETag::of(json.as_bytes()), json: Bytes::from_static(json.as_bytes()), changes: Changes::Never }
    }

    /// A value that does not come from the catalog. Who would wait for it to change is answered at once.
    pub(super) fn untold(value: &impl Serialize) -> Shown {
        Shown { changes: Changes::Untold, ..Shown::fixed(value) }
    }

    /// The tag that it is sent with.
    pub(super) fn tag(&self) -> &ETag {
        &self.tag
    }
}

impl IntoResponse for Shown {
    fn into_response(self) -> Response {
        let headers = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json")), (header::ETAG, self.tag.header())];
        let mut response = (headers, self.json.clone()).into_response();
        // For whoever waits; see below.
        response.extensions_mut().insert(self);
        response
    }
}

/// Answers `If-None-Match`, and together with it `Prefer: wait`. What has no tag, a problem for one, goes through as it is.
pub(super) async fn conditional(State(state): State<ApiState>, request: Request, next: Next) -> Result<Response, Problem> {
    let known = Tags::of(request.headers(), &header::IF_NONE_MATCH)?;
    let wait = prefer::wait(request.headers());
    let read = Read { head: request.into_parts().0, next };

    let response = read.again().await;
    let (Some(known), Some(tag)) = (known, ETag::read(response.headers())) else { return Ok(response) };
    let known = known.or(&tag);
    let wait = wait.filter(|_| can_be_waited_for(&response));
    Ok(match (compare(&known, response), wait) {
        (Compared::Same(same), Some(wait)) => match state.shared.waiting.try_acquire() {
            Ok(_place) => applied(wait, until_changed(&state, &known, same, wait, &read).await),
            Err(_) => same,
        },
        (Compared::Changed(changed), Some(wait)) => applied(wait, changed),
        (Compared::Same(response) | Compared::Changed(response), None) => response,
    })
}

fn can_be_waited_for(response: &Response) -> bool {
    response.extensions().get::<Shown>().is_none_or(|shown| !matches!(shown.changes, Changes::Untold))
}

/// A read that can be done any number of times.
struct Read {
    head: Parts,
    next: Next,
}

impl Read {
    fn again(&self) -> impl Future<Output = Response> + Send + use<> {
        self.next.clone().run(Request::from_parts(self.head.clone(), Body::empty()))
    }
}

/// Reads again after each publication that may concern it, until something else is shown or the time is over. Who waits
/// holds the head of a request, and nothing of what was read.
async fn until_changed(state: &ApiState, known: &Tags, mut same: Response, wait: Duration, read: &Read) -> Response {
    let mut waiter = match same.extensions().get::<DependsOn>() {
        Some(DependsOn(Changes::With(interest))) => Some(state.catalog.wait_for(interest.clone())),
        _ => None,
    };
    let (mut over, mut ending) = (pin!(sleep(wait)), pin!(state.ending()));
    loop {
        // Also before the first wait: something may have been published before the waiter was there.
        match compare(known, state.shared.rereads.read(read, &state.catalog).await) {
            Compared::Same(again) => same = again,
            Compared::Changed(changed) => return changed,
        }
        tokio::select! {
            () = changed(waiter.as_mut()) => {}
            () = &mut over => return same,
            () = &mut ending => return same,
        }
    }
}

async fn changed(waiter: Option<&mut Waiter>) {
    match waiter {
        Some(waiter) => waiter.changed().await,
        None => pending().await,
    }
}

/// What may change what an answer stands for that has no body any more.
#[derive(Clone)]
struct DependsOn(Changes);

/// An answer, held against what the client has.
enum Compared {
    /// 304 (RFC 9110, 15.4.5) in its place.
    Same(Response),
    /// As it is; one without a tag is never the same.
    Changed(Response),
}

fn compare(known: &Tags, response: Response) -> Compared {
    match ETag::read(response.headers()) {
        Some(tag) if known.match_weakly(&tag) => {
            let changes = response.extensions().get::<Shown>().map(|shown| shown.changes.clone());
            let mut same = (StatusCode::NOT_MODIFIED, [(header::ETAG, tag.header())]).into_response();
            same.extensions_mut().insert(DependsOn(changes.unwrap_or(Changes::Never)));
            Compared::Same(same)
        }
        _ => Compared::Changed(response),
    }
}

fn applied(wait: Duration, mut response: Response) -> Response {
    let value = HeaderValue::try_from(format!("wait={}", wait.as_secs())).expect("digits");
    response.headers_mut().insert(PREFERENCE_APPLIED, value);
    response
}

#[cfg(test)]
mod tests;
