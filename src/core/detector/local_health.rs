//! Whether this agent is well enough to judge others (Lifeguard: Dadgar, Phillips, Currey, 2018, "Local Health Multiplier").

use std::time::Duration;

/// The worst score: everything takes five times as long then.
const WORST: u32 = 4;

/// A score: 0 is well. It rises with what speaks against this agent itself, and falls with each probe that is answered.
#[derive(Debug, Default)]
pub(super) struct LocalHealth {
    score: u32,
}

impl LocalHealth {
    /// Something speaks against us.
    pub(super) fn worse(&mut self, by: u32) {
        self.score = (self.score + by).min(WORST);
    }

    /// A probe was answered.
    pub(super) fn better(&mut self) {
        self.score = self.score.saturating_sub(1);
    }

    /// Whether it can get no worse. From here on silence of everyone counts against them: else a part that was cut off would never
    /// notice the rest as gone.
    pub(super) fn is_worst(&self) -> bool {
        self.score == WORST
    }

    /// The score.
    pub(super) fn score(&self) -> u32 {
        self.score
    }

    /// How long we wait who would wait so long if we were well.
    pub(super) fn stretch(&self, time: Duration) -> Duration {
        time * (1 + self.score)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_unwell_waits_longer_up_to_five_times() {
        let mut health = LocalHealth::default();
        let second = Duration::from_secs(1);
        assert_eq!(health.stretch(second), second);
        health.worse(2);
        assert_eq!(health.stretch(second), 3 * second);
        health.worse(9);
        assert!(health.is_worst());
        assert_eq!(health.stretch(second), 5 * second);
        (0..9).for_each(|_| health.better());
        assert_eq!(health.score(), 0);
    }
}
