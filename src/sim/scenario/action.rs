//! What is done in a step.

use std::time::Duration;

use super::{
    cast::{Cast, Nodes},
    fields::Fields,
    keys::{self, Table},
    network::{self, Link, NetworkChange, Way},
    secrets::{self, KeyChange},
    write::{self, Answer, Write},
};
use crate::model::{InstanceId, Status};

/// Groups of a partition.
pub const PARTS: usize = 100;

/// What is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Agents are started; a host that lost its power boots first.
    Start(Nodes),
    /// Agents get SIGTERM.
    Stop(Nodes),
    /// Agents get SIGKILL.
    Kill(Nodes),
    /// Agents get SIGTERM, and are started again when they have ended.
    Restart(Nodes),
    /// Agents get SIGSTOP: their hosts' kernels go on.
    Pause(Nodes),
    /// Agents get SIGCONT.
    Resume(Nodes),
    /// Hosts do nothing for a while, their kernels neither.
    Freeze(Nodes, Duration),
    /// Hosts sleep for a while. Their clocks know of it afterwards.
    Suspend(Nodes, Duration),
    /// Hosts lose their power: what was not on disk is lost.
    LosePower(Nodes),
    /// Nodes in different parts do not reach each other; those in none are one more part. It replaces an earlier one.
    Partition(Vec<Nodes>),
    /// What some send to others is lost.
    Cut(Way),
    /// Partitions and cuts end.
    Heal,
    /// The network is another one from now on.
    Network(NetworkChange),
    /// A link is another one from now on.
    Link(Link),
    /// Hosts get addresses that nobody had before.
    ChangeAddress(Nodes),
    /// A host gets the address that another one has given up.
    TakeAddress {
        /// Who gets it.
        node: usize,
        /// Whose it was.
        of: usize,
    },
    /// A data folder is copied onto another host, in place of what is there.
    CopyData {
        /// Whose.
        from: usize,
        /// Where to.
        to: usize,
    },
    /// Data folders are copied aside.
    Backup(Nodes),
    /// The last copies take the places of data folders.
    Restore(Nodes),
    /// Data folders are emptied.
    Wipe(Nodes),
    /// Disks are so from now on.
    Disk(Nodes, Disk),
    /// Programs behind instances are so from now on, as their checks find out.
    Health {
        /// On which hosts.
        nodes: Nodes,
        /// Behind which instance.
        instance: InstanceId,
        /// How they are.
        status: Status,
    },
    /// Keys of agents, or how far their encryption is turned on, are others from now on.
    Keys(Nodes, KeyChange),
    /// Somebody on the way records from now on what some send to others.
    Record(Way),
    /// What was recorded is said again.
    Replay {
        /// To whom.
        to: Nodes,
        /// From whose addresses; from those that it was recorded from, where nobody is named.
        from: Option<Nodes>,
    },
    /// Agents are told to write something.
    Write(Write, Answer),
}

/// How a disk is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disk {
    /// It takes what it is given, at once.
    Healthy,
    /// It takes nothing more.
    Full,
    /// Each write takes so long.
    Slow(Duration),
}

/// Reads the action under its key in a step.
pub(super) fn read(step: &Fields<'_>, table: &'static Table, cast: &Cast) -> Option<Action> {
    let key = table.name;
    if keys::WRITES.contains(&key) {
        let answer = write::answer(step);
        return Some(Action::Write(write::read(step, table, cast)?, answer));
    }
    let some = |action: fn(Nodes) -> Action| cast.nodes(step, key).map(action);
    match key {
        "start" => some(Action::Start),
        "stop" => some(Action::Stop),
        "kill" => some(Action::Kill),
        "restart" => some(Action::Restart),
        "pause" => some(Action::Pause),
        "resume" => some(Action::Resume),
        "lose_power" => some(Action::LosePower),
        "change_address" => some(Action::ChangeAddress),
        "backup" => some(Action::Backup),
        "restore" => some(Action::Restore),
        "wipe" => some(Action::Wipe),
        "partition" => partition(step, cast),
        "heal" => match step.yes_or_no(key)? {
            true => Some(Action::Heal),
            false => {
                step.flaw(key, "is false; leave the step out, or write heal = true");
                None
            }
        },
        _ => in_table(key, &step.inner(table)?, cast),
    }
}

fn in_table(key: &str, fields: &Fields<'_>, cast: &Cast) -> Option<Action> {
    match key {
        "freeze" | "suspend" => {
            let nodes = cast.some_nodes(fields, "nodes");
            fields.required("for");
            let (time, nodes) = (fields.duration("for")?, nodes?);
            Some(if key == "freeze" { Action::Freeze(nodes, time) } else { Action::Suspend(nodes, time) })
        }
        "cut" => network::way(fields, cast).map(Action::Cut),
        "add_key" | "use_key" | "remove_key" | "encryption" => {
            secrets::change(key, fields, cast).map(|(nodes, change)| Action::Keys(nodes, change))
        }
        "record" => network::way(fields, cast).map(Action::Record),
        "replay" => {
            let (to, from) = (cast.some_nodes(fields, "to"), cast.nodes(fields, "from"));
            (from.is_some() || !fields.has("from")).then_some(Action::Replay { to: to?, from })
        }
        "network" => Some(Action::Network(network::change(fields))),
        "link" => network::link(fields, cast).map(Action::Link),
        "take_address" => {
            let (node, of) = cast.two(fields, ["node", "of"])?;
            Some(Action::TakeAddress { node, of })
        }
        "copy_data" => {
            let (from, to) = cast.two(fields, ["from", "to"])?;
            Some(Action::CopyData { from, to })
        }
        "health" => {
            let nodes = cast.some_nodes(fields, "nodes");
            fields.required("id");
            let instance = fields.name("id", InstanceId::new);
            fields.required("status");
            let status = fields.parsed("status", |text| {
                let known = [Status::Passing, Status::Warning, Status::Critical].into_iter().find(|status| status.as_str() == text);
                known.ok_or_else(|| format!(r#"is {text:?}; a program is "passing", "warning" or "critical""#))
            });
            Some(Action::Health { nodes: nodes?, instance: instance?, status: status? })
        }
        "disk" => {
            let (nodes, disk) = (cast.some_nodes(fields, "nodes"), disk(fields));
            Some(Action::Disk(nodes?, disk?))
        }
        other => unreachable!("{other} is an action without a reader"),
    }
}

fn disk(fields: &Fields<'_>) -> Option<Disk> {
    fields.required("state");
    let state = fields.text("state")?;
    let takes = fields.duration("write_takes");
    if state != "slow" && fields.has("write_takes") {
        fields.flaw("write_takes", "is for a disk that is slow");
    }
    match state {
        "healthy" => Some(Disk::Healthy),
        "full" => Some(Disk::Full),
        "slow" => {
            fields.required("write_takes");
            takes.map(Disk::Slow)
        }
        other => {
            fields.flaw("state", format!(r#"is {other:?}; a disk is "healthy", "full" or "slow""#));
            None
        }
    }
}

fn partition(step: &Fields<'_>, cast: &Cast) -> Option<Action> {
    let key = "partition";
    let items = step.list(key, PARTS)?;
    if items.is_empty() {
        step.flaw(key, "has no parts; write some nodes for each, those in none are one more");
    }
    let parts: Vec<Nodes> = items.iter().filter_map(|(at, value)| cast.nodes_at(step.flaws(), at, value)).collect();
    if parts.len() < items.len() || items.is_empty() {
        return None;
    }
    let mut seen = Vec::new();
    for (part, (at, _)) in parts.iter().zip(&items) {
        let twice: Nodes = part.iter().filter(|node| seen.contains(node)).collect();
        if !twice.is_empty() {
            step.flaws().add(at, format!("has {}, which another part has, too", cast.said(&twice)));
        }
        seen.extend(part.iter());
    }
    if parts.len() == 1 && seen.len() == cast.names.len() {
        step.flaw(key, "has all nodes in one part");
    }
    Some(Action::Partition(parts))
}
