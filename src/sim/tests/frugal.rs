//! What agents do not send.

use super::{
    super::{Conditions, Sent},
    cluster::{Cluster, seconds},
};
use crate::wire::message::kind;

fn sent(cluster: &Cluster, kind: u8) -> Sent {
    cluster.world.network.sent.get(&kind).copied().unwrap_or_default()
}

#[test]
fn at_rest_agents_send_probes_and_their_answers_and_nothing_else() {
    const SIZE: usize = 50;
    let mut cluster = Cluster::new(SIZE, 1, Conditions::default());
    cluster.start_acquainted();
    cluster.world.run_for(seconds(20));
    let (octets, others) = (cluster.traffic().octets(), sent(&cluster, kind::FOCA).count + sent(&cluster, kind::DIGEST).count);
    cluster.world.run_for(seconds(60));
    let rate = (cluster.traffic().octets() - octets) as f64 / 60.0 / SIZE as f64;
    assert!((100.0..185.0).contains(&rate), "{rate:.1} octets a second and agent");
    assert_eq!(sent(&cluster, kind::FOCA).count + sent(&cluster, kind::DIGEST).count, others);
}

#[test]
fn who_starts_again_among_many_is_told_all_by_few_frames_though_a_fifth_is_lost() {
    const SIZE: usize = 150;
    let mut cluster = Cluster::new(SIZE, 1, Conditions::default());
    cluster.start_acquainted();
    cluster.world.network.conditions.loss = 0.2;
    cluster.world.run_for(seconds(5));
    let host = cluster.hosts[70];
    cluster.world.kill(host);
    cluster.world.run_for(seconds(3));
    let before = sent(&cluster, kind::WANT).count;
    cluster.world.start(host).expect("the folder is sound");
    cluster.until(seconds(10), "it shows all", |cluster| cluster.shown_nodes(70) == SIZE);
    let frames = sent(&cluster, kind::WANT).count - before;
    assert!((1..=20).contains(&frames), "{frames} frames to ask for {SIZE} owners");
}
