use super::*;
use crate::{
    core::part::{Live, Write},
    model::{NodeId, record::Body},
};

const LIFE: Life = Life { generation: 4, nonce: 5 };

fn write(part: &mut Part, id: &str, text: &str) {
    let body = Body::from(text.as_bytes());
    let key = Key { kind: Kind::INSTANCE, id: id.into() };
    part.write(key, Write::Definition { definition: body.clone(), status: body });
}

/// Of life [`LIFE`], with these instances and what is said of each.
fn part(instances: &[(&str, &str)]) -> Part {
    let mut part = Part::new(LIFE, 1);
    instances.iter().for_each(|(id, text)| write(&mut part, id, text));
    part
}

fn judged(own: &Part, theirs: &Part) -> Option<Cause> {
    fork(own, &theirs.have(Some(&own.want())), theirs.digest())
}

#[test]
fn a_copy_that_knows_less_or_the_same_is_no_reason() {
    let own = part(&[("a", "1"), ("b", "1")]);
    assert_eq!(judged(&own, &own.clone()), None);
    assert_eq!(judged(&own, &part(&[("a", "1")])), None);
    assert_eq!(judged(&own, &part(&[("a", "other")])), None, "what it has wrong shows when it is as far as we are");
    let mut of_another_life = part(&[("a", "1"), ("b", "1"), ("c", "1")]);
    of_another_life.life.generation = 3;
    assert_eq!(judged(&own, &of_another_life), None);
}

#[test]
fn a_copy_that_knows_more_than_was_written_is_one() {
    let own = part(&[("a", "1"), ("b", "1")]);
    let more = part(&[("a", "1"), ("b", "1"), ("c", "1")]);
    assert_eq!(judged(&own, &more), Some(Cause::Ahead { theirs: 3, ours: 2 }));
    // It has a single record of what it has not heard all of.
    let mut have = part(&[("a", "1")]).have(Some(&own.want()));
    let body = Body::from(&b"1"[..]);
    let key = Key { kind: Kind::INSTANCE, id: "z".into() };
    have.slots.insert(key, Slot::Live { d: 9, s: 9, definition: body.clone(), status: body });
    assert_eq!(fork(&own, &have, 0), Some(Cause::Ahead { theirs: 9, ours: 2 }));
}

#[test]
fn so_is_one_that_holds_something_else_at_the_same_version() {
    let own = part(&[("a", "1"), ("b", "1")]);
    assert_eq!(judged(&own, &part(&[("a", "1"), ("b", "other")])), Some(Cause::Forked { version: 2 }));
    assert_eq!(judged(&own, &part(&[("a", "1"), ("c", "1")])), Some(Cause::Forked { version: 2 }));
}

#[test]
fn what_a_peer_held_is_known_where_its_answer_tells_all_of_it() {
    let ids = |ids: &[&str]| Some(ids.iter().map(|id| InstanceId::new(id).unwrap()).collect::<BTreeSet<_>>());
    let own = part(&[("a", "1"), ("b", "1")]);
    let mut more = part(&[("a", "1"), ("b", "1"), ("c", "1")]);
    more.write(Key { kind: Kind::INSTANCE, id: "a".into() }, Write::Gone);
    assert_eq!(instances_held(&own, &more.have(Some(&own.want()))), ids(&["b", "c"]));
    assert_eq!(instances_held(&own, &part(&[("a", "1")]).have(Some(&own.want()))), None);
    more.life.generation = 5;
    assert_eq!(instances_held(&own, &more.have(None)), ids(&["b", "c"]));
    let mut cut_short = more.have(None);
    (cut_short.end, cut_short.base) = (None, 9);
    assert_eq!(instances_held(&own, &cut_short), None);
    assert_eq!(more.have(None).end.map(|(_, live)| live), Some(Live::Same(crate::core::digest::versions([]))));
}

#[test]
fn of_all_that_was_heard_the_highest_counts_and_what_is_below_us_does_not() {
    let forked = Some((LIFE, Cause::Forked { version: 2 }));
    let heard = |grave, forked| Heard { grave, forked, ..Heard::default() };
    let above = |heard: Heard| heard.reason(LIFE).map(|(generation, cause)| (generation, cause.place()));
    assert_eq!(above(heard(None, None)), None);
    assert_eq!(above(heard(Some(3), None)), None);
    assert_eq!(above(heard(Some(4), None)), Some((4, 3)));
    assert_eq!(above(heard(Some(3), forked.clone())), Some((4, 1)));
    assert_eq!(above(heard(Some(7), forked.clone())), Some((7, 3)));
    let later = Life { generation: 5, nonce: 1 };
    assert_eq!(heard(None, forked).reason(later), None, "that life is over");
}

#[test]
fn another_life_of_at_least_our_generation_is_asked() {
    let other = |generation, nonce| {
        let life = Life { generation, nonce };
        let other = Some(Identity::new(([10, 0, 0, 1], 1).into(), NodeId(1), life));
        Heard { other, ..Heard::default() }.other(LIFE).map(|other| other.life())
    };
    assert_eq!(other(3, 9), None);
    assert_eq!(other(4, 5), None, "it is ourselves");
    assert_eq!(other(4, 1), Some(Life { generation: 4, nonce: 1 }), "though its nonce is lower");
    assert_eq!(other(5, 1), Some(Life { generation: 5, nonce: 1 }));
}
