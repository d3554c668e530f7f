//! What agents were told to write, and how they must answer.

use std::{collections::BTreeMap, time::Duration};

use super::{Player, agenda::Due, outcome::Failure};
use crate::{
    core::{io::CommandId, time::Moment},
    model::{Command, check::Subject, command::Cause},
    sim::{
        HostId,
        scenario::{
            Step,
            write::{Answer, Write},
        },
    },
};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Writes that are not answered yet.
#[derive(Debug, Default)]
pub(super) struct Writes<'s> {
    open: BTreeMap<CommandId, Open<'s>>,
}

#[derive(Debug)]
struct Open<'s> {
    host: HostId,
    step: &'s Step,
    answer: &'s Answer,
    deadline: Moment,
}

impl Writes<'_> {
    /// When it is known of the last of them how it was answered.
    pub(super) fn last_deadline(&self) -> Option<Moment> {
        self.open.values().map(|open| open.deadline).max()
    }
}

impl<'s> Player<'s> {
    /// Tells agents to write.
    pub(super) fn write(&mut self, step: &'s Step, write: &Write, answer: &'s Answer) -> Result<(), Failure> {
        let deadline = self.world.now() + PATIENCE;
        for host in write.asked().iter().map(HostId) {
            let command = match write {
                Write::Leave(_) => self.world.leave(host),
                other => {
                    let command = self.command(step, other)?;
                    self.world.submit(host, command)
                }
            };
            let Some(command) = command else {
                return Err(self.not_running(step, host));
            };
            self.writes.open.insert(command, Open { host, step, answer, deadline });
            self.agenda.add(deadline, Due::Answer(command));
        }
        Ok(())
    }

    fn command(&self, step: &Step, write: &Write) -> Result<Command, Failure> {
        Ok(match write {
            Write::Register(_, registration) => Command::Register((**registration).clone()),
            Write::Deregister(_, instance) => Command::Deregister { instance: instance.clone(), cause: Cause::Asked },
            Write::Maintenance { instance, reason, .. } => {
                Command::Maintain { subject: instance.clone().map_or(Subject::Node, Subject::Instance), reason: reason.clone() }
            }
            Write::Leave(_) => Command::Leave,
            Write::Forget { node, .. } => {
                let id = self.ids[*node].ok_or_else(|| {
                    let why = format!("{} never ran, so nobody knows it", self.name(HostId(*node)));
                    Failure::of(self.world.now(), step, &why, Vec::new())
                })?;
                Command::Forget(id)
            }
        })
    }

    /// An answer came.
    pub(super) fn judge_answer(&mut self, command: CommandId) -> Result<(), Failure> {
        let Some(open) = self.writes.open.remove(&command) else { return Ok(()) };
        let Some((reply, at)) = self.world.reply(command) else { return Ok(()) };
        let name = self.name(open.host);
        let why = match (open.answer, reply) {
            (Answer::Done, Ok(_)) => return Ok(()),
            (Answer::Refused(text), Err(refusal)) if refusal.to_string().contains(text.as_str()) => return Ok(()),
            (Answer::Done, Err(refusal)) => format!("{name} refused it: {refusal}"),
            (Answer::Refused(text), Err(refusal)) => format!("{name} refused it, but not because of {text:?}: {refusal}"),
            (Answer::Refused(text), Ok(_)) => format!("{name} did it, and was to refuse it because of {text:?}"),
            (Answer::Never, reply) => {
                let reply = reply.as_ref().map_or_else(|refusal| format!("refused it: {refusal}"), |_| "did it".to_owned());
                format!("{name} was to be gone before it could answer, and {reply}")
            }
        };
        Err(Failure::of(*at, open.step, &why, Vec::new()))
    }

    /// An answer must have come by now, unless none was to come.
    pub(super) fn miss_answer(&mut self, command: CommandId) -> Result<(), Failure> {
        let Some(open) = self.writes.open.remove(&command).filter(|open| *open.answer != Answer::Never) else { return Ok(()) };
        let why = format!("{} has not answered for {} s", self.name(open.host), PATIENCE.as_secs());
        Err(Failure::of(self.world.now(), open.step, &why, Vec::new()))
    }
}
