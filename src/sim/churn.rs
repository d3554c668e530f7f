//! Churn: agents restart one after the other, in each way in which agents end.

use std::{collections::BTreeSet, time::Duration};

use rand::{RngExt as _, rngs::StdRng};

use super::{Cluster, HostId, Views};
use crate::core::time::Moment;

/// How long an agent is away at least and at most, in milliseconds; an announced absence may last 15 s.
const AWAY_MS: (u64, u64) = (1_000, 10_000);
/// Between two looks at whether an agent has ended.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How an agent ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// SIGKILL.
    Killed,
    /// SIGTERM: it takes its leave.
    Leaving,
    /// SIGTERM with `--on-term restart`: it announces a short absence.
    Restarting,
    /// Its host loses power.
    HostLost,
}

impl End {
    /// How processes end while their hosts go on.
    pub const PROCESSES: [End; 3] = [End::Killed, End::Leaving, End::Restarting];
}

/// Agents drawn at random end, one each so often, in ways drawn from `ends`, and are started again one to ten seconds later.
/// It is over when the last of so many is there again.
///
/// # Panics
/// When an agent can't be started again: its data folder is sound.
pub fn churn(cluster: &mut Cluster, views: &Views, rng: &mut StdRng, every: Duration, restarts: usize, ends: &[End]) {
    let begun = cluster.world.now();
    let mut away: BTreeSet<(Moment, HostId)> = BTreeSet::new();
    let mut ended = 0;
    while ended < restarts || !away.is_empty() {
        let next_end = begun + every * u32::try_from(ended).expect("not so many");
        let back = away.first().copied().filter(|(at, _)| ended == restarts || *at <= next_end);
        let Some((at, host)) = back else {
            views.run_until(&mut cluster.world, next_end);
            let host = draw(cluster, rng, |host| away.iter().all(|(_, other)| *other != host));
            end(cluster, host, ends[rng.random_range(0..ends.len())]);
            away.insert((next_end + Duration::from_millis(rng.random_range(AWAY_MS.0..=AWAY_MS.1)), host));
            ended += 1;
            continue;
        };
        away.remove(&(at, host));
        views.run_until(&mut cluster.world, at);
        if cluster.world.host(host).process.is_some() {
            away.insert((at + LOOK_EVERY, host));
        } else {
            cluster.world.start(host).expect("its folder is sound");
        }
    }
}

/// One of those that are there.
fn draw(cluster: &Cluster, rng: &mut StdRng, is_there: impl Fn(HostId) -> bool) -> HostId {
    loop {
        let host = cluster.hosts[rng.random_range(0..cluster.hosts.len())];
        if is_there(host) {
            return host;
        }
    }
}

fn end(cluster: &mut Cluster, host: HostId, how: End) {
    match how {
        End::Killed => cluster.world.kill(host),
        End::Leaving => drop(cluster.world.terminate(host, false)),
        End::Restarting => drop(cluster.world.terminate(host, true)),
        End::HostLost => cluster.world.lose_power(host),
    }
}
