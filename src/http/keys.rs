//! `/v1/agent/keys`: the keys that this agent's gossip is encrypted with. No answer has a key in it.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode},
};

use super::{
    ApiState, body,
    conditional::Shown,
    host,
    openapi::{Answer, Content, KEY, Operation},
    path::Named,
    problem::{Problem, ProblemType},
    representation::EncryptionView,
};
use crate::{
    definition,
    keyring::{Key, KeyHolder, KeyRefusal},
    model::{encryption::KeyId, instance::Flaw},
};

pub(super) const LIST: Operation =
    Operation::read("listKeys", "How gossip is encrypted, and with which keys", Content::json::<EncryptionView>()).at_once();

/// `GET /v1/agent/keys`
pub(super) async fn list(State(state): State<ApiState>) -> Shown {
    Shown::untold(&EncryptionView::from(&state.keys.get().shown()))
}

const REFUSALS: &[ProblemType] = &[ProblemType::NoKeyFile, ProblemType::KeyConflict, ProblemType::NoSuchKey, ProblemType::CrossSite];

pub(super) const PUT: Operation = Operation::write(
    "addKey",
    "Adds a key, with which gossip is decrypted from now on",
    Answer::new(StatusCode::CREATED, "It is new here, and in the file", Content::Nothing),
)
.or(Answer::done("It is here already"))
.takes(KEY)
.fails(&[ProblemType::NoKeyFile, ProblemType::KeyConflict]);

/// `PUT /v1/agent/keys/{key}`
pub(super) async fn put(
    State(state): State<ApiState>,
    Named(id): Named<KeyId>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Problem> {
    let value = body::json(&headers, body, body::BODY_TIME).await?;
    let text = definition::notes::key(&value).map_err(Problem::invalid_definition)?;
    let flaw = |detail: String| Problem::invalid_definition(vec![Flaw { pointer: "/key".into(), detail }]);
    let key = Key::parse(text).map_err(flaw)?;
    if key.id() != id {
        return Err(Problem::new(ProblemType::KeyConflict, format!("the key has the id {}, and the path says {id}", key.id())));
    }
    let new = change(&state.keys, move |keys| keys.add(key)).await?;
    Ok(if new { StatusCode::CREATED } else { StatusCode::NO_CONTENT })
}

pub(super) const PROMOTE: Operation =
    Operation::write("useKey", "Encrypts gossip with this key from now on", Answer::done("It is so")).fails(REFUSALS);

/// `PUT /v1/agent/keys/{key}/primary`
pub(super) async fn promote(State(state): State<ApiState>, Named(id): Named<KeyId>, headers: HeaderMap) -> Result<StatusCode, Problem> {
    host::refuse_other_sites(&headers)?;
    change(&state.keys, move |keys| keys.promote(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) const DELETE: Operation =
    Operation::write("removeKey", "Takes a key away, so that what is encrypted with it is not read any more", Answer::done("It is gone"))
        .fails(&[ProblemType::NoKeyFile, ProblemType::KeyConflict, ProblemType::NoSuchKey]);

/// `DELETE /v1/agent/keys/{key}`
pub(super) async fn delete(State(state): State<ApiState>, Named(id): Named<KeyId>) -> Result<StatusCode, Problem> {
    change(&state.keys, move |keys| keys.remove(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The file is written by a thread that may wait for the disk.
async fn change<T: Send + 'static>(
    keys: &Arc<KeyHolder>,
    change: impl FnOnce(&KeyHolder) -> Result<T, KeyRefusal> + Send + 'static,
) -> Result<T, Problem> {
    let keys = Arc::clone(keys);
    let changed = tokio::task::spawn_blocking(move || change(&keys)).await;
    let refusal = match changed {
        Ok(Ok(done)) => return Ok(done),
        Ok(Err(refusal)) => refusal,
        Err(error) => return Err(Problem::new(ProblemType::StorageFailed, format!("the change was not carried out: {error}"))),
    };
    let kind = match refusal {
        KeyRefusal::NoFile => ProblemType::NoKeyFile,
        KeyRefusal::Conflict(_) => ProblemType::KeyConflict,
        KeyRefusal::NoSuchKey(_) => ProblemType::NoSuchKey,
        KeyRefusal::File(_) => ProblemType::StorageFailed,
    };
    Err(Problem::new(kind, refusal.to_string()))
}
