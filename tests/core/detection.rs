//! Claims about who is held for gone, and how soon.

use std::time::{Duration, Instant};

use tidings::model::MemberState;

use super::world::World;

const SECOND: Duration = Duration::from_secs(1);

#[test]
#[ignore = "measure"]
fn measure() {
    let n: usize = std::env::var("N").map_or(100, |n| n.parse().unwrap());
    let t = Instant::now();
    let mut world = World::new(1);
    let agents = world.cluster(n);
    println!("formed {n} at {} real {:?}", world.now, t.elapsed());
    world.run(10 * SECOND);
    let t = Instant::now();
    let (sent, octets) = (world.history().0, world.octets);
    world.run(30 * SECOND);
    println!(
        "30 s at rest: {} outputs, {} octets/s each; real {:?}",
        world.history().0 - sent,
        (world.octets - octets) as f64 / 30.0 / n as f64,
        t.elapsed()
    );
    for kind in ["kill", "dark"] {
        let mut all = vec![];
        for round in 0..20 {
            let victim = agents[(round * 7 + 3) % n];
            let start = world.now;
            if kind == "kill" {
                world.kill(victim)
            } else {
                world.go_dark(victim)
            }
            let name = format!("n{victim}");
            let know =
                |world: &World| agents.iter().filter(|a| **a != victim).all(|a| world.node_state(*a, &name) == Some(MemberState::Down));
            world.until(30 * SECOND, know);
            all.push((world.now - start).as_secs_f64());
            if kind == "kill" {
                world.restart(victim)
            } else {
                world.come_back(victim)
            }
            world.until(60 * SECOND, |world| {
                agents.iter().all(|a| agents.iter().all(|b| world.node_state(*a, &format!("n{b}")) == Some(MemberState::Alive)))
            });
            let back = world.now;
            world.run(5 * SECOND + Duration::from_millis(137 * round as u64));
            let _ = back;
        }
        all.sort_by(f64::total_cmp);
        println!("{kind}: p50 {:.3} max {:.3} {all:?}", all[10], all[19]);
    }
    println!("real {:?}", t.elapsed());
}
