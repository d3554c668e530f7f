//! Frames of a stream: a length of four octets, big-endian, then so many octets.

use super::{WireError, limits};

/// A frame with its length before it.
///
/// # Panics
/// When it is larger than a frame may be: the sender's envelope sees to that.
pub fn encode(frame: &[u8]) -> Vec<u8> {
    assert!(frame.len() <= limits::FRAME_OCTETS, "an envelope never outgrows a frame");
    let mut bytes = Vec::with_capacity(4 + frame.len());
    bytes.extend((frame.len() as u32).to_be_bytes());
    bytes.extend(frame);
    bytes
}

/// Puts frames together from the pieces in which a stream delivers them. Holds one frame at most.
#[derive(Debug, Default)]
pub struct FrameBuffer {
    bytes: Vec<u8>,
}

impl FrameBuffer {
    /// Takes the next piece.
    pub fn extend(&mut self, piece: &[u8]) {
        self.bytes.extend_from_slice(piece);
    }

    /// The next whole frame, if it is there.
    ///
    /// # Errors
    /// [`WireError::TooLarge`] as soon as a length is read that no frame may have; the stream is then of no more use.
    pub fn next_frame(&mut self) -> Result<Option<Vec<u8>>, WireError> {
        let Some(length) = self.bytes.first_chunk::<4>() else {
            return Ok(None);
        };
        let length = u32::from_be_bytes(*length) as usize;
        if length > limits::FRAME_OCTETS {
            return Err(WireError::TooLarge);
        }
        if self.bytes.len() < 4 + length {
            return Ok(None);
        }
        let rest = self.bytes.split_off(4 + length);
        let mut frame = std::mem::replace(&mut self.bytes, rest);
        frame.drain(..4);
        Ok(Some(frame))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_whole_however_the_stream_is_cut() {
        let bytes = [encode(b"one"), encode(b""), encode(&[7; 1000])].concat();
        for piece in [1, 2, 3, 7, 500, bytes.len()] {
            let mut buffer = FrameBuffer::default();
            let mut frames = vec![];
            for chunk in bytes.chunks(piece) {
                buffer.extend(chunk);
                while let Some(frame) = buffer.next_frame().unwrap() {
                    frames.push(frame);
                }
            }
            assert_eq!(frames, [b"one".to_vec(), vec![], vec![7; 1000]], "in pieces of {piece}");
        }
    }

    #[test]
    fn a_length_beyond_the_limit_is_refused_before_its_octets_come() {
        let mut buffer = FrameBuffer::default();
        buffer.extend(&u32::MAX.to_be_bytes());
        assert_eq!(buffer.next_frame(), Err(WireError::TooLarge));
    }
}
