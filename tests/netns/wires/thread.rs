//! The thread that carries frames.

use std::{
    collections::BTreeMap,
    io,
    mem::MaybeUninit,
    sync::Arc,
    time::{Duration, Instant},
};

use rand::rngs::StdRng;
use rustix::{
    event::epoll::{self, EventData, EventFlags},
    fd::{AsFd, OwnedFd},
    io::Errno,
    process::setpriority_process,
    thread::gettid,
    time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime},
};
use tidings::{core::time::Moment, sim::HostId};
use tun_rs::SyncDevice;

use super::{
    INTRUDER, INTRUDER_PORTS, Line, Shared,
    frame::{self, Content, HEAD, Mac},
    under_way::{Bound, UnderWay},
};

/// What wakes the thread beside the devices, of which each line has two.
const STOP: u64 = u64::MAX;
const DUE: u64 = u64::MAX - 1;
const INTRUSION: u64 = u64::MAX - 2;
/// Until something that is said by who stands on the way arrives.
const INTRUSION_TAKES: Duration = Duration::from_millis(1);
/// More than the largest frame.
const LARGEST: usize = 65_536 + HEAD;
/// Frames that are read from a device before another one has its turn.
const TURN: usize = 64;
/// A cable does not wait for its turn where others compute.
const NICE: i32 = -15;

/// Carries frames along lines.
pub(super) struct Courier {
    lines: Vec<Line>,
    shared: Arc<Shared>,
    rng: StdRng,
    begun: Instant,
    timer: OwnedFd,
    /// When the timer goes off.
    set: Option<Instant>,
    /// Who is at which line, as a switch learns it.
    known: BTreeMap<Mac, usize>,
    under_way: UnderWay,
}

impl Courier {
    pub(super) fn new(lines: Vec<Line>, shared: Arc<Shared>, stop: OwnedFd) -> io::Result<Courier> {
        let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK)?;
        let watch = |fd: &dyn AsFd, name| epoll::add(&shared.epoll, fd.as_fd(), EventData::new_u64(name), EventFlags::IN);
        for (place, line) in lines.iter().enumerate() {
            watch(&line.host, place as u64 * 2)?;
            watch(&line.port, place as u64 * 2 + 1)?;
        }
        watch(&timer, DUE)?;
        watch(&stop, STOP)?;
        Ok(Courier {
            lines,
            shared,
            rng: rand::make_rng(),
            begun: now(),
            timer,
            set: None,
            known: BTreeMap::new(),
            under_way: UnderWay::default(),
        })
    }

    /// Carries until it is told to stop.
    pub(super) fn run(mut self) -> io::Result<()> {
        // Where that is not allowed, frames are late when others compute.
        let _ = setpriority_process(Some(gettid()), NICE);
        let mut events = [MaybeUninit::uninit(); 64];
        let mut buffer = vec![0; LARGEST];
        loop {
            let woken = match epoll::wait(&self.shared.epoll, &mut events, None) {
                Ok((woken, _)) => woken,
                Err(Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            };
            for event in woken {
                match event.data.u64() {
                    STOP => return Ok(()),
                    DUE => {
                        rustix::io::read(&self.timer, &mut [0; 8])?;
                        self.set = None;
                    }
                    INTRUSION => self.take_from_intruder(&mut buffer)?,
                    device if device % 2 == 0 => self.take_from_host((device / 2) as usize, &mut buffer)?,
                    device => self.take_from_switch((device / 2) as usize, &mut buffer)?,
                }
            }
            self.deliver()?;
            self.set_timer()?;
        }
    }

    /// What a host sends is at the switch at once.
    fn take_from_host(&mut self, place: usize, buffer: &mut [u8]) -> io::Result<()> {
        for _ in 0..TURN {
            let Some(frame) = receive(&self.lines[place].host, buffer)? else { break };
            self.known.extend(frame::sender(frame).map(|mac| (mac, place)));
            if !self.is_intercepted(place, frame)? {
                send(&self.lines[place].port, frame)?;
            }
        }
        Ok(())
    }

    /// Shows a frame to who stands on the way. It may be for nobody else.
    fn is_intercepted(&self, place: usize, frame: &mut [u8]) -> io::Result<bool> {
        let mut recorder = self.shared.recorder();
        if !recorder.is_on() && self.shared.intruder.get().is_none() {
            return Ok(false);
        }
        let content = frame::content(frame);
        let is_answer = matches!(&content, Content::Segment(segment) if INTRUDER_PORTS.contains(&segment.to_port));
        match self.shared.intruder.get().filter(|_| is_answer) {
            Some(intruder) => {
                frame::address(frame, INTRUDER);
                send(intruder, frame)?;
            }
            None => {
                if let Some(to) = frame::receiver(frame).and_then(|mac| self.known.get(&mac)) {
                    recorder.hear((HostId(place), HostId(*to)), &content);
                }
            }
        }
        Ok(is_answer)
    }

    /// What who stands on the way sends is on its way, whatever happens to others.
    fn take_from_intruder(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        let shared = Arc::clone(&self.shared);
        let Some(intruder) = shared.intruder.get() else { return Ok(()) };
        for _ in 0..TURN {
            let Some(frame) = receive(intruder, buffer)? else { break };
            if let Some(to) = frame::receiver(frame).and_then(|mac| self.known.get(&mac)) {
                self.under_way.add(now() + INTRUSION_TAKES, HostId(*to), frame);
            }
        }
        Ok(())
    }

    /// What the switch sends is on its way.
    fn take_from_switch(&mut self, place: usize, buffer: &mut [u8]) -> io::Result<()> {
        for _ in 0..TURN {
            let Some(frame) = receive(&self.lines[place].port, buffer)? else { break };
            match frame::sender(frame).and_then(|mac| self.known.get(&mac)) {
                Some(from) => self.carry((HostId(*from), HostId(place)), frame),
                // It is the switch that speaks.
                None => send(&self.lines[place].host, frame)?,
            }
        }
        Ok(())
    }

    fn carry(&mut self, ends: (HostId, HostId), frame: &[u8]) {
        let now = now();
        let moment = Moment::after_start(now - self.begun);
        let octets = frame.len().saturating_sub(HEAD);
        let mut network = self.shared.network();
        let ports = match frame::content(frame) {
            Content::Datagram(_) => {
                let Some((delay, again)) = network.datagram(moment, &mut self.rng, ends, octets) else { return };
                [Some(delay), again].into_iter().flatten().for_each(|delay| self.under_way.add(now + delay, ends.1, frame));
                return;
            }
            Content::Segment(segment) => [segment.from.port(), segment.to_port],
            Content::Other => [0, 0],
        };
        let Some(delay) = network.segment(moment, &mut self.rng, ends, octets) else { return };
        self.under_way.add_in_order(now, delay, (ends, ports), frame);
    }

    /// Hands over what is there.
    fn deliver(&mut self) -> io::Result<()> {
        let now = now();
        while let Some(Bound { to, frame }) = self.under_way.arrived(now) {
            send(&self.lines[to.0].host, &frame)?;
        }
        Ok(())
    }

    fn set_timer(&mut self) -> io::Result<()> {
        let next = self.under_way.next();
        if next == self.set {
            return Ok(());
        }
        self.set = next;
        // One of no time at all would turn the timer off.
        let left = next.map_or(Duration::ZERO, |at| at.saturating_duration_since(now()).max(Duration::from_nanos(1)));
        let once = Itimerspec { it_interval: Timespec::default(), it_value: left.try_into().map_err(io::Error::other)? };
        timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &once)?;
        Ok(())
    }
}

/// From now on the thread takes what is sent by who stands on the way.
pub(super) fn watch_intruder(shared: &Shared) -> io::Result<()> {
    let Some(intruder) = shared.intruder.get() else { return Ok(()) };
    Ok(epoll::add(&shared.epoll, intruder, EventData::new_u64(INTRUSION), EventFlags::IN)?)
}

/// The next frame that was sent into a device, if there is one.
fn receive<'b>(device: &SyncDevice, buffer: &'b mut [u8]) -> io::Result<Option<&'b mut [u8]>> {
    match device.recv(buffer) {
        Ok(length) => Ok(Some(&mut buffer[..length])),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error),
    }
}

/// Has a device receive a frame. One that is down does not.
fn send(device: &SyncDevice, frame: &[u8]) -> io::Result<()> {
    match device.send(frame) {
        Err(error) if Errno::from_io_error(&error) != Some(Errno::IO) => Err(error),
        _ => Ok(()),
    }
}

#[expect(clippy::disallowed_methods, reason = "frames arrive by the clock")]
fn now() -> Instant {
    Instant::now()
}
