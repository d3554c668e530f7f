//! The programs behind instances, as far as agents hear of them: they send the heartbeats that checks wait for.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc, time::Duration};

use axum::http::{Method, StatusCode};
use serde_json::json;
use tidings::model::{CheckId, InstanceId, Status};
use tokio::{
    sync::Notify,
    task::AbortHandle,
    time::{sleep, timeout},
};

use super::{api, board::Board, site::Host};

/// How long an agent may take to take one; one that is paused takes none.
const PATIENCE: Duration = Duration::from_secs(2);

/// A check of an instance.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Program {
    pub(crate) place: usize,
    pub(crate) instance: InstanceId,
    pub(crate) check: CheckId,
}

/// All of them. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Heartbeats(Rc<Inner>);

#[derive(Debug)]
struct Inner {
    board: Rc<Board>,
    health: RefCell<BTreeMap<(usize, InstanceId), Status>>,
    running: RefCell<BTreeMap<Program, (Rc<Notify>, AbortHandle)>>,
}

impl Heartbeats {
    pub(crate) fn new(board: Rc<Board>) -> Heartbeats {
        Heartbeats(Rc::new(Inner { board, health: RefCell::default(), running: RefCell::default() }))
    }

    /// The programs behind an instance are so from now on, and say so at once.
    pub(crate) fn set(&self, place: usize, instance: &InstanceId, status: Status) {
        self.0.health.borrow_mut().insert((place, instance.clone()), status);
        let running = self.0.running.borrow();
        let its = running.iter().filter(|(program, _)| program.place == place && program.instance == *instance);
        its.for_each(|(_, (hurry, _))| hurry.notify_one());
    }

    /// Heartbeats for a check begin. They end when its agent does not know it any more.
    pub(crate) fn begin(&self, program: Program, ttl: Duration, host: Rc<dyn Host>) {
        let hurry = Rc::new(Notify::new());
        let (inner, woken, it) = (Rc::downgrade(&self.0), Rc::clone(&hurry), program.clone());
        let task = tokio::task::spawn_local(async move {
            loop {
                let Some(inner) = inner.upgrade() else { return };
                let status = inner.health.borrow().get(&(it.place, it.instance.clone())).copied().unwrap_or(Status::Passing);
                drop(inner);
                let path = format!("/v1/agent/instances/{}/checks/{}/status", it.instance, it.check);
                let beat = json!({"status": status.as_str()});
                let sent = api::ask(&*host, Method::PUT, &path, Some(&beat), PATIENCE).await;
                if sent.is_ok_and(|answer| answer.status == StatusCode::NOT_FOUND) {
                    return;
                }
                let _ = timeout(ttl / 4, woken.notified()).await;
                // A burst of changes is said in as many heartbeats at most.
                sleep(Duration::from_millis(1)).await;
            }
        });
        if let Some((_, before)) = self.0.running.borrow_mut().insert(program, (hurry, task.abort_handle())) {
            before.abort();
        }
        self.0.board.changed.notify_one();
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.running.borrow().values().for_each(|(_, task)| task.abort());
    }
}
