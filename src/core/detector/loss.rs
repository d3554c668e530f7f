//! How often to ask before silence means anything, from how often datagrams were lost.

/// A probe that is answered takes this share of the measure.
const WEIGHT: f64 = 0.05;
/// Less loss than this is not told from none.
const LEAST: f64 = 0.005;
/// How rarely all tries of a probe may be lost though the peer is there. More evidence follows then, so it need not be rarer.
const ALL_LOST: f64 = 1e-4;
const FEWEST_TRIES: u32 = 3;
const MOST_TRIES: u32 = 12;

/// The share of questions that stayed without an answer though the peer was there.
#[derive(Debug, Default)]
pub(super) struct Loss {
    share: f64,
}

impl Loss {
    /// The last of so many tries was answered by datagram. What is answered otherwise says nothing of datagrams in general: one peer
    /// may be cut off from them alone.
    pub(super) fn answered(&mut self, tries: u32) {
        let lost = f64::from(tries.saturating_sub(1)) / f64::from(tries.max(1));
        self.share += WEIGHT * (lost - self.share);
    }

    /// How many tries a probe takes: 3 where nothing is lost, 10 where a fifth is lost both ways.
    pub(super) fn tries(&self) -> u32 {
        let tries = (ALL_LOST.ln() / self.share.clamp(LEAST, 0.99).ln()).ceil();
        (tries as u32).clamp(FEWEST_TRIES, MOST_TRIES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_is_lost_the_more_often_is_asked_within_bounds() {
        let mut loss = Loss::default();
        assert_eq!(loss.tries(), FEWEST_TRIES);
        // A fifth lost each way: each try fails with 0.36, so 0.64 of the probes are answered at the first.
        for round in 0..400 {
            loss.answered(if round % 25 < 16 { 1 } else { 2 + u32::from(round % 25 > 21) });
        }
        assert!((5..=10).contains(&loss.tries()), "{}", loss.tries());
        (0..200).for_each(|_| loss.answered(1));
        assert_eq!(loss.tries(), FEWEST_TRIES);
        (0..200).for_each(|_| loss.answered(MOST_TRIES));
        assert_eq!(loss.tries(), MOST_TRIES);
    }
}
