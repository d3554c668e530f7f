//! Certificates, and https.

use std::fs;

use cucumber::{given, then, when};
use rustls::version::{TLS12, TLS13};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::agents::list;
use crate::features::{
    http,
    pki::{self, Authority},
    sockets,
    wait::{DEADLINE, eventually},
    world::World,
};

const REQUEST: &[u8] = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n";

#[given(regex = r"^an authority (\w+)$")]
async fn authority(world: &mut World, name: String) {
    let authority = Authority::new(&name, world.folder());
    world.authorities.insert(name, authority);
}

/// Its certificate is in `NAME.pem`, its key in `NAME.key`.
#[given(regex = r"^a certificate (\w+) of (\w+) for (.+)$")]
#[when(regex = r"^the certificate (\w+) becomes one of (\w+) for (.+)$")]
async fn certificate(world: &mut World, name: String, authority: String, names: String) {
    let names = list(&world.fill(&names));
    world.authorities[&authority].sign(&name, &names, world.folder());
}

#[given(regex = r"^the file (\S+) is that of (\S+)$")]
#[when(regex = r"^the file (\S+) becomes that of (\S+)$")]
async fn copied(world: &mut World, to: String, from: String) {
    let folder = world.folder();
    fs::copy(folder.join(from), folder.join(to)).expect("both are in the folder");
}

#[then(regex = r"^(\w+) speaks TLS (1\.2|1\.3) with who trusts (\w+)$")]
async fn speaks(world: &mut World, name: String, version: String, authority: String) {
    let only = if version == "1.2" { &TLS12 } else { &TLS13 };
    let mut stream = handshake(world, &name, &authority, &[only]).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(stream.get_ref().1.protocol_version(), Some(only.version));
    alive(&mut stream).await;
}

#[then(regex = r"^(\w+) is soon trusted by who trusts (\w+)$")]
async fn soon_trusted(world: &mut World, name: String, authority: String) {
    let world = &*world;
    eventually(&format!("{name} shows a certificate of {authority}"), async || {
        handshake(world, &name, &authority, &[&TLS13]).await.map(drop)
    })
    .await;
}

#[then(regex = r"^(\w+) is not trusted by who trusts (\w+)$")]
async fn not_trusted(world: &mut World, name: String, authority: String) {
    let error = handshake(world, &name, &authority, &[&TLS13]).await.expect_err("it is of another authority");
    assert!(error.contains("invalid peer certificate"), "{error}");
}

/// What rustls can't say is said by hand: a ClientHello (RFC 4346, 7.4.1.2) with a suite that all have.
#[then(regex = r"^(\w+) refuses TLS 1\.1$")]
async fn refuses_old(world: &mut World, name: String) {
    let mut hello = vec![1, 0, 0, 51, 3, 2];
    hello.extend([7; 32]);
    hello.extend([0, 0, 2, 0xc0, 0x13, 1, 0]);
    // Without the extension of signature algorithms rustls ends it for another reason.
    hello.extend([0, 8, 0, 13, 0, 4, 0, 2, 4, 3]);
    let mut record = vec![22, 3, 1, 0, u8::try_from(hello.len()).expect("it is short")];
    record.extend(hello);
    let mut stream = sockets::connect(world.agent(&name).http()).await.expect("the agent accepts");
    stream.write_all(&record).await.expect("it is read");
    let mut answer = Vec::new();
    timeout(DEADLINE, stream.read_to_end(&mut answer)).await.expect("the agent ends it").expect("in order");
    // An alert (21), fatal (2): the version of the protocol (70).
    assert!(answer.first() == Some(&21) && answer.ends_with(&[2, 70]), "{answer:?}");
}

#[when(regex = r"^I GET (\S+) at (\w+) without TLS$")]
async fn plainly(world: &mut World, path: String, name: String) {
    let url = format!("http://{}{path}", world.agent(&name).http());
    world.answer = Some(http::ask("GET", &url, None, Vec::new()).await.unwrap_or_else(|error| panic!("{error}")));
}

#[when(regex = r"^a client that trusts (\w+) stays connected to (\w+)$")]
async fn held(world: &mut World, authority: String, name: String) {
    let mut stream = handshake(world, &name, &authority, &[&TLS13]).await.unwrap_or_else(|error| panic!("{error}"));
    alive(&mut stream).await;
    world.held = Some(stream);
}

#[then(regex = r"^that client is still answered$")]
async fn still_answered(world: &mut World) {
    alive(world.held.as_mut().expect("a client stays connected")).await;
}

async fn handshake(
    world: &World,
    name: &str,
    authority: &str,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> Result<TlsStream<tokio::net::TcpStream>, String> {
    let at = world.agent(name).http();
    let settings = world.authorities[authority].settings([].into_iter(), versions);
    let stream = sockets::connect(at).await.map_err(|error| error.to_string())?;
    let greeting = timeout(DEADLINE, TlsConnector::from(settings).connect(pki::name(at.ip()), stream));
    greeting.await.map_err(|_| "no end of the handshake".to_owned())?.map_err(|error| error.to_string())
}

/// Asks over a connection, and leaves it open.
async fn alive(stream: &mut TlsStream<tokio::net::TcpStream>) {
    stream.write_all(REQUEST).await.expect("the agent reads");
    stream.flush().await.expect("the agent reads");
    let mut answer = Vec::new();
    let whole = async {
        while !answer.ends_with(b"{\"status\":\"ok\"}") {
            answer.push(stream.read_u8().await.expect("the agent answers"));
        }
    };
    timeout(DEADLINE, whole).await.expect("the agent answers");
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
}
