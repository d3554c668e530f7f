use super::*;
use crate::{
    catalog::{
        Publisher,
        fixture::{START, at, catalog, instance, node, on, passing, tagged},
    },
    model::MemberState,
};

#[test]
fn of_two_live_bearers_of_a_name_the_lower_id_holds_it() {
    let (_, catalog) = catalog([node(3, "web", &["10.0.0.3"], MemberState::Alive), node(2, "web", &["10.0.0.2"], MemberState::Alive)]);
    let snapshot = catalog.load();
    assert_eq!(snapshot.holder("web").unwrap().node.id, NodeId(2));
    let in_conflict = |id| snapshot.in_conflict(&snapshot.node(NodeId(id)).unwrap().node);
    assert_eq!((in_conflict(2), in_conflict(3)), (false, true));
}

#[test]
fn the_name_of_a_node_that_is_gone_is_free() {
    for state in [MemberState::Down, MemberState::Left] {
        let (_, catalog) = catalog([node(2, "web", &["10.0.0.2"], state), node(3, "web", &["10.0.0.3"], MemberState::Suspect)]);
        let snapshot = catalog.load();
        assert_eq!(snapshot.holder("web").unwrap().node.id, NodeId(3));
        assert!(snapshot.nodes().all(|entry| !snapshot.in_conflict(&entry.node)));
    }
}

#[test]
fn a_node_that_takes_another_name_is_no_more_found_by_the_first() {
    let (_, catalog) = catalog([node(2, "old", &["10.0.0.2"], MemberState::Alive), node(2, "new", &["10.0.0.2"], MemberState::Alive)]);
    let snapshot = catalog.load();
    assert!(snapshot.holder("old").is_none());
    assert_eq!(snapshot.holder("new").unwrap().node.id, NodeId(2));
}

#[test]
fn an_address_is_known_while_anything_has_it() {
    let (mut publisher, catalog) = catalog([
        node(2, "b", &["10.0.0.2"], MemberState::Alive),
        passing(instance("web", "x", &["10.0.0.2", "10.0.0.9"], 80)),
        passing(instance("web", "y", &["10.0.0.9"], 81)),
    ]);
    let known = |text: &str| catalog.load().has_address(text.parse().unwrap());
    assert!(known("10.0.0.2") && known("10.0.0.9"));
    publisher.publish([passing(instance("web", "x", &[], 80))], at(2));
    assert!(known("10.0.0.2") && known("10.0.0.9"));
    publisher.publish([Change::NodeGone(NodeId(2)), gone(1, "y")], at(3));
    assert!(!known("10.0.0.2") && !known("10.0.0.9"));
}

#[test]
fn a_definition_that_comes_again_is_counted_once() {
    let (mut publisher, catalog) = catalog([]);
    let web = || tagged(instance("web", "x", &["10.0.0.9"], 80), &["V1"]);
    for status in [Status::Passing, Status::Critical, Status::Passing] {
        publisher.publish([on(1, web(), status)], at(2));
    }
    let known = || {
        (catalog.load().has_address("10.0.0.9".parse().unwrap()), catalog.load().has_tag("v1"), catalog.load().has_protocol(Protocol::Tcp))
    };
    assert_eq!(known(), (true, true, true));
    publisher.publish([gone(1, "x")], at(3));
    assert_eq!(known(), (false, false, false));
}

#[test]
fn a_service_goes_with_its_last_instance() {
    let (mut publisher, catalog) = catalog([passing(instance("web", "x", &[], 80)), passing(instance("web", "y", &[], 81))]);
    publisher.publish([gone(1, "x")], at(2));
    assert_eq!(catalog.load().service("web").unwrap().len(), 1);
    publisher.publish([gone(1, "y")], at(3));
    assert!(catalog.load().service("web").is_none());
    assert_eq!(catalog.load().services().len(), 0);
}

#[test]
fn an_instance_that_changes_its_service_moves() {
    let (mut publisher, catalog) = catalog([passing(instance("web", "x", &[], 80))]);
    publisher.publish([passing(instance("api", "x", &[], 80))], at(2));
    let snapshot = catalog.load();
    assert!(snapshot.service("web").is_none());
    assert_eq!((snapshot.service("api").unwrap().len(), snapshot.instances().len()), (1, 1));
}

#[test]
fn a_node_that_is_gone_takes_its_instances_and_no_others() {
    let (mut publisher, catalog) = catalog([
        node(2, "b", &["10.0.0.2"], MemberState::Alive),
        node(3, "c", &["10.0.0.3"], MemberState::Alive),
        passing(instance("web", "z", &[], 80)),
        on(2, instance("web", "0", &[], 80), Status::Passing),
        on(2, instance("web", "A", &[], 80), Status::Passing),
        on(3, instance("web", "0", &[], 80), Status::Passing),
    ]);
    assert_eq!(catalog.load().instances_of(NodeId(2)).count(), 2);
    publisher.publish([Change::NodeGone(NodeId(2))], at(2));
    let snapshot = catalog.load();
    assert!(snapshot.node(NodeId(2)).is_none() && snapshot.holder("b").is_none());
    let owners: Vec<_> = snapshot.service("web").unwrap().values().map(|entry| entry.node).collect();
    assert_eq!(owners, [NodeId(1), NodeId(3)]);
}

#[test]
fn since_changes_with_the_state_and_with_nothing_else() {
    let (mut publisher, catalog) = catalog([passing(instance("web", "x", &[], 80))]);
    let since = || {
        let snapshot = catalog.load();
        let instance = snapshot.instances().next().unwrap().since;
        (snapshot.node(NodeId(1)).unwrap().since, instance)
    };
    publisher.publish([node(1, "other", &["10.0.0.1"], MemberState::Alive), passing(instance("web", "x", &[], 81))], at(2));
    assert_eq!(since(), (at(START), at(START)));
    publisher
        .publish([node(1, "other", &["10.0.0.1"], MemberState::Suspect), on(1, instance("web", "x", &[], 81), Status::Warning)], at(3));
    assert_eq!(since(), (at(3), at(3)));
}

#[test]
fn a_snapshot_that_was_loaded_never_changes() {
    let (mut publisher, catalog) = catalog([passing(instance("web", "x", &[], 80))]);
    let before = catalog.load();
    publisher.publish([gone(1, "x")], at(2));
    assert!(before.service("web").is_some() && catalog.load().service("web").is_none());
    assert_eq!(catalog.load().revision, before.revision + 1);
    publisher.publish([], at(3));
    assert_eq!(catalog.load().revision, before.revision + 1, "nothing was published");
}

fn gone(node: u64, id: &str) -> Change {
    Change::InstanceGone { node: NodeId(node), id: InstanceId::new(id).unwrap() }
}

#[test]
fn of_several_who_bear_a_name_any_may_go_first() {
    for order in [[2, 3, 4], [4, 3, 2], [3, 2, 4]] {
        let bearer = |id: u64| node(id, "web", &["10.0.0.2"], MemberState::Alive);
        let (mut publisher, catalog) = catalog([bearer(4), bearer(2), bearer(3)]);
        let mut left = vec![2, 3, 4];
        for id in order {
            assert_eq!(catalog.load().holder("web").map(|entry| entry.node.id), left.first().map(|id| NodeId(*id)), "{order:?}");
            publisher.publish([Change::NodeGone(NodeId(id))], at(2));
            left.retain(|other| *other != id);
        }
        assert!(catalog.load().holder("web").is_none());
    }
}

#[test]
fn who_begins_as_another_shows_the_same_and_sees_itself_in_its_own_way() {
    let of_three = |state| node(3, "c", &["10.0.0.3"], state);
    let (_, first) = catalog([of_three(MemberState::Alive), passing(instance("web", "x", &[], 80))]);
    let (mut publisher, second) = Publisher::new(NodeId(3));
    publisher.publish([of_three(MemberState::Left)], at(2));
    publisher.begin_as(&first.load());
    let snapshot = second.load();
    assert_eq!((snapshot.local, snapshot.ready, snapshot.nodes().len(), snapshot.instances().len()), (NodeId(3), false, 2, 1));
    assert_eq!(snapshot.node(NodeId(3)).unwrap().node.state, MemberState::Left);
    publisher.publish([node(1, "db-1", &["10.0.0.1", "fd00::1"], MemberState::Alive), Change::NodeGone(NodeId(3))], at(3));
    assert_eq!((second.load().nodes().len(), first.load().nodes().len()), (1, 2));
}
