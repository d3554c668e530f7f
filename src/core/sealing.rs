//! Encryption at the edge of the core: what goes out is closed last, and what comes in is opened first.
//!
//! Frames are bound to their place: which side said it, as which of its frames, and after the first encrypted frame of either side, whose nonce is at random.
//! So a frame that somebody recorded opens in no other stream and at no other place in its own. The first frames of who opened a stream can't be bound
//! to an answer, since there is none yet: said again by somebody else they begin a stream that gets no further. Such a frame is one at most, and where it was
//! sealed long ago nothing follows from it but an answer: its sender counts as being there when a frame comes that is bound to that answer.
//!
//! Where encryption is required a datagram that was sealed longer than [`WINDOW`](super::WINDOW) ago is not taken. Those that are younger may be said again; their messages are idempotent.

use std::net::SocketAddr;

use rand::RngExt as _;

use super::{
    Core,
    io::{Output, StreamId},
    time::Moment,
};
use crate::{
    model::{encryption::Encryption, record::Key},
    planted::{Planted, is_planted},
    wire::{
        WireError,
        envelope::{Carrier, Envelope},
        frame,
        seal::{self, Nonce, Opened, Seal},
    },
};

/// What an open stream has carried so far that was encrypted, by side.
#[derive(Debug, Default)]
pub(super) struct Strand {
    ours: Side,
    theirs: Side,
    /// Whether a frame of theirs was said in answer to ours, or not long ago.
    is_present: bool,
}

#[derive(Debug, Default)]
struct Side {
    /// The nonce of its first frame.
    first: Option<Nonce>,
    frames: u64,
}

impl Side {
    fn count(&mut self, nonce: Nonce) {
        self.first.get_or_insert(nonce);
        self.frames += 1;
    }
}

/// What a frame is bound to. `opener`: whether the side that says it opened the stream; `heard`: the first nonce that it had heard from the other.
fn place(opener: bool, said: &Side, heard: Option<Nonce>) -> Vec<u8> {
    if is_planted(Planted::FrameUnbound) {
        return Vec::new();
    }
    seal::place(opener, said.frames, said.first, heard)
}

impl Core {
    /// Gossip is encrypted otherwise from now on. Everybody may know; it need not be on disk for that, since each start says it anew.
    pub(super) fn on_seal(&mut self, now: Moment, mut seal: Seal, shown: Encryption) {
        if is_planted(Planted::RemovedKeyOpens) {
            seal.also_open(&self.settings.seal);
        }
        self.settings.seal = seal;
        if self.settings.info.encryption != shown {
            self.settings.info.encryption = shown;
            // After a farewell nothing is written in this life: it would be told as being there.
            if self.farewell.is_some() {
                return;
            }
            self.write(now, Key::node(), self.node_record());
        }
    }

    /// Sends a datagram.
    pub(super) fn send(&mut self, to: SocketAddr, envelope: Envelope) {
        let nonce = self.nonce();
        let bytes = self.settings.seal.close(Carrier::Datagram, envelope.into_bytes(), nonce, &[]);
        if self.may_send(to, bytes.len()) {
            self.outputs.push_back(Output::Datagram { to, bytes });
        }
    }

    /// Opens a datagram.
    pub(super) fn datagram_in<'a>(&mut self, bytes: &'a [u8]) -> Result<Opened<'a>, WireError> {
        let opened = self.settings.seal.open(self.versions, Carrier::Datagram, bytes, &[])?;
        if let Some(nonce) = opened.nonce {
            if !self.is_recent(nonce) {
                return Err(WireError::Old);
            }
            self.shared_time.hear(nonce.seconds());
        }
        Ok(opened)
    }

    /// A frame as it goes out by a stream.
    pub(super) fn frame_out(&mut self, stream: StreamId, envelope: Envelope) -> Vec<u8> {
        let bytes = envelope.into_bytes();
        if !self.settings.seal.encrypts() {
            return frame::encode(&bytes);
        }
        let nonce = self.nonce();
        let strand = self.strands.entry(stream).or_default();
        let place = place(stream.is_ours(), &strand.ours, strand.theirs.first);
        strand.ours.count(nonce);
        frame::encode(&self.settings.seal.close(Carrier::Frame, bytes, nonce, &place))
    }

    /// Opens a frame that came by a stream.
    pub(super) fn frame_in<'a>(&mut self, stream: StreamId, bytes: &'a [u8]) -> Result<Opened<'a>, WireError> {
        let none = Strand::default();
        let strand = self.strands.get(&stream).unwrap_or(&none);
        let they_opened = !stream.is_ours();
        let (seal, versions) = (&self.settings.seal, self.versions);
        if !they_opened && strand.ours.first.is_none() && seal.requires() {
            // It can't be an answer: by a stream of ours nothing is said before we have spoken.
            return Err(WireError::Forged);
        }
        let (opened, is_answer) = match seal.open(versions, Carrier::Frame, bytes, &place(they_opened, &strand.theirs, strand.ours.first)) {
            // What they said before they had heard us may come after we spoke.
            Err(WireError::Forged) if they_opened && strand.ours.first.is_some() => {
                (seal.open(versions, Carrier::Frame, bytes, &place(they_opened, &strand.theirs, None))?, false)
            }
            other => (other?, strand.ours.first.is_some()),
        };
        let Some(nonce) = opened.nonce else { return Ok(opened) };
        let is_present = is_answer || self.is_recent(nonce);
        if !is_present && strand.theirs.frames > 0 {
            return Err(WireError::Old);
        }
        self.shared_time.hear(nonce.seconds());
        let strand = self.strands.entry(stream).or_default();
        strand.theirs.count(nonce);
        strand.is_present |= is_present;
        Ok(opened)
    }

    /// Whether something may have been on its way since it was sealed. Who takes what is said in the clear has no use for the question, and perhaps
    /// never told the other what time it is.
    fn is_recent(&self, nonce: Nonce) -> bool {
        !self.settings.seal.requires() || self.shared_time.is_recent(nonce.seconds()) || is_planted(Planted::OldTaken)
    }

    /// Whether the other side of a stream is known to be there now: it has answered us, or what it said was not sealed long ago. In the clear nobody can tell.
    pub(super) fn is_present(&self, stream: StreamId) -> bool {
        self.strands.get(&stream).is_none_or(|strand| strand.theirs.frames == 0 || strand.is_present)
    }

    /// A stream is over.
    pub(super) fn end_strand(&mut self, stream: StreamId) {
        self.strands.remove(&stream);
    }

    fn nonce(&mut self) -> Nonce {
        match self.settings.seal.encrypts() {
            true => Nonce::new(self.shared_time.seconds(), self.rng.random()),
            false => Nonce::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        core::{
            WINDOW,
            io::{CommandId, Input},
            testing::{cluster, core},
        },
        keyring::{Key, Keyring},
        model::{
            Command,
            encryption::{Fingerprint, KeyId, Mode},
            record,
        },
        wire::{body, envelope::ClusterTag},
    };

    /// A stream between two that have one key: as who opened it, and as the other.
    struct Pair {
        opener: Core,
        other: Core,
    }

    const OURS: StreamId = StreamId(7);

    impl Pair {
        fn new() -> Pair {
            let [opener, other] = [1, 2].map(|seed| {
                let mut core = core(10);
                let ring = Keyring::new(vec![Key::new(KeyId::new(5).unwrap(), [1; 32])]).unwrap();
                core.on_seal(Moment::default(), Seal::new(Mode::Require, &ring), Encryption::default());
                core.rng = rand::SeedableRng::seed_from_u64(seed);
                core
            });
            Pair { opener, other }
        }

        fn says(&mut self, word: &str) -> Vec<u8> {
            framed(&mut self.opener, OURS, word)
        }

        fn answers(&mut self, word: &str) -> Vec<u8> {
            framed(&mut self.other, StreamId::accepted(7), word)
        }

        fn hears(&mut self, frame: &[u8]) -> Result<String, WireError> {
            read(&mut self.opener, OURS, frame)
        }

        fn is_told(&mut self, frame: &[u8]) -> Result<String, WireError> {
            read(&mut self.other, StreamId::accepted(7), frame)
        }
    }

    fn framed(core: &mut Core, stream: StreamId, word: &str) -> Vec<u8> {
        let mut envelope = Envelope::new(Carrier::Frame, ClusterTag::of(&cluster()));
        assert!(envelope.push(1, word.as_bytes()));
        core.frame_out(stream, envelope)[4..].to_vec()
    }

    fn read(core: &mut Core, stream: StreamId, frame: &[u8]) -> Result<String, WireError> {
        let opened = core.frame_in(stream, frame)?;
        Ok(String::from_utf8(opened.messages()?[0].1.to_vec()).unwrap())
    }

    #[test]
    fn two_that_have_the_key_understand_each_other_whoever_speaks_when() {
        let mut pair = Pair::new();
        let (one, two) = (pair.says("one"), pair.says("two"));
        assert_eq!(pair.is_told(&one), Ok("one".into()));
        let three = pair.answers("three");
        // Said before the answer was heard.
        assert_eq!(pair.is_told(&two), Ok("two".into()));
        assert_eq!(pair.hears(&three), Ok("three".into()));
        let (four, five) = (pair.says("four"), pair.answers("five"));
        assert_eq!((pair.is_told(&four), pair.hears(&five)), (Ok("four".into()), Ok("five".into())));
    }

    #[test]
    fn a_frame_is_taken_once_and_in_its_place_only() {
        let mut pair = Pair::new();
        let (one, two) = (pair.says("one"), pair.says("two"));
        assert_eq!(pair.is_told(&two), Err(WireError::Forged), "before the first");
        assert!(pair.is_told(&one).is_ok());
        assert_eq!(pair.is_told(&one), Err(WireError::Forged), "again");
        let three = pair.answers("three");
        assert_eq!(pair.is_told(&three), Err(WireError::Forged), "thrown back");
        assert!(pair.is_told(&two).is_ok() && pair.hears(&three).is_ok());
    }

    #[test]
    fn what_was_recorded_gets_no_further_than_its_first_words_with_anybody() {
        let mut pair = Pair::new();
        let one = pair.says("one");
        pair.is_told(&one).unwrap();
        let answer = pair.answers("answer");
        pair.hears(&answer).unwrap();
        let two = pair.says("two");
        // To somebody who answers for himself, and to somebody who asked for himself.
        let mut again = Pair::new();
        again.other.rng = rand::SeedableRng::seed_from_u64(3);
        again.opener.rng = rand::SeedableRng::seed_from_u64(4);
        assert!(again.is_told(&one).is_ok(), "nothing tells it from a first word");
        again.answers("another answer");
        assert_eq!(again.is_told(&two), Err(WireError::Forged));
        again.says("another one");
        assert_eq!(again.hears(&answer), Err(WireError::Forged));
    }

    /// How long after the start both would be, had they said nothing since.
    fn after(pair: &mut Pair, time: Duration) {
        pair.other.shared_time.go_on(Moment::after_start(time));
    }

    #[test]
    fn a_datagram_of_long_ago_is_not_taken_where_encryption_is_required() {
        let mut pair = Pair::new();
        pair.opener.send(([10, 0, 0, 2], 8746).into(), Envelope::new(Carrier::Datagram, ClusterTag::of(&cluster())));
        let said = std::iter::from_fn(|| pair.opener.poll_output()).find_map(|output| match output {
            Output::Datagram { bytes, .. } => Some(bytes),
            _ => None,
        });
        let said = said.expect("it was said");
        for (seconds, expected) in
            [(0, None), (WINDOW.as_secs(), None), (WINDOW.as_secs() + 1, Some(WireError::Old)), (3_600, Some(WireError::Old))]
        {
            after(&mut pair, Duration::from_secs(seconds));
            assert_eq!(pair.other.datagram_in(&said).err(), expected, "after {seconds} s");
        }
        let ring = Keyring::new(vec![Key::new(KeyId::new(5).unwrap(), [1; 32])]).unwrap();
        pair.other.on_seal(Moment::default(), Seal::new(Mode::Accept, &ring), Encryption::default());
        assert!(pair.other.datagram_in(&said).is_ok(), "in the clear anybody could say so");
    }

    #[test]
    fn who_said_hello_long_ago_is_not_there_before_it_has_answered() {
        let mut pair = Pair::new();
        let (one, two) = (pair.says("one"), pair.says("two"));
        after(&mut pair, Duration::from_secs(3_600));
        assert!(pair.is_told(&one).is_ok(), "it may be somebody who does not know the time");
        assert!(!pair.other.is_present(StreamId::accepted(7)));
        assert_eq!(pair.is_told(&two), Err(WireError::Old));
        let mut pair = Pair::new();
        let one = pair.says("one");
        after(&mut pair, Duration::from_secs(3_600));
        pair.is_told(&one).unwrap();
        let answer = pair.answers("answer");
        pair.hears(&answer).unwrap();
        assert_eq!(pair.opener.shared_time.seconds(), 3_600, "now it knows the time");
        let two = pair.says("two");
        assert!(pair.is_told(&two).is_ok() && pair.other.is_present(StreamId::accepted(7)));
    }

    #[test]
    fn what_comes_by_a_stream_of_ours_before_we_have_spoken_is_no_answer() {
        let mut pair = Pair::new();
        // To somebody who spoke in the clear, so it is bound to nothing.
        let answer = pair.answers("answer");
        assert_eq!(pair.hears(&answer), Err(WireError::Forged));
    }

    #[test]
    fn who_has_left_says_nothing_more_of_its_keys() {
        let mut core = core(10);
        let one = |fingerprint| Encryption { mode: Mode::Accept, keys: vec![(KeyId::new(5).unwrap(), Fingerprint(fingerprint))] };
        let before = core.own_version();
        core.on_seal(Moment::default(), Seal::default(), one(1));
        assert_eq!(core.own_version(), before + 1);
        core.handle(Moment::default(), Input::Command { id: CommandId(1), command: Command::Leave });
        core.on_seal(Moment::default(), Seal::default(), one(3));
        let has_left = |core: &Core| body::decode_node(core.own_part().get(&record::Key::node()).unwrap().0).unwrap().left;
        assert!(!has_left(&core), "the disk has not taken it yet");
        let tickets = std::iter::from_fn(|| core.poll_output()).filter_map(|output| match output {
            Output::Store { ticket, .. } => Some(ticket),
            _ => None,
        });
        for ticket in tickets.collect::<Vec<_>>() {
            core.handle(Moment::default(), Input::Stored { ticket, result: Ok(()) });
        }
        let left = core.own_version();
        assert!(has_left(&core) && left == before + 3);
        core.on_seal(Moment::default(), Seal::default(), one(2));
        assert_eq!(core.own_version(), left);
    }
}
