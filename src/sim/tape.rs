//! What the core of a process was told, so that it can be brought to any moment of its past again: the same inputs at the same
//! moments make the same core. This is how an image of a machine's memory is taken.

use std::net::SocketAddr;

use super::process::Waiting;
use crate::core::{Core, Settings, io::Input, time::Moment};

/// Something that a core is told.
#[derive(Debug, Clone)]
pub(super) enum Fed {
    /// To begin.
    Start,
    /// To do what is due.
    Timeout,
    /// A datagram.
    Datagram { from: SocketAddr, bytes: Vec<u8> },
    /// Anything else.
    Other(Waiting),
}

impl Fed {
    /// Tells it, at a moment of the process's own clock.
    pub(super) fn to(&self, core: &mut Core, now: Moment) {
        match self {
            Fed::Start => core.start(now),
            Fed::Timeout => core.handle_timeout(now),
            Fed::Datagram { from, bytes } => core.handle(now, Input::Datagram { from: *from, bytes }),
            Fed::Other(waiting) => core.handle(now, waiting.as_input()),
        }
    }
}

/// All that a core was told.
#[derive(Debug, Clone)]
pub(super) struct Tape {
    settings: Settings,
    fed: Vec<(Moment, Fed)>,
}

impl Tape {
    /// Of a core that was made with these settings and told nothing yet.
    pub(super) fn new(settings: Settings) -> Tape {
        Tape { settings, fed: Vec::new() }
    }

    pub(super) fn record(&mut self, now: Moment, fed: Fed) {
        self.fed.push((now, fed));
    }

    /// The core as it was behind the last that it was told. What it wanted done in between was done then; `see` is shown it.
    pub(super) fn play(&self, mut see: impl FnMut(Moment, crate::core::io::Output)) -> Core {
        let mut core = Core::new(self.settings.clone());
        for (now, fed) in &self.fed {
            fed.to(&mut core, *now);
            while let Some(output) = core.poll_output() {
                see(*now, output);
            }
        }
        core
    }
}
