//! Holds the wires of `tests/netns/` against what they are told: packets take as long, come twice and overtake each other as the network says.

#[path = "netns/netns.rs"]
#[allow(dead_code, reason = "not all that hosts and networks can do is needed here")]
mod netns;
#[path = "netns/wires/wires.rs"]
mod wires;

use std::{
    collections::BTreeSet,
    fs,
    io::{self, Read as _, Write as _},
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket},
    thread,
    time::{Duration, Instant},
};

use netns::{ethernet::Ethernet, host::Host};
use tidings::sim::{Conditions, Fault, Group, HostId, Latency, Network};
use wires::{Line, Wires};

const PORT: u16 = 7;
/// Far longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn a_packet_takes_as_long_as_the_network_says_and_longer_on_a_way_that_delays_it() {
    let Some(pair) = Pair::new(Conditions { latency: Latency::Fixed(Duration::from_millis(20)), ..quiet() }) else { return };
    let (near, near_stream) = (pair.round_trip(), pair.stream_round_trip());
    let slow = Fault::Delay { from: only(1), to: only(0), by: Latency::Fixed(Duration::from_millis(360)) };
    let slow = pair.wires.network().begin(slow);
    let (far, far_stream) = (pair.round_trip(), pair.stream_round_trip());
    let hits = pair.wires.network().end(slow).unwrap_or_default();
    let again = pair.round_trip();
    assert!(near >= Duration::from_millis(40) && near_stream >= Duration::from_millis(40), "{near:?} {near_stream:?}");
    for (far, near) in [(far, near), (far_stream, near_stream), (far, again)] {
        let ratio = far.as_secs_f64() / near.as_secs_f64();
        assert!((5.0..=20.0).contains(&ratio), "ten times as long: {far:?} after {near:?}");
    }
    assert!(hits > 2 * ROUNDS as u64, "{hits}");
    assert!(pair.wires.are_well());
}

#[test]
fn datagrams_come_twice_and_streams_do_not() {
    let Some(pair) = Pair::new(Conditions { duplicate: 1.0, ..quiet() }) else { return };
    let got = pair.datagrams(0..50, 100);
    let mut sorted = got.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, (0..50).flat_map(|number| [number, number]).collect::<Vec<u32>>());
    assert_eq!(pair.wires.network().effects.duplicated, 50);
    assert!(pair.streams_keep_their_order());
}

#[test]
fn datagrams_overtake_each_other_where_latency_varies_and_segments_do_not() {
    let varies = Latency::Between(Duration::ZERO, Duration::from_millis(20));
    let Some(pair) = Pair::new(Conditions { latency: varies, ..quiet() }) else { return };
    let got = pair.datagrams(0..200, 200);
    assert!(!got.is_sorted(), "{got:?}");
    assert!(pair.streams_keep_their_order());
}

#[test]
fn only_those_datagrams_are_late_that_are_held_up() {
    let late = Conditions { reorder: 0.2, held_up: Latency::Fixed(Duration::from_secs(2)), ..quiet() };
    let Some(pair) = Pair::new(late) else { return };
    let got = pair.datagrams(0..100, 100);
    let held_up = pair.wires.network().effects.reordered as usize;
    // Who is held up comes behind all others, in its own order.
    let (on_time, late) = got.split_at(100 - held_up);
    assert!(held_up > 0 && on_time.is_sorted() && late.is_sorted(), "{held_up}: {got:?}");
}

#[test]
fn what_is_said_is_recorded_on_the_way() {
    let Some(pair) = Pair::new(quiet()) else { return };
    pair.wires.recorder().hear_from(only(0), only(1));
    for _ in 0..20 {
        pair.sockets[1].send_to(b"not recorded", (address(0), PORT)).expect("it is sent");
    }
    // A few at a time: what a socket does not read is lost beyond some hundreds.
    for first in (0..1_500).step_by(100) {
        pair.datagrams(first..first + 100, 100);
    }
    let (mut here, mut there) = pair.stream().expect("they reach each other");
    let said: Vec<u8> = (0..50_000_u32).map(|at| (at % 251) as u8).collect();
    let copy = said.clone();
    let writer = thread::spawn(move || here.write_all(&copy));
    there.read_exact(&mut vec![0; said.len()]).expect("all of it comes");
    there.write_all(b"not recorded").expect("it is sent");
    writer.join().expect("it does not panic").expect("all of it is sent");
    let recorder = pair.wires.recorder();
    let numbers: BTreeSet<&[u8]> = recorder.datagrams().map(|(_, octets)| octets).collect();
    assert!(recorder.datagrams().all(|(from, _)| IpAddr::from(*from.ip()) == address(0)));
    assert_eq!(numbers.len(), 1_000, "as many as are kept, and none twice");
    let later = numbers.iter().filter(|number| ***number >= 1_000_u32.to_be_bytes()[..]).count();
    assert!(later > 0, "each is as likely to be kept");
    let streams: Vec<(IpAddr, &[u8])> = recorder.streams().map(|(from, octets)| (from.into(), octets)).collect();
    assert!(streams == [(address(0), said.as_slice())], "{} streams", streams.len());
}

#[test]
fn who_stands_on_the_way_speaks_from_the_address_of_another_and_hears_the_answers() {
    let Some(pair) = Pair::new(quiet()) else { return };
    let intruder = Host::new().expect("there can be hosts");
    pair.wires.let_in(&intruder, "eth0").expect("there can be one");
    let (own, other) = (address(0), address(1));
    let known = format!("ip neighbour replace {other} lladdr {} dev eth0 nud permanent", mac(1));
    let set_up = format!("ip link set eth0 up; ip address add {own}/24 dev eth0; {known}");
    intruder.run(&set_up).expect("it has an address");

    let socket = intruder.within(|| UdpSocket::bind((own, PORT))).expect("the port is free");
    socket.send_to(b"again", (other, PORT)).expect("it is sent");
    let mut buffer = [0; 8];
    assert_eq!(pair.sockets[1].recv_from(&mut buffer).expect("it comes"), (5, (own, PORT).into()));

    let stream = intruder.within(|| socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None)).expect("a socket");
    stream.connect_timeout(&SocketAddr::from((other, PORT)).into(), PATIENCE).expect("an answer comes to it");
    let (mut taken, from) = pair.listener.accept().expect("it comes");
    assert_eq!(from.ip(), own);
    taken.write_all(b"x").expect("it is sent");
    let mut stream = TcpStream::from(stream);
    stream.set_read_timeout(Some(PATIENCE)).expect("it is more than nothing");
    stream.read_exact(&mut [0]).expect("it comes to the intruder, and not to whose address it has");
}

fn only(place: usize) -> Group {
    [HostId(place)].into_iter().collect()
}

fn quiet() -> Conditions {
    Conditions { latency: Latency::Fixed(Duration::from_millis(1)), ..Conditions::default() }
}

/// Round trips of which the shortest counts: what else the machine does makes them longer, and never shorter.
const ROUNDS: usize = 10;

/// Two hosts on a switch. What is dropped first stands first.
struct Pair {
    wires: Wires,
    hosts: [Host; 2],
    /// One on each. They are opened once: a port that was closed is not free yet while another test starts a program.
    sockets: [UdpSocket; 2],
    /// Of the second.
    listener: TcpListener,
    _ethernet: Ethernet,
}

impl Pair {
    /// None where there can be none, which is said.
    fn new(conditions: Conditions) -> Option<Pair> {
        if let Some(obstacle) = netns::obstacle().or_else(wires::obstacle) {
            eprintln!("skipped: wires between hosts: {obstacle}");
            return None;
        }
        let mut ethernet = Ethernet::new().expect("there can be networks");
        let hosts = [Host::new().expect("there can be hosts"), Host::new().expect("there can be hosts")];
        let mut lines = Vec::new();
        for (place, host) in hosts.iter().enumerate() {
            let plugged = ethernet.plug_by(host, "eth0", &[(address(place), 24)], |switch, port| {
                lines.push(Line::new((host, "eth0"), (switch, port))?);
                host.run(&format!("ip link set eth0 address {}", mac(place)))
            });
            plugged.expect("it can be plugged in");
        }
        let wires = Wires::new(lines, Network::new(conditions)).expect("there can be wires");
        let sockets = [socket(&hosts[0], 0), socket(&hosts[1], 1)];
        let listener = hosts[1].within(|| TcpListener::bind((address(1), PORT))).expect("the port is free");
        let pair = Pair { wires, hosts, sockets, listener, _ethernet: ethernet };
        // Who is where is found out before anything is measured.
        pair.stream_round_trip();
        pair.wires.network().effects = Default::default();
        Some(pair)
    }

    /// The shortest time until a datagram has an answer.
    fn round_trip(&self) -> Duration {
        let [here, there] = &self.sockets;
        shortest(|| {
            let mut buffer = [0; 8];
            here.send_to(b"there?", (address(1), PORT))?;
            let (_, from) = there.recv_from(&mut buffer)?;
            there.send_to(b"here", from)?;
            here.recv_from(&mut buffer).map(drop)
        })
    }

    /// The shortest time until what is said by a stream has an answer.
    fn stream_round_trip(&self) -> Duration {
        let (mut here, mut there) = self.stream().expect("they reach each other");
        shortest(|| {
            here.write_all(b"x")?;
            there.read_exact(&mut [0])?;
            there.write_all(b"y")?;
            here.read_exact(&mut [0])
        })
    }

    fn stream(&self) -> io::Result<(TcpStream, TcpStream)> {
        let here = self.hosts[0].within(|| socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None))?;
        let to = SocketAddr::from((address(1), PORT));
        here.connect_timeout(&to.into(), PATIENCE)?;
        let (here, there) = (TcpStream::from(here), self.listener.accept()?.0);
        for stream in [&here, &there] {
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(PATIENCE))?;
        }
        Ok((here, there))
    }

    /// Numbers that are sent by datagram, as so many of them come.
    fn datagrams(&self, numbers: std::ops::Range<u32>, count: usize) -> Vec<u32> {
        let [here, there] = &self.sockets;
        for number in numbers {
            here.send_to(&number.to_be_bytes(), (address(1), PORT)).expect("it is sent");
        }
        let mut buffer = [0; 4];
        let mut next = || there.recv_from(&mut buffer).map(|_| u32::from_be_bytes(buffer));
        (0..count).map(|_| next().expect("it comes")).collect()
    }

    /// Whether the kernel at the other end found all segments of a stream in their order.
    fn streams_keep_their_order(&self) -> bool {
        let (mut here, mut there) = self.stream().expect("they reach each other");
        let said: Vec<u8> = (0..200_000_u32).map(|at| (at % 251) as u8).collect();
        let copy = said.clone();
        let writer = thread::spawn(move || here.write_all(&copy));
        let mut heard = vec![0; said.len()];
        there.read_exact(&mut heard).expect("all of it comes");
        writer.join().expect("it does not panic").expect("all of it is sent");
        assert!(heard == said);
        self.segments_out_of_order() == 0
    }

    fn segments_out_of_order(&self) -> u64 {
        let counters = fs::read_to_string(format!("/proc/{}/net/netstat", self.hosts[1].process())).expect("the host is there");
        // A line of names, and one of values.
        let rows: Vec<Vec<&str>> = counters.lines().map(|line| line.split_whitespace().collect()).collect();
        let (at, names) = rows.iter().enumerate().find(|(_, row)| row.contains(&"TCPOFOQueue")).expect("it is counted");
        let place = names.iter().position(|name| *name == "TCPOFOQueue").expect("it is there");
        rows[at + 1][place].parse().expect("it is a number")
    }
}

/// How long a deed takes at least.
#[expect(clippy::disallowed_methods, reason = "how long packets take is what is tested")]
fn shortest(mut deed: impl FnMut() -> io::Result<()>) -> Duration {
    let once = || {
        let begun = Instant::now();
        deed().map(|()| begun.elapsed())
    };
    let rounds: io::Result<Vec<Duration>> = std::iter::repeat_with(once).take(ROUNDS).collect();
    rounds.expect("an answer comes").into_iter().min().unwrap_or_default()
}

fn socket(host: &Host, place: usize) -> UdpSocket {
    let socket = host.within(|| UdpSocket::bind((address(place), PORT))).expect("the port is free");
    socket.set_read_timeout(Some(PATIENCE)).expect("it is more than nothing");
    socket
}

fn address(place: usize) -> IpAddr {
    Ipv4Addr::new(10, 78, 0, place as u8 + 1).into()
}

fn mac(place: usize) -> String {
    format!("02:78:00:00:00:{place:02x}")
}
