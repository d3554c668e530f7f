//! One stream with a peer: its life from opening to end. What is said in it stands in `sync.rs`.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, VecDeque},
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use super::{
    Core,
    io::{CloseCause, Event, Output, StreamId},
    itself::Heard,
    part::Have,
    time::Moment,
    timers::Timer,
};
use crate::{
    model::NodeId,
    wire::{
        Identity, WireError,
        envelope::{Carrier, Envelope},
        frame::FrameBuffer,
        limits,
        message::{self, Message, kind},
        versions::NEGOTIATION,
    },
};

/// Conversations that peers may have opened with us at once. One more takes the place of one whose peer has not said who it is; where all have, it is closed at
/// once, and who opened it tries again.
const ACCEPTED_CONVERSATIONS: usize = 256;
/// How long a peer may take to connect, and to say hello.
const HELLO_PATIENCE: Duration = Duration::from_secs(3);
/// How long a conversation may go without a whole frame either way.
const PATIENCE: Duration = Duration::from_secs(10);
/// Octets that may wait for the network in one stream before the next answer is made.
const IN_FLIGHT: usize = 256 * 1024;

/// Why we opened it. The order is that of [`super::counters::PURPOSES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To join.
    Join,
    /// To find out quietly whether somebody is there again.
    Look,
    /// Because something differs.
    Sync,
    /// To tell that we leave.
    Farewell,
    /// To find out whether another process speaks under our id.
    Itself,
}

/// A stream with a peer.
#[derive(Debug)]
pub(super) struct Conversation {
    /// Where the peer is.
    pub at: SocketAddr,
    /// Why we opened it; the peer opened it where there is none.
    pub purpose: Option<Purpose>,
    /// In which version of the wire format it is spoken.
    pub version: u8,
    /// It began, or begins, with what we speak in place of a hello: the peer had ended one without a word.
    pub asks_versions: bool,
    /// The peer has said what it speaks, and not in its hello.
    pub has_versions: bool,
    /// Who it is, once it said hello.
    pub peer: Option<Identity>,
    /// What it said may have been recorded long ago: nothing follows from it before it has answered us.
    pub is_unproven: bool,
    /// That life of the peer is buried here, so only what it says of graves is heard.
    pub peer_is_buried: bool,
    /// The digest that it had then.
    pub peer_digest: u64,
    /// Whether this agent had been part of a cluster when it began: if not, what we learn needs no telling.
    pub established: bool,
    /// Whether we have sent our hashes over buckets.
    pub said_buckets: bool,
    /// Whether the peer has sent its own.
    pub got_buckets: bool,
    /// Whether we have asked for all that we want.
    pub said_wants: bool,
    /// Owners that the peer named so far.
    pub owners: Vec<(NodeId, u128)>,
    /// Our wants that are not answered, by their request.
    pub asked: BTreeMap<u64, NodeId>,
    /// The answer that is not complete yet: to which request, and what came of it.
    pub partial: Option<(u64, Have)>,
    /// Wants of the peer's that are not answered yet.
    pub wants: VecDeque<message::Want>,
    /// The peer has asked for all that it wants.
    pub wants_ended: bool,
    /// We have sent all that the peer wanted.
    pub sent_all: bool,
    /// The peer has sent all that we wanted.
    pub got_all: bool,
    /// Something in it was news to us.
    pub news: bool,
    /// Whether anything came from the peer that could be read.
    pub has_spoken: bool,
    /// What was heard in it of ourselves.
    pub heard: Heard,
    frames: FrameBuffer,
    in_flight: usize,
    deadline: Moment,
}

impl Conversation {
    /// Whether we opened it.
    pub(super) fn is_ours(&self) -> bool {
        self.purpose.is_some()
    }

    /// What came and was not looked at, for whoever takes the stream over.
    pub(super) fn into_frames(self) -> FrameBuffer {
        self.frames
    }

    /// Whether each side has sent all that the other wanted.
    pub(super) fn is_done(&self) -> bool {
        self.sent_all && self.got_all
    }

    /// Whether the peer said who it is, and something went over the stream within so much time.
    pub(super) fn goes_on(&self, now: Moment, within: Duration) -> bool {
        self.peer.is_some() && self.deadline + within > now + PATIENCE
    }

    /// Whether the next answer has to wait for the network.
    pub(super) fn is_choked(&self) -> bool {
        self.in_flight >= IN_FLIGHT
    }
}

impl Core {
    /// Opens a conversation.
    pub(super) fn open(&mut self, now: Moment, to: SocketAddr, purpose: Purpose) -> StreamId {
        self.streams += 1;
        let stream = StreamId(self.streams);
        self.begin(now, stream, to, Some(purpose));
        self.outputs.push_back(Output::Connect { stream, to });
        stream
    }

    fn begin(&mut self, now: Moment, stream: StreamId, at: SocketAddr, purpose: Option<Purpose>) {
        let deadline = now + HELLO_PATIENCE;
        let (version, asks_versions) = match purpose {
            Some(_) => (self.version_at(at), self.join.was_speechless(at)),
            None => (self.versions.first(), false),
        };
        let conversation = Conversation {
            at,
            purpose,
            version,
            asks_versions,
            has_versions: false,
            peer: None,
            is_unproven: false,
            peer_is_buried: false,
            peer_digest: 0,
            established: self.join.is_established(),
            said_buckets: false,
            got_buckets: false,
            said_wants: false,
            owners: Vec::new(),
            asked: BTreeMap::new(),
            partial: None,
            wants: VecDeque::new(),
            wants_ended: false,
            sent_all: false,
            got_all: false,
            news: false,
            has_spoken: false,
            heard: Heard::default(),
            frames: FrameBuffer::default(),
            in_flight: 0,
            deadline,
        };
        self.conversations.insert(stream, conversation);
        self.timers.set(deadline, Timer::Conversation(stream));
    }

    pub(super) fn on_accepted(&mut self, now: Moment, stream: StreamId, from: SocketAddr) {
        let accepted = self.conversations.values().filter(|conversation| !conversation.is_ours()).count();
        if accepted >= ACCEPTED_CONVERSATIONS && !self.make_room(now) {
            self.dropped(from, "too_many_streams");
            self.outputs.push_back(Output::Close(stream));
        } else {
            self.begin(now, stream, from, None);
        }
    }

    /// Ends a stream whose peer has not said who it is: the oldest of the address that has most of them. So who opens many and says nothing takes the places of
    /// nobody but itself, and an agent, which says who it is at once, has the time for it however many come.
    fn make_room(&mut self, now: Moment) -> bool {
        let silent = |(stream, conversation): (&StreamId, &Conversation)| {
            (!conversation.is_ours() && conversation.peer.is_none()).then_some((conversation.at.ip(), *stream))
        };
        let mut by_address: BTreeMap<IpAddr, Vec<StreamId>> = BTreeMap::new();
        for (address, stream) in self.conversations.iter().filter_map(silent) {
            by_address.entry(address).or_default().push(stream);
        }
        let most = by_address.values().max_by_key(|streams| (streams.len(), Reverse(streams[0])));
        let Some(stream) = most.map(|streams| streams[0]) else {
            return false;
        };
        self.end_half_open(now, stream, "it made room for another");
        true
    }

    fn end_half_open(&mut self, now: Moment, stream: StreamId, why: &str) {
        if let Some(from) = self.conversations.get(&stream).map(|conversation| conversation.at) {
            self.dropped(from, "half_open_stream");
            self.fail(now, stream, why);
        }
    }

    pub(super) fn on_connected(&mut self, now: Moment, stream: StreamId) {
        match self.conversations.get(&stream).map(|conversation| conversation.asks_versions) {
            Some(true) => self.say_versions(stream),
            Some(false) => self.say_hello(now, stream),
            None => self.detector.on_connected(now, stream),
        }
    }

    pub(super) fn on_received(&mut self, now: Moment, stream: StreamId, bytes: &[u8]) {
        let Some(conversation) = self.conversations.get_mut(&stream) else {
            return self.on_received_by_detector(now, stream, bytes);
        };
        conversation.frames.extend(bytes);
        loop {
            let Some(conversation) = self.conversations.get_mut(&stream) else {
                // It is over, or has become the detector's with all that has come already.
                return self.on_received_by_detector(now, stream, &[]);
            };
            let from = conversation.at;
            match conversation.frames.next_frame() {
                Ok(None) => return,
                Ok(Some(frame)) => {
                    conversation.deadline = now + PATIENCE;
                    if let Err(error) = self.on_frame(now, stream, &frame) {
                        self.dropped_unread(from, &frame, error);
                        return self.fail(now, stream, error.as_str());
                    }
                }
                Err(error) => {
                    self.dropped(from, error.as_str());
                    return self.fail(now, stream, error.as_str());
                }
            }
        }
    }

    fn on_frame(&mut self, now: Moment, stream: StreamId, frame: &[u8]) -> Result<(), WireError> {
        let opened = self.frame_in(stream, frame)?;
        self.taken += u64::from(opened.cluster == self.cluster);
        if let Some(conversation) = self.conversations.get_mut(&stream) {
            conversation.has_spoken = true;
            // Who opened a stream chose; from the hellos on it is the highest of both.
            if opened.version != NEGOTIATION && !conversation.is_ours() && conversation.peer.is_none() {
                conversation.version = opened.version;
            }
        }
        self.prove(now, stream);
        if opened.version == NEGOTIATION {
            return self.on_versions(now, stream, &opened.messages()?);
        }
        for (kind, body) in opened.messages()? {
            // Agents of two clusters must be able to tell each other so.
            if opened.cluster != self.cluster && !matches!(kind, kind::HELLO | kind::REFUSE) {
                return Err(WireError::Cluster);
            }
            if !self.conversations.contains_key(&stream) {
                return Ok(());
            }
            self.on_message(now, stream, kind, body)?;
        }
        // Wants come many in a frame, and so do the answers.
        self.answer_wants(now, stream);
        Ok(())
    }

    pub(super) fn on_sent(&mut self, now: Moment, stream: StreamId, octets: usize) {
        if let Some(conversation) = self.conversations.get_mut(&stream) {
            conversation.in_flight = conversation.in_flight.saturating_sub(octets);
            conversation.deadline = now + PATIENCE;
            self.answer_wants(now, stream);
        }
    }

    pub(super) fn on_closed(&mut self, now: Moment, stream: StreamId, cause: CloseCause, reason: &str) {
        let is_confirmed = |conversation: &Conversation| conversation.purpose == Some(Purpose::Farewell) && conversation.is_done();
        if self.conversations.get(&stream).is_some_and(is_confirmed) {
            self.end(now, stream);
        } else if let Some(conversation) = self.conversations.remove(&stream) {
            // Who can't read what we say has nothing to answer.
            let speechless = cause == CloseCause::Ended && conversation.is_ours() && !conversation.has_spoken;
            let reason = match speechless {
                true => {
                    "it ended the stream without a word: does it have the same keys? Or does it speak other versions of the wire format alone?"
                }
                false => reason,
            };
            if speechless {
                self.join.is_speechless(conversation.at);
            }
            self.after_failure(now, stream, conversation, reason);
        } else {
            self.detector.on_closed(now, stream, cause);
        }
    }

    pub(super) fn check_conversation(&mut self, now: Moment, stream: StreamId) {
        let Some(conversation) = self.conversations.get(&stream) else {
            return;
        };
        if conversation.deadline > now {
            let deadline = conversation.deadline;
            return self.timers.set(deadline, Timer::Conversation(stream));
        }
        if !conversation.is_ours() && conversation.peer.is_none() {
            return self.end_half_open(now, stream, "it took too long");
        }
        self.fail(now, stream, "it took too long");
    }

    /// Gives a conversation up.
    pub(super) fn fail(&mut self, now: Moment, stream: StreamId, reason: &str) {
        if let Some(conversation) = self.conversations.remove(&stream) {
            self.outputs.push_back(Output::Close(stream));
            self.after_failure(now, stream, conversation, reason);
        }
    }

    fn after_failure(&mut self, now: Moment, stream: StreamId, conversation: Conversation, reason: &str) {
        self.count_conversation(conversation.purpose, false);
        match conversation.purpose {
            Some(Purpose::Farewell) => self.farewell_failed(now),
            Some(Purpose::Join) => self.event(Event::JoinFailed { peer: conversation.at, reason: reason.into() }),
            Some(Purpose::Itself) => self.not_answered(now, stream),
            Some(Purpose::Look | Purpose::Sync) | None => {}
        }
        self.judge(now, conversation.heard, conversation.peer.map(|peer| peer.address()));
    }

    /// Sends one message in a frame of its own.
    pub(super) fn say<M: Message>(&mut self, stream: StreamId, message: &M) {
        self.say_bytes(stream, M::KIND, &message.to_bytes());
    }

    fn frame_for(&self, stream: StreamId) -> Envelope {
        let version = self.conversations.get(&stream).map_or(self.versions.first(), |conversation| conversation.version);
        Envelope::of(version, Carrier::Frame, self.cluster)
    }

    pub(super) fn say_bytes(&mut self, stream: StreamId, kind: u8, body: &[u8]) {
        let mut envelope = self.frame_for(stream);
        if !envelope.push(kind, body) {
            // Senders cut their messages to size, so this is a fault of ours, not of the peer's.
            return self.event(Event::Internal(format!("a message of kind {kind} with {} octets fits no frame", body.len())));
        }
        self.say_envelope(stream, envelope);
    }

    /// Sends small messages, as many in a frame as fit.
    pub(super) fn say_together(&mut self, stream: StreamId, messages: Vec<(u8, Vec<u8>)>) {
        let mut shared = self.frame_for(stream);
        for (kind, body) in messages {
            if shared.len() + body.len() <= limits::FRAME_SHARED && shared.push(kind, &body) {
                continue;
            }
            let next = self.frame_for(stream);
            self.say_envelope(stream, std::mem::replace(&mut shared, next));
            if !shared.push(kind, &body) {
                self.say_bytes(stream, kind, &body);
            }
        }
        self.say_envelope(stream, shared);
    }

    pub(super) fn say_envelope(&mut self, stream: StreamId, envelope: Envelope) {
        if envelope.is_empty() {
            return;
        }
        let bytes = self.frame_out(stream, envelope);
        if let Some(conversation) = self.conversations.get_mut(&stream) {
            conversation.in_flight += bytes.len();
            self.outputs.push_back(Output::Send { stream, bytes });
        }
    }
}
