//! Hours in which nobody dies, and nobody must be taken for down.

use std::time::Duration;

use super::{cluster::Cluster, faults::Disturbance};

/// Whoever stands still for no longer is healthy.
const PAUSE_MS: (u64, u64) = (300, 1_000);
/// For so many node-hours without a victim, the rate of victims is below this share of one in that time, with 95 % confidence (the rule of
/// three: e^-3 is 0.05).
const THREE: f64 = 3.0;

/// What happens in a world: of four, two are left in peace, in one a twentieth of the processes stand still now and then for up to a
/// second, and in one the hosts do.
pub(crate) fn disturbance(seed: u64) -> Disturbance {
    match seed % 4 {
        2 => Disturbance::Pauses(PAUSE_MS.0, PAUSE_MS.1),
        3 => Disturbance::Freezes(PAUSE_MS.0, PAUSE_MS.1),
        _ => Disturbance::None,
    }
}

/// Runs a world for each seed, and tells of each. Gives how many victims there were.
pub(crate) fn run(n: usize, loss: f64, seeds: impl Iterator<Item = u64>, time: Duration, tell: &mut dyn FnMut(String)) -> usize {
    let (mut hours, mut victims, mut suspicions) = (0.0, 0, 0);
    for seed in seeds {
        let mut cluster = Cluster::settled(n, seed, loss);
        let what = disturbance(seed);
        cluster.disturb(what, time);
        // What was begun comes to its end.
        cluster.pass(Duration::from_secs(10));
        let (others, disturbed) = cluster.victims();
        let found = others.len() + disturbed.len();
        let counted = cluster.counted();
        hours += counted.seconds / 3_600.0;
        victims += found;
        suspicions += counted.suspicions;
        let rate = counted.octets as f64 / counted.seconds;
        tell(format!(
            "seed {seed}, {what}: {found} victims, {} suspicions, {rate:.0} octets/s; {victims} victims in {hours:.0} node-hours by now",
            counted.suspicions
        ));
        cluster.stories().into_iter().for_each(|story| tell(format!("  {story}")));
    }
    let bound = if victims == 0 {
        format!("fewer than one in {:.0} node-hours, with 95 % confidence", hours / THREE)
    } else {
        "the promise is broken".to_owned()
    };
    tell(format!(
        "{n} agents, {:.0} % lost each way: {victims} victims, {suspicions} suspicions in {hours:.0} node-hours: {bound}",
        loss * 100.0
    ));
    victims
}
