//! What somebody recorded is said again.

use std::time::Duration;

use cucumber::{given, then, when};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpStream, UdpSocket},
    time::timeout,
};

use crate::features::{
    addresses::GOSSIP,
    metrics,
    recorder::{Recorder, Recording},
    wait::eventually,
    world::World,
};

/// How long an agent may take to say what it thinks of a stream that is said again.
const ANSWERS: Duration = Duration::from_secs(2);

/// They are where nobody is otherwise.
#[given(regex = r"^someone on the way to (\w+) who records what it is told$")]
async fn recorder(world: &mut World, name: String) {
    let to = (world.address(&name), GOSSIP).into();
    world.recorder = Some(Recorder::on_the_way((world.nobody(), GOSSIP).into(), to).await);
}

#[then(regex = r"^at least (\d+) datagrams and (\d+) streams are soon recorded$")]
async fn recorded(world: &mut World, datagrams: usize, streams: usize) {
    let world = &*world;
    eventually("enough is recorded", async || {
        let Recording { datagrams: heard, streams: opened, .. } = recording(world);
        if heard.len() >= datagrams && opened.len() >= streams { Ok(()) } else { Err(format!("{} and {}", heard.len(), opened.len())) }
    })
    .await;
}

/// What has been recorded when this begins, again and again.
#[when(regex = r"^what was recorded is said again to (\w+) until it takes none of the datagrams$")]
async fn until_refused(world: &mut World, name: String) {
    let world = &*world;
    let old = recording(world);
    assert!(!old.datagrams.is_empty(), "nothing was recorded");
    eventually(&format!("{name} takes no datagram that is said again"), async || {
        let before = refused(world, &name).await?;
        say_datagrams(world, &name, &old).await;
        let expected = before + old.datagrams.len() as f64;
        for _ in 0..20 {
            if refused(world, &name).await? >= expected {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Err(format!("{} of {} were refused", refused(world, &name).await? - before, old.datagrams.len()))
    })
    .await;
}

#[when(regex = r"^the recorded streams are said again to (\w+)$")]
async fn streams_again(world: &mut World, name: String) {
    let to = world.agent(&name).gossip();
    for octets in recording(world).streams {
        let mut stream = TcpStream::connect(to).await.expect("the gossip port is open");
        // It may hang up at any time.
        stream.write_all(&octets).await.ok();
        let mut answer = Vec::new();
        timeout(ANSWERS, stream.read_to_end(&mut answer)).await.ok();
    }
}

fn recording(world: &World) -> Recording {
    world.recorder.as_ref().expect("someone records").recording()
}

async fn say_datagrams(world: &World, name: &str, said: &Recording) {
    let to = world.agent(name).gossip();
    let socket = UdpSocket::bind((world.nobody(), 0)).await.expect("a port is free");
    for datagram in &said.datagrams {
        socket.send_to(datagram, to).await.expect("a datagram can be sent");
        tokio::task::yield_now().await;
    }
}

/// Datagrams that were dropped for how they are sealed.
async fn refused(world: &World, name: &str) -> Result<f64, String> {
    let samples = metrics::read(&String::from_utf8_lossy(&world.agent(name).get("/metrics").await?.body))?;
    let of = |reason| metrics::sum(&samples, &format!("tidings_gossip_dropped_total{{reason=\"{reason}\"}}"));
    Ok(of("too_old")? + of("no_such_key")? + of("forged")?)
}
