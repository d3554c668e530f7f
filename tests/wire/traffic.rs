//! A core that hears spoilt traffic for a while neither panics nor loses, changes or forgets what it owns.

use std::time::Duration;

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use tidings::{
    model::{Change, Command, Done, InstanceId, Registration, StoreOp, command::Cause, record::Kind},
    wire::body,
};

use super::{
    mangler::{grave, mangle, stray_datagram, test_cluster},
    pair::{Carried, Pair, instance, node},
};

#[test]
fn spoilt_traffic_between_two_leaves_alone_what_each_owns() {
    for seed in 0..24 {
        let mut pair = Pair::new(seed);
        let rng = &mut StdRng::seed_from_u64(seed);
        let share = rng.random_range(0.01..0.5);
        for round in 0..8 {
            for end in 0..2 {
                let id = format!("i-{round}");
                assert_eq!(pair.command(end, Command::Register(Registration::plain(instance(&id)))), Ok(Done::Created), "seed {seed}");
                forget_outputs(&mut pair);
            }
            let identities = [pair.identity(0), pair.identity(1)];
            let mut hook = |from: usize, carried: Carried| match rng.random_bool(share) {
                true => mangle(rng, identities[from], identities[1 - from], carried),
                false => vec![carried],
            };
            pair.run_through(Duration::from_secs(6), &mut hook);
            assert_untouched(seed, &pair);
        }
        assert_still_owner(seed, &mut pair, 8);
    }
}

#[test]
fn recorded_traffic_that_comes_late_spoilt_and_to_the_wrong_one_is_borne() {
    for seed in 0..10 {
        let mut pair = Pair::new(seed);
        let rng = &mut StdRng::seed_from_u64(seed);
        let mut tape = vec![];
        for n in 0..4 {
            let (id, end) = (format!("i-{n}"), n % 2);
            pair.command(end, Command::Register(Registration::plain(instance(&id)))).expect("is taken");
            pair.command(1 - end, Command::Register(Registration::plain(instance(&id)))).expect("is taken");
            let mut record = |from: usize, carried: Carried| {
                tape.push((from, carried.clone()));
                // Datagrams are lost now and then, so that streams have something to say.
                if matches!(carried, Carried::Datagram(_)) && tape.len() % 3 > 0 { vec![] } else { vec![carried] }
            };
            pair.run_through(Duration::from_secs(4), &mut record);
        }
        assert!(tape.iter().any(|(_, carried)| matches!(carried, Carried::Frame(_))), "seed {seed}: no sync was recorded");
        forget_outputs(&mut pair);
        for _ in 0..60 {
            let to = rng.random_range(0..2);
            let (sender, receiver) = (pair.identity(1 - to), pair.identity(to));
            let mut frames = vec![];
            for _ in 0..20 {
                let (_, carried) = tape[rng.random_range(0..tape.len())].clone();
                for carried in mangle(rng, sender, receiver, carried) {
                    match carried {
                        Carried::Datagram(bytes) => pair.inject(to, &bytes),
                        Carried::Frame(bytes) => frames.push(bytes),
                    }
                }
                let stray = stray_datagram(rng, test_cluster(), sender, receiver);
                pair.inject(to, &stray);
            }
            frames.push(grave(node(rng.random_range(0..2)).0));
            pair.converse(to, &frames);
            pair.run(Duration::from_millis(rng.random_range(0..3_000)));
        }
        assert_untouched(seed, &pair);
        assert_still_owner(seed, &mut pair, 4);
    }
}

fn forget_outputs(pair: &mut Pair) {
    pair.changes = Default::default();
    pair.stored = Default::default();
}

/// Nothing that came from the network may change what a node says of itself, or what it has on disk: but for its generation, which it
/// raises when peers seem to know of a higher one.
fn assert_untouched(seed: u64, pair: &Pair) {
    for end in 0..2 {
        for change in &pair.changes[end] {
            let about = match change {
                Change::Node(changed) if changed.id == node(end) => {
                    assert_eq!((changed.info.name.as_str(), changed.info.left), (&*format!("n{end}"), false), "seed {seed}");
                    continue;
                }
                Change::Instance { node: id, instance: changed, .. } if *id == node(end) => {
                    assert_eq!(**changed, instance(changed.id.as_str()), "seed {seed}");
                    continue;
                }
                Change::Node(changed) => changed.id,
                Change::NodeGone(id) | Change::Instance { node: id, .. } | Change::InstanceGone { node: id, .. } => *id,
                Change::Registered(registration) => panic!("seed {seed}: {registration:?}"),
                Change::CameBack(_) => continue,
                Change::Ready(ready) => {
                    assert!(ready, "seed {seed}");
                    continue;
                }
            };
            assert_ne!(about, node(end), "seed {seed}: {change:?}");
        }
        for op in &pair.stored[end] {
            match op {
                StoreOp::Peers(_) | StoreOp::Members(_) | StoreOp::Graves(_) | StoreOp::Generation(_) => {}
                StoreOp::Put { key, definition, .. } if key.kind == Kind::INSTANCE => {
                    assert_eq!(body::decode_instance(&key.id, definition), Ok(instance(&key.id)), "seed {seed}");
                }
                StoreOp::Put { key, .. } => assert!([Kind::NODE, Kind::LOCAL].contains(&key.kind), "seed {seed}: {op:?}"),
                StoreOp::Delete(_) | StoreOp::Status { .. } => panic!("seed {seed}: {op:?}"),
            }
        }
    }
}

/// All that was registered is there to be removed, and a newcomer is new.
fn assert_still_owner(seed: u64, pair: &mut Pair, rounds: usize) {
    for end in 0..2 {
        assert_eq!(pair.command(end, Command::Register(Registration::plain(instance("new")))), Ok(Done::Created), "seed {seed}");
        let ids = (0..rounds).map(|round| format!("i-{round}")).chain(["web-1".to_owned(), "new".to_owned()]);
        for id in ids {
            assert_eq!(
                pair.command(end, Command::Deregister { instance: InstanceId::new(&id).expect("an id"), cause: Cause::Asked }),
                Ok(Done::Removed),
                "seed {seed}, {id}"
            );
        }
    }
}
