//! Hosts that are resumed from images of their memory and their disk.

use super::{
    super::*,
    cluster::{Cluster, seconds},
};

fn formed() -> Cluster {
    let mut cluster = Cluster::new(3, 4, Conditions::default());
    cluster.world.keep_tapes();
    cluster.start_all();
    cluster.until(seconds(20), "all know all", |cluster| (0..3).all(|n| cluster.shown_nodes(n) == 3) && cluster.all_equal());
    cluster.register(1, "web-1");
    cluster.until(seconds(5), "all show it", |cluster| (0..3).all(|reader| cluster.shows(reader, 1, "web-1")));
    cluster
}

fn core(cluster: &Cluster) -> &crate::core::Core {
    &cluster.world.host(cluster.hosts[1]).process.as_ref().expect("runs").core
}

#[test]
fn what_is_resumed_is_what_was_there() {
    let mut cluster = formed();
    let image = cluster.world.image(cluster.hosts[1]).expect("it runs");
    let before = (core(&cluster).identity(), core(&cluster).digest(), core(&cluster).own_version());
    cluster.world.resume_image(cluster.hosts[1], &image);
    assert_eq!((core(&cluster).identity(), core(&cluster).digest(), core(&cluster).own_version()), before);
    assert!(cluster.shows(1, 1, "web-1"));
    cluster.world.run_for(seconds(10));
    assert!(cluster.all_equal() && core(&cluster).identity().life() == before.0.life(), "it goes on in its life");
}

#[test]
fn an_image_of_the_past_goes_on_in_another_life_and_may_be_resumed_twice() {
    let mut cluster = formed();
    let image = cluster.world.image(cluster.hosts[1]).expect("it runs");
    for id in ["web-2", "web-3"] {
        cluster.register(1, id);
        cluster.until(seconds(10), "all show it", |cluster| (0..3).all(|reader| cluster.shows(reader, 1, id)));
        let before = core(&cluster).identity().life();
        cluster.world.resume_image(cluster.hosts[1], &image);
        cluster.until(seconds(30), "it is as it was in the image", |cluster| {
            (0..3).all(|reader| cluster.shows(reader, 1, "web-1") && !cluster.shows(reader, 1, id)) && cluster.all_equal()
        });
        assert!(core(&cluster).identity().life() > before);
    }
}
