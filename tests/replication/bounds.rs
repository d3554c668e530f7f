//! What comes from a stranger, or too much of it, does no harm that lasts.

use std::collections::BTreeMap;

use tidings::{
    core::{
        part::{Have, Live, Outcome, Part, Slot, Write},
        replica::Replica,
    },
    model::{Life, record::Body},
    wire::limits::SLOTS_PER_PART,
};

use super::actors::{Copy, Owner, Push, key};

const LIFE: Life = Life { generation: 1, nonce: 1 };

#[test]
fn versions_at_the_end_of_their_range_are_borne() {
    let body = Body::from([1]);
    let live = |d, s| Slot::Live { d, s, definition: body.clone(), status: body.clone() };
    for end in [u64::MAX, u64::MAX - 1] {
        let mut copy = Copy::default();
        for (n, complete) in [(1, end), (2, u64::MAX)] {
            let slots = BTreeMap::from([(key(n), live(end, 0)), (key(n + 1), Slot::Gone { r: end }), (key(n + 2), live(0, end))]);
            let end = Some((complete, Live::List([0, end].into())));
            copy.take(&[Have { life: LIFE, base: u64::MAX, from: 0, slots, end }]);
        }
        for version in [0, 1, end, u64::MAX] {
            for write in [Write::Gone, Write::Status { of: end, status: body.clone() }] {
                copy.push(&Push { life: LIFE, base: 0, version, key: key(1), write });
            }
        }
        let answers = copy.0.haves(&copy.wants());
        copy.take(&answers);
        assert!(copy.digest().is_some());
    }
}

#[test]
fn two_records_that_claim_one_version_are_both_accounted_for() {
    let mut part = Part::new(LIFE, 1);
    part.on_push(3, &key(1), Write::Gone);
    part.on_push(3, &key(2), Write::Gone);
    let body = Body::from([1]);
    for (version, n) in [(1, 0), (2, 3)] {
        part.on_push(version, &key(n), Write::Definition { definition: body.clone(), status: body.clone() });
    }
    assert_eq!(part.complete, 3);
    assert!(!part.slots().values().any(|slot| matches!(slot, Slot::Gone { .. })), "a removal that was passed is forgotten");
}

#[test]
fn a_void_status_takes_no_version() {
    let mut owner = Owner::boot();
    let status = Body::from([1]);
    let before = owner.part.clone();
    for n in [1, 9] {
        assert_eq!(owner.part.write(key(n), Write::Status { of: 99, status: status.clone() }), None);
    }
    assert_eq!(owner.part, before);
}

#[test]
fn a_copy_never_outgrows_its_bound_and_one_that_is_full_is_repaired_by_a_sync() {
    let mut owner = Owner::boot_with(1_000);
    let mut copy = Copy::of(&owner);
    owner.define(1);
    // From here on the copy has a gap, and the owner gives its place to one newcomer after the other.
    let mut refused = 0;
    for n in 2..=1_000 {
        for (number, push) in
            [owner.remove(n), owner.define(n + 10_000), owner.remove(n + 10_000), owner.define(n + 20_000)].into_iter().enumerate()
        {
            let outcome = copy.push(&push);
            refused += usize::from(number % 2 == 1 && outcome == Outcome::Ask);
        }
        assert!(copy.shown().slots().len() <= SLOTS_PER_PART);
    }
    assert!(refused > 0, "the bound was reached");
    copy.sync(&owner.replica());
    assert_eq!(copy.0, owner.replica());
}

#[test]
fn an_answer_that_does_not_fit_completes_nothing() {
    let body = Body::from([1]);
    let slot = |d| Slot::Live { d, s: d, definition: body.clone(), status: body.clone() };
    let slots: BTreeMap<_, _> = (0..SLOTS_PER_PART + 10).map(|n| (key(n), slot(n as u64 + 1))).collect();
    let end = Some((slots.len() as u64, Live::Same(tidings::core::digest::versions([]))));
    let mut replica = Replica::default();
    let outcome = replica.on_have(&Have { life: LIFE, base: 1, from: 0, slots, end }, &mut Default::default());
    assert_eq!(outcome, Outcome::Ask);
    let part = replica.shown.expect("what fits is whole");
    assert!(part.slots().len() == SLOTS_PER_PART && part.complete < SLOTS_PER_PART as u64 + 10);
}
