//! Where somebody who looks for peers goes.

use super::*;
use crate::core::{
    io::{CloseCause, Input},
    testing::{core, identity, receive},
};

fn address(host: u8) -> SocketAddr {
    ([10, 0, 1, host], 8746).into()
}

/// What the core asks for at the next time at which it asks for anything of this kind.
fn next<T>(core: &mut Core, now: &mut Moment, wanted: impl Fn(Output) -> Option<T>) -> T {
    for _ in 0..1_000 {
        let asked = std::iter::from_fn(|| core.poll_output()).filter_map(&wanted).last();
        if let Some(asked) = asked {
            return asked;
        }
        *now = core.poll_timeout().expect("something is always due").max(*now);
        core.handle_timeout(*now);
    }
    panic!("the core does not ask for it");
}

fn look_up(output: Output) -> Option<usize> {
    if let Output::Resolve(seed) = output { Some(seed) } else { None }
}

/// Where it connects to; nobody takes the connection.
fn tries(core: &mut Core, now: &mut Moment) -> SocketAddr {
    let (stream, to) = next(core, now, |output| if let Output::Connect { stream, to } = output { Some((stream, to)) } else { None });
    core.handle(*now, Input::Closed { stream, cause: CloseCause::Refused, reason: "refused".into() });
    to
}

#[test]
fn a_seed_is_looked_up_before_each_try_and_tried_where_it_is_then() {
    let (mut core, mut now) = (core(16), Moment::default());
    core.handle(now, Input::Seeds(0..1));
    for at in 1..20 {
        let seed = next(&mut core, &mut now, look_up);
        core.handle(now, Input::Resolved { seed, addresses: vec![address(at)] });
        let asked = now;
        assert_eq!((tries(&mut core, &mut now), now), (address(at), asked), "at once, and there alone");
    }
}

#[test]
fn a_name_that_has_no_answer_holds_up_nobody_for_long_and_keeps_the_address_that_it_had() {
    let (mut core, mut now) = (core(16), Moment::default());
    core.handle(now, Input::Seeds(0..2));
    core.handle(now, Input::Resolved { seed: 1, addresses: vec![address(7)] });
    for _ in 0..20 {
        next(&mut core, &mut now, look_up);
        let asked = now;
        assert_eq!((tries(&mut core, &mut now), now), (address(7), asked + NAMES_TAKE));
    }
}

#[test]
fn a_seed_that_is_found_later_than_others_were_tried_is_tried_at_once() {
    let (mut core, mut now) = (core(16), Moment::default());
    core.handle(now, Input::Seeds(0..2));
    core.handle(now, Input::Resolved { seed: 1, addresses: vec![address(7)] });
    assert_eq!(tries(&mut core, &mut now), address(7));
    core.handle(now, Input::Resolved { seed: 0, addresses: vec![address(8)] });
    let found = now;
    next(&mut core, &mut now, look_up);
    core.handle(now, Input::Resolved { seed: 0, addresses: vec![address(8)] });
    core.handle(now, Input::Resolved { seed: 1, addresses: vec![address(7)] });
    let both = BTreeSet::from([tries(&mut core, &mut now), tries(&mut core, &mut now)]);
    assert_eq!(both, BTreeSet::from([address(7), address(8)]));
    assert!(now < found + 2 * NEXT_CANDIDATE);
}

#[test]
fn lost_members_are_looked_for_in_turn() {
    let mut core = core(9);
    let lost = [3, 4, 5, 6];
    receive(&mut core, 2, &lost);
    for node in lost {
        core.membership.down(identity(node));
    }
    let all: BTreeSet<SocketAddr> = lost.iter().map(|node| identity(*node).address()).collect();
    for round in 1..=3 {
        let mut looked = BTreeSet::new();
        for _ in lost {
            core.look_for_the_lost(Moment::default());
            let outputs = std::iter::from_fn(|| core.poll_output());
            looked.extend(outputs.filter_map(|output| if let Output::Connect { to, .. } = output { Some(to) } else { None }));
        }
        assert_eq!(looked, all, "round {round}");
    }
}
