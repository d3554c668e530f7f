//! A burst: one thing after the other happens, while what happened before is not over.

use std::time::Duration;

use rand::{RngExt as _, rngs::StdRng};

use super::{Story, stage::State};

/// What happens in a burst beside work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Theme {
    /// Nothing.
    Work,
    /// Agents and hosts end, begin and stand still. The network is well, or loses no more than agents promise to bear: so that no healthy one may
    /// be shown as down.
    Hosts,
    /// Packets are lost.
    Network,
    /// All of it.
    Everything,
}

impl Theme {
    /// That of a burst: one of each at first.
    pub(super) fn of(number: u32, rng: &mut StdRng) -> Theme {
        match number {
            0 => Theme::Hosts,
            1 => Theme::Network,
            2 => Theme::Everything,
            _ => [
                Theme::Work,
                Theme::Hosts,
                Theme::Hosts,
                Theme::Hosts,
                Theme::Network,
                Theme::Network,
                Theme::Everything,
                Theme::Everything,
            ][rng.random_range(0..8_usize)],
        }
    }

    fn said(self) -> &'static str {
        match self {
            Theme::Work => "nothing but work",
            Theme::Hosts => "trouble with hosts",
            Theme::Network => "trouble with the network",
            Theme::Everything => "trouble with everything",
        }
    }
}

/// Something that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Register,
    Deregister,
    Health,
    Maintain,
    Rotate,
    Kill,
    KillMany,
    Restart,
    Stop,
    Leave,
    LosePower,
    Pause,
    Freeze,
    Move,
    Forget,
    Replace,
    FillDisk,
    LittleLoss,
    Loss,
    SlowDown,
    Partition,
    Cut,
    Link,
}

impl Kind {
    /// Each as often as it stands here.
    fn of(theme: Theme) -> Vec<Kind> {
        use Kind::*;
        let work = [Register, Register, Register, Deregister, Health, Health, Maintain, Rotate];
        let hosts = [
            Kill, Kill, Kill, KillMany, Restart, Restart, Stop, Leave, Leave, LosePower, LosePower, Pause, Pause, Freeze, Move, Move,
            Forget, Replace, FillDisk, LittleLoss, SlowDown,
        ];
        let network = [Loss, SlowDown, Partition, Partition, Cut, Cut, Link, Link];
        let mut all = work.to_vec();
        if matches!(theme, Theme::Hosts | Theme::Everything) {
            all.extend(hosts);
        }
        if theme == Theme::Network {
            // As many as work has, and somebody who ends meanwhile.
            all.extend(network.iter().chain(&network[1..]).chain(&[Kill, Restart, Pause]));
        }
        if theme == Theme::Everything {
            all.extend(network.iter().chain(&network));
        }
        all
    }
}

/// The least time between two steps.
const PACE_MS: u64 = 400;

impl Story {
    /// So long, in so many steps at most.
    pub(super) fn burst(&mut self, theme: Theme, lasts: Duration, steps: usize) {
        let (end, last) = (self.now() + lasts, self.script.steps() + steps);
        self.script.remark(theme.said());
        let kinds = Kind::of(theme);
        // What begins ends, too, in another step.
        let pace = (lasts.as_millis() as u64 * 2 / steps as u64).clamp(PACE_MS, 4_000);
        while self.script.steps() + 2 < last {
            let next = self.now() + self.time(pace / 2, pace * 3 / 2);
            self.end_what_is_over(next);
            if next >= end {
                break;
            }
            self.script.go_on_to(next);
            // What can't be now is not, and something else is.
            for _ in 0..8 {
                let kind = kinds[self.rng.random_range(0..kinds.len())];
                if self.happens(kind) {
                    break;
                }
            }
        }
        self.script.go_on_to(end);
    }

    /// Whether it could be.
    fn happens(&mut self, kind: Kind) -> bool {
        match kind {
            Kind::Register => self.register(),
            Kind::Deregister => self.deregister(),
            Kind::Health => self.change_health(),
            Kind::Maintain => self.maintain(),
            Kind::Rotate => self.rotate_keys(),
            Kind::Kill => {
                let count = [1, 1, 1, 2, 3][self.rng.random_range(0..5_usize)];
                self.kill(count)
            }
            Kind::KillMany => self.kill(self.stage.nodes.len() / 2),
            Kind::Restart => self.restart(),
            Kind::Stop => self.stop("stop"),
            Kind::Leave => self.stop("leave"),
            Kind::LosePower => self.lose_power(),
            Kind::Pause => self.pause(),
            Kind::Freeze => self.freeze(),
            Kind::Move => self.change_address(),
            Kind::Forget => self.forget(false),
            Kind::Replace => self.forget(true),
            Kind::FillDisk => self.fill_disk(),
            Kind::LittleLoss => self.lose(&[2, 5, 10, 20]),
            Kind::Loss => self.lose(&[5, 20, 30, 40]),
            Kind::SlowDown => self.slow_down(),
            Kind::Partition => self.partition(),
            Kind::Cut => self.cut(),
            Kind::Link => self.lose_on_a_link(),
        }
    }

    /// Some who run and are free, but for those who are steady if it would end them.
    pub(super) fn some_running(&mut self, least: super::stage::Role, count: usize) -> Vec<usize> {
        let free = self.stage.free(State::Runs, least, self.now());
        self.some_of(&free, count)
    }
}
