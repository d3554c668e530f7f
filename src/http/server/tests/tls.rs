//! TLS.

use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName},
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::*;
use crate::tls::{self, Identity};

/// An authority, and what it signs.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    root: CertificateDer<'static>,
}

impl Authority {
    fn new() -> Authority {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = params.self_signed(&key).unwrap().der().clone();
        Authority { issuer: Issuer::new(params, key), root }
    }

    /// A certificate for a name and its key, as files.
    fn sign(&self, name: &str) -> Identity {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Identity::new(vec![certificate.der().clone()], PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())))
    }

    fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.root.clone()).unwrap();
        roots
    }
}

const CLOSING: &str = "GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

fn shown(identity: Identity, clients: Option<&Authority>) -> Arc<ArcSwapOption<Tls>> {
    let clients = clients.map(|authority| tls::Roots::new([authority.root.clone()]).unwrap());
    Arc::new(ArcSwapOption::from_pointee(Tls::new(identity, clients).unwrap()))
}

fn serve(bounds: Bounds, tls: &Arc<ArcSwapOption<Tls>>) -> (Running, ApiState) {
    let api = Api::new();
    let state = api.state.clone();
    let mut server = HttpServer { bounds, ..HttpServer::default() };
    server.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    (Running::run(server, api, Arc::clone(tls)), state)
}

async fn connect(server: &Running, settings: Arc<ClientConfig>, name: &'static str) -> io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(server.addr).await?;
    TlsConnector::from(settings).connect(ServerName::try_from(name).unwrap(), stream).await
}

/// Sends a text, then reads until the server ends the connection.
async fn exchange(stream: &mut TlsStream<TcpStream>, text: &str) -> io::Result<String> {
    let talk = async {
        stream.write_all(text.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.map(|_| answer)
    };
    time::timeout(DEADLINE, talk).await.expect("the server must end the connection")
}

async fn ask(server: &Running, settings: Arc<ClientConfig>) -> io::Result<String> {
    exchange(&mut connect(server, settings, "agent.example").await?, CLOSING).await
}

fn settings(authority: &Authority, identity: Option<Identity>) -> Arc<ClientConfig> {
    tls::client(authority.roots(), identity).unwrap()
}

#[tokio::test]
async fn requests_are_answered_over_the_two_versions_that_are_safe() {
    let authority = Authority::new();
    let (server, _) = serve(Bounds::default(), &shown(authority.sign("agent.example"), None));
    for version in [&rustls::version::TLS13, &rustls::version::TLS12] {
        let builder = ClientConfig::builder_with_provider(tls::provider()).with_protocol_versions(&[version]).unwrap();
        let mut settings = builder.with_root_certificates(authority.roots()).with_no_client_auth();
        settings.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let mut stream = connect(&server, Arc::new(settings), "agent.example").await.unwrap();
        assert_eq!(stream.get_ref().1.protocol_version(), Some(version.version));
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
        let answer = exchange(&mut stream, CLOSING).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    }
    server.end().await;
}

#[tokio::test]
async fn who_asks_by_a_name_in_the_certificate_is_answered() {
    let authority = Authority::new();
    let (server, _) = serve(Bounds::default(), &shown(authority.sign("agent.example"), None));
    let by_name = async |host: &str| {
        let mut stream = connect(&server, settings(&authority, None), "agent.example").await.unwrap();
        exchange(&mut stream, &CLOSING.replace("localhost", host)).await.unwrap()
    };
    assert!(by_name("agent.example:8780").await.starts_with("HTTP/1.1 200 OK"));
    assert!(by_name("evil.example").await.starts_with("HTTP/1.1 421"));
    server.end().await;
}

#[tokio::test]
async fn plain_http_is_told_to_come_back_with_tls() {
    let (server, state) = serve(Bounds::default(), &shown(Authority::new().sign("agent.example"), None));
    let body = " ".repeat(16 * 1024);
    let put = format!("PUT /v1/agent/instances/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    for request in [CLOSING, &put] {
        let answer = server.exchange(request).await;
        assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("/problems/https-needed"), "{answer}");
    }
    assert!(server.exchange("\0\0\0\0 what is neither\r\n").await.len() < 16, "an alert");
    server.end().await;
    let metrics = state.metrics.text();
    for line in ["{reason=\"plain\"} 2", "{reason=\"protocol\"} 1"] {
        assert!(metrics.contains(&format!("tidings_http_handshake_failures_total{line}")), "{metrics}");
    }
}

#[tokio::test]
async fn where_clients_show_certificates_those_of_the_authority_get_in() {
    let (authority, other) = (Authority::new(), Authority::new());
    let (server, state) = serve(Bounds::default(), &shown(authority.sign("agent.example"), Some(&authority)));
    let right = ask(&server, settings(&authority, Some(authority.sign("client")))).await.unwrap();
    assert!(right.starts_with("HTTP/1.1 200 OK"), "{right}");
    let without = ask(&server, settings(&authority, None)).await.unwrap_err();
    assert!(without.to_string().contains("CertificateRequired"), "{without}");
    let wrong = ask(&server, settings(&authority, Some(other.sign("client")))).await.unwrap_err();
    assert!(wrong.to_string().contains("alert"), "{wrong}");
    server.end().await;
    assert!(state.metrics.text().contains("tidings_http_handshake_failures_total{reason=\"client_certificate\"} 2"));
}

#[tokio::test]
async fn another_certificate_is_for_those_who_come_later() {
    let (old, new) = (Authority::new(), Authority::new());
    let tls = shown(old.sign("agent.example"), None);
    let (server, _) = serve(Bounds::default(), &tls);
    let mut early = connect(&server, settings(&old, None), "agent.example").await.unwrap();
    tls.store(Some(Arc::new(Tls::new(new.sign("agent.example"), None).unwrap())));
    assert!(ask(&server, settings(&new, None)).await.unwrap().starts_with("HTTP/1.1 200 OK"));
    assert!(ask(&server, settings(&old, None)).await.unwrap_err().to_string().contains("invalid peer certificate"));
    assert!(exchange(&mut early, CLOSING).await.unwrap().starts_with("HTTP/1.1 200 OK"));
    tls.store(None);
    assert!(server.exchange(CLOSING).await.starts_with("HTTP/1.1 200 OK"));
    server.end().await;
}

#[tokio::test]
async fn slow_handshakes_and_slow_heads_are_cut_and_others_are_served_meanwhile() {
    let authority = Authority::new();
    let tls = shown(authority.sign("agent.example"), None);
    let patient = Bounds { handshake: DEADLINE * 10, head: DEADLINE * 10, ..Bounds::default() };
    let (server, _) = serve(patient, &tls);
    let mut slow = Vec::new();
    for _ in 0..20 {
        let mut stream = TcpStream::connect(server.addr).await.unwrap();
        // The beginning of a record that never comes to its end.
        stream.write_all(&[0x16, 3, 1, 2, 0, 1]).await.unwrap();
        slow.push(stream);
    }
    assert!(ask(&server, settings(&authority, None)).await.unwrap().starts_with("HTTP/1.1 200 OK"));
    // The end does not wait for them.
    server.end().await;

    let brief = Duration::from_millis(100);
    let (server, state) = serve(Bounds { handshake: brief, ..Bounds::default() }, &tls);
    assert_eq!(server.exchange("").await, "", "a client that says nothing");
    assert_eq!(server.exchange("\u{16}").await, "", "one that begins");
    server.end().await;
    assert!(state.metrics.text().contains("tidings_http_handshake_failures_total{reason=\"timeout\"} 2"));
    let (server, _) = serve(Bounds { head: brief, ..Bounds::default() }, &tls);
    let mut stream = connect(&server, settings(&authority, None), "agent.example").await.unwrap();
    // A connection that is cut may end without a word of TLS.
    let answer = exchange(&mut stream, "GET /v1 HTTP/1.1\r\nHos").await;
    assert!(answer.as_ref().map_or(true, |answer| !answer.starts_with("HTTP/1.1 200")), "{answer:?}");
    server.end().await;
}

#[tokio::test]
async fn a_handshake_that_does_not_come_takes_a_place_and_makes_room() {
    let authority = Authority::new();
    let bounds = Bounds { connections: 1, handshake: DEADLINE * 10, ..Bounds::default() };
    let (server, _) = serve(bounds, &shown(authority.sign("agent.example"), None));
    let mut first = TcpStream::connect(server.addr).await.unwrap();
    assert!(ask(&server, settings(&authority, None)).await.unwrap().starts_with("HTTP/1.1 200 OK"));
    let ended = time::timeout(DEADLINE, first.read(&mut [0])).await.expect("it is closed");
    assert!(matches!(ended, Ok(0) | Err(_)), "{ended:?}");
    server.end().await;
}

#[tokio::test]
async fn a_client_that_takes_no_answer_is_cut_off() {
    let authority = Authority::new();
    let api = Api::new();
    let many = (0..5_000).map(|n| registered(10, instance(&format!("web-{n}"), "web", &["v1"], &[("git", "a1b2c3")]), Status::Passing));
    api.publish(many);
    let bounds = Bounds { write: Duration::from_millis(50), end: DEADLINE * 10, ..Bounds::default() };
    let mut server = HttpServer { bounds, ..HttpServer::default() };
    server.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let server = Running::run(server, api, shown(authority.sign("agent.example"), None));
    let mut greedy = connect(&server, settings(&authority, None), "agent.example").await.unwrap();
    greedy.write_all("GET /v1/instances?limit=5000 HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(20).as_bytes()).await.unwrap();
    let cut = async {
        while greedy.write_all(b"\r\n").await.is_ok() && greedy.flush().await.is_ok() {
            tokio::task::yield_now().await
        }
    };
    time::timeout(DEADLINE, cut).await.expect("the server must end the connection");
    server.end().await;
}
