//! What goes on and on while the scenario does: datagrams, and connections that say little.

use std::time::Duration;

use cucumber::when;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpStream, UdpSocket},
    time::{interval, sleep},
};

use tidings::{
    model::ClusterName,
    wire::envelope::{Carrier, ClusterTag, Envelope},
};

use super::gossip::noise;
use crate::features::{wait::eventually, world::World};

/// Datagrams of a burst, and the time from one to the next. What a test run bears beside others; the bench of floods sends more.
const BURST: usize = 40;
const PAUSE: Duration = Duration::from_millis(10);
/// From the end of a connection to the next one, and between two octets.
const REST: Duration = Duration::from_millis(200);

#[when(regex = r"^(noise|a right head with noise|answers) floods (\w+)'s (gossip|DNS) port$")]
async fn datagrams(world: &mut World, what: String, name: String, port: String) {
    let head = match what.as_str() {
        "noise" => Vec::new(),
        "answers" => b"\x12\x34\x81\x80\x00\x01".to_vec(),
        _ => {
            let cluster = ClusterName::new(&world.cluster()).expect("a name");
            Envelope::new(Carrier::Datagram, ClusterTag::of(&cluster)).into_bytes()
        }
    };
    let datagrams: Vec<Vec<u8>> = (0..256).map(|n| [head.clone(), noise(n, 20 + n as usize * 4)].concat()).collect();
    let to = match port.as_str() {
        "gossip" => world.agent(&name).gossip(),
        _ => world.agent(&name).dns(),
    };
    world.floods.spawn(async move {
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a port is free");
        let (mut tick, mut next) = (interval(PAUSE), datagrams.iter().cycle());
        loop {
            tick.tick().await;
            for datagram in next.by_ref().take(BURST) {
                // One that the kernel does not take is as good as lost.
                socket.send_to(datagram, to).await.ok();
            }
        }
    });
}

#[when(regex = r"^(\d+) (?:streams|connections) that (say nothing|send a head .+) are held open to (\w+)'s (gossip|HTTP) port$")]
async fn connections(world: &mut World, count: usize, what: String, name: String, port: String) {
    raise_descriptor_limit();
    let to = match port.as_str() {
        "gossip" => world.agent(&name).gossip(),
        _ => world.agent(&name).http(),
    };
    let head = "PUT /v1/agent/instances/web-1 HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n";
    let (at_once, slowly) = match what.as_str() {
        "say nothing" => ("", ""),
        "send a head and no body" => (head, ""),
        _ => ("GET /v1/agent HTTP/1.1\r\n", "X-Slow"),
    };
    let opened = std::sync::Arc::new(std::sync::atomic::AtomicUsize::default());
    for _ in 0..count {
        let opened = std::sync::Arc::clone(&opened);
        world.floods.spawn(async move {
            loop {
                if let Ok(mut stream) = TcpStream::connect(to).await {
                    opened.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    stream.write_all(at_once.as_bytes()).await.ok();
                    hold(&mut stream, slowly).await;
                }
                sleep(REST).await;
            }
        });
    }
    eventually(&format!("{count} connections were opened"), async || match opened.load(std::sync::atomic::Ordering::Relaxed) {
        all if all >= count => Ok(()),
        some => Err(some.to_string()),
    })
    .await;
}

/// Until the agent ends it.
async fn hold(stream: &mut TcpStream, slowly: &str) {
    for octet in slowly.bytes().cycle() {
        sleep(REST).await;
        if stream.write_all(&[octet]).await.is_err() || matches!(stream.try_read(&mut [0]), Ok(0)) {
            return;
        }
    }
    stream.read_exact(&mut [0]).await.ok();
}

/// Of the test run, so that it can open more than a shell lets it.
fn raise_descriptor_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).expect("up to its maximum it may be raised");
}
