//! What happened, told in a few lines: deeds, commands, and what agents tell their operators. No packets.

use std::fmt;

use super::{Deed, HostId, Seen, World};
use crate::{
    core::{io::Event, time::Moment},
    keyring::Keys,
    model::{Command, check::Subject},
};

/// One line of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// When.
    pub at: Moment,
    /// Where; the whole world where it is none.
    pub host: Option<String>,
    /// What.
    pub what: String,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>12} {:<8} {}", self.at.to_string(), self.host.as_deref().unwrap_or("*"), self.what)
    }
}

/// The line for something that was seen of a host, if it is worth one.
pub(super) fn line(world: &World, host: HostId, seen: &Seen<'_>) -> Option<Line> {
    // Two hosts may bear one name.
    let name = format!("{}@{}", world.host(host).options.node_name, host.0);
    Some(Line { at: world.now(), host: Some(name), what: what(seen, &world.host(host).options.keys)? })
}

fn what(seen: &Seen<'_>, keys: &Keys) -> Option<String> {
    Some(match seen {
        Seen::Started { life, contents } => format!("starts as {} in the life {life}", contents.node_id),
        Seen::Failed(why) => format!("does not run: {why}"),
        Seen::Ended => "ends".into(),
        Seen::ImageResumed { life, .. } => format!("is resumed from an image, in the life {life}"),
        Seen::FolderReplaced => "gets another data folder".into(),
        Seen::Done(deed) => match deed {
            Deed::Paused => "is paused".into(),
            Deed::Resumed => "goes on".into(),
            Deed::Frozen => "freezes".into(),
            Deed::Thawed => "thaws".into(),
            Deed::Readdressed => "has another address".into(),
            Deed::Disk(state) => format!("its disk is {state:?}"),
            Deed::Rekeyed => format!("is to encrypt as {} says, with the keys {:?}", keys.mode, keys.keyring.ids()),
        },
        Seen::Submitted { command, .. } => asked(command),
        Seen::Answered { command, reply: Err(refusal), .. } => format!("refuses to {}: {refusal}", asked(command)),
        Seen::Answered { .. } | Seen::Wrote | Seen::Changing(_) | Seen::Network | Seen::Took { .. } => return None,
        Seen::Told(event) => told(event)?,
    })
}

fn asked(command: &Command) -> String {
    match command {
        Command::Register(registration) => {
            format!("register {} of {}, port {}", registration.instance.id, registration.instance.service, registration.instance.port)
        }
        Command::Deregister { instance, .. } => format!("deregister {instance}"),
        Command::Verdict { subject, check, state } => format!("{check} of {subject} is {}", state.status),
        Command::Maintain { subject, reason } => {
            format!("{} maintenance of {subject}", if reason.is_some() { "begin" } else { "end" })
        }
        Command::Forget(node) => format!("forget {node}"),
        Command::Leave => "leave".into(),
        Command::Absent(grace) => format!("be away for {grace:?}"),
        other => format!("{other:?}"),
    }
}

fn told(event: &Event) -> Option<String> {
    Some(match event {
        Event::Member { name, state, .. } => format!("sees {name} {state}"),
        Event::Joined { members, .. } => format!("has joined, {members} members"),
        Event::Rejoined => "was taken for down, and is back".into(),
        Event::Refused { detail, by_us, .. } => format!("{}: {detail}", if *by_us { "refuses" } else { "is refused" }),
        Event::Climbed { now, cause, .. } => format!("goes on in the life {now}: {cause:?}"),
        Event::NotClimbed { why } => format!("can't take another generation: {why}"),
        Event::Stale { silent, nodes } => format!("drops what {nodes} others told, after {silent:?} without contact"),
        Event::NotHeardOf { nodes } => format!("waits no longer for {nodes:?}"),
        Event::Internal(what) => format!("goes wrong: {what}"),
        Event::Verdict { subject: Subject::Node, check, state } => format!("its check {check} is {}", state.status),
        Event::OtherVersion { from, version, .. } => format!("can't read what is of version {version}, from {from}"),
        Event::Dropped { .. } | Event::News { .. } | Event::JoinFailed { .. } | Event::Own { .. } | Event::Verdict { .. } => {
            return None;
        }
    })
}
