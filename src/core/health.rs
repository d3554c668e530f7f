//! How this node's instances are: verdicts of their checks, heartbeats of their programs, and maintenance.

use super::{
    Core,
    io::{CommandId, Event, Output},
    owner::Act,
    part::Write,
    time::Moment,
};
use crate::{
    model::{CheckId, CheckOrder, CheckState, Done, Health, InstanceId, Refusal, Registration, StoreOp, check::Probe, record::Key},
    wire::body,
};

impl Core {
    /// The health of one of our instances.
    pub(super) fn health_of(&self, instance: &InstanceId) -> Option<Health> {
        let (_, status) = self.own_part().get(&Key::instance(instance))?;
        body::decode_health(status).ok()
    }

    /// The health with which a definition begins: checks that are the same as before keep their state, and maintenance goes on.
    pub(super) fn health_of_new(&self, registration: &Registration) -> Health {
        let mut health = registration.initial_health();
        let id = &registration.instance.id;
        let (Some(before), Some(registered)) = (self.health_of(id), self.registered.get(id)) else {
            return health;
        };
        for check in &registration.checks {
            if registered.registration.checks.contains(check)
                && let Some(state) = before.checks.get(&check.id)
            {
                health.checks.insert(check.id.clone(), state.clone());
            }
        }
        health.maintenance = before.maintenance;
        health
    }

    /// A check came to a verdict. Everyone is told at once; the disk may take its time, or fail.
    pub(super) fn verdict(&mut self, now: Moment, id: CommandId, instance: &InstanceId, check: CheckId, state: CheckState) {
        let Some(mut health) = self.health_of(instance) else {
            return self.answer(id, Err(Refusal::NotFound(instance.clone())));
        };
        match health.checks.get(&check) {
            None => return self.answer(id, Err(Refusal::NoSuchCheck(check))),
            Some(before) if *before == state => return self.answer(id, Ok(Done::Unchanged)),
            Some(before) => {
                if before.status != state.status {
                    self.event(Event::Verdict { instance: instance.clone(), check: check.clone(), state: state.clone() });
                }
                health.checks.insert(check, state);
            }
        }
        self.write_health(now, instance, &health);
        let (key, status) = (Key::instance(instance), body::encode_health(&health));
        self.store(None, vec![StoreOp::Status { key, status }], Act::Nothing(Done::Unchanged));
        self.answer(id, Ok(Done::Noted));
    }

    fn write_health(&mut self, now: Moment, instance: &InstanceId, health: &Health) {
        let key = Key::instance(instance);
        if let Some(of) = self.own_part().definition_version(&key) {
            self.write(now, key, Write::Status { of, status: body::encode_health(health) });
        }
    }

    /// A program says how its instance is. Those who run the checks judge it.
    pub(super) fn heartbeat(&mut self, id: CommandId, instance: InstanceId, check: CheckId, state: CheckState, output: String) {
        let Some(registered) = self.registered.get(&instance) else {
            return self.answer(id, Err(Refusal::NotFound(instance)));
        };
        match registered.registration.checks.iter().find(|known| known.id == check) {
            None => self.answer(id, Err(Refusal::NoSuchCheck(check))),
            Some(known) if !matches!(known.probe, Probe::Ttl { .. }) => self.answer(id, Err(Refusal::NoHeartbeats(check))),
            Some(_) => {
                self.outputs.push_back(Output::Check(CheckOrder::Heartbeat { instance, check, state, output }));
                self.answer(id, Ok(Done::Noted));
            }
        }
    }

    /// Takes an instance, or the whole node, out of discovery, or lets it back in: durable first.
    pub(super) fn maintain(&mut self, id: CommandId, instance: Option<InstanceId>, reason: Option<String>) {
        let (op, stored) = match &instance {
            Some(instance) => {
                let Some(mut health) = self.health_of(instance) else {
                    return self.answer(id, Err(Refusal::NotFound(instance.clone())));
                };
                health.maintenance.clone_from(&reason);
                let (key, status) = (Key::instance(instance), body::encode_health(&health));
                (StoreOp::Status { key, status: status.clone() }, status)
            }
            None => {
                let info = crate::model::node::NodeInfo { maintenance: reason.clone(), ..self.settings.info.clone() };
                let status = body::encode_health(&Health::default());
                (StoreOp::Put { key: Key::node(), definition: body::encode_node(&info), status: status.clone() }, status)
            }
        };
        self.store(Some(id), vec![op], Act::Maintain { instance, reason, stored });
    }

    /// It is on disk.
    pub(super) fn maintained(
        &mut self,
        now: Moment,
        instance: Option<InstanceId>,
        reason: Option<String>,
        stored: &crate::model::record::Body,
    ) -> Done {
        let what = match &reason {
            Some(reason) => format!("in maintenance: {reason}"),
            None => "in maintenance no more".into(),
        };
        self.event(Event::Instance { id: instance.clone(), what });
        let Some(instance) = instance else {
            self.settings.info.maintenance = reason;
            self.write(now, Key::node(), self.node_record());
            return Done::Noted;
        };
        if let Some(mut health) = self.health_of(&instance) {
            health.maintenance = reason;
            self.write_health(now, &instance, &health);
            self.store_if_other(Key::instance(&instance), body::encode_health(&health), stored);
        }
        Done::Noted
    }
}
