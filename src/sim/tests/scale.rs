//! How fast large worlds are, and what they take. Run by hand: `cargo test --profile sim --lib scale -- --ignored --nocapture`.

#![expect(clippy::print_stdout, reason = "whoever runs it reads what it found")]

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use super::{
    super::Conditions,
    cluster::{Cluster, seconds},
};

#[test]
#[ignore = "takes minutes"]
fn a_large_cluster_is_simulated_faster_than_it_lives() {
    let size: usize = std::env::var("TIDINGS_NODES").map_or(1_000, |n| n.parse().expect("a number"));
    let begun = worked();
    let mut cluster = Cluster::started(size, 1, Conditions::default());
    let hosts = cluster.hosts.clone();
    cluster.world.acquaint(&hosts);
    println!("acquainted after {:?}; {}", worked() - begun, memory());
    while !(cluster.world.all_agree() && cluster.shown_nodes(size - 1) == size) {
        cluster.world.run_for(seconds(1));
        println!("{}: {} of {size}, after {:?}", cluster.world.now(), cluster.shown_nodes(size - 1), worked() - begun);
        assert!(cluster.world.now().since_start() < seconds(600), "they do not agree");
    }
    println!("{size} nodes agree at {} after {:?}; {}", cluster.world.now(), worked() - begun, memory());
    let (begun, before, happened) = (worked(), cluster.traffic().octets(), cluster.world.planned());
    cluster.world.run_for(seconds(60));
    let (took, after) = ((worked() - begun).as_secs_f64(), cluster.traffic().octets());
    println!(
        "at rest: {:.1} times real time, {} happenings, {:.1} octets a second and node; {}",
        60.0 / took,
        cluster.world.planned() - happened,
        (after - before) as f64 / 60.0 / size as f64,
        memory()
    );
    assert!(60.0 / took > 20.0 || size > 1_000, "{:.1} times real time", 60.0 / took);
}

/// How long the processor has worked for this process: what else runs on the machine is not in it.
fn worked() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().find(|line| line.starts_with("VmRSS")).unwrap_or_default().to_owned()
}
