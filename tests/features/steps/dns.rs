//! Looking up names.

use std::{collections::BTreeSet, time::Duration};

use cucumber::{gherkin::Step, given, then, when};
use hickory_proto::op::OpCode;
use tokio::{net::UdpSocket, time::timeout};

use super::agents::list;
use crate::features::{
    dns::{self, Reply, Way},
    wait::eventually,
    world::World,
};

#[when(regex = r"^I look up (\S+) ([A-Z]+) at (\w+)( over TCP| with EDNS (\d+))?$")]
async fn look_up(world: &mut World, name: String, kind: String, agent: String, how: String, size: String) {
    let name = world.fill(&name);
    let reply = dns::look_up(world.agent(&agent).dns(), &name, &kind, way(&how, &size)).await;
    world.reply = Some(reply.unwrap_or_else(|error| panic!("{error}")));
}

fn way(how: &str, size: &str) -> Way {
    match how {
        "" => Way::Udp,
        " over TCP" => Way::Tcp,
        _ => Way::UdpEdns(size.parse().expect("a size in octets")),
    }
}

#[then(regex = r"^the lookup gives$")]
async fn gives(world: &mut World, step: &Step) {
    let expected = column(world, step);
    if let Err(wrong) = same(world.replied(), &expected) {
        panic!("{wrong}");
    }
}

#[then(regex = r"^the lookup is ([A-Z]+)$")]
async fn is_outcome(world: &mut World, outcome: String) {
    assert_eq!(world.replied().outcome(), outcome, "{}", world.replied());
}

#[given(regex = r"^(\S+) ([A-Z]+) at (\w+) soon gives$")]
#[then(regex = r"^(\S+) ([A-Z]+) at (\w+) soon gives$")]
async fn gives_soon(world: &mut World, name: String, kind: String, agent: String, step: &Step) {
    let expected = column(world, step);
    soon(world, &name, &kind, &agent, |reply| same(reply, &expected)).await;
}

#[given(regex = r"^(\S+) ([A-Z]+) at each of (.+) soon gives$")]
async fn gives_soon_at_each(world: &mut World, name: String, kind: String, agents: String, step: &Step) {
    for agent in list(&agents) {
        gives_soon(world, name.clone(), kind.clone(), agent, step).await;
    }
}

#[then(regex = r"^(\S+) ([A-Z]+) at (\w+) is soon ([A-Z]+)$")]
async fn outcome_soon(world: &mut World, name: String, kind: String, agent: String, outcome: String) {
    soon(world, &name, &kind, &agent, |reply| if reply.outcome() == outcome { Ok(()) } else { Err(format!("not {outcome}: {reply}")) })
        .await;
}

async fn soon(world: &mut World, name: &str, kind: &str, agent: &str, right: impl Fn(&Reply) -> Result<(), String>) {
    let name = world.fill(name);
    let server = world.agent(agent).dns();
    let reply = eventually(&format!("{name} {kind} at {agent} as expected"), async || {
        let reply = dns::look_up(server, &name, kind, Way::Udp).await?;
        right(&reply).map(|()| reply)
    })
    .await;
    world.reply = Some(reply);
}

fn column(world: &mut World, step: &Step) -> Vec<String> {
    let mut cells: Vec<String> = world.table(step).into_iter().map(|row| row[0].clone()).collect();
    cells.sort();
    cells
}

fn same(reply: &Reply, expected: &[String]) -> Result<(), String> {
    let mut seen = reply.data();
    seen.sort();
    if seen == expected { Ok(()) } else { Err(format!("not {expected:?}, but {reply}")) }
}

#[then(regex = r"^the (answer|authority|additional) section holds$")]
async fn section_holds(world: &mut World, section: String, step: &Step) {
    let mut expected = world.table(step);
    expected.sort();
    let seen: Vec<Vec<String>> = world.replied().section(&section).into_iter().map(Vec::from).collect();
    assert_eq!(seen, expected, "{}", world.replied());
}

#[then(regex = r"^the lookup gives (\d+) records$")]
async fn gives_count(world: &mut World, count: usize) {
    let distinct: BTreeSet<String> = world.replied().data().into_iter().collect();
    assert_eq!((world.replied().data().len(), distinct.len()), (count, count), "{}", world.replied());
}

#[then(regex = r"^the lookup is( not)? truncated$")]
async fn truncated(world: &mut World, not: String) {
    assert_eq!(world.replied().message.metadata.truncation, not.is_empty(), "{}", world.replied());
}

#[then(regex = r"^the lookup says that recursion is( not)? available$")]
async fn recursion(world: &mut World, not: String) {
    assert_eq!(world.replied().message.metadata.recursion_available, not.is_empty(), "{}", world.replied());
}

#[then(regex = r"^the lookup is authoritative$")]
async fn authoritative(world: &mut World) {
    assert!(world.replied().message.metadata.authoritative, "{}", world.replied());
}

#[then(regex = r"^the lookup's message has at most (\d+) octets$")]
async fn has_size(world: &mut World, most: usize) {
    assert!(world.replied().octets.len() <= most, "{}", world.replied());
}

#[then(regex = r"^the lookup carries EDNS$")]
async fn edns(world: &mut World) {
    assert!(world.replied().message.edns.is_some(), "{}", world.replied());
}

#[then(regex = r"^the lookup carries the extended error (\d+)$")]
async fn extended_error(world: &mut World, code: u16) {
    assert_eq!(world.replied().extended_error(), Some(code), "{}", world.replied());
}

#[then(regex = r"^the lookup's records have a TTL of (\d+)$")]
async fn has_ttl(world: &mut World, ttl: u32) {
    let reply = world.replied();
    assert!(reply.message.answers.iter().all(|record| record.ttl == ttl), "{:?}", reply.message.answers);
}

#[then(regex = r"^the question comes back as (\S+)$")]
async fn question(world: &mut World, name: String) {
    let reply = world.replied();
    let asked: Vec<String> = reply.message.queries.iter().map(|query| query.name().to_ascii()).collect();
    assert_eq!(asked, [format!("{name}.")], "{reply}");
}

/// Of 8 records each has a chance of 1 in 8 to come first: 40 lookups that all begin alike would be chance once in 10^35.
#[then(regex = r"^over (\d+) lookups of (\S+) ([A-Z]+) at (\w+) different records come first$")]
async fn shuffled(world: &mut World, times: usize, name: String, kind: String, agent: String) {
    let mut first = BTreeSet::new();
    for _ in 0..times {
        look_up(world, name.clone(), kind.clone(), agent.clone(), String::new(), String::new()).await;
        first.extend(world.replied().data().into_iter().next());
    }
    assert!(first.len() > 1, "always {first:?}");
}

/// From one socket, all before the first answer is read; and then such that are not counted, until one of those is answered: what came of the others
/// is there by then.
#[when(regex = r"^I ask (\w+) (\d+) times at once for (\S+) ([A-Z]+)$")]
async fn at_once(world: &mut World, agent: String, times: u16, name: String, kind: String) {
    let server = world.agent(&agent).dns();
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a port is free");
    socket.connect(server).await.expect("UDP connects to anything");
    let mut question = dns::question(&name, &kind, Way::Udp).expect("a question");
    for id in 1..=times {
        question[..2].copy_from_slice(&id.to_be_bytes());
        socket.send(&question).await.expect("a datagram can be sent");
    }
    world.raw_replies.clear();
    world.notes.insert("asked".into(), times.to_string());
    let mut buffer = vec![0; 65_535];
    question[..2].fill(0xff);
    loop {
        socket.send(&question).await.expect("a datagram can be sent");
        while let Ok(received) = timeout(Duration::from_secs(1), socket.recv(&mut buffer)).await {
            let octets = buffer[..received.expect("the agent's port is open")].to_vec();
            if octets[..2] == question[..2] {
                return;
            }
            world.raw_replies.push(octets);
        }
    }
}

#[then("some of the answers are whole, some send me to TCP, and some are missing")]
async fn limited(world: &mut World) {
    let asked: usize = world.notes["asked"].parse().expect("a number");
    let cut = world.raw_replies.iter().filter(|octets| octets[2] & 0x02 != 0).count();
    let whole = world.raw_replies.len() - cut;
    assert!(whole > 0 && cut > 0 && whole + cut < asked, "of {asked}: {whole} whole, {cut} cut");
}

#[then(regex = r"^over (\d+) lookups of (\S+) ([A-Z]+) at (\w+) the order is always (.+)$")]
async fn ordered(world: &mut World, times: usize, name: String, kind: String, agent: String, order: String) {
    let expected = list(&world.fill(&order));
    for _ in 0..times {
        look_up(world, name.clone(), kind.clone(), agent.clone(), String::new(), String::new()).await;
        assert_eq!(world.replied().data(), expected);
    }
}

#[then(regex = r"^over (\d+) lookups of (\S+) ([A-Z]+) at (\w+) (\S+) is always last$")]
async fn is_last(world: &mut World, times: usize, name: String, kind: String, agent: String, last: String) {
    let expected = world.fill(&last);
    for _ in 0..times {
        look_up(world, name.clone(), kind.clone(), agent.clone(), String::new(), String::new()).await;
        assert_eq!(world.replied().data().last(), Some(&expected));
    }
}

/// Sends the odd packet and, after it, a plain question, from the same socket: what came back for the first is there before the
/// answer to the second.
#[when(regex = r"^I send (\w+) a DNS packet that is (.+)$")]
async fn odd_packet(world: &mut World, agent: String, odd: String) {
    let server = world.agent(&agent).dns();
    let plain = dns::question("odd.service.tidings.internal", "A", Way::Udp).expect("a question");
    let name = "web.service.tidings.internal";
    let packet = match odd.as_str() {
        "a response" => dns::odd_query(OpCode::Query, true, name),
        "a truncated response" => dns::odd_query(OpCode::Query, true, name)[..14].to_vec(),
        "shorter than a header" => dns::odd_query(OpCode::Query, false, name)[..7].to_vec(),
        "cut short in its question" => dns::odd_query(OpCode::Query, false, name)[..16].to_vec(),
        "a zone update" => dns::odd_query(OpCode::Update, false, name),
        "a notify" => dns::odd_query(OpCode::Notify, false, name),
        "of EDNS version 1" => of_edns_version_1(),
        "of class CHAOS" => of_class_chaos(),
        "with two questions" => with_two_questions(),
        "a question for OPT" => of_type(41),
        "a question for MAILA" => of_type(254),
        "empty" => Vec::new(),
        _ => panic!("no such odd packet"),
    };
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a port is free");
    socket.connect(server).await.expect("UDP connects to anything");
    socket.send(&packet).await.expect("a datagram can be sent");
    world.raw_replies.clear();
    let mut buffer = vec![0; 65_535];
    for _ in 0..10 {
        socket.send(&plain).await.expect("a datagram can be sent");
        while let Ok(received) = timeout(Duration::from_secs(2), socket.recv(&mut buffer)).await {
            let octets = buffer[..received.expect("the agent's port is open")].to_vec();
            if octets[..2] == plain[..2] {
                return;
            }
            world.raw_replies.push(octets);
        }
    }
    panic!("{agent} answers no plain question any more");
}

fn of_edns_version_1() -> Vec<u8> {
    let mut octets = dns::question("web.service.tidings.internal", "A", Way::UdpEdns(1232)).expect("a question");
    // The OPT record is last: its name, type, class, then extended RCODE, version, flags and length (RFC 6891, 6.1.2).
    let version = octets.len() - 5;
    octets[version] = 1;
    octets
}

fn of_class_chaos() -> Vec<u8> {
    let mut octets = dns::question("web.service.tidings.internal", "A", Way::Udp).expect("a question");
    *octets.last_mut().expect("the class is last") = 3;
    octets
}

fn of_type(kind: u8) -> Vec<u8> {
    let mut octets = dns::question("web.service.tidings.internal", "A", Way::Udp).expect("a question");
    // Type, then class, both of two octets, are last.
    let at = octets.len() - 3;
    octets[at] = kind;
    octets
}

fn with_two_questions() -> Vec<u8> {
    let mut octets = dns::question("web.service.tidings.internal", "A", Way::Udp).expect("a question");
    octets.extend_from_within(12..);
    octets[5] = 2;
    octets
}

#[then(regex = r"^it gets no answer$")]
async fn no_answer(world: &mut World) {
    assert!(world.raw_replies.is_empty(), "{:02x?}", world.raw_replies);
}

#[then(regex = r"^it gets the answer ([A-Z]+)$")]
async fn raw_outcome(world: &mut World, outcome: String) {
    let octets = world.raw_replies.first().expect("there was no answer");
    let message = hickory_proto::op::Message::from_vec(octets).expect("the answer can be read");
    let reply = Reply { message, octets: octets.clone() };
    assert_eq!(reply.outcome(), outcome, "{reply}");
}
