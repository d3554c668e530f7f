//! A service manager that listens to what an agent says of itself.

use std::{
    io::ErrorKind,
    os::{
        linux::net::SocketAddrExt as _,
        unix::net::{SocketAddr, UnixDatagram as StdDatagram},
    },
};

use cucumber::{given, then};
use tokio::{net::UnixDatagram, time::timeout};

use crate::features::{wait::DEADLINE, world::World};

#[given(regex = r"^a service manager that listens to (\w+)$")]
async fn listens(world: &mut World, name: String) {
    let path = world.folder().join("notify");
    world.notices = Some(UnixDatagram::bind(&path).expect("the scenario's folder is writable"));
    set(world, &name, "NOTIFY_SOCKET", path.display().to_string());
}

#[given(regex = r"^a service manager that wants a sign of life from (\w+) every (\d+) ms(?: and reads none)?$")]
async fn wants_signs(world: &mut World, name: String, milliseconds: u64) {
    listens(world, name.clone()).await;
    set(world, &name, "WATCHDOG_USEC", (milliseconds * 1_000).to_string());
}

#[given(regex = r"^its socket is an abstract one of (\w+)$")]
async fn abstract_socket(world: &mut World, name: String) {
    let called = world.cluster();
    let address = SocketAddr::from_abstract_name(&called).expect("it is short");
    let socket = StdDatagram::bind_addr(&address).expect("nobody else has the name");
    socket.set_nonblocking(true).expect("it can be");
    world.notices = Some(UnixDatagram::from_std(socket).expect("there is a runtime"));
    set(world, &name, "NOTIFY_SOCKET", format!("@{called}"));
}

#[given(regex = r"^they are wanted from another process than (\w+)$")]
async fn of_another(world: &mut World, name: String) {
    set(world, &name, "WATCHDOG_PID", std::process::id().to_string());
}

fn set(world: &mut World, name: &str, variable: &str, value: String) {
    world.agent_mut(name).settings.environment.push((variable.to_owned(), value));
}

/// What else it is told before is passed over.
#[then(regex = r"^the service manager is told (\S+)$")]
async fn is_told(world: &mut World, line: String) {
    let heard = timeout(DEADLINE, async {
        loop {
            let notice = next(world).await;
            if notice.lines().any(|said| said == line) {
                return notice;
            }
        }
    });
    world.notice = heard.await.unwrap_or_else(|_| panic!("{line} was not told within {DEADLINE:?}"));
}

#[then(regex = r"^with it (.+)$")]
async fn with_it(world: &mut World, line: String) {
    let same = |said: &str| said == line || said.split_once('=').is_some_and(|(key, value)| key == line && !value.is_empty());
    assert!(world.notice.lines().any(same), "{:?}", world.notice);
}

#[then(regex = r"^the service manager was told nothing( of (\S+))?$")]
async fn told_nothing(world: &mut World, _of: String, key: String) {
    let mut buffer = [0; 4_096];
    let socket = world.notices.as_ref().expect("it listens");
    loop {
        match socket.try_recv(&mut buffer) {
            Ok(length) => {
                let notice = String::from_utf8_lossy(&buffer[..length]).into_owned();
                assert!(!key.is_empty() && !notice.contains(&key), "it was told {notice:?}");
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => return,
            Err(error) => panic!("{error}"),
        }
    }
}

async fn next(world: &World) -> String {
    let mut buffer = [0; 4_096];
    let length = world.notices.as_ref().expect("it listens").recv(&mut buffer).await.expect("it is open");
    String::from_utf8_lossy(&buffer[..length]).into_owned()
}
