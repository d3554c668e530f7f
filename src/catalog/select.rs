//! What is handed out, and why the rest is not.

use std::{fmt, sync::Arc};

use rand::{Rng, seq::index::sample_weighted};

use super::snapshot::{Entry, NodeEntry, Place, Snapshot};
use crate::model::{CheckId, MemberState, Node, NodeName, ServiceName, Status, Zone};

/// Why an instance is not handed out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeldBack<'a> {
    /// Its node is not known (any more).
    NodeUnknown,
    /// Its node left the cluster.
    NodeLeft,
    /// Its node was found down.
    NodeDown,
    /// An operator took its node out of discovery, for this reason.
    NodeMaintenance(&'a str),
    /// A check of its node is critical, for this reason.
    NodeCritical {
        /// Which.
        check: &'a CheckId,
        /// Why, in short.
        reason: &'a str,
    },
    /// An operator took it out of discovery, for this reason.
    Maintenance(&'a str),
    /// One of its checks is critical, for this reason.
    Critical {
        /// Which.
        check: &'a CheckId,
        /// Why, in short.
        reason: &'a str,
    },
}

/// The words for all reasons.
pub const REASONS: [&str; 7] = ["node_unknown", "node_left", "node_down", "node_maintenance", "node_critical", "maintenance", "critical"];

impl HeldBack<'_> {
    /// The word for it in answers.
    pub fn as_str(&self) -> &'static str {
        match self {
            HeldBack::NodeUnknown => "node_unknown",
            HeldBack::NodeLeft => "node_left",
            HeldBack::NodeDown => "node_down",
            HeldBack::NodeMaintenance(_) => "node_maintenance",
            HeldBack::NodeCritical { .. } => "node_critical",
            HeldBack::Maintenance(_) => "maintenance",
            HeldBack::Critical { .. } => "critical",
        }
    }
}

impl fmt::Display for HeldBack<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Why an instance is not handed out; `None` when it is.
///
/// An instance on a node that lost its name to another goes on being handed out: it serves, only the name is disputed.
pub fn held_back<'a>(snapshot: &'a Snapshot, entry: &'a Entry) -> Option<HeldBack<'a>> {
    held_back_with(snapshot.node(entry.node), entry)
}

/// The same for an instance whose node is at hand.
pub fn held_back_with<'a>(owner: Option<&'a NodeEntry>, entry: &'a Entry) -> Option<HeldBack<'a>> {
    let Some(owner) = owner else {
        return Some(HeldBack::NodeUnknown);
    };
    if let Some(why) = node_holds_back(owner) {
        return Some(why);
    }
    if let Some(reason) = &entry.health.maintenance {
        return Some(HeldBack::Maintenance(reason));
    }
    let (check, state) = entry.health.critical()?;
    Some(HeldBack::Critical { check, reason: &state.reason })
}

/// Why none of the instances of a node is handed out.
fn node_holds_back(owner: &NodeEntry) -> Option<HeldBack<'_>> {
    match owner.node.state {
        MemberState::Left => return Some(HeldBack::NodeLeft),
        MemberState::Down => return Some(HeldBack::NodeDown),
        MemberState::Alive | MemberState::Suspect | MemberState::Restarting => {}
    }
    if let Some(reason) = &owner.node.info.maintenance {
        return Some(HeldBack::NodeMaintenance(reason));
    }
    let (check, state) = owner.node.health.critical()?;
    Some(HeldBack::NodeCritical { check, reason: &state.reason })
}

/// True when a node holds none of its instances back.
pub fn node_is_fit(owner: &NodeEntry) -> bool {
    node_holds_back(owner).is_none()
}

/// What a status of `warning` divides an instance's share of the load by.
const WARNING_DIVISOR: u16 = 4;

/// The share of the load that an instance is to have relative to its siblings, 1 to 65535: its weight, or less.
pub fn share(entry: &Entry) -> u16 {
    match entry.status {
        // Never 0, which would mean "hardly ever" in an SRV record (RFC 2782): that is another thing than less.
        Status::Warning => (entry.instance.weight / WARNING_DIVISOR).max(1),
        Status::Passing | Status::Critical => entry.instance.weight,
    }
}

/// Some of these instances, at random by their share, each at most once; in the order in which they stand here.
pub fn pick<'a>(among: &[&'a Arc<Entry>], amount: usize, rng: &mut impl Rng) -> Vec<&'a Arc<Entry>> {
    let amount = amount.min(among.len());
    let drawn = sample_weighted(rng, among.len(), |index| share(among[index]), amount).expect("every share is above 0");
    let mut drawn = drawn.into_vec();
    drawn.sort_unstable();
    drawn.into_iter().map(|index| among[index]).collect()
}

/// What a search asks for. Everything that is set must match.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Instances of this service.
    pub service: Option<ServiceName>,
    /// Instances with all of these tags, in whatever case.
    pub tags: Vec<String>,
    /// Instances with all of these pairs.
    pub meta: Vec<(String, String)>,
    /// Instances on the node of this name.
    pub node: Option<NodeName>,
    /// Instances on nodes in this zone.
    pub zone: Option<Zone>,
    /// Instances in this status.
    pub status: Option<Status>,
    /// Those held back, too.
    pub any_status: bool,
}

impl Filter {
    /// The instances that match and follow on a place, in the order of node and id.
    pub fn after<'a>(&'a self, snapshot: &'a Snapshot, place: Option<Place>) -> impl Iterator<Item = &'a Arc<Entry>> {
        snapshot.instances_after(self.service.as_ref(), place).filter(|entry| self.matches(snapshot, entry))
    }

    fn matches(&self, snapshot: &Snapshot, entry: &Entry) -> bool {
        self.tags.iter().all(|wanted| entry.instance.tags.iter().any(|tag| tag.matches(wanted)))
            && self.meta.iter().all(|(key, value)| entry.instance.meta.get(key) == Some(value))
            && self.status.is_none_or(|wanted| entry.status == wanted)
            && self.matches_owner(snapshot.node(entry.node).map(|owner| &*owner.node))
            && (self.any_status || held_back(snapshot, entry).is_none())
    }

    fn matches_owner(&self, owner: Option<&Node>) -> bool {
        self.node.as_ref().is_none_or(|name| owner.is_some_and(|node| node.info.name == *name))
            && self.zone.as_ref().is_none_or(|zone| owner.is_some_and(|node| node.info.zone.as_ref() == Some(zone)))
    }
}

#[cfg(test)]
mod tests {
    use std::{
        collections::{BTreeMap, BTreeSet},
        sync::Arc,
    };

    use rand::{SeedableRng, rngs::StdRng};

    use super::*;
    use crate::{
        catalog::fixture::{catalog, instance, node, on, passing, tagged},
        model::{Change, Instance, InstanceId, NodeId},
    };

    #[test]
    fn what_is_healthy_on_a_node_that_is_up_is_handed_out() {
        for state in [MemberState::Alive, MemberState::Suspect, MemberState::Restarting] {
            for status in [Status::Passing, Status::Warning] {
                check([node(2, "b", &["10.0.0.2"], state), on(2, instance("web", "x", &[], 80), status)], None);
            }
        }
    }

    #[test]
    fn the_rest_is_held_back_for_a_reason() {
        let web = || on(2, instance("web", "x", &[], 80), Status::Passing);
        check([web()], Some(HeldBack::NodeUnknown));
        check([node(2, "b", &["10.0.0.2"], MemberState::Left), web()], Some(HeldBack::NodeLeft));
        check([node(2, "b", &["10.0.0.2"], MemberState::Down), web()], Some(HeldBack::NodeDown));
        let critical = on(2, instance("web", "x", &[], 80), Status::Critical);
        let id = CheckId::new("test").unwrap();
        let sick = HeldBack::Critical { check: &id, reason: "it is critical" };
        check([node(2, "b", &["10.0.0.2"], MemberState::Alive), critical], Some(sick));
        let Change::Node(mut repaired) = node(2, "b", &["10.0.0.2"], MemberState::Alive) else { unreachable!() };
        Arc::make_mut(&mut repaired).info.maintenance = Some("new disk".into());
        check([Change::Node(repaired), web()], Some(HeldBack::NodeMaintenance("new disk")));
    }

    #[test]
    fn the_loser_of_a_name_goes_on_being_handed_out() {
        check([node(2, "db-1", &["10.0.0.2"], MemberState::Alive), on(2, instance("web", "x", &[], 80), Status::Passing)], None);
    }

    #[test]
    fn everything_that_a_filter_names_must_match() {
        let old = tagged(instance("web", "old", &[], 80), &["V1", "eu"]);
        let new = Instance { meta: [("git".into(), "abc".into())].into(), ..tagged(instance("web", "new", &[], 80), &["v2", "eu"]) };
        let changes = [
            passing(old),
            passing(new),
            passing(instance("db", "db", &[], 80)),
            node(2, "b", &["10.0.0.2"], MemberState::Alive),
            on(2, tagged(instance("web", "sick", &[], 80), &["eu"]), Status::Critical),
        ];
        let snapshot = catalog(changes).1.load();
        let found = |filter: Filter| -> Vec<String> { filter.after(&snapshot, None).map(|e| e.instance.id.to_string()).collect() };
        let web = || Some(ServiceName::new("web").unwrap());
        assert_eq!(found(Filter::default()), ["db", "new", "old"]);
        assert_eq!(found(Filter { service: web(), ..Filter::default() }), ["new", "old"]);
        assert_eq!(found(Filter { service: web(), any_status: true, ..Filter::default() }), ["new", "old", "sick"]);
        assert_eq!(found(Filter { tags: vec!["EU".into(), "v1".into()], ..Filter::default() }), ["old"]);
        assert_eq!(found(Filter { meta: vec![("git".into(), "abc".into())], ..Filter::default() }), ["new"]);
        assert_eq!(found(Filter { meta: vec![("git".into(), "ABC".into())], ..Filter::default() }), [""; 0]);
        let on_b = Filter { node: Some(NodeName::new("b").unwrap()), any_status: true, ..Filter::default() };
        assert_eq!(found(on_b), ["sick"]);
    }

    #[test]
    fn a_pick_goes_by_weight_and_a_warning_lowers_it() {
        let heavy = Instance { weight: 900, ..instance("web", "heavy", &[], 80) };
        let light = Instance { weight: 100, ..instance("web", "light", &[], 80) };
        let ill = Instance { weight: 4_000, ..instance("web", "ill", &[], 80) };
        let snapshot = catalog([passing(heavy), passing(light), on(1, ill, Status::Warning)]).1.load();
        let all: Vec<_> = snapshot.instances().collect();
        let mut rng = StdRng::seed_from_u64(1);
        let mut times: BTreeMap<String, u32> = BTreeMap::new();
        for _ in 0..2_000 {
            let [one] = pick(&all, 1, &mut rng)[..] else { panic!("one is picked") };
            *times.entry(one.instance.id.to_string()).or_default() += 1;
        }
        // 1,000 to 900 to 100, within far more than chance moves them.
        assert!((900..1_100).contains(&times["ill"]) && (800..1_000).contains(&times["heavy"]), "{times:?}");
        assert!((50..150).contains(&times["light"]), "{times:?}");
    }

    #[test]
    fn nothing_is_picked_twice() {
        let snapshot = catalog((0..9).map(|n| passing(instance("web", &format!("web-{n}"), &[], 80)))).1.load();
        let all: Vec<_> = snapshot.instances().collect();
        let mut rng = StdRng::seed_from_u64(2);
        for amount in [0, 1, 5, 9, 10] {
            let ids: BTreeSet<_> = pick(&all, amount, &mut rng).iter().map(|entry| entry.instance.id.clone()).collect();
            assert_eq!(ids.len(), amount.min(9));
        }
    }

    #[test]
    fn a_search_goes_on_after_a_place() {
        let snapshot = catalog((0..5).map(|n| passing(instance("web", &format!("web-{n}"), &[], 80)))).1.load();
        for service in [None, Some(ServiceName::new("web").unwrap())] {
            let filter = Filter { service, ..Filter::default() };
            let place = |id| Some((NodeId(1), InstanceId::new(id).unwrap()));
            let found = |after| filter.after(&snapshot, after).map(|entry| entry.instance.id.to_string()).collect::<Vec<_>>();
            assert_eq!(found(place("web-2")), ["web-3", "web-4"]);
            assert_eq!(found(place("web-22")), ["web-3", "web-4"], "where nothing is");
            assert_eq!(found(place("web-4")), [""; 0]);
            assert_eq!(found(None).len(), 5);
        }
    }

    /// The one instance of `web` is held back for this reason.
    fn check(changes: impl IntoIterator<Item = Change>, reason: Option<HeldBack<'_>>) {
        let snapshot = catalog(changes).1.load();
        let entry = snapshot.service("web").unwrap().values().next().unwrap();
        assert_eq!(held_back(&snapshot, entry), reason);
        assert!(reason.is_none_or(|reason| REASONS.contains(&reason.as_str())));
    }
}
