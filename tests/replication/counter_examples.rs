//! The shortest histories in which one missing rule does harm. `complete` is 2 where a copy has all that the owner booted with.

use tidings::{
    core::part::{Live, Outcome, Slot, Write},
    model::{Life, record::Body},
};

use super::actors::{Copy, Owner, assert_equal_after_exchange, exchange, key, live};

#[test]
fn a_removal_beyond_the_complete_version_is_remembered_and_told() {
    let mut owner = Owner::boot();
    let mut a = Copy::of(&owner);
    owner.define(1);
    let removal = owner.remove(1);
    let mut b = a.clone();
    assert_eq!(a.push(&removal), Outcome::New);
    assert_eq!(a.shown().slots().get(&key(1)), Some(&Slot::Gone { r: 4 }));
    assert_equal_after_exchange(&mut a, &mut b);
    assert!(!b.live().contains(&key(1)));
}

#[test]
fn a_version_is_complete_only_when_none_before_it_is_missing() {
    let owner = Owner::boot();
    let mut a = Copy::default();
    a.push(&owner.push(2));
    assert_eq!(a.next().complete, 0);
    a.push(&owner.push(1));
    assert_eq!(a.shown().complete, 2);
}

#[test]
fn a_union_never_takes_a_definition_back_to_an_older_one() {
    let mut owner = Owner::boot();
    let mut a = Copy::of(&owner);
    let (third, fourth) = (owner.define(1), owner.define(1));
    let mut b = Copy::default();
    a.push(&fourth);
    b.push(&third);
    assert_equal_after_exchange(&mut a, &mut b);
    assert_eq!(a.shown().definition_version(&key(1)), Some(4));
}

#[test]
fn a_late_answer_does_not_bring_back_what_was_removed_since() {
    let mut owner = Owner::boot();
    let wants = Copy::default().wants();
    let mut a = Copy::of(&owner);
    let answer = owner.replica().haves(&wants);
    a.push(&owner.remove(1));
    assert_eq!(a.shown().complete, 3);
    assert_eq!(a.take(&answer), [Outcome::Old]);
    assert_eq!(a.live(), live(&owner.part));
}

#[test]
fn a_status_is_void_for_any_other_definition() {
    let mut owner = Owner::boot();
    owner.define(1);
    let status = owner.status(1);
    let mut a = Copy::default();
    a.push(&owner.push(2));
    let before = a.clone();
    assert_eq!(a.push(&status), Outcome::Ask);
    assert_eq!(a, before);
    a.sync(&owner.replica());
    assert_eq!(a.0, owner.replica());
}

#[test]
fn a_status_of_a_replaced_definition_is_old_news() {
    let mut owner = Owner::boot();
    let status = owner.status(1);
    let mut a = Copy::of(&Owner::boot());
    a.push(&owner.define(1));
    let before = a.clone();
    assert_eq!(a.push(&status), Outcome::Old);
    assert_eq!(a, before);
}

#[test]
fn a_digest_tells_of_records_beyond_the_complete_version() {
    let owner = Owner::boot();
    let (mut a, mut b) = (Copy::default(), Copy::default());
    a.push(&owner.push(2));
    b.0.next = Some(tidings::core::part::Part::new(owner.part.life, owner.part.base).into());
    assert_ne!(a.digest(), b.digest());
    assert_equal_after_exchange(&mut a, &mut b);
}

#[test]
fn a_digest_tells_two_histories_of_one_life_apart() {
    // A virtual machine is saved, writes, is set back and writes the same version again.
    let mut saved = Owner::boot();
    let mut a = Copy::of(&saved);
    let (definition, status) = (Body::from([1]), Body::from([1]));
    saved.part.write(key(1), Write::Definition { definition, status });
    a.sync(&saved.replica());
    for other_body in [0, 1] {
        let mut bodies = [Body::from([1]), Body::from([1])];
        bodies[other_body] = Body::from([2]);
        let [definition, status] = bodies;
        let mut resumed = Owner::boot();
        resumed.part.write(key(1), Write::Definition { definition, status });
        assert_eq!((a.shown().life, a.shown().complete), (resumed.part.life, resumed.part.complete));
        assert_ne!(a.digest(), Copy(resumed.replica()).digest());
    }
}

#[test]
fn a_full_table_of_removals_drops_only_that_removal() {
    const TABLE: u64 = tidings::wire::limits::REMOVALS_BY_PUSH as u64;
    let instances = TABLE as usize + 2;
    let mut owner = Owner::boot_with(instances);
    let mut a = Copy::of(&owner);
    let removals: Vec<_> = (1..=instances).map(|n| owner.remove(n)).collect();
    let (first, last) = (&removals[0], &removals[instances - 1]);
    for removal in &removals[1..instances - 1] {
        assert_eq!(a.push(removal), Outcome::New);
    }
    assert_eq!(a.push(last), Outcome::Ask);
    assert!(a.live().contains(&key(instances)), "its record stays until the sync");
    assert_eq!(a.push(&owner.define(200)), Outcome::New, "other pushes go on");
    let mut b = a.clone();
    assert_eq!(a.push(first), Outcome::New);
    assert_eq!(a.shown().complete, last.version - 1, "the dropped removal is not counted as known");
    assert_equal_after_exchange(&mut a, &mut b);
    a.sync(&owner.replica());
    assert_eq!(a.0, owner.replica());
}

#[test]
fn a_peer_that_knows_less_takes_nothing_away() {
    let owner = Owner::boot();
    let (mut a, mut b) = (Copy::default(), Copy::default());
    a.push(&owner.push(1));
    b.push(&owner.push(2));
    assert_equal_after_exchange(&mut a, &mut b);
    assert_eq!(a.0, owner.replica());
}

#[test]
fn a_peer_that_is_more_complete_does_not_take_away_what_came_later() {
    let mut owner = Owner::boot();
    let mut b = Copy::of(&owner);
    let mut a = Copy::default();
    a.push(&owner.define(1));
    assert_equal_after_exchange(&mut a, &mut b);
    assert_eq!(a.0, owner.replica());
}

#[test]
fn an_answer_made_for_a_memory_that_is_lost_completes_nothing() {
    let mut owner = Owner::boot();
    let mut a = Copy::of(&owner);
    owner.remove(1);
    let answer = owner.replica().haves(&a.wants());
    assert!(matches!(answer[0].end, Some((3, Live::List(_)))));
    a = Copy::default();
    assert_eq!(a.take(&answer), [Outcome::Ask]);
    assert_eq!((a.0.shown.as_ref(), a.next().complete), (None, 0));
}

#[test]
fn a_named_set_counts_only_while_it_is_still_ours() {
    let mut owner = Owner::boot();
    let mut a = Copy::of(&owner);
    owner.define(1);
    a.push(&owner.remove(1));
    let answer = owner.replica().haves(&a.wants());
    assert!(matches!(answer[0].end, Some((4, Live::Same(_)))));
    a = Copy::default();
    let booted = Owner::boot();
    a.push(&booted.push(1));
    a.push(&booted.push(2));
    assert_eq!(a.take(&answer), [Outcome::Ask]);
    assert_eq!(a.shown().complete, 2);
    a.sync(&owner.replica());
    assert_eq!(a.0, owner.replica());
}

#[test]
fn what_is_not_in_the_live_set_was_removed() {
    let mut owner = Owner::boot();
    let mut a = Copy::of(&owner);
    owner.remove(1);
    owner.define(2);
    a.sync(&owner.replica());
    assert_eq!(a.0, owner.replica());
}

#[test]
fn what_came_by_push_is_dropped_where_the_answerer_should_have_it_and_does_not() {
    let mut owner = Owner::boot();
    owner.remove(1);
    let mut a = Copy::default();
    a.push(&owner.push(2));
    a.sync(&owner.replica());
    assert_eq!(a.0, owner.replica());
}

#[test]
fn a_removal_is_remembered_until_all_before_it_is_known() {
    let mut owner = Owner::boot();
    let removal = owner.remove(1);
    let (mut a, mut b) = (Copy::default(), Copy::default());
    a.push(&removal);
    exchange(&mut a, &mut b);
    for copy in [&mut a, &mut b] {
        assert_eq!(copy.push(&owner.push(2)), Outcome::Old);
        copy.push(&owner.push(1));
        assert_eq!(copy.next().slots().get(&key(1)), Some(&Slot::Gone { r: 3 }));
        copy.sync(&owner.replica());
        assert_eq!(copy.0, owner.replica());
    }
}

#[test]
fn an_earlier_life_is_shown_while_the_next_trickles_in() {
    let mut owner = Owner::boot();
    let mut a = Copy::default();
    a.push(&owner.push(1));
    a.push(&owner.push(2));
    owner.restart();
    a.push(&owner.push(1));
    assert!(a.shown().life < owner.part.life && a.live().contains(&key(1)));
    a.push(&owner.push(2));
    assert_eq!(a.0, owner.replica());
}

#[test]
fn a_life_is_shown_only_when_all_that_it_began_with_is_there() {
    let mut owner = Owner::boot_with(3);
    let mut a = Copy::of(&owner);
    owner.restart();
    for version in [1, 2, 3] {
        a.push(&owner.push(version));
        assert_eq!((a.next().complete, a.live().len()), (version, 4));
        assert!(a.shown().life < owner.part.life);
    }
    a.push(&owner.push(4));
    assert_eq!(a.0, owner.replica());
}

#[test]
fn an_earlier_life_is_refused() {
    let mut owner = Owner::boot();
    let old = owner.push(1);
    let mut a = Copy::default();
    a.push(&old);
    owner.restart();
    let mut b = Copy::of(&owner);
    assert_eq!(b.push(&old), Outcome::Old);
    assert_eq!(b.0, owner.replica());
    assert_equal_after_exchange(&mut a, &mut b);
    assert_eq!(b.0, owner.replica());
}

#[test]
fn a_whole_life_below_an_unfinished_one_is_shown() {
    let mut owner = Owner::boot();
    let mut a = Copy::of(&owner);
    owner.restart();
    let mut b = Copy::default();
    b.push(&owner.push(1));
    assert_equal_after_exchange(&mut a, &mut b);
    assert_eq!(b.live().len(), 2, "the earlier life bridges");
}

#[test]
fn an_unfinished_life_below_another_unfinished_one_is_given_up() {
    let mut owner = Owner::boot();
    let mut a = Copy::default();
    a.push(&owner.push(1));
    owner.restart();
    let mut b = Copy::default();
    b.push(&owner.push(1));
    let of_the_earlier = a.0.haves(&Copy::default().wants());
    assert_eq!(b.take(&of_the_earlier), [Outcome::Old]);
    assert_equal_after_exchange(&mut a, &mut b);
    assert_eq!((a.0.shown.as_ref(), a.next().life), (None, owner.part.life));
}

#[test]
fn what_lies_in_a_grave_is_dropped_and_a_later_life_stays() {
    let mut owner = Owner::boot();
    let mut a = Copy::of(&owner);
    let buried = owner.part.life;
    owner.restart();
    a.push(&owner.push(1));
    a.0.drop_up_to(buried.generation - 1);
    assert_eq!(a.shown().life, buried);
    a.0.drop_up_to(buried.generation);
    assert_eq!((a.0.shown.as_ref(), a.0.next.as_ref().map(|part| part.life)), (None, Some(owner.part.life)));
    a.0.drop_up_to(owner.part.life.generation);
    assert_eq!(a, Copy::default());
}

#[test]
fn records_of_a_life_above_the_members_are_dropped() {
    let mut owner = Owner::boot();
    let mut a = Copy::of(&owner);
    let earlier = owner.part.life;
    owner.restart();
    a.push(&owner.push(1));
    a.0.drop_above(earlier);
    assert_eq!((a.shown().life, a.0.next.as_ref()), (earlier, None));
    a.0.drop_above(Life::default());
    assert_eq!(a, Copy::default());
}
