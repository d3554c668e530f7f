//! How this node and its instances are: verdicts of their checks, heartbeats of their programs, and maintenance.

use super::{
    Core,
    io::{CommandId, Event, Output},
    owner::Act,
    part::Write,
    time::Moment,
};
use crate::{
    model::{
        Check, CheckId, CheckOrder, CheckState, Done, Health, Refusal, Registration, StoreOp,
        check::Subject,
        node::NodeInfo,
        record::{Body, Key},
    },
    wire::body,
};

impl Core {
    /// The health of ours: of this node, or of one of its instances.
    pub(super) fn health_of(&self, subject: &Subject) -> Option<Health> {
        let (_, status) = self.own_part().get(&key_of(subject))?;
        body::decode_health(status).ok()
    }

    /// The health with which a definition begins: checks that are the same as before keep their state, and maintenance goes on.
    pub(super) fn health_of_new(&self, registration: &Registration) -> Health {
        let id = &registration.instance.id;
        let (Some(before), Some(registered)) = (self.health_of(&Subject::Instance(id.clone())), self.registered.get(id)) else {
            return Health::initial(&registration.checks);
        };
        let health = before.following(&registered.registration.checks, &registration.checks);
        Health { maintenance: before.maintenance, ..health }
    }

    /// A check came to a verdict. Everyone is told at once; the disk may take its time, or fail.
    pub(super) fn verdict(&mut self, now: Moment, id: CommandId, subject: Subject, check: CheckId, state: CheckState) {
        let Some(mut health) = self.health_of(&subject) else {
            return self.answer(id, Err(not_found(subject, check)));
        };
        match health.checks.get(&check) {
            None => return self.answer(id, Err(Refusal::NoSuchCheck(subject, check))),
            Some(before) if *before == state => return self.answer(id, Ok(Done::Unchanged)),
            Some(before) => {
                if before.status != state.status {
                    self.event(Event::Verdict { subject: subject.clone(), check: check.clone(), state: state.clone() });
                }
                health.checks.insert(check, state);
            }
        }
        let status = self.write_health(now, &subject, &health);
        let status = match &subject {
            Subject::Instance(instance) => self.health_to_store(instance, health),
            Subject::Node => status,
        };
        self.store(None, vec![StoreOp::Status { key: key_of(&subject), status }], Act::Nothing(Done::Unchanged));
        self.answer(id, Ok(Done::Noted));
    }

    /// Tells everyone. What it is as a body is for the disk.
    pub(super) fn write_health(&mut self, now: Moment, subject: &Subject, health: &Health) -> Body {
        let (key, status) = (key_of(subject), body::encode_health(health));
        if let Some(of) = self.own_part().definition_version(&key) {
            self.write(now, key, Write::Status { of, status: status.clone() });
        }
        status
    }

    /// A program says how something is. Those who run the checks judge it.
    pub(super) fn heartbeat(&mut self, id: CommandId, subject: Subject, check: CheckId, state: CheckState, output: String) {
        let Some(checks) = self.checks_of(&subject) else {
            return self.answer(id, Err(not_found(subject, check)));
        };
        match checks.iter().find(|known| known.id == check) {
            None => self.answer(id, Err(Refusal::NoSuchCheck(subject, check))),
            Some(known) if known.probe.ttl.is_none() => self.answer(id, Err(Refusal::NoHeartbeats(check))),
            Some(_) => {
                self.outputs.push_back(Output::Check(CheckOrder::Heartbeat { subject, check, state, output }));
                self.answer(id, Ok(Done::Noted));
            }
        }
    }

    fn checks_of(&self, subject: &Subject) -> Option<&[Check]> {
        match subject {
            Subject::Node => Some(&self.settings.node_checks),
            Subject::Instance(id) => Some(&self.registered.get(id)?.registration.checks),
        }
    }

    /// Takes an instance, or the whole node, out of discovery, or lets it back in: durable first.
    pub(super) fn maintain(&mut self, id: CommandId, subject: Subject, reason: Option<String>) {
        let Some(mut health) = self.health_of(&subject) else {
            if let Subject::Instance(instance) = subject {
                self.answer(id, Err(Refusal::NotFound(instance)));
            }
            return;
        };
        let key = key_of(&subject);
        let (op, stored) = match &subject {
            Subject::Instance(_) => {
                health.maintenance.clone_from(&reason);
                let stored = body::encode_health(&health);
                (StoreOp::Status { key, status: stored.clone() }, stored)
            }
            Subject::Node => {
                let info = NodeInfo { maintenance: reason.clone(), ..self.settings.info.clone() };
                let stored = body::encode_health(&health);
                (StoreOp::Put { key, definition: body::encode_node(&info), status: stored.clone() }, stored)
            }
        };
        self.store(Some(id), vec![op], Act::Maintain { subject, reason, stored });
    }

    /// It is on disk.
    pub(super) fn maintained(&mut self, now: Moment, subject: Subject, reason: Option<String>, stored: &Body) -> Done {
        let what = match &reason {
            Some(reason) => format!("in maintenance: {reason}"),
            None => "in maintenance no more".into(),
        };
        self.event(Event::Own { subject: subject.clone(), what });
        let Some(mut health) = self.health_of(&subject) else {
            return Done::Noted;
        };
        let status = match &subject {
            Subject::Instance(instance) => {
                health.maintenance = reason;
                self.write_health(now, &subject, &health);
                self.health_to_store(instance, health)
            }
            Subject::Node => {
                self.settings.info.maintenance = reason;
                self.write(now, Key::node(), self.node_record());
                body::encode_health(&health)
            }
        };
        self.store_if_other(key_of(&subject), status, stored);
        Done::Noted
    }
}

fn key_of(subject: &Subject) -> Key {
    match subject {
        Subject::Node => Key::node(),
        Subject::Instance(id) => Key::instance(id),
    }
}

/// The node itself is there always, but for a moment at its start.
fn not_found(subject: Subject, check: CheckId) -> Refusal {
    match subject {
        Subject::Instance(id) => Refusal::NotFound(id),
        Subject::Node => Refusal::NoSuchCheck(subject, check),
    }
}
