//! What files define: instances and the checks of the node, put into effect as a whole.

use std::collections::BTreeSet;

use super::{
    Core,
    io::{CommandId, Output},
    owner::{Act, Pending, removal_of},
    time::Moment,
};
use crate::{
    model::{
        Check, CheckOrder, Done, Health, InstanceId, Refusal, Registration, StoreOp,
        check::{Subject, check_flaws},
        limits,
        record::{Body, Key},
    },
    wire::body,
};

impl Core {
    /// Makes what files define be what they define now. It is one write to disk, so it happens as a whole or not at all.
    pub(super) fn configure(&mut self, id: CommandId, services: Vec<Registration>, checks: Vec<Check>) {
        match self.plan_configuration(services, checks) {
            Ok((ops, acts)) => self.store(Some(id), ops, Act::Configure(acts)),
            Err(refusal) => self.answer(id, Err(refusal)),
        }
    }

    fn plan_configuration(&self, services: Vec<Registration>, checks: Vec<Check>) -> Result<(Vec<StoreOp>, Vec<Act>), Refusal> {
        let flaws = check_flaws("/check", &checks);
        if !flaws.is_empty() {
            return Err(Refusal::Invalid(flaws));
        }
        let instances = self.instances_to_be();
        let defined: BTreeSet<InstanceId> = services.iter().map(|registration| registration.instance.id.clone()).collect();
        let stay = |(id, registration): &(&&InstanceId, &&Registration)| registration.file.is_none() && !defined.contains(**id);
        if instances.iter().filter(stay).count() + defined.len() > limits::INSTANCES_PER_NODE {
            return Err(Refusal::Full { limit: limits::INSTANCES_PER_NODE });
        }
        let (mut ops, mut acts) = (Vec::new(), Vec::new());
        for (id, registration) in instances {
            if registration.file.is_some() && !defined.contains(id) {
                ops.extend(removal_of(id));
                acts.push(Act::Remove(id.clone()));
            }
        }
        for registration in services {
            if let Some((of_it, act)) = self.plan(registration)? {
                ops.extend(of_it);
                acts.push(act);
            }
        }
        if checks != self.node_checks_to_be() {
            let stored = body::encode_health(&self.node_health_with(&checks));
            ops.push(StoreOp::Status { key: Key::node(), status: stored.clone() });
            acts.push(Act::Watch { checks, stored });
        }
        Ok((ops, acts))
    }

    fn node_checks_to_be(&self) -> &[Check] {
        self.pending.iter().rev().find_map(Pending::watches).unwrap_or(&self.settings.node_checks)
    }

    /// It is on disk.
    pub(super) fn configured(&mut self, now: Moment, acts: Vec<Act>) -> Done {
        let (mut created, mut replaced, mut removed) = (0, 0, 0);
        for act in acts {
            match self.take_effect(now, act) {
                Done::Created => created += 1,
                Done::Replaced => replaced += 1,
                Done::Removed => removed += 1,
                Done::Unchanged | Done::Noted | Done::Configured { .. } | Done::Announced { .. } => {}
            }
        }
        Done::Configured { created, replaced, removed }
    }

    fn node_health_with(&self, checks: &[Check]) -> Health {
        self.health_of(&Subject::Node).unwrap_or_default().following(&self.settings.node_checks, checks)
    }

    /// The checks of the node are others now.
    pub(super) fn node_watched(&mut self, now: Moment, checks: Vec<Check>, stored: &Body) -> Done {
        let health = self.node_health_with(&checks);
        self.settings.node_checks = checks;
        let status = self.write_health(now, &Subject::Node, &health);
        self.watch_node(health);
        self.store_if_other(Key::node(), status, stored);
        Done::Noted
    }

    /// Has the checks of the node run.
    pub(super) fn watch_node(&mut self, health: Health) {
        let checks = self.settings.node_checks.clone();
        self.outputs.push_back(Output::Check(CheckOrder::Start { subject: Subject::Node, checks, deregister_after: None, health }));
    }
}
