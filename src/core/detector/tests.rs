//! Claims about the detector by itself: one that is fed by hand, and a thousand in a network of nothing else.

mod network;

use rand::{SeedableRng as _, rngs::StdRng};

use super::*;
use crate::model::Life;
use network::Network;

const MS: Duration = Duration::from_millis(1);

fn identity(node: u64) -> Identity {
    let address = SocketAddr::from(([10, 0, (node >> 8) as u8, node as u8], 8746));
    Identity::new(address, NodeId(node), Life { generation: 1, nonce: node })
}

/// Node 0, with so many members, in the moment when its first round begins.
struct Alone {
    detector: Detector,
    now: Moment,
}

impl Alone {
    fn with(members: u64) -> Alone {
        let mut detector = Detector::new(identity(0), &mut StdRng::seed_from_u64(1));
        (1..=members).for_each(|node| detector.see(Moment::default(), identity(node), Standing::Up));
        let now = detector.poll_timeout().expect("there is somebody to look after");
        Alone { detector, now }
    }

    /// Lets so much time pass; gives what was to be done meanwhile.
    fn run(&mut self, time: Duration) -> Vec<Action> {
        let end = self.now + time;
        let mut actions = self.actions();
        while let Some(due) = self.detector.poll_timeout().filter(|due| *due <= end) {
            self.detector.handle_timeout(due);
            actions.append(&mut self.actions());
        }
        self.now = end;
        actions
    }

    fn actions(&mut self) -> Vec<Action> {
        std::iter::from_fn(|| self.detector.poll_action()).collect()
    }

    fn ack(&mut self, probe: &Probe) {
        let ack = ProbeAck { nonce: probe.nonce, digest: [0; 4], instead: None };
        self.detector.on_ack(self.now, &ack, true);
    }

    /// Whether a stream was opened for ourselves.
    fn is_inquiry(&self, stream: StreamId) -> bool {
        self.detector.inquiries.values().any(|inquiry| inquiry.streams.contains(&stream))
    }

    fn report(&mut self, request: &ProbeRequest, found: Found) {
        self.detector.on_report(self.now, &ProbeReport { nonce: request.nonce, found });
    }
}

fn probes(actions: &[Action]) -> Vec<(SocketAddr, Probe)> {
    let probe = |action: &Action| match action {
        Action::Tell { to, message: Told::Probe(probe) } => Some((*to, probe.clone())),
        _ => None,
    };
    actions.iter().filter_map(probe).collect()
}

fn requests(actions: &[Action]) -> Vec<ProbeRequest> {
    let request = |action: &Action| match action {
        Action::Tell { message: Told::Request(request), .. } => Some(request.clone()),
        _ => None,
    };
    actions.iter().filter_map(request).collect()
}

fn streams(actions: &[Action]) -> Vec<StreamId> {
    let stream = |action: &Action| if let Action::Connect { stream, .. } = action { Some(*stream) } else { None };
    actions.iter().filter_map(stream).collect()
}

fn verdicts(actions: &[Action]) -> Vec<(Identity, Fault)> {
    let verdict = |action: &Action| if let Action::Down { identity, fault } = action { Some((*identity, *fault)) } else { None };
    actions.iter().filter_map(verdict).collect()
}

#[test]
fn each_round_probes_the_next_two_and_answers_cost_no_further_wake_up() {
    let mut alone = Alone::with(9);
    let next: Vec<SocketAddr> = alone.detector.ring.after_us().take(2).map(|identity| identity.address()).collect();
    for _ in 0..3 {
        let asked = probes(&alone.run(Duration::ZERO));
        assert_eq!(asked.iter().map(|(to, _)| *to).collect::<Vec<_>>(), next);
        alone.now = alone.now + MS;
        asked.iter().for_each(|(_, probe)| alone.ack(probe));
        let due = alone.detector.poll_timeout().unwrap();
        assert!(due - alone.now > ROUND * 9 / 10 && due - alone.now < ROUND * 11 / 10, "nothing is due before the next round");
        alone.now = due;
    }
    assert_eq!(alone.detector.counters().suspicions, 0);
}

#[test]
fn who_does_not_answer_is_asked_again_then_by_stream_and_by_others() {
    let mut alone = Alone::with(9);
    assert_eq!(probes(&alone.run(49 * MS)).len(), 2);
    let again = alone.run(MS);
    assert_eq!((probes(&again).len(), streams(&again).len(), requests(&again).len()), (2, 0, 0));
    let with_help = alone.run(50 * MS);
    assert_eq!((probes(&with_help).len(), streams(&with_help).len(), requests(&with_help).len()), (2, 2, 6));
}

#[test]
fn what_is_silent_to_all_is_gone_within_two_seconds_of_the_first_question() {
    let mut alone = Alone::with(9);
    let target = alone.detector.ring.after_us().next().unwrap();
    let start = alone.now;
    let mut suspected_at = None;
    loop {
        let actions = alone.run(10 * MS);
        for (to, probe) in probes(&actions) {
            // Only the first in the ring is gone.
            if to != target.address() {
                alone.ack(&probe);
            }
        }
        requests(&actions).iter().for_each(|request| alone.report(request, Found::Silent));
        if actions.contains(&Action::Suspects(target.node())) {
            suspected_at.get_or_insert(alone.now - start);
        }
        if let [(identity, fault)] = verdicts(&actions)[..] {
            assert_eq!((identity, fault), (target, Fault::Silent));
            break;
        }
        assert!(alone.now - start < Duration::from_secs(3));
    }
    assert!(suspected_at.is_some_and(|at| at < 300 * MS), "{suspected_at:?}");
    assert!((1_750..=1_850).contains(&(alone.now - start).as_millis()), "{:?}", alone.now - start);
}

#[test]
fn a_broken_watch_stream_and_two_refusals_take_a_third_of_a_second() {
    let mut alone = Alone::with(9);
    let peer = alone.detector.ring.after_us().nth(2).unwrap();
    let watching = Line { purpose: Purpose::Watch(Watching::established(peer)), version: 1, frames: FrameBuffer::default() };
    alone.detector.lines.insert(StreamId(7), watching);
    let start = alone.now;
    alone.detector.on_closed(start, StreamId(7), CloseCause::Ended);
    let actions = alone.actions();
    assert_eq!((probes(&actions).len(), streams(&actions).len(), requests(&actions).len()), (1, 1, 3), "with all means at once");
    alone.detector.on_closed(start + MS, streams(&actions)[0], CloseCause::Refused);
    alone.report(&requests(&actions)[0], Found::Refused);
    assert_eq!(alone.detector.suspects(peer), Some(Fault::Refused));
    let mut gone = vec![];
    while gone.is_empty() {
        gone = verdicts(&alone.run(5 * MS));
        assert!(alone.now - start < Duration::from_secs(1));
    }
    assert_eq!(gone, [(peer, Fault::Refused)]);
    assert!((300..=310).contains(&(alone.now - start).as_millis()));
}

#[test]
fn any_sign_of_life_ends_a_suspicion() {
    let mut alone = Alone::with(9);
    let target = alone.detector.ring.after_us().next().unwrap();
    let suspected = |alone: &mut Alone| {
        for _ in 0..160 {
            let actions = alone.run(10 * MS);
            probes(&actions).iter().filter(|(to, _)| *to != target.address()).for_each(|(_, probe)| alone.ack(probe));
            requests(&actions).iter().for_each(|request| alone.report(request, Found::Silent));
        }
        assert_eq!(alone.detector.suspects(target), Some(Fault::Silent));
        let request = alone.detector.inquiries[&target.node()].evidence.asked.first_key_value().map(|(_, nonce)| *nonce).unwrap();
        ProbeRequest { node: [0; 8], to: [0; 4], nonce: request.to_be_bytes() }
    };
    let request = suspected(&mut alone);
    alone.report(&request, Found::Answered);
    assert_eq!(alone.detector.suspects(target), None);
    suspected(&mut alone);
    alone.detector.heard(target);
    assert_eq!(alone.detector.suspects(target), None);
    let request = suspected(&mut alone);
    alone.report(&request, Found::Excused);
    assert_eq!(alone.detector.suspects(target), None);
    suspected(&mut alone);
    alone.detector.see(alone.now, target, Standing::Away);
    assert_eq!(alone.detector.suspects(target), None);
    assert!(alone.detector.counters().refutations >= 2);
}

#[test]
fn who_hears_nobody_doubts_itself() {
    let mut alone = Alone::with(9);
    assert_eq!(verdicts(&alone.run(Duration::from_secs(10))), []);
    let counters = alone.detector.counters();
    assert!(counters.inconclusive > 0 && counters.local_health == 4, "{counters:?}");
    assert!(!verdicts(&alone.run(Duration::from_secs(60))).is_empty(), "but not for ever");
}

#[test]
fn who_comes_late_judges_nobody() {
    let mut alone = Alone::with(9);
    alone.run(100 * MS);
    assert_eq!(alone.detector.inquiries.len(), 2);
    alone.detector.on_late(900 * MS);
    assert_eq!(alone.detector.inquiries.len(), 0);
    assert_eq!(alone.detector.counters().local_health, 2);
    let mut alone = Alone::with(9);
    for _ in 0..60 {
        let actions = alone.run(10 * MS);
        requests(&actions).iter().for_each(|request| alone.report(request, Found::Silent));
    }
    let target = *alone.detector.inquiries.values().find(|inquiry| inquiry.is_suspicion()).map(|inquiry| &inquiry.target).unwrap();
    let began = alone.detector.inquiries[&target.node()].began;
    alone.detector.on_late(900 * MS);
    assert_eq!(alone.detector.inquiries[&target.node()].began, began + 900 * MS, "a suspect is given the time that we missed");
}

#[test]
fn what_a_kernel_said_is_evidence_however_late_it_is_read() {
    let mut alone = Alone::with(9);
    alone.run(Duration::ZERO);
    let peer = alone.detector.ring.after_us().nth(2).unwrap();
    let watching = Line { purpose: Purpose::Watch(Watching::established(peer)), version: 1, frames: FrameBuffer::default() };
    alone.detector.lines.insert(StreamId(7), watching);
    alone.detector.on_closed(alone.now, StreamId(7), CloseCause::Ended);
    let asked = requests(&alone.actions());
    alone.detector.on_late(300 * MS);
    assert_eq!(alone.detector.inquiries.keys().collect::<Vec<_>>(), [&peer.node()], "the others were merely silent");
    asked.iter().for_each(|request| alone.report(request, Found::Refused));
    assert_eq!(alone.detector.suspects(peer), Some(Fault::Refused));
}

#[test]
fn who_is_away_is_neither_probed_nor_probed_for_others() {
    let mut alone = Alone::with(2);
    let away = identity(1);
    alone.detector.see(alone.now, away, Standing::Away);
    assert!(probes(&alone.run(ROUND * 3)).iter().all(|(to, _)| *to != away.address()));
    let request = ProbeRequest { node: 1_u64.to_be_bytes(), to: away.short().to_be_bytes(), nonce: [7; 4] };
    alone.detector.on_request(alone.now, identity(2).address(), &request);
    let report = Told::Report(ProbeReport { nonce: [7; 4], found: Found::Excused });
    assert_eq!(alone.actions(), [Action::Tell { to: identity(2).address(), message: report }]);
    alone.detector.see(alone.now, away, Standing::Up);
    assert!(probes(&alone.actions()).iter().any(|(to, _)| *to == away.address()), "at once when its time is over");
}

#[test]
fn only_members_are_probed_for_others_and_only_where_they_are_known_to_be() {
    let mut alone = Alone::with(3);
    let other = Identity::new(identity(1).address(), NodeId(1), Life { generation: 9, nonce: 9 });
    for (node, to) in [(77, identity(77)), (1, other), (0, identity(0))] {
        let request = ProbeRequest { node: u64::to_be_bytes(node), to: to.short().to_be_bytes(), nonce: [7; 4] };
        alone.detector.on_request(alone.now, identity(2).address(), &request);
        assert_eq!(alone.actions(), []);
    }
}

#[test]
fn an_errand_tells_all_who_asked_what_was_found() {
    let cases = [(Some(CloseCause::Refused), Found::Refused), (Some(CloseCause::TimedOut), Found::Silent), (None, Found::Stalled)];
    for (closed, found) in cases {
        let mut alone = Alone::with(3);
        for asker in [2, 3] {
            let request = ProbeRequest { node: 1_u64.to_be_bytes(), to: identity(1).short().to_be_bytes(), nonce: [asker as u8; 4] };
            alone.detector.on_request(alone.now, identity(asker).address(), &request);
            alone.detector.on_request(alone.now, identity(asker).address(), &request);
        }
        assert_eq!(probes(&alone.actions()).len(), 1, "one probe serves all");
        let stream = streams(&alone.run(60 * MS)).into_iter().find(|stream| !alone.is_inquiry(*stream)).unwrap();
        match closed {
            Some(cause) => alone.detector.on_closed(alone.now, stream, cause),
            None => alone.detector.on_connected(alone.now, stream),
        }
        let actions = alone.run(200 * MS);
        let reports = actions.iter().filter(|action| {
            matches!(action, Action::Tell { message: Told::Report(report), .. } if report.found == found && [[2; 4], [3; 4]].contains(&report.nonce))
        });
        assert_eq!(reports.count(), 2, "{found:?}: {actions:?}");
    }
}

#[test]
fn a_later_life_in_the_place_of_an_earlier_one_is_met_and_not_judged() {
    let mut alone = Alone::with(9);
    let (to, probe) = probes(&alone.run(Duration::ZERO))[0].clone();
    let target = alone.detector.ring.after_us().find(|member| member.address() == to).unwrap();
    let later = Identity::new(to, target.node(), Life { generation: 2, nonce: 5 });
    let ack = ProbeAck { nonce: probe.nonce, digest: [0; 4], instead: Some(later) };
    assert_eq!(alone.detector.on_ack(alone.now, &ack, true), None);
    assert!(alone.actions().contains(&Action::Meet(to)));
    assert!(!alone.detector.inquiries.contains_key(&target.node()));
    // Where another node has the address, nobody listens for this one any more.
    let (to, probe) = probes(&alone.run(ROUND * 2)).into_iter().find(|(other, _)| *other == to).unwrap();
    let ack = ProbeAck { nonce: probe.nonce, digest: [0; 4], instead: Some(identity(77)) };
    alone.detector.on_ack(alone.now, &ack, true);
    assert!(alone.actions().iter().all(|action| !matches!(action, Action::Meet(_))), "{to}");
}

#[test]
fn what_peers_can_have_done_is_bounded() {
    let mut alone = Alone::with(400);
    for node in 1..=400 {
        let request = ProbeRequest { node: u64::to_be_bytes(node), to: identity(node).short().to_be_bytes(), nonce: [1; 4] };
        for asker in 0..40 {
            alone.detector.on_request(alone.now, identity(asker).address(), &request);
        }
        alone.detector.inquire(alone.now, identity(node), How::AtOnce);
    }
    assert_eq!((alone.detector.errands.len(), alone.detector.inquiries.len()), (128, 64));
    alone.actions();
    let actions = alone.run(Duration::from_secs(2));
    let reports = actions.iter().filter(|action| matches!(action, Action::Tell { message: Told::Report(_), .. })).count();
    assert_eq!(reports, 128 * 16);
    for node in 1..=400 {
        let watch = Watch { from: identity(node), to: identity(0).short().to_be_bytes() };
        alone.detector.on_watcher(StreamId::accepted(node), &watch, true, 1, FrameBuffer::default());
    }
    assert_eq!(alone.detector.watches().filter(|(stream, _)| stream.0 >> 63 == 1).count(), watching::WATCHERS);
}

#[test]
fn a_stranger_and_who_means_somebody_else_are_told_who_is_here_and_are_not_watched() {
    let mut alone = Alone::with(3);
    let us = identity(0).short().to_be_bytes();
    for (from, to) in [(identity(77), us), (identity(1), [0; 4])] {
        alone.detector.on_watcher(StreamId::accepted(1), &Watch { from, to }, true, 1, FrameBuffer::default());
        let actions = alone.actions();
        let told = |message: &dyn Fn(&Told) -> bool| {
            actions.iter().any(|action| matches!(action, Action::Say { message: said, .. } if message(said)))
        };
        assert!(told(&|said| matches!(said, Told::Watch(watch) if watch.from == identity(0))), "{actions:?}");
        assert!(told(&|said| *said == Told::WatchEnd) && actions.contains(&Action::Close(StreamId::accepted(1))), "{actions:?}");
    }
    // A second stream of the same peer takes the place of the first.
    for stream in [2, 3] {
        alone.detector.on_watcher(StreamId::accepted(stream), &Watch { from: identity(1), to: us }, true, 1, FrameBuffer::default());
    }
    assert_eq!(alone.detector.watches().map(|(stream, _)| stream).collect::<Vec<_>>(), [StreamId::accepted(3)]);
}

#[test]
fn a_watch_that_ends_with_a_word_is_no_news() {
    let mut alone = Alone::with(3);
    let watch = Watch { from: identity(1), to: identity(0).short().to_be_bytes() };
    alone.detector.on_watcher(StreamId::accepted(1), &watch, true, 1, FrameBuffer::default());
    alone.actions();
    alone.detector.on_message(alone.now, StreamId::accepted(1), kind::WATCH_END, &[]);
    alone.detector.on_closed(alone.now, StreamId::accepted(1), CloseCause::Ended);
    assert_eq!(alone.actions(), [Action::Close(StreamId::accepted(1))]);
}

#[test]
fn another_identity_of_ours_begins_anew() {
    let mut alone = Alone::with(9);
    alone.run(60 * MS);
    let watch = Watch { from: identity(1), to: identity(0).short().to_be_bytes() };
    alone.detector.on_watcher(StreamId::accepted(1), &watch, true, 1, FrameBuffer::default());
    alone.detector.rename(identity(0).with_rejoin(1));
    assert_eq!((alone.detector.inquiries.len(), alone.detector.lines.len()), (0, 0));
    assert!(alone.actions().contains(&Action::Say { stream: StreamId::accepted(1), version: 1, message: Told::WatchEnd }));
}

#[test]
fn a_thousand_take_nobody_for_gone_where_a_fifth_is_lost_both_ways() {
    let mut network = Network::new(1_000, 5);
    network.loss = 0.2;
    network.run(Duration::from_secs(60));
    let probes: u64 = network.counters().map(|counters| counters.probes).sum();
    assert!(probes > 90_000 && network.lost > 20_000, "{probes} probes, {} datagrams lost", network.lost);
    assert_eq!(network.down, [], "nobody is gone");
}

#[test]
fn a_thousand_find_one_that_died_and_one_that_went_dark() {
    let mut network = Network::new(1_000, 6);
    network.run(Duration::from_secs(6));
    let start = network.now;
    network.kill(500);
    network.run(Duration::from_secs(1));
    let (at, gone, fault) = network.down[0];
    assert_eq!((gone, fault), (identity(500), Fault::Refused));
    assert!(at - start < 320 * MS, "{:?}", at - start);
    network.down.clear();
    let start = network.now;
    network.darken(250);
    network.run(Duration::from_secs(4));
    let (at, gone, fault) = network.down[0];
    assert_eq!((gone, fault), (identity(250), Fault::Silent));
    assert!(at - start < Duration::from_secs(3), "{:?}", at - start);
}
