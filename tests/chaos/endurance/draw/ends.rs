//! What was begun ends.

use std::time::Duration;

use super::{Story, script::names, stage::State};

/// Until an agent that was started is ready, and has taken over the signals that it is sent.
const START: Duration = Duration::from_secs(6);
/// After an agent goes on, or a host does.
pub(super) const AFTERMATH: Duration = Duration::from_secs(2);
/// How long all may take until all is right.
const PATIENCE: Duration = Duration::from_secs(180);

/// The end of something.
#[derive(Debug)]
pub(super) struct End {
    /// When it is to be.
    pub(super) at: Duration,
    /// It can't be before.
    pub(super) least: Duration,
    pub(super) what: What,
}

#[derive(Debug)]
pub(super) enum What {
    Start(Vec<usize>),
    Resume(Vec<usize>),
    /// There is room on the disk again.
    Disk(usize),
    /// Nothing is lost in the network at large.
    Loss,
    /// Packets take as long as at first, and come once.
    Slowness,
    /// Partition and cuts are over.
    Heal,
    Link(String),
}

impl Story {
    /// It ends so long from now; not before it has had time to show an effect.
    pub(super) fn ends_after(&mut self, time: Duration, least: Duration, what: What) {
        let now = self.now();
        self.ends.push(End { at: now + time.max(least), least: now + least, what });
    }

    /// Ends what is over by then, each at its time.
    pub(super) fn end_what_is_over(&mut self, by: Duration) {
        while let Some(place) = (0..self.ends.len()).filter(|place| self.ends[*place].at <= by).min_by_key(|place| self.ends[*place].at) {
            let End { at, what, .. } = self.ends.remove(place);
            self.script.go_on_to(at);
            self.end(what);
        }
    }

    fn end(&mut self, what: What) {
        let now = self.now();
        match what {
            What::Start(places) => {
                self.script.act(&format!("start = {}", names(&places)));
                self.stage.become_(&places, State::Runs);
                self.stage.occupy(&places, now + START);
            }
            What::Resume(places) => {
                self.script.act(&format!("resume = {}", names(&places)));
                self.stage.become_(&places, State::Runs);
                self.stage.unsettle(&places, now + AFTERMATH);
            }
            What::Disk(place) => {
                self.script.act(&format!("disk = {{ nodes = {}, state = \"healthy\" }}", names(&[place])));
            }
            What::Loss => {
                self.script.act("network = { loss = \"0%\" }");
                self.stage.loss = None;
            }
            What::Slowness => {
                self.script.act("network = { latency = \"500us..1500us\", duplication = \"0%\", reordering = \"0%\" }");
                self.stage.is_slow = false;
            }
            What::Heal => {
                // It may have been healed with another one.
                if std::mem::take(&mut self.stage.is_torn) {
                    self.script.act("heal = true");
                }
            }
            What::Link(way) => {
                self.script.act(&format!("link = {{ {way} }}"));
                self.stage.links -= 1;
            }
        }
    }

    /// All faults end, all that are off are started, and all must come right.
    pub(super) fn recover(&mut self) {
        self.script.remark("all ends");
        let (starts, mut others): (Vec<End>, Vec<End>) =
            std::mem::take(&mut self.ends).into_iter().partition(|end| matches!(end.what, What::Start(_)));
        others.sort_by_key(|end| end.least);
        // Who is torn is healed once, when all cuts have shown their effect.
        let healed = others.iter().filter(|end| matches!(end.what, What::Heal)).map(|end| end.least).max();
        for End { least, what, .. } in others {
            self.script.go_on_to(if matches!(what, What::Heal) { healed.unwrap_or(least) } else { least });
            self.end(what);
        }
        if let Some(least) = starts.iter().map(|end| end.least).max() {
            self.script.go_on_to(least);
            let all = starts.into_iter().flat_map(|end| if let What::Start(places) = end.what { places } else { Vec::new() });
            self.end(What::Start(all.collect()));
        }
        let settled = self.stage.nodes.iter().map(|node| node.settled_at).max().unwrap_or_default();
        self.script.go_on_to(settled);
        self.must_be_right(PATIENCE);
        let free = self.stage.nodes.iter().map(|node| node.free_at).max().unwrap_or_default();
        self.script.go_on_to(free);
        self.rotate_keys();
    }

    /// All know each other, hand out exactly what is registered and well, and agree.
    pub(super) fn must_be_right(&mut self, patience: Duration) {
        self.script.within(patience, "sees = { nodes = \"all\", state = \"alive\" }");
        for service in super::work::SERVICES {
            let expected = self.stage.handed_out(service);
            self.script.within(patience, &expected);
        }
        self.script.within(patience, "agree = \"all\"");
    }
}
