//! The shell that drives the core: sockets, streams, the disk, the clock, and one sleep until the core's next deadline.
//! Decisions are the core's.

use std::{
    collections::BTreeMap,
    future::ready,
    io,
    net::SocketAddr,
    time::{Duration, SystemTime},
};

use tokio::{
    net::{TcpListener, TcpStream, UdpSocket},
    sync::{mpsc, oneshot, watch},
    time::{Instant, interval, sleep, sleep_until},
};
use tracing::{debug, info, warn};

use super::{
    clock::Clock,
    disk::{Disk, Stored},
    event_log::EventLog,
    families::Families,
    figures,
    seeds::{Found, Seeds},
    sockets::GossipSockets,
    streams::{End, StreamEvent, Streams},
    supervisor::Watchdog,
};
use crate::{
    catalog::Publisher,
    config::Seed,
    core::{
        Core,
        io::{CommandId, Event, Input, Output, StreamId},
        meeting::Copied,
        time::Moment,
    },
    keyring::Keys,
    metrics::{Direction, GossipMetrics, Opener},
    model::{Change, CheckOrder, Command, Reply},
    registrar::{Pending, QUEUE},
    wire::{limits, seal::Seal},
};

/// Datagrams that are taken before something else gets its turn.
const BURST: usize = 64;
/// Events of streams that are taken before something else does that is no datagram. In between come bursts of these.
const PIECES: usize = 8;
/// How long accepting rests when the system is out of something, file descriptors for example.
const ACCEPT_REST: Duration = Duration::from_millis(500);
const LOG_EVERY: Duration = Duration::from_secs(10);

/// The loop and all that it owns.
pub(super) struct Gossip {
    core: Box<Core>,
    udp: UdpSocket,
    tcp: TcpListener,
    families: Families,
    streams: Streams,
    stream_events: mpsc::Receiver<(StreamId, StreamEvent)>,
    accepted: u64,
    disk: Disk,
    stored: mpsc::UnboundedReceiver<Stored>,
    commands: mpsc::Receiver<Pending>,
    waiting: BTreeMap<CommandId, (oneshot::Sender<Reply>, bool)>,
    command_count: u64,
    seeds: Seeds,
    new_seeds: watch::Receiver<Vec<Seed>>,
    found: mpsc::UnboundedReceiver<Found>,
    new_keys: watch::Receiver<Keys>,
    orders: mpsc::UnboundedSender<CheckOrder>,
    publisher: Publisher,
    changes: Vec<Change>,
    log: EventLog,
    metrics: GossipMetrics,
    clock: Clock,
    left: bool,
    copied: Option<Copied>,
}

impl Gossip {
    #[expect(clippy::too_many_arguments, reason = "each is the end of something that another part holds")]
    pub(super) fn new(
        core: Box<Core>,
        sockets: GossipSockets,
        (disk, stored): (Disk, mpsc::UnboundedReceiver<Stored>),
        commands: mpsc::Receiver<Pending>,
        orders: mpsc::UnboundedSender<CheckOrder>,
        publisher: Publisher,
        mut new_seeds: watch::Receiver<Vec<Seed>>,
        new_keys: watch::Receiver<Keys>,
        metrics: GossipMetrics,
    ) -> io::Result<Gossip> {
        let bound = sockets.local_addr()?;
        let families = Families::of(bound);
        let (streams, stream_events) = Streams::new(bound);
        let (seeds, found) = Seeds::new(new_seeds.borrow_and_update().clone(), families);
        Ok(Gossip {
            core,
            udp: sockets.udp,
            tcp: sockets.tcp,
            families,
            streams,
            stream_events,
            accepted: 0,
            disk,
            stored,
            commands,
            waiting: BTreeMap::new(),
            command_count: 0,
            seeds,
            new_seeds,
            new_keys,
            found,
            orders,
            publisher,
            changes: Vec::new(),
            log: EventLog::new(metrics.clone()),
            metrics,
            clock: Clock::start(),
            left: false,
            copied: None,
        })
    }

    /// Runs until a leave that somebody asked for is done, or until another agent is found to run on a copy of the data folder. What else waits in
    /// this loop waits with `watchdog`, so that a sign of life is one of the loop.
    pub(super) async fn run(mut self, mut watchdog: Watchdog) -> Option<Copied> {
        self.core.start(Moment::default());
        self.carry_out();
        let mut log_tick = interval(LOG_EVERY);
        let mut buffer = vec![0; 2 * limits::DATAGRAM_OCTETS];
        let (mut datagrams, mut pieces) = (0, 0);
        let mut accept_again = None;
        while !self.left && self.copied.is_none() {
            // What a suspension of the host adds to this sleep is little: hardly ever is nothing due for a second.
            let sleep = sleep(self.core.poll_timeout().map_or(LOG_EVERY, |due| due - self.moment()));
            // Whoever sends without end must not keep all else from being done.
            let (others_first, no_datagrams) = (pieces >= PIECES, datagrams >= BURST);
            datagrams = 0;
            pieces = if others_first { 0 } else { pieces };
            tokio::select! {
                // What has come is read before time is judged: a late loop must not take an answer for a silence.
                biased;
                // First, since under a flood the next is always there.
                () = watchdog.sign() => {}
                ready = self.udp.readable(), if !no_datagrams && !others_first => {
                    if ready.is_ok() {
                        datagrams = self.read_datagrams(&mut buffer);
                    }
                }
                Some((stream, event)) = self.stream_events.recv(), if !others_first => {
                    pieces += 1;
                    self.on_stream(stream, event);
                }
                Some((ticket, result)) = self.stored.recv() => self.core.handle(self.moment(), Input::Stored { ticket, result }),
                Some(pending) = self.commands.recv(), if self.waiting.len() < QUEUE => self.on_command(pending),
                Some(found) = self.found.recv() => {
                    let (seed, addresses) = self.seeds.take(found);
                    self.core.handle(self.moment(), Input::Resolved { seed, addresses });
                }
                Ok(()) = self.new_seeds.changed() => self.on_seeds(),
                Ok(()) = self.new_keys.changed() => self.on_keys(),
                accepted = accept(&self.tcp, accept_again) => accept_again = self.on_accepted(accepted),
                () = sleep => {}
                _ = log_tick.tick() => self.log.flush(),
                () = ready(()), if no_datagrams || others_first => {}
            }
            let moment = self.moment();
            if self.core.poll_timeout().is_some_and(|due| due <= moment) {
                self.core.handle_timeout(moment);
            }
            self.carry_out();
            figures::follow(&self.metrics, &self.core);
            self.metrics.open_streams.set(self.streams.len() as i64);
        }
        self.log.flush();
        self.copied
    }

    fn moment(&self) -> Moment {
        self.clock.moment()
    }

    /// Gives how many there were.
    fn read_datagrams(&mut self, buffer: &mut [u8]) -> usize {
        for count in 0..BURST {
            match self.udp.try_recv_from(buffer) {
                Ok((length, from)) => {
                    self.metrics.datagram(Direction::In, length);
                    let (moment, from) = (self.moment(), self.families.seen_on_socket(from));
                    self.core.handle(moment, Input::Datagram { from, bytes: &buffer[..length] });
                    self.carry_out();
                }
                Err(_) => return count,
            }
        }
        BURST
    }

    /// Gives until when to leave others waiting.
    fn on_accepted(&mut self, accepted: io::Result<(TcpStream, SocketAddr)>) -> Option<Instant> {
        match accepted {
            Ok((tcp, from)) => {
                self.accepted += 1;
                self.metrics.stream(Opener::Peer);
                let (stream, from) = (StreamId::accepted(self.accepted), self.families.seen_on_socket(from));
                self.streams.accept(stream, tcp);
                self.core.handle(self.moment(), Input::Accepted { stream, from });
                None
            }
            // The peer went away before it was accepted.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => None,
            Err(error) => {
                warn!(%error, "no stream of a peer can be accepted for now");
                Some(Instant::now() + ACCEPT_REST)
            }
        }
    }

    fn on_stream(&mut self, stream: StreamId, event: StreamEvent) {
        if !self.streams.is_open(stream) {
            return;
        }
        let moment = self.moment();
        match event {
            StreamEvent::Connected => {
                self.metrics.stream(Opener::Us);
                self.core.handle(moment, Input::Connected(stream));
            }
            StreamEvent::Received(bytes) => {
                self.metrics.stream_octets(Direction::In, bytes.len());
                self.core.handle(moment, Input::Received { stream, bytes: &bytes });
            }
            StreamEvent::Sent(octets) => self.core.handle(moment, Input::Sent { stream, octets }),
            StreamEvent::Closed(End { cause, reason }) => {
                self.streams.close(stream);
                self.core.handle(moment, Input::Closed { stream, cause, reason });
            }
        }
    }

    fn on_command(&mut self, pending: Pending) {
        self.command_count += 1;
        let id = CommandId(self.command_count);
        self.waiting.insert(id, (pending.reply, pending.command == Command::Leave));
        let moment = self.moment();
        self.core.handle(moment, Input::Command { id, command: pending.command });
    }

    /// Does what the core asked for, in order.
    fn carry_out(&mut self) {
        while let Some(output) = self.core.poll_output() {
            match output {
                Output::Datagram { to, bytes } => self.send_datagram(to, &bytes),
                Output::Connect { stream, to } => self.streams.connect(stream, to),
                Output::Send { stream, bytes } => {
                    self.metrics.stream_octets(Direction::Out, bytes.len());
                    self.streams.send(stream, bytes);
                }
                Output::Close(stream) => self.streams.close(stream),
                Output::Resolve(seed) => self.seeds.look_up(seed),
                Output::Store { ticket, ops } => self.disk.write(ticket, ops),
                // Whoever runs checks ends after this loop, not before.
                Output::Check(order) => drop(self.orders.send(order)),
                Output::Change(change) => self.changes.push(change),
                Output::Answer { id, reply } => {
                    // Whoever asked finds what it wrote.
                    self.publish();
                    self.answer(id, reply);
                }
                Output::Event(event) => self.log.log(event),
                Output::Stop(copied) => self.copied = Some(copied),
            }
        }
        self.publish();
    }

    fn publish(&mut self) {
        if !self.changes.is_empty() {
            self.publisher.publish(self.changes.drain(..), wall_clock());
        }
    }

    fn answer(&mut self, id: CommandId, reply: Reply) {
        if let Some((waiting, leave)) = self.waiting.remove(&id) {
            self.left |= leave && reply.is_ok();
            // Whoever asked may have gone away.
            let _ = waiting.send(reply);
        }
    }

    fn send_datagram(&mut self, to: SocketAddr, bytes: &[u8]) {
        match self.udp.try_send_to(bytes, self.families.on_socket(to)) {
            Ok(octets) => self.metrics.datagram(Direction::Out, octets),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.log.log(Event::Dropped { from: to, reason: figures::SEND_BUFFER_FULL })
            }
            Err(_) if !self.families.reach(to) => self.log.out_of_reach(to, self.families),
            Err(error) => debug!(%to, "could not send a datagram: {error}"),
        }
    }

    fn on_seeds(&mut self) {
        let seeds = self.seeds.replace(self.new_seeds.borrow_and_update().clone());
        let moment = self.moment();
        self.core.handle(moment, Input::Seeds(seeds));
    }

    fn on_keys(&mut self) {
        let keys = self.new_keys.borrow_and_update().clone();
        let seal = Seal::new(keys.mode, &keys.keyring);
        info!("encryption is {}, with the keys {:?}", keys.mode, keys.keyring.ids());
        let moment = self.moment();
        self.core.handle(moment, Input::Seal { seal, shown: keys.shown() });
    }
}

/// The next stream of a peer, not before some moment.
async fn accept(listener: &TcpListener, not_before: Option<Instant>) -> io::Result<(TcpStream, SocketAddr)> {
    if let Some(moment) = not_before {
        sleep_until(moment).await;
    }
    listener.accept().await
}

#[expect(clippy::disallowed_methods, reason = "the catalog shows people since when something is so")]
fn wall_clock() -> SystemTime {
    SystemTime::now()
}
