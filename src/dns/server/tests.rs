//! Through real sockets on loopback, as clients see it.

use std::net::IpAddr;

use hickory_proto::{
    op::{Edns, Message, MessageType, OpCode, Query, ResponseCode},
    rr::{
        DNSClass, Name, RecordType,
        rdata::opt::{EdnsCode, EdnsOption},
    },
    serialize::binary::BinEncodable,
};
use proptest::prelude::*;
use tokio::{net::UdpSocket, sync::oneshot, task::JoinHandle};

use super::*;
use crate::{
    catalog::fixture::{at, catalog, instance, many, passing},
    dns::{handler::UDP_INSTANCES, packets::BATCH, reply::UDP_PAYLOAD},
    model::Change,
};

/// Generous: only a test that fails waits for it.
const DEADLINE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_service_is_found_over_udp_and_tcp_at_the_same_address() {
    let server = Server::start([passing(instance("web", "a", &["10.0.0.5"], 80))]).await;
    let query = query("web.service.tidings.internal.", RecordType::SRV);
    for reply in [server.udp(&query).await, server.tcp(&query).await] {
        let (metadata, code) = (reply.metadata, reply.metadata.response_code);
        assert_eq!((metadata.id, metadata.message_type, code), (query.metadata.id, MessageType::Response, ResponseCode::NoError));
        assert!(metadata.authoritative && metadata.recursion_desired);
        assert!(!metadata.recursion_available && !metadata.authentic_data && !metadata.truncation);
        assert_eq!(reply.queries, query.queries);
        assert_eq!((reply.answers.len(), reply.additionals.len()), (1, 1));
        assert!(reply.edns.is_none(), "no OPT where none was sent (RFC 6891, 7)");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_change_is_seen_by_the_next_query() {
    let (mut publisher, catalog) = catalog([]);
    let server = Server::over(catalog).await;
    let query = query("web.service.tidings.internal.", RecordType::A);
    let before = server.udp(&query).await;
    assert_eq!((before.metadata.response_code, before.metadata.authoritative), (ResponseCode::NXDomain, true));
    publisher.publish([passing(instance("web", "a", &["10.0.0.5"], 80))], at(2));
    assert_eq!(server.udp(&query).await.answers.len(), 1);
}

#[tokio::test]
async fn the_case_of_the_question_comes_back() {
    let server = Server::start([passing(instance("web", "a", &["10.0.0.5"], 80))]).await;
    let query = query("wEb.SerVice.tiDINGS.internal.", RecordType::A);
    let reply = server.udp_octets(&query.to_bytes().unwrap()).await;
    let question = &query.to_bytes().unwrap()[HEADER..];
    assert_eq!(&reply[HEADER..HEADER + question.len()], question);
}

#[tokio::test]
async fn what_is_asked_in_a_wrong_way_is_refused_with_its_code() {
    let server = Server::start([]).await;
    let name = "web.service.tidings.internal.";
    let with = |change: fn(&mut Message)| {
        let mut query = query(name, RecordType::A);
        change(&mut query);
        query
    };
    for (what, query, code) in [
        ("outside", query("example.com.", RecordType::A), ResponseCode::Refused),
        ("the root", query(".", RecordType::NS), ResponseCode::Refused),
        ("AXFR", query("tidings.internal.", RecordType::AXFR), ResponseCode::Refused),
        ("IXFR", query("tidings.internal.", RecordType::IXFR), ResponseCode::Refused),
        ("class CH", with(|q| q.queries[0].query_class = DNSClass::CH), ResponseCode::Refused),
        ("class ANY", with(|q| q.queries[0].query_class = DNSClass::ANY), ResponseCode::Refused),
        ("NOTIFY", with(|q| q.metadata.op_code = OpCode::Notify), ResponseCode::NotImp),
        ("STATUS", with(|q| q.metadata.op_code = OpCode::Status), ResponseCode::NotImp),
        ("opcode 9", with(|q| q.metadata.op_code = OpCode::Unknown(9)), ResponseCode::NotImp),
        ("no question", with(|q| q.queries.clear()), ResponseCode::FormErr),
        ("two questions", with(|q| q.queries.push(q.queries[0].clone())), ResponseCode::FormErr),
    ] {
        for reply in [server.udp(&query).await, server.tcp(&query).await] {
            assert_eq!(reply.metadata.response_code, code, "{what}");
            assert_eq!((reply.metadata.id, reply.metadata.op_code), (query.metadata.id, query.metadata.op_code), "{what}");
            assert!(!reply.metadata.authoritative && reply.answers.is_empty(), "{what}");
        }
    }
}

#[tokio::test]
async fn edns_is_answered_with_edns() {
    let server = Server::start([]).await;
    let mut query = with_edns(query("web.service.tidings.internal.", RecordType::A), 4_096);
    query.edns.as_mut().unwrap().set_dnssec_ok(true);
    let edns = server.udp(&query).await.edns.unwrap();
    assert_eq!((edns.version(), edns.max_payload(), edns.flags().dnssec_ok), (0, UDP_PAYLOAD, true));

    query.edns.as_mut().unwrap().set_version(1);
    let reply = server.udp(&query).await;
    // The upper bits of the code are in the OPT record (RFC 6891, 6.1.3): 16 is BADVERS.
    assert_eq!(u16::from(reply.metadata.response_code), 16);
    assert_eq!(reply.edns.unwrap().version(), 0);
}

#[tokio::test]
async fn the_reason_for_no_answer_is_an_extended_error() {
    let server = Server::start([Change::Ready(false)]).await;
    for (name, code, extended) in
        [("web.service.tidings.internal.", ResponseCode::ServFail, 14), ("example.com.", ResponseCode::Refused, 20)]
    {
        let reply = server.udp(&with_edns(query(name, RecordType::A), 1_232)).await;
        assert_eq!(reply.metadata.response_code, code);
        match reply.edns.unwrap().option(EdnsCode::from(15)) {
            Some(EdnsOption::Unknown(15, data)) => assert_eq!(data[..2], u16::to_be_bytes(extended)),
            other => panic!("{name}: {other:?}"),
        }
        assert!(server.udp(&query(name, RecordType::A)).await.edns.is_none());
    }
}

#[tokio::test]
async fn an_answer_that_does_not_fit_is_cut_whole_and_comes_whole_over_tcp() {
    let server = Server::start(many(100)).await;
    let plain = query("web.service.tidings.internal.", RecordType::A);
    let srv = query("web.service.tidings.internal.", RecordType::SRV);
    for (query, head) in [(srv.clone(), 0), (with_edns(srv.clone(), 100), 11), (with_edns(srv.clone(), 4_096), 11)] {
        let octets = server.udp_octets(&query.to_bytes().unwrap()).await;
        let reply = Message::from_vec(&octets).unwrap();
        assert!(reply.metadata.truncation && reply.metadata.authoritative);
        assert_eq!((reply.answers.len(), reply.authorities.len(), reply.additionals.len()), (0, 0, 0));
        assert_eq!(reply.edns.is_some(), query.edns.is_some());
        let question = query.queries[0].to_bytes().unwrap().len();
        assert_eq!(octets.len(), HEADER + question + head, "header, question, OPT and nothing behind them");
    }
    for (query, additionals) in [(plain, 0), (srv, 100)] {
        let reply = server.tcp(&query).await;
        assert_eq!((reply.answers.len(), reply.additionals.len(), reply.metadata.truncation), (100, additionals, false));
    }
}

#[tokio::test]
async fn a_limit_on_instances_over_udp_sets_no_tc() {
    let server = Server::start(many(100)).await;
    let query = with_edns(query("web.service.tidings.internal.", RecordType::A), 4_096);
    let octets = server.udp_octets(&query.to_bytes().unwrap()).await;
    let reply = Message::from_vec(&octets).unwrap();
    assert_eq!((reply.answers.len(), reply.metadata.truncation), (UDP_INSTANCES, false));
    assert!(octets.len() <= usize::from(UDP_PAYLOAD));
}

#[tokio::test]
async fn of_many_addresses_as_many_are_given_as_fit_and_nobody_is_sent_to_tcp() {
    let server = Server::start(many(100)).await;
    let mut with_option = with_edns(query("web.service.tidings.internal.", RecordType::A), 512);
    with_option.edns.as_mut().unwrap().options_mut().insert(EdnsOption::Unknown(10, vec![1; 8]));
    // The last one goes the full way, which spells the first owner's name.
    for (query, least) in [(query("web.service.tidings.internal.", RecordType::A), 28), (with_option, 25)] {
        let octets = server.udp_octets(&query.to_bytes().unwrap()).await;
        let reply = Message::from_vec(&octets).unwrap();
        assert!(octets.len() <= 512 && octets.len() > 512 - 16, "{}", octets.len());
        assert!(reply.answers.len() >= least && !reply.metadata.truncation, "{}", reply.answers.len());
    }
}

#[tokio::test]
async fn what_is_additional_is_left_out_before_anything_is_cut() {
    let server = Server::start(many(8)).await;
    let reply = server.udp(&query("web.service.tidings.internal.", RecordType::SRV)).await;
    assert_eq!((reply.answers.len(), reply.additionals.len(), reply.metadata.truncation), (8, 0, false));
    let reply = server.udp(&with_edns(query("web.service.tidings.internal.", RecordType::SRV), 550)).await;
    assert_eq!((reply.answers.len(), reply.additionals.len(), reply.metadata.truncation), (8, 0, false));
    assert!(reply.edns.is_some());
    let reply = server.udp(&with_edns(query("web.service.tidings.internal.", RecordType::SRV), 1_232)).await;
    assert_eq!((reply.answers.len(), reply.additionals.len()), (8, 8));
}

#[tokio::test]
async fn a_response_gets_no_reply_and_a_malformed_query_a_formerr() {
    let server = Server::start([]).await;
    let whole = query("web.service.tidings.internal.", RecordType::A).to_bytes().unwrap();
    let malformed = [&whole[..whole.len() - 3], &whole[..HEADER], b"\xab\xcd\x01\x00\xff\xff\xff\xff\xff\xff\xff\xff"];
    let client = server.client().await;
    for message in malformed.into_iter().chain([&whole[..], &whole[..HEADER - 1], b"", b"\0"]) {
        let mut response = message.to_vec();
        if let [id, _, flags, ..] = &mut response[..] {
            *flags |= 0x80;
            *id ^= 0xff; // so that a reply to it is told from those to the queries below
        }
        client.send(&response).await.unwrap();
    }
    // Packets of one socket to another on loopback keep their order: were there a reply to any of those, it would come first.
    for message in malformed {
        client.send(message).await.unwrap();
        let reply = receive(&client).await;
        let flags = [0x80 | message[2] & 0x79, 1];
        assert_eq!(reply, [&message[..2], &flags, &[0; 8]].concat());
    }
}

#[tokio::test]
async fn of_many_packets_that_wait_none_is_lost() {
    let bound = Server::bound(catalog([passing(instance("web", "a", &["10.0.0.5"], 80))]).1);
    let client = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    client.connect(bound.local_addr().unwrap()).await.unwrap();
    // More than one batch, and all there before the server looks; far fewer than a socket's buffer holds.
    let ids = 1..=u16::try_from(2 * BATCH + 1).unwrap();
    for id in ids.clone() {
        let mut query = query("web.service.tidings.internal.", RecordType::A);
        query.metadata.id = id;
        client.send(&query.to_bytes().unwrap()).await.unwrap();
    }
    let _server = Server::run(bound);
    for id in ids {
        assert_eq!(receive(&client).await[..2], id.to_be_bytes());
    }
}

#[tokio::test]
async fn many_queries_on_one_connection_are_answered_in_their_order() {
    let server = Server::start([passing(instance("web", "a", &["10.0.0.5"], 80))]).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let ids = 1..=100_u16;
    let mut pipelined = Vec::new();
    for id in ids.clone() {
        let mut query = query("web.service.tidings.internal.", RecordType::A);
        query.metadata.id = id;
        pipelined.extend(framed(&query.to_bytes().unwrap()));
    }
    stream.write_all(&pipelined).await.unwrap();
    for id in ids {
        let reply = receive_framed(&mut stream).await.unwrap();
        assert_eq!((reply.metadata.id, reply.answers.len()), (id, 1));
    }
}

#[tokio::test]
async fn at_the_limit_the_newest_connection_is_closed_and_the_others_go_on() {
    let server = Server::start([passing(instance("web", "a", &["10.0.0.5"], 80))]).await;
    let query = framed(&query("web.service.tidings.internal.", RecordType::A).to_bytes().unwrap());
    let mut open = Vec::new();
    for _ in 0..CONNECTIONS {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(&query).await.unwrap();
        receive_framed(&mut stream).await.unwrap();
        open.push(stream);
    }
    let mut newest = TcpStream::connect(server.address).await.unwrap();
    let closed = timeout(DEADLINE, newest.read_u8()).await.expect("closed before the deadline");
    assert!(closed.is_err());
    open[0].write_all(&query).await.unwrap();
    receive_framed(&mut open[0]).await.unwrap();

    drop(open.pop());
    // The place is free when the server has seen the end of the stream.
    let replaced = async {
        loop {
            let mut stream = TcpStream::connect(server.address).await.unwrap();
            if stream.write_all(&query).await.is_ok() && receive_framed(&mut stream).await.is_ok() {
                break;
            }
        }
    };
    timeout(DEADLINE, replaced).await.expect("a place came free");
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let server = Server::run(DnsServer { idle: Duration::from_millis(50), ..Server::bound(catalog([]).1) });
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    // Half a length is no sign of life.
    stream.write_all(&[0]).await.unwrap();
    assert!(timeout(DEADLINE, stream.read_u8()).await.expect("closed before the deadline").is_err());
}

#[tokio::test]
async fn broken_framing_ends_the_connection() {
    let server = Server::start([]).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(&framed(b"short")).await.unwrap();
    assert!(timeout(DEADLINE, stream.read_u8()).await.unwrap().is_err());
}

#[tokio::test]
async fn a_server_that_stopped_lets_go_of_its_address() {
    let server = Server::start([]).await;
    let address = server.address;
    server.stop().await;
    let (_, catalog) = catalog([]);
    DnsServer::bind(address, Names::default(), catalog, DnsMetrics::unread()).unwrap();
}

#[tokio::test]
async fn an_address_in_use_is_an_error_at_once() {
    let server = Server::start([]).await;
    let (_, catalog) = catalog([]);
    let error = DnsServer::bind(server.address, Names::default(), catalog, DnsMetrics::unread()).err().unwrap();
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
}

proptest! {
    #[test]
    fn no_octets_at_all_make_it_fail(mut message in proptest::collection::vec(any::<u8>(), 0..600), counts in any::<bool>()) {
        // Half of them with counts that let the reader get to the records.
        if counts && message.len() > HEADER {
            message[4..HEADER].copy_from_slice(&[0, 1, 0, 0, 0, 1, 0, 1]);
        }
        check_any(&message);
    }

    #[test]
    fn no_change_to_a_query_makes_it_fail(at in 0..48_usize, octet in any::<u8>(), cut in 12..60_usize) {
        let mut message = with_edns(query("_web._tcp.service.tidings.internal.", RecordType::SRV), 1_232).to_bytes().unwrap();
        message[at] = octet;
        message.truncate(cut);
        check_any(&message);
    }
}

/// Whatever comes in, a response gets nothing, and the reply to a query is whole, is its own, and fits.
fn check_any(message: &[u8]) {
    let (_, catalog) = catalog(many(3));
    let handler = Handler::new(Names::default(), catalog, DnsMetrics::unread());
    let from = "127.0.0.1:5353".parse().unwrap();
    let mut room = [0; UDP_PAYLOAD as usize];
    let packet = match handler.packet(message, from, &mut room) {
        Said::Reply(length) => Said::Reply(room[..length].to_vec()),
        _ => Said::Nothing,
    };
    for said in [packet, handler.message(message.to_vec(), from, Protocol::Tcp)] {
        let reply = if let Said::Reply(reply) = said { Some(reply) } else { None };
        let asks = message.len() >= HEADER && message[2] & 0x80 == 0;
        assert_eq!(reply.is_some(), asks);
        if let Some(reply) = reply {
            assert_eq!(reply[..2], message[..2]);
            assert_eq!(reply[2] & 0x80, 0x80);
            Message::from_vec(&reply).unwrap();
        }
    }
}

#[test]
fn each_query_counts_once_by_its_type_and_how_it_ended() {
    use crate::metrics::{QueryResult as Result, QueryType as Type};
    let (_, catalog) = catalog(many(60));
    let handler = Handler::new(Names::default(), catalog, DnsMetrics::unread());
    let name = "web.service.tidings.internal.";
    let octets = |message: Message| message.to_bytes().unwrap();
    let version = |mut message: Message| {
        message.edns.as_mut().unwrap().set_version(1);
        message
    };
    let mut response = query(name, RecordType::A);
    response.metadata.message_type = MessageType::Response;
    let mut two = query(name, RecordType::A);
    two.queries.push(two.queries[0].clone());
    let mut notify = query(name, RecordType::SOA);
    notify.metadata.op_code = OpCode::Notify;
    for (message, kind, result) in [
        (octets(with_edns(query(name, RecordType::A), 1_232)), Type::A, Result::Answered),
        (octets(query(name, RecordType::SRV)), Type::Srv, Result::Truncated),
        (octets(query(name, RecordType::TXT)), Type::Txt, Result::NoData),
        (octets(query("no.service.tidings.internal.", RecordType::AAAA)), Type::Aaaa, Result::NxDomain),
        (octets(query("example.com.", RecordType::PTR)), Type::Ptr, Result::Refused),
        (octets(query(name, RecordType::AXFR)), Type::Other, Result::Refused),
        (octets(query(name, RecordType::OPT)), Type::Other, Result::FormErr),
        (octets(query(name, RecordType::Unknown(254))), Type::Other, Result::NotImp),
        (octets(version(with_edns(query(name, RecordType::A), 1_232))), Type::A, Result::BadVers),
        (octets(notify), Type::Soa, Result::NotImp),
        (octets(two), Type::Other, Result::FormErr),
        (octets(response), Type::Other, Result::Ignored),
        (vec![0; 3], Type::Other, Result::Ignored),
    ] {
        let before = handler.metrics.queries(kind, result);
        handler.packet(&message, "127.0.0.1:5353".parse().unwrap(), &mut [0; UDP_PAYLOAD as usize]);
        assert_eq!(handler.metrics.queries(kind, result), before + 1, "{kind:?} {result:?}");
    }
}

#[tokio::test]
async fn on_all_addresses_a_packet_is_answered_from_the_one_that_was_asked() {
    // Some machines have no IPv6.
    let has_six = UdpSocket::bind("[::1]:0").await.is_ok();
    let cases = [("0.0.0.0:0", "127.0.0.9"), ("[::]:0", "127.0.0.9"), ("[::]:0", "::1")];
    for (listen, asked) in cases.into_iter().filter(|(listen, _)| has_six || !listen.starts_with('[')) {
        let catalog = catalog([passing(instance("web", "a", &["10.0.0.5"], 80))]).1;
        let server = DnsServer::bind(listen.parse().unwrap(), Names::default(), catalog, DnsMetrics::unread()).unwrap();
        let mut server = Server::run(server);
        let asked: IpAddr = asked.parse().unwrap();
        server.address.set_ip(asked);
        let reply = server.udp(&query("web.service.tidings.internal.", RecordType::A)).await;
        assert_eq!(reply.answers.len(), 1, "{listen}, asked at {asked}");
        server.stop().await;
    }
}

fn query(name: &str, kind: RecordType) -> Message {
    let mut message = Message::query();
    message.metadata.id = 0x1234;
    message.metadata.recursion_desired = true;
    message.queries.push(Query::query(Name::from_ascii(name).unwrap(), kind));
    message
}

fn with_edns(mut message: Message, payload: u16) -> Message {
    let mut edns = Edns::new();
    edns.set_max_payload(payload);
    message.edns = Some(edns);
    message
}

fn framed(message: &[u8]) -> Vec<u8> {
    [&u16::try_from(message.len()).unwrap().to_be_bytes()[..], message].concat()
}

async fn receive(client: &UdpSocket) -> Vec<u8> {
    let mut buffer = vec![0; 65_535];
    let length = timeout(DEADLINE, client.recv(&mut buffer)).await.expect("a reply before the deadline").unwrap();
    buffer[..length].to_vec()
}

async fn receive_framed(stream: &mut TcpStream) -> io::Result<Message> {
    let length = timeout(DEADLINE, stream.read_u16()).await.expect("a reply before the deadline")?;
    let mut message = vec![0; length.into()];
    stream.read_exact(&mut message).await?;
    Ok(Message::from_vec(&message).unwrap())
}

struct Server {
    address: SocketAddr,
    shutdown: oneshot::Sender<()>,
    task: JoinHandle<io::Result<()>>,
}

impl Server {
    async fn start(changes: impl IntoIterator<Item = Change>) -> Server {
        Server::over(catalog(changes).1).await
    }

    async fn over(catalog: Catalog) -> Server {
        Server::run(Server::bound(catalog))
    }

    fn bound(catalog: Catalog) -> DnsServer {
        DnsServer::bind("127.0.0.1:0".parse().unwrap(), Names::default(), catalog, DnsMetrics::unread()).unwrap()
    }

    fn run(server: DnsServer) -> Server {
        let address = server.local_addr().unwrap();
        let (shutdown, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(server.serve(async move { drop(stopped.await) }));
        Server { address, shutdown, task }
    }

    async fn stop(self) {
        self.shutdown.send(()).unwrap();
        timeout(DEADLINE, self.task).await.expect("stopped before the deadline").unwrap().unwrap();
    }

    async fn client(&self) -> UdpSocket {
        let loopback = if self.address.is_ipv4() { "127.0.0.1:0" } else { "[::1]:0" };
        let client = UdpSocket::bind(loopback).await.unwrap();
        client.connect(self.address).await.unwrap();
        client
    }

    async fn udp_octets(&self, message: &[u8]) -> Vec<u8> {
        let client = self.client().await;
        client.send(message).await.unwrap();
        receive(&client).await
    }

    async fn udp(&self, query: &Message) -> Message {
        Message::from_vec(&self.udp_octets(&query.to_bytes().unwrap()).await).unwrap()
    }

    async fn tcp(&self, query: &Message) -> Message {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(&framed(&query.to_bytes().unwrap())).await.unwrap();
        receive_framed(&mut stream).await.unwrap()
    }
}
