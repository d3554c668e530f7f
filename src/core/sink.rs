//! What foca does in one call, taken as it comes.

use std::time::Duration;

use foca::{Message, Notification, Runtime, Timer};

use super::counters::MembershipCounters;
use crate::wire::Identity;

/// Takes what foca does.
#[derive(Default)]
pub(super) struct Sink {
    pub(super) packets: Vec<(Identity, Vec<u8>)>,
    pub(super) timers: Vec<(Timer<Identity>, Duration)>,
    pub(super) rejoined: Option<Identity>,
    /// Whom foca probes, and under which number.
    pub(super) probed: Option<(Identity, u8)>,
    /// Who we were in the last packet, and our incarnation.
    spoken: Option<(Identity, u16)>,
}

impl Sink {
    /// Counts what was done. `spoken` is who we were, and our incarnation, when we last spoke.
    pub(super) fn count(&self, counters: &mut MembershipCounters, spoken: &mut (Identity, u16)) {
        if let Some((identity, incarnation)) = self.spoken {
            // foca raises it to refute a suspicion of ourselves, and for nothing else; a new identity begins anew.
            if spoken.0 == identity {
                counters.own_refutations += u64::from(incarnation.saturating_sub(spoken.1));
            }
            *spoken = (identity, incarnation);
        }
    }
}

impl Runtime<Identity> for &mut Sink {
    fn notify(&mut self, notification: Notification<'_, Identity>) {
        match notification {
            Notification::Rejoin(identity) => self.rejoined = Some(*identity),
            Notification::DataSent(header) => {
                if let Message::Ping(number) = header.message {
                    self.probed = Some((header.dst, number));
                }
                self.spoken = Some((header.src, header.src_incarnation));
            }
            _ => {}
        }
    }

    fn send_to(&mut self, to: Identity, data: &[u8]) {
        self.packets.push((to, data.to_vec()));
    }

    fn submit_after(&mut self, event: Timer<Identity>, after: Duration) {
        self.timers.push((event, after));
    }
}
