//! What is promised, as far as it can be judged from outside: by what was acknowledged, and by what agents show.

use std::collections::{BTreeMap, BTreeSet};

use tidings::{
    core::time::Moment,
    model::{InstanceId, MemberState, NodeId},
    sim::{HostId, checkers::excuses::Excuses},
};

use super::view::View;

/// What was asked for, what was shown, and what of it breaks a promise.
#[derive(Debug, Default)]
pub(crate) struct Promises {
    pub(crate) excuses: Excuses,
    /// Instances that were acknowledged, and not removed since.
    kept: BTreeSet<(usize, InstanceId)>,
    /// Of those, what was acknowledged before the last start of their agent.
    due: BTreeSet<(usize, InstanceId)>,
    /// Instances that somebody asked to remove, whether it was answered or not.
    asked: BTreeSet<(usize, InstanceId)>,
    /// Those that were registered again since: whoever stood still meanwhile hears of the removal all the same, until it shows what came after it.
    asked_before: BTreeSet<(usize, InstanceId)>,
    /// Instances whose removal was acknowledged, and who has shown since that they are gone.
    removed: BTreeMap<(usize, InstanceId), BTreeSet<usize>>,
    /// Who has shown an instance since it was registered, the first time or after a removal. Whoever stood still meanwhile may hear of the
    /// removal before it hears of the registration, from what waited at its socket: to such a one nothing comes back.
    had: BTreeMap<(usize, InstanceId), BTreeSet<usize>>,
    /// Whose data folder was replaced: what it had is void.
    replaced: BTreeSet<usize>,
    /// Those that were forgotten: what they had goes with them.
    forgotten: BTreeSet<usize>,
    /// Hosts whose agents run and stand not still.
    awake: BTreeSet<usize>,
    /// Hosts that share their name with another: who is kept out is no member.
    pub(crate) rivals: BTreeSet<usize>,
    broken: Option<(Moment, usize, String)>,
}

impl Promises {
    /// Nothing was asked for yet. Of those who go by one name some are kept out.
    pub(crate) fn among(rivals: BTreeSet<usize>) -> Promises {
        Promises { rivals, ..Promises::default() }
    }

    /// The first promise that was broken: when, as shown by whom, and how.
    pub(crate) fn broken(&self) -> Option<&(Moment, usize, String)> {
        self.broken.as_ref()
    }

    /// An instance is about to be registered.
    pub(crate) fn registering(&mut self, place: usize, id: &InstanceId) {
        let key = (place, id.clone());
        self.removed.remove(&key);
        if self.asked.remove(&key) {
            self.had.remove(&key);
            self.asked_before.insert(key);
        }
    }

    pub(crate) fn registered(&mut self, place: usize, id: &InstanceId) {
        self.kept.insert((place, id.clone()));
    }

    /// It is about to be removed.
    pub(crate) fn removing(&mut self, place: usize, id: &InstanceId) {
        self.asked.insert((place, id.clone()));
    }

    pub(crate) fn removed(&mut self, place: usize, id: &InstanceId) {
        self.kept.remove(&(place, id.clone()));
        self.due.remove(&(place, id.clone()));
        self.removed.entry((place, id.clone())).or_default();
    }

    /// A node is forgotten by somebody's order.
    pub(crate) fn forgetting(&mut self, place: usize) {
        self.forgotten.insert(place);
    }

    /// An agent starts: what it shows now is another one's word.
    pub(crate) fn begins(&mut self, place: usize, now: Moment) {
        self.excuses.is_ill(HostId(place), now);
        self.awake.insert(place);
        self.due.extend(self.kept.iter().filter(|(of, _)| *of == place).cloned());
        self.removed.values_mut().chain(self.had.values_mut()).for_each(|readers| {
            readers.remove(&place);
        });
    }

    pub(crate) fn ends(&mut self, place: usize, now: Moment) {
        self.excuses.is_ill(HostId(place), now);
        self.awake.remove(&place);
    }

    pub(crate) fn stands_still(&mut self, place: usize, now: Moment) {
        self.excuses.stands_still(HostId(place), now);
        self.awake.remove(&place);
    }

    pub(crate) fn goes_on(&mut self, place: usize, now: Moment) {
        self.excuses.goes_on(HostId(place), now);
        self.awake.insert(place);
    }

    /// A host has another data folder: nothing is known of what is in it.
    pub(crate) fn replaces(&mut self, place: usize, now: Moment) {
        self.excuses.is_ill(HostId(place), now);
        self.replaced.insert(place);
        self.kept.retain(|(of, _)| *of != place);
        self.due.retain(|(of, _)| *of != place);
        self.removed.retain(|(of, _), _| *of != place);
        self.had.retain(|(of, _), _| *of != place);
    }

    /// An agent shows something else than before.
    pub(crate) fn see(&mut self, reader: usize, before: Option<&View>, after: Option<&View>, ids: &[Option<NodeId>], now: Moment) {
        let Some(after) = after else { return };
        let host = |node: NodeId| ids.iter().position(|id| *id == Some(node));
        for (place, id) in ids.iter().enumerate() {
            let Some(id) = id.filter(|_| ids.iter().filter(|other| *other == id).count() == 1) else { continue };
            self.judge_down(reader, place, before.and_then(|view| view.nodes.get(&id)).map(|node| node.state), after.nodes.get(&id), now);
        }
        for (node, id) in after.instances.keys().filter(|key| before.is_none_or(|before| !before.instances.contains_key(key))) {
            if let Some(place) = host(*node) {
                self.had.entry((place, id.clone())).or_default().insert(reader);
            }
        }
        for (key @ (place, id), shown) in &mut self.removed {
            let is_shown = ids[*place].is_some_and(|node| after.instances.contains_key(&(node, id.clone())));
            if !is_shown {
                shown.extend(self.had.get(key).filter(|readers| readers.contains(&reader)).map(|_| reader));
            } else if shown.contains(&reader) && !self.replaced.contains(place) {
                let owner = ids[*place].and_then(|node| after.nodes.get(&node)).map_or("?", |node| node.name.as_str());
                self.broken.get_or_insert((now, reader, format!("removals: {id} of {owner} was deregistered, was gone, and is back")));
            }
        }
        let Some(before) = before else { return self.judge_own(reader, after, ids, now) };
        for (node, id) in before.instances.keys().filter(|key| !after.instances.contains_key(key)) {
            // Who is not known any more takes all that it had along.
            let Some(place) = host(*node).filter(|_| after.nodes.contains_key(node)) else { continue };
            let key = (place, id.clone());
            let is_behind = self.asked_before.contains(&key) && !self.had.get(&key).is_some_and(|readers| readers.contains(&reader));
            if !is_behind && !self.asked.contains(&key) && !self.replaced.contains(&place) && !self.forgotten.contains(&place) {
                self.broken.get_or_insert((
                    now,
                    reader,
                    format!("vanished: {id} of {} is gone, and nobody ever asked for that", after.nodes[node].name),
                ));
            }
        }
    }

    /// Promise 6, as the simulator's checker has it.
    fn judge_down(&mut self, reader: usize, place: usize, before: Option<MemberState>, after: Option<&super::view::Node>, now: Moment) {
        let Some(node) = after.filter(|node| node.state == MemberState::Down && before != Some(MemberState::Down)) else { return };
        if !self.awake.contains(&place) || !self.awake.contains(&reader) || self.rivals.contains(&place) {
            return;
        }
        if !self.excuses.excuse(HostId(reader), HostId(place), now) {
            self.broken.get_or_insert((now, reader, format!("healthy: {} is healthy, and is shown as down: {}", node.name, node.reason)));
        }
    }

    /// Promise 2: what was acknowledged is there after a start.
    fn judge_own(&mut self, reader: usize, view: &View, ids: &[Option<NodeId>], now: Moment) {
        let Some(own) = ids[reader] else { return };
        let lost = self
            .due
            .iter()
            .find(|key| key.0 == reader && !self.asked.contains(*key) && !view.instances.contains_key(&(own, key.1.clone())));
        if let Some((_, id)) = lost {
            self.broken.get_or_insert((now, reader, format!("durable: {id} was acknowledged, and is not there after a start")));
        }
    }

    /// Promises 4 and 7, at rest: what was acknowledged by those who run is shown by an agent of their cluster. Tells what is not.
    pub(crate) fn missing(&self, view: &View, ids: &[Option<NodeId>], members: &[usize]) -> Option<String> {
        let kept = self.kept.difference(&self.asked).filter(|(place, _)| members.contains(place));
        let absent = { kept }.find(|(place, id)| ids[*place].is_some_and(|node| !view.instances.contains_key(&(node, id.clone()))));
        let back = self
            .removed
            .keys()
            .filter(|(place, _)| members.contains(place))
            .find(|(place, id)| ids[*place].is_some_and(|node| view.instances.contains_key(&(node, id.clone()))));
        let name = |place: &usize| ids[*place].and_then(|id| view.nodes.get(&id)).map_or("?".to_owned(), |node| node.name.clone());
        absent
            .map(|(place, id)| format!("{id} of {} was acknowledged, and is not shown", name(place)))
            .or(back.map(|(place, id)| format!("{id} of {} was deregistered, and is shown", name(place))))
    }
}
