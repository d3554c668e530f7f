//! The Unix socket.

use std::{
    fs,
    os::unix::{fs::PermissionsExt as _, net::UnixListener as StdUnixListener},
    path::PathBuf,
};

use tempfile::TempDir;
use tokio::net::UnixStream;

use super::*;

fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("http.sock");
    (folder, path)
}

fn bound(path: &Path, mode: u32) -> Result<HttpServer, String> {
    let mut server = HttpServer::default();
    server.bind_socket(path, mode).map_err(|error| error.to_string())?;
    Ok(server)
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

async fn ask(path: &Path) -> String {
    let mut stream = UnixStream::connect(path).await.unwrap();
    stream.write_all(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn requests_are_answered_by_the_socket_which_goes_with_the_server() {
    let (_folder, path) = place();
    let server = Running::run(bound(&path, 0o600).unwrap(), Api::new(), Arc::default());
    assert!(ask(&path).await.starts_with("HTTP/1.1 200 OK"));
    server.end().await;
    assert!(!path.exists());
}

#[tokio::test]
async fn it_has_the_mode_that_was_asked_for_whatever_the_umask_is() {
    for wanted in [0o600, 0o660, 0o666, 0o777, 0o200] {
        let (_folder, path) = place();
        let _server = bound(&path, wanted).unwrap();
        assert_eq!(mode(&path), wanted, "{wanted:o}");
    }
}

#[tokio::test]
async fn a_stale_socket_is_replaced_and_nothing_else_is() {
    let (_folder, path) = place();
    drop(StdUnixListener::bind(&path).unwrap());
    let server = bound(&path, 0o600).unwrap();
    let error = bound(&path, 0o600).err().expect("it is served");
    assert!(error.contains("another program serves this socket"), "{error}");
    drop(server);
    assert!(!path.exists());

    fs::write(&path, "precious").unwrap();
    let error = bound(&path, 0o600).err().expect("it is a file");
    assert!(error.contains("something is there that is no socket"), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "precious");

    let link = path.with_extension("link");
    std::os::unix::fs::symlink("nowhere", &link).unwrap();
    assert!(bound(&link, 0o600).err().expect("it is a link").contains("no socket"));
}

#[tokio::test]
async fn a_socket_that_another_program_put_there_stays() {
    let (_folder, path) = place();
    let server = bound(&path, 0o600).unwrap();
    fs::remove_file(&path).unwrap();
    let _other = StdUnixListener::bind(&path).unwrap();
    drop(server);
    assert!(path.exists());
}

#[tokio::test]
async fn where_there_can_be_none_it_says_why() {
    let (folder, _) = place();
    let error = |path: &Path| bound(path, 0o600).err().expect("it can't be");
    assert!(error(&folder.path().join("a/b")).contains("the folder is not there"));
    assert!(error(&folder.path().join("a".repeat(200))).contains("too long"));
}

#[tokio::test]
async fn connections_over_tcp_take_no_place_of_those_by_the_socket() {
    let (_folder, path) = place();
    let mut server = HttpServer { bounds: Bounds { connections: 1, head: DEADLINE * 10, ..Bounds::default() }, ..HttpServer::default() };
    server.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    server.bind_socket(&path, 0o600).unwrap();
    let server = Running::run(server, Api::new(), Arc::default());
    let _idle = [TcpStream::connect(server.addr).await.unwrap(), TcpStream::connect(server.addr).await.unwrap()];
    assert!(ask(&path).await.starts_with("HTTP/1.1 200 OK"));
    server.end().await;
}
