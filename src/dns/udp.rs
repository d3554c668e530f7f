//! Queries over UDP, on a thread of their own: however many there are, the system gives gossip and HTTP their share of time.

use std::{
    io,
    net::UdpSocket,
    os::fd::OwnedFd,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use rustix::{
    event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll},
    io::write,
};
use tokio::{runtime::Handle, sync::oneshot};

use super::{
    forward::Forwarder,
    handler::{Handler, Said},
    limiter::{Limiter, Verdict},
    packets::{Asker, BATCH, Batch, Bound, Packets, Replier},
    reply,
};
use crate::metrics::Unanswered;

/// The pause after a socket failed, so that a lasting failure does not eat a core.
const PAUSE: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
/// How often at most it is logged that replies were dropped.
const DROPS_LOGGED: Duration = Duration::from_secs(10);

/// A thread that answers packets until it is told to end.
pub(super) struct Answering {
    stop: Arc<OwnedFd>,
    ended: oneshot::Receiver<()>,
}

impl Answering {
    /// Starts it on a socket that is bound.
    ///
    /// # Errors
    /// When the system has no thread or no descriptor for it.
    pub(super) fn start(socket: UdpSocket, handler: Arc<Handler>, forwarder: Option<Arc<Forwarder>>) -> io::Result<Answering> {
        let bound = Bound::new(socket)?;
        let stop = Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?);
        let (end, ended) = oneshot::channel();
        let told = Arc::clone(&stop);
        let passing = forwarder.map(|forwarder| Passing { forwarder, runtime: Handle::current(), replier: bound.replier() });
        thread::Builder::new().name("dns".into()).spawn(move || {
            answer(Packets::new(bound), &handler, passing.as_ref(), &told);
            // Nobody waits for it where the runtime ended first.
            let _ = end.send(());
        })?;
        Ok(Answering { stop, ended })
    }

    /// Ends it, and waits until it has let go of its socket.
    pub(super) async fn end(self) {
        if let Err(error) = write(&self.stop, &1_u64.to_ne_bytes()) {
            tracing::warn!(%error, "the thread for DNS could not be told to end");
            return;
        }
        let _ = self.ended.await;
    }
}

/// Where questions for others go: to the runtime, which waits for the answers.
struct Passing {
    forwarder: Arc<Forwarder>,
    runtime: Handle,
    replier: Replier,
}

impl Passing {
    fn pass_on(&self, message: &[u8], asker: Asker) {
        let (message, replier) = (message.to_vec(), self.replier.clone());
        let Some(place) = self.forwarder.place() else {
            if let Some(reply) = Forwarder::no_answer(&message) {
                replier.send(&reply, &asker);
            }
            return;
        };
        let forwarder = Arc::clone(&self.forwarder);
        self.runtime.spawn(async move {
            if let Some(reply) = forwarder.ask(&message, false, place).await {
                replier.send(&reply, &asker);
            }
        });
    }
}

fn answer(mut packets: Packets, handler: &Handler, passing: Option<&Passing>, stop: &OwnedFd) {
    let mut drops = Drops::default();
    let mut limiter = handler.reply_rate().map(|rate| Limiter::new(rate, now()));
    loop {
        match packets.answer(|message, asker, from, room| {
            // Nobody can be there: a forged packet.
            if from.port() == 0 {
                return None;
            }
            match limiter.as_mut().map_or(Verdict::Answer, |limiter| limiter.take(from.ip(), now())) {
                Verdict::Answer => {}
                verdict => {
                    handler.metrics.unanswered(Unanswered::Rate, 1);
                    return if verdict == Verdict::Slip { reply::sent_to_tcp(message, room) } else { None };
                }
            }
            match handler.packet(message, from, room) {
                Said::Reply(length) => return Some(length),
                Said::Nothing => {}
                Said::Elsewhere => passing.into_iter().for_each(|passing| passing.pass_on(message, *asker)),
            }
            None
        }) {
            Ok(Batch { count, beyond, dropped }) => {
                handler.metrics.unanswered(Unanswered::Share, beyond);
                handler.metrics.unanswered(Unanswered::Socket, dropped);
                drops.note(dropped);
                // A full batch: more may wait, and whether to end is looked at without waiting.
                let patience = if count == BATCH { Some(&Timespec { tv_sec: 0, tv_nsec: 0 }) } else { None };
                if told_to_end(&packets, stop, patience) {
                    return;
                }
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {
                if told_to_end(&packets, stop, None) {
                    return;
                }
            }
            Err(error) => {
                tracing::warn!(%error, "receiving DNS queries over UDP failed");
                if wait(&mut [PollFd::new(stop, PollFlags::IN)], Some(&PAUSE)) {
                    return;
                }
            }
        }
    }
}

/// Waits for a packet or the end; true for the end.
fn told_to_end(packets: &Packets, stop: &OwnedFd, patience: Option<&Timespec>) -> bool {
    wait(&mut [PollFd::new(stop, PollFlags::IN), PollFd::new(packets.socket(), PollFlags::IN)], patience)
}

/// Waits for any; true where the first is ready.
fn wait(polled: &mut [PollFd<'_>], patience: Option<&Timespec>) -> bool {
    // Interrupted: the caller looks at its socket and comes back.
    poll(polled, patience).is_ok_and(|ready| ready > 0) && !polled[0].revents().is_empty()
}

#[expect(clippy::disallowed_methods, reason = "the shell reads the clock: this is about rates")]
fn now() -> Instant {
    Instant::now()
}

/// Replies that were dropped and not spoken of yet.
#[derive(Default)]
struct Drops {
    count: usize,
    logged: Option<Instant>,
}

impl Drops {
    fn note(&mut self, dropped: usize) {
        self.count += dropped;
        if self.count == 0 {
            return;
        }
        let now = now();
        if self.logged.is_none_or(|logged| now.duration_since(logged) >= DROPS_LOGGED) {
            tracing::warn!(replies = self.count, "DNS replies were dropped: the system did not take them");
            *self = Drops { count: 0, logged: Some(now) };
        }
    }
}
