//! A name's labels in lower case, on the stack: what a name means is found out without memory of its own.

use hickory_proto::rr::Name;

/// Octets that a name has at most, with the length of each label (RFC 1035, 3.1).
const NAME_OCTETS: usize = 255;
/// Labels that a name has at most, the root left out.
const MOST_LABELS: usize = 127;

/// The labels of a name, the most specific first, in lower case (RFC 4343).
#[derive(Clone)]
pub(super) struct Labels {
    /// As on the wire: each label behind its length, without the root.
    octets: [u8; NAME_OCTETS],
    /// Where the length of each label stands.
    starts: [u8; MOST_LABELS],
    count: usize,
    end: usize,
}

impl Labels {
    fn empty() -> Self {
        Labels { octets: [0; NAME_OCTETS], starts: [0; MOST_LABELS], count: 0, end: 0 }
    }

    /// Those of the name that begins at `at` in a message, and where it ends. None where it is no name, and none where it is compressed:
    /// nobody compresses the only name of a query.
    pub(super) fn read(message: &[u8], at: usize) -> Option<(Self, usize)> {
        let mut labels = Self::empty();
        let mut at = at;
        loop {
            let length = usize::from(*message.get(at)?);
            at += 1;
            if length == 0 {
                return Some((labels, at));
            }
            // The two highest bits mark pointers and what was never agreed on (RFC 1035, 4.1.4).
            if length > 63 {
                return None;
            }
            labels.push(message.get(at..at + length)?)?;
            at += length;
        }
    }

    /// Those of a name that was read already.
    pub(super) fn of(name: &Name) -> Self {
        let mut labels = Self::empty();
        for label in name.iter() {
            labels.push(label).expect("a name keeps to the limits of names");
        }
        labels
    }

    /// None where it does not fit into a name any more; one octet is left for the root.
    fn push(&mut self, label: &[u8]) -> Option<()> {
        let end = self.end + 1 + label.len();
        if end >= NAME_OCTETS || self.count == MOST_LABELS {
            return None;
        }
        self.starts[self.count] = u8::try_from(self.end).ok()?;
        self.octets[self.end] = u8::try_from(label.len()).ok()?;
        let kept = &mut self.octets[self.end + 1..end];
        kept.copy_from_slice(label);
        kept.make_ascii_lowercase();
        (self.count, self.end) = (self.count + 1, end);
        Some(())
    }

    /// How many there are, without the root.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// The one at an index, the most specific being the first.
    pub(super) fn get(&self, index: usize) -> &[u8] {
        let start = usize::from(self.starts[..self.count][index]);
        &self.octets[start + 1..start + 1 + usize::from(self.octets[start])]
    }

    /// The one at an index, where it is text; what is no text is in no name that is handed out.
    pub(super) fn text(&self, index: usize) -> Option<&str> {
        std::str::from_utf8(self.get(index)).ok()
    }

    /// How many octets there are before the label at an index, or before the root.
    pub(super) fn offset(&self, index: usize) -> usize {
        self.starts[..self.count].get(index).map_or(self.end, |start| usize::from(*start))
    }

    /// How many labels stand above `suffix`; none where the name does not end in it.
    pub(super) fn above<'a>(&self, suffix: impl DoubleEndedIterator<Item = &'a str>) -> Option<usize> {
        let mut above = self.count;
        for expected in suffix.rev() {
            above = above.checked_sub(1)?;
            if self.get(above) != expected.as_bytes() {
                return None;
            }
        }
        Some(above)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_from_a_message_or_taken_over_with_the_same_labels() {
        let message = b"..\x03wEb\x07Service\x01x\x00..";
        let (read, end) = Labels::read(message, 2).unwrap();
        assert_eq!(end, message.len() - 2);
        let taken = Labels::of(&Name::from_ascii("WEB.service.x.").unwrap());
        for labels in [&read, &taken] {
            assert_eq!((0..labels.len()).map(|index| labels.text(index).unwrap()).collect::<Vec<_>>(), ["web", "service", "x"]);
            assert_eq!((0..=3).map(|index| labels.offset(index)).collect::<Vec<_>>(), [0, 4, 12, 14]);
            assert_eq!(labels.above(["service", "x"].into_iter()), Some(1));
            assert_eq!(labels.above(["web", "service", "x"].into_iter()), Some(0));
            assert_eq!(labels.above(["y", "x"].into_iter()), None);
            assert_eq!(labels.above(["w", "web", "service", "x"].into_iter()), None);
        }
    }

    #[test]
    fn what_is_no_name_is_not_read() {
        for bad in [&b""[..], b"\x03we", b"\x03web", b"\xC0\x00", b"\x40aaa\x00"] {
            assert!(Labels::read(bad, 0).is_none(), "{bad:?}");
        }
        let longest = |last: usize| {
            [&[&[63][..], &[b'a'; 63]].concat().repeat(3)[..], &[u8::try_from(last).unwrap()], &vec![b'a'; last], &[0]].concat()
        };
        assert!(Labels::read(&longest(61), 0).is_some(), "255 octets");
        assert!(Labels::read(&longest(62), 0).is_none(), "256 octets");
        assert_eq!(Labels::read(&[b"\x01a".repeat(127), vec![0]].concat(), 0).unwrap().0.len(), 127);
    }
}
