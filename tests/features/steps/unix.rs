//! Unix sockets.

use std::{fs, os::unix::fs::PermissionsExt as _};

use cucumber::{given, then, when};
use tokio::net::UnixListener;

use crate::features::{http, wait::eventually, world::World};

#[when(regex = r"^I GET (\S+) by the socket (\S+)$")]
async fn ask(world: &mut World, path: String, socket: String) {
    let socket = world.folder().join(socket);
    world.answer = Some(http::ask_at_socket("GET", &socket, &path).await.unwrap_or_else(|error| panic!("{error}")));
}

#[then(regex = r"^the socket (\S+) has the mode (\d+)$")]
async fn has_mode(world: &mut World, socket: String, mode: String) {
    let metadata = fs::symlink_metadata(world.folder().join(socket)).expect("it is there");
    assert_eq!(format!("{:04o}", metadata.permissions().mode() & 0o7777), mode);
}

#[then(regex = r"^the socket (\S+) is (there|gone)$")]
async fn is_there(world: &mut World, socket: String, state: String) {
    assert_eq!(world.folder().join(socket).exists(), state == "there");
}

/// An agent that has no address to be asked at.
#[then(regex = r"^GET (\S+) by the socket (\S+) is soon (\d+)$")]
async fn soon(world: &mut World, path: String, socket: String, status: u16) {
    let socket = world.folder().join(socket);
    eventually(&format!("GET {path} by {}", socket.display()), async || {
        let answer = http::ask_at_socket("GET", &socket, &path).await?;
        if answer.status.as_u16() == status { Ok(()) } else { Err(answer.to_string()) }
    })
    .await;
}

#[given(regex = r"^another program serves the socket (\S+)$")]
async fn served(world: &mut World, socket: String) {
    world.unix = Some(UnixListener::bind(world.folder().join(socket)).expect("the path is free"));
}

#[when(regex = r"^that program is gone$")]
async fn program_gone(world: &mut World) {
    world.unix = None;
}
