//! Against upstreams on loopback that say what a test has them say.

use std::net::SocketAddr;

use hickory_proto::{
    op::{Edns, Message, MessageType, Query, ResponseCode},
    rr::{Name, RData, Record, RecordType, rdata::A},
    serialize::binary::BinEncodable,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, UdpSocket},
};

use super::*;

const OWN: &str = "127.0.0.1:1";

#[tokio::test]
async fn a_question_arrives_as_it_came_and_its_answer_comes_back() {
    let (upstream, socket) = upstream().await;
    let query = with_edns(query("wWw.eXample.", RecordType::MX), 1_400);
    let asked = tokio::spawn(ask([upstream], query.clone(), false));
    let (seen, from) = receive(&socket).await;
    assert_eq!(seen[2..], query[2..], "octet by octet, but for the id");
    let mut answer = answer_to(&seen, 3);
    answer.extend(b"\x00\x00\x29\x20\x00\x00\x00\x80\x00\x00\x00");
    answer[11] = 1;
    // What is no answer to it is passed over: another id, another question, a query.
    let mut other_id = answer.clone();
    other_id[0] ^= 1;
    let other_question = answer_to(&with_id(&self::query("www.example.", RecordType::A), &seen), 3);
    for octets in [&other_id, &other_question, &seen, &answer] {
        socket.send_to(octets, from).await.unwrap();
    }
    let reply = asked.await.unwrap();
    // The OPT record is about one hop: it says what is taken here.
    let opt = answer.len() - 11;
    assert_eq!((&reply[..2], &reply[2..opt]), (&query[..2], &answer[2..opt]));
    assert_eq!(reply[opt..], *b"\x00\x00\x29\x04\xd0\x00\x00\x80\x00\x00\x00");
}

#[tokio::test]
async fn ids_and_ports_are_fresh() {
    let (upstream, socket) = upstream().await;
    let mut seen = Vec::new();
    for _ in 0..4 {
        let asked = tokio::spawn(ask([upstream], query("www.example.", RecordType::A), false));
        let (query, from) = receive(&socket).await;
        socket.send_to(&answer_to(&query, 1), from).await.unwrap();
        asked.await.unwrap();
        seen.push((query[..2].to_vec(), from.port()));
    }
    let ids: std::collections::BTreeSet<_> = seen.iter().map(|(id, _)| id).collect();
    let ports: std::collections::BTreeSet<_> = seen.iter().map(|(_, port)| port).collect();
    assert!(ids.len() > 1 && ports.len() > 1, "{seen:?}");
}

#[tokio::test]
async fn from_elsewhere_nothing_is_taken() {
    let (upstream, socket) = upstream().await;
    let asked = tokio::spawn(ask([upstream], query("www.example.", RecordType::A), false));
    let (seen, from) = receive(&socket).await;
    let forger = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    forger.send_to(&answer_to(&seen, 9), from).await.unwrap();
    socket.send_to(&answer_to(&seen, 1), from).await.unwrap();
    assert_eq!(Message::from_vec(&asked.await.unwrap()).unwrap().answers.len(), 1);
}

#[tokio::test]
async fn what_was_cut_is_asked_for_over_tcp_where_the_client_came_over_tcp() {
    for over_tcp in [false, true] {
        let (upstream, socket) = upstream().await;
        let listener = TcpListener::bind(upstream).await.unwrap();
        let asked = tokio::spawn(ask([upstream], query("www.example.", RecordType::A), over_tcp));
        let (seen, from) = receive(&socket).await;
        let mut cut = answer_to(&seen, 0);
        cut[2] |= TC;
        socket.send_to(&cut, from).await.unwrap();
        if over_tcp {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut query = vec![0; stream.read_u16().await.unwrap().into()];
            stream.read_exact(&mut query).await.unwrap();
            let answer = answer_to(&query, 100);
            stream.write_all(&u16::try_from(answer.len()).unwrap().to_be_bytes()).await.unwrap();
            stream.write_all(&answer).await.unwrap();
        }
        let reply = Message::from_vec(&asked.await.unwrap()).unwrap();
        assert_eq!((reply.metadata.truncation, reply.answers.len()), if over_tcp { (false, 100) } else { (true, 0) });
    }
}

#[tokio::test]
async fn an_answer_that_is_larger_than_the_client_takes_is_cut() {
    let (upstream, socket) = upstream().await;
    let asked = tokio::spawn(ask([upstream], query("www.example.", RecordType::A), false));
    let (seen, from) = receive(&socket).await;
    socket.send_to(&answer_to(&seen, 40), from).await.unwrap();
    let octets = asked.await.unwrap();
    let reply = Message::from_vec(&octets).unwrap();
    assert_eq!((octets.len(), reply.metadata.truncation, reply.answers.len()), (seen.len(), true, 0));
}

#[tokio::test(start_paused = true)]
async fn who_does_not_answer_is_followed_by_the_next_and_then_asked_last() {
    let ((silent, _kept), (second, socket)) = (upstream().await, upstream().await);
    let forwarder = Arc::new(Forwarder::new(&[silent, second].map(Upstream::At), OWN.parse().unwrap()));
    for _ in 0..2 {
        let (forwarder, query) = (Arc::clone(&forwarder), query("www.example.", RecordType::A));
        let asked = tokio::spawn(async move { forwarder.ask(&query, false, forwarder.place().unwrap()).await.unwrap() });
        let (seen, from) = receive(&socket).await;
        socket.send_to(&answer_to(&seen, 1), from).await.unwrap();
        assert_eq!(Message::from_vec(&asked.await.unwrap()).unwrap().answers.len(), 1);
    }
    assert_eq!(forwarder.upstreams.in_turn(), [second, silent]);
}

#[tokio::test(start_paused = true)]
async fn where_nobody_answers_that_is_said() {
    let (silent, _socket) = upstream().await;
    let reply = ask([silent], with_edns(query("www.example.", RecordType::A), 1_232), false).await;
    let reply = Message::from_vec(&reply).unwrap();
    assert_eq!((reply.metadata.response_code, reply.metadata.id, reply.queries.len()), (ResponseCode::ServFail, 0x1234, 1));
    assert!(reply.edns.is_some());
}

#[tokio::test]
async fn only_so_many_are_passed_on_at_a_time() {
    let (silent, _socket) = upstream().await;
    let forwarder = Forwarder::new(&[Upstream::At(silent)], OWN.parse().unwrap());
    let places: Vec<Place> = (0..IN_FLIGHT).map(|_| forwarder.place().unwrap()).collect();
    assert!(forwarder.place().is_none());
    drop(places);
    assert!(forwarder.place().is_some());
}

async fn ask(upstreams: impl IntoIterator<Item = SocketAddr>, query: Vec<u8>, over_tcp: bool) -> Vec<u8> {
    let upstreams: Vec<Upstream> = upstreams.into_iter().map(Upstream::At).collect();
    let forwarder = Forwarder::new(&upstreams, OWN.parse().unwrap());
    let place = forwarder.place().unwrap();
    forwarder.ask(&query, over_tcp, place).await.unwrap()
}

async fn upstream() -> (SocketAddr, UdpSocket) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    (socket.local_addr().unwrap(), socket)
}

async fn receive(socket: &UdpSocket) -> (Vec<u8>, SocketAddr) {
    let mut buffer = vec![0; 2_048];
    let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
    (buffer[..length].to_vec(), from)
}

fn query(name: &str, kind: RecordType) -> Vec<u8> {
    let mut message = Message::query();
    message.metadata.id = 0x1234;
    message.metadata.recursion_desired = true;
    message.queries.push(Query::query(Name::from_ascii(name).unwrap(), kind));
    message.to_bytes().unwrap()
}

fn with_edns(query: Vec<u8>, payload: u16) -> Vec<u8> {
    let mut message = Message::from_vec(&query).unwrap();
    message.edns = Some(Edns::new().set_max_payload(payload).clone());
    message.to_bytes().unwrap()
}

fn with_id(query: &[u8], other: &[u8]) -> Vec<u8> {
    [&other[..2], &query[2..]].concat()
}

fn answer_to(query: &[u8], records: u8) -> Vec<u8> {
    let query = Message::from_vec(query).unwrap();
    let mut answer = Message::new(query.metadata.id, MessageType::Response, query.metadata.op_code);
    answer.metadata.recursion_available = true;
    let name = query.queries[0].name().clone();
    answer.answers = (0..records).map(|n| Record::from_rdata(name.clone(), 60, RData::A(A::new(192, 0, 2, n)))).collect();
    answer.queries = query.queries;
    answer.to_bytes().unwrap()
}
