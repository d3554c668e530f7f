//! The thread that carries frames.

use std::{
    collections::BTreeMap,
    io,
    mem::MaybeUninit,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use rand::rngs::StdRng;
use rustix::{
    event::epoll::{self, CreateFlags, EventData, EventFlags},
    fd::{AsFd, OwnedFd},
    io::Errno,
    process::setpriority_process,
    thread::gettid,
    time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime},
};
use tidings::{
    core::time::Moment,
    sim::{HostId, Network},
};
use tun_rs::SyncDevice;

use super::{
    Line,
    frame::{self, HEAD, Kind, Mac},
    under_way::{Bound, UnderWay},
};

/// What wakes the thread beside the devices, of which each line has two.
const STOP: u64 = u64::MAX;
const DUE: u64 = u64::MAX - 1;
/// More than the largest frame.
const LARGEST: usize = 65_536 + HEAD;
/// Frames that are read from a device before another one has its turn.
const TURN: usize = 64;
/// A cable does not wait for its turn where others compute.
const NICE: i32 = -15;

/// Carries frames along lines.
pub(super) struct Courier {
    lines: Vec<Line>,
    network: Arc<Mutex<Network>>,
    rng: StdRng,
    begun: Instant,
    epoll: OwnedFd,
    timer: OwnedFd,
    /// When the timer goes off.
    set: Option<Instant>,
    /// Who is at which line, as a switch learns it.
    known: BTreeMap<Mac, usize>,
    under_way: UnderWay,
}

impl Courier {
    pub(super) fn new(lines: Vec<Line>, network: Arc<Mutex<Network>>, stop: OwnedFd) -> io::Result<Courier> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK)?;
        let watch = |fd: &dyn AsFd, name| epoll::add(&epoll, fd.as_fd(), EventData::new_u64(name), EventFlags::IN);
        for (place, line) in lines.iter().enumerate() {
            watch(&line.host, place as u64 * 2)?;
            watch(&line.port, place as u64 * 2 + 1)?;
        }
        watch(&timer, DUE)?;
        watch(&stop, STOP)?;
        Ok(Courier {
            lines,
            network,
            rng: rand::make_rng(),
            begun: now(),
            epoll,
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
            let woken = match epoll::wait(&self.epoll, &mut events, None) {
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
        let line = &self.lines[place];
        for _ in 0..TURN {
            let Some(frame) = receive(&line.host, buffer)? else { break };
            self.known.extend(frame::sender(frame).map(|mac| (mac, place)));
            send(&line.port, frame)?;
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
        let mut network = self.network.lock().unwrap_or_else(PoisonError::into_inner);
        match frame::kind(frame) {
            Kind::Datagram => {
                let Some((delay, again)) = network.datagram(moment, &mut self.rng, ends, octets) else { return };
                [Some(delay), again].into_iter().flatten().for_each(|delay| self.under_way.add(now + delay, ends.1, frame));
            }
            Kind::InOrder(ports) => {
                let Some(delay) = network.segment(moment, &mut self.rng, ends, octets) else { return };
                self.under_way.add_in_order(now, delay, (ends, ports), frame);
            }
        }
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

/// The next frame that was sent into a device, if there is one.
fn receive<'b>(device: &SyncDevice, buffer: &'b mut [u8]) -> io::Result<Option<&'b [u8]>> {
    match device.recv(buffer) {
        Ok(length) => Ok(Some(&buffer[..length])),
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
