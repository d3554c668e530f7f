use std::{future::pending, net::SocketAddr, time::Duration};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
    time::timeout,
};
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::{
    kinds::{Ask as _, Finding, Tools, tests::flawed},
    model::{Status, limits::OUTPUT_OCTETS},
};
use Status::{Critical, Passing, Warning};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine";

#[tokio::test]
async fn a_good_status_passes_and_the_body_is_kept() {
    let (at, _) = serve(|_| OK.into()).await;
    let finding = ask(probe(&format!("http://{at}/health"))).await;
    assert_eq!(finding, Finding { status: Passing, reason: "200 OK".into(), detail: "fine".into() });
}

#[tokio::test]
async fn the_request_is_what_was_asked_for() {
    let (at, mut requests) = serve(|_| OK.into()).await;
    let headers = BTreeMap::from([("X-Token".into(), "s3cret".into()), ("Host".into(), "web.internal".into())]);
    ask(Http { method: "HEAD".into(), headers, ..probe(&format!("http://{at}/a?b=c#d")) }).await;
    let request = requests.recv().await.unwrap().to_lowercase();
    assert!(request.starts_with("head /a?b=c http/1.1\r\n"), "{request}");
    for line in ["x-token: s3cret", "host: web.internal", "user-agent: tidings/", "connection: close"] {
        assert!(request.contains(&format!("\r\n{line}")), "{line} is not in {request}");
    }
    ask(probe(&format!("http://{at}"))).await;
    let request = requests.recv().await.unwrap();
    assert!(request.starts_with("GET / HTTP/1.1\r\n") && request.to_lowercase().contains(&format!("host: {at}\r\n")), "{request}");
}

#[tokio::test]
async fn a_status_that_is_not_good_is_critical_but_for_429() {
    for (line, status) in [("503 Service Unavailable", Critical), ("404 Not Found", Critical), ("429 Too Many Requests", Warning)] {
        let (at, _) = serve(move |_| format!("HTTP/1.1 {line}\r\n\r\n")).await;
        let finding = ask(probe(&format!("http://{at}/"))).await;
        assert_eq!((finding.status, finding.reason.as_str()), (status, line));
    }
    let (at, _) = serve(|_| "HTTP/1.1 429 Busy\r\n\r\n".into()).await;
    let finding = ask(Http { statuses: vec![200..=200, 429..=429], ..probe(&format!("http://{at}/")) }).await;
    assert_eq!(finding.status, Passing);
}

#[tokio::test]
async fn redirections_are_followed_as_often_as_allowed() {
    let (at, mut requests) = serve(|request| match request.split(' ').nth(1) {
        Some("/a/1") => "HTTP/1.1 302 Found\r\nLocation: ../2\r\n\r\n".into(),
        Some("/2") => "HTTP/1.1 307 Temporary Redirect\r\nLocation: /3\r\n\r\n".into(),
        _ => OK.into(),
    })
    .await;
    let check = async |redirects, status, reason: &str| {
        let finding = ask(Http { redirects, method: "POST".into(), ..probe(&format!("http://{at}/a/1")) }).await;
        assert_eq!((finding.status, finding.reason.as_str()), (status, reason), "with {redirects}");
    };
    check(0, Critical, "302 Found").await;
    check(1, Critical, "307 Temporary Redirect after 1 redirection").await;
    check(2, Passing, "200 OK after 2 redirections").await;
    let lines: Vec<String> = std::iter::from_fn(|| requests.try_recv().ok()).map(|it| it.lines().next().unwrap().into()).collect();
    assert_eq!(lines[3..], ["POST /a/1 HTTP/1.1", "GET /2 HTTP/1.1", "GET /3 HTTP/1.1"]);
}

#[tokio::test]
async fn another_target_is_not_sent_the_headers() {
    let (other, mut requests) = serve(|_| OK.into()).await;
    let (at, _) = serve(move |_| format!("HTTP/1.1 301 Moved Permanently\r\nLocation: http://{other}/\r\n\r\n")).await;
    let headers = BTreeMap::from([("Authorization".into(), "Bearer s3cret".into())]);
    let finding = ask(Http { redirects: 3, headers, ..probe(&format!("http://{at}/")) }).await;
    assert_eq!(finding.status, Passing);
    let request = requests.recv().await.unwrap();
    assert!(!request.contains("s3cret"), "{request}");
}

#[tokio::test]
async fn a_body_that_breaks_off_or_never_ends_is_no_failure() {
    let (at, _) = serve(|_| "HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\nfi".into()).await;
    assert_eq!(ask(probe(&format!("http://{at}/"))).await.text(), "200 OK\nfi");
    let (at, _) = serve_with(async |mut stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\nhello").await.unwrap();
        pending::<()>().await;
    })
    .await;
    let tools = Tools::default();
    let finding = probe(&format!("http://{at}/")).ask(&tools, Duration::from_secs(20)).await;
    assert_eq!(finding.text(), "200 OK\nhello");
}

#[tokio::test]
async fn a_flood_is_cut_after_what_is_kept() {
    let (at, _) = serve_with(async |mut stream| {
        let mut sent = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
        while sent.is_ok() {
            sent = stream.write_all(&[b'x'; 10_000]).await;
        }
    })
    .await;
    let finding = ask(probe(&format!("http://{at}/"))).await;
    assert_eq!((finding.status, finding.detail.len()), (Passing, OUTPUT_OCTETS));
    let (at, _) = serve_with(async |mut stream| {
        let mut sent = stream.write_all(b"HTTP/1.1 200 OK\r\nX: ").await;
        while sent.is_ok() {
            sent = stream.write_all(&[b'x'; 10_000]).await;
        }
    })
    .await;
    let finding = ask(probe(&format!("http://{at}/"))).await;
    assert_eq!(finding.status, Critical);
    assert!(finding.reason.contains("too large"), "{finding:?}");
}

#[tokio::test]
async fn what_is_no_http_or_not_there_is_critical_and_says_why() {
    let check = async |url: &str, why: &str| {
        let finding = ask(probe(url)).await;
        assert_eq!(finding.status, Critical);
        assert!(finding.reason.contains(why), "{url}: {finding:?}");
    };
    let (at, _) = serve(|_| "SSH-2.0-OpenSSH_9.9\r\n".into()).await;
    check(&format!("http://{at}/"), "invalid HTTP version").await;
    let (at, _) = serve(|_| String::new()).await;
    check(&format!("http://{at}/"), "connection closed before message completed").await;
    check(&format!("https://{at}/"), "TLS: ").await;
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    check(&format!("http://{gone}/"), &format!("can't connect to {gone}: Connection refused")).await;
    check("http://user:pass@127.0.0.1/", "Authorization").await;
    check("ftp://127.0.0.1/", "neither http nor https").await;
    check("//127.0.0.1", "relative URL").await;
}

#[tokio::test]
async fn a_certificate_is_verified_by_the_file_that_is_named() {
    let pki = Pki::new("localhost");
    let at = pki.serve().await;
    let url = format!("https://localhost:{}/", at.port());
    let finding = ask(Http { ca_file: Some(pki.file()), ..probe(&url) }).await;
    assert_eq!(finding, Finding { status: Passing, reason: "200 OK".into(), detail: "fine".into() });
    let check = async |probe: Http, why: &str| {
        let finding = ask(probe).await;
        assert_eq!(finding.status, Critical);
        assert!(finding.reason.contains(why), "{finding:?}");
    };
    check(Http { ca_file: Some(Pki::new("localhost").file()), ..probe(&url) }, "TLS: invalid peer certificate").await;
    let other_name = format!("https://127.0.0.1:{}/", at.port());
    check(Http { ca_file: Some(pki.file()), ..probe(&other_name) }, "not valid for name").await;
    check(Http { ca_file: Some("/no/such/ca.pem".into()), ..probe(&url) }, "ca_file /no/such/ca.pem: No such file").await;
    check(Http { ca_file: Some("/dev/null".into()), ..probe(&url) }, "is no regular file").await;
    check(Http { ca_file: Some(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml").into()), ..probe(&url) }, "no certificate").await;
}

#[tokio::test]
async fn without_verification_any_certificate_will_do() {
    let at = Pki::new("some.other.name").serve().await;
    for host in ["127.0.0.1", "localhost"] {
        let finding = ask(Http { verify: false, ..probe(&format!("https://{host}:{}/", at.port())) }).await;
        assert_eq!((finding.status, finding.text().as_str()), (Passing, "200 OK\nfine"));
    }
}

#[test]
fn each_flaw_is_found_where_it_is() {
    flawed("http", json!({"http": "host/health"}), "/http", "http://");
    flawed("http", json!({"http": "ftp://host"}), "/http", "http://");
    flawed("http", json!({"http": "http://h", "statuses": ["2xx"]}), "/statuses/0", "200-299");
    flawed("http", json!({"http": "http://h", "statuses": [99]}), "/statuses/0", "200-299");
    flawed("http", json!({"http": "http://h", "headers": {"a b": "c"}}), "/headers/a b", "no header");
    flawed("http", json!({"http": "http://h", "redirects": 11}), "/redirects", "0 to 10");
    flawed("http", json!({"http": "http://h", "verify": "no"}), "/verify", "true or false");
    flawed("http", json!({"http": "http://h", "method": "a b"}), "/method", "GET or HEAD");
}

pub(super) fn samples() -> Vec<Value> {
    let texts = [
        "GET",
        "get",
        "M-SEARCH",
        "x-a",
        "a\tb",
        "a\nb",
        "http://localhost",
        "http://localhost/",
        "HTTPS://10.0.0.1:8443/health?a[]=b&c=%20",
        "http://[::1]:80/x",
        "http://",
        "http:///x",
        "http://localhost:0/",
        "http://localhost:99999/",
        "http://a b/",
        "http://u:p@host/",
        "http://host/#x",
        "http://host/a b",
        "http://host/ü",
        "http://host/<>",
        "http://host?x",
        "ftp://host/",
        "//host/",
        "http:/host",
        "http://host:/",
        "200-299",
        "200 - 299",
        "100-599",
        "099-200",
        "100-600",
        "200",
        "200-",
        "-200",
        "2xx",
        "+200-299",
        "0200-299",
        "200-299-300",
    ];
    let mut values = texts.map(Value::from).to_vec();
    values.extend([99, 100, 599, 600, -1].map(|code| json!([code])));
    values.extend([1e2, 599.0, 600.0].map(|code| json!([code])));
    values.extend([STATUSES, STATUSES + 1].map(|count| json!(vec!["200-299"; count])));
    values.extend([0, REDIRECTS, REDIRECTS + 1].map(Value::from));
    values
}

async fn ask(probe: Http) -> Finding {
    let patience = Duration::from_secs(20);
    timeout(patience * 2, probe.ask(&Tools::default(), patience)).await.expect("a run ends")
}

fn probe(url: &str) -> Http {
    Http {
        url: url.into(),
        method: "GET".into(),
        headers: BTreeMap::new(),
        statuses: vec![200..=299],
        redirects: 0,
        ca_file: None,
        verify: true,
    }
}

/// Answers each request, then closes. What is received are the heads of the requests.
async fn serve(answer: impl Fn(&str) -> String + Send + Sync + 'static) -> (SocketAddr, UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let (tell, requests) = unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let request = head(&mut stream).await;
            // The client may have gone already.
            let _ = stream.write_all(answer(&request).as_bytes()).await;
            let _ = tell.send(request);
        }
    });
    (at, requests)
}

/// Does something once with a connection whose request was read.
async fn serve_with<F>(serve: impl FnOnce(TcpStream) -> F + Send + 'static) -> (SocketAddr, tokio::task::JoinHandle<()>)
where
    F: Future<Output = ()> + Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let task = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        head(&mut stream).await;
        serve(stream).await;
    });
    (at, task)
}

async fn head(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut head = Vec::new();
    let mut octet = [0];
    // What begins with a 22 is TLS, which these servers don't speak at this point.
    while !head.ends_with(b"\r\n\r\n") && head != [22] && matches!(stream.read(&mut octet).await, Ok(1)) {
        head.push(octet[0]);
    }
    String::from_utf8_lossy(&head).into_owned()
}

/// An authority of its own, and a server that it certifies.
struct Pki {
    folder: tempfile::TempDir,
    settings: Arc<ServerConfig>,
}

impl Pki {
    fn new(name: &str) -> Pki {
        let mut authority = CertificateParams::new(vec![]).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority_key = KeyPair::generate().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let pem = authority.self_signed(&authority_key).unwrap().pem();
        std::fs::write(folder.path().join("ca.pem"), pem).unwrap();
        let key = KeyPair::generate().unwrap();
        let issuer = Issuer::new(authority, authority_key);
        let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
        let settings = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der())))
            .unwrap();
        Pki { folder, settings: Arc::new(settings) }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// Answers each request, then closes without a word of TLS (no close_notify).
    async fn serve(&self) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let acceptor = TlsAcceptor::from(Arc::clone(&self.settings));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                head(&mut stream).await;
                stream.write_all(b"HTTP/1.1 200 OK\r\n\r\nfine").await.unwrap();
                stream.flush().await.unwrap();
            }
        });
        at
    }
}
