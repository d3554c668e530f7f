//! What agents were told to write over their API, and how they must answer.

use std::{cell::RefCell, rc::Rc, time::Duration};

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use tidings::{
    core::time::Moment,
    model::{InstanceId, Registration},
    sim::{
        runner::Failure,
        scenario::{
            Step,
            write::{Answer, Write},
        },
    },
};
use tokio::sync::Mutex;

use super::{
    api,
    board::Board,
    heartbeats::{Heartbeats, Program},
    player::Player,
    site::Host,
};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Writes that are not answered yet, and how others were answered that were to be otherwise.
#[derive(Debug)]
pub(crate) struct Writes {
    board: Rc<Board>,
    /// One after the other with each agent.
    queues: Vec<Rc<Mutex<()>>>,
    /// When each of them must have been answered.
    deadlines: Rc<RefCell<Vec<Moment>>>,
    wrong: Rc<RefCell<Vec<Failure>>>,
}

/// A request.
struct Request {
    method: Method,
    path: String,
    body: Option<Value>,
}

impl Writes {
    pub(crate) fn new(board: Rc<Board>, count: usize) -> Writes {
        Writes { board, queues: (0..count).map(|_| Rc::default()).collect(), deadlines: Rc::default(), wrong: Rc::default() }
    }

    /// When it is known of the last of them how it was answered.
    pub(crate) fn last_deadline(&self) -> Option<Moment> {
        self.deadlines.borrow().iter().max().copied()
    }

    /// When something is to be looked at, at the latest.
    pub(crate) fn next_deadline(&self) -> Option<Moment> {
        self.deadlines.borrow().iter().min().copied()
    }

    /// That one was not answered as it was to be.
    pub(crate) fn judge(&self) -> Result<(), Failure> {
        match self.wrong.borrow().first() {
            Some(failure) => Err(failure.clone()),
            None => Ok(()),
        }
    }
}

impl<'s> Player<'s> {
    /// Tells agents to write. Nothing waits for their answers.
    pub(crate) fn write(&mut self, step: &'s Step, write: &Write, answer: &Answer) -> Result<(), Failure> {
        for place in write.asked().iter() {
            if !self.has_process(place) {
                return Err(self.not_running(step, place));
            }
            let request = self.request(step, write)?;
            {
                let mut promises = self.board.promises.borrow_mut();
                match write {
                    Write::Register(_, registration) => promises.registering(place, &registration.instance.id),
                    Write::Deregister(_, id) => promises.removing(place, id),
                    Write::Forget { node, .. } => promises.forgetting(*node),
                    Write::Leave(_) | Write::Maintenance { .. } => {}
                }
            }
            if matches!(write, Write::Leave(_)) {
                self.is_leaving(place);
            }
            self.send(place, request, step.clone(), write.clone(), answer.clone());
        }
        Ok(())
    }

    fn send(&self, place: usize, request: Request, step: Step, write: Write, answer: Answer) {
        let Writes { board, queues, deadlines, wrong } = self.writes();
        let (board, deadlines, wrong) = (Rc::clone(board), Rc::clone(deadlines), Rc::clone(wrong));
        let (queue, host, heartbeats) = (Rc::clone(&queues[place]), Rc::clone(self.site.host(place)), self.heartbeats().clone());
        let (name, deadline) = (self.name(place).to_owned(), board.now() + PATIENCE);
        deadlines.borrow_mut().push(deadline);
        tokio::task::spawn_local(async move {
            let turn = queue.lock().await;
            let patience = deadline.since_start().saturating_sub(board.now().since_start());
            let reply = api::ask(&*host, request.method, &request.path, request.body.as_ref(), patience).await;
            drop(turn);
            let reply = reply.map(|reply| (reply.status, String::from_utf8_lossy(&reply.body).into_owned()));
            if let Ok((status, _)) = &reply
                && status.is_success()
            {
                done(&board, &heartbeats, &host, place, &write);
            }
            let mut open = deadlines.borrow_mut();
            if let Some(place) = open.iter().position(|open| *open == deadline) {
                open.swap_remove(place);
            }
            if let Some(why) = judge(&answer, &reply) {
                wrong.borrow_mut().push(Failure::of(board.now(), &step, &format!("{name} {why}"), Vec::new()));
            }
            board.changed.notify_one();
        });
    }

    fn request(&self, step: &Step, write: &Write) -> Result<Request, Failure> {
        let (method, path, body) = match write {
            Write::Register(_, registration) => {
                (Method::PUT, format!("/v1/agent/instances/{}", registration.instance.id), Some(definition(registration)))
            }
            Write::Deregister(_, id) => (Method::DELETE, format!("/v1/agent/instances/{id}"), None),
            Write::Maintenance { instance, reason, .. } => {
                let path =
                    instance.as_ref().map_or("/v1/agent/maintenance".to_owned(), |id| format!("/v1/agent/instances/{id}/maintenance"));
                let method = if reason.is_some() { Method::PUT } else { Method::DELETE };
                (method, path, reason.as_ref().map(|reason| json!({"reason": reason})))
            }
            Write::Leave(_) => (Method::POST, "/v1/agent/leave".to_owned(), None),
            Write::Forget { node, .. } => {
                if self.board.ids()[*node].is_none() {
                    let why = format!("{} never ran, so nobody knows it", self.name(*node));
                    return Err(Failure::of(self.board.now(), step, &why, Vec::new()));
                }
                (Method::DELETE, format!("/v1/nodes/{}", self.scenario.nodes[*node].name), None)
            }
        };
        Ok(Request { method, path, body })
    }
}

/// Something was acknowledged.
fn done(board: &Rc<Board>, heartbeats: &Heartbeats, host: &Rc<dyn Host>, place: usize, write: &Write) {
    let mut promises = board.promises.borrow_mut();
    match write {
        Write::Register(_, registration) => {
            let id: &InstanceId = &registration.instance.id;
            promises.registered(place, id);
            for check in &registration.checks {
                let Some(ttl) = check.probe.ttl else { continue };
                heartbeats.begin(Program { place, instance: id.clone(), check: check.id.clone() }, ttl, Rc::clone(host));
            }
        }
        Write::Deregister(_, id) => promises.removed(place, id),
        Write::Maintenance { .. } | Write::Leave(_) | Write::Forget { .. } => {}
    }
}

/// What is wrong with an answer, if anything.
fn judge(answer: &Answer, reply: &Result<(StatusCode, String), String>) -> Option<String> {
    match (answer, reply) {
        (Answer::Done, Ok((status, _))) if status.is_success() => None,
        (Answer::Done, Ok((status, body))) => Some(format!("refused it: {status} {body}")),
        (Answer::Refused(text), Ok((status, body))) if !status.is_success() && body.contains(text.as_str()) => None,
        (Answer::Refused(text), Ok((status, body))) => Some(format!("was to refuse it because of {text:?}, and said {status} {body}")),
        (Answer::Never, Err(_)) => None,
        (Answer::Never, Ok((status, _))) => Some(format!("was to be gone before it could answer, and said {status}")),
        (Answer::Done | Answer::Refused(_), Err(error)) => Some(format!("did not answer: {error}")),
    }
}

/// A registration as it is written for the API.
fn definition(registration: &Registration) -> Value {
    let instance = &registration.instance;
    let checks: Vec<Value> = registration
        .checks
        .iter()
        .map(|check| {
            let ttl = check.probe.ttl.map(|ttl| format!("{}ms", ttl.as_millis()));
            json!({"id": check.id.as_str(), "ttl": ttl, "initial": check.initial.as_str(), "rise": check.rise, "fall": check.fall})
        })
        .collect();
    json!({
        "service": instance.service.as_str(),
        "addresses": instance.addresses,
        "port": instance.port,
        "protocol": instance.protocol.as_str(),
        "tags": instance.tags.iter().map(|tag| tag.as_str()).collect::<Vec<_>>(),
        "meta": instance.meta,
        "weight": instance.weight,
        "checks": checks,
    })
}
