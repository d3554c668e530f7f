//! What a seed draws before anything happens.

use std::{fmt, time::Duration};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use super::super::{Conditions, Latency};
use crate::{model::encryption::Mode, wire::Versions};

/// What may occur in a world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Instances are registered, and registered anew.
    Register,
    /// Instances are deregistered.
    Deregister,
    /// Programs fail and recover.
    Health,
    /// Instances and nodes go into maintenance.
    Maintenance,
    /// Processes are killed, and start again.
    Kill,
    /// Agents are told to end and to come back.
    Restart,
    /// Hosts lose power, and start again.
    Power,
    /// Processes stand still for a while.
    Pause,
    /// Hosts stand still for a while.
    Freeze,
    /// The network falls apart for a while.
    Partition,
    /// What some send to others is lost for a while.
    OneWay,
    /// Much is lost for a while.
    Burst,
    /// Disks are full, or slow, for a while.
    Disk,
    /// Nodes leave, and some come back.
    Leave,
    /// Nodes that are down are forgotten.
    Forget,
    /// Hosts change their addresses.
    Readdress,
    /// Two hosts bear one name.
    NameTwice,
    /// Data folders are restored from backups.
    Backup,
    /// Hosts stay off for so long that they are reaped.
    LongGone,
    /// Hosts are resumed from images of their memory and their disk, some of them twice.
    Image,
    /// Data folders are copied onto other hosts, and agents run on both.
    Copy,
    /// Encryption is turned on, keys are changed, and it is turned off again.
    Keys,
    /// What somebody recorded is said again.
    Replay,
    /// All agents end at once, and start again at some moments.
    RestartAll,
}

/// How gossip is encrypted in a world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Encrypted {
    /// The mode in which everybody begins; with [`Mode::Off`] without a key.
    pub begins: Mode,
    /// Somebody who is not to get in.
    pub stranger: Option<Stranger>,
}

/// One host more, that joins by the others and is none of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stranger {
    /// It has no key.
    Keyless,
    /// It has a key with another id.
    OtherKey,
    /// It has another key with the same id.
    SameId,
    /// It has the key, and is of another cluster.
    OtherCluster,
    /// It has the key, and speaks later versions of the wire format alone.
    OtherVersion,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 24] = [
        Kind::Register,
        Kind::Deregister,
        Kind::Health,
        Kind::Maintenance,
        Kind::Kill,
        Kind::Restart,
        Kind::Power,
        Kind::Pause,
        Kind::Freeze,
        Kind::Partition,
        Kind::OneWay,
        Kind::Burst,
        Kind::Disk,
        Kind::Leave,
        Kind::Forget,
        Kind::Readdress,
        Kind::NameTwice,
        Kind::Backup,
        Kind::LongGone,
        Kind::Image,
        Kind::Copy,
        Kind::Keys,
        Kind::Replay,
        Kind::RestartAll,
    ];
}

impl Kind {
    /// Whether it is what users of a registry do, rather than what befalls it.
    pub fn is_work(self) -> bool {
        matches!(self, Kind::Register | Kind::Deregister | Kind::Health | Kind::Maintenance)
    }
}

/// A world, before it begins.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// All else follows from it.
    pub seed: u64,
    /// How many hosts there are.
    pub hosts: usize,
    /// How packets fare.
    pub conditions: Conditions,
    /// What may occur.
    pub kinds: Vec<Kind>,
    /// Between two deeds, on average.
    pub pace: Duration,
    /// How long deeds are done.
    pub lasts: Duration,
    /// How long nodes that are gone are remembered: R.
    pub reap_after: Duration,
    /// How gossip is encrypted, if it is.
    pub encrypted: Option<Encrypted>,
    /// The versions of the wire format that agents speak: each start is one of these releases. Any two of them have a version in common.
    pub releases: Vec<Versions>,
}

impl Options {
    /// What a seed draws.
    pub fn draw(seed: u64) -> Options {
        let mut rng = StdRng::seed_from_u64(seed);
        let hosts = rng.random_range(2..=6);
        let chance = |rng: &mut StdRng, share: f64, most: f64| if rng.random_bool(share) { rng.random_range(0.0..most) } else { 0.0 };
        let conditions = Conditions {
            latency: Latency::Tail(Duration::from_micros(300), Duration::from_micros(rng.random_range(100..5_000))),
            loss: chance(&mut rng, 0.6, 0.3),
            duplicate: chance(&mut rng, 0.4, 0.1),
            reorder: chance(&mut rng, 0.5, 0.4),
            held_up: Latency::Between(Duration::from_millis(1), Duration::from_millis([20, 100, 800][rng.random_range(0..3_usize)])),
            ..Conditions::default()
        };
        let often =
            Kind::ALL.into_iter().filter(|kind| !matches!(kind, Kind::Image | Kind::Copy | Kind::Keys | Kind::Replay | Kind::RestartAll));
        let mut kinds: Vec<Kind> = often.filter(|kind| *kind == Kind::Register || rng.random_bool(0.45)).collect();
        if rng.random_bool(0.7) {
            kinds.retain(|kind| *kind != Kind::NameTwice);
        }
        let pace = Duration::from_millis([20, 100, 400, 1_500][rng.random_range(0..4_usize)]);
        let lasts = (pace * rng.random_range(60..250)).clamp(Duration::from_secs(5), Duration::from_secs(120));
        let reap_after = Duration::from_secs(if rng.random_bool(0.5) { 240 } else { 24 * 3_600 });
        // Drawn last: without them a seed is the world that it was before there were any.
        kinds.extend([Kind::Image, Kind::Copy].into_iter().filter(|_| rng.random_bool(0.15)));
        // Names that are borne twice have worlds of their own: who holds one is found out by few of them.
        let mut encrypted = rng.random_bool(0.35).then(|| draw_encrypted(&mut rng));
        if kinds.contains(&Kind::NameTwice) {
            encrypted = None;
        } else {
            kinds.extend((encrypted.is_some() && rng.random_bool(0.7)).then_some(Kind::Keys));
            kinds.extend(rng.random_bool(if encrypted.is_some() { 0.6 } else { 0.15 }).then_some(Kind::Replay));
        }
        kinds.extend(rng.random_bool(0.3).then_some(Kind::RestartAll));
        let releases = draw_releases(&mut rng);
        if rng.random_bool(0.2) {
            encrypted.iter_mut().flat_map(|encrypted| &mut encrypted.stranger).for_each(|stranger| *stranger = Stranger::OtherVersion);
        }
        Options { seed, hosts, conditions, kinds, pace, lasts, reap_after, encrypted, releases }
    }

    /// Whether something may occur.
    pub fn has(&self, kind: Kind) -> bool {
        self.kinds.contains(&kind)
    }
}

fn draw_encrypted(rng: &mut StdRng) -> Encrypted {
    let begins = [Mode::Off, Mode::Accept, Mode::Require, Mode::Require, Mode::Require][rng.random_range(0..5_usize)];
    let strangers = [Stranger::Keyless, Stranger::OtherKey, Stranger::SameId, Stranger::OtherCluster];
    let stranger = (begins == Mode::Require && rng.random_bool(0.5)).then(|| strangers[rng.random_range(0..4_usize)]);
    Encrypted { begins, stranger }
}

fn draw_releases(rng: &mut StdRng) -> Vec<Versions> {
    let mixed: [&[(u16, u16)]; 4] = [&[(1, 1), (1, 2)], &[(1, 2), (2, 3)], &[(1, 1), (1, 2), (1, 4)], &[(1, 3), (2, 3), (3, 5)]];
    match rng.random_bool(0.3) {
        true => mixed[rng.random_range(0..mixed.len())].iter().map(|versions| Versions::from(*versions)).collect(),
        false => vec![Versions::SPOKEN],
    }
}

impl fmt::Display for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Options { seed, hosts, conditions, kinds, pace, lasts, reap_after, encrypted, releases } = self;
        write!(
            f,
            "seed {seed}: {hosts} hosts, loss {:.2}, duplication {:.2}, reordering {:.2}, a deed each {pace:?} for {lasts:?}, reaped after {reap_after:?}, kinds {kinds:?}",
            conditions.loss, conditions.duplicate, conditions.reorder
        )?;
        encrypted.map_or(Ok(()), |encrypted| write!(f, ", {encrypted:?}"))?;
        if releases.len() > 1 {
            f.write_str(", versions")?;
            releases.iter().try_for_each(|versions| write!(f, " {}-{}", versions.lowest, versions.highest))?;
        }
        Ok(())
    }
}
